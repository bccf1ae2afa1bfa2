"""``skgan compare``: what it reads, what it prints and writes, and what it refuses before any work."""

import sys

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from sklearn.linear_model import LogisticRegression

from skgan import CNNClassifier, GANOverSampler, _compare_command, _option_checks, cli, compare
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
    for sampler in (BaseGenerativeSampler, GANOverSampler):  # the latter has nets of its own for tables
        monkeypatch.setattr(sampler, "auto_net", lambda self, *_: mlp_gan(alpha=1, max_steps=3, batch_size=8))
    monkeypatch.setitem(_compare_command.ESTIMATORS, "cnn", lambda: CNNClassifier(max_updates=2))


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
        assert "Column 'id' is named like an identifier, and 200 of 200 rows have an integer of their own" in told
        assert "Column 'name' holds a text of its own in 200 of 200 rows" in told
        assert not any(line.startswith("SMOTE") for line in told.splitlines())
        assert "There is no row of SMOTE: values of X are missing, and it takes none that are." in told
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
    cli.main(["compare", str(tmp_path / "photos"), "--size", "8", "--folds", "2", "--embed", "no", "--max-steps", "3"])
    told = capsys.readouterr().out
    assert "18 rows, (1, 8, 8) each; classes: cat (12), dog (6); classifier: cnn." in told
    assert "on this machine." in told
    for row in ("nothing, prior-corrected + augmentation", "GANOverSampler + augmentation"):
        assert row in told
    assert "ConditionalGANAugmenter, prior-corrected + augmentation" in told


def test_what_is_refused_before_any_work(frame, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(_compare_command, "compare", None)
    path = tmp_path / "data.csv"
    frame.to_csv(path, index=False)
    assert "Did you mean 'outcome'?" in refused(capsys, path, "--target", "outcom")
    assert "Name the column of the classes with --target" in refused(capsys, path)
    assert "Did you mean balanced_accuracy" in refused(
        capsys, path, "--target", "outcome", "--scoring", "balanced_acuracy"
    )
    assert "cannot be written" in refused(capsys, path, "--target", "outcome", "--out", tmp_path / "no" / "r.html")
    assert "cannot be written" in refused(capsys, path, "--target", "outcome", "--out", tmp_path)
    assert "OverSamplerCV chooses a sampler by itself" in refused(
        capsys, path, "--target", "outcome", "--sampler", "OverSamplerCV", "--net", "vae"
    )
    assert "--max-steps must be at least 1, got 0." in refused(capsys, path, "--target", "outcome", "--max-steps", "0")
    for options, words in (
        (("--folds", "1"), "--folds must be at least 2, got 1."),
        (("--seed", "-1"), "--seed must be at least 0 and less than 2³², got -1."),
        (("--jobs", "0"), "--jobs must be the number of fits at once, or -1 for one on each core; got 0."),
        (("--max-time", "nan"), "--max-time must be a number above 0, got nan."),
        (("--size", "0"), "--size must be at least 1, got 0."),
        (("--groups", tmp_path / "none.csv"), "none.csv' for --groups."),
        (("--sep", "::"), "--sep must be one character, or tab; got '::'."),
        (("--sep", ";"), "data.csv has one column only if divided by ';'"),
        (("--drop", "outcome"), "--drop outcome would leave out the column of the classes."),
        (("--drop", "names"), "Did you mean 'name'"),
    ):
        assert words in refused(capsys, path, "--target", "outcome", *options)
    assert "invalid choice: 'ofspring'" in refused(capsys, path, "--target", "outcome", "--net", "ofspring")
    assert "takes images" in refused(capsys, path, "--target", "outcome", "--estimator", "cnn")
    assert "no file or folder" in refused(capsys, tmp_path / "nothing.csv", "--target", "y")
    (tmp_path / "data.xlsx").write_text("a")
    assert "is none of .csv" in refused(capsys, tmp_path / "data.xlsx", "--target", "y")
    np.savez(tmp_path / "data.npz", images=np.zeros(3))
    assert "must hold the arrays X and y; it holds 'images'." in refused(capsys, tmp_path / "data.npz")
    (tmp_path / "empty").mkdir()
    assert "holds no class folders" in refused(capsys, tmp_path / "empty")
    for dates in (["2024-01-02"] * 100 + ["2024-02-03"] * 100, pd.date_range("2024", periods=200).astype(str)):
        frame.assign(when=dates).to_csv(path, index=False)
        assert "Column 'when' holds dates" in refused(capsys, path, "--target", "outcome")
    frame[["outcome", "same"]].to_csv(path, index=False)
    assert "No column of data.csv is left to learn from." in refused(capsys, path, "--target", "outcome")


def test_an_interrupted_comparison_ends_in_a_word(frame, tmp_path, capsys, monkeypatch):
    def interrupted(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr(_compare_command, "compare", interrupted)
    frame.to_csv(tmp_path / "data.csv", index=False)
    assert cli.main(["compare", str(tmp_path / "data.csv"), "--target", "outcome"]) == 130
    assert capsys.readouterr().err == "\nInterrupted.\n"


def test_a_score_of_a_later_scikit_learn_is_taken(monkeypatch):
    monkeypatch.setattr(_option_checks, "SCORES", ("accuracy",))
    _option_checks._check_scoring("accuracy")
    with pytest.raises(ValueError, match="--scoring r2 is none of scikit-learn's"):
        _option_checks._check_scoring("r2")
    monkeypatch.setattr(_option_checks, "SCORES_OF", (1, 0))
    _option_checks._check_scoring("r2")


def test_too_few_rows_for_the_folds(frame, tmp_path, capsys):
    frame.loc[0, "outcome"] = "maybe"
    frame.to_csv(tmp_path / "data.csv", index=False)
    assert "Class 'maybe' has 1 row, and 5 folds need 5 of it: no folds can have it" in refused(
        capsys, tmp_path / "data.csv", "--target", "outcome"
    )


@pytest.mark.parametrize(
    ("options", "line"),
    [
        (["--net", "offspring", "--max-steps", "2"], "GANOverSampler (offspring)"),
        (["--max-steps", "2"], "GANOverSampler"),
        (["--sampler", "OverSamplerCV"], "OverSamplerCV"),
    ],
)
def test_which_sampler_and_net_make_the_rows(frame, tmp_path, capsys, options, line):
    path = tmp_path / "data.csv"
    frame[["id", "a", "outcome"]].assign(b=frame["b"].fillna(0.0)).to_csv(path, index=False)
    assert cli.main(["compare", str(path), "--target", "outcome", "--drop", "id", "--folds", "2", *options]) == 0
    told = capsys.readouterr().out
    assert "200 rows, (2,) each" in told
    assert "identifier" not in told  # it was left out by hand
    lines = [row.split("  ")[0] for row in told.splitlines()]
    assert line in lines
    assert "SMOTE" in lines


def test_the_steps_reach_the_net(frame, tmp_path, monkeypatch):
    given = []
    monkeypatch.setattr(_compare_command, "compare", lambda samplers, *_, **__: given.append(samplers) or 1 / 0)
    frame.to_csv(tmp_path / "data.csv", index=False)
    with pytest.raises(ZeroDivisionError):
        cli.main(["compare", str(tmp_path / "data.csv"), "--target", "outcome", "--net", "vae", "--max-steps", "7"])
    sampler = given[0]["GANOverSampler (vae)"]
    assert (sampler.net, sampler.max_steps) == ("vae", 7)


def test_a_score_that_the_labels_do_not_allow_is_refused_with_its_cause(frame, tmp_path, capsys):
    path = tmp_path / "data.csv"
    frame[["a", "outcome"]].to_csv(path, index=False)
    told = refused(capsys, path, "--target", "outcome", "--scoring", "f1")
    assert "scoring='f1' cannot score the 2 classes ['no', 'yes']: pos_label=1 is not a valid label" in told
    assert "Take 'f1_macro', or name the classes 0 and 1, of which 1 is the one that counts." in told
    frame["three"] = np.arange(200) % 3
    frame[["a", "three"]].to_csv(path, index=False)
    assert "Take 'roc_auc_ovr'." in refused(capsys, path, "--target", "three", "--scoring", "roc_auc")
    frame["b"] = (frame["outcome"] == "yes").astype(int)
    frame[["a", "b"]].to_csv(path, index=False)
    assert cli.main(["compare", str(path), "--target", "b", "--folds", "2", "--scoring", "f1"]) == 0


def test_true_and_false_with_blanks_are_classes(frame, tmp_path, capsys):
    target = (frame["outcome"] == "yes").astype(object)
    target[:5] = None
    frame[["a"]].assign(flag=frame["a"] > 0, y=target).to_csv(tmp_path / "data.csv", index=False)
    options = ["--target", "y", "--folds", "2", "--scoring", "f1"]
    assert cli.main(["compare", str(tmp_path / "data.csv"), *options]) == 0
    told = capsys.readouterr().out
    assert "5 rows without a y were left out." in told
    assert "classes: False (" in told


def test_without_matplotlib_a_report_is_refused_before_any_work(frame, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(_compare_command, "compare", None)
    monkeypatch.delitem(sys.modules, "skgan.plotting", raising=False)
    monkeypatch.setitem(sys.modules, "matplotlib.axes", None)
    frame.to_csv(tmp_path / "data.csv", index=False)
    told = refused(capsys, tmp_path / "data.csv", "--target", "outcome", "--out", tmp_path / "report.html")
    assert 'Pictures and reports need matplotlib: pip install "matplotlib>=3.8".' in told


def test_smote_is_missed_with_a_reason_where_a_class_is_too_small():
    rng = np.random.RandomState(0)
    X, y = rng.standard_normal((60, 2)), np.repeat([0, 1, 2], [40, 18, 2])
    result = compare(None, LogisticRegression(), X, y, cv=2, random_state=0)
    assert "SMOTE" not in result.table.index
    assert "There is no row of SMOTE: it needs two rows of each class on every training side." in result.verdict


def test_a_row_without_which_nothing_can_be_compared_tells_its_cause():
    class Broken(LogisticRegression):
        def fit(self, X, y, sample_weight=None):
            raise OSError("the disk is full")

    rng = np.random.RandomState(0)
    with pytest.raises(ValueError, match=r"The row 'nothing' failed in fold 0, .* OSError: the disk is full"):
        compare(None, Broken(), rng.standard_normal((40, 2)), np.arange(40) % 2, cv=2, random_state=0)
