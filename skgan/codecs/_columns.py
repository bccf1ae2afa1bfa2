"""The three kinds of columns of a table: numbers, categories as one-hot spans, and categories that are inherited."""

from typing import Any

import numpy as np
import pandas as pd

from skgan.codecs._container import Table, column_of
from skgan.codecs._kinds import check_cells, is_missing
from skgan.codecs._numbers import NumericColumns

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


def _ends(values: np.ndarray, unique: np.ndarray, usual: float) -> np.ndarray:
    """The range of a group's values, where the next value beyond its end is of other decades; ±∞ elsewhere.

    Parameters
    ----------
    values : ndarray of shape (n,)
        Of the group; NaN is missing.
    unique : ndarray
        All values of the column, sorted.
    usual : float
        The median distance between neighbouring ones.
    """
    ends, there = np.array([-np.inf, np.inf]), values[~np.isnan(values)]
    if not len(there):
        return ends
    for side, end in enumerate((there.min(), there.max())):
        beyond = np.searchsorted(unique, end) + (-1, 1)[side]
        if 0 <= beyond < len(unique):
            small, large = sorted((abs(unique[beyond]), abs(end)))
            wide = abs(end / GAP - unique[beyond] / GAP) > usual
            if small < large / (APART if wide else FAR_APART):
                ends[side] = end
    return ends


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
        members = [groups == name for name in names]
        for i, (j, column) in enumerate(self.numeric.named()):
            values = column.read(column_of(X, j))
            unique = np.unique(values[~np.isnan(values)])
            if len(unique) < 2:
                continue
            with np.errstate(over="ignore"):
                usual = float(np.median(np.diff(unique)))
            for k, mine in enumerate(members):
                ends = _ends(values[mine], unique, usual)
                bounded = np.isfinite(ends)
                bounds[k, bounded, i] = column.encode(ends[bounded])
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
