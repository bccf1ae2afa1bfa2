"""A teacher that makes training data, its curriculum, and the small learner that it is trained to teach."""

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from skgan._draws import randn
from skgan.modules.dcgan import DCGenerator, n_doublings
from skgan.modules.layers import weight_normed
from skgan.modules.mlp import MLPGenerator


class Teacher(nn.Module):
    """A generator, and the course that it teaches: codes and labels of every inner batch, learning rate and momentum.

    Images come from DCGAN's transposed convolutions, rows from an MLP. What is learned beside the generator's weights (codes,
    learning rate, momentum) are parameters here, and the labels are a buffer, so that an export holds the whole course.

    Parameters
    ----------
    data_shape : tuple of int
        (d,) for rows, (C, H, W) for images.
    n_classes : int
        At least 2.
    latent_dim : int, default=64
        Length of a code.
    width : int, default=16
        Of images: channels next to the image, as of :class:`skgan.modules.DCGAN`.
    alpha : int, default=2
        Of rows: hidden layers of 32α, 64α and 128α units.
    spans : sequence of (start, stop), default=()
        One-hot spans of a table's categorical columns.
    unroll_steps : int
        T, inner batches of the course.
    inner_batch_size : int
        B, rows of an inner batch.
    curriculum : {"learned", "random"}
        Whether the codes (T, B, latent_dim) are parameters, or drawn from N(0, I) whenever they are needed.
    inner_lr : float
        What the learner's learning rate is at the start.
    inner_momentum : float in [0, 1)
        What the learner's momentum is at the start.

    Attributes
    ----------
    labels : tensor of shape (T, B)
        Class ids, in turn: every batch has all classes as equally often as its size allows.
    """

    labels: Tensor

    def __init__(
        self,
        data_shape: tuple[int, ...],
        n_classes: int,
        *,
        latent_dim: int = 64,
        width: int = 16,
        alpha: int = 2,
        spans: Sequence[tuple[int, int]] = (),
        unroll_steps: int,
        inner_batch_size: int,
        curriculum: str,
        inner_lr: float,
        inner_momentum: float,
    ):
        super().__init__()
        self.latent_dim = latent_dim
        self.generator: nn.Module
        if len(data_shape) == 3:
            self.generator = DCGenerator(data_shape, n_classes, latent_dim=latent_dim, width=width)
        else:
            self.generator = MLPGenerator(data_shape, n_classes, latent_dim=latent_dim, alpha=alpha, spans=spans)
        shape = unroll_steps, inner_batch_size
        self.codes = nn.Parameter(randn(*shape, latent_dim)) if curriculum == "learned" else None
        self.register_buffer("labels", torch.arange(math.prod(shape)).view(shape) % n_classes)
        # On scales where both can move by orders of magnitude and none leaves its range
        self.log_lr = nn.Parameter(torch.tensor(inner_lr).log())
        self.logit_momentum = nn.Parameter(torch.tensor(inner_momentum).logit(1e-6))

    def forward(self, z: Tensor, y: Tensor) -> Tensor:
        """Codes (n, latent_dim) and labels (n,) → rows ``(n, *data_shape)``."""
        return self.generator(z, y)

    def batches(self, first: int, last: int) -> tuple[Tensor, Tensor]:
        """Rows ``(last − first, B, *data_shape)`` and labels (last − first, B) of these inner steps."""
        y = self.labels[first:last]
        if self.codes is None:
            z = randn(*y.shape, self.latent_dim, device=y.device, dtype=self.log_lr.dtype)
        else:
            z = self.codes[first:last]
        rows = self(z.flatten(0, 1), y.flatten())
        return rows.view(*y.shape, *rows.shape[1:]), y

    def step_sizes(self) -> tuple[Tensor, Tensor]:
        """Learning rate and momentum of the learner, as scalars."""
        return self.log_lr.exp(), self.logit_momentum.sigmoid()


class SmallLearner(nn.Sequential):
    """A small classifier whose training can be differentiated: weight norm, and nothing that mixes or forgets rows.

    Images: as many 3×3 convolutions of stride 2 as leave 8 px or less; rows: two hidden layers. LeakyReLU .1, and a linear
    layer on top. Weight norm makes training through an unrolled loop stable, as the paper found.

    Parameters
    ----------
    data_shape : tuple of int
        (d,) for rows, (C, H, W) for images.
    n_classes : int
    width : int, default=16
        Channels of the first convolution, doubled with every halving of the size; rows: hidden layers of 4 and 2 times that.

    References
    ----------
    Such et al., "Generative teaching networks", ICML 2020.
    """

    def __init__(self, data_shape: tuple[int, ...], n_classes: int, *, width: int = 16):
        layers: list[nn.Module] = []
        if len(data_shape) == 3:
            n_in, height, image_width = data_shape
            for level in range(n_doublings(height, image_width)):
                n_out = width << level
                layers += [weight_normed(nn.Conv2d(n_in, n_out, 3, 2, 1), "weight"), nn.LeakyReLU(0.1)]
                n_in, height, image_width = n_out, -(-height // 2), -(-image_width // 2)
            layers.append(nn.Flatten())
            n_features = n_in * height * image_width
        else:
            n_features = math.prod(data_shape)
            for n_out in (4 * width, 2 * width):
                layers += [weight_normed(nn.Linear(n_features, n_out), "weight"), nn.LeakyReLU(0.1)]
                n_features = n_out
        super().__init__(*layers, weight_normed(nn.Linear(n_features, n_classes), "weight"))
