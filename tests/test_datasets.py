"""load_image_folder: classes by folder, mixed files brought together, broken ones named."""

import builtins
import struct
import subprocess
import sys
import warnings
import zlib

import numpy as np
import pytest
from PIL import EpsImagePlugin, Image

from skgan import GANOverSampler
from skgan.datasets import _folders, load_image_folder
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
    assert by_name["sixteen"].max() == 197  # 50 597 of 65 535
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
    with pytest.raises(ImportError, match=r"pip install \"pillow>=10\""):
        load_image_folder(folder)


def save_deep(path, array):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(array).save(path)


RAMP = np.linspace(0, 1, 64).reshape(8, 8)


@pytest.fixture
def deep(tmp_path):
    """A dark and a bright class of 16 bits, one file of them a TIFF."""
    save_deep(tmp_path / "dark" / "0.png", (1000 + 4000 * RAMP).astype(np.uint16))
    save_deep(tmp_path / "dark" / "1.tif", (1000 + 4000 * RAMP).astype(np.uint16))
    save_deep(tmp_path / "bright" / "0.png", (41000 + 4000 * RAMP).astype(np.uint16))
    return tmp_path


def test_dark_files_of_16_bits_stay_darker_than_bright_ones(deep):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        X, y = load_image_folder(deep)
    assert X.dtype == np.uint8
    assert y.tolist() == ["bright", "dark", "dark"]
    np.testing.assert_array_equal(X[0, 0], np.round((41000 + 4000 * RAMP).astype(np.uint16) / 257))
    np.testing.assert_array_equal(X[1], X[2])
    assert (X[1].min(), X[1].max()) == (4, 19)


@pytest.mark.parametrize("mode", ["auto", "RGB"])
def test_16_bits_are_kept(deep, mode):
    X, _ = load_image_folder(deep, dtype="keep", mode=mode)
    assert X.dtype == np.uint16
    assert X.shape == (3, 3 if mode == "RGB" else 1, 8, 8)
    for channel in range(X.shape[1]):
        np.testing.assert_array_equal(X[0, channel], (41000 + 4000 * RAMP).astype(np.uint16))


def test_resizing_in_depth_neither_wraps_nor_clips(tmp_path):
    save_deep(tmp_path / "a" / "0.png", np.full((9, 12), 65535, np.uint16))
    save_deep(tmp_path / "b" / "0.png", np.kron([[0, 65535], [65535, 0]], np.ones((6, 6))).astype(np.uint16))
    for size in (5, (4, 6), 20):
        X, _ = load_image_folder(tmp_path, size, dtype="keep")
        assert X.dtype == np.uint16
        assert (X[0] == 65535).all()
        assert X[1].mean() == pytest.approx(65535 / 2, rel=1e-3)
        assert (load_image_folder(tmp_path, size)[0][0] == 255).all()
    save_deep(tmp_path / "c" / "a" / "0.tif", np.full((8, 8), 2**31 - 1, np.int32))
    save_deep(tmp_path / "c" / "b" / "0.tif", np.full((8, 8), -(2**31), np.int32))
    X, _ = load_image_folder(tmp_path / "c", 5, dtype="keep")
    assert np.unique(X).tolist() == [-(2**31), 2**31 - 1]
    assert np.unique(load_image_folder(tmp_path / "c", 5)[0]).tolist() == [0, 255]


def test_few_grey_levels_of_16_bits_are_told(tmp_path):
    save_deep(tmp_path / "a" / "0.png", (1000 + 3000 * RAMP).astype(np.uint16))
    with pytest.warns(UserWarning, match=r"between 1000 and 4000, of which uint8 leaves 13 grey levels; dtype='keep'"):
        X, _ = load_image_folder(tmp_path)
    assert len(np.unique(X)) == 13


@pytest.mark.parametrize(
    ("dark", "bright", "expected"),
    [
        (RAMP / 10, 0.9 + RAMP / 10, [(0, 26), (229, 255)]),  # within 0 … 1, which is black and white
        (RAMP / 10, 0.4 + RAMP / 10, [(0, 26), (102, 128)]),
        (RAMP - 5, 95 + RAMP / 10, [(0, 3), (255, 255)]),  # otherwise by what all files hold
    ],
)
def test_floats_have_one_scale(tmp_path, dark, bright, expected):
    save_deep(tmp_path / "a" / "dark.tif", dark.astype(np.float32))
    save_deep(tmp_path / "b" / "bright.tif", bright.astype(np.float32))
    X, _ = load_image_folder(tmp_path)
    assert [(image.min(), image.max()) for image in X] == expected
    kept, _ = load_image_folder(tmp_path, dtype="keep")
    assert kept.dtype == np.float32
    np.testing.assert_array_equal(kept[:, 0], np.stack([dark, bright]).astype(np.float32))


def test_floats_with_nan_or_infinity_are_named_and_left_out(tmp_path):
    for i, value in enumerate((0.5, np.nan, np.inf)):
        save_deep(tmp_path / "a" / f"{i}.tif", np.full((4, 4), value, np.float32))
    with pytest.warns(UserWarning, match=r"2 of 3 files .*1\.tif \(it has values that are NaN or infinite\).*2\.tif"):
        X, _ = load_image_folder(tmp_path)
    assert X.shape == (1, 1, 4, 4)


def test_files_of_8_and_16_bits_together(deep):
    save(deep / "colour" / "0.png", np.full((8, 8, 3), 9))
    X, _ = load_image_folder(deep)
    assert X.shape == (4, 3, 8, 8)
    assert (X[1] == 9).all()
    X, _ = load_image_folder(deep, dtype="keep")
    assert X.dtype == np.uint16
    assert (X[1] == 9 * 257).all()
    save_deep(deep / "float" / "0.tif", np.zeros((8, 8), np.float32))
    for dtype in ("uint8", "keep"):
        with pytest.raises(
            ValueError, match=r"no common scale: their values are uint16 \(3\), uint8 \(1\), float32 \(1\)"
        ):
            load_image_folder(deep, dtype=dtype)
    with pytest.raises(ValueError, match="dtype must be 'uint8' or 'keep', got 'uint16'"):
        load_image_folder(deep, dtype="uint16")


# Files that nobody can have meant


def png_of_zeros(path, side):
    """A white PNG in colour, written a line at a time."""
    packed = zlib.compressobj(9)
    line = b"\0" + b"\xff" * (3 * side)
    data = b"".join(packed.compress(line) for _ in range(side)) + packed.flush()
    parts = [(b"IHDR", struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)), (b"IDAT", data), (b"IEND", b"")]
    chunks = [struct.pack(">I", len(d)) + name + d + struct.pack(">I", zlib.crc32(name + d)) for name, d in parts]
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + b"".join(chunks))


GROWN = """
import resource, sys, warnings
from skgan.datasets import load_image_folder
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
warnings.simplefilter("ignore")
X, y = load_image_folder(sys.argv[1], 8)
print(*X.shape, (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024)
"""


def test_huge_images_take_little_memory(folder):
    png_of_zeros(folder / "cat" / "huge.png", 9000)
    Image.new("L", (9000, 9000), 77).save(folder / "cat" / "huge.jpg")
    ended = subprocess.run([sys.executable, "-c", GROWN, str(folder)], capture_output=True, text=True, check=True)
    *shape, mebibytes = map(int, ended.stdout.split())
    assert shape == [9, 3, 8, 8]
    assert mebibytes < 60
    said = r"1 of 10 files .*huge.png \(it has 9000×9000 pixels, and more than 50 million in a file are not read: make"
    with pytest.warns(UserWarning, match=said):
        X, _ = load_image_folder(folder, 8)
    assert (np.abs(X[3].astype(int) - 77) < 3).all()
    assert len(load_image_folder(folder, 8, mode="L")[0]) == 9


def test_of_a_huge_photograph_as_much_is_decoded_as_its_wanted_size_needs(tmp_path, monkeypatch):
    ramp = np.repeat(np.linspace(0, 255, 400)[None], 240, 0)
    for klass in "ab":
        save(tmp_path / klass / "ramp.jpg", ramp, quality=95)
        save(tmp_path / klass / "turned.jpg", ramp.T, quality=95, exif=turned())
    whole, _ = load_image_folder(tmp_path, (48, 80))
    monkeypatch.setattr(_folders, "MOST_PIXELS", 50_000)
    reduced, _ = load_image_folder(tmp_path, (48, 80))
    assert np.abs(reduced.astype(int) - whole).max() <= 3
    with pytest.raises(ValueError, match="None of the 4 files"), pytest.warns(UserWarning, match="400×240 pixels"):
        load_image_folder(tmp_path, (240, 400))  # at this size nothing can be left out


def turned():
    exif = Image.Exif()
    exif[0x0112] = 6
    return exif


@pytest.mark.parametrize("name", ["drawing.eps", "drawing.png"])
def test_postscript_is_never_opened(name, folder, monkeypatch):
    def run(self, *args, **kwargs):
        raise AssertionError("Ghostscript would run")

    monkeypatch.setattr(EpsImagePlugin.EpsImageFile, "load", run)
    Image.new("RGB", (6, 8)).save(folder / "cat" / name, "EPS")
    with pytest.warns(UserWarning, match=rf"1 of 9 files .*{name} \(it is none of PNG, JPEG,"):
        assert len(load_image_folder(folder)[0]) == 8


@pytest.mark.parametrize("kind", ["file", "folder", "class"])
def test_links_that_lead_out_of_the_folder_are_left_out(kind, folder, tmp_path_factory):
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    save(elsewhere / "secret.png", np.zeros((6, 8, 3)))
    link = folder / ("bird" if kind == "class" else "cat/link.png" if kind == "file" else "cat/link")
    link.symlink_to(elsewhere / "secret.png" if kind == "file" else elsewhere)
    if kind == "folder":  # links to folders inside of class folders are not followed
        assert len(load_image_folder(folder)[0]) == 8
        return
    with pytest.warns(UserWarning, match=r"1 of 9 files .*\(it is a link that leads out of .*: copy it\)"):
        assert load_image_folder(folder)[1].tolist() == ["cat"] * 3 + ["dog"] * 5


def test_links_within_the_folder_and_to_it_are_followed(folder, tmp_path_factory):
    (folder / "cat" / "again.png").symlink_to(folder / "dog" / "1.png")
    link = tmp_path_factory.mktemp("links") / "photos"
    link.symlink_to(folder)
    assert len(load_image_folder(link)[0]) == 9
