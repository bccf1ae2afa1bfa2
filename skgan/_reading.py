"""Rows and labels out of files: what ``skgan compare`` reads, what it leaves out with a note, and what it refuses."""

import csv
import difflib
import zipfile
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from sklearn.utils.multiclass import type_of_target

from skgan._written_numbers import read_numbers, seconds_of_day
from skgan.codecs._identifiers import NUMBER, holds_dates, holds_times, identifies_rows
from skgan.datasets import load_image_folder

TEXT, PARQUET = (".csv", ".tsv", ".tab", ".txt"), (".parquet", ".pq")
SEPARATORS = {"\t": "tab", ";": "';'", "|": "'|'", ",": "','"}
"""From the rarest inside of values on: a table with semicolons may have commas in every number."""
BLANKS = " "
MARKS = {b"\xff\xfe\x00\x00": "utf-32", b"\xef\xbb\xbf": "utf-8-sig", b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16"}
OTHERS = {b"PK": "a zip or Excel file", b"\x1f\x8b": "a gzip file", b"PAR1": "a Parquet file"}
"""First bytes of files that are no text, whatever their name says."""


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

    Raises
    ------
    ValueError, OSError, ImportError
        In a sentence, with the line of a text file where there is one.
    """
    suffix = path.suffix.lower()
    if not path.exists():
        raise ValueError(f"There is no file or folder {str(path)!r}.")
    if (path.is_dir() or suffix == ".npz") and (drop or separator is not None):
        raise ValueError(f"--drop and --sep are for tables with named columns, and {path.name} is none.")
    if path.is_dir():
        try:
            X, y = load_image_folder(path, size)
            return Loaded(X, y, [])
        except ValueError as error:  # in the command's words instead of the function's
            said = str(error).replace("give size=64, or size=(height, width)", "give --size 224")
            raise ValueError(said) from error
    if suffix == ".npz":
        return Loaded(*_npz(path), [])
    if suffix not in TEXT + PARQUET:
        raise ValueError(
            f"{path.name} is none of {', '.join(TEXT)}, .parquet and .npz, and no folder of class folders: save the table as "
            "CSV."
        )
    source = _text(path, separator) if suffix in TEXT else _parquet(path)
    frame = source.frame
    if target is None:
        raise ValueError(
            f"Name the column of the classes with --target; there are {', '.join(map(repr, frame.columns))}."
        )
    _check_columns(path, frame, [target, *drop])
    if target in drop:
        raise ValueError(f"--drop {target} would leave out the column of the classes.")
    frame, notes = read_numbers(frame.drop(columns=[*drop, target]), source.comma, source.raw)
    return _table(path, frame, source.frame[target], [*source.notes, *notes])


def _check_columns(path: Path, frame: pd.DataFrame, wanted: Sequence[str]) -> None:
    for name in wanted:
        if name in frame:
            continue
        near = difflib.get_close_matches(name, frame.columns, n=3, cutoff=0.4)
        hint = f" Did you mean {' or '.join(map(repr, near))}?" if near else ""
        if frame.columns.str.fullmatch(NUMBER).mean() > 0.5:
            hint += (
                f" The first line of {path.name} seems to be data: put a line with the names of the columns above it."
            )
        raise ValueError(f"There is no column {name!r}; there are {', '.join(map(repr, frame.columns))}.{hint}")


def _npz(path: Path) -> tuple[np.ndarray, np.ndarray]:
    try:
        file = np.load(path, allow_pickle=False)
    except (ValueError, EOFError, OSError, zipfile.BadZipFile) as error:
        raise ValueError(f"{path.name} could not be read as an npz file; write it with numpy.savez.") from error
    if isinstance(file, np.ndarray):
        raise ValueError(f"{path.name} holds one array without a name; write numpy.savez({path.name!r}, X=X, y=y).")
    with file:
        named = {name.lower(): name for name in file.files}
        if not {"x", "y"} <= named.keys():
            raise ValueError(
                f"{path.name} must hold the arrays X and y; it holds {', '.join(file.files) or 'nothing'}."
            )
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
    try:
        return file[name]
    except ValueError as error:
        raise ValueError(
            f"{name} in {path.name} is an object array, which NumPy stores as a pickle, and a pickle can run code when it is "
            f"read. Save it as numbers or text, such as {name}.astype(float) or {name}.astype(str), or the table as CSV."
        ) from error
    except (OSError, EOFError, zipfile.BadZipFile) as error:
        raise ValueError(f"{name} in {path.name} could not be read ({error}): write the file again.") from error


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


def _text(path: Path, separator: str | None) -> _Source:
    notes = []
    encoding = _encoding(path)
    if encoding in ("cp1252", "latin-1"):
        notes.append(f"{path.name} is not in UTF-8; it was read as {encoding} (Western European).")
    if separator is None:
        separator = _found_separator(path, encoding)
        if separator != ",":
            notes.append(f"The columns of {path.name} are divided by {SEPARATORS.get(separator, 'blanks')}.")
    else:
        separator = {"\\t": "\t", "tab": "\t"}.get(separator, separator)
        if len(separator) != 1:
            raise ValueError(f"--sep must be one character, or tab; got {separator!r}.")
    _check_lines(path, encoding, separator)

    def read(**options) -> pd.DataFrame:
        sep = r"\s+" if separator == BLANKS else separator
        frame = pd.read_csv(path, sep=sep, encoding=encoding, skipinitialspace=True, low_memory=False, **options)
        return frame.set_axis(frame.columns.astype(str).str.strip(), axis=1)

    return _Source(read(), notes, separator == ";", lambda names: read(dtype=str)[names])


def _encoding(path: Path) -> str:
    """UTF-8, or what the first bytes say, or else a Western European one."""
    with path.open("rb") as file:
        head = file.read(4096)
    if not head.strip():
        raise ValueError(f"{path.name} is empty.")
    for start, what in OTHERS.items():
        if head.startswith(start):
            raise ValueError(f"{path.name} is no text but {what}: save the table as CSV.")
    marked = next((encoding for start, encoding in MARKS.items() if head.startswith(start)), None)
    tried: tuple[str, ...] = ("utf-8", "cp1252", "latin-1") if marked is None else (marked,)
    if marked is None and b"\0" in head:  # of Latin letters, every other byte of UTF-16
        tried = ("utf-16-be" if head[:1] == b"\0" else "utf-16-le",)
    for encoding in tried:
        try:
            with path.open(encoding=encoding, newline="") as file:
                while text := file.read(1 << 20):
                    if "\0" in text:
                        raise ValueError(f"{path.name} is no text: it holds zero bytes. Save the table as CSV.")
        except UnicodeError:
            continue
        return encoding
    raise ValueError(f"{path.name} is no text that can be read as {' or '.join(tried)}: save it as UTF-8.")


def _fields(lines: Iterator[str], separator: str) -> Any:
    if separator == BLANKS:
        return csv.reader((line.strip() for line in lines), delimiter=BLANKS, skipinitialspace=True)
    return csv.reader(lines, delimiter=separator, skipinitialspace=True)


def _found_separator(path: Path, encoding: str) -> str:
    """What divides most of the first lines into as many columns as the header has."""
    with path.open(encoding=encoding, newline="") as file:
        lines = list(islice(file, 200))
    best, share = None, 0.0
    for separator in (*SEPARATORS, BLANKS):
        counts = [len(fields) for fields in _fields(iter(lines), separator) if fields]
        if not counts or counts[0] < 2 or (separator == BLANKS and best is not None):
            continue
        same = counts.count(counts[0]) / len(counts)
        if same > share:
            best, share = separator, same
    if best is None:
        raise ValueError(
            f"Neither tab, ';', '|', ',' nor blanks divide the first line of {path.name} into columns: "
            f"{lines[0].strip()[:80]!r}. Name the separator with --sep, and delete lines above the header; a table needs a "
            "column of classes and others to learn from."
        )
    return best


def _check_lines(path: Path, encoding: str, separator: str) -> None:
    """Refuse lines of another number of fields: what follows would stand in the wrong columns."""
    header: list[str] | None = None
    first, rows = 1, 0
    with path.open(encoding=encoding, newline="") as file:
        reader = _fields(file, separator)
        try:
            for fields in reader:
                if header is None:
                    header = fields or None
                    _check_header(path, fields, separator)
                elif fields and len(fields) != len(header):
                    on = f", up to line {reader.line_num}," if reader.line_num > first else ""
                    raise ValueError(
                        f"Line {first}{on} of {path.name} has {_counted(len(fields), 'field')}, and its header has "
                        f"{len(header)}: correct the line (only a value that holds the separator {separator!r} or a line break "
                        "stands in quotation marks, one before and one after it), or name another separator with --sep."
                    )
                else:
                    rows += bool(fields)
                first = reader.line_num + 1
        except csv.Error as error:
            raise ValueError(
                f"Line {first} of {path.name} cannot be read ({error}): a quotation mark that is not closed?"
            ) from error
    if not rows:
        raise ValueError(f"{path.name} has a header and no rows below it.")


def _check_header(path: Path, fields: list[str], separator: str) -> None:
    if len(fields) == 1:
        raise ValueError(
            f"{path.name} has one column only if divided by {separator!r}: {fields[0][:80]!r}. Name another separator with "
            "--sep, or leave --sep out."
        )
    twice = [name for name, n in Counter(name.strip() for name in fields).items() if n > 1 and name]
    if twice:
        raise ValueError(f"The header of {path.name} has the column {twice[0]!r} more than once: rename one of them.")


def _table(path: Path, X: pd.DataFrame, labels: pd.Series, notes: list[str]) -> Loaded:
    without = int(labels.isna().sum())
    if without:
        were = "was" if without == 1 else "were"
        notes.append(f"{_counted(without, 'row')} without a {labels.name} {were} left out.")
        X, labels = (part[labels.notna()].reset_index(drop=True) for part in (X, labels))
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


def _counted(n: int, what: str) -> str:
    return f"{n} {what}" if n == 1 else f"{n} {what}s"
