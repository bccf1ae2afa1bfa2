"""What is asked of every case: a refusal in a sentence, before any training; or rows that keep every promise."""

import copy
import traceback
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from unittest import mock

import numpy as np
import pandas as pd
import torch
from scipy import sparse
from sklearn.base import clone

from skgan import DomainOverSampler, OverSamplerCV, RecursiveAugmenter
from skgan.codecs import ImageCodec
from skgan.nets._steps import StepTraining

from .inputs import Case

_SENTENCES = ("skgan", "sklearn.utils", "sklearn_compat", "imblearn.utils", "sklearn.model_selection._split")
"""Where a refusal may be worded: scikit-learn's and imbalanced-learn's own checks of parameters and containers too."""


class BrokenPromiseError(AssertionError):
    """A case that does not hold; ``key`` is equal for cases of one cause."""

    def __init__(self, promise: str, where: str = ""):
        super().__init__(f"{promise} {where}".strip())
        self.key = (promise, where)


def require(fine: Any, promise: str) -> None:
    """Raise what is broken."""
    if not bool(fine):
        raise BrokenPromiseError(promise)


def check(case: Case) -> None:
    """Run the case and look at everything that was promised."""
    is_choice = isinstance(case.sampler, OverSamplerCV)  # its candidates are trained before one is refused
    given = copy.deepcopy((case.X, case.y, case.side))
    with unchanged_surroundings(), counted_steps() as steps, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        if not is_choice:  # whose classifier may overflow
            warnings.simplefilter("error", RuntimeWarning)
        try:
            X_new, y_new = case.sampler.fit_resample(case.X, case.y, **case.side)
        except Exception as error:
            check_refusal(error, 0 if is_choice else len(steps))
            require(same((case.X, case.y, case.side), given), "a refusal leaves the input untouched")
            return
        require(same((case.X, case.y, case.side), given), "the input is untouched")
        again = case.sampler.fit_resample(case.X, case.y, **case.side)
        require(same(again, (X_new, y_new)), "a second call gives the same rows")
        other = clone(case.sampler).fit_resample(case.X, case.y, **case.side)
        require(same(other, (X_new, y_new)), "a second sampler gives the same rows")
    require(not shares_memory(X_new, case.X), "nothing returned shares memory with X")
    require(not shares_memory(y_new, case.y), "nothing returned shares memory with y")
    check_rows(case, X_new, y_new)
    check_counts(case, y_new)


def check_refusal(error: Exception, n_steps: int) -> None:
    """A ValueError or TypeError in a full sentence, before any training."""
    frames = traceback.extract_tb(error.__traceback__)
    ours = [frame for frame in frames if "/skgan/" in frame.filename]
    where = f"{type(error).__name__}: {str(error)[:90]!r} at {ours[-1].filename.rsplit('/', 1)[-1]}:{ours[-1].name}"
    module = frames[-1].filename.replace("/", ".")
    if not isinstance(error, ValueError | TypeError) or not any(f".{name}." in module for name in _SENTENCES):
        raise BrokenPromiseError("a raw error of another library", where) from error
    if len(str(error).split()) < 5:
        raise BrokenPromiseError("a refusal that is no sentence", where) from error
    if n_steps:
        raise BrokenPromiseError("a refusal after training", where) from error


@contextmanager
def counted_steps() -> Iterator[list]:
    """A list that grows by one per training step."""
    done: list = []
    report = StepTraining.report
    with mock.patch.object(StepTraining, "report", lambda *args, **kw: done.append(1) or report(*args, **kw)):
        yield done


@contextmanager
def unchanged_surroundings() -> Iterator[None]:
    """Random streams, torch's settings and gradient mode are afterwards what they were."""
    before = _surroundings()
    yield
    for name, value in _surroundings().items():
        require(value == before[name], f"{name} is as before")


def _surroundings() -> dict[str, Any]:
    return {
        "numpy's stream": np.random.get_state()[1].tobytes(),
        "numpy's place in the stream": np.random.get_state()[2],
        "torch's stream": torch.random.get_rng_state().numpy().tobytes(),
        "torch's default dtype": torch.get_default_dtype(),
        "torch's gradient mode": torch.is_grad_enabled(),
        "torch's number of threads": torch.get_num_threads(),
        "torch's determinism": torch.are_deterministic_algorithms_enabled(),
        "numpy's errors": tuple(np.geterr().items()),
    }


# Equality and memory


def same(one: Any, other: Any) -> bool:
    """Equal values, dtypes, containers and indexes."""
    if type(one) is not type(other):
        return False
    if isinstance(one, pd.DataFrame | pd.Series):
        test = pd.testing.assert_frame_equal if isinstance(one, pd.DataFrame) else pd.testing.assert_series_equal
        try:
            test(one, other, check_exact=True, check_freq=False)  # type: ignore[operator]
        except AssertionError:
            return False
        return True
    if sparse.issparse(one):
        return one.format == other.format and same(one.toarray(), other.toarray())
    if isinstance(one, np.ndarray):
        if one.dtype != other.dtype or one.shape != other.shape:
            return False
        if one.dtype == object:
            return all(same(a, b) for a, b in zip(one.flat, other.flat, strict=True))
        return np.array_equal(one, other, equal_nan=one.dtype.kind in "fc")
    if isinstance(one, list | tuple):
        return len(one) == len(other) and all(same(a, b) for a, b in zip(one, other, strict=True))
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(same(one[key], other[key]) for key in one)
    missing = pd.isna(one) if np.ndim(one) == 0 else False
    return bool(missing and pd.isna(other)) or bool(one == other)


def buffers(data: Any) -> list[np.ndarray]:
    """The arrays in which a container keeps its numbers."""
    if isinstance(data, np.ndarray):
        return [data] if data.dtype != object else []
    if sparse.issparse(data):
        return [data.data] if hasattr(data, "data") else []
    if isinstance(data, pd.Series):
        array = data.array
        parts = [getattr(array, name, None) for name in ("_ndarray", "_data", "_codes", "_mask")]
        return [part for part in parts if isinstance(part, np.ndarray) and part.dtype != object]
    if isinstance(data, pd.DataFrame):
        return [buffer for j in range(data.shape[1]) for buffer in buffers(data.iloc[:, j])]
    if isinstance(data, list | tuple):
        return [buffer for part in data if isinstance(part, np.ndarray) for buffer in buffers(part)]
    return []


def shares_memory(new: Any, old: Any) -> bool:
    """Whether writing to one could change the other."""
    return any(np.shares_memory(a, b) for a in buffers(new) for b in buffers(old) if a.size and b.size)


# Rows


def length(data: Any) -> int:
    """Rows of a container."""
    return data.shape[0] if hasattr(data, "shape") else len(data)


def part(data: Any, rows: slice) -> Any:
    """Some rows; a frame's index counts from 0."""
    if isinstance(data, pd.DataFrame | pd.Series):
        return data.iloc[rows].reset_index(drop=True)
    return data[rows]


def check_rows(case: Case, X_new: Any, y_new: Any) -> None:
    """Originals first and unchanged; new ones of their columns' range and kind; labels of the kind given."""
    n, kept = length(case.X), getattr(case.sampler, "keep_real", True)
    require(length(X_new) == length(y_new), "as many labels as rows")
    require(type(X_new) is type(case.X), "X comes back in its container")
    require(type(y_new) is type(case.y), "y comes back in its container")
    old = slice(n if kept else 0)
    if kept:
        require(same(part(X_new, old), part(case.X, slice(None))), "original rows come first, unchanged")
        require(same(part(y_new, old), part(case.y, slice(None))), "original labels come first, unchanged")
    for data in (X_new, y_new):
        if isinstance(data, pd.DataFrame | pd.Series):
            require(isinstance(data.index, pd.RangeIndex) and data.index.start == 0, "the index counts from 0")
    marks = case.sampler.is_synthetic_
    require(len(marks) == length(X_new) and marks.sum() == length(X_new) - (n if kept else 0), "is_synthetic_ is exact")
    new = part(X_new, slice(n if kept else 0, None))
    check_labels(case.y, y_new)
    if not length(new):
        return
    if isinstance(case.X, pd.DataFrame):
        for j in range(case.X.shape[1]):
            check_column(case.X.iloc[:, j], new.iloc[:, j])
        return
    if sparse.issparse(case.X):
        require(X_new.format == case.X.format and X_new.dtype == case.X.dtype, "sparse rows keep format and dtype")
        real, made = case.X.toarray(), new.toarray()
    else:
        real = np.asarray(case.X, dtype=object if isinstance(case.X, list | tuple) else None)
        made = np.asarray(new, dtype=real.dtype)
    if real.ndim == 2:
        for j in range(real.shape[1]):
            check_column(pd.Series(real[:, j]), pd.Series(made[:, j]))
        return
    codec = ImageCodec()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        codec.fit(np.asarray(case.X))
    real, made = (codec.layout_.encode(np.asarray(rows)) for rows in (case.X, new))
    for channel in range(real.shape[1]):
        a, b = real[:, channel], made[:, channel]
        require(a.min() <= b.min() and b.max() <= a.max(), "new pixels lie in the range of their channel")


def check_column(real: pd.Series, made: pd.Series) -> None:
    """New values lie in the range of their column and are of its kind."""
    require(made.dtype == real.dtype, "a column keeps its dtype")
    there, new = real.dropna(), made.dropna()
    require(len(new) == len(made) or real.isna().any(), "nothing is missing where nothing was")
    if not len(new):
        return
    numeric = pd.api.types.is_numeric_dtype(real.dtype) and not pd.api.types.is_bool_dtype(real.dtype)
    if pd.api.types.is_object_dtype(real.dtype):
        numeric = pd.api.types.infer_dtype(there) in ("integer", "floating", "decimal", "mixed-integer-float")
        kinds = {type(value) for value in there}
        require({type(value) for value in new} <= kinds, "objects keep their type")
    if not numeric:
        known = {repr(value) for value in there}
        require({repr(value) for value in new} <= known, "new categories are real ones")
        return
    require(there.min() <= new.min() and new.max() <= there.max(), "new numbers lie in the range of their column")
    values, made_values = (np.asarray(part, dtype=np.float64) for part in (there, new))
    with np.errstate(all="ignore"):
        if (values == np.round(values)).all():
            require((made_values == np.round(made_values)).all(), "whole numbers stay whole")
        elif real.dtype == np.float64 and (values == np.round(values, 2)).all():
            require((made_values == np.round(made_values, 2)).all(), "numbers keep their decimals")


def check_labels(y: Any, y_new: Any) -> None:
    """Dtype, name, columns, categories and types of labels."""
    if isinstance(y, pd.DataFrame):
        require((y_new.dtypes == y.dtypes).all() and y_new.columns.equals(y.columns), "labels keep columns and dtypes")
    elif isinstance(y, pd.Series):
        require(y_new.dtype == y.dtype and y_new.name == y.name, "labels keep dtype and name")
    elif isinstance(y, np.ndarray):
        require(y_new.dtype == y.dtype and y_new.shape[1:] == y.shape[1:], "labels keep dtype and shape")
    elif isinstance(y, list | tuple):
        require({type(label) for label in y_new} <= {type(label) for label in y}, "labels in a list keep their types")


def check_counts(case: Case, y_new: Any) -> None:
    """As many new rows of each class as the sampler says."""
    told = getattr(case.sampler, "sampling_strategy_", {})
    if not told or isinstance(case.sampler, DomainOverSampler | RecursiveAugmenter):
        return
    before = pd.Series([repr(label) for label in rows_of_labels(case.y)]).value_counts()
    after = pd.Series([repr(label) for label in rows_of_labels(y_new)]).value_counts()
    kept = getattr(case.sampler, "keep_real", True)
    added = (after.sub(before, fill_value=0) if kept else after).astype(int)
    require(sorted(added[added != 0]) == sorted(n for n in told.values() if n), "counts are exact")


def rows_of_labels(y: Any) -> list:
    """One label a row, comparable by its words."""
    if sparse.issparse(y):
        y = y.toarray()
    values = y.to_numpy(object) if isinstance(y, pd.DataFrame | pd.Series) else np.asarray(y)
    return [row.tolist() if isinstance(row, np.ndarray) else row for row in values]
