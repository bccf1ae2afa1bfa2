"""Variation learned where rows are plenty, handed to classes of a few rows: DAGAN and offspring beside copies and SMOTE.

    OMP_NUM_THREADS=1 python benchmarks/transfer.py [--quick | --full]

Fashion-MNIST. The nets train on five classes (every second one, of 2,000 rows each) and never see the other five, of which 5,
10 or 25 rows are given. A CNN is trained on all ten classes, the five scarce ones brought to 500 rows, with the same number of
updates for every line; mean recall is that of the five scarce classes on test rows. "Class kept" is the share of new rows that
a judge, trained on all 60,000 real rows, takes for their parent's class.
"""

import functools

import numpy as np
import pandas as pd
from data import fashion_mnist
from harness import fitted, parse_budget, run_cells, with_error
from imblearn.over_sampling import SMOTE, RandomOverSampler
from long_tail import AUGMENT
from sklearn.metrics import recall_score

from skgan import CNNClassifier
from skgan._random import private_rng
from skgan.codecs import ImageCodec
from skgan.presets import dagan, offspring

BUDGETS = {
    "quick": "1 seed, 10 rows a class, 40 steps, 60 updates (2 minutes)",
    "default": "5 seeds; 5, 10 and 25 rows a class, 300 updates (105 minutes on one core beside another job)",
    "full": "as default, 4,000 updates",
}
RUNS = {  # seeds, rows of a scarce class, updates, generator steps
    "quick": (1, (10,), 60, 40),
    "default": (5, (5, 10, 25), 300, None),
    "full": (5, (5, 10, 25), 4000, None),
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


def measure(n_target: int, seed: int, method: str, updates: int, steps: int | None) -> dict:
    X, y = rows(seed, n_target)
    name, kept = method.removesuffix(AUGMENTED), np.nan
    wanted = dict.fromkeys(TARGET, WANTED)
    if name in NETS:
        from_source = np.isin(y, SOURCE)
        preset, shares = NETS[name]
        net = preset() if steps is None else preset(max_steps=steps)
        net, _ = fitted(net, X[from_source][:, None], y[from_source], seed)
        net.shares = shares
        y_new = np.repeat(TARGET, WANTED - n_target)
        with private_rng(seed):
            made = net.sample(y_new, source=(X[:, None], y))
        X_new = ImageCodec(value_range="dtype").fit(X).inverse_transform(made)
        kept = (judge(2000 if updates > 100 else 50).predict(X_new) == y_new).mean()
        X, y = np.concatenate([X, X_new[:, 0] if X_new.ndim == 4 else X_new]), np.concatenate([y, y_new])
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
        max_updates=updates,
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
    arguments = parse_budget(__doc__.splitlines()[0], BUDGETS)
    n_seeds, amounts, updates, steps = RUNS[arguments.budget]
    cells = [
        {"n_target": n, "seed": seed, "method": method}
        for seed in range(n_seeds)
        for n in amounts
        for method in METHODS
    ]
    run = functools.partial(measure, updates=updates, steps=steps)
    print(report(run_cells("transfer", arguments, cells, run)))
