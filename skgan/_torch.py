"""What every trained object shares: private randomness, the device, and batches drawn from tensors in memory."""

import inspect
import os
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import torch

_LOCK = threading.RLock()


@contextmanager
def private_rng(seed: int, device: str = "cpu") -> Iterator[None]:
    """Run a block on torch's own generators, seeded, and give them back as they were.

    ``torch.random.fork_rng`` is process-wide, so a lock keeps two threads from sharing one fork.

    Parameters
    ----------
    seed : int
        Seed of the block, at least 0.
    device : str
        The device whose generator is forked along with the CPU's.
    """
    cuda = [torch.device(device).index or 0] if torch.device(device).type == "cuda" else []
    with _LOCK, torch.random.fork_rng(devices=cuda):
        # torch.manual_seed would also seed the devices that were not forked.
        torch.default_generator.manual_seed(seed)
        for index in cuda:
            torch.cuda.default_generators[index].manual_seed(seed)
        yield


def draw_seeds(random_state, n: int) -> list[int]:
    """Draw n seeds; ``None`` takes fresh entropy instead of NumPy's global generator."""
    if random_state is None:
        rng = np.random.RandomState()
    elif isinstance(random_state, int | np.integer):
        rng = np.random.RandomState(random_state)
    else:
        rng = random_state
    return [int(seed) for seed in rng.randint(2**31 - 1, size=n)]


def sub_seed(*entropy: int) -> int:
    """One seed out of several numbers, such as (seed, class, block); streams of different numbers are independent."""
    return int(np.random.SeedSequence(entropy).generate_state(1, np.uint32)[0])


def resolve_device(device: str | None) -> str:
    """Turn ``"auto"`` or ``None`` into a device that is there; a missing CUDA device becomes the CPU, with a warning."""
    if device is None or device == "auto":
        return "cuda" if torch.cuda.is_available() else "cpu"
    try:
        kind = torch.device(device).type
    except RuntimeError as error:
        raise ValueError(
            f"device={device!r} is no device that torch knows; use 'auto', 'cpu', 'cuda' or 'cuda:<index>'."
        ) from error
    if kind == "cuda" and not torch.cuda.is_available():
        warnings.warn(
            f"device={device!r} was asked for, but torch sees no CUDA device here; the CPU is used instead.",
            UserWarning,
            stacklevel=3,
        )
        return "cpu"
    if kind == "cuda" and (torch.device(device).index or 0) >= torch.cuda.device_count():
        raise ValueError(
            f"device={device!r} was asked for, but there are only {torch.cuda.device_count()} CUDA devices here."
        )
    return str(device)


def available_memory(device: str = "cpu") -> int | None:
    """Bytes that can still be had on the device: of a GPU, of the machine, or of the container; None where nobody says."""
    if torch.device(device).type == "cuda":
        return torch.cuda.mem_get_info(device)[0]
    known = []
    with suppress(OSError, ValueError, StopIteration):
        lines = Path("/proc/meminfo").read_text().splitlines()
        known.append(1024 * int(next(line for line in lines if line.startswith("MemAvailable")).split()[1]))
    with suppress(OSError, ValueError):  # "max" is no number: no limit
        group = Path("/sys/fs/cgroup")
        limit = int((group / "memory.max").read_text())
        known.append(max(0, limit - int((group / "memory.current").read_text())))
    if not known:
        with suppress(OSError, ValueError, AttributeError):  # not on Windows
            known.append(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"))
    return min(known, default=None)


def as_tensor(array, device: str = "cpu") -> torch.Tensor:
    """A tensor on the device; on the CPU it shares the array's memory."""
    if isinstance(array, np.ndarray) and not array.flags.writeable:
        # torch warns about read-only memory although nothing here writes to it.
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)
            return torch.as_tensor(array, device=device)
    return torch.as_tensor(array, device=device)


Rows = TypeVar("Rows", np.ndarray, torch.Tensor)


def to_unit_range(rows: Rows) -> Rows:
    """uint8 images become float32 in [-1, 1]; everything else is already encoded and passes."""
    if isinstance(rows, torch.Tensor):
        return rows.float().mul_(2 / 255).sub_(1) if rows.dtype == torch.uint8 else rows
    return rows / np.float32(127.5) - 1 if rows.dtype == np.uint8 else rows


class TrainingMixin:
    """What differs from skorch in all nets here: ``device="auto"`` is resolved at fit, parameters never re-initialise a
    fitted net behind your back, and Ctrl-C is told from a callback's wish to stop.
    """

    device: str
    device_: str
    initialized_: bool
    optimizer: Any
    stopped_: bool

    def initialize(self):
        """Resolve the device, then let skorch build callbacks, module, criterion, optimiser and history on it."""
        self.device_ = resolve_device(self.device)
        requested, self.device = self.device, self.device_
        try:
            return super().initialize()  # type: ignore[misc]
        finally:
            self.device = requested

    def initialize_optimizer(self, *args, **kwargs):
        """skorch's, with the fused form where the optimiser has one and nothing else was asked for."""
        named = self.get_all_learnable_params()  # type: ignore[attr-defined]
        args, kwargs = self.get_params_for_optimizer("optimizer", named)  # type: ignore[attr-defined]
        if "fused" in inspect.signature(self.optimizer).parameters and not kwargs.get("foreach"):
            kwargs.setdefault("fused", True)
        self.optimizer_ = self.optimizer(*args, **kwargs)
        return self

    def notify(self, method_name, **cb_kwargs):
        """skorch's, noting when a callback (and not the user's Ctrl-C) ended the training."""
        try:
            super().notify(method_name, **cb_kwargs)  # type: ignore[misc]
        except KeyboardInterrupt:
            self.stopped_ = True
            raise

    def get_params(self, deep=True, **kwargs):
        """Parameters by name; skorch's own bookkeeping, which it rebuilds from them, is left out."""
        params = super().get_params(deep=deep, **kwargs)  # type: ignore[misc]
        params.pop("_params_to_validate", None)
        return params

    def set_params(self, **params):
        """Set parameters; a net that was fitted has to be fitted again (it always trains from scratch)."""
        if params and self.initialized_:
            # skorch would rebuild modules at once, and flatten the optimiser's parameter groups.
            self.initialized_ = False
            self.virtual_params_ = {}
        return super().set_params(**params)  # type: ignore[misc]

    def __setstate__(self, state):
        requested = state["device"]
        known = requested if requested not in (None, "auto") else state.get("device_", "cpu")
        super().__setstate__({**state, "device": known})  # type: ignore[misc]
        if "device_" in state:
            self.device_ = self.device
        self.device = requested


class BalancedBatches:
    """Batches of rows in memory whose classes are drawn with probability ∝ countᵇ, for a fixed number of steps.

    An epoch is ``steps_per_epoch`` steps; the indices of an epoch are drawn at once, a batch is one gather.

    Parameters
    ----------
    X : tensor of shape (n, ...)
    y : tensor of shape (n,), class ids
    batch_size : int
        Rows of one batch.
    max_steps, steps_per_epoch : int
    power : float
        b above: 0 draws every class equally often, 1 leaves the data's own frequencies.
    n_candidates : int
        Above 0, yield pairs: a parent of each row's class comes third, and the row itself is the nearest to its parent among
        this many rows drawn from the class (1 is any row), or fewer in a class of less than ``ROWS_PER_CANDIDATE`` rows for
        each: the nearest of a few rows would always be the same one.
    labels : tensor of shape (n, ...) or None
        What is yielded as the rows' labels; None yields y.
    blur : float
        Standard deviation of Gaussian noise added to real-valued labels.
    """

    ROWS_PER_CANDIDATE = 25

    def __init__(
        self, X, y, *, batch_size, max_steps, steps_per_epoch, power=0.0, n_candidates=0, labels=None, blur=0.0
    ):
        self.X, self.y, self.batch_size, self.n_candidates = X, y, batch_size, n_candidates
        self.labels, self.blur = y if labels is None else labels, blur
        self.remaining, self.steps_per_epoch = max_steps, steps_per_epoch
        self.partners: torch.Tensor | None = None
        """Class → class that its pairs' parents are drawn from; None is the class itself."""
        self.order = torch.argsort(y, stable=True)
        self.counts = torch.bincount(y)
        self.starts = torch.cumsum(self.counts, 0) - self.counts
        # A class without rows is never drawn, whatever the power.
        self.weights = torch.where(self.counts > 0, self.counts.double().clamp(min=1) ** power, 0.0)

    def __iter__(self):
        steps = min(self.steps_per_epoch, self.remaining)
        if not steps:
            return
        classes = torch.multinomial(self.weights, steps * self.batch_size, replacement=True)
        of_parents = classes if self.partners is None else self.partners[classes]
        draws = [self.draw(of_parents), *(self.draw(classes) for _ in range(self.n_candidates))]
        for first, *candidates in zip(*(draw.view(steps, self.batch_size) for draw in draws), strict=True):
            self.remaining -= 1
            rows = self.nearest(first, torch.stack(candidates)) if candidates else first
            labels = self.labels[rows]
            if self.blur:
                labels = labels + self.blur * torch.randn_like(labels)
            batch = to_unit_range(self.X[rows]), labels
            yield (*batch, to_unit_range(self.X[first])) if candidates else batch

    def nearest(self, parents: torch.Tensor, candidates: torch.Tensor) -> torch.Tensor:
        """For each parent the nearest of its candidates, shape (n_candidates, batch), that is not the parent itself."""
        if len(candidates) == 1:
            return candidates[0]
        of_parents = to_unit_range(self.X[parents]).flatten(1)
        distances = (to_unit_range(self.X[candidates]).flatten(2) - of_parents).square().sum(2)
        allowed = (self.counts[self.y[parents]] // self.ROWS_PER_CANDIDATE).clamp(min=1)
        late = torch.arange(len(candidates), device=parents.device)[:, None] >= allowed
        best = distances.masked_fill_((candidates == parents) | late, torch.inf).argmin(0)
        return candidates.gather(0, best[None])[0]

    def draw(self, classes: torch.Tensor) -> torch.Tensor:
        """A row of each of these classes."""
        within = (torch.rand(len(classes), device=self.X.device, dtype=torch.float64) * self.counts[classes]).long()
        return self.order[self.starts[classes] + within]


class ShuffledBatches:
    """Batches of rows in memory in a fresh random order every epoch, until ``max_updates`` batches are out.

    The last, incomplete batch of an epoch is dropped unless it is the only one: BatchNorm fails on a batch of one.
    """

    def __init__(self, X, y, rows, *, batch_size, max_updates=None, shuffle=True):
        self.X, self.y, self.rows = X, y, rows
        self.batch_size, self.remaining, self.shuffle = batch_size, max_updates, shuffle

    def __iter__(self):
        rows = self.rows
        if self.shuffle:
            rows = rows[torch.randperm(len(rows), device=rows.device)]
        for batch in rows.split(self.batch_size):
            if self.shuffle and len(batch) < min(self.batch_size, len(rows)):
                return
            if self.remaining is not None:
                if self.remaining == 0:
                    return
                self.remaining -= 1
            yield self.X[batch], self.y[batch]
