"""The one place that warns."""

import sys
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext

_LIBRARIES = {"skgan", "sklearn", "sklearn_compat", "imblearn", "skorch", "joblib", "torch", "contextlib"}
# What a worker hands back; the rest is for developers, and hidden by default
_KINDS = UserWarning, RuntimeWarning, FutureWarning

Told = list[tuple[str, type[Warning]]]


class _Thread(threading.local):
    told: Told | None = None


_THREAD = _Thread()


def warn(message: str, category: type[Warning] = UserWarning) -> None:
    """Warn at the line of the user's code that led here: frames of skgan and of the libraries around it are skipped."""
    if _THREAD.told is not None:
        _THREAD.told.append((message, category))
        return
    level, frame = 2, sys._getframe(1)
    while frame.f_back is not None and frame.f_globals.get("__name__", "").partition(".")[0] in _LIBRARIES:
        level, frame = level + 1, frame.f_back
    warnings.warn(message, category, stacklevel=level)


class _WholeProcess:
    """Warnings of all libraries go to the lists of their threads, from the first thread in to the last thread out.

    ``warnings.catch_warnings`` alone is the whole process's, and a worker of Dask runs several threads.
    """

    def __init__(self):
        self.lock, self.users = threading.Lock(), 0

    def __enter__(self):
        with self.lock:
            if not self.users:
                self.shown, self.caught = warnings.showwarning, warnings.catch_warnings()
                self.caught.__enter__()
                warnings.simplefilter("always")
                warnings.showwarning = self.show
            self.users += 1

    def __exit__(self, *exception):
        with self.lock:
            self.users -= 1
            if not self.users:
                self.caught.__exit__(*exception)

    def show(self, message, category, filename, lineno, file=None, line=None):
        """In place of ``warnings.showwarning``."""
        if _THREAD.told is None:
            self.shown(message, category, filename, lineno, file, line)
        elif issubclass(category, _KINDS):
            _THREAD.told.append((str(message), category))


_WHOLE_PROCESS = _WholeProcess()


@contextmanager
def recorded(*, whole_process: bool) -> Iterator[Told]:
    """Collect the warnings of a block of this thread instead of telling them.

    Parameters
    ----------
    whole_process : bool
        Whether other libraries' are collected too. Their filters are the process's: only a worker's may be changed.
    """
    before, _THREAD.told = _THREAD.told, []
    told = _THREAD.told
    try:
        with _WHOLE_PROCESS if whole_process else nullcontext():
            yield told
    finally:
        _THREAD.told = before
