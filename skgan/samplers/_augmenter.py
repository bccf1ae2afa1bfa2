"""ConditionalGANAugmenter: a tunable amount of synthetic data for every class, and for real-valued labels."""

from collections.abc import Mapping
from numbers import Integral, Real
from typing import Any, ClassVar

import numpy as np
from sklearn.exceptions import NotFittedError
from sklearn.utils.multiclass import type_of_target
from sklearn.utils.validation import check_array

from skgan._compat import Number, StrOptions
from skgan._warnings import warn
from skgan.samplers._amounts import by_amount
from skgan.samplers._base import BaseGenerativeSampler
from skgan.samplers._border import check_containers, check_groups, check_rows
from skgan.samplers._checks import check_container
from skgan.samplers._conditions import Conditions
from skgan.samplers._containers import Classes, Container, Values, check_classes, class_labels, label_values
from skgan.samplers._factory import Made, RowFactory
from skgan.samplers._labels import ALL, ClassLabels, ConditionLabels, Labels
from skgan.samplers._makers import ConditionMaker
from skgan.samplers._task import NET_CONSTRAINTS, Task


class ConditionalGANAugmenter(BaseGenerativeSampler):
    """Add generated rows to every class by a ratio, or generate rows for real-valued labels.

    Parameters
    ----------
    mixing_ratio : float, dict or None, default=None
        Synthetic rows ÷ real rows (``1`` and ``1.0`` are the same), of every class or class → ratio (absent classes get
        none): ``int(np.round(ratio * n))`` new rows each. None is 1.0, unless ``n_synthetic`` is given; 0 returns a copy of
        the data, without training.
    n_synthetic : int or None, default=None
        New rows in total, split over the classes in proportion to their counts by largest remainder. Excludes
        ``mixing_ratio``.
    keep_real : bool, default=True
        False returns synthetic rows only. Rows made from real parents (``offspring()``) are no privacy protection.
    per_class : bool, default=False
        Train one unconditional net per class on that class alone.
    target : {"auto", "class", "continuous"}, default="auto"
        Whether y holds classes or real-valued labels; "auto" goes by scikit-learn's ``type_of_target``, for which whole
        numbers are classes. Whole numbers in several columns are refused by "auto".
    labeler : callable or None, default=None
        Conditions of new rows → their y. It is given what has the shape of the real conditions. None: the new y is the
        condition itself where y is continuous, and the class of the row whose condition was smoothed where it is a class.
    net : str, net or dict, default="auto"
        As in :class:`skgan.GANOverSampler`. For real-valued labels "auto" is ``predictor_gan()``, and on tables
        ``predictor_mlp_gan()``.
    shares : "auto" or dict, default="auto"
        As in :class:`skgan.GANOverSampler`; "auto" is the net's own always. Real-valued labels go with "net" and "copy" alone.
    codec, row_filter, categorical_features
        As in :class:`skgan.GANOverSampler`.
    max_steps, max_time, memory, n_jobs, device, random_state, verbose
        As in :class:`skgan.GANOverSampler`. With ``memory=`` a search over amounts trains once per fold,
        and a training that was killed goes on.

    Attributes
    ----------
    sampling_strategy_ : dict
        Class → number of new rows; empty where y is continuous.
    n_synthetic_ : int
        New rows in total.
    is_synthetic_ : ndarray of bool
        Which of the returned rows are new.
    conditions_ : ndarray of shape (n_new, k)
        Conditions of the new rows, where the net was told any.
    origin_, parent_indices_, groups_, factory_
        As in :class:`skgan.GANOverSampler`.
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
        "mixing_ratio": [None, Number(Real, 0, None, closed="left"), Mapping],
        "n_synthetic": [None, Number(Integral, 0, None, closed="left")],
        "keep_real": ["boolean"],
        "target": [StrOptions({"auto", "class", "continuous"})],
        "labeler": [None, callable],
        **NET_CONSTRAINTS,
    }

    def __init__(
        self,
        mixing_ratio: Any = None,
        *,
        n_synthetic: Any = None,
        keep_real: bool = True,
        per_class: bool = False,
        target: Any = "auto",
        labeler: Any = None,
        net: Any = "auto",
        shares: Any = "auto",
        codec: Any = "auto",
        row_filter: Any = None,
        categorical_features: Any = "auto",
        max_steps: int | None = None,
        max_time: float | None = None,
        memory: Any = None,
        n_jobs: int | None = None,
        device: str | None = None,
        random_state: int | np.random.RandomState | None = None,
        verbose: int | None = None,
    ):
        self.mixing_ratio = mixing_ratio
        self.n_synthetic = n_synthetic
        self.keep_real = keep_real
        self.per_class = per_class
        self.target = target
        self.labeler = labeler
        self.net = net
        self.shares = shares
        self.codec = codec
        self.row_filter = row_filter
        self.categorical_features = categorical_features
        self.max_steps = max_steps
        self.max_time = max_time
        self.memory = memory
        self.n_jobs = n_jobs
        self.device = device
        self.random_state = random_state
        self.verbose = verbose

    def fit_resample(self, X: Any, y: Any, *, condition: Any = None, groups: Any = None, out: Any = None) -> Any:
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
        groups, out
            As in :meth:`skgan.GANOverSampler.fit_resample`.

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
        return self._resampled(X, y, out=out, keep_real=self.keep_real, condition=condition, groups=groups)

    def _task(self, X, y, *, condition=None, groups=None) -> Task:
        if self.mixing_ratio is not None and self.n_synthetic is not None:
            raise ValueError(
                f"mixing_ratio={self.mixing_ratio!r} and n_synthetic={self.n_synthetic!r} are two amounts: give one of them."
            )
        name = type(self).__name__
        check_containers(name, X, y)
        continuous = self._is_continuous(y)
        self._check_condition(condition, continuous)
        if continuous:
            values = label_values(y, self)
        else:
            values = class_labels(y)
            check_classes(values, f"{name} with target='class'")
        checked = check_rows(self, X, values, takes_nan=self._takes_nan)
        container = Container.of(X, Values.of(y) if continuous else Classes.of(y, values))
        y, conditions = checked.y, None
        classes, members = np.array([ALL]), np.zeros(len(checked.y), int)
        if not continuous:
            classes, members = np.unique(y, return_inverse=True)
            if len(classes) < 2:
                raise ValueError(f"The target 'y' needs to have more than 1 class. Got {len(classes)} class instead.")
            if condition is not None:
                check_container(name, condition, "condition")
        labels: Labels = ConditionLabels.of(y, self.labeler) if continuous else ClassLabels(classes, y.dtype)
        if continuous or condition is not None:
            told = y if continuous else condition
            conditions = Conditions.of(self, told, members, None if continuous else classes, self.labeler)
        wanted = by_amount(labels.names(), np.bincount(members), self.mixing_ratio, self.n_synthetic)
        if conditions is not None and not continuous:
            conditions.check_donors(wanted)
        n_new = sum(wanted.values())
        if not (self.keep_real or n_new):
            raise ValueError("keep_real=False with no synthetic rows would leave nothing; ask for some rows.")
        return Task(
            checked,
            container,
            labels,
            members,
            wanted,
            y,
            {"sampling_strategy_": {}, "n_synthetic_": n_new}
            if continuous
            else {"sampling_strategy_": wanted, "n_synthetic_": n_new, "classes_": classes},
            check_groups(groups, len(y)),
            conditions,
        )

    def _is_continuous(self, y) -> bool:
        if self.target != "auto":
            return self.target == "continuous"
        values = class_labels(y, allow_values=True)
        kind = type_of_target(values)
        if kind == "multiclass-multioutput" and values.dtype.kind in "iuf":
            raise ValueError(
                f"y of shape {values.shape} holds whole numbers in several columns: two classes a row are not supported, and "
                "classes in between would be invented. Give one column of classes; or set target='continuous' where they are "
                "amounts."
            )
        return kind in ("continuous", "continuous-multioutput")

    def _check_condition(self, condition, continuous: bool) -> None:
        """Refuse parameters that do not go with the kind of y."""
        if continuous and condition is not None:
            raise ValueError(
                "condition= stands beside a y of classes, and this y is real-valued: it is the condition itself. Leave "
                "condition out, or set target='class'."
            )
        if continuous and isinstance(self.mixing_ratio, Mapping):
            raise ValueError("mixing_ratio has one ratio per class, and this y is real-valued; give one number.")
        if not continuous and condition is None and self.labeler is not None:
            raise ValueError(
                "labeler= turns conditions into y, and there are none: give condition=, or a continuous y."
            )
        if (continuous or condition is not None) and self.per_class:
            raise ValueError(
                "per_class=True trains nets that know no condition; leave it False with real-valued labels."
            )

    def _attributes(self, task: Task, factory: RowFactory, made: Made, keep_real: bool) -> dict[str, Any]:
        fitted = super()._attributes(task, factory, made, keep_real)
        if task.conditions is not None:
            fitted["conditions_"] = task.conditions.values[:0] if made.conditions is None else made.conditions
        if not keep_real and factory.real is not None:
            warn(
                "keep_real=False returns rows that were made from real ones, some of them copies: the real rows are as good as "
                "in them, and this is no privacy protection. Use a net that starts from noise, such as net='dcgan' or "
                "net='mlp_gan', where that matters."
            )
        return fitted

    # Sampling

    def _by_name(self, counts: Any) -> Mapping[Any, int]:
        """Of a continuous y there is one group."""
        factory = vars(self).get("factory_")
        if factory is None or not isinstance(factory.labels, ConditionLabels):
            return counts
        if not isinstance(counts, int | np.integer) or counts < 0:
            raise ValueError(f"With a continuous y, sample takes a number of rows of at least 0; got {counts!r}.")
        return {ALL: int(counts)}

    def sample_at(self, conditions: Any, y: Any = None, random_state: int | np.random.RandomState | None = None) -> Any:
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
        factory = vars(self).get("factory_")
        if factory is None:
            raise NotFittedError(
                f"This {type(self).__name__} has made no generator yet: call fit_resample(X, y) before sample_at."
            )
        maker = next(iter(factory.makers.values()), None)
        if not isinstance(maker, ConditionMaker):
            raise ValueError(
                "sample_at needs a net that was trained on real-valued labels: call fit_resample with a continuous y, or with "
                "condition=, first."
            )
        real = maker.conditions
        values = check_array(conditions, ensure_2d=False, dtype="numeric", input_name="conditions", estimator=self)
        values = values.reshape(len(values), -1).astype(np.float64)
        if values.shape[1] != real.values.shape[1]:
            raise ValueError(
                f"conditions have {values.shape[1]} columns, and the net was trained on {real.values.shape[1]}."
            )
        groups = np.zeros(len(values), int)
        if real.classes is not None and real.needs_class:
            if y is None or len(y) != len(values) or not np.isin(y, real.classes).all():
                raise ValueError(
                    f"The net was told the class beside the condition: give sample_at one class per condition as y=, of "
                    f"{real.classes.tolist()}."
                )
            groups = np.searchsorted(real.classes, y)
        return factory.as_given(factory.at(values, groups, random_state))
