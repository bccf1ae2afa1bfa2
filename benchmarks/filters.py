"""Row filters: do the rows they keep teach more, and is the tail none the worse for it?

    OMP_NUM_THREADS=2 python benchmarks/filters.py [--quick | --full]

MNIST-5k's long tail. One training per net and seed; every filter chooses from the same generator. "Train on synthetic" is a
classifier that sees generated rows only, as many as the largest class has; "mean recall" one that sees the real rows and the
generated ones that bring every class to the largest.
"""

import functools

import numpy as np
import pandas as pd
from harness import parse_budget, run_cells
from long_tail import tail, with_error
from rivals import wanted_rows
from sklearn.metrics import recall_score

from skgan import CNNClassifier
from skgan._torch import private_rng, to_unit_range
from skgan.codecs import ImageCodec
from skgan.filters import AllOf, ClassifierFilter, NeighbourFilter
from skgan.presets import dcgan, offspring
from skgan.samplers._base import OVER_GENERATION

BUDGETS = {
    "quick": "1 seed, 100 generator steps, 100 updates (1 minute)",
    "default": "3 seeds, 800 updates (30 minutes)",
    "full": "10 seeds, 4,000 updates",
}
RUNS = {"quick": (1, 100, 100), "default": (3, 800, None), "full": (10, 4000, None)}  # seeds, updates, generator steps
NETS = {"offspring": lambda **params: offspring(shares=(1, 0, 0), **params), "conditional dcgan": dcgan}
FILTERS = {
    "none": lambda: None,
    "ClassifierFilter": ClassifierFilter,
    "NeighbourFilter": NeighbourFilter,
    "both": lambda: AllOf([ClassifierFilter(), NeighbourFilter()]),
}


@functools.lru_cache(maxsize=1)
def trained(name: str, seed: int, steps: int | None):
    X, y, _ = tail("mnist", seed)
    net = NETS[name](**({} if steps is None else {"max_steps": steps}))
    with private_rng(seed):
        return net.fit(X[:, None], y)


def filtered(net, name: str, y_new: np.ndarray, seed: int) -> tuple[np.ndarray, float]:
    """Generated rows that the filter keeps, topped up with copies as the sampler does, and the share it accepted."""
    X, y, _ = tail("mnist", seed)
    source = X[:, None], y
    row_filter = FILTERS[name]()
    with private_rng(seed):
        if row_filter is None:
            return net.sample(y_new, source=source), 1.0
        row_filter.fit(*source, net=net)
        rows = np.empty((len(y_new), 1, 28, 28), dtype=np.float32)
        accepted = made = 0
        rng = np.random.RandomState(seed)
        for klass in np.unique(y_new):
            where = np.flatnonzero(y_new == klass)
            labels = np.full(OVER_GENERATION * len(where), klass)
            candidates = net.sample(labels, source=source)
            good = candidates[row_filter.score_samples(candidates, labels) >= 0]
            accepted, made = accepted + len(good), made + len(labels)
            copies = X[rng.choice(np.flatnonzero(y == klass), max(0, len(where) - len(good)))][:, None]
            rows[where] = np.concatenate([good[: len(where)], to_unit_range(copies)])
    return rows, accepted / made


def measure(net: str, row_filter: str, seed: int, updates: int, steps: int | None) -> dict:
    X, y, whole = tail("mnist", seed)
    generator = trained(net, seed, steps)
    codec = ImageCodec(value_range="dtype").fit(X)

    def recalls(X_train, y_train):
        predicted = CNNClassifier(max_updates=updates, random_state=seed).fit(X_train, y_train).predict(whole.x_test)
        return recall_score(whole.y_test, predicted, average=None)

    y_all = np.repeat(np.arange(10), np.bincount(y).max())
    synthetic, accepted = filtered(generator, row_filter, y_all, seed)
    y_new = wanted_rows(y)
    rows, _ = filtered(generator, row_filter, y_new, seed)
    together = recalls(np.concatenate([X, codec.inverse_transform(rows)]), np.concatenate([y, y_new]))
    return {
        "accepted": accepted,
        "train on synthetic": recalls(codec.inverse_transform(synthetic), y_all).mean(),
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
    return f"{table}\n\nPercent, mean ± standard error over {results['seed'].nunique()} seeds of MNIST's long tail."


if __name__ == "__main__":
    arguments = parse_budget(__doc__.splitlines()[0], BUDGETS)
    n_seeds, updates, steps = RUNS[arguments.budget]
    cells = [
        {"net": net, "seed": seed, "row_filter": row_filter}
        for net in NETS
        for seed in range(n_seeds)
        for row_filter in FILTERS
    ]
    print(report(run_cells("filters", arguments, cells, functools.partial(measure, updates=updates, steps=steps))))
