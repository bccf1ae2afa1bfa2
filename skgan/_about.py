"""On what a comparison was made, and with what."""

import platform
from dataclasses import dataclass
from datetime import datetime
from importlib.metadata import version
from numbers import Integral

import numpy as np

from skgan._compat import HasMethods

LIBRARIES = ("skgan", "scikit-learn", "imbalanced-learn", "torch", "numpy")


@dataclass(frozen=True)
class About:
    """Data, classifier, folds, seed, date and versions of a comparison.

    Attributes
    ----------
    rows : int
    shape : tuple of int
        Of one row: (columns,), or that of an image.
    class_counts : dict of str → int
    classifier : str
    split : str
        How many folds, and how they were cut.
    seed : int or None
        The ``random_state``, where it was an int.
    date : str
        When the comparison began, as ISO 8601 has it.
    versions : dict of str → str
        Of Python and the libraries.
    file : str or None
        Name of the data's file or folder; None for data that were given in Python.
    """

    rows: int
    shape: tuple[int, ...]
    class_counts: dict[str, int]
    classifier: str
    split: str
    seed: int | None
    date: str
    versions: dict[str, str]
    file: str | None = None


def about_of(X, y: np.ndarray, estimator, cv, groups, n_splits: int, random_state) -> About:
    """Of a call of :func:`skgan.compare` that begins now.

    Parameters
    ----------
    X, y
        As checked.
    estimator, cv, groups, random_state
        As given.
    n_splits : int
    """
    classes, counts = np.unique(y, return_counts=True)
    return About(
        len(y),
        tuple(X.shape[1:]),
        {str(k): n for k, n in zip(classes.tolist(), counts.tolist(), strict=True)},
        _in_one_line(estimator),
        _split(cv, groups, n_splits),
        int(random_state) if isinstance(random_state, Integral) else None,
        datetime.now().astimezone().isoformat(timespec="minutes"),
        {"Python": platform.python_version(), **{name: version(name) for name in LIBRARIES}},
    )


def _split(cv, groups, n_splits: int) -> str:
    if isinstance(cv, Integral):
        return f"{n_splits} folds, shuffled and stratified{'' if groups is None else ', groups kept together'}"
    how = f"of {_in_one_line(cv)}" if HasMethods(["split"]).is_satisfied_by(cv) else "as given"
    return (
        ("one split " if n_splits == 1 else f"{n_splits} splits ") + how + ("" if groups is None else ", groups given")
    )


def _in_one_line(value) -> str:
    return " ".join(repr(value).split())
