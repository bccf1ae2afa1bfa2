"""Images in any layout, dtype and range ↔ arrays of shape (n, C, H, W)."""

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from sklearn.utils.validation import check_is_fitted

from skgan.codecs._arrays import dense_array, memory_limit, to_dtype
from skgan.codecs.base import Codec


class ImageLayout(NamedTuple):
    """Where the axes of a user's images lie: the input's shape without the batch axis, and the encoded (C, H, W)."""

    sample_shape: tuple[int, ...]
    data_shape: tuple[int, int, int]
    channels_last: bool

    def encode(self, X: np.ndarray) -> np.ndarray:
        """(n, *sample_shape) → (n, C, H, W); a view where the axes allow it."""
        channels, height, width = self.data_shape
        if self.channels_last:
            return np.moveaxis(X.reshape(len(X), height, width, channels), -1, 1)
        return X.reshape(len(X), channels, height, width)

    def decode(self, images: np.ndarray) -> np.ndarray:
        """(n, C, H, W) → (n, *sample_shape)."""
        if self.channels_last:
            images = np.moveaxis(images, 1, -1)
        return images.reshape(len(images), *self.sample_shape)


def image_layout(shape: Sequence[int], image_shape=None, channels: str | None = None) -> ImageLayout:
    """Find the layout of images from the shape of X.

    Parameters
    ----------
    shape : sequence of int
        Shape of X: (n, C, H, W), (n, H, W, C), (n, H, W), or (n, d) with ``image_shape``.
    image_shape : tuple of int or None
        (C, H, W) or (H, W) of *flat* rows.
    channels : {"first", "last"} or None
        Where the channel axis of 4-D images lies; None takes the smaller of axes 1 and 3, and the first on a tie.

    Returns
    -------
    ImageLayout

    Raises
    ------
    ValueError
        When the shape holds no images, or ``image_shape`` does not fit.
    """
    if channels not in (None, "first", "last"):
        raise ValueError(f"channels must be 'first', 'last' or None, got {channels!r}.")
    sample_shape = tuple(int(size) for size in shape[1:])
    if image_shape is not None:
        image_shape = tuple(int(size) for size in image_shape)
        if len(image_shape) not in (2, 3) or min(image_shape, default=0) < 1:
            raise ValueError(f"image_shape must be (C, H, W) or (H, W) with positive sizes, got {image_shape}.")
        if len(sample_shape) != 1:
            if image_shape != sample_shape:
                raise ValueError(
                    f"image_shape describes flat rows, and X has shape {tuple(shape)}; leave image_shape out for images "
                    "that have their axes already."
                )
        elif math.prod(image_shape) != sample_shape[0]:
            raise ValueError(
                f"image_shape={image_shape} has {math.prod(image_shape)} values, but the rows of X have "
                f"{sample_shape[0]}; give the (C, H, W) or (H, W) whose product is {sample_shape[0]}."
            )
        else:
            data_shape = image_shape if len(image_shape) == 3 else (1, *image_shape)
            return ImageLayout(sample_shape, data_shape, False)
    if len(sample_shape) == 2:
        return ImageLayout(sample_shape, (1, *sample_shape), False)
    if len(sample_shape) != 3:
        raise ValueError(
            f"X of shape {tuple(shape)} holds no images that can be recognised: expected (n, C, H, W), (n, H, W, C) or "
            "(n, H, W), or flat rows (n, d) with image_shape=(C, H, W) or (H, W)."
        )
    last = channels == "last" if channels else sample_shape[2] < sample_shape[0]
    first, second, third = sample_shape
    return ImageLayout(sample_shape, (third, first, second) if last else sample_shape, last)


class ImageCodec(Codec):
    """Images in any layout ↔ arrays of shape (n, C, H, W): uint8 as it is, everything else float32 in [−1, 1].

    Parameters
    ----------
    image_shape : tuple of int or None, default=None
        (C, H, W) or (H, W) of flat rows.
    channels : {"first", "last"} or None, default=None
        Where the channel axis of 4-D images lies; None takes the smaller of axes 1 and 3.
    value_range : {"auto", "dtype", "data"} or (low, high), default="auto"
        What black and white are: the dtype's own range, the range seen in ``fit``, or given. "auto" is the dtype's for
        uint8 images that use more than half of it (and for bool), and the data's otherwise.

    Attributes
    ----------
    layout_ : ImageLayout
        Where the axes of the images lie.
    dtype_ : numpy dtype
    low_, high_ : float
        The range that −1 and 1 stand for; nothing outside it comes back.
    """

    is_image = True

    def __init__(self, *, image_shape=None, channels=None, value_range="auto"):
        self.image_shape = image_shape
        self.channels = channels
        self.value_range = value_range

    def fit(self, X, y=None):
        """Learn the layout, dtype and range of images X."""
        X = dense_array(X)
        self.layout_ = image_layout(X.shape, self.image_shape, self.channels)
        if X.dtype.kind not in "biuf":
            raise ValueError(f"Images must be numbers, got dtype {X.dtype}.")
        self.dtype_ = X.dtype
        self.low_, self.high_ = self._range(X)
        if not self._keeps_uint8 and 4 * X.size > memory_limit():
            raise ValueError(
                f"Encoded as float32, these {len(X)} images would take {4 * X.size / 2**30:.3g} GiB, and "
                f"{memory_limit() / 2**30:.3g} GiB is the limit here. Pass them as uint8 (0 … 255), which is not "
                "converted, or fewer or smaller ones."
            )
        return self

    def _range(self, X) -> tuple[Any, Any]:
        if X.dtype.kind == "b":
            return 0, 1
        bounds = (np.iinfo(X.dtype).min, np.iinfo(X.dtype).max) if X.dtype.kind in "iu" else (0.0, 1.0)
        if isinstance(self.value_range, str):
            seen = X.min().item(), X.max().item()
            if self.value_range == "dtype" or (
                self.value_range == "auto" and X.dtype == np.uint8 and seen[1] > bounds[1] // 2
            ):
                return bounds
            if self.value_range in ("auto", "data"):
                return seen
        elif len(self.value_range) == 2 and self.value_range[0] < self.value_range[1]:
            return tuple(self.value_range)
        raise ValueError(
            f"value_range must be 'auto', 'dtype', 'data' or a pair (low, high) with low < high, got {self.value_range!r}."
        )

    @property
    def _keeps_uint8(self) -> bool:
        return self.dtype_ == np.uint8 and (self.low_, self.high_) == (0, 255)

    def transform(self, X) -> np.ndarray:
        """Encode images: (n, C, H, W), uint8 (0 … 255) or float32 (low … high ↦ −1 … 1)."""
        check_is_fitted(self)
        X = dense_array(X)
        if tuple(X.shape[1:]) != self.layout_.sample_shape:
            raise ValueError(
                f"These images have shape {tuple(X.shape[1:])}, but those in fit had {self.layout_.sample_shape}."
            )
        images = np.ascontiguousarray(self.layout_.encode(X))
        if self._keeps_uint8 and images.dtype == np.uint8:
            return images
        # float64 in between, block by block: integers and large offsets would lose digits in float32.
        encoded = np.empty(images.shape, dtype=np.float32)
        middle, half = self._affine()
        for start in range(0, len(images), 4096):
            block = slice(start, start + 4096)
            encoded[block] = (images[block].astype(np.float64) - middle) / half
        return encoded

    def _affine(self) -> tuple[float, float]:
        low, high = float(self.low_), float(self.high_)
        return low / 2 + high / 2, (high / 2 - low / 2) or 1.0

    def inverse_transform(self, encoded: np.ndarray, codes: np.ndarray | None = None) -> np.ndarray:
        """Decode (n, C, H, W) into the images' own layout, dtype and range."""
        check_is_fitted(self)
        if encoded.dtype == np.uint8:
            return self.layout_.decode(encoded)
        middle, half = self._affine()
        values = np.clip(encoded.astype(np.float64), -1, 1) * half + middle
        return self.layout_.decode(to_dtype(values, self.dtype_, self.low_, self.high_))
