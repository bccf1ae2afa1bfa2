"""The benchmark of embeddings: its data, its cells and its report."""

import io

import data
import embeddings
import numpy as np
import pandas as pd
import pytest
from PIL import Image


@pytest.fixture
def cifar(tmp_path, monkeypatch):
    """A data folder with 40 + 10 photographs of one colour, four and one of each class."""
    arrays = {}
    for side, n in (("train", 4), ("test", 1)):
        y = np.repeat(np.arange(10), n)
        files = []
        for klass in y:
            file = io.BytesIO()
            Image.new("RGB", (32, 32), (25 * int(klass), 0, 255)).save(file, "JPEG", quality=95)
            files.append(file.getvalue())
        arrays |= {f"jpeg_{side}": np.frombuffer(b"".join(files), np.uint8), f"y_{side}": y.astype(np.uint8)}
        arrays[f"end_{side}"] = np.cumsum([len(file) for file in files])
    np.savez(tmp_path / "cifar10-jpeg.npz", **arrays)
    monkeypatch.setenv("SKGAN_DATA", str(tmp_path))
    data.cifar10.cache_clear()
    yield
    data.cifar10.cache_clear()


def test_photographs_are_decoded_and_cut_to_a_long_tail(cifar):
    images = data.cifar10()
    assert images.x_train.shape == (40, 3, 32, 32)
    assert images.x_test.shape == (10, 3, 32, 32)
    assert images.x_train.dtype == np.uint8
    colours = images.x_train.mean((2, 3))
    np.testing.assert_allclose(
        colours, np.c_[25 * images.y_train, 0 * images.y_train, 255 + 0 * images.y_train], atol=3
    )
    X, y = data.photograph_tail(0, 4, n_most=4)
    assert np.bincount(y).tolist() == [4, 3, 2, 2, 2, 1, 1, 1, 1, 1]
    np.testing.assert_allclose(X.mean((2, 3))[:, 0], 25 * y, atol=3)
    assert not np.array_equal(y, data.photograph_tail(1, 4, n_most=4)[1])


def test_without_photographs_a_sentence_says_what_to_do(tmp_path, monkeypatch):
    monkeypatch.setenv("SKGAN_DATA", str(tmp_path))
    data.cifar10.cache_clear()
    with pytest.raises(SystemExit, match=r"There is no cifar10-jpeg\.npz under \$SKGAN_DATA"):
        data.cifar10()


@pytest.fixture
def run(monkeypatch):
    """A small run on ten classes that lie apart in six columns, in place of the embeddings."""
    rng = np.random.RandomState(0)
    middles = 2 * rng.standard_normal((10, 6))
    y, y_test = np.repeat(np.arange(10), 230), np.repeat(np.arange(10), 20)
    images = data.Images(
        *(part for labels in (y, y_test) for part in (middles[labels] + rng.randn(len(labels), 6), labels))
    )
    monkeypatch.setattr(embeddings, "embedded", lambda *_: images)
    monkeypatch.setattr(embeddings, "STRENGTH", 0.1)  # few columns need a weaker penalty
    for kept in (embeddings.split, embeddings.resampled):
        kept.cache_clear()
    yield embeddings.EmbeddingRun("", ratios=(10,), n_seeds=1, samplers=(embeddings.COPIES,), n_most=30)
    for kept in (embeddings.split, embeddings.resampled):
        kept.cache_clear()


def test_validation_rows_are_none_of_the_tail(run):
    (X, y), judged = embeddings.split(run, 10, 0)
    assert np.bincount(y).tolist() == [30, 23, 17, 13, 10, 8, 6, 5, 3, 3]
    rows, labels = judged["valid"]
    assert np.bincount(labels).tolist() == [200] * 10
    assert not (X[:, None] == rows).all(axis=2).any()


def test_half_and_balance_and_both_rules(run):
    (_, y), _ = embeddings.split(run, 10, 0)
    made = {
        amount: np.bincount(embeddings.resampled(run, 10, 0, embeddings.COPIES, amount)[1])
        for amount in embeddings.AMOUNTS
    }
    assert made["balance"].tolist() == [30] * 10
    np.testing.assert_array_equal(made["half"], np.sqrt(30 * np.bincount(y)).astype(int))
    measured = {tuple(cell.values())[2:]: embeddings.measure(run, **cell) for cell in embeddings.cells(run)}
    values = measured["logistic regression", "nothing", ""]
    assert values["test corrected"] > values["test as predicted"] > 0.1
    for balanced in (("class weights", ""), ("copies", "balance")):
        values = measured["logistic regression", *balanced]
        assert values["test corrected"] == values["test as predicted"]


def test_the_report_has_paired_differences_and_what_validation_rows_recommend():
    cells = [
        {"ratio": 100, "seed": seed, "classifier": "logistic regression", "method": method, "amount": amount}
        | {"valid as predicted": 0.5, "valid corrected": valid, "test as predicted": 0.5 + seed / 100}
        | {"test corrected": test + seed / 100, "seconds of the sampler": 1.0, "date": "2026-11-26"}
        for seed in range(2)
        for method, amount, valid, test in (("nothing", np.nan, 0.7, 0.68), ("SMOTE", "half", 0.6, 0.69))
    ]
    text = embeddings.report(pd.DataFrame(cells))
    assert "### Ratio 100" in text
    line = next(row for row in text.splitlines() if row.startswith("| SMOTE, half"))
    assert "| 69.5 ± 0.5" in line
    assert "| +1.0 ± 0.0" in line
    assert line.split("|")[6].strip() == "2"
    assert (
        "**nothing, corrected**; at ratio 100 it has 68.5 on test images, and the best line there, SMOTE, half, corrected, 69.5"
        in text
    )
    assert "trained on ImageNet" in text
    penalties = [
        {
            "ratio": 100,
            "seed": 0,
            "C": strength,
            "method": method,
            "valid as predicted": 0.5,
            "valid corrected": 0.6 + strength,
        }
        for strength in (0.01, 0.1)
        for method in ("nothing", "SMOTE")
    ]
    text = embeddings.penalty_report(pd.DataFrame(penalties))
    assert next(row.split() for row in text.splitlines() if row.startswith("| 0.1 "))[3] == "70.0"
