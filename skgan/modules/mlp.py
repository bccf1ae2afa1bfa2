"""The MLP pair, for tables and small images."""

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from skgan.modules.heads import HEADS, ProjectionHead, make_head
from skgan.modules.layers import LabelEmbedding, SpanOutput, hidden_layers


class MLPGenerator(nn.Module):
    """Noise and label → rows or images, through hidden layers of 32α, 64α and 128α units.

    Parameters are those of :class:`MLPGAN`.
    """

    def __init__(
        self,
        data_shape: tuple[int, ...],
        n_classes: int,
        *,
        latent_dim: int,
        alpha: int,
        dropout: float = 0.0,
        norm: str = "none",
        spans: Sequence[tuple[int, int]] = (),
        condition_dim: int = 0,
    ):
        super().__init__()
        self.data_shape = tuple(data_shape)
        self.labels = LabelEmbedding(n_classes, latent_dim, condition_dim)
        sizes = [latent_dim + self.labels.dim, 32 * alpha, 64 * alpha, 128 * alpha]
        is_image = len(self.data_shape) == 3
        self.layers = nn.Sequential(
            *hidden_layers(sizes, dropout, norm),
            nn.Linear(sizes[-1], math.prod(self.data_shape)),
            nn.Tanh() if is_image else SpanOutput(spans) if spans else nn.Identity(),
        )

    def forward(self, z: Tensor, y: Tensor) -> Tensor:
        if self.labels.dim:
            z = torch.cat([z, self.labels(y)], 1)
        return self.layers(z).view(-1, *self.data_shape)


class MLPDiscriminator(nn.Module):
    """Rows or images and labels → logits (n,), through hidden layers of 128α, 32α and 8α units.

    Parameters are those of :class:`MLPGAN`; ``norm`` is its ``discriminator_norm``.
    """

    def __init__(
        self,
        data_shape: tuple[int, ...],
        n_classes: int,
        *,
        alpha: int,
        dropout: float = 0.0,
        norm: str = "none",
        head: str = "concat",
        condition_dim: int = 0,
    ):
        super().__init__()
        n_inputs = math.prod(data_shape)
        joins_input = head == "concat"
        self.labels = LabelEmbedding(
            n_classes if joins_input else 1, min(n_inputs, 8 * alpha), condition_dim if joins_input else 0
        )
        sizes = [n_inputs + self.labels.dim, 128 * alpha, 32 * alpha, 8 * alpha]
        self.layers = nn.Sequential(*hidden_layers(sizes, dropout, norm))
        self.head = (
            ProjectionHead(sizes[-1], 1) if joins_input else make_head(head, sizes[-1], n_classes, condition_dim)
        )

    def hidden(self, x: Tensor, y: Tensor) -> Tensor:
        """The last hidden layer, (n, 8α)."""
        x = x.flatten(1)
        if self.labels.dim:
            x = torch.cat([x, self.labels(y)], 1)
        return self.layers(x)

    def forward(self, x: Tensor, y: Tensor) -> Tensor:
        return self.head(self.hidden(x, y), y)


class MLPGAN(nn.Module):
    """Two MLPs whose size is one number α: generator 32α-64α-128α, discriminator 128α-32α-8α, LeakyReLU(.01), dropout.

    The sizes of Liu & Hu's MNIST report ("a size knob"); labels enter both networks as learned vectors.
    Images leave through tanh; rows of a table are linear, and one-hot spans are relaxed draws.

    Parameters
    ----------
    data_shape : tuple of int
        (d,) for rows, (C, H, W) for images.
    n_classes : int
        1 is unconditional.
    latent_dim : int, default=100
        Length of the noise z ~ N(0, I).
    alpha : int, default=4
        α ≥ 1.
    dropout : float in [0, 1), default=0.1
        In both networks; off when sampling.
    norm, discriminator_norm : {"none", "group", "layer", "spectral", "weight"}, default="none"
        Of the hidden layers of either network.
    head : {"concat", "projection", "auxiliary", "predictor"}, default="concat"
        How the discriminator knows the label: joined to its input, by projection, through an auxiliary classifier, or not at
        all, while it predicts real-valued labels (for :class:`skgan.nets.PredictorGANNet`).
    spans : sequence of (start, stop), default=()
        One-hot spans of a table's categorical columns.
    condition_dim : int, default=0
        Above 0, labels are real vectors (n, condition_dim) instead of class ids.

    Attributes
    ----------
    rows_alone : bool
        Every row of a batch passes alone, so that nets of several classes can be trained side by side.
    """

    rows_alone = True

    def __init__(
        self,
        data_shape: tuple[int, ...],
        n_classes: int,
        *,
        latent_dim: int = 100,
        alpha: int = 4,
        dropout: float = 0.1,
        norm: str = "none",
        discriminator_norm: str = "none",
        head: str = "concat",
        spans: Sequence[tuple[int, int]] = (),
        condition_dim: int = 0,
    ):
        super().__init__()
        if head != "concat" and head not in HEADS:
            raise ValueError(f"head must be one of concat, {', '.join(HEADS)}; got {head!r}.")
        self.latent_dim = latent_dim
        self.generator = MLPGenerator(
            data_shape,
            n_classes,
            latent_dim=latent_dim,
            alpha=alpha,
            dropout=dropout,
            norm=norm,
            spans=spans,
            condition_dim=condition_dim,
        )
        self.discriminator = MLPDiscriminator(
            data_shape,
            n_classes,
            alpha=alpha,
            dropout=dropout,
            norm=discriminator_norm,
            head=head,
            condition_dim=condition_dim,
        )

    def forward(self, z: Tensor, y: Tensor) -> Tensor:
        """Noise (n, latent_dim) and labels (n,) → rows ``(n, *data_shape)``."""
        return self.generator(z, y)
