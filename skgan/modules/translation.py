"""The cycle-consistent pair of pairs: two translators between classes (or domains), and two discriminators."""

import itertools
from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn.functional import leaky_relu, pad

from skgan.modules.heads import ProjectionHead
from skgan.modules.layers import LabelEmbedding, SpanOutput, activation_norm, weight_normed

LABEL_CHANNELS = 8
OWN_CATEGORY = 4.0
"""Logit of a row's own category before its translator has learned anything."""


class _Residual(nn.Module):
    def __init__(self, n_channels: int, norm: str):
        super().__init__()
        self.layers = nn.Sequential(
            *(weight_normed(nn.Conv2d(n_channels, n_channels, 3, padding=1), norm), activation_norm(n_channels, norm)),
            nn.ReLU(),
            *(weight_normed(nn.Conv2d(n_channels, n_channels, 3, padding=1), norm), activation_norm(n_channels, norm)),
        )

    def forward(self, x: Tensor) -> Tensor:
        return x + self.layers(x)


class _ImageTranslator(nn.Module):
    """Down twice, residual blocks with the label as extra channels, up twice; with skips it is a U-Net."""

    def __init__(self, data_shape, n_classes, width, n_blocks, norm, skips):
        super().__init__()
        channels, self.height, self.width = data_shape
        self.skips = skips
        self.padding = (0, -self.width % 4, 0, -self.height % 4)
        self.labels = LabelEmbedding(n_classes, LABEL_CHANNELS)
        sizes = [width, 2 * width, 4 * width]
        self.first = nn.Sequential(nn.Conv2d(channels, width, 5, padding=2), activation_norm(width, norm), nn.ReLU())
        self.down = nn.ModuleList(
            nn.Sequential(weight_normed(nn.Conv2d(a, b, 4, 2, 1), norm), activation_norm(b, norm), nn.ReLU())
            for a, b in itertools.pairwise(sizes)
        )
        self.join = nn.Conv2d(sizes[-1] + self.labels.dim, sizes[-1], 1)
        self.blocks = nn.Sequential(*(_Residual(sizes[-1], norm) for _ in range(n_blocks)))
        self.up = nn.ModuleList(
            nn.Sequential(
                weight_normed(nn.ConvTranspose2d((1 + skips) * b, a, 4, 2, 1), norm),
                activation_norm(a, norm),
                nn.ReLU(),
            )
            for a, b in reversed(list(itertools.pairwise(sizes)))
        )
        self.last = nn.Conv2d((1 + skips) * width, channels, 5, padding=2)

    def forward(self, x: Tensor, y: Tensor) -> Tensor:
        h = self.first(pad(x, self.padding, value=-1.0))
        seen = []
        for down in self.down:
            seen.append(h)
            h = down(h)
        labels = self.labels(y)[:, :, None, None].expand(-1, -1, *h.shape[2:])
        seen.append(h := self.join(torch.cat([h, labels], 1)))
        h = self.blocks(h)
        for up in self.up:
            h = up(torch.cat([h, seen.pop()], 1) if self.skips else h)
        h = self.last(torch.cat([h, seen.pop()], 1) if self.skips else h)
        return h[:, :, : self.height, : self.width].tanh()


class _PatchDiscriminator(nn.Module):
    """A logit for every patch of 38 × 38 pixels, one in 8, which knows the class: (n, ⌊H/8⌋ · ⌊W/8⌋).

    A small image is thereby seen whole, as it must be where classes differ in shape and not in texture.
    """

    def __init__(self, data_shape, n_classes, width, norm):
        super().__init__()
        sizes = [data_shape[0], width, 2 * width, 4 * width]
        self.layers = nn.ModuleList(weight_normed(nn.Conv2d(a, b, 4, 2, 1), norm) for a, b in itertools.pairwise(sizes))
        self.features = weight_normed(nn.Conv2d(sizes[-1], 8 * width, 3, padding=1), norm)
        self.head = ProjectionHead(8 * width, n_classes, norm=norm)

    def forward(self, x: Tensor, y: Tensor) -> Tensor:
        for layer in self.layers:
            x = leaky_relu(layer(x), 0.2)
        h = leaky_relu(self.features(x), 0.2).permute(0, 2, 3, 1)
        return self.head(h.flatten(0, 2), y.repeat_interleave(h.shape[1] * h.shape[2])).view(len(x), -1)


class _RowTranslator(nn.Module):
    """A residual on the numeric columns, and categories that are the row's own unless the layers object."""

    scale: Tensor

    def __init__(self, data_shape, n_classes, width, spans):
        super().__init__()
        self.labels = LabelEmbedding(n_classes, LABEL_CHANNELS)
        self.layers = nn.Sequential(
            *(nn.Linear(data_shape[0] + self.labels.dim, 4 * width), nn.LeakyReLU(0.2)),
            *(nn.Linear(4 * width, 4 * width), nn.LeakyReLU(0.2), nn.Linear(4 * width, data_shape[0])),
        )
        self.output = SpanOutput(spans)
        scale = torch.ones(data_shape[0])
        scale[spans[0][0] if spans else data_shape[0] :] = OWN_CATEGORY
        self.register_buffer("scale", scale)

    def forward(self, x: Tensor, y: Tensor) -> Tensor:
        return self.output(self.scale * x + self.layers(torch.cat([x, self.labels(y)], 1)))


class _RowDiscriminator(nn.Module):
    def __init__(self, data_shape, n_classes, width, norm):
        super().__init__()
        self.layers = nn.Sequential(
            *(weight_normed(nn.Linear(data_shape[0], 4 * width), norm), nn.LeakyReLU(0.2)),
            *(weight_normed(nn.Linear(4 * width, 4 * width), norm), nn.LeakyReLU(0.2)),
        )
        self.head = ProjectionHead(4 * width, n_classes, norm=norm)

    def forward(self, x: Tensor, y: Tensor) -> Tensor:
        return self.head(self.layers(x), y)[:, None]


class _TwoWays(nn.Module):
    """One network for rows that become class y ("there"), one for rows of class y that become its donor ("back")."""

    def __init__(self, there: nn.Module, back: nn.Module):
        super().__init__()
        self.there, self.back = there, back

    def forward(self, x: Tensor, y: Tensor, way: str = "there") -> Tensor:
        return self.there(x, y) if way == "there" else self.back(x, y)


class CycleGAN(nn.Module):
    """Two translators and two discriminators for every class and its donor, told apart by the class's label.

    ``generator(x, y, "there")`` turns rows of the donor of class y into rows of class y, ``generator(x, y, "back")`` rows of
    class y into rows of its donor; ``discriminator(x, y, way)`` says how real rows look on that side, patch by patch on
    images. Residual blocks of 4 × 4 stride-2 convolutions as in Zhu et al., smaller; labels enter where the image is smallest.

    Parameters
    ----------
    data_shape : tuple of int
        (C, H, W), at least 8 px a side, or (d,) for rows.
    n_classes : int
        Classes, or domains.
    width : int, default=16
        Channels next to the image; a quarter of the hidden units for rows.
    architecture : {"residual", "unet"}, default="residual"
        Of the image translators; a U-Net's skips keep more of the row.
    n_blocks : int, default=3
        Residual blocks where the image is smallest.
    norm : {"layer", "group", "spectral", "weight", "none"}, default="layer"
        Of the image translators.
    discriminator_norm : {"spectral", "weight", "none"}, default="spectral"
    spans : sequence of (start, stop), default=()
        One-hot spans of a table's categorical columns.

    Attributes
    ----------
    donors : tensor of shape (n_classes,)
        The donor of each class; the net fills it in.

    References
    ----------
    Zhu, Park, Isola & Efros, "Unpaired image-to-image translation using cycle-consistent adversarial networks", ICCV 2017,
    section 4.
    """

    def __init__(
        self,
        data_shape: tuple[int, ...],
        n_classes: int,
        *,
        width: int = 16,
        architecture: str = "residual",
        n_blocks: int = 3,
        norm: str = "layer",
        discriminator_norm: str = "spectral",
        spans: Sequence[tuple[int, int]] = (),
    ):
        super().__init__()
        if architecture not in ("residual", "unet"):
            raise ValueError(f"architecture must be 'residual' or 'unet', got {architecture!r}.")
        self.latent_dim = 0
        if len(data_shape) == 3 and min(data_shape[1:]) < 8:
            raise ValueError(
                f"CycleGAN's discriminators halve images three times, so they need at least 8 px a side; these have shape "
                f"{tuple(data_shape)}. Enlarge them, or use net='dagan'."
            )

        def translator() -> nn.Module:
            if len(data_shape) == 3:
                return _ImageTranslator(data_shape, n_classes, width, n_blocks, norm, architecture == "unet")
            return _RowTranslator(data_shape, n_classes, width, spans)

        def discriminator() -> nn.Module:
            return (_PatchDiscriminator if len(data_shape) == 3 else _RowDiscriminator)(
                data_shape, n_classes, width, discriminator_norm
            )

        self.generator = _TwoWays(translator(), translator())
        self.discriminator = _TwoWays(discriminator(), discriminator())
        self.register_buffer("donors", torch.zeros(n_classes, dtype=torch.int64))

    def forward(self, z: Tensor, y: Tensor, parent: Tensor) -> Tensor:
        """Noise (n, 0), which is not looked at, labels (n,) and rows of their donors ``(n, *data_shape)`` → rows of class y."""
        return self.generator(parent, y, "there")
