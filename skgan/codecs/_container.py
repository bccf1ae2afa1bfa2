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


def shown_name(name: Any) -> str:
    """The name of a frame's column in a message."""
    return repr(name.item() if isinstance(name, np.generic) else name)


def by_columns(X):
    """A sparse matrix in the form whose columns are quick to read; everything else as it is."""
    return X.tocsc() if sparse.issparse(X) else X


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
        return shown_name(self.columns[j]) if self.columns is not None else str(j)

    def build(
        self, n: int, cells: Mapping[int, Any], missing: Mapping[int, np.ndarray], missing_cells: Mapping[int, Any]
    ):
        """A table of this kind of n rows.

        Parameters
        ----------
        n : int
        cells : dict of position → array of shape (n,)
        missing : dict of position → ndarray of bool, shape (n,)
            Rows that have no value there.
        missing_cells : dict of position → object
            What a column of objects holds where it has no value.
        """
        if self.columns is not None:
            series = {}
            for j, dtype in enumerate(self.dtypes):
                if j in missing and j in missing_cells:
                    cells[j][missing[j]] = missing_cells[j]
                series[j] = pd.Series(cells[j]).astype(dtype)
                if j in missing and j not in missing_cells:
                    series[j] = series[j].mask(missing[j])
            return pd.DataFrame(series, copy=False).set_axis(self.columns, axis=1)
        array = np.empty((n, len(self.dtypes)), dtype=self.dtypes[0] if self.dtypes else float)
        for j, column in cells.items():
            array[:, j] = column
            if j in missing:
                array[missing[j], j] = missing_cells.get(j, np.nan)
        return array if self.sparse_type is None else self.sparse_type(array)


def _numpy_dtype(dtype: Any) -> np.dtype:
    if isinstance(dtype, pd.SparseDtype):
        dtype = dtype.subtype
    dtype = getattr(dtype, "numpy_dtype", dtype)
    return dtype if isinstance(dtype, np.dtype) and dtype.kind in "biuf" else np.dtype(np.float64)
