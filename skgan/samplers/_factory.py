"""The row factory: all that is kept of a fit, frozen."""

import itertools
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from sklearn.exceptions import NotFittedError

from skgan._random import draw_seeds, sub_seed
from skgan._tensors import to_unit_range
from skgan._warnings import warn
from skgan.filters import RowFilter
from skgan.nets import NO_PARENT
from skgan.samplers._labels import Labels
from skgan.samplers._makers import BLOCK, Block, ConditionMaker, CopyMaker, Maker, NetMaker, finite
from skgan.samplers._nets import require
from skgan.samplers._rows import Rows
from skgan.samplers._training import Generator

OVER_GENERATION = 8
"""With a row filter: rows made per row wanted before copies of real rows fill up."""

_DECODE, _DECODE_BYTES = 16 * BLOCK, 1 << 27
"""Rows that are decoded together: so many, and one block at least, unless they are larger than that."""

FIT, SAMPLE, AT, TRANSLATE = 0, 1, 2, 5
"""Streams: what is asked for in one of them does not depend on the others."""


class Made(NamedTuple):
    """New rows, group after group in the order that they were asked for.

    Attributes
    ----------
    X : array, DataFrame or sparse matrix
        Like the checked X.
    y : ndarray
    parents : ndarray of shape (n, 2)
        Which of the real rows each was made from; −1 is none.
    origin : ndarray of shape (n,), str
        "net", "gaussian", "mixture", "copy" or "jitter".
    conditions : ndarray of shape (n, k), or None
    filter_report : DataFrame or None
        What the row filter did: class, made, accepted, copies, acceptance.
    parent_rows : like X, or None
        The first parent of each row.
    """

    X: Any
    y: np.ndarray
    parents: np.ndarray
    origin: np.ndarray
    conditions: np.ndarray | None
    filter_report: pd.DataFrame | None
    parent_rows: Any = None


@dataclass(frozen=True)
class RowFactory:
    """Makes rows of any group in any amount, the same ones from the same seed.

    Attributes
    ----------
    rows : Rows
        Encoded rows → rows like the user's.
    labels : Labels
        Groups, and the y of new rows.
    makers : dict of int → Maker
        Of every group that rows can be made of.
    generators : list of Generator
        The trained nets behind them.
    fill : dict of int → CopyMaker
        Of every group that has rows, where a row filter may leave too few.
    row_filter : RowFilter or None
        Fitted.
    real : ndarray or None
        The encoded real rows, where a maker starts from them.
    seed : int
    history : DataFrame
        Of all trainings.
    """

    rows: Rows
    labels: Labels
    makers: dict[int, Maker]
    generators: list[Generator]
    fill: dict[int, CopyMaker]
    row_filter: RowFilter | None
    real: np.ndarray | None
    seed: int
    history: pd.DataFrame

    def make(
        self,
        counts: Mapping[Any, int],
        stream: int = FIT,
        random_state: int | None = None,
        *,
        with_parents: bool = False,
        sink: Callable[[Any], None] | None = None,
    ) -> Made:
        """Rows of each group.

        Parameters
        ----------
        counts : dict
            Name of the group → number of rows.
        stream : int, default=FIT
            ``FIT`` gives the rows that ``fit_resample`` gives, ``SAMPLE`` those of ``sample``.
        random_state : int or None, default=None
            Another int gives other rows; None is the fit's own.
        with_parents : bool, default=False
            Give the parents' rows as well.
        sink : callable or None, default=None
            Called with one piece of rows after another; ``Made.X`` then has none.
        """
        seed = sub_seed(self._seed(random_state), stream)
        pieces, parent_pieces, targets = [self.rows.empty], [self.rows.empty], [self.labels.no_y()]
        keep, notes = pieces.append if sink is None else sink, list[Block]()
        tallies: list[dict[str, Any]] = []
        with self._at_work():
            for name, n in counts.items():
                if not n:
                    continue
                group = self.labels.number_of(name)
                tallies.append({"class": name, "made": 0, "accepted": 0, "copies": 0})
                for some in _batches(self._blocks(group, n, seed, tallies[-1]), _DECODE):
                    keep(self.rows.decode(some.rows, group))
                    if with_parents:
                        parent_pieces.append(self._parent_rows(some.parents, group))
                    targets.append(self.labels.y_of(group, some.parents, some.conditions))
                    notes.append(replace(some, rows=some.rows[:0].copy()))  # a view would keep the rows
        whole = Block.joined(notes) if notes else None
        return Made(
            self.rows.stack(pieces),
            np.concatenate(targets),
            np.empty((0, 2), int) if whole is None else whole.parents,
            np.empty(0, "U7") if whole is None else whole.origin,
            None if whole is None else whole.conditions,
            None if self.row_filter is None else _report(tallies),
            self.rows.stack(parent_pieces) if with_parents else None,
        )

    def sample_iter(
        self, counts: Mapping[Any, int], random_state: int | None = None, *, batch: int = _DECODE
    ) -> Iterator[tuple[Any, Any]]:
        """The rows that ``make(counts, SAMPLE, random_state)`` gives, in pieces, of which one is in memory at a time.

        Parameters
        ----------
        counts : dict
            Name of the group → number of rows.
        random_state : int or None, default=None
            Another int gives other rows; None is the fit's own.
        batch : int, default=4096
            Rows of a piece, at most.

        Yields
        ------
        X, y
            In the containers and dtypes of what was trained on. A piece has rows of one group.
        """
        self.check(counts, "row factory")
        if isinstance(batch, bool) or not isinstance(batch, int | np.integer) or batch < 1:
            raise ValueError(f"batch is the number of rows of a piece, an integer of at least 1; got {batch!r}.")
        return self._pieces(counts, sub_seed(self._seed(random_state), SAMPLE), int(batch))

    def _pieces(self, counts: Mapping[Any, int], seed: int, batch: int) -> Iterator[tuple[Any, Any]]:
        tally = {"made": 0, "accepted": 0, "copies": 0}
        with self._at_work():
            for name, n in counts.items():
                group = self.labels.number_of(name)
                for some in _batches(self._blocks(group, n, seed, {**tally}), batch) if n else ():
                    for start in range(0, len(some.rows), batch):
                        part = some.take(slice(start, start + batch))
                        y = self.labels.y_of(group, part.parents, part.conditions)
                        yield self.as_given(self.rows.decode(part.rows, group)), self.rows.container.y.like(y)

    def net_rows(self) -> "RowFactory":
        """One that makes the nets' rows alone, without others beside them."""
        return replace(self, makers={i: maker.net_rows() for i, maker in self.makers.items()})

    def as_given(self, X: Any) -> Any:
        """Rows like the checked ones in the user's container."""
        return self.rows.container.rows(X)

    def rest(self) -> None:
        """Let go of rebuilt nets: a fitted sampler keeps arrays."""
        for generator in self.generators:
            generator.rest()

    @contextmanager
    def _at_work(self) -> Iterator[None]:
        """Rebuilt nets go afterwards, also where something failed."""
        try:
            yield
        finally:
            self.rest()

    def _seed(self, random_state: int | None) -> int:
        return self.seed if random_state is None else draw_seeds(random_state, 1)[0]

    def _blocks(self, group: int, n: int, seed: int, tally: dict[str, Any]) -> Iterator[Block]:
        """n encoded rows of a group, block by block, each from a stream of its own; filtered, topped up by copies."""
        maker, wanted, at_once, numbers = self.makers[group], n, 1, itertools.count()
        filtered = self.row_filter is not None and maker.filtered
        while n > 0:
            seeds = [sub_seed(seed, group, next(numbers)) for _ in range(min(at_once, -(-n // BLOCK)))]
            for block_seed, made in zip(seeds, maker.blocks([(seed, BLOCK) for seed in seeds]), strict=True):
                some = made if filtered else made.take(slice(n))  # nobody needs the rest of wide rows
                block = replace(some, rows=self.rows.inside(some.rows, group))
                if self.row_filter is not None and filtered:
                    block = block.take(self.row_filter.score_samples(block.rows, np.full(BLOCK, group)) >= 0)
                    tally["made"] += BLOCK
                    tally["accepted"] += len(block.rows)
                    if len(block.rows) < n and tally["made"] >= OVER_GENERATION * max(wanted, BLOCK):
                        copies = self.fill[group].block(block_seed, n - len(block.rows))
                        tally["copies"] = len(copies.rows)
                        block = Block.joined([block, copies])
                yield block.take(slice(n))
                n -= len(block.rows)
                if not filtered:  # else nobody knows how many blocks it takes
                    at_once = max(1, min(_DECODE // BLOCK, _DECODE_BYTES // made.rows.nbytes))

    def _parent_rows(self, parents: np.ndarray, group: int):
        """The first parent of each row, like the user's rows."""
        first = parents[:, 0]
        if self.real is None or (first == NO_PARENT).any():
            raise ValueError(
                f"Rows{self.labels.described(group)} are not all made from real ones, as offspring() makes them, and have no "
                "parents; use sample, and SampleGridDisplay for the nearest real rows."
            )
        return self.rows.decode(to_unit_range(np.asarray(self.real[first])), group)

    def check(self, counts: Mapping[Any, int], sampler: str) -> None:
        """Refuse amounts that are none, groups that are none, and groups that no rows can be made of."""
        names = self.labels.names()
        known = set(names)
        if not isinstance(counts, Mapping):
            raise TypeError(f"The number of rows is given for each class, as {{class: rows}}; got {counts!r}.")
        for name, n in counts.items():
            if name not in known:
                raise ValueError(f"{name!r} is no class of the data; the classes are {names}.")
            if isinstance(n, bool) or not isinstance(n, int | np.integer) or n < 0:
                raise ValueError(f"The number of rows of class {name!r} must be an integer of at least 0, got {n!r}.")
            if n and self.labels.number_of(name) not in self.makers:
                raise NotFittedError(
                    f"This {sampler} has no generator for class {name!r}, because fit_resample had no new rows to make for "
                    "it; ask for at least one there, through sampling_strategy."
                )

    def translate(self, X: Any, to: Any, back: bool) -> Any:
        """Rows of the donor of a group turned into rows of it, or back."""
        group = self.labels.number_of(to)
        maker = self.makers[group].net_rows() if group in self.makers else None
        if not isinstance(maker, NetMaker):
            raise NotFittedError(
                f"fit_resample trained nothing that turns rows into rows of class {to!r}, because it had too few rows; see "
                "its warning."
            )
        require(maker.generator.net, "translates")
        encoded = self.rows.codec.transform(X)
        seed = sub_seed(self.seed, TRANSLATE)
        with self._at_work():
            made = maker.generator.ready.translate(encoded, group, "back" if back else "there", random_state=seed)
        made = finite(made, self.labels.described(group))
        return self.rows.decode(self.rows.inside(made, group), group)

    def at(self, conditions: np.ndarray, groups: np.ndarray, random_state: int | None) -> Any:
        """One row for each of these conditions (n, k), of these groups (n,)."""
        maker = (self.makers[int(groups[0])] if len(groups) else next(iter(self.makers.values()))).net_rows()
        assert isinstance(maker, ConditionMaker), "the sampler has asked"
        seed, pieces = self._seed(random_state), [self.rows.empty]
        with self._at_work():
            for first in range(0, len(conditions), BLOCK):
                block = slice(first, first + BLOCK)
                encoded = maker.at(conditions[block], groups[block], sub_seed(seed, AT, first))
                pieces.append(self.rows.decode(self.rows.inside(encoded, groups[block]), groups[block]))
        return self.rows.stack(pieces)


def _batches(blocks: Iterable[Block], n_rows: int) -> Iterator[Block]:
    """Blocks joined until they have so many rows, or ``_DECODE_BYTES``."""
    batch: list[Block] = []
    for block in blocks:
        batch.append(block)
        if sum(len(one.rows) for one in batch) >= n_rows or sum(one.rows.nbytes for one in batch) >= _DECODE_BYTES:
            yield Block.joined(batch)
            batch = []
    if batch:
        yield Block.joined(batch)


def _report(tallies: list[dict[str, Any]]) -> pd.DataFrame:
    """What the row filter did, a line a group."""
    lines = [{**tally, "acceptance": tally["accepted"] / tally["made"]} for tally in tallies if tally["made"]]
    return pd.DataFrame(lines, columns=["class", "made", "accepted", "copies", "acceptance"])


def warn_of_copies(report: pd.DataFrame) -> None:
    """Say where a row filter left too little."""
    short = report[report["copies"] > 0]
    if len(short):
        told = ", ".join(f"{row['class']!r} ({row['acceptance']:.0%} accepted)" for row in short.to_dict("records"))
        warn(
            f"The row filter left too few rows of class {told}; {short['copies'].sum()} plain copies of real rows were "
            "added instead. filter_report_ has the details."
        )
