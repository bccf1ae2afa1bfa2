"""Embeddings kept on disk, image by image: the folds of a search share images, and no two of them the same array."""

import hashlib
import uuid
from collections.abc import Callable
from pathlib import Path

import numpy as np

from skgan._warnings import warn
from skgan._whole import written_whole
from skgan.samplers._cache import locked

FORMAT = 1
"""Raised when what a file holds changes."""


def names_of(X: np.ndarray) -> list[bytes]:
    """A name for the content of each image."""
    return [hashlib.blake2b(image.tobytes(), digest_size=16).digest() for image in X]


def recall_rows(
    folder: Path, names: list[bytes], compute: Callable[[np.ndarray], np.ndarray], at_once: int
) -> np.ndarray:
    """The row of each name, from the folder where it is there; what is computed is added to the folder.

    Parameters
    ----------
    folder : Path
        Of one network and one way to prepare images.
    names : list of bytes, n
        Of :func:`names_of`; images of one name have one row.
    compute : callable
        Indices of images → their rows, (k, d) float32.
    at_once : int
        Rows that a file holds; what was written before an interruption stays.

    Returns
    -------
    ndarray of shape (n, d), float32
    """
    with locked(folder / "lock", folder.parent.parent, "the images are embedded") as writable:
        known = _read(folder, set(names)) if writable else {}
        first = {name: index for index, name in reversed(list(enumerate(names))) if name not in known}
        missing = np.array(sorted(first.values()), dtype=int)
        for start in range(0, len(missing), at_once):
            part = missing[start : start + at_once]
            rows = compute(part)
            found = [names[index] for index in part.tolist()]
            if writable:
                _write(folder, found, rows)
            known.update(zip(found, rows, strict=True))
    return np.stack([known[name] for name in names])


def _read(folder: Path, wanted: set[bytes]) -> dict[bytes, np.ndarray]:
    known: dict[bytes, np.ndarray] = {}
    for path in sorted(folder.glob("*.npz")):
        try:
            with np.load(path, allow_pickle=False) as file:
                names, rows = [name.tobytes() for name in file["names"]], file["rows"]
            known |= {name: row for name, row in zip(names, rows, strict=True) if name in wanted}
        except Exception as error:  # whatever a damaged archive raises
            warn(
                f"The file {str(path)!r} of the cache cannot be read ({type(error).__name__}: {error}); it is removed, and "
                "its images are embedded again."
            )
            path.unlink(missing_ok=True)
    return known


def _write(folder: Path, names: list[bytes], rows: np.ndarray) -> None:
    """A file of these rows, which appears under its name when it is whole."""
    try:
        with written_whole(folder / f"{uuid.uuid4().hex}.npz") as half, half.open("wb") as file:
            np.savez(file, names=np.frombuffer(b"".join(names), np.uint8).reshape(len(names), -1), rows=rows)
    except OSError as error:
        warn(f"Embeddings are not kept in {str(folder)!r}. {error.strerror or error}")
