"""Rows in the order of a column of times."""

import warnings
from pathlib import Path

import numpy as np
import pandas as pd

from skgan._text_files import counted, shown
from skgan._written_numbers import seconds_of_day
from skgan.codecs._identifiers import holds_times


def in_time(path: Path, column: pd.Series) -> tuple[np.ndarray, str]:
    """Places of the rows from the earliest on, rows of one time in their order, and a note.

    Parameters
    ----------
    path : Path
    column : Series
        Numbers, dates, or both as text.

    Raises
    ------
    ValueError
        Where a row has no time, or something else in its place.
    """
    name = shown(str(column.name))
    missing = int(column.isna().sum())
    if missing:
        were = "has" if missing == 1 else "have"
        raise ValueError(
            f"{counted(missing, 'row')} of {path.name} {were} no value in the column {name} of --time: fill them in."
        )
    times = _times(name, column)
    order = np.argsort(times.to_numpy(), kind="stable")
    first, last = column.iloc[order[0]], column.iloc[order[-1]]
    return order, f"Rows are in the order of {name}, from {first} to {last}; the column itself was left out."


def _times(name: str, column: pd.Series) -> pd.Series:
    if pd.api.types.is_numeric_dtype(column.dtype) or pd.api.types.is_datetime64_any_dtype(column.dtype):
        return column
    if holds_times(column):
        return seconds_of_day(column)
    standard = _read(column, format="ISO8601")
    if standard is not None:
        return standard
    readings = [times for first in (False, True) if (times := _read(column, dayfirst=first)) is not None]
    if not readings:
        raise ValueError(
            f"Column {name} of --time holds neither numbers nor dates of one form: write them as 2024-03-01 or 2024-03-01 "
            "13:45."
        )
    if (readings[0] != readings[-1]).any():
        raise ValueError(
            f"The dates in the column {name} of --time, such as {shown(str(column.iloc[0]))}, can be read with the day or with "
            "the month first: write them as 2024-03-01."
        )
    return readings[0]


def _read(column: pd.Series, **way) -> pd.Series | None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # pandas warns of dates whose day comes first
        try:
            return pd.to_datetime(column, utc=True, **way)
        except (ValueError, TypeError):
            return None
