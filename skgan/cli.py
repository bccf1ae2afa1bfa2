"""The ``skgan`` command: ``skgan demo`` and ``skgan --version``."""

import argparse
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from imblearn.over_sampling import SMOTE, RandomOverSampler
from imblearn.pipeline import Pipeline
from sklearn.base import clone
from sklearn.datasets import load_digits
from sklearn.metrics import balanced_accuracy_score, confusion_matrix, f1_score, recall_score
from sklearn.model_selection import StratifiedKFold
from tqdm import tqdm

from skgan import __version__
from skgan.classifier import CNNClassifier
from skgan.samplers import GANOverSampler

RARE = (3, 8)
KEPT = 0.05
UPDATES = 300


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


def demo_pipelines(seed: int) -> dict[str, Pipeline]:
    """What the demo compares: the same classifier, trained equally long, behind each sampler."""
    classifier = CNNClassifier(max_updates=UPDATES, image_shape=(8, 8), random_state=seed)
    samplers: dict[str, Any] = {
        "nothing": "passthrough",
        "class weights": "passthrough",
        "random over-sampling": RandomOverSampler(random_state=seed),
        "SMOTE": SMOTE(random_state=seed),
        "GANOverSampler": GANOverSampler(image_shape=(8, 8), max_steps=800, random_state=seed),
    }
    pipelines = {
        name: Pipeline([("sampler", sampler), ("classifier", clone(classifier))]) for name, sampler in samplers.items()
    }
    pipelines["class weights"].set_params(classifier__class_weight="balanced")
    return pipelines


def run_demo(out: Path, n_splits: int, seed: int) -> pd.DataFrame:
    """Cross-validate every pipeline on the digits, print the table, and write the pictures."""
    digits = load_digits()
    X, y = digits.data, digits.target
    splits = demo_splits(y, n_splits, seed)
    pipelines = demo_pipelines(seed)
    per_class = [int(np.sum(y[splits[0][0]] == c)) for c in RARE]
    print(
        f"Handwritten digits, 8×8 px: {len(splits[0][0])} training rows a fold, with {per_class[0]} threes and "
        f"{per_class[1]} eights\n(5 % of theirs) where other digits have about 143. {n_splits} stratified folds, whole "
        f"test sides; the same CNN, {UPDATES} updates of\n128 rows, for every line.\n"
    )
    results: list[dict[str, Any]] = []
    fitted: dict[str, Pipeline] = {}
    matrices = {name: np.zeros((10, 10), int) for name in pipelines}
    with tqdm(total=len(pipelines) * n_splits, unit="fit", file=sys.stderr) as bar:
        for name, pipeline in pipelines.items():
            bar.set_description(f"{name:20s}")
            for train, test in splits:
                begin = time.perf_counter()
                fitted[name] = clone(pipeline).fit(X[train], y[train])
                seconds = time.perf_counter() - begin
                predicted = fitted[name].predict(X[test])
                matrices[name] += confusion_matrix(y[test], predicted, labels=range(10))
                results.append(
                    {
                        "new rows from": name,
                        "balanced accuracy": balanced_accuracy_score(y[test], predicted),
                        "macro-F1": f1_score(y[test], predicted, average="macro"),
                        "minority recall": recall_score(y[test], predicted, labels=RARE, average="macro"),
                        "seconds": seconds,
                    }
                )
                bar.update()
    table = pd.DataFrame(results)
    print(
        f"\n{format_table(table)}\n\nMean ± standard error over the folds; seconds are one fit of sampler and classifier."
    )
    last_train = splits[-1][0]
    _write_pictures(out, fitted["GANOverSampler"], X[last_train], y[last_train], matrices)
    return table


def format_table(results: pd.DataFrame) -> str:
    """Mean ± standard error of every column, a line per sampler, in the order they were run."""
    by = results.groupby("new rows from", sort=False)
    means, errors = by.mean(), by.sem()
    text = pd.DataFrame(
        {
            column: [
                f"{m:.1f} ± {e:.1f}" if column == "seconds" else f"{m:.3f} ± {e:.3f}"
                for m, e in zip(means[column], errors[column], strict=True)
            ]
            for column in means
        },
        index=means.index.rename(None),
    )
    return text.to_string()


def _write_pictures(out: Path, pipeline: Pipeline, X: np.ndarray, y: np.ndarray, matrices: dict) -> None:
    try:
        import skgan.plotting as plotting
    except ImportError:
        print('\nPictures need matplotlib: pip install "skgan[plot]".')
        return
    out.mkdir(parents=True, exist_ok=True)
    sampler = pipeline.named_steps["sampler"]
    new_X, new_y = sampler.sample(dict.fromkeys(RARE, 10))
    blocks = [
        (f"{c}", *(rows[labels == c].reshape(-1, 8, 8) for rows, labels in ((X, y), (new_X, new_y)))) for c in RARE
    ]
    figures = {
        "real-beside-generated.png": plotting.SampleGridDisplay.from_images(blocks, nearest=True).plot().figure_,
        "loss-curves.png": plotting.TrainingHistoryDisplay.from_sampler(sampler).plot().figure_,
        "confusion-matrices.png": plotting.plot_confusion_matrices(matrices),
    }
    for name, figure in figures.items():
        figure.savefig(out / name, dpi=110)
    print(f"\nPictures: {', '.join(str(out / name) for name in figures)}")


def build_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="skgan", description="Generative models as a drop-in for SMOTE.")
    parser.add_argument("--version", action="version", version=f"skgan {__version__}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    demo = commands.add_parser(
        "demo",
        help="compare nothing, class weights, random over-sampling, SMOTE and GANOverSampler on digits (2 minutes)",
        description="Digits with two rare classes, cross-validated: prints a table, writes sample grids, loss curves and "
        "confusion matrices as PNG. Works offline; about two minutes on two cores.",
    )
    demo.add_argument(
        "--out", type=Path, default=Path("skgan-demo"), help="folder for the pictures (default: %(default)s)"
    )
    demo.add_argument("--folds", type=int, default=5, help="stratified folds (default: %(default)s)")
    demo.add_argument("--seed", type=int, default=0, help="random seed (default: %(default)s)")
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Entry point of the ``skgan`` command."""
    parser = build_parser()
    arguments = parser.parse_args(argv)
    if arguments.folds < 3:  # with two, SMOTE would have too few rows of a rare class for its five neighbours
        parser.error(f"--folds must be at least 3, got {arguments.folds}.")
    if arguments.out.exists() and not arguments.out.is_dir():
        parser.error(f"--out {arguments.out} is a file; name a folder.")
    run_demo(arguments.out, arguments.folds, arguments.seed)
    return 0


if __name__ == "__main__":
    sys.exit(main())
