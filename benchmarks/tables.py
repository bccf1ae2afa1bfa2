"""Imbalanced tables: new rows from skgan's nets beside copies and SMOTE, for five classifiers.

    OMP_NUM_THREADS=1 python benchmarks/tables.py [--quick | --full]

Repeated stratified folds of the 13 tables; samplers see the training side only, classifiers a one-hot and standardised form.
Two processes share the work if each gets its folds: ``--only fold=0 fold=1 fold=2`` and ``--only fold=3 fold=4 fold=5``.
"""

import functools
import time
import warnings
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd
import torch
from data import TABLES
from harness import CACHE, Run, main, with_error
from imblearn.over_sampling import SMOTE, BorderlineSMOTE, RandomOverSampler
from rivals import ctgan_or_tvae, refiner, smote_variant
from scipy.stats import rankdata
from shared import CLASSIFIERS, SMALLER_TABLES, folds, model_of, smote, wanted_rows
from sklearn.metrics import average_precision_score, balanced_accuracy_score, log_loss

from skgan import GANOverSampler
from skgan.codecs import TabularCodec
from skgan.penalties import R1
from skgan.presets import gaussian, mlp_gan, offspring


@dataclass(frozen=True)
class TablesRun(Run):
    tables: tuple[str, ...]
    n_folds: int
    n_repeats: int
    steps: int | None  # of skgan's nets; None is the preset's own


QUICK_STEPS = 200
BUDGETS = {
    "quick": TablesRun(
        "3 small tables, 3 folds, 200 steps (2 minutes)",
        tables=("ecoli3", "glass2", "car-good"),
        n_folds=3,
        n_repeats=1,
        steps=QUICK_STEPS,
    ),
    "default": TablesRun(
        "11 tables of at most 2,500 rows, 2 times 3 folds, 1,000 steps (80 minutes; 40 as two processes)",
        tables=SMALLER_TABLES,
        n_folds=3,
        n_repeats=2,
        steps=1000,
    ),
    "full": TablesRun("13 tables, 5 folds, 5 repeats", tables=TABLES, n_folds=5, n_repeats=5, steps=None),
}
SHORT = "conditional GAN, 300 steps, lazy R1"
NETS = {
    SHORT: lambda: mlp_gan(alpha=2, penalties=(R1(gamma=3.0, every=4),), max_steps=300),
    "conditional GAN (mlp_gan)": lambda: mlp_gan(alpha=2),
    "Gaussian": gaussian,
    "Gaussian, half copies": lambda: gaussian(copies=0.5),
    "Gaussian, borrowed covariance": lambda: gaussian(n_donors=1),
    "SMOTE-seeded refiner": refiner,
}
# Shares (offspring, mixtures, copies) of the lines that use the offspring net; it is trained once for all of them
SHARES = {
    "offspring only": (1, 0, 0),
    "half offspring, half copies": (1, 0, 1),
    "half offspring, half mixtures": (1, 1, 0),
    "offspring (a third each)": (1, 1, 1),
}
WEIGHTS = "class weights"  # where the classifier has them; outside the ranks, which need every entry
SMOTE_VARIANTS = {"polynom-fit-SMOTE": "polynom_fit_SMOTE_star", "ProWSyn": "ProWSyn"}
TABULAR_GANS = ("CTGAN", "TVAE")
METHODS = (
    *("nothing", "random", "random, shrinkage 1", "SMOTE", "BorderlineSMOTE"),
    *(*SMOTE_VARIANTS, *TABULAR_GANS, *NETS, *SHARES),
)
FAMILIES = {"page-blocks0": "page-blocks"}  # two versions of one source
RANKED = tuple(CLASSIFIERS)[:4]  # all but the boosting; the default is chosen by these


def cells(run: TablesRun) -> Iterator[dict]:
    for name in run.tables:
        for fold in range(run.n_folds * run.n_repeats):
            for method in (*METHODS, WEIGHTS):
                yield {"table": name, "fold": fold, "method": method}


def sampler_of(method: str, X: pd.DataFrame, y: np.ndarray, seed: int, steps: int | None):
    if method == "random":
        return RandomOverSampler(random_state=seed)
    if method == "random, shrinkage 1":
        numeric = all(not isinstance(dtype, pd.CategoricalDtype) for dtype in X.dtypes)
        return RandomOverSampler(shrinkage=1.0 if numeric else None, random_state=seed)
    if method == "SMOTE":
        return smote(X, y, seed)
    if method == "BorderlineSMOTE":  # numbers only; elsewhere it is SMOTE's line again
        numeric = smote(X, y, seed)
        return (
            BorderlineSMOTE(k_neighbors=numeric.k_neighbors, random_state=seed) if type(numeric) is SMOTE else numeric
        )
    if method.startswith("Gaussian") or (method == SHORT and steps != QUICK_STEPS):
        steps = None
    return GANOverSampler(net=NETS[method](), max_steps=steps, memory=CACHE.location, random_state=seed)


@functools.lru_cache(maxsize=1)
def trained_offspring(run: TablesRun, name: str, fold: int):
    """One training for all shares: codec, net, encoded rows, and seconds."""
    X, y, splits = folds(name, run.n_folds, run.n_repeats)
    X, y = X.iloc[splits[fold][0]].reset_index(drop=True), y[splits[fold][0]]
    begin = time.perf_counter()
    codec = TabularCodec().fit(X)
    encoded = codec.transform(X)
    net = offspring(module__spans=codec.spans_, **({} if run.steps is None else {"max_steps": run.steps}))
    net.set_params(random_state=fold).fit(encoded, y)
    return codec, net, encoded, time.perf_counter() - begin


def scores(classifier: str, X, y, X_test, y_test, prior: np.ndarray, weighted: bool) -> dict[str, float]:
    """Balanced accuracy, average precision, and log-loss after correction to the training set's own prior."""
    model = model_of(classifier)
    if weighted:
        if "class_weight" not in model[-1].get_params():
            names = ("balanced accuracy", "average precision", "log-loss")
            return {f"{classifier}: {name}": float("nan") for name in names}
        model[-1].set_params(class_weight="balanced")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model.fit(X, y)
        probabilities = model.predict_proba(X_test)
    corrected = (probabilities * (prior / (np.bincount(y) / len(y)))).clip(1e-6)
    corrected /= corrected.sum(1, keepdims=True)
    return {
        f"{classifier}: balanced accuracy": balanced_accuracy_score(y_test, probabilities.argmax(1)),
        f"{classifier}: average precision": average_precision_score(np.eye(len(prior))[y_test], probabilities),
        f"{classifier}: log-loss": log_loss(y_test, corrected, labels=range(len(prior))),
    }


def measure(run: TablesRun, table: str, fold: int, method: str) -> dict:
    X, y, splits = folds(table, run.n_folds, run.n_repeats)
    train, test = splits[fold]
    X_train, y_train = X.iloc[train].reset_index(drop=True), y[train]
    prior = np.bincount(y_train) / len(y_train)
    begin = time.perf_counter()
    X_new, y_new = X_train, y_train
    seconds_before = 0.0
    if method in SHARES:
        codec, net, encoded, seconds_before = trained_offspring(run, table, fold)
        net.shares = SHARES[method]
        wanted = wanted_rows(y_train)
        rows = codec.inverse_transform(net.sample(wanted, source=(encoded, y_train), random_state=fold))
        X_new, y_new = pd.concat([X_train, rows], ignore_index=True), np.concatenate([y_train, wanted])
        begin = time.perf_counter()
    elif method in SMOTE_VARIANTS:
        X_new, y_new = smote_variant(SMOTE_VARIANTS[method], X_train, y_train, fold)
    elif method in TABULAR_GANS:
        X_new, y_new = ctgan_or_tvae(method, X_train, y_train, fold, epochs=10 if run.steps == QUICK_STEPS else 100)
    elif method not in ("nothing", WEIGHTS):
        X_new, y_new = sampler_of(method, X_train, y_train, fold, run.steps).fit_resample(X_train, y_train)
    seconds = seconds_before + time.perf_counter() - begin
    values: dict[str, float] = {}
    for classifier in CLASSIFIERS:
        values |= scores(classifier, X_new, y_new, X.iloc[test], y[test], prior, method == WEIGHTS)
    return {**values, "seconds": seconds}


BRIEF = {  # method → what a reader calls it
    "nothing": "nothing",
    "random": "random over-sampling",
    "SMOTE": "SMOTE",
    "CTGAN": "CTGAN",
    "Gaussian": "Gaussian (skgan's floor)",
    "Gaussian, half copies": "`gaussian(copies=0.5)`",
    "conditional GAN (mlp_gan)": "`GANOverSampler(net=mlp_gan(alpha=2))`",
}


def brief(results: pd.DataFrame) -> str:
    """Markdown: means over all tables and classifiers, for docs/when_not.md."""
    each = {
        measure: results.set_index(["method", "table"])[[f"{classifier}: {measure}" for classifier in CLASSIFIERS]]
        .mean(axis=1)
        .groupby(level=[0, 1])
        .mean()
        .unstack("method")
        for measure in ("balanced accuracy", "average precision", "log-loss")
    }
    rows = []
    for method, name in BRIEF.items():
        row = {"new rows from": name}
        for measure, of_table in each.items():
            column = f"{measure}, prior-corrected" if measure == "log-loss" else measure
            row[column] = f"{of_table[method].mean():.3f}"
            if method != "nothing":
                row[column] += f" ({with_error(of_table[method] - of_table['nothing'], '+', 3)})"
        rows.append(row)
    table = pd.DataFrame(rows).to_markdown(index=False, disable_numparse=True)
    return (
        f"{table}\n\nMeans over {results['table'].nunique()} tables, {results['fold'].nunique()} repeated stratified folds and "
        f"{len(CLASSIFIERS)} classifiers; in brackets what is gained over nothing, ± standard error over tables. "
        f"`python benchmarks/tables.py`, {results['date'].max()}. Class weights, where classifiers have them, are in the "
        "[results](results.md#imbalanced-tables)."
    )


def report(results: pd.DataFrame) -> str:
    """Markdown for docs/results.md: mean rank and mean per classifier."""
    cells = results["method"].value_counts()
    methods = [method for method in METHODS if cells.get(method) == cells.max()]
    unfinished = [method for method in METHODS if method not in methods]
    # Tables of one source count once.
    source = results["table"].replace(FAMILIES)
    means = results.groupby(["method", source, "table"], sort=False).mean(numeric_only=True)
    means = means.groupby(level=[0, 1], sort=False).mean()
    text = [
        f"{results['table'].nunique()} tables of {source.nunique()} sources, {results['fold'].nunique()} repeated stratified "
        "folds each. Mean rank (1 is best) and mean of balanced accuracy; points over what is better on that table, random or "
        "SMOTE: mean ± standard error over sources, and on the worst of them, the first four classifiers together. SMOTE is "
        "SMOTENC or SMOTEN where columns are categorical, BorderlineSMOTE is SMOTE there. CTGAN and TVAE: 100 epochs."
        + (f" Not finished: {', '.join(unfinished)}." if unfinished else "")
    ]
    together = 100 * means[[f"{classifier}: balanced accuracy" for classifier in RANKED]].mean(axis=1).unstack("method")
    over = together.sub(together.reindex(columns=["random", "SMOTE"]).max(axis=1), axis=0)  # of each table
    rows: dict[str, dict[str, str]] = {method: {} for method in methods}
    ranks: dict[str, list[float]] = {method: [] for method in methods}
    for classifier in CLASSIFIERS:
        wide = means[f"{classifier}: balanced accuracy"].unstack("method")[methods]
        rank = rankdata(-wide.round(5), axis=1).mean(0)
        for method, r, mean in zip(methods, rank, wide.mean(), strict=True):
            rows[method][classifier] = f"{r:.2f}, {mean:.3f}"
            if classifier in RANKED:
                ranks[method].append(r)
    seconds = means["seconds"].groupby("method").mean()
    shown = [
        {
            "new rows": m,
            "mean rank, first four": f"{np.mean(ranks[m]):.2f}",
            "over the better of random and SMOTE": with_error(over[m], "+"),
            "worst table": f"{over[m].min():+.1f}",
            **rows[m],
            "seconds": f"{seconds[m]:.2f}",
        }
        for m in sorted(methods, key=lambda m: np.mean(ranks[m]))
    ]
    if WEIGHTS in means.index.get_level_values("method"):
        weighted = means.xs(WEIGHTS, level="method")
        values = {c: weighted[f"{c}: balanced accuracy"].mean() for c in CLASSIFIERS}
        row = {c: "–" if np.isnan(v) else f"–, {v:.3f}" for c, v in values.items()}
        shown.append(
            {
                "new rows": f"none, {WEIGHTS}",
                "mean rank, first four": "–",
                "over the better of random and SMOTE": "–",
                "worst table": "–",
                **row,
                "seconds": "0.00",
            }
        )
    text.append(pd.DataFrame(shown).to_markdown(index=False, disable_numparse=True))
    return "\n\n".join(text)


if __name__ == "__main__":
    torch.set_num_threads(1)
    main("tables", BUDGETS, cells, measure, report)
