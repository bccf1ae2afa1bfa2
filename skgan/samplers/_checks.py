"""What a sampler refuses at the border, in sentences."""

import math
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
import torch
from scipy import sparse

from skgan._mapped import evenly, row_pieces
from skgan._warnings import warn
from skgan.codecs._container import shown_name
from skgan.codecs._identifiers import FEWEST, identifies_rows


def as_array(rows: list | tuple, what: str = "X") -> np.ndarray:
    """Rows in a list as one array; of objects, where numbers and text are mixed, so that numbers stay what they are."""
    try:
        array = np.asarray(rows)
        if array.dtype.kind in "US":
            cells = np.asarray(rows, dtype=object)
            return array if all(isinstance(cell, str | bytes) for cell in cells.flat) else cells
    except ValueError:
        shapes = sorted({np.shape(row) for row in rows})
        raise ValueError(
            f"{what} is a list whose rows have different shapes, such as {shapes[0]} and {shapes[-1]}: give all the same shape "
            "(images: resize or crop them) and stack them with numpy.stack."
        ) from None
    return array


def check_container(name: str, data: Any, what: str) -> None:
    """Refuse what neither imbalanced-learn nor NumPy would take, or would take wrongly, with what to do instead."""
    package = type(data).__module__.split(".")[0]
    if package in ("polars", "dask", "pyarrow", "modin", "cudf"):
        raise TypeError(
            f"{name} takes pandas objects, NumPy arrays, SciPy sparse matrices and lists; {what} is a "
            f"{package} {type(data).__name__}. Convert it first, with .to_pandas() or .to_numpy() (dask: .compute(), a polars "
            "LazyFrame: .collect())."
        )
    if isinstance(data, torch.Tensor) and (data.is_cuda or data.requires_grad):
        raise TypeError(
            f"{name} takes arrays in the CPU's memory; {what} is a tensor on {data.device}"
            f"{' that records gradients' if data.requires_grad else ''}. Pass {what}.detach().cpu().numpy()."
        )
    if isinstance(data, np.ma.MaskedArray) and np.ma.getmaskarray(data).any():
        raise TypeError(
            f"{name} takes arrays without a mask; {what} is a masked array with {np.ma.count_masked(data)} masked values. Fill "
            f"them, such as by {what}.astype(float).filled(numpy.nan)."
        )
    if isinstance(data, np.ndarray) and data.dtype == object and data.size:
        first = data.flat[0]
        if isinstance(first, np.ndarray) or (data.ndim > 2 and what == "X"):
            raise ValueError(
                f"{what} is an object array of shape {data.shape} that holds {type(first).__name__} values. Images must "
                "be one numeric array: give all the same shape and stack them with numpy.stack."
            )


def check_finite(X: Any, name: str, allow_nan: bool = False) -> None:
    """Refuse complex numbers, infinity, and NaN unless it is allowed, in imbalanced-learn's words plus row and column."""
    found = _first_not_finite(X, allow_nan)
    if found is None:
        return
    row, *where = (int(i) for i in found)
    if isinstance(X, pd.DataFrame):
        value, place = X.iat[row, where[0]], shown_name(X.columns[where[0]])
    else:
        value, place = X[(row, *where)], ", ".join(map(str, where))
    if isinstance(value, complex | np.complexfloating):
        raise ValueError(
            f"Complex data not supported.\nRow {row}, column {place} holds {value}: give its real and imaginary part, or its "
            "magnitude and angle, as columns of their own."
        )
    what = "NaN" if _is_nan(value) else "infinity or a value too large for dtype('float64')"
    raise ValueError(
        f"Input X contains {what}.\nThe first is in row {row}, column {place}. {name} trains on finite values, and takes "
        "NaN in dense tables only: put an imputer such as SimpleImputer() before it in the pipeline, or drop the row."
    )


def _is_nan(value: Any) -> bool:
    return value.is_nan() if isinstance(value, Decimal) else bool(np.ndim(value) == 0 and pd.isna(value))


def _first_not_finite(X: Any, allow_nan: bool = False) -> np.ndarray | None:
    """Indices of the first value that is NaN (unless that is allowed), infinite or complex, or None."""
    if isinstance(X, pd.DataFrame):
        bad = np.zeros(X.shape, dtype=bool)
        for j in np.flatnonzero([pd.api.types.is_object_dtype(dtype) for dtype in X.dtypes]).tolist():
            bad[:, j] = _wrong_objects(X.iloc[:, j].to_numpy(object))
        if bad.any():
            return np.argwhere(bad)[0]
        if not allow_nan:
            bad = np.array(X.isna())
        for j, dtype in enumerate(X.dtypes):
            inside = dtype.subtype if isinstance(dtype, pd.SparseDtype) else dtype
            if pd.api.types.is_complex_dtype(inside):
                bad[:, j] = True
            elif not bad[:, j].any() and pd.api.types.is_float_dtype(inside):
                bad[:, j] = np.isinf(X.iloc[:, j].to_numpy(np.float64, na_value=np.nan))
    elif sparse.issparse(X):
        stored = X.tocoo()
        bad_stored = ~np.isfinite(stored.data) if X.dtype.kind == "f" else np.zeros(stored.nnz, bool)
        where = np.argwhere(bad_stored)
        return np.array([stored.row[where[0, 0]], stored.col[where[0, 0]]]) if len(where) else None
    elif X.dtype.kind == "f":
        for piece in row_pieces(X):
            wrong = _wrong_numbers(X[piece], allow_nan)
            if wrong is not None:
                wrong[0] += piece.start
                return wrong
        return None
    elif X.dtype.kind == "O":
        bad = _wrong_objects(X)
        if not (allow_nan or bad.any()):
            bad = pd.isna(X)
    else:
        return None
    return np.argwhere(bad)[0] if bad.any() else None


def _wrong_numbers(X: np.ndarray, allow_nan: bool) -> np.ndarray | None:
    """Indices of the first float that is infinite, or NaN unless that is allowed; or None."""
    with np.errstate(all="ignore"):
        if np.isfinite(X.sum(dtype=np.float64)):  # no array of bools for the usual case
            return None
        X = X.astype(np.float64, copy=False)  # numbers of more than 64 bits must fit as well
    bad = np.isinf(X) if allow_nan else ~np.isfinite(X)
    return np.argwhere(bad)[0] if bad.any() else None


def _wrong_objects(cells: np.ndarray) -> np.ndarray:
    """Which objects are infinite or complex numbers, or Decimals that raise where they are looked at."""
    flat = [
        isinstance(cell, complex | np.complexfloating)
        or (isinstance(cell, float | np.floating) and math.isinf(cell))
        or (isinstance(cell, Decimal) and (cell.is_infinite() or cell.is_snan()))
        for cell in cells.flat
    ]
    return np.array(flat, dtype=bool).reshape(cells.shape)


def warn_of_identifiers(X: Any) -> None:
    """Name columns of a table that say which row it is, and are handed on to new rows all the same.

    Of a large mapped table evenly spaced rows are looked at.
    """
    if sparse.issparse(X) or X.shape[0] < FEWEST or (isinstance(X, np.ndarray) and X.dtype.kind == "f"):
        return  # a column of floats is no identifier by its number
    X = evenly(X)
    frame = isinstance(X, pd.DataFrame)
    told = []
    for j in range(X.shape[1]):
        name = X.columns[j] if frame else j
        reason = identifies_rows(X.iloc[:, j] if frame else X[:, j], name)
        if reason is not None:
            told.append(f"Column {shown_name(name)} {reason}.")
    if told:
        warn(
            f"{' '.join(told)} New rows get values that belong to other rows, or to none. Drop such columns before the "
            "sampler; make numbers of dates, such as days since a start date."
        )
