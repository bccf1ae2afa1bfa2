"""What a column of a table holds: numbers, or categories; and what no codec takes, in sentences."""

from decimal import Decimal
from numbers import Real
from typing import Any

import numpy as np
import pandas as pd

_NUMBERS = {"integer", "floating", "mixed-integer-float", "decimal"}
_TIMES = {"datetime64", "datetime", "date", "timedelta64", "timedelta", "time", "period"}


def is_category_dtype(dtype: Any) -> bool:
    """pandas' category, and Arrow's dictionary, which is the same."""
    dictionary = isinstance(dtype, pd.ArrowDtype) and issubclass(dtype.type, pd.CategoricalDtype.type)
    return dictionary or isinstance(dtype, pd.CategoricalDtype)


def is_missing(column) -> np.ndarray:
    """Which cells hold None, NaN, NA or NaT; a list in a cell is there."""
    return np.asarray(pd.isna(column if isinstance(column, pd.Series) else pd.Series(column)))


def is_categorical(column, name: str) -> bool:
    """What ``categorical_features="auto"`` takes: category, string, bool, and objects that are no numbers.

    Parameters
    ----------
    column : Series or ndarray of shape (n,)
    name : str
        In an error message.

    Raises
    ------
    ValueError
        For columns that hold some numbers among other things, and for dates.
    """
    dtype = column.dtype
    if is_category_dtype(dtype):
        return True
    if isinstance(dtype, pd.SparseDtype):
        dtype = dtype.subtype
    if pd.api.types.is_bool_dtype(dtype):
        return True
    refuse_times(dtype, name)
    if pd.api.types.is_numeric_dtype(dtype):
        return False
    if pd.api.types.is_object_dtype(dtype):
        return not _holds_numbers(column, name)
    return True


def refuse_times(dtype: Any, name: str, *, known: bool = False) -> None:
    """Dates, durations and periods are neither numbers nor categories."""
    if known or dtype.kind in "Mm" or isinstance(dtype, pd.PeriodDtype) or "time" in str(dtype):
        raise ValueError(
            f"Column {name} holds dates or durations ({dtype}); convert it to a number first, such as days since a start "
            "date, or drop it."
        )


def _holds_numbers(column, name: str) -> bool:
    """Whether a column of objects holds numbers; a sentence where only some of them are."""
    cells = np.asarray(column, dtype=object)
    kind = pd.api.types.infer_dtype(cells, skipna=True)
    if kind in _NUMBERS:
        return True
    if kind in _TIMES:
        refuse_times(f"objects of the kind {kind}", name, known=True)
    if kind not in ("mixed", "mixed-integer"):
        return False
    there = np.flatnonzero(~is_missing(cells))
    numbers = np.array([_is_number(cells[i]) for i in there], bool)
    if numbers.all() or not numbers.any():
        return bool(numbers.any())
    example = there[np.argmin(numbers)]
    raise ValueError(
        f"Column {name} holds numbers in {numbers.sum()} of {len(there)} cells, and something else in others: row {example} "
        f"has {cells[example]!r}. Make it numeric (pandas.to_numeric(column, errors='coerce') leaves the others missing), or "
        "list it in categorical_features."
    )


def _is_number(cell: Any) -> bool:
    return isinstance(cell, Real | Decimal) and not isinstance(cell, bool | np.bool_)


def check_cells(column, name: str) -> None:
    """Refuse categories that cannot be told apart: lists, dicts, arrays."""
    dtype = column.dtype
    if is_category_dtype(dtype) or not pd.api.types.is_object_dtype(dtype):
        nested = isinstance(dtype, pd.ArrowDtype) and issubclass(dtype.type, list | dict)
        if not nested:
            return
    for row, cell in enumerate(np.asarray(column, dtype=object)):
        try:
            hash(cell)
        except TypeError:
            raise ValueError(
                f"Column {name} holds a {type(cell).__name__} in row {row}: a cell must be one number or one category. Make "
                "columns of its parts, or drop the column."
            ) from None
