"""Batches drawn from tensors in memory."""

import numpy as np
import torch

from skgan._draws import multinomial, rand, randn_like, randperm
from skgan._tensors import to_unit_range


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
        classes = multinomial(self.weights, steps * self.batch_size)
        of_parents = classes if self.partners is None else self.partners[classes]
        draws = [self.draw(of_parents), *(self.draw(classes) for _ in range(self.n_candidates))]
        for first, *candidates in zip(*(draw.view(steps, self.batch_size) for draw in draws), strict=True):
            self.remaining -= 1
            rows = self.nearest(first, torch.stack(candidates)) if candidates else first
            labels = self.labels[rows]
            if self.blur:
                labels = labels + self.blur * randn_like(labels)
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
        within = (rand(len(classes), device=self.X.device, dtype=torch.float64) * self.counts[classes]).long()
        return self.order[self.starts[classes] + within]


def distinct_rows(X: torch.Tensor, y: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """X (n, …) and y (n, …) without rows that repeat an earlier one with the same label, in their order."""
    rows, labels = (part.reshape(len(part), -1).cpu().contiguous().numpy() for part in (X, y))
    keys = _hashes(rows) + np.uint64(3) * _hashes(labels)
    first, of_row = np.unique(keys, return_index=True, return_inverse=True)[1:]
    if len(first) == len(X):
        return X, y
    earlier = first[of_row]
    repeated = np.flatnonzero(earlier != np.arange(len(X)))
    # Rows of equal keys are compared: two different ones may have the same by chance.
    equal = (rows[repeated] == rows[earlier[repeated]]).all(1) & (labels[repeated] == labels[earlier[repeated]]).all(1)
    kept = torch.from_numpy(np.setdiff1d(np.arange(len(X)), repeated[equal])).to(X.device)
    return X[kept], y[kept]


def _hashes(rows: np.ndarray) -> np.ndarray:
    """A number for each row (n, d), equal where rows are equal bit by bit; little memory beside the rows is taken."""
    words = rows.view(np.uint32 if rows.dtype.itemsize % 4 == 0 else np.uint8)
    factors = np.random.RandomState(0).randint(1, 2**63, size=words.shape[1], dtype=np.uint64)
    factors |= np.uint64(1)
    keys = np.empty(len(rows), dtype=np.uint64)
    for start in range(0, len(rows), 1024):
        block = slice(start, start + 1024)
        keys[block] = (words[block].astype(np.uint64) * factors).sum(1)  # modulo 2⁶⁴
    return keys


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
