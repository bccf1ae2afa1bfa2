"""How many new rows of each group: ratios, totals, largest remainder."""

from collections.abc import Mapping
from numbers import Real
from typing import Any

import numpy as np
from imblearn.utils import check_sampling_strategy


def by_strategy(strategy, y: np.ndarray, unseen: list) -> dict[Any, int]:
    """Class → new rows, as everywhere in imbalanced-learn; a dict may also name classes that have no row.

    Parameters
    ----------
    strategy : str, float, dict or callable
    y : ndarray of shape (n,)
    unseen : list
        Classes that y has no row of and that rows can be made of.
    """
    asked: dict[Any, Any] = {}
    if callable(strategy):
        strategy = strategy(y)
    if isinstance(strategy, Mapping):
        strategy = {klass: _whole(klass, n) for klass, n in strategy.items()}
        asked = {klass: n for klass, n in strategy.items() if klass in unseen}
        strategy = {klass: n for klass, n in strategy.items() if klass not in asked}
    elif isinstance(strategy, Real) and not np.isfinite(float(strategy)):
        raise ValueError(f"sampling_strategy={strategy!r} is no ratio: give a number above 0 and up to 1, or a dict.")
    return {**check_sampling_strategy(strategy, y, "over-sampling"), **asked}


def _whole(klass, n) -> int:
    """A number of rows, also where it came as a float."""
    number = float(n) if isinstance(n, Real) and not isinstance(n, bool | np.bool_) else np.nan
    if not number >= 0 or not number.is_integer():
        raise ValueError(
            f"sampling_strategy must give each class a number of rows of at least 0, got { {klass: n} }; rows are whole."
        )
    return int(n)  # type: ignore[call-overload]


def by_amount(names: list, sizes: np.ndarray, mixing_ratio, n_synthetic: int | None) -> dict[Any, int]:
    """Group → new rows, by a ratio to the group's real rows or by a total."""
    if n_synthetic is not None:
        counts = largest_remainder(n_synthetic, sizes)
    else:
        ratios: Any = 1.0 if mixing_ratio is None else mixing_ratio
        if isinstance(ratios, Mapping):
            _check_ratios(ratios, names)
            ratios = np.array([ratios.get(name, 0.0) for name in names], dtype=float)
        counts = np.round(ratios * sizes).astype(int)
    return dict(zip(names, counts.tolist(), strict=True))


def largest_remainder(total: int, sizes: np.ndarray) -> np.ndarray:
    """The total split in proportion to the sizes; ties go to the first."""
    exact = total * sizes / sizes.sum()
    counts = np.floor(exact).astype(int)
    counts[np.argsort(counts - exact, kind="stable")[: total - counts.sum()]] += 1
    return counts


def _check_ratios(ratios: Mapping, classes: list) -> None:
    unknown = [klass for klass in ratios if klass not in classes]
    if unknown:
        raise ValueError(f"mixing_ratio has keys that are no classes of y: {unknown}; the classes are {classes}.")
    for klass, ratio in ratios.items():
        if not isinstance(ratio, Real) or isinstance(ratio, bool) or not 0 <= float(ratio) < np.inf:
            raise ValueError(
                f"The mixing ratio of class {klass!r} must be a finite number of at least 0, got {ratio!r}."
            )
