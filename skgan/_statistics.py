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


def interval(differences: Sequence[float], share: float) -> tuple[float, float]:
    """95 % interval of a mean difference over folds whose test side is this share of their training side.

    Nadeau & Bengio, "Inference for the generalization error", Machine Learning 52, 2003: folds share their training rows, so
    the variance is multiplied by 1 / k + share.
    """
    values = np.asarray(differences, dtype=float)
    k = len(values)
    half = stats.t.ppf(0.975, k - 1) * np.sqrt((1 / k + share) * values.var(ddof=1)) if k > 1 else np.inf
    return float(values.mean() - half), float(values.mean() + half)


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
