"""A fitted sampler's pickle is its weights, the rows that it needs, and little else."""

import pickle

import numpy as np
import pytest

from skgan import ConditionalGANAugmenter, GANOverSampler
from skgan.presets import cyclegan, dcgan, gaussian, mlp_gan, offspring

RNG = np.random.RandomState(0)
N = 1500
Y = np.repeat([0, 1], [1200, 300])
IMAGES = RNG.randint(0, 256, (N, 1, 16, 16), dtype=np.uint8)
TABLE = RNG.standard_normal((N, 12))
FEW = {"max_steps": 2, "random_state": 0}


def weights(sampler):
    """Bytes of the networks, those of discriminators among them, which are most of it: offspring has 2 MB of them."""
    return sum(
        array.nbytes for generator in sampler.factory_.generators for array in generator.export["weights"].values()
    )


def rows(sampler, n_values, bytes_each):
    """Bytes of the training rows that are kept, with their groups, and of what is told of every row that was returned."""
    told = sampler.origin_.nbytes + sampler.parent_indices_.nbytes + len(sampler.origin_)
    return n_values * bytes_each + 16 * N + told


@pytest.mark.parametrize(
    ("sampler", "X", "bytes_each"),
    [
        (GANOverSampler(net=offspring(max_steps=2), random_state=0), IMAGES, 1),  # parents
        (GANOverSampler(net=cyclegan(max_steps=2), random_state=0), IMAGES, 1),
        (GANOverSampler(net=dcgan(max_steps=2), random_state=0), IMAGES, 0),
        (GANOverSampler(**FEW), IMAGES, 1),
        (ConditionalGANAugmenter(0.5, **FEW), IMAGES, 1),
        # The scaling of numbers keeps each value and its rank (8 and 4 bytes), and mixtures the encoded rows (4 bytes)
        (GANOverSampler(**FEW), TABLE, 16),
        (GANOverSampler(net=offspring(max_steps=2), random_state=0), TABLE, 16),
        (GANOverSampler(net=mlp_gan(max_steps=2), shares={"net": 1}, random_state=0), TABLE, 12),
        (GANOverSampler(net=gaussian(), shares={"net": 1}, random_state=0), TABLE, 12),
    ],
)
def test_a_pickle_is_weights_and_rows(sampler, X, bytes_each):
    made, _ = sampler.fit_resample(X, Y)
    held = pickle.dumps(sampler)
    assert len(held) < weights(sampler) + rows(sampler, X.size, bytes_each) + 30_000
    again = pickle.loads(held)
    assert len(pickle.dumps(again)) == pytest.approx(len(held), rel=0.01)
    np.testing.assert_array_equal(again.sample({1: 5})[0], sampler.sample({1: 5})[0])
    np.testing.assert_array_equal(again.fit_resample(X, Y)[0], made)
