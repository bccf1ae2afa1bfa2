"""Blends: new rows of several makers, in given shares."""

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from numbers import Real
from typing import Any

import numpy as np
from sklearn.neighbors import NearestNeighbors

from skgan._random import sub_seed
from skgan._tensors import to_unit_range
from skgan.codecs import Codec
from skgan.samplers._makers import BLOCK, Block, Maker

MAKERS = ("net", "gaussian", "mixture", "copy")

N_NEIGHBORS = 5
"""Nearest rows of the class that a mixture's second parent is drawn from: SMOTE's default."""

_GOLDEN = (np.sqrt(5) - 1) / 2


def checked_shares(shares: Mapping[Any, Any], conditions: bool = False) -> dict[str, float]:
    """Makers of which rows are wanted, with weights that sum to 1, in the order of ``MAKERS``.

    Parameters
    ----------
    shares : dict
        Maker → weight.
    conditions : bool, default=False
        Whether new rows have real-valued labels.
    """
    known = f"the makers are {', '.join(map(repr, MAKERS))}"
    for name, weight in shares.items():
        if name not in MAKERS:
            near = difflib.get_close_matches(str(name), MAKERS, n=1)
            hint = f" Did you mean {near[0]!r}?" if near else ""
            raise ValueError(f"shares names {name!r}, and {known}.{hint}")
        if not isinstance(weight, Real) or isinstance(weight, bool) or not 0 <= float(weight) < np.inf:
            raise ValueError(f"The share of {name!r} must be a finite number of at least 0, got {weight!r}.")
    total = sum(float(weight) for weight in shares.values())
    if not total > 0:
        raise ValueError(f"shares={dict(shares)!r} gives no maker any rows; {known}, and one needs a weight above 0.")
    wanted = {name: float(shares[name]) / total for name in MAKERS if shares.get(name)}
    wrong = [name for name in wanted if name not in ("net", "copy")]
    if conditions and wrong:
        raise ValueError(
            f"shares names {wrong[0]!r}, which makes rows of classes, and these rows have real-valued labels: there only 'net' "
            "and 'copy' can be used."
        )
    return wanted


@dataclass(frozen=True)
class MixtureMaker(Maker):
    """Rows between a real row and one of its nearest of the same class, as SMOTE makes them.

    Numbers lie on the straight line between the two, at a random place; a category is the one that most of the neighbours
    have (Chawla et al., "SMOTE", JAIR 16, 2002, sections 4.2 and 6.1). Rows are near in the encoded space, so that no column's
    unit counts.
    """

    real: np.ndarray
    """All encoded real rows."""
    members: np.ndarray
    """Which of them are of the group; at least two."""
    codec: Codec

    def block(self, seed: int, n: int = BLOCK) -> Block:
        return self.blocks([(seed, n)])[0]

    def blocks(self, draws: Sequence[tuple[int, int]]) -> list[Block]:
        """As :meth:`Maker.blocks`: a call for all of them costs hardly more than one for a single block."""
        drawn = [
            (rng.randint(len(self.near), size=n), rng.randint(self.near.shape[1], size=n), rng.uniform(size=n))
            for rng, n in ((np.random.RandomState(seed), n) for seed, n in draws)
        ]
        first, which, share = map(np.concatenate, zip(*drawn, strict=True))
        near = self.members[self.near[first]]
        parents = np.stack([self.members[first], near[np.arange(len(near)), which]], axis=1)
        ends = [to_unit_range(self.real[rows]) for rows in parents.T]
        mixed = self.codec.between(ends[0], ends[1], share)
        for start, stop in self.codec.spans_:
            most = self.real[near, start:stop].sum(axis=1).argmax(axis=1)
            mixed[:, start:stop] = np.arange(stop - start) == most[:, None]
        whole = Block(mixed, parents, np.full(len(mixed), "mixture"))
        stops = np.cumsum([n for _, n in draws])
        return [whole.take(slice(stop - n, stop)) for stop, (_, n) in zip(stops, draws, strict=True)]

    @cached_property
    def near(self) -> np.ndarray:
        """The nearest of the members of each, (n_members, k)."""
        return neighbours(to_unit_range(self.real[self.members]), N_NEIGHBORS)

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in vars(self).items() if name != "near"}


def neighbours(rows: np.ndarray, k: int) -> np.ndarray:
    """The numbers of the k nearest other rows of each, or of all others where there are fewer: (n, k), int32."""
    flat = rows.reshape(len(rows), -1)
    k = min(k, len(rows) - 1)
    found = NearestNeighbors(n_neighbors=k + 1).fit(flat).kneighbors(flat, return_distance=False)
    itself = found == np.arange(len(rows))[:, None]
    itself[~itself.any(axis=1), -1] = True  # among equal rows it may not be found
    return found[~itself].reshape(-1, k).astype(np.int32)


@dataclass(frozen=True)
class BlendMaker(Maker):
    """Rows of several makers. Of any number of rows, the first ones too, each maker has its share, to within a row or so."""

    makers: dict[str, Maker]
    shares: dict[str, float]
    """Of each of them; they sum to 1."""

    def net_rows(self) -> Maker:
        return self.makers["net"].net_rows() if "net" in self.makers else self

    def block(self, seed: int, n: int = BLOCK) -> Block:
        return self.blocks([(seed, n)])[0]

    def blocks(self, draws: Sequence[tuple[int, int]]) -> list[Block]:
        """As :meth:`Maker.blocks`, with one call of each maker."""
        kinds = [self._kinds(n, seed) for seed, n in draws]
        made: list[list[Block]] = [[] for _ in draws]
        for i, maker in enumerate(self.makers.values()):
            wanted = [int(np.count_nonzero(kind == i)) for kind in kinds]
            asked = [number for number, n in enumerate(wanted) if n]
            parts = maker.blocks([(sub_seed(draws[number][0], i), wanted[number]) for number in asked])
            for number, part in zip(asked, parts, strict=True):
                made[number].append(part)
        # Rows of a block come maker by maker; its kinds say where they belong.
        return [
            Block.joined(parts).take(np.argsort(np.argsort(kind, kind="stable")))
            for parts, kind in zip(made, kinds, strict=True)
        ]

    def _kinds(self, n: int, seed: int) -> np.ndarray:
        """Which maker makes each row: steps of the golden ratio from a random place fill [0, 1) evenly (Weyl's sequence)."""
        at = (np.random.RandomState(seed).uniform() + _GOLDEN * np.arange(n)) % 1
        stops = np.cumsum([self.shares[name] for name in self.makers])
        return np.searchsorted(stops[:-1] / stops[-1], at, side="right")
