"""Columns of floats that are scaled together: of a table of few rows and many columns, one at a time would take minutes."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from skgan.codecs._scaling import MAX_KNOTS, RankScaling

MAX_ROWS = MAX_KNOTS
"""Of a table with more rows, calls for each column do not count."""

CELLS = 1 << 20
"""Numbers that are looked at together."""

MAX_DECIMALS = 6


@dataclass(frozen=True)
class Together:
    """Columns of floats without missing values, of which each has as many different ones.

    Attributes
    ----------
    at : ndarray of int
        Their numbers among the numeric columns.
    scaling : RankScaling
    low, high : ndarray of shape (d, 1)
        The range of each.
    decimals : ndarray of int
        How many each has; −1 is more than ``MAX_DECIMALS``.
    dtype : dtype
    """

    at: np.ndarray
    scaling: RankScaling
    low: np.ndarray
    high: np.ndarray
    decimals: np.ndarray
    dtype: np.dtype

    def by_rows(self, function: Callable[..., np.ndarray], *rows: np.ndarray) -> Iterator[tuple[slice, np.ndarray]]:
        """Slices of rows (n, d), and what a function of columns (d, n), float64, makes of them, as rows again."""
        step = max(1, CELLS // len(self.at))
        for start in range(0, len(rows[0]), step):
            piece = slice(start, start + step)
            yield piece, function(*(some[piece].T.astype(np.float64) for some in rows)).T

    def decoded(self, encoded: np.ndarray) -> np.ndarray:
        """Scaled numbers (d, n) → numbers like the columns', inside their ranges."""
        values = self.scaling.decode(encoded)
        for places in np.unique(self.decimals[self.decimals >= 0]).tolist():
            of_these = self.decimals == places
            with np.errstate(over="ignore", invalid="ignore"):
                rounded = np.round(values[of_these], places) + 0.0  # no −0
            values[of_these] = np.where(np.isfinite(rounded), rounded, values[of_these])
        return np.clip(values, self.low, self.high).astype(self.dtype, copy=False)

    def mixed(self, first: np.ndarray, second: np.ndarray, share: np.ndarray) -> np.ndarray:
        """Scaled numbers (d, n) on the straight line between the values that two each stand for; the share is (1, n)."""
        a, b = self.scaling.decode(first), self.scaling.decode(second)
        return self.scaling.encode(a * (1 - share) + b * share)


def scaled_together(values: np.ndarray, dtype: np.dtype, numbers: np.ndarray) -> list[Together]:
    """Columns (d, n), float64 without missing values, by how many different values they have.

    Parameters
    ----------
    values : ndarray of shape (d, n)
    dtype : dtype
        Of the table.
    numbers : ndarray of int, shape (d,)
        The columns' among the numeric ones.
    """
    low, high, decimals = values.min(1, keepdims=True), values.max(1, keepdims=True), decimals_of(values, dtype)
    return [
        Together(numbers[at], scaling, low[at], high[at], decimals[at], dtype)
        for at, scaling in RankScaling.of_columns(values)
    ]


def decimals_of(values: np.ndarray, dtype: np.dtype) -> np.ndarray:
    """The fewest decimals, up to six, that all values of each column (d, n) have; −1 where they have more."""
    as_seen = values.astype(dtype) if dtype.kind == "f" else values
    decimals, left = np.full(len(values), -1), np.arange(len(values))

    def have(columns: np.ndarray, places: int, part: slice) -> np.ndarray:
        with np.errstate(over="ignore", invalid="ignore"):
            rounded = np.round(values[columns, part], places).astype(as_seen.dtype)
        return columns[(rounded == as_seen[columns, part]).all(1)]

    for places in range(MAX_DECIMALS + 1):
        found = have(have(left, places, slice(50)), places, slice(None))  # most columns are told by a few values
        decimals[found] = places
        left = np.setdiff1d(left, found)
    return decimals
