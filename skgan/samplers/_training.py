"""Training as a pure function, and what is kept of it."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import torch
from sklearn.base import clone

from skgan._parallel import Call, results_of
from skgan.filters import RowFilter
from skgan.nets import GenerativeNet
from skgan.nets._side_by_side import OneByOneError, SideBySideNet, goes_side_by_side
from skgan.nets.checkpoints import Checkpoint
from skgan.samplers._cache import location_of, recall_together
from skgan.samplers._keys import describe, generator_key


def train_generator(
    X: np.ndarray, y: np.ndarray, net: GenerativeNet, seed: int, checkpoint: Checkpoint | None = None
) -> dict[str, Any]:
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
    checkpoint : Checkpoint or None, default=None
        Where the training is kept while it goes on, and where it goes on from.

    Returns
    -------
    dict
        As :meth:`skgan.nets.GenerativeNet.export`.
    """
    ready = clone(net).set_params(random_state=seed)
    ready.checkpoint_ = checkpoint
    return ready.fit(X, y).export(copy=False)  # nobody trains it further


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


SIDE_BY_SIDE = 64
"""Trainings that run as one, at most: their weights are in memory together."""


def alike(jobs: Sequence[Job]) -> list[list[Job]]:
    """The jobs in their order, those that are neighbours and can be trained side by side together."""
    nets = {id(job.net): job.net for job in jobs}
    kinds = {key: repr(describe(net)) if goes_side_by_side(net) else None for key, net in nets.items()}
    groups: list[list[Job]] = []
    for job in jobs:
        kind = kinds[id(job.net)]
        if groups and kind is not None and kind == kinds[id(groups[-1][0].net)] and len(groups[-1]) < SIDE_BY_SIDE:
            groups[-1].append(job)
        else:
            groups.append([job])
    return groups


def exports_of(
    jobs: Sequence[Job], together: Checkpoint | None = None, each: Sequence[Checkpoint | None] | None = None
) -> list[dict[str, Any]]:
    """What :func:`train_generator` returns for each of alike jobs, up to rounding; trained side by side where that works.

    Checkpoints are those of the jobs as one training, and of each by itself.
    """
    if len(jobs) > 1:
        joined = SideBySideNet(**jobs[0].net.get_params(deep=False))
        joined.checkpoint_ = together
        with suppress(OneByOneError):
            return joined.fit_each([job.X for job in jobs], [job.seed for job in jobs])
    own = each or [None] * len(jobs)
    return [train_generator(job.X, job.y, job.net, job.seed, kept) for job, kept in zip(jobs, own, strict=True)]


def obtained(memory, jobs: list[Job]) -> list[dict[str, Any]]:
    """The export of each of alike jobs, from the cache where they are there."""
    if location_of(memory) is None:
        return exports_of(jobs)
    keys = [generator_key(job.X, job.y, job.net, job.seed) for job in jobs]

    def train(numbers: list[int], together: Any, each: Any) -> list[dict[str, Any]]:
        return exports_of([jobs[i] for i in numbers], together, each)

    return recall_together(memory, keys, train, lambda export: export["complete"])


def train_all(jobs: Sequence[Job], memory, n_jobs) -> list[Generator]:
    """A generator per job; small nets of one kind are trained side by side, and others several at once in processes."""
    groups = alike(jobs)
    calls = [Call(", ".join(job.name for job in group), obtained, (memory, group)) for group in groups]
    trained = [one for group in results_of(calls, n_jobs) for one in group]
    return [
        Generator(job.net, export, (job.X, job.y) if job.net.needs_source else None)
        for job, export in zip(jobs, trained, strict=True)
    ]


def fitted_filter(
    row_filter: RowFilter, X: np.ndarray, y: np.ndarray, generators: Sequence[Generator], *, shared: bool
) -> RowFilter:
    """A clone of the filter, fitted on encoded rows and, where all classes share one, with the net."""
    return clone(row_filter).fit(X, y, net=generators[0].ready if shared else None)


def free_device_memory() -> None:
    """The nets are gone when a sampler returns; what torch kept for them is the classifier's."""
    if torch.cuda.is_initialized():
        torch.cuda.empty_cache()
