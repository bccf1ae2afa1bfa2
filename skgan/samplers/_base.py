"""What every sampler of skgan does: check → train → make → give back. A fit's results are a value, assigned in one place."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, ClassVar, Self

import numpy as np
import pandas as pd
from imblearn.base import BaseSampler

from skgan import presets
from skgan.codecs import Codec, TabularCodec
from skgan.nets import NO_PARENT, GenerativeNet
from skgan.samplers._border import forget_fit, groups_of_rows, tag_inputs
from skgan.samplers._build import built_factory
from skgan.samplers._estimate import Estimate, estimated
from skgan.samplers._factory import Made, RowFactory, warn_of_copies
from skgan.samplers._polars import in_numpy_dtypes, rows_as_pandas
from skgan.samplers._sampling import SamplesRows
from skgan.samplers._task import NET_CONSTRAINTS, Task
from skgan.samplers._training import free_device_memory
from skgan.samplers._written import stacking


class BaseGenerativeSampler(SamplesRows, BaseSampler):
    """A sampler around a generative net. Subclasses write ``_task``, which checks a call and says what is wanted.

    They have the parameters ``net, shares, codec, row_filter, per_class, categorical_features, max_steps, max_time, memory,
    n_jobs, device, random_state, verbose``.
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = NET_CONSTRAINTS
    required_traits: tuple[str, ...] = ()
    """Of the net."""

    _task: Callable[..., Task]
    """``_task(X, y, **side)`` checks a call; subclasses write it and name what ``fit_resample`` takes besides."""
    net: Any
    codec: Any
    row_filter: Any
    shares: Any
    memory: Any
    random_state: Any

    def checked_task(self, X: Any, y: Any, **side: Any) -> Task:
        """``_task`` of X and y in any container, those of polars too."""
        task = self._task(rows_as_pandas(X), in_numpy_dtypes(y), **side)
        return replace(task, container=task.container.as_polars(X, y))

    def set_params(self, **params: Any) -> Any:
        """Set parameters; those of the net as ``net__…``, where the net is an object."""
        net = params.get("net", self.net)
        nested = [key for key in params if key.startswith("net__")]
        if nested and not isinstance(net, GenerativeNet):
            example = net if net in presets.__all__ else "dcgan"
            key = nested[0].removeprefix("net__")
            raise ValueError(
                f"{nested[0]} cannot be set because net={net!r} is no object with parameters. Pass the preset's call, "
                f"such as net={example}(), when the sampler is made, or set {key} in it: net={example}({key}=…)."
            )
        return super().set_params(**params)

    def fit(self, X: Any, y: Any, **side: Any) -> Self:
        """Check the input and count the new rows; nothing is trained. Use ``fit_resample``."""
        self._validate_params()
        task = self.checked_task(X, y, **side)
        self._keep({**task.checked.seen, **task.told})
        return self

    def train(self, X: Any, y: Any, **side: Any) -> RowFactory:
        """Train on (X, y) and return what makes rows, by ``make({class: n})``; the sampler itself is not changed.

        Parameters
        ----------
        X, y, **side
            As for ``fit_resample``.

        Returns
        -------
        RowFactory
        """
        self._validate_params()
        factory = built_factory(self, self.checked_task(X, y, **side))
        factory.rest()
        return factory

    def estimate(self, X: Any, y: Any, **side: Any) -> Estimate:
        """How long ``fit_resample`` will take, and how much memory, by a second of each training; the sampler is not changed.

        Nets of several classes that are trained one by one are tried one by one.

        Parameters
        ----------
        X, y, **side
            As for ``fit_resample``.

        Returns
        -------
        Estimate
            ``(seconds, bytes)``.

        Examples
        --------
        >>> import numpy as np
        >>> from skgan import GANOverSampler
        >>> X, y = np.random.RandomState(0).normal(size=(60, 3)), np.repeat([0, 1], [50, 10])
        >>> estimate = GANOverSampler(max_steps=50).estimate(X, y)
        >>> estimate.seconds < 60
        True
        """
        self._validate_params()
        return estimated(self, X, y, **side)

    def _resampled(self, X, y, *, out=None, keep_real: bool = True, **side):
        """What ``fit_resample`` returns. Nothing is assigned before all is done."""
        self._validate_params()
        task = self.checked_task(X, y, **side)
        with stacking(task, X, y, keep_real, out) as stack:
            factory = built_factory(self, task)
            made = factory.make(task.wanted, sink=stack.sink)
            if made.filter_report is not None:
                warn_of_copies(made.filter_report)
            fitted = self._attributes(task, factory, made, keep_real)
            result = stack.result(made)
        free_device_memory()
        self._keep({**task.checked.seen, **task.told, **fitted})
        return result

    def _attributes(self, task: Task, factory: RowFactory, made: Made, keep_real: bool) -> dict[str, Any]:
        """What is known after a fit, by name; subclasses add to it."""
        n_real = len(task.y) * keep_real
        fitted = {
            "factory_": factory,
            "sample_shape_": tuple(task.checked.X.shape[1:]),
            "codec_": factory.rows.codec,
            "row_filter_": factory.row_filter,
            "training_history_": factory.history,
            "is_synthetic_": np.arange(n_real + len(made.y)) >= n_real,
            "origin_": np.concatenate([np.full(n_real, "real"), made.origin]),
            "parent_indices_": np.concatenate([np.full((n_real, 2), NO_PARENT), made.parents]),
        }
        if made.filter_report is not None:
            fitted["filter_report_"] = made.filter_report
        if task.groups is not None:
            fitted["groups_"] = groups_of_rows(task.groups, made.parents)[len(task.y) - n_real :]
        return fitted

    def _keep(self, fitted: Mapping[str, Any]) -> None:
        """The only place that assigns fitted attributes, all at once; nothing of an earlier fit remains."""
        forget_fit(self)
        self.__dict__.update(fitted)

    def _takes_nan(self, X) -> bool:
        """Dense tables whose codec encodes missing values."""
        codec = self.codec if isinstance(self.codec, Codec) else TabularCodec()
        return codec.takes_nan and X.ndim == 2 and isinstance(X, pd.DataFrame | np.ndarray)

    def auto_net(self, codec: Codec, conditions: bool) -> GenerativeNet:
        """What ``net="auto"`` stands for.

        Parameters
        ----------
        codec : Codec
            Fitted.
        conditions : bool
            Whether the net is told real-valued conditions.
        """
        if conditions:
            return presets.predictor_gan() if codec.is_image else presets.predictor_mlp_gan()
        return presets.offspring() if codec.is_image or codec.mostly_zero_ else presets.mlp_gan(alpha=2)

    def auto_shares(self, codec: Codec, net: GenerativeNet, n_classes: int) -> Mapping[str, float]:
        """What ``shares="auto"`` stands for with this net, on rows of this fitted codec and so many classes."""
        return net.default_shares

    def _fit_resample(self, X, y):
        raise NotImplementedError  # fit_resample above is everything

    def __sklearn_tags__(self):
        return tag_inputs(super().__sklearn_tags__())
