"""load_image_folder: classes by folder, mixed files brought together, broken ones named."""

import builtins
import warnings

import numpy as np
import pytest
from PIL import Image

from skgan import GANOverSampler
from skgan.datasets import load_image_folder
from skgan.presets import dcgan


def save(path, array, mode=None, **options):
    path.parent.mkdir(parents=True, exist_ok=True)
    image = Image.fromarray(np.asarray(array, dtype=np.uint8))
    (image.convert(mode) if mode else image).save(path, **options)


@pytest.fixture
def folder(tmp_path):
    rng = np.random.RandomState(0)
    for name, n in (("cat", 3), ("dog", 5)):
        for i in range(n):
            save(tmp_path / name / f"{i}.png", rng.randint(0, 256, (6, 8, 3)))
    return tmp_path


def test_classes_order_and_values(folder):
    X, y = load_image_folder(folder)
    assert X.shape == (8, 3, 6, 8)
    assert X.dtype == np.uint8
    assert y.tolist() == ["cat"] * 3 + ["dog"] * 5
    with Image.open(folder / "dog" / "1.png") as image:
        np.testing.assert_array_equal(X[4], np.moveaxis(np.asarray(image), 2, 0))
    again = load_image_folder(str(folder))
    np.testing.assert_array_equal(again[0], X)


def test_into_a_sampler(folder):
    X, y = load_image_folder(folder, 8)
    net = dcgan(module__width=4, max_steps=2, batch_size=4)
    assert len(GANOverSampler(net=net, random_state=0).fit_resample(X, y)[0]) == 10


def test_grey_images_have_one_channel(tmp_path):
    save(tmp_path / "a" / "x.png", np.full((4, 4), 7))
    save(tmp_path / "b" / "x.bmp", np.full((4, 4), 200), "1")
    X, _ = load_image_folder(tmp_path)
    assert X.shape == (2, 1, 4, 4)
    assert X[0].max() == 7
    assert load_image_folder(tmp_path, mode="RGB")[0].shape == (2, 3, 4, 4)


def test_mixed_modes_and_sizes(tmp_path):
    save(tmp_path / "a" / "grey.png", np.full((10, 20), 50))
    save(tmp_path / "a" / "palette.gif", np.full((7, 7, 3), 90), "P")
    save(tmp_path / "a" / "alpha.png", np.dstack([np.zeros((9, 5, 3)), np.zeros((9, 5))]))
    save(tmp_path / "b" / "cmyk.jpg", np.full((12, 12, 3), 120), "CMYK")
    save(tmp_path / "b" / "nested" / "UPPER.JPG", np.full((12, 6, 3), 10))
    Image.fromarray((np.arange(64).reshape(8, 8) * 1000).astype(np.uint16)).save(tmp_path / "b" / "sixteen.png")
    X, y = load_image_folder(tmp_path, (4, 6))
    assert X.shape == (6, 3, 4, 6)
    assert y.tolist() == ["a"] * 3 + ["b"] * 3
    by_name = dict(zip(["alpha", "grey", "palette", "cmyk", "nested", "sixteen"], X, strict=True))
    assert (by_name["alpha"] == 255).all()  # transparent: white
    assert (by_name["grey"] == 50).all()
    assert by_name["sixteen"].max() > 200
    with pytest.raises(ValueError, match=r"6 different sizes, such as .* give size=64"):
        load_image_folder(tmp_path)


def test_the_cameras_orientation(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6  # turned by 90°
    save(tmp_path / "a" / "x.jpg", np.zeros((4, 10, 3)), exif=exif)
    save(tmp_path / "b" / "x.jpg", np.zeros((10, 4, 3)))
    assert load_image_folder(tmp_path)[0].shape == (2, 3, 10, 4)


def test_broken_files_are_named_and_others_ignored(folder):
    (folder / "cat" / "bad.png").write_bytes(b"no image")
    whole = (folder / "dog" / "0.png").read_bytes()
    (folder / "dog" / "cut.png").write_bytes(whole[: len(whole) // 2])
    (folder / "dog" / "notes.txt").write_text("not an image")
    (folder / "dog" / ".hidden.png").write_bytes(b"")
    (folder / ".git").mkdir()
    with pytest.warns(UserWarning, match=r"2 of 10 files could not be read .*bad\.png.*cut\.png"):
        X, _ = load_image_folder(folder)
    assert len(X) == 8
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        (folder / "cat" / "bad.png").unlink()
        (folder / "dog" / "cut.png").unlink()
        load_image_folder(folder)


def test_what_is_refused(folder, tmp_path, monkeypatch):
    with pytest.raises(FileNotFoundError, match="There is no folder"):
        load_image_folder(tmp_path / "nowhere")
    with pytest.raises(NotADirectoryError, match="is a file"):
        load_image_folder(folder / "cat" / "0.png")
    with pytest.raises(ValueError, match="holds no class folders"):
        load_image_folder(folder / "cat")
    (tmp_path / "empty" / "cat").mkdir(parents=True)
    with pytest.raises(ValueError, match="hold no image file"):
        load_image_folder(tmp_path / "empty")
    (tmp_path / "empty" / "cat" / "x.png").write_bytes(b"")
    with pytest.warns(UserWarning, match="1 of 1"), pytest.raises(ValueError, match="None of the 1 files"):
        load_image_folder(tmp_path / "empty")
    for size in (0, (3,), "64", (2.5, 3)):
        with pytest.raises(ValueError, match="size must be"):
            load_image_folder(folder, size)
    with pytest.raises(ValueError, match="mode must be"):
        load_image_folder(folder, mode="CMYK")
    real = builtins.__import__
    monkeypatch.setattr(
        builtins,
        "__import__",
        lambda name, *a: (_ for _ in ()).throw(ImportError()) if name == "PIL" else real(name, *a),
    )
    with pytest.raises(ImportError, match=r"skgan\[images\]"):
        load_image_folder(folder)
