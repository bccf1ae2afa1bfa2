"""The data augmentation GAN's pair: a row's code and noise → another row of its class, without class labels."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from skgan.modules.dcgan import DCGenerator, DCTrunk
from skgan.modules.layers import SpanOutput, check_norm
from skgan.modules.pairs import ImagePairDiscriminator, RowPairDiscriminator


class _ImageGenerator(nn.Module):
    def __init__(self, data_shape, latent_dim, code_dim, width, n_features, norm):
        super().__init__()
        trunk = DCTrunk(data_shape, width=width, n_features=n_features)
        self.encode = nn.Sequential(trunk, nn.Linear(n_features, code_dim))
        self.decoder = DCGenerator(data_shape, 1, latent_dim=code_dim + latent_dim, width=width, norm=norm)

    def forward(self, parent: Tensor, z: Tensor, y: Tensor) -> Tensor:
        return self.decoder(torch.cat([self.encode(parent), z], 1), y)


class _RowGenerator(nn.Module):
    def __init__(self, data_shape, latent_dim, code_dim, width, spans):
        super().__init__()
        n_hidden = 4 * width
        self.encode = nn.Sequential(
            *(nn.Linear(data_shape[0], n_hidden), nn.LeakyReLU(0.2), nn.Linear(n_hidden, code_dim)),
        )
        self.decoder = nn.Sequential(
            *(nn.Linear(code_dim + latent_dim, n_hidden), nn.LeakyReLU(0.2), nn.Linear(n_hidden, data_shape[0])),
            SpanOutput(spans),
        )

    def forward(self, parent: Tensor, z: Tensor, y: Tensor) -> Tensor:
        return self.decoder(torch.cat([self.encode(parent), z], 1))


class DAGAN(nn.Module):
    """Encodes a real parent, adds noise to the code, and decodes another row of its class; knows no class label.

    The discriminator sees pairs, (parent, another real row of its class) against (parent, offspring). As neither network is
    told a class, both can be used on classes that they never saw. The survey's plain encoder and decoder, with a code so
    short that a parent cannot be copied through it; the original's networks are a U-Net of residual blocks.

    Parameters
    ----------
    data_shape : tuple of int
        (C, H, W), or (d,) for rows.
    n_classes : int
        Ignored: classes matter only for which rows are paired.
    latent_dim : int, default=16
        Length of the noise z ~ N(0, I).
    code_dim : int, default=64
        Length of a row's code.
    width : int, default=32
        Channels next to the image; a quarter of the hidden units for rows.
    n_features : int, default=256
        Last hidden layer of the image encoder and of the image discriminator.
    norm : {"group", "layer", "spectral", "weight", "none"}, default="group"
        Of the image decoder.
    discriminator_norm : {"spectral", "weight", "none"}, default="spectral"
    spans : sequence of (start, stop), default=()
        One-hot spans of a table's categorical columns.

    References
    ----------
    Antoniou, Storkey & Edwards, "Data augmentation generative adversarial networks", 2017 (arXiv:1711.04340), section 3.
    """

    knows_labels = False

    def __init__(
        self,
        data_shape: tuple[int, ...],
        n_classes: int,
        *,
        latent_dim: int = 16,
        code_dim: int = 64,
        width: int = 32,
        n_features: int = 256,
        norm: str = "group",
        discriminator_norm: str = "spectral",
        spans: Sequence[tuple[int, int]] = (),
    ):
        super().__init__()
        check_norm(norm)
        self.latent_dim = latent_dim
        self.generator: nn.Module
        self.discriminator: nn.Module
        if len(data_shape) == 3:
            self.generator = _ImageGenerator(data_shape, latent_dim, code_dim, width, n_features, norm)
            self.discriminator = ImagePairDiscriminator(
                data_shape, 1, width=width, n_features=n_features, norm=discriminator_norm
            )
        else:
            self.generator = _RowGenerator(data_shape, latent_dim, code_dim, width, spans)
            self.discriminator = RowPairDiscriminator(data_shape, 1, width=width, norm=discriminator_norm)

    def forward(self, z: Tensor, y: Tensor, parent: Tensor) -> Tensor:
        """Noise (n, latent_dim), labels (n,), which are not looked at, and parents ``(n, *data_shape)`` → offspring."""
        return self.generator(parent, z, y)
