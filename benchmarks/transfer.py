"""Variation learned where rows are plenty, handed to classes of a few rows: DAGAN and offspring beside copies and SMOTE.

    OMP_NUM_THREADS=1 python benchmarks/transfer.py [--quick | --full]

Fashion-MNIST. The nets train on five classes (every second one, of 2,000 rows each) and never see the other five, of which 5,
10 or 25 rows are given. A CNN is trained on all ten classes, the five scarce ones brought to 500 rows, with the same number of
updates for every line; mean recall is that of the five scarce classes on test rows. "Class kept" is the share of new rows that
a judge, trained on all 60,000 real rows, takes for their parent's class.
"""

import functools
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd
from data import fashion_mnist
from harness import Run, fitted, main, with_error
from imblearn.over_sampling import SMOTE, RandomOverSampler
from shared import AUGMENT, rows_of
from sklearn.metrics import recall_score

from skgan import CNNClassifier
from skgan.presets import dagan, offspring


@dataclass(frozen=True)
class TransferRun(Run):
    n_seeds: int
    amounts: tuple[int, ...]  # rows of a scarce class
    updates: int
    steps: int | None  # of the generators; None is the preset's own


BUDGETS = {
    "quick": TransferRun(
        "1 seed, 10 rows a class, 40 steps, 60 updates (2 minutes)", n_seeds=1, amounts=(10,), updates=60, steps=40
    ),
    "default": TransferRun(
        "5 seeds; 5, 10 and 25 rows a class, 300 updates (105 minutes on one core beside another job)",
        n_seeds=5,
        amounts=(5, 10, 25),
        updates=300,
        steps=None,
    ),
    "full": TransferRun("as default, 4,000 updates", n_seeds=5, amounts=(5, 10, 25), updates=4000, steps=None),
}
SOURCE, TARGET = (0, 2, 4, 6, 8), (1, 3, 5, 7, 9)
PLENTY, WANTED = 2000, 500
ONLY, HALF, THIRD = (1, 0, 0), (1, 0, 1), (1, 1, 1)  # shares of children, mixtures and copies among the new rows
NETS = {
    "dagan": (dagan, ONLY),
    "dagan, half copies": (dagan, HALF),
    "offspring": (offspring, ONLY),
    "offspring, half copies": (offspring, HALF),
    "offspring, a third each": (offspring, THIRD),
}
AUGMENTED = " + augmentation"
METHODS = (
    *("nothing", "class weights", "random", "SMOTE", *NETS),
    *(f"{name}{AUGMENTED}" for name in ("nothing", "random", "SMOTE", *NETS)),
)


def cells(run: TransferRun) -> Iterator[dict]:
    for seed in range(run.n_seeds):
        for n_target in run.amounts:
            for method in METHODS:
                yield {"n_target": n_target, "seed": seed, "method": method}


@functools.lru_cache(maxsize=2)
def rows(seed: int, n_target: int) -> tuple[np.ndarray, np.ndarray]:
    """Training images (n, 28, 28) and labels, by class, so that a net meets the same source whatever ``n_target``."""
    whole, rng = fashion_mnist(), np.random.RandomState(seed)
    amounts = {klass: PLENTY if klass in SOURCE else n_target for klass in range(10)}
    kept = [rng.permutation(np.flatnonzero(whole.y_train == klass))[:n] for klass, n in amounts.items()]
    chosen = np.concatenate(kept)
    return whole.x_train[chosen], whole.y_train[chosen]


@functools.lru_cache(maxsize=1)
def judge(updates: int) -> CNNClassifier:
    whole = fashion_mnist()
    return CNNClassifier(max_updates=updates, random_state=0).fit(whole.x_train, whole.y_train)


def measure(run: TransferRun, n_target: int, seed: int, method: str) -> dict:
    X, y = rows(seed, n_target)
    name, kept = method.removesuffix(AUGMENTED), np.nan
    wanted = dict.fromkeys(TARGET, WANTED)
    if name in NETS:
        from_source = np.isin(y, SOURCE)
        preset, shares = NETS[name]
        net = preset() if run.steps is None else preset(max_steps=run.steps)
        net, _ = fitted(net, X[from_source][:, None], y[from_source], seed)
        y_new = np.repeat(TARGET, WANTED - n_target)
        X_new = rows_of(net, shares, X, y, y_new, seed)
        kept = (judge(2000 if run.updates > 100 else 50).predict(X_new) == y_new).mean()
        X, y = np.concatenate([X, X_new]), np.concatenate([y, y_new])
    elif name in ("random", "SMOTE"):
        sampler = (
            RandomOverSampler(sampling_strategy=wanted, random_state=seed)
            if name == "random"
            else SMOTE(sampling_strategy=wanted, k_neighbors=min(5, n_target - 1), random_state=seed)
        )
        flat, y = sampler.fit_resample(X.reshape(len(X), -1), y)
        X = flat.reshape(-1, 28, 28)
    whole = fashion_mnist()
    classifier = CNNClassifier(
        max_updates=run.updates,
        random_state=seed,
        augment=AUGMENT["fashion"] if method.endswith(AUGMENTED) else None,
        class_weight="balanced" if name == "class weights" else None,
    ).fit(X, y)
    predicted = classifier.predict(whole.x_test)
    return {
        "mean recall": recall_score(whole.y_test, predicted, average="macro", labels=list(TARGET)),
        "of the plentiful": recall_score(whole.y_test, predicted, average="macro", labels=list(SOURCE)),
        "class kept": kept,
    }


def report(results: pd.DataFrame) -> str:
    """Markdown for docs/results.md."""
    text = []
    for n_target, part in results.groupby("n_target", sort=False):
        recall = part.pivot(index="seed", columns="method", values="mean recall")
        lines = []
        for method in (m for m in METHODS if m in recall):
            cell = part[part["method"] == method]
            base = "random + augmentation" if method.endswith(AUGMENTED) else "random"
            lines.append(
                {
                    "training set": method,
                    "mean recall of the scarce five": with_error(100 * cell["mean recall"]),
                    "over random, alike augmented": with_error(100 * (recall[method] - recall[base]), "+"),
                    "of the plentiful five": with_error(100 * cell["of the plentiful"]),
                    "of all ten": with_error(50 * (cell["mean recall"] + cell["of the plentiful"])),
                    "class kept": ""
                    if cell["class kept"].isna().all()
                    else with_error(100 * cell["class kept"]) + " %",
                }
            )
        text.append(
            f"### {n_target} rows of each scarce class, {part['seed'].nunique()} seed(s)\n\n"
            + pd.DataFrame(lines).to_markdown(index=False, disable_numparse=True)
        )
    text.append("Where half or a third of the new rows are copies, these are among the rows whose class is kept.")
    return "\n\n".join(text)


if __name__ == "__main__":
    main("transfer", BUDGETS, cells, measure, report)
