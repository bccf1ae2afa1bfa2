"""Code in the documentation is real: quoted source is in the tree, examples in docstrings run."""

import doctest
import importlib
import pkgutil
import re
from pathlib import Path

import pytest

import skgan

ROOT = Path(__file__).parent.parent
PAGES = [
    ROOT / "README.md",
    *(page for where in ("", "guide", "reports") for page in sorted((ROOT / "docs" / where).glob("*.md"))),
]
BUILT = ("auto_gallery", "generated")  # folders of docs that are made with the site
QUOTES = [
    (path.name, *block.split("\n", 1))
    for path in PAGES
    for block in re.findall(r"```python\n# ((?:skgan|tests)/.*?)\n```", path.read_text(), re.DOTALL)
]
MODULES = [
    name
    for _, name, _ in pkgutil.walk_packages(skgan.__path__, "skgan.")
    if ">>>" in Path(str(importlib.import_module(name).__file__)).read_text()
]


def test_there_are_quotes_and_examples():
    assert len(QUOTES) >= 5
    assert len(MODULES) >= 3


@pytest.mark.parametrize(("page", "source", "code"), QUOTES, ids=lambda value: value[:30])
def test_quoted_source_is_in_the_tree(page, source, code):
    assert code in (ROOT / source).read_text(), f"docs/{page} quotes {source} as it no longer is"


@pytest.mark.parametrize("name", MODULES)
def test_docstring_examples_run(name):
    result = doctest.testmod(importlib.import_module(name))
    assert result.attempted > 0
    assert result.failed == 0


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.name)
def test_links_between_pages_lead_somewhere(page):
    for target in re.findall(r"\]\((?!http)([^)#]+)", page.read_text()):
        assert target.startswith(BUILT) or page.parent.joinpath(target).exists(), f"{page.name} links to {target}"


def test_the_api_page_has_every_public_name():
    page = (ROOT / "docs" / "api.md").read_text()
    listed = set(re.findall(r"^   (\w+)$", page, re.MULTILINE))
    public = {
        *skgan.__all__,
        *skgan.presets.__all__,
        *skgan.modules.__all__,
        *skgan.callbacks.__all__,
        *skgan.datasets.__all__,
    }
    public |= {*skgan.nets.__all__, *skgan.embedding.__all__, *skgan.exceptions.__all__} - {"NO_PARENT"}
    assert public - listed == set()


def test_the_summary_takes_its_numbers_from_the_results():
    docs = ROOT / "docs"
    results = (docs / "results.md").read_text()
    for number in re.findall(r"\d+\.\d", (docs / "results_summary.md").read_text()):
        assert number in results, f"docs/results_summary.md has {number}, which docs/results.md no longer has"
