"""``skgan compare``: a test file, folds in time, a dry run, and the figures as JSON."""

import json

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from skgan import GANOverSampler, _compare_command, cli
from skgan._time_order import in_time
from skgan.presets import mlp_gan


@pytest.fixture
def frame():
    rng = np.random.RandomState(0)
    y = rng.uniform(size=200) < 0.25
    return pd.DataFrame(
        {
            "id": np.arange(200),
            "a": rng.standard_normal(200) + 2 * y,
            "b": rng.standard_normal(200),
            "kind": rng.choice(["u", "v"], 200),
            "when": pd.date_range("2024-01-01", periods=200).strftime("%Y-%m-%d"),
            "outcome": np.where(y, "yes", "no"),
        }
    )


@pytest.fixture
def files(frame, tmp_path):
    """Rows to train on, and rows to judge by without the time."""
    frame = frame.drop(columns="when")
    frame.iloc[:140].to_csv(tmp_path / "train.csv", index=False)
    frame.iloc[140:].assign(id=np.arange(60)).to_csv(tmp_path / "test.csv", index=False)
    return tmp_path / "train.csv", tmp_path / "test.csv"


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    """A net that trains in milliseconds."""
    monkeypatch.setattr(GANOverSampler, "auto_net", lambda self, *_: mlp_gan(alpha=1, max_steps=3, batch_size=8))


def run(capsys, *arguments):
    assert cli.main(["compare", *map(str, arguments), "--target", "outcome"]) == 0
    return capsys.readouterr().out


def refused(capsys, *arguments):
    with pytest.raises(SystemExit) as stop:
        cli.main(["compare", *map(str, arguments)])
    assert stop.value.code == 2
    return " ".join(capsys.readouterr().err.split())


def test_rows_of_a_second_file_judge(files, tmp_path, capsys):
    train, test = files
    out, figures = tmp_path / "report.html", tmp_path / "report.json"
    told = run(capsys, train, "--test", test, "--out", out, "--json", figures)
    assert "One split: trained on train.csv (140 rows), judged on test.csv (60 rows)." in told
    assert "200 rows, (3,) each" in told  # the identifier, which starts anew in the second file, is left out
    assert "This is one split: its intervals are a bootstrap over the test rows" in told
    assert "in one split are" in told
    found = json.loads(figures.read_text())
    assert found["about"]["file"] == "train.csv, test.csv"
    assert found["about"]["classifier"] == "logistic"
    assert found["about"]["split"].startswith("one split: trained on train.csv")
    assert np.sum(found["confusion_matrices"]["nothing"]) == 60
    assert {line["fold"] for line in found["folds"]} == {0}
    assert found["table"][0]["standard_error"] is None
    assert found["choice"] == ""
    for line in found["differences"]:
        assert line["low"] <= line["difference"] <= line["high"]
    page = out.read_text()
    assert "<dt>Data</dt><dd>train.csv, test.csv</dd>" in page
    assert "bootstrap over the test rows" in page


def test_a_second_file_that_does_not_match_is_refused(files, frame, tmp_path, capsys, monkeypatch):
    train, test = files
    monkeypatch.setattr(_compare_command, "compare", None)
    rows = pd.read_csv(test)
    for other, words in (
        (
            rows.drop(columns="b"),
            "test.csv has no column 'b', and train.csv has: both files must have the same columns",
        ),
        (rows.assign(new=1), "train.csv has no column 'new', and test.csv has"),
        (rows.assign(b="high"), "Column 'b' holds numbers in train.csv and text in test.csv (such as 'high')"),
        (rows.assign(kind=1.5), "Column 'kind' holds text in train.csv and numbers in test.csv (such as "),
        (rows.assign(outcome="maybe"), "test.csv has rows of the classes 'maybe', and train.csv has none"),
        (rows[rows["outcome"] == "no"], "train.csv has rows of the classes 'yes', and test.csv has none"),
        (rows.rename(columns={"outcome": "y"}), "There is no column 'outcome'"),
    ):
        other.to_csv(test, index=False)
        assert words in refused(capsys, train, "--test", test, "--target", "outcome")
    rows.to_csv(test, index=False)
    for options, words in (
        (("--folds", "3"), "--test has one split, that of the two files, and --folds cuts others"),
        (("--time", "a"), "not allowed with argument"),
        (("--groups", test), "not allowed with argument"),
    ):
        assert words in refused(capsys, train, "--target", "outcome", "--test", test, *options)
    assert "is the data to train on" in refused(capsys, train, "--target", "outcome", "--test", train)
    assert "There is no file or folder" in refused(capsys, train, "--target", "outcome", "--test", tmp_path / "no.csv")
    np.savez(tmp_path / "test.npz", X=np.zeros((4, 2)), y=[0, 1, 0, 1])
    np.savez(tmp_path / "train.npz", X=np.zeros((4, 3)), y=[0, 1, 0, 1])
    assert "must both be tables" in refused(capsys, train, "--target", "outcome", "--test", tmp_path / "test.npz")
    assert "The rows of test.npz have shape (2,)" in refused(
        capsys, tmp_path / "train.npz", "--test", tmp_path / "test.npz"
    )


def test_images_of_a_second_folder(tmp_path, capsys):
    rng = np.random.RandomState(0)
    for folder, n in (("train", 12), ("test", 4)):
        for name in ("cat", "dog"):
            (tmp_path / folder / name).mkdir(parents=True)
            for i in range(n):
                image = Image.fromarray(rng.randint(0, 256, (9, 12), dtype=np.uint8))
                image.save(tmp_path / folder / name / f"{i}.png")
    paths = [tmp_path / "train", "--test", tmp_path / "test", "--size", "8", "--estimator", "knn", "--max-steps", "3"]
    assert cli.main(["compare", *map(str, paths)]) == 0
    assert "judged on test (8 rows)" in capsys.readouterr().out


def test_early_rows_train_and_later_rows_judge(frame, tmp_path, capsys):
    shuffled = frame.sample(frac=1, random_state=0)
    shuffled.to_csv(tmp_path / "data.csv", index=False)
    seen = []

    class Spied(_compare_command.TimeSeriesSplit):
        def split(self, X, y=None, groups=None):
            seen.append(X["a"].to_numpy())
            return super().split(X, y, groups)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_compare_command, "TimeSeriesSplit", Spied)
        told = run(capsys, tmp_path / "data.csv", "--time", "when", "--folds", "3", "--json", tmp_path / "r.json")
    np.testing.assert_array_equal(seen[0], frame["a"])
    assert "Rows are in the order of 'when', from 2024-01-01 to 2024-07-18; the column itself was left out." in told
    assert "200 rows, (3,) each" in told
    found = json.loads((tmp_path / "r.json").read_text())
    assert (
        found["about"]["split"]
        == "3 folds in the order of 'when': trained on early rows, judged on the next later ones"
    )
    assert np.sum(found["confusion_matrices"]["nothing"]) == 150  # the earliest quarter is never judged


def test_folds_in_time_that_cannot_be(frame, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(_compare_command, "compare", None)
    path = tmp_path / "data.csv"

    def told(table, *options):
        table.to_csv(path, index=False)
        return refused(capsys, path, "--target", "outcome", *options)

    late = frame.sort_values("outcome").assign(when=frame["when"].to_numpy())
    assert "Class 'yes' has none of the 35 early rows that fold 1 is trained on, in the order of 'when'" in told(
        late, "--time", "when"
    )
    early = frame.sort_values("outcome", ascending=False).assign(when=frame["when"].to_numpy())
    assert "later rows that fold" in told(early, "--time", "when", "--folds", "2")
    assert "There is no column 'wen'" in told(frame, "--time", "wen")
    assert "--time outcome names a column of --target" in told(frame, "--time", "outcome")
    assert "--time a names a column of --drop" in told(frame, "--time", "a", "--drop", "a")
    assert "holds neither numbers nor dates of one form" in told(frame, "--time", "kind")
    assert "3 rows of data.csv have no value in the column 'when' of --time" in told(
        frame.assign(when=[None] * 3 + frame["when"].tolist()[3:]), "--time", "when"
    )
    assert "200 rows are too few for 200 folds in time" in told(frame, "--time", "when", "--folds", "200")
    np.savez(tmp_path / "data.npz", X=np.zeros((4, 3)), y=[0, 1, 0, 1])
    assert "--time is for tables with named columns" in refused(capsys, tmp_path / "data.npz", "--time", "when")


@pytest.mark.parametrize(
    ("times", "order"),
    [
        ([3, 1, 2], [1, 2, 0]),
        (["13:45", "07:05", "12:00"], [1, 2, 0]),
        (["2024-03-01 10:00", "2024-03-01", "2023-12-31"], [2, 1, 0]),
        (["02/03/2024", "14/02/2024", "01/03/2024"], [1, 2, 0]),  # the day first, as one of them tells
        (["03/02/2024", "02/14/2024", "03/01/2024"], [1, 2, 0]),
        (pd.to_datetime(["2024-03-01", "2023-01-01", "2024-01-01"]), [1, 2, 0]),
        (["2024-03-01T00:00+02:00", "2024-03-01T00:00+03:00", "2024-02-28"], [2, 1, 0]),
    ],
    ids=str,
)
def test_what_times_are_read(times, order, tmp_path):
    found, _ = in_time(tmp_path / "data.csv", pd.Series(times, name="when"))
    assert found.tolist() == order


def test_dates_of_two_readings_are_refused(tmp_path):
    with pytest.raises(ValueError, match="can be read with the day or with the month first: write them as 2024-03-01"):
        in_time(tmp_path / "data.csv", pd.Series(["02/03/2024", "04/05/2024"], name="when"))


def test_a_dry_run_writes_and_compares_nothing(frame, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(_compare_command, "compare", None)
    path = tmp_path / "data.csv"
    frame.drop(columns="when").to_csv(path, index=False)
    told = run(
        capsys,
        *(path, "--folds", "3", "--out", tmp_path / "r.html", "--json", tmp_path / "r.json", "--dry-run"),
        *("--memory", tmp_path / "memory"),
    )
    assert [entry.name for entry in tmp_path.iterdir()] == ["data.csv"]
    assert "200 rows, (3,) each; classes: no (" in told
    assert "Lines: nothing; nothing, prior-corrected; class weights; copies; SMOTENC; GANOverSampler." in told
    assert "6 rows in 3 folds are 18 fits: " in told
    assert told.endswith("This was a dry run: nothing was compared, and nothing written.\n")
    assert "Did you mean 'kind'" in refused(capsys, path, "--target", "outcome", "--drop", "kinds", "--dry-run")
    rare = frame.drop(columns="when").assign(outcome=["rare"] * 2 + ["often"] * 198)
    rare.to_csv(path, index=False)
    assert "Class 'rare' has 2 rows, and 5 folds need 5 of it" in refused(
        capsys, path, "--target", "outcome", "--dry-run"
    )
