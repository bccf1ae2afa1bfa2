"""What a sampler refuses at the border, in sentences."""

from typing import Any

import numpy as np
import pandas as pd
import torch
from scipy import sparse


def check_container(name: str, data: Any, what: str) -> None:
    """Refuse what neither imbalanced-learn nor NumPy would take, or would take wrongly, with what to do instead."""
    package = type(data).__module__.split(".")[0]
    if package in ("polars", "dask", "pyarrow", "modin", "cudf"):
        raise TypeError(
            f"{name} takes pandas objects, NumPy arrays, SciPy sparse matrices and lists; {what} is a "
            f"{package} {type(data).__name__}. Convert it first, with .to_pandas() or .to_numpy() (dask: .compute())."
        )
    if isinstance(data, torch.Tensor) and (data.is_cuda or data.requires_grad):
        raise TypeError(
            f"{name} takes arrays in the CPU's memory; {what} is a tensor on {data.device}"
            f"{' that records gradients' if data.requires_grad else ''}. Pass {what}.detach().cpu().numpy()."
        )
    if isinstance(data, np.ndarray) and data.dtype == object and data.size:
        first = data.flat[0]
        if isinstance(first, np.ndarray) or (data.ndim > 2 and what == "X"):
            raise ValueError(
                f"{what} is an object array of shape {data.shape} that holds {type(first).__name__} values. Images must "
                "be one numeric array: give all the same shape and stack them with numpy.stack."
            )


def check_finite(X: Any, name: str, allow_nan: bool = False) -> None:
    """Refuse infinity, and NaN unless it is allowed, in imbalanced-learn's words plus the row and the column."""
    found = _first_not_finite(X, allow_nan)
    if found is None:
        return
    row, *where = (int(i) for i in found)
    if isinstance(X, pd.DataFrame):
        value, place = X.iat[row, where[0]], repr(X.columns[where[0]])
    else:
        value, place = X[(row, *where)], ", ".join(map(str, where))
    what = "NaN" if pd.isna(value) else "infinity or a value too large for dtype('float64')"
    raise ValueError(
        f"Input X contains {what}.\nThe first is in row {row}, column {place}. {name} trains on finite values, and takes "
        "NaN in dense tables only: put an imputer such as SimpleImputer() before it in the pipeline, or drop the row."
    )


def _first_not_finite(X: Any, allow_nan: bool = False) -> np.ndarray | None:
    """Indices of the first value that is NaN (unless that is allowed) or infinite, or None."""
    if isinstance(X, pd.DataFrame):
        missing = np.array(X.isna())
        bad = missing & (not allow_nan)
        for j, dtype in enumerate(X.dtypes):
            if not bad[:, j].any() and pd.api.types.is_float_dtype(getattr(dtype, "subtype", dtype)):
                bad[:, j] = np.isinf(X.iloc[:, j].to_numpy(np.float64, na_value=np.nan))
    elif sparse.issparse(X):
        stored = X.tocoo()
        bad_stored = ~np.isfinite(stored.data) if X.dtype.kind == "f" else np.zeros(stored.nnz, bool)
        where = np.argwhere(bad_stored)
        return np.array([stored.row[where[0, 0]], stored.col[where[0, 0]]]) if len(where) else None
    elif X.dtype.kind == "f":
        with np.errstate(all="ignore"):
            if np.isfinite(X.sum()):  # no array of bools for the usual case
                return None
        bad = np.isinf(X) if allow_nan else ~np.isfinite(X)
    elif X.dtype.kind == "O" and not allow_nan:
        bad = pd.isna(X)
    else:
        return None
    return np.argwhere(bad)[0] if bad.any() else None
