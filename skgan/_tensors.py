"""Between NumPy arrays and torch tensors."""

import warnings
from collections.abc import Mapping
from typing import TypeVar

import numpy as np
import torch


def as_tensor(array, device: str = "cpu") -> torch.Tensor:
    """A tensor on the device; on the CPU it shares the array's memory."""
    if isinstance(array, np.ndarray) and not array.flags.writeable:
        # torch warns about read-only memory although nothing here writes to it.
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)
            return torch.as_tensor(array, device=device)
    return torch.as_tensor(array, device=device)


def as_tensors(arrays: Mapping[str, np.ndarray]) -> dict[str, torch.Tensor]:
    """Named arrays as tensors that share their memory."""
    return {name: as_tensor(array) for name, array in arrays.items()}


Rows = TypeVar("Rows", np.ndarray, torch.Tensor)


def to_unit_range(rows: Rows) -> Rows:
    """uint8 images become float32 in [-1, 1]; everything else is already encoded and passes."""
    if isinstance(rows, torch.Tensor):
        return rows.float().mul_(2 / 255).sub_(1) if rows.dtype == torch.uint8 else rows
    return rows / np.float32(127.5) - 1 if rows.dtype == np.uint8 else rows
