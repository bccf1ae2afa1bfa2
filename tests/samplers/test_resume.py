"""Trainings that are cut off go on where they were, and end in the same rows, bit for bit."""

import contextlib
import os
import signal
import subprocess
import sys
import time
import warnings

import numpy as np
import pandas as pd
import pytest
from freeze import FROZEN, frozen_rows
from golden_cases import SITUATIONS
from imblearn.pipeline import Pipeline
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from skorch.callbacks import Callback

from skgan import (
    ConditionalGANAugmenter,
    GANOverSampler,
    OverSamplerCV,
    _stored,
    at_least,
    prefit_generators,
    presets,
)
from skgan.callbacks import Anneal, GammaByResolution
from skgan.nets import checkpoints
from skgan.nets._steps import StepTraining
from skgan.penalties import R1
from skgan.samplers import _build, _cache, _training

STEPS = {"max_steps": 9, "steps_per_epoch": 4, "batch_size": 6}


class CutOffError(Exception):
    """As a killed process, but within this one."""


@pytest.fixture
def kept(monkeypatch):
    """Keep the training after every step; ``cut(k)`` cuts it off in step k, and ``cut.steps`` are those that were made.

    The key of a training has the code of its net's class in it, so both runs of a test have the same ``report``.
    """
    monkeypatch.setattr(checkpoints, "SECONDS", 0.0)
    monkeypatch.setattr(checkpoints, "SHARE", float("inf"))
    report = StepTraining.report

    def cut(at, error=CutOffError, training=None):
        def reported(net, **values):
            if net.steps_ + 1 == at and (training is None or cut.steps.count(at - 1) == training):
                raise error
            cut.steps.append(net.steps_ + 1)
            return report(net, **values)

        cut.steps = []
        monkeypatch.setattr(StepTraining, "report", reported)

    return cut


def table(n=44):
    rng = np.random.RandomState(0)
    frame = pd.DataFrame({"a": rng.standard_normal(n), "b": rng.gamma(2.0, size=n), "c": rng.choice(list("xyz"), n)})
    return frame, np.repeat([0, 1, 2], [n - 20, 12, 8])


def images():
    rng = np.random.RandomState(0)
    return rng.randint(0, 256, (30, 3, 16, 16), dtype=np.uint8), np.array([0] * 18 + [1] * 12)


def numbers():
    X = np.random.RandomState(0).standard_normal((40, 3))
    return X, X[:, 0] + X[:, 1]


def over(net, **params):
    return lambda folder: GANOverSampler(net=net, memory=folder, random_state=0, **{"shares": {"net": 1}, **params})


OF_TABLES = {
    "mlp_gan": presets.mlp_gan(alpha=1, **STEPS),
    "mlp_gan, annealed": presets.mlp_gan(
        alpha=1, **STEPS, callbacks=[Anneal("lr", (1e-3, 1e-4)), Anneal("beta1", (0.0, 0.5))], penalties=(R1(every=3),)
    ),
    "offspring": presets.offspring(**STEPS),
    "dagan": presets.dagan(**STEPS),
    "flow": presets.flow(**STEPS),
    "vae": presets.vae(**STEPS),
    "autoencoder": presets.autoencoder(**STEPS),
    "vae_gan": presets.vae_gan(**STEPS),
    "cyclegan": presets.cyclegan(**STEPS, pool_size=8),
    "gtn": presets.gtn(**{**STEPS, "unroll_steps": 4, "inner_batch_size": 8}),
    "genclass": presets.genclass(attributes={0: [0.0], 1: [1.0], 2: [2.0]}, **STEPS),
}
OF_IMAGES = {
    "dcgan": presets.dcgan(module__width=4, module__n_features=8, **STEPS),
    "wgan_gp": presets.wgan_gp(module__width=4, module__n_features=8, **STEPS),
    "photo_gan": presets.photo_gan(module__width=4, **STEPS),
    "relativistic_gan, scheduled": presets.relativistic_gan(module__width=4, **STEPS, callbacks=[GammaByResolution()]),
    "progan": presets.progan(module__width=4, **STEPS),
    "offspring of images": presets.offspring(module__width=4, **STEPS),
    "dagan of images": presets.dagan(module__width=4, **STEPS),
    "cyclegan of images": presets.cyclegan(module__width=4, **STEPS, pool_size=4),
    "vae of images": presets.vae(module__width=4, **STEPS),
}
CASES = {
    **{name: (over(net), table) for name, net in OF_TABLES.items()},
    **{name: (over(net), images) for name, net in OF_IMAGES.items()},
    "side by side": (over(OF_TABLES["mlp_gan"], per_class=True), table),
    "one by one": (over(presets.offspring(**STEPS), per_class=True), table),
    "the blend of net='auto'": (over("auto", shares="auto", max_steps=30), table),
    "continuous labels": (
        lambda folder: ConditionalGANAugmenter(
            0.5, net=presets.predictor_mlp_gan(**STEPS, vicinity=0.1), memory=folder, random_state=0
        ),
        numbers,
    ),
}


def same(one, other):
    for a, b in zip(one, other, strict=True):
        if isinstance(a, pd.DataFrame):
            pd.testing.assert_frame_equal(a, b, check_exact=True)
        else:
            np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("name", CASES)
def test_a_training_that_is_cut_off_goes_on_to_the_same_rows(name, tmp_path, kept):
    make, data = CASES[name]
    undisturbed = make(None).fit_resample(*data())
    rng = np.random.RandomState(list(CASES).index(name))
    at = [rng.randint(2, 9), 5]  # 5: between the last step of an epoch and its end
    for number, step in enumerate(at):
        folder = tmp_path / str(number)
        kept(step)
        with pytest.raises(CutOffError):
            make(folder).fit_resample(*data())
        assert list(folder.rglob("*.checkpoint.safetensors"))
        kept(None)
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            same(make(folder).fit_resample(*data()), undisturbed)
        assert kept.steps[0] == step, "it has begun anew"
        assert not list(folder.rglob("*.checkpoint.safetensors"))
        kept(None)
        same(make(folder).fit_resample(*data()), undisturbed)
        assert not kept.steps


def entries(folder):
    return [path for path in folder.rglob("*.safetensors") if "checkpoint" not in path.name]


def cut_off(make, folder, kept, step, error=CutOffError):
    """A training that has got as far as this step, and its file."""
    kept(step, error)
    with pytest.raises(error):
        make(folder).fit_resample(*table())
    (path,) = folder.rglob("*.checkpoint.safetensors")
    kept(None)
    return path


def test_ctrl_c_then_run_again_goes_on(tmp_path, kept):
    make = CASES["mlp_gan"][0]
    undisturbed = make(None).fit_resample(*table())
    cut_off(make, tmp_path, kept, 6, KeyboardInterrupt)
    same(make(tmp_path).fit_resample(*table()), undisturbed)
    assert kept.steps[0] == 6


def test_a_training_that_max_time_cut_goes_on_where_there_is_more_time(tmp_path, kept):
    make = CASES["offspring"][0]
    undisturbed = make(None).fit_resample(*table())
    kept(None)
    with pytest.warns(UserWarning, match="max_time"):
        make(tmp_path).set_params(max_time=1e-3).fit_resample(*table())
    assert not entries(tmp_path)
    n_made = len(kept.steps)  # the last of them is not kept: time was up in it
    kept(None)
    same(make(tmp_path).fit_resample(*table()), undisturbed)
    assert kept.steps == list(range(max(1, n_made), 10))
    assert len(entries(tmp_path)) == 1


@pytest.mark.parametrize("what", ["truncated", "a pickle", "of another training", "of another torch", "empty"])
def test_a_damaged_checkpoint_is_not_used(tmp_path, kept, what):
    make = CASES["mlp_gan"][0]
    undisturbed = make(None).fit_resample(*table())
    path = cut_off(make, tmp_path, kept, 6)
    content = path.read_bytes()
    if what.startswith("of another"):
        told, arrays, facts = _stored.read(path)
        _stored.write(path, told, arrays, {**facts, "key" if "training" in what else "torch": "another"})
    else:
        path.write_bytes({"truncated": content[:-100], "a pickle": b"\x80\x04.", "empty": b""}[what])
    with pytest.warns(UserWarning, match=r"checkpoint .* cannot be used .* begins anew"):
        again = make(tmp_path).fit_resample(*table())
    same(again, undisturbed)
    assert kept.steps[0] == 1
    assert not path.exists()


class Counting(Callback):
    """A user's callback, of whose state nothing is known."""


def test_with_a_callback_of_the_users_a_training_begins_anew(tmp_path, kept):
    make = over(presets.mlp_gan(alpha=1, **STEPS, callbacks=[Counting()]))
    undisturbed = make(None).fit_resample(*table())
    kept(6)
    with pytest.raises(CutOffError):
        make(tmp_path).fit_resample(*table())
    assert not list(tmp_path.rglob("*.checkpoint.safetensors"))
    kept(None)
    same(make(tmp_path).fit_resample(*table()), undisturbed)
    assert kept.steps[0] == 1


def test_a_group_that_was_killed_between_its_entries_ends_in_the_same_rows(tmp_path, kept, monkeypatch):
    make = CASES["side by side"][0]
    kept(None)
    undisturbed = make(None).fit_resample(*table())
    for n_written in (1, 2, 3):  # the group's own file, then one entry after the other
        folder = tmp_path / str(n_written)
        written = []
        write = _cache._Entry.write

        def dies(self, result, write=write, written=written, n=n_written):
            if len(written) == n:
                raise CutOffError
            written.append(1)
            write(self, result)

        monkeypatch.setattr(_cache._Entry, "write", dies)
        if n_written < 3:
            with pytest.raises(CutOffError):
                make(folder).fit_resample(*table())
        else:
            make(folder).fit_resample(*table())
        monkeypatch.setattr(_cache._Entry, "write", write)
        kept(None)
        same(make(folder).fit_resample(*table()), undisturbed)
        assert not kept.steps
        assert len(entries(folder)) == 2


@pytest.mark.filterwarnings("ignore:Training diverged:UserWarning")
def test_a_group_of_which_one_diverges_goes_on_too(tmp_path, kept):
    make = over(presets.mlp_gan(alpha=1, **{**STEPS, "lr": 1e12}), per_class=True)
    kept(None)
    undisturbed = make(None).fit_resample(*table())
    steps = list(kept.steps)
    assert steps[:5] == [1, 2, 3, 4, 1]  # the group diverges in its first epoch, and each is trained by itself
    for training, at in ((1, 3), (2, 3), (3, 4)):
        folder = tmp_path / str(training)
        kept(at, training=training)
        with pytest.raises(CutOffError):
            make(folder).fit_resample(*table())
        kept(None)
        same(make(folder).fit_resample(*table()), undisturbed)
        assert 0 < len(kept.steps) < len(steps)


def test_checkpoints_take_their_share_of_the_time(tmp_path, monkeypatch):
    monkeypatch.setattr(checkpoints, "SECONDS", 0.0)
    seconds = []
    write = checkpoints.write

    def timed(*args):
        begin = time.perf_counter()
        write(*args)
        seconds.append(time.perf_counter() - begin)

    monkeypatch.setattr(checkpoints, "write", timed)
    monkeypatch.setattr(checkpoints, "SHARE", 0.1)
    begin = time.perf_counter()
    over(presets.mlp_gan(alpha=1, max_steps=400))(tmp_path).fit_resample(*table())
    assert seconds
    assert sum(seconds) <= 0.15 * (time.perf_counter() - begin) + seconds[0]


def test_a_short_training_writes_no_checkpoint(tmp_path, monkeypatch):
    monkeypatch.setattr(checkpoints, "write", None)
    over(presets.mlp_gan(alpha=1, **STEPS))(tmp_path).fit_resample(*table())


def test_a_full_disk_ends_checkpoints_and_not_the_training(tmp_path, kept, monkeypatch):
    def full(*args):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(checkpoints, "write", full)
    make = CASES["mlp_gan"][0]
    with pytest.warns(UserWarning, match=r"cannot be kept in .*No space left") as told:
        same(make(tmp_path).fit_resample(*table()), make(None).fit_resample(*table()))
    assert len(told) == 1


def test_finished_folds_of_a_search_are_not_trained_again(tmp_path, kept):
    X, y = table()

    def search(folder):
        candidates = {"few": over("auto", max_steps=6, shares="auto")(None), "nothing": None}
        return OverSamplerCV(candidates, cv=3, memory=folder, random_state=0)

    undisturbed = search(None)
    rows = undisturbed.fit_resample(X, y)
    kept(None)
    search(tmp_path / "whole").fit_resample(X, y)
    whole = len(kept.steps)
    kept(5, KeyboardInterrupt, training=3)
    with pytest.raises(KeyboardInterrupt):
        search(tmp_path / "cut").fit_resample(X, y)
    before = len(kept.steps)
    kept(None)
    again = search(tmp_path / "cut")
    same(again.fit_resample(X, y), rows)
    assert again.best_score_ == undisturbed.best_score_
    assert 0 < before
    assert before + len(kept.steps) == whole


def test_finished_folds_of_prefit_generators_are_not_trained_again(tmp_path, kept):
    X, y = numbers()[0], np.repeat([0, 1], [30, 10])
    pipeline = Pipeline([("s", over(presets.mlp_gan(alpha=1, **STEPS))(str(tmp_path))), ("c", LogisticRegression())])
    search = GridSearchCV(pipeline, {"s__sampling_strategy": [at_least(0.5), at_least(1.0)]}, cv=3)
    kept(6, training=2)
    with pytest.raises(CutOffError):
        prefit_generators(search, X, y)
    kept(None)
    prefit_generators(search, X, y)
    assert kept.steps == [*range(6, 10), *range(1, 10), *range(1, 10)]
    kept(None)
    search.fit(X, y)
    assert not kept.steps


SCRIPT = """
import sys, threading
import numpy as np
from skgan import GANOverSampler
from skgan.nets import checkpoints
from skgan.presets import mlp_gan, offspring

def fit(number, folder):
    X, y = np.random.RandomState(0).standard_normal((60, 3)), np.repeat([0, 1], [48, 12])
    net = mlp_gan(alpha=1, max_steps=60, batch_size=8, random_state=0)
    sampler = GANOverSampler(net=net, memory=folder, random_state=number % 2)
    made = sampler.fit_resample(X, y)[0]
    return np.concatenate([made, sampler.sample({1: 20})[0]])

def fit_all(numbers, folder):
    rows = {}
    threads = [threading.Thread(target=lambda n=n: rows.__setitem__(n, fit(n, folder))) for n in numbers]
    for thread in threads: thread.start()
    for thread in threads: thread.join()
    return [rows[n] for n in numbers]

if __name__ == "__main__":
    print(abs(np.stack(fit_all([0, 1], sys.argv[1]))).sum().hex())
"""


@pytest.fixture
def fits():
    """The script's functions, and the rows of both trainings that it does."""
    namespace = {"__name__": "script"}
    exec(SCRIPT, namespace)
    return namespace, [namespace["fit"](number, None) for number in (0, 1)]


def test_eight_threads_share_a_folder(tmp_path, monkeypatch, fits):
    namespace, alone = fits
    done = []
    train = _training.exports_of
    monkeypatch.setattr(_training, "exports_of", lambda jobs, *kept: done.append(1) or train(jobs, *kept))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        rows = namespace["fit_all"](list(range(8)), tmp_path / "threads")
    assert len(done) == 2
    for number, made in enumerate(rows):
        np.testing.assert_array_equal(made, alone[number % 2])
    assert len(entries(tmp_path / "threads")) == 2


@pytest.mark.slow
def test_eight_processes_share_a_folder(tmp_path, fits):
    _, alone = fits
    (tmp_path / "script.py").write_text(SCRIPT)
    command = [sys.executable, "script.py", "processes"]
    where = {"cwd": tmp_path, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    told = [process.communicate(timeout=300) for process in [subprocess.Popen(command, **where) for _ in range(8)]]
    expected = float(abs(np.stack(alone)).sum()).hex()
    assert [out.strip() for out, _ in told] == [expected] * 8, told[0][1]
    paths = entries(tmp_path / "processes")
    assert len(paths) == 2
    for path in paths:
        _stored.read(path)
    assert not [*tmp_path.rglob("*.half"), *tmp_path.rglob("*.checkpoint.safetensors"), *tmp_path.rglob("*.holder")]


KILLED = """
import sys
import numpy as np
from skgan import GANOverSampler
from skgan.nets import checkpoints
from skgan.presets import offspring

checkpoints.SECONDS, checkpoints.SHARE = 0.02, 1.0
X = np.random.RandomState(0).randint(0, 256, (60, 1, 16, 16), dtype=np.uint8)
y = np.repeat([0, 1], [40, 20])
net = offspring(max_steps=400, batch_size=8, module__width=4, verbose=1)
print("ready", flush=True)
made = GANOverSampler(net=net, memory=sys.argv[1] or None, random_state=0).fit_resample(X, y)[0]
print("rows", int(made.astype(int).sum()), made.tobytes().hex()[-4000:], flush=True)
"""


@pytest.mark.slow
@pytest.mark.skipif(os.name != "posix", reason="POSIX signals")
def test_killed_at_any_moment_a_process_goes_on_to_the_same_rows(tmp_path):
    """20 kills at random moments, in trainings that go on after each, and the rows of all that end."""
    (tmp_path / "script.py").write_text(KILLED)
    where = {"cwd": tmp_path, "stdout": subprocess.PIPE, "text": True}
    with subprocess.Popen([sys.executable, "script.py", ""], **where) as process:
        assert process.stdout.readline() == "ready\n"
        begin = time.perf_counter()
        rows = process.stdout.read().splitlines()[-1]
        seconds = time.perf_counter() - begin
    rng, kills, saved, ended = np.random.RandomState(0), 0, 0, 0
    command = [sys.executable, "-u", "script.py", "cache"]
    while kills < 20:
        with subprocess.Popen(command, **where) as process:
            assert process.stdout.readline() == "ready\n"
            time.sleep(rng.uniform(0, seconds))
            process.send_signal(signal.SIGKILL)
            told = process.stdout.read()
            kills += 1
        saved += goes_on_from(told)
        if "rows" in told or entries(tmp_path):  # killed when all was done, or nearly
            ended += 1
            last = subprocess.run(command, check=True, timeout=300, **where).stdout
            assert last.splitlines()[-1] == rows
            for path in tmp_path.rglob("*.safetensors"):
                path.unlink()
    last = subprocess.run(command, check=True, timeout=300, **where).stdout
    assert last.splitlines()[-1] == rows
    saved += goes_on_from(last)
    assert saved > 400
    assert not [*tmp_path.rglob("*.half"), *tmp_path.rglob("*.checkpoint.safetensors")]
    print(f"\n{kills} kills, {ended + 1} trainings of 400 steps to their end; {saved:,} steps were not made again")


def goes_on_from(told):
    return sum(int(line.split()[1].split("/")[0]) for line in told.splitlines() if "goes on from" in line)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_all_golden_rows_are_the_same_from_trainings_that_were_cut_off_twice(tmp_path, kept, monkeypatch):
    train_all, cuts = _training.train_all, []

    def cut_twice(jobs, memory, n_jobs):
        folder = tmp_path / str(len(cuts))
        for at in (2, 3):  # of three steps
            kept(at)
            with contextlib.suppress(CutOffError):
                train_all(jobs, folder, None)
                cuts.append(0)  # nothing in it trains by steps
            cuts.append(1)
        kept(None)
        return train_all(jobs, folder, None)

    monkeypatch.setattr(_build, "train_all", cut_twice)
    made, golden = frozen_rows(list(SITUATIONS)), np.load(FROZEN)
    assert sum(cuts) > 100
    assert set(made) == set(golden)
    for key, rows in made.items():
        np.testing.assert_array_equal(rows, golden[key], err_msg=key)
