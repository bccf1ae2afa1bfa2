"""The galaxy report's pair: bilinear resizing before unstrided convolutions, a discriminator that predicts the labels."""

import math

from torch import Tensor, cat, nn
from torch.nn.functional import interpolate

from skgan.modules.heads import PredictorHead


class _ResizeGenerator(nn.Module):
    def __init__(self, data_shape, latent_dim, condition_dim, width, n_hidden):
        super().__init__()
        channels, *size = data_shape
        # A third, two thirds and all of the size; a 4×4 convolution without padding takes 3 px away.
        self.sizes = [tuple(math.ceil(part * side / 3) for side in size) for part in (1, 2, 3)]
        self.start = (2 * width, *self.sizes[0])
        self.dense = nn.Sequential(
            *(nn.Linear(latent_dim + condition_dim, n_hidden), nn.BatchNorm1d(n_hidden), nn.ReLU()),
            *(nn.Linear(n_hidden, math.prod(self.start)), nn.BatchNorm1d(math.prod(self.start)), nn.ReLU()),
        )
        self.middle = nn.Sequential(nn.Conv2d(2 * width, width, 4), nn.BatchNorm2d(width), nn.ReLU())
        self.last = nn.Conv2d(width, channels, 4)

    def forward(self, z: Tensor, y: Tensor) -> Tensor:
        h = self.dense(cat([z, y], 1)).view(-1, *self.start)
        for size, convolution in zip(self.sizes[1:], (self.middle, self.last), strict=True):
            h = convolution(interpolate(h, [side + 3 for side in size], mode="bilinear", align_corners=False))
        return h


class _PredictingDiscriminator(nn.Module):
    def __init__(self, data_shape, condition_dim, width, **head):
        super().__init__()
        channels, *size = data_shape
        self.convolutions = nn.Sequential(
            *(nn.Conv2d(channels, width, 4, 2, 1), nn.LeakyReLU(0.2)),
            *(nn.Conv2d(width, 2 * width, 4, 2, 1), nn.BatchNorm2d(2 * width), nn.LeakyReLU(0.2)),
        )
        area = math.prod(side // 2 // 2 for side in size)
        self.head = PredictorHead(2 * width * area, 1, condition_dim=condition_dim, **head)

    def forward(self, x: Tensor, y: Tensor) -> Tensor:
        return self.head(self.convolutions(x).flatten(1), y)


class ResizeConvGAN(nn.Module):
    """A pair for images with real-valued labels, for :class:`skgan.nets.PredictorGANNet`.

    Generator: z ⊕ labels → 1024 → 128 maps at a third of the size → two bilinear resizings, each before a 4×4 convolution
    without stride (64 maps, then the channels), BatchNorm and ReLU except after the last, no output activation.
    Discriminator: 4×4 convolutions with stride 2 (64 and 128 maps, LeakyReLU .2, BatchNorm on the second), then
    :class:`skgan.modules.heads.PredictorHead`.

    Parameters
    ----------
    data_shape : tuple of int
        (C, H, W), at least 4 px a side.
    n_classes : int
        Ignored; labels are real.
    condition_dim : int
        Length of a label, at least 1.
    latent_dim : int, default=100
        Length of the noise z ~ N(0, I).
    width : int, default=64
        Maps of the generator's last hidden and the discriminator's first layer.
    n_hidden : int, default=1024
        Units of the dense layers.
    n_kernels, kernel_dim : int, default=128 and 5
        Of minibatch discrimination.
    """

    def __init__(
        self,
        data_shape: tuple[int, ...],
        n_classes: int = 1,
        *,
        condition_dim: int = 0,
        latent_dim: int = 100,
        width: int = 64,
        n_hidden: int = 1024,
        n_kernels: int = 128,
        kernel_dim: int = 5,
    ):
        super().__init__()
        if len(data_shape) != 3 or min(data_shape[1:]) < 4:
            raise ValueError(
                f"ResizeConvGAN makes images of shape (C, H, W) from 4 px a side, and these rows have shape "
                f"{tuple(data_shape)}. For tables use net='predictor_mlp_gan'."
            )
        self.latent_dim = latent_dim
        self.discriminator = _PredictingDiscriminator(
            data_shape, condition_dim, width, n_hidden=n_hidden, n_kernels=n_kernels, kernel_dim=kernel_dim
        )
        self.generator = _ResizeGenerator(data_shape, latent_dim, condition_dim, width, n_hidden)

    def forward(self, z: Tensor, y: Tensor) -> Tensor:
        """Noise (n, latent_dim) and labels (n, condition_dim) → images (n, C, H, W), unbounded."""
        return self.generator(z, y)
