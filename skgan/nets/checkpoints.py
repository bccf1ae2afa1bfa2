"""Trainings in progress, kept on disk: one that was killed goes on where it was, to the same weights, bit for bit.

The samplers' ``memory`` uses them; a net's own ``fit`` does not. ``SECONDS`` and ``SHARE`` may be set::

    from skgan.nets import checkpoints

    checkpoints.SECONDS = 10
"""

import time
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from skgan._draws import random_state
from skgan._stored import Arrays, DamagedError, packed, read, unpacked, write
from skgan._warnings import warn
from skgan.callbacks import KeepsState

if TYPE_CHECKING:
    from skgan.nets._steps import StepTraining

SECONDS = 30.0
"""From one checkpoint to the next, at least."""
SHARE = 0.02
"""Of the training's time that checkpoints may take: where one takes long to write, they are further apart than ``SECONDS``."""


class Checkpoint:
    """The file in which one training in progress is kept.

    Parameters
    ----------
    path : Path
        In a folder that is there, and of which this process holds the training's lock.
    facts : dict
        What tells this training from all others.
    """

    def __init__(self, path: Path, facts: dict[str, Any]):
        self.path, self.facts = path, facts
        self.batches: Any = None
        self.next = float("inf")

    def begin(self, net: "StepTraining", batches: Any) -> bool:
        """Watch a training that is about to make its first step; True where it goes on from what is kept of it.

        Parameters
        ----------
        net : StepTraining
            After ``on_train_begin`` of all of its callbacks.
        batches : iterable with ``training_state`` and ``restore_training``
        """
        if not can_be_kept(net):
            return False
        self.batches, self.next = batches, time.perf_counter() + SECONDS
        self.facts = {
            **self.facts,
            "torch": torch.__version__,
            "numpy": np.__version__,
            "device": torch.device(net.device_).type,
        }
        state = self._read(net)
        if state is None:
            return False
        _restore(net, batches, state)
        if net.verbose:
            print(f"step {net.steps_}/{net.max_steps}  goes on from {self.path}", flush=True)
        return True

    def _read(self, net: "StepTraining") -> dict[str, Any] | None:
        try:
            told, arrays, facts = read(self.path)
            other = sorted(name for name in {*facts, *self.facts} if facts.get(name) != self.facts.get(name))
            if other:
                raise DamagedError(f"it is of another {', '.join(other)}")
            state = unpacked(told, arrays)
            if _shapes(state["module"]) != _shapes(net.module_.state_dict()):
                raise DamagedError("its weights are of another architecture")
            return state
        except FileNotFoundError:
            return None
        except (DamagedError, OSError) as error:
            warn(f"The checkpoint {str(self.path)!r} cannot be used ({error}); the training begins anew.")
            return None

    def after_step(self, net: "StepTraining") -> None:
        """Write the file if it is time to."""
        begin = time.perf_counter()
        if begin < self.next:
            return
        if net.sums_ is not None:
            net.sums_.cpu()  # waits for a GPU, whose time is not the checkpoint's
        begin = time.perf_counter()
        try:
            arrays = Arrays()
            write(self.path, packed(_state(net, self.batches), arrays), arrays, self.facts)
        except (OSError, TypeError) as error:  # a full disk; a state that is no array
            warn(f"This training cannot be kept in {str(self.path)!r} ({error}); if it is cut off, it begins anew.")
            self.next = float("inf")
            return
        end = time.perf_counter()
        self.next = end + max(SECONDS, (end - begin) / SHARE)

    def remove(self) -> None:
        """The training is finished, and its result is kept elsewhere."""
        self.path.unlink(missing_ok=True)


def can_be_kept(net: "StepTraining") -> bool:
    """Whether all state of a net's training is known: of classes from elsewhere, only modules, losses and optimisers say it."""
    named = [vars(net).get(kind, {}).values() for kind in ("penalties_", "augment_")]
    parts = [net, *(callback for _, callback in net.callbacks_), *(part for parts in named for part in parts)]
    return all(type(part).__module__.partition(".")[0] == "skgan" for part in parts)


def _shapes(weights: Mapping[str, Any]) -> dict[str, tuple[int, ...]]:
    return {name: tuple(weight.shape) for name, weight in weights.items()}


def _stateful(net: "StepTraining") -> dict[str, KeepsState]:
    return {name: callback for name, callback in net.callbacks_ if isinstance(callback, KeepsState)}


def _state(net: "StepTraining", batches: Any) -> dict[str, Any]:
    return {
        "net": net.training_state(),
        "module": dict(net.module_.state_dict()),
        "criterion": dict(net.criterion_.state_dict()),
        "optimizer": net.optimizer_.state_dict(),
        "callbacks": {name: callback.training_state() for name, callback in _stateful(net).items()},
        "batches": batches.training_state(),
        "generators": [state for _, state in random_state()],
    }


def _restore(net: "StepTraining", batches: Any, state: dict[str, Any]) -> None:
    net.module_.load_state_dict(state["module"])
    net.criterion_.load_state_dict(state["criterion"])
    groups = net.optimizer_.param_groups
    net.optimizer_.load_state_dict(state["optimizer"])
    # Schedules hold these dicts, and torch has put others in their place.
    for group, loaded in zip(groups, net.optimizer_.param_groups, strict=True):
        group.update(loaded)
    net.optimizer_.param_groups = groups
    net.restore_training(state["net"])
    for name, callback in _stateful(net).items():
        callback.restore_training(state["callbacks"][name])
    batches.restore_training(state["batches"])
    for (generator, _), kept in zip(random_state(), state["generators"], strict=True):
        generator.set_state(kept)
