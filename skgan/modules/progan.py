"""The progressively grown pair: both players start on tiny images and gain one resolution after the other."""

import itertools
import math
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import avg_pool2d, interpolate, pad

from skgan.modules.heads import make_head
from skgan.modules.layers import Equalized, LabelEmbedding, MinibatchStd, PixelNorm, check_is_image


def stage_sizes(height: int, width: int) -> list[tuple[int, int]]:
    """(height, width) of every stage: from a smaller side of 7 px or less, doubled until the image is covered.

    28 → 7, 14, 28; 64 → 4, 8, 16, 32, 64; 50 → 7, 14, 28, 56.
    """
    k = max(0, math.ceil(math.log2(min(height, width) / 7)))
    first = math.ceil(height / 2**k), math.ceil(width / 2**k)
    return [(first[0] << stage, first[1] << stage) for stage in range(k + 1)]


def _frame(x: Tensor, amounts: tuple[int, ...], value: float = 0.0) -> Tensor:
    """The image with a margin of (left, right, top, bottom) pixels; negative amounts crop."""
    return pad(x, amounts, value=value) if any(amounts) else x


def _pool(x: Tensor, factor: int) -> Tensor:
    return avg_pool2d(x, factor) if factor > 1 else x


def _enlarge(x: Tensor, factor: int) -> Tensor:
    return interpolate(x, scale_factor=factor, mode="nearest") if factor > 1 else x


def _convolution(n_in: int, n_out: int) -> nn.Module:
    return Equalized(nn.Conv2d(n_in, n_out, 3, padding=1))


def _read_grown(player: "_Player", incompatible_keys: Any) -> None:
    """After ``load_state_dict``: what the buffer says counts."""
    stage, player.alpha = player.grown.tolist()
    player.stage = round(stage)


class _Player(nn.Module):
    """A network that has grown to ``stage``, of which ``alpha`` has faded in.

    The buffer ``grown`` holds both, so that averages, copies and exports of the weights keep them; the plain numbers are
    what ``forward`` reads, so that it never waits for the device.
    """

    grown: Tensor

    def __init__(self, n_stages: int):
        super().__init__()
        self.stage, self.alpha = n_stages - 1, 1.0
        self.register_buffer("grown", torch.tensor([self.stage, self.alpha], dtype=torch.float32))
        self.register_load_state_dict_post_hook(_read_grown)

    def grow(self, stage: int, alpha: float) -> None:
        state = torch.tensor([stage, alpha], dtype=torch.float32)
        self.grown.copy_(state)
        # Alpha as rounded in the buffer, so that a restored net makes the same rows.
        self.stage, self.alpha = int(stage), state[1].item()


class _ProGenerator(_Player):
    def __init__(self, channels, sizes, margin, n_image_channels, n_classes, latent_dim, condition_dim):
        super().__init__(len(sizes))
        self.margin = margin
        self.labels = LabelEmbedding(n_classes, latent_dim, condition_dim)
        start = (channels[0], *sizes[0])
        first = nn.Sequential(
            *(PixelNorm(), Equalized(nn.Linear(latent_dim + self.labels.dim, math.prod(start)))),
            *(nn.Unflatten(1, start), nn.LeakyReLU(0.2), PixelNorm()),
            *(_convolution(channels[0], channels[0]), nn.LeakyReLU(0.2), PixelNorm()),
        )
        later = [
            nn.Sequential(
                nn.Upsample(scale_factor=2, mode="nearest"),
                *(_convolution(n_in, n_out), nn.LeakyReLU(0.2), PixelNorm()),
                *(_convolution(n_out, n_out), nn.LeakyReLU(0.2), PixelNorm()),
            )
            for n_in, n_out in itertools.pairwise(channels)
        ]
        self.blocks = nn.ModuleList([first, *later])
        self.to_image = nn.ModuleList(
            nn.Sequential(Equalized(nn.Conv2d(size, n_image_channels, 1)), nn.Tanh()) for size in channels
        )

    def forward(self, z: Tensor, y: Tensor) -> Tensor:
        h = before = torch.cat([z, self.labels(y)], 1) if self.labels.dim else z
        for block in self.blocks[: self.stage + 1]:
            before, h = h, block(h)
        image = self.to_image[self.stage](h)
        if self.alpha < 1:
            # Images are mixed, not what goes into tanh, because real images are faded as images too.
            image = torch.lerp(_enlarge(self.to_image[self.stage - 1](before), 2), image, self.alpha)
        covering = _enlarge(image, 2 ** (len(self.blocks) - 1 - self.stage))
        return _frame(covering, tuple(-amount for amount in self.margin))


class _ProDiscriminator(_Player):
    def __init__(self, channels, sizes, margin, n_image_channels, n_classes, head, condition_dim):
        super().__init__(len(sizes))
        self.margin = margin
        self.from_image = nn.ModuleList(
            nn.Sequential(Equalized(nn.Conv2d(n_image_channels, size, 1)), nn.LeakyReLU(0.2)) for size in channels
        )
        n_features = channels[0]
        last = nn.Sequential(
            *(MinibatchStd(), _convolution(n_features + 1, n_features), nn.LeakyReLU(0.2), nn.Flatten()),
            *(Equalized(nn.Linear(n_features * math.prod(sizes[0]), n_features)), nn.LeakyReLU(0.2)),
        )
        earlier = [
            nn.Sequential(
                *(_convolution(n_in, n_in), nn.LeakyReLU(0.2)),
                *(_convolution(n_in, n_out), nn.LeakyReLU(0.2), nn.AvgPool2d(2)),
            )
            for n_out, n_in in itertools.pairwise(channels)
        ]
        self.blocks = nn.ModuleList([last, *earlier])
        self.head = make_head(head, n_features, n_classes, condition_dim)

    def forward(self, x: Tensor, y: Tensor) -> Tensor:
        x = _pool(_frame(x, self.margin, -1.0), 2 ** (len(self.blocks) - 1 - self.stage))
        h = self.from_image[self.stage](x)
        for level in range(self.stage, 0, -1):
            h = self.blocks[level](h)
            if level == self.stage and self.alpha < 1:
                h = torch.lerp(self.from_image[level - 1](_pool(x, 2)), h, self.alpha)
        return self.head(self.blocks[0](h), y)


class ProGAN(nn.Module):
    """A pair that grows: it learns the coarse image first, and finer stages fade in one after the other.

    The first stage is the image halved k times, k the least number that brings its smaller side to 7 px or less; every later
    stage doubles both sides, and the image is the middle of the last: 28 px → 7, 14, 28; 50 px → 7, 14, 28, 56. All stages
    are built at once, and a fresh module is at the last one; :class:`skgan.callbacks.Grow` moves it in training. At every
    stage images have their full size: the generator enlarges what its stage makes (nearest neighbour), and the
    discriminator averages what it is given down to its stage. Only the layers of the current stage are computed.

    Differences from Karras et al. (2018): tanh bounds the images; labels are embedded and concatenated to z, and projected
    in the discriminator, whose head (like the embeddings) has no equalised learning rate; sizes that are no power of two;
    gradients are those with respect to full-size images, also where a gradient penalty meets an early stage. The standard
    deviation over the batch is seen by the discriminator, so a row's logit depends on its batch.

    Parameters
    ----------
    data_shape : tuple of int
        (C, H, W), at least 4 px a side.
    n_classes : int
        1 is unconditional.
    latent_dim : int, default=64
        Length of the noise z ~ N(0, I).
    width : int, default=16
        Channels next to the image of the last stage; doubled with every halving of the size.
    max_width : int, default=128
        Channels are never more than this.
    head : {"projection", "auxiliary", "predictor"}, default="projection"
        How the discriminator knows the label, as in :class:`DCGAN`.
    condition_dim : int, default=0
        Above 0, labels are real vectors (n, condition_dim) instead of class ids.

    Attributes
    ----------
    n_stages : int
        Number of stages, at least 1.

    Raises
    ------
    ValueError
        For rows that are no images, and for images of fewer than 4 px a side.

    References
    ----------
    Karras, Aila, Laine & Lehtinen, "Progressive growing of GANs for improved quality, stability, and variation", ICLR
    2018, figure 2 and tables 2 and 3.
    """

    def __init__(
        self,
        data_shape: tuple[int, ...],
        n_classes: int,
        *,
        latent_dim: int = 64,
        width: int = 16,
        max_width: int = 128,
        head: str = "projection",
        condition_dim: int = 0,
    ):
        super().__init__()
        check_is_image(self, data_shape)
        n_image_channels, *sides = data_shape
        if min(sides) < 4:
            raise ValueError(
                f"ProGAN's first stage has at least 4 px a side, and these images have shape {tuple(data_shape)}. Use "
                "net='dcgan' for images this small, or pad them."
            )
        sizes = stage_sizes(*sides)
        self.n_stages = len(sizes)
        self.latent_dim = latent_dim
        channels = [min(max_width, width << halvings) for halvings in reversed(range(self.n_stages))]
        spare = [covering - side for covering, side in zip(sizes[-1], sides, strict=True)]
        margin = tuple(amount for total in reversed(spare) for amount in (total // 2, total - total // 2))
        shared = channels, sizes, margin, n_image_channels, n_classes
        self.generator = _ProGenerator(*shared, latent_dim, condition_dim)
        self.discriminator = _ProDiscriminator(*shared, head, condition_dim)

    def grow(self, stage: int, alpha: float) -> None:
        """Set both players to a stage.

        Parameters
        ----------
        stage : int
            0 … n_stages − 1.
        alpha : float in [0, 1]
            How far the stage has faded in: at 0 both players do what they did at the end of the stage before. Stage 0
            follows none, and is always there in full.
        """
        if stage not in range(self.n_stages) or not 0 <= alpha <= 1:
            raise ValueError(
                f"stage must be an integer from 0 to {self.n_stages - 1} and alpha lie in [0, 1]; "
                f"got {stage!r} and {alpha!r}."
            )
        for player in (self.generator, self.discriminator):
            player.grow(stage, alpha if stage else 1.0)

    def grown(self) -> tuple[int, float]:
        """Stage and alpha as the discriminator's buffer has them; waits for the device."""
        stage, alpha = self.discriminator.grown.tolist()
        return round(stage), alpha

    def fade(self, x: Tensor) -> Tensor:
        """Real images (n, C, H, W) as they look at the current stage: (1 − α) of the stage before + α of this one."""
        stage, alpha = self.discriminator.stage, self.discriminator.alpha
        image = self._at(stage, x)
        return image if alpha == 1 else torch.lerp(self._at(stage - 1, x), image, alpha)

    def _at(self, stage: int, x: Tensor) -> Tensor:
        """Images averaged down to a stage and enlarged again."""
        factor = 2 ** (self.n_stages - 1 - stage)
        if factor == 1:
            return x
        margin = self.discriminator.margin
        # A cell on the edge is the mean of the image's own pixels: the discriminator adds its margin later, and only once.
        share = _pool(_frame(torch.ones_like(x[:1, :1]), margin), factor)
        cells = _pool(_frame(x, margin), factor) / share.clamp(min=factor**-2)
        return _frame(_enlarge(cells, factor), tuple(-amount for amount in margin))

    def forward(self, z: Tensor, y: Tensor) -> Tensor:
        """Noise (n, latent_dim) and labels (n,) → images (n, C, H, W) in [-1, 1]."""
        return self.generator(z, y)
