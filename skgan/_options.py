"""The options of the ``skgan`` command. Nothing is imported here that takes a moment: help is there at once."""

import argparse
from pathlib import Path

from skgan import __version__
from skgan._names import PRESETS

ESTIMATORS = ("logistic", "forest", "boosting", "knn", "cnn")
LIST = "synthetic.csv"
"""The file that says what each written image is."""
EXIT_CODES = (
    "Exit codes: 0 done; 2 a wrong argument, or data that cannot be used, with a sentence that says what to do; 130 "
    "interrupted (Ctrl-C); 1 any other failure, with Python's traceback."
)


def build_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="skgan", description="Generative models as a drop-in for SMOTE.", epilog=EXIT_CODES
    )
    parser.add_argument("--version", action="version", version=f"skgan {__version__}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    _add_demo(commands)
    _add_compare(commands)
    _add_sample(commands)
    return parser


def _add_demo(commands) -> None:
    demo = commands.add_parser(
        "demo",
        help="compare GANOverSampler with all that costs nothing on digits (a minute)",
        description="Digits with two rare classes, cross-validated: prints a table, writes sample grids, loss curves and "
        "confusion matrices as PNG. Works offline; about a minute on two cores.",
    )
    demo.add_argument(
        "--out", type=Path, default=Path("skgan-demo"), help="folder for the pictures (default: %(default)s)"
    )
    demo.add_argument("--folds", type=int, default=5, help="stratified folds (default: %(default)s)")
    demo.add_argument("--seed", type=int, default=0, help="random seed (default: %(default)s)")


def _add_compare(commands) -> None:
    comparison = commands.add_parser(
        "compare",
        help="does GANOverSampler help on your data? A table, a verdict in words, and a page",
        description="Cross-validates a classifier behind GANOverSampler and beside everything that costs nothing. DATA is a "
        "table as text (.csv, .tsv, .txt) or Parquet (with --target), an npz file with X and y, or a folder of class folders "
        "of images.",
    )
    comparison.add_argument("data", type=Path, metavar="DATA")
    _add_columns(comparison)
    comparison.add_argument("--size", type=int, help="images of a folder are brought to this many pixels a side")
    comparison.add_argument(
        "--estimator",
        choices=ESTIMATORS,
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
        choices=["auto", *PRESETS],
        default="auto",
        metavar="PRESET",
        help="GANOverSampler's net, by name",
    )
    comparison.add_argument("--max-steps", type=int, help="GANOverSampler's training steps (default: the net's own)")
    comparison.add_argument("--scoring", default="balanced_accuracy", help="scikit-learn's name (default: %(default)s)")
    _add_split(comparison)
    comparison.add_argument("--out", type=Path, help="write the report as one HTML page")
    comparison.add_argument("--json", type=Path, help="write the figures of the report as JSON")
    comparison.add_argument(
        "--dry-run", action="store_true", help="check everything, say how long it would take, and write nothing"
    )
    comparison.add_argument("--max-time", type=float, help="seconds after which no further fold is begun")
    comparison.add_argument(
        "--memory",
        type=Path,
        metavar="FOLDER",
        help="keep what is finished in this folder: the same command goes on there after it was interrupted or killed",
    )
    comparison.add_argument("--jobs", type=int, help="fits at once")
    comparison.add_argument("--seed", type=int, default=0, help="random seed (default: %(default)s)")


def _add_split(comparison: argparse.ArgumentParser) -> None:
    """Which rows train and which judge."""
    comparison.add_argument("--folds", type=int, help="(default: 5)")
    split = comparison.add_mutually_exclusive_group()
    split.add_argument("--groups", type=Path, help="CSV whose first column has the group of every row, in order")
    split.add_argument(
        "--time",
        metavar="COLUMN",
        help="sort the rows of a table by this column, and train on early rows and judge on later ones; the column is left out",
    )
    split.add_argument("--test", type=Path, metavar="DATA", help="train on the first data and judge on these; no folds")


def _add_sample(commands) -> None:
    """The options."""
    sample = commands.add_parser(
        "sample",
        help="train on a folder of class folders of images, or on a table, and write new ones as files",
        description="Trains a sampler on DATA and writes what it makes. DATA is a folder of class folders of images: the new "
        f"ones are PNG files in class folders of OUT, and {LIST} says of which real files each was made; or OUT is an .npz "
        "file. Or DATA is a table (.csv, .tsv, .txt, .parquet; with --target): OUT is a .csv or .parquet file, or of numbers "
        "alone an .npz file. Small classes are filled up to the size of the largest, unless another amount is given.",
        epilog=EXIT_CODES,
    )
    sample.add_argument("data", type=Path, metavar="DATA")
    sample.add_argument(
        "--out",
        type=Path,
        required=True,
        help="a new or empty folder, or a new file: .npz; of a table .csv, .parquet or .npz",
    )
    sample.add_argument(
        "--dry-run",
        action="store_true",
        help="read and check, say what would be made and how long it takes, by a second of each training, and write nothing",
    )
    amount = sample.add_mutually_exclusive_group()
    amount.add_argument(
        "--balance",
        type=float,
        default=1.0,
        metavar="SHARE",
        help="fill each class up to this share of the largest, 0.5 for half (default: %(default)s)",
    )
    amount.add_argument("--ratio", type=float, metavar="R", help="R times as many new ones as real ones, of each class")
    amount.add_argument("--per-class", type=int, metavar="N", help="N new ones of each class")
    sample.add_argument("--real", action="store_true", help="write the real ones as well, so that OUT is complete")
    sample.add_argument("--net", default="auto", metavar="PRESET", help="which net, by name (default: %(default)s)")
    sample.add_argument(
        "--net-only",
        action="store_true",
        help="what the net makes alone, without copies, mixtures and others beside it",
    )
    sample.add_argument("--max-steps", type=int, help="training steps (default: the net's own)")
    sample.add_argument("--max-time", type=float, help="seconds after which training ends early")
    sample.add_argument("--seed", type=int, default=0, help="random seed (default: %(default)s)")
    sample.add_argument("--size", help="images are brought to this many pixels a side, or to HxW, such as 48x64")
    sample.add_argument("--mode", choices=["auto", "L", "RGB"], help="grey or coloured images (default: as they are)")
    _add_columns(sample)


def _add_columns(command: argparse.ArgumentParser) -> None:
    """How a table is read."""
    command.add_argument("--target", help="column of the classes, in a table")
    command.add_argument("--sep", help="what divides the columns of a text file, such as ';' or tab (default: found)")
    command.add_argument(
        "--drop",
        action="append",
        default=[],
        metavar="COLUMN",
        help="leave this column out; may be given several times",
    )
