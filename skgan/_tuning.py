"""Scores of given answers, and weights of classes that are tuned for a score."""

import warnings
from collections.abc import Callable, Sequence

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.dummy import DummyClassifier
from sklearn.metrics import get_scorer, get_scorer_names

from skgan._compat import safe_indexing

SWEEPS = 5
MOST_CUTS = 100
"""Places that are tried for a weight, where each try calls the scorer."""


def checked_scorer(scoring, y: np.ndarray):
    """The scorer of a name, or the callable; a name that cannot score such labels is refused, by a fit that learns nothing."""
    if not isinstance(scoring, str):
        return scoring
    scorer = get_scorer(scoring)
    rows = np.zeros((len(y), 1))
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            scorer(DummyClassifier(strategy="prior").fit(rows, y), rows, y)
    except Exception as error:
        classes = np.unique(y).tolist()
        others = [f"{scoring}_{kind}" for kind in ("macro", "ovr")]
        instead = [repr(other) for other in others if other in get_scorer_names()] or ["'balanced_accuracy'"]
        numbers = ", or name the classes 0 and 1, of which 1 is the one that counts" if len(classes) == 2 else ""
        raise ValueError(
            f"scoring={scoring!r} cannot score the {len(classes)} classes {classes[:5]}: {str(error).rstrip('.')}. "
            f"Take {' or '.join(instead)}{numbers}."
        ) from error
    return scorer


class Answers(ClassifierMixin, BaseEstimator):
    """What a classifier has said of some rows, as a classifier that says it again: for scorers."""

    def __init__(self, classes_, predicted, probability):
        self.classes_ = classes_
        self.predicted = predicted
        self.probability = probability

    def predict(self, X):
        """The labels that were given, whatever X is."""
        return self.predicted

    def predict_proba(self, X):
        """The probabilities that were given, whatever X is."""
        return self.probability


class Judge:
    """Scores decisions on these rows, and tunes them.

    Parameters
    ----------
    scoring : str or callable
        As everywhere in scikit-learn.
    X, y
        All rows. Parts are named by their places.

    Raises
    ------
    ValueError
        For a scoring that is unknown, or cannot score such labels.
    """

    def __init__(self, scoring, X, y: np.ndarray):
        self.scorer = checked_scorer(scoring, y)
        self.X, self.y, self.named = X, y, isinstance(scoring, str)
        self.classes, self.codes, counts = np.unique(y, return_inverse=True, return_counts=True)
        self.shares = counts / counts.sum()
        self.kind = {"accuracy": "rows", "balanced_accuracy": "classes", "recall_macro": "classes"}.get(str(scoring))

    def score(self, rows: np.ndarray, predicted: np.ndarray, probability: np.ndarray) -> float:
        """Of labels and probabilities for the rows at these places."""
        answers = Answers(self.classes, predicted, probability)
        return float(self.scorer(answers, safe_indexing(self.X, rows), self.y[rows]))

    def tuned(self, rows: np.ndarray, probability: np.ndarray, starts: Sequence[np.ndarray]) -> np.ndarray:
        """Weights of the classes, from the best of these on, with which the largest probability × weight scores best."""
        codes = self.codes[rows]
        counts = np.bincount(codes, minlength=len(self.classes))
        if not counts.all():  # nothing is known of a class without a row
            return starts[-1]
        if self.kind is not None:
            gains = np.ones(len(rows)) / len(rows) if self.kind == "rows" else 1 / (len(counts) * counts[codes])
            return tuned_weights(probability, codes, starts, lambda taken: gains[taken == codes].sum(), gains)
        with warnings.catch_warnings():  # of classes that nothing is predicted to be, some scores warn at every try
            warnings.simplefilter("ignore")
            return tuned_weights(
                probability, codes, starts, lambda taken: self.score(rows, self.classes[taken], probability)
            )


def tuned_weights(
    probability: np.ndarray,
    codes: np.ndarray,
    starts: Sequence[np.ndarray],
    value: Callable[[np.ndarray], float],
    gains: np.ndarray | None = None,
) -> np.ndarray:
    """One weight a class, such that the class of the largest probability × weight has a high value.

    One weight after the other is moved to where the value is highest, until no move raises it. With two classes the first move
    finds the best threshold there is.

    Parameters
    ----------
    probability : ndarray of shape (n, n_classes)
    codes : ndarray of shape (n,)
        The right class of each row, as its place.
    starts : sequence of ndarray of shape (n_classes,)
        Weights above 0; the best of them is the start.
    value : callable
        Classes of shape (n,), as places → what is to be raised.
    gains : ndarray of shape (n,) or None, default=None
        Where the value is the sum over the rows that are right of these, all places of a weight are tried without calling it.

    Returns
    -------
    ndarray of shape (n_classes,)
        Scaled to a mean of 1.
    """
    n_classes = probability.shape[1]
    with np.errstate(divide="ignore"):
        logs = np.log(probability)
    values = [value((logs + np.log(start)).argmax(axis=1)) for start in starts]
    weights, best = np.log(starts[int(np.argmax(values))]), max(values)
    constant = {value(np.full(len(codes), k)) for k in (0, n_classes - 1)} | set(values)
    if gains is None and len(constant) == 1:  # a score of the probabilities alone
        return scaled(weights)
    for _ in range(1 if n_classes == 2 else SWEEPS):
        before = best
        for k in [1] if n_classes == 2 else range(n_classes):
            shift, best = _best_shift(logs + weights, k, codes, best, value, gains)
            weights = weights + shift * (np.arange(n_classes) == k)
        if best <= before:
            break
    return scaled(weights)


def _best_shift(scores: np.ndarray, k: int, codes, best: float, value, gains) -> tuple[float, float]:
    """How far the score of class k (log of probability × weight) is best moved, and the value there; 0 where nothing is won."""
    others = scores.copy()
    others[:, k] = -np.inf
    rival = others.argmax(axis=1)
    with np.errstate(invalid="ignore"):
        turns = others.max(axis=1) - scores[:, k]  # from this shift on the row is taken for class k
    turns = np.where(np.isnan(turns), np.inf, turns)
    places = np.unique(turns[np.isfinite(turns)])
    if not len(places):
        return 0.0, best
    cuts = np.concatenate([[places[0] - 1], (places[1:] + places[:-1]) / 2, [places[-1] + 1]])
    if gains is None:
        cuts, values = _tried(cuts, lambda cut: value(np.where(turns < cut, k, rival)))
    else:
        order = np.argsort(turns)
        change = gains * ((codes == k).astype(float) - (codes == rival))
        sums = np.concatenate([[0.0], np.cumsum(change[order])])
        values = gains[rival == codes].sum() + sums[np.searchsorted(turns[order], cuts)]
    if not values.max() > best + 1e-9:
        return 0.0, best
    good = cuts[values >= values.max() - 1e-9]
    return float(good[np.abs(good).argmin()]), float(values.max())


def _tried(cuts: np.ndarray, value: Callable[[float], float]) -> tuple[np.ndarray, np.ndarray]:
    """Some of the cuts, evenly over all of them and then around the best of those, and their values."""
    coarse = np.unique(np.linspace(0, len(cuts) - 1, MOST_CUTS // 2).round().astype(int))
    values = np.array([value(cuts[i]) for i in coarse])
    at = int(values.argmax())
    low, high = coarse[max(at - 1, 0)] + 1, coarse[min(at + 1, len(coarse) - 1)] - 1
    fine = np.setdiff1d(np.linspace(low, max(low, high), MOST_CUTS // 2).round().astype(int), coarse)
    fine = fine[fine < len(cuts)]
    return cuts[np.r_[coarse, fine]], np.r_[values, [value(cuts[i]) for i in fine]]


def scaled(logs: np.ndarray) -> np.ndarray:
    """Weights with these logarithms, up to a factor that brings their mean to 1."""
    weights = np.exp(logs - logs.max())
    return weights / weights.mean()
