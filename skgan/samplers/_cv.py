"""OverSamplerCV: a sampler that picks a sampler, or none, by inner cross-validation."""

import time
import warnings
from collections.abc import Mapping, Sequence
from numbers import Integral
from os import PathLike
from typing import Any, ClassVar

import numpy as np
import pandas as pd
from imblearn.base import BaseSampler
from imblearn.over_sampling import SMOTE, SMOTEN, SMOTENC, RandomOverSampler
from joblib import Parallel, delayed
from scipy import sparse
from sklearn.base import clone
from sklearn.compose import make_column_transformer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import get_scorer
from sklearn.model_selection import StratifiedGroupKFold, StratifiedKFold, check_cv
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, MaxAbsScaler, OneHotEncoder, StandardScaler

from skgan._compat import HasMethods, StrOptions, safe_indexing
from skgan._torch import draw_seeds
from skgan.codecs import TabularCodec
from skgan.samplers._base import GenerativeSamplerMixin, tag_inputs
from skgan.samplers._over_sampler import GANOverSampler
from skgan.strategies import at_least

NOTHING = "nothing"
AMOUNTS = (0.5, 1.0)


class OverSamplerCV(BaseSampler):
    """Choose among samplers and amounts, and doing nothing, by cross-validation inside the training rows.

    Every candidate over-samples the training side of each inner fold, trains a clone of the estimator on it, and is scored
    on the untouched side; generators are trained inside each fold. After the first fold, candidates that are clearly behind
    are dropped (racing). Of the rest the *simplest* within one standard error of the best wins, and doing nothing is the
    simplest.

    Parameters
    ----------
    samplers : "auto", list or dict, default="auto"
        Candidates from the simplest on: samplers, or None for the data as they are; a dict gives them names. "auto" is
        nothing, copies, SMOTE (SMOTENC, SMOTEN where columns are categorical; with fewer neighbours where a class is
        small; left out where values are missing), and :class:`skgan.GANOverSampler`, each bringing every class to at least
        half of the largest, and to all of it.
    estimator : classifier or None, default=None
        None is a quick one: logistic regression on standardised and one-hot columns, or on pixels.
    scoring : str or callable, default="balanced_accuracy"
        As everywhere in scikit-learn.
    guard : str, callable or None, default=None
        A second score that the choice must not lower, such as "average_precision" for the ranking: a candidate stays only if
        its mean over the folds, less one standard error of its difference to doing nothing, is no lower than that of doing
        nothing. Over-sampling moves the threshold, which pays in balanced accuracy, and may cost ranking unseen.
    cv : int, splitter or iterable, default=3
        An int means shuffled, stratified folds, which keep groups together where ``groups`` are given.
    rule : {"one_standard_error", "best"}, default="one_standard_error"
    memory : str, path, joblib.Memory or None, default=None
        Handed to candidates of skgan that have none of their own.
    n_jobs : int or None, default=None
        Fits at once, in processes.
    random_state : int, RandomState or None, default=None
        Of the folds and of candidates whose ``random_state`` is None.
    verbose : int, default=0
        1 prints beforehand how many fits there are, and the choice.

    Attributes
    ----------
    best_sampler_ : sampler or None
        Fitted on all rows; None is doing nothing.
    best_name_ : str
    best_score_ : float
        Its mean over the inner folds.
    cv_results_ : DataFrame
        Per candidate, in order: name, mean, standard_error, split0 …, seconds, raced_out, chosen; with a guard also its mean
        and whether the candidate is "guarded_out".
    sampling_strategy_ : dict
        Class → number of new rows.
    is_synthetic_ : ndarray of bool
        Which of the returned rows are new.

    Notes
    -----
    "Clearly behind" in the first fold: by more than two standard errors of the recall of a class as large as the rarest one on
    its test side, √(p (1 − p) / n) at the best score p. It is asked only of scores between 0 and 1.

    Examples
    --------
    >>> from imblearn.over_sampling import RandomOverSampler
    >>> from sklearn.datasets import make_classification
    >>> from skgan import OverSamplerCV
    >>> X, y = make_classification(300, weights=[0.9], class_sep=3, flip_y=0, random_state=0)
    >>> choice = OverSamplerCV([None, RandomOverSampler()], random_state=0)
    >>> X_new, y_new = choice.fit_resample(X, y)
    >>> choice.best_name_
    'nothing'
    """

    _sampling_type = "bypass"
    _parameter_constraints: ClassVar[dict] = {
        "samplers": [StrOptions({"auto"}), list, tuple, Mapping],
        "estimator": [None, HasMethods(["fit", "predict"])],
        "scoring": [str, callable],
        "guard": [None, str, callable],
        "cv": ["cv_object"],
        "rule": [StrOptions({"one_standard_error", "best"})],
        "memory": [None, str, PathLike, HasMethods(["cache"])],
        "n_jobs": [None, Integral],
        "random_state": ["random_state"],
        "verbose": ["verbose"],
    }

    def __init__(
        self,
        samplers="auto",
        estimator=None,
        *,
        scoring="balanced_accuracy",
        guard=None,
        cv=3,
        rule="one_standard_error",
        memory=None,
        n_jobs=None,
        random_state=None,
        verbose=0,
    ):
        self.samplers = samplers
        self.estimator = estimator
        self.scoring = scoring
        self.guard = guard
        self.cv = cv
        self.rule = rule
        self.memory = memory
        self.n_jobs = n_jobs
        self.random_state = random_state
        self.verbose = verbose

    def fit(self, X, y):
        """Check the input; nothing is trained. Use ``fit_resample``."""
        self._checked(X, y)
        return self

    def fit_resample(self, X, y, *, groups=None):
        """Choose, and return (X, y) over-sampled by the choice.

        Parameters
        ----------
        X, y
            As for :meth:`skgan.GANOverSampler.fit_resample`; candidates must take them.
        groups : array-like of shape (n,) or None, default=None
            Rows of one group (a patient, a user) stay on one side of every fold. In a pipeline it is routed by scikit-learn's
            metadata routing.

        Returns
        -------
        X_resampled, y_resampled
            As the chosen sampler returns them.

        Raises
        ------
        ValueError
            Before any training: for candidates that are no samplers, an unknown scoring, and folds that lose a class.
        """
        labels = self._checked(X, y)
        scorers = [get_scorer(s) if isinstance(s, str) else s for s in (self.scoring, self.guard) if s is not None]
        estimator = default_estimator(X) if self.estimator is None else self.estimator
        fold_seed, sampler_seed = draw_seeds(self.random_state, 2)
        splits = checked_splits(self.cv, X, labels, groups, fold_seed)
        names, candidates = self._candidates(X, rarest_class(labels, splits))
        if self.guard is not None and None not in candidates:
            raise ValueError(
                "guard compares candidates with doing nothing: put None among the samplers, or set guard=None."
            )
        prepared = [self._prepared(candidate, sampler_seed) for candidate in candidates]
        if self.verbose:
            print(
                f"OverSamplerCV: {len(prepared)} candidates in {len(splits)} folds, at most {len(prepared) * len(splits)} fits "
                f"and one more: {', '.join(names)}"
            )
        scores, guards = (np.full((len(prepared), len(splits)), np.nan) for _ in range(2))
        seconds = np.zeros(len(prepared))
        alive, errors = list(range(len(prepared))), dict[str, str]()
        for folds in ([0], list(range(1, len(splits)))):
            jobs = [(i, fold) for i in alive for fold in folds]
            done = Parallel(n_jobs=self.n_jobs)(
                delayed(_score)(prepared[i], estimator, scorers, X, labels, *splits[fold]) for i, fold in jobs
            )
            for (i, fold), (values, spent, error) in zip(jobs, done, strict=True):
                scores[i, fold], guards[i, fold] = values[0], values[-1]
                seconds[i] += spent
                if error:
                    errors.setdefault(names[i], f"{error} (fold {fold})")
            alive = [i for i in alive if np.isfinite(scores[i, folds]).all()]
            if folds == [0]:
                alive = self._racing(scores[:, 0], alive, labels[splits[0][1]])
                if self.guard is not None:  # the yardstick runs to the end
                    alive = sorted({*alive, candidates.index(None)})
        if errors:
            told = "; ".join(f"{name}: {error}" for name, error in errors.items())
            if not alive:
                raise ValueError(f"Every candidate failed. {told}")
            warnings.warn(f"Candidates that failed are out of the choice. {told}", UserWarning, stacklevel=2)
        allowed = alive if self.guard is None else self._guarded(guards, alive, candidates.index(None))
        chosen = self._choose(scores, allowed)
        self._remember(names, scores, seconds, alive, chosen)
        if self.guard is not None:
            self.cv_results_["guard"] = np.where(np.isin(np.arange(len(names)), alive), guards.mean(axis=1), np.nan)
            self.cv_results_["guarded_out"] = [i in alive and i not in allowed for i in range(len(names))]
        if self.verbose:
            print(f"OverSamplerCV: {self.best_name_}, {self.best_score_:.4g}")
        self.best_sampler_ = prepared[chosen]
        X_new, y_new = (X, y) if self.best_sampler_ is None else self.best_sampler_.fit_resample(X, y)
        self.is_synthetic_ = np.arange(len(y_new)) >= len(labels)
        before, after = (pd.Series(values).value_counts() for values in (labels, _labels(y_new)))
        self.sampling_strategy_ = {klass: int(after.get(klass, 0) - n) for klass, n in sorted(before.items())}
        return X_new, y_new

    def _checked(self, X, y) -> np.ndarray:
        """Parameters and rows checked as any sampler of skgan does; y as an array of labels."""
        self._validate_params()
        checker = GANOverSampler().fit(X, y)
        for name in ("n_features_in_", "feature_names_in_"):
            if hasattr(checker, name):
                setattr(self, name, getattr(checker, name))
        labels = _labels(y)
        self.sampling_strategy_ = dict.fromkeys(np.unique(labels).tolist(), 0)
        return labels

    def _candidates(self, X, rarest: int) -> tuple[list[str], list[Any]]:
        samplers = auto_samplers(X, rarest) if isinstance(self.samplers, str) else self.samplers
        named = samplers.items() if isinstance(samplers, Mapping) else [(_name(s), s) for s in samplers]
        names, candidates = [str(name) for name, _ in named], [sampler for _, sampler in named]
        names = [name if names.count(name) == 1 else f"{name} ({i + 1})" for i, name in enumerate(names)]
        if not candidates:
            raise ValueError("samplers is empty: give at least one candidate, such as None for the data as they are.")
        for name, sampler in zip(names, candidates, strict=True):
            if sampler is not None and (isinstance(sampler, type) or not hasattr(sampler, "fit_resample")):
                raise TypeError(
                    f"Candidate {name} must be a sampler such as SMOTE(), or None for the data as they are; got {sampler!r}."
                )
        return names, candidates

    def _prepared(self, candidate, seed: int):
        if candidate is None:
            return None
        sampler = clone(candidate)
        params = sampler.get_params(deep=False)
        if params.get("random_state", 0) is None:
            sampler.set_params(random_state=seed)
        if isinstance(sampler, GenerativeSamplerMixin) and params["memory"] is None:
            sampler.set_params(memory=self.memory)
        return sampler

    @staticmethod
    def _racing(first: np.ndarray, alive: list[int], labels: np.ndarray) -> list[int]:
        """Candidates that are not clearly behind after the first fold."""
        scores = first[alive]
        if not len(alive) or scores.min() < 0 or scores.max() > 1:
            return alive
        rarest = np.unique(labels, return_counts=True)[1].min()
        # At a perfect score the formula would say that chance has no part in it.
        p = min(scores.max(), 1 - 1 / (rarest + 2))
        return [i for i in alive if first[i] >= scores.max() - 2 * np.sqrt(p * (1 - p) / rarest)]

    @staticmethod
    def _guarded(guards: np.ndarray, alive: list[int], nothing: int) -> list[int]:
        """Candidates that do not lower the guard's score, and doing nothing."""
        difference = guards[alive] - guards[nothing]
        error = difference.std(axis=1, ddof=1) / np.sqrt(guards.shape[1])
        return [i for i, good in zip(alive, difference.mean(axis=1) >= error, strict=True) if good or i == nothing]

    def _choose(self, scores: np.ndarray, alive: list[int]) -> int:
        means = scores[alive].mean(axis=1)
        best = int(means.argmax())
        if self.rule == "best":
            return alive[best]
        error = scores[alive[best]].std(ddof=1) / np.sqrt(scores.shape[1])
        return alive[int(np.flatnonzero(means >= means[best] - error)[0])]

    def _remember(self, names, scores, seconds, alive, chosen) -> None:
        raced_out = ~np.isin(np.arange(len(names)), alive)
        splits = {f"split{k}": scores[:, k] for k in range(scores.shape[1])}
        n = np.isfinite(scores).sum(axis=1)
        spread = np.array(
            [row[np.isfinite(row)].std(ddof=1) if k > 1 else np.nan for row, k in zip(scores, n, strict=True)]
        )
        self.cv_results_ = pd.DataFrame(
            {
                "name": names,
                "mean": [row[np.isfinite(row)].mean() if k else np.nan for row, k in zip(scores, n, strict=True)],
                "standard_error": spread / np.sqrt(n.clip(1)),
                **splits,
                "seconds": seconds,
                "raced_out": raced_out,
                "chosen": np.arange(len(names)) == chosen,
            }
        )
        self.best_name_, self.best_score_ = names[chosen], float(scores[chosen].mean())

    def _fit_resample(self, X, y):
        raise NotImplementedError  # fit_resample above is everything

    def __sklearn_tags__(self):
        return tag_inputs(super().__sklearn_tags__())


def checked_splits(cv, X, labels: np.ndarray, groups, seed: int) -> list[tuple[np.ndarray, np.ndarray]]:
    """Folds of which each side has every class; an int means shuffled, stratified ones that keep groups together."""
    if isinstance(cv, Integral):
        cv = (StratifiedKFold if groups is None else StratifiedGroupKFold)(cv, shuffle=True, random_state=seed)
    classes, counts = np.unique(labels, return_counts=True)
    splits = list(check_cv(cv, labels, classifier=True).split(X, labels, groups))
    if len(splits) < 2:
        raise ValueError(f"cv={cv!r} gives {len(splits)} fold; at least 2 are needed to tell a difference from chance.")
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


class FlatRows(BaseSampler):
    """An over-sampler of rows, applied to images: flattened before it and folded back after it."""

    _sampling_type = "bypass"

    def __init__(self, sampler):
        self.sampler = sampler

    def fit_resample(self, X, y):
        """Resample images of shape (n, …) as rows."""
        X = np.asarray(X)
        flat, y_new = self.sampler.fit_resample(X.reshape(len(X), -1), y)
        return flat.reshape(-1, *X.shape[1:]), y_new

    def _fit_resample(self, X, y):
        raise NotImplementedError


def auto_samplers(X, rarest: int, amounts: Sequence[float] = AMOUNTS) -> dict[str, Any]:
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


def default_estimator(X):
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


def _score(sampler, estimator, scorers, X, y, train: np.ndarray, test: np.ndarray) -> tuple[list[float], float, str]:
    """Scores on the test side after training on the over-sampled training side, the seconds that took, and what failed."""
    begin = time.perf_counter()
    X_train, y_train = safe_indexing(X, train), safe_indexing(y, train)
    scores, error = [np.nan], ""
    try:
        if sampler is not None:
            X_train, y_train = clone(sampler).fit_resample(X_train, y_train)
        fitted = clone(estimator).fit(X_train, y_train)
        scores = [float(scorer(fitted, safe_indexing(X, test), safe_indexing(y, test))) for scorer in scorers]
        error = "" if np.isfinite(scores).all() else "the score is not a number"
    except Exception as exception:  # one candidate must not end the choice among the others
        error = f"{type(exception).__name__}: {exception}"
    return scores, time.perf_counter() - begin, error


def _labels(y) -> np.ndarray:
    """One label per row, also of a one-hot y."""
    values = np.asarray(y)
    return values.argmax(axis=1) if values.ndim == 2 and values.shape[1] > 1 else values.ravel()


def _name(sampler) -> str:
    return NOTHING if sampler is None else type(sampler).__name__
