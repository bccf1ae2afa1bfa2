"""What the ``skgan`` command refuses before it imports what takes seconds, and long before any work."""

import argparse
import difflib
import math
import os
import re
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

from skgan._names import PRESETS, SCORES, SCORES_OF, no_preset
from skgan._text_files import NPZ, PARQUET, TEXT, check_columns, check_path, header_of


def check_options(arguments: argparse.Namespace) -> None:
    """Refuse, in a ValueError's sentence, what no data of any content would allow."""
    if not 0 <= arguments.seed < 2**32:
        raise ValueError(f"--seed must be at least 0 and less than 2³², got {arguments.seed}.")
    {"demo": _check_demo, "compare": _check_compare, "sample": _check_sample}[arguments.command](arguments)


def _check_demo(arguments: argparse.Namespace) -> None:
    if arguments.folds < 3:  # with two, SMOTE would have too few rows of a rare class for its five neighbours
        raise ValueError(f"--folds must be at least 3, got {arguments.folds}.")
    if arguments.out.exists() and not arguments.out.is_dir():
        raise ValueError(f"--out {arguments.out} is a file; name a folder.")


def _check_compare(arguments: argparse.Namespace) -> None:
    for name in ("folds", "size", "max_steps"):
        value, least = vars(arguments)[name], 2 if name == "folds" else 1
        if value is not None and value < least:
            raise ValueError(f"--{name.replace('_', '-')} must be at least {least}, got {value}.")
    _check_above_0(arguments, "max_time")
    if arguments.jobs == 0:
        raise ValueError("--jobs must be the number of fits at once, or -1 for one on each core; got 0.")
    if arguments.sampler == "OverSamplerCV" and (arguments.net != "auto" or arguments.max_steps is not None):
        raise ValueError("--net and --max-steps are GANOverSampler's; OverSamplerCV chooses a sampler by itself.")
    _check_data(arguments)
    if arguments.data.suffix.lower() in TEXT + PARQUET and arguments.data.is_file():
        check_for_table(arguments)
    if arguments.groups is not None and not arguments.groups.is_file():
        raise ValueError(f"There is no file {str(arguments.groups)!r} for --groups.")
    if arguments.test is not None:
        _check_test(arguments)
    for option, path in (("--out", arguments.out), ("--json", arguments.json)):
        if path is not None and (path.is_dir() or not os.access(path.parent, os.W_OK)):
            raise ValueError(f"{option} {path} cannot be written: name a file in a folder that is there and writable.")
    if arguments.memory is not None and arguments.memory.exists() and not arguments.memory.is_dir():
        raise ValueError(f"--memory {arguments.memory} is a file; name a folder.")
    _check_scoring(arguments.scoring)


def check_for_table(arguments: argparse.Namespace) -> None:
    """Refuse options of images where the rows are a table."""
    if arguments.embed == "yes":
        raise ValueError("--embed yes takes images, and these rows are a table: leave it out.")
    if arguments.estimator == "cnn":
        raise ValueError("--estimator cnn takes images, and these rows are a table.")


def _check_scoring(scoring: str) -> None:
    names = list(SCORES)
    if scoring not in names and tuple(map(int, version("scikit-learn").split(".")[:2])) > SCORES_OF:
        from sklearn.metrics import get_scorer_names

        names = get_scorer_names()
    if scoring not in names:
        near = difflib.get_close_matches(scoring, names, n=3)
        hint = f" Did you mean {' or '.join(near)}?" if near else ""
        raise ValueError(f"--scoring {scoring} is none of scikit-learn's.{hint}")


def _check_sample(arguments: argparse.Namespace) -> None:
    _check_above_0(arguments, "balance", "ratio", "per_class", "max_steps", "max_time")
    if arguments.net not in ("auto", *PRESETS):
        raise ValueError(no_preset(arguments.net))
    given = arguments.data
    if given.is_dir():
        if arguments.target is not None or arguments.sep is not None or arguments.drop:
            raise ValueError(f"--target, --sep and --drop are for tables, and {given} is a folder of images.")
        parse_size(arguments.size)
        suffix = arguments.out.suffix.lower()
        if suffix in (*TEXT, *PARQUET):
            raise ValueError(
                f"Images are written into a folder, or as arrays into an .npz file, and --out is {arguments.out}."
            )
        if suffix == NPZ:
            _check_file(arguments.out)
        else:
            _check_folder(arguments.out, given)
        return
    if arguments.size is not None or arguments.mode is not None:
        raise ValueError(f"--size and --mode are for images, and {given} is no folder of images.")
    if given.suffix.lower() == ".npz":
        raise ValueError(
            f"skgan sample takes a folder of class folders or a table, and {given} holds arrays: use skgan.GANOverSampler on "
            "them in Python."
        )
    _check_data(arguments)
    if arguments.out.suffix.lower() not in (".csv", *PARQUET, NPZ):
        raise ValueError(
            f"The rows of a table are written as CSV, Parquet or arrays, and --out is {arguments.out}: name a file that ends "
            "in .csv, .parquet or .npz."
        )
    _check_file(arguments.out)


def _check_above_0(arguments: argparse.Namespace, *names: str) -> None:
    for name in names:
        value = vars(arguments)[name]
        if value is not None and not 0 < value < math.inf:
            raise ValueError(f"--{name.replace('_', '-')} must be a number above 0, got {value:g}.")


def _check_data(arguments: argparse.Namespace) -> None:
    """Refuse a path that cannot be read, and columns that the header of a text file does not have."""
    path = arguments.data
    check_path(path, arguments.sep, arguments.drop)
    time = arguments.time if arguments.command == "compare" else None
    if time is not None and (path.is_dir() or path.suffix.lower() not in TEXT + PARQUET):
        raise ValueError(f"--time is for tables with named columns, and {path.name} is none.")
    if path.is_file() and path.suffix.lower() in TEXT:
        check_columns(path, header_of(path, arguments.sep), arguments.target, arguments.drop, time)


def _check_test(arguments: argparse.Namespace) -> None:
    """Refuse a second file that cannot be read, or has no such column of classes, and folds beside it."""
    path = arguments.test
    if arguments.folds is not None:
        raise ValueError("--test has one split, that of the two files, and --folds cuts others: leave one of them out.")
    check_path(path, None, ())
    if path.resolve() == arguments.data.resolve():
        raise ValueError(f"--test {path} is the data to train on: name a file of other rows.")
    if path.is_file() and path.suffix.lower() in TEXT:
        check_columns(path, header_of(path, arguments.sep), arguments.target, ())


def parse_size(text: str | None) -> int | tuple[int, int] | None:
    """Pixels a side, or (height, width)."""
    if text is None:
        return None
    if re.fullmatch(r"\d+(x\d+)?", text) is None:
        raise ValueError(f"--size takes pixels, such as 64, or 48x64 for height × width; got {text!r}.")
    sides = [int(side) for side in text.split("x")]
    if 0 in sides:
        raise ValueError(f"--size must be at least one pixel a side, got {text!r}.")
    return sides[0] if len(sides) == 1 else (sides[0], sides[1])


def _check_parent(out: Path) -> None:
    if not out.parent.is_dir():
        raise ValueError(f"There is no folder {str(out.parent)!r} for --out {out.name}: make it first.")
    if not os.access(out.parent, os.W_OK):
        raise ValueError(f"--out {out} cannot be written: name a place in a folder that you may write.")


def _check_folder(given: Path, data: Path) -> None:
    """Refuse what is no place for a new folder of images."""
    out = given.resolve()
    _check_parent(out)
    if out == Path.cwd() or out.is_mount():  # a finished folder is renamed to it
        raise ValueError(f"--out {given} is the current folder, or the top of a disk: name a new folder in it.")
    if out.exists() and not out.is_dir():
        raise ValueError(f"--out {given} is a file; name a folder.")
    if out.is_dir() and any(out.iterdir()):
        raise ValueError(f"--out {given} is not empty: name a new folder, so that nothing is mixed or overwritten.")
    if out.is_relative_to(data.resolve()):
        raise ValueError(
            f"--out {given} lies inside of {data}, and would be one of its classes: name a folder elsewhere."
        )


def _check_file(given: Path) -> None:
    """Refuse what is no new file in a folder that is there, and Parquet where nothing writes it."""
    if given.exists():
        raise ValueError(f"--out {given} is there already: name a new file, so that nothing is overwritten.")
    _check_parent(given.resolve())
    if given.suffix.lower() in PARQUET and find_spec("pyarrow") is None:
        raise ValueError(
            f"--out {given} is a Parquet file, which pyarrow writes (the extra 'parquet'): pip install pyarrow. Or name a .csv "
            "file."
        )
