"""Galaxies with real-valued labels: does the generator follow them, and does a classifier gain?

    OMP_NUM_THREADS=2 python benchmarks/galaxies.py [--quick | --full] [--arrays FILE.npz]

The galaxy report's experiment on simulated galaxies whose law is known (:func:`simulate`), or on an npz with ``images``
(n, 3, H, W), ``redshift`` and ``log_mass``. 80 % train, 20 % test. Each GAN makes rows for the test set's labels; flux, size
and colour are measured on them as on real images and regressed on the labels asked for. Then a classifier of "nearby and low
mass" on real rows, on real rows with traditional augmentation, on generated rows, and on both.
"""

import functools
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from harness import CACHE, DOCS, RESULTS, Part, Run, draws, largest, main, with_error
from imblearn.over_sampling import SMOTE, RandomOverSampler
from matplotlib.figure import Figure
from scipy.ndimage import gaussian_filter
from sklearn.linear_model import LinearRegression
from sklearn.metrics import average_precision_score, balanced_accuracy_score

from skgan import CNNClassifier, ConditionalGANAugmenter
from skgan._whole import written_whole
from skgan.augment import Flip, Rotation, Translation
from skgan.plotting import plot_condition_sweep
from skgan.presets import dcgan, predictor_gan

SMALL = {"module__width": 8, "module__n_hidden": 64, "module__n_kernels": 16, "batch_size": 32}
PUBLISHED = {"module__width": 64, "module__n_hidden": 1024, "module__n_kernels": 128, "batch_size": 64}


def _predictor(published: bool, **params):
    return predictor_gan(**(PUBLISHED if published else SMALL), **params)


def _projection(published: bool, **params):
    size = {"module__width": 32, "batch_size": 64} if published else {"module__width": 8, "batch_size": 32}
    return dcgan(**size, **params)


NETS = {
    "hinge as printed": functools.partial(_predictor, hinge="as_printed"),
    "hinge as coded": functools.partial(_predictor, hinge="as_coded"),
    "real labels alone (the default)": _predictor,
    "real labels, Huber": functools.partial(_predictor, prediction_loss="huber"),
    "real labels, label weights 1 : 3": functools.partial(_predictor, label_weights=(1.0, 3.0)),
    "projection": _projection,
    "projection, vicinity": functools.partial(_projection, vicinity="scott"),
}
FAILED, BEST = "hinge as printed", "projection"


@dataclass(frozen=True)
class GalaxiesRun(Run):
    budget: str
    n: int  # galaxies
    n_seeds: int
    nets: tuple[str, ...]
    steps: int
    epochs: int  # of the classifier
    published: bool = False  # the report's sizes
    arrays: Path | None = None


BUDGETS = {
    "quick": GalaxiesRun(
        "400 galaxies, 1 seed, 3 nets, 60 steps (2 minutes)",
        budget="quick",
        n=400,
        n_seeds=1,
        nets=(FAILED, "real labels alone (the default)", "projection, vicinity"),
        steps=60,
        epochs=3,
    ),
    "default": GalaxiesRun(
        "2,000 galaxies, 3 seeds, 7 nets of an eighth of the report's width, 1,200 steps of 32 (50 minutes)",
        budget="default",
        n=2000,
        n_seeds=3,
        nets=tuple(NETS),
        steps=1200,
        epochs=20,
    ),
    "full": GalaxiesRun(
        "2,000 galaxies, 5 seeds, 7 nets as published, 10,000 steps of 64 (400 epochs); for a GPU",
        budget="full",
        n=2000,
        n_seeds=5,
        nets=tuple(NETS),
        steps=10_000,
        epochs=60,
        published=True,
    ),
}
CODED = ", hinge as coded"  # the report's own GAN; the other generated rows are those of BEST
CORRECTED = ", corrected"  # probabilities divided by the classes' shares
WEIGHTED = ", class weights"
TRADITIONAL = "real + traditional augmentation"
TRAINING_SETS = (
    *("real", TRADITIONAL, "generated", "real + generated"),
    *(f"generated{CODED}", f"real + generated{CODED}"),
)
# One object in five or so is "nearby and low mass": what a balance is worth by itself.
BALANCED = (
    *(f"{rows}{way}" for rows in ("real", TRADITIONAL, "real + generated") for way in (CORRECTED, WEIGHTED)),
    *("real + copies", "real + SMOTE"),
)


def cells(run: GalaxiesRun) -> Iterator[dict]:
    parts = {"labels": ("real images", *run.nets), "labels, trained on all rows": (run.nets[0], BEST)}
    for seed in range(run.n_seeds):
        for part, nets in parts.items():
            for net in nets:
                yield {"part": part, "net": net, "seed": seed}


def classifier_cells(run: GalaxiesRun) -> Iterator[dict]:
    for seed in range(run.n_seeds):
        for rows in (*TRAINING_SETS, *BALANCED):
            yield {"rows": rows, "seed": seed}


# The law: log10 of flux (counts) and of half-light radius (px), and colour (magnitudes), against log10 stellar mass
# less 9.5 and log10 (redshift / 0.1); and the scatter around it.
LAW = pd.DataFrame(
    {
        "log mass": [0.40, 0.15, 0.15],
        "log redshift": [-0.80, -0.60, 0.40],
        "at 0": [2.6, 0.6, 0.55],
        "scatter": [0.05, 0.04, 0.05],
    },
    index=["log flux", "log size", "colour"],
)
SIZE, PSF, NOISE = 50, 1.3, 0.15


def simulate(n: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """n galaxies: images (n, 3, 50, 50), uint8, after an arcsinh stretch, and labels (n, 2): redshift and log stellar mass.

    Labels have heavy tails (Student's t with 4 degrees of freedom, log redshift and mass correlated by .5, clipped to
    .02 … .6 and 7.5 … 11.5). Profiles are Sérsic's with n = 1 … 2 by mass, of random axis ratio and angle; every field has a
    Poisson number of neighbours of the same population at least 11 px away, a Gaussian PSF and Gaussian noise.
    """
    rng = np.random.RandomState(seed)

    def labels(count):
        both = rng.standard_t(4, (count, 2)) @ np.array([[1.0, 0.5], [0.0, 0.87]])
        redshift = (0.1 * 10 ** (0.18 * both[:, 0])).clip(0.02, 0.6)
        return np.c_[redshift, (9.5 + 0.45 * both[:, 1]).clip(7.5, 11.5)]

    y = labels(n)
    axis = np.arange(SIZE) - (SIZE - 1) / 2
    images = np.empty((n, 3, SIZE, SIZE), np.uint8)
    for i in range(n):
        neighbours = labels(rng.poisson(0.7))
        field = np.zeros((3, SIZE, SIZE))
        for j, galaxy in enumerate([y[i], *neighbours]):
            means = law(galaxy[None])[0] + LAW["scatter"].to_numpy() * rng.standard_normal(3)
            distance, angle = (rng.uniform(0, 0.7), 0.0) if j == 0 else (rng.uniform(11, 26), rng.uniform(0, 2 * np.pi))
            x0, y0 = distance * np.cos(angle), distance * np.sin(angle)
            field += _galaxy(means, galaxy[1], x0, y0, axis, rng)
        field = gaussian_filter(field, (0, PSF, PSF)) + NOISE * rng.standard_normal(field.shape)
        images[i] = stretch(field)
    return images, y


def law(y: np.ndarray) -> np.ndarray:
    """Expected log flux, log size and colour of these labels, (n, 3)."""
    return features(y) @ LAW[["log mass", "log redshift"]].to_numpy().T + LAW["at 0"].to_numpy()


def features(y: np.ndarray) -> np.ndarray:
    """Labels → (log mass − 9.5, log redshift / 0.1)."""
    return np.c_[y[:, 1] - 9.5, np.log10(y[:, 0].clip(1e-3) / 0.1)]


def _galaxy(means, mass, x0, y0, axis, rng) -> np.ndarray:
    log_flux, log_size, colour = means
    index = np.clip(1 + 0.5 * (mass - 8.5), 1, 2)
    b = 2 * index - 1 / 3
    ratio, angle = rng.uniform(0.5, 1), rng.uniform(0, np.pi)
    u, v = axis[None] - x0, axis[:, None] - y0
    major, minor = u * np.cos(angle) + v * np.sin(angle), (v * np.cos(angle) - u * np.sin(angle)) / ratio
    radius = np.sqrt(major**2 + minor**2 + 0.25) / 10**log_size * np.sqrt(ratio)
    profile = np.exp(-b * (radius ** (1 / index) - 1))
    flux = 10**log_flux * 10 ** (0.4 * colour * np.array([0.6, 0.0, -1.0]))  # i, r, g
    return flux[:, None, None] * (profile / profile.sum())


def stretch(field: np.ndarray) -> np.ndarray:
    """Counts → uint8 by arcsinh, in which the noise is a few levels and bright cores still differ."""
    return (16 + 42 * np.arcsinh(field / 0.5)).clip(0, 255).round().astype(np.uint8)


def measured(images: np.ndarray) -> np.ndarray:
    """log10 flux, log10 half-light radius and colour (n, 3) of the object in the middle of (n, 3, 50, 50) images."""
    field = 0.5 * np.sinh((images.astype(np.float64) - 16) / 42)
    side = images.shape[2]
    axis = np.arange(side) - (side - 1) / 2
    distance = np.hypot(axis[None], axis[:, None]).ravel()
    order = np.argsort(distance)
    order = order[distance[order] < 9]
    bands = field.reshape(len(images), 3, -1)[:, :, order]
    grown = np.cumsum(bands.sum(1), axis=1)
    half = (grown > grown[:, -1:] / 2).argmax(1)
    before = np.take_along_axis(grown, (half - 1).clip(0)[:, None], 1)[:, 0]
    here = np.take_along_axis(grown, half[:, None], 1)[:, 0]
    part = ((grown[:, -1] / 2 - before) / (here - before)).clip(0, 1)  # area grows by a pixel a step
    size = np.sqrt((half + part) / np.pi)
    flux = bands.sum(2).clip(1)
    return np.c_[np.log10(flux[:, 1]), np.log10(size.clip(0.5)), 2.5 * np.log10(flux[:, 1] / flux[:, 2])]


def slopes(y: np.ndarray, images: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Slopes (3, 2) of flux, size and colour on log mass and log redshift, and R² (3,)."""
    X, values = features(y), measured(images)
    fit = LinearRegression().fit(X, values)
    residual = ((values - fit.predict(X)) ** 2).sum(0)
    return fit.coef_, 1 - residual / ((values - values.mean(0)) ** 2).sum(0)


@functools.lru_cache(maxsize=1)
def data(n: int, seed: int, arrays: Path | None):
    """Images, labels, the derived label as a function of them, and the rows to train and to test on."""
    if arrays:
        with np.load(arrays) as file:
            images, y = file["images"], np.c_[file["redshift"], file["log_mass"]].astype(float)
    else:
        images, y = simulate(n, seed)
    order = np.random.RandomState(seed).permutation(len(y))
    train, test = np.sort(order[len(y) // 5 :]), np.sort(order[: len(y) // 5])
    near, low, high = np.quantile(y[:, 0], 0.5), *np.quantile(y[:, 1], [0.1, 0.5])

    def nearby_and_low_mass(labels):
        return ((labels[:, 0] < near) & (labels[:, 1] > low) & (labels[:, 1] < high)).astype(int)

    return images, y, nearby_and_low_mass, train, test


def augmenter(run: GalaxiesRun, net: str, seed: int, **params) -> ConditionalGANAugmenter:
    made = NETS[net](run.published, max_steps=run.steps)
    return ConditionalGANAugmenter(1.0, net=made, memory=CACHE.location, random_state=seed, **params)


def measure(run: GalaxiesRun, part: str, net: str, seed: int) -> dict:
    images, y, _, train, test = data(run.n, seed, run.arrays)
    begin = time.perf_counter()
    if net == "real images":
        made = images[test]
    else:
        rows = np.arange(len(y)) if part == "labels, trained on all rows" else train
        sampler = augmenter(run, net, seed)
        sampler.fit_resample(images[rows], y[rows])
        made = sampler.sample_at(y[test])
        if seed == 0 and part == "labels" and net in (FAILED, BEST):
            picture(sampler, y, net)
    coefficients, r2 = slopes(y[test], made)
    names = [f"{quantity} ~ {label}" for quantity in LAW.index for label in ("log mass", "log redshift")]
    return {
        **dict(zip(names, coefficients.ravel(), strict=True)),
        **{f"R² {quantity}": value for quantity, value in zip(LAW.index, r2, strict=True)},
        "seconds": time.perf_counter() - begin,
    }


def measure_classifier(run: GalaxiesRun, rows: str, seed: int) -> dict:
    """Recall of both classes and average precision of "nearby and low mass" on test rows, after equal updates."""
    images, y, nearby_and_low_mass, train, test = data(run.n, seed, run.arrays)
    begin = time.perf_counter()
    target = nearby_and_low_mass(y)
    X, labels = images[train], target[train]
    if "generated" in rows:
        net = CODED.removeprefix(", ") if rows.endswith(CODED) else BEST
        sampler = augmenter(run, net, seed, keep_real="real" in rows, labeler=nearby_and_low_mass)
        X, labels = sampler.fit_resample(X, labels, condition=y[train])
    elif rows in ("real + copies", "real + SMOTE"):
        balance = (RandomOverSampler if "copies" in rows else SMOTE)(random_state=seed)
        flat, labels = balance.fit_resample(X.reshape(len(X), -1), labels)
        X = flat.reshape(-1, *X.shape[1:])
    updates = run.epochs * len(train) // 64
    augment = [Rotation(180), Flip(), Translation(0.04)] if "traditional" in rows else None
    everything = np.concatenate([X, images[test]])
    cut = len(X)

    def split(dataset, y=None):
        return torch.utils.data.Subset(dataset, range(cut)), torch.utils.data.Subset(
            dataset, range(cut, len(everything))
        )

    weights = dict(enumerate(len(labels) / (2 * np.bincount(labels)))) if rows.endswith(WEIGHTED) else None
    classifier = CNNClassifier("cnn_3conv", max_updates=updates, batch_size=64, lr=1e-3, augment=augment)
    classifier.set_params(random_state=seed, train_split=split, class_weight=weights)
    classifier.fit(everything, np.concatenate([labels, target[test]]))
    if seed == 0 and rows in TRAINING_SETS:  # the learning curves
        history = pd.DataFrame([{k: e[k] for k in ("train_loss", "valid_loss")} for e in classifier.history])
        with written_whole(_curve(run.budget, rows)) as half:
            history.assign(passes=np.linspace(0, run.epochs, len(history) + 1)[1:]).to_csv(half, index=False)
    probability = classifier.predict_proba(images[test])
    if rows.endswith(CORRECTED):
        probability = probability / np.bincount(labels)
        probability /= probability.sum(1, keepdims=True)
    probability = probability[:, 1]
    return {
        "balanced accuracy": balanced_accuracy_score(target[test], probability > 0.5),
        "average precision": average_precision_score(target[test], probability),
        "seconds": time.perf_counter() - begin,
    }


def _curve(budget: str, rows: str) -> Path:
    return RESULTS / f"galaxies-{budget}-curve-{rows.replace(',', '').replace(' ', '-')}.csv"


def picture(sampler, y, net: str) -> None:
    """Two sweeps: redshift at the median mass, mass at the median redshift."""
    figure = Figure(figsize=(9, 5), layout="constrained")
    middle = np.median(y, axis=0)
    for axis, (column, name) in zip(figure.subplots(2, 1), ((0, "redshift"), (1, "log mass")), strict=True):
        points = np.repeat(middle[None], 8, 0)
        points[:, column] = np.quantile(y[:, column], np.linspace(0.03, 0.97, 8))
        display = plot_condition_sweep(sampler, points, n_rows=2, ax=axis)
        ticks = display.ax_.get_xticks()
        axis.set_xticks(ticks, [f"{value:.3g}" for value in points[:, column]])
        axis.set_title(f"{net}: {name}", fontsize=9)
    figure.savefig(DOCS / "images" / picture_name(net), dpi=70)


def picture_name(net: str) -> str:
    """File of the net's sweep."""
    return f"galaxies-{net.replace(' ', '-').replace(',', '')}.png"


def report(results: pd.DataFrame) -> str:
    """Markdown for docs/results.md."""
    text = [
        "The law of the simulation, in log10 flux, log10 half-light radius and colour:",
        LAW.to_markdown(),
        "Slopes measured on images for the test set's labels. What counts is the line of real images (point spread, noise and "
        "neighbours flatten the law):",
    ]
    names = [c for c in results if "~" in str(c)] + [c for c in results if str(c).startswith("R²")]
    for part, title in (
        ("labels", "trained on the training rows"),
        ("labels, trained on all rows", "trained on all rows"),
    ):
        cells = results[results["part"] == part]
        rows = [
            {
                "net": net,
                **{name: with_error(cell[name], "+" if "~" in name else "", 2) for name in names},
                "seconds": f"{cell['seconds'].mean():.0f}",
            }
            for net, cell in cells.groupby("net", sort=False)
        ]
        if rows:
            text += [
                f"### Labels asked for and labels shown, {title}",
                pd.DataFrame(rows).to_markdown(index=False, disable_numparse=True),
            ]
    with suppress(FileNotFoundError):
        budget, classifier = largest("galaxies_classifier")
        curves(budget, [rows for rows in TRAINING_SETS if (classifier["rows"] == rows).any()])
        learning = "Learning curves of seed 0:\n\n![learning curves](images/galaxies-curves.png)"
        text.append(f"{report_classifier(classifier)} {learning}")
    text += [f"{net}:\n\n![sweep](images/{picture_name(net)})" for net in (FAILED, BEST)]
    return "\n\n".join(text)


def report_classifier(results: pd.DataFrame) -> str:
    """The classifier's table."""
    rows = [
        {"rows": rows, **{name: with_error(100 * cell[name]) for name in ("balanced accuracy", "average precision")}}
        for rows, cell in results.groupby("rows", sort=False)
    ]
    table = pd.DataFrame(rows).to_markdown(index=False, disable_numparse=True)
    title = f'### "Nearby and low mass", generated rows of "{BEST}" unless another net is named, equal updates'
    return f"{title}\n\n{table}\n\nPercent on real test rows."


@draws
def curves(budget: str, names) -> None:
    """Training and test loss against passes over the training rows, one panel per training set, seed 0."""
    figure = Figure(figsize=(12, 6), layout="constrained")
    for axis, name in zip(figure.subplots(2, 3, sharey=True).ravel(), names, strict=False):
        history = pd.read_csv(_curve(budget, name))
        axis.plot(history["passes"], history["train_loss"], label="training")
        axis.plot(history["passes"], history["valid_loss"], label="real test rows")
        axis.set(title=name, xlabel="passes", ylim=(0, 1.2))
        axis.legend(fontsize=8)
    figure.savefig(DOCS / "images" / "galaxies-curves.png", dpi=70)


if __name__ == "__main__":
    main(
        *("galaxies", BUDGETS, cells, measure, report),
        Part("galaxies_classifier", BUDGETS, classifier_cells, measure_classifier, report_classifier),
        data=("arrays", "npz with images (n, 3, H, W), redshift and log_mass, such as the authors'"),
    )
