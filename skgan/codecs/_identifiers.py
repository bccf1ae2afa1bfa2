"""Columns that say which row it is and not what it is like: identifiers, free text, dates and times as text."""

import re

import numpy as np
import pandas as pd

FEWEST = 20
"""Below so many values, they may all differ by accident."""
DISTINCT = 0.95
"""Share of different values from which on a column is as good as all different."""
LOOKED_AT = 1000
"""Values of which the spelling is looked at."""

# A bare ending is not enough: grid, humid, paid and acid name no row.
NAMED = re.compile(
    r"(?:^|[_\W])(?i:id|uuid|guid)$|^(?i:id|uuid|guid)[_\W]|[a-z0-9](?:Id|ID)$|^(?i:index|row|Unnamed: 0)$"
)
_DAY, _MONTH = "(?:0?[1-9]|[12][0-9]|3[01])", "(?:0?[1-9]|1[0-2])"
_WORD = "(?i:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*"
DATE = (
    rf"(?:(?:[A-Za-z]{{3,9}},? )?(?:[0-9]{{4}}[-/.]{_MONTH}[-/.]{_DAY}|{_DAY}[-/.]{_DAY}[-/.][0-9]{{4}}"
    rf"|{_DAY}[/.]{_DAY}[/.][0-9]{{2}}|{_DAY}[-. ]*{_WORD}[-., ]*[0-9]{{2,4}}|{_WORD}\.? {_DAY},? [0-9]{{2,4}}))"
    r"(?:[T ,].*)?"
)
TIME = r"(?:[01]?[0-9]|2[0-4]):[0-5][0-9](?::[0-5][0-9](?:\.[0-9]+)?)?(?: ?[AaPp]\.?[Mm]\.?)?"
NUMBER = r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?"


def identifies_rows(column, name) -> str | None:
    """Why a column is taken for an identifier, free text, or dates or times as text.

    A column of which as good as every row has a value of its own tells nothing about other rows. Of text that is enough;
    integers must also be named like an identifier, increase from row to row, or number the rows without large gaps. Other
    columns of floats are numbers, however many are different; whole ones that are named like an identifier are taken for
    integers, since one missing value makes floats of them.

    Parameters
    ----------
    column : Series or ndarray of shape (n,)
    name : object
        Its name; of an array its position.

    Returns
    -------
    str or None
        A reason that goes on from "Column 'name' ", or None where the column is none of these. Fewer than 20 values are never.

    Examples
    --------
    >>> import numpy as np
    >>> identifies_rows(np.arange(100), "customer_id")
    'is named like an identifier, and 100 of 100 rows have an integer of their own'
    >>> identifies_rows(np.arange(100) % 10, "shop_id") is None
    True
    """
    values = pd.Series(column).dropna()
    if len(values) < FEWEST:
        return None
    if _is_text(values):
        return _of_text(values)
    named = NAMED.search(str(name).strip()) is not None
    integers = _integers(values, named)
    return None if integers is None else _of_integers(integers, named)


def holds_dates(column) -> bool:
    """Whether a column's values are dates, as such or as text.

    Parameters
    ----------
    column : Series or ndarray of shape (n,)
    """
    values = pd.Series(column).dropna()
    return pd.api.types.is_datetime64_any_dtype(values.dtype) or (_is_text(values) and _written(values, DATE))


def holds_times(column) -> bool:
    """Whether a column's values are times of day as text, such as 13:45 or 07:05:10.

    Parameters
    ----------
    column : Series or ndarray of shape (n,)
    """
    values = pd.Series(column).dropna()
    return _is_text(values) and _written(values, TIME)


def _of_text(values: pd.Series) -> str | None:
    for pattern, what in ((DATE, "dates"), (TIME, "times of day")):
        if _written(values, pattern):
            return f"holds {what} as text"
    distinct = values.nunique()
    if distinct < DISTINCT * len(values):
        return None
    if _written(values, NUMBER) and _some(values).str.contains(".", regex=False).any():
        return "holds numbers as text"
    return f"holds a text of its own in {distinct} of {len(values)} rows, as identifiers and free text do"


def _of_integers(values: pd.Series, named: bool) -> str | None:
    n, distinct = len(values), values.nunique()
    if distinct < DISTINCT * n:
        return None
    if named:
        return f"is named like an identifier, and {distinct} of {n} rows have an integer of their own"
    if distinct < n:
        return None
    low, high = int(values.min()), int(values.max())
    if values.is_monotonic_increasing:
        return f"counts the rows: its {n} integers are all different and increase from row to row"
    if high - low < 2 * n:  # row numbers, shuffled or with some rows left out
        return f"numbers the rows: its {n} integers are all different and lie between {low} and {high}"
    return None


def _is_text(values: pd.Series) -> bool:
    """Whether values, none of them missing, are text or categories, and not numbers."""
    dtype = values.dtype
    if isinstance(dtype, pd.CategoricalDtype):
        return dtype.categories.dtype.kind not in "biufc"
    if pd.api.types.is_object_dtype(dtype):
        kinds = ("boolean", "integer", "floating", "mixed-integer-float", "decimal", "complex", "empty")
        return pd.api.types.infer_dtype(values, skipna=False) not in kinds
    return pd.api.types.is_string_dtype(dtype)


def _integers(values: pd.Series, named: bool) -> pd.Series | None:
    """The values of a column of integers, and of one of whole floats that is named like an identifier; else None."""
    if isinstance(values.dtype, pd.CategoricalDtype):
        values = values.astype(values.dtype.categories.dtype)
    if isinstance(values.dtype, pd.SparseDtype) or pd.api.types.is_bool_dtype(values.dtype):
        return None  # most values of a sparse column are equal
    if pd.api.types.is_object_dtype(values.dtype):
        kind = pd.api.types.infer_dtype(values, skipna=False)
        return values if kind == "integer" else None
    if pd.api.types.is_integer_dtype(values.dtype):
        return values
    if named and pd.api.types.is_float_dtype(values.dtype):
        numbers = values.to_numpy(np.float64)
        return values if np.isfinite(numbers).all() and (numbers == np.floor(numbers)).all() else None
    return None


def _some(values: pd.Series) -> pd.Series:
    """Some of the values, from all over the column, as text."""
    return values.iloc[:: max(1, len(values) // LOOKED_AT)].astype(str).str.strip()


def _written(values: pd.Series, pattern: str) -> bool:
    return bool(len(values)) and bool(_some(values).str.fullmatch(pattern).mean() >= DISTINCT)
