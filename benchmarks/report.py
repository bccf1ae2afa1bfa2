"""Turn the CSVs of finished benchmarks into the tables and pictures of docs/results.md.

    python benchmarks/report.py

Each benchmark module has ``report(results) -> str`` (markdown; pictures are written by it into ``docs/images``).
For every benchmark the largest budget that has a CSV is shown; a benchmark without one says how to run it.
"""

import importlib
from pathlib import Path

import pandas as pd
from harness import BUDGETS, RESULTS

# Module → heading
SECTIONS = {
    "overhead": "What it costs",
    "tables": "Imbalanced tables",
    "long_tail": "Long-tailed images",
    "offspring_rows": "What offspring are like",
    "filters": "Row filters",
    "convergence": "The laboratory: what makes training converge",
}
DOCS = Path(__file__).parent.parent / "docs"

INTRODUCTION = """# Results

Written by `python benchmarks/report.py` from the CSVs in `benchmarks/results`; every table names the command and the
dates of its cells. Do not edit by hand.
"""


def section(name: str, heading: str) -> str:
    """Heading, provenance and the module's own report."""
    for budget in reversed(BUDGETS):
        path = RESULTS / f"{name}-{budget}.csv"
        if path.exists():
            results = pd.read_csv(path)
            dates = sorted(results["date"].unique())
            flag = "" if budget == "default" else f" --{budget}"
            when = dates[0] if len(dates) == 1 else f"{dates[0]} to {dates[-1]}"
            body = importlib.import_module(name).report(results)
            return f"## {heading}\n\n`python benchmarks/{name}.py{flag}`, {when}.\n\n{body}\n"
    return f"## {heading}\n\nNot run yet: `python benchmarks/{name}.py`.\n"


if __name__ == "__main__":
    text = "\n".join([INTRODUCTION, *(section(name, heading) for name, heading in SECTIONS.items())])
    (DOCS / "results.md").write_text(text)
    print(f"Wrote {DOCS / 'results.md'}")
