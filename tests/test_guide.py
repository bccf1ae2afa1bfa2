"""Every example of the guides and of the pitfalls page runs, page by page from top to bottom, with a few training steps."""

import re
from pathlib import Path

import joblib
import numpy as np
import pytest
import sklearn
from sklearn.datasets import load_digits, make_classification
from sklearn.model_selection import train_test_split

from skgan import CNNClassifier
from skgan.samplers import _build

DOCS = Path(__file__).parent.parent / "docs"


def blocks(page: str):
    text = (DOCS / page).read_text()
    for section in re.split(r"\n(?=## )", text)[1:]:
        yield section.split("\n", 1)[0], re.findall(r"```python\n(.*?)```", section, re.DOTALL)


@pytest.fixture
def names():
    """What the examples take for granted: the reader's own data."""
    rng = np.random.RandomState(0)
    bunch = load_digits()
    kept = np.flatnonzero(bunch.target < 4)[:160]
    images, digits = bunch.images[kept].astype(np.uint8)[:, None] * 15, bunch.target[kept]
    few = np.concatenate([np.flatnonzero(digits < 3), np.flatnonzero(digits == 3)[:9]])
    images, digits = images[few], digits[few]
    rows, labels = make_classification(150, 4, n_informative=3, n_redundant=0, weights=[0.8], random_state=0)
    y = np.where(digits == 3, "rare", "common")
    X_train, X_held_out, y_train, y_held_out = train_test_split(images, y, random_state=0, stratify=y)
    new = rng.randint(len(X_train), size=40)
    redshift = rng.uniform(0.01, 0.3, len(images))
    return {
        **{"np": np, "images": images, "digits": digits, "X": images, "y": y, "rows": rows, "labels": labels},
        **{"kinds": rng.choice(["u", "v"], len(rows)), "patients": np.arange(len(rows)) // 2},
        **{"X_train": X_train, "y_train": y_train, "X_held_out": X_held_out, "y_held_out": y_held_out},
        **{"X_new": X_train[new], "y_new": y_train[new], "X_test": X_held_out},
        **{"redshift": redshift, "nearby": (redshift < 0.1).astype(int)},
    }


@pytest.fixture(autouse=True)
def quick(monkeypatch, tmp_path):
    """Few steps, and a folder of its own for what examples write."""
    prepared, fit = _build.prepared, CNNClassifier.fit
    monkeypatch.setattr(_build, "prepared", lambda *arguments: prepared(*arguments).set_params(max_steps=2))
    monkeypatch.setattr(CNNClassifier, "fit", lambda self, *a, **k: fit(self.set_params(max_updates=2), *a, **k))
    monkeypatch.chdir(tmp_path)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("page", ["user_guide.md", "photographs.md", "pitfalls.md", "own_network.md"])
def test_examples_run(page, names):
    with sklearn.config_context(), joblib.parallel_config(backend="sequential"):  # workers would train in earnest
        for heading, examples in blocks(page):
            for code in examples:
                try:
                    exec(compile(code, f"{page}, {heading}", "exec"), names)
                except Exception as error:
                    raise AssertionError(f"An example of {page}, {heading!r}, fails: {error!r}\n{code}") from error


def test_every_section_of_the_guide_has_an_example():
    assert [heading for heading, examples in blocks("user_guide.md") if not examples] == []
