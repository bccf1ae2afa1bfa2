"""Blends: new rows of several makers, in given shares."""

import difflib
from collections.abc import Mapping
from dataclasses import dataclass
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
class MixtureMaker:
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

    filtered = True

    def net_rows(self) -> "MixtureMaker":
        return self

    def block(self, seed: int, n: int = BLOCK) -> Block:
        rng = np.random.RandomState(seed)
        rows = to_unit_range(self.real[self.members])
        first = rng.randint(len(rows), size=n)
        near = neighbours(rows, first, N_NEIGHBORS)
        second = near[np.arange(n), rng.randint(near.shape[1], size=n)]
        mixed = self.codec.between(rows[first], rows[second], rng.uniform(size=n))
        for start, stop in self.codec.spans_:
            most = rows[near, start:stop].sum(axis=1).argmax(axis=1)
            mixed[:, start:stop] = np.arange(stop - start) == most[:, None]
        parents = np.stack([self.members[first], self.members[second]], axis=1)
        return Block(mixed, parents, np.full(n, "mixture"))


def neighbours(rows: np.ndarray, chosen: np.ndarray, k: int) -> np.ndarray:
    """The k nearest of the rows, or all others where there are fewer, for each of the chosen ones: (len(chosen), k)."""
    flat = rows.reshape(len(rows), -1)
    k = min(k, len(rows) - 1)
    looked_up, back = np.unique(chosen, return_inverse=True)
    found = NearestNeighbors(n_neighbors=k + 1).fit(flat).kneighbors(flat[looked_up], return_distance=False)
    itself = found == looked_up[:, None]
    itself[~itself.any(axis=1), -1] = True  # among equal rows it may not be found
    return found[~itself].reshape(-1, k)[back]


@dataclass(frozen=True)
class BlendMaker:
    """Rows of several makers. Of any number of rows, the first ones too, each maker has its share, to within a row or so."""

    makers: dict[str, Maker]
    shares: dict[str, float]
    """Of each of them; they sum to 1."""

    filtered = True

    def net_rows(self) -> Maker:
        return self.makers["net"].net_rows() if "net" in self.makers else self

    def block(self, seed: int, n: int = BLOCK) -> Block:
        kinds = self._kinds(n, seed)
        blocks, places = [], []
        for i, maker in enumerate(self.makers.values()):
            where = np.flatnonzero(kinds == i)
            if len(where):
                blocks.append(maker.block(sub_seed(seed, i), len(where)))
                places.append(where)
        return Block.joined(blocks).take(np.argsort(np.concatenate(places)))

    def _kinds(self, n: int, seed: int) -> np.ndarray:
        """Which maker makes each row: steps of the golden ratio from a random place fill [0, 1) evenly (Weyl's sequence)."""
        at = (np.random.RandomState(seed).uniform() + _GOLDEN * np.arange(n)) % 1
        stops = np.cumsum([self.shares[name] for name in self.makers])
        return np.searchsorted(stops[:-1] / stops[-1], at, side="right")
