"""The benchmark of embeddings: its data, its cells and its report."""

import io

import data
import numpy as np
import pytest
from PIL import Image


@pytest.fixture
def cifar(tmp_path, monkeypatch):
    """A data folder with 40 + 10 photographs of one colour, four and one of each class."""
    arrays = {}
    for side, n in (("train", 4), ("test", 1)):
        y = np.repeat(np.arange(10), n)
        files = []
        for klass in y:
            file = io.BytesIO()
            Image.new("RGB", (32, 32), (25 * int(klass), 0, 255)).save(file, "JPEG", quality=95)
            files.append(file.getvalue())
        arrays |= {f"jpeg_{side}": np.frombuffer(b"".join(files), np.uint8), f"y_{side}": y.astype(np.uint8)}
        arrays[f"end_{side}"] = np.cumsum([len(file) for file in files])
    np.savez(tmp_path / "cifar10-jpeg.npz", **arrays)
    monkeypatch.setenv("SKGAN_DATA", str(tmp_path))
    data.cifar10.cache_clear()
    yield
    data.cifar10.cache_clear()


def test_photographs_are_decoded_and_cut_to_a_long_tail(cifar):
    images = data.cifar10()
    assert images.x_train.shape == (40, 3, 32, 32)
    assert images.x_test.shape == (10, 3, 32, 32)
    assert images.x_train.dtype == np.uint8
    colours = images.x_train.mean((2, 3))
    np.testing.assert_allclose(
        colours, np.c_[25 * images.y_train, 0 * images.y_train, 255 + 0 * images.y_train], atol=3
    )
    X, y = data.photograph_tail(0, 4, n_most=4)
    assert np.bincount(y).tolist() == [4, 3, 2, 2, 2, 1, 1, 1, 1, 1]
    np.testing.assert_allclose(X.mean((2, 3))[:, 0], 25 * y, atol=3)
    assert not np.array_equal(y, data.photograph_tail(1, 4, n_most=4)[1])


def test_without_photographs_a_sentence_says_what_to_do(tmp_path, monkeypatch):
    monkeypatch.setenv("SKGAN_DATA", str(tmp_path))
    data.cifar10.cache_clear()
    with pytest.raises(SystemExit, match=r"There is no cifar10-jpeg\.npz under \$SKGAN_DATA"):
        data.cifar10()
