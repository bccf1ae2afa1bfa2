"""What every preset for images makes after its default training, and ProGAN at 64 px.

    OMP_NUM_THREADS=2 python benchmarks/net_pictures.py [--quick | --full]

All 60,000 rows of Fashion-MNIST, the preset as it is. ``cyclegan()`` is trained on sneakers and ankle boots alone, and turns
each into the other. One column of a picture is a class. The *spread* is the standard deviation of each pixel among new rows of
a class, over that of real rows, on average: far below 1 rows resemble each other, as after a collapse. Pictures go to
docs/images/nets-<preset>.png.

The second part trains ``progan()`` at 64 px, on simulated ground seen from above (four classes, benchmarks/data.py), beside
``dcgan()`` with about as much work. A judge that was trained on other real rows says whether new rows show their class; a
classifier is trained on new rows alone. Writes docs/images/progan-64.png and dcgan-64.png.
"""

import functools
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from data import fashion_mnist, from_above
from harness import CACHE, DOCS, Part, Run, main, with_error

from skgan import CNNClassifier, ConditionalGANAugmenter, presets
from skgan.nets._collapse import relative_spread
from skgan.plotting import SampleGridDisplay

PRESETS = (
    *("dcgan", "mlp_gan", "relativistic_gan", "wgan_gp", "photo_gan", "progan"),
    *("vae", "autoencoder", "vae_gan", "offspring", "dagan", "cyclegan", "gtn"),
)
PAIR = (7, 9)  # sneakers, ankle boots: cyclegan()'s
LINES = 4  # of a picture


@dataclass(frozen=True)
class PicturesRun(Run):
    presets: tuple[str, ...]
    steps: int | None  # None is the preset's own
    n_rows: int | None  # of Fashion-MNIST; None is all
    times: float  # the steps at 64 px


BUDGETS = {
    "quick": PicturesRun("2 presets, 20 steps (1 minute)", ("vae", "dcgan"), 20, 6000, 0.01),
    "default": PicturesRun("13 presets; 1,000 and 250 steps at 64 px (an hour on one core)", PRESETS, None, None, 1),
    "full": PicturesRun("13 presets; ten times the steps at 64 px", PRESETS, None, None, 10),
}


def cells(run: PicturesRun) -> Iterator[dict]:
    for preset in run.presets:
        yield {"preset": preset}


@functools.lru_cache(maxsize=1)
def rows(n: int | None) -> tuple[np.ndarray, np.ndarray]:
    whole = fashion_mnist()
    return whole.x_train[:n], whole.y_train[:n]


def measure(run: PicturesRun, preset: str) -> dict:
    X, y = rows(run.n_rows)
    if preset == "cyclegan":
        chosen = np.isin(y, PAIR)
        X, y = X[chosen], y[chosen]
    net = getattr(presets, preset)(**({} if run.steps is None else {"max_steps": run.steps}))
    sampler = ConditionalGANAugmenter(0.02, net=net, keep_real=False, shares={"net": 1}, random_state=0)
    made, labels = sampler.fit_resample(X, y)
    history = sampler.training_history_
    spread = [relative_spread(X[y == klass], made[labels == klass]) for klass in np.unique(labels)]
    if run.steps is None:
        grid(made, labels, LINES).savefig(DOCS / "images" / f"nets-{preset}.png", dpi=50)
    return {
        "spread": float(np.mean(spread)),
        "steps": int(history["step"].max()),
        "seconds of training": float(history["seconds"].max()),
    }


def grid(X: np.ndarray, y: np.ndarray, n_lines: int) -> Any:
    """A figure of images, a column for each class."""
    classes = np.unique(y)
    lines = [(str(i + 1), np.stack([X[y == klass][i] for klass in classes])) for i in range(n_lines)]
    return SampleGridDisplay(lines).plot().figure_


def report(results: pd.DataFrame) -> str:
    """Markdown for docs/results.md."""
    lines = [
        {
            "preset": f"`{cell['preset']}()`",
            "steps": cell["steps"],
            "seconds of training": f"{cell['seconds of training']:.0f}",
            "spread": f"{cell['spread']:.2f}",
        }
        for _, cell in results.iterrows()
    ]
    pictures = [
        f"`{preset}()`:\n\n![rows of {preset}](images/nets-{preset}.png)"
        for preset in results["preset"]
        if (DOCS / "images" / f"nets-{preset}.png").exists()
    ]
    note = (
        "Fashion-MNIST, one seed. Spread: standard deviation of each pixel among new rows of a class, over that of real rows. "
        "`genclass()` and `predictor_gan()` need attributes or real-valued labels; galaxies of the second are further below."
    )
    return "\n\n".join([pd.DataFrame(lines).to_markdown(index=False, disable_numparse=True), note, *pictures])


# ProGAN at 64 px


SIDE, N_SIMULATED = 64, 500
STEPS = {"progan": 1000, "dcgan": 250}


def large_cells(run: PicturesRun) -> Iterator[dict]:
    for net in STEPS:
        yield {"net": net}


@functools.lru_cache(maxsize=1)
def ground(seed: int) -> tuple[np.ndarray, np.ndarray]:
    return from_above((N_SIMULATED,) * 4, seed, SIDE)


def measure_large(run: PicturesRun, net: str) -> dict:
    X, y = ground(0)
    X_test, y_test = ground(1)
    sampler = ConditionalGANAugmenter(
        1.0,
        net=getattr(presets, net)(max_steps=round(run.times * STEPS[net])),
        keep_real=False,
        shares={"net": 1},
        memory=CACHE.location,
        random_state=0,
    )
    made, labels = sampler.fit_resample(X, y)
    history, updates = sampler.training_history_, 300 if run.times >= 1 else 20

    def taught(*given) -> CNNClassifier:
        return CNNClassifier(max_updates=updates, random_state=0).fit(*given)

    if run.times >= 1:
        columns = np.concatenate([np.flatnonzero(labels == klass)[:3] for klass in range(4)])
        SampleGridDisplay([(net, np.moveaxis(made[columns], 1, -1))]).plot().figure_.savefig(
            DOCS / "images" / f"{net}-64.png", dpi=80
        )
    return {
        "train on synthetic": float((taught(made, labels).predict(X_test) == y_test).mean()),
        "train on real": float((taught(X, y).predict(X_test) == y_test).mean()),
        "class kept": float((taught(X_test, y_test).predict(made) == labels).mean()),
        "spread": float(np.mean([relative_spread(X[y == klass], made[labels == klass]) for klass in range(4)])),
        "steps": int(history["step"].max()),
        "seconds of training": float(history["seconds"].max()),
    }


def report_large(results: pd.DataFrame) -> str:
    """Markdown for docs/results.md."""
    lines = [
        {
            "net": f"`{net}()`",
            **{
                name: with_error(100 * cell[name]) + " %"
                for name in ("train on synthetic", "train on real", "class kept")
            },
            "spread": f"{cell['spread'].mean():.2f}",
            "steps": f"{cell['steps'].mean():.0f}",
            "seconds of training": f"{cell['seconds of training'].mean():.0f}",
        }
        for net, cell in results.groupby("net", sort=False)
    ]
    note = f"{4 * N_SIMULATED:,} simulated images of {SIDE} px in colour, four classes, one seed. Three new images a class:"
    pictures = [f"![images of {net}](images/{net}-64.png)" for net in results["net"].unique()]
    return "\n\n".join([pd.DataFrame(lines).to_markdown(index=False, disable_numparse=True), note, *pictures])


if __name__ == "__main__":
    main(
        *("net_pictures", BUDGETS, cells, measure, report),
        Part("progan_64", BUDGETS, large_cells, measure_large, report_large),
    )
