"""Imbalanced tables: new rows from skgan's nets beside copies and SMOTE, for five classifiers.

    OMP_NUM_THREADS=1 python benchmarks/tables.py [--quick | --full]

Repeated stratified folds of the 13 tables; samplers see the training side only, classifiers a one-hot and standardised form.
Two processes share the work if each gets its folds: ``--only fold=0 fold=1 fold=2`` and ``--only fold=3 fold=4 fold=5``.
"""

import functools
import time
import warnings

import numpy as np
import pandas as pd
import torch
from data import TABLES, table
from harness import parse_budget, run_cells, with_error
from imblearn.over_sampling import SMOTE, SMOTEN, SMOTENC, BorderlineSMOTE, RandomOverSampler
from rivals import ctgan_or_tvae, refiner, smote_variant
from scipy.stats import rankdata
from sklearn.compose import make_column_selector, make_column_transformer
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import average_precision_score, balanced_accuracy_score, log_loss
from sklearn.model_selection import RepeatedStratifiedKFold
from sklearn.neighbors import KNeighborsClassifier
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import LabelEncoder, OneHotEncoder, StandardScaler

from skgan import GANOverSampler
from skgan._random import private_rng
from skgan.codecs import TabularCodec
from skgan.penalties import R1
from skgan.presets import gaussian, mlp_gan, offspring

BUDGETS = {
    "quick": "3 small tables, 3 folds, 200 steps (2 minutes)",
    "default": "11 tables of at most 2,500 rows, 2 times 3 folds, 1,000 steps (80 minutes; 40 as two processes)",
    "full": "13 tables, 5 folds, 5 repeats",
}
QUICK_STEPS = 200
RUNS = {  # tables, folds, repeats, steps of skgan's nets (None: the preset's own)
    "quick": (("ecoli3", "glass2", "car-good"), 3, 1, QUICK_STEPS),
    "default": (tuple(name for name in TABLES if not name.startswith("page-blocks")), 3, 2, 1000),
    "full": (TABLES, 5, 5, None),
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
CLASSIFIERS = {
    "logistic regression": lambda: LogisticRegression(max_iter=1000),
    "k-NN": KNeighborsClassifier,
    "MLP": lambda: MLPClassifier((64,), max_iter=150, random_state=0),
    "random forest": lambda: RandomForestClassifier(100, random_state=0, n_jobs=1),
    "gradient boosting": lambda: HistGradientBoostingClassifier(random_state=0),
}
RANKED = tuple(CLASSIFIERS)[:4]  # all but the boosting; the default is chosen by these


def smote(X: pd.DataFrame, y: np.ndarray, seed: int):
    """SMOTE for numbers, SMOTENC for both kinds of columns, SMOTEN for categories."""
    k = min(5, int(np.bincount(y).min()) - 1)
    categorical = [i for i, dtype in enumerate(X.dtypes) if isinstance(dtype, pd.CategoricalDtype)]
    if not categorical:
        return SMOTE(k_neighbors=k, random_state=seed)
    if len(categorical) == X.shape[1]:
        return SMOTEN(k_neighbors=k, random_state=seed)
    return SMOTENC(categorical, k_neighbors=k, random_state=seed)


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
    return GANOverSampler(net=NETS[method](), max_steps=steps, random_state=seed)


@functools.lru_cache(maxsize=1)
def trained_offspring(name: str, fold: int, n_folds: int, n_repeats: int, steps: int | None):
    """One training for all shares: codec, net, encoded rows, and seconds."""
    X, y, splits = folds(name, n_folds, n_repeats)
    X, y = X.iloc[splits[fold][0]].reset_index(drop=True), y[splits[fold][0]]
    begin = time.perf_counter()
    codec = TabularCodec().fit(X)
    encoded = codec.transform(X)
    net = offspring(module__spans=codec.spans_, **({} if steps is None else {"max_steps": steps}))
    with private_rng(fold):
        net.fit(encoded, y)
    return codec, net, encoded, time.perf_counter() - begin


def model_of(classifier: str) -> Pipeline:
    """The classifier behind one-hot and standardised columns."""
    encode = make_column_transformer(
        (OneHotEncoder(handle_unknown="ignore", sparse_output=False), make_column_selector(dtype_include="category")),
        remainder="passthrough",
    )
    return make_pipeline(encode, StandardScaler(), CLASSIFIERS[classifier]())


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


@functools.lru_cache(maxsize=2)
def folds(name: str, n_folds: int, n_repeats: int):
    X, y = table(name)
    labels = LabelEncoder().fit_transform(y)
    splitter = RepeatedStratifiedKFold(n_splits=n_folds, n_repeats=n_repeats, random_state=0)
    return X, labels, list(splitter.split(X, labels))


def measure(table: str, fold: int, method: str, n_folds: int, n_repeats: int, steps: int | None) -> dict:
    X, y, splits = folds(table, n_folds, n_repeats)
    train, test = splits[fold]
    X_train, y_train = X.iloc[train].reset_index(drop=True), y[train]
    prior = np.bincount(y_train) / len(y_train)
    begin = time.perf_counter()
    X_new, y_new = X_train, y_train
    seconds_before = 0.0
    if method in SHARES:
        codec, net, encoded, seconds_before = trained_offspring(table, fold, n_folds, n_repeats, steps)
        net.shares = SHARES[method]
        counts = np.bincount(y_train)
        wanted = np.repeat(np.arange(len(counts)), counts.max() - counts)
        with private_rng(fold):
            rows = codec.inverse_transform(net.sample(wanted, source=(encoded, y_train)))
        X_new, y_new = pd.concat([X_train, rows], ignore_index=True), np.concatenate([y_train, wanted])
        begin = time.perf_counter()
    elif method in SMOTE_VARIANTS:
        X_new, y_new = smote_variant(SMOTE_VARIANTS[method], X_train, y_train, fold)
    elif method in TABULAR_GANS:
        X_new, y_new = ctgan_or_tvae(method, X_train, y_train, fold, epochs=10 if steps == QUICK_STEPS else 100)
    elif method not in ("nothing", WEIGHTS):
        X_new, y_new = sampler_of(method, X_train, y_train, fold, steps).fit_resample(X_train, y_train)
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
    "conditional GAN (mlp_gan)": "**GANOverSampler**",
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
    arguments = parse_budget(__doc__.splitlines()[0], BUDGETS)
    names, n_folds, n_repeats, steps = RUNS[arguments.budget]
    torch.set_num_threads(1)
    cells = [
        {"table": name, "fold": fold, "method": method}
        for name in names
        for fold in range(n_folds * n_repeats)
        for method in (*METHODS, WEIGHTS)
    ]
    options = {"n_folds": n_folds, "n_repeats": n_repeats, "steps": steps}
    print(report(run_cells("tables", arguments, cells, functools.partial(measure, **options))))
