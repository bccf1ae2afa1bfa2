"""Nets of single classes that a sampler trains side by side."""

import numpy as np
import pytest
from sklearn.base import clone

from skgan import GANOverSampler
from skgan.presets import mlp_gan, vae
from skgan.samplers import _training


@pytest.fixture
def rows():
    rng = np.random.RandomState(0)
    y = np.repeat([0, 1, 2, 3], [60, 30, 20, 12])
    return rng.standard_normal((len(y), 5)) + y[:, None], y


@pytest.fixture
def trained(monkeypatch):
    """How many nets each training had."""
    sizes = []
    exports_of = _training.exports_of
    monkeypatch.setattr(_training, "exports_of", lambda jobs, *kept: sizes.append(len(jobs)) or exports_of(jobs, *kept))
    return sizes


SAMPLER = GANOverSampler(net=mlp_gan(alpha=2, max_steps=15), per_class=True, random_state=0)


def test_as_one_by_one(rows, trained, monkeypatch):
    together, one_by_one = clone(SAMPLER), clone(SAMPLER)
    X, y = together.fit_resample(*rows)
    monkeypatch.setattr(_training, "goes_side_by_side", lambda net: False)
    X_alone, y_alone = one_by_one.fit_resample(*rows)
    assert trained == [3, 1, 1, 1]
    np.testing.assert_array_equal(y, y_alone)
    np.testing.assert_allclose(X, X_alone, atol=1e-3)
    history, alone = (sampler.training_history_.drop(columns="seconds") for sampler in (together, one_by_one))
    assert history.columns.tolist() == alone.columns.tolist()
    np.testing.assert_allclose(history, alone, atol=1e-4)


def test_nets_of_other_parameters_are_trained_apart(rows, trained):
    nets = {1: mlp_gan(alpha=1, max_steps=4), 2: mlp_gan(alpha=1, max_steps=4), 3: vae(max_steps=4)}
    clone(SAMPLER).set_params(net=nets).fit_resample(*rows)
    assert trained == [2, 1]


def test_many_are_trained_in_groups(rows, trained, monkeypatch):
    monkeypatch.setattr(_training, "SIDE_BY_SIDE", 2)
    clone(SAMPLER).fit_resample(*rows)
    assert trained == [2, 1]


def test_only_what_is_missing_is_trained(rows, trained, tmp_path):
    sampler = clone(SAMPLER).set_params(memory=str(tmp_path))
    first = sampler.set_params(sampling_strategy={2: 40, 3: 40}).fit_resample(*rows)
    sampler.set_params(sampling_strategy="auto").fit_resample(*rows)
    again = sampler.set_params(sampling_strategy={2: 40, 3: 40}).fit_resample(*rows)
    assert trained == [2, 1]
    np.testing.assert_array_equal(first[0], again[0])


def test_a_damaged_entry_is_trained_again(rows, trained, tmp_path):
    sampler = clone(SAMPLER).set_params(memory=str(tmp_path))
    sampler.fit_resample(*rows)
    next(tmp_path.rglob("*.safetensors")).write_bytes(b"no weights")
    with pytest.warns(UserWarning, match="cannot be read"):
        sampler.fit_resample(*rows)
    assert trained == [3, 1]


def test_where_one_diverges_each_is_trained_and_warned_of_alone(rows, trained):
    sampler = clone(SAMPLER).set_params(net=mlp_gan(alpha=1, max_steps=40, lr=1e12))
    with pytest.warns(UserWarning, match="Training diverged"):
        X, _ = sampler.fit_resample(*rows)
    assert np.isfinite(X).all()
    assert sampler.training_history_["class"].nunique() == 3
