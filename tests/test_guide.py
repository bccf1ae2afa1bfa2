"""Every example of the pages, of the README and of the gallery runs as it is written, with a few training steps."""

import contextlib
import re
import runpy
from pathlib import Path

import joblib
import matplotlib
import pytest
import sklearn

from skgan import CNNClassifier, GenClassClassifier
from skgan.samplers import _build

ROOT = Path(__file__).parent.parent
DOCS = ROOT / "docs"
GUIDE = sorted(f"guide/{path.name}" for path in (DOCS / "guide").glob("*.md") if path.stem != "index")
PAGES = ["../README.md", "getting_started.md", *GUIDE, "photographs.md", "pitfalls.md", "own_network.md"]
GALLERY = sorted(path.stem for path in (DOCS / "gallery").glob("plot_*.py"))


def sections(page: str) -> list[tuple[str, list[str]]]:
    """(heading, examples) of each section; the first is what stands above the first heading."""
    parts = re.split(r"\n(?=## )", (DOCS / page).read_text())
    return [(part.split("\n", 1)[0], re.findall(r"```python\n(.*?)```", part, re.DOTALL)) for part in parts]


@pytest.fixture(autouse=True)
def quick(monkeypatch, tmp_path):
    """Few steps, no workers, and a folder of its own for what examples write."""
    prepared, fit, fit_zero_shot = _build.prepared, CNNClassifier.fit, GenClassClassifier.fit
    monkeypatch.setattr(_build, "prepared", lambda *arguments: prepared(*arguments).set_params(max_steps=2))
    monkeypatch.setattr(CNNClassifier, "fit", lambda self, *a, **k: fit(self.set_params(max_updates=2), *a, **k))
    monkeypatch.setattr(
        GenClassClassifier, "fit", lambda self, *a, **k: fit_zero_shot(self.set_params(max_steps=2), *a, **k)
    )
    monkeypatch.chdir(tmp_path)
    with sklearn.config_context(), joblib.parallel_config(backend="sequential"):  # workers would train in earnest
        yield


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("page", PAGES)
def test_examples_run(page):
    names: dict[str, object] = {}
    for heading, examples in sections(page):
        for code in examples:
            try:
                exec(compile(code, f"{page}, {heading}", "exec"), names)
            except Exception as error:
                raise AssertionError(f"An example of {page}, {heading!r}, fails: {error!r}\n{code}") from error


@pytest.mark.parametrize("page", GUIDE)
def test_every_page_of_the_guide_begins_with_its_data_and_every_section_has_an_example(page):
    assert [heading for heading, examples in sections(page) if not examples] == []
    assert len((DOCS / page).read_text().split()) <= 1500


def test_the_guide_lists_its_pages():
    index = (DOCS / "guide" / "index.md").read_text()
    assert [page for page in GUIDE if f"]({page.removeprefix('guide/')})" not in index] == []


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("script", GALLERY)
def test_gallery_scripts_run(script, monkeypatch):
    """Each draws a picture that sphinx-gallery finds."""
    from matplotlib import pyplot

    matplotlib.use("agg")
    monkeypatch.setattr(joblib, "parallel_config", lambda *arguments, **parameters: contextlib.nullcontext())
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    try:
        runpy.run_path(str(DOCS / "gallery" / f"{script}.py"), run_name="__main__")
        assert pyplot.get_fignums()
    finally:
        pyplot.close("all")
