"""Turn the CSVs of finished benchmarks into the tables and pictures of docs/results.md, and README's first table.

    python benchmarks/report.py

Each benchmark module has ``report(results) -> str`` (markdown; pictures are written by it into ``docs/images``).
For every benchmark the largest budget that has a CSV is shown; a benchmark without one says how to run it.
"""

import importlib
from collections.abc import Mapping
from pathlib import Path

import pandas as pd
from harness import BUDGETS, DOCS, RESULTS, with_error

# Module → heading
SECTIONS = {
    "overhead": "What it costs",
    "tables": "Imbalanced tables",
    "long_tail": "Long-tailed images",
    "offspring_rows": "What offspring are like",
    "filters": "Row filters",
    "choice": "When cross-validation chooses",
    "mixing_ratio": "How much synthetic data: the MNIST report, as published and corrected",
    "recursive": "Recursive training",
    "families": "Families of nets",
    "critic_loss": "Does a loss tell how good the rows are?",
    "missing_class": "A class that is almost gone: the imbalance report",
    "few_photos": "Eighty-two photographs: the photo report",
    "translation": "Translations between classes and cameras",
    "transfer": "Transfer to classes of a few rows",
    "zero_shot": "Classes without a row",
    "teaching": "Generated rows that teach",
    "galaxies": "Real-valued labels: galaxies",
    "convergence": "The laboratory: what makes training converge",
}
ROOT = Path(__file__).parent.parent
README_LINES = {  # of long_tail → what README calls it
    "nothing": "nothing",
    "prior-corrected nothing": "nothing, prior-corrected probabilities",
    "class weights": "class weights",
    "random": "random over-sampling",
    "SMOTE": "SMOTE",
    "offspring (the default)": "**GANOverSampler**",
    "offspring for every class": '**GANOverSampler**, `balance="copies"`',
}
MORE_LINES = {  # of docs/when_not.md
    **README_LINES,
    "offspring only": "offspring only",
    "conditional dcgan": "`dcgan()`",
    "autoencoder + latent SMOTE": "SMOTE between an autoencoder's codes",
}

INTRODUCTION = """# Results

Written by `python benchmarks/report.py` from the CSVs in `benchmarks/results`; every table names the command and the
dates of its cells. Do not edit by hand.
"""


def section(name: str, heading: str) -> str:
    """Heading, provenance and the module's own report."""
    try:
        budget, results = largest(name)
    except FileNotFoundError:
        return f"## {heading}\n\nNot run yet: `python benchmarks/{name}.py`.\n"
    dates = sorted(results["date"].unique())
    flag = "" if budget == "default" else f" --{budget}"
    when = dates[0] if len(dates) == 1 else f"{dates[0]} to {dates[-1]}"
    body = importlib.import_module(name).report(results)
    return f"## {heading}\n\n`python benchmarks/{name}.py{flag}`, {when}.\n\n{body}\n"


def largest(name: str) -> tuple[str, pd.DataFrame]:
    """The largest budget of a benchmark that has a CSV, and its cells."""
    for budget in reversed(BUDGETS):
        path = RESULTS / f"{name}-{budget}.csv"
        if path.exists():
            return budget, pd.read_csv(path)
    raise FileNotFoundError(f"No CSV of {name} in {RESULTS}.")


def readme_table(names: Mapping[str, str] = README_LINES) -> str:
    """Mean recall on both long tails after 800 updates, without and with augmentation of every row."""
    long_tail = importlib.import_module("long_tail")
    budget, results = largest("long_tail")
    results = long_tail.finished(results[results["updates"] == 800])
    columns = {
        f"{dataset}{suffix}": (dataset, suffix)
        for dataset in results["dataset"].unique()
        for suffix in ("", " + augmentation")
    }
    lines = []
    for method, name in names.items():
        line = {"new rows from": name}
        for column, (dataset, suffix) in columns.items():
            cell = results[(results["dataset"] == dataset) & (results["method"] == method + suffix)]
            line[column] = with_error(100 * cell["mean recall"]) if len(cell) else "–"
        lines.append(line)
    seeds = " and ".join(
        f"{part['seed'].nunique()} seed(s) ({name})" for name, part in results.groupby("dataset", sort=False)
    )
    command = f"python benchmarks/long_tail.py{'' if budget == 'default' else f' --{budget}'}"
    note = (
        f"`{command}`, up to {results['date'].max()}: mean recall in percent on unseen, balanced images, mean ± "
        f"standard error over {seeds}; the same CNN and the same 800 updates in every cell."
    )
    return f"{pd.DataFrame(lines).to_markdown(index=False, disable_numparse=True)}\n\n{note}"


def put(path: Path, name: str, text: str) -> None:
    """Replace what stands between two comments of a page."""
    page = path.read_text()
    begin, end = f"<!-- {name}:begin -->", f"<!-- {name}:end -->"
    head, tail = page.split(begin)[0], page.split(end)[1]
    path.write_text(f"{head}{begin}\n{text}\n{end}{tail}")


if __name__ == "__main__":
    text = "\n".join([INTRODUCTION, *(section(name, heading) for name, heading in SECTIONS.items())])
    (DOCS / "results.md").write_text(text)
    put(ROOT / "README.md", "results", readme_table())
    page = DOCS / "when_not.md"
    put(page, "long_tail", readme_table(MORE_LINES))
    put(page, "tables", importlib.import_module("tables").brief(largest("tables")[1]))
    put(page, "choice", section("choice", SECTIONS["choice"]).split("\n\n", 1)[1])
    print(f"Wrote {DOCS / 'results.md'}, and the tables in README.md and {page}")
