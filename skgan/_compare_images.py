"""Images of ``skgan compare``: whether a pretrained network embeds them, at what size, and what is said of it."""

import time

import numpy as np
from sklearn.base import clone

from skgan.codecs import image_layout
from skgan.embedding import ImageEmbedding, efficientnet_lite0

SMALLEST, LARGEST = 96, 224
"""Pixels of the longer side. Below, accuracy falls; the backbone was trained on the larger, and four times the pixels cost four
times the time."""
TIMED = 64
"""Images that are embedded to tell how long all take."""
SHORTEST = 32
"""Pixels of the shorter side: the backbone halves it five times."""


def embedding_for(X, wanted: str, estimator: str | None, memory=None) -> tuple[ImageEmbedding | None, str]:
    """What embeds these images, or None where they are compared as they are, and a sentence on it.

    Parameters
    ----------
    X : array-like
        Images, or the rows of a table.
    wanted : {"auto", "yes", "no"}
        The option ``--embed``. "auto" embeds RGB images alone: of grey digits a CNN from scratch tells more
        (benchmarks/embeddings.py, part "embeddings_grey"), because the network knows photographs.
    estimator : str or None
        The option ``--estimator``.
    memory : path or None, default=None
        Of the embedding.

    Raises
    ------
    ValueError, ImportError
        Where "yes" cannot be had.
    """
    must = wanted == "yes"
    if must and estimator == "cnn":
        raise ValueError(
            "--embed yes makes a table of the images, and --estimator cnn takes images: leave one of them out."
        )
    if wanted == "no" or estimator == "cnn" or np.ndim(X) < 3:
        return None, ""
    channels, height, width = image_layout(X.shape).data_shape
    if channels not in (1, 3):
        why = f"These images have {channels} channels, and the pretrained network takes grey or RGB images"
        if must:
            raise ValueError(f"{why}: give --embed no.")
        return None, f"{why}: they are compared by a CNN that is trained from scratch."
    if channels == 1 and not must:
        return None, (
            "Grey images are compared by a CNN that is trained from scratch; --embed yes compares them by a network that was "
            "trained on photographs."
        )
    try:
        module = efficientnet_lite0()
    except ImportError as error:
        if must:
            raise
        return None, (
            "These images are compared by a CNN that is trained from scratch. Photographs are usually told apart better by a "
            f"pretrained network. {error}"
        )
    size = embedding_size(height, width)
    note = (
        f"The images are embedded at {size[0]}×{size[1]} px by EfficientNet-Lite0, which was trained on ImageNet: it has seen "
        "many photographs of ImageNet's own classes. --embed no trains a CNN from scratch instead."
    )
    return ImageEmbedding(module, size=size, memory=memory, verbose=1), note


def stand_ins(embed: ImageEmbedding, X) -> tuple[np.ndarray, float]:
    """As many embedded rows as there are images, of a few images again and again, and the seconds that all would take.

    What is to be known is how long fits on such rows take, and not what they find.
    """
    some = np.asarray(X[:TIMED])
    begin = time.perf_counter()
    rows = clone(embed).set_params(memory=None, verbose=0).fit_transform(some)
    seconds = (time.perf_counter() - begin) * len(X) / len(some)
    return np.resize(rows, (len(X), rows.shape[1])), seconds


def embedding_size(height: int, width: int) -> tuple[int, int]:
    """Height and width at which images of this many pixels are embedded, of the same proportion."""
    longer = max(height, width)
    scale = min(max(longer, SMALLEST), LARGEST) / longer
    return max(round(scale * height), SHORTEST), max(round(scale * width), SHORTEST)
