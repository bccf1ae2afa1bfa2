"""Makers of blocks: encoded rows of one group from a seed alone."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from skgan._tensors import to_unit_range
from skgan._warnings import warn
from skgan.nets import NO_PARENT
from skgan.nets.draw import Draw, single_parents
from skgan.samplers._conditions import Conditions
from skgan.samplers._training import Generator

BLOCK = 256
"""Rows are made in whole blocks of this size, so that a row does not depend on how many are asked for."""


@dataclass(frozen=True)
class Block:
    """Encoded rows of one group.

    Attributes
    ----------
    rows : ndarray of shape ``(n, *data_shape)``, float32
    parents : ndarray of shape (n, 2)
        Which of the real rows each was made from; −1 is none.
    origin : ndarray of shape (n,), str
        "net", "gaussian", "mixture", "copy" or "jitter".
    conditions : ndarray of shape (n, k), or None
        What the net was told.
    """

    rows: np.ndarray
    parents: np.ndarray
    origin: np.ndarray
    conditions: np.ndarray | None = None

    def take(self, kept) -> "Block":
        """These rows of the block."""
        conditions = None if self.conditions is None else self.conditions[kept]
        return Block(self.rows[kept], self.parents[kept], self.origin[kept], conditions)

    @classmethod
    def joined(cls, blocks: "Sequence[Block]") -> "Block":
        """Blocks underneath each other."""
        told = [block.conditions for block in blocks if block.conditions is not None]
        return cls(
            np.concatenate([block.rows for block in blocks]),
            np.concatenate([block.parents for block in blocks]),
            np.concatenate([block.origin for block in blocks]),
            np.concatenate(told) if told else None,
        )


class Maker:
    """Makes blocks; ``filtered`` says whether a row filter judges them."""

    filtered = True

    def block(self, seed: int, n: int = BLOCK) -> Block:
        """n rows; the same n and seed give the same ones."""
        raise NotImplementedError

    def blocks(self, draws: Sequence[tuple[int, int]]) -> list[Block]:
        """A block for each pair of a seed and a number of rows, as ``block`` makes it."""
        return [self.block(seed, n) for seed, n in draws]

    def net_rows(self) -> "Maker":
        """What makes the net's rows alone, where there are others beside them."""
        return self


@dataclass(frozen=True)
class CopyMaker(Maker):
    """Plain copies of the group's real rows."""

    real: np.ndarray
    """All encoded real rows."""
    members: np.ndarray
    """Which of them are of the group."""
    conditions: np.ndarray | None = None
    """Of all real rows."""

    filtered = False

    def block(self, seed: int, n: int = BLOCK) -> Block:
        drawn = self.members[np.random.RandomState(seed).randint(len(self.members), size=n)]
        conditions = None if self.conditions is None else self.conditions[drawn]
        return Block(to_unit_range(self.real[drawn]), single_parents(drawn), np.full(n, "copy"), conditions)


@dataclass(frozen=True)
class JitterMaker(Maker):
    """Copies of one row with noise of 5 % of the encoded scale; one-hot columns stay."""

    row: np.ndarray
    """Encoded, (1, *data_shape)."""
    member: int
    numeric: np.ndarray | bool
    """Which columns of a table are numbers."""

    filtered = False

    def block(self, seed: int, n: int = BLOCK) -> Block:
        rows = to_unit_range(np.repeat(self.row, n, axis=0))
        noise = 0.05 * np.random.RandomState(seed).standard_normal(rows.shape).astype(np.float32)
        rows = rows + (noise if rows.ndim > 2 else noise * self.numeric)
        return Block(rows, single_parents(np.full(n, self.member)), np.full(n, "jitter"))


def as_block(
    draw: Draw, members: np.ndarray | None, conditions: np.ndarray | None, described: str, origin: str
) -> Block:
    """What a net drew, finite, with parents counted among all real rows.

    Parameters
    ----------
    draw : Draw
    members : ndarray or None
        Which real rows the net's source holds; None is all, in order.
    conditions : ndarray or None
    described : str
        The group in the middle of a sentence.
    origin : str
    """
    n = len(draw.rows)
    parents = np.full((n, 2), NO_PARENT) if draw.parents is None else draw.parents
    if members is not None:
        parents = np.where(parents == NO_PARENT, NO_PARENT, members[parents])
    return Block(finite(draw.rows, described), parents, np.full(n, origin), conditions)


def finite(rows: np.ndarray, described: str) -> np.ndarray:
    """The rows, with the middle of the range where a value is not finite, and a warning."""
    bad = ~np.isfinite(rows).reshape(len(rows), -1).all(1)
    if not bad.any():
        return rows
    warn(
        f"The generator made {bad.sum()} of {len(rows)} rows{described} with values that are not finite; these values were "
        "set to the middle of their range."
    )
    return np.nan_to_num(rows, nan=0.0, posinf=0.0, neginf=0.0)


@dataclass(frozen=True)
class NetMaker(Maker):
    """Rows of a net for one class."""

    generator: Generator
    class_id: int
    described: str
    members: np.ndarray | None = None
    origin: str = "net"

    def block(self, seed: int, n: int = BLOCK) -> Block:
        net = self.generator.ready
        with net.seeded(seed):
            draw = net.draw(np.full(n, self.class_id), self.generator.source)
        return as_block(draw, self.members, None, self.described, self.origin)


@dataclass(frozen=True)
class ConditionMaker(Maker):
    """Rows of a net that is told real-valued conditions, drawn from the smoothed distribution of the group's own."""

    generator: Generator
    conditions: Conditions
    group: int
    described: str

    def block(self, seed: int, n: int = BLOCK) -> Block:
        net = self.generator.ready
        with net.seeded(seed):
            drawn = self.conditions.drawn(self.group, n, np.random.RandomState(seed))
            told = self.conditions.told(drawn, np.full(n, self.group))
            draw = net.draw(told, self.generator.source)
        return as_block(draw, None, drawn, self.described, "net")

    def at(self, values: np.ndarray, groups: np.ndarray, seed: int) -> np.ndarray:
        """One encoded row for each of these conditions (n, k), of these groups (n,)."""
        net = self.generator.ready
        with net.seeded(seed):
            return finite(net.draw(self.conditions.told(values, groups), self.generator.source).rows, self.described)
