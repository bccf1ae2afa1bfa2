"""Encoder and decoder, for images and tables; and the same with a discriminator (VAE/GAN)."""

import itertools
import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy_with_logits, cross_entropy

from skgan.modules.dcgan import DCDiscriminator, DCGenerator, DCTrunk
from skgan.modules.layers import LabelEmbedding, SpanOutput
from skgan.modules.mlp import MLPDiscriminator


class PosteriorHead(nn.Module):
    """Features and labels → mean and log-variance of the code, each (n, latent_dim)."""

    def __init__(self, n_features: int, n_classes: int, *, latent_dim: int, condition_dim: int = 0):
        super().__init__()
        self.labels = LabelEmbedding(n_classes, min(n_features, 32), condition_dim)
        self.linear = nn.Linear(n_features + self.labels.dim, 2 * latent_dim)

    def forward(self, features: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
        if self.labels.dim:
            features = torch.cat([features, self.labels(y)], 1)
        mean, log_variance = self.linear(features).chunk(2, 1)
        return mean, log_variance.clamp(-12, 8)  # e⁸ is no code any more, and squares of more overflow


class _ImageEncoder(nn.Module):
    def __init__(self, data_shape, n_classes, latent_dim, width, n_features, condition_dim):
        super().__init__()
        self.trunk = DCTrunk(data_shape, width=width, n_features=n_features)
        self.head = PosteriorHead(n_features, n_classes, latent_dim=latent_dim, condition_dim=condition_dim)

    def forward(self, x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
        return self.head(self.trunk(x), y)


class _RowEncoder(nn.Module):
    def __init__(self, data_shape, n_classes, latent_dim, hidden, condition_dim):
        super().__init__()
        sizes = [math.prod(data_shape), *hidden]
        self.layers = nn.Sequential(*_mlp(sizes))
        self.head = PosteriorHead(sizes[-1], n_classes, latent_dim=latent_dim, condition_dim=condition_dim)

    def forward(self, x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
        return self.head(self.layers(x.flatten(1)), y)


class _RowDecoder(nn.Module):
    def __init__(self, data_shape, n_classes, latent_dim, hidden, spans, condition_dim):
        super().__init__()
        self.labels = LabelEmbedding(n_classes, latent_dim, condition_dim)
        sizes = [latent_dim + self.labels.dim, *reversed(hidden)]
        self.layers = nn.Sequential(*_mlp(sizes), nn.Linear(sizes[-1], math.prod(data_shape)))
        self.output = SpanOutput(spans)

    def raw(self, z: Tensor, y: Tensor) -> Tensor:
        """Means of the numeric columns, and logits of the categories."""
        if self.labels.dim:
            z = torch.cat([z, self.labels(y)], 1)
        return self.layers(z)

    def forward(self, z: Tensor, y: Tensor) -> Tensor:
        return self.output(self.raw(z, y))


def _mlp(sizes: Sequence[int]) -> list[nn.Module]:
    return [layer for n_in, n_out in itertools.pairwise(sizes) for layer in (nn.Linear(n_in, n_out), nn.LeakyReLU(0.2))]


class Autoencoder(nn.Module):
    """Encoder and decoder, conditional through embeddings. Images: DCGAN's convolutions; rows: an MLP.

    Parameters
    ----------
    data_shape : tuple of int
        (d,) for rows, (C, H, W) for images.
    n_classes : int
        1 is unconditional.
    latent_dim : int, default=32
        Length of the code.
    width : int, default=32
        Of images: channels next to the image, as of :class:`skgan.modules.DCGAN`.
    n_features : int, default=256
        Of images: the encoder's last hidden layer.
    hidden : sequence of int, default=(256, 128)
        Of rows: hidden layers of the encoder, reversed in the decoder; () makes both linear.
    spans : sequence of (start, stop), default=()
        One-hot spans of a table's categorical columns.
    condition_dim : int, default=0
        Above 0, labels are real vectors (n, condition_dim) instead of class ids.
    """

    code_mean: Tensor
    code_factor: Tensor

    def __init__(
        self,
        data_shape: tuple[int, ...],
        n_classes: int,
        *,
        latent_dim: int = 32,
        width: int = 32,
        n_features: int = 256,
        hidden: Sequence[int] = (256, 128),
        spans: Sequence[tuple[int, int]] = (),
        condition_dim: int = 0,
    ):
        super().__init__()
        self.latent_dim, self.spans = latent_dim, tuple(spans)
        self.is_image = len(data_shape) == 3
        self.encoder: nn.Module
        self.generator: nn.Module
        if self.is_image:
            self.encoder = _ImageEncoder(data_shape, n_classes, latent_dim, width, n_features, condition_dim)
            self.generator = DCGenerator(
                data_shape, n_classes, latent_dim=latent_dim, width=width, condition_dim=condition_dim
            )
        else:
            self.encoder = _RowEncoder(data_shape, n_classes, latent_dim, hidden, condition_dim)
            self.generator = _RowDecoder(data_shape, n_classes, latent_dim, hidden, spans, condition_dim)
        # Spread of the numeric columns around what is decoded, learned with the rest
        self.log_scale = nn.Parameter(torch.zeros(()))
        # The Gaussian that the codes of each class follow; the net fills it in after training.
        self.register_buffer("code_mean", torch.zeros(n_classes, latent_dim))
        self.register_buffer("code_factor", torch.eye(latent_dim).repeat(n_classes, 1, 1))

    def forward(self, z: Tensor, y: Tensor) -> Tensor:
        """Codes (n, latent_dim) and labels (n,) → rows ``(n, *data_shape)``."""
        return self.generator(z, y)

    def log_likelihood(self, x: Tensor, z: Tensor, y: Tensor, likelihood: str) -> Tensor:
        """log p(x | z, y) of rows ``(n, *data_shape)``, in nats, shape (n,).

        "bernoulli" takes images in [-1, 1] for probabilities (x + 1) / 2; "gaussian" has one learned variance for all numbers
        (Rybkin, Daniilidis & Levine, "Simple and effective VAE training with calibrated decoders", ICML 2021, eq. 2) and a
        categorical distribution for every one-hot span.
        """
        raw = self.generator.raw(z, y)  # type: ignore[operator]
        if likelihood == "bernoulli":  # (tanh r + 1) / 2 = σ(2 r)
            return -binary_cross_entropy_with_logits(2 * raw, (x + 1) / 2, reduction="none").flatten(1).sum(1)
        mean = raw.tanh() if self.is_image else raw
        numbers = slice(0, self.spans[0][0] if self.spans else None)
        error = ((x - mean) * torch.exp(-self.log_scale)).square() + 2 * self.log_scale + math.log(2 * math.pi)
        total = -0.5 * error.flatten(1)[:, numbers].sum(1)
        for start, stop in self.spans:
            total = total - cross_entropy(raw[:, start:stop], x[:, start:stop], reduction="none")
        return total


class VAEGAN(Autoencoder):
    """:class:`Autoencoder` with a discriminator, whose last hidden layer measures reconstructions.

    Parameters
    ----------
    data_shape, n_classes, latent_dim, width, n_features, hidden, spans, condition_dim
        As :class:`Autoencoder`; ``n_features`` is also the length of the discriminator's last hidden layer on images.
    alpha : int, default=4
        Of rows: size of the discriminator, 128α-32α-8α.
    """

    def __init__(
        self,
        data_shape: tuple[int, ...],
        n_classes: int,
        *,
        latent_dim: int = 32,
        width: int = 32,
        n_features: int = 256,
        hidden: Sequence[int] = (256, 128),
        alpha: int = 4,
        spans: Sequence[tuple[int, int]] = (),
        condition_dim: int = 0,
    ):
        super().__init__(
            data_shape,
            n_classes,
            latent_dim=latent_dim,
            width=width,
            n_features=n_features,
            hidden=hidden,
            spans=spans,
            condition_dim=condition_dim,
        )
        self.discriminator: nn.Module
        if self.is_image:
            self.discriminator = DCDiscriminator(
                data_shape, n_classes, width=width, n_features=n_features, condition_dim=condition_dim
            )
        else:
            self.discriminator = MLPDiscriminator(data_shape, n_classes, alpha=alpha, condition_dim=condition_dim)
