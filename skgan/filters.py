"""Row filters: scores that decide which generated rows to keep. A score of at least 0 accepts a row.

A filter is derived from :class:`RowFilter`. The sampler makes blocks of rows, keeps what is accepted, and after 8 times the
wanted amount tops up with plain copies: it never returns fewer rows than
asked. All thresholds are quantiles over *real* rows, so nothing has to be tuned to a data set's scale.
"""

from typing import Any, Self

import numpy as np
from sklearn.base import BaseEstimator, clone
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold, cross_val_predict
from sklearn.neighbors import NearestNeighbors
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.validation import check_is_fitted

from skgan._tensors import to_unit_range


def _flat(X) -> np.ndarray:
    X = np.asarray(X)
    return to_unit_range(X.reshape(len(X), -1))


def _check_quantile(name: str, value: float) -> None:
    if not 0 <= value <= 1:
        raise ValueError(f"{name} is a quantile and must lie in [0, 1], got {value!r}.")


class RowFilter(BaseEstimator):
    """Which generated rows to keep. Subclasses write ``fit`` and ``score_samples``, both on encoded rows of any shape.

    Attributes
    ----------
    needs_scores : bool, default=False
        Whether ``fit`` needs a net whose ``score_samples`` judges single rows: a sampler refuses others before it trains.
    needs_classes : bool, default=False
        Whether ``fit`` needs rows of two classes at least, and so does not go with a y of real-valued labels.
    """

    needs_classes: bool = False

    @property
    def needs_scores(self) -> bool:
        """As above."""
        return False

    def check(self) -> None:
        """Refuse wrong parameters; a sampler calls this before it trains anything."""

    def fit(self, X: Any, y: Any, net: Any = None) -> Any:
        """Learn from encoded real rows.

        Parameters
        ----------
        X : ndarray of shape (n, d) or (n, C, H, W)
        y : ndarray of shape (n,)
            Class ids.
        net : GenerativeNet or None, default=None
            Trained, where all classes share one.

        Returns
        -------
        self
        """
        raise NotImplementedError(f"{type(self).__name__} must have a method fit(X, y, net=None).")

    def score_samples(self, X: Any, y: Any) -> np.ndarray:
        """Scores of encoded rows of these class ids, shape (n,): at least 0 accepts a row."""
        raise NotImplementedError(f"{type(self).__name__} must have a method score_samples(X, y).")


class ClassifierFilter(RowFilter):
    """Keep rows that a classifier takes for their class as surely as it does held-out real rows, or for no other class.

    Parameters
    ----------
    estimator : classifier or None, default=None
        None is logistic regression on standardised, flattened rows. One fit serves all classes: where they are of unequal
        size, ``PriorCorrectedClassifier(…, prior="uniform")`` keeps a frequent class from taking a rare one's rows.
    quantile : float in [0, 1] or None, default=0.1
        A row is accepted when its class probability is at least this quantile of the class's real rows, each judged by a
        classifier that did not see it. None: when its class is the most probable one, which needs one fit and no folds.
    cv : int, default=3
        Folds of that cross-fitting; classes with fewer rows than folds share the threshold of all classes.
    flat : bool, default=True
        Whether the estimator gets images as rows (n, d); False is for one that takes images, such as
        :class:`skgan.CNNClassifier`: (n, C, H, W), float32 in [-1, 1].

    Attributes
    ----------
    thresholds_ : ndarray of shape (n_classes,)
        With a quantile.
    """

    needs_classes = True

    def __init__(self, estimator: Any = None, *, quantile: Any = 0.1, cv: Any = 3, flat: Any = True):
        self.estimator = estimator
        self.quantile = quantile
        self.cv = cv
        self.flat = flat

    def check(self) -> None:
        if self.quantile is not None:
            _check_quantile("quantile", self.quantile)

    def _rows(self, X) -> np.ndarray:
        return _flat(X) if self.flat else to_unit_range(np.asarray(X))

    def fit(self, X: Any, y: Any, net: Any = None) -> Self:
        """Learn the classifier and the real rows' probabilities."""
        self.check()
        X, y = self._rows(X), np.asarray(y)
        self.classes_, labels = np.unique(y, return_inverse=True)
        estimator = self.estimator
        if estimator is None:
            estimator = make_pipeline(StandardScaler(), LogisticRegression(max_iter=300))
        if self.quantile is not None:
            self.thresholds_ = self._thresholds(estimator, X, labels)
        self.estimator_ = clone(estimator).fit(X, labels)
        return self

    def _thresholds(self, estimator, X: np.ndarray, labels: np.ndarray) -> np.ndarray:
        """The quantile of each class's probabilities, of rows that the classifier did not see."""
        counts = np.bincount(labels)
        # Rows of classes smaller than the number of folds are trained on but not judged.
        judged = counts[labels] >= self.cv
        thresholds = np.zeros(len(counts))
        if len(np.unique(labels[judged])) > 1:
            folds = StratifiedKFold(self.cv, shuffle=True, random_state=0)
            probabilities = cross_val_predict(
                clone(estimator), X[judged], labels[judged], cv=folds, method="predict_proba"
            )
            column = np.searchsorted(np.unique(labels[judged]), labels[judged])
            own = probabilities[np.arange(len(column)), column]
            thresholds[:] = np.quantile(own, self.quantile)
            for i in np.unique(labels[judged]):
                thresholds[i] = np.quantile(own[labels[judged] == i], self.quantile)
        return thresholds

    def score_samples(self, X: Any, y: Any) -> np.ndarray:
        """Class probability minus the class's threshold, or minus that of the most probable other class, shape (n,)."""
        check_is_fitted(self)
        labels = np.searchsorted(self.classes_, y)
        probability = self.estimator_.predict_proba(self._rows(X))
        own = probability[np.arange(len(labels)), labels]
        if self.quantile is not None:
            return own - self.thresholds_[labels]
        probability[np.arange(len(labels)), labels] = -np.inf
        return own - probability.max(axis=1)


class DiscriminatorFilter(RowFilter):
    """Keep rows that the net's own discriminator finds as real as the training rows.

    Parameters
    ----------
    quantile : float in [0, 1], default=0.1
        A row is accepted when its logit is at least this quantile of its class's training rows.

    Attributes
    ----------
    thresholds_ : dict of class id → float
    """

    def __init__(self, *, quantile: Any = 0.1):
        self.quantile = quantile

    needs_scores = True

    def check(self) -> None:
        _check_quantile("quantile", self.quantile)

    def fit(self, X: Any, y: Any, net: Any = None) -> Self:
        """Score the training rows with the trained net."""
        self.check()
        if net is None or not net.scores_rows:
            raise ValueError(
                f"DiscriminatorFilter needs a net whose discriminator judges single rows; got net={net!r}."
            )
        self.net_ = net
        scores = net.score_samples(X, y)
        self.thresholds_ = {int(k): float(np.quantile(scores[y == k], self.quantile)) for k in np.unique(y)}
        return self

    def score_samples(self, X: Any, y: Any) -> np.ndarray:
        """Logit minus the class's threshold, shape (n,)."""
        check_is_fitted(self)
        return self.net_.score_samples(X, y) - np.array([self.thresholds_[int(k)] for k in y])


class NeighbourFilter(RowFilter):
    """Keep rows in a band: no nearer to a training row of their class than real rows are, and no further.

    Parameters
    ----------
    low, high : float in [0, 1], default=0.05 and 0.95
        Quantiles of the distance from a real row to the nearest other row of its class. Below ``low`` is a copy, above
        ``high`` an outlier. Classes of fewer than three rows use all classes' distances.

    Attributes
    ----------
    bands_ : ndarray of shape (n_classes, 2)
    """

    def __init__(self, *, low: Any = 0.05, high: Any = 0.95):
        self.low = low
        self.high = high

    def check(self) -> None:
        _check_quantile("low", self.low)
        _check_quantile("high", self.high)
        if self.low >= self.high:
            raise ValueError(f"low must be below high, got {self.low} and {self.high}.")

    def fit(self, X: Any, y: Any, net: Any = None) -> Self:
        """Measure the real rows' distances."""
        self.check()
        X, y = _flat(X), np.asarray(y)
        self.classes_ = np.unique(y)
        self.indices_ = [NearestNeighbors(n_neighbors=1).fit(X[y == k]) for k in self.classes_]
        distances = [
            index.kneighbors()[0][:, 0] if index.n_samples_fit_ > 1 else np.empty(0) for index in self.indices_
        ]
        everything = np.concatenate(distances)
        if not len(everything):
            everything = np.array([0.0, np.inf])
        self.bands_ = np.array([np.quantile(d if len(d) > 2 else everything, [self.low, self.high]) for d in distances])
        return self

    def score_samples(self, X: Any, y: Any) -> np.ndarray:
        """Distance to the nearer edge of the band, negative outside, shape (n,)."""
        check_is_fitted(self)
        X, y = _flat(X), np.asarray(y)
        scores = np.empty(len(X))
        for k in np.unique(y):
            i = int(np.searchsorted(self.classes_, k))
            distance = self.indices_[i].kneighbors(X[y == k])[0][:, 0]
            scores[y == k] = np.minimum(distance - self.bands_[i, 0], self.bands_[i, 1] - distance)
        return scores


class AllOf(RowFilter):
    """Keep rows that every one of several filters keeps.

    Parameters
    ----------
    filters : sequence of row filters
    """

    def __init__(self, filters: Any):
        self.filters = filters

    @property
    def needs_scores(self) -> bool:
        """Whether one of them does."""
        return any(row_filter.needs_scores for row_filter in self.filters)

    @property
    def needs_classes(self) -> bool:  # type: ignore[override]
        """Whether one of them does."""
        return any(row_filter.needs_classes for row_filter in self.filters)

    def check(self) -> None:
        if not len(self.filters):
            raise ValueError("AllOf needs at least one filter.")
        for row_filter in self.filters:
            row_filter.check()

    def fit(self, X: Any, y: Any, net: Any = None) -> Self:
        """Fit a clone of each filter."""
        self.check()
        self.filters_: list[Any] = [clone(f).fit(X, y, net=net) for f in self.filters]
        return self

    def score_samples(self, X: Any, y: Any) -> np.ndarray:
        """The worst of the filters' scores, each in units of its own spread, shape (n,)."""
        check_is_fitted(self)
        scores = [f.score_samples(X, y) for f in self.filters_]
        return np.min([s / (np.std(s) or 1.0) for s in scores], axis=0)
