"""What offspring are like: new rows or copies, of their parent's class or not, and how they look.

    OMP_NUM_THREADS=2 python benchmarks/offspring_rows.py [--quick | --full]

The default net on both long tails; copies and mixtures left out. The judge is a CNN trained on *all* real training rows, before
any was taken away; what it says of real test rows stands beside. Writes docs/images/offspring-<data set>.png.
"""

import functools

import numpy as np
import pandas as pd
from harness import DOCS, parse_budget, run_cells, with_error
from long_tail import tail, trained_offspring
from rivals import wanted_rows

from skgan import CNNClassifier
from skgan._random import private_rng
from skgan.codecs import ImageCodec
from skgan.metrics import copy_ratio
from skgan.plotting import SampleGridDisplay

BUDGETS = {
    "quick": "MNIST, 1 seed, 100 steps (1 minute)",
    "default": "both data sets, 3 seeds (25 minutes)",
    "full": "both data sets, 5 seeds",
}
RUNS = {  # data sets, seeds, generator steps, updates of the judge
    "quick": (("mnist",), 1, 100, 200),
    "default": (("mnist", "fashion"), 3, None, 4000),
    "full": (("mnist", "fashion"), 5, None, 4000),
}


@functools.lru_cache(maxsize=1)
def judge(dataset: str, seed: int, updates: int) -> CNNClassifier:
    whole = tail(dataset, seed)[2]
    return CNNClassifier(max_updates=updates, random_state=seed).fit(whole.x_train, whole.y_train)


def measure(dataset: str, seed: int, steps: int | None, updates: int) -> dict:
    X, y, whole = tail(dataset, seed)
    net, seconds = trained_offspring(dataset, seed, steps)
    net.shares = (1, 0, 0)
    y_new = wanted_rows(y)
    codec = ImageCodec(value_range="dtype").fit(X)
    with private_rng(seed):
        encoded, parents, _ = net.sample_with_parents(y_new, (X[:, None], y))
    rows, parents = (codec.inverse_transform(a) for a in (encoded, parents))
    classifier = judge(dataset, seed, updates)
    features = classifier.features
    some = np.random.RandomState(seed).permutation(len(rows))[:2000]
    if seed == 0:
        picture(dataset, rows, parents, y_new)
    return {
        "class kept": (classifier.predict(rows) == y_new).mean(),
        "of their parents": (classifier.predict(parents) == y_new).mean(),
        "of real test rows": (classifier.predict(whole.x_test) == whole.y_test).mean(),
        "copy ratio, pixels": copy_ratio(X, whole.x_test[:2000], rows[some]),
        "copy ratio, features": copy_ratio(X, whole.x_test[:2000], rows[some], features=features),
        "seconds of training": seconds,
    }


def picture(dataset: str, rows, parents, y) -> None:
    """Parents above their offspring, for the five rarest classes."""
    classes = np.argsort(-np.bincount(y))[:5]
    some = [np.random.RandomState(0).permutation(np.flatnonzero(y == klass))[:12] for klass in classes]
    blocks = [(f"class {klass}", parents[i], rows[i]) for klass, i in zip(classes, some, strict=True)]
    display = SampleGridDisplay.from_images(blocks, n_columns=12, kinds=("parent", "offspring")).plot()
    display.figure_.savefig(DOCS / "images" / f"offspring-{dataset}.png", dpi=60)


def report(results: pd.DataFrame) -> str:
    """Markdown for docs/results.md."""
    rows = []
    for dataset, part in results.groupby("dataset", sort=False):
        row = {"data": dataset, "seeds": len(part)}
        for column in (c for c in part.columns if c not in ("dataset", "seed", "date")):
            percent = not column.startswith(("copy", "seconds"))
            row[column] = with_error(100 * part[column]) + " %" if percent else with_error(part[column], digits=2)
        rows.append(row)
    pictures = "\n\n".join(
        f"Parents above offspring, {dataset}'s five rarest classes, seed 0:\n\n![offspring](images/offspring-{dataset}.png)"
        for dataset in results["dataset"].unique()
    )
    return f"{pd.DataFrame(rows).to_markdown(index=False, disable_numparse=True)}\n\n{pictures}"


if __name__ == "__main__":
    arguments = parse_budget(__doc__.splitlines()[0], BUDGETS)
    datasets, n_seeds, steps, updates = RUNS[arguments.budget]
    cells = [{"dataset": dataset, "seed": seed} for dataset in datasets for seed in range(n_seeds)]
    print(
        report(run_cells("offspring_rows", arguments, cells, functools.partial(measure, steps=steps, updates=updates)))
    )
