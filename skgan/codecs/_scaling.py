"""One column of numbers ↔ about N(0, 1)."""

from typing import Any

import numpy as np
from scipy.special import ndtr, ndtri

MAX_KNOTS = 10_000
"""Different values of a column that are kept; between two of them values are interpolated."""

_NEAR = 1e-5
"""Ranks: encoded rows are float32, and a real row's own value must come back."""


class RankScaling:
    """Numbers ↔ normal quantiles of their ranks, standardised.

    Each different value is a knot, at the middle of the ranks of its rows; between two neighbours values are interpolated, in
    float64. Ranks do not mind the distances between values: a column may span as many decades as float64 has.

    Parameters
    ----------
    values : ndarray of shape (n,), float64
        Finite; n ≥ 1.
    """

    is_linear = False

    def __init__(self, values: np.ndarray):
        knots, counts = np.unique(values, return_counts=True)
        last = np.cumsum(counts) - 1
        first = last - counts + 1
        middle = ndtri(((first + last) / 2 + 0.5) / len(values))
        self.n = len(values)
        self.mean = float(np.average(middle, weights=counts))
        spread = float(np.sqrt(np.average((middle - self.mean) ** 2, weights=counts)))
        self.spread = spread if spread > 0 else 1.0
        if len(knots) > MAX_KNOTS:
            kept = _kept_knots(knots)
            knots, first, last = knots[kept], first[kept], last[kept]
        self.knots, self.first = knots, first.astype(np.int32)
        # Most often each value is there once, and the ranks need not be kept twice.
        self.last = self.first if np.array_equal(first, last) else last.astype(np.int32)

    def encode(self, values: np.ndarray) -> np.ndarray:
        """Numbers (n,) → standardised quantiles; what lies outside of the seen range counts as its end."""
        below = np.searchsorted(self.knots, values, side="right") - 1
        inside = np.clip(below, 0, len(self.knots) - 1)
        rank = (self.first[inside] + self.last[inside]) / 2
        between = (values > self.knots[inside]) & (below >= 0) & (below < len(self.knots) - 1)
        if between.any():
            i = inside[between]
            share = _share(values[between], self.knots[i], self.knots[i + 1])
            rank[between] = self.last[i] + share * (self.first[i + 1] - self.last[i])
        return (ndtri((rank + 0.5) / self.n) - self.mean) / self.spread

    def decode(self, encoded: np.ndarray) -> np.ndarray:
        """Standardised quantiles (n,) → numbers inside the seen range."""
        rank = ndtr(encoded * self.spread + self.mean) * self.n - 0.5
        # The rank of a float32 is known to about 1e-8 n.
        near = _NEAR + 4e-8 * self.n
        i = np.clip(np.searchsorted(self.first, rank + near, side="right") - 1, 0, len(self.knots) - 1)
        values = self.knots[i]
        between = (rank > self.last[i] + near) & (i < len(self.knots) - 1)
        if between.any():
            i, rank = i[between], rank[between]
            low, high = self.knots[i], self.knots[i + 1]
            share = (rank - self.last[i]) / (self.first[i + 1] - self.last[i])
            values[between] = np.clip(low * (1 - share) + high * share, low, high)
        return values


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
