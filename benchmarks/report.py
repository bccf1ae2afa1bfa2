"""Turn the CSVs of finished benchmarks into the tables and pictures of docs/results.md, and README's first table.

    python benchmarks/report.py

Each benchmark has a function ``report(results) -> str`` (markdown; pictures are written by it into ``docs/images``).
For every benchmark the largest budget that has a CSV is shown; a benchmark without one says how to run it.
"""

import contextlib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

import choice
import convergence
import critic_loss
import embeddings
import families
import few_photos
import galaxies
import long_tail
import missing_class
import mixing_ratio
import pandas as pd
import photographs
import regret
import scale
import tables
import teaching
import transfer
import translation
import zero_shot
from harness import DOCS, largest, of_budget, with_error
from overhead import costs


class Section(NamedTuple):
    """A benchmark's place in docs/results.md: its heading, the command that measures it, and its report."""

    heading: str
    command: str
    report: Callable[[pd.DataFrame], str]
    csv: tuple[str, str] | None = None
    """Benchmark and budget; None is the section's name and the largest budget."""


SECTIONS = {
    "overhead": Section("What it costs", "overhead", costs.report),
    "scale": Section("How cost grows", "scale.py", scale.report_with_picture),
    "tables_report": Section("Imbalanced tables", "tables.py --parts tables_report", tables.report_with_picture),
    "tables_select": Section(
        "Imbalanced tables on which defaults are chosen",
        "tables.py --parts tables_select",
        tables.report,
        ("tables_select", "default"),
    ),
    "tables_worst": Section(
        "More folds of the tables on which defaults are chosen, as far as they are finished",
        "tables.py --parts tables_select",
        tables.report,
        ("tables_select", "full"),
    ),
    "regret": Section("What a choice loses", "regret.py", regret.report),
    "tables_generators": Section("Generators of whole tables", "tables.py --parts tables_generators", tables.report),
    "photographs": Section("Photographs", "photographs.py --parts photographs", photographs.report),
    "photographs_choice": Section(
        "Photographs: what was chosen by, on training rows",
        "photographs.py --parts photographs_choice",
        photographs.report,
    ),
    "photographs_offspring": Section(
        "What offspring of photographs are like",
        "photographs.py --parts photographs_offspring",
        photographs.report_offspring,
    ),
    "photographs_speed": Section(
        "What a step on photographs costs", "photographs.py --parts photographs_speed", photographs.report_speed
    ),
    "embeddings": Section("Embeddings of photographs", "embeddings.py --parts embeddings", embeddings.report),
    "embeddings_penalty": Section(
        "Embeddings: the penalty, on training rows",
        "embeddings.py --parts embeddings_penalty",
        embeddings.penalty_report,
    ),
    "embeddings_grey": Section(
        "Embeddings of grey images", "embeddings.py --parts embeddings_grey", embeddings.grey_report
    ),
    "long_tail": Section("Long-tailed images", "long_tail.py", long_tail.report),
    "offspring_rows": Section(
        "What offspring are like", "long_tail.py --parts offspring_rows", long_tail.report_offspring
    ),
    "filters": Section("Row filters", "long_tail.py --parts filters", long_tail.report_filters),
    "choice": Section("When cross-validation chooses", "choice.py", choice.report),
    "mixing_ratio": Section(
        "How much synthetic data: the MNIST report, as published and corrected", "mixing_ratio.py", mixing_ratio.report
    ),
    "recursive": Section("Recursive training", "mixing_ratio.py --parts recursive", mixing_ratio.report_recursive),
    "families": Section("Families of nets", "families.py", families.report),
    "families_cheaper": Section(
        "Penalties in every fourth update, and fakes used twice",
        "families.py --parts families_cheaper",
        families.report_cheaper,
    ),
    "critic_loss": Section("Does a loss tell how good the rows are?", "critic_loss.py", critic_loss.report),
    "missing_class": Section(
        "A class that is almost gone: the imbalance report", "missing_class.py", missing_class.report
    ),
    "few_photos": Section("Eighty-two photographs: the photo report", "few_photos.py", few_photos.report),
    "translation": Section("Translations between classes and cameras", "translation.py", translation.report),
    "transfer": Section("Transfer to classes of a few rows", "transfer.py", transfer.report),
    "zero_shot": Section("Classes without a row", "zero_shot.py", zero_shot.report),
    "teaching": Section("Generated rows that teach", "teaching.py", teaching.report),
    "galaxies": Section("Real-valued labels: galaxies", "galaxies.py", galaxies.report),
    "convergence": Section("The laboratory: what makes training converge", "convergence.py", convergence.report),
}
ROOT = Path(__file__).parent.parent
IN_WORDS = {"random": "random over-sampling", long_tail.FREE: "nothing, prior-corrected probabilities"}  # for readers
MORE_LINES = (  # of docs/when_not.md
    *("nothing", long_tail.FREE, "class weights", "random", "SMOTE", long_tail.GAN, long_tail.EVERY),
    *("offspring only", "conditional dcgan", "autoencoder + latent SMOTE"),
)

INTRODUCTION = """# Results

Written by `python benchmarks/report.py` from the CSVs in `benchmarks/results`; every table names the command and the
dates of its cells. Do not edit by hand.
"""


def section(name: str) -> str:
    """Heading, provenance and the benchmark's own report."""
    heading, command, report, csv = SECTIONS[name]
    try:
        budget, results = largest(name) if csv is None else (csv[1], of_budget(*csv))
    except FileNotFoundError:
        return f"## {heading}\n\nNot run yet: `python benchmarks/{command}`.\n"
    dates = sorted(results["date"].unique())
    flag = "" if budget == "default" else f" --{budget}"
    when = dates[0] if len(dates) == 1 else f"{dates[0]} to {dates[-1]}"
    return f"## {heading}\n\n`python benchmarks/{command}{flag}`, {when}.\n\n{report(results)}\n"


def long_tails(methods: Sequence[str]) -> str:
    """Mean recall on both long tails after 800 updates, without and with augmentation of every row."""
    budget, results = largest("long_tail")
    results = long_tail.finished(results[results["updates"] == 800])
    columns = {
        f"{dataset}{suffix}": (dataset, suffix)
        for dataset in results["dataset"].unique()
        for suffix in ("", " + augmentation")
    }
    lines = []
    for method in (m for m in methods if m in set(results["method"])):
        line = {"new rows from": IN_WORDS.get(method, method)}
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
    text = "\n".join([INTRODUCTION, *map(section, SECTIONS)])
    (DOCS / "results.md").write_text(text)
    page, of_tables = DOCS / "when_not.md", DOCS / "when_not_tables.md"
    put(page, "long_tail", long_tails(MORE_LINES))
    with contextlib.suppress(FileNotFoundError):  # not run yet: the pages keep what they have
        images = largest("photographs")[1]
        put(ROOT / "README.md", "results", photographs.short(images, photographs.BRIEF))
        put(page, "photographs", photographs.short(images))
    with contextlib.suppress(FileNotFoundError):  # not run yet: the page keeps what it has
        results = largest("tables_report")[1]
        put(page, "tables", tables.brief(results))
        put(ROOT / "README.md", "tables", tables.short(results))
        sets = {"13 tables, not chosen on": results, "35 tables, chosen on": of_budget("tables_select", "default")}
        put(
            of_tables,
            "corrected",
            f"{tables.over_corrected(sets)}\n\n`python benchmarks/tables.py`, {results['date'].max()}.",
        )
        tables.draw(results)
    put(of_tables, "choice", section("choice").split("\n\n", 1)[1])
    print(f"Wrote {DOCS / 'results.md'}, and the tables in README.md, {page} and {of_tables}")
