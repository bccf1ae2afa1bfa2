"""What ``skgan sample`` writes: a folder of images with a list of them, or one file."""

import csv
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from skgan._options import LIST
from skgan._text_files import PARQUET
from skgan.datasets._folders import write_png

COLUMNS = ["file", "class", "origin", "parent_1", "parent_2"]
ORIGIN = "skgan_origin"
"""The column of a written table that says what a row is."""
STEM = 40
"""Letters of parents' names in a file's name: longer ones might not fit; the list has them in full."""


class Written(NamedTuple):
    """Rows as they are written: y is plain labels, parents count the real rows that were read."""

    X: Any
    y: np.ndarray
    origin: np.ndarray
    parents: np.ndarray

    def under(self, X, y: np.ndarray) -> "Written":
        """With the real rows above."""
        stacked = (
            pd.concat([X, self.X], ignore_index=True) if isinstance(X, pd.DataFrame) else np.concatenate([X, self.X])
        )
        return Written(
            stacked,
            np.concatenate([y, self.y]),
            np.concatenate([np.full(len(y), "real"), self.origin]),
            np.concatenate([np.full((len(y), 2), -1), self.parents]),
        )


# Images


def write_folder(folder: Path, rows: Written, sources: list[str]) -> None:
    """Images in class folders, with names that say what they are, and a list of them.

    Parameters
    ----------
    folder : Path
        Is made.
    rows : Written
    sources : list of str
        Files of the real images, in order.
    """
    folder.mkdir()
    for klass in sorted(set(rows.y.tolist())):
        (folder / klass).mkdir()
    lines = list(_lines(rows, sources))
    for line, image in zip(lines, rows.X, strict=True):
        write_png(folder / line[0], image)
    # Names that are no UTF-8 go out as the bytes that they came in
    with (folder / LIST).open("w", encoding="utf-8", errors="surrogateescape", newline="") as file:
        csv.writer(file).writerows([COLUMNS, *lines])


def _lines(rows: Written, sources: list[str]) -> Iterator[list[str]]:
    """What stands in the list of each image; the parent of a real one is its own file, and the two are numbered apart."""
    numbers: Counter[tuple[str, bool]] = Counter()
    each = zip(rows.y.tolist(), rows.origin.tolist(), rows.parents.tolist(), strict=True)
    for i, (klass, kind, pair) in enumerate(each):
        of = [sources[i]] if kind == "real" else [sources[parent] for parent in pair if parent >= 0]
        numbers[klass, kind == "real"] += 1
        name = f"{kind}-{numbers[klass, kind == 'real']:04}"
        if of:
            name += "-of-" + "-and-".join(Path(source).stem[: STEM // len(of)] for source in of)
        yield [f"{klass}/{name}.png", klass, kind, *of, *[""] * (2 - len(of))]


# One file


def write_arrays(path: Path, rows: Written, **more: Any) -> None:
    """``X``, ``y``, ``origin`` and ``parents`` as npz, without a pickle."""
    y = np.array(rows.y.tolist())  # names of classes may be objects
    with path.open("wb") as file:
        np.savez_compressed(file, X=rows.X, y=y, origin=rows.origin, parents=rows.parents, **more)


def as_numbers(X: pd.DataFrame) -> np.ndarray:
    """A table of numbers as one array, of floats where they are not all whole."""
    if all(isinstance(dtype, np.dtype) for dtype in X.dtypes):
        return X.to_numpy(np.result_type(*X.dtypes))
    return X.to_numpy(np.float64, na_value=np.nan)


def check_numbers(X: pd.DataFrame) -> None:
    """Refuse a table that does not go into one array."""
    others = [name for name in X if not pd.api.types.is_numeric_dtype(X[name].dtype)]
    if others:
        raise ValueError(
            f"An npz file of a table holds one array of numbers, and column {others[0]!r} holds categories: write a .csv or "
            "a .parquet file."
        )


def write_table(path: Path, rows: Written, target: str, like: Path | None = None) -> None:
    """A table with the column of the classes, and one that says what each row is.

    Parameters
    ----------
    path : Path
    rows : Written
    target : str
    like : Path or None
        The user's file: Parquet is written, with its types. None writes CSV.
    """
    frame = rows.X.assign(**{target: rows.y, ORIGIN: rows.origin})
    if like is None:
        frame.to_csv(path, index=False)
        return
    categories = [name for name in rows.X if not pd.api.types.is_numeric_dtype(rows.X[name].dtype)]
    frame = frame.astype(dict.fromkeys(categories, object))
    schema = _schema(frame, like, {target, *categories})
    frame.to_parquet(path, engine="pyarrow", index=False, schema=schema)


def _schema(frame: pd.DataFrame, file: Path, kept: set[str]) -> Any:
    """Of pyarrow: the types of the file, where it is Parquet and they stayed.

    Those of these columns did, and those of numbers that were numbers there: only in pandas are whole numbers with gaps floats.
    Text that was turned into numbers is of another type now.
    """
    import pyarrow as pa
    from pyarrow import parquet, types

    schema = pa.Schema.from_pandas(frame, preserve_index=False)
    if file.suffix.lower() not in PARQUET:
        return schema
    there = {field.name: field.type for field in parquet.read_schema(file)}

    def typed(field) -> Any:
        kind = there.get(field.name)
        number = kind is not None and any(of(kind) for of in (types.is_integer, types.is_floating, types.is_boolean))
        return field.with_type(kind) if number or (kind is not None and field.name in kept) else field

    return pa.schema([typed(field) for field in schema])
