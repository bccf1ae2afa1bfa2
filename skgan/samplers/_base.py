"""What every sampler of skgan does: check → train → make → give back. A fit's results are a value, assigned in one place."""

from collections.abc import Callable, Mapping
from typing import Any, ClassVar

import numpy as np
import pandas as pd
from imblearn.base import BaseSampler
from sklearn.exceptions import NotFittedError

from skgan import presets
from skgan.codecs import Codec, TabularCodec
from skgan.nets import NO_PARENT, GenerativeNet
from skgan.samplers._border import forget_fit, groups_of_rows, tag_inputs
from skgan.samplers._build import built_factory
from skgan.samplers._factory import SAMPLE, Made, RowFactory, warn_of_copies
from skgan.samplers._task import NET_CONSTRAINTS, Task
from skgan.samplers._training import free_device_memory


class BaseGenerativeSampler(BaseSampler):
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

    def set_params(self, **params):
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

    def fit(self, X, y, **side):
        """Check the input and count the new rows; nothing is trained. Use ``fit_resample``."""
        self._validate_params()
        task = self._task(X, y, **side)
        self._keep({**task.checked.seen, **task.told})
        return self

    def train(self, X, y, **side) -> RowFactory:
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
        factory = built_factory(self, self._task(X, y, **side))
        factory.rest()
        return factory

    def _resampled(self, X, y, *, keep_real: bool = True, **side):
        """What ``fit_resample`` returns. Nothing is assigned before all is done."""
        self._validate_params()
        task = self._task(X, y, **side)
        factory = built_factory(self, task)
        made = factory.make(task.wanted)
        if made.filter_report is not None:
            warn_of_copies(made.filter_report)
        fitted = self._attributes(task, factory, made, keep_real)
        container = task.container
        if keep_real:
            result = container.under(X, task.checked.X, made.X), container.y.under(y, made.y)
        else:
            result = container.rows(made.X), container.y.like(made.y)
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

    # Sampling

    def sample(self, counts: Mapping[Any, int], random_state: int | None = None):
        """Make rows from the trained generator, without the originals.

        Parameters
        ----------
        counts : dict
            Class → number of rows.
        random_state : int or None, default=None
            Another int gives other rows; None continues from the sampler's own seed. The same call gives the same rows.

        Returns
        -------
        X, y
            In the containers and dtypes of ``fit_resample``'s input.

        Raises
        ------
        sklearn.exceptions.NotFittedError
            Before ``fit_resample``, and for classes that needed no rows there and so have no generator.
        ValueError
            For unknown classes and negative counts.
        """
        factory = self._fitted(counts)
        made = factory.make(counts, SAMPLE, random_state)
        return factory.as_given(made.X), factory.rows.container.y.like(made.y)

    def sample_with_parents(
        self, counts: Mapping[Any, int], random_state: int | None = None, *, offspring_only: bool = False
    ):
        """The rows that ``sample`` gives, and the real row that each was made from (of two, the first).

        Parameters
        ----------
        counts, random_state
            As for ``sample``.
        offspring_only : bool, default=False
            The net's rows alone, without the copies and mixtures that ``shares`` puts beside them: these are not the rows that
            ``sample`` gives.

        Returns
        -------
        X, y, parents
            X and parents row by row, in the container and dtype of ``fit_resample``'s X. A plain copy equals its parent.

        Raises
        ------
        sklearn.exceptions.NotFittedError
            As ``sample``.
        ValueError
            As ``sample``, and for rows that were made from noise.
        """
        factory = self._fitted(counts)
        if offspring_only:
            factory = factory.net_rows()
        made = factory.make(counts, SAMPLE, random_state, with_parents=True)
        y = factory.rows.container.y.like(made.y)
        return factory.as_given(made.X), y, factory.as_given(made.parent_rows)

    def translate(self, X, to, *, back: bool = False):
        """Rows of the donor of a class turned into rows of that class, by ``cyclegan()``.

        Parameters
        ----------
        X : rows as in ``fit_resample``
        to : class, or domain
        back : bool, default=False
            Turn rows of the class ``to`` into rows of its donor instead.

        Returns
        -------
        X
            In the container and dtype of ``fit_resample``'s X.

        Raises
        ------
        sklearn.exceptions.NotFittedError
            Before ``fit_resample``, and where it trained nothing.
        ValueError
            For an unknown class, and for nets that do not translate.
        """
        factory = self._fitted({to: 1})
        return factory.as_given(factory.translate(X, to, back))

    @property
    def has_parents_(self) -> bool:
        """Whether each new row is made from one real row, so that ``sample_with_parents`` can show both."""
        return any(generator.net.has_parents for generator in self._fitted({}).generators)

    def _fitted(self, counts: Mapping[Any, int]) -> RowFactory:
        """The row factory, or a sentence where there is none, or where it cannot make this."""
        name = type(self).__name__
        if "factory_" not in vars(self):
            raise NotFittedError(f"This {name} has made no generator yet: call fit_resample(X, y) before sample.")
        factory: RowFactory = vars(self)["factory_"]
        factory.check(counts, name)
        return factory

    def _fit_resample(self, X, y):
        raise NotImplementedError  # fit_resample above is everything

    def __sklearn_tags__(self):
        return tag_inputs(super().__sklearn_tags__())
