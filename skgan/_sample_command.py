"""``skgan sample``: new images, or rows of a table, as files."""

import argparse
import sys
import time
import warnings
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from skgan._option_checks import parse_size
from skgan._options import LIST
from skgan._reading import load_data
from skgan._sample_files import ORIGIN, Written, as_numbers, check_numbers, write_arrays, write_folder, write_table
from skgan._text_files import NPZ, PARQUET
from skgan._whole import written_whole
from skgan.codecs import choose_codec
from skgan.datasets._folders import class_folders, in_png_depth, read_folder
from skgan.samplers import BaseGenerativeSampler, ConditionalGANAugmenter, GANOverSampler, prepared
from skgan.strategies import at_least


def run_sample(arguments: argparse.Namespace) -> None:
    """Read, say what will be done, train, and write; or write nothing."""
    with _warnings_as_notes():
        if arguments.data.is_dir():
            _sample_images(arguments)
        else:
            _sample_table(arguments)


def _sample_images(arguments: argparse.Namespace) -> None:
    started = time.monotonic()
    X, y, files = read_folder(arguments.data, parse_size(arguments.size), mode=arguments.mode or "auto", dtype="keep")
    X = in_png_depth(X)
    if len(set(y)) < 2:
        raise ValueError(
            f"{str(arguments.data)!r} has images of one class only, {str(y[0])!r}: put those of at least two into folders "
            "beside each other."
        )
    height, width = X.shape[2:]
    kind = "grey" if X.shape[1] == 1 else "in colour"
    print(f"{len(X)} images of {width}×{height} px, {kind}, {8 * X.itemsize} bits.")
    empty = sorted(set(class_folders(arguments.data)) - set(y.tolist()))
    if empty:
        print(f"No image could be read of {', '.join(map(repr, empty))}: nothing is made of them.")
    print()
    new = _made(arguments, X, y, "images")
    if new is None:
        return
    sources = [file.relative_to(arguments.data).as_posix() for file in files]
    rows = new.under(X, y) if arguments.real else new
    in_file = arguments.out.suffix.lower() == NPZ
    with written_whole(arguments.out) as half:
        if in_file:
            write_arrays(half, rows, files=np.array(sources))
        else:
            write_folder(half, rows, sources)
    _tell_result(arguments.out, "images", rows.origin, started)
    if in_file:
        return
    print(f"{arguments.out / LIST} says what each of them is, and which real files it was made from.")
    missing = sorted(set(y.tolist()) - set(rows.y.tolist()))
    if missing:
        print(
            f"It has no folder for {', '.join(map(repr, missing))}, which got no new image: a reader that numbers classes by "
            f"their folders would number the others otherwise than in {arguments.data}. With --real it is complete."
        )


def _sample_table(arguments: argparse.Namespace) -> None:
    started = time.monotonic()
    X, y, notes = load_data(arguments.data, arguments.target, separator=arguments.sep, drop=arguments.drop)
    if ORIGIN in X:
        raise ValueError(
            f"{arguments.data} has the column {ORIGIN}, so its rows came from skgan sample: leave out the new ones, and the "
            f"column with --drop {ORIGIN}."
        )
    for note in notes:
        print(note)
    print(f"{len(X)} rows of {X.shape[1]} columns.\n")
    suffix = arguments.out.suffix.lower()
    if suffix == NPZ:
        check_numbers(X)
    new = _made(arguments, X, y, "rows")
    if new is None:
        return
    rows = new.under(X, y) if arguments.real else new
    with written_whole(arguments.out) as half:
        if suffix == NPZ:
            write_arrays(half, rows._replace(X=as_numbers(rows.X)), columns=np.array(list(X)))
        else:
            write_table(half, rows, arguments.target, arguments.data if suffix in PARQUET else None)
    _tell_result(arguments.out, "rows", rows.origin, started)


def _sampler(arguments: argparse.Namespace, y: np.ndarray) -> BaseGenerativeSampler:
    options: dict[str, Any] = {
        "net": arguments.net,
        "shares": {"net": 1} if arguments.net_only else "auto",
        "max_steps": arguments.max_steps,
        "max_time": arguments.max_time,
        "random_state": arguments.seed,
        "verbose": 1,
    }
    if arguments.ratio is not None:
        return ConditionalGANAugmenter(arguments.ratio, target="class", **options)
    if arguments.per_class is None:
        return GANOverSampler(sampling_strategy=at_least(arguments.balance), **options)
    strategy = {klass: n + arguments.per_class for klass, n in Counter(y.tolist()).items()}
    return GANOverSampler(sampling_strategy=strategy, **options)


# What is made


def _made(arguments: argparse.Namespace, X, y: np.ndarray, what: str) -> Written | None:
    """New rows in X's container, after the plan was told; None with ``--dry-run``, which tells a forecast instead."""
    sampler = _sampler(arguments, y)
    wanted = sampler.fit(X, y).sampling_strategy_
    if not any(wanted.values()):
        raise ValueError(
            f"No class would get a new {what[:-1]}: the classes have {', '.join(map(str, Counter(y.tolist()).values()))}. Ask "
            "for more with --ratio or --per-class."
        )
    _tell_plan(arguments, sampler, X, y, wanted, what)
    if arguments.dry_run:
        print(f"Forecast of time and memory: {sampler.estimate(X, y)}. Nothing was written into {arguments.out}.")
        return None
    factory = sampler.train(X, y)
    made = factory.make(wanted)
    return Written(factory.as_given(made.X), made.y, made.origin, made.parents)


def _tell_plan(arguments: argparse.Namespace, sampler, X, y: np.ndarray, wanted: dict, what: str) -> None:
    counts = Counter(y.tolist())
    names = {klass: str(klass) for klass in counts}
    width = max(map(len, (*names.values(), "class")))
    print(f"{'class':{width}}  real  new")
    for klass, n in sorted(counts.items()):
        print(f"{names[klass]:{width}}  {n:4}  {wanted.get(klass, 0):3}")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # training fits another one, and says the same
        codec = choose_codec("auto", X).fit(X)
    net = prepared(
        arguments.net, codec, {"max_steps": arguments.max_steps}, lambda: sampler.auto_net(codec, conditions=False)
    )
    shares = {"net": 1.0} if arguments.net_only else sampler.auto_shares(codec, net, len(counts))
    print(f"\n{type(net).__name__} (--net {arguments.net}), {net.max_steps} steps.", end="")
    if len(shares) > 1:
        told = ", ".join(f"{name} {share / sum(shares.values()):.0%}" for name, share in shares.items())
        print(f" The new {what} come from: {told} (--net-only: all from the net).", end="")
    print("\n", flush=True)


def _tell_result(out: Path, what: str, origin, started: float) -> None:
    told = ", ".join(f"{name}: {n}" for name, n in Counter(origin).items())
    seconds = time.monotonic() - started
    took = f"{seconds:.0f} seconds" if seconds < 100 else f"{seconds / 60:.0f} minutes"
    print(f"\nWrote {len(origin)} {what} ({told}) into {out} after {took}.")


@contextmanager
def _warnings_as_notes() -> Iterator[None]:
    """In a terminal a warning is a sentence, without a line of Python above it."""

    def note(message, category, filename, lineno, file=None, line=None) -> None:
        print(f"Note: {message}", file=sys.stderr, flush=True)

    with warnings.catch_warnings():
        warnings.showwarning = note
        yield
