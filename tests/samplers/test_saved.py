"""``save`` and ``skgan.load``: the same rows, and nothing that a file could run."""

import json
import os
import pickle
import re
import sys
from decimal import Decimal
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
import torch
from freeze import FROZEN, frozen_rows
from golden_cases import SITUATIONS
from scipy import sparse
from sklearn.exceptions import NotFittedError
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeClassifier

import skgan
from skgan import ConditionalGANAugmenter, DomainOverSampler, GANOverSampler, _stored, at_least, halfway
from skgan.callbacks import Anneal
from skgan.codecs import ImageCodec
from skgan.filters import AllOf, ClassifierFilter, DiscriminatorFilter, NeighbourFilter
from skgan.modules import MLPGAN
from skgan.presets import cyclegan, dcgan, mlp_gan, offspring, vae
from skgan.samplers import BaseGenerativeSampler


def mixed(n=60):
    rng = np.random.RandomState(0)
    frame = pd.DataFrame(
        {
            "number": rng.standard_normal(n),
            "skew": rng.gamma(2.0, size=n).astype(np.float32),
            "category": pd.Categorical(rng.choice(list("xyz"), n), ordered=True),
            "text": rng.choice(["u", "v"], n),
            "decimal": pd.array(
                [Decimal(f"{cents}.25") for cents in rng.randint(0, 50, n)], dtype=pd.ArrowDtype(pa.decimal128(10, 2))
            ),
            "nullable": pd.array(rng.randint(0, 5, n), dtype="Int64"),
            "flag": rng.rand(n) > 0.5,
            "objects": [Decimal(int(i)) / 4 for i in rng.randint(0, 20, n)],
            "many": rng.choice([f"shop {i}" for i in range(200)], n),
        }
    )
    frame.loc[3, "number"] = np.nan
    return frame, pd.Series(np.repeat(["p", "q"], [n - 15, 15]), name="target", dtype="category")


def numbers():
    X = np.random.RandomState(0).standard_normal((60, 3))
    return X, np.repeat([0, 1], [45, 15])


def photographs():
    rng = np.random.RandomState(0)
    return rng.randint(0, 256, (30, 16, 16, 3), dtype=np.uint8), ["a"] * 20 + ["b"] * 10


def continuous():
    X, _ = numbers()
    return X, X[:, 0]


def few(**params):
    return {"random_state": 0, "max_steps": 5, **params}


CASES = {
    "the default on a table": (GANOverSampler(**few()), mixed, {"q": 300}),
    "the default on numbers": (GANOverSampler(**few(sampling_strategy=at_least(0.5))), numbers, {1: 300, 0: 0}),
    "lists": (
        GANOverSampler(**few(sampling_strategy=halfway)),
        lambda: tuple(map(np.ndarray.tolist, numbers())),
        {1: 9},
    ),
    "sparse": (GANOverSampler(**few()), lambda: (sparse.csr_matrix(numbers()[0].clip(0)), numbers()[1]), {1: 9}),
    "images": (GANOverSampler(**few()), photographs, {"b": 20}),
    "images of a codec": (
        GANOverSampler(net=dcgan(module__width=4), codec=ImageCodec(channels="last"), **few()),
        photographs,
        {"b": 20},
    ),
    "per class, scheduled": (
        GANOverSampler(net=mlp_gan(alpha=1, callbacks=[Anneal("lr", (1e-3, 1e-4))]), per_class=True, **few()),
        mixed,
        {"q": 9},
    ),
    "conditional": (ConditionalGANAugmenter(0.5, **few()), mixed, {"p": 9, "q": 300}),
    "conditional images": (ConditionalGANAugmenter({"b": 1.0}, **few()), photographs, {"b": 20}),
    "continuous": (ConditionalGANAugmenter(0.5, **few()), continuous, 30),
    "vae": (GANOverSampler(net=vae(sampling="posterior"), **few()), numbers, {1: 9}),
    "cyclegan": (GANOverSampler(net=cyclegan(donor=0), **few()), numbers, {1: 9}),
    "filtered": (
        GANOverSampler(
            net=mlp_gan(alpha=1),
            row_filter=AllOf([ClassifierFilter(), DiscriminatorFilter(), NeighbourFilter()]),
            **few(),
        ),
        numbers,
        {1: 30},
    ),
    "a path and a stream": (
        GANOverSampler(**{**few(), "random_state": np.random.RandomState(3), "memory": Path("unused")}),
        numbers,
        {1: 9},
    ),
}


def same(one, other):
    for a, b in zip(one, other, strict=True):
        assert type(a) is type(b)
        if isinstance(a, pd.DataFrame):
            pd.testing.assert_frame_equal(a, b, check_exact=True)
        elif isinstance(a, pd.Series):
            pd.testing.assert_series_equal(a, b, check_exact=True)
        elif sparse.issparse(a):
            np.testing.assert_array_equal(a.toarray(), b.toarray())
        else:
            np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("name", CASES)
@pytest.mark.filterwarnings("ignore::UserWarning")
def test_a_sampler_that_is_loaded_makes_the_same_rows(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    sampler, data, counts = CASES[name]
    X, y = data()
    made = sampler.fit_resample(X, y)
    path = tmp_path / "sampler.safetensors"
    sampler.save(path)
    loaded = skgan.load(path)
    same(sampler.sample(counts), loaded.sample(counts))
    same(sampler.sample(counts, random_state=1), loaded.sample(counts, random_state=1))
    assert type(loaded) is type(sampler)
    for attribute in ("is_synthetic_", "origin_", "parent_indices_"):
        np.testing.assert_array_equal(vars(loaded)[attribute], vars(sampler)[attribute])
    assert loaded.training_history_.equals(sampler.training_history_)
    loaded.save(path)
    same(skgan.load(path).sample(counts), sampler.sample(counts))
    if not isinstance(sampler.random_state, np.random.RandomState):
        assert re.sub(" at 0x[0-9a-f]+", "", repr(loaded)) == re.sub(" at 0x[0-9a-f]+", "", repr(sampler))
        same(loaded.fit_resample(X, y), made)


def test_domains(tmp_path):
    X, y = numbers()
    sampler = DomainOverSampler(**few(net=offspring())).fit(X, y, domain=np.tile(["m", "n", "n"], 20))
    sampler.fit_resample(X, y, domain=np.tile(["m", "n", "n"], 20))
    sampler.save(tmp_path / "file")
    same(skgan.load(tmp_path / "file").sample({"m": 9}), sampler.sample({"m": 9}))


@pytest.fixture
def saved(tmp_path):
    sampler = GANOverSampler(net=mlp_gan(alpha=1), **few())
    sampler.fit_resample(*numbers())
    sampler.save(tmp_path / "file")
    return tmp_path / "file"


def test_what_is_not_fitted_is_not_saved(tmp_path):
    with pytest.raises(NotFittedError, match="call fit_resample"):
        GANOverSampler().save(tmp_path / "file")
    assert not list(tmp_path.iterdir())


def test_what_has_no_place_in_a_file_is_named(tmp_path):
    tree = ClassifierFilter(make_pipeline(StandardScaler(), DecisionTreeClassifier()))
    sampler = GANOverSampler(net=mlp_gan(alpha=1), row_filter=tree, **few())
    sampler.fit_resample(*numbers())
    with pytest.raises(TypeError, match=r"cannot be saved: .*row_filter.*Tree.*joblib.dump"):
        sampler.save(tmp_path / "file")
    sampler = ConditionalGANAugmenter(0.5, labeler=lambda c: (c > 0).astype(int), **few())
    X, _ = numbers()
    sampler.fit_resample(X, (X[:, 0] > 0).astype(int), condition=X[:, 0])
    with pytest.raises(TypeError, match=r"labeler is a builtins.function"):
        sampler.save(tmp_path / "file")
    assert not list(tmp_path.iterdir())


@pytest.mark.skipif(os.name != "posix", reason="modes of files are POSIX's")
def test_the_file_is_the_users_own(saved):
    assert saved.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("share", [0.0, 0.3, 0.99])
def test_a_damaged_file_is_refused(saved, share):
    content = saved.read_bytes()
    saved.write_bytes(content[: int(share * len(content))])
    with pytest.raises(ValueError, match="is damaged"):
        skgan.load(saved)


def test_a_pickle_and_an_entry_of_a_cache_are_refused(saved, tmp_path):
    (tmp_path / "pickle").write_bytes(pickle.dumps([1]))
    with pytest.raises(ValueError, match="is no sampler"):
        skgan.load(tmp_path / "pickle")
    GANOverSampler(net=mlp_gan(alpha=1), memory=tmp_path / "cache", **few()).fit_resample(*numbers())
    (entry,) = (tmp_path / "cache").rglob("*.safetensors")
    with pytest.raises(ValueError, match="an entry of memory="):
        skgan.load(entry)
    with pytest.raises(FileNotFoundError):
        skgan.load(tmp_path / "nothing")


def changed(path, change):
    """The file with other text in it, as somebody could write it."""
    told, arrays, facts = _stored.read(path)
    text = json.dumps([told, facts])
    assert change(text) != text
    told, facts = json.loads(change(text))
    _stored.write(path, told, arrays, facts)


@pytest.mark.parametrize("fact", ['"skgan": "', '"format": '])
def test_a_file_of_another_version_is_refused(saved, fact):
    changed(saved, lambda text: text.replace(fact, fact + ("0." if "skgan" in fact else "9")))
    with pytest.raises(ValueError, match=r"was written by skgan .* fit the sampler again"):
        skgan.load(saved)


class Mine(MLPGAN):
    """A module of the user's."""


def test_a_class_is_never_imported_because_of_a_file(tmp_path, monkeypatch):
    sampler = GANOverSampler(net=mlp_gan(module=Mine, alpha=1), **few())
    sampler.fit_resample(*numbers())
    sampler.save(tmp_path / "file")
    same(skgan.load(tmp_path / "file").sample({1: 9}), sampler.sample({1: 9}))
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "elsewhere.py").write_text("raise SystemExit('it was imported')")
    changed(tmp_path / "file", lambda text: text.replace(f"{__name__}:Mine", "elsewhere:Mine"))
    with pytest.raises(ValueError, match=r"needs the class Mine of the module elsewhere, which is not imported"):
        skgan.load(tmp_path / "file")
    assert "elsewhere" not in sys.modules


@pytest.mark.parametrize(
    "name",
    ["subprocess:Popen", "tempfile:_TemporaryFileCloser", "joblib.memory:Memory", "builtins:eval", "builtins:type"],
)
def test_classes_that_no_sampler_has_in_it_are_refused(saved, name):
    """As an object and as a value: neither is a class, whatever the process has imported."""
    import subprocess
    import tempfile

    assert subprocess.Popen
    assert tempfile.mkdtemp
    for inside in ("skgan.samplers._containers:Container", "skgan.modules.mlp:MLPGAN"):
        content = saved.read_bytes()
        changed(saved, lambda text, inside=inside: text.replace(inside, name))
        with pytest.raises(ValueError, match=r"is refused|is not imported"):
            skgan.load(saved)
        saved.write_bytes(content)


def test_arrays_that_are_shared_are_there_once(saved):
    with torch.no_grad():
        told, arrays, _ = _stored.read(saved)
    sizes = [array.nbytes for array in arrays.values()]
    assert sum(size == max(sizes) for size in sizes) == 1
    assert set(told) == {"root", "objects"}


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_all_golden_rows_are_the_same_from_loaded_samplers(tmp_path, monkeypatch):
    resampled, n_saved = BaseGenerativeSampler._resampled, []

    def saved_and_loaded(self, *args, **kwargs):
        result = resampled(self, *args, **kwargs)
        self.save(tmp_path / "file")
        vars(self).update(vars(skgan.load(tmp_path / "file")))
        n_saved.append(1)
        return result

    monkeypatch.setattr(BaseGenerativeSampler, "_resampled", saved_and_loaded)
    made, golden = frozen_rows(list(SITUATIONS)), np.load(FROZEN)
    assert n_saved
    assert set(made) == set(golden)
    for key, rows in made.items():
        np.testing.assert_array_equal(rows, golden[key], err_msg=key)
