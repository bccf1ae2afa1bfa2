"""What a fit will take, by a second of each of its trainings."""

import os
import threading
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import pandas as pd
from joblib import effective_n_jobs
from sklearn.base import clone

from skgan.samplers._factory import RowFactory

if TYPE_CHECKING:
    from skgan.samplers._base import BaseGenerativeSampler

SECONDS = 1.0
"""Of each training that is tried; one step where that takes longer."""
ROWS = 256
"""That are made to see how long that takes: one block."""


class Estimate(NamedTuple):
    """What ``fit_resample`` will take.

    Attributes
    ----------
    seconds : float
        Of encoding, all trainings, and making the rows.
    bytes : int or None
        Memory that this process will take beside what it holds already, the result included; None where the system does not
        say. Of a GPU's memory nothing is said.
    """

    seconds: float
    bytes: int | None

    def __str__(self) -> str:
        memory = "" if self.bytes is None else f", {self.bytes / 1e6:,.0f} MB"
        return (
            f"about {self.seconds:,.2g} s{memory}"
            if self.seconds < 100
            else f"about {self.seconds / 60:,.0f} min{memory}"
        )


def estimated(sampler: "BaseGenerativeSampler", X, y, **side) -> Estimate:
    """What a fit of the sampler will take; it is not changed."""
    task = sampler.checked_task(X, y, **side)
    tried = clone(sampler).set_params(max_time=SECONDS, memory=None, verbose=0)
    with warnings.catch_warnings(), watched_memory() as peak:
        warnings.simplefilter("ignore")  # the fit itself will warn
        begin = time.perf_counter()
        factory = tried.train(X, y, **side)
        elapsed = time.perf_counter() - begin
        of_rows = _seconds_of_rows(factory, task.wanted)
    n_jobs = effective_n_jobs(sampler.n_jobs)
    tried_for, needed = _of_trainings(factory.history, sampler.max_time)
    n_new, n_real = sum(task.wanted.values()), len(task.y)
    taken = peak()
    if taken is not None:
        taken += int((1 + n_new / n_real) * _n_bytes(task.checked.X))
    return Estimate(float(max(0.0, elapsed - tried_for / n_jobs) + needed / n_jobs + of_rows), taken)


def _of_trainings(history: pd.DataFrame, max_time: float | None) -> tuple[float, float]:
    """Seconds that the trainings were tried for, and that they would need."""
    tried_for = needed = 0.0
    if not len(history):
        return tried_for, needed
    for _, records in history.groupby("class") if "class" in history else [("", history)]:
        steps, seconds = records["step"].to_numpy(), records["seconds"].to_numpy()
        first = len(steps) // 2 - 1  # the first steps are slow
        before = (steps[first], seconds[first]) if first >= 0 else (0, 0.0)
        of_step = (seconds[-1] - before[1]) / (steps[-1] - before[0])
        left = of_step * (records["max_steps"].iloc[-1] - steps[-1])
        tried_for += seconds[-1]
        needed += min(seconds[-1] + left, max_time or float("inf"))
    return tried_for, needed


def _seconds_of_rows(factory: RowFactory, wanted: dict[Any, int]) -> float:
    name, n = max(wanted.items(), key=lambda item: item[1], default=("", 0))
    if not n:
        return 0.0
    begin = time.perf_counter()
    factory.make({name: min(n, ROWS)})
    return (time.perf_counter() - begin) * sum(wanted.values()) / min(n, ROWS)


def _n_bytes(X) -> int:
    if isinstance(X, pd.DataFrame):
        return int(X.memory_usage(index=False).sum())
    return X.nbytes if "nbytes" in dir(X) else X.data.nbytes + X.indices.nbytes + X.indptr.nbytes


@contextmanager
def watched_memory() -> Iterator[Any]:
    """Yield a function that returns by how many bytes this process has grown in the block, at most; None if nobody says."""
    statm = Path("/proc/self/statm")
    if not statm.exists():
        yield lambda: None
        return
    page = os.sysconf("SC_PAGE_SIZE")

    def resident() -> int:
        return page * int(statm.read_text().split()[1])

    before = resident()
    peak, ended = [before], threading.Event()

    def watch() -> None:
        while not ended.wait(0.005):
            peak.append(max(peak.pop(), resident()))

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    try:
        yield lambda: max(peak[-1], resident()) - before
    finally:
        ended.set()
        watcher.join()
