"""PriorCorrectedClassifier: probabilities for the classes as they are, from a classifier trained on resampled ones."""

from collections.abc import Mapping
from typing import ClassVar

import numpy as np
from imblearn.base import BaseSampler
from sklearn.base import BaseEstimator, ClassifierMixin, MetaEstimatorMixin, clone
from sklearn.pipeline import Pipeline
from sklearn.utils import get_tags
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_array, check_is_fitted, column_or_1d

from skgan._compat import HasMethods, StrOptions
from skgan.samplers import ConditionalGANAugmenter, OverSamplerCV, resamples


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
        π̃. None reads the counts off the pipeline's samplers; without a sampler they are the y's own.

    Attributes
    ----------
    estimator_ : estimator
        Fitted.
    classes_ : ndarray
    prior_, resampled_prior_ : ndarray of shape (n_classes,)
    n_features_in_, feature_names_in_
        Of ``estimator_``, where it has them.

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

    def __init__(self, estimator, prior="train", resampled_prior=None):
        self.estimator = estimator
        self.prior = prior
        self.resampled_prior = resampled_prior

    def fit(self, X, y, **fit_params):
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
        y = check_array(column_or_1d(y, warn=True), ensure_2d=False, dtype=None, input_name="y")
        check_classification_targets(y)
        classes, counts = np.unique(y, return_counts=True)
        if isinstance(self.prior, str):
            prior = counts if self.prior == "train" else np.ones(len(classes))
        else:
            prior = _weights("prior", self.prior, classes)
        given = None if self.resampled_prior is None else _weights("resampled_prior", self.resampled_prior, classes)
        self.estimator_ = clone(self.estimator).fit(X, y, **fit_params)
        if not np.array_equal(self.estimator_.classes_, classes):
            raise ValueError(
                f"The estimator learned the classes {self.estimator_.classes_.tolist()}, and y has {classes.tolist()}: its "
                "sampler dropped or added a class, for which no frequency can be put back."
            )
        self.classes_ = classes
        resampled = _resampled_counts(self.estimator_, y, classes) if given is None else given
        self.prior_, self.resampled_prior_ = prior / prior.sum(), resampled / resampled.sum()
        return self

    def predict_proba(self, X) -> np.ndarray:
        """Corrected probabilities of shape (n, n_classes), in the order of ``classes_``."""
        check_is_fitted(self)
        corrected = self.estimator_.predict_proba(X) * (self.prior_ / self.resampled_prior_)
        total = corrected.sum(axis=1, keepdims=True)
        # A row whose only class with any probability has a prior of 0 says nothing: the prior is all that is known of it.
        return np.where(total > 0, corrected / np.where(total > 0, total, 1), self.prior_)

    def predict(self, X) -> np.ndarray:
        """The class of the highest corrected probability."""
        check_is_fitted(self)
        return self.classes_[self.predict_proba(X).argmax(axis=1)]

    @property
    def n_features_in_(self):
        """As seen by the estimator."""
        return self.estimator_.n_features_in_

    @property
    def feature_names_in_(self):
        """As seen by the estimator."""
        return self.estimator_.feature_names_in_

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags = get_tags(self.estimator).input_tags
        return tags


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


def _resampled_counts(estimator, y: np.ndarray, classes: np.ndarray) -> np.ndarray:
    """Class counts after every sampler of a pipeline, as far as fitted samplers tell them."""
    counts = np.bincount(np.searchsorted(classes, y), minlength=len(classes)).astype(float)
    for _, step in estimator.steps if isinstance(estimator, Pipeline) else []:
        if not resamples(step):
            continue
        made = vars(step).get("sampling_strategy_")
        kind = step._sampling_type if isinstance(step, BaseSampler) else None
        if isinstance(step, OverSamplerCV) or (isinstance(step, ConditionalGANAugmenter) and step.keep_real):
            kind = "over-sampling"
        if kind == "over-sampling" and isinstance(made, Mapping):
            counts += [made.get(klass, 0) for klass in classes.tolist()]
        elif kind == "under-sampling" and isinstance(made, Mapping):
            counts = np.array([made.get(klass, n) for klass, n in zip(classes.tolist(), counts, strict=True)], float)
        else:
            raise ValueError(
                f"{type(step).__name__} does not tell how many rows of each class it returned; give them as "
                "resampled_prior={class: number of rows}."
            )
    return counts
