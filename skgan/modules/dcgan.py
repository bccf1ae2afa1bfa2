"""The convolutional pair: transposed 4×4 stride-2 convolutions up, 4×4 stride-2 convolutions down, any image size."""

import itertools
import math

import torch
from torch import Tensor, nn
from torch.nn.functional import leaky_relu, pad

from skgan.modules.heads import make_head
from skgan.modules.layers import LabelEmbedding, activation_norm, check_is_image, middle, weight_normed


def n_doublings(height: int, width: int) -> int:
    """How often the smaller side halves until it is 8 px or less, at least once: 28 → 2, 50 → 3, 64 → 3, 8 → 1."""
    return max(1, math.ceil(math.log2(min(height, width) / 8)))


class DCGenerator(nn.Module):
    """Noise and label → images in [-1, 1]: a dense layer, then transposed 4×4 convolutions of stride 2.

    Parameters are those of :class:`DCGAN`.
    """

    def __init__(
        self,
        data_shape: tuple[int, ...],
        n_classes: int,
        *,
        latent_dim: int,
        width: int,
        norm: str = "group",
        condition_dim: int = 0,
    ):
        super().__init__()
        channels, self.height, self.width = data_shape
        k = n_doublings(self.height, self.width)
        self.start = (width << (k - 1), math.ceil(self.height / 2**k), math.ceil(self.width / 2**k))
        self.labels = LabelEmbedding(n_classes, latent_dim, condition_dim)
        self.project = nn.Linear(latent_dim + self.labels.dim, math.prod(self.start))
        sizes = [width << level for level in reversed(range(k))]
        self.norms = nn.ModuleList(activation_norm(size, norm) for size in sizes)
        self.upsample = nn.ModuleList(
            weight_normed(nn.ConvTranspose2d(n_in, n_out, 4, 2, 1), norm)
            for n_in, n_out in zip(sizes, [*sizes[1:], channels], strict=True)
        )

    def raw(self, z: Tensor, y: Tensor) -> Tensor:
        """Images before the tanh."""
        if self.labels.dim:
            z = torch.cat([z, self.labels(y)], 1)
        h = self.project(z).view(-1, *self.start)
        for norm, upsample in zip(self.norms, self.upsample, strict=True):
            h = upsample(leaky_relu(norm(h), 0.2))
        # The last layer covers a multiple of 2ᵏ; the image is its middle.
        return middle(h, self.height, self.width)

    def forward(self, z: Tensor, y: Tensor) -> Tensor:
        return self.raw(z, y).tanh()


class DCTrunk(nn.Module):
    """Images (n, C, H, W) → features (n, n_features): 4×4 convolutions of stride 2, then a dense layer. Knows no label.

    Parameters are those of :class:`DCGAN`; ``norm`` is its ``discriminator_norm``.
    """

    def __init__(self, data_shape: tuple[int, ...], *, width: int, n_features: int, norm: str = "none"):
        super().__init__()
        channels, height, image_width = data_shape
        k = n_doublings(height, image_width)
        self.padding = tuple(
            amount for size in (image_width, height) for amount in ((-size % 2**k) // 2, -(-(-size % 2**k) // 2))
        )
        sizes = [channels, *(width << level for level in range(k))]
        self.downsample = nn.ModuleList(
            weight_normed(nn.Conv2d(n_in, n_out, 4, 2, 1), norm) for n_in, n_out in itertools.pairwise(sizes)
        )
        # Not on the first layer: there a norm would erase the image's own contrast.
        self.norms = nn.ModuleList(
            activation_norm(size, norm if level else "none") for level, size in enumerate(sizes[1:])
        )
        area = math.ceil(height / 2**k) * math.ceil(image_width / 2**k)
        self.features = weight_normed(nn.Linear(sizes[-1] * area, n_features), norm)

    def forward(self, x: Tensor) -> Tensor:
        h = pad(x, self.padding, value=-1.0) if any(self.padding) else x
        for downsample, norm in zip(self.downsample, self.norms, strict=True):
            h = leaky_relu(norm(downsample(h)), 0.2)
        return leaky_relu(self.features(h.flatten(1)), 0.2)


class DCDiscriminator(nn.Module):
    """Images and labels → logits (n,): a trunk, and a head that may know the label.

    Parameters are those of :class:`DCGAN`; ``norm`` is its ``discriminator_norm``.
    """

    def __init__(
        self,
        data_shape: tuple[int, ...],
        n_classes: int,
        *,
        width: int,
        n_features: int,
        norm: str = "none",
        head: str = "projection",
        condition_dim: int = 0,
    ):
        super().__init__()
        self.trunk = DCTrunk(data_shape, width=width, n_features=n_features, norm=norm)
        self.head = make_head(head, n_features, n_classes, condition_dim)

    def hidden(self, x: Tensor, y: Tensor) -> Tensor:
        """The last hidden layer, (n, n_features), which knows no label."""
        return self.trunk(x)

    def forward(self, x: Tensor, y: Tensor) -> Tensor:
        return self.head(self.hidden(x, y), y)


class DCGAN(nn.Module):
    """A DCGAN for any image size, conditional through embeddings: concatenated to z, projected in the discriminator.

    Differences from Radford et al. (2016): GroupNorm instead of BatchNorm in the generator and no norm in the
    discriminator, so that an average of the weights needs no statistics and gradient penalties see one row at a time.
    Sizes that are no multiple of 2ᵏ are cropped from (generator) and padded to (discriminator) the next one.

    Parameters
    ----------
    data_shape : tuple of int
        (C, H, W).
    n_classes : int
        1 is unconditional.
    latent_dim : int, default=64
        Length of the noise z ~ N(0, I).
    width : int, default=32
        Channels next to the image; doubled with every halving of the size.
    n_features : int, default=128
        Length of the discriminator's last hidden layer.
    norm : {"none", "group", "layer", "spectral", "weight"}, default="group"
        Of the generator's layers.
    discriminator_norm : the same, default="none"
        Of the discriminator's layers.
    head : {"projection", "auxiliary", "predictor"}, default="projection"
        How the discriminator knows the label: by projection, through an auxiliary classifier (AC-GAN), or not at all, while
        it predicts real-valued labels (for :class:`skgan.nets.PredictorGANNet`).
    condition_dim : int, default=0
        Above 0, labels are real vectors (n, condition_dim) instead of class ids.

    References
    ----------
    Radford, Metz & Chintala, "Unsupervised representation learning with deep convolutional GANs", ICLR 2016.
    """

    def __init__(
        self,
        data_shape: tuple[int, ...],
        n_classes: int,
        *,
        latent_dim: int = 64,
        width: int = 32,
        n_features: int = 128,
        norm: str = "group",
        discriminator_norm: str = "none",
        head: str = "projection",
        condition_dim: int = 0,
    ):
        super().__init__()
        check_is_image(self, data_shape)
        self.latent_dim = latent_dim
        self.generator = DCGenerator(
            data_shape, n_classes, latent_dim=latent_dim, width=width, norm=norm, condition_dim=condition_dim
        )
        self.discriminator = DCDiscriminator(
            data_shape,
            n_classes,
            width=width,
            n_features=n_features,
            norm=discriminator_norm,
            head=head,
            condition_dim=condition_dim,
        )

    def forward(self, z: Tensor, y: Tensor) -> Tensor:
        """Noise (n, latent_dim) and labels (n,) → images (n, C, H, W) in [-1, 1]."""
        return self.generator(z, y)
