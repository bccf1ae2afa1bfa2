"""What the cells of tables.py say: ranks, points over SMOTE and over nothing, tests, and a picture of critical differences."""

import numpy as np
import pandas as pd
from data import SOURCES
from harness import DOCS, draws, with_error
from scipy.stats import friedmanchisquare, rankdata, t, wilcoxon
from table_scores import ALL, CORRECTED, DECISION, LOSS, MEASURES, PREDICTED, RANKING

from skgan._statistics import interval

NOTHING, NOTHING_CORRECTED, COPIES, REFERENCE = "nothing", "nothing, prior-corrected", "copies", "SMOTE"
FEW = (NOTHING, COPIES, REFERENCE, "Gaussian", "GANOverSampler")
LEAST_RARE = 15  # rows of a table's smallest class, below which a worst table says more of chance than of a method
TIE = 0.5  # points of balanced accuracy
PICTURE = "critical-difference.png"
KEYS = ["method", "source", "table", "fold", "rare rows", "test share", "seconds"]
BRIEF = {  # method → what a reader calls it
    NOTHING: NOTHING,
    NOTHING_CORRECTED: NOTHING_CORRECTED,
    COPIES: "copies",
    "SMOTE": "SMOTE",
    "Gaussian": '`GANOverSampler(net="gaussian")`',
    "Gaussian, mixtures, copies": "a Gaussian, mixtures and copies",
    "mlp_gan": '`GANOverSampler(net="mlp_gan")`',
    "GANOverSampler": "`GANOverSampler()`",
}
IN_README = (NOTHING, NOTHING_CORRECTED, COPIES, "SMOTE", "GANOverSampler")


def tidy(results: pd.DataFrame) -> pd.DataFrame:
    """A line a method, fold and classifier; of the folds that every method has finished.

    Nothing with corrected probabilities becomes a method of its own: it costs nothing, so that the others must beat it.
    """
    n_methods = results.groupby(["table", "fold"])["method"].transform("nunique")
    results = results[n_methods == results["method"].nunique()].assign(
        source=lambda frame: frame["table"].replace(SOURCES)
    )
    lines = []
    for classifier in (name for name in ALL if f"{name}: {PREDICTED}" in results):
        names = {f"{classifier}: {measure}": measure for measure in MEASURES}
        lines.append(results[[*KEYS, *names]].rename(columns=names).assign(classifier=classifier))
    frame = pd.concat(lines, ignore_index=True)
    free = frame[frame["method"] == NOTHING].assign(method=NOTHING_CORRECTED, **{DECISION: np.nan})
    return pd.concat([frame, free.assign(**{PREDICTED: free[CORRECTED]})], ignore_index=True)


def by_source(frame: pd.DataFrame, measure: str, level: str = "source") -> pd.DataFrame:
    """Sources (or tables) by methods: the mean over classifiers and folds; tables of one source are averaged first.

    Methods that some classifier lacks are left out.
    """
    means = frame.groupby(["source", "table", "method", "classifier"])[measure].mean().unstack("classifier")
    means = means.mean(axis=1, skipna=False).unstack("method").dropna(axis=1)
    return means.groupby(level=level).mean()


def lower_bound(differences: pd.Series) -> float:
    """What the mean exceeds with 95 % confidence, one-sided, over sources."""
    k = len(differences)
    return differences.mean() - t.ppf(0.95, k - 1) * differences.sem() if k > 1 else -np.inf


def holm(p: pd.Series) -> pd.Series:
    """P values corrected for their number by Holm's method."""
    ordered = p.sort_values()
    return (ordered * np.arange(len(p), 0, -1)).cummax().clip(upper=1)


def against_reference(wide: pd.DataFrame) -> pd.Series:
    """Wilcoxon's signed-rank test of each method against SMOTE over sources, after Holm."""
    differences = wide.drop(columns=REFERENCE).sub(wide[REFERENCE], axis=0)
    return holm(differences.apply(lambda d: wilcoxon(d).pvalue if d.abs().max() > 0 else 1.0))


def mean_ranks(wide: pd.DataFrame) -> pd.Series:
    """1 is the best; equal to five digits is equal."""
    return pd.Series(rankdata(-wide.round(5), axis=1).mean(0), wide.columns)


def worst(wide: pd.DataFrame, method: str) -> str:
    """The table with the largest loss to the better of copies and SMOTE, in points."""
    over = 100 * (wide[method] - wide[[COPIES, REFERENCE]].max(axis=1))
    return f"{over.min():+.1f} ({over.idxmin()})"


def harm(frame: pd.DataFrame) -> pd.DataFrame:
    """A line a method: in how many cells (table and classifier) it lies below nothing, and in how many beyond chance."""
    cells = frame.pivot_table(PREDICTED, ["table", "classifier", "fold"], "method")
    below = 100 * cells.sub(cells[NOTHING], axis=0)
    share = float(frame["test share"].mean())
    rows = {}
    for method in below:
        each = below[method].dropna().groupby(level=["table", "classifier"])
        sure = each.apply(lambda d: interval(d, share)[1] < 0)
        rows[method] = {"below nothing": (each.mean() < -TIE).mean(), "sure": int(sure.sum()), "of": len(sure)}
    return pd.DataFrame(rows).T


def markdown(lines: list[dict]) -> str:
    return pd.DataFrame(lines).to_markdown(index=False, disable_numparse=True)


def main_table(frame: pd.DataFrame) -> str:
    """A line a method, best mean rank first."""
    wide = by_source(frame, PREDICTED)
    tables = by_source(frame[frame["rare rows"] >= LEAST_RARE], PREDICTED, "table")
    ranks, harmed = mean_ranks(wide), harm(frame)
    p = against_reference(wide)
    lines = []
    for method in ranks.sort_values(kind="stable").index:
        over = 100 * (wide[method] - wide[REFERENCE])
        line = {"new rows": method, "mean rank": f"{ranks[method]:.2f}", "mean": f"{100 * wide[method].mean():.1f}"}
        if method == REFERENCE:
            line |= dict.fromkeys(("over SMOTE", "at least", "p", "wins / ties / losses"), "–")
        else:
            line |= {
                "over SMOTE": with_error(over, "+"),
                "at least": f"{lower_bound(over):+.1f}",
                "p": f"{p[method]:.3f}",
                "wins / ties / losses": f"{sum(over > TIE)} / {sum(over.abs() <= TIE)} / {sum(over < -TIE)}",
            }
        line["worst table"] = worst(tables, method) if len(tables) else "–"
        of_method = harmed.loc[method]
        line["below nothing"] = f"{of_method['below nothing']:.0%}, {of_method['sure']:.0f} beyond chance"
        lines.append(line)
    return markdown(lines)


def classifier_table(frame: pd.DataFrame) -> str:
    """A column a classifier: mean rank, and mean of balanced accuracy in percent."""
    columns = {}
    for classifier, part in frame.groupby("classifier", sort=False):
        wide = by_source(part, PREDICTED)
        ranks = mean_ranks(wide)
        columns[classifier] = {method: f"{ranks[method]:.1f}, {100 * wide[method].mean():.1f}" for method in wide}
    table = pd.DataFrame(columns).reindex(list(dict.fromkeys(frame["method"]))).fillna("–")
    return markdown(table.rename_axis("new rows").reset_index().to_dict("records"))


def few_ranks(frame: pd.DataFrame) -> str:
    """Mean ranks among five methods, and points over nothing with corrected probabilities, by classifier."""
    few = [method for method in FEW if method in set(frame["method"])]
    lines = []
    for classifier, part in frame.groupby("classifier", sort=False):
        wide = by_source(part, PREDICTED)
        ranks = mean_ranks(wide[few])
        line = {"classifier": classifier, **{method: f"{ranks[method]:.2f}" for method in few}}
        for method in few[3:]:
            line[f"{method} over {NOTHING_CORRECTED}"] = with_error(100 * (wide[method] - wide[NOTHING_CORRECTED]), "+")
        lines.append(line)
    return markdown(lines)


def over_corrected(sets: dict[str, pd.DataFrame]) -> str:
    """Markdown for docs/when_not_tables.md: a column a set of tables, the default over nothing with corrected probabilities."""
    columns = {}
    for name, results in sets.items():
        frame = tidy(results[results["method"].isin(FEW)])
        columns[name] = {
            classifier: with_error(100 * (wide["GANOverSampler"] - wide[NOTHING_CORRECTED]), "+")
            for classifier, part in frame.groupby("classifier", sort=False)
            for wide in [by_source(part, PREDICTED)]
        }
    return markdown(pd.DataFrame(columns).rename_axis("classifier").reset_index().to_dict("records"))


def probability_table(frame: pd.DataFrame) -> str:
    """Decisions, ranking and probabilities of the same fits, and the seconds of new rows."""
    wide = {measure: by_source(frame, measure) for measure in (CORRECTED, RANKING, LOSS)}
    # Only some classifiers' decisions are tuned
    tuned = frame[frame.groupby("classifier")[DECISION].transform("count") > 0]
    decisions = {measure: by_source(tuned, measure) for measure in (PREDICTED, DECISION)} if len(tuned) else None
    seconds = frame.groupby(["method", "table"])["seconds"].mean().groupby("method").mean()
    lines = []
    for method in wide[RANKING]:
        line = {"new rows": method}
        line["corrected decision"] = f"{100 * wide[CORRECTED][method].mean():.1f}"
        line["tuned decision"] = "–"
        if decisions is not None and method in decisions[DECISION]:
            gain = 100 * (decisions[DECISION][method] - decisions[PREDICTED][method])
            line["tuned decision"] = f"{100 * decisions[DECISION][method].mean():.1f} ({with_error(gain, '+')})"
        for measure in (RANKING, LOSS):
            gain = wide[measure][method] - wide[measure][NOTHING]
            line[measure] = f"{wide[measure][method].mean():.3f} ({with_error(gain, '+', 3)})"
        line["seconds"] = f"{seconds[method]:.2f}"
        lines.append(line)
    return markdown(lines)


def scarce_table(frame: pd.DataFrame) -> str:
    """The tables whose smallest class has few rows, apart."""
    few = frame[frame["rare rows"] < LEAST_RARE]
    if few.empty:
        return ""
    tables = 100 * by_source(few, PREDICTED, "table")
    lines = [
        {"new rows": method, "mean": f"{tables[method].mean():.1f}", "over SMOTE": with_error(over, "+")}
        | {"worst table": worst(tables / 100, method)}
        for method in tables
        for over in [tables[method] - tables[REFERENCE]]
    ]
    return (
        f"Tables whose smallest class has fewer than {LEAST_RARE} rows ({', '.join(tables.index)}), which the worst tables "
        f"above leave out:\n\n{markdown(lines)}"
    )


def tuned_note(frame: pd.DataFrame) -> str:
    names = frame.loc[frame[DECISION].notna(), "classifier"].unique()
    return (
        f"The tuned decision has one weight a class, fitted on unseen halves of the training rows ({', '.join(names)}; in "
        "brackets what it adds to the decision as predicted). "
        if len(names)
        else ""
    )


def report(results: pd.DataFrame) -> str:
    """Markdown for docs/results.md."""
    if missing := {NOTHING, COPIES, REFERENCE} - set(results["method"]):
        return f"Not measured yet, and compared with: {', '.join(sorted(missing))}."
    frame = tidy(results)
    if frame.empty:
        return "No fold is finished by all methods yet."
    wide = by_source(frame, PREDICTED)
    n_sources, of_tables = frame["source"].nunique(), frame.groupby("table")["fold"].nunique()
    n_folds = " to ".join(map(str, sorted({of_tables.min(), of_tables.max()})))
    test = friedmanchisquare(*wide.to_numpy().T) if n_sources > 1 and wide.shape[1] > 2 else None
    text = [
        f"{frame['table'].nunique()} tables of {n_sources} sources, {n_folds} stratified folds each, "
        f"{frame['classifier'].nunique()} classifiers. Balanced accuracy in percent and points, the mean over classifiers; "
        "tables of one source count once. Rank 1 is the best. Over SMOTE: mean ± standard error over sources, and what the "
        f"mean exceeds with 95 % confidence; p of Wilcoxon's signed-rank test after Holm; a tie is within {TIE} points. Worst "
        f"table: points over the better of copies and SMOTE, of tables with at least {LEAST_RARE} rows in the smallest class. "
        f"Below nothing: the share of table and classifier pairs that lose more than {TIE} points to nothing, and the number "
        "whose paired 95 % interval over folds lies below it. SMOTE is SMOTENC or SMOTEN where columns are categorical; "
        "BorderlineSMOTE is the same there."
        + (f" Friedman's test of all these methods: p = {test.pvalue:.2g}." if test is not None else ""),
        main_table(frame),
        "By classifier: mean rank, and mean of balanced accuracy. Class weights exist for some classifiers only, and the "
        "balanced random forest is one itself.",
        classifier_table(frame),
        "Mean ranks among five methods alone, and points over nothing with corrected probabilities (mean ± standard error over "
        "sources):",
        few_ranks(frame),
        "The same fits once more. The corrected decision divides probabilities by the class frequencies that the classifier "
        f"was trained on. {tuned_note(frame)}Average precision is the mean over classes; log-loss is taken after correction "
        "to the frequencies of the training rows. In brackets what is gained over nothing (a lower log-loss is better).",
        probability_table(frame),
        scarce_table(frame),
    ]
    return "\n\n".join(filter(None, text))


def report_with_picture(results: pd.DataFrame) -> str:
    """The report, and the picture of :func:`draw`."""
    return f"{report(results)}\n\n![Critical differences](images/{PICTURE})"


def brief(results: pd.DataFrame) -> str:
    """Markdown for docs/when_not.md: means over all sources and classifiers."""
    frame = tidy(results)
    wide = {measure: by_source(frame, measure) for measure in (PREDICTED, RANKING, LOSS)}
    lines = []
    for method, name in BRIEF.items():
        if method not in wide[PREDICTED]:
            continue
        line = {"new rows from": name}
        for measure, of_source in wide.items():
            column = f"{measure}, prior-corrected" if measure == LOSS else measure
            line[column] = f"{of_source[method].mean():.3f}"
            if method != NOTHING:
                line[column] += f" ({with_error(of_source[method] - of_source[NOTHING], '+', 3)})"
        lines.append(line)
    return (
        f"{markdown(lines)}\n\nMeans over {frame['table'].nunique()} tables of {frame['source'].nunique()} sources, "
        f"{frame['fold'].nunique()} stratified folds and {frame['classifier'].nunique()} classifiers; in brackets what is "
        f"gained over nothing, ± standard error over sources. `python benchmarks/tables.py`, {results['date'].max()}. Class "
        "weights, where classifiers have them, are in the [results](results.md#imbalanced-tables)."
    )


def short(results: pd.DataFrame) -> str:
    """Markdown for README: what is gained over SMOTE, and what that costs."""
    frame = tidy(results)
    wide, harmed = by_source(frame, PREDICTED), harm(frame)
    tables = by_source(frame[frame["rare rows"] >= LEAST_RARE], PREDICTED, "table")
    seconds = frame.groupby(["method", "table"])["seconds"].mean().groupby("method").mean()
    lines = [
        {
            "new rows from": name,
            "balanced accuracy": f"{100 * wide[method].mean():.1f}",
            "over SMOTE": "–" if method == REFERENCE else with_error(100 * (wide[method] - wide[REFERENCE]), "+"),
            "worst table": worst(tables, method),
            "below nothing": f"{harmed.loc[method, 'below nothing']:.0%}",
            "seconds": f"{seconds[method]:.2f}",
        }
        for method, name in BRIEF.items()
        if method in wide and method in IN_README
    ]
    note = (
        f"Means over {frame['table'].nunique()} tables of {frame['source'].nunique()} sources on which nothing was chosen, "
        f"{frame['fold'].nunique()} stratified folds and {frame['classifier'].nunique()} classifiers; points, ± standard error "
        "over sources. Worst table: against the better of copies and SMOTE. Below nothing: the share of table and classifier "
        f"pairs that lose more than {TIE} points to it. `python benchmarks/tables.py`, {results['date'].max()}."
    )
    return f"{markdown(lines)}\n\n{note}"


@draws
def draw(results: pd.DataFrame) -> None:
    """Critical differences of the mean ranks after Nemenyi, in docs/images."""
    import matplotlib.pyplot as plt
    import scikit_posthocs

    wide = by_source(tidy(results), PREDICTED)
    figure, axes = plt.subplots(figsize=(9, 3.5), layout="constrained")
    scikit_posthocs.critical_difference_diagram(
        mean_ranks(wide), scikit_posthocs.posthoc_nemenyi_friedman(wide.reset_index(drop=True)), ax=axes
    )
    axes.set_title(f"Mean ranks over {len(wide)} sources; a bar joins methods that no test tells apart (Nemenyi, 5 %)")
    figure.savefig(DOCS / "images" / PICTURE, dpi=120)
    plt.close(figure)
