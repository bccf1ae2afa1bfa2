"""The table of docs/same_numbers.md: which circumstances change new rows, and by how much."""

import json
import os
import subprocess
import sys
from pathlib import Path

import joblib
import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.datasets import make_classification

import skgan
from skgan import GANOverSampler
from skgan.presets import mlp_gan
from skgan.samplers import _training

PAGE = Path(__file__).parent.parent / "docs" / "same_numbers.md"
X, Y = make_classification(90, 4, n_informative=3, n_redundant=0, weights=[0.8], random_state=0)
SAME, NEAR, OTHER = "bit for bit", "within a tolerance", "another result"
WITHIN = 1e-3
"""Of the columns' standard deviations, after the 20 steps of these trainings; it grows with the steps."""


def rows(X=X, y=Y, **params) -> np.ndarray:
    sampler = GANOverSampler(**{"max_steps": 20, "random_state": 0, **params})
    return np.asarray(sampler.fit_resample(X, y)[0], dtype=np.float64)[len(Y) :]


def in_process(**environment: str) -> np.ndarray:
    """Rows of a process of its own."""
    code = "import json; from test_same_numbers import rows; print(json.dumps(rows().tolist()))"
    variables = {**os.environ, "PYTHONPATH": os.pathsep.join([str(Path(__file__).parent), *sys.path]), **environment}
    run = subprocess.run([sys.executable, "-W", "ignore", "-c", code], env=variables, capture_output=True, text=True)
    assert not run.returncode, run.stderr
    return np.array(json.loads(run.stdout.splitlines()[-1]))


def with_threads(n: int) -> np.ndarray:
    before = torch.get_num_threads()
    torch.set_num_threads(n)
    try:
        return rows(net=mlp_gan(alpha=4), max_steps=5)
    finally:
        torch.set_num_threads(before)


def per_class(n_jobs=None, backend="loky") -> np.ndarray:
    """Of nets that are not trained side by side."""
    with joblib.parallel_config(backend=backend):
        return rows(net="vae", per_class=True, n_jobs=n_jobs)


def side_by_side(most: int) -> np.ndarray:
    before, _training.SIDE_BY_SIDE = _training.SIDE_BY_SIDE, most
    try:
        return rows(sampling_strategy={0: 90, 1: 90}, net=mlp_gan(alpha=1), per_class=True)
    finally:
        _training.SIDE_BY_SIDE = before


def from_memory(folder: Path) -> np.ndarray:
    first = rows(memory=folder)
    assert list(folder.rglob("*.safetensors"))
    np.testing.assert_array_equal(first, rows(memory=folder))
    return first


def sampled(folder: Path, kept: bool) -> np.ndarray:
    sampler = GANOverSampler(max_steps=20, random_state=0)
    sampler.fit_resample(X, Y)
    if kept:
        sampler.save(folder / "sampler")
        sampler = skgan.load(folder / "sampler")
    return sampler.sample({1: 30})[0]


ORDER = np.random.RandomState(0).permutation(len(Y))
CASES = {  # what differs → kind, and two results given a folder
    "the process, and the seed of Python's hashes": (SAME, lambda folder: (rows(), in_process(PYTHONHASHSEED="1"))),
    "`n_jobs`": (SAME, lambda folder: (per_class(), per_class(n_jobs=2))),
    "joblib's backend": (SAME, lambda folder: (per_class(), per_class(2, "threading"))),
    "`memory=`, new or read": (SAME, lambda folder: (rows(), from_memory(folder / "memory"))),
    "saved and loaded": (SAME, lambda folder: (sampled(folder, False), sampled(folder, True))),
    "`verbose`": (SAME, lambda folder: (rows(), rows(verbose=1))),
    "the container: DataFrame, list": (SAME, lambda folder: (rows(), rows(pd.DataFrame(X), pd.Series(Y)))),
    "the names of classes, in the same order": (SAME, lambda folder: (rows(), rows(y=np.array(["a", "b"])[Y]))),
    "the number of threads": (NEAR, lambda folder: (with_threads(1), with_threads(2))),
    "float32 instead of float64": (NEAR, lambda folder: (rows(), rows(X.astype(np.float32)))),
    "nets of classes side by side, or each alone": (NEAR, lambda folder: (side_by_side(64), side_by_side(1))),
    "the order of rows": (OTHER, lambda folder: (rows(), rows(X[ORDER], Y[ORDER]))),
    "the order of columns": (OTHER, lambda folder: (rows(), rows(X[:, ::-1])[:, ::-1])),
    "`per_class`": (OTHER, lambda folder: (rows(net="vae"), per_class())),
    "`random_state`": (OTHER, lambda folder: (rows(), rows(random_state=1))),
}


def table() -> str:
    """As it stands in the page."""
    lines = [f"| {what} | {kind} |" for what, (kind, _) in CASES.items()]
    return "\n".join(["| what differs | new rows |", "|---|---|", *lines])


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("what", CASES)
def test_new_rows_differ_as_the_table_says(what, tmp_path, capsys):
    kind, make = CASES[what]
    first, second = make(tmp_path)
    if kind == SAME:
        np.testing.assert_array_equal(first, second)
    elif kind == NEAR:
        assert (np.abs(first - second) <= WITHIN * X.std(0)).all()
    else:
        assert not np.allclose(first, second, atol=0.01)


def test_the_page_has_the_table():
    assert table() in PAGE.read_text()
