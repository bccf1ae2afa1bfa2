"""Temporary folders that do not outlive their process for long: after a kill, the next process removes them."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from uuid import uuid4

from filelock import FileLock, Timeout

_PREFIX = "skgan-scratch-"


@contextmanager
def scratch_folder() -> Iterator[Path]:
    """A folder among the system's temporary ones, removed when the block ends.

    Beside it is a lock file that the process holds, and that the system lets go of when the process is killed: by it, the next
    caller sees which folders nobody uses any more, and removes them.
    """
    _remove_left_ones()
    folder = Path(tempfile.gettempdir()) / f"{_PREFIX}{uuid4().hex}"
    lock = FileLock(_lock_of(folder))
    with lock:
        try:
            folder.mkdir(mode=0o700)
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)
            with suppress(OSError):  # Windows removes no file that is open; there the next caller does
                _lock_of(folder).unlink()


def _lock_of(folder: Path) -> Path:
    return folder.with_name(f"{folder.name}.lock")


def _remove_left_ones() -> None:
    for path in Path(tempfile.gettempdir()).glob(f"{_PREFIX}*.lock"):
        try:
            with FileLock(path, timeout=0):
                shutil.rmtree(path.with_suffix(""), ignore_errors=True)
                path.unlink(missing_ok=True)
        except (Timeout, OSError):  # in use, or another user's
            continue
