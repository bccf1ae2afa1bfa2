"""Classifiers on resampled rows of a table: the decision as predicted, corrected or tuned, the ranking, the probabilities."""

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
from harness import CACHE
from shared import CLASSIFIERS, encoded, model_of
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.metrics import average_precision_score, balanced_accuracy_score, log_loss
from sklearn.model_selection import ParameterSampler, StratifiedKFold, cross_val_score
from sklearn.pipeline import Pipeline

FOREST, BOOSTING, TUNED = "random forest", "gradient boosting", "tuned boosting"
ALL = (*CLASSIFIERS, TUNED)
PREDICTED, CORRECTED, DECISION = (
    "balanced accuracy",
    "balanced accuracy, corrected",
    "balanced accuracy, tuned decision",
)
RANKING, LOSS = "average precision", "log-loss"
MEASURES = (PREDICTED, CORRECTED, DECISION, RANKING, LOSS)
MANY_CLASSES, FEWER_TREES = 6, 30  # boosting grows one tree a class in each of its iterations
SEARCHED = {
    "learning_rate": (0.03, 0.1, 0.3),
    "max_iter": (15, 30, 60),
    "max_leaf_nodes": (7, 15, 31),
    "min_samples_leaf": (5, 10, 20),
    "l2_regularization": (0.0, 1.0, 10.0),
}
LEAST_TO_TUNE = 4  # rows of a class: two in each half, as SMOTE needs

Resample = Callable[[pd.DataFrame, np.ndarray], tuple[pd.DataFrame, np.ndarray]]


@CACHE.cache
def boosting_parameters(
    X: pd.DataFrame, y: np.ndarray, searched: dict[str, tuple], n_candidates: int, seed: int
) -> dict[str, Any]:
    """The best of a few random settings by balanced accuracy on two folds of the training rows as they are.

    Once for all samplers: a search around each sampler would train it again for every fold, and a search on resampled rows
    would test on copies of what it has learned. Classes are weighted meanwhile, so that the score does not only say how
    little a setting neglects the rare ones. The number of trees is searched too: a part of a few rare rows is no test set to
    stop early by.
    """
    best, chosen = -np.inf, {}
    for candidate in ParameterSampler(searched, n_candidates, random_state=seed):
        model = boosting(len(np.unique(y)), class_weight="balanced", **candidate)
        halves = StratifiedKFold(2, shuffle=True, random_state=seed)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            score = cross_val_score(model, X, y, cv=halves, scoring="balanced_accuracy").mean()
        if score > best:
            best, chosen = score, candidate
    return chosen


def boosting(n_classes: int, **params) -> Pipeline:
    """Histogram boosting, with fewer iterations where there are many classes."""
    if n_classes > MANY_CLASSES:
        params["max_iter"] = min(params.get("max_iter", FEWER_TREES), FEWER_TREES)
    return encoded(HistGradientBoostingClassifier(early_stopping=False, random_state=0, **params))


def classifier_of(name: str, X: pd.DataFrame, y: np.ndarray, seed: int) -> Pipeline:
    """A classifier for these training rows, before they are resampled."""
    if name == TUNED:
        return boosting(len(np.unique(y)), **boosting_parameters(X, y, SEARCHED, 4, seed))
    return boosting(len(np.unique(y))) if name == BOOSTING else model_of(name)


def probabilities_of(
    model: Pipeline, X: pd.DataFrame, y: np.ndarray, X_test: pd.DataFrame, n_classes: int
) -> np.ndarray:
    """Probabilities of all classes on the test rows; nothing for a class without a training row."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # an MLP that has not converged, a category that only the test side has
        model.fit(X, y)
        probabilities = np.zeros((len(X_test), n_classes))
        probabilities[:, model.classes_] = model.predict_proba(X_test)
    return probabilities


def scores(P: np.ndarray, y_test: np.ndarray, seen: np.ndarray, prior: np.ndarray) -> dict[str, float]:
    """What these probabilities are worth.

    Parameters
    ----------
    P : array of shape (n_rows, n_classes)
    y_test : array of shape (n_rows,)
    seen : array of shape (n_classes,)
        Class frequencies that the classifier was trained on.
    prior : array of shape (n_classes,)
        Class frequencies of the training side before it was resampled.
    """
    real = (P * (prior / seen)).clip(1e-6)
    real /= real.sum(1, keepdims=True)
    return {
        PREDICTED: balanced_accuracy_score(y_test, P.argmax(1)),
        CORRECTED: balanced_accuracy_score(y_test, (P / seen).argmax(1)),
        DECISION: float("nan"),
        RANKING: average_precision_score(np.eye(len(prior))[y_test], P),
        LOSS: log_loss(y_test, real, labels=range(len(prior))),
    }


def class_weights(P: np.ndarray, y: np.ndarray, n_sweeps: int = 3) -> np.ndarray:
    """One weight a class; the largest weighted probability then has the best balanced accuracy on these rows.

    One class at a time: with the other weights held, it takes the rows in the order in which a growing weight reaches them,
    so that every threshold is tried. Two classes have one threshold, which the first sweep finds.
    """
    logs = np.log(P.clip(1e-6))
    worth = 1 / np.bincount(y)[y]  # of a row that is predicted right
    weights = -np.log(np.bincount(y) / len(y))
    for _ in range(n_sweeps):
        for klass in range(1, P.shape[1]):
            others = logs + weights
            others[:, klass] = -np.inf
            needed = others.max(1) - logs[:, klass]  # the weight from which on a row is of this class
            order = np.argsort(needed)
            gained = worth * ((y == klass).astype(int) - (others.argmax(1) == y))
            total = np.concatenate([[0], np.cumsum(gained[order])])
            edges = np.concatenate([[needed.min() - 1], needed[order], [needed.max() + 1]])
            total[1:-1][np.diff(edges[1:-1]) == 0] = -np.inf  # rows that come together are not told apart
            best = int(total.argmax())
            weights[klass] = edges[best : best + 2].mean()
    return np.exp(weights - weights.max())


def tuned_weights(
    classifiers: tuple[str, ...], resample: Resample, X: pd.DataFrame, y: np.ndarray, seed: int
) -> dict[str, np.ndarray]:
    """Weights of the classes for each classifier, from probabilities on the half that neither it nor the sampler has seen."""
    if np.bincount(y).min() < LEAST_TO_TUNE:
        return {}
    n_classes = y.max() + 1
    unseen = {name: np.zeros((len(y), n_classes)) for name in classifiers}
    for train, test in StratifiedKFold(2, shuffle=True, random_state=seed).split(X, y):
        X_train, y_train = X.iloc[train].reset_index(drop=True), y[train]
        X_new, y_new = resample(X_train, y_train)
        for name in classifiers:
            model = classifier_of(name, X_train, y_train, seed)
            unseen[name][test] = probabilities_of(model, X_new, y_new, X.iloc[test], n_classes)
    return {name: class_weights(P, y) for name, P in unseen.items()}
