"""The three kinds of columns of a table: numbers, categories as one-hot spans, and categories that are inherited."""

from typing import Any

import numpy as np
import pandas as pd
from scipy import sparse
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import QuantileTransformer, StandardScaler

from skgan.codecs._arrays import to_dtype
from skgan.codecs._container import Table, column_of


def category_values(X, j: int) -> np.ndarray:
    """Column j as an array of categories: None, NaN, NA and NaT are one."""
    column = column_of(X, j)
    if isinstance(column, pd.Series):
        column = column.to_numpy(dtype=object)
    missing = pd.isna(column)
    return np.where(missing, np.nan, column.astype(object)) if missing.any() else column


def category_codes(X, j: int, categories) -> np.ndarray:
    """Which of these categories each row has in column j; −1 for others."""
    return pd.Index(categories).get_indexer(category_values(X, j))


class NumericColumns:
    """Numbers ↔ about N(0, 1), missing values ↔ the median and a span that says so.

    Attributes
    ----------
    indices : ndarray of int
        Positions in the table.
    missing : ndarray of int
        Which of them had some values missing in ``fit``.
    empty : ndarray of int
        Which had no value at all, and come back so.
    """

    def __init__(self, table: Table, indices: np.ndarray, scaling: str):
        self.table, self.indices, self.scaling = table, indices, scaling

    def fit(self, X) -> "NumericColumns":
        """Learn range, centre and scale of each."""
        values = self.values(X)
        gone = np.isnan(values)
        self.missing = np.flatnonzero(gone.any(axis=0) & ~gone.all(axis=0))
        self.empty = np.flatnonzero(gone.all(axis=0))
        if not len(self.indices):
            return self
        there = values.copy() if len(self.empty) else values
        there[:, self.empty] = 0.0  # a constant, which comes back as missing
        self.low, self.high = np.nanmin(there, axis=0), np.nanmax(there, axis=0)
        self._fit_bounds(X)
        self._fit_centre(there)
        steps: list[Any] = [StandardScaler()]
        if self.scaling == "quantile":
            # With subsample=None every row counts, and nothing is drawn at random.
            quantiles = QuantileTransformer(
                n_quantiles=min(1000, len(there)), output_distribution="normal", subsample=None
            )
            steps.insert(0, quantiles)
        self.scaler = make_pipeline(*steps).fit(self._centred(there))
        return self

    def values(self, X) -> np.ndarray:
        """The columns as float64, shape (n, n_numeric)."""
        if self.table.columns is None and not sparse.issparse(X) and X.dtype.kind in "biuf":
            return X[:, self.indices].astype(np.float64)
        values = np.empty((X.shape[0], len(self.indices)))
        for i, j in enumerate(self.indices):
            column = column_of(X, j)
            if getattr(column.dtype, "kind", "") in "Mm":
                raise ValueError(
                    f"Column {self.table.name(j)} holds dates or durations ({column.dtype}); convert it to a number first, "
                    "such as days since a start date, or drop it."
                )
            try:
                if isinstance(column, pd.Series):
                    values[:, i] = column.to_numpy(np.float64, na_value=np.nan)
                else:
                    values[:, i] = np.where(pd.isna(column), np.nan, column) if column.dtype == object else column
            except (TypeError, ValueError) as error:
                raise ValueError(
                    f"Column {self.table.name(j)} could not be read as numbers ({error}); list it in categorical_features."
                ) from error
        return values

    def encode(self, X) -> tuple[list[np.ndarray], list[np.ndarray]]:
        """The scaled columns, none or one block; and the spans (there, missing) of those that may be missing."""
        if not len(self.indices):
            return [], []
        values = self.values(X)
        missing = np.isnan(values)
        unseen = np.setdiff1d(np.flatnonzero(missing.any(axis=0)), [*self.missing, *self.empty])
        if len(unseen):
            name = self.table.name(self.indices[unseen[0]])
            raise ValueError(f"Column {name} has missing values, and there were none in fit.")
        scaled = self.scaler.transform(self._centred(values))
        block = np.where(missing, 0.0, scaled).astype(np.float32)  # the median, of which the span tells
        spans = [np.stack([~missing[:, i], missing[:, i]], axis=1).astype(np.float32) for i in self.missing]
        return [block], spans

    def decode(self, encoded: np.ndarray) -> dict[int, np.ndarray]:
        """Position → values, from the scaled columns (n, n_numeric)."""
        if not len(self.indices):
            return {}
        values = self.scaler.inverse_transform(encoded.astype(np.float64))
        values = values * self.scale + self.centre
        columns = {}
        for i, j in enumerate(self.indices):
            low, high = self.bounds.get(i, (self.low[i], self.high[i]))
            columns[int(j)] = to_dtype(values[:, i], self.table.numpy_dtypes[j], low, high)
        return columns

    def decode_missing(self, encoded: np.ndarray, spans) -> dict[int, np.ndarray]:
        """Position → which rows have no value there, from these spans of the encoded rows."""
        missing = {
            int(self.indices[i]): encoded[:, start:stop].argmax(1) == 1
            for i, (start, stop) in zip(self.missing, spans, strict=True)
        }
        return missing | {int(self.indices[i]): np.ones(len(encoded), bool) for i in self.empty}

    def _fit_bounds(self, X) -> None:
        """The seen range of integer columns as exact integers: float64 rounds above 2⁵³."""
        self.bounds = {}
        for i, j in enumerate(self.indices):
            if self.table.numpy_dtypes[j].kind in "iu":
                column = column_of(X, j)
                if not pd.isna(column).all():
                    self.bounds[i] = int(column.min()), int(column.max())

    def _fit_centre(self, values: np.ndarray) -> None:
        """Median and interquartile range; where that is 0 (most values are equal) the range, and 1 for constants.

        QuantileTransformer cannot tell values apart that lie within 1e-7, and squares overflow from 1e154 on.
        """
        q25, self.centre, q75 = np.nanpercentile(values, [25, 50, 75], axis=0)
        scale = np.where(q75 > q25, q75 / 2 - q25 / 2, self.high / 2 - self.low / 2)
        self.scale = np.where(scale > 0, scale, 1.0)

    def _centred(self, values: np.ndarray) -> np.ndarray:
        # Ranks do not mind how far an outlier lies, but its neighbours come back along the line to it.
        limit = 1e6 if self.scaling == "quantile" else 20.0
        with np.errstate(over="ignore"):
            return np.clip((values - self.centre) / self.scale, -limit, limit)


class OneHotColumns:
    """Categories ↔ one-hot spans, in the order of first appearance: they need not be comparable with one another."""

    def __init__(self, table: Table, categories: dict[int, np.ndarray]):
        self.table, self.categories = table, categories

    def encode(self, X) -> list[np.ndarray]:
        """One span a column."""
        spans = []
        for j, categories in self.categories.items():
            codes = category_codes(X, j, categories)
            if (codes < 0).any():
                unknown = category_values(X, j)[np.argmax(codes < 0)]
                raise ValueError(
                    f"Column {self.table.name(j)} holds {unknown!r}, a category that was not there in fit."
                )
            spans.append((codes[:, None] == np.arange(len(categories))).astype(np.float32))
        return spans

    def decode(self, encoded: np.ndarray, spans) -> dict[int, np.ndarray]:
        """Position → categories, from these spans of the encoded rows."""
        return {
            j: categories[encoded[:, start:stop].argmax(1)]
            for (j, categories), (start, stop) in zip(self.categories.items(), spans, strict=True)
        }


class InheritedColumns:
    """Columns of very many categories, which no net makes: a new row has what a real row has."""

    def __init__(self, categories: dict[int, np.ndarray]):
        self.categories = categories

    def codes(self, X) -> np.ndarray:
        """Which category each row has in each of them: int32 of shape (n, n_inherited)."""
        columns = [category_codes(X, j, categories) for j, categories in self.categories.items()]
        return np.array(columns, dtype=np.int32).reshape(len(columns), X.shape[0]).T

    def decode(self, codes: np.ndarray | None) -> dict[int, np.ndarray]:
        """Position → categories."""
        if codes is None:
            return {}
        return {j: categories[code] for (j, categories), code in zip(self.categories.items(), codes.T, strict=True)}


class Columns:
    """All columns of a table: numbers, one-hot spans and inherited ones.

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
        found = {int(j): pd.unique(category_values(X, j)) for j in categorical}
        limit = np.inf if max_categories is None else max_categories
        many = [j for j, categories in found.items() if len(categories) > limit]
        many = [] if len(many) == X.shape[1] else many
        self.inherited_indices = np.array(many, dtype=int)
        self.numeric_indices = np.setdiff1d(np.arange(X.shape[1]), categorical)
        self.table = table
        self.inherited = InheritedColumns({j: found[j] for j in many})
        self.one_hot = OneHotColumns(table, {j: found[j] for j in found if j not in many})
        self.sizes = [len(categories) for categories in self.one_hot.categories.values()]
        """Categories of each one-hot column."""

    def fit(self, X, scaling: str) -> "Columns":
        """Learn the numbers, and where the spans lie."""
        self.numeric = NumericColumns(self.table, self.numeric_indices, scaling).fit(X)
        n_numeric, sizes = len(self.numeric_indices), [*self.sizes, *[2] * len(self.numeric.missing)]
        stops = n_numeric + np.cumsum(sizes, dtype=int)
        self.spans = tuple((int(stop - size), int(stop)) for stop, size in zip(stops, sizes, strict=True))
        self.is_numeric = np.arange(n_numeric + sum(sizes)) < n_numeric
        return self

    def encode(self, X) -> np.ndarray:
        """float32 of shape (n, n_numeric + Σ categories)."""
        numbers, missing = self.numeric.encode(X)
        blocks = [*numbers, *self.one_hot.encode(X), *missing]
        return np.concatenate(blocks, 1) if len(blocks) > 1 else blocks[0]

    def decode(self, encoded: np.ndarray, codes: np.ndarray | None) -> tuple[dict[int, Any], dict[int, np.ndarray]]:
        """Position → values, and position → rows that have none there."""
        n_numeric, n_one_hot = len(self.numeric_indices), len(self.sizes)
        columns = {
            **self.inherited.decode(codes),
            **self.numeric.decode(encoded[:, :n_numeric]),
            **self.one_hot.decode(encoded, self.spans[:n_one_hot]),
        }
        return columns, self.numeric.decode_missing(encoded, self.spans[n_one_hot:])
