"""Batched, differentiable image transforms, each row with its own draw. GAN and classifier share them.

Every transform is a callable ``images -> images`` on float tensors of shape (n, C, H, W) in [-1, 1], draws from the
training's generator, and fills what comes into view with −1 (black) unless ``padding`` says otherwise. Applied to real and
fake images alike before the discriminator sees them, they are DiffAugment (Zhao et al., "Differentiable augmentation for
data-efficient GAN training", NeurIPS 2020). The defaults keep labels; nothing flips unless asked. :class:`Mixup` and
:class:`CutMix` mix two images and their labels, which only a classifier can use. In a grid and in ``Anneal`` a transform goes
by its class: ``augment__Translation__max_shift``. Geometry is resampled bilinearly by
``torch.nn.functional.grid_sample``.
"""

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Literal

import torch
from torch import Tensor
from torch.nn.functional import affine_grid, pad

from skgan._draws import rand, randint, randn_like, randperm
from skgan._resample import Padding, check_padding, resample


def _uniform(n: int, limit: float, like: Tensor) -> Tensor:
    return (rand(n, device=like.device, dtype=like.dtype) * 2 - 1) * limit


def _warp(images: Tensor, theta: Tensor, padding: Padding) -> Tensor:
    """Resample with one 2×3 matrix a row."""
    return resample(images, affine_grid(theta, list(images.shape), align_corners=False), padding)


def _identity_matrices(images: Tensor) -> Tensor:
    theta = torch.zeros(len(images), 2, 3, device=images.device, dtype=images.dtype)
    theta[:, 0, 0] = theta[:, 1, 1] = 1
    return theta


def _check_fraction(name: str, value: float, below: float = math.inf) -> None:
    if not 0 <= value < below:
        raise ValueError(f"{name} must be at least 0{f' and below {below}' if below < math.inf else ''}, got {value}.")


def _check_probability(name: str, value: float) -> None:
    if not 0 <= value <= 1:
        raise ValueError(f"{name} is a probability and must lie in [0, 1], got {value}.")


class ImageTransform:
    """What moves or hides pixels: it works on images (n, C, H, W) only."""


@dataclass
class Translation(ImageTransform):
    """Shift by up to ``max_shift`` of the image's height and width, each way, in whole pixels.

    ``padding`` is a number in [-1, 1], or "reflect".
    """

    max_shift: float = 0.08
    padding: Padding = -1.0

    def __post_init__(self):
        _check_fraction("max_shift", self.max_shift, 1)
        check_padding(self.padding)

    def __call__(self, images: Tensor) -> Tensor:
        n, _, height, width = images.shape
        down, right = (min(round(self.max_shift * size), size - 1) for size in (height, width))
        if down == right == 0:
            return images
        sides = (right, right, down, down)
        padded = (
            pad(images, sides, mode="reflect") if self.padding == "reflect" else pad(images, sides, value=self.padding)
        )
        top = randint(2 * down + 1, (n, 1), device=images.device)
        left = randint(2 * right + 1, (n, 1), device=images.device)
        rows = top + torch.arange(height, device=images.device)
        columns = left + torch.arange(width, device=images.device)
        batch = torch.arange(n, device=images.device)[:, None, None]
        # Advanced indices around a slice put the channel axis last.
        return padded[batch, :, rows[:, :, None], columns[:, None, :]].movedim(-1, 1)


@dataclass
class Rotation(ImageTransform):
    """Rotate about the centre by up to ``max_degrees`` either way. ``padding`` as of :class:`Translation`."""

    max_degrees: float = 10.0
    padding: Padding = -1.0

    def __post_init__(self):
        _check_fraction("max_degrees", self.max_degrees)
        check_padding(self.padding)

    def __call__(self, images: Tensor) -> Tensor:
        angle = _uniform(len(images), math.radians(self.max_degrees), images)
        theta = _identity_matrices(images)
        # affine_grid works in [-1, 1] on both axes, so a rotation of pixels needs the aspect ratio.
        aspect = images.shape[2] / images.shape[3]
        theta[:, 0, 0] = theta[:, 1, 1] = angle.cos()
        theta[:, 0, 1], theta[:, 1, 0] = -angle.sin() * aspect, angle.sin() / aspect
        return _warp(images, theta, self.padding)


@dataclass
class Scale(ImageTransform):
    """Enlarge or shrink about the centre by a factor drawn log-uniformly from [1 / (1 + s), 1 + s].

    ``padding`` as of :class:`Translation`.
    """

    max_change: float = 0.1
    padding: Padding = -1.0

    def __post_init__(self):
        _check_fraction("max_change", self.max_change)
        check_padding(self.padding)

    def __call__(self, images: Tensor) -> Tensor:
        factor = _uniform(len(images), math.log1p(self.max_change), images).exp()
        theta = _identity_matrices(images)
        theta[:, 0, 0] = theta[:, 1, 1] = 1 / factor
        return _warp(images, theta, self.padding)


@dataclass
class Crop(ImageTransform):
    """Cut a random window of at least ``min_area`` of the image and enlarge it to the full size."""

    min_area: float = 0.8

    def __post_init__(self):
        if not 0 < self.min_area <= 1:
            raise ValueError(f"min_area must lie in (0, 1], got {self.min_area}.")

    def __call__(self, images: Tensor) -> Tensor:
        n = len(images)
        area = self.min_area + (1 - self.min_area) * rand(n, device=images.device, dtype=images.dtype)
        side = area.sqrt()
        theta = _identity_matrices(images)
        theta[:, 0, 0] = theta[:, 1, 1] = side
        theta[:, 0, 2] = _uniform(n, 1.0, images) * (1 - side)
        theta[:, 1, 2] = _uniform(n, 1.0, images) * (1 - side)
        return _warp(images, theta, -1.0)


@dataclass
class Flip(ImageTransform):
    """Mirror with probability ``p``: left and right, or, with ``axis="vertical"``, top and bottom.

    Not label-safe for digits or letters: use it where it is.
    """

    p: float = 0.5
    axis: Literal["horizontal", "vertical"] = "horizontal"

    def __post_init__(self):
        _check_probability("p", self.p)
        if self.axis not in ("horizontal", "vertical"):
            raise ValueError(f"axis must be 'horizontal' or 'vertical', got {self.axis!r}.")

    def __call__(self, images: Tensor) -> Tensor:
        mirrored = rand(len(images), device=images.device) < self.p
        return torch.where(mirrored[:, None, None, None], images.flip(3 if self.axis == "horizontal" else 2), images)


@dataclass
class Cutout(ImageTransform):
    """Blacken a rectangle of ``size`` of the height and width at a random place (partly outside, at the border)."""

    size: float = 0.3

    def __post_init__(self):
        _check_fraction("size", self.size, 1)

    def __call__(self, images: Tensor) -> Tensor:
        down, across = (self._inside(len(images), length, images.device) for length in images.shape[2:])
        hidden = down[:, None, :, None] & across[:, None, None, :]
        return torch.where(hidden, -1.0, images)

    def _inside(self, n: int, length: int, device: torch.device) -> Tensor:
        """Which places along one axis the rectangle covers, (n, length); its centre lies within the image."""
        extent = round(self.size * length)
        start = randint(length, (n, 1), device=device) - extent // 2
        place = torch.arange(length, device=device)
        return (place >= start) & (place < start + extent)


@dataclass
class InstanceNoise:
    """Gaussian noise of ``std`` on every value: real and fake alike, since the critic applies it to both ([1]_).

    Works on rows of tables too. Usually annealed away: ``Anneal("augment__InstanceNoise__std", (0.2, 0.0))``.

    References
    ----------
    .. [1] Sønderby et al., "Amortised MAP inference for image super-resolution", ICLR 2017, section 3.2.
    """

    std: float = 0.1

    def __post_init__(self):
        _check_fraction("std", self.std)

    def __call__(self, rows: Tensor) -> Tensor:
        return rows + self.std * randn_like(rows)


@dataclass
class LabelMixing:
    """What mixes every image of a batch with another one, and with it their labels; of a classifier's ``augment`` only."""

    p: float = 0.5

    def __post_init__(self):
        _check_probability("p", self.p)

    def mix(self, images: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Mix the images of a batch, or not.

        Parameters
        ----------
        images : Tensor of shape (n, C, H, W)

        Returns
        -------
        mixed : Tensor of shape (n, C, H, W)
        partners : Tensor of shape (n,)
            The place in the batch of the image that each was mixed with.
        share : Tensor of shape ()
            How much of each mixed image is its own: the weight of its own label. 1 − share is the weight of its partner's.
        """
        n, device = len(images), images.device
        partners = randperm(n, device=device)
        share, wanted = rand(2, device=device).unbind()
        mixed, share = self.mixed(images, images[partners], share, wanted < self.p)
        return mixed, partners, share

    def mixed(self, images: Tensor, partners: Tensor, share: Tensor, wanted: Tensor) -> tuple[Tensor, Tensor]:
        """Images and partners, the wanted share, and whether this batch is mixed → mixed images and their true share."""
        raise NotImplementedError


@dataclass
class Mixup(LabelMixing):
    """Mix two images pixel by pixel, their share drawn uniformly once a batch, with probability ``p`` ([1]_ with α = 1).

    References
    ----------
    .. [1] Zhang et al., "mixup: beyond empirical risk minimization", ICLR 2018.
    """

    def mixed(self, images: Any, partners: Any, share: Any, wanted: Any) -> Any:
        share = torch.where(wanted, share, 1.0)
        return partners + share * (images - partners), share


@dataclass
class CutMix(LabelMixing):
    """Replace a rectangle by that of another image, its area drawn uniformly once a batch, with probability ``p`` ([1]_).

    References
    ----------
    .. [1] Yun et al., "CutMix: regularization strategy to train strong classifiers with localizable features", ICCV 2019.
    """

    def mixed(self, images: Any, partners: Any, share: Any, wanted: Any) -> Any:
        side = (1 - share).sqrt()
        down, across = (self._inside(length, side) for length in images.shape[2:])
        replaced = down[:, None] & across[None, :] & wanted
        return torch.where(replaced, partners, images), 1 - replaced.float().mean()

    def _inside(self, length: int, side: Tensor) -> Tensor:
        """Which places along one axis the rectangle covers, (length,); its centre lies within the image."""
        centre = rand(1, device=side.device) * length
        place = torch.arange(length, device=side.device) + 0.5
        return (place - centre).abs() < side * length / 2


def transforms_of(augment: Any) -> list[Callable[[Tensor], Tensor]]:
    """The transforms that an ``augment=`` parameter holds: none, one, or several."""
    if augment is None:
        return []
    return [augment] if callable(augment) or isinstance(augment, LabelMixing) else list(augment)


def apply_all(transforms: Iterable[Callable[[Tensor], Tensor]], images: Tensor) -> Tensor:
    """Apply transforms in order."""
    for transform in transforms:
        images = transform(images)
    return images
