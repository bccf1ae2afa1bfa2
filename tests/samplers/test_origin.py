"""What a sampler says of each row: where it comes from, from which rows it was made, and whose group it is of."""

import numpy as np
import pandas as pd
import pytest
from imblearn.base import BaseSampler
from imblearn.combine import SMOTEENN, SMOTETomek
from imblearn.over_sampling import SMOTE, RandomOverSampler
from imblearn.pipeline import make_pipeline
from imblearn.under_sampling import ClusterCentroids, RandomUnderSampler, TomekLinks
from scipy import sparse
from sklearn.model_selection import GroupKFold

from skgan import (
    ConditionalGANAugmenter,
    DomainOverSampler,
    GANOverSampler,
    OverSamplerCV,
    RecursiveAugmenter,
    at_least,
)
from skgan.filters import NeighbourFilter
from skgan.nets import NO_PARENT
from skgan.presets import autoencoder, cyclegan, gaussian, mlp_gan, offspring
from skgan.samplers._origin import origin_of_rows

FAST = {"max_steps": 2, "batch_size": 8}


SHARES = {"net": 1, "mixture": 1, "copy": 1}


def rows_of(n=(30, 12, 6), seed=0):
    rng = np.random.RandomState(seed)
    y = rng.permutation(np.repeat(np.arange(len(n)), n))
    return rng.standard_normal((len(y), 3)).astype(np.float32) + y[:, None], y


def test_real_rows_are_first_and_have_no_parents():
    X, y = rows_of()
    sampler = GANOverSampler(net=mlp_gan(alpha=1, **FAST), random_state=0)
    sampler.fit_resample(X, y)
    assert (sampler.origin_[:48] == "real").all()
    assert (sampler.origin_[48:] == "net").all()
    assert sampler.parent_indices_.shape == (90, 2)
    assert (sampler.parent_indices_ == NO_PARENT).all()
    assert ((sampler.origin_ == "real") == ~sampler.is_synthetic_).all()


@pytest.mark.parametrize("per_class", [False, True])
def test_copies_mixtures_and_offspring_name_their_parents(per_class):
    X, y = rows_of()
    net = offspring(module__width=4, **FAST)
    params = {"net": net, "shares": SHARES, "per_class": per_class, "sampling_strategy": at_least(3.0)}
    sampler = GANOverSampler(**params, random_state=0)
    X_new, y_new = sampler.fit_resample(X, y)
    new, (first, second) = sampler.is_synthetic_, sampler.parent_indices_[sampler.is_synthetic_].T
    origin = sampler.origin_[new]
    assert set(origin) == {"net", "mixture", "copy"}
    assert (y[first] == y_new[new]).all()
    assert ((second >= 0) == (origin == "mixture")).all()
    copied = origin == "copy"
    np.testing.assert_allclose(X_new[new][copied], X[first[copied]], atol=1e-4)
    mixed = origin == "mixture"
    assert (y[second[mixed]] == y_new[new][mixed]).all()
    between = np.sort([X[first[mixed]], X[second[mixed]]], axis=0)
    assert (X_new[new][mixed] >= between[0] - 1e-3).all()
    assert (X_new[new][mixed] <= between[1] + 1e-3).all()


def test_interpolated_rows_have_two_parents_and_a_gaussians_copies_one():
    X, y = rows_of()
    sampler = GANOverSampler(net=autoencoder(sampling="interpolation", module__hidden=(8,), **FAST), random_state=0)
    _, y_new = sampler.fit_resample(X, y)
    parents = sampler.parent_indices_[48:]
    assert (parents >= 0).all()
    assert (y[parents] == y_new[48:, None]).all()
    sampler = GANOverSampler(net=gaussian(), shares={"net": 1, "copy": 1}, random_state=0)
    X_new, _ = sampler.fit_resample(X, y)
    copied = sampler.origin_ == "copy"
    assert 5 < copied.sum() < 37
    np.testing.assert_allclose(X_new[copied], X[sampler.parent_indices_[copied, 0]], atol=1e-4)
    assert (sampler.parent_indices_[~copied] == NO_PARENT).all()


def test_jitter_and_plain_copies_of_tiny_classes_name_theirs():
    X, y = rows_of((30, 12, 1))
    sampler = GANOverSampler(net=mlp_gan(alpha=1, **FAST), random_state=0)
    with pytest.warns(UserWarning, match="single row"):
        _, y_new = sampler.fit_resample(X, y)
    jittered = sampler.origin_ == "jitter"
    assert (y_new[jittered] == 2).all()
    assert (sampler.parent_indices_[jittered] == [np.flatnonzero(y == 2)[0], NO_PARENT]).all()
    X, y = rows_of((4, 2))
    sampler = GANOverSampler(random_state=0)
    with pytest.warns(UserWarning, match="plain copies"):
        X_new, _ = sampler.fit_resample(X, y)
    assert (sampler.origin_[6:] == "copy").all()
    np.testing.assert_allclose(X_new[6:], X[sampler.parent_indices_[6:, 0]], atol=1e-4)
    rows, _, parents = sampler.sample_with_parents({1: 3})
    np.testing.assert_array_equal(rows, parents)


def test_parents_of_the_jittered_rows_of_a_class_of_one_row():
    X, y = rows_of((30, 12, 1))
    sampler = GANOverSampler(net=mlp_gan(alpha=1, **FAST), random_state=0)
    with pytest.warns(UserWarning, match="single row"):
        sampler.fit_resample(X, y)
    rows, _, parents = sampler.sample_with_parents({2: 3})
    np.testing.assert_allclose(parents, np.repeat(X[y == 2], 3, axis=0), atol=1e-4)
    assert not (rows == parents).all(axis=1).any()


def test_copies_that_fill_up_after_a_filter_are_told_from_the_nets_rows():
    X, y = rows_of()
    row_filter = NeighbourFilter(low=0.9, high=0.91)
    sampler = GANOverSampler(net=mlp_gan(alpha=1, **FAST), row_filter=row_filter, random_state=0)
    with pytest.warns(UserWarning, match="plain copies of real rows"):
        X_new, _ = sampler.fit_resample(X, y)
    copied = sampler.origin_ == "copy"
    assert copied.sum() == sampler.filter_report_["copies"].sum() > 0
    np.testing.assert_allclose(X_new[copied], X[sampler.parent_indices_[copied, 0]], atol=1e-4)


def test_sample_with_parents_gives_the_rows_of_sample():
    X, y = rows_of()
    sampler = GANOverSampler(net=offspring(module__width=4, **FAST), shares=SHARES, random_state=0)
    sampler.fit_resample(X, y)
    for random_state in (None, 3):
        rows, labels = sampler.sample({2: 30, 0: 5}, random_state)
        again, same, parents = sampler.sample_with_parents({2: 30, 0: 5}, random_state)
        np.testing.assert_array_equal(rows, again)
        np.testing.assert_array_equal(labels, same)
        assert (np.abs(parents[:, None] - X[None]).max(2).min(1) < 1e-3).all()
        assert (rows == parents).all(1).any()
    alone, _, parents = sampler.sample_with_parents({2: 30}, offspring_only=True)
    assert not (alone == parents).all(1).any()


def test_groups_of_all_rows_keep_families_together():
    X, y = rows_of()
    groups = np.arange(48) // 4
    sampler = GANOverSampler(net=offspring(module__width=4, **FAST), shares=SHARES, random_state=0)
    X_new, y_new = sampler.fit_resample(X, y, groups=groups)
    assert (sampler.groups_[:48] == groups).all()
    parents, of_new = sampler.parent_indices_[48:], sampler.groups_[48:]
    single = parents[:, 1] == NO_PARENT
    assert (of_new[single] == groups[parents[single, 0]]).all()
    both = groups[parents[~single]]
    assert (of_new[~single] == np.where(both[:, 0] == both[:, 1], both[:, 0], 12)).all()
    for train, test in GroupKFold(3).split(X_new, y_new, sampler.groups_):
        parents_in_test = sampler.parent_indices_[train][(sampler.groups_[train] != 12)]
        assert not np.isin(parents_in_test[parents_in_test >= 0], test).any()


@pytest.mark.parametrize(
    ("groups", "own"),
    [(np.arange(48) / 2, 24.5), (np.array(["ann", "bob"] * 24), "synthetic"), (["synthetic", "x"] * 24, "synthetic_")],
)
def test_rows_made_from_noise_have_a_group_of_their_own(groups, own):
    X, y = rows_of()
    sampler = ConditionalGANAugmenter(0.5, net=mlp_gan(alpha=1, **FAST), random_state=0)
    sampler.fit_resample(X, y, groups=groups)
    assert sampler.groups_[:48].tolist() == list(groups)
    assert set(sampler.groups_[48:].tolist()) == {own}


def test_groups_of_another_length_are_refused_before_training(trainings):
    X, y = rows_of()
    augmenter = ConditionalGANAugmenter()
    for sampler in (GANOverSampler(), augmenter, RecursiveAugmenter(augmenter), OverSamplerCV()):
        with pytest.raises(ValueError, match=r"groups must hold one value a row, shape \(48,\)"):
            sampler.fit_resample(X, y, groups=[1, 2])
    assert not trainings


@pytest.mark.parametrize(
    ("groups", "message"),
    [
        (np.array([np.nan, *range(47)]), "groups has missing values"),
        (np.array([None, *range(47)], dtype=object), "groups has missing values"),
        (np.arange("2026-01-01", "2026-02-18", dtype="datetime64[D]"), "groups must be numbers or strings"),
    ],
)
def test_groups_that_are_none_are_refused_before_training(groups, message, trainings):
    X, y = rows_of()
    with pytest.raises(ValueError, match=message):
        GANOverSampler().fit_resample(X, y, groups=groups)
    assert not trainings


def test_small_integers_and_mixed_types_have_one_more_group():
    X, y = rows_of()
    sampler = GANOverSampler(net=mlp_gan(alpha=1, **FAST), random_state=0)
    sampler.fit_resample(X, y, groups=np.arange(208, 256, dtype=np.uint8))
    assert sampler.groups_.tolist() == [*range(208, 256), *[256] * 42]
    sampler.fit_resample(X, y, groups=np.array([1, "b"] * 24, dtype=object))
    assert sampler.groups_.tolist() == [1, "b"] * 24 + ["synthetic"] * 42


def test_without_the_real_rows_parents_still_count_them():
    X, y = rows_of()
    net = offspring(module__width=4, **FAST)
    sampler = ConditionalGANAugmenter(1.0, keep_real=False, net=net, random_state=0)
    with pytest.warns(UserWarning, match="no privacy protection"):
        X_new, _ = sampler.fit_resample(X, y, groups=np.arange(48))
    copied = sampler.origin_ == "copy"
    assert len(sampler.origin_) == len(X_new) == 48
    np.testing.assert_allclose(X_new[copied], X[sampler.parent_indices_[copied, 0]], atol=1e-4)
    assert (sampler.groups_ == sampler.parent_indices_[:, 0]).all()


def test_domains_carry_the_labels_of_the_parents():
    X, y = rows_of()
    domain, net = np.where(np.arange(48) < 36, "day", "night"), cyclegan(module__width=4, pool_size=0, **FAST)
    sampler = DomainOverSampler(net=net, random_state=0)
    _, y_new = sampler.fit_resample(X, y, domain=domain, groups=np.arange(48))
    parents = sampler.parent_indices_[48:, 0]
    assert (y_new[48:] == y[parents]).all()
    assert (domain[parents] == "day").all()
    assert (sampler.domain_[48:] == "night").all()
    assert (sampler.groups_[48:] == parents).all()


def test_rounds_name_rows_of_earlier_rounds():
    X, y = rows_of()
    augmenter = ConditionalGANAugmenter(shares={"copy": 1})
    rounds = RecursiveAugmenter(augmenter, n_rounds=2, growth=0.5, random_state=0)
    X_new, _ = rounds.fit_resample(X, y, groups=np.arange(48))
    assert (rounds.origin_[48:] == "copy").all()
    parents = rounds.parent_indices_[48:, 0]
    assert parents.max() >= 48
    np.testing.assert_allclose(X_new[48:], X_new[parents], atol=1e-3)
    assert (rounds.groups_[48:] == rounds.groups_[parents]).all()


@pytest.mark.parametrize(
    ("candidate", "origin"), [(None, "real"), (RandomOverSampler(), "copy"), (SMOTE(k_neighbors=2), "mixture")]
)
def test_a_choice_says_what_its_sampler_makes(candidate, origin):
    X, y = rows_of((30, 20))
    choice = OverSamplerCV([candidate], random_state=0)
    X_new, _ = choice.fit_resample(pd.DataFrame(X), y, groups=np.arange(50))
    assert (choice.origin_[:50] == "real").all()
    assert set(choice.origin_[50:]) == ({origin} if candidate is not None else set())
    assert len(choice.origin_) == len(choice.parent_indices_) == len(choice.groups_) == len(X_new)
    if origin == "copy":
        np.testing.assert_array_equal(X_new.to_numpy()[50:], X[choice.parent_indices_[50:, 0]])
        assert (choice.groups_[50:] == choice.parent_indices_[50:, 0]).all()


def test_a_choice_that_leaves_rows_out():
    X, y = rows_of((30, 20))
    choice = OverSamplerCV([RandomUnderSampler()], random_state=0)
    X_new, _ = choice.fit_resample(X, y, groups=np.arange(50))
    np.testing.assert_array_equal(X_new, X[choice.groups_])
    assert (choice.origin_ == "real").all()
    assert not choice.is_synthetic_.any()
    assert choice.sampling_strategy_ == {0: 0, 1: 0}
    assert choice.class_counts_ == {0: 20, 1: 20}


def is_given(X_new, X):
    """By brute force: which rows are rows of X."""
    return (np.asarray(X_new)[:, None] == np.asarray(X)[None]).all(axis=2).any(axis=1)


COMBINED = {
    "smote, neighbours": SMOTEENN(smote=SMOTE(k_neighbors=2)),
    "smote, links": SMOTETomek(smote=SMOTE(k_neighbors=2)),
    "copies, links": make_pipeline(RandomOverSampler(), TomekLinks()),
    "fewer, mixtures": make_pipeline(RandomUnderSampler(sampling_strategy=0.8), SMOTE(k_neighbors=2)),
    "links, a net": make_pipeline(TomekLinks(), GANOverSampler(shares={"copy": 1})),
}


@pytest.mark.parametrize("name", COMBINED)
def test_samplers_in_turn_say_which_rows_are_new(name):
    X, y = rows_of((30, 20))
    choice, again = (OverSamplerCV([COMBINED[name]], random_state=0) for _ in range(2))
    X_new, y_new = choice.fit_resample(X, y, groups=np.arange(50))
    copies, parents = choice.origin_ == "copy", choice.parent_indices_
    assert (choice.is_synthetic_ == (~is_given(X_new, X) | copies)).all()
    assert 0 < choice.is_synthetic_.sum() < len(X_new)
    assert choice.origin_[~choice.is_synthetic_].tolist() == ["real"] * (~choice.is_synthetic_).sum()
    assert set(choice.origin_[choice.is_synthetic_]) == {
        "copy" if name in ("copies, links", "links, a net") else "mixture"
    }
    np.testing.assert_allclose(X_new[copies], X[parents[copies, 0]], atol=1e-3)
    np.testing.assert_array_equal(X_new[~choice.is_synthetic_], X[choice.groups_[~choice.is_synthetic_]])
    assert (choice.groups_[copies] == parents[copies, 0]).all()
    assert choice.sampling_strategy_ == {k: (y_new[choice.is_synthetic_] == k).sum() for k in (0, 1)}
    assert choice.class_counts_ == {k: (y_new == k).sum() for k in (0, 1)}
    np.testing.assert_array_equal(again.fit_resample(X, y)[0], X_new)  # seeds reach the samplers inside


def test_real_rows_that_are_there_twice_stay_real():
    X, y = rows_of((30, 20))
    X[y == 1] = np.repeat(X[y == 1][:10], 2, axis=0)
    choice = OverSamplerCV([SMOTEENN(smote=SMOTE(k_neighbors=3))], random_state=0)
    choice.fit_resample(X, y)
    inner = choice.best_sampler_
    assert (choice.is_synthetic_ == (inner.enn_.sample_indices_ >= 50)).all()


class Shuffling(BaseSampler):
    """Somebody's: drops three rows, adds two copies of one and three moved rows, and shuffles."""

    _sampling_type = "bypass"

    def fit_resample(self, X, y):
        """Without any attribute that tells where the rows come from."""
        rng = np.random.RandomState(0)
        sources = np.array([*range(3, len(y)), 5, 5, 0, 1, 2])
        moved = np.array([0.0] * (len(sources) - 3) + [1.0] * 3)
        order = rng.permutation(len(sources))
        self.order, sources, moved = sources[order], sources[order], moved[order]
        if isinstance(X, pd.DataFrame):
            frame = X.iloc[sources].reset_index(drop=True)
            frame.iloc[:, 0] += moved
            return frame, y[sources]
        if sparse.issparse(X):
            first = sparse.csr_matrix(
                (moved, (np.arange(len(moved)), np.zeros(len(moved), dtype=int))), (len(moved), X.shape[1])
            )
            return X[sources] + first, y[sources]
        X_new = X[sources].copy()
        X_new.reshape(len(X_new), -1)[:, 0] += moved
        return X_new, y[sources]

    def _fit_resample(self, X, y):
        raise NotImplementedError


CONTAINERS = {
    "array": lambda X: X,
    "frame": lambda X: pd.DataFrame(X).assign(kind=np.array(["a", "b"])[np.arange(len(X)) % 2]),
    "sparse": sparse.csr_matrix,
    "images": lambda X: np.repeat(np.repeat(X[:, :, None], 3, axis=2)[:, None], 2, axis=1),
}


@pytest.mark.parametrize("container", CONTAINERS)
def test_rows_of_an_unknown_sampler_are_compared_with_the_given_ones(container):
    X, y = rows_of((30, 20))
    X[6], y[6] = X[7], y[7]  # a real row that is there twice
    X[8], y[8] = X[9], 1 - y[9]  # and one with the other label, which is another row
    X = CONTAINERS[container](X)
    sampler = Shuffling()
    told = origin_of_rows(sampler, np.arange(50), (X, y), sampler.fit_resample(X, y))
    order = sampler.order
    moved = order < 3
    assert (told["origin_"][moved] == "unknown").all()
    copies = told["origin_"] == "copy"
    assert copies.sum() == 2
    assert (order[copies] == 5).all()
    assert (told["parent_indices_"][copies] == [5, NO_PARENT]).all()
    assert (told["is_synthetic_"] == (moved | copies)).all()
    assert (told["origin_"][~told["is_synthetic_"]] == "real").all()
    assert "groups_" not in told


def test_prototypes_that_take_the_place_of_rows_are_new():
    X, y = rows_of((30, 20))
    choice = OverSamplerCV([ClusterCentroids(voting="soft", random_state=0)], random_state=0)
    X_new, y_new = choice.fit_resample(X, y)
    assert (choice.is_synthetic_ == ~is_given(X_new, X)).all()
    assert choice.is_synthetic_[y_new == 0].sum() > 5
    assert not choice.is_synthetic_[y_new == 1].any()


@pytest.mark.parametrize("candidate", ["rounds", "choice", "over-sampler"])
def test_a_choice_of_skgans_samplers_has_their_groups(candidate):
    X, y = rows_of()
    sampler = {
        "rounds": RecursiveAugmenter(ConditionalGANAugmenter(shares={"copy": 1}), n_rounds=2, growth=0.5),
        "choice": OverSamplerCV([RandomOverSampler()], cv=2),
        "over-sampler": GANOverSampler(shares={"copy": 1}),
    }[candidate]
    choice = OverSamplerCV([sampler], cv=2, random_state=0)
    X_new, _ = choice.fit_resample(X, y, groups=np.arange(48))
    assert (choice.origin_[48:] == "copy").all()
    assert (choice.groups_[48:] == choice.groups_[choice.parent_indices_[48:, 0]]).all()
    np.testing.assert_allclose(X_new[48:], X_new[choice.parent_indices_[48:, 0]], atol=1e-3)
