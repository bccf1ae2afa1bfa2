"""X as ``numpy.memmap``: the same rows as of an array in memory, and no copy of the whole."""

import tracemalloc

import numpy as np
import pytest

from skgan import GANOverSampler, _device, _mapped
from skgan.codecs import ImageCodec, TabularCodec
from skgan.filters import NeighbourFilter
from skgan.presets import cyclegan
from skgan.samplers import _build


@pytest.fixture
def mapped(tmp_path):
    """A function that puts an array into a file and maps it."""

    def put(array):
        np.save(tmp_path / "X.npy", array)
        return np.load(tmp_path / "X.npy", mmap_mode="r")

    return put


@pytest.fixture
def tiny(monkeypatch):
    """Every mapped array is a large one, and is looked at in pieces of a few rows."""
    monkeypatch.setattr(_mapped, "LARGE", 2_000)
    monkeypatch.setattr(_build, "LARGE", 2_000)
    monkeypatch.setattr(_mapped, "PIECE", 512)


def images(n=80, channels=3, last=False, dtype=np.uint8):
    X = np.random.RandomState(0).randint(0, 256, (n, channels, 8, 8)).astype(dtype)
    X = np.moveaxis(X, 1, -1).copy() if last else X
    return X, np.repeat([0, 1], [n * 3 // 4, n - n * 3 // 4])


def table(n=200, dtype=np.float32):
    rng = np.random.RandomState(0)
    X = (
        (100 * rng.randn(n, 6)).astype(dtype)
        if np.dtype(dtype).kind == "f"
        else rng.randint(0, 9, (n, 6)).astype(dtype)
    )
    return X, np.repeat([0, 1], [n * 3 // 4, n - n * 3 // 4])


def resampled(X, y, **params):
    sampler = GANOverSampler(**{"max_steps": 2, "random_state": 0, **params})
    return sampler, *sampler.fit_resample(X, y)


def test_what_is_mapped(mapped):
    X = mapped(np.arange(12.0).reshape(4, 3))
    for view in (X, X[1:], np.asarray(X), np.asarray(X).T[:2]):
        assert _mapped.is_mapped(view)
    for other in (X.copy(), X[[0, 2]], X + 1, np.asarray(X)[[1]], np.zeros(3), None, [1]):
        assert not _mapped.is_mapped(other)


@pytest.mark.parametrize(
    ("data", "params"),
    [
        (images(), {}),
        (images(last=True), {}),
        (images(channels=1, last=True), {"net": "dcgan"}),
        (images(dtype=np.float32), {}),
        (images(), {"net": cyclegan()}),
        (images(), {"shares": {"gaussian": 1, "mixture": 1}}),
        (table(), {}),
        (table(dtype=np.uint8), {"net": "mlp_gan", "row_filter": NeighbourFilter()}),
        (table(), {"per_class": True}),
    ],
)
def test_a_mapped_array_gives_the_rows_of_an_array(data, params, mapped):
    X, y = data
    _, X_new, y_new = resampled(X, y, **params)
    _, X_of_mapped, y_of_mapped = resampled(mapped(X), y, **params)
    np.testing.assert_array_equal(X_of_mapped, X_new)
    np.testing.assert_array_equal(y_of_mapped, y_new)


@pytest.mark.usefixtures("tiny")
@pytest.mark.parametrize(
    ("data", "params"),
    [
        (images(), {"net": "dcgan"}),
        (images(last=True), {"net": "dcgan"}),
        (images(dtype=np.float32), {"net": "dcgan"}),
        (images(dtype=np.float32), {"net": "vae"}),
    ],
)
def test_images_in_pieces_give_the_same_rows(data, params, mapped):
    X, y = data
    _, X_new, _ = resampled(X, y, **params)
    _, X_of_mapped, _ = resampled(mapped(X), y, **params)
    np.testing.assert_array_equal(X_of_mapped, X_new)


@pytest.mark.usefixtures("tiny")
@pytest.mark.parametrize(
    ("data", "params"),
    [
        (images(), {}),
        (images(), {"net": cyclegan()}),
        (images(), {"shares": {"gaussian": 1, "mixture": 1}}),
        (images(), {"row_filter": NeighbourFilter(low=0.0)}),
        (images(last=True), {"memory": True}),
        (table(), {}),
        (table(dtype=np.uint8), {"net": "mlp_gan", "row_filter": NeighbourFilter()}),
        (table(dtype=np.int16), {"memory": True}),
    ],
)
@pytest.mark.filterwarnings("ignore:.*plain copies")
def test_samples_of_a_large_array_serve(data, params, mapped, tmp_path):
    X, y = data
    if "memory" in params:
        params = {"memory": str(tmp_path / "cache")}
    sampler, X_new, y_new = resampled(mapped(X), y, **params)
    np.testing.assert_array_equal(X_new[: len(X)], X)
    assert X_new.dtype == X.dtype
    assert (y_new == 0).sum() == (y_new == 1).sum()
    made = X_new[sampler.is_synthetic_]
    assert made.min() >= X.min()
    assert made.max() <= X.max()
    _, again, _ = resampled(mapped(X), y, **params)
    np.testing.assert_array_equal(again, X_new)


@pytest.mark.usefixtures("tiny")
def test_a_table_in_pieces_is_encoded_as_one_and_its_ends_and_missing_values_are_seen(mapped):
    X, _ = table(400)
    X[133, 2], X[135, 2], X[137, 3] = 1e6, -1e6, np.nan
    codec = TabularCodec().fit(mapped(X))
    assert codec.spans_ == ((6, 8),)
    encoded = codec.transform(mapped(X))
    assert _mapped.is_mapped(encoded)
    np.testing.assert_array_equal(encoded, codec.transform(X))
    back = codec.inverse_transform(np.asarray(encoded))
    assert back[133, 2] == 1e6
    assert back[135, 2] == -1e6
    assert np.isnan(back[137, 3])


@pytest.mark.usefixtures("tiny")
def test_the_first_wrong_number_of_a_mapped_array_is_named(mapped):
    X, y = table()
    X[77, 1], X[190, 0] = np.inf, -np.inf
    with pytest.raises(ValueError, match="The first is in row 77, column 1"):
        resampled(mapped(X), y)


def test_a_fit_of_mapped_images_keeps_and_takes_no_copy(mapped):
    X, y = images(40_000)  # 7.7 MB
    X, y = mapped(X), y
    sampler = GANOverSampler(sampling_strategy={1: 10_300}, max_steps=1, random_state=0, device="cpu")
    sampler.train(X[:100], np.repeat([0, 1], [70, 30]))  # what is loaded once, is loaded now
    tracemalloc.start()
    try:
        factory = sampler.train(X, y)
        assert tracemalloc.get_traced_memory()[0] < X.nbytes / 3
    finally:
        tracemalloc.stop()
    assert np.may_share_memory(factory.real, X)


def test_the_temporary_folder_is_named_where_it_is_full(monkeypatch):
    def full(*_, **__):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(_mapped.tempfile, "TemporaryFile", full)
    with pytest.raises(OSError, match=r"The encoded rows take .* GiB, and could not be written .*TMPDIR"):
        _mapped.in_a_file(iter([np.zeros((2, 3))]), (2, 3))


def test_a_mapped_result_larger_than_memory_is_refused_before_training(mapped, monkeypatch):
    X, y = table()
    monkeypatch.setattr("skgan.samplers._written.machine_memory", lambda: 1000)
    monkeypatch.setattr("skgan.samplers._base.built_factory", lambda *_: pytest.fail("it was trained"))
    with pytest.raises(ValueError, match=r"more than the .* GiB of this machine's memory: have them written"):
        resampled(mapped(X), y)


def test_channels_last_images_stay_in_their_file(mapped):
    X, _ = images(last=True)
    codec = ImageCodec().fit(mapped(X))
    encoded = codec.transform(mapped(X))
    assert _mapped.is_mapped(encoded)
    np.testing.assert_array_equal(encoded, ImageCodec().fit(X).transform(X))


def test_rows_that_take_more_than_half_of_what_a_device_has_left_do_not_fit(monkeypatch):
    monkeypatch.setattr(_device, "available_memory", lambda device: 1000)
    assert _device.fits(500, "cuda")
    assert not _device.fits(501, "cuda")
    assert _device.fits(10**15, "cpu")
