"""Files and folders that get their name when they are whole, so that a full disk or Ctrl-C leaves what was there."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4


@contextmanager
def written_whole(path) -> Iterator[Path]:
    """A hidden name beside ``path`` to write under: it becomes ``path`` when the block ends, and is gone where that fails.

    Parameters
    ----------
    path : str or path
        Of a file, which may be there already, or of a folder, which may be there and empty. What is no file on a disk (a pipe,
        ``/dev/stdout``) is written as it is.

    Raises
    ------
    OSError
        Names the path where the system's error names none.
    """
    given, path = path, Path(path).resolve()  # the file behind a link is replaced, and not the link
    if path.exists() and not path.is_file() and not path.is_dir():
        yield path
        return
    half = path.with_name(f".{path.name[:100]}-{uuid4().hex}")
    try:
        yield half
        if path.is_dir():  # Windows renames to no folder that is there
            path.rmdir()
        elif path.exists():
            shutil.copymode(path, half)
        os.replace(half, path)
    except OSError as error:
        if error.errno is None:
            raise
        told = f"{str(given)!r} could not be written ({error.strerror}): what was there before is as it was."
        raise OSError(error.errno, told) from error
    finally:
        if half.is_dir():
            shutil.rmtree(half, ignore_errors=True)
        else:
            half.unlink(missing_ok=True)


def write_picture(path, figure, dpi: int) -> None:
    """A figure of matplotlib as a PNG file."""
    with written_whole(path) as half:
        figure.savefig(half, format="png", dpi=dpi)
