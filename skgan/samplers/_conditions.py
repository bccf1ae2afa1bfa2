"""Real-valued conditions: what a net is told, and the smoothed distribution that new ones are drawn from."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.utils.validation import check_array, check_consistent_length

from skgan._warnings import warn

_TRIES = 8  # draws of smoothed conditions until the labeler gives the class; then real ones serve


@dataclass(frozen=True)
class Conditions:
    """The conditions of the real rows, and how they go with classes.

    Attributes
    ----------
    values : ndarray of shape (n, k), float64
    shape : tuple
        Of one row's condition as the user gave it, () or (k,).
    whole : bool
        Whether they are whole numbers, and new ones too.
    groups : ndarray of shape (n,)
    classes : ndarray or None
        None where y has none: the conditions are y itself.
    labeler : callable or None
        Conditions → classes.
    donors : ndarray of bool, shape (n,)
        Rows whose condition the labeler gives their own class.
    """

    values: np.ndarray
    shape: tuple[int, ...]
    whole: bool
    groups: np.ndarray
    classes: np.ndarray | None
    labeler: Callable[[np.ndarray], Any] | None
    donors: np.ndarray

    @classmethod
    def of(cls, estimator, condition, groups: np.ndarray, classes: np.ndarray | None, labeler) -> "Conditions":
        """Checked: numbers, one a row, and a labeler that gives one class for each."""
        values = check_array(condition, ensure_2d=False, dtype="numeric", input_name="condition", estimator=estimator)
        check_consistent_length(groups, values)
        flat = values.reshape(len(values), -1).astype(np.float64)
        constant = np.flatnonzero(np.ptp(flat, axis=0) == 0)
        if len(constant):
            warn(
                f"Condition {', '.join(map(str, constant))} of {flat.shape[1]} has one value only: rows are "
                "generated for that value, and how they depend on it cannot be learned."
            )
        donors = np.ones(len(flat), bool)
        if classes is not None and labeler is not None:
            given = np.asarray(labeler(flat.reshape(-1, *values.shape[1:])))
            if given.shape != groups.shape:
                raise ValueError(
                    f"labeler must return one class per condition, of shape {groups.shape}; it returned shape {given.shape}."
                )
            unknown = sorted(set(given.tolist()) - set(classes.tolist()), key=str)
            if unknown:
                raise ValueError(
                    f"labeler returns {unknown}, which are no classes of y; the classes are {classes.tolist()}."
                )
            donors = given == classes[groups]
        return cls(flat, values.shape[1:], values.dtype.kind in "iu", groups, classes, labeler, donors)

    @property
    def needs_class(self) -> bool:
        """Whether the net is told the class beside the condition: no labeler makes it a function of the condition."""
        return self.classes is not None and self.labeler is None

    def check_donors(self, wanted: dict) -> None:
        """Refuse a class that the labeler never gives to the conditions of its own rows."""
        for i, (name, n) in enumerate(wanted.items()):
            if n and not self.donors[self.groups == i].any():
                raise ValueError(
                    f"labeler never gives class {name!r} to the conditions of that class's own rows, so no new row could "
                    "be of it; mend the labeler, or leave the class out with mixing_ratio={class: ratio}."
                )

    def told(self, values: np.ndarray, groups: np.ndarray) -> np.ndarray:
        """What the net is told of conditions (n, k) and groups (n,)."""
        if self.classes is None or self.labeler is not None:
            return values
        return np.concatenate([values, np.eye(len(self.classes))[groups]], axis=1)

    def drawn(self, group: int, n: int, rng: np.random.RandomState) -> np.ndarray:
        """n conditions of the smoothed empirical distribution of a group, (n, k)."""
        real, wanted = self.values[self.groups == group], self.donors[self.groups == group]
        donors = real[np.flatnonzero(wanted)[rng.randint(wanted.sum(), size=n)]]
        low, high = self.values.min(0), self.values.max(0)
        root = _root_of_covariance(real) * len(real) ** (-1 / (real.shape[1] + 4))
        drawn = donors.copy()
        left = np.arange(n)
        for _ in range(_TRIES):
            smoothed = donors[left] + rng.standard_normal((len(left), real.shape[1])) @ root.T
            if self.whole:
                smoothed = np.round(smoothed)
            smoothed = np.where((smoothed < low) | (smoothed > high), donors[left], smoothed)
            if self.classes is None or self.labeler is None:
                return smoothed
            good = np.asarray(self.labeler(smoothed.reshape(-1, *self.shape))) == self.classes[group]
            drawn[left[good]] = smoothed[good]
            left = left[~good]
            if not len(left):
                break
        return drawn


def _root_of_covariance(rows: np.ndarray) -> np.ndarray:
    """A matrix whose product with its transpose is the rows' covariance, also where that is singular."""
    if len(rows) < 2:
        return np.zeros((rows.shape[1],) * 2)
    values, vectors = np.linalg.eigh(np.cov(rows.T).reshape((rows.shape[1],) * 2))
    return vectors * np.sqrt(values.clip(min=0))
