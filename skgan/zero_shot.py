"""GenClassClassifier: classes that have attributes and not a single row."""

from numbers import Integral
from typing import Any, Self

import numpy as np
import pandas as pd
from scipy.special import softmax
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.utils.validation import check_consistent_length, check_is_fitted

from skgan import presets
from skgan._compat import validate_data
from skgan._random import draw_seeds
from skgan.codecs import choose_codec
from skgan.nets import GenClassNet
from skgan.nets.genclass import all_classes
from skgan.samplers import prepared


class GenClassClassifier(ClassifierMixin, BaseEstimator):
    """Classify rows of seen and of *unseen* classes, which are known by their attributes alone.

    A :class:`skgan.nets.GenClassNet` learns to make rows from attributes, and at the same time a similarity: whether two rows
    are of one class. A new row is compared with the mean point of each class: of its real rows where there are any, else of
    rows generated from its attributes.

    Parameters
    ----------
    net : GenClassNet or None, default=None
        Such as ``genclass(max_steps=500)``; None is ``genclass()``. Its ``attributes`` are set by ``fit``.
    codec, categorical_features
        As in :class:`skgan.GANOverSampler`.
    n_rows : int, default=200
        Generated rows that an unseen class's mean is taken over.
    max_steps, device, verbose
        As in :class:`skgan.GANOverSampler`.
    random_state : int, RandomState or None, default=None

    Attributes
    ----------
    classes_ : ndarray
        All classes that have attributes, sorted.
    is_seen_ : ndarray of bool
        Which of them have rows.
    net_ : GenClassNet
        As trained.
    n_features_in_, feature_names_in_
        As everywhere in scikit-learn.

    Examples
    --------
    >>> import numpy as np
    >>> from skgan import GenClassClassifier
    >>> from skgan.presets import genclass
    >>> rng = np.random.RandomState(0)
    >>> corners = {"a": [0, 0], "b": [0, 1], "c": [1, 0], "d": [1, 1]}
    >>> y = np.repeat(["a", "b", "c"], 40)
    >>> X = 4 * np.array([corners[k] for k in y]) + 0.3 * rng.standard_normal((120, 2))
    >>> classifier = GenClassClassifier(genclass(max_steps=20), random_state=0).fit(X, y, attributes=corners)
    >>> classifier.predict_proba(X).shape
    (120, 4)
    """

    def __init__(
        self,
        net: Any = None,
        *,
        codec: Any = "auto",
        categorical_features: Any = "auto",
        n_rows: Any = 200,
        max_steps: int | None = None,
        device: str | None = None,
        random_state: int | np.random.RandomState | None = None,
        verbose: int | None = None,
    ):
        self.net = net
        self.codec = codec
        self.categorical_features = categorical_features
        self.n_rows = n_rows
        self.max_steps = max_steps
        self.device = device
        self.random_state = random_state
        self.verbose = verbose

    def fit(self, X: Any, y: Any, attributes: Any = None) -> Self:
        """Learn from the rows of the seen classes and from the attributes of all.

        Parameters
        ----------
        X : rows of a table (n, d), or images, as in :class:`skgan.GANOverSampler`
        y : array-like of shape (n,)
        attributes : dict of class → vector
            All vectors of one length; keys that are not in y are the unseen classes.

        Returns
        -------
        self

        Raises
        ------
        ValueError
            Where attributes are missing or of unequal length, before any training.
        """
        if not (self.net is None or isinstance(self.net, GenClassNet)):
            raise TypeError(f"net must be a GenClassNet such as skgan.presets.genclass(), got {self.net!r}.")
        if isinstance(self.n_rows, bool) or not isinstance(self.n_rows, Integral) or self.n_rows < 1:
            raise ValueError(f"n_rows must be an integer of at least 1, got {self.n_rows!r}.")
        X = self._rows(X, reset=True)
        check_consistent_length(X, y)
        y = np.asarray(y)
        codec = clone(choose_codec(self.codec, X, categorical_features=self.categorical_features)).fit(X)
        net = presets.genclass() if self.net is None else clone(self.net)
        shortcuts = {"max_steps": self.max_steps, "device": self.device, "verbose": self.verbose}
        net = prepared(net.set_params(attributes=attributes), codec, shortcuts)
        self.classes_ = all_classes(np.unique(y), net.unseen_classes(y))
        labels = np.searchsorted(self.classes_, y)
        self.is_seen_ = np.isin(np.arange(len(self.classes_)), labels)
        net.for_classes(self.classes_.tolist())
        encoded = codec.transform(X)
        seed = draw_seeds(self.random_state, 1)[0]
        self.codec_, self.net_ = codec, net.set_params(random_state=seed).fit(encoded, labels)
        self._class_points = self._points_of_classes(encoded, labels)
        return self

    def _points_of_classes(self, encoded: np.ndarray, labels: np.ndarray) -> np.ndarray:
        """The mean point of each class: of its real rows, or else of generated ones."""
        points = self.net_.embed(encoded)
        of_class = np.empty((len(self.classes_), points.shape[1]), points.dtype)
        for i in np.flatnonzero(self.is_seen_):
            of_class[i] = points[labels == i].mean(0)
        unseen = np.flatnonzero(~self.is_seen_)
        if len(unseen):
            of_class[unseen] = self.net_.class_points(unseen, self.n_rows)
        return of_class

    def _rows(self, X, reset: bool):
        if isinstance(X, pd.DataFrame):
            validate_data(self, X=X, reset=reset, skip_check_array=True)
            return X
        return validate_data(self, X=X, reset=reset, allow_nd=True, dtype=None)

    def decision_function(self, X: Any) -> Any:
        """Logits of shape (n, n_classes): how similar each row is to each class."""
        check_is_fitted(self, "net_")
        points = self.net_.embed(self.codec_.transform(self._rows(X, reset=False)))
        return self.net_.similarity(points, self._class_points)

    def predict_proba(self, X: Any) -> Any:
        """Softmax of the similarities, (n, n_classes), over seen and unseen classes."""
        return softmax(self.decision_function(X), axis=1)

    def predict(self, X: Any) -> Any:
        """The most similar class of each row, (n,)."""
        return self.classes_[self.decision_function(X).argmax(1)]
