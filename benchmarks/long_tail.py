"""Long-tailed images: does a classifier gain from offspring over copying, SMOTE and their augmented forms?

    OMP_NUM_THREADS=2 python benchmarks/long_tail.py [--quick | --full]

MNIST-5k (a stratified half for training, 250 … 5 rows a class in random order; the other half for test) and Fashion-MNIST
(4,000 … 40). The same CNN and the same number of updates for every line.
"""

import functools
import time

import numpy as np
import pandas as pd
from data import Images, fashion_mnist, long_tail, mnist_5k
from harness import fitted, parse_budget, run_cells, with_error
from imblearn.metrics import geometric_mean_score
from imblearn.over_sampling import SMOTE, RandomOverSampler
from rivals import latent_smote, refined_smote, wanted_rows
from scipy.stats import t as student
from sklearn.metrics import recall_score

from skgan import CNNClassifier, GANOverSampler
from skgan._random import private_rng
from skgan.augment import Flip, Rotation, Scale, Translation
from skgan.codecs import ImageCodec
from skgan.nets import OffspringNet
from skgan.presets import dcgan, offspring

BUDGETS = {
    "quick": "MNIST, 1 seed, 200 generator steps, 200 updates (2 minutes)",
    "default": "MNIST, 3 seeds, 800 updates (40 minutes)",
    "full": "both data sets, 5 seeds, 800 and 4,000 updates",
}
RUNS = {  # data sets, seeds, updates, generator steps (None: the preset's own)
    "quick": (("mnist",), 1, (200,), 200),
    "default": (("mnist",), 3, (800,), None),
    "full": (("mnist", "fashion"), 5, (800, 4000), None),
}
FREE = "prior-corrected nothing"
AUGMENTED = "random + augmentation"
COUNTS = {
    "mnist": (250, 180, 110, 70, 45, 30, 20, 12, 8, 5),
    "fashion": (4000, 2000, 1000, 750, 500, 350, 200, 100, 60, 40),
}
TRADITIONAL = [Translation(0.08), Rotation(10), Scale(0.1)]
AUGMENT = {"mnist": TRADITIONAL, "fashion": [*TRADITIONAL, Flip()]}

# Shares (offspring, mixtures, copies) of the lines that use the offspring net
SHARES = {"offspring (the default)": (1, 0, 1), "offspring only": (1, 0, 0), "offspring, a third each": (1, 1, 1)}
EVERY = "offspring for every class"  # copies balance; half as many offspring as the largest class has rows, for each
CORRECTED = "offspring to 30 %, prior-corrected"  # fewer new rows: classes stay unequal, and the prior is corrected
AS_MANY = "as many offspring as real rows, prior-corrected"  # the same share of each class
COMPARED = {"nothing", "class weights", "random", "SMOTE", AUGMENTED, "all real"}
PLAIN = ("nothing", FREE, "class weights", "random", "SMOTE")
METHODS = (
    *PLAIN,
    *("autoencoder + latent SMOTE", "SMOTE-seeded refiner", "conditional dcgan"),
    *("random + augmentation", "SMOTE + augmentation"),
    *SHARES,
    *(f"{name} + augmentation" for name in SHARES),
    *(EVERY, f"{EVERY} + augmentation"),
    *(CORRECTED, AS_MANY),
    *("all real", "all real + augmentation"),
)


@functools.lru_cache(maxsize=2)
def tail(dataset: str, seed: int) -> tuple[np.ndarray, np.ndarray, Images]:
    """The long-tailed training set and the whole data set it was cut from."""
    rng = np.random.RandomState(seed)
    whole = mnist_5k(seed) if dataset == "mnist" else fashion_mnist()
    order = rng.permutation(10) if dataset == "mnist" else None
    return *long_tail(whole.x_train, whole.y_train, COUNTS[dataset], rng, order), whole


@functools.lru_cache(maxsize=2)
def trained_offspring(dataset: str, seed: int, steps: int | None) -> tuple[OffspringNet, float]:
    """One training of the offspring net for all lines and benchmarks that use it, and its seconds."""
    X, y, _ = tail(dataset, seed)
    return fitted(offspring(**({} if steps is None else {"max_steps": steps})), X[:, None], y, seed)


def offspring_rows(
    dataset: str, seed: int, steps: int | None, shares, y_new: np.ndarray
) -> tuple[np.ndarray, np.ndarray, float]:
    X, y, _ = tail(dataset, seed)
    net, seconds = trained_offspring(dataset, seed, steps)
    net.shares = shares
    with private_rng(seed):
        rows = net.sample(y_new, source=(X[:, None], y))
    X_new = ImageCodec(value_range="dtype").fit(X).inverse_transform(rows)
    return np.concatenate([X, X_new]), np.concatenate([y, y_new]), seconds


def offspring_for_every_class(dataset: str, seed: int, steps: int | None) -> tuple[np.ndarray, np.ndarray, float]:
    """As ``GANOverSampler(balance="copies", sampling_strategy=at_least(1.5))`` makes them."""
    X, y, _ = tail(dataset, seed)
    index = np.arange(len(y))[:, None]
    copied = RandomOverSampler(random_state=seed).fit_resample(index, y)[0][:, 0]
    net, seconds = trained_offspring(dataset, seed, steps)
    net.shares = (1, 0, 0)
    y_new = np.repeat(np.arange(10), np.bincount(y).max() // 2)
    with private_rng(seed):
        rows = net.sample(y_new, source=(X[:, None], y))
    X_new = ImageCodec(value_range="dtype").fit(X).inverse_transform(rows)
    return np.concatenate([X[copied], X_new]), np.concatenate([y[copied], y_new]), seconds


def training_set(dataset: str, method: str, seed: int, steps: int | None) -> tuple[np.ndarray, np.ndarray, float]:
    """Rows that the classifier trains on, and the seconds it took to make them."""
    X, y, whole = tail(dataset, seed)
    name = method.removesuffix(" + augmentation")
    if name in SHARES:
        return offspring_rows(dataset, seed, steps, SHARES[name], wanted_rows(y))
    if name == EVERY:
        return offspring_for_every_class(dataset, seed, steps)
    if name == CORRECTED:
        return offspring_rows(dataset, seed, steps, SHARES["offspring (the default)"], wanted_rows(y, 0.3))
    if name == AS_MANY:
        # As ConditionalGANAugmenter(net=offspring(shares=(1, 0, 0)), mixing_ratio=1)
        return offspring_rows(dataset, seed, steps, SHARES["offspring only"], y)
    begin = time.perf_counter()
    if name == "all real":
        most = np.bincount(y).max()
        rng = np.random.RandomState(seed)
        X, y = long_tail(whole.x_train, whole.y_train, [most] * 10, rng)
    elif name in ("random", "SMOTE"):
        smallest = np.bincount(y).min()
        sampler = (
            RandomOverSampler(random_state=seed)
            if name == "random"
            else SMOTE(k_neighbors=min(5, smallest - 1), random_state=seed)
        )
        flat, y = sampler.fit_resample(X.reshape(len(X), -1), y)
        X = flat.reshape(-1, *X.shape[1:])
    elif name == "autoencoder + latent SMOTE":
        X, y = latent_smote(X, y, seed, steps or 2000)
    elif name == "SMOTE-seeded refiner":
        X, y = refined_smote(X, y, seed, steps)
    elif name == "conditional dcgan":
        X, y = GANOverSampler(net=dcgan(), max_steps=steps, random_state=seed).fit_resample(X, y)
    return X, y, time.perf_counter() - begin


def measure(dataset: str, method: str, updates: int, seed: int, steps: int | None) -> dict:
    _, y_tail, whole = tail(dataset, seed)
    X, y, seconds = training_set(dataset, method, seed, steps)
    classifier = CNNClassifier(
        max_updates=updates,
        random_state=seed,
        augment=AUGMENT[dataset] if method.endswith("augmentation") else None,
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
    """Markdown for docs/results.md."""
    text = []
    for (dataset, updates), part in finished(results).groupby(["dataset", "updates"], sort=False):
        recall = part.pivot(index="seed", columns="method", values="mean recall")
        simple = recall[["random", "SMOTE", "class weights"]]
        best_simple = simple[simple.mean().idxmax()]
        gap = recall["all real"] - recall["nothing"]
        rows = []
        for method in (m for m in METHODS if m in recall):
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
                        for other in (FREE, AUGMENTED)
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
    return "\n".join(text) + f"\n\n{note}"


def _lower_bound(values: pd.Series) -> str:
    n = len(values)
    return f"{values.mean() - student.ppf(0.95, n - 1) * values.sem():+.1f}" if n > 1 and values.any() else "–"


if __name__ == "__main__":
    arguments = parse_budget(__doc__.splitlines()[0], BUDGETS)
    datasets, n_seeds, updates, steps = RUNS[arguments.budget]
    cells = [
        {"dataset": dataset, "seed": seed, "updates": n, "method": method}
        for dataset in datasets
        for seed in range(n_seeds)
        for n in updates
        for method in METHODS
    ]
    print(report(run_cells("long_tail", arguments, cells, functools.partial(measure, steps=steps))))
