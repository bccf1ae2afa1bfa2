"""From a checked call to the row factory: encode, choose the nets, train, and set up the makers."""

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from sklearn.base import clone

from skgan._random import draw_seeds, sub_seed
from skgan.codecs import choose_codec
from skgan.nets import GenerativeNet
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


def built_factory(sampler: "BaseGenerativeSampler", task: Task) -> RowFactory:
    """Train what the task needs.

    Parameters
    ----------
    sampler : BaseGenerativeSampler
        Its parameters count; it is not changed.
    task : Task
    """
    X, labels, members = task.checked.X, task.labels, task.members
    train_seed, sample_seed = draw_seeds(sampler.random_state, 2)
    codec = clone(choose_codec(sampler.codec, X, categorical_features=sampler.categorical_features)).fit(X)
    rows = Rows(codec, (X.iloc[:0] if isinstance(X, pd.DataFrame) else X[:0]).copy(), task.container)
    sizes = np.bincount(members, minlength=len(labels.classes))
    wanted = [labels.number_of(name) for name, n in task.wanted.items() if n]
    nets = _checked_nets(sampler, task, codec, wanted, sizes)
    plan = _plan(sampler, task, nets, wanted, sizes)
    if not wanted:
        return RowFactory(rows, labels, {}, [], {}, None, None, sample_seed, pd.DataFrame())
    if not codec.is_image:
        warn_of_identifiers(X)
    encoded = codec.transform(X)
    if isinstance(X, np.ndarray) and np.may_share_memory(encoded, X):
        encoded = encoded.copy()  # what is kept of a fit is not the caller's to change
    donors = Donors(codec, X, encoded, members, sample_seed) if len(codec.inherited_) else None
    rows = Rows(codec, rows.empty, task.container, donors, codec.ranges(X, members))
    largest = f"There are {len(members)} rows, and a net needs at least {TOO_FEW}"
    if task.conditions is None:
        largest = f"The largest class has {sizes.max()} rows, and a net needs a class of at least {TOO_FEW}"
    plan.warn(labels.names(), largest)
    memory = None if sampler.random_state is None else sampler.memory  # fresh entropy would only fill the disk
    jobs = _jobs(sampler, task, nets, plan, encoded, train_seed)
    generators = train_all(jobs, memory, sampler.n_jobs) if plan.trained else []
    row_filter = None
    if generators and sampler.row_filter is not None:
        shared = not sampler.per_class
        row_filter = fitted_filter(sampler.row_filter, encoded, members, generators, shared=shared, memory=memory)
    conditions = None if task.conditions is None else task.conditions.values
    of_group = np.split(np.argsort(members, kind="stable"), np.cumsum(sizes)[:-1])
    copied = plan.copied if row_filter is None else [i for i, n in enumerate(sizes) if n]
    copiers = {i: CopyMaker(encoded, of_group[i], conditions) for i in copied}
    makers: dict[int, Maker] = {}
    for i in range(len(labels.classes)):
        generator = _generator_of(i, sampler.per_class, plan, generators)
        if i in plan.copied:
            makers[i] = copiers[i]
        elif i in plan.jittered:
            makers[i] = JitterMaker(encoded[of_group[i]], int(of_group[i][0]), codec.numeric_)
        elif generator is not None and task.conditions is not None:
            makers[i] = ConditionMaker(generator, task.conditions, i, labels.described(i))
        elif generator is not None:
            class_id, source = (0, of_group[i]) if sampler.per_class else (i, None)
            makers[i] = NetMaker(generator, class_id, labels.described(i), source, sampler.offspring_only)
    fill = copiers if row_filter is not None else {}
    starts_from_real = bool(fill or plan.copied or plan.jittered) or any(generator.source for generator in generators)
    return RowFactory(
        rows,
        labels,
        makers,
        generators,
        fill,
        row_filter,
        encoded if starts_from_real else None,
        sample_seed,
        _history(generators, plan, labels.classes if sampler.per_class else None),
    )


def _checked_nets(sampler, task: Task, codec, wanted: list[int], sizes: np.ndarray) -> dict[int, GenerativeNet]:
    """Group → net, ready to train; every refusal that needs no training."""
    shortcuts: dict[str, Any] = {
        "max_steps": sampler.max_steps,
        "max_time": sampler.max_time,
        "device": sampler.device,
        "verbose": sampler.verbose,
    }

    def prepare(net) -> GenerativeNet:
        return prepared(net, codec, shortcuts, lambda: sampler.auto_net(codec, task.conditions is not None))

    if task.conditions is None:
        names = task.labels.names()
        nets = resolve_nets(sampler.net, wanted, names, per_class=sampler.per_class, prepare=prepare)
        unseen = [names[i] for i in wanted if not sizes[i]]
        _check_unseen(unseen, sampler.row_filter is not None, int(sizes.max()))
    else:
        if not wanted or len(task.members) < TOO_FEW:
            return {}
        nets = dict.fromkeys(wanted, prepare(sampler.net))
        nets[wanted[0]].check_takes_conditions()
    for trait in sampler.required_traits if wanted else ():
        require(None if sampler.per_class else nets[wanted[0]], trait)
    if sampler.row_filter is not None and wanted and sizes.max() >= TOO_FEW:
        sampler.row_filter.check()
        if sampler.row_filter.needs_classes and len(sizes) < 2:
            raise ValueError(
                f"{type(sampler.row_filter).__name__} tells classes apart, and y holds real-valued labels; use NeighbourFilter "
                "or None."
            )
        if sampler.row_filter.needs_scores and task.conditions is not None:
            raise ValueError(
                "A row filter such as DiscriminatorFilter asks how real a row of a class looks, and this net is told "
                "real-valued labels; use ClassifierFilter or NeighbourFilter here."
            )
        if sampler.row_filter.needs_scores:
            require(None if sampler.per_class else nets[wanted[0]], "scores_rows")
    return nets


def _check_unseen(unseen: list, filtered: bool, largest: int) -> None:
    """Refuse what cannot be done for a class without rows."""
    if unseen and filtered:
        raise ValueError(
            f"The classes {unseen} have no real rows that a row filter could measure new ones by; set row_filter=None."
        )
    if unseen and largest < TOO_FEW:
        raise ValueError(
            f"The largest class has {largest} rows, and rows of the classes {unseen}, which have none, can be "
            f"made only by a net that learned from a class of at least {TOO_FEW}."
        )


def _plan(sampler, task: Task, nets: dict[int, GenerativeNet], wanted: list[int], sizes: np.ndarray) -> Plan:
    if task.conditions is not None:
        return Plan.of_conditions(wanted, len(task.members))
    return Plan.of_classes(wanted, sizes, lambda i: nets[i].starts_from_one_row and not sampler.per_class)


def _jobs(sampler, task: Task, nets, plan: Plan, encoded: np.ndarray, seed: int) -> list[Job]:
    """One training, or one a class."""
    if not plan.trained:
        return []
    if sampler.per_class:
        of_class = {i: encoded[task.members == i] for i in plan.trained}
        return [Job(X, np.zeros(len(X), int), nets[i], sub_seed(seed, i)) for i, X in of_class.items()]
    y = task.members if task.conditions is None else task.conditions.told(task.conditions.values, task.members)
    return [Job(encoded, y, nets[plan.trained[0]], seed)]


def _generator_of(i: int, per_class: bool, plan: Plan, generators: list[Generator]) -> Generator | None:
    """A class that needed no rows is made by the net that all share."""
    if not per_class:
        return generators[0] if generators else None
    return generators[plan.trained.index(i)] if i in plan.trained else None


def _history(generators: list[Generator], plan: Plan, classes: np.ndarray | None) -> pd.DataFrame:
    """Of all trainings, with the class of each where there is one net a class."""
    frames = [pd.DataFrame(generator.export["history"]) for generator in generators]
    if classes is not None:
        for i, frame in zip(plan.trained, frames, strict=True):
            frame.insert(0, "class", classes[[i] * len(frame)])
    return pd.concat(frames, ignore_index=True) if frames else pd.DataFrame()
