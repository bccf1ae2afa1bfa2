"""What a comparison found, in plain words: nothing that its intervals do not show."""

import numpy as np
import pandas as pd

from skgan._statistics import folds_needed, in_unit_range, interval, rows_needed
from skgan.samplers import NOTHING

CORRECTED = ", prior-corrected"
"""What is added to the name of a row whose probabilities are corrected to equal classes."""
RANKING = "average precision"
ENOUGH = 0.99
"""A score of nothing above which there is little left to win."""
ONE_SPLIT = (
    " This is one split: its intervals are a bootstrap over the test rows, and cannot know how the result would change with "
    "other training rows. Cross-validation tells that."
)


def paired(
    wide: pd.DataFrame, name: str, over: str, share: float, scoring: str, resampled: pd.DataFrame | None = None
) -> tuple[float, float]:
    """95 % interval of the mean difference of two rows, from their scores of each fold.

    Parameters
    ----------
    wide : DataFrame
        Scores: a line per fold, a column per row of the comparison.
    name, over : str
        Row, and the row that it is compared with.
    share : float
        Test rows ÷ training rows of a fold.
    scoring : str
        A score between 0 and 1 cannot differ by more than there is room for, and the interval is clipped to that.
    resampled : DataFrame or None, default=None
        Of one split: scores on resamples of its test rows, as of ``_one_split.resampled_scores``. Without them one split has
        no interval, and both ends are NaN.
    """
    if len(wide) == 1:
        if resampled is None:
            return np.nan, np.nan
        low, high = np.quantile(resampled[name] - resampled[over], [0.025, 0.975])
        return float(low), float(high)
    mean = wide[over].mean()
    room = (-mean, 1 - mean) if in_unit_range(scoring) else None
    return interval(wide[name] - wide[over], share, room)


def verdict_of(
    table: pd.DataFrame,
    folds: pd.DataFrame,
    own: list[str],
    share: float,
    scoring: str,
    resampled: pd.DataFrame | None = None,
) -> str:
    """Which row to take, as far as the intervals tell, and what would tell more.

    A row of the caller's own is recommended where its interval against the best row of what costs nothing lies above 0.
    """
    wide = folds.pivot(index="fold", columns="row", values="score")
    if len(wide) == 1 and resampled is None:
        return (
            "No verdict: this is one split, and for this score and classifier there is no interval. Use at least 3 folds, or a "
            "score that scikit-learn has a name for."
        )
    if len(wide) == 2:
        return (
            "No verdict: two folds cannot tell a difference from chance. Use at least 3, better 5 × 2 "
            "(RepeatedStratifiedKFold(n_splits=5, n_repeats=2))."
        )
    one = len(wide) == 1
    nothing, metric = table.loc[NOTHING, "score"], scoring.replace("_", " ")
    if nothing >= ENOUGH:
        return f"Nothing is needed: without any new row the {metric} is {nothing:.3f}." + ONE_SPLIT * one
    free = [name for name in table.index if name not in own]
    best_free, best_own = table.loc[free, "score"].idxmax(), table.loc[own, "score"].idxmax()
    best = table["score"].idxmax()
    low, high = paired(wide, best_own, best_free, share, scoring, resampled)
    gain = (wide[best_own] - wide[best_free]).mean()
    points = f"{100 * gain:+.1f} points of {metric} (95 % interval {100 * low:+.1f} to {100 * high:+.1f})"
    equals = [name for name in table.index if paired(wide, name, best, share, scoring, resampled)[1] >= 0]
    cheapest = f"take the cheapest of these: {'; '.join(equals)}"
    if low > 0:
        text = f"Take {best_own}: it is better than {best_free}, the best of what costs nothing, by {points}."
    elif high < 0:
        text = f"{best_own} is worse than {best_free}, by {points}. "
        text += f"Take {best_free}." if equals == [best_free] else f"Otherwise no difference was found; {cheapest}."
    else:
        text = f"No difference was found; {cheapest}. {best_own} against {best_free}: {points}. "
        text += _more_test_rows(gain, low, high) if one else _what_would_settle(wide[best_own] - wide[best_free], share)
    return text + (ONE_SPLIT if one else _ranking(folds, dict.fromkeys((best, best_own)), share))


def _more_test_rows(gain: float, low: float, high: float) -> str:
    """By what factor there would have to be more test rows to put 0 outside the interval; it narrows as their square root."""
    if not gain:
        return "The two scored the same."
    factor = ((high - low) / 2 / gain) ** 2
    if factor <= 100:
        return f"If that is the true difference, about {max(2, round(factor))} times as many test rows would show it."
    return "Not even a hundred times as many test rows would settle that."


def _what_would_settle(differences: pd.Series, share: float) -> str:
    """How many folds, or how many times as many rows, would tell whether this difference is one."""
    if not differences.any():
        return "The two scored the same in every fold."
    n_folds, factor = folds_needed(differences, share), rows_needed(differences, share)
    if n_folds is not None:
        return f"If that is the true difference, about {n_folds} folds would show it (there were {len(differences)})."
    if factor <= 100:
        return f"More folds would not settle that; about {max(2, round(factor))} times as many rows would."
    return "Neither more folds nor a hundred times as many rows would settle that."


def _ranking(folds: pd.DataFrame, names, share: float) -> str:
    """Changes of average precision against nothing of which the interval tells the direction."""
    wide = folds.pivot(index="fold", columns="row", values=RANKING)
    told = []
    for name in names:
        difference = wide[name] - wide[NOTHING]
        if name == NOTHING or not np.isfinite(difference).all():
            continue
        low, high = paired(wide, name, NOTHING, share, "average_precision")
        if low > 0 or high < 0:
            told.append(
                f"{name} {100 * difference.mean():+.1f} points of average precision over nothing (95 % interval "
                f"{100 * low:+.1f} to {100 * high:+.1f})"
            )
    return f" Ranking: {', '.join(told)}." if told else ""
