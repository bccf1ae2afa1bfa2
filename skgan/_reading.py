"""Rows and labels out of files: what ``skgan compare`` reads, what it leaves out with a note, and what it refuses."""

import math
import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from sklearn.utils.multiclass import type_of_target

from skgan._text_files import (
    BLANKS,
    SEPARATORS,
    TEXT,
    check_columns,
    check_lines,
    check_path,
    counted,
    encoding_of,
    found_separator,
    given_separator,
    listed,
)
from skgan._time_order import in_time
from skgan._written_numbers import read_numbers, seconds_of_day
from skgan.codecs._arrays import machine_memory
from skgan.codecs._identifiers import holds_dates, holds_times, identifies_rows
from skgan.datasets import load_image_folder


class Loaded(NamedTuple):
    """What a file holds: X and y as the samplers take them, and sentences on what was changed or left out."""

    X: Any
    y: np.ndarray
    notes: list[str]


class _Source(NamedTuple):
    """A table as it came: notes on how it was read, whether commas may well be decimal marks, and its columns as text."""

    frame: pd.DataFrame
    notes: list[str]
    comma: bool = False
    raw: Callable[[list[str]], pd.DataFrame] | None = None


def load_data(
    path: Path,
    target: str | None = None,
    size: int | None = None,
    *,
    separator: str | None = None,
    drop: Sequence[str] = (),
    time: str | None = None,
) -> Loaded:
    """Rows, labels and notes of a table as text or Parquet, an npz file, or a folder of class folders.

    Parameters
    ----------
    path : Path
    target : str or None, default=None
        Column of the classes, in a table.
    size : int or None, default=None
        Images of a folder are brought to this many pixels a side.
    separator : str or None, default=None
        Between the columns of a text file; None finds it.
    drop : sequence of str, default=()
        Columns of a table to leave out.
    time : str or None, default=None
        A column of a table that the rows are sorted by; it is left out itself.

    Raises
    ------
    ValueError, OSError, ImportError
        In a sentence, with the line of a text file where there is one.
    """
    check_path(path, separator, drop)
    suffix = path.suffix.lower()
    if path.is_dir():
        try:
            X, y = load_image_folder(path, size)
            return Loaded(X, y, [])
        except ValueError as error:  # in the command's words instead of the function's
            said = str(error).replace("give size=64, or size=(height, width)", "give --size 224")
            raise ValueError(said) from error
    if suffix == ".npz":
        return Loaded(*_npz(path), [])
    frame, labels, notes = read_columns(path, target, separator, drop, time)
    if time is not None:
        order, note = in_time(path, frame.pop(time))
        frame, labels = (part.iloc[order].reset_index(drop=True) for part in (frame, labels))
        notes = [*notes, note]
    return table_of(path, frame, labels, notes)


def read_columns(
    path: Path, target: str | None, separator: str | None, drop: Sequence[str], time: str | None = None
) -> tuple[pd.DataFrame, pd.Series, list[str]]:
    """The columns of a table that are not left out, numbers where they spell numbers; its classes; and notes."""
    source = _text(path, separator) if path.suffix.lower() in TEXT else _parquet(path)
    check_columns(path, source.frame.columns.tolist(), target, drop, time)
    frame, notes = read_numbers(source.frame.drop(columns=[*drop, target]), source.comma, source.raw)
    return frame, source.frame[target], [*source.notes, *notes]


def _npz(path: Path) -> tuple[np.ndarray, np.ndarray]:
    with path.open("rb") as start:
        if start.read(len(np.lib.format.MAGIC_PREFIX)) == np.lib.format.MAGIC_PREFIX:
            raise ValueError(f"{path.name} holds one array without a name; write numpy.savez({path.name!r}, X=X, y=y).")
    try:
        file = np.load(path, allow_pickle=False)
    except Exception as error:  # whatever a damaged archive raises
        raise ValueError(f"{path.name} could not be read as an npz file; write it with numpy.savez.") from error
    with file:
        named = {name.lower(): name for name in file.files}
        if not {"x", "y"} <= named.keys():
            raise ValueError(f"{path.name} must hold the arrays X and y; it holds {listed(file.files) or 'nothing'}.")
        X, y = (_array(path, file, named[name]) for name in "xy")
    if X.ndim < 2:
        raise ValueError(f"X in {path.name} has shape {X.shape}: it must have a row per sample and at least two axes.")
    y = y[:, 0] if y.ndim == 2 and y.shape[1] == 1 else y
    if y.shape != X.shape[:1]:
        raise ValueError(
            f"y in {path.name} has shape {y.shape}: it must hold one label for each of the {len(X)} rows of X."
        )
    return X, y


def _array(path: Path, file, name: str) -> np.ndarray:
    """An array of an npz file, if it is what its header says, and the memory has room for it."""
    named = f"{name} in {path.name}"
    try:
        shape, dtype, n_left = _header(file.zip, f"{name}.npy")
    except Exception as error:
        raise _unreadable(named, error) from error
    if dtype.hasobject:
        raise ValueError(
            f"{named} is an object array, which NumPy stores as a pickle, and a pickle can run code when it is read. Save it "
            f"as numbers or text, such as {name}.astype(float) or {name}.astype(str), or the table as CSV."
        )
    n_bytes = math.prod(shape) * dtype.itemsize
    if min(shape, default=0) < 0 or n_bytes != n_left:
        raise ValueError(
            f"{named} is to have shape {shape} and {n_bytes:.6g} bytes of {dtype}, and {n_left:.6g} bytes follow: it is "
            "damaged. Write the file again."
        )
    if n_bytes > machine_memory():
        needed, there = (n / 2**30 for n in (n_bytes, machine_memory()))
        raise ValueError(f"{named} takes {needed:.3g} GiB, more than the {there:.3g} GiB of this machine's memory.")
    try:
        return file[name]
    except Exception as error:
        raise _unreadable(named, error) from error


def _header(archive: zipfile.ZipFile, member: str) -> tuple[tuple[int, ...], np.dtype, int]:
    """Shape and dtype that an array claims, and the bytes that follow."""
    with archive.open(member) as file:
        version = np.lib.format.read_magic(file)
        read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
        shape, _, dtype = read(file)
        return shape, dtype, archive.getinfo(member).file_size - file.tell()


def _unreadable(named: str, error: Exception) -> ValueError:
    reason = " ".join(str(error).split())[:100] or type(error).__name__
    return ValueError(f"{named} could not be read ({reason}): write the file again.")


def _parquet(path: Path) -> _Source:
    try:
        frame = pd.read_parquet(path)
    except ImportError as error:
        raise ImportError(
            f"Reading {path.name} needs pyarrow: pip install pyarrow. Or save the table as CSV."
        ) from error
    except Exception as error:  # each engine has errors of its own
        raise ValueError(f"{path.name} could not be read as a Parquet file: {error}") from error
    if not len(frame):
        raise ValueError(f"{path.name} has no rows.")
    return _Source(frame.set_axis(frame.columns.astype(str), axis=1), [])


def _text(path: Path, given: str | None) -> _Source:
    notes = []
    encoding = encoding_of(path)
    if encoding in ("cp1252", "latin-1"):
        notes.append(f"{path.name} is not in UTF-8; it was read as {encoding} (Western European).")
    separator = given_separator(given) or found_separator(path, encoding)
    if given is None and separator != ",":
        notes.append(f"The columns of {path.name} are divided by {SEPARATORS.get(separator, 'blanks')}.")
    check_lines(path, encoding, separator)

    def read(**options) -> pd.DataFrame:
        sep = r"\s+" if separator == BLANKS else separator
        frame = pd.read_csv(path, sep=sep, encoding=encoding, skipinitialspace=True, low_memory=False, **options)
        return frame.set_axis(frame.columns.astype(str).str.strip(), axis=1)

    return _Source(read(), notes, separator == ";", lambda names: read(dtype=str)[names])


def table_of(path: Path, X: pd.DataFrame, labels: pd.Series, notes: list[str]) -> Loaded:
    """What a sampler takes of these columns and classes; what is of no use is left out with a note."""
    X, labels, without = labelled(X, labels)
    notes = [*notes, *without]
    y = _labels(path, labels)
    for name in list(X):
        column, left_out = X[name], f"leave it out with --drop {name!r}"
        if column.dtype == object and column.map(lambda value: isinstance(value, list | dict | set | np.ndarray)).any():
            raise ValueError(f"Column {name!r} holds lists and no single values: {left_out}.")
        reason = "has one value only" if column.nunique(dropna=False) <= 1 else None
        if reason is None and holds_dates(column):
            raise ValueError(
                f"Column {name!r} holds dates: turn it into a number first, such as days since a start date, or {left_out}."
            )
        if reason is None and holds_times(column):
            X[name] = seconds_of_day(column)
            notes.append(f"Column {name!r} holds times of day and was turned into seconds since midnight.")
            continue
        reason = reason or identifies_rows(column, name)
        if reason is not None:
            notes.append(f"Column {name!r} {reason}; it was left out.")
            X = X.drop(columns=name)
        elif not pd.api.types.is_numeric_dtype(column.dtype):  # bool is numeric in pandas
            X[name] = column.astype("category")
    if not X.shape[1]:
        raise ValueError(f"No column of {path.name} is left to learn from.")
    return Loaded(X, y, notes)


def labelled(X: pd.DataFrame, labels: pd.Series) -> tuple[pd.DataFrame, pd.Series, list[str]]:
    """The rows that have a class, and a note on those that have none."""
    without = int(labels.isna().sum())
    if not without:
        return X, labels, []
    were = "was" if without == 1 else "were"
    X, labels = (part[labels.notna()].reset_index(drop=True) for part in (X, labels))
    return X, labels, [f"{counted(without, 'row')} without a {labels.name} {were} left out."]


def _labels(path: Path, column: pd.Series) -> np.ndarray:
    """The classes; without its blanks, a column of True and False or of whole numbers is one again."""
    if not len(column):
        raise ValueError(f"Column {column.name!r} of {path.name} is blank in every row.")
    column = column.infer_objects()
    whole = pd.api.types.is_float_dtype(column.dtype) and (column % 1 == 0).all()
    if whole or pd.api.types.is_integer_dtype(column.dtype):
        column = column.astype(np.int64)
    elif pd.api.types.is_bool_dtype(column.dtype):
        column = column.astype(bool)
    labels = column.to_numpy()
    if column.nunique() < 2:
        raise ValueError(f"Column {column.name!r} holds {labels[0]!r} only: there must be two classes at least.")
    if type_of_target(labels) == "continuous":
        raise ValueError(
            f"Column {column.name!r} holds {column.nunique()} different numbers and no classes: group them into classes first."
        )
    return labels
