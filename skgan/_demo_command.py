"""``skgan demo``: the digits with two rare classes."""

import argparse
from pathlib import Path

import numpy as np
from sklearn.datasets import load_digits
from sklearn.model_selection import StratifiedKFold

from skgan._parallel import single_threaded_processes
from skgan._whole import write_picture
from skgan.classifier import CNNClassifier
from skgan.codecs import ImageCodec
from skgan.comparison import Comparison, compare
from skgan.samplers import GANOverSampler

RARE = (3, 8)
KEPT = 0.05
UPDATES = 250
STEPS = 300
MOST_AT_ONCE = 6
"""Fits in a fold."""


def demo_splits(y: np.ndarray, n_splits: int, seed: int) -> list[tuple[np.ndarray, np.ndarray]]:
    """Stratified folds whose *training* side keeps 5 % of the rare classes; the test side stays whole.

    Cutting the test rows too would leave two of a rare class in a fold, too few to measure anything.
    """
    rng = np.random.RandomState(seed)
    splits = []
    for train, test in StratifiedKFold(n_splits, shuffle=True, random_state=seed).split(np.zeros(len(y)), y):
        rare = np.isin(y[train], RARE)
        kept = [
            rng.choice(rows, round(KEPT * len(rows)), replace=False) for rows in (train[y[train] == c] for c in RARE)
        ]
        splits.append((np.sort(np.concatenate([train[~rare], *kept])), test))
    return splits


def run_demo(arguments: argparse.Namespace) -> None:
    """Compare GANOverSampler with everything that costs nothing on the digits, print the table, and write the pictures."""
    n_splits, seed = arguments.folds, arguments.seed
    digits = load_digits()
    X, y = digits.data, digits.target
    splits = demo_splits(y, n_splits, seed)
    per_class = [int(np.sum(y[splits[0][0]] == c)) for c in RARE]
    print(
        f"Handwritten digits, 8×8 px: {len(splits[0][0])} training rows a fold, with {per_class[0]} threes and "
        f"{per_class[1]} eights\n(5 % of theirs) where other digits have about 143. {n_splits} stratified folds, whole "
        f"test sides; the same CNN, {UPDATES} updates of\n128 rows, for every line.\n"
    )
    sampler = GANOverSampler(codec=ImageCodec(image_shape=(8, 8)), max_steps=STEPS)
    classifier = CNNClassifier(max_updates=UPDATES, image_shape=(8, 8))
    with single_threaded_processes(MOST_AT_ONCE):
        result = compare(sampler, classifier, X, y, cv=splits, random_state=seed, verbose=1)
    print(
        f"\n{result.formatted().to_string()}\n\nMean ± standard error over the folds; seconds are one fit of sampler and "
        f"classifier.\n\n{result.verdict}\n{result.last_word}"
    )
    _write_pictures(arguments.out, result)


def _write_pictures(out: Path, result: Comparison) -> None:
    try:
        import skgan.plotting as plotting
    except ImportError as error:
        print(f"\nNo pictures: {error}")
        return
    out.mkdir(parents=True, exist_ok=True)
    made = result.generated["GANOverSampler"]
    blocks = [(name, *(rows.reshape(-1, 8, 8) for rows in both)) for name, *both in made.blocks]
    figures = {
        "real-beside-generated.png": plotting.SampleGridDisplay.from_images(blocks, kinds=made.kinds).plot().figure_,
        "loss-curves.png": plotting.TrainingHistoryDisplay(made.history).plot().figure_,
        "confusion-matrices.png": plotting.plot_confusion_matrices(result.confusion_matrices),
    }
    for name, figure in figures.items():
        write_picture(out / name, figure, dpi=110)
    print(f"\nPictures: {', '.join(str(out / name) for name in figures)}")
