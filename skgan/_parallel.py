"""Several calls at once, on the backend that the user set up with ``joblib.parallel_config``: processes where there is none."""

import os
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any
from uuid import uuid4

import numpy as np
import pandas as pd
import torch
from joblib import Parallel, cpu_count, delayed, effective_n_jobs, parallel_config
from joblib.parallel import get_active_backend

from skgan._device import at_place, place
from skgan._warnings import recorded, warn

_PROCESS = uuid4().hex  # a process id alone may be another machine's, and a fork has its parent's token

# How joblib's engines call the death of a worker, without importing them: loky, Dask and Ray
_DEATHS = {
    *("TerminatedWorkerError", "BrokenProcessPool"),
    *("KilledWorker", "FutureCancelledError"),  # the second: with the last worker that held an array of the call
    *("RayActorError", "WorkerCrashedError"),
}

_ARRAYS = np.ndarray, pd.DataFrame, pd.Series

Here = tuple[str, int, int]


@dataclass(frozen=True)
class Call:
    """A function of the calling module's, what it is called with, and what it does, in the middle of a sentence."""

    name: str
    function: Callable[..., Any]
    args: tuple[Any, ...]


def results_of(calls: Sequence[Call], n_jobs) -> Iterator[Any]:
    """The result of each call, in their order and as they are done; warnings of workers are told again here, once.

    Parameters
    ----------
    calls : sequence of Call
    n_jobs : int or None
        Calls at once; None is 1, or what a surrounding ``joblib.parallel_config`` says. A single call runs here. Calls in
        a worker whose own backend would be threads run one after another: its parent has filled the cores.
    """
    first = place()
    if _one_by_one(len(calls)):
        for i, call in enumerate(calls):
            with at_place(first + i):
                result = call.function(*call.args)
            yield result
        return
    backend, _ = get_active_backend(prefer="processes")
    if type(backend).__name__ == "DaskDistributedBackend":
        _tell_of_deaths(backend)
        calls = _with_arrays_on_every_worker(backend, calls)
    returned_as = "generator_unordered" if backend.supports_return_generator else "list"
    done: dict[int, Any] = {}
    tasks = [delayed(_run)(i, first + i, _here(), call.function, *call.args) for i, call in enumerate(calls)]
    following = 0
    try:
        for i, result, told in Parallel(n_jobs=n_jobs, prefer="processes", return_as=returned_as)(tasks):
            done[i] = result
            for message, category in told:
                warn(message, category)
            while following in done:
                yield done.pop(following)
                following += 1
    except Exception as error:
        if _DEATHS.isdisjoint(kind.__name__ for kind in type(error).__mro__):
            raise
        lost = [call.name for i, call in enumerate(calls) if i >= following and i not in done]
        raise RuntimeError(_died(lost, error)) from error


def one_after_another(n_jobs) -> bool:
    """Whether ``results_of`` makes one call at a time with this ``n_jobs``."""
    return effective_n_jobs(n_jobs) == 1


@contextmanager
def single_threaded_processes(most: int) -> Iterator[None]:
    """A block whose calls run in up to so many processes, two at least; all, and this one, have one thread each.

    The results are then the same on any number of cores: the order in which sums are rounded depends on the threads.
    """
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        with parallel_config("loky", n_jobs=max(2, min(most, cpu_count())), inner_max_num_threads=1):
            yield
    finally:
        torch.set_num_threads(threads)


def _one_by_one(n_calls: int) -> bool:
    backend, _ = get_active_backend(prefer="processes")
    return n_calls < 2 or bool(backend.nesting_level and backend.uses_threads)


def _tell_of_deaths(backend: Any) -> None:
    """joblib's Dask backend says nothing of a task that Dask gave up, and joblib 1.6 would wait for it for ever."""
    if "submit" in vars(backend):
        return
    submit = backend.submit

    def submit_and_tell(task, callback=None):
        future = submit(task, callback)
        future.add_done_callback(lambda ended: ended.exception() and callback(ended.exception()))
        return future

    backend.submit = submit_and_tell


def _with_arrays_on_every_worker(backend: Any, calls: Sequence[Call]) -> list[Call]:
    """The calls with futures of arrays and frames: joblib would put each on one worker, and it would be lost with that one."""
    shared = {id(arg): arg for call in calls for arg in call.args if isinstance(arg, _ARRAYS)}
    there = {
        key: backend.client.scatter(arg, broadcast=True, hash=False)
        for key, arg in shared.items()
        if key not in backend.data_futures  # the user's own scatter=
    }
    return [replace(call, args=tuple(there.get(id(arg), arg) for arg in call.args)) for call in calls]


def _here() -> Here:
    return _PROCESS, os.getpid(), threading.get_ident()


def _run(i: int, where: int, caller: Here, function: Callable[..., Any], *args: Any) -> tuple[int, Any, list]:
    """A call in a worker, with its number and its warnings, which nobody would read there."""
    with at_place(where):
        if _here() == caller:
            return i, function(*args), []
        with recorded(whole_process=_here()[:2] != caller[:2]) as told:
            result = function(*args)
    return i, result, list(dict.fromkeys(told))


def _died(lost: list[str], error: Exception) -> str:
    return (
        f"A worker process died ({type(error).__name__}), and no result came back of {', '.join(lost)}. Most often a worker "
        "dies because memory ran out: use fewer workers at once (a smaller n_jobs), or give each less to hold (a smaller "
        "batch_size, fewer rows). Trainings that were finished are kept where memory= names a folder: the same call "
        "then goes on after them."
    )
