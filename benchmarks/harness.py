"""What every benchmark shares: three budgets, and a CSV of finished cells that the next run goes on from.

A *cell* is one measurement named by its key columns (data set, seed, method …). Finished cells are appended to
``benchmarks/results/<name>-<budget>.csv`` at once and skipped when they are there. A line that a killed
process has not finished is left out, and its cell measured again. ``--jobs`` measures several at once, and ``--max-time``
begins no new one after so many seconds. The column ``device`` of a new CSV says what measured a cell.
"""

import argparse
import contextlib
import datetime
import functools
import importlib
import inspect
import io
import itertools
import os
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple

import joblib
import pandas as pd
import torch

from skgan._statistics import with_error

__all__ = [
    "CACHE",
    "DOCS",
    "RESULTS",
    "Part",
    "Run",
    "draws",
    "fitted",
    "largest",
    "main",
    "of_budget",
    "parse",
    "run_cells",
    "with_error",
    "without_pictures",
]

RESULTS = Path(__file__).parent / "results"
DOCS = Path(__file__).parent.parent / "docs"
CACHE = joblib.Memory(Path(__file__).parent / ".cache", verbose=0)  # trained nets; not in the repository
BUDGETS = ("quick", "default", "full")
SHOWN = 12  # values of a cell in the log
_pictures_wanted = True


def draws(function: Callable[..., None]) -> Callable[..., None]:
    """A function of a report that only draws a picture: not called inside of :func:`without_pictures`."""

    @functools.wraps(function)
    def drawn(*args, **kwargs):
        if _pictures_wanted:
            function(*args, **kwargs)

    return drawn


@contextlib.contextmanager
def without_pictures() -> Iterator[None]:
    """Reports inside of this block are text alone, and leave the files of the pictures as they are."""
    global _pictures_wanted
    before, _pictures_wanted = _pictures_wanted, False
    try:
        yield
    finally:
        _pictures_wanted = before


@dataclass(frozen=True)
class Run:
    """What a benchmark runs with one budget; subclasses name the rest."""

    told: str
    """What it runs and how long that takes, for ``--help``."""


class Part(NamedTuple):
    """A benchmark with a CSV of its own.

    Attributes
    ----------
    name : str
        Of the CSV.
    budgets : dict of str → Run
        For "quick", "default" and "full".
    cells : callable
        Run → key columns of each cell, in the order to run them; the longest come first, so that no process is left alone
        with one at the end.
    measure : callable
        Called with the run and a cell's keys; returns the cell's value columns. A function of a module, so that a process
        of ``--jobs`` finds it.
    report : callable
        The whole CSV → markdown.
    pictures : callable or None, default=None
        Called with the run when all cells are there; not with ``--quick`` or ``--only``, or when ``--max-time`` is over.
    """

    name: str
    budgets: Mapping[str, Run]
    cells: Callable[[Any], Iterable[Mapping[str, Any]]]
    measure: Callable[..., Mapping[str, Any]]
    report: Callable[[pd.DataFrame], str]
    pictures: Callable[[Any], None] | None = None


def main(
    name: str,
    budgets: Mapping[str, Run],
    cells: Callable[[Any], Iterable[Mapping[str, Any]]],
    measure: Callable[..., Mapping[str, Any]],
    report: Callable[[pd.DataFrame], str],
    *more: Part,
    pictures: Callable[[Any], None] | None = None,
    data: tuple[str, str] | None = None,
) -> None:
    """A benchmark's command: parse the budget, measure the cells that are not in the CSV yet, print the report.

    The report's pictures are drawn from the CSVs of ``benchmarks/results`` alone, and not with ``--quick``.

    Parameters
    ----------
    name, budgets, cells, measure, report, pictures
        As of :class:`Part`.
    *more : Part
        Further benchmarks of the same script. ``--parts`` chooses.
    data : (str, str) or None, default=None
        An option that takes a path to data of one's own, and its help. The run has a field of that name; the CSV's name then
        ends in the path's.
    """
    parts = [Part(name, budgets, cells, measure, report, pictures), *more]
    arguments = parse(str(inspect.getdoc(inspect.getmodule(report))).splitlines()[0], parts, data)
    only = {pair.partition("=")[0] for pair in arguments.only}
    end = time.monotonic() + arguments.max_time
    jobs = []
    for part in (part for part in parts if part.name in arguments.parts):
        run, csv = part.budgets[arguments.budget], part.name
        if data is not None and (path := getattr(arguments, data[0])) is not None:
            run, csv = replace(run, **{data[0]: path}), f"{part.name}_{path.stem}"
        jobs.append((part, run, csv, list(part.cells(run))))
    # A part whose cells have no such key has none that --only asks for
    jobs = [job for job in jobs if only <= set(job[3][0])] or jobs[:1]
    results = [run_cells(csv, arguments, keys, part.measure, run, end) for part, run, csv, keys in jobs]
    in_time = time.monotonic() < end
    if in_time and arguments.budget != "quick" and not only:
        for part, run, *_ in jobs:
            if part.pictures is not None:
                part.pictures(run)
    of_the_pages = arguments.budget != "quick" and arguments.results == RESULTS
    with contextlib.nullcontext() if of_the_pages else without_pictures():
        for (part, *_), frame in zip(jobs, results, strict=True):  # one may show what another has measured
            if len(frame):
                print(part.report(frame))


def parse(description: str, parts: Iterable[Part], data=None, argv=None) -> argparse.Namespace:
    """Command line of a benchmark: ``--quick``, nothing, or ``--full``, each with what it runs."""
    names = [part.name for part in parts]
    text = "\n".join(
        f"  {budget:8s} {part.budgets[budget].told}" + (f" [{part.name}]" if len(names) > 1 else "")
        for part in parts
        for budget in BUDGETS
    )
    parser = argparse.ArgumentParser(
        description=f"{description}\n\nbudgets:\n{text}", formatter_class=argparse.RawDescriptionHelpFormatter
    )
    choice = parser.add_mutually_exclusive_group()
    choice.add_argument("--quick", dest="budget", action="store_const", const="quick", help="a few minutes")
    choice.add_argument("--full", dest="budget", action="store_const", const="full", help="as published; for a GPU")
    parser.set_defaults(budget="default", parts=names)
    if len(names) > 1:
        parser.add_argument("--parts", nargs="+", choices=names, help="run only these (default: all, one by one)")
    if data is not None:
        parser.add_argument(f"--{data[0]}", type=Path, help=data[1])
    parser.add_argument("--results", type=Path, default=RESULTS, help="folder of the CSVs (default: %(default)s)")
    parser.add_argument(
        "--only",
        nargs="+",
        default=[],
        metavar="KEY=VALUE",
        help="run only the cells with these keys, such as seed=0; a key given twice may have either value",
    )
    parser.add_argument("--fresh", action="store_true", help="forget the finished cells of this budget")
    parser.add_argument(
        "--jobs", type=int, default=1, metavar="N", help="processes that measure cells at once, each with one thread"
    )
    parser.add_argument(
        "--max-time", type=float, default=float("inf"), metavar="SECONDS", help="begin no new cell after this time"
    )
    return parser.parse_args(argv)


def run_cells(
    name: str,
    arguments: argparse.Namespace,
    cells: Iterable[Mapping[str, Any]],
    measure: Callable[..., Mapping[str, Any]],
    run: Run,
    end: float = float("inf"),
) -> pd.DataFrame:
    """Measure every cell that is not in the CSV yet, and return the whole CSV.

    Parameters
    ----------
    name : str
        Of the CSV.
    arguments : Namespace
        Of :func:`parse`.
    cells : iterable of dict
        Key columns of each cell, in the order to run them.
    measure : callable
        Called with the run and a cell's keys; returns its value columns.
    run : Run
    end : float, default=inf
        The reading of ``time.monotonic`` after which no new cell begins.
    """
    path = arguments.results / f"{name}-{arguments.budget}.csv"
    path.parent.mkdir(parents=True, exist_ok=True)
    if arguments.fresh:
        path.unlink(missing_ok=True)
    if path.exists():
        os.truncate(path, len(_whole_lines(path)))  # the next line must not be joined to what is left of another
    cells = [dict(cell) for cell in cells]
    done = _keys(path, list(cells[0]))
    only: dict[str, set[str]] = {}
    for pair in arguments.only:
        key, _, value = pair.partition("=")
        only.setdefault(key, set()).add(value)
    if unknown := only.keys() - cells[0].keys():
        raise SystemExit(f"--only names {', '.join(unknown)}; the cells of {name} have {', '.join(cells[0])}.")
    chosen = [cell for cell in cells if all(str(cell[key]) in values for key, values in only.items())]
    left = [cell for cell in chosen if tuple(map(str, cell.values())) not in done]
    print(f"{name}, {arguments.budget}: {len(left)} of {len(cells)} cells to run → {path}", flush=True)
    begun = itertools.takewhile(lambda _: time.monotonic() < end, left)
    device = device_name()
    for number, (cell, values, seconds) in enumerate(_measured(begun, measure, run, arguments.jobs), 1):
        row = {**cell, **values, "date": datetime.date.today().isoformat(), "device": device}
        if _holds_lines(path) and "device" not in _read(path, nrows=0):
            del row["device"]  # of a CSV that was begun without the column
        line = pd.DataFrame([row]).to_csv(header=not _holds_lines(path), index=False)
        with path.open("ab", buffering=0) as file:  # in one piece: another process may read meanwhile
            file.write(line.encode())
        # Nobody reads long strings (curves and matrices) or dozens of values in a log
        short = [(k, v) for k, v in values.items() if not isinstance(v, str) or len(v) < 40][:SHOWN]
        shown = "  ".join(f"{k} {v:.4g}" if isinstance(v, float) else f"{k} {v}" for k, v in short)
        label = " ".join(map(str, cell.values()))
        print(f"[{number}/{len(left)}] {label}: {shown}  ({seconds:.1f} s)", flush=True)
    return _read(path) if _holds_lines(path) else pd.DataFrame(columns=list(cells[0]))


def device_name() -> str:
    """The card that ``device="auto"`` takes, or CPU."""
    return torch.cuda.get_device_name() if torch.cuda.is_available() else "CPU"


def _measured(
    cells: Iterable[Mapping], measure: Callable, run: Run, n_jobs: int
) -> Iterator[tuple[Mapping, Mapping, float]]:
    """Each cell with its values and seconds, in the order that they finish."""
    if n_jobs == 1:
        for cell in cells:
            yield _timed(measure, run, cell)
        return
    task = joblib.delayed(_in_process)
    named = (_module_of(measure), measure.__name__)
    # One task at a time a process: nothing waits in a queue past the time at which no new cell begins
    with joblib.parallel_config("loky", inner_max_num_threads=1):
        parallel = joblib.Parallel(n_jobs, return_as="generator_unordered", batch_size=1, pre_dispatch="n_jobs")
        yield from parallel(task(*named, run, cell) for cell in cells)


def _timed(measure: Callable, run: Run, cell: Mapping) -> tuple[Mapping, Mapping, float]:
    begin = time.perf_counter()
    values = measure(run, **cell)
    return cell, values, time.perf_counter() - begin


def _module_of(function: Callable) -> str:
    """The name under which another process imports the function's module; that of a script is its file's."""
    if function.__module__ != "__main__":
        return function.__module__
    script = sys.modules["__main__"]
    return script.__spec__.name if script.__spec__ else Path(str(script.__file__)).stem


def _in_process(module: str, name: str, run: Run, cell: Mapping) -> tuple[Mapping, Mapping, float]:
    """A cell in a process of its own. The function goes by name: what a script's functions remember cannot be sent."""
    torch.set_num_threads(1)
    return _timed(getattr(importlib.import_module(module), name), run, cell)


def _keys(path: Path, columns: list[str]) -> set[tuple[str, ...]]:
    if not _holds_lines(path):
        return set()
    frame = _read(path, dtype=str, keep_default_na=False)
    return set(frame[columns].itertuples(index=False, name=None))


def _holds_lines(path: Path) -> bool:
    return path.exists() and path.stat().st_size > 0


def _whole_lines(path: Path) -> bytes:
    """A CSV without the last line where this has no end, because the process that wrote it was killed or the disk was full."""
    content = path.read_bytes()
    end, position, within_quotes = 0, 0, False
    for line in content.splitlines(keepends=True):
        position += len(line)
        within_quotes ^= line.count(b'"') % 2 == 1  # a value may hold the ends of lines
        if line.endswith(b"\n") and not within_quotes:
            end = position
    if end < len(content):
        print(f"The last line of {path} is cut off and is left out.", flush=True)
    return content[:end]


def _read(path: Path, **options) -> pd.DataFrame:
    return pd.read_csv(io.BytesIO(_whole_lines(path)), **options)


def of_budget(name: str, budget: str) -> pd.DataFrame:
    """The cells of a benchmark's CSV."""
    return _read(RESULTS / f"{name}-{budget}.csv")


def largest(name: str) -> tuple[str, pd.DataFrame]:
    """The largest budget of a benchmark that has a CSV, and its cells."""
    for budget in reversed(BUDGETS):
        with contextlib.suppress(FileNotFoundError):
            return budget, of_budget(name, budget)
    raise FileNotFoundError(f"No CSV of {name} in {RESULTS}.")


def fitted(net, X, y, seed: int) -> tuple[Any, float]:
    """The net trained on these rows, and the seconds it took; trained once for all benchmarks and runs.

    The key is the net's parameters, the rows, the seed, and the source of the net's and its module's classes.
    """
    classes = (*type(net).__mro__, *net.module.__mro__)
    source = [inspect.getsource(klass) for klass in classes if klass.__module__.startswith("skgan.")]
    return _fitted(net.set_params(random_state=seed), X, y, source)


@CACHE.cache
def _fitted(net, X, y, source):
    begin = time.perf_counter()
    net.fit(X, y)
    return net, time.perf_counter() - begin
