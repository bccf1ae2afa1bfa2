"""Codecs: rows or images ↔ the array a net trains on, and back to the same container, dtype, range and categories."""

from typing import Any

from skgan.codecs._images import ImageCodec, ImageLayout, image_layout
from skgan.codecs._tables import TabularCodec
from skgan.codecs.base import Codec

__all__ = ["Codec", "ImageCodec", "ImageLayout", "TabularCodec", "choose_codec", "image_layout"]


def choose_codec(codec: Any, X: Any, *, categorical_features: Any = "auto") -> Codec:
    """What ``codec="auto"`` stands for: images where X has more than two axes, else a table."""
    if isinstance(codec, Codec):
        return codec
    if not isinstance(codec, str) or codec != "auto":
        raise ValueError(f"codec must be 'auto' or a codec such as ImageCodec() or TabularCodec(), got {codec!r}.")
    return ImageCodec() if X.ndim > 2 else TabularCodec(categorical_features=categorical_features)
