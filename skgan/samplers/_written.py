"""What ``fit_resample`` returns: X with the new rows underneath, in memory or, with ``out=``, in files."""

import math
import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from skgan._mapped import is_mapped, row_pieces
from skgan._whole import renamed
from skgan.codecs._arrays import machine_memory
from skgan.samplers._containers import stacked
from skgan.samplers._factory import Made
from skgan.samplers._task import Task


class InMemory:
    """X and y with new rows underneath, or these alone, in the user's containers."""

    sink: Callable[[Any], None]
    """Where a row factory puts its rows, piece by piece."""

    def __init__(self, task: Task, X, y, keep_real: bool):
        self.task, self.X, self.y, self.keep_real = task, X, y, keep_real
        self.pieces: list[Any] = []
        self.sink = self.pieces.append
        self.n_rows = len(task.y) * keep_real + int(sum(task.wanted.values()))
        self._check()

    def _check(self) -> None:
        """Refuse what would not fit."""
        if is_mapped(self.task.checked.X) and self._n_bytes > machine_memory():
            raise ValueError(
                f"X is mapped from a file, and X with the new rows takes {self._n_bytes / 2**30:.3g} GiB, more than the "
                f"{machine_memory() / 2**30:.3g} GiB of this machine's memory: have them written, by "
                "fit_resample(X, y, out=folder), or take the new rows alone, by train(X, y).sample_iter(counts)."
            )

    @property
    def _n_bytes(self) -> int:
        X = self.task.checked.X
        return self.n_rows * math.prod(X.shape[1:]) * X.dtype.itemsize

    def __enter__(self) -> "InMemory":
        return self

    def __exit__(self, *error) -> None:
        pass

    def result(self, made: Made) -> tuple[Any, Any]:
        """X and y."""
        container = self.task.container
        if self.keep_real:
            return container.under(self.X, self.task.checked.X, self.pieces), container.y.under(self.y, made.y)
        return container.rows(stacked([made.X, *self.pieces])), container.y.like(made.y)


class InFiles(InMemory):
    """``X.npy`` and ``y.npy`` in a new folder, which gets its name when both are whole.

    Rows are written as to any file, and not through a map: on a full disk that is an error, and the map would end the process.
    """

    def __init__(self, task: Task, X, y, keep_real: bool, out):
        self.out = Path(out)
        self.file: BinaryIO | None = None
        super().__init__(task, X, y, keep_real)
        self.sink = self._write

    def _check(self) -> None:
        """Refuse what cannot be written."""
        X, parent = self.task.checked.X, self.out.absolute().parent
        if self.out.exists() or self.out.is_symlink():
            raise ValueError(f"out={str(self.out)!r} is there already: name a folder that is not, or delete it first.")
        if not parent.is_dir():
            raise ValueError(f"out={str(self.out)!r} is to lie in {str(parent)!r}, which is no folder: make it first.")
        if self.task.container.list_type is not None or not isinstance(X, np.ndarray) or X.dtype.hasobject:
            raise ValueError(
                f"out= writes arrays of numbers, and X is {_kind(self.X)}: convert it, or leave out= away."
            )
        if not isinstance(self.y, np.ndarray) or self.y.dtype.hasobject:
            raise ValueError(
                f"out= writes y as an array of numbers or strings, and y is {_kind(self.y)}: convert it, or leave out= away."
            )
        free = shutil.disk_usage(parent).free
        if self._n_bytes > free:
            raise ValueError(
                f"The result takes {self._n_bytes / 2**30:.3g} GiB, and {str(parent)!r} has {free / 2**30:.3g} GiB left: name "
                "a folder on another disk, or take the new rows alone, by train(X, y).sample_iter(counts)."
            )

    def __enter__(self) -> "InFiles":
        self.renaming = ExitStack()
        with self._told():
            self.folder = self.renaming.enter_context(renamed(self.out.absolute()))
            self.folder.mkdir()
        return self

    def __exit__(self, *error) -> None:
        if self.file is not None:
            self.file.close()
        self.renaming.__exit__(*error)

    @contextmanager
    def _told(self) -> Iterator[None]:
        """Say which folder could not be written."""
        try:
            yield
        except OSError as error:
            raise OSError(
                error.errno,
                f"The rows could not be written to out={str(self.out)!r} ({error.strerror or error}): nothing was left there. "
                "Name a folder on a disk with more room.",
            ) from error

    def _begin(self) -> BinaryIO:
        """The file of X, with the real rows in it."""
        X = self.task.checked.X
        self.file = file = open(self.folder / "X.npy", "wb")  # noqa: SIM115 (it is closed when the block ends)
        shape = (self.n_rows, *X.shape[1:])
        described = {"descr": np.lib.format.dtype_to_descr(X.dtype), "fortran_order": False, "shape": shape}
        np.lib.format.write_array_header_1_0(file, described)
        if self.keep_real:
            for piece in row_pieces(X):
                file.write(np.ascontiguousarray(X[piece]).data)
        return file

    def _write(self, rows: np.ndarray) -> None:
        with self._told():
            file = self.file or self._begin()
            file.write(np.ascontiguousarray(rows, dtype=self.task.checked.X.dtype).data)

    def result(self, made: Made) -> tuple[Any, Any]:
        """X and y, mapped from their files."""
        y = self.task.container.y
        with self._told():
            (self.file or self._begin()).close()
            np.save(self.folder / "y.npy", y.under(self.y, made.y) if self.keep_real else y.like(made.y))
            self.renaming.close()
        X, y = (np.load(self.out / name, mmap_mode="r+") for name in ("X.npy", "y.npy"))
        return X, y


def _kind(data) -> str:
    return f"an array of {data.dtype}" if isinstance(data, np.ndarray) else f"a {type(data).__name__}"


def stacking(task: Task, X, y, keep_real: bool, out) -> InMemory:
    """Where the result goes, or a sentence where it cannot go there."""
    if out is not None:
        return InFiles(task, X, y, keep_real, out)
    return InMemory(task, X, y, keep_real)
