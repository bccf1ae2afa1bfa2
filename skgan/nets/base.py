"""What every generative net shares: steps instead of epochs, the history, export and restore, chunked sampling."""

import inspect
import math
import time
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import torch
from skorch import NeuralNet

from skgan._torch import BalancedBatches, TrainingMixin, as_tensor, to_unit_range
from skgan.callbacks import EMA, DivergenceGuard, StepLog

_CHUNK = 1024
_CHUNK_VALUES = 2**20  # large images go in chunks of fewer rows: their layers take a hundred times an image's memory


def class_ids(name: str, wanted: Iterable, classes: Iterable) -> list[int]:
    """Indices of these among the classes, or a sentence about the parameter of that name."""
    known = {klass: i for i, klass in enumerate(classes)}
    wanted = list(wanted)
    if missing := [klass for klass in wanted if klass not in known]:
        raise ValueError(f"{name} names {missing}, which are no classes of y; the classes are {list(known)}.")
    if not wanted:
        raise ValueError(f"{name} must name at least one class; the classes are {list(known)}.")
    return [known[klass] for klass in wanted]


def draw_parents(y: np.ndarray, source) -> np.ndarray:
    """The number of a random row of the source for each of these class ids, or a sentence where there is no source."""
    if source is None:
        raise ValueError("This net makes rows from real ones: give the encoded training set as source=(X, y).")
    parents = np.empty(len(y), dtype=np.int64)
    for klass in np.unique(y):
        of_class, where = np.flatnonzero(source[1] == klass), np.flatnonzero(y == klass)
        parents[where] = of_class[torch.randint(len(of_class), (len(where),)).numpy()]
    return parents


class GenerativeNet(TrainingMixin, NeuralNet):
    """A skorch net that learns to make rows. Subclasses write ``train_step`` and, where they differ, ``sample``.

    Training is counted in steps: one step is one ``train_step`` on one class-balanced batch drawn from the rows in
    memory; an epoch is ``steps_per_epoch`` of them, after which losses are recorded, checked and logged.
    skorch's prefixes work as everywhere: ``module__*``, ``criterion__*``, ``optimizer__*``, ``callbacks__ema__decay``.

    Parameters
    ----------
    module : class
        Called as ``module(data_shape, n_classes, **module__params)``; shapes come from the data at fit.
    criterion : class
        A loss of :mod:`skgan.losses`.
    optimizer : class, default=torch.optim.Adam
        One optimiser serves all players; its fused form is used where torch has one.
    lr : float, default=2e-4
    batch_size : int, default=64
        Rows of one update.
    max_steps : int, default=2000
    max_time : float or None, default=None
        Seconds after which training ends early.
    steps_per_epoch : int, default=20
    class_power : float, default=0.0
        Classes are drawn with probability ∝ countᵇ: 0 equally often, 0.5 ∝ √count, 1 as they are.
    vicinity : float or "scott", default=0.0
        For real-valued labels: standard deviation, in units of the labels' own, of the Gaussian noise that every label of
        a batch gets, so that rows teach what rows with near labels look like. "scott" is n^(−1 / (k + 4)). Drawing a row and
        blurring its label is drawing a label from the kernel density and then a row by its kernel weight: the soft vicinal
        estimate of Ding et al. ("CcGAN", ICLR 2021, section 2.2).
    callbacks : list of skorch callbacks or None
        Added to the defaults (``ema``, ``divergence_guard``, ``step_log``), which ``callbacks__ema=None`` turns off.
    device : str, default="auto"
        Resolved at fit: CUDA where there is one, else the CPU.
    verbose : int, default=0
        1 prints steps, losses and time left.
    """

    sampling_params: tuple[str, ...] = ()
    """Parameters that only sampling reads: changing them needs no new training."""
    n_candidates = 0  # of BalancedBatches: no pairs

    def __init__(
        self,
        module,
        criterion,
        *,
        optimizer=torch.optim.Adam,
        lr=2e-4,
        batch_size=64,
        max_steps=2000,
        max_time=None,
        steps_per_epoch=20,
        class_power=0.0,
        vicinity=0.0,
        callbacks=None,
        device="auto",
        verbose=0,
        train_split=None,
        **kwargs,
    ):
        if "max_epochs" in kwargs:
            raise TypeError("Training is counted in steps here: set max_steps instead of max_epochs.")
        self.max_steps = max_steps
        self.max_time = max_time
        self.steps_per_epoch = steps_per_epoch
        self.class_power = class_power
        self.vicinity = vicinity
        super().__init__(
            module,
            criterion,
            optimizer=optimizer,
            lr=lr,
            batch_size=batch_size,
            callbacks=callbacks,
            device=device,
            verbose=verbose,
            train_split=train_split,
            **kwargs,
        )

    @property
    def needs_source(self) -> bool:
        """Whether rows are made from real ones: ``sample`` then needs ``source``."""
        return False

    @property
    def starts_from_one_row(self) -> bool:
        """Whether a class of a single row gets new ones, with what was learned of other classes; else it gets copies."""
        return False

    @property
    def needs_classes(self) -> bool:
        """Whether it learns from several classes at once, and so not with ``per_class=True``."""
        return False

    @property
    def max_epochs(self) -> int:
        """Derived: the epochs that make up ``max_steps``."""
        return -(-self.max_steps // self.steps_per_epoch)

    @max_epochs.setter
    def max_epochs(self, value):
        if hasattr(self, "initialized_"):  # skorch's own __init__ assigns its default once
            raise ValueError(f"max_epochs is derived from max_steps; set max_steps instead of max_epochs={value!r}.")

    def set_params(self, **params):
        """Set parameters, by skorch's prefixes; a fitted net has to be fitted again."""
        if "max_epochs" in params:
            raise ValueError("Training is counted in steps here: set max_steps instead of max_epochs.")
        return super().set_params(**params)

    @property
    def _default_callbacks(self):
        return [("ema", EMA()), ("divergence_guard", DivergenceGuard()), ("step_log", StepLog())]

    # Building

    def initialize_module(self):
        """Build the pair for the shapes seen in ``fit``."""
        if isinstance(self.module, torch.nn.Module):
            raise TypeError(
                f"module must be a class such as {type(self.module).__name__}, not an instance of it: the shapes of the "
                "data are known only at fit. Its arguments are given as module__<name>."
            )
        self.module_ = self.module(self.data_shape_, self.n_classes_, **self.module_kwargs())
        return self

    def module_kwargs(self) -> dict[str, Any]:
        """What the module is built with besides shape and classes."""
        kwargs = self.get_params_for("module")
        if self.condition_dim_:
            self.check_takes_conditions()
            kwargs["condition_dim"] = self.condition_dim_
        return kwargs

    def check_takes_conditions(self):
        """Refuse modules that know classes only."""
        if "condition_dim" not in inspect.signature(self.module).parameters:
            raise ValueError(
                f"{self.module.__name__} makes rows of classes, not for real-valued labels (it has no argument "
                "'condition_dim'); use net='predictor_gan', dcgan() or mlp_gan()."
            )

    # Training

    def check_training_params(self):
        """Refuse what would fail only after minutes."""
        for name in ("max_steps", "batch_size", "steps_per_epoch"):
            value = getattr(self, name)
            if not isinstance(value, int | np.integer) or value < 1:
                raise ValueError(f"{name} must be an integer of at least 1, got {value!r}.")
        if self.max_time is not None and not self.max_time > 0:
            raise ValueError(f"max_time is in seconds and must be above 0, got {self.max_time!r}.")
        if self.vicinity != "scott" and (isinstance(self.vicinity, str) or not 0 <= self.vicinity < np.inf):
            raise ValueError(f"vicinity must be 'scott' or a number of at least 0, got {self.vicinity!r}.")

    def for_classes(self, classes: Sequence) -> None:
        """Turn parameters that name classes into ids: ``classes[i]`` has the id i. Samplers call this before ``fit``."""

    def check_shapes(self):
        """Refuse parameters that do not go with ``data_shape_`` and ``n_classes_``; nothing by default."""

    def count_classes(self, y: np.ndarray) -> int:
        """Number of classes, of ids up to the largest in y."""
        return int(y.max()) + 1

    def fit(self, X, y=None, **fit_params):
        """Train from scratch.

        Parameters
        ----------
        X : ndarray of shape (n, d), float32, or (n, C, H, W), uint8 or float32 in [-1, 1]
            Encoded rows.
        y : ndarray of shape (n,), integers, or None
            Class ids 0 … n_classes − 1; None is one class. Floats of shape (n,) or (n, k) are real-valued labels, which
            are standardised inside.

        Returns
        -------
        self
        """
        self.check_training_params()
        y = np.zeros(len(X), dtype=np.int64) if y is None else np.asarray(y)
        self.data_shape_ = tuple(X.shape[1:])
        self.condition_scale_: tuple[np.ndarray, np.ndarray] | None
        if y.dtype.kind == "f":
            conditions = y.reshape(len(y), -1)
            spread = conditions.std(0)
            self.condition_scale_ = conditions.mean(0), np.where(spread > 0, spread, 1.0)
            self.n_classes_, self.condition_dim_ = 1, conditions.shape[1]
        else:
            self.condition_scale_ = None
            self.n_classes_, self.condition_dim_ = self.count_classes(y), 0
            if self.vicinity:
                raise ValueError(f"vicinity={self.vicinity!r} blurs real-valued labels, and these are classes; set 0.")
        y = self.labels(y)
        self.check_shapes()
        self.steps_, self.recorded_, self.stopped_ = 0, 0, False
        super().fit(X, y, **fit_params)
        if self.steps_ < self.max_steps and not self.stopped_:
            raise KeyboardInterrupt  # Ctrl-C: skorch would go on as if training had finished
        return self

    def get_split_datasets(self, X, y=None, **fit_params):
        """All rows, as tensors on the device; uint8 stays uint8."""
        return torch.utils.data.TensorDataset(as_tensor(X, self.device_), as_tensor(y, self.device_)), None

    def get_iterator(self, dataset, training=False):
        """Class-balanced batches, ``rows_per_step`` rows each."""
        X, y = dataset.tensors
        blur = len(X) ** (-1 / (self.condition_dim_ + 4)) if self.vicinity == "scott" else self.vicinity
        return BalancedBatches(
            X,
            torch.zeros(len(y), dtype=torch.int64, device=y.device) if self.condition_dim_ else y,
            labels=y,
            blur=blur,
            batch_size=self.rows_per_step,
            max_steps=self.max_steps,
            steps_per_epoch=self.steps_per_epoch,
            power=self.class_power,
            n_candidates=self.n_candidates,
        )

    @property
    def rows_per_step(self) -> int:
        """Rows that one ``train_step`` takes."""
        return self.batch_size

    def on_train_begin(self, net, X=None, y=None, **kwargs):
        super().on_train_begin(net, X=X, y=y, **kwargs)
        self._set_training(True)
        self.sums_: torch.Tensor | None = None
        self.reported_: tuple[str, ...] = ()
        self.last_loss_ = torch.tensor(float("nan"))
        self.begin_ = time.perf_counter()

    def report(self, **values: torch.Tensor) -> dict[str, Any]:
        """Add a step's scalars to the epoch's sums, on the device, and return what skorch expects of a step.

        The returned ``loss`` is the first scalar's mean over the epoch before, so that no batch waits for the device.
        """
        stacked = torch.stack(tuple(values.values()))
        self.sums_ = stacked if self.sums_ is None else self.sums_ + stacked
        self.reported_ = tuple(values)
        self.steps_ += 1
        return {"loss": self.last_loss_}

    def on_batch_end(self, net, batch=None, training=False, **kwargs):
        if self.max_time is not None and time.perf_counter() - self.begin_ > self.max_time:
            raise KeyboardInterrupt

    def on_epoch_end(self, net, dataset_train=None, dataset_valid=None, **kwargs):
        self.record_epoch()

    def record_epoch(self):
        """Write the epoch's means into the history: the one place where values come off the device."""
        assert self.sums_ is not None, "an epoch has at least one step"
        means = self.sums_ / (self.steps_ - self.recorded_)
        for name, mean in zip(self.reported_, means.tolist(), strict=True):
            self.history.record(name, mean)
        self.recorded_ = self.steps_
        self.history.record("step", self.steps_)
        self.history.record("seconds", time.perf_counter() - self.begin_)
        self.last_loss_ = torch.tensor(means[0].item())
        self.sums_ = None

    def on_train_end(self, net, X=None, y=None, **kwargs):
        super().on_train_end(net, X=X, y=y, **kwargs)
        if self.sums_ is not None:  # ended within an epoch
            self.record_epoch()

    # What is kept of a trained net

    def export(self) -> dict[str, Any]:
        """The trained net as plain CPU arrays: weights, shapes, history, and whether it ran to its last step."""
        columns = ("step", *self.reported_, "seconds")
        records = [record for record in self.history if "step" in record]
        return {
            "weights": {
                name.removeprefix("_orig_mod."): tensor.detach().cpu().numpy().copy()
                for name, tensor in self.module_.state_dict().items()
            },
            "data_shape": self.data_shape_,
            "n_classes": self.n_classes_,
            "condition_scale": self.condition_scale_,
            "history": {column: [record[column] for record in records] for column in columns},
            "complete": self.steps_ >= self.max_steps,
        }

    def restore(self, exported: dict[str, Any]):
        """Build the module and load an export's weights, ready to sample."""
        self.data_shape_, self.n_classes_ = exported["data_shape"], exported["n_classes"]
        self.condition_scale_ = exported["condition_scale"]
        self.condition_dim_ = 0 if self.condition_scale_ is None else len(self.condition_scale_[0])
        self.initialize()
        module = getattr(self.module_, "_orig_mod", self.module_)
        module.load_state_dict({name: as_tensor(array) for name, array in exported["weights"].items()})
        return self

    # Sampling

    def latent(self, n: int) -> torch.Tensor:
        """Noise of shape (n, latent_dim) from N(0, I)."""
        return torch.randn(n, self.module_.latent_dim, device=self.device_)

    def labels(self, y) -> np.ndarray:
        """Labels as the module takes them: class ids (n,), or real labels (n, k), float32, standardised as in ``fit``."""
        y = np.asarray(y)
        if self.condition_scale_ is None:
            return y.astype(np.int64, copy=False)
        mean, spread = self.condition_scale_
        return ((y.reshape(len(y), -1) - mean) / spread).astype(np.float32)

    def sample(self, y, source=None) -> np.ndarray:
        """Make one encoded row per label.

        Parameters
        ----------
        y : array of shape (n,)
            Class ids; or real labels, (n,) or (n, k), where the net was trained on these.
        source : tuple (X, y) or None
            The encoded training set, for nets that start from real rows; ignored here.

        Returns
        -------
        ndarray of shape (n, *data_shape), float32
        """
        return self._in_chunks(lambda labels: self.module_(self.latent(len(labels)), labels), as_tensor(self.labels(y)))

    @torch.no_grad()
    def _in_chunks(self, function, *tensors) -> np.ndarray:
        self._set_training(False)
        n_rows = max(16, min(_CHUNK, _CHUNK_VALUES // math.prod(self.data_shape_)))
        pieces = zip(*(tensor.split(n_rows) for tensor in tensors), strict=True)
        return torch.cat([function(*(t.to(self.device_) for t in piece)).cpu() for piece in pieces]).numpy()

    def score_samples(self, X, y) -> np.ndarray:
        """How real encoded rows look to the discriminator: logits of shape (n,)."""
        return self._in_chunks(
            lambda rows, labels: self.module_.discriminator(to_unit_range(rows), labels),
            as_tensor(np.asarray(X)),
            as_tensor(self.labels(y)),
        )
