"""What X and y came in, and how new rows go back into it."""

import copy
from dataclasses import dataclass, replace
from decimal import Decimal
from numbers import Real
from typing import Any

import numpy as np
import pandas as pd
from scipy import sparse
from sklearn.utils.multiclass import check_classification_targets, type_of_target
from sklearn.utils.validation import check_array, column_or_1d

from skgan.samplers._checks import as_array
from skgan.samplers._polars import PolarsLabels, PolarsLike


@dataclass(frozen=True)
class Classes:
    """A y of classes, in any container: new rows have what a real row of their class has.

    Attributes
    ----------
    names : ndarray of shape (k,)
        The classes as plain labels.
    pool : like the user's y, of k rows
        What a row of each class has.
    """

    names: np.ndarray
    pool: Any

    @classmethod
    def of(cls, y, labels: np.ndarray, unseen: list | None = None) -> "Classes":
        """For the user's y, its plain labels, and classes that it has no row of."""
        names, first = np.unique(labels, return_index=True)
        pool = _taken(y, first)
        if unseen:
            names = np.array([*names.tolist(), *unseen])
            pool = _with_unseen(pool, unseen)
        return cls(names, pool)

    def like(self, labels: np.ndarray):
        """Rows of y with these plain labels."""
        return _taken(self.pool, pd.Index(self.names).get_indexer(labels))

    def under(self, y, labels: np.ndarray):
        """A copy of the user's y, and such rows underneath."""
        return stacked([_recategorised(y, self.pool), self.like(labels)])


@dataclass(frozen=True)
class Values:
    """A y of real-valued labels, in any container.

    Attributes
    ----------
    empty : like the user's y, of no rows
    cell : type or None
        Of the labels in a list, where they are numpy's.
    """

    empty: Any
    cell: Any = None

    @classmethod
    def of(cls, y) -> "Values":
        """For the user's y."""
        cell = type(y[0]) if isinstance(y, list | tuple) and len(y) and isinstance(y[0], np.generic) else None
        return cls(_taken(y, np.empty(0, dtype=int)), cell)

    def like(self, values: np.ndarray):
        """Rows of y with these values, (n,) or (n, k)."""
        if isinstance(self.empty, pd.DataFrame):
            frame = pd.DataFrame(values.reshape(len(values), -1), columns=self.empty.columns)
            return frame.apply(lambda column: _as_dtype(column, self.empty.dtypes[column.name]))
        if isinstance(self.empty, pd.Series):
            return _as_dtype(pd.Series(values.ravel(), name=self.empty.name), self.empty.dtype)
        if isinstance(self.empty, list | tuple):
            return type(self.empty)(values.tolist() if self.cell is None else map(self.cell, values.tolist()))
        return _as_dtype(values.reshape(len(values), *self.empty.shape[1:]), self.empty.dtype)

    def under(self, y, values: np.ndarray):
        """A copy of the user's y, and such rows underneath."""
        return stacked([y, self.like(values)])


@dataclass(frozen=True)
class Container:
    """What X and y came in.

    Attributes
    ----------
    y : Classes, Values or PolarsLabels
    list_type : type or None
        Of an X that is a list or tuple.
    of_arrays : bool
        Whether the rows in it are arrays.
    sparse_type : type or None
        Of a sparse X, which is checked in another format.
    polars : PolarsLike or None
        Of a polars X, which is checked as a pandas frame.
    """

    y: Classes | Values | PolarsLabels
    list_type: Any = None
    of_arrays: bool = False
    sparse_type: Any = None
    polars: PolarsLike | None = None

    @classmethod
    def of(cls, X, y: Classes | Values) -> "Container":
        """For the user's X."""
        if sparse.issparse(X):
            return cls(y, sparse_type=type(X))
        if not isinstance(X, list | tuple):
            return cls(y)
        return cls(y, type(X), of_arrays=bool(len(X)) and isinstance(X[0], np.ndarray))

    def as_polars(self, X, y) -> "Container":
        """Of the same data, as the user gave them: polars' where they are."""
        like = PolarsLike.of(y)
        labels = self.y if like is None or isinstance(self.y, PolarsLabels) else PolarsLabels(self.y, like)
        return replace(self, y=labels, polars=PolarsLike.of(X))

    def rows(self, X):
        """Rows like the checked X, as the user gave them."""
        if self.polars is not None:
            return self.polars.back(X)
        if self.sparse_type is not None:
            return X if isinstance(X, self.sparse_type) else self.sparse_type(X)
        if self.list_type is None:
            return X
        return self.list_type(list(X) if self.of_arrays else X.tolist())

    def under(self, X, checked, pieces: list):
        """A copy of the user's X, with rows like the checked one underneath, in pieces; a frame's index counts from 0."""
        if self.polars is not None:
            return self.polars.under(X, stacked([checked.iloc[:0], *pieces]))
        if self.list_type is not None:
            return stacked([X, *map(self.rows, pieces)])
        return self.rows(stacked([checked, *pieces]))


def _as_dtype(values, dtype):
    """Values of a dtype; whole where that is one of whole numbers."""
    return (values.round() if pd.api.types.is_integer_dtype(dtype) else values).astype(dtype)


def stacked(pieces: list):
    """Rows underneath each other in the container and dtype of the first piece; nothing is shared with the pieces."""
    first = pieces[0]
    if isinstance(first, pd.DataFrame | pd.Series):
        there = [piece for piece in pieces if len(piece)] or [first]
        whole = pd.concat(there, ignore_index=True)
        return whole if len(there) > 1 else whole.copy()
    if sparse.issparse(first):
        return type(first)(sparse.vstack(pieces, format=first.format, dtype=first.dtype))
    if isinstance(first, list | tuple):
        return type(first)(copy.deepcopy(row) for piece in pieces for row in piece)
    arrays = [np.asarray(piece) for piece in pieces]
    # Names of classes that were not there may be longer, and would be cut off.
    return np.concatenate(arrays, dtype=None if arrays[-1].dtype.kind in "US" else arrays[0].dtype)


def _taken(y, rows: np.ndarray):
    """These rows of a y in any container, as a copy."""
    if isinstance(y, pd.DataFrame | pd.Series):
        return y.iloc[rows].reset_index(drop=True)
    if isinstance(y, list | tuple):
        return type(y)(copy.deepcopy(y[row]) for row in rows)
    return type(y)(y.tocsr()[rows]) if sparse.issparse(y) else np.asarray(y)[rows]


def _with_unseen(pool, unseen: list):
    """A pool with classes of which there is no row."""
    if isinstance(pool, list | tuple):
        return type(pool)([*pool, *unseen])
    if isinstance(pool, pd.Series):
        if isinstance(pool.dtype, pd.CategoricalDtype):
            added = [klass for klass in unseen if klass not in pool.cat.categories]
            pool = pool.cat.add_categories(added)
        return pd.concat([pool, pd.Series(unseen, name=pool.name).astype(pool.dtype)], ignore_index=True)
    return np.concatenate([pool, np.array(unseen)])


def _recategorised(y, pool):
    """A categorical y with the categories of the pool, which may have more."""
    if isinstance(y, pd.Series) and isinstance(y.dtype, pd.CategoricalDtype) and y.dtype != pool.dtype:
        return y.astype(pool.dtype)
    return y


def class_labels(y, *, allow_values: bool = False, what: str = "y") -> np.ndarray:
    """The plain labels of a y in any container: one a row; the number of the column where y is one-hot.

    Parameters
    ----------
    y
    allow_values : bool, default=False
        Whether y of several columns that is no one-hot may pass, as it is, because it may hold real-valued labels.
    what : str, default="y"
        In messages.

    Raises
    ------
    ValueError
        For missing labels, and labels of several types.
    """
    if sparse.issparse(y):
        values = y.toarray()
    elif isinstance(y, pd.Series) or (isinstance(y, pd.DataFrame) and y.shape[1] == 1):
        series = y if isinstance(y, pd.Series) else y.iloc[:, 0]
        values = np.asarray(series if not series.isna().any() else series.astype(object))
    else:
        if isinstance(y, list | tuple):
            _refuse_sets(y, what, of_one_length=True)
            values = as_array(y, what)
        else:
            values = np.asarray(y)
    if values.ndim == 2 and values.shape[1] == 1:
        values = values.ravel()
    if values.ndim < 2:
        return _plain(column_or_1d(values), what)
    if values.ndim == 2 and _is_one_hot(values):
        return values.argmax(axis=1)
    if not allow_values:
        raise ValueError(_several(values, what))
    return values


def check_classes(labels: np.ndarray, name: str) -> None:
    """Refuse plain labels that are real numbers and no classes, and say who takes them; the sampler is named."""
    if type_of_target(labels) == "continuous":
        raise ValueError(
            f"Unknown label type: continuous. y holds {len(np.unique(labels))} different real numbers, and {name} fills up "
            "classes. ConditionalGANAugmenter(target='continuous') makes rows with real-valued labels; or make classes of the "
            "numbers, such as by pandas.cut(y, 3, labels=['low', 'middle', 'high'])."
        )
    check_classification_targets(labels)


def _several(values: np.ndarray, what: str) -> str:
    """Why a y of several columns is refused, and what to give instead."""
    begin = f"{what} of shape {values.shape} has several classes a row. Multilabel and multioutput targets are not supported"
    if values.ndim > 2:
        return f"{begin}: give one class a row, of shape ({len(values)},)."
    if values.dtype.kind == "f" and (values % 1 != 0).any():
        return f"{begin}, and these are real numbers: ConditionalGANAugmenter(target='continuous') makes rows with such labels."
    return (
        f"{begin}: over-sample for one column at a time, or make a class of each combination (the label powerset): "
        f"of an array of numbers, sets, classes = numpy.unique({what}, axis=0, return_inverse=True). With "
        "fit_resample(X, classes) the labels are then sets[classes_resampled]. Columns of 0 and 1 are taken where each row "
        "has a single 1."
    )


def label_values(y, estimator) -> np.ndarray:
    """The numbers of a y of real-valued labels in any container, (n,) or (n, k); the estimator is named in messages."""
    values = y.toarray() if sparse.issparse(y) else np.asarray(y)
    _refuse_missing(values, "y")
    if values.dtype.kind in "OUS":
        text = next((cell for cell in values.flat if not isinstance(cell, Real | Decimal)), None)
        if text is not None:
            raise ValueError(
                f"target='continuous' takes a y of numbers, and y holds {text!r}. Set target='class', or give numbers."
            )
        values = values.astype(np.float64)
    return check_array(values, ensure_2d=False, dtype="numeric", input_name="y", estimator=estimator)


def _refuse_sets(labels, what: str, *, of_one_length: bool) -> None:
    """Refuse labels that are sets or lists; lists of one length may be rows of columns."""
    several = [row for row in labels if isinstance(row, list | tuple | set | frozenset)]
    rows = of_one_length and len({len(row) for row in several}) == 1
    if several and not (rows and isinstance(several[0], list | tuple)):
        raise ValueError(
            f"{what} holds several labels a row, such as {several[0]!r}. Multilabel and multioutput targets are not supported: "
            "sklearn.preprocessing.MultiLabelBinarizer makes columns of 0 and 1 of them; over-sample for one column at a time, "
            "or make a class of each combination, by numpy.unique(columns, axis=0, return_inverse=True)."
        )


def _refuse_missing(labels: np.ndarray, what: str) -> None:
    if pd.isna(labels).any():
        raise ValueError(f"Input {what} contains NaN: rows without a label cannot be over-sampled; drop them first.")


def _is_one_hot(values: np.ndarray) -> bool:
    if values.dtype == object:
        try:
            values = values.astype(np.float64)
        except (TypeError, ValueError):
            return False
    if values.dtype.kind not in "biuf":
        return False
    return bool(np.isin(values, (0, 1)).all() and (values.sum(axis=1) == 1).all())


def _plain(values: np.ndarray, what: str) -> np.ndarray:
    """Labels as numbers, bools or strings, which can be sorted."""
    _refuse_missing(values, what)
    if values.dtype.kind != "O":
        return values.astype(values.dtype.newbyteorder("="), copy=False)
    kind = pd.api.types.infer_dtype(values, skipna=False)
    if kind in ("string", "empty"):
        return values
    if kind in ("boolean", "integer", "floating", "mixed-integer-float"):
        plain = np.array(values.tolist())
        if plain.dtype.kind != "O":
            return plain
    _refuse_sets(values, what, of_one_length=False)
    types = sorted({type(value).__name__ for value in values})
    raise ValueError(
        f"Input {what} holds labels of the types {', '.join(types)}: labels must be strings, bools or whole numbers below "
        f"2**64, all of one type. Convert them, such as by {what}.astype(str)."
    )
