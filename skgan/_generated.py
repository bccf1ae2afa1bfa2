"""What a generator made in a comparison, and how near it keeps to real rows."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from scipy import sparse
from sklearn.neighbors import NearestNeighbors

from skgan._columns_beside import LOOKED_AT, most_different
from skgan._compat import safe_indexing
from skgan.metrics import copy_ratio, near_copies, two_sample_auc
from skgan.samplers import BaseGenerativeSampler
from skgan.samplers._factory import SAMPLE

CLASSES, COLUMNS = 5, 10
"""Classes of which rows are shown, the rarest, and rows of each."""
JUDGED = 1000
"""Unseen real rows, and as many generated ones, that the copy ratio is taken over."""
QUANTILE = 0.05
"""Of the distances of unseen rows to training rows: what is nearer is a near-copy."""
TOLD = 400
"""Rows of each kind that a classifier is to tell apart."""
FEWEST_TOLD = 10
"""Below so many of each kind it does not try."""
CLASSES_BESIDE, ROWS_BESIDE = 3, 300
"""Classes of a table of which columns are compared, the rarest, and rows of each, at most."""
ON_PURPOSE = ("copy", "jitter")
"""Origins of rows that are meant to be real rows once more, with or without a little noise."""


@dataclass
class GeneratedRows:
    """What one generator made, and how near it keeps to the rows that it was trained on.

    Attributes
    ----------
    kinds : (str, str)
        ("parent", "offspring") or ("nearest real", "generated").
    blocks : list of (str, array or DataFrame, array or DataFrame)
        Class, and of both kinds as many rows: images in the user's layout, or rows of a table.
    history : DataFrame
        The sampler's ``training_history_``.
    filter_report : DataFrame or None
        The sampler's, where it has a row filter.
    copy_ratio : float
        Median distance of generated rows to the nearest training row, over that of unseen real rows of the same classes; NaN
        where it cannot be measured.
    origins : dict of str → int
        Of the new rows that are judged.
    near_copies : (float, float)
        Share of near-copies among new rows that are no copies on purpose, and among unseen real rows; NaN where it cannot be
        measured.
    n_unseen : int
        Unseen real rows behind these two; those with a category that no training row has are left out.
    told_apart : (float, float)
        Area under the ROC curve of a classifier that tells unseen real rows from new ones that are no copies on purpose, and
        from training rows; NaN where there are too few rows.
    n_told : int
        Rows of each kind behind these two.
    beside : list of (str, DataFrame, DataFrame, DataFrame)
        Of a table: class, columns of real training rows, of new rows that are no copies on purpose, and a line for each column
        on how much they differ.
    """

    kinds: tuple[str, str]
    blocks: list[tuple[str, Any, Any]] = field(repr=False)
    history: pd.DataFrame = field(repr=False)
    filter_report: pd.DataFrame | None = field(repr=False)
    copy_ratio: float
    origins: dict[str, int]
    near_copies: tuple[float, float]
    n_unseen: int
    told_apart: tuple[float, float]
    n_told: int
    beside: list[tuple[str, pd.DataFrame, pd.DataFrame, pd.DataFrame]] = field(repr=False)


def look_at(sampler, X, y: np.ndarray, X_test, y_test: np.ndarray) -> GeneratedRows | None:
    """Rows of a fitted sampler beside those it was trained on; None for samplers that train nothing.

    Parameters
    ----------
    sampler : any sampler
        After ``fit_resample(X, y)``.
    X, y, X_test, y_test
        Training rows, and rows that it did not see.
    """
    if not isinstance(sampler, BaseGenerativeSampler) or not len(sampler.training_history_):
        return None
    made = {klass: n for klass, n in sampler.sampling_strategy_.items() if n}
    rarest = sorted(made, key=lambda klass: int((y == klass).sum()))
    encoded = _flat(sampler.codec_.transform(X))
    blocks = [(str(klass), *_side_by_side(sampler, X, y, encoded, klass)) for klass in rarest[:CLASSES]]
    seen = np.flatnonzero(np.isin(y_test, list(made)) & _of_known_categories(X, X_test))
    seen = seen[np.linspace(0, len(seen) - 1, min(len(seen), JUDGED)).astype(int)]
    counts = {klass: int((y_test[seen] == klass).sum()) for klass in made}
    new, origins = _new_rows(sampler, counts)
    unseen = _encoded(sampler.codec_, safe_indexing(X_test, seen), y_test[seen])
    encoded_new = _encoded(sampler.codec_, *new)
    beside = [] if np.ndim(X) > 2 else [_columns(sampler, X, y, klass) for klass in rarest[:CLASSES_BESIDE]]
    return GeneratedRows(
        ("parent", "offspring") if sampler.has_parents_ else ("nearest real", "generated"),
        blocks,
        sampler.training_history_,
        vars(sampler).get("filter_report_"),
        _copy_ratio(sampler, encoded, unseen, counts),
        origins,
        _near_copies(encoded, unseen, encoded_new),
        len(seen),
        *_told_apart(_Encoded(encoded, y), unseen, encoded_new),
        [one for one in beside if one is not None],
    )


def _side_by_side(sampler, X, y: np.ndarray, encoded: np.ndarray, klass) -> tuple[Any, Any]:
    """Rows that new ones were made from, or else come nearest to, and the new ones; of a sparse X as dense rows."""
    if sampler.has_parents_:
        rows, _, parents = sampler.sample_with_parents({klass: COLUMNS}, offspring_only=True)
        return _dense(parents), _dense(rows)
    rows = sampler.sample({klass: COLUMNS})[0]
    of_class = np.flatnonzero(y == klass)
    new = _flat(sampler.codec_.transform(rows))
    found = NearestNeighbors(n_neighbors=1).fit(encoded[of_class]).kneighbors(new, return_distance=False)[:, 0]
    nearest = of_class[found]
    return _dense(safe_indexing(X, nearest)), _dense(rows)


def _of_known_categories(X, rows) -> np.ndarray:
    """Which rows have no category that no training row has: the codec takes no others."""
    known = np.ones(rows.shape[0], dtype=bool)
    if isinstance(rows, pd.DataFrame):
        for i in range(rows.shape[1]):
            column = rows.iloc[:, i]
            if not pd.api.types.is_numeric_dtype(column.dtype):
                known &= (column.isna() | column.isin(X.iloc[:, i].unique())).to_numpy()
    return known


class _Encoded(NamedTuple):
    rows: np.ndarray
    y: np.ndarray


def _encoded(codec, rows, y: np.ndarray) -> _Encoded | None:
    """None where there is no row, and where they have categories that no training row has."""
    try:
        return _Encoded(_flat(codec.transform(rows)), y) if len(y) else None
    except ValueError:
        return None


def _new_rows(sampler, counts: dict) -> tuple[tuple[Any, np.ndarray], dict[str, int]]:
    """Of the rows that ``sample`` gives those that are no copies on purpose, with their y; and how many are of each origin."""
    factory = sampler.factory_
    made = factory.make(counts, SAMPLE)
    others = np.flatnonzero(~np.isin(made.origin, ON_PURPOSE))
    return (safe_indexing(factory.as_given(made.X), others), made.y[others]), dict(Counter(made.origin.tolist()))


def _copy_ratio(sampler, encoded: np.ndarray, unseen: _Encoded | None, counts: dict) -> float:
    """Over as many generated rows of each class as there are unseen real ones of it."""
    counts = {klass: n for klass, n in counts.items() if n}
    if unseen is None:
        return float("nan")
    with_parents = sampler.has_parents_
    made = (sampler.sample_with_parents(counts, offspring_only=True) if with_parents else sampler.sample(counts))[0]
    try:
        return copy_ratio(encoded, unseen.rows, _flat(sampler.codec_.transform(made)))
    except ValueError:  # mostly copies of training rows
        return float("nan")


def _near_copies(encoded: np.ndarray, unseen: _Encoded | None, new: _Encoded | None) -> tuple[float, float]:
    if unseen is None or new is None:
        return float("nan"), float("nan")
    return near_copies(encoded, unseen.rows, new.rows, quantile=QUANTILE)


def _told_apart(training: _Encoded, unseen: _Encoded | None, new: _Encoded | None) -> tuple[tuple[float, float], int]:
    """Unseen rows told from new and from training ones, as many of each class among all three; and how many these are."""
    if unseen is None or new is None:
        return (float("nan"), float("nan")), 0
    least = {k: min(int((part.y == k).sum()) for part in (training, unseen, new)) for k in np.unique(unseen.y).tolist()}
    share = min(1.0, TOLD / max(1, sum(least.values())))
    counts = {k: int(share * n) for k, n in least.items()}
    if sum(counts.values()) < FEWEST_TOLD:
        return (float("nan"), float("nan")), 0
    real, fake, seen = (
        part.rows[np.concatenate([_spread(part.y == k, n) for k, n in counts.items()])]
        for part in (unseen, new, training)
    )
    return (two_sample_auc(real, fake), two_sample_auc(real, seen)), len(real)


def _columns(sampler, X, y: np.ndarray, klass) -> tuple[str, pd.DataFrame, pd.DataFrame, pd.DataFrame] | None:
    """Of one class, as ``GeneratedRows.beside`` has it; None where all new rows are copies on purpose."""
    (made, made_y), _ = _new_rows(sampler, {klass: ROWS_BESIDE})
    if not len(made_y):
        return None
    real = safe_indexing(X, _spread(y == klass, ROWS_BESIDE))
    if sparse.issparse(X):  # as dense rows, these may be wide
        real, made = (rows.tocsr()[:, :LOOKED_AT] for rows in (real, made))
    return str(klass), *most_different(pd.DataFrame(_dense(real)), pd.DataFrame(_dense(made)))


def _spread(are: np.ndarray, most: int) -> np.ndarray:
    """Places of rows, at most so many, evenly over all of them."""
    places = np.flatnonzero(are)
    return places[np.linspace(0, len(places) - 1, min(len(places), most)).astype(int)]


def _dense(rows):
    return rows.toarray() if sparse.issparse(rows) else rows


def _flat(encoded) -> np.ndarray:
    return encoded.reshape(len(encoded), -1).astype(np.float32)
