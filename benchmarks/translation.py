"""Clothes turned into other clothes, and pictures of one camera into those of another, by CycleGAN.

    OMP_NUM_THREADS=1 python benchmarks/translation.py [--quick | --full]

Classes of Fashion-MNIST: pullovers and coats, sneakers and ankle boots, 6,000 training rows each. A judge trained on all real
training rows says which of the translated *test* rows it takes for the target class; beside it the share of rows as they are.
Domains: half of the rows are seen by a camera with another contrast curve and a blur; rows of the plain half are turned into
the camera's, and a judge trained on all training rows as the camera would have seen them says whether their label survives:
of the test rows whose label it reads right in the camera's own picture.
The cycle error is the mean |back(there(x)) − x| of test rows, over that of the untrained net. Classes are also translated with
the paper's weights of the cycle and identity losses, 10 and 5. Writes a picture to docs/images.

The second part trains a classifier for the camera's pictures where only plain rows have labels: on these, on their translations
and on both, with and without crops and rotations, and on the camera's own rows with their labels. All are equally frequent
classes, so corrected probabilities change nothing.
"""

import functools
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd
from data import fashion_mnist
from harness import CACHE, DOCS, Part, Run, main, with_error
from scipy.ndimage import gaussian_filter

from skgan import CNNClassifier, DomainOverSampler, GANOverSampler
from skgan.augment import Crop, Rotation
from skgan.plotting import SampleGridDisplay, TranslationDisplay
from skgan.presets import cyclegan


@dataclass(frozen=True)
class TranslationRun(Run):
    n_seeds: int
    steps: int
    weights: tuple[str, ...] = ("default", "paper")  # of WEIGHTS


BUDGETS = {
    "quick": TranslationRun("1 seed, the default's weights, 40 steps (2 minutes)", 1, 40, weights=("default",)),
    "default": TranslationRun("1 seed, 2,000 steps (45 minutes on one core)", n_seeds=1, steps=2000),
    "full": TranslationRun("3 seeds, 10,000 steps", n_seeds=3, steps=10000),
}
CLASSIFIER_BUDGETS = {
    "quick": TranslationRun("1 seed, 20 steps (1 minute)", n_seeds=1, steps=20),
    "default": TranslationRun("3 seeds, 1,000 steps (20 minutes on one core)", n_seeds=3, steps=1000),
    "full": TranslationRun("5 seeds, 10,000 steps", n_seeds=5, steps=10000),
}
TURNED = " + crop, rotation"
OWN = "camera rows with labels"
TRAINING_SETS = tuple(
    f"{rows}{how}" for rows in ("plain", "translated", "plain + translated", OWN) for how in ("", TURNED)
)
N_LABELLED = 6000
PAIRS = {"pullover → coat": (2, 4), "coat → pullover": (4, 2), "sneaker → boot": (7, 9), "boot → sneaker": (9, 7)}
CAMERA = "plain → camera"
WEIGHTS = {"default": {}, "paper": {"cycle_weight": 10.0, "identity_weight": 5.0}}
PICTURE = DOCS / "images" / "translation.png"


def cells(run: TranslationRun) -> Iterator[dict]:
    for weights in run.weights:
        for seed in range(run.n_seeds):
            for what in (*PAIRS, *((CAMERA,) if weights == "default" else ())):
                yield {"what": what, "weights": weights, "seed": seed}


def by_camera(X: np.ndarray) -> np.ndarray:
    """What the other camera sees: dark parts brightened, and blurred."""
    return (255 * np.sqrt(gaussian_filter(X.astype(np.float32), (0, 0.8, 0.8)) / 255)).astype(np.uint8)


@functools.lru_cache(maxsize=2)
def judge(camera: bool, updates: int) -> CNNClassifier:
    whole = fashion_mnist()
    X = by_camera(whole.x_train) if camera else whole.x_train
    return CNNClassifier(max_updates=updates, random_state=0).fit(X, whole.y_train)


@functools.lru_cache(maxsize=8)
def trained(what: str, seed: int, steps: int, weights: str = "default") -> GANOverSampler | DomainOverSampler:
    """The sampler after its training on the target and its donor, or on both cameras' halves."""
    whole = fashion_mnist()
    params = {"net": cyclegan(max_steps=steps, **WEIGHTS[weights]), "memory": CACHE.location, "random_state": seed}
    if what == CAMERA:
        seen = np.random.RandomState(seed).permutation(len(whole.x_train)) < 6000
        X = whole.x_train.copy()
        X[seen] = by_camera(X[seen])
        # 500 more rows than there are, and not as many as of the plain half
        domains = DomainOverSampler(sampling_strategy={"camera": 6500}, **params)
        domains.fit_resample(X, whole.y_train, domain=np.where(seen, "camera", "plain"))
        return domains
    pair = sorted(PAIRS[what])  # the same training for both ways, and the cache has it
    rows = np.isin(whole.y_train, pair)
    X, y = whole.x_train[rows], whole.y_train[rows]
    counts = {klass: int((y == klass).sum()) + 1 for klass in pair}
    sampler = GANOverSampler(sampling_strategy=counts, **params)
    sampler.fit_resample(X, y)
    return sampler


def cycle_error(sampler, X, to) -> float:
    back = sampler.translate(sampler.translate(X, to), to, back=True)
    return float(np.abs(back.astype(float) - X).mean())


def measure(run: TranslationRun, what: str, weights: str, seed: int) -> dict:
    whole = fashion_mnist()
    sampler, untrained = trained(what, seed, run.steps, weights), trained(what, seed, 1, weights)
    updates = 2000 if run.steps > 100 else 50
    if what == CAMERA:
        X, y, to = whole.x_test[:2000], whole.y_test[:2000], "camera"
        legible = judge(True, updates).predict(by_camera(X)) == y
        X, y = X[legible], y[legible]
        taken = judge(True, updates).predict(sampler.translate(X, to)) == y
        as_is = judge(True, updates).predict(X) == y
    else:
        donor, to = PAIRS[what]
        X = whole.x_test[whole.y_test == donor]
        taken = judge(False, updates).predict(sampler.translate(X, to)) == to
        as_is = judge(False, updates).predict(X) == to
    return {
        "taken for the target": float(taken.mean()),
        "untranslated": float(as_is.mean()),
        "cycle error": cycle_error(sampler, X, to) / cycle_error(untrained, X, to),
        "seconds of training": float(sampler.training_history_["seconds"].max()),
    }


def classifier_cells(run: TranslationRun) -> Iterator[dict]:
    for seed in range(run.n_seeds):
        for rows in TRAINING_SETS:
            yield {"rows": rows, "seed": seed}


def measure_classifier(run: TranslationRun, rows: str, seed: int) -> dict:
    """Accuracy on the camera's pictures of the test rows, after equal updates."""
    whole = fashion_mnist()
    order = np.random.RandomState(seed).permutation(len(whole.x_train))
    name = rows.removesuffix(TURNED)
    # trained() has the camera see the rows that come first in this order
    chosen = np.flatnonzero(order < N_LABELLED if name == OWN else (order >= N_LABELLED) & (order < 2 * N_LABELLED))
    X, y = whole.x_train[chosen], whole.y_train[chosen]
    if name == OWN:
        X = by_camera(X)
    elif "translated" in name:
        made = trained(CAMERA, seed, run.steps).translate(X, "camera")
        X, y = (made, y) if name == "translated" else (np.concatenate([X, made]), np.concatenate([y, y]))
    updates = 800 if run.steps > 100 else 50
    augment = [Crop(), Rotation(10)] if rows.endswith(TURNED) else None
    classifier = CNNClassifier(max_updates=updates, augment=augment, random_state=seed).fit(X, y)
    return {"accuracy": float((classifier.predict(by_camera(whole.x_test)) == whole.y_test).mean())}


def report_classifier(results: pd.DataFrame) -> str:
    """Markdown for docs/results.md."""
    wide = 100 * results.pivot(index="seed", columns="rows", values="accuracy").dropna()
    bases = ("plain", f"plain{TURNED}")
    lines = [
        {"trained on": rows, "accuracy": with_error(wide[rows])}
        | {f"less {base}": "" if rows == base else with_error(wide[rows] - wide[base], "+") for base in bases}
        for rows in results["rows"].unique()
    ]
    note = (
        f"Percent of all test rows as the camera sees them, {len(wide)} seeds, {N_LABELLED:,} labelled rows, 800 updates; "
        "CycleGAN was trained on both cameras' rows without labels."
    )
    return f"{pd.DataFrame(lines).to_markdown(index=False, disable_numparse=True)}\n\n{note}"


def picture(run: TranslationRun) -> None:
    """Test rows of each pair: as they are, translated, and back again."""
    whole = fashion_mnist()
    rows = []
    for what in ("pullover → coat", "sneaker → boot", CAMERA):
        X = whole.x_test if what == CAMERA else whole.x_test[whole.y_test == PAIRS[what][0]]
        to = "camera" if what == CAMERA else PAIRS[what][1]
        display = TranslationDisplay.from_sampler(trained(what, 0, run.steps), X, to, n_columns=12)
        names = (what.partition(" → ")[0], what.partition(" → ")[2], "and back")
        rows += [(name, images) for name, (_, images) in zip(names, display.rows, strict=True)]
    SampleGridDisplay(rows).plot().figure_.savefig(PICTURE, dpi=60)


def report(results: pd.DataFrame) -> str:
    """Markdown for docs/results.md."""
    lines = [
        {
            "": what,
            "weights": weights,
            "taken for the target, or label kept": with_error(100 * part["taken for the target"]) + " %",
            "as they are": with_error(100 * part["untranslated"]) + " %",
            "cycle error / untrained": with_error(100 * part["cycle error"]) + " %",
            "seconds of training": f"{part['seconds of training'].mean():.0f}",
        }
        for (what, weights), part in results.groupby(["what", "weights"], sort=False)
    ]
    shown = "\n\nTest rows, translated, and back again:\n\n![translations](images/translation.png)"
    return pd.DataFrame(lines).to_markdown(index=False, disable_numparse=True) + (shown if PICTURE.exists() else "")


if __name__ == "__main__":
    main(
        *("translation", BUDGETS, cells, measure, report),
        Part("translation_classifier", CLASSIFIER_BUDGETS, classifier_cells, measure_classifier, report_classifier),
        pictures=picture,
    )
