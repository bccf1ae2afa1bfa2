"""Images resampled on a grid, with what lies outside of them."""

from typing import Literal

from torch import Tensor
from torch.nn.functional import grid_sample

Padding = float | Literal["reflect"]
"""What comes into view from outside of an image: a number in [-1, 1], black to white, or the image mirrored at its border."""


def resample(images: Tensor, grid: Tensor, padding: Padding, mode: str = "bilinear") -> Tensor:
    """Images (n, C, H, W) at the places of a grid (n, H, W, 2), "bilinear" or "bicubic"."""
    if padding == "reflect":
        return grid_sample(images, grid, mode, padding_mode="reflection", align_corners=False)
    # Shifted, so that the zeros from outside mean the number
    return grid_sample(images - padding, grid, mode, padding_mode="zeros", align_corners=False) + padding


def check_padding(padding: Padding) -> None:
    """Refuse what is neither a number in [-1, 1] nor "reflect"."""
    if padding != "reflect" and (isinstance(padding, str) or not -1 <= padding <= 1):
        raise ValueError(f"padding must be 'reflect' or a number in [-1, 1], from black to white; got {padding!r}.")
