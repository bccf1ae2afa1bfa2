"""GANOverSampler: SMOTE's place in the pipeline."""

import warnings
from collections.abc import Mapping
from contextlib import contextmanager
from numbers import Integral
from typing import Any, ClassVar

import numpy as np
from imblearn.over_sampling import RandomOverSampler
from imblearn.over_sampling.base import BaseOverSampler
from sklearn.utils.validation import check_consistent_length

from skgan._compat import ArraysTransformer, StrOptions, safe_indexing
from skgan._torch import sub_seed
from skgan.samplers._base import _COPY_STREAM, _FIT_STREAM, NET_CONSTRAINTS, GenerativeSamplerMixin


class GANOverSampler(GenerativeSamplerMixin, BaseOverSampler):
    """Over-sample with a generative net, where ``SMOTE()`` stood.

    The rows are encoded, a net is trained on them, new rows are drawn from it and stacked under the originals.
    Images and tables alike; one net learns all classes and is told which to make, unless ``per_class=True``.

    Parameters
    ----------
    sampling_strategy : str, float, dict or callable, default="auto"
        As everywhere in imbalanced-learn: "auto" (= "not majority"), "minority", "not minority", "all"; a float for
        binary targets; a dict class → rows after resampling; or a callable such as :func:`skgan.at_least`.
    net : str, net or dict, default="auto"
        A preset's name (:mod:`skgan.presets`), a net such as ``dcgan(max_steps=500)``, or "auto": ``offspring()``
        for images (``offspring(shares=(1, 0, 0))`` with ``balance="copies"``), ``mlp_gan(alpha=2)`` for rows. With
        ``per_class=True`` also a dict class → net.
    codec : "auto" or codec, default="auto"
        How rows become arrays and come back: :class:`skgan.codecs.ImageCodec` where X has more than two axes or an
        ``image_shape``, else :class:`skgan.codecs.TabularCodec`.
    row_filter : object or None, default=None
        Of :mod:`skgan.filters`, or anything with ``fit(X, y, net=None)`` and ``score_samples(X, y)`` on encoded rows:
        rows that score at least 0 are kept. Up to 8 rows are made for one that is wanted, then copies fill up.
    balance : {"net", "copies"}, default="net"
        What brings a class to the size of the largest: rows of the net, or plain copies. With "copies" the net makes only
        what goes beyond that size, for all classes alike, so that what gives generated rows away does not give a rare
        class away: ask for such rows by ``sampling_strategy=at_least(1.5)``, which gives every class, the largest too,
        half as many rows of the net as the largest has real ones.
    per_class : bool, default=False
        Train one unconditional net per class that needs rows, on that class alone.
    image_shape : tuple of int or None, default=None
        (C, H, W) or (H, W) of flat rows that are images.
    channels : {"first", "last"} or None, default=None
        Where the channel axis of 4-D images lies; None takes the smaller of axes 1 and 3.
    categorical_features : "auto", None or array-like, default="auto"
        Indices, names or a mask of a table's categorical columns; "auto" takes category, object, string and bool.
    max_steps, max_time : int, float or None, default=None
        Training steps, and seconds after which training ends early; None is the net's own.
    memory : str, path, joblib.Memory or None, default=None
        Where trained generators (and fitted row filters) are kept under data, training parameters and seed: a search over
        amounts trains once per fold. The folder holds pickles and is trusted, as joblib's is. Not used with
        ``random_state=None``; a run that ``max_time`` cut is not kept; callbacks do not run when an entry is read.
    n_jobs : int or None, default=None
        Nets trained at once with ``per_class=True``, in processes.
    device : str or None, default=None
        "auto", "cpu", "cuda", "cuda:1" …; None is the net's own ("auto" in presets).
    random_state : int, RandomState or None, default=None
        An int gives the same rows in every call.
    verbose : int or None, default=None
        1 prints steps, losses and time left; None is the net's own (0 in presets).

    Attributes
    ----------
    sampling_strategy_ : dict
        Class → number of new rows.
    is_synthetic_ : ndarray of bool
        Which of the returned rows are new.
    domain_ : ndarray
        Where ``fit_resample`` was given domains: those of the returned rows; ``classes_`` and the keys of
        ``sampling_strategy_`` are domains then.
    sample_shape_ : tuple of int
        Shape of one row of X.
    training_history_ : DataFrame
        step, discriminator_loss, generator_loss, discriminator_accuracy, seconds (and class, with ``per_class=True``);
        empty where nothing had to be trained.
    filter_report_ : DataFrame
        With a row filter: class, rows made, accepted, copies that filled up, and the share accepted.
    classes_ : ndarray
        The classes, sorted.
    codec_ : codec
        As fitted.
    n_features_in_, feature_names_in_
        As everywhere in scikit-learn (``X.shape[1]``: of images in channels-first layout, the channels).

    See Also
    --------
    skgan.at_least : A ``sampling_strategy`` that is safe in any fold.

    Notes
    -----
    A class of one row gets slightly jittered copies of it, with a warning, unless the net learns from the other classes how
    a row varies (``offspring()``, ``dagan()``). Where no class has five rows, nothing is trained and the new rows are plain
    copies, with a warning. Rows come in blocks from one stream per class: for one seed, the rows of a smaller amount are the
    first rows of a larger one.

    Examples
    --------
    >>> from sklearn.datasets import make_classification
    >>> from skgan import GANOverSampler
    >>> X, y = make_classification(200, weights=[0.9], random_state=0)
    >>> X_new, y_new = GANOverSampler(max_steps=20, random_state=0).fit_resample(X, y)
    >>> X_new.shape, int((y_new == 1).sum())
    ((360, 20), 180)
    """

    _parameter_constraints: ClassVar[dict] = {
        **BaseOverSampler._parameter_constraints,
        **NET_CONSTRAINTS,
        "balance": [StrOptions({"net", "copies"})],
    }

    sampling_strategy: Any

    def __init__(
        self,
        *,
        sampling_strategy="auto",
        net="auto",
        codec="auto",
        row_filter=None,
        balance="net",
        per_class=False,
        image_shape=None,
        channels=None,
        categorical_features="auto",
        max_steps=None,
        max_time=None,
        memory=None,
        n_jobs=None,
        device=None,
        random_state=None,
        verbose=None,
    ):
        super().__init__(sampling_strategy=sampling_strategy)
        self.net = net
        self.codec = codec
        self.row_filter = row_filter
        self.balance = balance
        self.per_class = per_class
        self.image_shape = image_shape
        self.channels = channels
        self.categorical_features = categorical_features
        self.max_steps = max_steps
        self.max_time = max_time
        self.memory = memory
        self.n_jobs = n_jobs
        self.device = device
        self.random_state = random_state
        self.verbose = verbose

    def fit(self, X, y):
        """Check the input and count the classes; nothing is trained. Use ``fit_resample``."""
        with self._without_unseen(y):
            return super().fit(X, y)

    def fit_resample(self, X, y, *, domain=None):
        """Train on (X, y) and return it with the new rows underneath.

        Parameters
        ----------
        X : array-like, DataFrame or sparse matrix of shape (n, d), or images (n, C, H, W), (n, H, W, C), (n, H, W)
            Numbers in any dtype; DataFrames and object arrays may hold categorical columns. Dense tables may hold
            NaN: new rows have values missing as real ones do.
        y : array-like of shape (n,)
            Class labels of any type.
        domain : array-like of shape (n,) or None, default=None
            Where each row comes from (a scanner, a camera). Domains are then what ``sampling_strategy`` balances, and the
            scarce ones get new rows: with ``cyclegan()`` rows of a plentiful domain turned into theirs, which keep the y of
            the row that they were made from, whatever it is. Routed: ``set_fit_resample_request(domain=True)``.

        Returns
        -------
        X_resampled, y_resampled
            In the containers and dtypes of X and y: the originals first, unmodified and in order, then the new rows.

        Raises
        ------
        ValueError, TypeError
            For input or parameters that training could not use, before any training.
        """
        self._carried = None
        if domain is None:
            with self._without_unseen(y):
                return super().fit_resample(X, y)
        self._check_containers(X, y)
        check_consistent_length(X, y, domain)
        labels, domain = np.asarray(y), np.asarray(domain)
        if labels.ndim != 1 or domain.ndim != 1:
            raise ValueError(
                f"With domain=, y and domain hold one value a row; got shapes {labels.shape} and {domain.shape}."
            )
        self._carried = labels
        try:
            with self._without_unseen(domain):
                X_resampled, y_resampled = super().fit_resample(X, domain)
        except BaseException:
            self._carried = None
            raise
        self.domain_ = np.concatenate([domain, *self._new_domains])
        self._container = ArraysTransformer(X, y)
        return X_resampled, ArraysTransformer(y, y).transform(y_resampled, y_resampled)[1]

    @contextmanager
    def _without_unseen(self, y):
        """Take classes that have attributes and no rows out of ``sampling_strategy`` while imbalanced-learn checks it."""
        given, self._unseen = self.sampling_strategy, {}
        if isinstance(given, Mapping):
            unseen = self._unseen_classes(y)
            self._unseen = {klass: n for klass, n in given.items() if klass in unseen}
        wrong = {klass: n for klass, n in self._unseen.items() if not isinstance(n, Integral) or n < 0}
        if wrong:
            raise ValueError(f"sampling_strategy must give each class a number of rows of at least 0, got {wrong}.")
        if self._unseen:
            self.sampling_strategy = {klass: n for klass, n in given.items() if klass not in self._unseen}
        try:
            yield
        finally:
            self.sampling_strategy = given

    def _fit_resample(self, X, y):
        self.sampling_strategy_ = {**self.sampling_strategy_, **self._unseen}
        counts = {klass: n for klass, n in self.sampling_strategy_.items() if n > 0}
        filled, counts = self._split(y, counts) if self.balance == "copies" else ({}, counts)
        self._fit_generators(X, y, counts)
        copied = self._copied(y, filled)
        X_new, y_new = self._generate(counts, sub_seed(self._sample_seed, _FIT_STREAM))
        self._report_filter()
        self.is_synthetic_ = np.arange(len(y) + len(copied) + len(y_new)) >= len(y)
        self._new_domains = [y[copied], *(np.full(n, klass, y.dtype) for klass, n in counts.items())]
        labels = y if self._carried is None else self._carried
        pieces = [X, safe_indexing(X, copied), X_new] if len(copied) else [X, X_new]
        return self._stack(pieces), np.concatenate([labels, labels[copied], y_new])

    def _auto_net(self):
        net = super()._auto_net()
        if self.balance == "copies" and hasattr(net, "shares"):
            net.set_params(shares=(1, 0, 0))  # there are copies enough
        return net

    def _split(self, y, counts: dict) -> tuple[dict, dict]:
        """How many copies bring each class to the size of the largest, and how many rows are left to the net."""
        sizes = dict(zip(*np.unique(y, return_counts=True), strict=True))
        largest = max(sizes.values())
        filled = {klass: min(n, largest - sizes[klass]) for klass, n in counts.items() if klass in sizes}
        left = {klass: n - filled.get(klass, 0) for klass, n in counts.items()}
        if counts and not any(left.values()):
            warnings.warn(
                "With balance='copies' the net makes what goes beyond the size of the largest class, and sampling_strategy "
                "asks for no such row: nothing was trained, and the new rows are plain copies. Use "
                "sampling_strategy=at_least(1.5), or balance='net'.",
                UserWarning,
                stacklevel=4,
            )
        return filled, {klass: n for klass, n in left.items() if n}

    def _copied(self, y, filled: dict) -> np.ndarray:
        """Numbers of random rows of each class, as many as ``filled`` says."""
        if not filled:
            return np.empty(0, dtype=np.intp)
        copier = RandomOverSampler(
            sampling_strategy={klass: int((y == klass).sum()) + n for klass, n in filled.items()},
            random_state=sub_seed(self._sample_seed, _COPY_STREAM),
        )
        copier.fit_resample(np.zeros((len(y), 1)), y)
        return copier.sample_indices_[len(y) :]
