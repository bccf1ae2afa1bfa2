"""``shares=``: rows of the net, of a Gaussian, mixtures and copies, in given weights."""

import numpy as np
import pandas as pd
import pytest
from imblearn.over_sampling import SMOTE, SMOTENC, RandomOverSampler
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import balanced_accuracy_score
from sklearn.neighbors import NearestNeighbors

from skgan import ConditionalGANAugmenter, GANOverSampler, at_least
from skgan.codecs import TabularCodec
from skgan.nets import NO_PARENT
from skgan.presets import mlp_gan, offspring
from skgan.samplers._blends import MixtureMaker, neighbours

FAST = {"max_steps": 4, "batch_size": 8}
NET = mlp_gan(alpha=1, **FAST)


def rows_of(n=(300, 40), d=4, seed=0):
    rng = np.random.RandomState(seed)
    y = rng.permutation(np.repeat(np.arange(len(n)), n))
    return rng.standard_normal((len(y), d)) + y[:, None], y


def mixed_frame(n=200, seed=0):
    X, y = rows_of((n - 30, 30), 2, seed)
    rng = np.random.RandomState(seed)
    town = rng.choice(["Bonn", "Kiel", "Ulm"], n)
    return pd.DataFrame({"a": X[:, 0], "b": 1000 * X[:, 1], "town": pd.Categorical(town), "coast": town == "Kiel"}), y


def shares_of(sampler) -> dict[str, float]:
    return pd.Series(sampler.origin_[sampler.is_synthetic_]).value_counts(normalize=True).to_dict()


def test_rows_come_in_their_ratio_from_every_maker():
    X, y = rows_of()
    sampler = GANOverSampler(net=NET, shares={"net": 2, "gaussian": 1, "mixture": 1, "copy": 0}, random_state=0)
    X_new, y_new = sampler.fit_resample(X, y)
    assert shares_of(sampler) == pytest.approx({"net": 0.5, "gaussian": 0.25, "mixture": 0.25}, abs=0.02)
    new, origin = sampler.parent_indices_[340:], sampler.origin_[340:]
    learned = np.isin(origin, ("net", "gaussian"))
    assert (new[learned] == NO_PARENT).all()
    assert (y[new[~learned]] == 1).all()
    assert np.isfinite(X_new).all()
    assert (y_new[340:] == 1).all()


@pytest.mark.parametrize("n", [4, 12, 40])
def test_few_rows_have_the_ratio_too(n):
    X, y = rows_of()
    sampler = GANOverSampler(net=NET, shares={"net": 1, "gaussian": 1, "mixture": 1, "copy": 1}, random_state=0)
    sampler.set_params(sampling_strategy={1: 40 + n}).fit_resample(X, y)
    assert all(abs(share * n - n / 4) <= 1 for share in shares_of(sampler).values())


def test_a_table_without_a_net_given_gets_a_blend_and_a_named_net_is_alone():
    X, y = rows_of()
    sampler = GANOverSampler(max_steps=4, random_state=0)
    sampler.fit_resample(X, y)
    assert {"net", "mixture", "copy"} <= set(shares_of(sampler))
    for net in (NET, "gaussian"):
        sampler = GANOverSampler(net=net, random_state=0)
        sampler.fit_resample(X, y)
        assert shares_of(sampler) == {"net": 1.0}
    sampler = GANOverSampler(net=offspring(module__width=4, **FAST), random_state=0)
    sampler.fit_resample(X, y)
    assert shares_of(sampler) == pytest.approx({"net": 0.5, "copy": 0.5}, abs=0.02)


def test_without_the_net_nothing_is_trained(trainings):
    X, y = rows_of()
    sampler = GANOverSampler(shares={"mixture": 1, "copy": 1}, random_state=0)
    sampler.fit_resample(X, y)
    assert not trainings
    assert len(sampler.training_history_) == 0
    rows, _, parents = sampler.sample_with_parents({1: 20})
    assert (np.abs(parents[:, None] - X[None]).max(2).min(1) < 1e-6).all()
    assert (rows == parents).all(axis=1).any()


def test_other_shares_need_no_other_training(trainings, tmp_path):
    X, y = rows_of()
    searched = [{"net": 1}, {"net": 1, "gaussian": 1}, {"gaussian": 3, "mixture": 1, "net": 2, "copy": 1}]
    for shares in searched:
        sampler = GANOverSampler(net=NET, shares=shares, memory=tmp_path, random_state=0)
        made = sampler.fit_resample(X, y)[0]
        np.testing.assert_array_equal(made, sampler.set_params(memory=None).fit_resample(X, y)[0])
    kept = 2  # the net and the Gaussian
    alone = 1 + 2 + 2
    assert len(trainings) == kept + alone


def test_a_smaller_amount_is_the_beginning_of_a_larger_one():
    X, y = rows_of()
    sampler = GANOverSampler(net=NET, shares={"net": 1, "mixture": 1, "copy": 1}, random_state=0)
    few = sampler.set_params(sampling_strategy={1: 60}).fit_resample(X, y)[0]
    many = sampler.set_params(sampling_strategy={1: 700}).fit_resample(X, y)[0]
    np.testing.assert_array_equal(few[340:], many[340:360])


# Mixtures and SMOTE


def test_mixtures_are_smotes_rows():
    """In standardised columns neighbours are SMOTE's; every mixture is SMOTE's formula for one of its pairs."""
    X, y = rows_of((300, 40), 3)
    codec = TabularCodec(scaling="robust").fit(X)
    Z = codec.transform(X).astype(np.float64)
    sampler = GANOverSampler(shares={"mixture": 1}, codec=TabularCodec(scaling="robust"), random_state=0)
    made = codec.transform(sampler.set_params(sampling_strategy={1: 540}).fit_resample(X, y)[0][340:])
    first, second = sampler.parent_indices_[340:].T
    rare = Z[y == 1]
    near = NearestNeighbors(n_neighbors=6).fit(rare).kneighbors(Z[first], return_distance=False)[:, 1:]
    assert (np.flatnonzero(y == 1)[near] == second[:, None]).any(axis=1).all()
    gap = Z[second] - Z[first]
    share = np.median((made - Z[first]) / gap, axis=1)
    np.testing.assert_allclose(made, Z[first] + share[:, None] * gap, atol=1e-5)
    assert 0 <= share.min() < 0.05
    assert 0.95 < share.max() <= 1
    smote = SMOTE(sampling_strategy={1: 540}, random_state=0).fit_resample(Z, y)[0][340:]
    for statistic in (np.mean, np.std):
        np.testing.assert_allclose(statistic(made, axis=0), statistic(smote, axis=0), atol=0.12)


def test_numbers_lie_on_the_straight_line_between_the_users_own():
    rng = np.random.RandomState(0)
    X, y = np.exp(3 * rng.standard_normal((340, 2))), np.repeat([0, 1], [300, 40])
    sampler = GANOverSampler(shares={"mixture": 1}, random_state=0)
    made = sampler.fit_resample(X, y)[0][340:]
    a, b = X[sampler.parent_indices_[340:]].transpose(1, 0, 2)
    share = (made - a) / (b - a)
    np.testing.assert_allclose(share[:, 0], share[:, 1], atol=1e-3)


def test_categories_are_those_that_most_neighbours_have_as_of_smotenc():
    X, y = mixed_frame()
    sampler = GANOverSampler(shares={"mixture": 1}, random_state=0)
    made = sampler.fit_resample(X, y)[0].iloc[200:]
    codec = TabularCodec().fit(X)
    encoded = codec.transform(X)
    rare = np.flatnonzero(y == 1)
    position = {row: i for i, row in enumerate(rare)}
    first = np.array([position[row] for row in sampler.parent_indices_[200:, 0]])
    near = neighbours(encoded[rare], 5)[first]
    for name in ("town", "coast"):
        values = X[name].to_numpy()[rare][near]
        for row, value in zip(values, made[name], strict=True):
            counts = pd.Series(row).value_counts()
            assert counts[value] == counts.max()
    theirs = SMOTENC(["town", "coast"], random_state=0).fit_resample(X, y)[0].iloc[200:]
    assert (made.dtypes == theirs.dtypes).all()
    ours, smotenc = (frame["town"].value_counts(normalize=True).sort_index() for frame in (made, theirs))
    np.testing.assert_allclose(ours, smotenc, atol=0.15)


def test_equal_rows_are_neighbours_of_each_other():
    rows = np.zeros((8, 3), np.float32)
    near = neighbours(rows, 5)
    assert near.shape == (8, 5)
    assert neighbours(rows[:2], 5).tolist() == [[1], [0]]
    made = MixtureMaker(rows, np.arange(4), TabularCodec().fit(rows.astype(float))).block(0, 10)
    assert (made.rows == 0).all()


def test_images_can_be_mixed_and_copied_too():
    images = np.random.RandomState(0).randint(0, 256, (60, 8, 8), dtype=np.uint8)
    sampler = GANOverSampler(shares={"mixture": 1, "copy": 1, "gaussian": 1}, random_state=0)
    made, _ = sampler.fit_resample(images, np.repeat([0, 1], [45, 15]))
    assert made.dtype == np.uint8
    mixed = sampler.origin_ == "mixture"
    parents = images[sampler.parent_indices_[mixed]].astype(int)
    assert (made[mixed] >= parents.min(1) - 1).all()
    assert (made[mixed] <= parents.max(1) + 1).all()


# Small classes, and what is refused


def test_a_class_of_one_row_has_no_mixtures():
    X, y = rows_of((60, 20, 1))
    sampler = GANOverSampler(net=NET, shares={"net": 1, "mixture": 1}, random_state=0)
    with pytest.warns(UserWarning, match="Class 2 has a single row"):
        _, y_new = sampler.fit_resample(X, y)
    assert set(sampler.origin_[y_new == 2]) == {"real", "jitter"}
    sampler.set_params(net=offspring(module__width=4, **FAST))
    _, y_new = sampler.fit_resample(X, y)
    assert set(sampler.origin_[y_new == 2]) == {"real", "net", "copy"}
    with pytest.warns(UserWarning, match="Class 2 has a single row"):
        _, y_new = sampler.set_params(shares={"mixture": 1}).fit_resample(X, y)
    assert set(sampler.origin_[y_new == 2]) == {"real", "jitter"}


def test_per_class_nets_are_blended_and_the_gaussian_borrows_from_all():
    X, y = rows_of((60, 20, 4))
    sampler = GANOverSampler(net=NET, per_class=True, shares={"net": 1, "gaussian": 1, "copy": 1}, random_state=0)
    _, y_new = sampler.fit_resample(X, y)
    assert set(sampler.origin_[y_new == 2]) == {"real", "net", "gaussian", "copy"}
    assert (np.bincount(y_new) == 60).all()


def test_real_valued_labels_take_copies_with_their_labels():
    X, _ = rows_of()
    values = X[:, 0] + 1
    augmenter = ConditionalGANAugmenter(1.0, shares={"net": 1, "copy": 1}, max_steps=4, random_state=0)
    _, y_new = augmenter.fit_resample(X, values)
    copied = augmenter.origin_ == "copy"
    assert abs(copied.sum() - 170) <= 3
    np.testing.assert_array_equal(y_new[copied], values[augmenter.parent_indices_[copied, 0]])
    with pytest.raises(ValueError, match="shares names 'mixture', which makes rows of classes"):
        augmenter.set_params(shares={"mixture": 1}).fit_resample(X, values)


@pytest.mark.parametrize(
    ("shares", "words"),
    [
        (
            {"nte": 1},
            r"shares names 'nte', and the makers are 'net', 'gaussian', 'mixture', 'copy'\. Did you mean 'net'\?",
        ),
        ({1: 1}, "shares names 1, and the makers are"),
        ({"net": -1}, "The share of 'net' must be a finite number of at least 0, got -1"),
        ({"net": float("nan")}, "The share of 'net' must be a finite number"),
        ({"copy": True}, "The share of 'copy' must be a finite number"),
        ({"net": 0, "copy": 0.0}, "gives no maker any rows"),
        ({}, "gives no maker any rows"),
        ("net", "'shares' parameter of GANOverSampler must be a str among {'auto'} or an instance of"),
    ],
)
def test_wrong_shares_are_refused_before_any_training(shares, words, trainings):
    X, y = rows_of()
    with pytest.raises(ValueError, match=words):
        GANOverSampler(shares=shares).fit_resample(X, y)
    assert not trainings


def test_a_filter_that_asks_the_net_needs_one():
    from skgan.filters import DiscriminatorFilter, NeighbourFilter

    X, y = rows_of()
    sampler = GANOverSampler(shares={"mixture": 1}, row_filter=DiscriminatorFilter(), random_state=0)
    with pytest.raises(ValueError, match="A row filter such as DiscriminatorFilter needs one net for all classes"):
        sampler.fit_resample(X, y)
    sampler.set_params(row_filter=NeighbourFilter(), sampling_strategy=at_least(0.5)).fit_resample(X, y)
    assert sampler.filter_report_["made"].iloc[0] > 0


# Rules between columns, and wide rows


def test_columns_that_repeat_each_other_and_constants_stay_so():
    X, y = rows_of()
    frame = pd.DataFrame(
        {"a": X[:, 0], "b": X[:, 1], "again": X[:, 0], "five": 5, "n": np.round(3 * X[:, 2]).astype(int)}
    )
    frame["also"] = frame["n"].astype(float)
    frame.loc[::7, ["b"]] = np.nan
    frame["b too"] = frame["b"]
    made = GANOverSampler(max_steps=4, random_state=0).fit_resample(frame, y)[0].iloc[340:]
    np.testing.assert_array_equal(made["again"], made["a"])
    np.testing.assert_array_equal(made["also"], made["n"])
    np.testing.assert_array_equal(made["b too"], made["b"])
    assert made["b"].isna().any()
    assert (made["five"] == 5).all()


def test_large_whole_numbers_that_float64_merges_are_no_repetition():
    X, y = rows_of()
    ids = 2**60 + np.arange(len(X)) * 3
    frame = pd.DataFrame({"x": X[:, 0], "id": ids, "next": ids + 1})
    with pytest.warns(UserWarning, match="id"):
        made = GANOverSampler(shares={"copy": 1}, random_state=0).fit_resample(frame, y)[0]
    assert made["id"].dtype == made["next"].dtype == np.int64


def test_the_default_takes_rows_of_more_columns_than_rows():
    """500 columns of ten hidden ones, 200 rows: as useful as copies."""
    rng = np.random.RandomState(0)
    mix = rng.standard_normal((10, 500))

    def wide(n):
        y = rng.permutation(np.repeat([0, 1], [n - n // 8, n // 8]))
        return (rng.standard_normal((n, 10)) + 0.7 * y[:, None]) @ mix + 0.5 * rng.standard_normal((n, 500)), y

    (X, y), test = wide(200), wide(800)

    def score(sampler):
        model = LogisticRegression(max_iter=1000).fit(*sampler.fit_resample(X, y))
        return balanced_accuracy_score(test[1], model.predict(test[0]))

    assert score(GANOverSampler(random_state=0)) > score(RandomOverSampler(random_state=0)) - 0.01
