"""Batches drawn from tensors."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import torch

from skgan._draws import multinomial, rand, randn_like, randperm
from skgan._tensors import to_unit_range


class BalancedBatches:
    """Batches of rows whose classes are drawn with probability ∝ countᵇ, for a fixed number of steps.

    An epoch is ``steps_per_epoch`` steps; the indices of an epoch are drawn at once, a batch is one gather.

    Parameters
    ----------
    X : tensor of shape (n, ...)
        In memory, or on the CPU and mapped from a file; batches come on the device of y.
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
    among : tensor of int or None
        Rows that are drawn, in their order; None is all.
    """

    ROWS_PER_CANDIDATE = 25

    def __init__(
        self,
        X,
        y,
        *,
        batch_size,
        max_steps,
        steps_per_epoch,
        power=0.0,
        n_candidates=0,
        labels=None,
        blur=0.0,
        among=None,
    ):
        self.X, self.y, self.batch_size, self.n_candidates = X, y, batch_size, n_candidates
        self.labels, self.blur = y if labels is None else labels, blur
        self.remaining, self.steps_per_epoch = max_steps, steps_per_epoch
        self.partners: torch.Tensor | None = None
        """Class → class that its pairs' parents are drawn from; None is the class itself."""
        self.left: torch.Tensor | None = None
        """Of the epoch that runs: numbers of the rows that are to come, (1 + n_candidates, steps, batch_size)."""
        self.goes_on = False
        drawn = y if among is None else y[among]
        self.order = torch.argsort(drawn, stable=True)
        if among is not None:
            self.order = among[self.order]
        self.counts = torch.bincount(drawn)
        self.starts = torch.cumsum(self.counts, 0) - self.counts
        # A class without rows is never drawn, whatever the power.
        self.weights = torch.where(self.counts > 0, self.counts.double().clamp(min=1) ** power, 0.0)

    def __iter__(self):
        epoch = self.left if self.goes_on else self._epoch()
        self.goes_on = False
        if epoch is None:
            return
        for step in range(epoch.shape[1]):
            first, *candidates = epoch[:, step]
            self.left = epoch[:, step + 1 :]
            self.remaining -= 1
            rows = self.nearest(first, torch.stack(candidates)) if candidates else first
            labels = self.labels[rows]
            if self.blur:
                labels = labels + self.blur * randn_like(labels)
            batch = self.rows(rows), labels
            yield (*batch, self.rows(first)) if candidates else batch

    def _epoch(self) -> torch.Tensor | None:
        """Numbers of the rows of an epoch, drawn at once; None after the last one."""
        steps = min(self.steps_per_epoch, self.remaining)
        if not steps:
            return None
        classes = multinomial(self.weights, steps * self.batch_size)
        of_parents = classes if self.partners is None else self.partners[classes]
        draws = [self.draw(of_parents), *(self.draw(classes) for _ in range(self.n_candidates))]
        return torch.stack(draws).view(len(draws), steps, self.batch_size)

    def training_state(self) -> dict[str, Any]:
        """Where a training stands among its batches."""
        return {"remaining": self.remaining, "left": self.left}

    def restore_training(self, state: dict[str, Any]) -> None:
        """Go on in the midst of an epoch, where ``training_state`` was taken."""
        left = state["left"]
        self.remaining, self.left, self.goes_on = state["remaining"], left.to(self.order.device), True

    def rows(self, index: torch.Tensor) -> torch.Tensor:
        """These rows as a net takes them, on the device of the index; uint8 until they are there."""
        return to_unit_range(self.X[index.to(self.X.device)].to(index.device))

    def nearest(self, parents: torch.Tensor, candidates: torch.Tensor) -> torch.Tensor:
        """For each parent the nearest of its candidates, shape (n_candidates, batch), that is not the parent itself."""
        if len(candidates) == 1:
            return candidates[0]
        of_parents = self.rows(parents).flatten(1)
        distances = (self.rows(candidates).flatten(2) - of_parents).square().sum(2)
        allowed = (self.counts[self.y[parents]] // self.ROWS_PER_CANDIDATE).clamp(min=1)
        late = torch.arange(len(candidates), device=parents.device)[:, None] >= allowed
        best = distances.masked_fill_((candidates == parents) | late, torch.inf).argmin(0)
        return candidates.gather(0, best[None])[0]

    def draw(self, classes: torch.Tensor) -> torch.Tensor:
        """A row of each of these classes."""
        within = (rand(len(classes), device=classes.device, dtype=torch.float64) * self.counts[classes]).long()
        return self.order[self.starts[classes] + within]


def distinct_rows(X: torch.Tensor, y: torch.Tensor) -> torch.Tensor | None:
    """Numbers of the rows of X (n, …) and y (n, …) that repeat no earlier one with the same label; None where none does."""
    keys = _hashes(X) + np.uint64(3) * _hashes(y)
    first, of_row = np.unique(keys, return_index=True, return_inverse=True)[1:]
    if len(first) == len(X):
        return None
    earlier = first[of_row]
    repeated = np.flatnonzero(earlier != np.arange(len(X)))
    # Rows of equal keys are compared: two different ones may have the same by chance.
    equal = _equal(X, repeated, earlier[repeated]) & _equal(y, repeated, earlier[repeated])
    kept = np.ones(len(X), dtype=bool)
    kept[repeated[equal]] = False
    return torch.from_numpy(np.flatnonzero(kept)).to(y.device)


_PIECE = 1 << 20
"""Values of the rows that are looked at together."""


def _pieces(tensor: torch.Tensor, n: int) -> Iterator[slice]:
    step = max(1, _PIECE // max(1, tensor[:1].numel()))
    yield from (slice(start, start + step) for start in range(0, n, step))


def _hashes(tensor: torch.Tensor) -> np.ndarray:
    """A number for each row of (n, …), equal where rows are equal bit by bit; little memory beside the rows is taken."""
    keys = np.empty(len(tensor), dtype=np.uint64)
    factors = None
    for piece in _pieces(tensor, len(tensor)):
        rows = tensor[piece].cpu().contiguous().numpy().reshape(len(keys[piece]), -1)
        words = rows.view(np.uint32 if rows[0].nbytes % 4 == 0 else np.uint8)
        if factors is None:
            factors = np.random.RandomState(0).randint(1, 2**63, size=words.shape[1], dtype=np.uint64) | np.uint64(1)
        keys[piece] = (words.astype(np.uint64) * factors).sum(1)  # modulo 2⁶⁴
    return keys


def _equal(tensor: torch.Tensor, one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Which rows of a tensor are equal to others of it, by their numbers."""
    equal = np.empty(len(one), dtype=bool)
    for piece in _pieces(tensor, len(one)):
        first, second = (tensor[torch.from_numpy(rows[piece]).to(tensor.device)] for rows in (one, other))
        equal[piece] = (first == second).reshape(len(first), -1).all(1).cpu().numpy()
    return equal


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
            rows = rows[randperm(len(rows), device=rows.device)]
        for batch in rows.split(self.batch_size):
            if self.shuffle and len(batch) < min(self.batch_size, len(rows)):
                return
            if self.remaining is not None:
                if self.remaining == 0:
                    return
                self.remaining -= 1
            yield self.X[batch], self.y[batch]
