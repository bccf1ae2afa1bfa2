"""Training counted in steps instead of epochs, and the history that is written as it goes on."""

import time
from typing import Any, Self

import numpy as np
import torch

from skgan._batches import BalancedBatches, distinct_rows
from skgan._device import fits
from skgan._skorch import TrainingMixin
from skgan._tensors import as_tensor
from skgan._warnings import warn
from skgan.callbacks import EMA, DivergenceGuard, StepLog
from skgan.nets.checkpoints import Checkpoint


class StepTraining(TrainingMixin):
    """One step is one ``train_step`` on one class-balanced batch; an epoch is ``steps_per_epoch`` of them.

    Subclasses are skorch nets with the parameters ``max_steps``, ``max_time``, ``steps_per_epoch``, ``batch_size``,
    ``class_power`` and ``vicinity``. Scalars that ``report`` is given are summed on the device and read once an epoch.
    """

    gets_slower = False
    """Whether later steps take longer than the first ones."""
    n_candidates = 0
    """Above 0, batches are of pairs, as :class:`skgan._batches.BalancedBatches` says."""

    state_attributes: tuple[str, ...] = ("steps_", "recorded_", "sums_", "reported_", "last_loss_")
    """What ``training_state`` has of the net itself: numbers, texts, arrays and tensors."""

    max_steps: int
    max_time: float | None
    steps_per_epoch: int
    batch_size: int
    class_power: float
    vicinity: float | str
    condition_dim_: int
    history: Any
    checkpoint_: Checkpoint | None = None
    """Where a training in progress is kept."""

    @property
    def max_epochs(self) -> int:
        """Derived: the epochs that make up ``max_steps``."""
        return -(-self.max_steps // self.steps_per_epoch)

    @max_epochs.setter
    def max_epochs(self, value):
        if "initialized_" in vars(self):  # skorch's own __init__ assigns its default once
            raise ValueError(f"max_epochs is derived from max_steps; set max_steps instead of max_epochs={value!r}.")

    def set_params(self, **params: Any) -> Any:
        """Set parameters, by skorch's prefixes; a fitted net has to be fitted again."""
        if "max_epochs" in params:
            raise ValueError("Training is counted in steps here: set max_steps instead of max_epochs.")
        return super().set_params(**params)

    @property
    def _default_callbacks(self):
        return [("ema", EMA()), ("divergence_guard", DivergenceGuard()), ("step_log", StepLog())]

    @property
    def rows_per_step(self) -> int:
        """Rows that one ``train_step`` takes."""
        return self.batch_size

    def get_split_datasets(self, X: Any, y: Any = None, **fit_params: Any) -> Any:
        """All rows, as tensors on the device; uint8 stays uint8. Rows that do not fit there stay on the CPU: batches move."""
        place = self.device_ if fits(X.nbytes, self.device_) else "cpu"
        return torch.utils.data.TensorDataset(as_tensor(X, place), as_tensor(y, self.device_)), None

    def get_iterator(self, dataset: Any, training: Any = False) -> Any:
        """Class-balanced batches, ``rows_per_step`` rows each."""
        X, y = dataset.tensors
        # The nearest of a few rows would be the row's own copy, from which nothing is learned of how rows vary.
        among = distinct_rows(X, y) if self.n_candidates > 1 else None
        n = len(X) if among is None else len(among)
        blur = n ** (-1 / (self.condition_dim_ + 4)) if self.vicinity == "scott" else self.vicinity
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
            among=among,
        )

    def on_train_begin(self, net: Any, X: Any = None, y: Any = None, **kwargs: Any) -> None:
        super().on_train_begin(net, X=X, y=y, **kwargs)
        self._set_training(True)
        self.steps_, self.recorded_ = 0, 0
        self.sums_: torch.Tensor | None = None
        self.reported_: tuple[str, ...] = ()
        self.last_loss_ = torch.tensor(float("nan"))
        self.out_of_time_ = False
        self.begin_ = time.perf_counter()

    def fit_loop(self, X: Any, y: Any = None, epochs: Any = None, **fit_params: Any) -> Self:
        """skorch's, on training rows alone; with a checkpoint it goes on where the training stopped."""
        self.check_data(X, y)
        self.check_training_readiness()
        dataset, _ = self.get_split_datasets(X, y, **fit_params)
        batches = self.get_iterator(dataset, training=True)
        told = {"dataset_train": dataset, "dataset_valid": None}
        goes_on = self.checkpoint_ is not None and self.checkpoint_.begin(self, batches)
        epochs = self.max_epochs if epochs is None else epochs
        for _ in range(epochs - self.recorded_ // self.steps_per_epoch):
            if not goes_on:
                self.notify("on_epoch_begin", **told)
            goes_on = False
            self.run_single_epoch(batches, training=True, prefix="train", step_fn=self.train_step, **fit_params)
            self.notify("on_epoch_end", **told)
        return self

    def notify(self, method_name: Any, **cb_kwargs: Any) -> None:
        """Tell all callbacks; after a step, the training may be kept."""
        super().notify(method_name, **cb_kwargs)
        if method_name == "on_batch_end" and self.checkpoint_ is not None:
            self.checkpoint_.after_step(self)

    def training_state(self) -> dict[str, Any]:
        """All of a training in progress that neither its parts nor their generators hold; subclasses add to it."""
        return {
            **{name: vars(self)[name] for name in self.state_attributes},
            "seconds": time.perf_counter() - self.begin_,
            "history": [
                {name: value for name, value in record.items() if name != "batches"} for record in self.history
            ],
        }

    def restore_training(self, state: dict[str, Any]) -> None:
        """Take the state of a training, after ``on_train_begin``."""
        for name in self.state_attributes:
            setattr(self, name, state[name])
        if self.sums_ is not None:
            self.sums_ = self.sums_.to(self.device_)
        self.begin_ = time.perf_counter() - state["seconds"]
        self.history[:] = [{**record, "batches": []} for record in state["history"]]

    def report(self, **values: torch.Tensor) -> dict[str, Any]:
        """Add a step's scalars to the epoch's sums, on the device, and return what skorch expects of a step.

        The returned ``loss`` is the first scalar's mean over the epoch before, so that no batch waits for the device.
        """
        stacked = torch.stack(tuple(values.values()))
        self.sums_ = stacked if self.sums_ is None else self.sums_ + stacked
        self.reported_ = tuple(values)
        self.steps_ += 1
        return {"loss": self.last_loss_}

    def on_batch_end(self, net: Any, batch: Any = None, training: Any = False, **kwargs: Any) -> None:
        if self.max_time is not None and time.perf_counter() - self.begin_ > self.max_time:
            self.out_of_time_ = True
            raise KeyboardInterrupt  # skorch's way to end training

    def on_epoch_end(self, net: Any, dataset_train: Any = None, dataset_valid: Any = None, **kwargs: Any) -> None:
        self.record_epoch()

    def record_epoch(self) -> None:
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

    def on_train_end(self, net: Any, X: Any = None, y: Any = None, **kwargs: Any) -> None:
        super().on_train_end(net, X=X, y=y, **kwargs)
        if self.sums_ is not None:  # ended within an epoch
            self.record_epoch()

    def recorded(self) -> dict[str, np.ndarray | list]:
        """The history as columns: step, max_steps, the reported scalars, seconds.

        Where the last step is below max_steps, the training ended early.
        """
        records = [record | {"max_steps": self.max_steps} for record in self.history if "step" in record]
        columns = "step", "max_steps", *self.reported_, "seconds"
        return {column: [record[column] for record in records] for column in columns}

    def tell_if_cut(self) -> None:
        """Say so where ``max_time`` ended the training early."""
        if not self.out_of_time_ or self.steps_ >= self.max_steps:
            return
        sentence = f"max_time={self.max_time:g} ended the training after {self.steps_} of {self.max_steps} steps."
        if self.steps_ < self.max_steps / 10:
            sentence += " Rows of a net that has learned so little are hardly better than noise."
        warn(f"{sentence} Set a larger max_time to train longer.")
