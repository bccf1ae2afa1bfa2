"""Whether a GAN's new rows still differ from each other after its training."""

from typing import Any

import numpy as np
import torch

from skgan._tensors import to_unit_range
from skgan._warnings import warn
from skgan.exceptions import CollapsedTrainingWarning

FEWEST_STEPS = 100
"""Of a training that is meant to give rows; shorter ones are tries."""
NEW, REAL = 32, 256
"""Rows that are compared, at most, and real ones at least as many as a spread can be told of."""
FEWEST_REAL = 8
COLLAPSED = 0.1


def tell_if_collapsed(net, X, y) -> None:
    """Warn where new rows of the largest class hardly differ from each other.

    Parameters
    ----------
    net : GenerativeNet
        After its training.
    X : array-like of shape (n, ...)
        Encoded rows, or images as uint8.
    y : ndarray of shape (n,)
        Class ids. Nothing is told of real-valued labels.
    """
    if net.steps_ < FEWEST_STEPS or net.needs_source or net.condition_dim_:
        return
    largest = np.bincount(y).argmax()
    of_class = np.flatnonzero(y == largest)
    if len(of_class) < FEWEST_REAL:
        return
    spread = spread_of(net, X[of_class[:: -(-len(of_class) // REAL)]], int(largest))
    if spread < COLLAPSED:
        warn(
            f"New rows of {type(net).__name__} resemble each other: after {net.steps_} steps their values spread "
            f"{spread:.0%} as far as those of real rows of the class (standard deviations, on average). The training has "
            "collapsed, or has hardly begun. Train longer (max_steps), or take a net that cannot collapse: offspring() or "
            "vae() for images, gaussian() for tables.",
            CollapsedTrainingWarning,
        )


def spread_of(net: Any, real: Any, klass: int) -> float:
    """``relative_spread`` of new rows of a class among these real ones."""
    real = np.asarray(real.cpu() if isinstance(real, torch.Tensor) else real)
    return relative_spread(to_unit_range(real), net.sample(np.full(NEW, klass), random_state=0))


def relative_spread(real: np.ndarray, new: np.ndarray) -> float:
    """Standard deviation of each value among new rows, over that among real rows, both on average.

    1 where the real rows are all equal.
    """
    among_new, among_real = (rows.reshape(len(rows), -1).std(0).mean() for rows in (new, real))
    return float(among_new / among_real) if among_real > 0 else 1.0
