"""Eighty-two photographs in two classes: the photo report's experiment, with controls.

    OMP_NUM_THREADS=2 python benchmarks/few_photos.py [--quick | --full] [--photos FOLDER]

41 images a class for training and 41 for test; ``photo_gan()``, the report's conditional pair, adds 250, 500 or 1,000, and
``cnn_tiny``, its classifier, is trained for as many updates on every set. Beside it the same pair with the report's own
optimiser, the real images repeated to the same number, their random crops, turns and flips, offspring, and each class's
photographs turned into the other's by ``cyclegan()`` (the report's second half: horses ↔ cows). Offline two textures of one
photograph (benchmarks/data.py) stand in for cows and horses; ``--photos`` takes a folder of two class folders. Pictures of
the training go to docs/images.

The second part takes horses and deer of CIFAR-10: 41 training images of each at 32 px, and all 1,000 test images of both.
Corrected probabilities change nothing there, because both classes have as many images. The third part takes one such set
enlarged to 128 px, the report's size.
"""

import functools
import json
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from data import Images, cifar10, two_textures
from harness import CACHE, DOCS, Part, Run, draws, main, with_error
from matplotlib.figure import Figure
from sklearn.metrics import log_loss, precision_score, recall_score
from sklearn.model_selection import train_test_split
from skorch.callbacks import Callback
from torch.nn.functional import interpolate

from skgan import CNNClassifier, ConditionalGANAugmenter
from skgan.augment import Crop, Flip, Rotation
from skgan.callbacks import SampleGrid
from skgan.datasets import load_image_folder
from skgan.plotting import SampleGridDisplay, TranslationDisplay
from skgan.presets import PHOTO_GAN_AS_PUBLISHED, cyclegan, offspring, photo_gan

PUBLISHED = "photo_gan as published"
KINDS = ("photo_gan", PUBLISHED, "real rows repeated", "offspring", "cyclegan")  # of added images


@dataclass(frozen=True)
class PhotosRun(Run):
    size: int
    n_seeds: int
    steps: int  # of photo_gan
    width: int  # of photo_gan
    updates: int  # of the classifier
    amounts: tuple[int, ...]
    photos: Path | None = None  # folder of two class folders
    animals: bool = False  # horses and deer of CIFAR-10
    kinds: tuple[str, ...] = KINDS
    translation_steps: int = 150  # of cyclegan, at most
    looks: int = 40  # at the classifier, during its training

    @property
    def stem(self) -> str:
        """What the names of its pictures begin with."""
        if not self.animals:
            return "few-photos"
        return "animals" if self.size == 32 else f"animals-{self.size}"


PUBLISHED_WIDTH = 128
BUDGETS = {
    "quick": PhotosRun(
        "32 px, 1 seed, 40 steps, 40 updates (1 minute)",
        size=32,
        n_seeds=1,
        steps=40,
        width=32,
        updates=40,
        amounts=(250,),
    ),
    "default": PhotosRun(
        "64 px, 3 seeds, 1,000 steps of a quarter of the width, 400 updates (45 minutes on one core)",
        size=64,
        n_seeds=3,
        steps=1000,
        width=32,
        updates=400,
        amounts=(250, 500, 1000),
    ),
    "full": PhotosRun(
        "128 px, 5 seeds, 40,000 steps as published, 4,000 updates",
        size=128,
        n_seeds=5,
        steps=40000,
        width=PUBLISHED_WIDTH,
        updates=4000,
        amounts=(250, 500, 1000),
    ),
}
ANIMALS = PhotosRun(
    "CIFAR-10's horses and deer, 32 px, 3 seeds, 1,000 steps of half of the width, 400 updates (60 minutes on one core)",
    size=32,
    n_seeds=3,
    steps=1000,
    width=64,
    updates=400,
    amounts=(250, 500, 1000),
    animals=True,
    translation_steps=600,
)
ANIMALS_BUDGETS = {
    "quick": replace(
        ANIMALS, told="32 px, 1 seed, 40 steps, 40 updates (1 minute)", n_seeds=1, steps=40, updates=40, amounts=(250,)
    ),
    "default": ANIMALS,
    "full": replace(
        ANIMALS,
        told="enlarged to 128 px, 5 seeds, 40,000 steps as published, 4,000 updates",
        size=128,
        n_seeds=5,
        steps=40000,
        width=PUBLISHED_WIDTH,
        updates=4000,
        translation_steps=10000,
    ),
}
ENLARGED = replace(
    ANIMALS,
    told="horses and deer at 128 px, 1 seed, 250 steps of a quarter of the width, 400 updates (30 minutes on one core)",
    size=128,
    n_seeds=1,
    steps=250,
    width=32,
    amounts=(250, 1000),
    kinds=("photo_gan", PUBLISHED, "real rows repeated"),
    looks=8,
)
ENLARGED_BUDGETS = {
    "quick": replace(
        ENLARGED, told="128 px, 1 seed, 10 steps, 20 updates (2 minutes)", steps=10, updates=20, amounts=(250,)
    ),
    "default": ENLARGED,
    "full": ANIMALS_BUDGETS["full"],
}
CLASSES = {"deer": 4, "horse": 7}  # of CIFAR-10
PER_CLASS = 41
BATCH = 16
TRADITIONAL = "original + crops, turns, flips"
OFFSPRING_STEPS = 250  # at most


def cells(run: PhotosRun) -> Iterator[dict]:
    for seed in range(run.n_seeds):
        yield {"added": "original", "amount": 0, "seed": seed}
        yield {"added": TRADITIONAL, "amount": 0, "seed": seed}
        for kind in run.kinds:
            for amount in run.amounts:
                yield {"added": kind, "amount": amount, "seed": seed}


@functools.lru_cache(maxsize=2)
def animals(size: int, seed: int) -> Images:
    """Training images of two classes of CIFAR-10, and all of their test images, with the classes' names."""
    whole, rng = cifar10(), np.random.RandomState(seed)
    chosen = [
        rng.choice(np.flatnonzero(whole.y_train == number), PER_CLASS, replace=False) for number in CLASSES.values()
    ]
    test = [np.flatnonzero(whole.y_test == number) for number in CLASSES.values()]
    (x_train, y_train), (x_test, y_test) = (
        (enlarged(X[np.concatenate(rows)], size), np.repeat(list(CLASSES), [len(of_class) for of_class in rows]))
        for X, rows in ((whole.x_train, chosen), (whole.x_test, test))
    )
    return Images(x_train, y_train, x_test, y_test)


def enlarged(X: np.ndarray, size: int) -> np.ndarray:
    """uint8 images (n, C, H, W) brought to ``size`` pixels a side."""
    if X.shape[-1] == size:
        return X
    larger = interpolate(torch.from_numpy(X).float(), (size, size), mode="bicubic", align_corners=False)
    return larger.clamp(0, 255).round().byte().numpy()


@functools.lru_cache(maxsize=2)
def photos(folder: Path | None, size: int, seed: int) -> Images:
    """Training and test images, uint8 of shape (n, C, size, size), and the classes' names."""
    if folder is None:
        return two_textures(PER_CLASS, size, seed)
    X, y = load_image_folder(folder, size)
    if len(np.unique(y)) != 2:
        raise SystemExit(f"{folder} must hold two class folders; it holds {', '.join(np.unique(y))}.")
    x_train, x_test, y_train, y_test = train_test_split(X, y, test_size=0.5, stratify=y, random_state=seed)
    return Images(x_train, y_train, x_test, y_test)


def data_of(run: PhotosRun, seed: int) -> Images:
    return animals(run.size, seed) if run.animals and run.photos is None else photos(run.photos, run.size, seed)


class Looks(Callback):
    """Loss, accuracy, precision, recall and mean squared error on both sides, so many times."""

    def __init__(self, data: Images, updates: int, looks: int):
        self.sides = {"train": (data.x_train, data.y_train), "test": (data.x_test, data.y_test)}
        self.every = max(10, updates // looks)
        self.positive = np.unique(data.y_train)[1]
        self.curve: list[dict] = []

    def on_train_begin(self, net, **kwargs):
        self.done = 0

    def on_batch_end(self, net, training=True, **kwargs):
        self.done += training
        if training and self.done % self.every == 0:
            point = {"updates": self.done}
            for side, (X, y) in self.sides.items():
                point |= {f"{side} {name}": value for name, value in figures(net, X, y, self.positive).items()}
            self.curve.append(point)


def figures(net, X, y, positive) -> dict[str, float]:
    """The report's five measures; its MSE is that of the predicted probability."""
    probability = net.predict_proba(X)
    predicted, truth = net.classes_[probability.argmax(1)], (y == positive).astype(float)
    return {
        "loss": round(float(log_loss(y, probability, labels=net.classes_)), 4),
        "accuracy": round(float((predicted == y).mean()), 4),
        "precision": round(float(precision_score(y, predicted, pos_label=positive, zero_division=0)), 4),
        "recall": round(float(recall_score(y, predicted, pos_label=positive)), 4),
        "MSE": round(float(np.square(probability[:, 1] - truth).mean()), 4),
    }


def augmenter(
    run: PhotosRun, kind: str, amount: int, seed: int, steps: int | None = None, **params
) -> ConditionalGANAugmenter:
    """The sampler; the net has the run's steps, or those given."""
    steps = run.steps if steps is None else steps
    if kind in ("photo_gan", PUBLISHED):
        published = PHOTO_GAN_AS_PUBLISHED if kind == PUBLISHED else {}
        net = photo_gan(**{**published, "max_steps": steps, "module__width": run.width, **params})
    elif kind == "cyclegan":
        net = cyclegan(max_steps=min(steps, run.translation_steps), **params)
    else:
        net = offspring(max_steps=min(steps, OFFSPRING_STEPS))
    shares = {"net": 1}
    return ConditionalGANAugmenter(n_synthetic=amount, net=net, shares=shares, memory=CACHE.location, random_state=seed)


def measure(run: PhotosRun, added: str, amount: int, seed: int) -> dict:
    data = data_of(run, seed)
    X, y = data.x_train, data.y_train
    accuracy = seconds = np.nan
    if added == "real rows repeated":
        again = np.resize(np.random.RandomState(seed).permutation(len(X)), amount)
        X, y = np.concatenate([X, X[again]]), np.concatenate([y, y[again]])
    elif added in KINDS:
        sampler = augmenter(run, added, amount, seed)
        X, y = sampler.fit_resample(X, y)
        history = sampler.training_history_
        accuracy, seconds = history["discriminator_accuracy"].iloc[-5:].mean(), history["seconds"].max()
    looks = Looks(data, run.updates, run.looks)
    CNNClassifier(
        "cnn_tiny",
        max_updates=run.updates,
        batch_size=BATCH,
        augment=[Crop(), Rotation(15), Flip()] if added == TRADITIONAL else None,
        callbacks=[looks],
        random_state=seed,
    ).fit(X, y)
    last = pd.DataFrame(looks.curve[-max(1, run.looks // 10) :]).mean()
    return {
        **{name: last[name] for name in last.index if name != "updates"},
        "discriminator accuracy": accuracy,
        "seconds of training": seconds,
        "curve": json.dumps(looks.curve),
    }


def watch(run: PhotosRun) -> None:
    """Train seed 0 once more with the report's callback, and keep its first and last picture."""
    data = data_of(run, 0)
    with tempfile.TemporaryDirectory() as where:
        grid = SampleGrid(where, every=max(1, min(100, run.steps // 2)))
        sampler = augmenter(run, "photo_gan", 8, 0, callbacks=[("grid", grid)])
        sampler.set_params(memory=None).fit_resample(data.x_train, data.y_train)
        pictures = sorted(Path(where).glob("*.png"))
        for name, picture in (("first", pictures[0]), ("last", pictures[-1])):
            shutil.copy(picture, DOCS / "images" / f"{run.stem}-{name}.png")


def translations(run: PhotosRun) -> None:
    """Test photographs of seed 0 turned into the other class, after the first epoch and at the end, and back."""
    data = data_of(run, 0)
    donor, to = np.unique(data.y_train)
    shown = data.x_test[data.y_test == donor]
    for name, n in (("first", 20), ("last", run.steps)):
        sampler = augmenter(run, "cyclegan", 8, 0, n)
        sampler.fit_resample(data.x_train, data.y_train)
        display = TranslationDisplay.from_sampler(sampler, shown, to, n_columns=8).plot()
        display.figure_.savefig(DOCS / "images" / f"{run.stem}-translated-{name}.png", dpi=60)


def pictures(run: PhotosRun) -> None:
    """Of the training, of what both optimisers make, and of translations."""
    watch(run)
    both_optimisers(run)
    translations(run)


def both_optimisers(run: PhotosRun) -> None:
    """Images of seed 0 with each optimiser; trainings come from the cache."""
    data, lines = data_of(run, 0), []
    for kind in ("photo_gan", PUBLISHED):
        made, y = augmenter(run, kind, 250, 0).fit_resample(data.x_train, data.y_train)
        made, y = made[len(data.x_train) :], y[len(data.x_train) :]
        for klass in np.unique(y):
            lines.append((f"{kind}: {klass}", np.moveaxis(made[y == klass][:8], 1, -1)))
    SampleGridDisplay(lines).plot().figure_.savefig(DOCS / "images" / f"{run.stem}-optimisers.png", dpi=60)


def report(results: pd.DataFrame, stem: str = "few-photos") -> str:
    """Markdown for docs/results.md; ``stem`` begins the names of the pictures."""
    lines = []
    for (added, amount), part in results.groupby(["added", "amount"], sort=False):
        lines.append(
            {
                "training set": added if added.startswith("original") else f"original + {amount} {added}",
                **{
                    f"test {name}": with_error(part[f"test {name}"], digits=2)
                    for name in ("loss", "accuracy", "precision", "recall", "MSE")
                },
                "training accuracy": with_error(part["train accuracy"], digits=2),
                "discriminator accuracy": ""
                if part["discriminator accuracy"].isna().all()
                else with_error(part["discriminator accuracy"], digits=2),
                "seconds of training": ""
                if part["seconds of training"].isna().all()
                else f"{part['seconds of training'].mean():.0f}",
            }
        )
    curves(results, stem)
    tested = "as many for test" if stem == "few-photos" else "1,000 for test"
    note = (
        f"82 images for training and {tested}, {results['seed'].nunique()} seed(s), equal updates; means of the last tenth of "
        "the training, or its end where it was looked at less often. Guessing has an accuracy of .5."
    )
    shown = f"![learning curves](images/{stem}-curves.png)"
    if (DOCS / "images" / f"{stem}-last.png").exists():
        shown += (
            "\n\nWhat `photo_gan()` makes after 100 steps and at the end, seed 0:\n\n"
            f"![after 100 steps](images/{stem}-first.png)\n\n![at the end](images/{stem}-last.png)"
        )
    if (DOCS / "images" / f"{stem}-optimisers.png").exists():
        shown += f"\n\nWith either optimiser:\n\n![both optimisers](images/{stem}-optimisers.png)"
    if (DOCS / "images" / f"{stem}-translated-last.png").exists():
        shown += (
            "\n\nTest photographs turned into the other class by `cyclegan()`, and back, after one epoch and at the end:\n\n"
            f"![after one epoch](images/{stem}-translated-first.png)\n\n"
            f"![at the end](images/{stem}-translated-last.png)"
        )
    table = pd.DataFrame(lines).to_markdown(index=False, disable_numparse=True)
    return f"{table}\n\n{note}{differences(results)}\n\n{shown}"


def differences(results: pd.DataFrame) -> str:
    """Test accuracy of each set with the most images added, less the free ones, seed by seed."""
    most = results[results["amount"].isin((0, results["amount"].max()))]
    wide = 100 * most.pivot(index="seed", columns="added", values="test accuracy").dropna()
    bases = [base for base in ("original", "real rows repeated", TRADITIONAL) if base in wide]
    lines = [
        {"added": kind}
        | {f"accuracy less {base}": with_error(wide[kind] - wide[base], "+") for base in bases if base != kind}
        for kind in KINDS
        if kind in wide
    ]
    table = pd.DataFrame(lines).fillna("").to_markdown(index=False, disable_numparse=True)
    return f"\n\n{results['amount'].max()} images added, differences by seed, in points:\n\n{table}"


report_animals = functools.partial(report, stem="animals")
report_enlarged = functools.partial(report, stem="animals-128")


@draws
def curves(results: pd.DataFrame, stem: str) -> None:
    """Loss and accuracy against updates on both sides, mean over seeds."""
    figure = Figure(figsize=(9, 3.8), layout="constrained")
    axes = figure.subplots(1, 2)
    most = results[results["amount"].isin((0, results["amount"].max()))]
    for colour, (added, part) in enumerate(most.groupby("added", sort=False)):
        points = pd.concat(pd.DataFrame(json.loads(text)) for text in part["curve"]).groupby("updates").mean()
        for axis, name in zip(axes, ("loss", "accuracy"), strict=True):
            for side, style in (("train", ":"), ("test", "-")):
                label = added if side == "test" else None
                axis.plot(points.index, points[f"{side} {name}"], style, color=f"C{colour}", label=label)
            axis.set(title=f"{name} (dotted: training rows)", xlabel="updates")
    figure.legend(*axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=3, fontsize=8)
    figure.savefig(DOCS / "images" / f"{stem}-curves.png", dpi=70)


if __name__ == "__main__":
    own = ("photos", "folder of two class folders, instead of the two textures")
    main(
        *("few_photos", BUDGETS, cells, measure, report),
        Part("few_photos_animals", ANIMALS_BUDGETS, cells, measure, report_animals, pictures),
        Part("few_photos_128", ENLARGED_BUDGETS, cells, measure, report_enlarged, both_optimisers),
        pictures=pictures,
        data=own,
    )
