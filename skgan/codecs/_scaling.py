"""Columns of numbers ↔ about N(0, 1)."""

from typing import Any

import numpy as np
from scipy.special import ndtr, ndtri

MAX_KNOTS = 10_000
"""Different values of a column that are kept; between two of them values are interpolated."""

_FEW = 32
"""Entries of a row that are compared one after the other."""

_NEAR = 1e-5
"""Ranks: encoded rows are float32, and a real row's own value must come back."""


class RankScaling:
    """Numbers ↔ normal quantiles of their ranks, standardised; of one column, or of several with as many different values.

    Each different value is a knot, at the middle of the ranks of its rows; between two neighbours values are interpolated, in
    float64. Ranks do not mind the distances between values: a column may span as many decades as float64 has.

    Parameters
    ----------
    values : ndarray of shape (n,), float64
        Of one column; finite; n ≥ 1.
    """

    is_linear = False

    def __init__(self, values: np.ndarray):
        knots, counts = np.unique(values, return_counts=True)
        self._learn(knots[None], counts[None], len(values))

    @classmethod
    def of_columns(cls, values: np.ndarray) -> "list[tuple[np.ndarray, RankScaling]]":
        """Numbers of columns, (d, n), as many different values each, and one scaling for all of these."""
        ordered = np.sort(values, axis=1)
        begins = np.ones(ordered.shape, dtype=bool)  # where a different value begins
        begins[:, 1:] = ordered[:, 1:] != ordered[:, :-1]
        n_knots = begins.sum(1)
        scalings = []
        for k in np.unique(n_knots):
            columns = np.flatnonzero(n_knots == k)
            first = np.nonzero(begins[columns])[1].reshape(-1, k)
            scaling = cls.__new__(cls)
            counts = np.diff(first, axis=1, append=values.shape[1])
            scaling._learn(np.take_along_axis(ordered[columns], first, 1), counts, values.shape[1])
            scalings.append((columns, scaling))
        return scalings

    def _learn(self, knots: np.ndarray, counts: np.ndarray, n: int) -> None:
        """From the different values of each column, sorted, and how often each is there, (d, k)."""
        last = np.cumsum(counts, axis=1) - 1
        first = last - counts + 1
        middle = ndtri(((first + last) / 2 + 0.5) / n)
        self.n = n
        self.mean = np.average(middle, axis=1, weights=counts)[:, None]
        spread = np.sqrt(np.average((middle - self.mean) ** 2, axis=1, weights=counts))[:, None]
        self.spread = np.where(spread > 0, spread, 1.0)
        if knots.shape[1] > MAX_KNOTS:
            kept = _kept_knots(knots[0])
            knots, first, last = knots[:, kept], first[:, kept], last[:, kept]
        self.knots, self.first = knots, first.astype(np.int32)
        # Most often each value is there once, and the ranks need not be kept twice.
        self.last = self.first if np.array_equal(first, last) else last.astype(np.int32)

    def __getitem__(self, i: int) -> "RankScaling":
        """The scaling of one of the columns."""
        return _OfOneColumn(self, i)

    def encode(self, values: np.ndarray) -> np.ndarray:
        """Numbers of one column, (n,), or of all, (d, n) → standardised quantiles; what lies outside counts as an end."""
        shape, values = values.shape, np.atleast_2d(values)
        end = self.knots.shape[1] - 1
        column = np.arange(len(values))[:, None]
        below = _searched(self.knots, values)
        inside = np.clip(below, 0, end)
        rank = (self.first[column, inside] + self.last[column, inside]) / 2
        between = (values > self.knots[column, inside]) & (below >= 0) & (below < end)
        if between.any():
            column, i = np.nonzero(between)[0], inside[between]
            share = _share(values[between], self.knots[column, i], self.knots[column, i + 1])
            last = self.last[column, i]
            rank[between] = last + share * (self.first[column, i + 1] - last)
        return ((ndtri((rank + 0.5) / self.n) - self.mean) / self.spread).reshape(shape)

    def decode(self, encoded: np.ndarray) -> np.ndarray:
        """Standardised quantiles of one column, (n,), or of all, (d, n) → numbers inside the seen range."""
        shape, encoded = encoded.shape, np.atleast_2d(encoded)
        end = self.knots.shape[1] - 1
        column = np.arange(len(encoded))[:, None]
        rank = ndtr(encoded * self.spread + self.mean) * self.n - 0.5
        # The rank of a float32 is known to about 1e-8 n.
        near = _NEAR + 4e-8 * self.n
        i = np.clip(_searched(self.first, rank + near), 0, end)
        values = self.knots[column, i]
        between = (rank > self.last[column, i] + near) & (i < end)
        if between.any():
            column, i, rank = np.nonzero(between)[0], i[between], rank[between]
            low, high, last = self.knots[column, i], self.knots[column, i + 1], self.last[column, i]
            share = (rank - last) / (self.first[column, i + 1] - last)
            values[between] = np.clip(low * (1 - share) + high * share, low, high)
        return values.reshape(shape)


class _OfOneColumn(RankScaling):
    """One of the columns of a scaling of several, whose arrays it looks at; a pickle has them once."""

    def __init__(self, several: RankScaling, i: int):
        self._place = several, i

    def __getattr__(self, name: str):
        """An array of this column alone; looked up only when it is asked for, because there may be 100,000 columns."""
        if name not in ("n", "mean", "spread", "knots", "first", "last"):
            raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")
        several, i = self._place
        whole = vars(several)[name]
        return whole if name == "n" else whole[i : i + 1]

    def __reduce__(self):
        return _OfOneColumn, self._place


def _searched(sorted_rows: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Row by row, the position of the last entry that is no larger than each value; −1 before the first."""
    if len(values) > 1 and sorted_rows.shape[1] <= _FEW:  # for each row a call would take longer than to compare all
        return np.sum([entry[:, None] <= values for entry in sorted_rows.T], axis=0) - 1
    found = [np.searchsorted(*pair, side="right") for pair in zip(sorted_rows, values, strict=True)]
    return np.stack(found) - 1


def _kept_knots(knots: np.ndarray) -> np.ndarray:
    """Positions of ``MAX_KNOTS`` of them: evenly by rank, and at both ends of the widest gaps, absolute and by magnitude.

    The gaps keep a few rows apart that lie in other decades than the rest.
    """
    evenly = np.linspace(0, len(knots) - 1, MAX_KNOTS // 2).round().astype(int)
    with np.errstate(over="ignore"):
        absolute = np.diff(knots)
    magnitude = np.diff(np.sign(knots) * (1100 + np.log2(np.maximum(np.abs(knots), 5e-324))))
    widest = [np.argpartition(gaps, -MAX_KNOTS // 8)[-MAX_KNOTS // 8 :] for gaps in (absolute, magnitude)]
    return np.unique(np.concatenate([evenly, *widest, *(gaps + 1 for gaps in widest)]))


def _share(values: np.ndarray, low: np.ndarray, high: np.ndarray) -> np.ndarray:
    """How far the values lie from low to high, 0 to 1, also where the distance is beyond float64."""
    with np.errstate(over="ignore"):
        wide = np.isinf(high - low)
    half = np.where(wide, 0.5, 1.0)  # halves of the smallest numbers would be 0
    return (values * half - low * half) / (high * half - low * half)


class RobustScaling:
    """Numbers ↔ distance from the median in halves of the interquartile range, clipped at ±20, standardised.

    Where the interquartile range is 0 (most values are equal), the range takes its place, and 1 for constants.

    Parameters
    ----------
    values : ndarray of shape (n,), float64
        Finite; n ≥ 1.
    """

    is_linear = True  # but for what is clipped

    def __init__(self, values: np.ndarray):
        q25, self.centre, q75 = np.percentile(values, [25, 50, 75])
        halves = [q75 / 2 - q25 / 2, values.max() / 2 - values.min() / 2, 1.0]  # their difference may be beyond float64
        self.scale = next(half for half in halves if half > 0)
        centred = self._centred(values)
        self.mean, spread = float(centred.mean()), float(centred.std())
        self.spread = spread if spread > 0 else 1.0

    def _centred(self, values: np.ndarray) -> np.ndarray:
        with np.errstate(over="ignore"):
            return np.clip((values - self.centre) / self.scale, -20, 20)

    def encode(self, values: np.ndarray) -> np.ndarray:
        """Numbers (n,) → scaled ones."""
        return (self._centred(values) - self.mean) / self.spread

    def decode(self, encoded: np.ndarray) -> np.ndarray:
        """Scaled numbers (n,) → numbers, not yet inside the seen range."""
        with np.errstate(over="ignore"):
            return (encoded * self.spread + self.mean) * self.scale + self.centre


SCALINGS: dict[str, Any] = {"quantile": RankScaling, "robust": RobustScaling}
