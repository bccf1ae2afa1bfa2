"""Small pictures of the page: one column, or one pair of columns, of real and of new rows."""

import numpy as np
import pandas as pd

from skgan._columns_beside import are_categories, numbers, shares_of
from skgan._names import as_text
from skgan.plotting import Figure

MOST_VALUES = 8
"""Categories that are shown, the most frequent; the others are taken together."""
BINS = 20
LONGEST = 16
"""Letters of a category's name."""
REAL, NEW = "#7f8fa6", "#e07b39"


def column_figure(real: pd.Series, new: pd.Series) -> tuple[Figure, str]:
    """Histograms of numbers, or bars of categories; and the same in words."""
    figure = Figure(figsize=(3.3, 2.5), layout="constrained")
    axes = figure.subplots()
    if are_categories(real, new):
        shares = _with_others(shares_of(real, new))
        at = np.arange(len(shares))[::-1]
        for kind, colour, shift in (("real", REAL, 0.2), ("new", NEW, -0.2)):
            axes.barh(at + shift, shares[kind], height=0.4, color=colour, label=kind)
        axes.set_yticks(at, [_short(name) for name in shares.index])
        axes.set_xlabel("share of rows")
        told = "; ".join(f"{name} {row['real']:.0%} and {row['new']:.0%}" for name, row in shares.iterrows())
        text = f"Shares in real and new rows: {told}"
    else:
        there = numbers(real), numbers(new)
        edges = np.histogram_bin_edges(np.concatenate(there), bins=BINS).tolist()
        for values, kind, colour in zip(there, ("real", "new"), (REAL, NEW), strict=True):
            axes.hist(values, edges, weights=np.full(len(values), 1 / len(values)), color=colour, alpha=0.6, label=kind)
        axes.set_ylabel("share of rows")
        told = " and ".join(_summary(values, column) for values, column in zip(there, (real, new), strict=True))
        text = f"Median, quartiles in real and new rows: {told}"
    axes.tick_params(labelsize=8)
    axes.legend(fontsize=8)
    return figure, text


def pair_figure(real: pd.DataFrame, new: pd.DataFrame) -> tuple[Figure, str]:
    """A point for each row, of two columns of numbers; and what it shows in words."""
    figure = Figure(figsize=(3.3, 2.8), layout="constrained")
    axes = figure.subplots()
    one, other = real
    for rows, kind, colour in ((real, "real", REAL), (new, "new", NEW)):
        axes.scatter(rows[one].astype(float), rows[other].astype(float), s=9, color=colour, alpha=0.6, label=kind)
    axes.set(xlabel=_short(one), ylabel=_short(other))
    axes.tick_params(labelsize=8)
    axes.legend(fontsize=8)
    return figure, f"{other} against {one}, {len(real)} real and {len(new)} new rows"


def _with_others(shares: pd.DataFrame) -> pd.DataFrame:
    if len(shares) <= MOST_VALUES + 1:
        return shares
    others = shares.iloc[MOST_VALUES:]
    rest = pd.DataFrame([others.sum()], index=[f"{len(others)} others"])
    return pd.concat([shares.iloc[:MOST_VALUES], rest])


def _summary(values: np.ndarray, column: pd.Series) -> str:
    low, middle, high = np.quantile(values, [0.25, 0.5, 0.75])
    missing = column.isna().mean()
    return f"{middle:.3g} ({low:.3g} to {high:.3g})" + (f", {missing:.0%} missing" if missing else "")


def _short(name: object) -> str:
    text = str(name)
    return as_text(text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…")
