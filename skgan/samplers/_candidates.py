"""Candidates that a comparison starts from: samplers, a quick classifier, and folds that lose no class."""

from collections.abc import Mapping, Sequence
from numbers import Integral
from typing import Any

import numpy as np
import pandas as pd
from imblearn.base import BaseSampler
from imblearn.over_sampling import SMOTE, SMOTEN, SMOTENC, RandomOverSampler
from imblearn.pipeline import Pipeline
from scipy import sparse
from sklearn.base import clone
from sklearn.compose import make_column_transformer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedGroupKFold, StratifiedKFold, check_cv
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, MaxAbsScaler, OneHotEncoder, StandardScaler

from skgan.codecs import TabularCodec
from skgan.samplers._over_sampler import GANOverSampler
from skgan.strategies import at_least

NOTHING = "nothing"
CLASS_WEIGHTS = "class weights"
AMOUNTS = (0.5, 1.0)


def checked_splits(
    cv: Any, X: Any, labels: np.ndarray, groups: Any, seed: int, *, least: int = 2
) -> list[tuple[np.ndarray, np.ndarray]]:
    """Folds, at least so many, of which each side has every class.

    An int means shuffled, stratified ones that keep groups together.
    """
    if isinstance(cv, Integral):
        cv = (StratifiedKFold if groups is None else StratifiedGroupKFold)(cv, shuffle=True, random_state=seed)
    classes, counts = np.unique(labels, return_counts=True)
    splits = list(check_cv(cv, labels, classifier=True).split(X, labels, groups))
    if len(splits) < least:
        raise ValueError(
            f"cv={cv!r} gives {len(splits)} fold; at least {least} are needed to tell a difference from chance."
        )
    for number, (train, test) in enumerate(splits):
        for side, rows in (("training", train), ("test", test)):
            missing = np.setdiff1d(classes, labels[rows]).tolist()
            if missing:
                raise ValueError(
                    f"Fold {number} has no row of class {missing} on its {side} side (the smallest class has "
                    f"{counts.min()} rows{'' if groups is None else ', and groups stay together'}): use fewer folds, or "
                    "collect more rows of it."
                )
    return splits


def rarest_class(labels: np.ndarray, splits: Sequence[tuple[np.ndarray, np.ndarray]]) -> int:
    """Rows of the smallest class on the smallest training side."""
    return int(min(np.unique(labels[train], return_counts=True)[1].min() for train, _ in splits))


def named_candidates(samplers: Any, words: Sequence[str] = ()) -> dict[str, Any]:
    """Name → candidate, of samplers in a list or a dict; None is nothing, and strings are only allowed if among the words.

    Raises
    ------
    ValueError
        Where there is none.
    TypeError
        Where one is no sampler.
    """
    named = samplers.items() if isinstance(samplers, Mapping) else [(_name(s), s) for s in samplers]
    names = [str(name) for name, _ in named]
    names = [name if names.count(name) == 1 else f"{name} ({i + 1})" for i, name in enumerate(names)]
    candidates = dict(zip(names, (sampler for _, sampler in named), strict=True))
    if not candidates:
        raise ValueError("samplers is empty: give at least one candidate, such as None for the data as they are.")
    for name, sampler in candidates.items():
        if sampler is not None and not resamples(sampler) and not (isinstance(sampler, str) and sampler in words):
            other = "".join(f", {word!r}" for word in words)
            raise TypeError(
                f"Candidate {name} must be a sampler such as SMOTE(){other}, or None for the data as they are; got "
                f"{sampler!r}."
            )
    return candidates


def _name(candidate) -> str:
    if isinstance(candidate, str):
        return candidate
    return NOTHING if candidate is None else type(candidate).__name__


class FlatRows(BaseSampler):
    """An over-sampler of rows, applied to images: flattened before it and folded back after it."""

    _sampling_type = "bypass"

    def __init__(self, sampler: Any):
        self.sampler = sampler

    def fit_resample(self, X: Any, y: Any) -> Any:
        """Resample images of shape (n, …) as rows."""
        X = np.asarray(X)
        flat, y_new = self.sampler.fit_resample(X.reshape(len(X), -1), y)
        return flat.reshape(-1, *X.shape[1:]), y_new

    def _fit_resample(self, X, y):
        raise NotImplementedError


def auto_samplers(X: Any, rarest: int, amounts: Sequence[float] = AMOUNTS) -> dict[str, Any]:
    """The candidates of ``samplers="auto"``, from the simplest on, for classes of at least so many rows."""
    images = np.ndim(X) > 2
    samplers: dict[str, Any] = {NOTHING: None}
    peers: dict[str, Any] = {"copies": RandomOverSampler()}
    peers |= _smote(X, min(5, rarest - 1))
    for name, peer in {**peers, "GANOverSampler": GANOverSampler()}.items():
        for amount in amounts:
            sampler = clone(peer).set_params(sampling_strategy=at_least(amount))
            wrap = images and not isinstance(sampler, GANOverSampler)
            samplers[f"{name} to {amount:.0%}"] = FlatRows(sampler) if wrap else sampler
    return samplers


def auto_candidates(X: Any, rarest: int, estimator: Any) -> dict[str, Any]:
    """Name → sampler, None, or "class weights", from the cheapest on; samplers bring every class to the largest one's size."""
    named = {name.removesuffix(" to 100%"): s for name, s in auto_samplers(X, rarest, amounts=(1.0,)).items()}
    first = {name: s for name, s in named.items() if s is None}
    weights = {} if class_weighted(estimator) is None else {CLASS_WEIGHTS: CLASS_WEIGHTS}
    return {**first, **weights, **named}


def class_weighted(estimator: Any) -> Any:
    """A clone with balanced class weights; None where it has no such parameter."""
    names = [name for name in estimator.get_params() if name == "class_weight" or name.endswith("__class_weight")]
    return clone(estimator).set_params(**dict.fromkeys(names, "balanced")) if names else None


def _smote(X, k: int) -> dict[str, Any]:
    """SMOTE in the form that takes these columns, with k neighbours; or nothing."""
    if k < 1:
        return {}
    if sparse.issparse(X) or np.ndim(X) > 2:
        return {"SMOTE": SMOTE(k_neighbors=k)}
    frame = X if isinstance(X, pd.DataFrame) else np.asarray(X)
    if pd.isna(frame).to_numpy().any() if isinstance(frame, pd.DataFrame) else pd.isna(frame).any():
        return {}
    categorical = TabularCodec().fit(frame).categorical_indices_
    if not len(categorical):
        return {"SMOTE": SMOTE(k_neighbors=k)}
    if len(categorical) == frame.shape[1]:
        return {"SMOTEN": SMOTEN(k_neighbors=k)}
    return {"SMOTENC": SMOTENC(categorical.tolist(), k_neighbors=k)}  # an array fails inside imbalanced-learn


def default_estimator(X: Any) -> Any:
    """A quick classifier: logistic regression on what the rows hold."""
    last = LogisticRegression(max_iter=500)
    if np.ndim(X) > 2:
        return make_pipeline(FunctionTransformer(_flatten), StandardScaler(), last)
    if sparse.issparse(X):
        return make_pipeline(MaxAbsScaler(), last)
    table = X if isinstance(X, pd.DataFrame) else np.asarray(X)
    categorical = TabularCodec().fit(table).categorical_indices_
    # Sparse columns cannot be centred; the intercept takes care of the mean.
    numbers = make_pipeline(SimpleImputer(), StandardScaler(with_mean=False))
    encode = make_column_transformer((OneHotEncoder(handle_unknown="ignore"), categorical.tolist()), remainder=numbers)
    return make_pipeline(encode, last)


def _flatten(X) -> np.ndarray:
    return np.asarray(X, dtype=np.float64).reshape(len(X), -1)


def resamples(candidate: Any) -> bool:
    """Whether this is an object with ``fit_resample``, and no class of such objects."""
    return not isinstance(candidate, type) and callable(getattr(candidate, "fit_resample", None))


def cloned_steps(candidate: Any) -> list[Any]:
    """Steps of a pipeline in which a classifier may follow: a pipeline takes no pipelines before its last step."""
    if candidate is None:
        return ["passthrough"]
    return [clone(step) for _, step in candidate.steps] if isinstance(candidate, Pipeline) else [clone(candidate)]


def seeded(estimator: Any, seed: int) -> Any:
    """A clone with the same seed wherever a random_state is None."""
    unset = [name for name, value in estimator.get_params().items() if name.endswith("random_state") and value is None]
    return clone(estimator).set_params(**dict.fromkeys(unset, seed))


def share_memory(estimator: Any, memory: Any) -> None:
    """Give every sampler that can keep its trainings, and has no memory of its own, this one."""
    parts = {"": estimator, **{f"{name}__": value for name, value in estimator.get_params().items()}}
    samplers = {prefix: part for prefix, part in parts.items() if isinstance(part, BaseSampler)}
    unset = [prefix for prefix, part in samplers.items() if part.get_params(deep=False).get("memory", 0) is None]
    estimator.set_params(**{f"{prefix}memory": memory for prefix in unset})
