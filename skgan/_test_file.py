"""Rows to train on and rows to judge by, out of two files: ``skgan compare --test``."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from skgan._reading import Loaded, labelled, load_data, read_columns, table_of
from skgan._text_files import PARQUET, TEXT, listed, shown


def load_both(
    path: Path,
    test: Path,
    target: str | None = None,
    size: int | None = None,
    *,
    separator: str | None = None,
    drop: Sequence[str] = (),
) -> tuple[Loaded, int]:
    """The rows of both files, those to train on first, and how many these are.

    Which columns are of no use is found from the rows to train on.

    Parameters
    ----------
    path, test : Path
    target, size, separator, drop
        As of ``load_data``. Of the columns to leave out the second file may have none.

    Raises
    ------
    ValueError, OSError, ImportError
        Also where the two do not match, by names of columns, what these hold, classes, or shapes of images.
    """
    if _is_table(path) != _is_table(test):
        raise ValueError(f"{path.name} and {test.name} must both be tables, or both be npz files or folders of images.")
    if _is_table(path):
        return _tables(path, test, target, separator, drop)
    first, second = (load_data(one, target, size, separator=separator, drop=drop) for one in (path, test))
    if first.X.shape[1:] != second.X.shape[1:] or first.X.dtype != second.X.dtype:
        raise ValueError(
            f"The rows of {test.name} have shape {second.X.shape[1:]} and dtype {second.X.dtype}, and those of {path.name} "
            f"{first.X.shape[1:]} and {first.X.dtype}: bring both to the same, folders of images with --size."
        )
    _check_classes(path, test, first.y, second.y)
    y = np.concatenate([first.y, second.y])
    return Loaded(np.concatenate([first.X, second.X]), y, [*first.notes, *second.notes]), len(first.y)


def _is_table(path: Path) -> bool:
    return path.suffix.lower() in TEXT + PARQUET and not path.is_dir()


def _tables(path: Path, test: Path, target, separator, drop: Sequence[str]) -> tuple[Loaded, int]:
    first, labels, notes = read_columns(path, target, separator, drop)
    second, labels_test, notes_test = read_columns(test, target, separator, ())
    second = second.drop(columns=[name for name in drop if name in second])
    missing = [name for name in first if name not in second.columns]
    extra = [name for name in second if name not in first.columns]
    for names, has, lacks in ((missing, path, test), (extra, test, path)):
        if names:
            raise ValueError(
                f"{lacks.name} has no column {listed(names)}, and {has.name} has: both files must have the same columns. Leave "
                f"it out of {has.name}" + (", for instance with --drop." if has == path else ".")
            )
    for name in first:
        _check_kind(path, test, first[name], second[name])
    first, labels, without = labelled(first, labels)
    second, labels_test, without_test = labelled(second, labels_test)
    _check_classes(path, test, labels.to_numpy(), labels_test.to_numpy())
    of_first = table_of(path, first.copy(), labels, [])
    columns = of_first.X.columns
    both = pd.concat([first[columns], second[columns]], ignore_index=True)
    X, y, more = table_of(path, both, pd.concat([labels, labels_test], ignore_index=True), [])
    said = dict.fromkeys([*notes, *notes_test, *without, *without_test, *of_first.notes, *more])
    return Loaded(X, y, list(said)), len(labels)


def _check_kind(path: Path, test: Path, first: pd.Series, second: pd.Series) -> None:
    """Refuse a column of numbers in one file and of something else in the other; one without a value is of any kind."""
    kind, kind_test = _kind(first), _kind(second)
    if kind is None or kind_test is None or kind == kind_test:
        return
    text = next((value for value in (*second.dropna(), *first.dropna()) if isinstance(value, str)), None)
    example = "" if text is None else f" (such as {shown(text)})"
    raise ValueError(
        f"Column {shown(str(first.name))} holds {kind} in {path.name} and {kind_test} in {test.name}{example}: correct one of "
        "the files, or leave the column out with --drop."
    )


def _kind(column: pd.Series) -> str | None:
    if column.isna().all():
        return None
    if pd.api.types.is_bool_dtype(column.dtype):
        return "truth values"
    return "numbers" if pd.api.types.is_numeric_dtype(column.dtype) else "text"


def _check_classes(path: Path, test: Path, first: np.ndarray, second: np.ndarray) -> None:
    known, there = (set(pd.unique(pd.Series(labels)).tolist()) for labels in (first, second))
    for more, has, lacks in ((there - known, test, path), (known - there, path, test)):
        if more:
            names = ", ".join(sorted(map(repr, more))[:5])
            why = "no classifier can learn them" if lacks == path else "nothing would be judged of them"
            raise ValueError(
                f"{has.name} has rows of the classes {names}, and {lacks.name} has none: {why}. Give both files "
                "the same classes."
            )
