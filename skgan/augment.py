"""Batched, differentiable image transforms, each row with its own draw. GAN and classifier share them.

Every transform is a callable ``images -> images`` on float tensors of shape (n, C, H, W) in [-1, 1], draws from the
training's generator, and fills what comes into view with −1 (black). Applied to real and fake images alike before the
discriminator sees them, they are DiffAugment (Zhao et al., "Differentiable augmentation for data-efficient GAN training",
NeurIPS 2020). The defaults keep labels; nothing flips unless asked. In a grid and in ``Anneal`` a transform goes by its
class: ``augment__Translation__max_shift``. Geometry is resampled bilinearly by
``torch.nn.functional.grid_sample``.
"""

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import affine_grid, grid_sample

from skgan._draws import rand, randint, randn_like


def _uniform(n: int, limit: float, like: Tensor) -> Tensor:
    return (rand(n, device=like.device, dtype=like.dtype) * 2 - 1) * limit


def _warp(images: Tensor, theta: Tensor) -> Tensor:
    """Resample with one 2×3 matrix a row; the shift by +1 makes zero padding mean black."""
    grid = affine_grid(theta, list(images.shape), align_corners=False)
    return grid_sample(images + 1, grid, align_corners=False, padding_mode="zeros") - 1


def _identity_matrices(images: Tensor) -> Tensor:
    theta = torch.zeros(len(images), 2, 3, device=images.device, dtype=images.dtype)
    theta[:, 0, 0] = theta[:, 1, 1] = 1
    return theta


def _check_fraction(name: str, value: float, below: float = math.inf) -> None:
    if not 0 <= value < below:
        raise ValueError(f"{name} must be at least 0{f' and below {below}' if below < math.inf else ''}, got {value}.")


class ImageTransform:
    """What moves or hides pixels: it works on images (n, C, H, W) only."""


@dataclass
class Translation(ImageTransform):
    """Shift by up to ``max_shift`` of the image's height and width, each way, in whole pixels."""

    max_shift: float = 0.08

    def __post_init__(self):
        _check_fraction("max_shift", self.max_shift, 1)

    def __call__(self, images: Tensor) -> Tensor:
        n, _, height, width = images.shape
        down, right = (round(self.max_shift * size) for size in (height, width))
        if down == right == 0:
            return images
        padded = torch.nn.functional.pad(images, (right, right, down, down), value=-1.0)
        top = randint(2 * down + 1, (n, 1), device=images.device)
        left = randint(2 * right + 1, (n, 1), device=images.device)
        rows = top + torch.arange(height, device=images.device)
        columns = left + torch.arange(width, device=images.device)
        batch = torch.arange(n, device=images.device)[:, None, None]
        # Advanced indices around a slice put the channel axis last.
        return padded[batch, :, rows[:, :, None], columns[:, None, :]].movedim(-1, 1)


@dataclass
class Rotation(ImageTransform):
    """Rotate about the centre by up to ``max_degrees`` either way."""

    max_degrees: float = 10.0

    def __post_init__(self):
        _check_fraction("max_degrees", self.max_degrees)

    def __call__(self, images: Tensor) -> Tensor:
        angle = _uniform(len(images), math.radians(self.max_degrees), images)
        theta = _identity_matrices(images)
        # affine_grid works in [-1, 1] on both axes, so a rotation of pixels needs the aspect ratio.
        aspect = images.shape[2] / images.shape[3]
        theta[:, 0, 0] = theta[:, 1, 1] = angle.cos()
        theta[:, 0, 1], theta[:, 1, 0] = -angle.sin() * aspect, angle.sin() / aspect
        return _warp(images, theta)


@dataclass
class Scale(ImageTransform):
    """Enlarge or shrink about the centre by a factor drawn log-uniformly from [1 / (1 + s), 1 + s]."""

    max_change: float = 0.1

    def __post_init__(self):
        _check_fraction("max_change", self.max_change)

    def __call__(self, images: Tensor) -> Tensor:
        factor = _uniform(len(images), math.log1p(self.max_change), images).exp()
        theta = _identity_matrices(images)
        theta[:, 0, 0] = theta[:, 1, 1] = 1 / factor
        return _warp(images, theta)


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
        return _warp(images, theta)


@dataclass
class Flip(ImageTransform):
    """Mirror left and right with probability ``p``. Not label-safe for digits or letters: use it where it is."""

    p: float = 0.5

    def __post_init__(self):
        if not 0 <= self.p <= 1:
            raise ValueError(f"p is a probability and must lie in [0, 1], got {self.p}.")

    def __call__(self, images: Tensor) -> Tensor:
        mirrored = rand(len(images), device=images.device) < self.p
        return torch.where(mirrored[:, None, None, None], images.flip(3), images)


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


def transforms_of(augment) -> list[Callable[[Tensor], Tensor]]:
    """The transforms that an ``augment=`` parameter holds: none, one, or several."""
    if augment is None:
        return []
    return [augment] if callable(augment) else list(augment)


def apply_all(transforms: Iterable[Callable[[Tensor], Tensor]], images: Tensor) -> Tensor:
    """Apply transforms in order."""
    for transform in transforms:
        images = transform(images)
    return images
