"""The three kinds of columns of a table: numbers, categories as one-hot spans, and categories that are inherited."""

from typing import Any

import numpy as np
import pandas as pd

from skgan.codecs._container import Table, column_of
from skgan.codecs._kinds import check_cells, is_missing
from skgan.codecs._numbers import NumericColumns
from skgan.codecs._together import CELLS

APART, GAP, FAR_APART = 30.0, 10.0, 1000.0
"""Two neighbouring values are of different decades where one is 1000 times the other; or 30 times, and their distance is ten
times the usual one."""


class Categories:
    """The categories of one column, in the order of first appearance: they need not be comparable with one another.

    Missing values (None, NaN, NA and NaT are one) are a category too. What is kept of each is the first cell that holds it, so
    that they come back as what they are.

    Parameters
    ----------
    column : Series or ndarray of shape (n,)
    name : str
        In messages.
    """

    def __init__(self, column, name: str):
        check_cells(column, name)
        self.name = name
        codes, unique = pd.factorize(self._objects(column), use_na_sentinel=False)
        first = np.full(len(unique), len(codes))
        np.minimum.at(first, codes, np.arange(len(codes)))
        self.cells = column.array.take(first) if isinstance(column, pd.Series) else column[first]
        self.index = pd.Index(unique, dtype=object, tupleize_cols=False)

    def __len__(self) -> int:
        return len(self.index)

    @staticmethod
    def _objects(column) -> np.ndarray:
        objects = np.array(column, dtype=object)
        objects[is_missing(column)] = np.nan
        return objects

    def codes(self, column) -> np.ndarray:
        """Which category each cell holds; −1 for others."""
        return self.index.get_indexer(self._objects(column))

    def known_codes(self, column) -> np.ndarray:
        """As ``codes``, or a sentence where there are others."""
        codes = self.codes(column)
        if (codes < 0).any():
            unknown = self._objects(column)[np.argmax(codes < 0)]
            raise ValueError(f"Column {self.name} holds {unknown!r}, a category that was not there in fit.")
        return codes

    def of(self, codes: np.ndarray):
        """Cells like the column's."""
        return self.cells.take(codes)


def _ends(values: np.ndarray, begins: np.ndarray) -> np.ndarray:
    """The range of each group's values, where the next value beyond its end is of other decades; ±∞ elsewhere: (2, groups, d).

    Parameters
    ----------
    values : ndarray of shape (n, d)
        Of columns, the rows group by group; NaN is missing.
    begins : ndarray of int
        Where each group begins.
    """
    order = np.argsort(values, axis=0)
    ordered = np.take_along_axis(values, order, 0)
    n, there = len(values), (~np.isnan(values)).sum(0)
    places = np.arange(n)[:, None]
    other = np.ones(ordered.shape, dtype=bool)  # where another value begins
    other[1:] = ordered[1:] != ordered[:-1]
    first = np.maximum.accumulate(np.where(other, places, 0), axis=0)
    last = np.minimum.accumulate(np.where(np.roll(other, -1, 0), places, n)[::-1], axis=0)[::-1]
    last = np.minimum(last, n - 1)
    usual = _usual(ordered, other & (places > 0) & (places < there))
    ends = np.empty((2, len(begins), values.shape[1]))
    ends[0], ends[1] = -np.inf, np.inf
    for side, (edge, reduce, none) in enumerate(((first, np.minimum, n), (last, np.maximum, -1))):
        at = np.empty_like(order)
        np.put_along_axis(at, order, np.where(places < there, edge, none), 0)
        at = reduce.reduceat(at, begins, axis=0)
        beyond = at + (-1, 1)[side]
        known = (at != none) & (beyond >= 0) & (beyond < there)
        end, next_one = (np.take_along_axis(ordered, np.clip(rows, 0, n - 1), 0) for rows in (at, beyond))
        with np.errstate(invalid="ignore"):
            small, large = np.minimum(abs(next_one), abs(end)), np.maximum(abs(next_one), abs(end))
            wide = abs(end / GAP - next_one / GAP) > usual
            bounded = known & (small < large / np.where(wide, APART, FAR_APART))
        ends[side][bounded] = end[bounded]
    return ends


def _usual(ordered: np.ndarray, other: np.ndarray) -> np.ndarray:
    """The median distance between neighbouring values of each column; ∞ where there are none.

    Parameters
    ----------
    ordered : ndarray of shape (n, d)
        Sorted.
    other : ndarray of bool, shape (n, d)
        Where another value begins than that before it.
    """
    distances = np.full(ordered.shape, np.inf)
    with np.errstate(over="ignore", invalid="ignore"):
        distances[1:][other[1:]] = np.diff(ordered, axis=0)[other[1:]]
        distances = np.sort(distances, axis=0)
        n = np.maximum(other.sum(0), 1)
        low, high = (np.take_along_axis(distances, middle[None], 0)[0] for middle in ((n - 1) // 2, n // 2))
        return np.where(n % 2 == 1, low, (low + high) / 2)


class Columns:
    """All columns of a table: numbers, one-hot spans and inherited ones.

    Encoded, the numbers come first, then a span for each one-hot column, then the spans of missing values.

    Parameters
    ----------
    table : Table
    X : DataFrame, ndarray or sparse matrix
    categorical : ndarray of int
        Positions of the categorical columns.
    max_categories : int or None
        More than these, and a column is inherited, unless all would be.
    """

    def __init__(self, table: Table, X, categorical: np.ndarray, max_categories: int | None):
        found = {int(j): Categories(column_of(X, j), table.name(j)) for j in categorical}
        limit = np.inf if max_categories is None else max_categories
        many = [j for j, categories in found.items() if len(categories) > limit]
        many = [] if len(many) == X.shape[1] else many
        self.inherited_indices = np.array(many, dtype=int)
        self.numeric_indices = np.setdiff1d(np.arange(X.shape[1]), categorical)
        self.table = table
        self.inherited = {j: found[j] for j in many}
        self.one_hot = {j: categories for j, categories in found.items() if j not in many}
        self.sizes = [len(categories) for categories in self.one_hot.values()]
        """Categories of each one-hot column."""

    def fit(self, X, scaling: str) -> "Columns":
        """Learn the numbers, and where the spans lie."""
        self.numeric = NumericColumns(self.table, X, self.numeric_indices, scaling)
        n_numeric, sizes = len(self.numeric_indices), [*self.sizes, *[2] * len(self.numeric.missing)]
        stops = n_numeric + np.cumsum(sizes, dtype=int)
        self.spans = tuple((int(stop - size), int(stop)) for stop, size in zip(stops, sizes, strict=True))
        self.is_numeric = np.arange(n_numeric + sum(sizes)) < n_numeric
        return self

    def encode(self, X) -> np.ndarray:
        """float32 of shape (n, n_numeric + Σ categories)."""
        encoded = np.zeros((X.shape[0], len(self.is_numeric)), dtype=np.float32)
        rows = np.arange(len(encoded))
        for (j, categories), (start, _) in zip(self.one_hot.items(), self.spans, strict=False):
            encoded[rows, start + categories.known_codes(column_of(X, j))] = 1.0
        self.numeric.encode_into(X, encoded)
        return encoded

    def ranges(self, X, groups: np.ndarray) -> dict[int, tuple[np.ndarray, np.ndarray]]:
        """Group → lowest and highest encoded value of each column; ±∞ where there is no bound."""
        names, sizes = np.unique(groups, return_counts=True)
        if len(names) < 2:
            return {}  # beyond the range of all rows there is no value
        bounds = np.empty((len(names), 2, len(self.is_numeric)), dtype=np.float32)
        bounds[:, 0], bounds[:, 1] = -np.inf, np.inf
        rows, begins = np.argsort(groups, kind="stable"), np.cumsum(sizes) - sizes
        step = max(1, CELLS // len(rows))
        for start in range(0, len(self.numeric_indices), step):
            numbers = np.arange(len(self.numeric_indices))[start : start + step]
            ends = _ends(self.numeric.values(X, numbers)[rows], begins)
            bounded = np.isfinite(ends)
            for i in np.flatnonzero(bounded.any((0, 1))).tolist():
                side, group = np.nonzero(bounded[:, :, i])
                bounds[group, side, start + i] = self.numeric.columns[start + i].encode(ends[side, group, i])
        return {
            int(name): (low, high) for name, size, (low, high) in zip(names, sizes, bounds, strict=True) if size > 1
        }

    def codes(self, X) -> np.ndarray:
        """Which category each row has in each inherited column: int32 of shape (n, n_inherited)."""
        columns = [categories.codes(column_of(X, j)) for j, categories in self.inherited.items()]
        return np.array(columns, dtype=np.int32).reshape(len(columns), X.shape[0]).T

    def decode(self, encoded: np.ndarray, codes: np.ndarray | None) -> tuple[dict[int, Any], dict[int, np.ndarray]]:
        """Position → cells, and position → rows that have none there."""
        n_one_hot = len(self.sizes)
        cells: dict[int, Any] = {}
        if codes is not None:
            cells |= {j: self.inherited[j].of(codes[:, i]) for i, j in enumerate(self.inherited)}
        for (j, categories), (start, stop) in zip(self.one_hot.items(), self.spans, strict=False):
            cells[j] = categories.of(encoded[:, start:stop].argmax(1))
        numbers, missing = self.numeric.decode(encoded, self.spans[n_one_hot:])
        return cells | numbers, missing
