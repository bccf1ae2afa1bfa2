"""Which y a new row has: one question, three answers.

Rows are trained and made in *groups*: a class, a domain, or all rows together. A group is known by its name (the class) to the
user and by its number inside.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

ALL = 0
"""Name and number of the one group where y has no classes."""


@dataclass(frozen=True)
class Labels:
    """What the three have in common: the groups."""

    classes: np.ndarray
    """Names of the groups, sorted."""

    def names(self) -> list:
        """Names of the groups as plain Python values, by number."""
        return self.classes.tolist()

    def number_of(self, name) -> int:
        """The number of the group of that name."""
        return int(np.searchsorted(self.classes, name))

    def described(self, group: int) -> str:
        """The group in the middle of a sentence."""
        return f" of class {self.classes[group : group + 1].tolist()[0]!r}"

    def y_of(self, group: int, parents: np.ndarray, conditions: np.ndarray | None) -> np.ndarray:
        """y of new rows of a group, by their parents (n, 2) or their conditions (n, k)."""
        raise NotImplementedError

    def no_y(self) -> np.ndarray:
        """The y of no rows."""
        raise NotImplementedError


@dataclass(frozen=True)
class ClassLabels(Labels):
    """y is the class, in the dtype of the real ones."""

    dtype: np.dtype

    def y_of(self, group, parents, conditions):
        return np.full(len(parents), self.classes[group], self.dtype)

    def no_y(self):
        return np.empty(0, self.dtype)


@dataclass(frozen=True)
class CarriedLabels(Labels):
    """Groups are domains, and y is that of the row's parent."""

    y: np.ndarray
    """Of the real rows."""

    def y_of(self, group, parents, conditions):
        return self.y[parents[:, 0]]

    def no_y(self):
        return self.y[:0]


@dataclass(frozen=True)
class ConditionLabels(Labels):
    """y is real-valued: the row's condition, or what the labeler says of it."""

    empty: np.ndarray
    labeler: Callable[[np.ndarray], Any] | None

    @classmethod
    def of(cls, y: np.ndarray, labeler) -> "ConditionLabels":
        """For rows whose y is their condition."""
        return cls(np.array([ALL]), y[:0], labeler)

    def described(self, group):
        return ""

    def y_of(self, group, parents, conditions):
        shaped = conditions.reshape(-1, *self.empty.shape[1:])
        return np.asarray(shaped if self.labeler is None else self.labeler(shaped)).astype(self.empty.dtype)

    def no_y(self):
        return self.empty
