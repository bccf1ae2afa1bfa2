"""The rows of a comparison: what costs nothing, and the caller's samplers; and how long they take."""

import time
import warnings
from collections.abc import Mapping
from typing import Any

import numpy as np
from imblearn.pipeline import Pipeline, make_pipeline
from joblib import effective_n_jobs
from sklearn.base import clone

from skgan._compat import safe_indexing
from skgan._decision import has_probabilities
from skgan._verdict import CORRECTED
from skgan.presets import offspring
from skgan.prior import PriorCorrectedClassifier
from skgan.samplers import (
    CLASS_WEIGHTS,
    NOTHING,
    BaseGenerativeSampler,
    ConditionalGANAugmenter,
    GANOverSampler,
    auto_samplers,
    class_weighted,
    resamples,
    seeded,
)

AUGMENTED = " + augmentation"


def compared_rows(samplers, estimator, X, rarest: int, seed: int) -> tuple[dict[str, Any], list[str]]:
    """Name → unfitted estimator, the free ones first, and the names of those with the caller's samplers.

    Parameters
    ----------
    samplers
        As of :func:`skgan.comparison.compare`.
    estimator : classifier
    X : array-like
    rarest : int
        Rows of the smallest class on the smallest training side.
    seed : int
        Where a ``random_state`` is None.
    """
    augments = np.ndim(X) > 2 and "augment" in estimator.get_params(deep=False)
    candidates = {name.removesuffix(" to 100%"): s for name, s in auto_samplers(X, rarest, amounts=(1.0,)).items()}
    own = {name: sampler for name, sampler in candidates.items() if isinstance(sampler, GANOverSampler)}
    free = {name: sampler for name, sampler in candidates.items() if name not in own and sampler is not None}
    if samplers is not None:
        own = _named(samplers)
    elif augments:
        own["ConditionalGANAugmenter"] = in_proportion()
    plain = {NOTHING: clone(estimator)}
    if has_probabilities(estimator):
        plain[NOTHING + CORRECTED] = PriorCorrectedClassifier(clone(estimator), prior="uniform")
    if (weighted := class_weighted(estimator)) is not None:
        plain[CLASS_WEIGHTS] = weighted
    plain |= {name: make_pipeline(sampler, clone(estimator)) for name, sampler in free.items()}
    made: dict[str, Any] = {}
    for name, sampler in own.items():
        made |= _with_sampler(name, sampler, estimator)
    both = [plain, made]
    if augments:
        both = [rows | {name + AUGMENTED: _augmented(row) for name, row in rows.items()} for rows in both]
    rows = {**both[0], **both[1]}
    return {name: seeded(row, seed) for name, row in rows.items()}, list(both[1])


def in_proportion() -> Any:
    """As many offspring as real rows of each class."""
    return ConditionalGANAugmenter(1.0, net=offspring(), shares={"net": 1})


def _named(samplers) -> dict[str, Any]:
    if resamples(samplers):
        samplers = [samplers]
    named = dict(samplers) if isinstance(samplers, Mapping) else {type(s).__name__: s for s in samplers}
    wrong = [name for name, s in named.items() if not resamples(s)]
    if wrong:
        raise TypeError(f"samplers must hold samplers such as GANOverSampler(); {wrong[0]} is {named[wrong[0]]!r}.")
    return named


def _with_sampler(name: str, sampler, estimator) -> dict[str, Any]:
    """A row by its name; where classes stay as unequal as they are, a second one with corrected probabilities."""
    row = make_pipeline(sampler, clone(estimator))
    if isinstance(sampler, ConditionalGANAugmenter) and has_probabilities(estimator):
        return {name: row, name + CORRECTED: PriorCorrectedClassifier(clone(row), prior="uniform")}
    return {name: row}


def _augmented(row):
    row = clone(row)
    inner = row.estimator if isinstance(row, PriorCorrectedClassifier) else row
    inner = inner.steps[-1][1] if isinstance(inner, Pipeline) else inner
    inner.set_params(augment="auto")
    return row


def sampler_of(fitted):
    """The fitted sampler of a row that has one."""
    pipeline = fitted.estimator_ if isinstance(fitted, PriorCorrectedClassifier) else fitted
    return pipeline.steps[0][1]


def without_smote(rows: list[str], rarest: int) -> str:
    """Why there is no row of SMOTE among these from the beginning on; one that fails later is warned of."""
    if any(row.startswith("SMOTE") for row in rows):
        return ""
    if rarest < 2:
        return " There is no row of SMOTE: it needs two rows of each class on every training side."
    return " There is no row of SMOTE: values of X are missing, and it takes none that are."


# How long it takes

_UPDATES = 4  # of a classifier that are timed
_PART = 10  # a classifier whose updates cannot be counted is timed on one row of so many


def estimated_seconds(rows: Mapping[str, Any], estimator, X, y: np.ndarray, n_splits: int, n_jobs: int | None) -> float:
    """Of all fits: by a few updates of the classifier, or a fit on few rows, and a second of each training of skgan."""
    pipelines = [
        row for name, row in rows.items() if not name.endswith((AUGMENTED, CORRECTED)) and isinstance(row, Pipeline)
    ]
    samplers = [row.steps[0][1] for row in pipelines]
    of_nets = sum(one.estimate(X, y).seconds for one in samplers if isinstance(one, BaseGenerativeSampler))
    return n_splits * (len(rows) * _seconds_of_classifier(estimator, X, y) + of_nets) / effective_n_jobs(n_jobs)


def _seconds_of_classifier(estimator, X, y: np.ndarray) -> float:
    updates = estimator.get_params(deep=False).get("max_updates")
    if updates is not None:
        first, more = (_seconds(clone(estimator).set_params(max_updates=n).fit, X, y) for n in (1, 1 + _UPDATES))
        return first + updates * max(0.0, more - first) / _UPDATES
    some = np.sort(np.concatenate([np.flatnonzero(y == k)[::_PART] for k in np.unique(y)]))
    return _PART * _seconds(clone(estimator).fit, safe_indexing(X, some), y[some])


def _seconds(fit, X, y: np.ndarray) -> float:
    begin = time.perf_counter()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the fit itself will warn
        fit(X, y)
    return time.perf_counter() - begin
