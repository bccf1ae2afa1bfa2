"""The user's network: what it is given, a copy of it that runs, and the key of its rows."""

import copy
from collections.abc import Callable, Iterator, Mapping, Sequence, Sized
from contextlib import contextmanager
from typing import Any

import joblib
import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import interpolate
from torch.nn.parameter import is_lazy

from skgan._random import private_rng
from skgan.codecs import ImageCodec
from skgan.embedding._cache import FORMAT
from skgan.samplers._keys import describe


def check_module(module) -> None:
    """Refuse what is no module with weights."""
    if isinstance(module, type):
        raise TypeError(
            f"module must be an instance with its weights, such as {module.__name__}(…); got the class {module.__name__}."
        )
    if not isinstance(module, nn.Module):
        raise TypeError(
            f"module must be a torch module with its weights, got a {type(module).__name__}; load weights into a module by "
            "load_state_dict."
        )
    if any(is_lazy(p) for p in module.parameters()):
        raise ValueError("The module's lazy layers have not been initialised: call it on a batch of images first.")


class Prepare:
    """Encoded images on the device → what the module takes: repeated channels, values in [0, 1], the size, mean and std."""

    def __init__(self, n_channels: int, size: tuple[int, int] | None, mean, std):
        self.n_channels, self.size = n_channels, size
        self.mean = _per_channel("mean", mean, n_channels)
        self.std = _per_channel("std", std, n_channels)
        if self.std is not None and not (self.std > 0).all():
            raise ValueError(f"std must be above 0 for every channel, got {std!r}.")

    def __call__(self, images: Tensor) -> Tensor:
        images = images.contiguous(memory_format=torch.channels_last)
        images = images.float() / 255 if images.dtype == torch.uint8 else (images + 1) / 2
        if self.size is not None and images.shape[2:] != self.size:
            images = interpolate(images, self.size, mode="bilinear", antialias=True)
        images = images.expand(-1, self.n_channels, -1, -1)
        if self.mean is not None:
            images = images - self.mean.to(images.device)
        return images if self.std is None else images / self.std.to(images.device)


def channels_for(module: nn.Module, found: int) -> int:
    """Channels that the module gets of images with so many; its first convolution says what it takes."""
    wanted = next((layer.in_channels for layer in module.modules() if isinstance(layer, nn.Conv2d)), found)
    if found not in (1, wanted):
        raise ValueError(
            f"These images have {found} channels, and the module's first convolution takes {wanted}: give images with "
            f"{wanted} channels, or grey ones, which are repeated. If the channel axis was not recognised, give "
            "channels='first' or channels='last'."
        )
    return wanted


def sides(size) -> tuple[int, int] | None:
    """``size=`` as (height, width)."""
    if size is None:
        return None
    pair = (size, size) if isinstance(size, int | np.integer) else size
    if (
        not isinstance(pair, Sequence)
        or len(pair) != 2
        or not all(isinstance(side, int | np.integer) and not isinstance(side, bool) and side >= 1 for side in pair)
    ):
        raise ValueError(f"size must be a number of pixels, or (height, width), each at least 1; got {size!r}.")
    return int(pair[0]), int(pair[1])


def _per_channel(name: str, values, n_channels: int) -> Tensor | None:
    if values is None:
        return None
    array = np.atleast_1d(np.asarray(values, dtype=np.float32))
    if array.shape not in ((1,), (n_channels,)):
        raise ValueError(
            f"{name} has {array.size} values, and the module gets {n_channels} channels: give one for each."
        )
    if not np.isfinite(array).all():
        raise ValueError(f"{name} must be finite, got {values!r}.")
    return torch.from_numpy(array).reshape(-1, 1, 1)


@contextmanager
def running(module: nn.Module, device: str) -> Iterator[Callable[[Tensor], Any]]:
    """A copy of the module on the device, in evaluation mode, as a function of images, for the length of a block.

    The block is on torch's default settings. Random numbers, if the module draws any, are private and those of every block.
    """
    with private_rng(0, device), torch.no_grad():
        runs: Any = copy.deepcopy(module)
        runs = runs.eval().to(device).to(memory_format=torch.channels_last)
        dtype = next((p.dtype for p in runs.parameters() if p.is_floating_point()), torch.float32)
        yield lambda images: runs(images.to(dtype))


def as_rows(output: Tensor) -> Tensor:
    """Rows (n, d), or feature maps (n, d, h, w), which are averaged, as rows of float32."""
    return (output.mean((2, 3)) if output.ndim == 4 else output).float()


def columns_of(module: nn.Module, shape: tuple[int, int, int], device: str) -> int:
    """Columns of the table that the module makes of images of this shape; refuses one that makes none."""
    with running(module, device) as outputs_of:
        try:
            output = outputs_of(torch.zeros(1, *shape, device=device))
        except Exception as error:  # whatever a user's module raises
            raise ValueError(
                f"The module failed on images of shape {shape} ({type(error).__name__}: {error}): give size= for the height "
                "and width that it takes, and images with its number of channels."
            ) from error
    if isinstance(output, Tensor) and output.ndim in (2, 4) and len(output) == 1:
        return output.shape[1]
    if isinstance(output, Mapping):
        what = f"a {type(output).__name__} with the keys {', '.join(map(str, output))}"
    elif isinstance(output, Tensor):
        what = f"shape {tuple(output.shape)} for one image of shape {shape}"
    else:
        what = f"a {type(output).__name__}" + (f" of {len(output)}" if isinstance(output, Sized) else "")
    raise ValueError(
        f"The module returned {what}, and not one row of numbers an image: (n, d), or feature maps (n, d, h, w). Take its last "
        "layers off, such as by model.head = nn.Identity(), or wrap it in a module whose forward returns the part that is "
        "wanted, such as the first token: model(x)[:, 0]."
    )


def key_of(module: nn.Module, prepare: Prepare, codec: ImageCodec, dtype: np.dtype) -> str:
    """Of everything but the image that a row depends on."""
    alike = copy.deepcopy(module).cpu().eval()
    dtypes = [str(p.dtype) for p in alike.parameters()]
    how = (vars(prepare), codec.layout_, codec.low_, codec.high_, dtype)
    return joblib.hash((FORMAT, repr(describe(alike.float())), dtypes, repr(describe(how))))
