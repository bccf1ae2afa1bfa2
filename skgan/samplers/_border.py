"""The border: the user's X and y as arrays, and arrays back in the user's containers."""

import copy
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from imblearn.utils import check_sampling_strategy
from scipy import sparse
from sklearn.utils.validation import check_consistent_length

from skgan._compat import validate_data
from skgan.samplers._checks import as_array, check_container, check_finite
from skgan.samplers._containers import class_labels
from skgan.samplers._polars import frame_in_numpy_dtypes, in_numpy_dtypes


def tag_inputs(tags: Any) -> Any:
    """Images, categories, strings and missing values are taken too."""
    tags.input_tags.three_d_array = True
    tags.input_tags.categorical = True
    tags.input_tags.string = True
    tags.input_tags.allow_nan = True
    return tags


@dataclass(frozen=True)
class Checked:
    """X as an array, sparse matrix or DataFrame and y as an array, complete and finite; and what scikit-learn notes of them."""

    X: Any
    y: np.ndarray
    seen: Mapping[str, Any]
    """``n_features_in_`` and, of a frame, ``feature_names_in_``."""


def check_containers(name: str, X, y) -> None:
    """Refuse containers that no sampler takes."""
    check_container(name, X, "X")
    check_container(name, y, "y")


def check_rows(sampler: Any, X: Any, y: Any, *, takes_nan: Callable[[Any], bool]) -> Checked:
    """X and y of one length, as arrays; the sampler lends its name and tags and is not changed.

    Parameters
    ----------
    sampler : BaseSampler
    X, y
    takes_nan : callable
        Whether X, as an array, may have missing values.
    """
    if isinstance(X, list | tuple):
        X = as_array(X)
    probe = copy.copy(sampler)  # what scikit-learn notes, it writes on the estimator
    if isinstance(X, pd.DataFrame):
        if X.columns.has_duplicates:
            twice = X.columns[X.columns.duplicated()][0]
            raise ValueError(f"The column names of X must be unique, but {twice!r} is there more than once.")
        if not X.size:
            raise ValueError(f"Found array with shape {X.shape} while a minimum of 1 sample and 1 feature is required.")
        check_consistent_length(X, y)
        validate_data(probe, X=X, y=y, reset=True, skip_check_array=True)
    else:
        X, y = validate_data(
            probe,
            X=X,
            y=y,
            reset=True,
            accept_sparse=["csr", "csc"],
            allow_nd=True,
            dtype=None,
            ensure_all_finite=False,
            multi_output=np.ndim(y) > 1,
        )
    check_finite(X, type(sampler).__name__, allow_nan=takes_nan(X))
    names = ("n_features_in_", "feature_names_in_")
    return Checked(X, y, {name: vars(probe)[name] for name in names if name in vars(probe)})


def checked_table(sampler: Any, X: Any, y: Any) -> Checked:
    """Rows and classes as every sampler of skgan takes them, those of polars as pandas has them.

    For estimators that hand both on to others, of other libraries too.
    """
    X, y = frame_in_numpy_dtypes(X), in_numpy_dtypes(y)
    check_containers(type(sampler).__name__, X, y)
    checked = check_rows(sampler, X, class_labels(y), takes_nan=lambda X: not sparse.issparse(X) and X.ndim == 2)
    check_sampling_strategy("auto", checked.y, "over-sampling")  # two classes at least
    return checked


def forget_fit(sampler: Any) -> None:
    """Take away what an earlier fit has left on the sampler."""
    for name in [name for name in vars(sampler) if name.endswith("_") and not name.startswith("_")]:
        delattr(sampler, name)


def check_groups(groups: Any, n: int) -> np.ndarray | None:
    """One group a row, numbers or strings, none missing; or None."""
    if groups is None:
        return None
    values = np.asarray(groups)
    if values.shape != (n,):
        raise ValueError(f"groups must hold one value a row, shape ({n},); got shape {values.shape}.")
    if values.dtype.kind not in "biufOUS":
        raise ValueError(
            f"groups must be numbers or strings, got {values.dtype}; convert them, such as by .astype(str)."
        )
    if pd.isna(values).any():
        raise ValueError("groups has missing values: give every row a group, such as one of its own.")
    return values.astype(np.int64) if values.dtype.kind == "b" else values


def groups_of_rows(groups: np.ndarray, parents: np.ndarray) -> np.ndarray:
    """The groups of the real rows (n,) and then of new ones: of a new row that of its parents (m, 2), where it is one.

    All others have one more group together: larger than all numbers, or the word "synthetic", with underscores where that is a
    group.
    """
    first, second = (groups[parents[:, i]] for i in range(2))
    shared = (parents[:, 0] >= 0) & ((parents[:, 1] < 0) | (first == second))
    if shared.all():
        return np.concatenate([groups, first])
    of_new = np.where(shared, first.astype(object), _another_group(groups))
    return np.array([*groups.tolist(), *of_new.tolist()], dtype=object if groups.dtype.kind == "O" else None)


def _another_group(groups: np.ndarray):
    """A group that no row has."""
    if groups.dtype.kind in "iuf":
        largest = groups.max().item()
        return largest + (1 if groups.dtype.kind != "f" else max(1.0, float(np.spacing(largest))))
    word = "synthetic"
    while word in groups.tolist():
        word += "_"
    return word
