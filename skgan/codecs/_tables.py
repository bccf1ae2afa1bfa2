"""Rows of a table ↔ float32 arrays."""

from typing import Any, Self

import numpy as np
import pandas as pd
from sklearn.utils.validation import check_is_fitted

from skgan._mapped import evenly, in_a_file, is_large, row_pieces, rows_that_show_all
from skgan.codecs._arrays import memory_limit
from skgan.codecs._columns import Columns
from skgan.codecs._container import Table, by_columns, column_of
from skgan.codecs._kinds import is_categorical
from skgan.codecs.base import Codec


class TabularCodec(Codec):
    """Rows of a table ↔ float32 arrays: numeric columns scaled to about N(0, 1), categorical columns as one-hot spans.

    Everything decodes into what was seen: numbers inside the column's range (integers rounded), categories that occur. A
    numeric column with missing values also has a span of (there, missing), so that a net learns or copies the pattern of
    missing values as it does a category; among categories, missing is one more. Columns of very many categories are not
    encoded: new rows inherit those of a real row.

    Parameters
    ----------
    categorical_features : "auto", None or array-like, default="auto"
        Indices, names or a mask of the categorical columns. "auto" takes the columns of category dtype, as SMOTENC
        does, and also object, string and bool columns.
    scaling : {"quantile", "robust"}, default="quantile"
        "quantile" maps each numeric column to a normal distribution by its ranks, "robust" subtracts the median,
        divides by half the interquartile range and clips at ±20; both are then standardised, and constants become 0.
    max_categories : int or None, default=100
        A column with more categories is inherited: it stays out of the encoded array, and ``inverse_transform`` is told what
        it holds. None encodes every column. Where all columns would be inherited, none is.
    max_bytes : int or None, default=None
        Largest encoded array; None is a ninth of the machine's memory, since a fit takes up to 4.5 such arrays.

    Attributes
    ----------
    categorical_indices_ : ndarray of int
        Positions of the categorical columns.
    inherited_ : ndarray of int
        Positions of those that are not encoded.
    spans_ : tuple of (start, stop)
        Columns of the encoded array that belong to one categorical feature each; they follow the numeric ones. After these,
        the spans of missing values.
    numeric_ : ndarray of bool, shape (n_encoded,)
        Which encoded columns are numeric.
    mostly_zero_ : bool
        Whether X has at least 50 numeric columns, and nine in ten of their values are 0, as counts of words are.
    """

    takes_nan = True

    def __init__(
        self,
        *,
        categorical_features: Any = "auto",
        scaling: Any = "quantile",
        max_categories: Any = 100,
        max_bytes: Any = None,
    ):
        self.categorical_features = categorical_features
        self.scaling = scaling
        self.max_categories = max_categories
        self.max_bytes = max_bytes

    def fit(self, X: Any, y: Any = None) -> Self:
        """Learn the columns of X: DataFrame, ndarray or sparse matrix of shape (n, d).

        All rows count. Of an array that is mapped from a file and has more than 256 MiB a sample of so much does: evenly spaced
        rows, and of each column those of its lowest and highest value and one where it is missing.
        """
        if self.scaling not in ("quantile", "robust"):
            raise ValueError(f"scaling must be 'quantile' or 'robust', got {self.scaling!r}.")
        if self.max_categories is not None and not self.max_categories >= 1:
            raise ValueError(f"max_categories must be None or an integer of at least 1, got {self.max_categories!r}.")
        large, X = is_large(X), X[rows_that_show_all(X)] if is_large(X) else X
        self._table, X = Table.like(X), by_columns(X)
        self.categorical_indices_ = self._categorical_indices(X)
        self._columns = Columns(self._table, X, self.categorical_indices_, self.max_categories)
        if not large:  # what is encoded of it goes into a file
            self._check_size(X.shape[0])
        self._columns.fit(X, self.scaling)
        self.inherited_ = self._columns.inherited_indices
        self.mostly_zero_ = self._columns.numeric.mostly_zero
        self.spans_, self.numeric_ = self._columns.spans, self._columns.is_numeric
        return self

    def _categorical_indices(self, X) -> np.ndarray:
        wanted = self.categorical_features
        n_columns, names = X.shape[1], self._table.columns
        if wanted is None:
            return np.array([], dtype=int)
        if isinstance(wanted, str):
            if wanted != "auto":
                raise ValueError(
                    f"categorical_features must be 'auto', None, or a list of indices, names or bools; got {wanted!r}. "
                    f"For one column write [{wanted!r}]."
                )
            if self._table.is_numeric:
                return np.array([], dtype=int)
            return np.array(
                [j for j in range(n_columns) if is_categorical(column_of(X, j), self._table.name(j))], dtype=int
            )
        if isinstance(names, pd.MultiIndex) and any(isinstance(name, tuple) for name in wanted):
            wanted = self._positions_of(list(wanted), names)
        wanted = np.asarray(wanted)
        if wanted.dtype == bool:
            if wanted.shape != (n_columns,):
                raise ValueError(
                    f"A categorical_features mask needs one bool per column: X has {n_columns} columns, the mask "
                    f"has shape {wanted.shape}."
                )
            return np.flatnonzero(wanted)
        if wanted.dtype.kind in "UO" and wanted.size:
            if names is None:
                raise ValueError("categorical_features holds names, but X has no column names; give indices.")
            return np.sort(self._positions_of(wanted.tolist(), names))
        indices = wanted.astype(int)
        outside = [int(j) for j in indices if not -n_columns <= j < n_columns]
        if outside:
            raise ValueError(
                f"categorical_features has the indices {outside}, but X has {n_columns} columns (0 … {n_columns - 1})."
            )
        return np.unique(indices % n_columns)

    @staticmethod
    def _positions_of(wanted: list, names: pd.Index) -> np.ndarray:
        """Positions of columns by their names."""
        unknown = [name for name in wanted if name not in names.tolist()]
        if unknown:
            raise ValueError(f"categorical_features names {unknown} are not among the columns {list(names)}.")
        return np.array([names.tolist().index(name) for name in wanted], dtype=int)

    def _check_size(self, n_rows: int) -> None:
        """Refuse what would not fit into memory, with the column that is to blame."""
        limit = memory_limit() if self.max_bytes is None else self.max_bytes
        sizes, n_numeric = self._columns.sizes, len(self._columns.numeric_indices)
        needed = 4 * n_rows * (n_numeric + sum(sizes))
        if needed <= limit:
            return
        message = f"Encoded, X would take {needed / 2**30:.3g} GiB, and {limit / 2**30:.3g} GiB is the limit here"
        if sizes and max(sizes) > n_numeric:
            widest = int(np.argmax(sizes))
            name = self._table.name(list(self._columns.one_hot)[widest])
            raise ValueError(
                f"{message}: column {name} alone has {sizes[widest]} categories. "
                "Drop it, group its rare categories, or encode it as a number."
            )
        raise ValueError(f"{message}. Select fewer columns (for instance with TruncatedSVD or SelectKBest) first.")

    def transform(self, X: Any) -> np.ndarray:
        """Encode rows as float32 of shape (n, n_numeric + Σ categories); those of a large mapped X in a temporary file."""
        check_is_fitted(self)
        if is_large(X):
            shape = (len(X), len(self.numeric_))
            return in_a_file((self._columns.encode(X[piece]) for piece in row_pieces(X)), shape)
        return self._columns.encode(by_columns(X))

    def codes(self, X: Any) -> np.ndarray:
        """Which category each row has in the columns of ``inherited_``: int32 of shape (n, n_inherited).

        Parameters
        ----------
        X
            As in ``fit``.
        """
        check_is_fitted(self)
        return self._columns.codes(by_columns(X))

    def between(self, first: np.ndarray, second: np.ndarray, share: np.ndarray) -> np.ndarray:
        """As :meth:`Codec.between`; the line is straight between the values of the table, not between their ranks."""
        check_is_fitted(self)
        return self._columns.numeric.between(first, second, share, super().between(first, second, share))

    def ranges(self, X: Any, groups: np.ndarray) -> dict[int, tuple[np.ndarray, np.ndarray]]:
        """Group of rows → lowest and highest encoded value of each column, where other decades begin beyond it.

        Ranks lie close to each other also where the values of two groups are decades apart, and a row that is a little off
        would get a value that no row of its group is near. So new rows stay within the range of their group's real ones at an
        end where the next value of the column is 1000 times smaller or larger, or 30 times and across a gap of ten times the
        usual distance. A group of one row has no such bounds. Of a large mapped X evenly spaced rows count.

        Parameters
        ----------
        X
            As in ``fit``.
        groups : ndarray of int, shape (n,)
        """
        check_is_fitted(self)
        if is_large(X):
            X, groups = evenly(X), groups[:: -(-len(groups) // len(evenly(X)))]
        return self._columns.ranges(by_columns(X), groups)

    def inverse_transform(self, encoded: np.ndarray, codes: np.ndarray | None = None) -> Any:
        """Decode into a DataFrame, ndarray or sparse matrix like the one in ``fit``.

        Parameters
        ----------
        encoded : ndarray of shape (n, n_encoded)
        codes : ndarray of int, shape (n, n_inherited), or None, default=None
            As from :meth:`codes`; needed where columns are inherited.

        Raises
        ------
        ValueError
            Where codes are needed and not given.
        """
        check_is_fitted(self)
        if codes is None and len(self.inherited_):
            raise ValueError(
                f"Column {self._table.name(self.inherited_[0])} has more than {self.max_categories} categories and is not in "
                "the encoded rows: give what it holds as codes, or encode all columns with max_categories=None."
            )
        cells, missing = self._columns.decode(encoded, codes)
        return self._table.build(len(encoded), cells, missing, self._columns.numeric.missing_cells())
