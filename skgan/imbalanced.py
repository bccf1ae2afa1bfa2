"""ImbalancedClassifierCV: a classifier that picks a sampler, or none, and a decision rule by inner cross-validation."""

from collections.abc import Mapping
from functools import partial
from numbers import Integral
from os import PathLike
from typing import Any, ClassVar, Self

import numpy as np
from imblearn.pipeline import make_pipeline
from sklearn.base import BaseEstimator, ClassifierMixin, MetaEstimatorMixin, clone
from sklearn.linear_model import LogisticRegression
from sklearn.utils import get_tags
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted, column_or_1d

from skgan._compat import HasMethods, StrOptions
from skgan._decision import (
    OutOfFold,
    Response,
    all_scores,
    has_probabilities,
    learned_shares,
    name_of,
    response_of,
)
from skgan._folds import cross_validated, tell_failures
from skgan._random import draw_seeds
from skgan._statistics import candidates_table, chosen_by
from skgan._tuning import Judge
from skgan.prior import reweighted
from skgan.samplers import (
    CLASS_WEIGHTS,
    auto_candidates,
    check_groups,
    checked_splits,
    checked_table,
    class_weighted,
    cloned_steps,
    default_estimator,
    forget_fit,
    named_candidates,
    rarest_class,
    seeded,
    share_memory,
    tag_inputs,
)
from skgan.samplers._cache import location_of
from skgan.samplers._polars import frame_in_numpy_dtypes

FOLDS = 5


class ImbalancedClassifierCV(ClassifierMixin, MetaEstimatorMixin, BaseEstimator):
    """Choose what is done about imbalance, new rows and decision rule together, by cross-validation inside the training rows.

    A candidate is a sampler (or class weights, or nothing) with a decision rule. One fit of sampler and classifier on each
    inner training side serves all rules:

    * "as it is": the classifier's own ``predict``;
    * "corrected": the class of the largest probability divided by the frequency of the class that the classifier learned
      ([1]_), as of :class:`skgan.PriorCorrectedClassifier` with ``prior="uniform"``;
    * "tuned decision": the class of the largest probability times a weight of the class, where the weights have the highest
      score on the held-out rows of the inner folds. For two classes that is a tuned threshold. A fold is scored with weights
      that were tuned on the other folds.

    Of all candidates the *cheapest* within one standard error of the best wins ([2]_): nothing, class weights, copies, SMOTE
    and then GANOverSampler, each as it is, corrected, and with a tuned decision. It is then fitted on all rows.

    Parameters
    ----------
    estimator : classifier or None, default=None
        None is a quick one: logistic regression on standardised and one-hot columns, or on pixels. Without ``predict_proba``
        the only rule is "as it is".
    samplers : "auto", list or dict, default="auto"
        Candidates from the cheapest on: samplers, None for the data as they are, or "class weights" (the estimator's
        ``class_weight="balanced"``); a dict gives them names. "auto" is nothing, class weights where the estimator has them,
        copies, SMOTE (SMOTENC, SMOTEN where columns are categorical; with fewer neighbours where a class is small; left out
        where values are missing), and :class:`skgan.GANOverSampler`; samplers bring every class to the size of the largest.
    scoring : str or callable, default="balanced_accuracy"
        As everywhere in scikit-learn. A callable gets an object with ``predict``, ``predict_proba`` and ``classes_``.
    cv : int, splitter, iterable or None, default=None
        None is 5 folds, or as many as the smallest class has rows (or groups) if these are fewer; at least 2. An int means
        shuffled, stratified folds, which keep groups together where ``groups`` are given.
    rule : {"one_standard_error", "best"}, default="one_standard_error"
        The standard error is that of a candidate's difference to the best one over the inner folds.
        "best" takes the candidate of the highest mean.
    memory : str, path, joblib.Memory or None, default=None
        Handed to samplers of skgan that have none of their own: they keep their trained generators there.
        After a kill, folds that were trained are not trained again.
    n_jobs : int or None, default=None
        Fits at once, in processes.
    random_state : int, RandomState or None, default=None
        Of the folds, and of samplers and estimators whose ``random_state`` is None.
    verbose : int, default=0
        1 prints beforehand how many fits there are, and the choice.

    Attributes
    ----------
    best_name_ : str
        Such as "nothing, corrected".
    best_estimator_ : estimator
        The classifier, or a pipeline of sampler and classifier, fitted on all rows.
    best_score_ : float
        Its mean over the inner folds. The best of many is a little lucky: cross-validate this class for an honest score.
    class_weights_ : ndarray of shape (n_classes,) or None
        ``predict`` takes the class of the largest ``predict_proba`` × weight. None for "as it is".
    cv_results_ : DataFrame
        A line a candidate: name, mean, standard_error, split0 …, seconds (of a fit, mean over the folds), chosen.
    classes_ : ndarray of shape (n_classes,)
    prior_ : ndarray of shape (n_classes,)
        Frequencies of the classes in y.
    resampled_prior_ : ndarray of shape (n_classes,) or None
        Frequencies that the probabilities of ``best_estimator_`` stand for; None where they are not known.
    n_features_in_, feature_names_in_

    Notes
    -----
    What the classifier learned is read off as by :class:`skgan.PriorCorrectedClassifier`. Where that refuses, there is no
    candidate "corrected".

    References
    ----------
    .. [1] Saerens, Latinne & Decaestecker, "Adjusting the outputs of a classifier to new a priori probabilities", Neural
       Computation 14 (2002).
    .. [2] Breiman et al., "Classification and regression trees", 1984, section 3.4.3.

    Examples
    --------
    >>> from imblearn.over_sampling import RandomOverSampler
    >>> from sklearn.datasets import make_classification
    >>> from sklearn.linear_model import LogisticRegression
    >>> from skgan import ImbalancedClassifierCV
    >>> X, y = make_classification(1000, weights=[0.9], random_state=0)
    >>> model = ImbalancedClassifierCV(LogisticRegression(), [None, RandomOverSampler()], random_state=0).fit(X, y)
    >>> model.best_name_
    'nothing, corrected'
    """

    _parameter_constraints: ClassVar[dict] = {
        "estimator": [None, HasMethods(["fit", "predict"])],
        "samplers": [StrOptions({"auto"}), list, tuple, Mapping],
        "scoring": [str, callable],
        "cv": [None, "cv_object"],
        "rule": [StrOptions({"one_standard_error", "best"})],
        "memory": [None, str, PathLike, HasMethods(["cache"])],
        "n_jobs": [None, Integral],
        "random_state": ["random_state"],
        "verbose": ["verbose"],
    }

    def __init__(
        self,
        estimator: Any = None,
        samplers: Any = "auto",
        *,
        scoring: Any = "balanced_accuracy",
        cv: Any = None,
        rule: Any = "one_standard_error",
        memory: Any = None,
        n_jobs: int | None = None,
        random_state: int | np.random.RandomState | None = None,
        verbose: int | None = 0,
    ):
        self.estimator = estimator
        self.samplers = samplers
        self.scoring = scoring
        self.cv = cv
        self.rule = rule
        self.memory = memory
        self.n_jobs = n_jobs
        self.random_state = random_state
        self.verbose = verbose

    def fit(self, X: Any, y: Any, groups: Any = None) -> Self:
        """Choose, and fit the choice on all rows.

        Parameters
        ----------
        X : array-like, sparse matrix or DataFrame of shape (n, n_features), or images of shape (n, …)
            As for :meth:`skgan.GANOverSampler.fit_resample`; the estimator must take it.
        y : array-like of shape (n,)
        groups : array-like of shape (n,) or None, default=None
            Rows of one group (a patient, a user) stay on one side of every inner fold.

        Returns
        -------
        self

        Raises
        ------
        ValueError
            Before any training: for an unknown scoring, a single fold, and folds that lose a class. After it: where every
            candidate failed.
        TypeError
            Before any training, for candidates that are no samplers.
        """
        self._validate_params()
        location_of(self.memory)
        checked = checked_table(self, X, y)
        if (given := np.asarray(y)).shape == (len(checked.y), 1):
            column_or_1d(given, warn=True)
        rows, labels = checked.X, checked.y
        judge = Judge(self.scoring, rows, labels)
        groups = check_groups(groups, len(labels))
        fold_seed, seed = draw_seeds(self.random_state, 2)
        splits = checked_splits(
            _n_folds(labels, groups) if self.cv is None else self.cv, rows, labels, groups, fold_seed
        )
        estimator = default_estimator(rows) if self.estimator is None else self.estimator
        candidates = self._candidates(rows, rarest_class(labels, splits), estimator)
        if self.verbose:
            print(
                f"ImbalancedClassifierCV: {len(candidates)} samplers in {len(splits)} folds, {len(candidates) * len(splits)} "
                f"fits and one more: {', '.join(candidates)}"
            )
        combined = {name: self._combined(candidate, estimator, seed) for name, candidate in candidates.items()}
        found, seconds = self._cross_fitted(combined, judge, splits)
        pairs, scores = all_scores(found)
        there = np.flatnonzero(np.isfinite(scores).all(axis=1)).tolist()
        tell_failures(
            {name_of(pairs[i]): "the score is not a number" for i in range(len(pairs)) if i not in there}, bool(there)
        )
        chosen = chosen_by(self.rule, scores, there, paired=True)
        sampler, rule = pairs[chosen]
        took = np.array([seconds[name] for name, _ in pairs])
        results = candidates_table([name_of(pair) for pair in pairs], scores, took, there, chosen)
        best = combined[sampler].fit(rows, labels)
        fitted = {
            "best_name_": name_of(pairs[chosen]),
            "best_estimator_": best,
            "best_score_": float(scores[chosen].mean()),
            "cv_results_": results.drop(columns="raced_out"),
            "class_weights_": found[sampler].weights(rule),
            "classes_": judge.classes,
            "prior_": judge.shares,
            "resampled_prior_": learned_shares(best, labels) if found[sampler].known else None,
        }
        forget_fit(self)
        self.__dict__.update({**checked.seen, **fitted})
        if self.verbose:
            print(f"ImbalancedClassifierCV: {self.best_name_}, {self.best_score_:.4g}")
        return self

    def _candidates(self, X, rarest: int, estimator) -> dict[str, Any]:
        """Name → sampler, None, or "class weights"."""
        if isinstance(self.samplers, str):
            return auto_candidates(X, rarest, estimator)
        candidates = named_candidates(self.samplers, words=(CLASS_WEIGHTS,))
        if (
            CLASS_WEIGHTS in [c for c in candidates.values() if isinstance(c, str)]
            and class_weighted(estimator) is None
        ):
            raise ValueError(
                f"{estimator!r} has no parameter class_weight: take {CLASS_WEIGHTS!r} out of the samplers, or take another "
                "classifier."
            )
        return candidates

    def _combined(self, candidate, estimator, seed: int):
        """Sampler and classifier, unfitted."""
        model = class_weighted(estimator) if isinstance(candidate, str) else clone(estimator)
        steps = [] if candidate is None or isinstance(candidate, str) else cloned_steps(candidate)
        combined = seeded(make_pipeline(*steps, model) if steps else model, seed)
        share_memory(combined, self.memory)
        return combined

    def _cross_fitted(self, combined, judge: Judge, splits) -> tuple[dict[str, OutOfFold], dict[str, float]]:
        """What the fits of every candidate said of the rows held out, and their seconds; those that fail are left out."""
        running, errors, kinds = dict(combined), dict[str, str](), set[type]()
        responses: dict[str, list[Response]] = {name: [] for name in combined}
        seconds: dict[str, list[float]] = {name: [] for name in combined}
        measure = partial(_response, scorer=judge.scorer)
        for fold, cells in cross_validated(running, judge.X, judge.y, splits, measure, n_jobs=self.n_jobs):
            for cell in list(cells):
                if cell.error is None:
                    responses[cell.name].append(cell.measured)
                    seconds[cell.name].append(cell.seconds)
                else:
                    errors[cell.name] = f"{cell.failure} (fold {fold})"
                    kinds.add(type(cell.error))
                    del running[cell.name]
        tell_failures(errors, bool(running), TypeError if kinds == {TypeError} else ValueError)
        tests = [test for _, test in splits]
        found = {name: OutOfFold(judge, responses[name], tests) for name in running}
        return found, {name: float(np.mean(values)) for name, values in seconds.items() if values}

    def predict(self, X: Any) -> np.ndarray:
        """The class of the largest ``predict_proba`` × ``class_weights_``; without weights that of ``best_estimator_``."""
        check_is_fitted(self)
        if self.class_weights_ is None:
            return self.best_estimator_.predict(frame_in_numpy_dtypes(X))
        return self.classes_[(self.predict_proba(X) * self.class_weights_).argmax(axis=1)]

    @available_if(lambda self: has_probabilities(self._inner()))
    def predict_proba(self, X: Any) -> np.ndarray:
        """Probabilities of shape (n, n_classes), in the order of ``classes_``.

        They are for the frequencies of the classes in y, whatever the sampler, class weights and decision rule: the
        classifier's own, times ``prior_`` / ``resampled_prior_``. Where it is not known which frequencies it learned, they are
        the classifier's own. ``predict`` need not be the class of the highest probability: a rare class is predicted
        at a lower one.
        """
        check_is_fitted(self)
        probability = self.best_estimator_.predict_proba(frame_in_numpy_dtypes(X))
        if self.resampled_prior_ is None:
            return probability
        return reweighted(probability, self.prior_ / self.resampled_prior_, self.prior_)

    @available_if(lambda self: not has_probabilities(self._inner()) and _scores_rows(self._inner()))
    def decision_function(self, X: Any) -> np.ndarray:
        """That of ``best_estimator_``; for classifiers without ``predict_proba``."""
        check_is_fitted(self)
        return self.best_estimator_.decision_function(frame_in_numpy_dtypes(X))

    def _inner(self):
        """The classifier, fitted or not; the default one has probabilities."""
        of_parameters = LogisticRegression() if self.estimator is None else self.estimator
        return vars(self).get("best_estimator_", of_parameters)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        if self.estimator is None:
            return tag_inputs(tags)
        tags.input_tags = get_tags(self.estimator).input_tags
        return tags


def _response(name, fold, fitted, training, test, *, scorer):
    return response_of(fitted, training[1], test, scorer)


def _n_folds(labels: np.ndarray, groups: np.ndarray | None) -> int:
    """5, or as many as the smallest class has rows, or groups, if these are fewer; at least 2."""
    if groups is None:
        return int(np.clip(np.unique(labels, return_counts=True)[1].min(), 2, FOLDS))
    return int(np.clip(min(len(np.unique(groups[labels == klass])) for klass in np.unique(labels)), 2, FOLDS))


def _scores_rows(estimator) -> bool:
    return HasMethods(["decision_function"]).is_satisfied_by(estimator)
