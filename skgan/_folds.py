"""The one cross-validation loop."""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.base import clone

from skgan._compat import safe_indexing
from skgan._parallel import Call, one_after_another, results_of
from skgan._warnings import warn


@dataclass(frozen=True)
class Cell:
    """One fit on one fold: what was measured, the seconds that the fit took, and what went wrong."""

    name: str
    measured: Any
    seconds: float
    error: Exception | None

    @property
    def failure(self) -> str:
        """What went wrong, in words; nothing where nothing did."""
        return "" if self.error is None else f"{type(self.error).__name__}: {self.error}"


def tell_failures(errors: Mapping[str, str], any_left: bool, kind: type[Exception] = ValueError) -> None:
    """Warn of candidates that failed; where none is left, that is an error of this kind."""
    told = "; ".join(f"{name}: {error}" for name, error in errors.items())
    if not any_left:
        raise kind(f"Every candidate failed. {told}")
    if errors:
        warn(f"Candidates that failed are out of the choice. {told}")


def cross_validated(
    estimators: Mapping[str, Any],
    X,
    y: np.ndarray,
    splits: Sequence[tuple[np.ndarray, np.ndarray]],
    measure: Callable[..., Any],
    *,
    n_jobs=None,
    kept=None,
) -> Iterator[tuple[int, Iterator[Cell]]]:
    """Fit a clone of each estimator on each training side, fold by fold, and measure it on the other.

    Parameters
    ----------
    estimators : dict of name → estimator
        Looked at anew before every fold: the caller may take some out.
    X, y
    splits : sequence of (training rows, test rows)
    measure : callable
        ``measure(name, fold, fitted, (X_train, y_train), (X_test, y_test))``.
    n_jobs : int or None
        Fits at once.
    kept : KeptFits or None
        Has fits that need not be done, and is given those that are done, where they are done.

    Yields
    ------
    fold, cells
        Cells in the order of the estimators, as they are done.
    """
    for fold, (train, test) in enumerate(splits):
        # The samplers with nets come last and take longest: where several fits are done at once, they begin first
        begun = list(estimators) if one_after_another(n_jobs) else list(estimators)[::-1]
        there = {} if kept is None else {name: kept.get(name, fold) for name in estimators}
        found = {name: Cell(name, one[0], one[1], None) for name, one in there.items() if one is not None}
        calls = [
            Call(
                f"the fit of {name!r} in fold {fold}",
                _cell,
                (name, fold, estimators[name], X, y, train, test, measure, kept),
            )
            for name in begun
            if name not in found
        ]
        yield fold, _in_order(list(estimators), found, results_of(calls, n_jobs))


def _in_order(names: Sequence[str], found: dict[str, Cell], others: Iterator[Cell]) -> Iterator[Cell]:
    for name in names:
        while name not in found:
            cell = next(others)
            found[cell.name] = cell
        yield found[name]


def _cell(name: str, fold: int, estimator, X, y, train: np.ndarray, test: np.ndarray, measure, kept) -> Cell:
    training, begin = (safe_indexing(X, train), safe_indexing(y, train)), time.perf_counter()
    try:
        fitted = clone(estimator).fit(*training)
        seconds = time.perf_counter() - begin
        measured = measure(name, fold, fitted, training, (safe_indexing(X, test), safe_indexing(y, test)))
    except Exception as error:  # one of them must not end the comparison of the others
        return Cell(name, None, time.perf_counter() - begin, error)
    if kept is not None:
        kept.put(name, fold, measured, seconds)
    return Cell(name, measured, seconds, None)
