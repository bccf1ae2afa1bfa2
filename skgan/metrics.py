"""How generated rows compare with real ones: distances of distributions, precision and recall, copies, usefulness.

Every metric takes arrays whose first axis is rows. ``features`` is a callable rows → (n, d); None flattens the rows. For
images it is usually :meth:`skgan.CNNClassifier.features` of a classifier trained on the training rows. Distances are
computed in chunks of bounded memory. A low distance does not promise a better classifier (Ravuri & Vinyals, NeurIPS 2019):
judge by :func:`train_synthetic_test_real` and by the classifier itself.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
from scipy import linalg
from sklearn.base import clone
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import get_scorer, pairwise_distances_chunked
from sklearn.metrics.pairwise import polynomial_kernel
from sklearn.model_selection import StratifiedKFold, cross_val_score
from sklearn.neighbors import NearestNeighbors
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils import gen_batches

Features = Callable[[np.ndarray], np.ndarray] | None


def _features(rows, features: Features, name: str, least: int = 1) -> np.ndarray:
    rows = np.asarray(rows)
    if len(rows) < least:
        raise ValueError(f"{name} has {len(rows)} rows, and this metric needs at least {least}.")
    values = np.asarray(rows.reshape(len(rows), -1) if features is None else features(rows), dtype=np.float64)
    if values.ndim != 2 or len(values) != len(rows):
        raise ValueError(f"features must return shape ({len(rows)}, d) for {name}; it returned {values.shape}.")
    if not np.isfinite(values).all():
        raise ValueError(f"The features of {name} contain NaN or infinity.")
    return values


def frechet_distance(real: Any, fake: Any, *, features: Features = None) -> float:
    """‖μ₁−μ₂‖² + tr(Σ₁ + Σ₂ − 2(Σ₁Σ₂)^½): the Fréchet distance of two Gaussians fitted to the features.

    With Inception features this is the FID. It is biased: it shrinks as the number of rows grows.

    Parameters
    ----------
    real, fake : arrays of n ≥ 2 rows
    features : callable or None

    Returns
    -------
    float, at least 0

    References
    ----------
    Heusel et al., "GANs trained by a two time-scale update rule", NeurIPS 2017, eq. 6.
    """
    a, b = _features(real, features, "real", 2), _features(fake, features, "fake", 2)
    cov_a, cov_b = np.atleast_2d(np.cov(a, rowvar=False)), np.atleast_2d(np.cov(b, rowvar=False))
    # (Σ₁Σ₂)^½ has the trace of (Σ₁^½ Σ₂ Σ₁^½)^½, which is symmetric and stays real for singular Σ.
    values, vectors = linalg.eigh(cov_a)
    root = (vectors * np.sqrt(values.clip(0))) @ vectors.T
    cross = np.sqrt(linalg.eigvalsh(root @ cov_b @ root).clip(0)).sum()
    distance = np.square(a.mean(0) - b.mean(0)).sum() + np.trace(cov_a) + np.trace(cov_b) - 2 * cross
    return float(max(distance, 0.0))


def kernel_distance(real: Any, fake: Any, *, features: Features = None, chunk: int = 2048) -> float:
    """Unbiased squared maximum mean discrepancy with the kernel (x·y/d + 1)³; with Inception features the KID.

    Around 0 for equal distributions, and below 0 half of the time: its floor on some data is the same call on two
    halves of the real rows.

    Parameters
    ----------
    real, fake : arrays of n ≥ 2 rows
    features : callable or None
    chunk : int, default=2048
        Rows of one block of the kernel matrix.

    References
    ----------
    Bińkowski et al., "Demystifying MMD GANs", ICLR 2018, section 4.
    """
    a, b = _features(real, features, "real", 2), _features(fake, features, "fake", 2)

    def total(x, y) -> float:
        return sum(float(polynomial_kernel(x[rows], y, degree=3, coef0=1).sum()) for rows in gen_batches(len(x), chunk))

    def without_diagonal(x) -> float:
        own = (np.square(x).sum(1) / x.shape[1] + 1) ** 3
        return (total(x, x) - own.sum()) / (len(x) * (len(x) - 1))

    return without_diagonal(a) + without_diagonal(b) - 2 * total(a, b) / (len(a) * len(b))


def _radii(rows: np.ndarray, k: int) -> np.ndarray:
    """Distance of every row to its k-th nearest other row."""
    return NearestNeighbors(n_neighbors=k).fit(rows).kneighbors()[0][:, -1]


def _in_balls(centres: np.ndarray, radii: np.ndarray, points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """How many balls each point lies in, and whether each ball holds any point; in chunks."""
    hits, held = [], np.zeros(len(centres), dtype=bool)
    for block in pairwise_distances_chunked(points, centres):
        inside = block <= radii
        hits.append(inside.sum(1))
        held |= inside.any(0)
    return np.concatenate(hits), held


def improved_precision_recall(real: Any, fake: Any, *, k: int = 3, features: Features = None) -> tuple[float, float]:
    """Precision: share of fake rows inside the real rows' k-nearest-neighbour balls. Recall: the reverse.

    Parameters
    ----------
    real, fake : arrays of n > k rows
    k : int, default=3
    features : callable or None

    Returns
    -------
    precision, recall : float in [0, 1]

    References
    ----------
    Kynkäänniemi et al., "Improved precision and recall metric for assessing generative models", NeurIPS 2019.
    """
    a, b = _features(real, features, "real", k + 1), _features(fake, features, "fake", k + 1)
    precision, _ = _in_balls(a, _radii(a, k), b)
    recall, _ = _in_balls(b, _radii(b, k), a)
    return float((precision > 0).mean()), float((recall > 0).mean())


def density_coverage(real: Any, fake: Any, *, k: int = 5, features: Features = None) -> tuple[float, float]:
    """Density: mean number of real balls a fake row lies in, over k. Coverage: share of real balls that hold a fake row.

    Parameters
    ----------
    real : array of n > k rows
    fake : array of at least one row
    k : int, default=5
    features : callable or None

    Returns
    -------
    density : float, at least 0 (about 1 for equal distributions)
    coverage : float in [0, 1]

    References
    ----------
    Naeem et al., "Reliable fidelity and diversity metrics for generative models", ICML 2020, eqs. 3 and 4.
    """
    a, b = _features(real, features, "real", k + 1), _features(fake, features, "fake")
    hits, held = _in_balls(a, _radii(a, k), b)
    return float(hits.mean() / k), float(held.mean())


def copy_ratio(train: Any, held_out: Any, fake: Any, *, features: Features = None) -> float:
    """Median distance fake → nearest training row, over median distance held-out real → nearest training row.

    Near 0 for copies, about 1 for rows as new as real ones, above 1 for rows off the data.

    Parameters
    ----------
    train, held_out, fake : arrays of at least one row
        ``held_out`` are real rows that the generator did not see.
    features : callable or None

    Raises
    ------
    ValueError
        When at least half of the held-out rows are exact copies of training rows, so that there is nothing to compare with.
    """
    index = NearestNeighbors(n_neighbors=1).fit(_features(train, features, "train"))
    of_fake, of_real = (
        float(np.median(index.kneighbors(_features(rows, features, name))[0]))
        for rows, name in ((fake, "fake"), (held_out, "held_out"))
    )
    if of_real == 0:
        raise ValueError(
            "At least half of the held-out rows are copies of training rows; copy_ratio has no yardstick here."
        )
    return of_fake / of_real


def near_copies(
    train: Any, held_out: Any, fake: Any, *, quantile: float = 0.05, features: Features = None
) -> tuple[float, float]:
    """Share of near-copies among fake rows, and among held-out real rows by the same rule.

    A near-copy is at most as far from its nearest training row as this quantile of the held-out rows is from theirs. Of rows
    as new as real ones the first share is about the second.

    Parameters
    ----------
    train, held_out, fake : arrays of at least one row
        ``held_out`` are real rows that the generator did not see.
    quantile : float, default=0.05
    features : callable or None

    Returns
    -------
    of_fake, of_held_out : float in [0, 1]
        The second is at least ``quantile``, and larger where held-out rows are few or repeat training rows.
    """
    index = NearestNeighbors(n_neighbors=1).fit(_features(train, features, "train"))
    of_fake, of_real = (
        index.kneighbors(_features(rows, features, name))[0][:, 0]
        for rows, name in ((fake, "fake"), (held_out, "held_out"))
    )
    near = np.quantile(of_real, quantile, method="inverted_cdf")
    return float((of_fake <= near).mean()), float((of_real <= near).mean())


def two_sample_auc(real: Any, fake: Any, *, estimator: Any = None, features: Features = None) -> float:
    """Area under the ROC curve of a classifier that tells fake rows from real ones, over five stratified folds.

    0.5: it cannot tell them apart. 1: it always can. Give as many rows of each, and judge the figure beside the same call on
    two samples of real rows. Rows that stand in both samples, such as plain copies, bring it below 0.5.

    Parameters
    ----------
    real, fake : arrays of at least 5 rows
    estimator : classifier or None
        None is a random forest of 50 trees.
    features : callable or None

    Returns
    -------
    float in [0, 1]

    References
    ----------
    Lopez-Paz & Oquab, "Revisiting classifier two-sample tests", ICLR 2017.
    """
    a, b = _features(real, features, "real", 5), _features(fake, features, "fake", 5)
    estimator = RandomForestClassifier(50, random_state=0) if estimator is None else estimator
    folds = StratifiedKFold(5, shuffle=True, random_state=0)
    is_fake = np.repeat([0, 1], [len(a), len(b)])
    return float(cross_val_score(estimator, np.concatenate([a, b]), is_fake, cv=folds, scoring="roc_auc").mean())


def _train_and_test(X, y, X_test, y_test, estimator, scoring: str) -> float:
    if estimator is None:
        X, X_test = (np.reshape(np.asarray(rows), (len(rows), -1)) for rows in (X, X_test))
        estimator = make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000))
    return float(get_scorer(scoring)(clone(estimator).fit(X, y), X_test, y_test))


def train_synthetic_test_real(
    X_fake: Any, y_fake: Any, X_real: Any, y_real: Any, *, estimator: Any = None, scoring: str = "balanced_accuracy"
) -> float:
    """Score on real rows of a classifier trained on generated rows alone: are they right *and* varied enough?

    Parameters
    ----------
    X_fake, y_fake : generated rows and their labels
    X_real, y_real : real rows that the generator did not see
    estimator : classifier or None
        None is logistic regression on standardised, flattened rows.
    scoring : str, default="balanced_accuracy"

    References
    ----------
    Esteban, Hyland & Rätsch, "Real-valued (medical) time series generation with recurrent conditional GANs", 2017.
    """
    return _train_and_test(X_fake, y_fake, X_real, y_real, estimator, scoring)


def train_real_test_synthetic(
    X_real: Any, y_real: Any, X_fake: Any, y_fake: Any, *, estimator: Any = None, scoring: str = "balanced_accuracy"
) -> float:
    """Score on generated rows of a classifier trained on real ones: are they of the class they claim? Blind to variety.

    Parameters
    ----------
    X_real, y_real : real rows and their labels
    X_fake, y_fake : generated rows and their labels
    estimator : classifier or None
        None is logistic regression on standardised, flattened rows.
    scoring : str, default="balanced_accuracy"
    """
    return _train_and_test(X_real, y_real, X_fake, y_fake, estimator, scoring)
