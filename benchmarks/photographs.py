"""Photographs in long tails: the best way that needs no new rows, and new rows on top of it.

    python benchmarks/photographs.py --jobs 2 [--parts photographs …] [--quick | --full]

CIFAR-10 (2,000 … 20 rows a class, or 2,000 … 200) and the long tails of Fashion-MNIST and MNIST. Same network, same updates,
same augmentation for every line. A line "corrected" predicts argmax P / frequency of the class among the training rows.

``photographs_choice`` measures on training rows that the tails leave out, in tails of other seeds; ``photographs`` on the test
rows. What is recommended was chosen by the former.
"""

import functools
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd
import torch
from data import Images, blood_cells, cifar10, from_above, long_tail, photograph_tail
from harness import CACHE, DOCS, Part, Run, fitted, main, with_error
from imblearn.over_sampling import SMOTE, RandomOverSampler
from scipy.spatial.distance import pdist
from scipy.stats import t as student
from shared import flat_resampled, tail
from sklearn.metrics import recall_score
from torch import nn

from skgan import CNNClassifier, ConditionalGANAugmenter, GANOverSampler, PriorCorrectedClassifier, halfway
from skgan._batches import BalancedBatches
from skgan._classifier_data import MixedTargets
from skgan._draws import rand
from skgan._image_statistics import augmentation_for
from skgan._tensors import to_unit_range
from skgan.augment import CutMix, Mixup, Rotation, Scale, Translation
from skgan.codecs import ImageCodec
from skgan.filters import ClassifierFilter
from skgan.nets import OffspringNet
from skgan.plotting import SampleGridDisplay
from skgan.presets import offspring

# Networks and losses


class LogitAdjustedLoss(nn.Module):
    """Cross-entropy of logits to which the log frequencies of the classes are added (Menon et al., ICLR 2021, eq. 10)."""

    def __init__(self, counts):
        super().__init__()
        self.register_buffer("shift", torch.tensor(np.log(np.asarray(counts) / np.sum(counts)), dtype=torch.float32))

    def forward(self, logits, y):
        return nn.functional.cross_entropy(logits + self.shift, y)


class BalancedClassifier(CNNClassifier):
    """Every batch has all classes equally often, as of a WeightedRandomSampler."""

    def get_iterator(self, dataset, training=False):
        if not training:
            return super().get_iterator(dataset, training)
        X, y = dataset.tensors
        return BalancedBatches(
            X,
            y,
            batch_size=self.batch_size,
            max_steps=self.n_updates_ - self.updates_,
            steps_per_epoch=self.updates_per_epoch_,
        )


class DeferredClassifier(CNNClassifier):
    """Class weights by effective numbers in the last fifth of the training (Cao et al., NeurIPS 2019, section 3.3)."""

    def train_step(self, batch, **fit_params):
        if self.updates_ == self.n_updates_ * 4 // 5:
            self.criterion_.weight = self.weights_
        return super().train_step(batch, **fit_params)

    def initialize_criterion(self):
        counts = np.unique(self._labels_, return_counts=True)[1]
        weights = torch.tensor((1 - 0.9999) / (1 - 0.9999**counts), dtype=torch.float32)
        self.weights_ = weights / weights.mean()
        return super().initialize_criterion()


class ScheduledClassifier(CNNClassifier):
    """New rows, whose ``sample_weight`` is below 1, count as the training goes on."""

    def weight(self, done: float) -> float:
        """Of a new row, after this part of the training."""
        raise NotImplementedError

    def train_step(self, batch, **fit_params):
        weight = self.weight(self.updates_ / self.n_updates_)
        batch.weights = torch.where(batch.weights < 1, weight, 1.0)
        return super().train_step(batch, **fit_params)


class FadingClassifier(ScheduledClassifier):
    def weight(self, done):
        return 1 - done


class LateClassifier(ScheduledClassifier):
    def weight(self, done):
        return float(done >= 0.8)


@dataclass
class PasteMix(CutMix):
    """CutMix whose rectangle shows a rare class and whose background is any image (CMO: Park et al., CVPR 2022, section 3.2).

    The pasted images are drawn with equal probability of each class.
    """

    X: torch.Tensor | None = None
    y: torch.Tensor | None = None

    def mix_with(self, images):
        batches = BalancedBatches(self.X, self.y, batch_size=len(images), max_steps=1, steps_per_epoch=1)
        pasted, labels = next(iter(batches))
        share, wanted = rand(2).unbind()
        mixed, share = self.mixed(images, pasted, share, wanted < self.p)
        return mixed, labels, share


class PastingClassifier(CNNClassifier):
    """Trains on PasteMix of its own rows, after the other transforms."""

    def fit(self, X, y, **kwargs):
        self.pasting_ = PasteMix(0.5, torch.from_numpy(X), torch.from_numpy(y))
        return super().fit(X, y, **kwargs)

    def train_step(self, batch, **fit_params):
        X, y = batch
        images, labels, share = self.pasting_.mix_with(to_unit_range(X))
        self.targets_ = MixedTargets(y, labels, share)
        return super().train_step((images, y), **fit_params)

    def get_loss(self, y_pred, y_true, *args, **kwargs):
        return super().get_loss(y_pred, self.targets_ if kwargs.get("training") else y_true, *args, **kwargs)


# Data

CHOICE = 100  # added to the seeds of the part "choice"


def training_data(dataset: str, ratio: int, seed: int) -> tuple[np.ndarray, np.ndarray, Images]:
    """The long tail, as (n, C, H, W), and the whole data set."""
    if dataset == "cifar10":
        return *photograph_tail(seed, ratio), cifar10()
    X, y, whole = tail(dataset, seed)
    return X[:, None], y, whole


def left_out(X: np.ndarray, whole: Images, per_class: int = 500) -> tuple[np.ndarray, np.ndarray]:
    """Training rows that are not in the tail, equally many of each class."""
    kept = {row.tobytes() for row in X}
    free = np.array([row.tobytes() not in kept for row in whole.x_train])
    rows, y = whole.x_train[free], whole.y_train[free]
    rows, y = long_tail(rows, y, [per_class] * 10, np.random.RandomState(0))
    return rows.reshape(-1, *X.shape[1:]), y


# What the classifier learns from


def over_sampled(sampler: type, **params):
    """A sampler's rows; to balance, unless the parameters say otherwise."""

    def resample(X, y, seed):
        ours = issubclass(sampler, GANOverSampler)
        made = sampler(random_state=seed, **params, **({"memory": CACHE.location} if ours else {}))
        return made.fit_resample(X, y) if ours else flat_resampled(made, X, y)

    return resample


def smote(X, y, seed):
    return over_sampled(SMOTE, k_neighbors=min(5, np.bincount(y).min() - 1))(X, y, seed)


def far() -> OffspringNet:
    """Offspring that go as far as the net has learned to, whatever that does to their class."""
    return offspring(strength=1.0, flips="none", penalties__R1__every=1, module__width=32)


def in_proportion(amount: float, net=offspring, **shares):
    """As many new rows as ``amount`` times the real ones, in each class."""

    def resample(X, y, seed):
        sampler = ConditionalGANAugmenter(
            amount, net=net(), shares=shares or {"net": 1}, memory=CACHE.location, random_state=seed
        )
        return sampler.fit_resample(X, y)

    return resample


def as_they_are(X, y, seed):
    return X, y


@dataclass(frozen=True)
class Method:
    """A line: rows, classifier, the latter's parameters by the counts of the classes, and what its probabilities stand for."""

    rows: Callable = as_they_are
    classifier: type = CNNClassifier
    params: Callable = lambda counts: {}
    learned: Callable | None = None
    """Frequencies of the classes that are learned, by those of the rows; None where all are equal: nothing to correct."""
    scheduled: bool = False


def kept(shares):
    return shares


FREE = {
    "nothing": Method(learned=kept),
    "class weights": Method(params=lambda counts: {"class_weight": "balanced"}),
    "balanced batches": Method(classifier=BalancedClassifier),
    "copies": Method(over_sampled(RandomOverSampler)),
    "SMOTE": Method(smote),
    "copies, half-way": Method(over_sampled(RandomOverSampler, sampling_strategy=halfway), learned=kept),
    "SMOTE, half-way": Method(over_sampled(SMOTE, sampling_strategy=halfway), learned=kept),
    "logit-adjusted loss": Method(params=lambda counts: {"criterion": LogitAdjustedLoss, "criterion__counts": counts}),
    "deferred re-weighting": Method(classifier=DeferredClassifier),
}
OURS = {
    "GANOverSampler": Method(over_sampled(GANOverSampler)),
    "offspring, half as many": Method(in_proportion(0.5), learned=kept),
    "offspring, as many": Method(in_proportion(1.0), learned=kept),
    "far offspring, half as many": Method(in_proportion(0.5, far), learned=kept),
    "far offspring, as many, fading": Method(
        in_proportion(1.0, far), classifier=FadingClassifier, learned=kept, scheduled=True
    ),
    "far offspring, as many, late": Method(
        in_proportion(1.0, far), classifier=LateClassifier, learned=kept, scheduled=True
    ),
    "GANOverSampler of far offspring, half-way": Method(
        over_sampled(GANOverSampler, sampling_strategy=halfway, net=far()), learned=kept
    ),
    "mixtures, as many": Method(in_proportion(1.0, mixture=1), learned=kept),
    # Half of the batches have, on average, half of their labels from classes drawn equally often
    "pasted on other classes": Method(classifier=PastingClassifier, learned=lambda shares: 0.75 * shares + 0.025),
}
METHODS = {**FREE, **OURS}
WAY = "offspring, half as many"


def transforms_of_line(kind: str, X, y) -> list:
    """The transforms of a line; "mixed" adds mixup and CutMix, one of which is drawn for a batch and mixes half of them."""
    auto = augmentation_for(X, y)
    return {
        "as is": [],
        "augmented": auto,
        "mixed": [*auto, Mixup(), CutMix()],
        "turned": [Translation(1 / 8, "reflect"), Rotation(10, "reflect"), Scale(0.1, "reflect"), *auto[1:]],
    }[kind]


def measured(dataset, ratio, network, updates, seed, method, augmentation, *, chosen: bool) -> dict:
    """One training of one line, and what its network says of the rows it is judged by."""
    X, y, whole = training_data(dataset, ratio, seed + CHOICE * chosen)
    X_seen, y_seen = left_out(X, whole) if chosen else (whole.x_test.reshape(-1, *X.shape[1:]), whole.y_test)
    line, counts = METHODS[method], np.bincount(y)
    begin = time.perf_counter()
    rows, labels = line.rows(X, y, seed)
    made = time.perf_counter()
    weights = {}
    if line.scheduled:
        weights["sample_weight"] = np.where(np.arange(len(rows)) < len(X), 1.0, 0.5)
    model = line.classifier(
        network,
        max_updates=updates,
        augment=transforms_of_line(augmentation, X, y),
        random_state=seed,
        **line.params(counts),
    )
    model.fit(rows, labels, **weights)
    fitted = time.perf_counter()
    rarest = np.argsort(counts)[:3]

    def recalls(kind: str, probability) -> dict:
        recall = recall_score(y_seen, probability.argmax(1), average=None)
        return {kind: recall.mean(), f"rarest three, {kind}": recall[rarest].mean()}

    probability = model.predict_proba(X_seen)
    values = recalls("predicted", probability)
    corrected = dict.fromkeys(("corrected", "rarest three, corrected"), np.nan)
    if line.learned is not None:
        seen = np.bincount(labels)
        corrected = recalls("corrected", probability / line.learned(seen / seen.sum()))
    return {**values, **corrected, "seconds of rows": made - begin, "seconds": fitted - made}


# The table of test rows


@dataclass(frozen=True)
class TailRun(Run):
    tails: tuple[tuple[str, int], ...]
    networks: tuple[str, ...]
    updates: tuple[int, ...]
    n_seeds: int
    lines: tuple[tuple[str, str], ...]


KINDS = ("as is", "augmented", "mixed")
EVERY = tuple((method, kind) for kind in KINDS for method in METHODS)
FEW = (("nothing", "as is"), ("nothing", "augmented"), ("copies", "augmented"), (WAY, "augmented"))
TAILS = (("cifar10", 100), ("cifar10", 10), ("fashion", 100), ("mnist", 50))
BUDGETS = {
    "quick": TailRun("MNIST, 1 seed, 4 lines, 200 updates (2 minutes)", TAILS[3:], ("cnn_2conv",), (200,), 1, FEW),
    "default": TailRun(
        "CIFAR-10 at ratio 100, 3 seeds, augmented lines, 800 updates (40 minutes with --jobs 2)",
        *(TAILS[:1], ("cnn_2conv",), (800,), 3, tuple(line for line in EVERY if line[1] == "augmented")),
    ),
    "full": TailRun(
        "all tails and networks, 5 seeds, 800 and 4,000 updates",
        *(TAILS, ("cnn_2conv", "resnet8"), (800, 4000), 5, EVERY),
    ),
}


def cells(run: TailRun) -> Iterator[dict]:
    for dataset, ratio in run.tails:
        for network in run.networks:
            for updates in run.updates:
                for seed in range(run.n_seeds):
                    tail_of = {"dataset": dataset, "ratio": ratio, "network": network, "updates": updates, "seed": seed}
                    yield from ({**tail_of, "method": method, "augmentation": kind} for method, kind in run.lines)


def measure(run: Run, **cell) -> dict:
    return measured(**cell, chosen=False)


def report(results: pd.DataFrame) -> str:
    """Markdown for docs/results.md: a table for each tail, network and number of updates."""
    results = results.assign(
        score=results["corrected"].fillna(results["predicted"]),
        line=results["method"] + results["augmentation"].map(lambda kind: "" if kind == "as is" else f" + {kind}"),
    )
    text = []
    for keys, part in results.groupby(["dataset", "ratio", "network", "updates"], sort=False):
        text += [_table_of(keys, part), ""]
    note = (
        'Mean recall in percent, mean ± standard error over seeds. "augmented": CNNClassifier(augment="auto"); "mixed": mixup '
        'or CutMix of half of the batches too. "corrected": argmax P / frequency of the class among the training rows; where '
        'the rows or the loss are balanced there is nothing to correct. "over": paired difference to the best free line, of '
        "the seeds that both have, with the one-sided 95 % bound (Student's t); beside it that to nothing, corrected, of the "
        "same augmentation."
    )
    return "\n".join(text) + note


def _table_of(keys, part: pd.DataFrame) -> str:
    dataset, ratio, network, updates = keys
    wide = part.pivot(index="seed", columns="line", values="score")
    free = [line for line in wide if line.split(" + ")[0] in FREE]
    n_seeds = wide[free].notna().sum()
    best = str(wide[free].mean()[n_seeds == n_seeds.max()].idxmax())
    rows = []
    for line, own in part.groupby("line", sort=False):
        over = (100 * (wide[line] - wide[best])).dropna()
        base = str(line).replace(str(own["method"].iloc[0]), "nothing", 1)
        beside = (100 * (wide[line] - wide[base])).dropna() if base in wide and base != line else []
        rows.append(
            {
                "training": line,
                "seeds": len(own),
                "as predicted": with_error(100 * own["predicted"]),
                "corrected": with_error(100 * own["corrected"]) if own["corrected"].notna().all() else "–",
                f"over {best}": with_error(over, "+") if line != best else "–",
                "95 % bound": f"{over.mean() - student.ppf(0.95, len(over) - 1) * over.sem():+.1f}"
                if len(over) > 1 and line != best
                else "–",
                "over nothing, corrected": with_error(beside, "+") if len(beside) > 1 else "–",
                "rarest three": with_error(100 * own["rarest three, corrected"].fillna(own["rarest three, predicted"])),
                "seconds": f"{own['seconds of rows'].mean():.0f} + {own['seconds'].mean():.0f}",
            }
        )
    table = pd.DataFrame(rows).to_markdown(index=False, disable_numparse=True)
    return f"### {dataset}, ratio {ratio}, {network}, {updates} updates\n\n{table}\n"


SHOWN = {  # line: method, augmentation, column
    "nothing": ("nothing", "as is", "predicted"),
    "nothing, probabilities corrected": ("nothing", "as is", "corrected"),
    "class weights": ("class weights", "as is", "predicted"),
    "copies": ("copies", "as is", "predicted"),
    "SMOTE": ("SMOTE", "as is", "predicted"),
    "GANOverSampler": ("GANOverSampler", "as is", "predicted"),
    "**every row augmented, probabilities corrected**": ("nothing", "augmented", "corrected"),
    "… and mixup or CutMix": ("nothing", "mixed", "corrected"),
    "augmented, logit-adjusted loss": ("logit-adjusted loss", "augmented", "predicted"),
    "augmented, deferred re-weighting": ("deferred re-weighting", "augmented", "predicted"),
    "augmented, class weights": ("class weights", "augmented", "predicted"),
    "augmented, copies": ("copies", "augmented", "predicted"),
    "augmented, SMOTE": ("SMOTE", "augmented", "predicted"),
    "augmented, GANOverSampler": ("GANOverSampler", "augmented", "predicted"),
    "augmented, half as many offspring as real rows, corrected": ("offspring, half as many", "augmented", "corrected"),
}
BRIEF = (  # lines of README
    *("nothing", "nothing, probabilities corrected", "SMOTE", "GANOverSampler"),
    *("**every row augmented, probabilities corrected**", "augmented, SMOTE", "augmented, GANOverSampler"),
)
COLUMNS = {"digits": ("mnist", 50, 800), "clothes": ("fashion", 100, 800), "photographs": ("cifar10", 100, 4000)}


def short(results: pd.DataFrame, shown: Iterable[str] = tuple(SHOWN)) -> str:
    """A table of images: the recommended way beside the others, on three long tails."""
    results = results[results["network"] == "cnn_2conv"]
    lines = []
    for name, (method, kind, column) in ((name, SHOWN[name]) for name in shown):
        line = {"training": name}
        for title, (dataset, ratio, updates) in COLUMNS.items():
            cell = results[
                (
                    results[["dataset", "ratio", "updates", "method", "augmentation"]]
                    == [dataset, ratio, updates, method, kind]
                ).all(axis=1)
            ]
            line[title] = with_error(100 * cell[column]) if len(cell) > 2 else "–"
        if set(line.values()) != {name, "–"}:
            lines.append(line)
    note = (
        f"`python benchmarks/photographs.py --full --parts photographs`, {results['date'].max()}: mean recall in percent on "
        "unseen, balanced images, mean ± standard error over 3 to 5 seeds. Long tails of MNIST (250 … 5 rows a class, 800 "
        "updates), Fashion-MNIST (4,000 … 40, 800 updates) and CIFAR-10 (2,000 … 20, 4,000 updates), the same small CNN; lines "
        "that were not measured have a dash."
    )
    return f"{pd.DataFrame(lines).to_markdown(index=False, disable_numparse=True)}\n\n{note}"


# What is chosen, on training rows that the tails leave out


@dataclass(frozen=True)
class ChoiceRun(Run):
    tails: tuple[tuple[str, int], ...]
    n_seeds: int
    updates: int
    lines: tuple[tuple[str, str], ...]


TRIED = (
    *(("nothing", kind) for kind in ("as is", "augmented", "turned", "mixed")),
    *(("logit-adjusted loss", "mixed"), ("deferred re-weighting", "mixed")),
    *((name, "augmented" if name.startswith("pasted") else "mixed") for name in OURS if name != "GANOverSampler"),
)
CHOICE_BUDGETS = {
    "quick": ChoiceRun("Fashion-MNIST, 1 seed, 50 updates (1 minute)", TAILS[2:3], 1, 50, (("nothing", "augmented"),)),
    "default": ChoiceRun("CIFAR-10, 2 seeds, 4,000 updates (90 minutes with --jobs 2)", TAILS[:1], 2, 4000, TRIED),
    "full": ChoiceRun("CIFAR-10 and Fashion-MNIST, 5 seeds", TAILS[:3], 5, 4000, TRIED),
}


def choice_cells(run: ChoiceRun) -> Iterator[dict]:
    for dataset, ratio in run.tails:
        for seed in range(run.n_seeds):
            tail_of = {"dataset": dataset, "ratio": ratio, "network": "cnn_2conv", "updates": run.updates, "seed": seed}
            yield from ({**tail_of, "method": method, "augmentation": kind} for method, kind in run.lines)


def measure_choice(run: Run, **cell) -> dict:
    return measured(**cell, chosen=True)


# What offspring of photographs are like


@dataclass(frozen=True)
class OffspringRun(Run):
    datasets: tuple[str, ...]
    steps: int | None  # of the net; None is the preset's own
    updates: int  # of the judge


SIMULATED = {"blood cells": (blood_cells, (400, 60, 15)), "from above": (from_above, (300, 100, 30, 10))}
VARIANTS = ("default", "strength .35", "full strength", "filtered")
OFFSPRING_BUDGETS = {
    "quick": OffspringRun("simulated images, 50 steps (1 minute)", tuple(SIMULATED), 50, 200),
    "default": OffspringRun("all data, 1 seed (20 minutes)", ("cifar10", *SIMULATED, "fashion", "mnist"), None, 2000),
    "full": OffspringRun("all data, 1 seed", ("cifar10", *SIMULATED, "fashion", "mnist"), None, 2000),
}


def offspring_cells(run: OffspringRun) -> Iterator[dict]:
    for dataset in run.datasets:
        for variant in VARIANTS:
            yield {"dataset": dataset, "seed": 0, "variant": variant}


@functools.lru_cache(maxsize=1)
def pictured(dataset: str, seed: int, updates: int):
    """Long-tailed rows, test rows, and a judge that has seen many rows of every class."""
    if dataset in SIMULATED:
        simulate, counts = SIMULATED[dataset]
        X, y = simulate(counts, seed)
        many, X_test = ([400] * len(counts), seed + 1), ([100] * len(counts), seed + 2)
        (X_all, y_all), (X_test, y_test) = simulate(*many), simulate(*X_test)
    else:
        X, y, whole = training_data(dataset, dict(TAILS[:1] + TAILS[2:])[dataset], seed)
        X_all, X_test = (images.reshape(-1, *X.shape[1:]) for images in (whole.x_train, whole.x_test))
        y_all, y_test = whole.y_train, whole.y_test
    augment = augmentation_for(X_all, y_all) if X.shape[1] == 3 else None
    judge = CNNClassifier(max_updates=updates, augment=augment, random_state=seed).fit(X_all, y_all)
    return X, y, X_test, y_test, judge


def measure_offspring(run: OffspringRun, dataset: str, seed: int, variant: str) -> dict:
    X, y, X_test, y_test, judge = pictured(dataset, seed, run.updates)
    net, seconds = fitted(offspring(**({} if run.steps is None else {"max_steps": run.steps})), X, y, seed)
    net.strength = {"strength .35": 0.35, "full strength": 1.0}.get(variant, "auto")
    wanted = np.repeat(np.unique(y), 200 if variant != "filtered" else 800)
    with net.seeded(seed):
        made = net.draw(wanted, (X, y))
    kept = np.arange(len(wanted))
    if variant == "filtered":
        classifier = CNNClassifier(max_updates=600, augment="auto", random_state=seed)
        row_filter = ClassifierFilter(PriorCorrectedClassifier(classifier, prior="uniform"), quantile=None, flat=False)
        accepted = row_filter.fit(X, y).score_samples(made.rows, wanted) >= 0
        kept = np.concatenate([np.flatnonzero(accepted & (wanted == k))[:200] for k in np.unique(y)])
    labels, parents = wanted[kept], X[made.parents[kept, 0]]
    rows = ImageCodec(value_range="dtype").fit(X).inverse_transform(made.rows[kept])
    if variant == "default" and run.steps is None:
        picture(dataset, rows, parents, labels)
    generator = net.module_.generator
    told = recall_score(y_test, judge.predict(X_test), average="macro")
    of_test = spread_within(judge.features(X_test), y_test)
    return {
        "border": generator.padding,
        "mirrored": "+".join(
            name for name, is_on in zip(("left-right", "up-down"), generator.mirrors, strict=True) if is_on
        ),
        "strength": generator.safe_strength if net.strength == "auto" else net.strength,
        "class kept": recall_score(labels, judge.predict(rows), average="macro"),
        "of their parents": recall_score(labels, judge.predict(parents), average="macro"),
        "of real test rows": told,
        "diversity": float(np.mean(spread_within(judge.features(rows), labels) / of_test)),
        "of parents": float(np.mean(spread_within(judge.features(parents), labels) / of_test)),
        "seconds of training": seconds,
    }


def spread_within(features: np.ndarray, y: np.ndarray) -> np.ndarray:
    """The mean distance of two rows of a class, of each class."""
    return np.array([pdist(features[y == k][:200]).mean() for k in np.unique(y)])


def picture(dataset: str, rows, parents, y) -> None:
    """Parents above their offspring."""
    shown = (lambda images: images[:, 0]) if rows.shape[1] == 1 else (lambda images: images.transpose(0, 2, 3, 1))
    classes = np.unique(y) if len(np.unique(y)) < 6 else (0, 3, 5, 7, 9)
    blocks = [(f"class {k}", shown(parents[y == k][:14]), shown(rows[y == k][:14])) for k in classes]
    display = SampleGridDisplay.from_images(blocks, n_columns=14, kinds=("parent", "offspring")).plot()
    display.figure_.savefig(DOCS / "images" / f"photographs-{dataset.replace(' ', '-')}.png", dpi=60)


def report_offspring(results: pd.DataFrame) -> str:
    """Markdown for docs/results.md."""
    percent = ["class kept", "of their parents", "of real test rows"]
    table = results.drop(columns=["seed", "date"]).fillna({"mirrored": "–"})
    table[percent] = (100 * table[percent]).map("{:.1f} %".format)
    table[["diversity", "of parents"]] = table[["diversity", "of parents"]].map("{:.2f}".format)
    table["seconds of training"] = table["seconds of training"].map("{:.0f}".format)
    note = (
        "The judge is a CNN that has seen many rows of every class, before any was taken away. Diversity: mean distance of two "
        "offspring of a class in the judge's features ÷ that of two real test rows; beside it, that of the parents. Filtered: "
        "by ClassifierFilter on a CNN trained on the tail with corrected probabilities."
    )
    pictures = "\n\n".join(
        f"Parents above offspring, {name}:\n\n![offspring](images/photographs-{name.replace(' ', '-')}.png)"
        for name in results["dataset"].unique()
    )
    return f"{table.to_markdown(index=False, disable_numparse=True)}\n\n{note}\n\n{pictures}"


# What a step costs


@dataclass(frozen=True)
class SpeedRun(Run):
    steps: int
    n_runs: int


STEPS = {
    "CNNClassifier(), batch 128": lambda n: CNNClassifier(max_updates=n, augment="auto", random_state=0),
    'CNNClassifier("resnet8"), batch 128': lambda n: CNNClassifier(
        "resnet8", max_updates=n, augment="auto", random_state=0
    ),
    "offspring()": lambda n: offspring(max_steps=n, strength=1.0, random_state=0),
    "offspring(module__width=32)": lambda n: offspring(max_steps=n, strength=1.0, module__width=32, random_state=0),
    "far offspring": lambda n: far().set_params(max_steps=n, random_state=0),
}
SPEED_BUDGETS = {
    "quick": SpeedRun("20 steps (half a minute)", 20, 1),
    "default": SpeedRun("100 steps, 3 runs (4 minutes)", 100, 3),
    "full": SpeedRun("100 steps, 3 runs", 100, 3),
}


def speed_cells(run: SpeedRun) -> Iterator[dict]:
    for seed in range(run.n_runs):
        for step in STEPS:
            yield {"seed": seed, "step": step}


def measure_speed(run: SpeedRun, seed: int, step: str) -> dict:
    """Milliseconds of one core, without what comes before and after the steps."""
    X, y, _ = training_data("cifar10", 100, seed)
    seconds = []
    torch.set_num_threads(1)
    for n in (10, 10 + run.steps):
        begin = time.process_time()
        STEPS[step](n).fit(X, y)
        seconds.append(time.process_time() - begin)
    return {"ms": 1000 * (seconds[1] - seconds[0]) / run.steps}


def report_speed(results: pd.DataFrame) -> str:
    """Markdown for docs/results.md: ratios to the classifier's step, of the same run."""
    wide = results.pivot(index="seed", columns="step", values="ms")[list(STEPS)]
    rows = [
        {
            "step": name,
            "ms": f"{wide[name].mean():.0f}",
            "to the first": with_error(wide[name] / wide.iloc[:, 0], digits=2),
        }
        for name in wide
    ]
    table = pd.DataFrame(rows).to_markdown(index=False, disable_numparse=True)
    return f"{table}\n\nOne core, images of 32×32×3, mean ± standard error over {len(wide)} runs of each."


if __name__ == "__main__":
    main(
        *("photographs", BUDGETS, cells, measure, report),
        Part("photographs_choice", CHOICE_BUDGETS, choice_cells, measure_choice, report),
        Part("photographs_offspring", OFFSPRING_BUDGETS, offspring_cells, measure_offspring, report_offspring),
        Part("photographs_speed", SPEED_BUDGETS, speed_cells, measure_speed, report_speed),
    )
