"""A velocity field that carries noise to rows of a table."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from skgan.modules.layers import LabelEmbedding


class VelocityField(nn.Module):
    """Rows (n, d), times (n, 1) in [0, 1] and labels → velocities (n, d)."""

    def __init__(self, n_columns: int, n_classes: int, width: int, condition_dim: int):
        super().__init__()
        self.labels = LabelEmbedding(n_classes, 16, condition_dim)
        self.layers = nn.Sequential(
            *(nn.Linear(n_columns + 1 + self.labels.dim, width), nn.SiLU()),
            *(nn.Linear(width, width), nn.SiLU(), nn.Linear(width, n_columns)),
        )

    def forward(self, x: Tensor, t: Tensor, y: Tensor) -> Tensor:
        return self.layers(torch.cat([x, t, self.labels(y)], 1))


class Flow(nn.Module):
    """Noise at time 0 follows a learned velocity field to a row at time 1, by midpoint steps.

    Parameters
    ----------
    data_shape : tuple of int
        (d,): rows of a table.
    n_classes : int
        1 is unconditional.
    width : int, default=128
        Units of both hidden layers.
    n_steps : int, default=16
        Midpoint steps from noise to row.
    spans : sequence of (start, stop), default=()
        One-hot spans of categorical columns; they are carried like numbers, and the largest of a span is the category.
    condition_dim : int, default=0
        Above 0, labels are real vectors (n, condition_dim) instead of class ids.
    """

    def __init__(
        self,
        data_shape: tuple[int, ...],
        n_classes: int,
        *,
        width: int = 128,
        n_steps: int = 16,
        spans: Sequence[tuple[int, int]] = (),
        condition_dim: int = 0,
    ):
        super().__init__()
        if len(data_shape) != 1:
            raise ValueError(f"Flow makes rows of a table, and these have shape {tuple(data_shape)}; use net='dcgan'.")
        self.latent_dim, self.n_steps = data_shape[0], n_steps
        self.generator = VelocityField(data_shape[0], n_classes, width, condition_dim)

    def forward(self, z: Tensor, y: Tensor) -> Tensor:
        """Noise (n, d) and labels (n,) → rows (n, d)."""
        step = 1 / self.n_steps
        for i in range(self.n_steps):
            t = torch.full((len(z), 1), i * step, device=z.device)
            halfway = z + step / 2 * self.generator(z, t, y)
            z = z + step * self.generator(halfway, t + step / 2, y)
        return z
