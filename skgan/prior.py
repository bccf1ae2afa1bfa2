"""PriorCorrectedClassifier: probabilities for the classes as they are, from a classifier trained on resampled ones."""

from collections.abc import Mapping
from typing import Any, ClassVar, Self

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator, ClassifierMixin, MetaEstimatorMixin, clone
from sklearn.utils import get_tags
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_array, check_is_fitted, column_or_1d

from skgan._compat import HasMethods, StrOptions
from skgan.samplers._learned import Learned, Rows


class PriorCorrectedClassifier(ClassifierMixin, MetaEstimatorMixin, BaseEstimator):
    """Correct the probabilities of a pipeline that was trained on resampled classes.

    A classifier learns how frequent the classes are that it sees. After over-sampling it takes a rare class to be as likely
    as the others: good for recall, wrong as a probability. Bayes' rule puts the population's frequencies back, class by
    class: p(k | x) ∝ p̃(k | x) · π_k / π̃_k, where π̃ are the frequencies it was trained on ([1]_, eq. 2.4).

    Parameters
    ----------
    estimator : estimator with ``predict_proba``
        Usually an imbalanced-learn Pipeline with a sampler; cloned.
    prior : "train", "uniform", dict or array-like of shape (n_classes,), default="train"
        π, the frequencies that probabilities are wanted for: those of the y given to ``fit``, all equal, or class → weight (or
        weights in the order of the sorted classes), which are scaled to sum to 1. With "uniform" and an estimator without a
        sampler, ``predict`` favours no class: the cheapest remedy for imbalance.
    resampled_prior : None, dict or array-like of shape (n_classes,), default=None
        π̃. None reads it off the fitted estimator (see Notes); of one that neither resamples nor weights it is the y's own.

    Attributes
    ----------
    estimator_ : estimator
        Fitted.
    classes_ : ndarray
    prior_, resampled_prior_ : ndarray of shape (n_classes,)
    n_features_in_, feature_names_in_
        Of ``estimator_``, where it has them.

    Notes
    -----
    π̃ is read off the samplers of pipelines, pipelines in pipelines, and :class:`skgan.OverSamplerCV`; ``class_weight``, which
    multiplies the frequencies that the classifier was trained on; the priors of naive Bayes and discriminant analysis; and the
    balanced ensembles of imbalanced-learn. It is looked for inside searches, classifiers with a threshold, self-training,
    feature elimination, frozen estimators and bagging. ``CalibratedClassifierCV`` calibrates on rows that were not resampled,
    and ``SVC(probability=True)`` on rows that are not weighted: their probabilities are for the y's own frequencies already.
    Anything else that has a sampler, a balanced ensemble or class weights somewhere inside (voting, stacking,
    one-vs-rest, …) is refused, before training where that can be known, unless resampled_prior is given. So are sample weights,
    and class weights of trees that grow until their leaves are pure, whose probabilities hardly depend on them.

    References
    ----------
    .. [1] Saerens, Latinne & Decaestecker, "Adjusting the outputs of a classifier to new a priori probabilities", Neural
       Computation 14 (2002).

    Examples
    --------
    >>> from imblearn.over_sampling import RandomOverSampler
    >>> from imblearn.pipeline import make_pipeline
    >>> from sklearn.datasets import make_classification
    >>> from sklearn.linear_model import LogisticRegression
    >>> from skgan import PriorCorrectedClassifier
    >>> X, y = make_classification(1000, weights=[0.9], random_state=0)
    >>> pipeline = make_pipeline(RandomOverSampler(random_state=0), LogisticRegression())
    >>> print(f"{pipeline.fit(X, y).predict_proba(X)[:, 1].mean():.1f}")
    0.2
    >>> print(f"{PriorCorrectedClassifier(pipeline).fit(X, y).predict_proba(X)[:, 1].mean():.1f}")
    0.1
    """

    _parameter_constraints: ClassVar[dict] = {
        "estimator": [HasMethods(["fit", "predict_proba"])],
        "prior": [StrOptions({"train", "uniform"}), Mapping, "array-like"],
        "resampled_prior": [None, Mapping, "array-like"],
    }

    def __init__(self, estimator: Any, prior: Any = "train", resampled_prior: Any = None):
        self.estimator = estimator
        self.prior = prior
        self.resampled_prior = resampled_prior

    def fit(self, X: Any, y: Any, **fit_params: Any) -> Self:
        """Fit a clone of the estimator, and note the frequencies before and after its samplers.

        Parameters
        ----------
        X, y, **fit_params
            As for the estimator.

        Returns
        -------
        self

        Raises
        ------
        ValueError
            For priors that do not go with the classes, and for a sampler whose counts cannot be read.
        """
        self._validate_params()
        y = _labels(y)
        check_classification_targets(y)
        classes, codes, counts = np.unique(y, return_inverse=True, return_counts=True)
        if isinstance(self.prior, str):
            prior = counts if self.prior == "train" else np.ones(len(classes))
        else:
            prior = _weights("prior", self.prior, classes)
        given = None if self.resampled_prior is None else _weights("resampled_prior", self.resampled_prior, classes)
        rows = Rows(counts.astype(float), classes.tolist(), codes)
        if given is None:
            _refuse_sample_weights(fit_params)
            Learned(fitted=False, corrected=PriorCorrectedClassifier).counts(self.estimator, rows)
        self.estimator_ = clone(self.estimator).fit(X, y, **fit_params)
        if not np.array_equal(self.estimator_.classes_, classes):
            raise ValueError(
                f"The estimator learned the classes {self.estimator_.classes_.tolist()}, and y has {classes.tolist()}: its "
                "sampler dropped or added a class, for which no frequency can be put back."
            )
        self.classes_ = classes
        learned = Learned(fitted=True, corrected=PriorCorrectedClassifier)
        resampled = learned.counts(self.estimator_, rows) if given is None else given
        if not (resampled > 0).all():
            raise ValueError(
                f"The estimator was trained as if the classes {classes[resampled <= 0].tolist()} did not exist, and no "
                "frequency can be put back for them: change its class weights or priors, or give resampled_prior=."
            )
        self.prior_, self.resampled_prior_ = prior / prior.sum(), resampled / resampled.sum()
        return self

    def predict_proba(self, X: Any) -> np.ndarray:
        """Corrected probabilities of shape (n, n_classes), in the order of ``classes_``."""
        check_is_fitted(self)
        return reweighted(self.estimator_.predict_proba(X), self.prior_ / self.resampled_prior_, self.prior_)

    def predict(self, X: Any) -> np.ndarray:
        """The class of the highest corrected probability."""
        check_is_fitted(self)
        return self.classes_[self.predict_proba(X).argmax(axis=1)]

    @property
    def n_features_in_(self) -> Any:
        """As seen by the estimator."""
        return self.estimator_.n_features_in_

    @property
    def feature_names_in_(self) -> Any:
        """As seen by the estimator."""
        return self.estimator_.feature_names_in_

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags = get_tags(self.estimator).input_tags
        return tags


def reweighted(probability: np.ndarray, weights: np.ndarray, otherwise: np.ndarray) -> np.ndarray:
    """Probabilities (n, n_classes) times weights of the classes, each row scaled to a sum of 1."""
    product = probability * weights
    total = product.sum(axis=1, keepdims=True)
    # A row whose only class with any probability has a weight of 0 says nothing: the prior is all that is known of it.
    return np.where(total > 0, product / np.where(total > 0, total, 1), otherwise)


def _weights(name: str, given, classes: np.ndarray) -> np.ndarray:
    """A prior as an array in the order of the classes."""
    if isinstance(given, Mapping):
        missing = [klass for klass in classes.tolist() if klass not in given]
        unknown = [klass for klass in given if klass not in classes.tolist()]
        if missing or unknown:
            raise ValueError(
                f"{name} must have one weight per class of y, {classes.tolist()}; "
                + (f"it has none for {missing}" if missing else f"{unknown} are no classes")
                + "."
            )
        given = [given[klass] for klass in classes.tolist()]
    weights = np.asarray(given, dtype=float)
    if weights.shape != classes.shape or not np.isfinite(weights).all() or (weights < 0).any() or not weights.sum():
        raise ValueError(
            f"{name} must be {len(classes)} finite weights of at least 0, not all 0, for the classes {classes.tolist()}; "
            f"got {given!r}."
        )
    if name == "resampled_prior" and not weights.all():
        raise ValueError(
            f"{name} must be above 0 for every class: the estimator was trained on all of them; got {given!r}."
        )
    return weights


def _labels(y) -> np.ndarray:
    """The labels, complete and of one type: Python numbers and booleans in an object array become numbers and booleans."""
    y = column_or_1d(y, warn=True)
    missing = int(pd.isna(y).sum())
    if missing:
        raise ValueError(
            f"Input y contains NaN or None: {missing} of {len(y)} rows have no label, and a class is needed for each; drop "
            "those rows first."
        )
    if y.dtype.kind == "O":
        kinds = {bool if isinstance(label, bool | np.bool_) else type(label) for label in y.tolist()}
        if kinds and all(issubclass(kind, bool | int | float | np.number) for kind in kinds):
            y = np.array(y.tolist())
        elif len(kinds) > 1:
            names = ", ".join(sorted(kind.__name__ for kind in kinds))
            raise ValueError(
                f"The labels in y must be of one type, got {names}; convert them, such as by y.astype(str)."
            )
    return check_array(y, ensure_2d=False, dtype=None, input_name="y")


def _refuse_sample_weights(fit_params: Mapping) -> None:
    weights = [name for name, given in fit_params.items() if name.endswith("sample_weight") and given is not None]
    if weights:
        raise ValueError(
            f"{weights[0]} shifts the frequencies that the estimator learns, and by how much depends on the estimator: give "
            "resampled_prior={class: sum of the weights of its rows}."
        )
