"""What images say of themselves: their background, and whether they may be mirrored."""

import numpy as np
import pytest
from sklearn.datasets import load_digits

from skgan._image_statistics import augmentation_for, background_of, may_mirror
from skgan.augment import Flip, Rotation, Scale, Translation


@pytest.fixture(scope="module")
def digits():
    X, y = load_digits(return_X_y=True)
    return (X.reshape(-1, 1, 8, 8) * 15).astype(np.uint8), y


def blobs(n, seed=0, size=12):
    """Bright spots anywhere, in front of noise; the two classes differ by the spot's size. Nothing tells left from right."""
    rng = np.random.RandomState(seed)
    y = np.arange(n) % 2
    places, grid = rng.normal(5.5, 0.5, (n, 2, 1, 1)), np.indices((size, size))
    distance = ((grid[None] - places) ** 2).sum(1)
    spots = np.exp(-distance / (2 * (1 + 2 * y[:, None, None]) ** 2))
    return (60 + 150 * spots[:, None] + rng.normal(0, 8, (n, 3, size, size))).clip(0, 255).astype(np.uint8), y


def test_the_background_is_black_white_or_none(digits):
    X, _ = digits
    assert background_of(X) == -1
    assert background_of(255 - X) == 1
    assert background_of((X / 127.5 - 1).astype(np.float32)) == -1
    assert background_of(blobs(50)[0]) == "reflect"


def test_digits_may_not_be_mirrored_and_blobs_may(digits):
    for axis in ("horizontal", "vertical"):
        assert not may_mirror(*digits, axis)
        assert may_mirror(*blobs(200), axis)


def test_one_class_with_a_direction_is_enough_and_few_rows_say_nothing():
    X, y = blobs(300)
    X[y == 1, :, :, :4] = 255
    assert not may_mirror(X, y, "horizontal")
    assert may_mirror(X, y, "vertical")
    assert not may_mirror(*blobs(14), "vertical")


def test_augmentation_follows_the_images(digits):
    assert augmentation_for(*blobs(100)) == [Translation(1 / 8, "reflect"), Flip(), Flip(axis="vertical")]
    X, y = digits
    assert augmentation_for(255 - X, y) == [Translation(0.08, 1.0), Rotation(10, 1.0), Scale(0.1, 1.0)]
