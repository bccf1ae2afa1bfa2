"""Reading a user's own images."""

from collections import Counter
from pathlib import Path
from typing import Any, Literal, NamedTuple

import numpy as np

from skgan._warnings import warn

FORMATS = "PNG", "JPEG", "TIFF", "BMP", "GIF", "WEBP", "PPM", "JPEG2000", "TGA", "PCX", "AVIF", "MPO", "DIB"
"""Those of pixels alone, by Pillow's names: PostScript, for one, is a program that Ghostscript would run."""
MOST_PIXELS = 50_000_000
"""Of a file. A small file may say that it has any number of pixels, and each takes some bytes of memory."""


class ImageFolder(NamedTuple):
    """X and y as :func:`load_image_folder` returns them, and the file of each image."""

    X: np.ndarray
    y: np.ndarray
    files: list[Path]


def load_image_folder(
    path: Any,
    size: int | tuple[int, int] | None = None,
    *,
    mode: str = "auto",
    dtype: Literal["uint8", "keep"] = "uint8",
) -> Any:
    """Images from a folder of class folders, as arrays that every sampler takes.

    ``photos/cat/1.jpg`` is an image of class "cat"; folders inside a class folder belong to it. The order is that of the sorted
    paths, on every machine. Transparency is laid over white, and the orientation that a camera noted is applied.

    Only formats of pixels are read (PNG, JPEG, TIFF, BMP, GIF, WebP, PPM, JPEG 2000, TGA, PCX, AVIF), whatever a file's name
    says. Links that lead out of the folder are not followed. Files of more than 50 million pixels are not read, except JPEG
    files that are not progressive, where ``size`` is given: as much of them is decoded as it needs.

    Parameters
    ----------
    path : str or path
        The folder that holds the class folders.
    size : int, (height, width) or None, default=None
        In pixels. Images of another shape are cut to the wanted proportion around their middle, then resized. None: all must
        have one size.
    mode : {"auto", "L", "RGB"}, default="auto"
        Grey or coloured; "auto" is grey where every image is.
    dtype : {"uint8", "keep"}, default="uint8"
        "keep" leaves grey files of 16 bits uint16, of 32 bits int32 and of floats float32 (see Notes).

    Returns
    -------
    X : ndarray of shape (n, C, height, width), uint8
        Or, with dtype="keep", of the files' dtype.
    y : ndarray of shape (n,), str
        The class folders' names.

    Raises
    ------
    ImportError
        Without Pillow (``pip install "pillow>=10"``).
    FileNotFoundError, NotADirectoryError
        For a path that is no folder.
    ValueError
        Where there is no class folder, no image, no common size, or no common scale.

    Warns
    -----
    UserWarning
        Names the files that could not be read, or were not for one of the reasons above, also those of floats with NaN or
        infinity; they are left out. And where uint8 leaves few grey levels of files of 16 bits.

    Notes
    -----
    All files of a folder have one scale, so that a dark one stays darker than a bright one. To become uint8, values of 16 bits
    are divided by 257 (0 … 65535 become 0 … 255), whatever the folder uses of them: a second folder read later agrees. Floats
    are multiplied by 255 where all of them lie in [0, 1]. Other floats, and integers of 32 bits, have no white of their own:
    they are scaled by the smallest and the largest value of all files; for folders that must agree, keep them. Kept, files of
    8 bits beside some of 16 are multiplied by 257. Neither goes together with floats or 32 bits. Images are resized in their
    own depth. Coloured files of 16 bits are read in 8, which is all that Pillow has.
    """
    folder = read_folder(path, size, mode=mode, dtype=dtype)
    return folder.X, folder.y


def read_folder(path, size=None, *, mode: str = "auto", dtype: str = "uint8") -> ImageFolder:
    """As :func:`load_image_folder`, with the file of each image."""
    try:
        from PIL import Image
    except ImportError as error:
        raise ImportError(
            'Reading image files needs Pillow: pip install "pillow>=10", or pip install -e ".[images]" in a checkout of skgan.'
        ) from error
    if mode not in ("auto", "L", "RGB"):
        raise ValueError(f"mode must be 'auto', 'L' or 'RGB', got {mode!r}.")
    if dtype not in ("uint8", "keep"):
        raise ValueError(f"dtype must be 'uint8' or 'keep', got {dtype!r}.")
    shape = _checked_size(size)
    files = _files(Path(path), set(Image.registered_extensions()))
    images, labels, read, broken, inside = [], [], [], [], Path(path).resolve()
    for file, label in files:
        try:
            if not file.resolve().is_relative_to(inside):
                raise ValueError(f"it is a link that leads out of {inside}: copy it")
            images.append(_opened(file, shape))
            labels.append(label)
            read.append(file)
        except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
            broken.append(f"{file} ({error})")
    if broken:
        shown = "; ".join(broken[:5]) + (f"; and {len(broken) - 5} more" if len(broken) > 5 else "")
        said = f"{len(broken)} of {len(files)} files could not be read and are left out: {shown}"
        warn(said)
    if not images:
        raise ValueError(f"None of the {len(files)} files under {str(path)!r} could be read as an image.")
    sizes = Counter(_size(image) for image in images)
    if len(sizes) > 1:
        told = ", ".join(f"{width}×{height} ({n})" for (width, height), n in sizes.most_common(4))
        raise ValueError(
            f"The images have {len(sizes)} different sizes, such as {told}: give size=64, or size=(height, width), and they "
            "are brought to it."
        )
    if mode == "auto":
        mode = "L" if all(isinstance(image, np.ndarray) or image.mode == "L" for image in images) else "RGB"
    arrays = [image if isinstance(image, np.ndarray) else np.asarray(image.convert(mode)) for image in images]
    scaled = _on_one_scale(arrays, dtype)
    if mode == "L":
        return ImageFolder(np.stack(scaled)[:, None], np.array(labels), read)
    coloured = np.stack([array if array.ndim == 3 else np.repeat(array[:, :, None], 3, axis=2) for array in scaled])
    return ImageFolder(np.ascontiguousarray(np.moveaxis(coloured, 3, 1)), np.array(labels), read)


def in_png_depth(X: np.ndarray) -> np.ndarray:
    """Images (n, C, H, W) read with dtype="keep" in what a PNG file holds: grey uint16 as it is, all else in uint8."""
    if X.dtype == np.uint16 and X.shape[1] == 1:
        return X
    return X if X.dtype == np.uint8 else np.stack(_on_one_scale(list(X), "uint8"))


def write_png(path: Path, image: np.ndarray) -> None:
    """An image (C, H, W) of ``in_png_depth`` as a file."""
    from PIL import Image

    Image.fromarray(image[0] if len(image) == 1 else np.ascontiguousarray(np.moveaxis(image, 0, 2))).save(path, "PNG")


def _size(image) -> tuple[int, int]:
    return image.shape[::-1] if isinstance(image, np.ndarray) else image.size


def _on_one_scale(arrays: list[np.ndarray], dtype: str) -> list[np.ndarray]:
    """Images of 8 bits as they are, and deeper ones, in uint8 or in the deepest of their dtypes."""
    found = {array.dtype for array in arrays}
    if len(found) > 1 and found != {np.dtype(np.uint8), np.dtype(np.uint16)}:
        kinds = Counter(str(array.dtype) for array in arrays)
        told = ", ".join(f"{kind} ({n})" for kind, n in kinds.most_common())
        raise ValueError(
            f"The files have no common scale: their values are {told}. Only uint8 and uint16 go together; convert the files, "
            "or put each kind into a folder of its own."
        )
    if dtype == "keep":
        deep = max(found, key=lambda kind: kind.itemsize)
        return [array if array.dtype == deep else array.astype(deep) * deep.type(257) for array in arrays]
    deep_ones = [array for array in arrays if array.dtype != np.uint8]
    if not deep_ones:
        return arrays
    low, high = float(min(array.min() for array in deep_ones)), float(max(array.max() for array in deep_ones))
    if np.dtype(np.uint16) in found:
        black, white = 0.0, 65535.0
        levels = round(high / 257) - round(low / 257) + 1
        if levels < 64 and high - low >= levels:
            warn(
                f"The values of the files of 16 bits lie between {low:g} and {high:g}, of which uint8 leaves {levels} grey "
                "levels; dtype='keep' keeps all of them."
            )
    else:
        black, white = (0.0, 1.0) if found == {np.dtype(np.float32)} and low >= 0 and high <= 1 else (low, high)
    return [array if array.dtype == np.uint8 else _in_uint8(array, black, white) for array in arrays]


def _in_uint8(array: np.ndarray, black: float, white: float) -> np.ndarray:
    return (255 * ((array.astype(np.float64) - black) / ((white - black) or 1.0))).round().astype(np.uint8)


def _checked_size(size) -> tuple[int, int] | None:
    if size is None:
        return None
    pair = (size, size) if isinstance(size, int | np.integer) else tuple(size)
    if len(pair) != 2 or not all(isinstance(side, int | np.integer) and side >= 1 for side in pair):
        raise ValueError(f"size must be a number of pixels, or (height, width), each at least 1; got {size!r}.")
    return int(pair[0]), int(pair[1])


def class_folders(folder: Path) -> list[str]:
    """Their names, sorted."""
    return sorted(child.name for child in folder.iterdir() if child.is_dir() and not child.name.startswith("."))


def _files(folder: Path, extensions: set[str]) -> list[tuple[Path, str]]:
    """Image files and their classes, in the order of their paths."""
    if not folder.exists():
        raise FileNotFoundError(f"There is no folder {str(folder)!r}.")
    if not folder.is_dir():
        raise NotADirectoryError(f"{str(folder)!r} is a file; give the folder that holds the class folders.")
    classes = class_folders(folder)
    if not classes:
        raise ValueError(
            f"{str(folder)!r} holds no class folders: put the images of each class into a folder of its name, such as "
            f"{folder / 'cat' / '1.jpg'}."
        )
    files = [
        (file, klass)
        for klass in classes
        for file in sorted((folder / klass).rglob("*"))
        if file.suffix.lower() in extensions and not file.name.startswith(".") and file.is_file()
    ]
    if not files:
        raise ValueError(
            f"The {len(classes)} class folders of {str(folder)!r} hold no image file (such as .png or .jpg)."
        )
    return files


def _opened(file: Path, shape: tuple[int, int] | None):
    """An image in mode L or RGB, or an array of a grey image of more than 8 bits, of the wanted size."""
    from PIL import Image, ImageOps, UnidentifiedImageError

    try:
        opened = Image.open(file, formats=[name for name in FORMATS if name in Image.OPEN])
    except UnidentifiedImageError as error:
        raise ValueError(f"it is none of {', '.join(FORMATS[:7])} and the like, or damaged") from error
    with opened:
        _check_pixels(opened, shape)
        opened.load()
        ImageOps.exif_transpose(opened, in_place=True)
    image: Image.Image = opened
    # Older versions of Pillow open grey PNG files of 16 bits in a mode of 32.
    deep = np.uint16 if image.mode.startswith("I;16") or image.format == "PNG" else np.int32
    if image.mode.startswith("I") or image.mode == "F":
        values = np.asarray(image).astype(np.float32 if image.mode == "F" else deep)
        if not np.isfinite(values).all():
            raise ValueError("it has values that are NaN or infinite")
        return values if shape is None else _resized(values, shape)
    if image.mode in ("RGBA", "LA", "PA", "La") or "transparency" in image.info:
        image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image.convert("RGBA")).convert("RGB")
    elif image.mode not in ("L", "RGB"):
        image = image.convert("L" if image.mode == "1" else "RGB")
    return image if shape is None else ImageOps.fit(image, shape[::-1], Image.Resampling.BILINEAR)


def _check_pixels(opened, shape: tuple[int, int] | None) -> None:
    """Refuse more pixels than are read; of a JPEG file so many are decoded as the wanted size needs."""
    width, height = opened.size
    # A progressive file is held in memory as a whole, whatever of it is decoded
    if width * height > MOST_PIXELS and shape is not None and "progressive" not in opened.info:
        opened.draft(None, (max(shape), max(shape)))
    if opened.size[0] * opened.size[1] > MOST_PIXELS:
        most = f"{MOST_PIXELS / 1e6:g} million"
        raise ValueError(
            f"it has {width}×{height} pixels, and more than {most} in a file are not read: make it smaller"
        )


def _resized(values: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    """In floats, the only deep images that every version of Pillow resizes."""
    from PIL import Image, ImageOps

    fitted = ImageOps.fit(Image.fromarray(values.astype(np.float32)), shape[::-1], Image.Resampling.BILINEAR)
    resized = np.asarray(fitted)
    if values.dtype == np.float32:
        return resized
    # float32 rounds integers of 32 bits, which must not leave the range of the image.
    return np.clip(resized.astype(np.float64).round(), values.min(), values.max()).astype(values.dtype)
