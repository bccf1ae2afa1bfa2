"""The photo report's pair: three transposed convolutions and a 7×7 one, against four strided convolutions with dropout."""

import itertools
import math

import torch
from torch import Tensor, nn

from skgan.modules.heads import make_head
from skgan.modules.layers import Dropout, LabelEmbedding, check_is_image, middle


class _PhotoGenerator(nn.Module):
    def __init__(self, data_shape, n_classes, latent_dim, width, condition_dim):
        super().__init__()
        channels, self.height, self.width = data_shape
        self.start = (width, math.ceil(self.height / 8), math.ceil(self.width / 8))
        self.labels = LabelEmbedding(n_classes, latent_dim, condition_dim)
        self.project = nn.Sequential(nn.Linear(latent_dim + self.labels.dim, math.prod(self.start)), nn.LeakyReLU(0.2))
        upsample = [layer for _ in range(3) for layer in (nn.ConvTranspose2d(width, width, 4, 2, 1), nn.LeakyReLU(0.2))]
        self.layers = nn.Sequential(*upsample, nn.Conv2d(width, channels, 7, padding=3), nn.Tanh())

    def forward(self, z: Tensor, y: Tensor) -> Tensor:
        if self.labels.dim:
            z = torch.cat([z, self.labels(y)], 1)
        image = self.layers(self.project(z).view(-1, *self.start))
        # The layers cover a multiple of 8; the image is its middle.
        return middle(image, self.height, self.width)


class _PhotoDiscriminator(nn.Module):
    def __init__(self, data_shape, n_classes, width, dropout, head, condition_dim):
        super().__init__()
        channels, *sides = data_shape
        sizes = [channels, width // 2, width, width, width]
        self.layers = nn.Sequential(
            *(
                layer
                for n_in, n_out in itertools.pairwise(sizes)
                for layer in (nn.Conv2d(n_in, n_out, 3, 2, 1), nn.LeakyReLU(0.2), Dropout(dropout))
            )
        )
        n_features = width * math.prod(math.ceil(side / 16) for side in sides)
        self.head = make_head(head, n_features, n_classes, condition_dim)

    def forward(self, x: Tensor, y: Tensor) -> Tensor:
        return self.head(self.layers(x).flatten(1), y)


class PhotoGAN(nn.Module):
    """A small convolutional pair, as in the photo report (cows and horses, 82 images of 128 px).

    Generator: noise and label → dense layer, LeakyReLU .2 → three transposed 4×4 convolutions of stride 2 with ``width`` maps
    each and LeakyReLU .2 → 7×7 convolution → tanh. Discriminator: four 3×3 convolutions of stride 2, each with LeakyReLU .2
    and dropout. Sides that are no multiple of 8 are cropped from the next one.

    The report gives one label as a number; here labels are embedded in the generator and projected in the discriminator, as
    in the other modules.

    Parameters
    ----------
    data_shape : tuple of int
        (C, H, W).
    n_classes : int
        1 is unconditional.
    latent_dim : int, default=100
        Length of the noise z ~ N(0, I).
    width : int, default=128
        Feature maps; the discriminator's first layer has half of them.
    dropout : float in [0, 1), default=0.4
        In the discriminator.
    head : {"projection", "auxiliary", "predictor"}, default="projection"
        As of :class:`skgan.modules.DCGAN`.
    condition_dim : int, default=0
        Above 0, labels are real vectors (n, condition_dim) instead of class ids.
    """

    def __init__(
        self,
        data_shape: tuple[int, ...],
        n_classes: int,
        *,
        latent_dim: int = 100,
        width: int = 128,
        dropout: float = 0.4,
        head: str = "projection",
        condition_dim: int = 0,
    ):
        super().__init__()
        check_is_image(self, data_shape)
        self.latent_dim = latent_dim
        self.generator = _PhotoGenerator(data_shape, n_classes, latent_dim, width, condition_dim)
        self.discriminator = _PhotoDiscriminator(data_shape, n_classes, width, dropout, head, condition_dim)

    def forward(self, z: Tensor, y: Tensor) -> Tensor:
        """Noise (n, latent_dim) and labels (n,) → images (n, C, H, W) in [-1, 1]."""
        return self.generator(z, y)
