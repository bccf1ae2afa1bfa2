"""Classes without a single row: GenClass against the nearest attributes, and against chance.

    OMP_NUM_THREADS=1 python benchmarks/zero_shot.py [--quick | --full]

Two classes are held out of training and known by their attributes alone. Digits (scikit-learn's, 8 × 8) are described by the
segments of a seven-segment display that each is drawn with, Fashion-MNIST by what a shopper would say of a piece.
"Nearest attributes" predicts every attribute from the pixels (ridge regression, its strength by cross-validation on the seen
classes) and takes the class whose attributes are nearest. Accuracy of unseen rows among the unseen classes only, and of seen
and unseen rows among all classes with their harmonic mean. The plain classifier is a logistic regression on the seen classes.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from data import fashion_mnist
from harness import Part, Run, main, with_error
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression, RidgeCV
from sklearn.model_selection import train_test_split

from skgan import GenClassClassifier
from skgan.presets import genclass


@dataclass(frozen=True)
class ZeroShotRun(Run):
    datasets: tuple[str, ...]
    n_seeds: int
    steps: int


BUDGETS = {
    "quick": ZeroShotRun("digits, 1 seed, 100 steps (1 minute)", datasets=("digits",), n_seeds=1, steps=100),
    "default": ZeroShotRun("digits, 5 seeds, 800 steps (10 minutes)", datasets=("digits",), n_seeds=5, steps=800),
    "full": ZeroShotRun(
        "digits and Fashion-MNIST, 5 seeds, 3,000 steps", datasets=("digits", "fashion"), n_seeds=5, steps=3000
    ),
}
LARGER_BUDGETS = {
    "quick": ZeroShotRun("Fashion-MNIST, 1 seed, 20 steps (1 minute)", datasets=("fashion",), n_seeds=1, steps=20),
    "default": ZeroShotRun(
        "Fashion-MNIST, 3 seeds, 800 steps (10 minutes)", datasets=("fashion",), n_seeds=3, steps=800
    ),
    "full": ZeroShotRun("Fashion-MNIST, 5 seeds, 3,000 steps", datasets=("fashion",), n_seeds=5, steps=3000),
}
#         top, upper left, upper right, middle, lower left, lower right, bottom
SEGMENTS = {
    0: (1, 1, 1, 0, 1, 1, 1),
    1: (0, 0, 1, 0, 0, 1, 0),
    2: (1, 0, 1, 1, 1, 0, 1),
    3: (1, 0, 1, 1, 0, 1, 1),
    4: (0, 1, 1, 1, 0, 1, 0),
    5: (1, 1, 0, 1, 0, 1, 1),
    6: (1, 1, 0, 1, 1, 1, 1),
    7: (1, 0, 1, 0, 0, 1, 0),
    8: (1, 1, 1, 1, 1, 1, 1),
    9: (1, 1, 1, 1, 0, 1, 1),
}
#         on the upper body, on the feet, covers the legs, long sleeves, short sleeves, opens at the front, collar, has a shaft,
#         has straps, is carried, reaches the knees
CLOTHES = {
    0: (1, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0),  # T-shirt
    1: (0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 1),  # trousers
    2: (1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0),  # pullover
    3: (1, 0, 1, 0, 0.5, 0, 0, 0, 0, 0, 1),  # dress
    4: (1, 0, 0, 1, 0, 1, 1, 0, 0, 0, 0.5),  # coat
    5: (0, 1, 0, 0, 0, 0, 0, 0, 1, 0, 0),  # sandal
    6: (1, 0, 0, 0.5, 0.5, 1, 1, 0, 0, 0, 0),  # shirt
    7: (0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0),  # sneaker
    8: (0, 0, 0, 0, 0, 0, 0, 0, 0.5, 1, 0),  # bag
    9: (0, 1, 0, 0, 0, 0, 0, 1, 0, 0, 0),  # ankle boot
}
ATTRIBUTES = {"digits": SEGMENTS, "fashion": CLOTHES}
# Pairs held out, one a seed: none whose attributes only one seen class has
UNSEEN = {
    "digits": ((8, 9), (3, 6), (9, 2), (8, 3), (6, 0)),
    "fashion": ((4, 9), (2, 7), (6, 5), (0, 9), (4, 7)),
}
METHODS = ("GenClass", "nearest attributes")


def cells(run: ZeroShotRun) -> Iterator[dict]:
    for dataset in run.datasets:
        for seed in range(run.n_seeds):
            for method in METHODS:
                yield {"dataset": dataset, "seed": seed, "method": method}


def rows(dataset: str, seed: int) -> tuple[np.ndarray, ...]:
    """Images (n, 1, H, W) and labels for training and test."""
    if dataset == "digits":
        X, y = load_digits(return_X_y=True)
        X = X.reshape(-1, 1, 8, 8).astype(np.float32) / 16
        X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=0.4, stratify=y, random_state=seed)
        return X_train, y_train, X_test, y_test
    whole = fashion_mnist()
    chosen = np.random.RandomState(seed).permutation(len(whole.x_train))[:6000]
    return whole.x_train[chosen, None], whole.y_train[chosen], whole.x_test[:, None], whole.y_test


def flat(X: np.ndarray) -> np.ndarray:
    return X.reshape(len(X), -1).astype(np.float32) / (255 if X.dtype == np.uint8 else 1)


class NearestAttributes:
    """Attributes by ridge regression, classes by the nearest attributes."""

    def fit(self, X, y, attributes):
        self.classes_ = np.array(sorted(attributes))
        self.vectors = np.array([attributes[klass] for klass in self.classes_], dtype=float)
        self.regression = RidgeCV(alphas=np.logspace(-2, 4, 13)).fit(
            flat(X), self.vectors[np.searchsorted(self.classes_, y)]
        )
        return self

    def decision_function(self, X):
        return -np.square(self.regression.predict(flat(X))[:, None] - self.vectors).sum(2)


def measure(run: ZeroShotRun, dataset: str, seed: int, method: str) -> dict:
    X_train, y_train, X_test, y_test = rows(dataset, seed)
    unseen = np.array(UNSEEN[dataset][seed])
    of_seen, is_unseen = ~np.isin(y_train, unseen), np.isin(y_test, unseen)
    model: Any = NearestAttributes()
    if method == "GenClass":
        model = GenClassClassifier(genclass(max_steps=run.steps), random_state=seed)
    model.fit(X_train[of_seen], y_train[of_seen], attributes=ATTRIBUTES[dataset])
    scores = model.decision_function(X_test)
    right = model.classes_[scores.argmax(1)] == y_test
    among_unseen = unseen[scores[is_unseen][:, np.searchsorted(model.classes_, unseen)].argmax(1)] == y_test[is_unseen]
    plain = LogisticRegression(max_iter=1000).fit(flat(X_train[of_seen]), y_train[of_seen])
    seen, new = right[~is_unseen].mean(), right[is_unseen].mean()
    return {
        "unseen among unseen": among_unseen.mean(),
        "seen": seen,
        "unseen": new,
        "harmonic mean": 2 * seen * new / max(seen + new, 1e-9),
        "seen, plain classifier": plain.score(flat(X_test[~is_unseen]), y_test[~is_unseen]),
    }


def report(results: pd.DataFrame) -> str:
    """Markdown for docs/results.md."""
    columns = ("unseen among unseen", "seen", "unseen", "harmonic mean", "seen, plain classifier")
    lines = [
        {"data": dataset, "": method, **{c: with_error(100 * part[c]) + " %" for c in columns}}
        for (dataset, method), part in results.groupby(["dataset", "method"], sort=False)
    ]
    note = (
        f"{results['seed'].nunique()} pairs of unseen classes, one a seed. Chance is 50 % among the unseen two; among all ten "
        "classes 10 %, and a classifier that knows only the seen ones has 0 % of the unseen."
    )
    return f"{pd.DataFrame(lines).to_markdown(index=False, disable_numparse=True)}\n\n{note}"


if __name__ == "__main__":
    main(
        *("zero_shot", BUDGETS, cells, measure, report),
        Part("zero_shot_28", LARGER_BUDGETS, cells, measure, report),
    )
