"""Long-tailed images: does a classifier gain from GANOverSampler over copying, SMOTE and their augmented forms?

    OMP_NUM_THREADS=2 python benchmarks/long_tail.py [--parts long_tail filters offspring_rows] [--quick | --full]

MNIST-5k (a stratified half for training, 250 … 5 rows a class in random order; the other half for test) and Fashion-MNIST
(4,000 … 40). The same CNN and the same number of updates for every line.

``filters``: do the rows that a row filter keeps teach more, and is the tail none the worse for it? MNIST's tail; one training
per net and seed, every filter chooses from the same generator. "Train on synthetic" is a classifier that sees generated rows
only, as many as the largest class has; "mean recall" one that sees the real rows and the generated ones that bring every class
to the largest.

``offspring_rows``: new rows or copies, of their parent's class or not, and how do they look? The default net on both tails;
copies and mixtures left out. The judge is a CNN trained on *all* real training rows, before any was taken away; what it says
of real test rows stands beside. Writes docs/images/offspring-<data set>.png.
"""

import functools
import time
import warnings
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd
from data import long_tail
from harness import CACHE, DOCS, Part, Run, fitted, main, with_error
from imblearn.metrics import geometric_mean_score
from imblearn.over_sampling import SMOTE, RandomOverSampler
from rivals import latent_smote, refined_smote
from scipy.stats import t as student
from shared import AUGMENT, flat_resampled, rows_of, tail, wanted_rows
from sklearn.metrics import recall_score

from skgan import CNNClassifier, ConditionalGANAugmenter, GANOverSampler
from skgan.codecs import ImageCodec
from skgan.filters import AllOf, ClassifierFilter, DiscriminatorFilter, NeighbourFilter
from skgan.metrics import copy_ratio
from skgan.nets import OffspringNet
from skgan.plotting import SampleGridDisplay
from skgan.presets import dcgan, offspring


@dataclass(frozen=True)
class LongTailRun(Run):
    datasets: tuple[str, ...]
    n_seeds: int
    updates: tuple[int, ...]
    steps: int | None  # of the generators; None is the preset's own


BUDGETS = {
    "quick": LongTailRun(
        "MNIST, 1 seed, 200 generator steps, 200 updates (2 minutes)",
        datasets=("mnist",),
        n_seeds=1,
        updates=(200,),
        steps=200,
    ),
    "default": LongTailRun(
        "MNIST, 3 seeds, 800 updates (40 minutes)", datasets=("mnist",), n_seeds=3, updates=(800,), steps=None
    ),
    "full": LongTailRun(
        "both data sets, 5 seeds, 800 and 4,000 updates",
        datasets=("mnist", "fashion"),
        n_seeds=5,
        updates=(800, 4000),
        steps=None,
    ),
}
AUGMENTED = " + augmentation"
FREE = "prior-corrected nothing"
BASE = f"random{AUGMENTED}"
GAN = "GANOverSampler"
EVERY = "copies, then ConditionalGANAugmenter"  # half as many offspring as there are rows, of each class

# Shares (offspring, mixtures, copies) of lines that sample one trained net
SHARES = {"offspring only": (1, 0, 0), "offspring, a third each": (1, 1, 1)}
CORRECTED = "offspring to 30 %, prior-corrected"  # fewer new rows: classes stay unequal, and the prior is corrected
AS_MANY = "as many offspring as real rows, prior-corrected"  # the same share of each class
COMPARED = {"nothing", "class weights", "random", "SMOTE", BASE, "all real"}
METHODS = (
    *("nothing", FREE, "class weights", "random", "SMOTE"),
    *("autoencoder + latent SMOTE", "SMOTE-seeded refiner", "conditional dcgan"),
    *(BASE, f"SMOTE{AUGMENTED}"),
    *(GAN, *SHARES),
    *(f"{name}{AUGMENTED}" for name in (GAN, *SHARES)),
    *(EVERY, f"{EVERY}{AUGMENTED}"),
    *(CORRECTED, AS_MANY),
    *("all real", f"all real{AUGMENTED}"),
)


def cells(run: LongTailRun) -> Iterator[dict]:
    for dataset in run.datasets:
        for seed in range(run.n_seeds):
            for updates in run.updates:
                for method in METHODS:
                    yield {"dataset": dataset, "seed": seed, "updates": updates, "method": method}


@functools.lru_cache(maxsize=2)
def trained_offspring(dataset: str, seed: int, steps: int | None) -> tuple[OffspringNet, float]:
    """One training of the offspring net for all lines and parts that sample it, and its seconds."""
    X, y, _ = tail(dataset, seed)
    return fitted(offspring(**({} if steps is None else {"max_steps": steps})), X[:, None], y, seed)


def with_offspring(dataset: str, seed: int, steps: int | None, shares, y_new: np.ndarray):
    """The tail with rows of the trained net underneath, and the seconds of its training."""
    X, y, _ = tail(dataset, seed)
    net, seconds = trained_offspring(dataset, seed, steps)
    X_new = rows_of(net, shares, X, y, y_new, seed)
    return np.concatenate([X, X_new]), np.concatenate([y, y_new]), seconds


def training_set(dataset: str, method: str, seed: int, steps: int | None) -> tuple[np.ndarray, np.ndarray, float]:
    """Rows that the classifier trains on, and the seconds it took to make them."""
    X, y, whole = tail(dataset, seed)
    name = method.removesuffix(AUGMENTED)
    if name in SHARES:
        return with_offspring(dataset, seed, steps, SHARES[name], wanted_rows(y))
    if name == CORRECTED:
        return with_offspring(dataset, seed, steps, (1, 0, 1), wanted_rows(y, 0.3))
    if name == AS_MANY:
        # As ConditionalGANAugmenter(net=offspring(), shares={"net": 1}, mixing_ratio=1)
        return with_offspring(dataset, seed, steps, (1, 0, 0), y)
    begin = time.perf_counter()
    if name == "all real":
        most = np.bincount(y).max()
        X, y = long_tail(whole.x_train, whole.y_train, [most] * 10, np.random.RandomState(seed))
    elif name == "random":
        X, y = flat_resampled(RandomOverSampler(random_state=seed), X, y)
    elif name == "SMOTE":
        X, y = flat_resampled(SMOTE(k_neighbors=min(5, np.bincount(y).min() - 1), random_state=seed), X, y)
    elif name == "autoencoder + latent SMOTE":
        X, y = latent_smote(X, y, seed, steps or 2000)
    elif name == "SMOTE-seeded refiner":
        X, y = refined_smote(X, y, seed, steps)
    elif name == "conditional dcgan":
        sampler = GANOverSampler(net=dcgan(), max_steps=steps, memory=CACHE.location, random_state=seed)
        return with_new_rows(sampler, X, y)
    elif name == GAN:
        return with_new_rows(GANOverSampler(max_steps=steps, memory=CACHE.location, random_state=seed), X, y)
    elif name == EVERY:
        X, y = flat_resampled(RandomOverSampler(random_state=seed), X, y)
        shares = {"shares": {"net": 1}, "memory": CACHE.location}
        sampler = ConditionalGANAugmenter(0.5, net=offspring(), max_steps=steps, random_state=seed, **shares)
        return with_new_rows(sampler, X, y)
    return X, y, time.perf_counter() - begin


def with_new_rows(sampler, X: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray, float]:
    """Rows through a sampler of skgan, and the seconds of its training, also where that is kept from another line."""
    X, y = sampler.fit_resample(X, y)
    return X, y, sampler.training_history_["seconds"].max()


def measure(run: LongTailRun, dataset: str, seed: int, updates: int, method: str) -> dict:
    _, y_tail, whole = tail(dataset, seed)
    X, y, seconds = training_set(dataset, method, seed, run.steps)
    classifier = CNNClassifier(
        max_updates=updates,
        random_state=seed,
        augment=AUGMENT[dataset] if method.endswith(AUGMENTED) else None,
        class_weight="balanced" if method == "class weights" else None,
    ).fit(X, y)
    probabilities = classifier.predict_proba(whole.x_test)
    if "prior-corrected" in method:  # the other training sets are balanced: nothing to correct
        probabilities = probabilities / np.bincount(y)
    predicted = probabilities.argmax(1)
    rare = np.argsort(np.bincount(y_tail))[:3]
    return {
        "mean recall": recall_score(whole.y_test, predicted, average="macro"),
        "rarest three": recall_score(whole.y_test, predicted, average="macro", labels=rare),
        "geometric mean": geometric_mean_score(whole.y_test, predicted, average="multiclass"),
        "seconds": seconds,
    }


def finished(results: pd.DataFrame) -> pd.DataFrame:
    """Cells of the seeds that have every method which any seed of the data set has: all lines show the same seeds.

    A table that still lacks what its lines are compared with is left out.
    """
    keys = ["dataset", "updates"]
    methods = results.groupby(keys)["method"].transform("nunique")
    of_seed = results.groupby([*keys, "seed"])["method"].transform("nunique")
    whole = results[of_seed == methods]
    return whole.groupby(keys).filter(lambda part: COMPARED <= set(part["method"]))


def report(results: pd.DataFrame) -> str:
    """Markdown for docs/results.md. A line without cells at a number of updates is left out there."""
    text = []
    for (dataset, updates), part in finished(results).groupby(["dataset", "updates"], sort=False):
        recall = part.pivot(index="seed", columns="method", values="mean recall")
        simple = recall[["random", "SMOTE", "class weights"]]
        best_simple = simple[simple.mean().idxmax()]
        gap = recall["all real"] - recall["nothing"]
        rows = []
        # Lines that this script no longer makes come last
        for method in sorted(recall, key=lambda name: METHODS.index(name) if name in METHODS else len(METHODS)):
            values, versus = 100 * recall[method], 100 * (recall[method] - best_simple)
            cell = part[part["method"] == method]
            rows.append(
                {
                    "training set": method,
                    "mean recall": with_error(values),
                    f"over {best_simple.name}": with_error(versus, "+"),
                    "95 % bound": _lower_bound(versus),
                    **{
                        f"over {other}": with_error(100 * (recall[method] - recall[other]), "+")
                        for other in (FREE, BASE)
                        if other in recall
                    },
                    "of the gap to all real": f"{100 * ((recall[method] - recall['nothing']) / gap).mean():.0f} %",
                    "rarest three": with_error(100 * cell["rarest three"]),
                    "seconds": f"{cell['seconds'].mean():.0f}",
                }
            )
        text += [
            f"### {dataset}, {updates} updates, {len(recall)} seeds\n",
            pd.DataFrame(rows).to_markdown(index=False, disable_numparse=True),
        ]
    note = (
        "Percent, mean ± standard error over seeds; differences are paired, to the best in the mean of random, SMOTE and class "
        "weights, with the one-sided 95 % bound (Student's t) of that difference."
    )
    former = [name for name in results["method"].unique() if name not in METHODS]
    if former:
        note += f" Measured by an earlier version of the script: {'; '.join(former)}."
    return "\n".join(text) + f"\n\n{note}"


def _lower_bound(values: pd.Series) -> str:
    n = len(values)
    return f"{values.mean() - student.ppf(0.95, n - 1) * values.sem():+.1f}" if n > 1 and values.any() else "–"


# Row filters


@dataclass(frozen=True)
class FilterRun(Run):
    n_seeds: int
    updates: int
    steps: int | None  # of the generators


FILTER_BUDGETS = {
    "quick": FilterRun("1 seed, 100 generator steps, 100 updates (1 minute)", n_seeds=1, updates=100, steps=100),
    "default": FilterRun("3 seeds, 400 updates (25 minutes)", n_seeds=3, updates=400, steps=None),
    "full": FilterRun("10 seeds, 4,000 updates", n_seeds=10, updates=4000, steps=None),
}
NETS = {"offspring": offspring, "conditional dcgan": dcgan}
FILTERS = {
    "none": lambda: None,
    "ClassifierFilter": ClassifierFilter,
    "DiscriminatorFilter": DiscriminatorFilter,
    "NeighbourFilter": NeighbourFilter,
    "both": lambda: AllOf([ClassifierFilter(), NeighbourFilter()]),
}


def filter_cells(run: FilterRun) -> Iterator[dict]:
    for net in NETS:
        for seed in range(run.n_seeds):
            for row_filter in FILTERS:
                if (net, row_filter) != ("offspring", "DiscriminatorFilter"):  # its critic judges pairs
                    yield {"net": net, "seed": seed, "row_filter": row_filter}


def measure_filter(run: FilterRun, net: str, seed: int, row_filter: str) -> dict:
    X, y, whole = tail("mnist", seed)
    # The net is trained once for all filters: the cache's key does not know the filter.
    sampler = GANOverSampler(
        net=NETS[net](),
        shares={"net": 1},
        row_filter=FILTERS[row_filter](),
        max_steps=run.steps,
        memory=CACHE.location,
        random_state=seed,
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
        classifier = CNNClassifier(max_updates=run.updates, random_state=seed).fit(X_train, y_train)
        return recall_score(whole.y_test, classifier.predict(whole.x_test), average=None)

    together = recalls(X_all, y_all)
    return {
        "accepted": accepted,
        "train on synthetic": recalls(*synthetic).mean(),
        "mean recall": together.mean(),
        "rarest three": together[np.argsort(np.bincount(y))[:3]].mean(),
    }


def report_filters(results: pd.DataFrame) -> str:
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


# What offspring are like


@dataclass(frozen=True)
class OffspringRun(Run):
    datasets: tuple[str, ...]
    n_seeds: int
    steps: int | None  # of the generator
    judge_updates: int


OFFSPRING_BUDGETS = {
    "quick": OffspringRun(
        "MNIST, 1 seed, 100 steps (1 minute)", datasets=("mnist",), n_seeds=1, steps=100, judge_updates=200
    ),
    "default": OffspringRun(
        "both data sets, 3 seeds (25 minutes)", datasets=("mnist", "fashion"), n_seeds=3, steps=None, judge_updates=4000
    ),
    "full": OffspringRun(
        "both data sets, 5 seeds", datasets=("mnist", "fashion"), n_seeds=5, steps=None, judge_updates=4000
    ),
}


def offspring_cells(run: OffspringRun) -> Iterator[dict]:
    for dataset in run.datasets:
        for seed in range(run.n_seeds):
            yield {"dataset": dataset, "seed": seed}


@functools.lru_cache(maxsize=1)
def judge(dataset: str, seed: int, updates: int) -> CNNClassifier:
    whole = tail(dataset, seed)[2]
    return CNNClassifier(max_updates=updates, random_state=seed).fit(whole.x_train, whole.y_train)


def measure_offspring(run: OffspringRun, dataset: str, seed: int) -> dict:
    X, y, whole = tail(dataset, seed)
    net, seconds = trained_offspring(dataset, seed, run.steps)
    y_new = wanted_rows(y)
    with net.seeded(seed):
        made = net.draw(y_new, (X[:, None], y))
    rows, parents = ImageCodec(value_range="dtype").fit(X).inverse_transform(made.rows), X[made.parents[:, 0]]
    classifier = judge(dataset, seed, run.judge_updates)
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


def report_offspring(results: pd.DataFrame) -> str:
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
    main(
        *("long_tail", BUDGETS, cells, measure, report),
        Part("filters", FILTER_BUDGETS, filter_cells, measure_filter, report_filters),
        Part("offspring_rows", OFFSPRING_BUDGETS, offspring_cells, measure_offspring, report_offspring),
    )
