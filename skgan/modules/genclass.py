"""The unified generator-classifier's networks: rows from a class's attributes, and a measure of "of one class"."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from skgan.modules.dcgan import DCDiscriminator, DCGenerator, DCTrunk
from skgan.modules.mlp import MLPDiscriminator, MLPGenerator


class _Described(nn.Module):
    """A network that is told real vectors, called with class ids: each id stands for its class's attributes."""

    attributes: Tensor

    def __init__(self, network: nn.Module, attributes: Tensor):
        super().__init__()
        self.network = network
        self.register_buffer("attributes", attributes)

    def forward(self, x: Tensor, y: Tensor) -> Tensor:
        return self.network(x, self.attributes[y])


class _Similarity(nn.Module):
    """Rows → points (n, n_dims), by ``embed``, whose distance tells whether two rows are of one class."""

    def __init__(self, data_shape, n_dims, width):
        super().__init__()
        if len(data_shape) == 3:
            trunk = DCTrunk(data_shape, width=width, n_features=128)
            self.embed = nn.Sequential(trunk, nn.Linear(128, n_dims))
        else:
            self.embed = nn.Sequential(
                *(nn.Linear(data_shape[0], 4 * width), nn.LeakyReLU(0.2)),
                *(nn.Linear(4 * width, 4 * width), nn.LeakyReLU(0.2), nn.Linear(4 * width, n_dims)),
            )
        self.bias = nn.Parameter(torch.ones(()))

    def forward(self, one: Tensor, other: Tensor) -> Tensor:
        """Points (n, n_dims) and (m, n_dims) → logits (n, m) of being of one class: b − ‖one − other‖² / n_dims."""
        return self.bias - (one[:, None] - other[None]).square().mean(2)


class GenClass(nn.Module):
    """A conditional pair whose labels are *attributes* of classes, and a similarity network.

    Classes without any row are told apart from the others by their attributes alone. Images go through the convolutional
    pair of :class:`DCGAN`, rows of a table through the MLPs of :class:`MLPGAN`.

    Parameters
    ----------
    data_shape : tuple of int
        (C, H, W), or (d,) for rows.
    n_classes : int
    attributes : array of shape (n_classes, k)
        Of every class, seen or not; standardised inside, column by column.
    latent_dim : int, default=32
        Length of the noise z ~ N(0, I).
    width : int, default=32
        Channels next to the image; a quarter of the similarity network's hidden units for rows.
    alpha : int, default=2
        Size of the MLPs.
    n_dims : int, default=32
        Of the points between which similarity is a distance.
    spans : sequence of (start, stop), default=()
        One-hot spans of a table's categorical columns.
    """

    def __init__(
        self,
        data_shape: tuple[int, ...],
        n_classes: int,
        *,
        attributes: Any,
        latent_dim: int = 32,
        width: int = 32,
        alpha: int = 2,
        n_dims: int = 32,
        spans: Sequence[tuple[int, int]] = (),
    ):
        super().__init__()
        self.latent_dim = latent_dim
        values = torch.as_tensor(attributes, dtype=torch.float32)
        spread = values.std(0, correction=0)
        values = (values - values.mean(0)) / torch.where(spread > 0, spread, 1.0)
        k = values.shape[1]
        generator: nn.Module
        discriminator: nn.Module
        if len(data_shape) == 3:
            generator = DCGenerator(data_shape, 1, latent_dim=latent_dim, width=width, condition_dim=k)
            discriminator = DCDiscriminator(data_shape, 1, width=width, n_features=128, condition_dim=k)
        else:
            generator = MLPGenerator(data_shape, 1, latent_dim=latent_dim, alpha=alpha, spans=spans, condition_dim=k)
            discriminator = MLPDiscriminator(data_shape, 1, alpha=alpha, head="projection", condition_dim=k)
        self.generator, self.discriminator = _Described(generator, values), _Described(discriminator, values.clone())
        self.similarity = _Similarity(data_shape, n_dims, width)

    def forward(self, z: Tensor, y: Tensor) -> Tensor:
        """Noise (n, latent_dim) and class ids (n,) → rows ``(n, *data_shape)``."""
        return self.generator(z, y)
