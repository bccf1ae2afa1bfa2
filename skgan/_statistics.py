"""Means over folds and what can be said of their differences."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from scipy import stats


def simplest_of_the_best(means, error_of_best: float) -> int:
    """The first candidate whose mean is within one standard error of the best: the simplest, where they come in that order.

    Breiman et al., "Classification and regression trees", 1984, section 3.4.3.

    Parameters
    ----------
    means : array-like of shape (n_candidates,)
        NaN is left out.
    error_of_best : float
        Standard error of the best one's mean.
    """
    means = np.asarray(means, dtype=float)
    return int(np.flatnonzero(means >= np.nanmax(means) - error_of_best)[0])


def chosen_by(rule: str, scores: np.ndarray, alive: list[int], *, paired: bool = False) -> int:
    """The candidate that a rule takes of those that are alive.

    Parameters
    ----------
    rule : {"one_standard_error", "best"}
        The first candidate within one standard error of the best one's mean, or the best one.
    scores : ndarray of shape (n_candidates, n_folds)
        From the simplest candidate on.
    alive : list of int
        Places of the candidates that may be taken; they have no NaN.
    paired : bool, default=False
        Whether the standard error is that of a candidate's difference to the best one, fold by fold.
    """
    means = scores[alive].mean(axis=1)
    best = scores[alive[int(means.argmax())]]
    if rule == "best":
        return alive[int(means.argmax())]
    if not paired:
        return alive[simplest_of_the_best(means, best.std(ddof=1) / np.sqrt(scores.shape[1]))]
    behind = best - scores[alive]
    error = behind.std(axis=1, ddof=1) / np.sqrt(scores.shape[1])
    return alive[int(np.flatnonzero(behind.mean(axis=1) <= error)[0])]


_IN_UNIT = ("accuracy", "balanced_accuracy", "average_precision", "f1", "jaccard", "precision", "recall", "roc_auc")


def in_unit_range(scoring: str) -> bool:
    """Whether scikit-learn's score of this name lies between 0 and 1."""
    return scoring.startswith(_IN_UNIT) or scoring == "top_k_accuracy"


def interval(
    differences: Sequence[float], share: float, room: tuple[float, float] | None = None
) -> tuple[float, float]:
    """95 % interval of a mean difference over folds whose test side is this share of their training side.

    Nadeau & Bengio, "Inference for the generalization error", Machine Learning 52, 2003: folds share their training rows, so
    the variance is multiplied by 1 / k + share.

    Parameters
    ----------
    differences : sequence of float
        One a fold.
    share : float
        Test rows ÷ training rows of a fold.
    room : (float, float) or None, default=None
        The least and the largest difference that is possible; the interval is clipped to it. For a score between 0 and 1
        these are minus the mean of what is subtracted, and 1 minus that mean.
    """
    values = np.asarray(differences, dtype=float)
    half = _half_width(len(values), share, values)
    low, high = values.mean() - half, values.mean() + half
    if room is not None:
        low, high = max(low, room[0]), min(high, room[1])
    return float(low), float(high)


def folds_needed(differences: Sequence[float], share: float, most: int = 200) -> int | None:
    """How many folds of this kind would put 0 outside the interval, if mean and variance stayed what they are.

    Parameters
    ----------
    differences, share
        As of :func:`interval`.
    most : int, default=200

    Returns
    -------
    int or None
        None where more than ``most`` would be needed, or where no number is enough: folds share their rows.
    """
    values = np.asarray(differences, dtype=float)
    enough = (k for k in range(max(3, len(values)), most + 1) if _half_width(k, share, values) < abs(values.mean()))
    return next(enough, None)


def rows_needed(differences: Sequence[float], share: float) -> float:
    """By what factor there would have to be more rows to put 0 outside the interval; infinite for a mean of 0.

    The variance of a score falls as one over the number of rows; mean and number of folds are taken to stay what they are.
    """
    values = np.asarray(differences, dtype=float)
    mean = abs(values.mean())
    return float((_half_width(len(values), share, values) / mean) ** 2) if mean else np.inf


def _half_width(k: int, share: float, values: np.ndarray) -> float:
    """Half the interval of k folds with the variance of these values."""
    if len(values) < 2:
        return np.inf
    return float(stats.t.ppf(0.975, k - 1) * np.sqrt((1 / k + share) * values.var(ddof=1)))


def with_error(values, sign: str = "", digits: int = 1) -> str:
    """Mean ± standard error as text, such as "0.883 ± 0.011"; the error is left out of a single value."""
    values = pd.Series(values)
    error = f" ± {values.sem():.{digits}f}" if len(values) > 1 else ""
    return f"{values.mean():{sign}.{digits}f}{error}"


def candidates_table(names, scores: np.ndarray, seconds: np.ndarray, alive: list[int], chosen: int) -> pd.DataFrame:
    """A line a candidate; those that were raced out have the folds that they ran."""
    there = [row[np.isfinite(row)] for row in scores]
    return pd.DataFrame(
        {
            "name": names,
            "mean": [row.mean() if len(row) else np.nan for row in there],
            "standard_error": [row.std(ddof=1) / np.sqrt(len(row)) if len(row) > 1 else np.nan for row in there],
            **{f"split{k}": scores[:, k] for k in range(scores.shape[1])},
            "seconds": seconds,
            "raced_out": ~np.isin(np.arange(len(names)), alive),
            "chosen": np.arange(len(names)) == chosen,
        }
    )
