"""DomainOverSampler: more rows of a scarce domain (a scanner, a camera), whose labels are those of the rows they come from."""

from types import MappingProxyType
from typing import Any, ClassVar

import numpy as np
from imblearn.over_sampling.base import BaseOverSampler
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_consistent_length

from skgan.samplers._amounts import by_strategy
from skgan.samplers._base import BaseGenerativeSampler
from skgan.samplers._border import check_containers, check_groups, check_rows
from skgan.samplers._containers import Classes, Container, class_labels
from skgan.samplers._factory import Made, RowFactory
from skgan.samplers._labels import CarriedLabels
from skgan.samplers._task import NET_CONSTRAINTS, Task


class DomainOverSampler(BaseGenerativeSampler):
    """Balance where rows come from, instead of what they are.

    ``sampling_strategy`` counts domains. A new row of a scarce domain is made from a real one, by ``cyclegan()`` from a row of
    a plentiful domain, and keeps its y, whatever that is.

    Parameters
    ----------
    sampling_strategy : str, float, dict or callable, default="auto"
        As of :class:`skgan.GANOverSampler`, of domains.
    net : str or net, default="cyclegan"
        One whose rows each have one parent: ``cyclegan()``, ``offspring()`` or ``dagan()``.
    codec, row_filter, categorical_features, max_steps, max_time, memory, n_jobs, device, random_state, verbose
        As of :class:`skgan.GANOverSampler`.

    Attributes
    ----------
    domain_ : ndarray
        Of the returned rows.
    classes_ : ndarray
        The domains, sorted.
    sampling_strategy_ : dict
        Domain → number of new rows.
    is_synthetic_, origin_, parent_indices_, groups_, factory_, sample_shape_, training_history_, filter_report_, codec_
        As of :class:`skgan.GANOverSampler`.
    n_features_in_, feature_names_in_
        As everywhere in scikit-learn.

    Examples
    --------
    >>> import numpy as np
    >>> from skgan import DomainOverSampler
    >>> rng = np.random.RandomState(0)
    >>> X, y, scanner = rng.randn(60, 3), rng.randint(0, 2, 60), np.repeat(["old", "new"], [45, 15])
    >>> sampler = DomainOverSampler(max_steps=10, random_state=0)
    >>> X_new, y_new = sampler.fit_resample(X, y, domain=scanner)
    >>> X_new.shape, sampler.domain_[-1]
    ((90, 3), np.str_('new'))
    """

    _sampling_type = "bypass"
    _parameter_constraints: ClassVar[dict] = {**NET_CONSTRAINTS, **BaseOverSampler._parameter_constraints}

    shares = MappingProxyType({"net": 1.0})
    required_traits = ("has_parents",)
    per_class = False

    def __init__(
        self,
        *,
        sampling_strategy: Any = "auto",
        net: Any = "cyclegan",
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
        super().__init__(sampling_strategy=sampling_strategy)
        self.net = net
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

    def fit_resample(self, X: Any, y: Any, *, domain: Any = None, groups: Any = None, out: Any = None) -> Any:
        """Train on (X, y) and return it with the new rows underneath.

        Parameters
        ----------
        X, groups, out
            As of :meth:`skgan.GANOverSampler.fit_resample`.
        y : array-like of shape (n,)
            Labels, classes or numbers; new rows have their parent's.
        domain : array-like of shape (n,)
            Where each row comes from. In a pipeline it is routed: ``set_fit_resample_request(domain=True)``.

        Returns
        -------
        X_resampled, y_resampled
            In the containers and dtypes of X and y: the originals first, unmodified and in order, then the new rows.

        Raises
        ------
        ValueError, TypeError
            For input or parameters that training could not use, before any training.
        """
        return self._resampled(X, y, out=out, domain=domain, groups=groups)

    def _task(self, X, y, *, domain=None, groups=None) -> Task:
        if domain is None:
            raise ValueError(
                "DomainOverSampler balances domains and was given none: call fit_resample(X, y, domain=…), with one value a "
                "row; in a pipeline, set_fit_resample_request(domain=True) routes it."
            )
        check_containers(type(self).__name__, X, y)
        check_consistent_length(X, y, domain)
        values, given = class_labels(y, allow_values=True), np.asarray(domain)
        if values.ndim != 1 or given.ndim != 1:
            raise ValueError(f"y and domain hold one value a row; got shapes {values.shape} and {given.shape}.")
        given = class_labels(domain, what="domain")
        check_classification_targets(given)
        checked = check_rows(self, X, given, takes_nan=self._takes_nan)
        domains, members = np.unique(checked.y, return_inverse=True)
        wanted = by_strategy(self.sampling_strategy, checked.y, [])
        told = {"sampling_strategy_": wanted, "classes_": domains}
        container = Container.of(X, Classes.of(y, values))
        labels = CarriedLabels(domains, values)
        return Task(checked, container, labels, members, wanted, values, told, check_groups(groups, len(values)))

    def _attributes(self, task: Task, factory: RowFactory, made: Made, keep_real: bool) -> dict[str, Any]:
        of_new = [np.full(n, name, task.checked.y.dtype) for name, n in task.wanted.items()]
        domains = np.concatenate([task.checked.y, *of_new])
        return {**super()._attributes(task, factory, made, keep_real), "domain_": domains}
