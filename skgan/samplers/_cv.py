"""OverSamplerCV: a sampler that picks a sampler, or none, by inner cross-validation."""

from collections.abc import Mapping
from functools import partial
from numbers import Integral
from os import PathLike
from typing import Any, ClassVar, Self

import numpy as np
from imblearn.base import BaseSampler
from imblearn.pipeline import make_pipeline as make_sampling_pipeline
from sklearn.base import clone
from sklearn.metrics import get_scorer

from skgan._compat import HasMethods, StrOptions
from skgan._folds import Cell, cross_validated, tell_failures
from skgan._random import draw_seeds
from skgan._statistics import candidates_table, chosen_by
from skgan.samplers._base import BaseGenerativeSampler
from skgan.samplers._border import Checked, check_groups, checked_table, forget_fit, tag_inputs
from skgan.samplers._cache import location_of
from skgan.samplers._candidates import (
    auto_samplers,
    checked_splits,
    cloned_steps,
    default_estimator,
    named_candidates,
    rarest_class,
    seeded,
    share_memory,
)
from skgan.samplers._containers import Classes, Container, class_labels, stacked
from skgan.samplers._origin import origin_of_rows
from skgan.samplers._polars import in_numpy_dtypes
from skgan.samplers._recursive import RecursiveAugmenter


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
        Handed to candidates of skgan that have none of their own. After a kill, folds that were trained are not trained again.
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
    sampling_strategy_, class_counts_ : dict
        Class → number of new rows, and of all returned rows.
    is_synthetic_ : ndarray of bool
        Which of the returned rows are new.
    origin_, parent_indices_, groups_
        As in :class:`skgan.GANOverSampler`; parents are places in the X given. New rows of another library's sampler, told from
        the real ones by comparing them, have the ``origin_`` "unknown", and then there are no ``groups_``.

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
        samplers: Any = "auto",
        estimator: Any = None,
        *,
        scoring: Any = "balanced_accuracy",
        guard: Any = None,
        cv: Any = 3,
        rule: Any = "one_standard_error",
        memory: Any = None,
        n_jobs: int | None = None,
        random_state: int | np.random.RandomState | None = None,
        verbose: int | None = 0,
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

    def fit(self, X: Any, y: Any) -> Self:
        """Check the input; nothing is trained. Use ``fit_resample``."""
        self._validate_params()
        checked = checked_table(self, X, y)
        forget_fit(self)
        self.__dict__.update(checked.seen)
        self.sampling_strategy_ = dict.fromkeys(np.unique(checked.y).tolist(), 0)
        return self

    def fit_resample(self, X: Any, y: Any, *, groups: Any = None) -> Any:
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
        self._validate_params()
        location_of(self.memory)
        checked = checked_table(self, X, y)
        rows, labels = checked.X, checked.y
        groups = check_groups(groups, len(labels))
        scorers = [get_scorer(s) if isinstance(s, str) else s for s in (self.scoring, self.guard) if s is not None]
        estimator = default_estimator(rows) if self.estimator is None else self.estimator
        fold_seed, sampler_seed = draw_seeds(self.random_state, 2)
        splits = checked_splits(self.cv, rows, labels, groups, fold_seed)
        candidates = self._candidates(rows, rarest_class(labels, splits))
        names = list(candidates)
        nothing = next((name for name, candidate in candidates.items() if candidate is None), None)
        if self.guard is not None and nothing is None:
            raise ValueError(
                "guard compares candidates with doing nothing: put None among the samplers, or set guard=None."
            )
        prepared = {name: self._prepared(candidate, sampler_seed) for name, candidate in candidates.items()}
        if self.verbose:
            print(
                f"OverSamplerCV: {len(prepared)} candidates in {len(splits)} folds, at most {len(prepared) * len(splits)} fits "
                f"and one more: {', '.join(names)}"
            )
        scores, guards, seconds, errors, alive = self._raced(
            prepared, estimator, scorers, rows, labels, splits, nothing
        )
        tell_failures(errors, bool(alive))
        allowed = alive if nothing is None or self.guard is None else self._guarded(guards, alive, names.index(nothing))
        chosen = self._choose(scores, allowed)
        sampler = prepared[names[chosen]]
        results = candidates_table(names, scores, seconds, alive, chosen)
        if self.guard is not None:
            results["guard"] = np.where(np.isin(np.arange(len(names)), alive), guards.mean(axis=1), np.nan)
            results["guarded_out"] = [i in alive and i not in allowed for i in range(len(names))]
        if self.verbose:
            print(f"OverSamplerCV: {names[chosen]}, {scores[chosen].mean():.4g}")
        X_new, y_new, of_rows = _resampled(sampler, X, y, checked, groups)
        after = class_labels(y_new)
        is_class = {klass: after == klass for klass in np.unique(labels).tolist()}
        fitted = {
            "cv_results_": results,
            "best_sampler_": sampler,
            "best_name_": names[chosen],
            "best_score_": float(scores[chosen].mean()),
            "sampling_strategy_": {klass: int(of_rows["is_synthetic_"][its].sum()) for klass, its in is_class.items()},
            "class_counts_": {klass: int(its.sum()) for klass, its in is_class.items()},
        }
        forget_fit(self)
        self.__dict__.update({**checked.seen, **fitted, **of_rows})
        return X_new, y_new

    def _raced(self, prepared, estimator, scorers, X, labels, splits, nothing) -> tuple[Any, ...]:
        """Scores, guards, seconds and errors of every candidate, and which are still alive after the last fold."""
        names = list(prepared)
        running = {
            name: make_sampling_pipeline(*cloned_steps(sampler), clone(estimator)) for name, sampler in prepared.items()
        }
        scores, guards = (np.full((len(names), len(splits)), np.nan) for _ in range(2))
        seconds, errors = np.zeros(len(names)), dict[str, str]()
        measure = partial(_scores, scorers=scorers)
        for fold, cells in cross_validated(running, X, labels, splits, measure, n_jobs=self.n_jobs):
            for cell in list(cells):
                i, error = names.index(cell.name), _what_failed(cell)
                seconds[i] += cell.seconds
                if error:
                    errors.setdefault(cell.name, f"{error} (fold {fold})")
                    del running[cell.name]
                else:
                    scores[i, fold], guards[i, fold] = cell.measured[0], cell.measured[-1]
            if fold == 0:
                alive = self._racing(scores[:, 0], [names.index(name) for name in running], labels[splits[0][1]])
                for name in set(running) - {names[i] for i in alive}:
                    if name != nothing or self.guard is None:  # the yardstick stays
                        del running[name]
        return scores, guards, seconds, errors, sorted(names.index(name) for name in running)

    def _candidates(self, X, rarest: int) -> dict[str, Any]:
        """Name → sampler or None."""
        samplers = auto_samplers(X, rarest) if isinstance(self.samplers, str) else self.samplers
        return named_candidates(samplers)

    def _prepared(self, candidate, seed: int):
        if candidate is None:
            return None
        sampler = seeded(candidate, seed)
        share_memory(sampler, self.memory)
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
        return chosen_by(self.rule, scores, alive)

    def _fit_resample(self, X, y):
        raise NotImplementedError  # fit_resample above is everything

    def __sklearn_tags__(self):
        return tag_inputs(super().__sklearn_tags__())


def _resampled(sampler, X, y, checked: Checked, groups: np.ndarray | None) -> tuple[Any, Any, dict[str, Any]]:
    """The rows that the chosen sampler returns, and what is known of where they come from."""
    if isinstance(sampler, BaseGenerativeSampler | RecursiveAugmenter | OverSamplerCV):
        rows = sampler.fit_resample(X, y, groups=groups)
        names = ("is_synthetic_", "origin_", "parent_indices_", "groups_")
        return *rows, {name: vars(sampler)[name] for name in names if name in vars(sampler)}
    given = checked.X, checked.y  # containers and labels that only skgan takes come back all the same
    container = Container.of(X, Classes.of(in_numpy_dtypes(y), checked.y)).as_polars(X, y)
    X_new, y_new = given if sampler is None else sampler.fit_resample(*given)
    told = origin_of_rows(sampler, groups, given, (X_new, y_new))
    return container.rows(stacked([X_new])), container.y.like(y_new), told


def _scores(name, fold, fitted, training, test, *, scorers) -> list[float]:
    """Of the classifier alone: a scorer may look at what it has learned."""
    return [float(scorer(fitted.steps[-1][1], *test)) for scorer in scorers]


def _what_failed(cell: Cell) -> str:
    """In words, or nothing."""
    if cell.error is not None:
        return cell.failure
    return "" if np.isfinite(cell.measured).all() else "the score is not a number"
