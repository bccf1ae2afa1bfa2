"""Turn the CSVs of finished benchmarks into the tables and pictures of docs/results.md, and the figures of other pages.

    python benchmarks/report.py [--check]

``--check`` writes nothing: it names what stands in a page and is not what the CSVs say, and fails if there is any.

Each benchmark has a function ``report(results) -> str`` (markdown; pictures are written by it into ``docs/images``). For every
benchmark the largest budget that has a CSV is shown; a benchmark without one says how to run it. docs/reports.md and sentences
of other pages have figures of the default budget (``figures.py``, ``claims.py``).
"""

import argparse
import contextlib
import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

import choice
import claims
import convergence
import critic_loss
import embeddings
import families
import few_photos
import figures
import galaxies
import long_tail
import missing_class
import mixing_ratio
import net_pictures
import pandas as pd
import photographs
import privacy
import regret
import scale
import tables
import teaching
import transfer
import translation
import zero_shot
from harness import DOCS, largest, of_budget, with_error, without_pictures
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
    "stopped": Section(
        "The MNIST report's classifier, stopped on a development set",
        "mixing_ratio.py --parts stopped",
        mixing_ratio.report_stopped,
    ),
    "recursive": Section("Recursive training", "mixing_ratio.py --parts recursive", mixing_ratio.report_recursive),
    "families": Section("Families of nets", "families.py", families.report),
    "families_cheaper": Section(
        "Penalties in every fourth update, and fakes used twice",
        "families.py --parts families_cheaper",
        families.report_cheaper,
    ),
    "net_pictures": Section("What each net makes", "net_pictures.py --parts net_pictures", net_pictures.report),
    "progan_64": Section("ProGAN at 64 px", "net_pictures.py --parts progan_64", net_pictures.report_large),
    "critic_loss": Section("Does a loss tell how good the rows are?", "critic_loss.py", critic_loss.report),
    "missing_class": Section(
        "A class that is almost gone: the imbalance report", "missing_class.py", missing_class.report
    ),
    "missing_fives": Section(
        "Fives that are almost gone: the imbalance report's own case",
        "missing_class.py --parts missing_fives",
        missing_class.report_fives,
    ),
    "few_photos": Section("Eighty-two photographs: the photo report", "few_photos.py", few_photos.report),
    "few_photos_animals": Section(
        "Eighty-two horses and deer: the photo report on photographs of animals",
        "few_photos.py --parts few_photos_animals",
        few_photos.report_animals,
    ),
    "few_photos_128": Section(
        "Horses and deer at 128 px: the photo report's size",
        "few_photos.py --parts few_photos_128",
        few_photos.report_enlarged,
    ),
    "translation": Section(
        "Translations between classes and cameras", "translation.py --parts translation", translation.report
    ),
    "translation_classifier": Section(
        "A classifier for another camera",
        "translation.py --parts translation_classifier",
        translation.report_classifier,
    ),
    "transfer": Section("Transfer to classes of a few rows", "transfer.py", transfer.report),
    "privacy": Section("What new rows give away", "privacy.py", privacy.report),
    "zero_shot": Section("Classes without a row", "zero_shot.py --parts zero_shot", zero_shot.report),
    "zero_shot_28": Section("Classes without a row, at 28 px", "zero_shot.py --parts zero_shot_28", zero_shot.report),
    "teaching": Section("Generated rows that teach", "teaching.py --parts teaching", teaching.report),
    "architecture_search": Section(
        "Architectures chosen on generated rows", "teaching.py --parts architecture_search", teaching.report_search
    ),
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
    cards = "".join(f", {card}" for card in sorted(set(results.get("device", [])) - {"CPU"}))
    return f"## {heading}\n\n`python benchmarks/{command}{flag}`, {when}{cards}.\n\n{report(results)}\n"


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


def put(page: str, name: str, text: str) -> str:
    """The page with this text between two of its comments."""
    begin, end = f"<!-- {name}:begin -->", f"<!-- {name}:end -->"
    head, tail = page.split(begin)[0], page.split(end)[1]
    return f"{head}{begin}\n{text}\n{end}{tail}"


def pages() -> dict[Path, str]:
    """Every page that has figures of CSVs, as it should be; what was not run yet stays as it is."""
    readme, when_not, of_tables = ROOT / "README.md", DOCS / "when_not.md", DOCS / "when_not_tables.md"
    texts = {path: path.read_text() for path in (readme, when_not, of_tables)}

    def fill(path: Path, name: str, text: str) -> None:
        texts[path] = put(texts[path], name, text)

    texts[DOCS / "results.md"] = "\n".join([INTRODUCTION, *map(section, SECTIONS)])
    texts |= {DOCS / name: text for name, text in figures.five_reports().items()}
    fill(when_not, "long_tail", long_tails(MORE_LINES))
    fill(of_tables, "choice", section("choice").split("\n\n", 1)[1])
    with contextlib.suppress(FileNotFoundError):
        images = largest("photographs")[1]
        fill(readme, "results", photographs.short(images, photographs.BRIEF))
        fill(when_not, "photographs", photographs.short(images))
    with contextlib.suppress(FileNotFoundError):
        results = largest("tables_report")[1]
        sets = {"13 tables, not chosen on": results, "35 tables, chosen on": of_budget("tables_select", "default")}
        date = f"`python benchmarks/tables.py`, {results['date'].max()}."
        fill(when_not, "tables", tables.brief(results))
        fill(of_tables, "corrected", f"{tables.over_corrected(sets)}\n\n{date}")
        fill(readme, "tables", tables.short(results))
        tables.draw(results)
    return texts


def sections_of(page: str) -> dict[str, str]:
    """Heading of the second level → what stands below it."""
    parts = re.split(r"^## (.+)$", page, flags=re.MULTILINE)
    return dict(zip(("the top", *parts[1::2]), parts[::2], strict=True))


def differences() -> list[str]:
    """A sentence for every section of a page, and every figure in its prose, that is not what the CSVs say."""
    found = []
    with without_pictures():
        wanted = pages()
    for path, text in wanted.items():
        is_there, should_be = sections_of(path.read_text() if path.exists() else ""), sections_of(text)
        found += [
            f"{path.relative_to(ROOT)}: the section {heading!r} is not what the CSVs say."
            for heading in dict.fromkeys((*is_there, *should_be))
            if is_there.get(heading) != should_be.get(heading)
        ]
    return found + claims.untrue()


def main() -> None:
    """Write the pages, or check them."""
    parser = argparse.ArgumentParser(description="The pages with figures of the benchmarks, from their CSVs.")
    parser.add_argument(
        "--check", action="store_true", help="write nothing, and fail where a page differs from the CSVs"
    )
    if parser.parse_args().check:
        found = differences()
        if found:
            raise SystemExit(
                "\n".join([*found, "Run `python benchmarks/report.py`, and read the prose beside the figures."])
            )
        print("Every figure is that of its CSV.")
        return
    for path, text in pages().items():
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
        print(f"Wrote {path.relative_to(ROOT)}")
    for sentence in claims.untrue():
        print(sentence)


if __name__ == "__main__":
    main()
