"""Pairs that make offspring of real rows: the generator changes a parent, the discriminator sees (parent, offspring)."""

import itertools
import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn.functional import affine_grid, interpolate, leaky_relu, pad

from skgan._resample import Padding, check_padding, resample
from skgan.modules.dcgan import n_doublings
from skgan.modules.layers import LabelEmbedding, activation_norm, weight_normed
from skgan.modules.pairs import ImagePairDiscriminator, RowPairDiscriminator

_TINT = 0.2  # of a channel's own brightness, beside what all have in common: more gives photographs a colour cast


def _zeroed(layer: nn.Module) -> nn.Module:
    """A last layer that starts at nothing, so that an untrained net copies."""
    for parameter in layer.parameters():
        nn.init.zeros_(parameter)
    return layer


class _ImageGenerator(nn.Module):
    """Parent and noise → displacement field, affine map and brightness field (and residual) → offspring. Knows no label.

    What the net that trains the pair may read off the images: ``padding`` is what comes into view at the border, ``mirrors``
    whether parents may be mirrored left and right, and top and bottom, before they are changed, and ``safe_strength`` how much
    of the change leaves an image in its class. ``strength`` is how much of it is made.
    """

    def __init__(self, data_shape, latent_dim, width, max_shift, norm, residual, padding):
        super().__init__()
        channels, self.height, self.width = data_shape
        self.max_shift = max_shift
        self.padding: Padding = padding
        self.mirrors: tuple[bool, ...] = (False, False)
        self.strength, self.safe_strength = 1.0, 1.0
        k = n_doublings(self.height, self.width)
        self.multiple = 2**k
        sizes = [channels, *(width << level for level in range(k))]
        top = sizes[-1]
        self.down = nn.ModuleList(nn.Conv2d(a, b, 4, 2, 1) for a, b in itertools.pairwise(sizes))
        self.noise = nn.Linear(latent_dim, top)
        self.mix = weight_normed(nn.Conv2d(top, top, 3, 1, 1), norm)
        self.norm = activation_norm(top, norm)
        area = math.ceil(self.height / self.multiple) * math.ceil(self.width / self.multiple)
        self.flow = _zeroed(nn.Conv2d(top, 2, 3, 1, 1))
        self.affine = _zeroed(nn.Linear(top * area, 6))
        self.gain = _zeroed(nn.Conv2d(top, channels, 3, 1, 1))
        self.up = None
        if not residual:
            return
        # Upwards, each level joined by what the way down saw at that size.
        ups = [(top, sizes[-2])] + [(2 * sizes[i], sizes[i - 1]) for i in range(k - 1, 0, -1)]
        self.up = nn.ModuleList(nn.ConvTranspose2d(a, b, 4, 2, 1) for a, b in ups)
        _zeroed(self.up[-1])

    def forward(self, parent: Tensor, z: Tensor) -> Tensor:
        x = pad(parent, (0, -self.width % self.multiple, 0, -self.height % self.multiple), value=-1.0)
        seen: list[Tensor] = []
        for down in self.down:
            x = down(x) if not seen else down(leaky_relu(seen[-1], 0.2))
            seen.append(x)
        h = leaky_relu(x + self.noise(z)[:, :, None, None], 0.2)
        h = leaky_relu(self.norm(self.mix(h)), 0.2)
        offspring = self.brighten(self.warp(parent, h), h)
        if self.up is None:
            return offspring
        residual = self.up[0](h)
        for up, skip in zip(self.up[1:], reversed(seen[:-1]), strict=True):
            residual = up(torch.cat([leaky_relu(residual, 0.2), leaky_relu(skip, 0.2)], 1))
        return offspring + self.strength * residual[:, :, : self.height, : self.width]

    def brighten(self, images: Tensor, h: Tensor) -> Tensor:
        """What is not black made brighter or darker by a smooth field, within a factor of e² and the range of images."""
        gain = self.gain(h)
        common = gain.mean(1, keepdim=True)
        gain = common + _TINT * (gain - common)
        field = interpolate(gain, size=(self.height, self.width), mode="bicubic", align_corners=False)
        return ((images + 1) * (self.strength * field.clamp(-2, 2)).exp() - 1).clamp(max=1)

    def warp(self, parent: Tensor, h: Tensor) -> Tensor:
        """The parent moved by a smooth field of a few control points, upsampled bicubically, and an affine map."""
        size = (self.height, self.width)
        flow = interpolate(self.flow(h) * 0.5, size=size, mode="bicubic", align_corners=False).clamp(
            -self.max_shift, self.max_shift
        )
        change = self.affine(h.flatten(1)).view(-1, 2, 3) * 0.5
        identity = torch.eye(2, 3, device=h.device, dtype=h.dtype)
        grid = affine_grid(identity + self.strength * change, [len(parent), 1, *size], align_corners=False)
        grid = grid + self.strength * flow.permute(0, 2, 3, 1)
        if self.training:
            return resample(parent, grid, self.padding)
        # Sharper than bilinear, which training has because it takes less time
        return resample(parent, grid, self.padding, "bicubic").clamp(-1, 1)

    def get_extra_state(self) -> Tensor:
        """What the net has read off the data, saved with the weights; a padding above 1 is "reflect"."""
        padding = 2.0 if self.padding == "reflect" else self.padding
        return torch.tensor([padding, self.safe_strength, *map(float, self.mirrors)])

    def set_extra_state(self, state: Tensor) -> None:
        """That of a saved generator."""
        padding, self.safe_strength, *mirrors = state.tolist()
        self.padding, self.mirrors = "reflect" if padding > 1 else padding, tuple(map(bool, mirrors))


class _RowGenerator(nn.Module):
    """Parent, noise and class → a residual on the numeric columns; categorical columns are the parent's."""

    def __init__(self, data_shape, n_classes, latent_dim, width, n_numeric, norm):
        super().__init__()
        self.n_numeric = n_numeric
        self.labels = LabelEmbedding(n_classes, 8)
        self.first = nn.Linear(data_shape[0] + latent_dim + self.labels.dim, 4 * width)
        self.second = weight_normed(nn.Linear(4 * width, 4 * width), norm)
        self.norm = activation_norm(4 * width, norm)
        self.last = _zeroed(nn.Linear(4 * width, max(1, n_numeric)))  # a table may hold categories only

    def forward(self, parent: Tensor, z: Tensor, y: Tensor) -> Tensor:
        h = leaky_relu(self.first(torch.cat([parent, z, self.labels(y)], 1)), 0.2)
        h = leaky_relu(self.norm(self.second(h)), 0.2) + h
        residual = self.last(h)[:, : self.n_numeric]
        return torch.cat([parent[:, : self.n_numeric] + residual, parent[:, self.n_numeric :]], 1)


class Offspring(nn.Module):
    """Changes a real parent into another row of its class; starts as a copier.

    Images are warped (a smooth displacement field of a few control points and an affine map) and brightened or darkened (a
    smooth field again), and on request painted over (a residual image). Their generator knows no label, so that variation
    learned from plentiful classes is handed to rare ones.
    Rows of a table get a residual on their numeric columns and keep their categories. The discriminator sees pairs,
    (parent, another real row of its class) against (parent, offspring), and the class by projection: a copy is no such
    pair, and neither is an offspring of another class.

    Parameters
    ----------
    data_shape : tuple of int
        (C, H, W), or (d,) for rows.
    n_classes : int
    latent_dim : int, default=32
        Length of the noise z ~ N(0, I).
    width : int or None, default=None
        Channels next to the image; a quarter of the hidden units for rows. None is 32, and 16 for images of several channels,
        whose steps would else take twice as long.
    n_features : int, default=256
        The image discriminator's last hidden layer.
    max_shift : float, default=0.6
        Largest displacement of the field, in half image sizes.
    norm : {"group", "layer", "spectral", "weight", "none"} or None, default=None
        Of the generator's middle layer; None is "group" for images and "none" for rows.
    discriminator_norm : {"spectral", "weight", "none"}, default="spectral"
    padding : float in [-1, 1], "reflect" or None, default=None
        Of images: what comes into view at the border when a parent is moved, a brightness or the image mirrored there. None:
        the net that trains the pair reads it off the images; alone it is −1, black.
    residual : bool, default=False
        Of images: whether the generator may also paint. Offspring vary more, and cross class lines and blur more.
    head : {"projection", "none"} or None, default=None
        Whether the discriminator knows the class. It remembers the few rows of a rare class by it; without, offspring vary
        more. None is "none" for images and "projection" for rows.
    spans : sequence of (start, stop), default=()
        One-hot spans of a table's categorical columns, which follow the numeric ones.
    """

    def __init__(
        self,
        data_shape: tuple[int, ...],
        n_classes: int,
        *,
        latent_dim: int = 32,
        width: int | None = None,
        n_features: int = 256,
        max_shift: float = 0.6,
        norm: str | None = None,
        discriminator_norm: str = "spectral",
        padding: Padding | None = None,
        residual: bool = False,
        head: str | None = None,
        spans: Sequence[tuple[int, int]] = (),
    ):
        super().__init__()
        if head is None:
            head = "none" if len(data_shape) == 3 else "projection"
        if head not in ("projection", "none"):
            raise ValueError(f"head must be 'projection' or 'none', got {head!r}.")
        if padding is not None:
            check_padding(padding)
        if width is None:
            width = 16 if len(data_shape) == 3 and data_shape[0] > 1 else 32
        known_classes = n_classes if head == "projection" else 1
        self.latent_dim = latent_dim
        self.generator: nn.Module
        self.discriminator: nn.Module
        self.is_image = len(data_shape) == 3
        if self.is_image:
            self.generator = _ImageGenerator(
                data_shape,
                latent_dim,
                width,
                max_shift,
                norm or "group",
                residual,
                -1.0 if padding is None else padding,
            )
            self.discriminator = ImagePairDiscriminator(
                data_shape, known_classes, width=width, n_features=n_features, norm=discriminator_norm
            )
        else:
            n_numeric = spans[0][0] if spans else data_shape[0]
            self.generator = _RowGenerator(data_shape, n_classes, latent_dim, width, n_numeric, norm or "none")
            self.discriminator = RowPairDiscriminator(data_shape, known_classes, width=width, norm=discriminator_norm)

    def forward(self, z: Tensor, y: Tensor, parent: Tensor) -> Tensor:
        """Noise (n, latent_dim), labels (n,) and parents ``(n, *data_shape)`` → offspring ``(n, *data_shape)``."""
        return self.generator(parent, z) if self.is_image else self.generator(parent, z, y)
