"""What a training prints of itself as it goes on."""

import time
from typing import Any

import torch
from skorch.callbacks import Callback

from skgan._warnings import warn
from skgan.exceptions import LongTrainingWarning


class KeepsState:
    """A callback whose state is kept with a training in progress; those of the library that are none of these have none."""

    def training_state(self) -> dict[str, Any]:
        """What ``on_train_begin`` does not set up by itself, as plain values and tensors."""
        raise NotImplementedError

    def restore_training(self, state: dict[str, Any]) -> None:
        """Take that state, after ``on_train_begin``."""
        raise NotImplementedError


WARM_UP = 3
"""Steps that may take many times as long as others: memory and kernels are set up in them."""
TIMED = 8
"""Steps after these by which a training's time is told: penalties may come in every fourth only."""
LONG = 60.0
"""Seconds from which on a training is warned of."""


class StepLog(KeepsState, Callback):
    """How long the training takes, by its first steps; with ``verbose=1`` also steps, losses and time left, first after the
    first epoch (20 steps), then ten times.

    A training of more than a minute is told of whatever ``verbose`` is, by a
    :class:`skgan.exceptions.LongTrainingWarning`, unless ``max_time`` says how long it may take.
    """

    def on_train_begin(self, net: Any, **kwargs: Any) -> None:
        self.next_, self.warm_ = 0, (0, 0.0)

    def on_batch_end(self, net: Any, training: Any = True, **kwargs: Any) -> None:
        if net.steps_ <= WARM_UP:
            self.warm_ = net.steps_, self._seconds(net)
        elif net.steps_ == WARM_UP + TIMED:
            self._foretell(net, (self._seconds(net) - self.warm_[1]) / TIMED)

    def training_state(self) -> Any:
        return {"next": self.next_, "warm": self.warm_}

    def restore_training(self, state: Any) -> None:
        self.next_, self.warm_ = state["next"], state["warm"]

    @staticmethod
    def _seconds(net) -> float:
        """Since the beginning; a GPU may be some steps behind, and is waited for."""
        if torch.device(net.device_).type == "cuda":
            torch.cuda.synchronize(net.device_)
        return time.perf_counter() - net.begin_

    @staticmethod
    def _foretell(net, seconds: float) -> None:
        total = net.max_steps * seconds
        least = "at least " if net.gets_slower else ""
        told = f"{least}about {duration(total)}: {net.max_steps:,} steps of {1000 * seconds:.3g} ms"
        if net.max_time is not None and net.max_time < total:
            told += f", cut after {duration(net.max_time)} by max_time"
        if net.verbose:
            print(told, flush=True)
        if total > LONG and net.max_time is None:
            warn(
                f"This training takes {told}. It takes less with fewer steps (max_steps), smaller batches or images, on a GPU "
                "(device='cuda'), or where max_time cuts it; with memory='some-folder' a search over amounts trains once a "
                "fold.",
                LongTrainingWarning,
            )

    def on_epoch_end(self, net: Any, **kwargs: Any) -> None:
        if not net.verbose or (net.steps_ < self.next_ and net.steps_ < net.max_steps):
            return
        self.next_ = net.steps_ + net.max_steps / 10
        record = net.history[-1]
        values = "  ".join(f"{name.replace('_', ' ')} {record[name]:.3f}" for name in net.reported_)
        left = self._seconds_left(net, record["seconds"])
        shown = f"{left:.1f}" if left < 9.95 else f"{left:.0f}"
        print(f"step {net.steps_}/{net.max_steps}  {values}  {record['seconds']:.1f} s, {shown} s left", flush=True)

    def _seconds_left(self, net, seconds: float) -> float:
        """By all steps but the first ones. Fewer, such as the latest, would follow what else the machine is doing."""
        before, then = self.warm_ if net.steps_ > WARM_UP else (0, 0.0)
        left = (seconds - then) / (net.steps_ - before) * (net.max_steps - net.steps_)
        return left if net.max_time is None else min(left, max(0.0, net.max_time - seconds))


def duration(seconds: float) -> str:
    """A time in words, such as "40 s", "4 min" or "2.5 h"."""
    if seconds < 99.5:
        return f"{seconds:.2g} s"
    return f"{seconds / 60:.0f} min" if seconds < 99.5 * 60 else f"{seconds / 3600:.1f} h"
