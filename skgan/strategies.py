"""Callables for ``sampling_strategy``."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np


@dataclass(frozen=True)
class _AtLeast:
    ratio: float

    def __call__(self, y) -> dict:
        classes, counts = np.unique(y, return_counts=True)
        floor = int(self.ratio * counts.max())
        return {klass: max(int(count), floor) for klass, count in zip(classes, counts, strict=True)}

    def __repr__(self) -> str:
        return f"at_least({self.ratio!r})"


def at_least(ratio: float) -> Callable:
    """A ``sampling_strategy`` that brings each class to at least ``int(ratio × majority)`` rows, never below its own.

    Unlike a float, it takes any number of classes and never raises in a fold that has the ratio already, so that a
    grid search over ratios scores every candidate. It works in every imbalanced-learn over-sampler.

    Parameters
    ----------
    ratio : float
        Rows of a class ÷ rows of the largest class, above 0.

    Returns
    -------
    callable
        Picklable, comparable, and printed as ``at_least(0.5)``.

    Examples
    --------
    >>> import numpy as np
    >>> from skgan import at_least
    >>> at_least(0.5)(np.array(["a"] * 10 + ["b"] * 2 + ["c"] * 7))
    {np.str_('a'): 10, np.str_('b'): 5, np.str_('c'): 7}
    """
    if not isinstance(ratio, int | float | np.number) or not (math.isfinite(ratio) and ratio > 0):
        raise ValueError(f"at_least takes a ratio above 0, such as 0.5 for half of the majority's rows; got {ratio!r}.")
    return _AtLeast(ratio)


def halfway(y: Any) -> dict:
    """A ``sampling_strategy`` that brings each class half-way to balance: to the geometric mean of its size and the largest.

    Of classes of 1,000 and 10 rows the second gets 100. Classes stay unequal, so follow it with
    ``PriorCorrectedClassifier(…, prior="uniform")``. It is safe in any fold, and works in every imbalanced-learn over-sampler.

    Parameters
    ----------
    y : array-like of shape (n,)

    Returns
    -------
    dict
        Class → rows after resampling.

    Examples
    --------
    >>> import numpy as np
    >>> from skgan import GANOverSampler, halfway
    >>> halfway(np.array([0] * 100 + [1] * 4))
    {np.int64(0): 100, np.int64(1): 20}
    >>> GANOverSampler(sampling_strategy=halfway).sampling_strategy.__name__
    'halfway'
    """
    classes, counts = np.unique(y, return_counts=True)
    wanted = np.sqrt(counts * float(counts.max())).astype(int)
    return dict(zip(classes, np.maximum(counts, wanted).tolist(), strict=True))
