"""A comparison that was interrupted, killed or cut goes on after the fits that were finished."""

import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from imblearn.over_sampling import SMOTE
from scipy import sparse
from sklearn.linear_model import LogisticRegression

from skgan import GANOverSampler, _kept_fits, compare
from skgan._decision import Response
from skgan._generated import GeneratedRows
from skgan._kept_fits import Measured
from skgan._scratch import scratch_folder
from skgan.presets import mlp_gan

NET = mlp_gan(alpha=1, max_steps=4, batch_size=8)
FITS = []


class Counting(LogisticRegression):
    """Counts fits, and is interrupted in one of them."""

    interrupted_at = None

    def fit(self, X, y, sample_weight=None):
        FITS.append(len(y))
        if len(FITS) == type(self).interrupted_at:
            raise KeyboardInterrupt
        return super().fit(X, y, sample_weight)


@pytest.fixture(autouse=True)
def no_fits():
    FITS.clear()
    Counting.interrupted_at = None
    yield
    Counting.interrupted_at = None


def arrays(n=90):
    rng = np.random.RandomState(0)
    return rng.randn(n, 3), np.where(np.arange(n) % 4 == 0, "rare", "often")


def frame():
    X, y = arrays()
    kinds = pd.Categorical(np.array(["red", "green", "blue"])[np.arange(90) % 3], ["red", "green", "blue"])
    return pd.DataFrame({"a": X[:, 0], "seven": X[:, 1].round().astype(int), "kind": kinds}), y


def compared(data, memory, estimator=None, **params):
    given = {"cv": 3, "random_state": 0, **params}
    sampler = GANOverSampler(net=NET)
    return compare(
        [sampler, SMOTE()] if data is arrays else sampler, estimator or Counting(), *data(), memory=memory, **given
    )


def same(one, other):
    pd.testing.assert_frame_equal(one.table.drop(columns="seconds"), other.table.drop(columns="seconds"))
    pd.testing.assert_frame_equal(one.folds.drop(columns="seconds"), other.folds.drop(columns="seconds"))
    assert (one.verdict, one.choice, one.scoring) == (other.verdict, other.choice, other.scoring)
    for name, matrix in one.confusion_matrices.items():
        np.testing.assert_array_equal(matrix, other.confusion_matrices[name])
    assert one.generated.keys() == other.generated.keys()
    for name, made in one.generated.items():
        again = other.generated[name]
        assert (made.kinds, made.copy_ratio) == (again.kinds, again.copy_ratio)
        clocks = [c for c in made.history if c == "seconds"]
        pd.testing.assert_frame_equal(made.history.drop(columns=clocks), again.history.drop(columns=clocks))
        for block, block_again in zip(made.blocks, again.blocks, strict=True):
            assert block[0] == block_again[0]
            for rows, rows_again in zip(block[1:], block_again[1:], strict=True):
                if isinstance(rows, pd.DataFrame):
                    pd.testing.assert_frame_equal(rows, rows_again, check_index_type=False)
                else:
                    np.testing.assert_array_equal(rows, rows_again)


@pytest.mark.parametrize("estimator", [Counting(), Counting(C=2.0, max_iter=50)])
@pytest.mark.parametrize("data", [arrays, frame])
def test_a_second_call_fits_nothing_and_says_the_same(data, estimator, tmp_path):
    if data is frame:
        from sklearn.pipeline import make_pipeline

        from skgan.samplers import default_estimator

        estimator = make_pipeline(*[step for _, step in default_estimator(frame()[0]).steps[:-1]], estimator)
    plain = compared(data, None, estimator)
    first = compared(data, tmp_path, estimator)
    n = len(FITS) // 2
    assert n == 3 * len(first.table)
    second = compared(data, str(tmp_path), estimator)
    assert len(FITS) == 2 * n
    same(plain, first)
    same(first, second)
    assert second.table["seconds"].tolist() == first.table["seconds"].tolist()
    second.to_html(tmp_path / "report.html")


@pytest.mark.parametrize("n_jobs", [None, 2])
def test_an_interrupted_call_goes_on(n_jobs, tmp_path):
    Counting.interrupted_at = 8
    with pytest.raises(KeyboardInterrupt):
        compared(arrays, tmp_path)
    whole = compared(arrays, tmp_path, n_jobs=n_jobs)
    if n_jobs is None:
        assert len(FITS) - 8 == 3 * len(whole.table) - 7
    same(whole, compared(arrays, None))


def test_a_call_that_time_has_cut_goes_on(tmp_path, capsys):
    assert not compared(arrays, tmp_path, max_time=1e-6).complete
    n = len(FITS)
    whole = compared(arrays, tmp_path, verbose=1)
    assert whole.complete
    assert f"{n} of them are there from an earlier call." in capsys.readouterr().out


@pytest.mark.parametrize(
    "change",
    [
        {"random_state": 1},
        {"scoring": "accuracy"},
        {"cv": 4},
        {"estimator": Counting(C=0.5)},
        {"data": lambda: (arrays()[0] + 1e-9, arrays()[1])},
    ],
    ids=["seed", "scoring", "folds", "estimator", "rows"],
)
def test_what_was_measured_otherwise_is_not_taken(change, tmp_path):
    compared(arrays, tmp_path)
    n = len(FITS)
    data = change.pop("data", arrays)
    compared(data, tmp_path, **change)
    assert len(FITS) >= n + 9


def test_a_new_sampler_leaves_the_others_fits(tmp_path):
    compare(SMOTE(), Counting(), *arrays(), cv=3, random_state=0, memory=tmp_path)
    n = len(FITS)
    compare([SMOTE(), GANOverSampler(net=NET)], Counting(), *arrays(), cv=3, random_state=0, memory=tmp_path)
    assert len(FITS) == n + 3


def test_damaged_files_are_done_again(tmp_path):
    first = compared(arrays, tmp_path)
    files = sorted((tmp_path / "skgan-fits").iterdir())
    assert len(files) == len(FITS)
    FITS.clear()
    files[0].write_bytes(b"")
    files[1].write_bytes(files[1].read_bytes()[:-100])
    with pytest.warns(UserWarning, match="cannot be read .*its fit is done again"):
        same(first, compared(arrays, tmp_path))
    assert len(FITS) == 2


def test_a_folder_that_cannot_be_written_is_told(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.warns(UserWarning, match=r"Finished fits are not kept in .*file': Not a directory"):
        compare(SMOTE(), Counting(), *arrays(), cv=3, random_state=0, memory=tmp_path / "file")


def test_the_files_are_the_users_alone_and_a_folder_has_a_name(tmp_path):
    compare(SMOTE(), Counting(), *arrays(), cv=3, random_state=0, memory=tmp_path)
    assert {path.stat().st_mode & 0o777 for path in tmp_path.rglob("*.safetensors")} == {0o600}
    with pytest.raises(ValueError, match="memory='' names no folder"):
        compare(SMOTE(), Counting(), *arrays(), cv=3, random_state=0, memory="")


def test_values_come_back_as_they_went(tmp_path):
    X, y = frame()
    X["text"] = pd.Series(["a", None, "ü"] * 30, dtype=object)
    X["flag"] = X["a"] > 0
    X["whole"] = pd.array([1, 2, None] * 30, dtype="Int64")
    made = GeneratedRows(
        kinds=("nearest real", "generated"),
        blocks=[("rare", X.head(3), X.tail(3)), ("often", np.zeros((0, 3)), np.array([["a", None, 3]], dtype=object))],
        history=pd.DataFrame({"step": [1, 2], "loss": [0.5, np.nan]}),
        filter_report=None,
        copy_ratio=np.nan,
        origins={"net": 3},
        near_copies=(0.1, np.nan),
        n_unseen=3,
        told_apart=(0.5, 0.5),
        n_told=7,
        beside=[("rare", X, X, X.head(0))],
    )
    said = Response(y, np.full((90, 2), 0.5), np.array([0.25, 0.75]), None, 0.5)
    kept = _kept_fits.KeptFits(tmp_path, {"a": SMOTE()}, *arrays(), [(np.arange(45), np.arange(45, 90))], {"a": None})
    kept.put("a", 0, Measured({"score": 0.5}, np.eye(2), made, said), 1.5)
    again, seconds = kept.get("a", 0)
    assert (seconds, again.values, type(again)) == (1.5, {"score": 0.5}, Measured)
    np.testing.assert_array_equal(again.confusion, np.eye(2))
    for one, other in ((said, again.response), (made, again.generated)):
        for field, value in vars(one).items():
            the_same(value, vars(other)[field])


def the_same(value, again):
    assert type(value) is type(again)
    if isinstance(value, pd.DataFrame):
        pd.testing.assert_frame_equal(value, again)
    elif isinstance(value, list | tuple):
        assert len(value) == len(again)
        for part, part_again in zip(value, again, strict=True):
            the_same(part, part_again)
    else:
        np.testing.assert_equal(again, value)


def test_what_has_no_place_in_a_file_is_told(tmp_path):
    kept = _kept_fits.KeptFits(tmp_path, {"a": SMOTE()}, *arrays(), [(np.arange(45), np.arange(45, 90))], {"a": None})
    with pytest.warns(UserWarning, match="Fits of 'a' are not kept: .* is a builtins.object, which has no place"):
        kept.put("a", 0, Measured({}, np.array([object()], dtype=object), None, None), 1.0)
    assert kept.get("a", 0) is None
    assert not list((tmp_path / "skgan-fits").iterdir())


def test_content_tells_rows_apart():
    X, y = arrays()
    for one in (X, frame()[0], sparse.csr_matrix(X), y, y.astype(object)):
        assert _kept_fits._content(one) == _kept_fits._content(one.copy())
    assert _kept_fits._content(X) != _kept_fits._content(-X)
    assert _kept_fits._content(sparse.csr_matrix(X)) != _kept_fits._content(sparse.csr_matrix(-X))
    assert _kept_fits._content(frame()[0]) != _kept_fits._content(frame()[0].rename(columns={"a": "b"}))


# The folder for temporary files


HOLDS = """
import sys, time
from skgan._scratch import scratch_folder
with scratch_folder() as folder:
    (folder / "rows").write_text("x")
    print(folder, flush=True)
    time.sleep(60)
"""


def test_a_killed_process_folder_is_removed_by_the_next_and_a_living_ones_is_not(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    environment = {**os.environ, "TMPDIR": str(tmp_path)}
    processes = [
        subprocess.Popen([sys.executable, "-c", HOLDS], stdout=subprocess.PIPE, text=True, env=environment)
        for _ in range(2)
    ]
    try:
        dead, living = (Path(process.stdout.readline().strip()) for process in processes)
        processes[0].kill()
        processes[0].wait()
        assert dead.exists()
        with scratch_folder() as mine:
            assert not dead.exists()
            assert living.exists()
            assert mine.exists()
        assert {path.name for path in tmp_path.iterdir()} == {living.name, f"{living.name}.lock"}
        processes[1].send_signal(signal.SIGINT)
        processes[1].wait()
        assert not list(tmp_path.iterdir())
    finally:
        for process in processes:
            process.kill()
            process.wait()
            process.stdout.close()


def test_a_comparison_without_memory_leaves_nothing(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    Counting.interrupted_at = 8
    with pytest.raises(KeyboardInterrupt):
        compared(arrays, None)
    assert not list(tmp_path.iterdir())


@pytest.mark.slow
def test_a_killed_command_goes_on(tmp_path):
    X, y = arrays(400)
    pd.DataFrame(X, columns=["a", "b", "c"]).assign(y=y).to_csv(tmp_path / "data.csv", index=False)
    command = [
        sys.executable,
        "-m",
        "skgan.cli",
        "compare",
        str(tmp_path / "data.csv"),
        "--target",
        "y",
        "--max-steps",
        "50",
    ]
    command += ["--memory", str(tmp_path / "kept"), "--out", str(tmp_path / "report.html")]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    kept, end = tmp_path / "kept" / "skgan-fits", time.monotonic() + 120
    while not (kept.is_dir() and len(list(kept.glob("*.safetensors"))) >= 10) and time.monotonic() < end:
        time.sleep(0.02)
    process.kill()
    process.wait()
    before = {path.name: path.stat().st_mtime_ns for path in kept.glob("*.safetensors")}
    assert len(before) >= 10
    ended = subprocess.run(command, capture_output=True, text=True, check=True)
    assert f"{len(before)} of them are there from an earlier call." in ended.stdout
    assert all((kept / name).stat().st_mtime_ns == when for name, when in before.items())
    assert (tmp_path / "report.html").exists()
