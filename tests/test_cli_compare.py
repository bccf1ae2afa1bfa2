"""``skgan compare``: what it reads, what it prints and writes, and what it refuses before any work."""

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from skgan import cli
from skgan.presets import mlp_gan
from skgan.samplers import BaseGenerativeSampler


@pytest.fixture
def frame():
    rng = np.random.RandomState(0)
    y = rng.uniform(size=200) < 0.25
    return pd.DataFrame(
        {
            "id": np.arange(200),
            "name": [f"row {i}" for i in range(200)],
            "same": 1,
            "a": rng.standard_normal(200) + 2 * y,
            "b": np.where(rng.uniform(size=200) < 0.1, np.nan, rng.standard_normal(200)),
            "kind": rng.choice(["u", "v"], 200),
            "outcome": np.where(y, "yes", "no"),
        }
    )


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    """A net that trains in milliseconds."""
    monkeypatch.setattr(BaseGenerativeSampler, "auto_net", lambda self, *_: mlp_gan(alpha=1, max_steps=3, batch_size=8))
    monkeypatch.setitem(cli.ESTIMATORS, "cnn", lambda: cli.CNNClassifier(max_updates=2))


def refused(capsys, *arguments):
    with pytest.raises(SystemExit) as stop:
        cli.main(["compare", *map(str, arguments)])
    assert stop.value.code == 2
    return capsys.readouterr().err


@pytest.mark.parametrize("suffix", [".csv", ".npz"])
def test_tables(frame, tmp_path, capsys, suffix):
    path = tmp_path / f"data{suffix}"
    if suffix == ".csv":
        frame.to_csv(path, index=False)
    else:
        np.savez(path, X=frame[["a"]].to_numpy(), Y=frame["outcome"].to_numpy(dtype=str))
    out = tmp_path / "report.html"
    options = ["--target", "outcome", "--folds", "3", "--out", str(out)]
    assert cli.main(["compare", str(path), *options]) == 0
    told = capsys.readouterr().out
    for words in ("classes: no (", "nothing, prior-corrected", "class weights", "copies", "GANOverSampler", "Report:"):
        assert words in told
    if suffix == ".csv":
        assert "Column 'same' has one value only" in told
        assert "Column 'id' names every row" in told
        assert "Column 'name' names every row" in told
        assert "SMOTE" not in told  # values are missing
    assert out.read_text().startswith("<!doctype html>")


def test_other_classifiers_groups_and_rows_without_a_label(frame, tmp_path, capsys):
    frame.loc[:4, "outcome"] = None
    frame.to_csv(tmp_path / "data.csv", index=False)
    pd.DataFrame({"g": np.arange(195) // 3}).to_csv(tmp_path / "groups.csv", index=False)
    options = ["--target", "outcome", "--folds", "2", "--estimator", "knn", "--groups", str(tmp_path / "groups.csv")]
    cli.main(["compare", str(tmp_path / "data.csv"), *options])
    assert "5 rows without a outcome were left out." in capsys.readouterr().out
    pd.DataFrame({"g": [1, 2]}).to_csv(tmp_path / "groups.csv", index=False)
    assert "2 groups, and there are 195 rows" in refused(capsys, tmp_path / "data.csv", *options)


def test_a_folder_of_images(tmp_path, capsys):
    rng = np.random.RandomState(0)
    for name, n in (("cat", 12), ("dog", 6)):
        (tmp_path / "photos" / name).mkdir(parents=True)
        for i in range(n):
            Image.fromarray(rng.randint(0, 256, (9, 12), dtype=np.uint8)).save(tmp_path / "photos" / name / f"{i}.png")
    cli.main(["compare", str(tmp_path / "photos"), "--size", "8", "--folds", "2"])
    told = capsys.readouterr().out
    assert "18 rows, (1, 8, 8) each; classes: cat (12), dog (6); classifier: cnn." in told
    assert "GANOverSampler + augmentation" in told


def test_what_is_refused_before_any_work(frame, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(cli, "compare", None)
    path = tmp_path / "data.csv"
    frame.to_csv(path, index=False)
    assert "Did you mean 'outcome'?" in refused(capsys, path, "--target", "outcom")
    assert "Name the column of the classes with --target" in refused(capsys, path)
    assert "Did you mean balanced_accuracy" in refused(
        capsys, path, "--target", "outcome", "--scoring", "balanced_acuracy"
    )
    assert "cannot be written" in refused(capsys, path, "--target", "outcome", "--out", tmp_path / "no" / "r.html")
    assert "cannot be written" in refused(capsys, path, "--target", "outcome", "--out", tmp_path)
    assert "takes images" in refused(capsys, path, "--target", "outcome", "--estimator", "cnn")
    assert "no file or folder" in refused(capsys, tmp_path / "nothing.csv", "--target", "y")
    (tmp_path / "data.txt").write_text("a")
    assert "is none of .csv" in refused(capsys, tmp_path / "data.txt", "--target", "y")
    np.savez(tmp_path / "data.npz", images=np.zeros(3))
    assert "must hold the arrays X and y; it holds images" in refused(capsys, tmp_path / "data.npz")
    (tmp_path / "empty").mkdir()
    assert "holds no class folders" in refused(capsys, tmp_path / "empty")
    for dates in (["2024-01-02"] * 100 + ["2024-02-03"] * 100, pd.date_range("2024", periods=200).astype(str)):
        frame.assign(when=dates).to_csv(path, index=False)
        assert "Column 'when' holds dates" in refused(capsys, path, "--target", "outcome")
    frame[["outcome", "same"]].to_csv(path, index=False)
    assert "No column is left" in refused(capsys, path, "--target", "outcome")


def test_too_few_rows_for_the_folds(frame, tmp_path, capsys):
    frame.loc[0, "outcome"] = "maybe"
    frame.to_csv(tmp_path / "data.csv", index=False)
    assert "use fewer folds" in refused(capsys, tmp_path / "data.csv", "--target", "outcome")
