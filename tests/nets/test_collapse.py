"""A GAN whose new rows are all alike says so."""

import warnings

import numpy as np
import pytest

from skgan.exceptions import CollapsedTrainingWarning
from skgan.presets import mlp_gan, offspring, photo_gan

STEPS = 100


def blob(n=200):
    rng = np.random.RandomState(0)
    return rng.normal(size=(n, 4)).clip(-1, 1).astype(np.float32), np.repeat([0, 1], [3 * n // 4, n // 4])


def quiet(net, X, y):
    """The messages of a training's warnings of a collapse."""
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        net.set_params(random_state=0).fit(X, y)
    return [str(each.message) for each in told if issubclass(each.category, CollapsedTrainingWarning)]


def test_rows_that_are_all_alike_are_told():
    still = mlp_gan(alpha=1, lr=0.0, max_steps=STEPS)
    with pytest.warns(CollapsedTrainingWarning, match=r"resemble each other: after 100 steps .* spread \d% as far"):
        still.set_params(random_state=0).fit(*blob())
    X = np.random.RandomState(0).randint(0, 256, (40, 1, 8, 8), dtype=np.uint8)
    assert quiet(photo_gan(module__width=4, lr=0.0, max_steps=STEPS, batch_size=4), X, None)


def test_rows_that_differ_short_tries_and_few_real_rows_are_not():
    X, y = blob()
    assert not quiet(mlp_gan(alpha=1, max_steps=STEPS), X, y)
    assert not quiet(mlp_gan(alpha=1, lr=0.0, max_steps=STEPS - 1), X, y)
    assert not quiet(mlp_gan(alpha=1, lr=0.0, max_steps=STEPS), X[:7], y[:7])
    assert not quiet(mlp_gan(alpha=1, lr=0.0, max_steps=STEPS), np.zeros_like(X), y)


def test_a_net_that_starts_from_real_rows_is_not_asked():
    X = np.random.RandomState(0).randint(0, 256, (40, 1, 8, 8), dtype=np.uint8)
    assert not quiet(offspring(lr=0.0, max_steps=STEPS, batch_size=4), X, np.zeros(40, int))
