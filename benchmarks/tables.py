"""Imbalanced tables: new rows from skgan beside nothing, copies, SMOTE and other over-samplers, for six classifiers.

    OMP_NUM_THREADS=1 python benchmarks/tables.py [--quick | --full] [--jobs 2]

``tables_select`` has 35 tables on which defaults are chosen, ``tables_report`` 13 others on which they are not, and
``tables_generators`` eight of the former with generators of whole tables. Larger tables are cut by a fixed stratified cut.
Samplers see the training side only, its missing values filled in; classifiers see a one-hot and standardised form.
"""

import importlib
import math
import time
import warnings
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
import torch
from data import SELECT, TABLES
from harness import Part, Run, largest, main
from imblearn.ensemble import BalancedRandomForestClassifier
from imblearn.over_sampling import SMOTE, BorderlineSMOTE, RandomOverSampler
from rivals import adversarial_forest, ctgan_or_tvae, forest_diffusion, smote_variant
from shared import encoded, filled, folds, smote
from table_reports import brief, draw, over_corrected, report, report_with_picture, short
from table_scores import ALL, DECISION, FOREST, MEASURES, classifier_of, probabilities_of, scores, tuned_weights

from skgan import GANOverSampler

__all__ = ["brief", "draw", "over_corrected", "report", "report_with_picture", "short"]


@dataclass(frozen=True)
class TablesRun(Run):
    tables: tuple[str, ...]
    methods: tuple[str, ...]
    n_folds: int
    n_repeats: int = 1
    max_rows: int = 1500
    classifiers: tuple[str, ...] = ALL
    tuned: tuple[str, ...] = ()  # classifiers whose decision is tuned, after TUNED_METHODS
    steps: int | None = None  # of skgan's networks; None is the preset's own
    epochs: int = 100  # of CTGAN and TVAE
    n_times: int = 10  # of ForestDiffusion, whose own is 50
    n_copies: int = 10  # of each row with other noise, of ForestDiffusion, whose own is 100


NOTHING, WEIGHTS, BALANCED_FOREST, GAN = "nothing", "class weights", "balanced random forest", "GANOverSampler"
MIXED = {"net": 1, "mixture": 1, "copy": 1}
# Method → sampler of a training side, its seed and the run
Sampler = Callable[[pd.DataFrame, np.ndarray, int, TablesRun], object]
SAMPLERS: dict[str, Sampler] = {
    "copies": lambda X, y, seed, run: RandomOverSampler(random_state=seed),
    "SMOTE": lambda X, y, seed, run: smote(X, y, seed),
    "BorderlineSMOTE": lambda X, y, seed, run: borderline(X, y, seed),
    "Gaussian": lambda X, y, seed, run: GANOverSampler(net="gaussian", random_state=seed),
    "Gaussian, mixtures, copies": lambda X, y, seed, run: GANOverSampler(
        net="gaussian", shares=MIXED, random_state=seed
    ),
    GAN: lambda X, y, seed, run: GANOverSampler(max_steps=run.steps, random_state=seed),
    "GANOverSampler, half-way": lambda X, y, seed, run: GANOverSampler(
        sampling_strategy=half_way, max_steps=run.steps, random_state=seed
    ),
    "mlp_gan": lambda X, y, seed, run: GANOverSampler(net="mlp_gan", max_steps=run.steps, random_state=seed),
}
SMOTE_VARIANTS = {"polynom-fit-SMOTE": "polynom_fit_SMOTE_star", "ProWSyn": "ProWSyn"}
PACKAGES = {
    **dict.fromkeys(SMOTE_VARIANTS, "smote_variants"),
    "CTGAN": "ctgan",
    "TVAE": "ctgan",
    "ForestDiffusion": "ForestDiffusion",
    "adversarial random forest": "arfpy.arf",
}
METHODS = (NOTHING, WEIGHTS, BALANCED_FOREST, *list(SAMPLERS)[:3], *SMOTE_VARIANTS, *list(SAMPLERS)[3:])
GENERATORS = (NOTHING, "copies", "SMOTE", "Gaussian", GAN, *list(PACKAGES)[2:])
TUNED_METHODS = (NOTHING, "SMOTE", GAN)
SMALL = ("Sacramento", "australian-cut", "breast", "bupa-cut", "hepatitis", "led7digit-lt", "penguins-cut", "wdbc-cut")
FAST = ("logistic regression", "k-NN", FOREST)

QUICK = TablesRun(
    "3 small tables, 2 folds, 3 classifiers, 50 steps (1 minute)",
    tables=("hepatitis", "penguins-cut", "wdbc-cut"),
    methods=METHODS,
    n_folds=2,
    classifiers=FAST,
    tuned=("logistic regression",),
    steps=50,
)
DEFAULT = TablesRun(
    "35 tables cut to 1,500 rows, 3 folds, without mlp_gan (25 minutes as two processes)",
    tables=SELECT,
    methods=METHODS[:-1],  # the network alone takes as long as all others together
    n_folds=3,
    tuned=FAST,
)
FEW = (NOTHING, "copies", "SMOTE", "Gaussian", GAN)
FULL = TablesRun("35 tables, 10 times 5 folds, what the worst table needs: " + ", ".join(FEW), SELECT, FEW, 5, 10)
BUDGETS = {"quick": QUICK, "default": DEFAULT, "full": FULL}
REPORT_BUDGETS = {
    "quick": replace(QUICK, told="2 small tables, the rest likewise (1 minute)", tables=("ecoli3", "glass2")),
    "default": replace(
        DEFAULT,
        told="13 tables cut to 1,500 rows, 3 folds (12 minutes as two processes)",
        tables=TABLES,
        methods=METHODS,
    ),
    "full": replace(FULL, told="13 tables, 10 times 5 folds, the same methods", tables=TABLES),
}
GENERATOR_BUDGETS = {
    "quick": replace(
        QUICK,
        told="1 small table, 2 folds",
        tables=("penguins-cut",),
        methods=GENERATORS,
        tuned=(),
        epochs=3,
        n_times=3,
        n_copies=5,
    ),
    "default": replace(
        DEFAULT, told="8 small tables, 3 folds (8 minutes as two processes)", tables=SMALL, methods=GENERATORS, tuned=()
    ),
    "full": replace(
        FULL,
        told="8 small tables, 2 times 5 folds",
        tables=SMALL,
        methods=GENERATORS,
        n_repeats=2,
        n_times=50,
        n_copies=100,
    ),
}


def cells(run: TablesRun) -> Iterator[dict]:
    """Largest tables first; the methods of a fold come together, so that a run that was stopped has whole folds."""

    def cost(name):
        X, y, _ = folds(name, run.n_folds, run.n_repeats, run.max_rows)
        return X.size * (y.max() + 1)

    for repeat in range(run.n_repeats):  # a run that was stopped has all tables in the repeats that it finished
        for name in sorted(run.tables, key=cost, reverse=True):
            for fold in range(repeat * run.n_folds, (repeat + 1) * run.n_folds):
                for method in run.methods:
                    yield {"table": name, "fold": fold, "method": method}


def half_way(y) -> dict:
    """Rows of each class: the geometric mean of what it has and what the largest has."""
    labels, counts = np.unique(y, return_counts=True)
    return {
        label: round(math.sqrt(n * counts.max())) for label, n in zip(labels.tolist(), counts.tolist(), strict=True)
    }


def borderline(X: pd.DataFrame, y: np.ndarray, seed: int):
    """BorderlineSMOTE, which takes numbers only; SMOTENC or SMOTEN elsewhere."""
    numeric = smote(X, y, seed)
    return BorderlineSMOTE(k_neighbors=numeric.k_neighbors, random_state=seed) if type(numeric) is SMOTE else numeric


def resampled(
    run: TablesRun, method: str, X: pd.DataFrame, y: np.ndarray, seed: int
) -> tuple[pd.DataFrame, np.ndarray]:
    """The training rows after a method; as they are after those that only change the classifier."""
    if method in SAMPLERS:
        return SAMPLERS[method](X, y, seed, run).fit_resample(X, y)
    if method in SMOTE_VARIANTS:
        return smote_variant(SMOTE_VARIANTS[method], X, y, seed)
    if method in ("CTGAN", "TVAE"):
        return ctgan_or_tvae(method, X, y, seed, run.epochs)
    if method == "ForestDiffusion":
        return forest_diffusion(X, y, seed, run.n_times, run.n_copies)
    return adversarial_forest(X, y, seed) if method in PACKAGES else (X, y)


def timed(run: TablesRun, method: str, X: pd.DataFrame, y: np.ndarray, seed: int):
    """Rows after a method, and its seconds without those of importing its package."""
    if method in PACKAGES:
        importlib.import_module(PACKAGES[method])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # rows too few for a validation, categories too many: the same in every fold
        begin = time.perf_counter()
        return *resampled(run, method, X, y, seed), time.perf_counter() - begin


def model_for(method: str, classifier: str, X: pd.DataFrame, y: np.ndarray, seed: int):
    """The classifier of a method's cell, or None where there is none: no class weights, or a forest of its own."""
    if method == BALANCED_FOREST:
        forest = BalancedRandomForestClassifier(100, random_state=0, n_jobs=1)
        return encoded(forest) if classifier == FOREST else None
    model = classifier_of(classifier, X, y, seed)
    if method == WEIGHTS:
        if "class_weight" not in model[-1].get_params():
            return None
        model[-1].set_params(class_weight="balanced")
    return model


def measure(run: TablesRun, table: str, fold: int, method: str) -> dict:
    """All classifiers' scores after a method, on one fold of a table."""
    X, y, splits = folds(table, run.n_folds, run.n_repeats, run.max_rows)
    train, test = splits[fold]
    X_train, X_test = filled(X.iloc[train].reset_index(drop=True), X.iloc[test])
    y_train, y_test, n_classes = y[train], y[test], y.max() + 1
    X_new, y_new, seconds = timed(run, method, X_train, y_train, fold)
    prior = np.bincount(y_train) / len(y_train)
    # Weights, and the balanced forest's samples, show a classifier classes of one size
    even = method in (WEIGHTS, BALANCED_FOREST)
    seen = np.full(n_classes, 1 / n_classes) if even else np.bincount(y_new) / len(y_new)
    decisions: Mapping[str, np.ndarray] = {}
    if method in TUNED_METHODS and run.tuned:
        decisions = tuned_weights(run.tuned, lambda X, y: timed(run, method, X, y, fold)[:2], X_train, y_train, fold)
    values: dict[str, float] = {"rows": len(X), "rare rows": np.bincount(y).min(), "test share": len(test) / len(train)}
    for classifier in run.classifiers:
        model = model_for(method, classifier, X_train, y_train, fold)
        of_classifier = dict.fromkeys(MEASURES, float("nan"))
        if model is not None:
            P = probabilities_of(model, X_new, y_new, X_test, n_classes)
            of_classifier = scores(P, y_test, seen, prior)
            if classifier in decisions:
                of_classifier[DECISION] = scores(P * decisions[classifier], y_test, seen, prior)[MEASURES[0]]
        values |= {f"{classifier}: {name}": value for name, value in of_classifier.items()}
    return {**values, "seconds": seconds}


def pictures(run: TablesRun) -> None:
    """Critical differences on the tables that no default was chosen on."""
    try:
        draw(largest("tables_report")[1])
    except FileNotFoundError:
        print("No picture of the critical differences: tables_report has not been run.")


if __name__ == "__main__":
    torch.set_num_threads(1)
    main(
        *("tables_select", BUDGETS, cells, measure, report),
        Part("tables_report", REPORT_BUDGETS, cells, measure, report),
        Part("tables_generators", GENERATOR_BUDGETS, cells, measure, report),
        pictures=pictures,
    )
