"""From a checked call to the row factory: encode, choose the nets, train, and set up the makers."""

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from sklearn.base import clone

from skgan._mapped import LARGE, is_large, is_mapped, some_of
from skgan._random import draw_seeds, sub_seed
from skgan.codecs import Codec, choose_codec
from skgan.filters import RowFilter
from skgan.nets import GenerativeNet
from skgan.samplers._blends import BlendMaker, MixtureMaker, checked_shares
from skgan.samplers._cache import location_of
from skgan.samplers._checks import warn_of_identifiers
from skgan.samplers._factory import RowFactory
from skgan.samplers._makers import ConditionMaker, CopyMaker, JitterMaker, Maker, NetMaker
from skgan.samplers._nets import prepared, require, resolve_nets
from skgan.samplers._plan import TOO_FEW, Plan
from skgan.samplers._rows import Donors, Rows
from skgan.samplers._task import Task
from skgan.samplers._training import Generator, Job, fitted_filter, train_all

if TYPE_CHECKING:
    from skgan.samplers._base import BaseGenerativeSampler


MAX_MIXED = 10_000
"""Rows of each group that are mixed with each other, evenly spaced: to look up the neighbours of all would be quadratic."""


def built_factory(sampler: "BaseGenerativeSampler", task: Task) -> RowFactory:
    """Train what the task needs.

    Parameters
    ----------
    sampler : BaseGenerativeSampler
        Its parameters count; it is not changed.
    task : Task
    """
    location_of(sampler.memory)
    X, labels, members = task.checked.X, task.labels, task.members
    train_seed, sample_seed = draw_seeds(sampler.random_state, 2)
    codec = clone(choose_codec(sampler.codec, X, categorical_features=sampler.categorical_features)).fit(X)
    rows = Rows(codec, (X.iloc[:0] if isinstance(X, pd.DataFrame) else X[:0]).copy(), task.container)
    sizes = np.bincount(members, minlength=len(labels.classes))
    wanted = [labels.number_of(name) for name, n in task.wanted.items() if n]
    nets, shares = _checked_nets(sampler, task, codec, wanted, sizes)
    plan = _plan(sampler, task, nets, wanted, sizes)
    if not wanted:
        return RowFactory(rows, labels, {}, [], {}, None, None, sample_seed, pd.DataFrame())
    if not codec.is_image:
        warn_of_identifiers(X)
    encoded = codec.transform(X)
    if isinstance(X, np.ndarray) and not is_mapped(X) and np.may_share_memory(encoded, X):
        encoded = (
            encoded.copy()
        )  # what is kept of a fit is not the caller's to change; a file may be larger than memory
    donors = Donors(codec, X, encoded, members, sample_seed) if len(codec.inherited_) else None
    rows = Rows(codec, rows.empty, task.container, donors, codec.ranges(X, members))
    largest = f"There are {len(members)} rows, and a net needs at least {TOO_FEW}"
    if task.conditions is None:
        largest = f"The largest class has {sizes.max()} rows, and a net needs a class of at least {TOO_FEW}"
    plan.warn(labels.names(), largest)
    memory = None if sampler.random_state is None else sampler.memory  # fresh entropy would only fill the disk
    gaussian = None
    used = {name for i in plan.trained for name in shares[i]}
    if "gaussian" in used:
        job = Job(encoded, members, prepared("gaussian", codec, {}), sub_seed(train_seed, len(sizes)))
        gaussian = train_all([job], memory, None)[0]
    jobs = _jobs(sampler, task, nets, plan, encoded, train_seed) if "net" in used else []
    generators = train_all(jobs, memory, sampler.n_jobs)
    row_filter = None
    if plan.trained and sampler.row_filter is not None:
        shared = bool(generators) and not sampler.per_class
        judged = _judged(encoded, members)
        row_filter = fitted_filter(sampler.row_filter, *judged, generators, shared=shared)
    makers = _Makers(sampler, task, codec, encoded, sizes, plan, generators, gaussian, shares)
    made_by = {i: maker for i in range(len(sizes)) if (maker := makers.of(i)) is not None}
    fill = {} if row_filter is None else {i: makers.copier(i) for i, n in enumerate(sizes) if n}
    trained = generators if gaussian is None else [*generators, gaussian]
    starts_from_real = (
        bool(fill or plan.copied or plan.jittered)
        or any(generator.source for generator in generators)
        or not used.isdisjoint(("mixture", "copy"))
    )
    return RowFactory(
        rows,
        labels,
        made_by,
        trained,
        fill,
        row_filter,
        encoded if starts_from_real else None,
        sample_seed,
        _history(generators, plan, labels.classes if sampler.per_class else None),
    )


def _rows_of(members: np.ndarray, sizes: np.ndarray) -> list[np.ndarray]:
    """The rows of each group."""
    return np.split(np.argsort(members, kind="stable"), np.cumsum(sizes)[:-1])


def _judged(encoded: np.ndarray, members: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The rows that a row filter learns from, and their groups: all, or of a large mapped array evenly spaced ones of each."""
    if not is_large(encoded):
        return encoded, members
    groups = np.unique(members)
    most = max(2, LARGE // encoded[:1].nbytes // len(groups))
    rows = np.sort(np.concatenate([some_of(np.flatnonzero(members == i), encoded, most) for i in groups]))
    return encoded[rows], members[rows]


@dataclass(frozen=True)
class _Makers:
    """What makes the rows of each group."""

    sampler: "BaseGenerativeSampler"
    task: Task
    codec: Codec
    encoded: np.ndarray
    sizes: np.ndarray
    plan: Plan
    generators: list[Generator]
    gaussian: Generator | None
    shares: dict[int, dict[str, float]]

    @cached_property
    def of_group(self) -> list[np.ndarray]:
        """The real rows of each."""
        return _rows_of(self.task.members, self.sizes)

    @cached_property
    def by_plan(self) -> dict[int, str]:
        """Group → what is done where nothing is trained."""
        return {**dict.fromkeys(self.plan.copied, "copied"), **dict.fromkeys(self.plan.jittered, "jittered")}

    @cached_property
    def trained(self) -> dict[int, Generator]:
        """Group → its own net."""
        return dict(zip(self.plan.trained, self.generators, strict=False)) if self.sampler.per_class else {}

    def of(self, i: int) -> Maker | None:
        """The maker of group i, or None where it has none."""
        if self.by_plan.get(i) == "copied":
            return self.copier(i)
        if self.by_plan.get(i) == "jittered":
            return JitterMaker(self.encoded[self.of_group[i]], int(self.of_group[i][0]), self.codec.numeric_)
        shares = self.shares.get(i, {})
        makers = {name: maker for name in shares if (maker := self._of_share(name, i)) is not None}
        if len(makers) < 2 or ("net" in shares and "net" not in makers):
            return makers.get("net") if "net" in shares else next(iter(makers.values()), None)
        return BlendMaker(makers, {name: shares[name] for name in makers})

    def _of_share(self, name: str, i: int) -> Maker | None:
        described = self.task.labels.described(i)
        if name == "net":
            return self._of_net(i, described)
        if not self.sizes[i]:
            return None
        if name == "gaussian":
            return None if self.gaussian is None else NetMaker(self.gaussian, i, described, origin="gaussian")
        if name == "mixture" and self.sizes[i] > 1:  # a single row has no other to mix with
            members = self.of_group[i]
            return MixtureMaker(self.encoded, members[:: -(-len(members) // MAX_MIXED)], self.codec)
        return self.copier(i)

    def _of_net(self, i: int, described: str) -> Maker | None:
        # A class that needed no rows is made by the net that all share.
        generator = self.trained.get(i) if self.sampler.per_class else next(iter(self.generators), None)
        if generator is None:
            return None
        if self.task.conditions is not None:
            return ConditionMaker(generator, self.task.conditions, i, described)
        class_id, members = (0, self.of_group[i]) if self.sampler.per_class else (i, None)
        return NetMaker(generator, class_id, described, members)

    def copier(self, i: int) -> CopyMaker:
        """Copies of the group's rows."""
        conditions = None if self.task.conditions is None else self.task.conditions.values
        return CopyMaker(self.encoded, self.of_group[i], conditions)


def _checked_nets(
    sampler, task: Task, codec, wanted: list[int], sizes: np.ndarray
) -> tuple[dict[int, GenerativeNet], dict[int, dict[str, float]]]:
    """Group → net, ready to train, and group → shares of its makers; every refusal that needs no training."""
    shortcuts: dict[str, Any] = {
        "max_steps": sampler.max_steps,
        "max_time": sampler.max_time,
        "device": sampler.device,
        "verbose": sampler.verbose,
    }

    def prepare(net) -> GenerativeNet:
        return prepared(net, codec, shortcuts, lambda: sampler.auto_net(codec, task.conditions is not None))

    given = None if isinstance(sampler.shares, str) else checked_shares(sampler.shares, task.conditions is not None)
    names = task.labels.names()
    unseen = [names[i] for i in wanted if not sizes[i]]
    _check_unseen(unseen, sampler.row_filter is not None, int(sizes.max()), given)
    if given is not None and "net" not in given:
        nets: dict[int, GenerativeNet] = {}
    elif task.conditions is None:
        nets = resolve_nets(sampler.net, wanted, names, per_class=sampler.per_class, prepare=prepare)
    else:
        if not wanted or len(task.members) < TOO_FEW:
            return {}, {}
        nets = dict.fromkeys(wanted, prepare(sampler.net))
        nets[wanted[0]].check_takes_conditions()
    shared = nets[wanted[0]] if nets and not sampler.per_class else None
    for trait in sampler.required_traits if wanted else ():
        require(shared, trait)
    if sampler.row_filter is not None and wanted and sizes.max() >= TOO_FEW:
        _check_filter(sampler.row_filter, len(sizes), task.conditions is not None, shared)
    if given is None:
        own = {i: checked_shares(sampler.auto_shares(codec, net, len(sizes))) for i, net in nets.items()}
        # Classes that need no rows are made by the net that all share
        return nets, own if shared is None else dict.fromkeys(range(len(sizes)), own[wanted[0]])
    return nets, dict.fromkeys(range(len(sizes)), given)


def _check_filter(row_filter: RowFilter, n_groups: int, conditions: bool, shared: GenerativeNet | None) -> None:
    """Refuse a row filter that does not go with the labels or the net."""
    row_filter.check()
    name = type(row_filter).__name__
    if row_filter.needs_classes and n_groups < 2:
        raise ValueError(f"{name} tells classes apart, and y holds real-valued labels; use NeighbourFilter or None.")
    if row_filter.needs_scores and conditions:
        raise ValueError(
            "A row filter such as DiscriminatorFilter asks how real a row of a class looks, and this net is told "
            "real-valued labels; use ClassifierFilter or NeighbourFilter here."
        )
    if row_filter.needs_scores:
        require(shared, "scores_rows")


def _check_unseen(unseen: list, filtered: bool, largest: int, shares: dict[str, float] | None) -> None:
    """Refuse what cannot be done for a class without rows."""
    if unseen and filtered:
        raise ValueError(
            f"The classes {unseen} have no real rows that a row filter could measure new ones by; set row_filter=None."
        )
    if unseen and shares is not None and "net" not in shares:
        raise ValueError(
            f"The classes {unseen} have no real rows, and only a net can make rows of them: give 'net' a weight in shares."
        )
    if unseen and largest < TOO_FEW:
        raise ValueError(
            f"The largest class has {largest} rows, and rows of the classes {unseen}, which have none, can be "
            f"made only by a net that learned from a class of at least {TOO_FEW}."
        )


def _plan(sampler, task: Task, nets: dict[int, GenerativeNet], wanted: list[int], sizes: np.ndarray) -> Plan:
    if task.conditions is not None:
        return Plan.of_conditions(wanted, len(task.members))
    return Plan.of_classes(wanted, sizes, lambda i: i in nets and nets[i].starts_from_one_row and not sampler.per_class)


def _jobs(sampler, task: Task, nets, plan: Plan, encoded: np.ndarray, seed: int) -> list[Job]:
    """One training, or one a class."""
    if not plan.trained:
        return []
    if sampler.per_class:
        rows = _rows_of(task.members, np.bincount(task.members))
        named = {i: f"the training{task.labels.described(i)}" for i in plan.trained}
        return [
            Job(encoded[rows[i]], np.zeros(len(rows[i]), int), nets[i], sub_seed(seed, i), named[i])
            for i in plan.trained
        ]
    y = task.members if task.conditions is None else task.conditions.told(task.conditions.values, task.members)
    return [Job(encoded, y, nets[plan.trained[0]], seed)]


def _history(generators: list[Generator], plan: Plan, classes: np.ndarray | None) -> pd.DataFrame:
    """Of all trainings, with the class of each where there is one net a class."""
    frames = [pd.DataFrame(generator.export["history"]) for generator in generators]
    if classes is not None:
        for i, frame in zip(plan.trained, frames, strict=True):
            frame.insert(0, "class", classes[[i] * len(frame)])
    return pd.concat(frames, ignore_index=True) if frames else pd.DataFrame()
