import copy
import pickle
import subprocess
import sys
import textwrap
import warnings

import joblib
import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse
from sklearn.base import clone
from sklearn.exceptions import NotFittedError

from skgan import GANOverSampler, at_least
from skgan.codecs import ImageCodec
from skgan.filters import DiscriminatorFilter, RowFilter
from skgan.nets import AdversarialNet, GenerativeNet
from skgan.nets._side_by_side import SideBySideNet
from skgan.presets import mlp_gan

LAYOUTS = [(3, 8, 10), (8, 10, 3), (8, 10), (1, 9, 9), (9, 9, 1), (31, 28)]
DTYPES = [np.uint8, np.int16, np.int64, np.float16, np.float32, np.float64, bool]


def counts_of(y):
    classes, counts = np.unique(np.asarray(y), return_counts=True)
    return dict(zip(classes.tolist(), counts.tolist(), strict=True))


# Images


@pytest.mark.parametrize("shape", LAYOUTS, ids=str)
def test_images_of_any_layout_come_back_in_it(shape, make_image_sampler):
    rng = np.random.RandomState(0)
    X, y = rng.randint(0, 256, (20, *shape), dtype=np.uint8), np.array(["a"] * 15 + ["b"] * 5)
    sampler = make_image_sampler()
    X_new, y_new = sampler.fit_resample(X, y)
    assert X_new.shape == (30, *shape)
    assert X_new.dtype == np.uint8
    assert counts_of(y_new) == {"a": 15, "b": 15}
    assert (X_new[:20] == X).all()
    assert (y_new[:20] == y).all()
    assert sampler.sample_shape_ == shape
    assert sampler.is_synthetic_.tolist() == [False] * 20 + [True] * 10
    assert len(np.unique(X_new[20:].reshape(10, -1), axis=0)) == 10


@pytest.mark.parametrize("dtype", DTYPES, ids=lambda d: np.dtype(d).name)
def test_images_of_any_dtype_keep_it_and_their_range(dtype, make_image_sampler):
    X = (np.random.RandomState(0).rand(16, 8, 8) * (2 if dtype is bool else 90)).astype(int).astype(dtype)
    X_new, _ = make_image_sampler().fit_resample(X, np.repeat([0, 1], [12, 4]))
    assert X_new.dtype == dtype
    assert X_new.min() >= X.min()
    assert X_new.max() <= X.max()


def test_flat_rows_with_an_image_shape_are_images(make_image_sampler, images):
    X, y = images
    flat = X.reshape(len(X), -1)
    sampler = make_image_sampler(codec=ImageCodec(image_shape=(3, 8, 10)))
    X_new, _ = sampler.fit_resample(flat, y)
    assert X_new.shape == (44, 240)
    assert isinstance(sampler.codec_, ImageCodec)
    shaped, _ = make_image_sampler().fit_resample(X, y)
    assert (X_new == shaped.reshape(44, -1)).all()
    frame = pd.DataFrame(flat, columns=[f"p{i}" for i in range(240)])
    framed, _ = make_image_sampler(codec=ImageCodec(image_shape=(3, 8, 10))).fit_resample(frame, y)
    assert (framed.to_numpy() == X_new).all()
    assert (framed.dtypes == np.uint8).all()
    csr, _ = make_image_sampler(codec=ImageCodec(image_shape=(3, 8, 10))).fit_resample(sparse.csr_matrix(flat), y)
    assert (csr.toarray() == X_new).all()


def test_net_auto_makes_offspring_and_asks_a_gan_of_single_rows_for_scores(images, table):
    for (X, y), row_filter, module in (
        (images, None, "Offspring"),
        (table, None, "Offspring"),
        (table, DiscriminatorFilter(), "MLPGAN"),
    ):
        sampler = GANOverSampler(max_steps=1, row_filter=row_filter, random_state=0)
        sampler.fit_resample(X, y)
        assert sampler.factory_.generators[0].net.module.__name__ == module


# Containers, order, dtypes


def test_lists_arrays_frames_and_sparse_give_the_same_rows(make_sampler, table):
    X, y = table
    reference, y_reference = make_sampler().fit_resample(X, y)
    frame = pd.DataFrame(X, columns=list("abcde"), index=np.arange(90)[::-1])
    results = {
        "again": make_sampler().fit_resample(X, y),
        "list": make_sampler().fit_resample(X.tolist(), y.tolist()),
        "frame": make_sampler().fit_resample(frame, pd.Series(y, name="target", index=frame.index)),
        "csr": make_sampler().fit_resample(sparse.csr_matrix(X), y),
        "csc": make_sampler().fit_resample(sparse.csc_array(X), y),
        "object": make_sampler().fit_resample(X.astype(object), y),
        "tensor": make_sampler().fit_resample(torch.tensor(X), y),
        "fortran": make_sampler().fit_resample(np.asfortranarray(X), y),
    }
    assert isinstance(results["list"][0], list)
    assert isinstance(results["frame"][0], pd.DataFrame)
    assert results["frame"][1].name == "target"
    assert results["frame"][0].index.tolist() == results["frame"][1].index.tolist() == list(range(180))
    assert isinstance(results["csr"][0], sparse.csr_matrix)
    assert isinstance(results["csc"][0], sparse.csc_array)
    assert results["object"][0].dtype == object
    for name, (X_new, y_new) in results.items():
        dense = X_new.toarray() if sparse.issparse(X_new) else np.asarray(X_new, dtype=float)
        np.testing.assert_allclose(dense, reference, rtol=1e-5, atol=1e-8, err_msg=name)
        assert (np.asarray(y_new) == y_reference).all()


def mixed_frame(n=60):
    rng = np.random.RandomState(1)
    return pd.DataFrame(
        {
            "x": rng.randn(n).astype(np.float32),
            "count": rng.randint(0, 9, n),
            "nullable": pd.array(rng.randint(0, 9, n), dtype="Int64"),
            "flag": rng.rand(n) < 0.3,
            "town": pd.array(rng.choice(["Ulm", "Köln"], n), dtype="str"),
            "size": pd.Categorical(rng.choice(["S", "L"], n), categories=["S", "M", "L"], ordered=True),
        },
        index=pd.date_range("2020-01-01", periods=n),
    )


def test_frames_keep_columns_order_dtypes_and_values(make_sampler):
    X, y = mixed_frame(), pd.Series(["yes"] * 45 + ["no"] * 15, dtype="category", name="answer")
    before = X.copy(deep=True)
    sampler = make_sampler()
    X_new, y_new = sampler.fit_resample(X, y)
    pd.testing.assert_frame_equal(X, before)
    pd.testing.assert_frame_equal(X_new[:60], X.reset_index(drop=True))
    assert (X_new.dtypes == X.dtypes).all()
    assert not X_new.isna().any().any()
    assert X_new["count"].between(X["count"].min(), X["count"].max()).all()
    assert set(X_new["town"]) <= {"Ulm", "Köln"}
    assert y_new.dtype == y.dtype
    assert counts_of(y_new) == {"no": 45, "yes": 45}
    assert sampler.feature_names_in_.tolist() == list(X.columns)
    assert list(sampler.get_feature_names_out()) == list(X.columns)


def test_originals_are_neither_moved_nor_changed(make_sampler, table):
    X, y = table
    X_before, y_before = X.copy(), y.copy()
    X_new, y_new = make_sampler().fit_resample(X, y)
    assert (X == X_before).all()
    assert (y == y_before).all()
    assert (X_new[:90] == X).all()
    assert (y_new[:90] == y).all()
    X_new[:] = 0
    assert (X == X_before).all()


@pytest.mark.parametrize("dtype", [np.float32, np.float16, np.int32, np.uint8, bool])
def test_arrays_keep_their_dtype(dtype, make_sampler):
    X = (np.random.RandomState(0).rand(40, 3) * (1.5 if dtype is bool else 50)).astype(dtype)
    X_new, y_new = make_sampler().fit_resample(X, np.repeat(np.array([3, 7], np.int16), [30, 10]))
    assert X_new.dtype == dtype
    assert y_new.dtype == np.int16
    assert X_new.min() >= X.min()
    assert X_new.max() <= X.max()


@pytest.mark.parametrize(
    "labels", [(3, 7), ("yes", "no"), (True, False), (-1.0, 1.0), (np.int8(5), np.int8(2))], ids=repr
)
def test_labels_of_any_type(labels, make_sampler, table):
    y = np.array([labels[0]] * 70 + [labels[1]] * 20)
    _, y_new = make_sampler().fit_resample(table[0], y)
    assert y_new.dtype == y.dtype
    assert set(counts_of(y_new).values()) == {70}


# Counts and strategies


@pytest.mark.parametrize(
    ("strategy", "expected"),
    [
        ("auto", {0: 60, 1: 60, 2: 60}),
        ("minority", {0: 60, 1: 20, 2: 60}),
        ("not minority", {0: 60, 1: 60, 2: 10}),
        ({1: 33, 2: 11}, {0: 60, 1: 33, 2: 11}),
        ({0: 60, 2: 10}, {0: 60, 1: 20, 2: 10}),
        (at_least(0.5), {0: 60, 1: 30, 2: 30}),
        (at_least(0.2), {0: 60, 1: 20, 2: 12}),
        (lambda y: {2: 300}, {0: 60, 1: 20, 2: 300}),
    ],
)
@pytest.mark.parametrize("per_class", [False, True])
def test_counts_are_exact(strategy, expected, per_class, make_sampler, table):
    X, y = table
    sampler = make_sampler(sampling_strategy=strategy, per_class=per_class)
    X_new, y_new = sampler.fit_resample(X, y)
    assert counts_of(y_new) == expected
    assert len(X_new) == len(y_new) == sum(expected.values())
    assert sum(sampler.sampling_strategy_.values()) == sampler.is_synthetic_.sum()
    assert not hasattr(sampler, "sample_indices_")


def test_nothing_is_trained_where_no_rows_are_wanted(make_sampler, table, monkeypatch):
    monkeypatch.setattr(GenerativeNet, "fit", lambda *a, **k: pytest.fail("trained"))
    X, y = table
    sampler = make_sampler(sampling_strategy={0: 60, 1: 20})
    X_new, y_new = sampler.fit_resample(X, y)
    assert (X_new == X).all()
    assert (y_new == y).all()
    assert sampler.training_history_.empty
    assert not sampler.is_synthetic_.any()
    with pytest.raises(NotFittedError, match="no generator for class 0"):
        sampler.sample({0: 1})


def test_every_training_is_one_call_of_fit(make_sampler, table, monkeypatch):
    calls = []
    fit = GenerativeNet.fit
    monkeypatch.setattr(GenerativeNet, "fit", lambda net, *a, **k: calls.append(len(a[0])) or fit(net, *a, **k))
    make_sampler().fit_resample(*table)
    assert calls == [90]
    calls.clear()
    fit_each = SideBySideNet.fit_each
    together = lambda net, Xs, seeds: calls.extend(map(len, Xs)) or fit_each(net, Xs, seeds)  # noqa: E731
    monkeypatch.setattr(SideBySideNet, "fit_each", together)
    make_sampler(per_class=True).fit_resample(*table)
    assert calls == [20, 10]


def test_rows_of_a_smaller_amount_are_the_first_rows_of_a_larger_one(make_sampler, table):
    X, y = table
    small, y_small = make_sampler(sampling_strategy={1: 50, 2: 40}).fit_resample(X, y)
    large, y_large = make_sampler(sampling_strategy={1: 400, 2: 300}).fit_resample(X, y)
    for klass in (1, 2):
        a, b = small[90:][y_small[90:] == klass], large[90:][y_large[90:] == klass]
        assert (a == b[: len(a)]).all()


# Randomness, quiet, state


def test_the_same_seed_gives_the_same_rows_and_none_differs(make_sampler, table):
    sampler = make_sampler()
    first, second = sampler.fit_resample(*table)[0], sampler.fit_resample(*table)[0]
    assert (first == second).all()
    assert not (make_sampler(random_state=1).fit_resample(*table)[0] == first).all()
    free = make_sampler(random_state=None)
    assert not (free.fit_resample(*table)[0] == free.fit_resample(*table)[0]).all()


@pytest.mark.parametrize("random_state", [0, None])
def test_global_streams_the_working_directory_and_the_terminal_stay_untouched(
    random_state, make_sampler, table, tmp_path, monkeypatch, capsys
):
    monkeypatch.chdir(tmp_path)
    numpy_before, torch_before = np.random.get_state(), torch.random.get_rng_state().clone()
    sampler = make_sampler(random_state=random_state)
    sampler.fit_resample(*table)
    sampler.sample({0: 3})
    after = np.random.get_state()
    assert (numpy_before[1] == after[1]).all()
    assert numpy_before[2:] == after[2:]
    assert torch.equal(torch_before, torch.random.get_rng_state())
    assert not list(tmp_path.iterdir())
    assert capsys.readouterr() == ("", "")


def test_the_result_does_not_depend_on_the_global_streams(make_sampler, table):
    reference, _ = make_sampler().fit_resample(*table)
    np.random.seed(1)
    torch.manual_seed(99)
    assert (make_sampler().fit_resample(*table)[0] == reference).all()


def test_verbose_reaches_the_net(make_sampler, table, capsys):
    make_sampler(verbose=1, max_steps=40).fit_resample(*table)
    assert "step 20/40" in capsys.readouterr().out


def test_history_tells_of_the_training(make_sampler, table):
    sampler = make_sampler(max_steps=40)
    sampler.fit_resample(*table)
    columns = ["step", "max_steps", "discriminator_loss", "generator_loss", "discriminator_accuracy", "seconds"]
    assert sampler.training_history_.columns.tolist() == columns
    assert sampler.training_history_["step"].tolist() == [20, 40]
    per_class = make_sampler(max_steps=40, per_class=True)
    per_class.fit_resample(*table)
    assert per_class.training_history_.columns.tolist() == ["class", *columns]
    assert per_class.training_history_["class"].tolist() == [1, 1, 2, 2]


def test_the_users_net_codec_and_filter_are_cloned(table):
    net = mlp_gan(alpha=1, max_steps=5)
    sampler = GANOverSampler(net=net, max_steps=7, device="cpu", random_state=0)
    sampler.fit_resample(*table)
    assert net.max_steps == 5
    assert net.device == "auto"
    assert not net.initialized_
    assert sampler.training_history_["step"].iloc[-1] == 7


# Sampling from the trained generator


@pytest.mark.parametrize("per_class", [False, True])
def test_sample_has_a_stream_of_its_own(per_class, make_sampler, table):
    X, y = table
    sampler = make_sampler(per_class=per_class)
    resampled, _ = sampler.fit_resample(X, y)
    first, labels = sampler.sample({1: 5, 2: 3})
    assert labels.tolist() == [1] * 5 + [2] * 3
    assert (sampler.sample({1: 5, 2: 3})[0] == first).all()
    assert (sampler.sample({1: 9})[0][:5] == first[:5]).all()
    assert not (sampler.sample({1: 5, 2: 3}, random_state=1)[0] == first).all()
    assert not (resampled[90:95] == first[:5]).all()


def test_sample_comes_in_the_users_container(make_sampler, table):
    X, y = mixed_frame(), pd.Series(["yes"] * 45 + ["no"] * 15, dtype="category", name="answer")
    sampler = make_sampler()
    sampler.fit_resample(X, y)
    rows, labels = sampler.sample({"no": 4, "yes": 2})
    assert (rows.dtypes == X.dtypes).all()
    assert labels.dtype == y.dtype
    assert labels.tolist() == ["no"] * 4 + ["yes"] * 2
    lists = make_sampler()
    lists.fit_resample(table[0].tolist(), table[1].tolist())
    rows, labels = lists.sample({2: 2})
    assert isinstance(rows, list)
    assert labels == [2, 2]
    assert sampler.sample({"no": 0})[0].shape == (0, 6)


def test_sample_before_training_and_with_wrong_counts_is_refused(make_sampler, table):
    sampler = make_sampler(per_class=True)
    with pytest.raises(NotFittedError, match="call fit_resample"):
        sampler.sample({0: 1})
    sampler.fit(*table)
    with pytest.raises(NotFittedError, match="call fit_resample"):
        sampler.sample({0: 1})
    sampler.fit_resample(*table)
    with pytest.raises(NotFittedError, match="no generator for class 0"):
        sampler.sample({0: 1})
    for counts, words in (({5: 1}, "5 is no class"), ({1: -1}, "at least 0"), ({1: 1.5}, "must be an integer")):
        with pytest.raises(ValueError, match=words):
            sampler.sample(counts)


# Tiny classes


@pytest.mark.parametrize("n", [2, 3, 5])
@pytest.mark.parametrize("per_class", [False, True])
def test_a_few_rows_are_enough(n, per_class, make_sampler, make_image_sampler):
    rng = np.random.RandomState(0)
    y = np.repeat([0, 1], [30, n])
    X_new, y_new = make_sampler(per_class=per_class).fit_resample(rng.randn(30 + n, 4), y)
    assert counts_of(y_new) == {0: 30, 1: 30}
    assert np.isfinite(X_new).all()
    _, y_new = make_image_sampler(per_class=per_class).fit_resample(rng.rand(30 + n, 8, 8), y)
    assert counts_of(y_new) == {0: 30, 1: 30}


@pytest.mark.parametrize("per_class", [False, True])
def test_a_class_of_one_row_gets_jittered_copies_and_a_warning(per_class, make_sampler, make_image_sampler):
    rng = np.random.RandomState(0)
    y = np.array(["many"] * 30 + ["few"] * 6 + ["one"])
    frame = pd.DataFrame({"x": rng.randn(37), "town": ["Ulm", "Bonn"] * 18 + ["Kiel"]})
    with pytest.warns(UserWarning, match="Class 'one' has a single row"):
        X_new, y_new = make_sampler(per_class=per_class).fit_resample(frame, y)
    assert counts_of(y_new) == {"few": 30, "many": 30, "one": 30}
    ones = X_new[y_new == "one"]
    assert set(ones["town"]) == {"Kiel"}
    assert ones["x"].nunique() > 10
    assert abs(ones["x"] - ones["x"].iloc[0]).max() < 0.5
    X = rng.randint(0, 256, (37, 8, 8), dtype=np.uint8)
    with pytest.warns(UserWarning, match="single row"):
        X_new, y_new = make_image_sampler(per_class=per_class).fit_resample(X, y)
    ones = X_new[y_new == "one"].astype(int)
    assert 0 < np.abs(ones - X[-1]).mean() < 12


def test_a_class_of_one_row_that_needs_nothing_is_no_error(make_sampler, table):
    X, y = table
    y = y.copy()
    y[0] = 9
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        _, y_new = make_sampler(sampling_strategy={1: 50}).fit_resample(X, y)
    assert counts_of(y_new)[9] == 1


def test_only_single_rows_wanted_trains_nothing(make_sampler):
    X, y = np.random.RandomState(0).randn(9, 2), np.repeat([0, 1], [8, 1])
    sampler = make_sampler()
    with pytest.warns(UserWarning, match="single row"):
        X_new, _ = sampler.fit_resample(X, y)
    assert sampler.training_history_.empty
    assert len(X_new) == 16
    assert sampler.sample({1: 3})[0].shape == (3, 2)


@pytest.mark.parametrize("per_class", [False, True])
@pytest.mark.parametrize("net", ["auto", "offspring"])
def test_classes_that_are_all_tiny_get_plain_copies_and_a_warning(net, per_class):
    for X in (np.random.RandomState(0).randn(7, 3), np.arange(7 * 36, dtype=np.uint8).reshape(7, 6, 6)):
        y = np.repeat([0, 1, 2], [4, 2, 1])
        sampler = GANOverSampler(net=net, per_class=per_class, random_state=0)
        with pytest.warns(UserWarning, match="The largest class has 4 rows") as caught:
            X_new, y_new = sampler.fit_resample(X, y)
        assert len(caught) == 1
        assert counts_of(y_new) == {0: 4, 1: 4, 2: 4}
        for row, label in zip(X_new, y_new, strict=True):
            assert np.abs(X[y == label] - row).reshape((y == label).sum(), -1).max(1).min() < 1e-5
        assert sampler.training_history_.empty
        assert sampler.sample({1: 3})[1].tolist() == [1, 1, 1]


def test_a_second_fit_forgets_the_single_rows_of_the_first(make_sampler):
    X, y = np.random.RandomState(0).randn(9, 2), np.repeat([0, 1], [8, 1])
    sampler = make_sampler()
    with pytest.warns(UserWarning, match="single row"):
        sampler.fit_resample(X, y)
    sampler.fit_resample(np.concatenate([X, X]), np.concatenate([y, 1 - y]))
    with pytest.raises(NotFittedError, match="no generator for class 1"):
        sampler.sample({1: 3})


# Filters, per class, divergence


class AtLeast(RowFilter):
    """Rows whose first value is at least a bound."""

    def __init__(self, bound):
        self.bound = bound

    def fit(self, X, y, net=None):
        self.fitted = (X.shape, y.shape, net is not None)
        return self

    def score_samples(self, X, y):
        return X[:, 0] - self.bound


def test_a_row_filter_keeps_what_scores_at_least_0(make_sampler, table):
    X, y = table
    plain = make_sampler(sampling_strategy={1: 320, 2: 110})
    encoded = plain.fit_resample(X, y) and plain.codec_.transform(plain.sample({1: 1000})[0])
    bound = float(np.median(encoded[:, 0]))
    sampler = make_sampler(sampling_strategy={1: 320, 2: 110}, row_filter=AtLeast(bound))
    filtered, y_new = sampler.fit_resample(X, y)
    assert counts_of(y_new) == {0: 60, 1: 320, 2: 110}
    assert sampler.row_filter_.fitted == ((90, 5), (90,), True)
    rows = sampler.codec_.transform(filtered[90:390])
    assert (rows[:, 0] >= bound - 1e-4).all()
    report = sampler.filter_report_.set_index("class")
    assert 0.3 < report.loc[1, "acceptance"] < 0.7
    assert report.loc[1, "copies"] == 0
    more, _ = make_sampler(sampling_strategy={1: 500, 2: 110}, row_filter=AtLeast(bound)).fit_resample(X, y)
    assert (more[90:390] == filtered[90:390]).all()


@pytest.mark.parametrize("per_class", [False, True])
def test_a_filter_that_accepts_nothing_leaves_plain_copies_and_says_so(per_class, make_sampler, table):
    X, y = table
    sampler = make_sampler(row_filter=AtLeast(1e9), per_class=per_class)
    with pytest.warns(UserWarning, match=r"too few rows of class 1 \(0% accepted\).*90 plain copies"):
        X_new, y_new = sampler.fit_resample(X, y)
    assert counts_of(y_new) == {0: 60, 1: 60, 2: 60}
    assert sampler.filter_report_["copies"].tolist() == [40, 50]
    for row, label in zip(X_new[90:], y_new[90:], strict=True):
        assert np.abs(X[y == label] - row).max(1).min() < 1e-3


def test_nets_per_class_may_differ_and_train_in_processes(make_sampler, table):
    X, y = table
    net = {1: mlp_gan(alpha=1, max_steps=20), 2: mlp_gan(alpha=1, max_steps=40, batch_size=8)}
    serial = make_sampler(net=net, per_class=True)
    a, _ = serial.fit_resample(X, y)
    assert serial.training_history_.groupby("class")["step"].max().to_dict() == {1: 20, 2: 40}
    b, _ = make_sampler(net=net, per_class=True, n_jobs=2).fit_resample(X, y)
    np.testing.assert_allclose(a, b, rtol=1e-3, atol=1e-3)


class NaNNet(AdversarialNet):
    def generator_loss(self, real, y):
        loss, told = super().generator_loss(real, y)
        return loss * float("nan"), told


def test_a_diverging_training_warns_and_hands_out_finite_rows_in_range(table):
    X, y = table
    sampler = GANOverSampler(net=NaNNet(mlp_gan().module, module__alpha=1, max_steps=60), random_state=0)
    with pytest.warns(UserWarning, match="diverged"):
        X_new, _ = sampler.fit_resample(X, y)
    assert np.isfinite(X_new).all()
    assert (X_new.max(0) <= X.max(0)).all()


class NaNSamples(AdversarialNet):
    def draw(self, y, source=None):
        drawn = super().draw(y)
        drawn.rows[::2, 0] = np.nan
        return drawn


def test_rows_that_are_not_finite_never_reach_the_user(table):
    sampler = GANOverSampler(net=NaNSamples(mlp_gan().module, module__alpha=1, max_steps=5), random_state=0)
    with pytest.warns(UserWarning, match="128 of 256 rows of class [12] with values that are not finite"):
        X_new, _ = sampler.fit_resample(*table)
    assert np.isfinite(X_new).all()


# Pickles


@pytest.mark.parametrize("per_class", [False, True])
def test_fitted_samplers_pickle_copy_and_go_through_joblib(per_class, make_sampler, table, tmp_path):
    sampler = make_sampler(per_class=per_class)
    sampler.fit_resample(*table)
    rows, _ = sampler.sample({1: 4})
    joblib.dump(sampler, tmp_path / "sampler.joblib")
    for twin in (
        pickle.loads(pickle.dumps(sampler)),
        copy.deepcopy(sampler),
        joblib.load(tmp_path / "sampler.joblib"),
    ):
        assert (twin.sample({1: 4})[0] == rows).all()
        assert (twin.training_history_ == sampler.training_history_).all().all()
    state = pickle.dumps(sampler)
    assert b"exp_avg" not in state  # no optimiser state
    assert clone(sampler).get_params()["per_class"] == per_class


def test_modules_defined_in_main_work_in_two_processes(tmp_path):
    script = tmp_path / "script.py"
    script.write_text(
        textwrap.dedent(
            """
            import joblib, numpy as np
            from imblearn.pipeline import make_pipeline
            from sklearn.linear_model import LogisticRegression
            from sklearn.model_selection import GridSearchCV, cross_validate
            from skgan import GANOverSampler
            from skgan.modules import MLPGAN
            from skgan.nets import AdversarialNet

            class MyGAN(MLPGAN):
                pass

            class MyNet(AdversarialNet):
                pass

            if __name__ == "__main__":
                rng = np.random.RandomState(0)
                X, y = rng.randn(60, 3), np.repeat([0, 1], [45, 15])
                sampler = GANOverSampler(net=MyNet(MyGAN, module__alpha=1, max_steps=5), random_state=0)
                pipeline = make_pipeline(sampler, LogisticRegression())
                grid = {"ganoversampler__net__module__latent_dim": [3, 4]}
                search = GridSearchCV(pipeline, grid, n_jobs=2, cv=2, error_score="raise").fit(X, y)
                result = cross_validate(pipeline, X, y, n_jobs=2, cv=2, return_estimator=True, error_score="raise")
                for estimator in result["estimator"]:
                    assert estimator[0].sample({1: 2})[0].shape == (2, 3)
                per_class = GANOverSampler(net=sampler.net, per_class=True, n_jobs=2, random_state=0,
                                           sampling_strategy={0: 50, 1: 50})
                assert per_class.fit_resample(X, y)[0].shape == (100, 3)
                joblib.dump(search, "search.joblib")
                assert joblib.load("search.joblib").predict(X).shape == (60,)
                print("fine")
            """
        )
    )
    done = subprocess.run(
        [sys.executable, script], cwd=tmp_path, capture_output=True, text=True, timeout=300, check=False
    )
    assert done.stdout == "fine\n", done.stderr


# Any input


@settings(max_examples=15, deadline=None)
@given(
    counts=st.lists(st.integers(2, 12), min_size=2, max_size=4),
    n_columns=st.integers(1, 4),
    kind=st.sampled_from(["float", "int", "constant", "tiny", "frame"]),
    seed=st.integers(0, 99),
    per_class=st.booleans(),
)
def test_any_table_is_balanced_within_its_range(counts, n_columns, kind, seed, per_class):
    rng = np.random.RandomState(seed)
    y = rng.permutation(np.repeat(np.arange(len(counts)), counts))
    X = {
        "float": rng.standard_cauchy((len(y), n_columns)),
        "int": rng.randint(-9, 9, (len(y), n_columns)),
        "constant": np.full((len(y), n_columns), 3.5),
        "tiny": rng.randn(len(y), n_columns) * 1e-12,
        "frame": pd.DataFrame(rng.choice(["a", "b", "c"], (len(y), n_columns)), columns=list("wxyz")[:n_columns]),
    }[kind]
    sampler = GANOverSampler(net=mlp_gan(alpha=1, max_steps=3), per_class=per_class, random_state=seed)
    X_new, y_new = sampler.fit_resample(X, y)
    assert set(counts_of(y_new).values()) == {max(counts)}
    if kind == "frame":
        assert X_new.isin(["a", "b", "c"]).all().all()
        assert X_new[: len(y)].equals(X)
        return
    assert X_new.dtype == X.dtype
    assert (X_new[: len(y)] == X).all()
    assert (X_new.max(0) <= X.max(0)).all()
    assert (X_new.min(0) >= X.min(0)).all()


def test_dcgan_and_mlp_presets_run_by_name(images, table):
    for net, (X, y) in (("dcgan", images), ("mlp_gan", images), ("mlp_gan", table)):
        X_new, _ = GANOverSampler(net=net, max_steps=2, random_state=0).fit_resample(X, y)
        assert len(X_new) > len(X)


def test_several_labels_a_row_by_the_label_powerset():
    """As the sentence says with which an array of several columns is refused."""
    indicators = np.array([[1, 1, 0]] * 10 + [[0, 1, 0]] * 10 + [[0, 0, 0]] * 5)
    sets, classes = np.unique(indicators, axis=0, return_inverse=True)
    X = np.random.RandomState(0).normal(size=(25, 3))
    _, resampled = GANOverSampler(max_steps=1, random_state=0).fit_resample(X, classes)
    labels = sets[resampled]
    np.testing.assert_array_equal(labels[:25], indicators)
    assert labels.shape == (30, 3)
