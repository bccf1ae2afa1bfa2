"""Recursive training: does a generator get better by training on its own rows? The MNIST report's experiment 3.

    OMP_NUM_THREADS=2 python benchmarks/recursive.py [--quick | --full]

From 250 real rows a digit, every round trains one MLP GAN (α 4) per class anew on the current set, adds a tenth of its size,
and goes on. Each round's generators are judged as the report does, by the report's classifier on 1,000 of their rows a class
(corrected: gradients are reset), and so are sets with all rows added so far. The control adds the same number in one round.
"""

import functools

import numpy as np
import pandas as pd
from harness import CACHE, DOCS, parse_budget, run_cells, with_error
from matplotlib.figure import Figure
from mixing_ratio import classifier, data, report_gan

from skgan import ConditionalGANAugmenter, RecursiveAugmenter

BUDGETS = {
    "quick": "8×8 digits, 1 seed, 2 rounds, 5 epochs of the GANs (1 minute)",
    "default": "MNIST, 3 seeds, 4 rounds, 100 epochs (30 minutes)",
    "full": "MNIST, 3 seeds, 10 rounds, 2,000 epochs, as published",
}
RUNS = {"quick": ("digits", 100, 1, 2, 5), "default": ("mnist", 250, 3, 4, 100), "full": ("mnist", 250, 3, 10, 2000)}
GROWTH = 0.1


def measure(kind: str, rounds: int, seed: int, dataset: str, n: int, epochs: int) -> dict:
    """Rounds before this one come from the cache, so a cell costs one round."""
    X, y, _, _, X_test, y_test = data(dataset, n, seed)
    augmenter = ConditionalGANAugmenter(net=report_gan(4, n, epochs), per_class=True, memory=CACHE.location)
    growth = GROWTH if kind == "rounds" else (1 + GROWTH) ** rounds - 1
    sampler = RecursiveAugmenter(augmenter, rounds if kind == "rounds" else 1, growth, random_state=seed)
    X_all, y_all = sampler.fit_resample(X, y)
    made = sampler.augmenter_.sample(dict.fromkeys(range(10), min(1000, 10 * n)))
    accuracy = [
        np.mean([(classifier("corrected", trial).fit(*rows).predict(X_test) == y_test).mean() for trial in range(3)])
        for rows in (made, (X_all, y_all))
    ]
    return {"synthetic only": accuracy[0], "real and added": accuracy[1], "rows": len(X_all)}


def report(results: pd.DataFrame) -> str:
    """Markdown for docs/results.md."""
    rows = [
        {
            "rounds": rounds,
            **{
                f"{column}, {name}": with_error(100 * cell.loc[cell["kind"] == kind, column])
                for column in ("synthetic only", "real and added")
                for kind, name in (("rounds", "recursive"), ("at once", "at once"))
            },
            "rows": cell["rows"].iloc[0],
        }
        for rounds, cell in results.groupby("rounds", sort=False)
    ]
    figure = Figure(figsize=(8, 3.2), layout="constrained")
    for axis, column in zip(figure.subplots(1, 2), ("synthetic only", "real and added"), strict=True):
        for kind, cells in results.groupby("kind", sort=False):
            by = cells.groupby("rounds")[column]
            axis.errorbar(by.mean().index, by.mean(), by.sem().fillna(0), marker="o", capsize=3, label=kind)
        axis.set(title=column, xlabel="rounds", ylabel="accuracy")
        axis.legend()
    figure.savefig(DOCS / "images" / "recursive.png", dpi=70)
    table = pd.DataFrame(rows).to_markdown(index=False, disable_numparse=True)
    note = f"Accuracy in percent, mean ± standard error over {results['seed'].nunique()} seed(s), each of 3 trials."
    return f"{table}\n\n{note}\n\n![accuracy after each round](images/recursive.png)"


if __name__ == "__main__":
    arguments = parse_budget(__doc__.splitlines()[0], BUDGETS)
    dataset, n, n_seeds, n_rounds, epochs = RUNS[arguments.budget]
    cells = [
        {"kind": kind, "rounds": rounds, "seed": seed}
        for seed in range(n_seeds)
        for rounds in range(1, n_rounds + 1)
        for kind in ("rounds", "at once")
    ]
    run = functools.partial(measure, dataset=dataset, n=n, epochs=epochs)
    print(report(run_cells("recursive", arguments, cells, run)))
