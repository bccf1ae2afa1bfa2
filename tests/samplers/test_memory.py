"""``memory=``: which trainings are shared, and what happens to a cache that is damaged or not writable."""

import json
import os
import pickle
import signal
import subprocess
import sys
import threading
import warnings
from pathlib import Path

import joblib
import numpy as np
import pytest
import safetensors
import torch
from imblearn.pipeline import Pipeline
from safetensors.numpy import load, save
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from skorch.callbacks import Callback

from skgan import GANOverSampler, OverSamplerCV, _stored, _whole, at_least
from skgan.callbacks import Anneal
from skgan.filters import ClassifierFilter
from skgan.modules import MLPGAN
from skgan.presets import mlp_gan, offspring
from skgan.samplers import _cache
from skgan.samplers._keys import describe, generator_key


def small(**params):
    return mlp_gan(alpha=1, module__latent_dim=4, **{"max_steps": 4, "batch_size": 8, **params})


@pytest.fixture
def rows():
    X = np.random.RandomState(0).standard_normal((60, 3)).astype(np.float32)
    return X, np.repeat([0, 1, 2], [40, 12, 8])


def entries(folder: Path) -> int:
    return len(list(folder.rglob("*.safetensors")))


def sampler(folder, **params):
    return GANOverSampler(**{"net": small(), "memory": folder and str(folder), "random_state": 0, **params})


def test_a_hit_gives_the_same_rows_and_trains_nothing(rows, tmp_path, trainings):
    without = GANOverSampler(net=small(), random_state=0).fit_resample(*rows)
    del trainings[:]
    first = sampler(tmp_path)
    second = sampler(tmp_path)
    for one in (first.fit_resample(*rows), second.fit_resample(*rows)):
        np.testing.assert_array_equal(one[0], without[0])
    assert len(trainings) == 1
    assert second.training_history_.equals(first.training_history_)


@pytest.mark.parametrize(
    "changed",
    [
        {"sampling_strategy": at_least(0.5)},
        {"verbose": 0},
        {"device": "cpu"},
        {"max_time": 1000.0},
        {"n_jobs": 2},
        {"memory": "path"},
        {"memory": "Memory"},
    ],
    ids=str,
)
def test_the_amount_and_the_device_are_not_in_the_key(rows, tmp_path, trainings, changed):
    sampler(tmp_path).fit_resample(*rows)
    if "memory" in changed:
        changed = {"memory": tmp_path if changed["memory"] == "path" else joblib.Memory(str(tmp_path), verbose=0)}
    sampler(tmp_path, **changed).fit_resample(*rows)
    assert len(trainings) == 1


@pytest.mark.parametrize(
    "changed",
    [
        {"random_state": 1},
        {"max_steps": 5},
        {"net": small(lr=0.5)},
        {"net": small(penalties=())},
        {"net": small(callbacks=[Anneal("lr", (1e-3, 1e-4))])},
        {"net": small(optimizer__betas=(0.5, 0.9))},
    ],
    ids=str,
)
def test_training_parameters_and_the_seed_are(rows, tmp_path, trainings, changed):
    sampler(tmp_path).fit_resample(*rows)
    sampler(tmp_path, **changed).fit_resample(*rows)
    assert len(trainings) == 2


def test_other_rows_are_another_key(rows, tmp_path, trainings):
    X, y = rows
    sampler(tmp_path).fit_resample(X, y)
    sampler(tmp_path).fit_resample(X + 1e-3 * np.arange(len(X))[:, None], y)
    assert len(trainings) == 2


def test_what_only_sampling_reads_is_not_in_the_key(rows, tmp_path, trainings):
    for shares, spread in (({"net": 1}, 1.0), ({"net": 1, "mixture": 2, "copy": 1}, 2.0)):
        net = offspring(spread=spread, max_steps=4, batch_size=8)
        made = sampler(tmp_path, net=net, shares=shares).fit_resample(*rows)[0]
        alone = sampler(None, net=net, shares=shares).fit_resample(*rows)[0]
        np.testing.assert_array_equal(made, alone)
    assert len(trainings) == 1 + 2


def test_random_state_none_is_not_kept(rows, tmp_path, trainings):
    for _ in range(2):
        sampler(tmp_path, random_state=None).fit_resample(*rows)
    assert len(trainings) == 2
    assert not entries(tmp_path)


def test_a_training_that_max_time_cut_is_not_kept(rows, tmp_path, trainings):
    for _ in range(2):
        cut = sampler(tmp_path, max_steps=100_000, max_time=1e-3)
        cut.fit_resample(*rows)
        assert len(cut.training_history_)
    assert len(trainings) == 2
    assert not entries(tmp_path)


def test_per_class_nets_are_kept_one_by_one(rows, tmp_path, trainings):
    sampler(tmp_path, per_class=True, sampling_strategy={1: 20}).fit_resample(*rows)
    assert len(trainings) == 1
    sampler(tmp_path, per_class=True).fit_resample(*rows)
    assert len(trainings) == 2  # class 1 was there


def test_a_row_filter_is_fitted_again(rows, tmp_path, trainings):
    results = [sampler(tmp_path, row_filter=ClassifierFilter()).fit_resample(*rows)[0] for _ in range(2)]
    np.testing.assert_array_equal(*results)
    assert len(trainings) == 1 == entries(tmp_path)


class Malicious:
    """What unpickling would run."""

    def __init__(self, path):
        self.path = str(path)

    def __reduce__(self):
        return os.mkdir, (self.path,)


def heals(folder, rows, trainings, why):
    """A fit warns, trains, and has overwritten what was wrong; its rows are those of an undisturbed one."""
    before = len(trainings)
    with pytest.warns(UserWarning, match=f"cannot be read .*{why}.*made anew"):
        again = sampler(folder).fit_resample(*rows)[0]
    np.testing.assert_array_equal(again, sampler(None).fit_resample(*rows)[0])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        sampler(folder).fit_resample(*rows)
    assert len(trainings) == before + 2  # one of them is the undisturbed one


@pytest.fixture
def entry(rows, tmp_path, trainings):
    """The file of one training."""
    sampler(tmp_path).fit_resample(*rows)
    (path,) = tmp_path.rglob("*.safetensors")
    return path


def test_a_pickle_is_never_opened(rows, tmp_path, entry, trainings):
    trap = tmp_path / "trap"
    content = pickle.dumps(Malicious(trap))
    pickle.loads(content)
    trap.rmdir()
    for name in ("output.pkl", "metadata.json", f"{entry.stem}.pkl", f"{entry.stem}.checkpoint.safetensors"):
        (entry.parent / name).write_bytes(content)
    entry.write_bytes(content)
    heals(tmp_path, rows, trainings, "")
    assert not trap.exists()


@pytest.mark.parametrize("share", [0.0, 0.001, 0.1, 0.5, 0.9, 0.9999])
def test_a_truncated_entry_is_made_anew(rows, tmp_path, entry, trainings, share):
    content = entry.read_bytes()
    entry.write_bytes(content[: int(share * len(content))])
    heals(tmp_path, rows, trainings, "")


def test_an_entry_with_one_changed_bit_is_made_anew(rows, tmp_path, entry, trainings):
    content = bytearray(entry.read_bytes())
    content[-5] ^= 1
    entry.write_bytes(content)
    heals(tmp_path, rows, trainings, "hash")


def test_a_valid_entry_of_other_data_is_made_anew(rows, tmp_path, entry, trainings):
    X, y = rows
    sampler(tmp_path).fit_resample(X[::-1], y)
    (other,) = {*tmp_path.rglob("*.safetensors")} - {entry}
    os.replace(other, entry)
    heals(tmp_path, rows, trainings, "another key, data")


def test_swapped_weights_are_seen(rows, tmp_path, entry, trainings):
    sampler(tmp_path, random_state=1).fit_resample(*rows)
    (other,) = {*tmp_path.rglob("*.safetensors")} - {entry}
    with safetensors.safe_open(entry, "numpy") as file:
        description = file.metadata()
    entry.write_bytes(save(load(other.read_bytes()), description))
    heals(tmp_path, rows, trainings, "hash")


@pytest.mark.parametrize("fact", ["format", "skgan"])
def test_an_entry_of_another_version_is_made_anew(rows, tmp_path, entry, trainings, fact):
    told, arrays, facts = _stored.read(entry)
    _stored.write(entry, told, arrays, {**facts, fact: "0.0.1"})
    heals(tmp_path, rows, trainings, f"another {fact}")


def test_an_entry_says_what_it_is_of(entry):
    with safetensors.safe_open(entry, "numpy") as file:
        facts = json.loads(file.metadata()["skgan"])
        assert any(name.startswith("weights.generator.") for name in set(file.keys()))
    assert facts["key"] == entry.stem
    assert facts["parameters"]["max_steps"] == "4"
    assert facts["parameters"]["module"] == "skgan.modules.mlp.MLPGAN"
    assert {"data", "labels", "seed", "shape", "date", "format", "skgan", "torch", "numpy", "net"} < set(facts)


@pytest.mark.skipif(os.name != "posix", reason="modes of files are POSIX's")
def test_files_are_the_users_own(rows, tmp_path):
    folder = tmp_path / "new" / "cache"
    sampler(folder).fit_resample(*rows)
    for path in (tmp_path / "new").rglob("*"):
        assert path.stat().st_mode & 0o077 == 0, path
    assert (tmp_path / "new").stat().st_mode & 0o777 == 0o700


def test_temporary_files_of_dead_processes_go(rows, tmp_path, entry):
    gone = subprocess.run([sys.executable, "-c", "import os; print(os.getpid())"], capture_output=True, text=True)
    folder = entry.parent
    dead, here = int(gone.stdout), os.getpid()
    left, another_host, alive, old, other = (
        folder / f".{name}.half"
        for name in (
            f"a.safetensors.{_whole._HOST}-{dead}-00000000",
            f"a.safetensors.ffffffff-{dead}-00000000",
            f"a.safetensors.{_whole._HOST}-{here}-00000000",
            "a.safetensors.ffffffff-2-00000000",
            "of-another-program",
        )
    )
    for path in (left, another_host, alive, old, other):
        path.write_text("half")
    os.utime(other, (0, 0))
    os.utime(old, (0, 0))
    sampler(tmp_path, random_state=1).fit_resample(*rows)
    assert {*folder.glob(".*.half")} == {another_host, alive, other}


def test_a_write_that_fails_leaves_nothing_behind_and_is_told(rows, tmp_path, monkeypatch):
    def full(*args):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(_whole.os, "replace", full)
    with pytest.warns(UserWarning, match="could not be kept .*No space left"):
        made = sampler(tmp_path).fit_resample(*rows)[0]
    np.testing.assert_array_equal(made, sampler(None).fit_resample(*rows)[0])
    assert not entries(tmp_path)
    assert not list(tmp_path.rglob("*.half"))


def test_a_folder_that_can_only_be_read_is_read(rows, tmp_path, entry, trainings, monkeypatch):
    def refuse(*args, **kwargs):
        raise OSError(30, "Read-only file system")

    monkeypatch.setattr(_cache.FileLock, "acquire", refuse)
    monkeypatch.setattr(_stored, "write", refuse)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        sampler(tmp_path).fit_resample(*rows)
    assert len(trainings) == 1
    with pytest.warns(UserWarning, match=r"cannot be written \(Read-only file system\): .* trained without it"):
        sampler(tmp_path, random_state=1).fit_resample(*rows)
    with pytest.warns(UserWarning, match="cannot be written") as told:
        sampler(tmp_path, per_class=True).fit_resample(*rows)
    assert len(told) == 1
    assert len(trainings) == 4


@pytest.mark.parametrize("random_state", [0, None])
def test_no_name_is_no_folder(rows, random_state):
    with pytest.raises(ValueError, match="memory='' names no folder"):
        GANOverSampler(memory="", random_state=random_state).fit_resample(*rows)
    with pytest.raises(ValueError, match="memory='' names no folder"):
        OverSamplerCV(memory="", random_state=0).fit_resample(*rows)


@pytest.mark.skipif(os.name != "posix", reason="processes are stopped by POSIX signals")
def test_a_stopped_holder_of_the_lock_is_named(rows, tmp_path, monkeypatch):
    (tmp_path / "script.py").write_text(SLEEPER)
    monkeypatch.setattr(_cache, "WAIT", 0.2)
    where = {"cwd": tmp_path, "stdout": subprocess.PIPE, "text": True}
    command = [sys.executable, "script.py"]
    with subprocess.Popen(command, env={**os.environ, "SECONDS": "0"}, **where) as holder:
        assert holder.stdout.readline() == "training\n"
        os.kill(holder.pid, signal.SIGSTOP)
        (lock,) = (tmp_path / "cache").rglob("*.lock")
        threading.Timer(1.5, os.kill, (holder.pid, signal.SIGCONT)).start()
        with pytest.warns(UserWarning, match=rf"Process {holder.pid} on .* holds .*{lock.stem}.* goes on waiting"):
            wait_for(lock)
        assert holder.wait() == 0


def wait_for(lock):
    with _cache.locked(lock, lock.parent, "nothing") as writable:
        assert writable


def test_a_folder_that_cannot_be_written_is_said_and_done_without(rows, tmp_path, trainings):
    (tmp_path / "file").write_text("no folder")
    with pytest.warns(UserWarning, match=r"cannot be written .* trained without it"):
        made = sampler(tmp_path / "file" / "cache").fit_resample(*rows)[0]
    np.testing.assert_array_equal(made, sampler(None).fit_resample(*rows)[0])


def test_a_grid_over_amounts_trains_once_a_fold(rows, tmp_path, trainings):
    X, y = rows
    pipeline = Pipeline([("sampler", sampler(None)), ("classifier", LogisticRegression())])
    grid = {
        "sampler__sampling_strategy": [*map(at_least, (0.3, 0.5, 0.7, 0.9, 1.0)), "auto"],
    }
    plain = GridSearchCV(pipeline, grid, cv=5).fit(X, y).cv_results_["mean_test_score"]
    del trainings[:]
    cached = GridSearchCV(pipeline.set_params(sampler__memory=str(tmp_path)), grid, cv=5).fit(X, y)
    np.testing.assert_array_equal(plain, cached.cv_results_["mean_test_score"])
    assert len(trainings) == 6 == entries(tmp_path)


def test_two_workers_do_not_train_one_key_twice(rows, tmp_path):
    X, y = rows
    pipeline = Pipeline([("sampler", sampler(tmp_path)), ("classifier", LogisticRegression())])
    grid = {"sampler__sampling_strategy": [at_least(0.5), at_least(0.9), "auto"]}
    logging = small(callbacks=[NoteTraining(str(tmp_path / "trainings"))])
    GridSearchCV(pipeline.set_params(sampler__net=logging), grid, cv=3, n_jobs=2).fit(X, y)
    assert len((tmp_path / "trainings").read_text().splitlines()) == 4 == entries(tmp_path)


class NoteTraining(Callback):
    """A user's callback that writes a line per training; workers may have been started before this test."""

    def __init__(self, path):
        self.path = path

    def on_train_begin(self, net, X=None, y=None, **kwargs):
        with open(self.path, "a") as file:
            file.write("trained\n")


SCRIPT = """
import sys, torch
import numpy as np
from skgan import GANOverSampler, at_least
from skgan.filters import ClassifierFilter
from skgan.modules import MLPGAN
from skgan.presets import mlp_gan
from imblearn.pipeline import Pipeline
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV

class Mine(MLPGAN):
    def forward(self, z, y):
        return WIDTH * super().forward(z, y)

class MyFilter(ClassifierFilter):
    pass

if __name__ == "__main__":
    rng = np.random.RandomState(0)
    X, y = rng.standard_normal((60, 3)), np.repeat([0, 1], [48, 12])
    net = mlp_gan(module=Mine, alpha=1, max_steps=4, batch_size=8)
    sampler = GANOverSampler(net=net, row_filter=MyFilter(), memory=sys.argv[1], random_state=0)
    grid = {"s__sampling_strategy": [at_least(0.5), at_least(0.8)]}
    search = GridSearchCV(Pipeline([("s", sampler), ("c", LogisticRegression())]), grid, cv=3, n_jobs=int(sys.argv[2]))
    print(search.fit(X, y).cv_results_["mean_test_score"])
"""


def test_classes_of_the_users_script_and_changes_to_them(tmp_path):
    outputs = []
    for width, n_jobs, kept in ((1.0, "2", 4), (1.0, "1", 4), (2.0, "1", 8)):
        (tmp_path / "script.py").write_text(SCRIPT.replace("WIDTH", str(width)))
        command = [sys.executable, "-W", "error::UserWarning", "script.py", "cache", n_jobs]
        outputs.append(subprocess.run(command, cwd=tmp_path, check=True, capture_output=True, text=True, timeout=120))
        assert entries(tmp_path) == kept, outputs[-1].stderr
    assert outputs[0].stdout == outputs[1].stdout


def test_a_description_follows_the_content():
    class One(torch.nn.Module):
        def forward(self, x):
            return x + 1

    first = describe(One)

    class One(torch.nn.Module):
        """Another docstring is no other class."""

        def forward(self, x):
            return x + 1

    assert describe(One)[1:3] == first[1:3]

    class One(torch.nn.Module):
        def forward(self, x):
            return x + 2

    assert describe(One) != first
    assert describe({"a": 1, "b": {2, 3}}) == describe({"b": {3, 2}, "a": 1})
    assert describe(1) != describe(1.0) != describe("1")
    assert describe(np.arange(3)) == describe(np.arange(3)) != describe(np.arange(4))
    assert describe(lambda x: x + 1) != describe(lambda x: x + 2)
    loop = [1]
    loop.append(loop)
    assert describe(loop)


def test_keys_are_the_same_in_every_clone():
    X, y = np.zeros((4, 2), np.float32), np.zeros(4, int)
    from sklearn.base import clone

    net = small(callbacks=[Anneal("lr", (1e-3, 1e-4))], module=MLPGAN)
    assert generator_key(X, y, net, 0) == generator_key(X.copy(), y.copy(), clone(net), 0)


SLEEPER = """
import os, sys, time
import numpy as np
from skorch.callbacks import Callback
from skgan import GANOverSampler
from skgan.presets import mlp_gan

class Sleep(Callback):
    def on_train_begin(self, net, X=None, y=None, **kwargs):
        print("training", flush=True)
        time.sleep(float(os.environ["SECONDS"]))

X, y = np.random.RandomState(0).standard_normal((60, 3)), np.repeat([0, 1], [48, 12])
net = mlp_gan(alpha=1, max_steps=4, batch_size=8, callbacks=[Sleep()])
GANOverSampler(net=net, memory="cache", random_state=0).fit_resample(X, y)
"""


def test_a_killed_worker_leaves_nothing_locked(tmp_path):
    (tmp_path / "script.py").write_text(SLEEPER)
    command = [sys.executable, "script.py"]
    where = {"cwd": tmp_path, "stdout": subprocess.PIPE, "text": True}
    with subprocess.Popen(command, env={**os.environ, "SECONDS": "300"}, **where) as killed:
        assert killed.stdout.readline() == "training\n"
        killed.kill()
    again = subprocess.run(command, env={**os.environ, "SECONDS": "0"}, check=True, timeout=60, **where)
    assert again.stdout == "training\n"
    assert entries(tmp_path) == 1
    assert not subprocess.run(command, env={**os.environ, "SECONDS": "0"}, check=True, timeout=60, **where).stdout
