"""Images in any layout, dtype and range ↔ arrays of shape (n, C, H, W)."""

import math
from collections.abc import Sequence
from typing import Any, NamedTuple, Self

import numpy as np
from sklearn.utils.validation import check_is_fitted

from skgan._mapped import in_a_file, is_large, is_mapped, row_pieces
from skgan._warnings import warn
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


def image_layout(shape: Sequence[int], image_shape: Any = None, channels: str | None = None) -> ImageLayout:
    """Find the layout of images from the shape of X.

    Parameters
    ----------
    shape : sequence of int
        Shape of X: (n, C, H, W), (n, H, W, C), (n, H, W), or (n, d) with ``image_shape``.
    image_shape : tuple of int or None
        (C, H, W) or (H, W) of *flat* rows; (H, W, C) with ``channels="last"``.
    channels : {"first", "last"} or None
        Where the channel axis lies. None takes the smaller of axes 1 and 3 of 4-D images, the first on a tie, and a 3-D X for
        images of one channel; of a 3-D X that has channels, rows are taken for images of height 1.

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
    if 0 in sample_shape:
        raise ValueError(f"X has shape {tuple(shape)}: an axis of length 0 holds no pixels.")
    if image_shape is not None:
        given = tuple(int(size) for size in image_shape)
        if len(given) not in (2, 3) or min(given, default=0) < 1:
            raise ValueError(f"image_shape must be (C, H, W) or (H, W) with positive sizes, got {given}.")
        if len(sample_shape) == 1:
            return _flat_layout(sample_shape, given, channels)
        if given != sample_shape:
            raise ValueError(
                f"image_shape describes flat rows, and X has shape {tuple(shape)}; leave image_shape out for images "
                "that have their axes already."
            )
    if len(sample_shape) == 2:
        first, second = sample_shape
        if channels is None:
            return ImageLayout(sample_shape, (1, first, second), False)
        return ImageLayout(
            sample_shape, (second, 1, first) if channels == "last" else (first, 1, second), channels == "last"
        )
    if len(sample_shape) != 3:
        raise ValueError(
            f"X of shape {tuple(shape)} holds no images that can be recognised: expected (n, C, H, W), (n, H, W, C) or "
            "(n, H, W), or flat rows (n, d) with image_shape=(C, H, W) or (H, W)."
        )
    last = channels == "last" if channels else sample_shape[2] < sample_shape[0]
    first, second, third = sample_shape
    return ImageLayout(sample_shape, (third, first, second) if last else sample_shape, last)


def _flat_layout(sample_shape: tuple[int, ...], image_shape: tuple[int, ...], channels: str | None) -> ImageLayout:
    """Of flat rows; with ``channels="last"`` three sizes are (H, W, C)."""
    if math.prod(image_shape) != sample_shape[0]:
        raise ValueError(
            f"image_shape={image_shape} has {math.prod(image_shape)} values, but the rows of X have "
            f"{sample_shape[0]}; give the (C, H, W) or (H, W) whose product is {sample_shape[0]}."
        )
    if len(image_shape) == 2:
        return ImageLayout(sample_shape, (1, *image_shape), False)
    first, second, third = image_shape
    last = channels == "last"
    return ImageLayout(sample_shape, (third, first, second) if last else (first, second, third), last)


_SAME_RANGE = 4.0
"""Channels whose range is less than this part of all channels' common one are scaled each by its own."""

_OTHER_KIND = 100.0
"""Ratio of ranges along an axis beyond which 3-D rows are hardly images of one channel."""


class ImageCodec(Codec):
    """Images in any layout ↔ arrays of shape (n, C, H, W): uint8 as it is, everything else float32 in [−1, 1].

    New pixels lie within the range that their own channel had in ``fit``. One scale serves all channels, so that colours keep
    their balance, unless a channel's range is less than a quarter of the common one (bands of a satellite, stacked features):
    then each channel has its own scale. uint8 images have one scale always.

    Parameters
    ----------
    image_shape : tuple of int or None, default=None
        (C, H, W) or (H, W) of flat rows; (H, W, C) with ``channels="last"``.
    channels : {"first", "last"} or None, default=None
        Where the channel axis lies. None takes the smaller of axes 1 and 3 of 4-D images, and X of shape (n, H, W) for images
        of one channel. A 3-D X that is no image, such as series (n, time, feature), has its channels "last"; (n, feature, time)
        "first".
    value_range : {"auto", "dtype", "data"} or (low, high), default="auto"
        What black and white are: the dtype's own range, the range seen in ``fit``, or given. "auto" is the dtype's for
        uint8 images that use more than half of it (and for bool), and the data's otherwise. "dtype" and a given range also
        allow values that were not seen.

    Attributes
    ----------
    layout_ : ImageLayout
        Where the axes of the images lie.
    dtype_ : numpy dtype
    low_, high_ : number, or ndarray of shape (C,)
        The range that −1 and 1 stand for; of each channel, where their ranges differ.
    bounds_ : ndarray of shape (2, C)
        Lowest and highest value that comes back, of each channel.

    Warns
    -----
    UserWarning
        Where a 3-D X has clearly different ranges along an axis, and so is hardly an image.
    """

    is_image = True

    def __init__(self, *, image_shape: Any = None, channels: Any = None, value_range: Any = "auto"):
        self.image_shape = image_shape
        self.channels = channels
        self.value_range = value_range

    def fit(self, X: Any, y: Any = None) -> Self:
        """Learn the layout, dtype and range of images X."""
        X = dense_array(X)
        self.layout_ = image_layout(X.shape, self.image_shape, self.channels)
        if X.dtype.kind not in "biuf":
            raise ValueError(f"Images must be numbers, got dtype {X.dtype}.")
        self.dtype_ = X.dtype
        if len(self.layout_.sample_shape) == 2 and self.channels is None:
            self._warn_of_series(X)
        self._learn_range(self.layout_.encode(X))
        if not self._keeps_uint8 and not is_large(X) and 4 * X.size > memory_limit():
            raise ValueError(
                f"Encoded as float32, these {len(X)} images would take {4 * X.size / 2**30:.3g} GiB, and "
                f"{memory_limit() / 2**30:.3g} GiB is the limit here. Pass them as uint8 (0 … 255), which is not "
                "converted, or fewer or smaller ones."
            )
        return self

    def _learn_range(self, images: np.ndarray) -> None:
        """``low_``, ``high_`` and ``bounds_``, of images (n, C, H, W)."""
        ends = [(piece.min((0, 2, 3)), piece.max((0, 2, 3))) for piece in map(images.__getitem__, row_pieces(images))]
        lowest, highest = np.min([low for low, _ in ends], axis=0), np.max([high for _, high in ends], axis=0)
        self.bounds_ = np.stack([lowest, highest])
        self.low_: Any = 0
        self.high_: Any = 1
        if self.dtype_.kind == "b":
            return
        whole = self.dtype_.kind in "iu"
        of_dtype = (np.iinfo(self.dtype_).min, np.iinfo(self.dtype_).max) if whole else (0.0, 1.0)
        if not isinstance(self.value_range, str):
            if len(self.value_range) != 2 or not self.value_range[0] < self.value_range[1]:
                raise ValueError(self._wrong_range())
            self.low_, self.high_ = self.value_range
        elif self.value_range == "dtype":
            self.low_, self.high_ = of_dtype
        elif self.value_range not in ("auto", "data"):
            raise ValueError(self._wrong_range())
        else:
            full = self.dtype_ == np.uint8 and highest.max() > of_dtype[1] // 2
            if full and self.value_range == "auto":
                self.low_, self.high_ = of_dtype
            elif self.dtype_ != np.uint8 and _differ(lowest, highest):
                self.low_, self.high_ = lowest, highest
            else:
                self.low_, self.high_ = lowest.min().item(), highest.max().item()
            return
        self.bounds_ = np.array([[self.low_] * len(lowest), [self.high_] * len(lowest)])

    def _wrong_range(self) -> str:
        return (
            "value_range must be 'auto', 'dtype', 'data' or a pair (low, high) with low < high, got "
            f"{self.value_range!r}."
        )

    def _warn_of_series(self, X: np.ndarray) -> None:
        """Say what a 3-D X is taken for, where it does not look like that."""
        for axis, channels in ((2, "last"), (1, "first")):
            lowest, highest = X.min((0, 3 - axis)).astype(float), X.max((0, 3 - axis)).astype(float)
            spans = highest / 2 - lowest / 2
            varied = spans > 0
            if varied.sum() < 2 or X.dtype == np.uint8:
                continue
            apart = lowest[varied].max() > highest[varied].min()
            if apart or spans[varied].max() > _OTHER_KIND * spans[varied].min():
                warn(
                    f"X of shape {X.shape} is taken for images of one channel, {X.shape[1]}×{X.shape[2]} pixels, and values "
                    f"differ clearly along its axis {axis}, as features do. If that axis holds features or channels, give "
                    f"codec=ImageCodec(channels={channels!r}): each then keeps its own range."
                )
                return

    @property
    def _keeps_uint8(self) -> bool:
        return self.dtype_ == np.uint8 and np.ndim(self.low_) == 0 and (self.low_, self.high_) == (0, 255)

    def transform(self, X: Any) -> np.ndarray:
        """Encode images: (n, C, H, W), uint8 (0 … 255) or float32 (low … high ↦ −1 … 1).

        Images mapped from a file stay there: uint8 ones that need no scaling are a view of X, and where others take more than
        256 MiB they are encoded into a temporary file.
        """
        check_is_fitted(self)
        X = dense_array(X)
        if tuple(X.shape[1:]) != self.layout_.sample_shape:
            raise ValueError(
                f"These images have shape {tuple(X.shape[1:])}, but those in fit had {self.layout_.sample_shape}."
            )
        images = self.layout_.encode(X)
        if self._keeps_uint8 and images.dtype == np.uint8:
            return images if is_mapped(images) else np.ascontiguousarray(images)
        # float64 in between, piece by piece: integers and large offsets would lose digits in float32.
        middle, half = self._affine()
        if is_large(X):
            return in_a_file(((images[p].astype(np.float64) - middle) / half for p in row_pieces(images)), images.shape)
        encoded = np.empty(images.shape, dtype=np.float32)
        for piece in row_pieces(images):
            encoded[piece] = (images[piece].astype(np.float64) - middle) / half
        return encoded

    def _affine(self) -> tuple[np.ndarray, np.ndarray]:
        """Middle and half of the range, of one channel or each, shaped to go with images."""
        low, high = (np.asarray(bound, dtype=np.float64).reshape(-1, 1, 1) for bound in (self.low_, self.high_))
        half = high / 2 - low / 2
        return low / 2 + high / 2, np.where(half > 0, half, 1.0)

    def inverse_transform(self, encoded: np.ndarray, codes: np.ndarray | None = None) -> np.ndarray:
        """Decode (n, C, H, W) into the images' own layout, dtype and range."""
        check_is_fitted(self)
        if encoded.dtype == np.uint8:
            return self.layout_.decode(encoded)
        middle, half = self._affine()
        values = np.clip(encoded.astype(np.float64), -1, 1) * half + middle
        images = np.empty(values.shape, dtype=self.dtype_)
        for channel, (low, high) in enumerate(self.bounds_.T.tolist()):
            images[:, channel] = to_dtype(values[:, channel], self.dtype_, low, high)
        return self.layout_.decode(images)


def _differ(lowest: np.ndarray, highest: np.ndarray) -> bool:
    """Whether some channel uses less than a quarter of the range that all of them have together."""
    spans = highest.astype(np.float64) / 2 - lowest.astype(np.float64) / 2
    common = float(highest.max()) / 2 - float(lowest.min()) / 2
    return bool((spans * _SAME_RANGE < common).any())
