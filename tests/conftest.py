"""Small, fast nets and data that many tests share."""

import os
import signal

import numpy as np
import pytest
from hypothesis import settings
from sklearn.datasets import make_classification

from skgan import GANOverSampler
from skgan.presets import dcgan, mlp_gan
from skgan.samplers import _training

# On a build machine the same examples every time; elsewhere new ones are looked for.
settings.register_profile("repeatable", derandomize=True)
if os.environ.get("CI"):
    settings.load_profile("repeatable")

# A shell has its background jobs ignore Ctrl-C, which tests here press.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture
def make_sampler():
    """A table sampler that trains in milliseconds."""
    return lambda **params: GANOverSampler(**{"net": mlp_gan(alpha=1, max_steps=10), "random_state": 0, **params})


@pytest.fixture
def make_image_sampler():
    """An image sampler that trains in milliseconds."""
    net = dcgan(module__width=4, module__n_features=8, batch_size=8, max_steps=4)
    return lambda **params: GANOverSampler(**{"net": net, "random_state": 0, **params})


@pytest.fixture
def table():
    """90 rows of 5 numbers in three classes of 60, 20 and 10."""
    X, y = make_classification(
        90, 5, n_informative=3, n_redundant=0, n_classes=3, n_clusters_per_class=1, random_state=0
    )
    order = np.argsort(y, kind="stable")
    X, y = X[order], np.repeat([0, 1, 2], [60, 20, 10])
    shuffle = np.random.RandomState(0).permutation(90)
    return X[shuffle], y[shuffle]


@pytest.fixture
def images():
    """30 uint8 images of 3×8×10 in two classes of 22 and 8."""
    rng = np.random.RandomState(0)
    return rng.randint(0, 256, (30, 3, 8, 10), dtype=np.uint8), np.array([0] * 22 + [1] * 8)


@pytest.fixture
def trainings(monkeypatch):
    """A list that grows by one per training in this process."""
    done = []
    train = _training.exports_of
    monkeypatch.setattr(_training, "exports_of", lambda jobs, *kept: done.extend([1] * len(jobs)) or train(jobs, *kept))
    return done
