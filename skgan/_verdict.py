"""What a comparison found, in plain words."""

import numpy as np
import pandas as pd

from skgan._statistics import interval
from skgan.samplers import NOTHING

CORRECTED = "nothing, prior-corrected"
RANKING = "average precision"
ENOUGH = 0.99
"""A score of nothing above which there is little left to win."""


def verdict_of(table: pd.DataFrame, folds: pd.DataFrame, own: list[str], share: float, scoring: str) -> str:
    """Who wins, over what, and by how much."""
    wide = folds.pivot(index="fold", columns="row", values="score")
    free = [name for name in table.index if name not in own]
    best_free, best_own = table.loc[free, "score"].idxmax(), table.loc[own, "score"].idxmax()
    best = table["score"].idxmax()
    nothing, metric = table.loc[NOTHING, "score"], scoring.replace("_", " ")

    def points(name: str, over: str = NOTHING) -> str:
        difference = wide[name] - wide[over]
        low, high = interval(difference, share)
        return (
            f"{100 * difference.mean():+.1f} points of {metric} (95 % interval {100 * low:+.1f} to {100 * high:+.1f})"
        )

    if nothing >= ENOUGH:
        return f"Nothing is needed: without any new row the {metric} is {nothing:.3f}."
    if not (table["low"] > 0).any():
        return (
            f"No sampler helps: no row is better than nothing ({nothing:.3f} {metric}) by more than chance. The best, {best}, "
            f"is at {points(best)}."
        )
    if table.loc[best_own, "low"] <= 0:
        text = f"{best_own} does not help here: {points(best_own)}; {best_free} does: {points(best_free)}."
    elif interval(wide[best_own] - wide[best_free], share)[0] > 0:
        text = f"{best_own} helps here: {points(best_own)} over nothing, "
        text += (
            "which is the best of what costs nothing."
            if best_free == NOTHING
            else f"and {points(best_own, best_free)} over the best of what costs nothing, {best_free}."
        )
    else:
        text = (
            f"{best_own} is better than nothing, {points(best_own)}, but by no more than chance better than {best_free}, which "
            f"costs nothing: {points(best_free)}. Take {best_free}."
        )
    if CORRECTED in table.index and CORRECTED not in (best, best_free):
        behind = table.loc[best, "score"] - table.loc[CORRECTED, "score"]
        if behind <= table.loc[best, "standard error"]:
            text += " A prior correction of the probabilities, without new rows, gives the same."
    changes = {name: table.loc[name, RANKING] - table.loc[NOTHING, RANKING] for name in dict.fromkeys((best, best_own))}
    if all(np.isfinite(change) for change in changes.values()):
        told = [
            f"{name} {'unchanged' if abs(change) < 0.005 else f'{100 * change:+.1f} points of average precision'}"
            for name, change in changes.items()
        ]
        text += f" Ranking: {', '.join(told)}."
    return text
