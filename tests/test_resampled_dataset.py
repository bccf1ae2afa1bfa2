"""ResampledDataset: what a plain training loop in torch is given of real and new images."""

import pickle

import numpy as np
import pytest
import torch
from imblearn.over_sampling import RandomOverSampler
from sklearn.preprocessing import OneHotEncoder
from torch.utils.data import DataLoader, Subset

from skgan import ConditionalGANAugmenter, GANOverSampler
from skgan.codecs import ImageCodec
from skgan.datasets import ResampledDataset
from skgan.presets import offspring

NET = offspring(max_steps=2, batch_size=8)


@pytest.fixture(scope="module")
def resampled():
    """A fitted sampler, and what it returned: 22 images of "many", 8 of "few" and 14 new ones, uint8, (44, 3, 8, 10)."""
    rng = np.random.RandomState(0)
    X, y = rng.randint(0, 256, (30, 3, 8, 10), dtype=np.uint8), np.array(["many"] * 22 + ["few"] * 8)
    sampler = GANOverSampler(net=NET, random_state=0)
    return sampler, *sampler.fit_resample(X, y)


@pytest.fixture
def dataset(resampled):
    sampler, X, y = resampled
    return ResampledDataset(X, y, sampler)


def flipped(image):
    """A transform that can be pickled."""
    return image.flip(2)


def test_an_item_is_an_image_between_0_and_1_its_class_and_whether_it_is_new(dataset, resampled):
    _, X, y = resampled
    assert len(dataset) == 44
    for i in (0, 29, 43, -1):
        image, label, new = dataset[i]
        assert image.dtype == torch.float32
        assert image.shape == (3, 8, 10)
        np.testing.assert_allclose(image.numpy(), X[i] / 255, atol=1e-7)
        assert dataset.classes[label] == y[i]
        assert new is (i in (43, -1))
    with pytest.raises(IndexError):
        dataset[44]
    assert len(list(dataset)) == 44


def test_attributes_say_what_each_row_is(dataset, resampled):
    sampler, _, y = resampled
    assert dataset.classes == ["few", "many"]
    assert dataset.class_to_idx == {"few": 0, "many": 1}
    assert dataset.targets.dtype == torch.int64
    assert [dataset.classes[i] for i in dataset.targets] == y.tolist()
    np.testing.assert_array_equal(dataset.is_synthetic, sampler.is_synthetic_)
    np.testing.assert_array_equal(dataset.parents, sampler.parent_indices_)
    assert (dataset.targets[dataset.parents[dataset.is_synthetic, 0]] == 0).all()


def test_images_are_not_copied(resampled):
    sampler, X, y = resampled
    assert np.shares_memory(ResampledDataset(X, y, sampler).images, X)


def test_a_float_image_is_not_the_callers_memory(resampled):
    sampler, X, y = resampled
    X = X.astype(np.float32)
    dataset = ResampledDataset(X, y, sampler)
    for image in (dataset[0][0], dataset.__getitems__([0])[0][0]):
        image.fill_(-1)
    assert X.min() == 0


@pytest.mark.parametrize(
    ("dtype", "white"), [(np.uint8, 255), (np.uint16, 65535), (np.float64, 1), (np.int64, 1), (bool, 1)]
)
def test_unsigned_integers_are_scaled_by_their_white_and_other_numbers_stay(resampled, dtype, white):
    sampler, X, y = resampled
    X = X.astype(dtype)
    image, *_ = ResampledDataset(X, y, sampler)[3]
    assert image.dtype == torch.float32
    np.testing.assert_allclose(image.numpy(), X[3].astype(float) / white, rtol=1e-6)


def test_a_batch_is_the_items_one_by_one(resampled):
    sampler, X, y = resampled
    dataset = ResampledDataset(X, y, sampler, transform=flipped)
    rows = [40, 0, 7, 7]
    for batched, i in zip(dataset.__getitems__(rows), rows, strict=True):
        image, label, new = dataset[i]
        assert torch.equal(batched[0], image)
        assert batched[1:] == (label, new)
    np.testing.assert_allclose(dataset[0][0].numpy(), X[0, :, :, ::-1] / 255, atol=1e-7)


@pytest.mark.parametrize("workers", [0, 1])
def test_a_loader_gives_every_row_once(dataset, workers):
    seen = [batch for batch in DataLoader(dataset, batch_size=16, shuffle=True, num_workers=workers)]
    images, labels, new = (torch.cat(part) for part in zip(*seen, strict=True))
    assert images.shape == (44, 3, 8, 10)
    assert (labels.dtype, new.dtype) == (torch.int64, torch.bool)
    assert torch.bincount(labels).tolist() == [22, 22]
    assert int(new.sum()) == 14
    real = Subset(dataset, torch.nonzero(~dataset.is_synthetic).flatten().tolist())
    assert sum(len(labels) for _, labels, _ in DataLoader(real, batch_size=7)) == 30


def test_it_can_be_pickled(resampled):
    sampler, X, y = resampled
    dataset = ResampledDataset(X, y, sampler, transform=flipped)
    again = pickle.loads(pickle.dumps(dataset))
    assert torch.equal(again[43][0], dataset[43][0])
    assert len(pickle.dumps(dataset)) < 2 * X.nbytes  # the sampler, with its net, is not carried along


def test_class_frequencies_are_those_of_the_rows(resampled):
    sampler, X, y = resampled
    sampler = ConditionalGANAugmenter(0.5, net=NET, random_state=0)
    dataset = ResampledDataset(*sampler.fit_resample(X[:30], y[:30]), sampler)
    assert dataset.class_frequencies().tolist() == pytest.approx([12 / 45, 33 / 45])
    halved = torch.where(dataset.is_synthetic, 0.0, 1.0)
    assert dataset.class_frequencies(halved).tolist() == pytest.approx([8 / 30, 22 / 30])
    balanced = 1 / dataset.class_frequencies()[dataset.targets]
    assert dataset.class_frequencies(balanced.tolist()).tolist() == pytest.approx([0.5, 0.5])


@pytest.mark.parametrize(
    ("weights", "words"),
    [
        (np.ones(3), r"one weight for each of the 44 rows; got shape \(3,\)"),
        (np.r_[np.ones(43), -1], "at least 0"),
        (np.r_[np.ones(43), np.nan], "finite"),
        (np.arange(44) < 22, "class 'few' without any"),
    ],
)
def test_weights_that_no_frequency_follows_from_are_refused(dataset, weights, words):
    with pytest.raises(ValueError, match=words):
        dataset.class_frequencies(weights)


def test_images_in_other_layouts(resampled):
    sampler, X, y = resampled
    for given, options in (
        (np.moveaxis(X, 1, 3), {}),
        (X[:, 0], {}),
        (X.reshape(44, -1), {"image_shape": (3, 8, 10)}),
        (np.moveaxis(X, 1, 3)[:, :, :, :1], {"channels": "last"}),
    ):
        image, *_ = ResampledDataset(given, y, sampler, **options)[2]
        np.testing.assert_allclose(image.numpy(), (X if image.shape[0] == 3 else X[:, :1])[2] / 255, atol=1e-7)


def test_it_fits_the_images_that_a_codec_was_told_of(resampled):
    _, X, y = resampled
    flat = X[:30].reshape(30, -1)
    sampler = GANOverSampler(net=NET, codec=ImageCodec(image_shape=(3, 8, 10)), random_state=0)
    dataset = ResampledDataset(*sampler.fit_resample(flat, y[:30]), sampler, image_shape=(3, 8, 10))
    assert dataset[43][0].shape == (3, 8, 10)


def test_what_is_refused(resampled):
    sampler, X, y = resampled
    with pytest.raises(ValueError, match="has not been fitted: call fit_resample"):
        ResampledDataset(X, y, GANOverSampler())
    with pytest.raises(ValueError, match="RandomOverSampler does not say which rows are new"):
        ResampledDataset(X, y, RandomOverSampler())
    with pytest.raises(ValueError, match="NoneType does not say which rows are new"):
        ResampledDataset(X, y, None)
    with pytest.raises(ValueError, match=r"X has 30 rows and the sampler's last fit_resample returned 44"):
        ResampledDataset(X[:30], y[:30], sampler)
    with pytest.raises(ValueError, match=r"y of shape \(43,\) .* one class for each of the 44 rows"):
        ResampledDataset(X, y[:43], sampler)
    with pytest.raises(ValueError, match=r"y of shape \(44, 2\)"):
        ResampledDataset(X, OneHotEncoder(sparse_output=False).fit_transform(y[:, None]), sampler)
    with pytest.raises(ValueError, match="real-valued"):
        ResampledDataset(X, np.linspace(0, 1.5, 44), sampler)
    with pytest.raises(ValueError, match=r"X of shape \(44, 240\) holds no images"):
        ResampledDataset(X.reshape(44, -1), y, sampler)
    with pytest.raises(TypeError, match=r"transform must be a function .* got 'flip'"):
        ResampledDataset(X, y, sampler, transform="flip")
    with pytest.raises(TypeError, match="X holds values of dtype object"):
        ResampledDataset(X.astype(object), y, sampler)
