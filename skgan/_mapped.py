"""Arrays that are files mapped into memory: told from others, and read a piece at a time."""

import mmap
import tempfile
from collections.abc import Iterable, Iterator

import numpy as np

LARGE = 1 << 28
"""Bytes up to which a mapped array is treated like any other."""

PIECE = 1 << 25
"""Bytes of the rows that are looked at together."""


def is_mapped(array) -> bool:
    """Whether an array's values lie in a file that is mapped into memory, as those of ``numpy.memmap`` and its views do."""
    while isinstance(array, np.ndarray):
        array = array.base
    return isinstance(array, mmap.mmap)


def is_large(array) -> bool:
    """Whether an array is mapped and has more bytes than ``LARGE``."""
    return is_mapped(array) and array.nbytes > LARGE


def row_pieces(array: np.ndarray) -> Iterator[slice]:
    """Slices of rows that follow each other, each of about ``PIECE`` bytes."""
    step = max(1, PIECE * len(array) // max(1, array.nbytes))
    for start in range(0, len(array), step):
        yield slice(start, min(start + step, len(array)))


def evenly(array):
    """About ``LARGE`` bytes of evenly spaced rows of a large mapped array; anything else as it is."""
    return array[:: -(-array.nbytes // LARGE)] if is_large(array) else array


def rows_that_show_all(table: np.ndarray) -> np.ndarray:
    """Numbers of evenly spaced rows, and of each column's first lowest, highest and missing value where these are few rows."""
    n, d = table.shape
    rows = [np.arange(n)[:: -(-table.nbytes // LARGE)]]
    if 3 * d * table.nbytes <= LARGE * n:
        best = np.full((2, d), np.inf)
        at = np.zeros((3, d), dtype=int)
        for piece in row_pieces(table):
            values = table[piece].astype(np.float64)
            gone = np.isnan(values)
            at[2] = np.where(gone.any(0) & (at[2] == 0), piece.start + gone.argmax(0), at[2])
            for k, signed in enumerate((values, -values)):
                signed[gone] = np.inf
                lowest = signed.min(0)
                at[k] = np.where(lowest < best[k], piece.start + signed.argmin(0), at[k])
                best[k] = np.minimum(best[k], lowest)
        rows.append(at.ravel())
    return np.unique(np.concatenate(rows))


def some_of(rows: np.ndarray, array: np.ndarray, most: int) -> np.ndarray:
    """These rows of an array, by their numbers; of a large mapped one at most so many of them, evenly spaced."""
    return rows[:: -(-len(rows) // most)] if is_large(array) and len(rows) > most else rows


def in_a_file(pieces: Iterable[np.ndarray], shape: tuple[int, ...]) -> np.ndarray:
    """Pieces of rows, float32, underneath each other in a mapped file without a name, which is gone when nobody uses it."""
    folder = tempfile.gettempdir()
    try:
        with tempfile.TemporaryFile(dir=folder) as file:
            for piece in pieces:
                file.write(np.ascontiguousarray(piece, dtype=np.float32).data)
            file.flush()
            return np.asarray(np.memmap(file, np.float32, "r", shape=shape))
    except OSError as error:
        raise OSError(
            error.errno,
            f"The encoded rows take {4 * np.prod(shape, dtype=float) / 2**30:.3g} GiB, and could not be written to the folder "
            f"for temporary files {folder!r} ({error.strerror}). Name one with more room by the environment variable TMPDIR.",
        ) from error
