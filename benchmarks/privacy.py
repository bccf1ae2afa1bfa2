"""What new rows give away of the rows that they were made from: distances, and attacks that tell who was among these.

    OMP_NUM_THREADS=1 python benchmarks/privacy.py [--quick | --full] [--jobs 2]

Each table is cut into three parts with the same share of each class: members, of which new rows are made, as many as there
are members of each class; others, which nobody has used; and a reference, which the second attack has. The attacks guess from
the new rows alone which rows are members. GAN-Leaks (Chen et al., CCS 2020, section 5.1): those that are near a new row.
DOMIAS (van Breugel et al., AISTATS 2023): those near which new rows are denser than reference rows; densities by the distance
to the fifth nearest. An AUC of 50 % is guessing, 100 % is knowing.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd
from data import TABLES
from harness import Run, main, with_error
from imblearn.over_sampling import RandomOverSampler
from shared import encoded, filled, folds, smote
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import StratifiedKFold
from sklearn.neighbors import NearestNeighbors

from skgan import GANOverSampler

K = 5  # of the densities of DOMIAS
LEAST = 5  # members of a class


@dataclass(frozen=True)
class PrivacyRun(Run):
    tables: tuple[str, ...]
    n_seeds: int
    steps: int | None = None  # of the networks; None is the preset's own


UNSEEN = "unseen real rows"
METHODS: dict[str, Callable] = {
    "copies": lambda X, y, seed, **steps: RandomOverSampler(random_state=seed),
    "SMOTE": lambda X, y, seed, **steps: smote(X, y, seed),
    "GANOverSampler()": lambda X, y, seed, **steps: GANOverSampler(random_state=seed, **steps),
    "its offspring alone": lambda X, y, seed, **steps: GANOverSampler(shares={"net": 1}, random_state=seed, **steps),
    'net="mlp_gan"': lambda X, y, seed, **steps: GANOverSampler(net="mlp_gan", random_state=seed, **steps),
    'net="gaussian"': lambda X, y, seed, **steps: GANOverSampler(net="gaussian", random_state=seed),
}
BUDGETS = {
    "quick": PrivacyRun("2 tables, 1 seed, 50 steps (1 minute)", TABLES[:2], 1, 50),
    "default": PrivacyRun("13 tables, 3 seeds (15 minutes on one core)", TABLES, 3),
    "full": PrivacyRun("13 tables, 10 seeds", TABLES, 10),
}


def cells(run: PrivacyRun) -> Iterator[dict]:
    for seed in range(run.n_seeds):
        for table in run.tables:
            for method in (*METHODS, UNSEEN):
                yield {"table": table, "seed": seed, "method": method}


def parts(name: str, seed: int) -> tuple[list[pd.DataFrame], list[np.ndarray]]:
    """X and y of members, others and reference; classes of fewer than ``LEAST`` members are left out."""
    X, y, _ = folds(name, 3, 1, 1500)
    there = np.flatnonzero(np.bincount(y)[y] >= 3 * LEAST)
    X, _ = filled(X.iloc[there].reset_index(drop=True), X.iloc[:0])
    y = np.unique(y[there], return_inverse=True)[1]
    places = [rows for _, rows in StratifiedKFold(3, shuffle=True, random_state=seed).split(X, y)]
    return [X.iloc[rows].reset_index(drop=True) for rows in places], [y[rows] for rows in places]


def measure(run: PrivacyRun, table: str, seed: int, method: str) -> dict:
    X, y = parts(table, seed)
    counts = np.bincount(y[0])
    if method == UNSEEN:
        made, labels = X[2], y[2]
    else:
        sampler = METHODS[method](X[0], y[0], seed, **({} if run.steps is None else {"max_steps": run.steps}))
        sampler.set_params(sampling_strategy={klass: 2 * int(n) for klass, n in enumerate(counts)})
        made, labels = (rows[len(y[0]) :] for rows in sampler.fit_resample(X[0], y[0]))
    encode = encoded(None)[:-1].fit(pd.concat(X))
    members, others, reference, new = (encode.transform(rows).astype(float) for rows in (*X, made))
    asked = np.concatenate([members, others])
    of, is_member = np.concatenate([y[0], y[1]]), np.repeat([1, 0], [len(y[0]), len(y[1])])
    near, ratio = np.empty(len(asked)), np.empty(len(asked))
    to_members, to_others = np.empty(len(new)), np.empty(len(new))
    for klass in range(len(counts)):
        mine, fresh = of == klass, new[labels == klass]
        near[mine] = -distances(fresh, asked[mine], 1)
        ratio[mine] = distances(reference[y[2] == klass], asked[mine], K) - distances(fresh, asked[mine], K)
        to_members[labels == klass] = distances(members[y[0] == klass], fresh, 1)
        to_others[labels == klass] = distances(others[y[1] == klass], fresh, 1)
    rare = of == counts.argmin()
    return {
        "nearer to a member than to any other": (to_members < to_others).mean(),
        "equal to a member": (to_members < 1e-6).mean(),
        "GAN-Leaks": roc_auc_score(is_member, near),
        "GAN-Leaks, rarest class": roc_auc_score(is_member[rare], near[rare]),
        "DOMIAS": roc_auc_score(is_member, ratio),
    }


def distances(rows: np.ndarray, asked: np.ndarray, k: int) -> np.ndarray:
    """From each to its k-th nearest of the rows."""
    k = min(k, len(rows))
    return NearestNeighbors(n_neighbors=k).fit(rows).kneighbors(asked)[0][:, -1]


def report(results: pd.DataFrame) -> str:
    """Markdown for docs/results.md: means of tables, with the standard error over tables."""
    names = results.columns.drop(["table", "seed", "method", "date", "device"], errors="ignore")
    lines = []
    for method in (name for name in (*METHODS, UNSEEN) if name in set(results["method"])):
        of_table = results[results["method"] == method].groupby("table")[names].mean()
        lines.append({"new rows": f"`{method}`" if "=" in method or "(" in method else method})
        lines[-1] |= {name: with_error(100 * of_table[name]) + " %" for name in names}
    table = pd.DataFrame(lines).to_markdown(index=False, disable_numparse=True)
    n_seeds = results["seed"].nunique()
    return (
        f"{table}\n\nMean ± standard error over {results['table'].nunique()} tables, {n_seeds} cuts of each; the "
        "last line is the reference itself in the place of new rows."
    )


if __name__ == "__main__":
    main("privacy", BUDGETS, cells, measure, report)
