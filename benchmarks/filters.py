"""Row filters: do the rows they keep teach more, and is the tail none the worse for it?

    OMP_NUM_THREADS=2 python benchmarks/filters.py [--quick | --full]

MNIST-5k's long tail. One training per net and seed; every filter chooses from the same generator. "Train on synthetic" is a
classifier that sees generated rows only, as many as the largest class has; "mean recall" one that sees the real rows and the
generated ones that bring every class to the largest.
"""

import functools
import warnings

import numpy as np
import pandas as pd
from harness import CACHE, parse_budget, run_cells, with_error
from long_tail import tail
from sklearn.metrics import recall_score

from skgan import CNNClassifier, GANOverSampler
from skgan.filters import AllOf, ClassifierFilter, DiscriminatorFilter, NeighbourFilter
from skgan.presets import dcgan, offspring

BUDGETS = {
    "quick": "1 seed, 100 generator steps, 100 updates (1 minute)",
    "default": "3 seeds, 400 updates (25 minutes)",
    "full": "10 seeds, 4,000 updates",
}
RUNS = {"quick": (1, 100, 100), "default": (3, 400, None), "full": (10, 4000, None)}  # seeds, updates, generator steps
NETS = {"offspring": lambda **params: offspring(shares=(1, 0, 0), **params), "conditional dcgan": dcgan}
FILTERS = {
    "none": lambda: None,
    "ClassifierFilter": ClassifierFilter,
    "DiscriminatorFilter": DiscriminatorFilter,
    "NeighbourFilter": NeighbourFilter,
    "both": lambda: AllOf([ClassifierFilter(), NeighbourFilter()]),
}


def measure(net: str, row_filter: str, seed: int, updates: int, steps: int | None) -> dict:
    X, y, whole = tail("mnist", seed)
    # The net is trained once for all filters: the cache's key does not know the filter.
    sampler = GANOverSampler(
        net=NETS[net](), row_filter=FILTERS[row_filter](), max_steps=steps, memory=CACHE.location, random_state=seed
    )
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "The row filter left too few rows")  # the share accepted is a column
        X_all, y_all = sampler.fit_resample(X, y)
        accepted = (
            sampler.filter_report_["accepted"].sum() / sampler.filter_report_["made"].sum()
            if row_filter != "none"
            else 1.0
        )
        synthetic = sampler.sample(dict.fromkeys(range(10), int(np.bincount(y).max())))

    def recalls(X_train, y_train):
        predicted = CNNClassifier(max_updates=updates, random_state=seed).fit(X_train, y_train).predict(whole.x_test)
        return recall_score(whole.y_test, predicted, average=None)

    together = recalls(X_all, y_all)
    return {
        "accepted": accepted,
        "train on synthetic": recalls(*synthetic).mean(),
        "mean recall": together.mean(),
        "rarest three": together[np.argsort(np.bincount(y))[:3]].mean(),
    }


def report(results: pd.DataFrame) -> str:
    """Markdown for docs/results.md."""
    columns = ("accepted", "train on synthetic", "mean recall", "rarest three")
    rows = [
        {"net": net, "filter": row_filter, **{column: with_error(100 * part[column]) for column in columns}}
        for (net, row_filter), part in results.groupby(["net", "row_filter"], sort=False)
    ]
    table = pd.DataFrame(rows).to_markdown(index=False, disable_numparse=True)
    return (
        f"{table}\n\nPercent, mean ± standard error over {results['seed'].nunique()} seeds of MNIST's long tail. Where a "
        "filter leaves too few rows of a class, copies of its real rows fill up."
    )


if __name__ == "__main__":
    arguments = parse_budget(__doc__.splitlines()[0], BUDGETS)
    n_seeds, updates, steps = RUNS[arguments.budget]
    cells = [
        {"net": net, "seed": seed, "row_filter": row_filter}
        for net in NETS
        for seed in range(n_seeds)
        for row_filter in FILTERS
        if (net, row_filter) != ("offspring", "DiscriminatorFilter")  # its critic judges pairs
    ]
    print(report(run_cells("filters", arguments, cells, functools.partial(measure, updates=updates, steps=steps))))
