"""Eighty-two photographs in two classes: the photo report's experiment, with controls.

    OMP_NUM_THREADS=2 python benchmarks/few_photos.py [--quick | --full] [--photos FOLDER]

41 images a class for training and 41 for test; ``photo_gan()``, the report's conditional pair, adds 250, 500 or 1,000, and
``cnn_tiny``, its classifier, is trained for as many updates on every set. Beside it the real images repeated to the same
number, their random crops, turns and flips, offspring, and each class's photographs turned into the other's by
``cyclegan()`` (the report's second half: horses ↔ cows). Offline two textures of one photograph (benchmarks/data.py) stand in
for cows and horses; ``--photos`` takes a folder of two class folders. Pictures of the training go to docs/images.
"""

import functools
import json
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from data import Images, two_textures
from harness import CACHE, DOCS, Run, draws, main, with_error
from matplotlib.figure import Figure
from sklearn.metrics import log_loss, precision_score, recall_score
from sklearn.model_selection import train_test_split
from skorch.callbacks import Callback

from skgan import CNNClassifier, ConditionalGANAugmenter
from skgan.augment import Crop, Flip, Rotation
from skgan.callbacks import SampleGrid
from skgan.datasets import load_image_folder
from skgan.plotting import TranslationDisplay
from skgan.presets import PHOTO_GAN_AS_PUBLISHED, cyclegan, offspring, photo_gan


@dataclass(frozen=True)
class PhotosRun(Run):
    size: int
    n_seeds: int
    steps: int  # of photo_gan
    width: int  # of photo_gan
    updates: int  # of the classifier
    amounts: tuple[int, ...]
    photos: Path | None = None  # folder of two class folders


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
PER_CLASS = 41
BATCH = 16
TRADITIONAL = "original + crops, turns, flips"
KINDS = ("photo_gan", "real rows repeated", "offspring", "cyclegan")
FEWER_STEPS = {"offspring": 250, "cyclegan": 150}  # at most


def cells(run: PhotosRun) -> Iterator[dict]:
    for seed in range(run.n_seeds):
        yield {"added": "original", "amount": 0, "seed": seed}
        yield {"added": TRADITIONAL, "amount": 0, "seed": seed}
        for kind in KINDS:
            for amount in run.amounts:
                yield {"added": kind, "amount": amount, "seed": seed}


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


class EveryEpoch(Callback):
    """Loss, accuracy, precision, recall and mean squared error on both sides, as often as the original set is passed."""

    def __init__(self, data: Images, updates: int):
        self.sides = {"train": (data.x_train, data.y_train), "test": (data.x_test, data.y_test)}
        self.every = max(1, updates // 40)
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


def augmenter(kind: str, amount: int, seed: int, steps: int, width: int, **params) -> ConditionalGANAugmenter:
    if kind == "photo_gan":
        published = PHOTO_GAN_AS_PUBLISHED if width == PUBLISHED_WIDTH else {}
        net = photo_gan(**{"max_steps": steps, "module__width": width, **published, **params})
    elif kind == "cyclegan":
        net = cyclegan(max_steps=min(steps, FEWER_STEPS[kind]), **params)
    else:
        net = offspring(max_steps=min(steps, FEWER_STEPS[kind]))
    shares = {"net": 1}
    return ConditionalGANAugmenter(n_synthetic=amount, net=net, shares=shares, memory=CACHE.location, random_state=seed)


def measure(run: PhotosRun, added: str, amount: int, seed: int) -> dict:
    data = photos(run.photos, run.size, seed)
    X, y = data.x_train, data.y_train
    accuracy = seconds = np.nan
    if added == "real rows repeated":
        again = np.resize(np.random.RandomState(seed).permutation(len(X)), amount)
        X, y = np.concatenate([X, X[again]]), np.concatenate([y, y[again]])
    elif added in KINDS:
        sampler = augmenter(added, amount, seed, run.steps, run.width)
        X, y = sampler.fit_resample(X, y)
        history = sampler.training_history_
        accuracy, seconds = history["discriminator_accuracy"].iloc[-5:].mean(), history["seconds"].max()
    every = EveryEpoch(data, run.updates)
    CNNClassifier(
        "cnn_tiny",
        max_updates=run.updates,
        batch_size=BATCH,
        augment=[Crop(), Rotation(15), Flip()] if added == TRADITIONAL else None,
        callbacks=[every],
        random_state=seed,
    ).fit(X, y)
    last = pd.DataFrame(every.curve[-4:]).mean()
    return {
        **{name: last[name] for name in last.index if name != "updates"},
        "discriminator accuracy": accuracy,
        "seconds of training": seconds,
        "curve": json.dumps(every.curve),
    }


def watch(run: PhotosRun) -> None:
    """Train seed 0 once more with the report's callback, and keep its first and last picture."""
    data = photos(run.photos, run.size, 0)
    with tempfile.TemporaryDirectory() as where:
        grid = SampleGrid(where, every=max(1, min(100, run.steps // 2)))
        sampler = augmenter("photo_gan", 8, 0, run.steps, run.width, callbacks=[("grid", grid)])
        sampler.set_params(memory=None).fit_resample(data.x_train, data.y_train)
        pictures = sorted(Path(where).glob("*.png"))
        for name, picture in (("first", pictures[0]), ("last", pictures[-1])):
            shutil.copy(picture, DOCS / "images" / f"few-photos-{name}.png")


def translations(run: PhotosRun) -> None:
    """Test photographs of seed 0 turned into the other class, after the first epoch and at the end, and back."""
    data = photos(run.photos, run.size, 0)
    donor, to = np.unique(data.y_train)
    shown = data.x_test[data.y_test == donor]
    for name, n in (("first", 20), ("last", run.steps)):
        sampler = augmenter("cyclegan", 8, 0, n, 0)
        sampler.fit_resample(data.x_train, data.y_train)
        display = TranslationDisplay.from_sampler(sampler, shown, to, n_columns=8).plot()
        display.figure_.savefig(DOCS / "images" / f"few-photos-translated-{name}.png", dpi=60)


def pictures(run: PhotosRun) -> None:
    """Of the training and of translations."""
    watch(run)
    translations(run)


def report(results: pd.DataFrame) -> str:
    """Markdown for docs/results.md."""
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
    curves(results)
    note = (
        f"82 images for training and as many for test, {results['seed'].nunique()} seed(s), equal updates; means of the last "
        "tenth of the training. Guessing has an accuracy of .5."
    )
    shown = "![learning curves](images/few-photos-curves.png)"
    if (DOCS / "images" / "few-photos-last.png").exists():
        shown += (
            "\n\nWhat `photo_gan()` makes after 100 steps and at the end, seed 0:\n\n"
            "![after 100 steps](images/few-photos-first.png)\n\n![at the end](images/few-photos-last.png)"
        )
    if (DOCS / "images" / "few-photos-translated-last.png").exists():
        shown += (
            "\n\nTest photographs turned into the other class by `cyclegan()`, and back, after one epoch and at the end:\n\n"
            "![after one epoch](images/few-photos-translated-first.png)\n\n"
            "![at the end](images/few-photos-translated-last.png)"
        )
    return f"{pd.DataFrame(lines).to_markdown(index=False, disable_numparse=True)}\n\n{note}\n\n{shown}"


@draws
def curves(results: pd.DataFrame) -> None:
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
    figure.savefig(DOCS / "images" / "few-photos-curves.png", dpi=70)


if __name__ == "__main__":
    own = ("photos", "folder of two class folders, instead of the two textures")
    main("few_photos", BUDGETS, cells, measure, report, pictures=pictures, data=own)
