"""Reading a user's own images."""

from collections import Counter
from pathlib import Path

import numpy as np

from skgan._warnings import warn


def load_image_folder(path, size: int | tuple[int, int] | None = None, *, mode: str = "auto"):
    """Images from a folder of class folders, as arrays that every sampler takes.

    ``photos/cat/1.jpg`` is an image of class "cat"; folders inside a class folder belong to it. The order is that of the sorted
    paths, on every machine. Transparency is laid over white, and the orientation that a camera noted is applied.

    Parameters
    ----------
    path : str or path
        The folder that holds the class folders.
    size : int, (height, width) or None, default=None
        In pixels. Images of another shape are cut to the wanted proportion around their middle, then resized. None: all must
        have one size.
    mode : {"auto", "L", "RGB"}, default="auto"
        Grey or coloured; "auto" is grey where every image is.

    Returns
    -------
    X : ndarray of shape (n, C, height, width), uint8
    y : ndarray of shape (n,), str
        The class folders' names.

    Raises
    ------
    ImportError
        Without Pillow (``skgan[images]``).
    FileNotFoundError, NotADirectoryError
        For a path that is no folder.
    ValueError
        Where there is no class folder, no image, or no common size.

    Warns
    -----
    UserWarning
        Names the files that could not be read; they are left out.
    """
    try:
        from PIL import Image
    except ImportError as error:
        raise ImportError('Reading image files needs Pillow: pip install "skgan[images]".') from error
    if mode not in ("auto", "L", "RGB"):
        raise ValueError(f"mode must be 'auto', 'L' or 'RGB', got {mode!r}.")
    shape = _checked_size(size)
    files = _files(Path(path), set(Image.registered_extensions()))
    images, labels, broken = [], [], []
    for file, label in files:
        try:
            images.append(_opened(file, shape))
            labels.append(label)
        except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
            broken.append(f"{file} ({error})")
    if broken:
        shown = "; ".join(broken[:5]) + (f"; and {len(broken) - 5} more" if len(broken) > 5 else "")
        said = f"{len(broken)} of {len(files)} files could not be read and are left out: {shown}"
        warn(said)
    if not images:
        raise ValueError(f"None of the {len(files)} files under {str(path)!r} could be read as an image.")
    sizes = Counter(image.size for image in images)
    if len(sizes) > 1:
        told = ", ".join(f"{width}×{height} ({n})" for (width, height), n in sizes.most_common(4))
        raise ValueError(
            f"The images have {len(sizes)} different sizes, such as {told}: give size=64, or size=(height, width), and they "
            "are brought to it."
        )
    if mode == "auto":
        mode = "L" if all(image.mode == "L" for image in images) else "RGB"
    stacked = np.stack([np.asarray(image.convert(mode)) for image in images])
    X = stacked[:, None] if mode == "L" else np.ascontiguousarray(np.moveaxis(stacked, 3, 1))
    return X, np.array(labels)


def _checked_size(size) -> tuple[int, int] | None:
    if size is None:
        return None
    pair = (size, size) if isinstance(size, int | np.integer) else tuple(size)
    if len(pair) != 2 or not all(isinstance(side, int | np.integer) and side >= 1 for side in pair):
        raise ValueError(f"size must be a number of pixels, or (height, width), each at least 1; got {size!r}.")
    return int(pair[0]), int(pair[1])


def _files(folder: Path, extensions: set[str]) -> list[tuple[Path, str]]:
    """Image files and their classes, in the order of their paths."""
    if not folder.exists():
        raise FileNotFoundError(f"There is no folder {str(folder)!r}.")
    if not folder.is_dir():
        raise NotADirectoryError(f"{str(folder)!r} is a file; give the folder that holds the class folders.")
    classes = sorted(child for child in folder.iterdir() if child.is_dir() and not child.name.startswith("."))
    if not classes:
        raise ValueError(
            f"{str(folder)!r} holds no class folders: put the images of each class into a folder of its name, such as "
            f"{folder / 'cat' / '1.jpg'}."
        )
    files = [
        (file, klass.name)
        for klass in classes
        for file in sorted(klass.rglob("*"))
        if file.suffix.lower() in extensions and not file.name.startswith(".") and file.is_file()
    ]
    if not files:
        raise ValueError(
            f"The {len(classes)} class folders of {str(folder)!r} hold no image file (such as .png or .jpg)."
        )
    return files


def _opened(file: Path, shape: tuple[int, int] | None):
    """An image in mode L or RGB, of the wanted size."""
    from PIL import Image, ImageOps

    with Image.open(file) as opened:
        image = ImageOps.exif_transpose(opened)
        image.load()
    if image.mode in ("RGBA", "LA", "PA", "La") or "transparency" in image.info:
        image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image.convert("RGBA")).convert("RGB")
    elif image.mode.startswith("I") or image.mode == "F":
        # Scientific greys: more than 8 bits are scaled by the image's own range.
        values = np.asarray(image, dtype=np.float64)
        low, high = values.min(), values.max()
        image = Image.fromarray((255 * (values - low) / ((high - low) or 1.0)).round().astype(np.uint8))
    else:
        image = image.convert("L" if image.mode in ("L", "1") else "RGB")
    return image if shape is None else ImageOps.fit(image, shape[::-1], Image.Resampling.BILINEAR)
