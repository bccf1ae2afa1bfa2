"""Columns of real rows beside those of new rows, one by one and in pairs."""

from itertools import combinations

import numpy as np
import pandas as pd
from scipy.stats import ks_2samp
from scipy.stats.contingency import association

COLUMNS = 12
"""Columns that are shown, those that differ most."""
LOOKED_AT = 200
"""The first columns of a wide table, among which these are looked for."""
FEW_VALUES = 10
"""So many different numbers are shown as categories."""
FEWEST = 5
"""Rows of each kind below which pairs are not compared."""
MISSING = "missing"
MEASURES = ("correlation", "correlation ratio", "Cramér's V")
"""Of a pair with none, one and two columns of categories."""


def most_different(real: pd.DataFrame, new: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """The columns whose distributions differ most, of both, and a line for each: column, difference.

    Parameters
    ----------
    real, new : DataFrame
        Of the same columns.
    """
    differences = [difference(real.iloc[:, i], new.iloc[:, i]) for i in range(min(real.shape[1], LOOKED_AT))]
    order = np.argsort(-np.array(differences), kind="stable")[:COLUMNS]
    names = [str(name) for name in real]
    names = [name if names.count(name) == 1 else f"{name} ({i + 1})" for i, name in enumerate(names[:LOOKED_AT])]
    lines = pd.DataFrame({"column": [names[i] for i in order], "difference": [float(differences[i]) for i in order]})
    shown, beside = (rows.iloc[:, order].set_axis(lines["column"].tolist(), axis=1) for rows in (real, new))
    return shown.reset_index(drop=True), beside.reset_index(drop=True), lines


def difference(real: pd.Series, new: pd.Series) -> float:
    """The largest difference of the distribution functions of numbers, or half the sum of those of shares of categories."""
    if are_categories(real, new):
        shares = shares_of(real, new)
        return float((shares["real"] - shares["new"]).abs().sum() / 2)
    missing = abs(float(real.isna().mean() - new.isna().mean()))
    return max(missing, float(ks_2samp(numbers(real), numbers(new)).statistic))


def are_categories(real: pd.Series, new: pd.Series) -> bool:
    """Whether a column is shown by the shares of its values: text, truth values, and numbers of few values."""
    both = pd.concat([real.astype(object), new.astype(object)])
    if any(column.dtype == bool or not pd.api.types.is_numeric_dtype(column.dtype) for column in (real, new)):
        return True
    return both.nunique() <= FEW_VALUES or not (len(numbers(real)) and len(numbers(new)))


def numbers(column: pd.Series) -> np.ndarray:
    """The values that are there."""
    values = column.to_numpy(dtype=float, na_value=np.nan)
    return values[np.isfinite(values)]


def shares_of(real: pd.Series, new: pd.Series) -> pd.DataFrame:
    """Share of each value among real and new rows, the most frequent first."""
    counts = {
        name: column.astype(object).where(column.notna(), MISSING).map(str).value_counts(normalize=True)
        for name, column in (("real", real), ("new", new))
    }
    shares = pd.DataFrame(counts).fillna(0.0)
    return shares.loc[shares.sum(axis=1).sort_values(ascending=False, kind="stable").index]


def pairs_of(real: pd.DataFrame, new: pd.DataFrame) -> pd.DataFrame:
    """How two columns go together in real and in new rows, a line a pair, those that differ most first.

    Spearman's correlation of two columns of numbers, Cramér's V of two columns of categories, and of one each the correlation
    ratio η of the number's ranks: the root of the share of their variance that lies between the categories. Pairs with a column
    that does not vary are left out.
    """
    kinds = {name: are_categories(real[name], new[name]) for name in real}
    lines = []
    for pair in combinations(real, 2):
        by_kind = sorted(pair, key=kinds.__getitem__)  # numbers first
        n_categories = sum(kinds[name] for name in pair)
        measured = [_together(rows[by_kind].dropna(), n_categories) for rows in (real, new)]
        if np.isfinite(measured).all():
            lines.append([*pair, MEASURES[n_categories], *measured])
    table = pd.DataFrame(lines, columns=["one", "other", "measure", "real", "new"])
    order = (table["real"] - table["new"]).abs().sort_values(ascending=False, kind="stable").index
    return table.loc[order].reset_index(drop=True)


def _together(rows: pd.DataFrame, n_categories: int) -> float:
    """Of two columns, of which the last so many are categories."""
    if len(rows) < FEWEST or (rows.nunique() < 2).any():
        return float("nan")
    if n_categories == 2:
        return float(association(pd.crosstab(*(rows[name].astype(str) for name in rows)).to_numpy(), method="cramer"))
    if n_categories == 0:
        return float(rows.astype(float).corr(method="spearman").iloc[0, 1])
    number, category = (rows[name] for name in rows)
    ranks = number.astype(float).rank()
    means = ranks.groupby(category.astype(str)).transform("mean")
    return float(means.std(ddof=0) / ranks.std(ddof=0))
