"""How nets make rows once they are trained, and what they say of where each row comes from."""

import math
from typing import Any, NamedTuple

import numpy as np
import torch

from skgan._draws import randint, randn
from skgan._settings import plain_torch
from skgan._tensors import as_tensor

_CHUNK = 1024
_CHUNK_VALUES = 2**20  # large images go in chunks of fewer rows: their layers take a hundred times an image's memory

NO_PARENT = -1
"""In the place of a parent's index: the row, or its second half, was made from none."""


class Draw(NamedTuple):
    """Encoded rows that a net made.

    Attributes
    ----------
    rows : ndarray of shape ``(n, *data_shape)``, float32
    parents : ndarray of shape (n, 2), or None
        Which rows of the source each was made from: two of them, or one and −1, or −1 and −1 for none. None is none at all.
    """

    rows: np.ndarray
    parents: np.ndarray | None = None


def draw_parents(y: np.ndarray, source) -> np.ndarray:
    """The number of a random row of the source for each of these class ids, or a sentence where there is no source."""
    if source is None:
        raise ValueError("This net makes rows from real ones: give the encoded training set as source=(X, y).")
    parents = np.empty(len(y), dtype=np.int64)
    for klass in np.unique(y):
        of_class, where = np.flatnonzero(source[1] == klass), np.flatnonzero(y == klass)
        parents[where] = of_class[randint(len(of_class), (len(where),)).numpy()]
    return parents


def single_parents(parents: np.ndarray) -> np.ndarray:
    """One parent a row, (n,), as ``Draw.parents`` has them, (n, 2)."""
    return np.stack([parents, np.full_like(parents, NO_PARENT)], axis=1)


class DrawsRows:
    """The part of a net that makes rows: subclasses write ``draw``, in a block whose generators are seeded already.

    Uses ``module_``, ``device_``, ``data_shape_`` and ``condition_scale_`` of the net, and its ``seeded``.
    """

    module_: Any
    device_: Any
    data_shape_: tuple[int, ...]
    condition_scale_: Any
    seeded: Any
    _set_training: Any

    def latent(self, n: int) -> torch.Tensor:
        """Noise of shape (n, latent_dim) from N(0, I)."""
        return randn(n, self.module_.latent_dim, device=self.device_)

    def labels(self, y: Any) -> np.ndarray:
        """Labels as the module takes them: class ids (n,), or real labels (n, k), float32, standardised as in ``fit``."""
        y = np.asarray(y)
        if self.condition_scale_ is None:
            return y.astype(np.int64, copy=False)
        mean, spread = self.condition_scale_
        return ((y.reshape(len(y), -1) - mean) / spread).astype(np.float32)

    def draw(self, y: Any, source: Any = None) -> Draw:
        """Make one encoded row per label, by the draws of the surrounding block, which ``sample`` and samplers have seeded.

        Parameters
        ----------
        y : array of shape (n,)
            Class ids; or real labels, (n,) or (n, k), where the net was trained on these.
        source : tuple (X, y) or None
            The encoded training set, for nets that start from real rows.

        Returns
        -------
        Draw
        """
        return Draw(
            self.in_chunks(lambda labels: self.module_(self.latent(len(labels)), labels), as_tensor(self.labels(y)))
        )

    def sample(self, y: Any, source: Any = None, random_state: int | np.random.RandomState | None = None) -> np.ndarray:
        """Make one encoded row per label.

        Parameters
        ----------
        y, source
            As of ``draw``.
        random_state : int, RandomState or None, default=None
            None is the net's own.

        Returns
        -------
        ndarray of shape ``(n, *data_shape)``, float32
        """
        with self.seeded(random_state):
            return self.draw(y, source).rows

    @plain_torch(grad=False)
    def in_chunks(self, function: Any, *tensors: Any) -> np.ndarray:
        """What the function makes of the tensors' rows, some at a time, on the device and in evaluation mode."""
        self._set_training(False)
        n_rows = max(16, min(_CHUNK, _CHUNK_VALUES // math.prod(self.data_shape_)))
        pieces = zip(*(tensor.split(n_rows) for tensor in tensors), strict=True)
        return torch.cat([function(*(t.to(self.device_) for t in piece)).cpu() for piece in pieces]).numpy()

    def score_samples(self, X: Any, y: Any) -> np.ndarray:
        """How real encoded rows look to the net, shape (n,); only where ``scores_rows`` says so."""
        raise AttributeError(f"{type(self).__name__} has no score of single rows: it has nothing that judges one.")
