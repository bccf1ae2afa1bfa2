"""ConditionalGANAugmenter: a tunable amount of synthetic data for every class, and for real-valued labels."""

import warnings
from collections.abc import Mapping
from numbers import Integral, Real
from typing import Any, ClassVar

import numpy as np
from imblearn.base import BaseSampler
from sklearn.exceptions import NotFittedError
from sklearn.preprocessing import label_binarize
from sklearn.utils.multiclass import type_of_target
from sklearn.utils.validation import check_array, check_consistent_length

from skgan import presets
from skgan._compat import ArraysTransformer, Interval, StrOptions, check_target_type
from skgan._torch import draw_seeds, private_rng, sub_seed
from skgan.samplers._base import (
    _AT_STREAM,
    _FIT_STREAM,
    BLOCK,
    NET_CONSTRAINTS,
    TOO_FEW,
    GenerativeSamplerMixin,
    free_device_memory,
)
from skgan.samplers._checks import check_container

_TRIES = 8  # draws of smoothed conditions until the labeler gives the class; then real ones serve
_ALL = 0  # the one group of rows where y has no classes


class ConditionalGANAugmenter(GenerativeSamplerMixin, BaseSampler):
    """Add generated rows to every class by a ratio, or generate rows for real-valued labels.

    Parameters
    ----------
    mixing_ratio : float, dict or None, default=None
        Synthetic rows ÷ real rows (``1`` and ``1.0`` are the same), of every class or class → ratio (absent classes get
        none): ``int(np.round(ratio * n))`` new rows each. None is 1.0, unless ``n_synthetic`` is given; 0 returns the data
        as they are, without training.
    n_synthetic : int or None, default=None
        New rows in total, split over the classes in proportion to their counts by largest remainder. Excludes
        ``mixing_ratio``.
    keep_real : bool, default=True
        False returns synthetic rows only. Rows made from real parents (``offspring()``) are no privacy protection.
    per_class : bool, default=False
        Train one unconditional net per class on that class alone.
    target : {"auto", "class", "continuous"}, default="auto"
        Whether y holds classes or real-valued labels; "auto" goes by scikit-learn's ``type_of_target``, for which whole
        numbers are classes.
    labeler : callable or None, default=None
        Conditions of new rows → their y. It is given what has the shape of the real conditions. None: the new y is the
        condition itself where y is continuous, and the class of the row whose condition was smoothed where it is a class.
    net : str, net or dict, default="auto"
        As in :class:`skgan.GANOverSampler`. For real-valued labels "auto" is ``predictor_gan()``, and on tables
        ``predictor_mlp_gan()``.
    codec, row_filter, image_shape, channels, categorical_features
        As in :class:`skgan.GANOverSampler`.
    max_steps, max_time, memory, n_jobs, device, random_state, verbose
        As in :class:`skgan.GANOverSampler`. With ``memory=`` a search over amounts trains once per fold.

    Attributes
    ----------
    sampling_strategy_ : dict
        Class → number of new rows; empty where y is continuous.
    n_synthetic_ : int
        New rows in total.
    is_synthetic_ : ndarray of bool
        Which of the returned rows are new.
    conditions_ : ndarray of shape (n_synthetic_, k)
        Conditions of the new rows, where the net was told any.
    sample_shape_, training_history_, filter_report_, classes_, codec_, n_features_in_, feature_names_in_
        As in :class:`skgan.GANOverSampler`.

    See Also
    --------
    skgan.prefit_generators : Train one generator per fold before a search.

    Notes
    -----
    Conditions of new rows are drawn from a smoothed empirical distribution: a real row's condition plus Gaussian noise with
    the covariance of its class times n^(−2 / (k + 4)) (Scott's rule); where a value would leave the range of the real ones,
    the real one stays. Whole numbers stay whole. For one seed, the rows of a smaller amount are the first rows of a larger
    one, per class.

    Examples
    --------
    >>> from sklearn.datasets import make_classification
    >>> from skgan import ConditionalGANAugmenter
    >>> X, y = make_classification(100, weights=[0.7], random_state=0)
    >>> X_new, y_new = ConditionalGANAugmenter(0.5, max_steps=20, random_state=0).fit_resample(X, y)
    >>> X_new.shape
    (150, 20)
    """

    _sampling_type = "bypass"
    _parameter_constraints: ClassVar[dict] = {
        "mixing_ratio": [None, Interval(Real, 0, None, closed="left"), Mapping],
        "n_synthetic": [None, Interval(Integral, 0, None, closed="left")],
        "keep_real": ["boolean"],
        "target": [StrOptions({"auto", "class", "continuous"})],
        "labeler": [None, callable],
        "random_state": ["random_state"],
        **NET_CONSTRAINTS,
    }

    def __init__(
        self,
        mixing_ratio=None,
        *,
        n_synthetic=None,
        keep_real=True,
        per_class=False,
        target="auto",
        labeler=None,
        net="auto",
        codec="auto",
        row_filter=None,
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
        self.mixing_ratio = mixing_ratio
        self.n_synthetic = n_synthetic
        self.keep_real = keep_real
        self.per_class = per_class
        self.target = target
        self.labeler = labeler
        self.net = net
        self.codec = codec
        self.row_filter = row_filter
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

    # The border

    def fit(self, X, y):
        """Check the input and count the new rows; nothing is trained. Use ``fit_resample``."""
        self._checked(X, y, None)
        return self

    def fit_resample(self, X, y, *, condition=None):
        """Train on (X, y) and return it with the new rows underneath.

        Parameters
        ----------
        X : array-like, DataFrame or sparse matrix of shape (n, d), or images (n, C, H, W), (n, H, W, C), (n, H, W)
            As in :meth:`skgan.GANOverSampler.fit_resample`.
        y : array-like of shape (n,) or (n, k)
            Classes, or real-valued labels.
        condition : array-like of shape (n,) or (n, k), or None, default=None
            Real-valued labels beside a y of classes. In a pipeline it is routed by scikit-learn's metadata routing:
            ``ConditionalGANAugmenter().set_fit_resample_request(condition=True)``.

        Returns
        -------
        X_resampled, y_resampled
            In the containers and dtypes of X and y: the originals first, unmodified and in order (unless
            ``keep_real=False``), then the new rows.

        Raises
        ------
        ValueError, TypeError
            For input or parameters that training could not use, before any training.
        """
        before = dict(self.__dict__)
        try:
            return self._checked_and_resampled(X, y, condition)
        except BaseException:  # also Ctrl-C: what was fitted before is as it was
            self.__dict__ = before
            raise

    def _checked_and_resampled(self, X, y, condition):
        X_rows, y_rows = self._checked(X, y, condition)
        if self.labeler is not None and self._conditions is None:
            raise ValueError(
                "labeler= turns conditions into y, and there are none: give condition=, or a continuous y."
            )
        self._container = ArraysTransformer(X, y)
        X_new, y_new = self._fit_resample(X_rows, y_rows)
        free_device_memory()
        if self._binarize_y:
            y_new = label_binarize(y_new, classes=self.classes_)
        return self._container.transform(X_new, y_new)

    def _checked(self, X, y, condition):
        """X and y as arrays, everything counted and set that needs no training."""
        self._validate_params()
        if self.mixing_ratio is not None and self.n_synthetic is not None:
            raise ValueError(
                f"mixing_ratio={self.mixing_ratio!r} and n_synthetic={self.n_synthetic!r} are two amounts: give one of them."
            )
        self._check_containers(X, y)
        continuous = self._is_continuous(y)
        if continuous:
            if condition is not None:
                raise ValueError(
                    "condition= stands beside a y of classes, and this y is real-valued: it is the condition itself. Leave "
                    "condition out, or set target='class'."
                )
            if isinstance(self.mixing_ratio, Mapping):
                raise ValueError("mixing_ratio has one ratio per class, and this y is real-valued; give one number.")
            y_rows = check_array(y, ensure_2d=False, dtype="numeric", input_name="y", estimator=self)
            self._binarize_y = False
        else:
            y_rows, self._binarize_y = check_target_type(y, indicate_one_vs_all=True)
        X_rows, y_rows = self._check_rows(X, y_rows)
        groups = np.zeros(len(y_rows), int)
        if not continuous:
            self.classes_, groups = np.unique(y_rows, return_inverse=True)
            if len(self.classes_) < 2:
                raise ValueError(
                    f"The target 'y' needs to have more than 1 class. Got {len(self.classes_)} class instead."
                )
        self._empty_real_y = y_rows[:0]
        self._groups, self._sizes = groups, np.bincount(groups)
        self._set_conditions(y_rows if continuous else condition, continuous)
        self._count()
        return X_rows, y_rows

    def _is_continuous(self, y) -> bool:
        if self.target != "auto":
            return self.target == "continuous"
        values = np.asarray(y)
        if values.ndim == 2 and values.shape[1] == 1:
            values = values.ravel()
        return values.dtype.kind != "O" and type_of_target(values) in (
            *("continuous", "continuous-multioutput", "multiclass-multioutput"),
        )

    def _set_conditions(self, condition, continuous: bool) -> None:
        self._continuous = continuous
        self._conditions: np.ndarray | None = None
        if condition is None:
            return
        if self.per_class:
            raise ValueError(
                "per_class=True trains nets that know no condition; leave it False with real-valued labels."
            )
        if not continuous:
            check_container(type(self).__name__, condition, "condition")
        values = check_array(condition, ensure_2d=False, dtype="numeric", input_name="condition", estimator=self)
        check_consistent_length(self._groups, values)
        self._condition_shape = values.shape[1:]
        self._whole_numbers = values.dtype.kind in "iu"
        self._conditions = values.reshape(len(values), -1).astype(np.float64)
        constant = np.flatnonzero(np.ptp(self._conditions, axis=0) == 0)
        if len(constant):
            warnings.warn(
                f"Condition {', '.join(map(str, constant))} of {self._conditions.shape[1]} has one value only: rows are "
                "generated for that value, and how they depend on it cannot be learned.",
                UserWarning,
                stacklevel=5,
            )
        if not continuous:
            self._donors = self._check_labeler()

    def _check_labeler(self) -> np.ndarray:
        """Which real rows have a condition that the labeler gives their own class."""
        if self.labeler is None:
            return np.ones(len(self._groups), bool)
        assert self._conditions is not None
        given = np.asarray(self._labels_of(self._conditions))
        if given.shape != self._groups.shape:
            raise ValueError(
                f"labeler must return one class per condition, of shape {self._groups.shape}; it returned shape {given.shape}."
            )
        unknown = sorted(set(given.tolist()) - set(self.classes_.tolist()), key=str)
        if unknown:
            raise ValueError(
                f"labeler returns {unknown}, which are no classes of y; the classes are {self.classes_.tolist()}."
            )
        return given == self.classes_[self._groups]

    def _labels_of(self, conditions: np.ndarray):
        assert self.labeler is not None
        return self.labeler(conditions.reshape(-1, *self._condition_shape))

    def _count(self) -> None:
        """Set ``sampling_strategy_`` and ``n_synthetic_``."""
        names = [_ALL] if self._continuous else self.classes_.tolist()
        if self.n_synthetic is not None:
            counts = _largest_remainder(self.n_synthetic, self._sizes)
        else:
            ratios: Any = 1.0 if self.mixing_ratio is None else self.mixing_ratio
            if isinstance(ratios, Mapping):
                _check_ratios(ratios, names)
                ratios = np.array([ratios.get(name, 0.0) for name in names], dtype=float)
            counts = np.round(ratios * self._sizes).astype(int)
        self._wanted = dict(zip(names, counts.tolist(), strict=True))
        self.sampling_strategy_ = {} if self._continuous else self._wanted
        self.n_synthetic_ = int(counts.sum())
        if not (self.keep_real or self.n_synthetic_):
            raise ValueError("keep_real=False with no synthetic rows would leave nothing; ask for some rows.")
        if self._conditions is not None and not self._continuous:
            for i, (name, n) in enumerate(self._wanted.items()):
                if n and not self._donors[self._groups == i].any():
                    raise ValueError(
                        f"labeler never gives class {name!r} to the conditions of that class's own rows, so no new row could "
                        "be of it; mend the labeler, or leave the class out with mixing_ratio={class: ratio}."
                    )

    # Training

    def _fit_resample(self, X, y):
        counts = {klass: n for klass, n in self._wanted.items() if n}
        if self._conditions is not None:
            self._fit_conditional(X, y)
        else:
            self._fit_generators(X, y, counts)
        if not self.keep_real and any(net.needs_source for net, _ in self._generators.values()):
            warnings.warn(
                "keep_real=False returns rows that were made from real ones, some of them copies: the real rows are as good as "
                "in them, and this is no privacy protection. Use a net that starts from noise, such as net='dcgan' or "
                "net='mlp_gan', where that matters.",
                UserWarning,
                stacklevel=4,
            )
        X_new, y_new = self._generate(counts, sub_seed(self._sample_seed, _FIT_STREAM))
        if self._conditions is not None:
            self.conditions_ = self._last_conditions
        self._report_filter()
        self.is_synthetic_ = np.arange(len(y) * self.keep_real + len(y_new)) >= len(y) * self.keep_real
        if not self.keep_real:
            return X_new, y_new
        return (self._stack([X, X_new]), np.concatenate([y, y_new])) if counts else (X, y)

    def _fit_conditional(self, X, y) -> None:
        """One net on the rows' conditions."""
        assert self._conditions is not None
        train_seed = self._fit_codec(X, y)
        self._empty_y = self._conditions[:0]
        groups = [i for i, n in enumerate(self._wanted.values()) if n]
        if not groups:
            return
        encoded = self.codec_.transform(X)
        self._remember_what_is_handed_on(X, encoded, self._groups)
        self._copies_only = len(encoded) < TOO_FEW
        if self._copies_only:
            warnings.warn(
                f"There are {len(encoded)} rows, and a net needs at least {TOO_FEW} to learn how rows vary: nothing was "
                "trained, and the new rows are plain copies. More real rows would help more than any sampler.",
                UserWarning,
                stacklevel=5,
            )
            self._copied_rows = {i: encoded[self._groups == i] for i in groups}
            return
        net = self._prepare_net(self.net)
        net.check_takes_conditions()
        if hasattr(self.row_filter, "check"):
            self.row_filter.check(net)
        told = self._told(self._conditions, self._groups)
        keys, exports = zip(*self._train([(encoded, told, net, train_seed)]), strict=True)
        self._generators = dict.fromkeys(range(len(self._wanted)), (net, exports[0]))
        self._record_history(groups, exports)
        if self.row_filter is not None:
            self.row_filter_ = self._fit_filter(encoded, self._groups, self._restored(groups[0]), keys)
            self._real_rows = encoded, self._groups

    def _told(self, conditions: np.ndarray, groups: np.ndarray) -> np.ndarray:
        """What the net is told: the conditions, and the class where no labeler makes it a function of them."""
        if self._continuous or self.labeler is not None:
            return conditions
        return np.concatenate([conditions, np.eye(len(self.classes_))[groups]], axis=1)

    def _auto_net(self):
        if self._conditions is None:
            return super()._auto_net()
        return presets.predictor_gan() if hasattr(self.codec_, "layout_") else presets.predictor_mlp_gan()

    # Sampling

    def sample(self, counts, random_state=None):
        """Make rows from the trained generator, without the originals.

        Parameters
        ----------
        counts : dict, or int where y is continuous
            Class → number of rows, or the number of rows.
        random_state : int or None, default=None
            Another int gives other rows; None continues from the sampler's own seed.

        Returns
        -------
        X, y
            In the containers and dtypes of ``fit_resample``'s input.
        """
        if getattr(self, "_continuous", False):
            if not isinstance(counts, int | np.integer) or counts < 0:
                raise ValueError(f"With a continuous y, sample takes a number of rows of at least 0; got {counts!r}.")
            return super().sample({_ALL: int(counts)}, random_state)
        return super().sample(counts, random_state)

    def sample_at(self, conditions, y=None, random_state=None):
        """Make one row for each of these conditions.

        Parameters
        ----------
        conditions : array-like of shape (n,) or (n, k)
            Points inside or outside of the real ones' range; outside the net extrapolates.
        y : array-like of shape (n,) or None, default=None
            Classes of the rows: needed where y was a class and no labeler makes it a function of the condition.
        random_state : int or None, default=None
            As in ``sample``.

        Returns
        -------
        X : of n rows
            In the container and dtype of ``fit_resample``'s X.

        Raises
        ------
        sklearn.exceptions.NotFittedError
            Before ``fit_resample``.
        ValueError
            Where the net knows no conditions, and for conditions of another length.
        """
        if not hasattr(self, "_generators"):
            raise NotFittedError(
                f"This {type(self).__name__} has made no generator yet: call fit_resample(X, y) before sample_at."
            )
        if self._conditions is None or not self._generators:
            raise ValueError(
                "sample_at needs a net that was trained on real-valued labels: call fit_resample with a continuous y, or with "
                "condition=, first."
            )
        values = check_array(conditions, ensure_2d=False, dtype="numeric", input_name="conditions", estimator=self)
        values = values.reshape(len(values), -1).astype(np.float64)
        if values.shape[1] != self._conditions.shape[1]:
            raise ValueError(
                f"conditions have {values.shape[1]} columns, and the net was trained on {self._conditions.shape[1]}."
            )
        groups = np.zeros(len(values), int)
        if not self._continuous and self.labeler is None:
            if y is None or len(y) != len(values) or not np.isin(y, self.classes_).all():
                raise ValueError(
                    f"The net was told the class beside the condition: give sample_at one class per condition as y=, of "
                    f"{self.classes_.tolist()}."
                )
            groups = np.searchsorted(self.classes_, y)
        told = self._told(values, groups)
        seed = self._sample_seed if random_state is None else draw_seeds(random_state, 1)[0]
        net = self._restored(0)
        pieces = [self._empty_X]
        for block in range(0, len(told), BLOCK):
            with private_rng(sub_seed(seed, _AT_STREAM, block), net.device_):
                rows = net.sample(told[block : block + BLOCK])
            pieces.append(self._decode(self._finite(rows, 0), groups[block : block + BLOCK]))
        return self._container.transform(self._stack(pieces), self._empty_real_y)[0]

    def _generate(self, counts, seed):
        X, y = super()._generate(counts, seed)
        if self._conditions is None:
            return X, y
        self._last_conditions = y
        if not self._continuous:
            return X, np.concatenate(
                [self._empty_real_y, *(np.repeat(self.classes_[[self._index_of(k)]], n) for k, n in counts.items())]
            )
        shaped = y.reshape(-1, *self._condition_shape) if self.labeler is None else np.asarray(self._labels_of(y))
        return X, shaped.astype(self._empty_real_y.dtype)

    def _index_of(self, klass) -> int:
        return _ALL if self._continuous else super()._index_of(klass)

    def _names(self):
        return [_ALL] if self._continuous else super()._names()

    def _name_of(self, i: int) -> str:
        return "" if self._continuous else super()._name_of(i)

    def _make(self, net, i, key, seed):
        if self._conditions is None:
            return super()._make(net, i, key, seed)
        conditions = self._draw_conditions(i, BLOCK, np.random.RandomState(seed))
        return net.sample(self._told(conditions, np.full(BLOCK, i))), conditions

    def _targets(self, i, drawn):
        """In place of y, the conditions of these rows; y follows from them."""
        return super()._targets(i, drawn) if self._conditions is None else self._conditions[self._groups == i][drawn]

    def _draw_conditions(self, i: int, n: int, rng: np.random.RandomState) -> np.ndarray:
        """n conditions of the smoothed empirical distribution of group i, (n, k)."""
        assert self._conditions is not None
        real = self._conditions[self._groups == i]
        wanted = np.ones(len(real), bool) if self._continuous else self._donors[self._groups == i]
        donors = real[np.flatnonzero(wanted)[rng.randint(wanted.sum(), size=n)]]
        low, high = self._conditions.min(0), self._conditions.max(0)
        root = _root_of_covariance(real) * len(real) ** (-1 / (real.shape[1] + 4))
        drawn = donors.copy()
        left = np.arange(n)
        for _ in range(_TRIES):
            smoothed = donors[left] + rng.standard_normal((len(left), real.shape[1])) @ root.T
            if self._whole_numbers:
                smoothed = np.round(smoothed)
            smoothed = np.where((smoothed < low) | (smoothed > high), donors[left], smoothed)
            if self._continuous or self.labeler is None:
                return smoothed
            good = np.asarray(self._labels_of(smoothed)) == self.classes_[i]
            drawn[left[good]] = smoothed[good]
            left = left[~good]
            if not len(left):
                break
        return drawn


def _root_of_covariance(rows: np.ndarray) -> np.ndarray:
    """A matrix whose product with its transpose is the rows' covariance, also where that is singular."""
    if len(rows) < 2:
        return np.zeros((rows.shape[1],) * 2)
    values, vectors = np.linalg.eigh(np.cov(rows.T).reshape((rows.shape[1],) * 2))
    return vectors * np.sqrt(values.clip(min=0))


def _largest_remainder(total: int, sizes: np.ndarray) -> np.ndarray:
    """The total split in proportion to the sizes; ties go to the first."""
    exact = total * sizes / sizes.sum()
    counts = np.floor(exact).astype(int)
    counts[np.argsort(counts - exact, kind="stable")[: total - counts.sum()]] += 1
    return counts


def _check_ratios(ratios: Mapping, classes: list) -> None:
    unknown = [klass for klass in ratios if klass not in classes]
    if unknown:
        raise ValueError(f"mixing_ratio has keys that are no classes of y: {unknown}; the classes are {classes}.")
    for klass, ratio in ratios.items():
        if not isinstance(ratio, Real) or isinstance(ratio, bool) or not 0 <= float(ratio) < np.inf:
            raise ValueError(
                f"The mixing ratio of class {klass!r} must be a finite number of at least 0, got {ratio!r}."
            )
