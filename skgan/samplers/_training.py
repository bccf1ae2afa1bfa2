"""Training as a pure function, and what is kept of it."""

import os
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import torch
from joblib import Parallel, delayed
from sklearn.base import clone

from skgan._warnings import warn
from skgan.filters import RowFilter
from skgan.nets import GenerativeNet
from skgan.samplers._cache import generator_key, recall, recall_filter


def train_generator(X: np.ndarray, y: np.ndarray, net: GenerativeNet, seed: int) -> dict[str, Any]:
    """Train a clone of the net on encoded rows: a pure function of its arguments that returns plain CPU arrays.

    Parameters
    ----------
    X : ndarray of shape (n, d) or (n, C, H, W)
        Encoded rows.
    y : ndarray of shape (n,) or (n, k)
        Class ids, or real-valued labels.
    net : GenerativeNet
        Its parameters count, its state does not.
    seed : int

    Returns
    -------
    dict
        As :meth:`skgan.nets.GenerativeNet.export`.
    """
    return clone(net).set_params(random_state=seed).fit(X, y).export()


@dataclass(frozen=True)
class Job:
    """The arguments of one training."""

    X: np.ndarray
    y: np.ndarray
    net: GenerativeNet
    seed: int


@dataclass
class Generator:
    """A trained net as arrays, with the rows that it starts from, if any."""

    net: GenerativeNet
    export: dict[str, Any]
    key: str
    source: tuple[np.ndarray, np.ndarray] | None

    @cached_property
    def ready(self) -> GenerativeNet:
        """The net, rebuilt once for all groups that it makes rows of."""
        return clone(self.net).restore(self.export)

    def rest(self) -> None:
        """Let go of the rebuilt net, so that a fitted sampler keeps arrays only (and a fitted DiscriminatorFilter its net)."""
        vars(self).pop("ready", None)

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in vars(self).items() if name != "ready"}


def obtained(memory, job: Job) -> tuple[str, dict[str, Any]]:
    """The key and the export of a training, from the cache where it is there."""
    arguments = job.X, job.y, job.net, job.seed
    if memory is None:
        return "", train_generator(*arguments)
    key = generator_key(*arguments)
    return key, recall(memory, key, lambda: train_generator(*arguments), lambda export: export["complete"])


def obtained_and_warned(memory, job: Job, parent: int) -> tuple[str, dict[str, Any], list[tuple[str, type[Warning]]]]:
    """As ``obtained``, with the warnings of a training in another process than the parent's: nobody would read them there."""
    if os.getpid() == parent:
        return *obtained(memory, job), []
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("default")
        key, export = obtained(memory, job)
    kinds = UserWarning, RuntimeWarning
    return key, export, [(str(one.message), one.category) for one in caught if issubclass(one.category, kinds)]


def train_all(jobs: Sequence[Job], memory, n_jobs) -> list[Generator]:
    """A generator per job, several at once in processes: threads would wait for each other between torch's functions."""
    parallel = Parallel(n_jobs=n_jobs if len(jobs) > 1 else 1, backend="loky")
    trained = parallel(delayed(obtained_and_warned)(memory, job, os.getpid()) for job in jobs)
    generators = []
    for job, (key, export, warned) in zip(jobs, trained, strict=True):
        generators.append(Generator(job.net, export, key, (job.X, job.y) if job.net.needs_source else None))
        for message, category in warned:
            warn(message, category)
    return generators


def fitted_filter(
    row_filter: RowFilter, X: np.ndarray, y: np.ndarray, generators: Sequence[Generator], *, shared: bool, memory
) -> RowFilter:
    """A clone of the filter, fitted on encoded rows and, where all classes share one, with the net."""

    def fit() -> RowFilter:
        return clone(row_filter).fit(X, y, net=generators[0].ready if shared else None)

    keys = [generator.key for generator in generators]
    return fit() if memory is None else recall_filter(memory, keys, row_filter, X, y, fit)


def free_device_memory() -> None:
    """The nets are gone when a sampler returns; what torch kept for them is the classifier's."""
    if torch.cuda.is_initialized():
        torch.cuda.empty_cache()
