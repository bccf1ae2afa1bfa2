"""What training images say of themselves: whether they have one background, and whether their classes may be mirrored."""

from typing import Literal

import numpy as np
from sklearn.neighbors import NearestNeighbors
from torch.nn.functional import adaptive_avg_pool2d

from skgan._mapped import PIECE, is_large, some_of
from skgan._resample import Padding
from skgan._settings import plain_torch
from skgan._tensors import as_tensor, to_unit_range
from skgan.augment import Flip, ImageTransform, Rotation, Scale, Translation

Axis = Literal["horizontal", "vertical"]

_NEAR = 8 / 127.5  # 8 of 255 levels: noise of a camera or a JPEG
_SIDE = 12  # images are compared at this size
_ROWS, _MIRRORED = 1000, 150  # of a class: rows that are looked among, rows that are mirrored
_LOOKED_AMONG = 100_000  # images of a large file
_FEWEST = 8  # rows of a class, below which nearest neighbours say little
_FURTHER, _FURTHEST = 0.03, 0.1  # log ratios of distances: of the mean class, of any class


def background_of(images: np.ndarray) -> Padding:
    """The value of most pixels at the images' borders, in [-1, 1], or "reflect" where there is no such value.

    Parameters
    ----------
    images : ndarray of shape (n, C, H, W), uint8, or float32 in [-1, 1]
    """
    rows = images[:: -(-len(images) // _ROWS)]
    sides = (rows[:, :, 0], rows[:, :, -1], rows[:, :, :, 0], rows[:, :, :, -1])
    border = to_unit_range(np.concatenate([side.reshape(-1) for side in sides]))
    value = float(np.median(border))
    return value if np.mean(np.abs(border - value) <= _NEAR) > 0.5 else "reflect"


def may_mirror(images: np.ndarray, y: np.ndarray, axis: Axis) -> bool:
    """Whether mirrored images are as near to the images of their class as these are to each other.

    Mirrored digits and letters are not, nor are shoes that all point left. The distances are those to the nearest image
    of the class, between images of 12×12 pixels; classes of fewer than 8 images are not asked, and where all are so small
    nothing is mirrored.

    Parameters
    ----------
    images : ndarray of shape (n, C, H, W), uint8, or float32 in [-1, 1]
    y : ndarray of shape (n,)
    axis : {"horizontal", "vertical"}
        "horizontal" exchanges left and right.
    """
    classes, counts = np.unique(y, return_counts=True)
    ratios = [_log_ratio(images, np.flatnonzero(y == klass), axis) for klass in classes[counts >= _FEWEST]]
    return bool(ratios) and bool(np.mean(ratios) <= _FURTHER and max(ratios) <= _FURTHEST)


class NearestClass:
    """Of which class the nearest of these images is, between images of 12×12 pixels.

    Of images mapped from a file of more than 256 MiB, evenly spaced ones of each class are looked among, 100,000 in all.

    Parameters
    ----------
    images : ndarray of shape (n, C, H, W), uint8, or float32 in [-1, 1]
    y : ndarray of shape (n,)
    """

    def __init__(self, images: np.ndarray, y: np.ndarray):
        self.rows = np.arange(len(images))
        if is_large(images):
            classes = np.unique(y)
            some = [
                some_of(np.flatnonzero(y == klass), images, max(2, _LOOKED_AMONG // len(classes))) for klass in classes
            ]
            self.rows = np.concatenate(some)
        self.y = y[self.rows]
        neighbours = NearestNeighbors(n_neighbors=min(2, len(self.rows)), algorithm="brute")
        self.index = neighbours.fit(_small(images, self.rows))

    def share_kept(self, images: np.ndarray, labels: np.ndarray, left_out: np.ndarray) -> float:
        """The share of images whose nearest one, without the one at ``left_out``, is of their label."""
        nearest = self.index.kneighbors(_small(images), return_distance=False)
        other = np.where(self.rows[nearest[:, 0]] == left_out, nearest[:, -1], nearest[:, 0])
        return float(np.mean(self.y[other] == labels))


@plain_torch(grad=False)
def _small(images: np.ndarray, rows: np.ndarray | None = None) -> np.ndarray:
    """Images, or some rows of them, of at most 12×12 pixels and all channels, flat.

    A piece at a time, since uint8 images take four times their memory.
    """
    size = tuple(min(_SIDE, side) for side in images.shape[2:])
    rows = np.arange(len(images)) if rows is None else rows
    step = max(1, min(_ROWS, PIECE // images[:1].nbytes))
    pieces = (images[rows[start : start + step]] for start in range(0, len(rows), step))
    small = [adaptive_avg_pool2d(to_unit_range(as_tensor(piece)), size).flatten(1).numpy() for piece in pieces]
    return np.concatenate(small)


def _log_ratio(images: np.ndarray, rows: np.ndarray, axis: Axis) -> float:
    """Of the images in these rows, of one class: the median log ratio of the distances of a mirrored image and of itself."""
    some = rows if len(rows) <= _ROWS else rows[np.random.RandomState(0).permutation(len(rows))[:_ROWS]]
    distinct = np.unique(_small(images, some), axis=0)  # the nearest of an image would be its copy
    if len(distinct) < _FEWEST:
        return np.inf
    asked = np.random.RandomState(0).permutation(len(distinct))[:_MIRRORED]
    size = tuple(min(_SIDE, side) for side in images.shape[2:])
    mirrored = np.flip(distinct[asked].reshape(-1, images.shape[1], *size), 3 if axis == "horizontal" else 2)
    index = NearestNeighbors(n_neighbors=2, algorithm="brute").fit(distinct)
    own = index.kneighbors(distinct[asked])[0][:, 1]
    distances, nearest = index.kneighbors(mirrored.reshape(len(asked), -1))
    itself = nearest[:, 0] == asked
    return float(np.median(np.log(np.where(itself, distances[:, 1], distances[:, 0]) / own)))


def augmentation_for(images: np.ndarray, y: np.ndarray) -> list[ImageTransform]:
    """Transforms that keep labels, for these images: what ``augment="auto"`` of a classifier stands for.

    Parameters
    ----------
    images : ndarray of shape (n, C, H, W), uint8, or float32 in [-1, 1]
    y : ndarray of shape (n,)
    """
    background = background_of(images)
    flips: list[ImageTransform] = [
        Flip(axis=axis) for axis in ("horizontal", "vertical") if may_mirror(images, y, axis)
    ]
    if background == "reflect":
        return [Translation(1 / 8, padding="reflect"), *flips]
    return [Translation(0.08, background), Rotation(10, background), Scale(0.1, background), *flips]
