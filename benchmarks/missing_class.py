"""A class that is almost gone: the imbalance report's experiment, with controls.

    OMP_NUM_THREADS=2 python benchmarks/missing_class.py [--quick | --full]

99 % of one class's training rows are deleted (Fashion-MNIST's shirts; the fives of MNIST-5k and of all of MNIST), and the
amount *generated* brings the class back to an imbalance of 99 % (none), 96, 90, 75, 45 or 10 %: a class of n rows among classes
of m has an imbalance of 1 − n / m. The same CNN and the same number of updates for every line, with and without random crops
and rotations. An extra axis of ``--full`` varies the real rows kept. Writes docs/images/missing-class.png, -learning.png and
-rows.png.

The second part is the report's own case, the fives, with all of its nets: "alone" is a net that sees the fives only, as the
report's basic GAN and its unconditional WGAN do; the others are told the class.
"""

import functools
import json
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from data import Images, fashion_mnist, mnist, mnist_5k, single_class_imbalance
from harness import CACHE, DOCS, Part, Run, draws, main, with_error
from imblearn.over_sampling import SMOTE, RandomOverSampler
from matplotlib.figure import Figure
from sklearn.metrics import accuracy_score, confusion_matrix, precision_score, recall_score
from skorch.callbacks import Callback

from skgan import CNNClassifier, GANOverSampler
from skgan.augment import Crop, Rotation
from skgan.codecs import ImageCodec
from skgan.metrics import copy_ratio, improved_precision_recall, kernel_distance
from skgan.plotting import SampleGridDisplay
from skgan.presets import autoencoder, dcgan, mlp_gan, offspring, progan, relativistic_gan, vae, vae_gan, wgan_gp

FAMILIES = {
    "vae": vae,
    "wgan_gp": functools.partial(wgan_gp, max_steps=600),
    "dcgan": dcgan,
    "offspring": offspring,
    "relativistic_gan": relativistic_gan,
    "progan": progan,
    "vae_gan": vae_gan,
    "autoencoder": autoencoder,
    "mlp_gan": mlp_gan,
    "gan, alone": functools.partial(dcgan, penalties=()),
    "wgan_gp, alone": functools.partial(wgan_gp, max_steps=600),
}
ALONE = ", alone"  # trained on the rare class by itself


@dataclass(frozen=True)
class MissingRun(Run):
    datasets: tuple[str, ...]
    n_seeds: int
    levels: tuple[int, ...]  # imbalance left, in percent
    families: tuple[str, ...]
    shares: tuple[float, ...]  # of real rows kept
    updates: int
    steps: int | None  # of the generators; None is the preset's own
    augmented_levels: tuple[int, ...] | None = None  # with crops and rotations; None is all levels
    first_seed_levels: tuple[int, ...] = ()  # measured with seed 0 alone


BUDGETS = {
    "quick": MissingRun(
        "MNIST, 2 levels, vae and offspring of 60 steps, 60 updates (2 minutes)",
        datasets=("mnist",),
        n_seeds=1,
        levels=(90, 10),
        families=("vae", "offspring"),
        shares=(0.01,),
        updates=60,
        steps=60,
    ),
    "default": MissingRun(
        "Fashion-MNIST, 3 levels, {vae, wgan_gp, dcgan, offspring}, 800 updates (45 minutes), and two more seeds of one level",
        datasets=("fashion",),
        n_seeds=3,
        levels=(90, 45, 10),
        families=("vae", "wgan_gp", "dcgan", "offspring"),
        shares=(0.01,),
        updates=800,
        steps=None,
        first_seed_levels=(90, 45),
    ),
    "full": MissingRun(
        "all data sets, 3 seeds, 5 levels, all families, four shares of real rows, 4,000 updates",
        datasets=("fashion", "mnist", "mnist-60k"),
        n_seeds=3,
        levels=(96, 90, 75, 45, 10),
        families=tuple(FAMILIES),
        shares=(0.01, 0.001, 0.04, 0.25),
        updates=4000,
        steps=None,
    ),
}
FIVES = MissingRun(
    "MNIST-5k's fives, 3 seeds, 2 levels, 7 nets, 400 updates (60 minutes on one core)",
    datasets=("mnist",),
    n_seeds=3,
    levels=(90, 10),
    families=("vae", "autoencoder", "gan, alone", "wgan_gp, alone", "wgan_gp", "dcgan", "offspring"),
    shares=(0.01,),
    updates=400,
    steps=None,
    augmented_levels=(10,),
)
FIVES_BUDGETS = {
    "quick": replace(
        FIVES,
        told="1 seed, 1 level, 2 nets of 60 steps, 60 updates (1 minute)",
        n_seeds=1,
        levels=(10,),
        updates=60,
        steps=60,
        families=("gan, alone", "wgan_gp"),
    ),
    "default": FIVES,
    "full": replace(
        FIVES,
        told="all of MNIST, 5 seeds, 5 levels, 9 nets, 4,000 updates",
        datasets=("mnist-60k",),
        n_seeds=5,
        levels=(96, 90, 75, 45, 10),
        families=(*FIVES.families, "progan", "vae_gan"),
        updates=4000,
    ),
}
CLASSES = {"fashion": 6, "mnist": 5, "mnist-60k": 5}  # shirts, fives
AUGMENTED = " + crop, rotation"
CORRECTED = "nothing, corrected"
PLAIN = ("nothing", CORRECTED, "class weights")  # which generate nothing: level 99
SHOWN = 1000
NOTE = (
    "Accuracy over all classes, recall and precision of the rare one, in percent. The imbalance is the one left after "
    "generating; 99 % is without. KID, precision and recall of rows are of the generated ones, against test rows."
)
PICTURES = (
    "![recall, precision and accuracy against the amount generated](images/missing-class.png)",
    "Learning curves with the most generated rows, seed 0:\n\n![loss and accuracy](images/missing-class-learning.png)",
    "Rows of the class, seed 0:\n\n![rows of every family](images/missing-class-rows.png)",
)


def cells(run: MissingRun) -> Iterator[dict]:
    names = ("random", "SMOTE", *run.families)
    plain = [(f"{method}{how}", 99) for method in PLAIN for how in ("", AUGMENTED)]
    augmented = run.levels if run.augmented_levels is None else run.augmented_levels
    generated = [(name, level) for name in names for level in run.levels]
    generated += [(f"{name}{AUGMENTED}", level) for name in names for level in augmented]
    for dataset in run.datasets:
        for kept in run.shares:
            for seed in range(run.n_seeds):
                for method, level in (*plain, *generated):
                    if seed and level in run.first_seed_levels:
                        continue
                    yield {"dataset": dataset, "kept": kept, "seed": seed, "method": method, "level": level}


@functools.lru_cache(maxsize=1)
def rows(dataset: str, seed: int, kept: float) -> tuple[np.ndarray, np.ndarray, Images]:
    """Training rows without most of the class, and the whole data set."""
    whole = mnist_5k(seed) if dataset == "mnist" else {"fashion": fashion_mnist, "mnist-60k": mnist}[dataset]()
    rng = np.random.RandomState(seed)
    return *single_class_imbalance(whole.x_train, whole.y_train, CLASSES[dataset], kept, rng), whole


@functools.lru_cache(maxsize=1)
def judge(dataset: str, seed: int, updates: int) -> CNNClassifier:
    """A CNN that saw all real rows, for its features."""
    whole = rows(dataset, seed, 0.01)[2]
    return CNNClassifier(max_updates=updates, random_state=seed).fit(whole.x_train, whole.y_train)


class Curve(Callback):
    """Training loss and accuracy on some test rows, every so many updates."""

    def __init__(self, X, y, every: int):
        self.X, self.y, self.every = X, y, every
        self.points: list[tuple[int, float, float]] = []

    def on_train_begin(self, net, **kwargs):
        self.losses: list[float] = []

    def on_batch_end(self, net, training=True, loss=None, **kwargs):
        if not training:
            return
        self.losses.append(float(loss))
        if len(self.losses) % self.every == 0:
            accuracy = float((net.predict(self.X) == self.y).mean())
            self.points.append((len(self.losses), round(float(np.mean(self.losses[-self.every :])), 4), accuracy))


def sampler_of(name: str, wanted: dict[int, int], n_rare: int, seed: int, steps: int | None):
    if name == "random":
        return RandomOverSampler(sampling_strategy=wanted, random_state=seed)
    if name == "SMOTE":
        return SMOTE(sampling_strategy=wanted, k_neighbors=min(5, n_rare - 1), random_state=seed)
    return GANOverSampler(
        net=FAMILIES[name](),
        per_class=name.endswith(ALONE),
        sampling_strategy=wanted,
        max_steps=steps,
        memory=CACHE.location,
        codec=ImageCodec(image_shape=(28, 28)),
        random_state=seed,
    )


def measure(run: MissingRun, dataset: str, kept: float, seed: int, method: str, level: int) -> dict:
    X, y, whole = rows(dataset, seed, kept)
    klass, counts = CLASSES[dataset], np.bincount(y)
    name = method.removesuffix(AUGMENTED)
    values: dict[str, float | str] = dict.fromkeys(
        ("seconds of training", "KID", "precision of rows", "recall of rows", "copy ratio"), np.nan
    )
    if name not in PLAIN and level < 99:
        wanted = {klass: max(int(counts[klass]), round((1 - level / 100) * counts.max()))}
        sampler = sampler_of(name, wanted, int(counts[klass]), seed, run.steps)
        flat, y = sampler.fit_resample(X.reshape(len(X), -1), y)
        made = flat[len(X) :].reshape(-1, 28, 28)
        X = flat.reshape(-1, 28, 28)
        if name in FAMILIES and not method.endswith(AUGMENTED):
            values |= quality(sampler, made[:SHOWN], dataset, seed, kept, run.updates)
    curve = Curve(whole.x_test[:SHOWN], whole.y_test[:SHOWN], max(1, run.updates // 20))
    classifier = CNNClassifier(
        max_updates=run.updates,
        random_state=seed,
        augment=[Crop(), Rotation(10)] if method.endswith(AUGMENTED) else None,
        class_weight="balanced" if name == "class weights" else None,
        callbacks=[curve],
    ).fit(X, y)
    probability = classifier.predict_proba(whole.x_test)
    if name == CORRECTED:
        probability = probability / np.bincount(y)
    predicted = classifier.classes_[probability.argmax(1)]
    return {
        "accuracy": accuracy_score(whole.y_test, predicted),
        "recall": recall_score(whole.y_test, predicted, labels=[klass], average="macro"),
        "precision": precision_score(whole.y_test, predicted, labels=[klass], average="macro", zero_division=0),
        **values,
        "curve": json.dumps(curve.points),
        "confusion": json.dumps(confusion_matrix(whole.y_test, predicted).tolist()),
    }


def quality(sampler, made: np.ndarray, dataset: str, seed: int, kept: float, updates: int) -> dict[str, float]:
    """Of the rows that a family made of the class, in the features of a CNN that saw all real rows."""
    X, y, whole = rows(dataset, seed, kept)
    klass, features = CLASSES[dataset], judge(dataset, seed, updates).features
    held_out = whole.x_test[whole.y_test == klass][:SHOWN]
    precision, recall = improved_precision_recall(held_out, made, features=features)
    return {
        "seconds of training": float(sampler.training_history_["seconds"].max()),
        "KID": kernel_distance(held_out, made, features=features),
        "precision of rows": precision,
        "recall of rows": recall,
        "copy ratio": copy_ratio(X[y == klass], held_out, made, features=features),
    }


def report(results: pd.DataFrame) -> str:
    """Markdown for docs/results.md."""
    text = tables(results)
    curves(results)
    learning(results)
    return "\n\n".join([*text, NOTE, *PICTURES])


def report_fives(results: pd.DataFrame) -> str:
    """Markdown for docs/results.md: the same table, and each line's difference in recall to the free ones, seed by seed."""
    least = results["level"].min()
    ends = results[results["level"].isin((least, 99))]
    wide = 100 * ends.pivot(index="seed", columns="method", values="recall").dropna()
    bases = {
        base: wide[base] for base in (CORRECTED, f"{CORRECTED}{AUGMENTED}", "class weights", "random") if base in wide
    }
    lines = [
        {"training set": method}
        | {
            f"recall less {base}": "" if method == base else with_error(wide[method] - of, "+")
            for base, of in bases.items()
        }
        for method in wide
        if method.removesuffix(AUGMENTED) in FAMILIES
    ]
    differences = pd.DataFrame(lines).to_markdown(index=False, disable_numparse=True)
    title = f"Recall of the fives at an imbalance of {least} %, differences by seed, in points:"
    return "\n\n".join([*tables(results), NOTE, title, differences])


def tables(results: pd.DataFrame) -> list[str]:
    """A table for each data set and share of real rows kept, with what the class is taken for."""
    text = []
    for (dataset, kept), part in results.groupby(["dataset", "kept"], sort=False):
        lines = []
        for (method, level), cell in part.groupby(["method", "level"], sort=False):
            lines.append(
                {
                    "training set": method,
                    "imbalance": f"{level} %",
                    **{c: with_error(100 * cell[c]) for c in ("accuracy", "recall", "precision")},
                    **{
                        c: "" if cell[c].isna().all() else with_error(cell[c], digits=2)
                        for c in ("KID", "precision of rows", "recall of rows", "copy ratio")
                    },
                    "seconds of training": ""
                    if cell["seconds of training"].isna().all()
                    else f"{cell['seconds of training'].mean():.0f}",
                }
            )
        text.append(
            f"### {dataset}: {100 * (1 - kept):.3g} % of class {CLASSES[dataset]} deleted, {part['seed'].nunique()} seed(s)\n\n"
            + pd.DataFrame(lines).to_markdown(index=False, disable_numparse=True)
        )
        text.append(taken_for(part, CLASSES[dataset]))
    return text


def taken_for(results: pd.DataFrame, klass: int) -> str:
    """The confusion matrices' row of the class, before and after the report's ways, and the whole matrix of its own.

    All are of the first seed, and of the most rows generated.
    """
    least = results["level"].min()
    own = {
        "nothing": 99,
        CORRECTED: 99,
        f"nothing{AUGMENTED}": 99,
        "random": least,
        "wgan_gp": least,
        f"wgan_gp{AUGMENTED}": least,
    }
    first = results[results["seed"] == results["seed"].min()].set_index(["method", "level"])["confusion"]
    matrices = {cell: np.array(json.loads(first[cell])) for cell in own.items() if cell in first}
    rows = pd.DataFrame({f"{method}, {level} %": matrix[klass] for (method, level), matrix in matrices.items()}).T
    text = [
        f"What test rows of class {klass} are taken for, by the imbalance left (seed {results['seed'].min()}):",
        rows.rename_axis("training set").to_markdown(),
    ]
    if ("wgan_gp", least) in matrices:
        whole = pd.DataFrame(matrices["wgan_gp", least]).rename_axis("test rows of")
        text += [f"The whole matrix after wgan_gp, {least} %:", whole.to_markdown()]
    return "\n\n".join(text)


@draws
def curves(results: pd.DataFrame) -> None:
    """Recall, precision and accuracy against the imbalance, one line a method."""
    first = results[(results["dataset"] == results["dataset"].iloc[0]) & (results["kept"] == results["kept"].iloc[0])]
    figure = Figure(figsize=(11, 4.6), layout="constrained")
    axes = figure.subplots(1, 3)
    start = first[first["method"] == "nothing"]
    names = dict.fromkeys(str(method).removesuffix(AUGMENTED) for method in first[first["level"] < 99]["method"])
    colours = {name: f"C{i}" for i, name in enumerate(names)}  # a family's two lines have one colour
    for axis, column in zip(axes, ("recall", "precision", "accuracy"), strict=True):
        for method, cells in first[first["level"] < 99].groupby("method", sort=False):
            mean = pd.concat([start, cells]).groupby("level")[column].mean().sort_index(ascending=False)
            style = "--" if method.endswith(AUGMENTED) else "-"
            colour = colours[method.removesuffix(AUGMENTED)]
            axis.plot(mean.index, mean, style, color=colour, marker="o", markersize=3, label=method)
        axis.set(title=column, xlabel="imbalance left, %")
        axis.invert_xaxis()
    figure.legend(*axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=4, fontsize=8)
    figure.savefig(DOCS / "images" / "missing-class.png", dpi=70)


@draws
def learning(results: pd.DataFrame) -> None:
    """Loss and accuracy against the update, for seed 0 and the largest amount generated."""
    first = results[(results["dataset"] == results["dataset"].iloc[0]) & (results["kept"] == results["kept"].iloc[0])]
    first = first[(first["seed"] == 0) & ~first["method"].str.endswith(AUGMENTED)]
    figure = Figure(figsize=(9, 3.6), layout="constrained")
    axes = figure.subplots(1, 2)
    for method, cells in first.groupby("method", sort=False):
        updates, loss, accuracy = zip(*json.loads(cells.sort_values("level")["curve"].iloc[0]), strict=True)
        for axis, values, name in zip(axes, (loss, accuracy), ("training loss", "accuracy on test rows"), strict=True):
            axis.plot(updates, values, label=method)
            axis.set(title=name, xlabel="updates")
    figure.legend(*axes[0].get_legend_handles_labels(), loc="outside right center", fontsize=8)
    figure.savefig(DOCS / "images" / "missing-class-learning.png", dpi=70)


def picture(run: MissingRun) -> None:
    """Rows of the class from every family, seed 0; trainings come from the cache."""
    dataset = run.datasets[0]
    X, y, _ = rows(dataset, 0, 0.01)
    klass = CLASSES[dataset]
    blocks = [("real, all that are left", X[y == klass][:12])]
    for name in run.families:
        sampler = sampler_of(name, {klass: int(np.bincount(y)[klass]) + 12}, 60, 0, run.steps)
        blocks.append((name, sampler.fit_resample(X.reshape(len(X), -1), y)[0][len(X) :].reshape(-1, 28, 28)))
    SampleGridDisplay(blocks).plot().figure_.savefig(DOCS / "images" / "missing-class-rows.png", dpi=60)


if __name__ == "__main__":
    main(
        *("missing_class", BUDGETS, cells, measure, report),
        Part("missing_fives", FIVES_BUDGETS, cells, measure, report_fives),
        pictures=picture,
    )
