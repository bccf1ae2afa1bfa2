"""What every benchmark shares: three budgets, and a CSV of finished cells that the next run goes on from.

A *cell* is one measurement named by its key columns (data set, seed, method …). Finished cells are appended to
``benchmarks/results/<name>-<budget>.csv`` at once and skipped when they are there.
"""

import argparse
import datetime
import inspect
import time
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import joblib
import pandas as pd

from skgan._random import private_rng

RESULTS = Path(__file__).parent / "results"
DOCS = Path(__file__).parent.parent / "docs"
CACHE = joblib.Memory(Path(__file__).parent / ".cache", verbose=0)  # trained nets; not in the repository
BUDGETS = ("quick", "default", "full")


def parse_budget(description: str, budgets: Mapping[str, str], argv=None) -> argparse.Namespace:
    """Command line of a benchmark: ``--quick``, nothing, or ``--full``, each with what it runs."""
    text = "\n".join(f"  {name:8s} {budgets[name]}" for name in BUDGETS)
    parser = argparse.ArgumentParser(
        description=f"{description}\n\nbudgets:\n{text}", formatter_class=argparse.RawDescriptionHelpFormatter
    )
    choice = parser.add_mutually_exclusive_group()
    choice.add_argument("--quick", dest="budget", action="store_const", const="quick", help="at most 3 minutes")
    choice.add_argument("--full", dest="budget", action="store_const", const="full", help="as published; for a GPU")
    parser.set_defaults(budget="default")
    parser.add_argument("--results", type=Path, default=RESULTS, help="folder of the CSVs (default: %(default)s)")
    parser.add_argument(
        "--only",
        nargs="+",
        default=[],
        metavar="KEY=VALUE",
        help="run only the cells with these keys, such as seed=0; a key given twice may have either value",
    )
    parser.add_argument("--fresh", action="store_true", help="forget the finished cells of this budget")
    return parser.parse_args(argv)


def run_cells(
    name: str,
    arguments: argparse.Namespace,
    cells: Iterable[Mapping[str, Any]],
    measure: Callable[..., Mapping[str, Any]],
) -> pd.DataFrame:
    """Measure every cell that is not in the CSV yet, and return the whole CSV.

    Parameters
    ----------
    name : str
        Of the benchmark.
    arguments : Namespace
        Of :func:`parse_budget`.
    cells : iterable of dict
        Key columns of each cell, in the order to run them.
    measure : callable
        Called with a cell's keys; returns its value columns.
    """
    path = arguments.results / f"{name}-{arguments.budget}.csv"
    path.parent.mkdir(parents=True, exist_ok=True)
    if arguments.fresh:
        path.unlink(missing_ok=True)
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
    for number, cell in enumerate(left, 1):
        begin = time.perf_counter()
        values = measure(**cell)
        row = {**cell, **values, "date": datetime.date.today().isoformat()}
        pd.DataFrame([row]).to_csv(path, mode="a", header=not path.exists(), index=False)
        # Curves and matrices are kept as long strings, which nobody reads in a log
        short = {k: v for k, v in values.items() if not isinstance(v, str) or len(v) < 40}
        shown = "  ".join(f"{k} {v:.4g}" if isinstance(v, float) else f"{k} {v}" for k, v in short.items())
        label = " ".join(map(str, cell.values()))
        print(f"[{number}/{len(left)}] {label}: {shown}  ({time.perf_counter() - begin:.1f} s)", flush=True)
    return pd.read_csv(path)


def with_error(values: pd.Series, sign: str = "", digits: int = 1) -> str:
    """Mean ± standard error."""
    error = f" ± {values.sem():.{digits}f}" if len(values) > 1 else ""
    return f"{values.mean():{sign}.{digits}f}{error}"


def _keys(path: Path, columns: list[str]) -> set[tuple[str, ...]]:
    if not path.exists():
        return set()
    frame = pd.read_csv(path, dtype=str, keep_default_na=False)
    return set(frame[columns].itertuples(index=False, name=None))


def fitted(net, X, y, seed: int) -> tuple[Any, float]:
    """The net trained on these rows, and the seconds it took; trained once for all benchmarks and runs.

    The key is the net's parameters, the rows, the seed, and the source of the net's and its module's classes.
    """
    classes = (*type(net).__mro__, *net.module.__mro__)
    source = [inspect.getsource(klass) for klass in classes if klass.__module__.startswith("skgan.")]
    return _fitted(net, X, y, seed, source)


@CACHE.cache
def _fitted(net, X, y, seed, source):
    begin = time.perf_counter()
    with private_rng(seed):
        net.fit(X, y)
    return net, time.perf_counter() - begin
