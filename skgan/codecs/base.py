"""What a sampler asks of a codec."""

from typing import Any

import numpy as np
from sklearn.base import BaseEstimator, TransformerMixin


class Codec(TransformerMixin, BaseEstimator):
    """Rows or images ↔ the array that a net trains on. Subclasses write ``fit``, ``transform`` and ``inverse_transform``.

    A sampler fits a clone on its training rows. What ``inverse_transform`` returns should be of the container, the dtypes and
    within the ranges of these rows.

    Attributes
    ----------
    is_image : bool, default=False
        Whether encoded rows are images, (n, C, H, W), uint8 or float32 in [-1, 1]; else they are float32 of shape (n, d).
    takes_nan : bool, default=False
        Whether rows may have missing values.
    spans_ : tuple of (start, stop), default=()
        Columns of the encoded array that belong to one categorical feature each; they follow the numeric ones. A net whose
        module has no argument ``spans`` is then refused.
    numeric_ : ndarray of bool, shape (n_encoded,), or True
        Which encoded columns are numbers; True is all.
    mostly_zero_ : bool, default=False
        Whether rows are like counts of words: many columns, nearly all 0. A net that starts from noise does badly there.
    inherited_ : ndarray of int, default=empty
        Columns of X that are not encoded: a new row inherits their values from the nearest real row of its class.
    """

    is_image: bool = False
    takes_nan: bool = False
    spans_: tuple[tuple[int, int], ...] = ()
    numeric_: Any = True
    mostly_zero_: bool = False
    inherited_: np.ndarray = np.empty(0, dtype=int)

    def fit(self, X: Any, y: Any = None) -> Any:
        """Learn the columns, or the layout, of X."""
        raise NotImplementedError(f"{type(self).__name__} must have a method fit(X).")

    def transform(self, X: Any) -> np.ndarray:
        """Encode rows that are like those in ``fit``."""
        raise NotImplementedError(f"{type(self).__name__} must have a method transform(X).")

    def inverse_transform(self, encoded: np.ndarray, codes: np.ndarray | None = None) -> Any:
        """Decode rows; a codec with ``inherited_`` columns is given ``codes``, others need not have that argument."""
        raise NotImplementedError(f"{type(self).__name__} must have a method inverse_transform(encoded).")

    def between(self, first: np.ndarray, second: np.ndarray, share: np.ndarray) -> np.ndarray:
        """Encoded rows on the straight line between two each.

        Parameters
        ----------
        first, second : ndarray of shape (n, …), float32
            Encoded rows; of images, in [-1, 1].
        share : ndarray of shape (n,)
            How far from the first to the second, 0 to 1.
        """
        share = share.reshape(-1, *[1] * (first.ndim - 1)).astype(np.float32)
        return first + share * (second - first)

    def ranges(self, X: Any, groups: np.ndarray) -> dict[int, tuple[np.ndarray, np.ndarray]]:
        """Group of rows → lowest and highest encoded value of each column in which new rows of the group may lie.

        None by default: what is decoded lies within the range of all rows, and a group's rows are as the net makes them.
        """
        return {}

    def codes(self, X: Any) -> np.ndarray:
        """What each row holds in the columns of ``inherited_``: int32 of shape ``(n, len(inherited_))``."""
        return np.empty((X.shape[0], 0), dtype=np.int32)
