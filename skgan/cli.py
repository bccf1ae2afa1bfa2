"""The ``skgan`` command: ``skgan demo``, ``skgan compare``, ``skgan sample`` and ``skgan --version``."""

import argparse
import difflib
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from sklearn.datasets import load_digits
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import get_scorer_names
from sklearn.model_selection import StratifiedKFold
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skgan import __version__, presets
from skgan._compare_images import embedding_for
from skgan._compared_rows import in_proportion
from skgan._reading import load_data
from skgan._sample_command import add_sample, run_sample
from skgan._tuning import checked_scorer
from skgan.classifier import CNNClassifier
from skgan.codecs import ImageCodec
from skgan.comparison import Comparison, compare
from skgan.samplers import GANOverSampler, OverSamplerCV, checked_splits, default_estimator
from skgan.strategies import at_least

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


def run_demo(out: Path, n_splits: int, seed: int) -> Comparison:
    """Compare GANOverSampler with everything that costs nothing on the digits, print the table, and write the pictures."""
    digits = load_digits()
    X, y = digits.data, digits.target
    splits = demo_splits(y, n_splits, seed)
    per_class = [int(np.sum(y[splits[0][0]] == c)) for c in RARE]
    print(
        f"Handwritten digits, 8×8 px: {len(splits[0][0])} training rows a fold, with {per_class[0]} threes and "
        f"{per_class[1]} eights\n(5 % of theirs) where other digits have about 143. {n_splits} stratified folds, whole "
        f"test sides; the same CNN, {UPDATES} updates of\n128 rows, for every line.\n"
    )
    sampler = GANOverSampler(codec=ImageCodec(image_shape=(8, 8)), max_steps=800)
    classifier = CNNClassifier(max_updates=UPDATES, image_shape=(8, 8))
    result = compare(sampler, classifier, X, y, cv=splits, random_state=seed, verbose=1)
    print(
        f"\n{result.formatted().to_string()}\n\nMean ± standard error over the folds; seconds are one fit of sampler and "
        f"classifier.\n\n{result.verdict}\n{result.last_word}"
    )
    _write_pictures(out, result)
    return result


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
        figure.savefig(out / name, dpi=110)
    print(f"\nPictures: {', '.join(str(out / name) for name in figures)}")


ESTIMATORS = {
    "logistic": None,  # default_estimator's own
    "forest": lambda: RandomForestClassifier(random_state=0),
    "boosting": lambda: HistGradientBoostingClassifier(random_state=0),
    "knn": KNeighborsClassifier,
    "cnn": lambda: CNNClassifier(max_updates=300),
}


EMBEDDED_LOGISTIC = LogisticRegression(C=0.001, max_iter=500)
"""A strong penalty: embeddings have more columns than most classes have rows (benchmarks/embeddings.py)."""


def run_compare(arguments: argparse.Namespace) -> None:
    """Read the data, compare, print, and write the page."""
    X, y, notes = load_data(
        arguments.data, arguments.target, arguments.size, separator=arguments.sep, drop=arguments.drop
    )
    for note in notes:
        print(note)
    groups = None
    if arguments.groups is not None:
        groups = pd.read_csv(arguments.groups).iloc[:, 0].to_numpy()
        if len(groups) != len(y):
            raise ValueError(f"{arguments.groups} has {len(groups)} groups, and there are {len(y)} rows.")
    images = np.ndim(X) > 2
    embed, note = embedding_for(X, arguments.embed, arguments.estimator)
    name = arguments.estimator or ("cnn" if images and embed is None else "logistic")
    if name == "cnn" and not images:
        raise ValueError("--estimator cnn takes images, and these rows are a table.")
    _check_folds(arguments, X, y, groups)
    net = _checked_net(arguments)
    print(
        f"{len(y)} rows, {X.shape[1:]} each; classes: {_counted(y)}; classifier: {name}.{note and f' {note}'}\n",
        flush=True,
    )
    if embed is not None:
        X = embed.fit_transform(X)
    estimator = _estimator(name, X, embed is not None)
    result = compare(
        _sampler(arguments, estimator, net),
        estimator,
        X,
        y,
        cv=arguments.folds,
        scoring=arguments.scoring,
        groups=groups,
        max_time=arguments.max_time,
        n_jobs=arguments.jobs,
        random_state=arguments.seed,
        verbose=1,
    )
    print(f"{result.formatted().to_string()}\n\n{result.verdict}\n{result.last_word}")
    if arguments.out is not None:
        result.to_html(arguments.out)
        print(f"\nReport: {arguments.out}")


def _check_folds(arguments: argparse.Namespace, X, y: np.ndarray, groups) -> None:
    """Refuse folds and scores that these classes do not allow, before images are embedded."""
    checked_scorer(arguments.scoring, y)
    classes, counts = np.unique(y, return_counts=True)
    rarest, n = classes.tolist()[counts.argmin()], counts.min()
    if n < arguments.folds:
        fewer = f"use fewer folds (--folds {n}), or" if n > 1 else "no folds can have it:"
        raise ValueError(
            f"Class {rarest!r} has {n} {'row' if n == 1 else 'rows'}, and {arguments.folds} folds need "
            f"{arguments.folds} of it: {fewer} collect more rows of it, or leave the class out."
        )
    checked_splits(arguments.folds, X, y, groups, arguments.seed)


def _checked_net(arguments: argparse.Namespace) -> str:
    """GANOverSampler's net; refuses options that do not go with it."""
    steps = arguments.max_steps
    if arguments.sampler == "OverSamplerCV" and (arguments.net != "auto" or steps is not None):
        raise ValueError("--net and --max-steps are GANOverSampler's; OverSamplerCV chooses a sampler by itself.")
    if steps is not None and steps < 1:
        raise ValueError(f"--max-steps must be at least 1, got {steps}.")
    return arguments.net


def _estimator(name: str, X, embedded: bool):
    """The classifier, behind what makes numbers of the rows."""
    make = ESTIMATORS[name]
    if name == "cnn":
        return make()
    steps = [StandardScaler()] if embedded else [step for _, step in default_estimator(X).steps[:-1]]
    last = EMBEDDED_LOGISTIC if embedded else default_estimator(X).steps[-1][1]
    return make_pipeline(*steps, last if make is None else make())


def _sampler(arguments: argparse.Namespace, estimator, net: str) -> dict[str, Any]:
    """The line of new rows, by its name."""
    if arguments.sampler == "OverSamplerCV":
        return {"OverSamplerCV": OverSamplerCV(estimator=estimator, scoring=arguments.scoring)}
    name = "GANOverSampler" if net == "auto" else f"GANOverSampler ({net})"
    samplers = {name: GANOverSampler(sampling_strategy=at_least(1.0), net=net, max_steps=arguments.max_steps)}
    if isinstance(estimator, CNNClassifier) and net == "auto":
        samplers["ConditionalGANAugmenter"] = in_proportion().set_params(max_steps=arguments.max_steps)
    return samplers


def _counted(y: np.ndarray) -> str:
    classes, counts = np.unique(y, return_counts=True)
    shown = [f"{k} ({n})" for k, n in zip(classes.tolist(), counts.tolist(), strict=True)]
    return ", ".join(shown[:12]) + (f" … {len(shown)} in all" if len(shown) > 12 else "")


def build_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="skgan", description="Generative models as a drop-in for SMOTE.")
    parser.add_argument("--version", action="version", version=f"skgan {__version__}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    demo = commands.add_parser(
        "demo",
        help="compare GANOverSampler with all that costs nothing on digits (2 minutes)",
        description="Digits with two rare classes, cross-validated: prints a table, writes sample grids, loss curves and "
        "confusion matrices as PNG. Works offline; about two minutes on two cores.",
    )
    demo.add_argument(
        "--out", type=Path, default=Path("skgan-demo"), help="folder for the pictures (default: %(default)s)"
    )
    demo.add_argument("--folds", type=int, default=5, help="stratified folds (default: %(default)s)")
    demo.add_argument("--seed", type=int, default=0, help="random seed (default: %(default)s)")
    _add_compare(commands)
    add_sample(commands)
    return parser


def _add_compare(commands) -> None:
    comparison = commands.add_parser(
        "compare",
        help="does GANOverSampler help on your data? A table, a verdict in words, and a page",
        description="Cross-validates a classifier behind GANOverSampler and beside everything that costs nothing. DATA is a "
        "table as text (.csv, .tsv, .txt) or Parquet (with --target), an npz file with X and y, or a folder of class folders "
        "of images.",
    )
    comparison.add_argument("data", type=Path, metavar="DATA")
    comparison.add_argument("--target", help="column of the classes, in a table")
    comparison.add_argument(
        "--sep", help="what divides the columns of a text file, such as ';' or tab (default: found)"
    )
    comparison.add_argument(
        "--drop",
        action="append",
        default=[],
        metavar="COLUMN",
        help="leave this column out; may be given several times",
    )
    comparison.add_argument("--size", type=int, help="images of a folder are brought to this many pixels a side")
    comparison.add_argument(
        "--estimator",
        choices=list(ESTIMATORS),
        help="classifier (default: logistic, for images that are not embedded cnn)",
    )
    comparison.add_argument(
        "--embed",
        choices=["auto", "yes", "no"],
        default="auto",
        help="compare images by what a network that saw ImageNet says of them; 'auto': RGB images, where the extra 'embed' is "
        "installed (default: %(default)s)",
    )
    comparison.add_argument(
        "--sampler",
        choices=["GANOverSampler", "OverSamplerCV"],
        default="GANOverSampler",
        help="what makes the new rows (default: %(default)s)",
    )
    comparison.add_argument(
        "--net",
        choices=["auto", *presets.__all__],
        default="auto",
        metavar="PRESET",
        help="GANOverSampler's net, by name",
    )
    comparison.add_argument("--max-steps", type=int, help="GANOverSampler's training steps (default: the net's own)")
    comparison.add_argument("--scoring", default="balanced_accuracy", help="scikit-learn's name (default: %(default)s)")
    comparison.add_argument("--groups", type=Path, help="CSV whose first column has the group of every row, in order")
    comparison.add_argument("--folds", type=int, default=5, help="(default: %(default)s)")
    comparison.add_argument("--out", type=Path, help="write the report as one HTML page")
    comparison.add_argument("--max-time", type=float, help="seconds after which no further fold is begun")
    comparison.add_argument("--jobs", type=int, help="fits at once")
    comparison.add_argument("--seed", type=int, default=0, help="random seed (default: %(default)s)")


def main(argv: Sequence[str] | None = None) -> int:
    """Entry point of the ``skgan`` command."""
    parser = build_parser()
    arguments = parser.parse_args(argv)
    if arguments.command == "demo":
        if arguments.folds < 3:  # with two, SMOTE would have too few rows of a rare class for its five neighbours
            parser.error(f"--folds must be at least 3, got {arguments.folds}.")
        if arguments.out.exists() and not arguments.out.is_dir():
            parser.error(f"--out {arguments.out} is a file; name a folder.")
        run_demo(arguments.out, arguments.folds, arguments.seed)
        return 0
    if arguments.command == "sample":
        return run_sample(arguments, parser)
    # Found now, not after an hour of work
    if arguments.scoring not in get_scorer_names():
        near = difflib.get_close_matches(arguments.scoring, get_scorer_names(), n=3)
        hint = f" Did you mean {' or '.join(near)}?" if near else ""
        parser.error(f"--scoring {arguments.scoring} is none of scikit-learn's.{hint}")
    if arguments.out is not None and (arguments.out.is_dir() or not os.access(arguments.out.parent, os.W_OK)):
        parser.error(f"--out {arguments.out} cannot be written: name a file in a folder that is there and writable.")
    try:
        if arguments.out is not None:
            import skgan.plotting  # noqa: F401
        run_compare(arguments)
    except (ValueError, OSError, ImportError) as error:
        parser.error(str(error))
    return 0


if __name__ == "__main__":
    sys.exit(main())
