"""Training as a pure function, and what is kept of it."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import torch
from sklearn.base import clone

from skgan._parallel import Call, results_of
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
    """The arguments of one training, and its name in the middle of a sentence."""

    X: np.ndarray
    y: np.ndarray
    net: GenerativeNet
    seed: int
    name: str = "the training"


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


def train_all(jobs: Sequence[Job], memory, n_jobs) -> list[Generator]:
    """A generator per job, several at once."""
    trained = results_of([Call(job.name, obtained, (memory, job)) for job in jobs], n_jobs)
    return [
        Generator(job.net, export, key, (job.X, job.y) if job.net.needs_source else None)
        for job, (key, export) in zip(jobs, trained, strict=True)
    ]


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
