"""Frames of polars in and out: names, dtypes, and the rows that were there."""

import pickle
import subprocess
import sys

import numpy as np
import pandas as pd
import polars as pl
import pytest
from imblearn.over_sampling import SMOTE, RandomOverSampler
from imblearn.pipeline import make_pipeline
from polars.testing import assert_frame_equal, assert_series_equal
from sklearn.base import clone
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression

import skgan
from skgan import (
    ConditionalGANAugmenter,
    DomainOverSampler,
    GANOverSampler,
    ImbalancedClassifierCV,
    OverSamplerCV,
    RecursiveAugmenter,
    compare,
)
from skgan.presets import cyclegan, mlp_gan

N = 60
STEPS = {"max_steps": 3, "random_state": 0}


def cycled(values, dtype=None):
    return pl.Series([values[i % len(values)] for i in range(N)], dtype=dtype)


@pytest.fixture
def X():
    rng = np.random.RandomState(0)
    return pl.DataFrame(
        {
            "f64": rng.normal(size=N),
            "f32": rng.normal(size=N).astype(np.float32),
            "i64": rng.randint(0, 9, N),
            "i8": rng.randint(0, 5, N).astype(np.int8),
            "u16": rng.randint(0, 500, N).astype(np.uint16),
            "whole or missing": cycled([1, 2, None, 4]),
            "NaN": cycled([0.5, float("nan"), 2.5, None]),
            "decimal": cycled(["1.50", "2.25"]).cast(pl.Decimal(10, 2)),
            "text": cycled(["a", "b", "c"]),
            "text or missing": cycled(["a", None, "c"]),
            "yes": cycled([True, False]),
            "yes or missing": cycled([True, None, False]),
            "categories": cycled(["u", "v"], pl.Categorical),
            "enum": cycled(["low", None, "high"], pl.Enum(["low", "middle", "high"])),
        }
    )


@pytest.fixture
def y():
    return pl.Series("label", ["no"] * 45 + ["yes"] * 15)


def test_a_frame_comes_back_with_its_names_dtypes_and_rows(X, y):
    sampler = GANOverSampler(**STEPS)
    X_before, y_before = X.clone(), y.clone()
    X_new, y_new = sampler.fit_resample(X, y)
    assert (X_new.schema, y_new.dtype, y_new.name) == (X.schema, pl.String, "label")
    assert_frame_equal(X_new[:N], X)
    assert_frame_equal(X, X_before)
    assert_series_equal(y_new[:N], y)
    assert_series_equal(y, y_before)
    assert y_new[N:].to_list() == ["yes"] * 30
    assert sampler.feature_names_in_.tolist() == X.columns
    assert (sampler.origin_ == "real").sum() == N
    new = X_new[N:]
    assert new["i64"].is_between(X["i64"].min(), X["i64"].max()).all()
    assert set(new["whole or missing"].unique()) <= {1, 2, 3, 4, None}
    for name in ("text or missing", "yes or missing", "enum"):
        assert set(new[name].unique()) <= set(X[name].unique())
    assert 0 < new["NaN"].null_count() < 30
    copies = np.flatnonzero(sampler.origin_ == "copy")
    parents = sampler.parent_indices_[copies, 0]
    assert_frame_equal(X_new[copies], X.with_columns(pl.col("NaN").fill_nan(None))[parents])


def test_the_rows_are_those_of_the_same_frame_in_pandas(X, y):
    X = X.select("f64", "i64", "text", "categories")
    X_new, y_new = GANOverSampler(**STEPS).fit_resample(X, y)
    in_pandas, labels = GANOverSampler(**STEPS).fit_resample(X.to_pandas(), y.to_pandas())
    pd.testing.assert_frame_equal(X_new.to_pandas(), in_pandas, check_dtype=False, check_categorical=False)
    assert y_new.to_list() == labels.tolist()


@pytest.mark.parametrize(
    "labels",
    [
        cycled([0, 0, 0, 1]).cast(pl.Int8),
        cycled([True, True, True, False]),
        cycled(["a", "a", "b"], pl.Categorical),
        cycled(["a", "a", "b"], pl.Enum(["a", "b"])),
        pl.DataFrame({"outcome": cycled(["a", "a", "b"])}),
        pl.DataFrame({"first": cycled([1, 1, 0]), "second": cycled([0, 0, 1])}),
    ],
    ids=["int8", "bool", "categories", "enum", "one column", "one-hot"],
)
def test_labels_of_every_dtype(X, labels):
    _, y_new = GANOverSampler(**STEPS).fit_resample(X.select("f64", "i64"), labels)
    assert type(y_new) is type(labels)
    assert len(y_new) > N
    equal = assert_frame_equal if isinstance(labels, pl.DataFrame) else assert_series_equal
    equal(y_new[:N], labels)


def test_x_and_y_may_be_of_different_libraries(X, y):
    X_new, y_new = GANOverSampler(**STEPS).fit_resample(X.select("f64", "i64"), y.to_list())
    assert isinstance(X_new, pl.DataFrame)
    assert isinstance(y_new, list)
    X_new, y_new = GANOverSampler(**STEPS).fit_resample(X.select("f64", "i64").to_numpy(), y)
    assert isinstance(X_new, np.ndarray)
    assert isinstance(y_new, pl.Series)


def test_everything_that_makes_rows_after_a_fit(X, y, tmp_path):
    sampler = GANOverSampler(net=mlp_gan(), shares={"net": 1, "copy": 1}, **STEPS)
    sampler.fit_resample(X, y)
    rows, labels = sampler.sample({"yes": 5})
    assert (rows.schema, labels.to_list()) == (X.schema, ["yes"] * 5)
    pieces = list(sampler.sample_iter({"yes": 5}, batch=3))
    assert_frame_equal(pl.concat([piece for piece, _ in pieces]), rows)
    assert_frame_equal(pickle.loads(pickle.dumps(sampler)).sample({"yes": 5})[0], rows)
    sampler.save(tmp_path / "sampler.safetensors")
    assert_frame_equal(skgan.load(tmp_path / "sampler.safetensors").sample({"yes": 5})[0], rows)
    assert sampler.estimate(X, y).seconds > 0
    assert clone(sampler).fit(X, y).sampling_strategy_ == {"yes": 30}
    assert len(clone(sampler).train(X, y).make({"yes": 2}).y) == 2
    turned = GANOverSampler(net=cyclegan(), shares={"net": 1}, **STEPS)
    numbers = X.select("f64", "f32")
    turned.fit_resample(numbers, y)
    assert turned.translate(numbers[:4], "yes").schema == numbers.schema
    whole, _, parents = sampler_with_parents(X, y)
    assert whole.schema == parents.schema == X.schema


def sampler_with_parents(X, y):
    sampler = GANOverSampler(**STEPS)
    sampler.fit_resample(X, y)
    return sampler.sample_with_parents({"yes": 3}, offspring_only=True)


def test_the_other_samplers(X, y):
    X = X.select("f64", "i64")
    for sampler, labels in (
        (ConditionalGANAugmenter(0.5, **STEPS), y),
        (ConditionalGANAugmenter(0.5, keep_real=False, net="mlp_gan", **STEPS), y),
        (ConditionalGANAugmenter(0.5, **STEPS), pl.Series("dose", np.linspace(0, 1, N))),
        (ConditionalGANAugmenter(0.5, **STEPS), pl.DataFrame({"a": np.linspace(0, 1, N), "b": np.linspace(2, 1, N)})),
        (RecursiveAugmenter(ConditionalGANAugmenter(**STEPS), n_rounds=2, growth=0.2, random_state=0), y),
    ):
        X_new, y_new = sampler.fit_resample(X, labels)
        assert X_new.schema == X.schema
        assert len(X_new) == len(y_new)
        if isinstance(labels, pl.DataFrame):
            assert y_new.schema == labels.schema
        else:
            assert (y_new.dtype, y_new.name) == (labels.dtype, labels.name)
    X_new, _ = DomainOverSampler(**STEPS).fit_resample(X, y, domain=cycled(["p", "p", "q"]))
    assert X_new.schema == X.schema


def test_in_a_pipeline(X, y):
    model = make_pipeline(GANOverSampler(**STEPS), LogisticRegression())
    assert set(model.fit(X.select("f64", "i64"), y).predict(X.select("f64", "i64"))) <= {"no", "yes"}


@pytest.mark.parametrize("sampler", [None, RandomOverSampler(random_state=0), SMOTE(), GANOverSampler(**STEPS)])
def test_a_choice_gives_back_polars(X, y, sampler):
    numbers = X.select("f64", "f32", "i64", "i8", "u16")
    choice = OverSamplerCV([sampler], random_state=0)
    X_new, y_new = choice.fit_resample(numbers, y)
    assert (X_new.schema, y_new.dtype, y_new.name) == (numbers.schema, pl.String, "label")
    assert_frame_equal(X_new[:N], numbers)
    assert_series_equal(y_new[:N], y)
    in_pandas, _ = choice.fit_resample(numbers.to_pandas(), y.to_pandas())
    pd.testing.assert_frame_equal(X_new.to_pandas(), in_pandas)


@pytest.fixture
def both_kinds(X, y):
    given = X.select("f64", "i64", "whole or missing", "yes", "categories")
    return (given, y), (given.to_pandas(), y.to_pandas())


def boosting():
    return HistGradientBoostingClassifier(max_iter=5)


def test_a_choice_of_a_classifier_is_that_of_pandas(both_kinds):
    said = []
    for rows, labels in both_kinds:
        model = ImbalancedClassifierCV(boosting(), [None, RandomOverSampler()], random_state=0).fit(rows, labels)
        said.append([model.predict_proba(rows), model.predict(rows)])
    np.testing.assert_array_equal(said[0][0], said[1][0])
    np.testing.assert_array_equal(said[0][1], said[1][1])


def test_a_comparison_is_that_of_pandas(both_kinds):
    tables = [
        compare([RandomOverSampler()], boosting(), rows, labels, cv=2, random_state=0).table
        for rows, labels in both_kinds
    ]
    pd.testing.assert_frame_equal(*(table.drop(columns="seconds") for table in tables))


def test_what_is_not_taken_is_refused_in_a_sentence(X, y, tmp_path):
    with pytest.raises(TypeError, match=r"X is a polars LazyFrame.*LazyFrame: \.collect\(\)"):
        GANOverSampler().fit_resample(X.lazy(), y)
    with pytest.raises(TypeError, match="X is a polars Series"):
        GANOverSampler().fit_resample(X["f64"], y)
    with pytest.raises(TypeError, match="X is a polars Series"):
        OverSamplerCV().fit_resample(X["f64"], y)
    with pytest.raises(ValueError, match="out= writes arrays of numbers, and X is a DataFrame"):
        GANOverSampler().fit_resample(X, y, out=tmp_path / "new")
    with pytest.raises(ValueError, match="Column 'day' holds dates"):
        GANOverSampler().fit_resample(X.select(day=pl.date(2020, 1, 1), a="f64"), y)
    with pytest.raises(ValueError, match="'list'"):
        GANOverSampler().fit_resample(X.select("f64", list=pl.concat_list("f64", "f32")), y)
    with pytest.raises(ValueError, match="Input y contains NaN"):
        GANOverSampler().fit_resample(X, cycled(["a", "b", None]))


def test_without_pyarrow_the_sentence_names_it(X, y, monkeypatch):
    def missing(*arguments, **options):
        raise ModuleNotFoundError("No module named 'pyarrow'")

    monkeypatch.setattr(pl.DataFrame, "to_pandas", missing)
    with pytest.raises(ImportError, match="pip install pyarrow"):
        GANOverSampler().fit_resample(X, y)
    monkeypatch.setattr(pl.Series, "to_pandas", missing)
    with pytest.raises(ImportError, match="pip install pyarrow"):
        GANOverSampler().fit_resample(X.to_numpy(), y)


def test_polars_is_imported_for_frames_of_polars_alone():
    code = (
        "import sys; import numpy as np; from skgan import GANOverSampler; "
        "GANOverSampler(max_steps=1, random_state=0).fit_resample(np.eye(20), np.arange(20) > 5); "
        "assert 'polars' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
