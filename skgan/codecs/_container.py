"""The user's table as a container: where its columns are, and how one like it is built again."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from scipy import sparse


def column_of(X, j: int):
    """Column j as a pandas Series or 1-D array, without a dense copy of the whole of a sparse X."""
    if isinstance(X, pd.DataFrame):
        return X.iloc[:, j]
    return X[:, [j]].toarray()[:, 0] if sparse.issparse(X) else X[:, j]


def looks_categorical(column) -> bool:
    """What ``categorical_features="auto"`` takes: category, object, string and bool; object arrays that hold numbers not."""
    dtype = column.dtype
    if isinstance(dtype, pd.CategoricalDtype):
        return True
    if isinstance(dtype, pd.SparseDtype):
        dtype = dtype.subtype
    if pd.api.types.is_bool_dtype(dtype):
        return True
    if isinstance(column, pd.Series):
        return pd.api.types.is_object_dtype(dtype) or pd.api.types.is_string_dtype(dtype)
    if dtype.kind == "O":
        return not all(isinstance(value, int | float | np.number) and not isinstance(value, bool) for value in column)
    return dtype.kind in "US"


@dataclass(frozen=True)
class Table:
    """What is remembered of a DataFrame, ndarray or sparse matrix of shape (n, d): names, dtypes and kind."""

    columns: Any
    dtypes: list[Any]
    numpy_dtypes: list[np.dtype]
    """What the values of each column have: of nullable and sparse columns, the dtype inside."""
    sparse_type: Any

    @classmethod
    def like(cls, X) -> "Table":
        """The kind of X."""
        frame = isinstance(X, pd.DataFrame)
        dtypes = list(X.dtypes) if frame else [X.dtype] * X.shape[1]
        inside = [_numpy_dtype(dtype) for dtype in dtypes]
        return cls(X.columns if frame else None, dtypes, inside, type(X) if sparse.issparse(X) else None)

    @property
    def is_numeric(self) -> bool:
        """Whether it is an array or sparse matrix of numbers."""
        return self.columns is None and bool(self.dtypes) and self.dtypes[0].kind in "iuf"

    def name(self, j: int) -> str:
        """Column j in an error message."""
        return repr(self.columns[j]) if self.columns is not None else str(j)

    def build(self, n: int, columns: Mapping[int, Any], missing: Mapping[int, np.ndarray]):
        """A table of this kind of n rows.

        Parameters
        ----------
        n : int
        columns : dict of position → values of shape (n,)
        missing : dict of position → ndarray of bool, shape (n,)
            Rows that have no value there.
        """
        if self.columns is not None:
            series = {j: pd.Series(columns[j]).astype(dtype) for j, dtype in enumerate(self.dtypes)}
            for j, rows in missing.items():
                series[j] = series[j].mask(rows)
            return pd.DataFrame(series, copy=False).set_axis(self.columns, axis=1)
        array = np.empty((n, len(self.dtypes)), dtype=self.dtypes[0] if self.dtypes else float)
        for j, column in columns.items():
            array[:, j] = np.where(missing[j], np.nan, column) if j in missing else column
        return array if self.sparse_type is None else self.sparse_type(array)


def _numpy_dtype(dtype: Any) -> np.dtype:
    if isinstance(dtype, pd.SparseDtype):
        dtype = dtype.subtype
    if isinstance(dtype, pd.CategoricalDtype):
        dtype = dtype.categories.dtype
    dtype = getattr(dtype, "numpy_dtype", dtype)
    return dtype if isinstance(dtype, np.dtype) and dtype.kind in "biuf" else np.dtype(np.float64)
