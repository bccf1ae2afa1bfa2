"""Numeric columns of a table: how they are read, and how new numbers are written like them."""

import hashlib
from collections import Counter
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd

from skgan._warnings import warn
from skgan.codecs._arrays import to_dtype
from skgan.codecs._container import Table, column_of
from skgan.codecs._kinds import is_category_dtype, is_missing, refuse_times
from skgan.codecs._scaling import SCALINGS
from skgan.codecs._together import CELLS, MAX_ROWS, Together, decimals_of, scaled_together

_MANY_COLUMNS, _MOSTLY = 50, 0.9
"""From so many columns and such a share of zeros on, rows are like counts of words."""
_EXACT = 2**53
"""Up to here float64 tells all whole numbers apart."""


class NumberColumn:
    """One column of numbers: its range, its decimals, and what its cells are.

    Parameters
    ----------
    column : Series or ndarray of shape (n,)
    dtype : dtype
        Of the numbers inside: of nullable and sparse columns, numpy's.
    name : str
        In messages.
    scaling : {"quantile", "robust"}
    """

    def __init__(self, column, dtype: np.dtype, name: str, scaling: str):
        self.name, self.dtype = name, dtype
        values = self.read(column)
        self.digest: bytes | None = hashlib.sha256(np.ascontiguousarray(values).data).digest()
        """Of all values: equal columns have the same. None where float64 may not tell values apart."""
        there = values[~np.isnan(values)]
        self.share_of_zeros = float(np.mean(values == 0))
        self.empty, self.has_missing = not len(there), len(there) < len(values)
        self.cell: Any = None
        """The type of the cells of a column of objects."""
        if pd.api.types.is_object_dtype(column.dtype) or _is_decimal(column.dtype):
            cells = np.asarray(column, dtype=object)
            gone = is_missing(cells)
            self.missing_cell = cells[gone][0] if gone.any() else np.nan
            self.cell = _type_of(cells[~gone])
            self.digest = None
        self.scaler = None if self.empty else SCALINGS[scaling](there)
        if self.empty:
            return
        self.low: Any = there.min()
        self.high: Any = there.max()
        whole = dtype.kind in "iu" or (self.cell is not None and issubclass(self.cell, int | np.integer))
        places = 0 if whole else int(decimals_of(there[None], dtype)[0])
        self.decimals: int | None = None if places < 0 else places
        if whole:
            # The seen range as exact integers: float64 rounds above 2⁵³.
            cells = column if self.cell is None else cells[~gone]
            self.low, self.high = int(cells.min()), int(cells.max())
            if max(abs(self.low), abs(self.high)) > _EXACT:
                self.digest = None
            self._warn_of_merged(cells, there)

    @classmethod
    def of_floats(cls, values: np.ndarray, together: Together, names: list[str]) -> list["NumberColumn"]:
        """Those that are scaled together, from their values (d, n), without missing ones."""
        columns = []
        zeros = np.count_nonzero(values == 0, axis=1) / values.shape[1]
        ends = (together.low[:, 0].tolist(), together.high[:, 0].tolist(), together.decimals.tolist())
        for i, (name, share, low, high, decimals) in enumerate(zip(names, zeros.tolist(), *ends, strict=True)):
            column = cls.__new__(cls)
            column.name, column.dtype, column.cell, column.scaler = name, together.dtype, None, together.scaling[i]
            column.digest = hashlib.sha256(np.ascontiguousarray(values[i]).data).digest()
            column.share_of_zeros = share
            column.empty, column.has_missing = False, False
            column.low, column.high = low, high
            column.decimals = decimals if decimals >= 0 else None
            columns.append(column)
        return columns

    def read(self, column) -> np.ndarray:
        """The column as float64, missing values as NaN."""
        dtype = column.dtype
        refuse_times(dtype, self.name)
        if isinstance(dtype, np.dtype) and dtype.kind in "biuf":
            values = np.asarray(column).astype(np.float64)
        else:
            values = self._converted(column)
        return values

    def _converted(self, column) -> np.ndarray:
        """Objects, nullable and sparse columns as float64."""
        try:
            if is_category_dtype(column.dtype):
                raise TypeError("its dtype is category")
            if isinstance(column, pd.Series) and not pd.api.types.is_object_dtype(column.dtype):
                if not pd.api.types.is_numeric_dtype(column.dtype):
                    raise TypeError(f"its dtype is {column.dtype}")
                return column.to_numpy(np.float64, na_value=np.nan)
            cells = np.asarray(column, dtype=object)
            gone = is_missing(cells)
            text = next((cell for cell in cells[~gone] if isinstance(cell, str | bytes)), None)
            if text is not None:
                raise TypeError(f"it holds {text!r}")
            values = np.full(len(cells), np.nan)
            values[~gone] = cells[~gone].astype(np.float64)
            return values
        except OverflowError as error:
            raise ValueError(
                f"Column {self.name} holds numbers beyond ±1.8e308, the range of float64; divide them, or take logarithms."
            ) from error
        except (TypeError, ValueError) as error:
            raise ValueError(
                f"Column {self.name} could not be read as numbers ({error}); list it in categorical_features."
            ) from error

    def _warn_of_merged(self, cells, values: np.ndarray) -> None:
        if max(abs(self.low), abs(self.high)) <= _EXACT:
            return
        if len(np.unique(values)) < pd.Series(cells).nunique():
            warn(
                f"Column {self.name} holds whole numbers above 2**53 that lie nearer to each other than float64 can tell: new "
                "rows have rounded ones. Subtract the smallest first; or drop the column where it is an id."
            )

    def encode(self, values: np.ndarray) -> np.ndarray:
        """Numbers as read → scaled ones; 0, the middle, where one is missing."""
        if self.scaler is None:
            return np.zeros(len(values))
        gone = np.isnan(values)
        if not gone.any():
            return self.scaler.encode(values)
        scaled = np.zeros(len(values))
        scaled[~gone] = self.scaler.encode(values[~gone])
        return scaled

    def decode(self, encoded: np.ndarray) -> np.ndarray:
        """Scaled numbers → numbers like the column's, inside its range: an array of its dtype, or of objects."""
        if self.scaler is None:
            return np.zeros(len(encoded), self.dtype) if self.cell is None else self._cells(np.zeros(len(encoded)))
        values = self.scaler.decode(encoded.astype(np.float64))
        if self.decimals is not None:
            with np.errstate(over="ignore", invalid="ignore"):
                rounded = np.round(values, self.decimals) + 0.0  # no −0
            values = np.where(np.isfinite(rounded), rounded, values)
        if self.cell is None:
            return to_dtype(values, self.dtype, self.low, self.high)
        return self._cells(np.clip(values, float(self.low), float(self.high)))

    def _cells(self, values: np.ndarray) -> np.ndarray:
        cells = np.empty(len(values), dtype=object)
        if issubclass(self.cell, int | np.integer):
            cells[:] = [self.cell(min(max(int(value), self.low), self.high)) for value in values.tolist()]
        elif issubclass(self.cell, Decimal):
            places = 0 if self.empty else self.decimals
            cells[:] = [Decimal(repr(v) if places is None else f"{v:.{places}f}") for v in values.tolist()]
        else:
            cells[:] = [self.cell(value) for value in values.tolist()]
        return cells


def _is_decimal(dtype: Any) -> bool:
    return isinstance(dtype, pd.ArrowDtype) and dtype.type is Decimal


def _type_of(cells: np.ndarray) -> type:
    """What most cells are; float where whole numbers and others are mixed."""
    types = Counter(type(cell) for cell in cells)
    if len({issubclass(kind, int | np.integer) for kind in types}) > 1:
        types = Counter({kind: n for kind, n in types.items() if not issubclass(kind, int | np.integer)})
    return types.most_common(1)[0][0] if types else float


class NumericColumns:
    """Numbers ↔ about N(0, 1), missing values ↔ the middle and a span that says so.

    Parameters
    ----------
    table : Table
    X : DataFrame, ndarray or sparse matrix
    indices : ndarray of int
        Positions of the numeric columns.
    scaling : {"quantile", "robust"}

    Attributes
    ----------
    missing : ndarray of int
        Which of them, counted among themselves, had some values missing.
    first : ndarray of int
        For each, the first column that equals it: a new row has one value in columns that repeat each other.
    """

    def __init__(self, table: Table, X, indices: np.ndarray, scaling: str):
        self.table, self.indices = table, indices
        self.together: list[Together] = []
        """Those that are scaled together; ``alone`` has the numbers of the others."""
        found = self._learned_together(X) if scaling == "quantile" else {}
        self.columns = [
            found.get(i) or NumberColumn(column_of(X, j), table.numpy_dtypes[j], table.name(j), scaling)
            for i, j in enumerate(indices.tolist())
        ]
        self.alone = [i for i in range(len(indices)) if i not in found]
        first_of = dict[Any, int]()
        self.first = np.array([first_of.setdefault(c.digest or i, i) for i, c in enumerate(self.columns)], dtype=int)
        some = [i for i, column in enumerate(self.columns) if column.has_missing and not column.empty]
        self.missing = np.array(some, dtype=int)
        zeros = [column.share_of_zeros for column in self.columns]
        self.mostly_zero = len(zeros) >= _MANY_COLUMNS and bool(np.mean(zeros) >= _MOSTLY)

    def _learned_together(self, X) -> dict[int, NumberColumn]:
        """Number among the numeric ones → column, of those that are scaled together."""
        found: dict[int, NumberColumn] = {}
        if not isinstance(X, np.ndarray) or X.dtype.kind != "f" or not 0 < len(X) <= MAX_ROWS or len(self.indices) < 2:
            return found
        step = max(1, CELLS // len(X))
        for start in range(0, len(self.indices), step):
            values = X[:, self.indices[start : start + step]].T.astype(np.float64)
            complete = np.flatnonzero(~np.isnan(values).any(1))
            for together in scaled_together(values[complete], X.dtype, start + complete):
                self.together.append(together)
                names = [self.table.name(j) for j in self.indices[together.at].tolist()]
                columns = NumberColumn.of_floats(values[together.at - start], together, names)
                found |= zip(together.at.tolist(), columns, strict=True)
        return found

    def values(self, X, numbers: np.ndarray) -> np.ndarray:
        """Some of the columns as read, float64, (n, d)."""
        if isinstance(X, np.ndarray) and X.dtype.kind in "biuf":
            return X[:, self.indices[numbers]].astype(np.float64)
        read = [self.columns[i].read(column_of(X, int(self.indices[i]))) for i in numbers.tolist()]
        return np.stack(read, axis=1)

    def encode_into(self, X, encoded: np.ndarray) -> None:
        """Write the scaled columns, and after all others the spans (there, missing) of those that may be missing."""
        at = encoded.shape[1] - 2 * len(self.missing)
        for together in self.together:
            numbers = self.values(X, together.at)
            self._refuse_missing(np.isnan(numbers).any(0), together.at)
            for rows, scaled in together.by_rows(together.scaling.encode, numbers):
                encoded[rows, together.at] = scaled
        for i in self.alone:
            column = self.columns[i]
            values = column.read(column_of(X, int(self.indices[i])))
            gone = np.isnan(values)
            if not column.has_missing:
                self._refuse_missing(gone.any(keepdims=True), np.array([i]))
            encoded[:, i] = column.encode(values)
            if column.has_missing and not column.empty:
                encoded[:, at], encoded[:, at + 1] = ~gone, gone
                at += 2

    def _refuse_missing(self, gone: np.ndarray, numbers: np.ndarray) -> None:
        if gone.any():
            name = self.columns[numbers[gone.argmax()]].name
            raise ValueError(f"Column {name} has missing values, and there were none in fit.")

    def decode(self, encoded: np.ndarray, spans) -> tuple[dict[int, np.ndarray], dict[int, np.ndarray]]:
        """Position → values, and position → which rows have none there.

        Parameters
        ----------
        encoded : ndarray of shape (n, n_encoded)
        spans : sequence of (start, stop)
            Of the columns that may be missing.
        """
        indices = self.indices.tolist()
        values = {indices[i]: self.columns[i].decode(encoded[:, self.first[i]]) for i in self.alone}
        for together in self.together:
            decoded = np.empty((len(encoded), len(together.at)), dtype=together.dtype)
            for rows, numbers in together.by_rows(together.decoded, encoded[:, self.first[together.at]]):
                decoded[rows] = numbers
            values |= zip(self.indices[together.at].tolist(), decoded.T, strict=True)
        missing = {j: np.ones(len(encoded), bool) for j, column in self.named() if column.empty}
        span_of = dict(zip(self.missing, spans, strict=True))
        for i in self.missing:
            start, stop = span_of[self.first[i]]
            missing[int(self.indices[i])] = encoded[:, start:stop].argmax(1) == 1
        return values, missing

    def missing_cells(self) -> dict[int, Any]:
        """Position → what stands for a missing value in a column of objects."""
        return {j: column.missing_cell for j, column in self.named() if column.cell is not None}

    def between(self, first: np.ndarray, second: np.ndarray, share: np.ndarray, mixed: np.ndarray) -> np.ndarray:
        """Encoded rows between two each, with the numbers on the straight line between the columns' own values.

        Parameters
        ----------
        first, second : ndarray of shape (n, n_encoded)
        share : ndarray of shape (n,)
        mixed : ndarray of shape (n, n_encoded)
            On the straight line between the encoded ones; changed in place.
        """
        for together in self.together:
            pairs = (rows[:, together.at] for rows in (first, second))
            for rows, scaled in together.by_rows(together.mixed, *pairs, share[:, None]):
                mixed[rows, together.at] = scaled
        for i in self.alone:
            column = self.columns[i]
            if column.scaler is not None and not column.scaler.is_linear:
                a, b = (column.scaler.decode(rows[:, i].astype(np.float64)) for rows in (first, second))
                mixed[:, i] = column.scaler.encode(a * (1 - share) + b * share)
        return mixed

    def named(self) -> list[tuple[int, NumberColumn]]:
        """Position and column."""
        return list(zip(self.indices.tolist(), self.columns, strict=True))
