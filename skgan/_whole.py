"""Files and folders that get their name when they are whole, so that a full disk or Ctrl-C leaves what was there."""

import hashlib
import os
import re
import shutil
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

_HALF = ".half"
_DAY = 86_400.0
_HOST = hashlib.blake2b(socket.gethostname().encode(), digest_size=4).hexdigest()


@contextmanager
def renamed(path: Path) -> Iterator[Path]:
    """A hidden name beside ``path`` to write under: it becomes ``path`` when the block ends, and is gone where that fails.

    It names the process, so that :func:`remove_leftovers` can tell what a killed one has left.
    """
    half = path.with_name(f".{path.name[:100]}.{_HOST}-{os.getpid()}-{uuid4().hex[:8]}{_HALF}")
    try:
        yield half
        os.replace(half, path)
    finally:
        if half.is_dir():
            shutil.rmtree(half, ignore_errors=True)
        else:
            half.unlink(missing_ok=True)


@contextmanager
def written_whole(path) -> Iterator[Path]:
    """As :func:`renamed`, for a path that the user gave: links and modes stay, and an error is a sentence.

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
    try:
        with renamed(path) as half:
            yield half
            if path.is_dir():  # Windows renames to no folder that is there
                path.rmdir()
            elif path.exists():
                shutil.copymode(path, half)
    except OSError as error:
        if error.errno is None:
            raise
        told = f"{str(given)!r} could not be written ({error.strerror}): what was there before is as it was."
        raise OSError(error.errno, told) from error


def write_picture(path, figure, dpi: int) -> None:
    """A figure of matplotlib as a PNG file."""
    with written_whole(path) as half:
        figure.savefig(half, format="png", dpi=dpi)


def remove_leftovers(folder: Path) -> None:
    """Remove files of ``renamed`` whose process is dead, or of which that is not known, after a day."""
    for half in folder.glob(f".*{_HALF}"):
        made = re.fullmatch(r"\..+\.([0-9a-f]{8})-(\d+)-[0-9a-f]{8}\.half", half.name)
        if made is None:
            continue
        try:
            gone = made[1] == _HOST and not is_alive(int(made[2]))
            if gone or time.time() - half.stat().st_mtime > _DAY:
                half.unlink()
        except OSError:  # somebody else's, or removed meanwhile
            continue


def is_alive(pid: int) -> bool:
    """Whether a process of this machine is there; True where the system does not say."""
    if os.name != "posix":
        return True  # there os.kill would end it
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True
