"""``memory=``: which trainings are shared, and what happens to a cache that is damaged or not writable."""

import os
import subprocess
import sys
import warnings
from pathlib import Path

import joblib
import numpy as np
import pytest
import torch
from imblearn.pipeline import Pipeline
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from skorch.callbacks import Callback

from skgan import GANOverSampler, at_least
from skgan.callbacks import Anneal
from skgan.filters import ClassifierFilter
from skgan.modules import MLPGAN
from skgan.presets import mlp_gan, offspring
from skgan.samplers._cache import describe, generator_key


def small(**params):
    return mlp_gan(alpha=1, module__latent_dim=4, **{"max_steps": 4, "batch_size": 8, **params})


@pytest.fixture
def rows():
    X = np.random.RandomState(0).standard_normal((60, 3)).astype(np.float32)
    return X, np.repeat([0, 1, 2], [40, 12, 8])


def entries(folder: Path) -> int:
    return len(list(folder.rglob("output.pkl")))


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


def test_a_fitted_row_filter_is_kept_too(rows, tmp_path, monkeypatch):
    fits = []
    fit = ClassifierFilter.fit
    monkeypatch.setattr(ClassifierFilter, "fit", lambda self, *a, **k: fits.append(1) or fit(self, *a, **k))
    results = [sampler(tmp_path, row_filter=ClassifierFilter()).fit_resample(*rows)[0] for _ in range(2)]
    np.testing.assert_array_equal(*results)
    assert len(fits) == 1
    sampler(tmp_path, row_filter=ClassifierFilter(quantile=0.3)).fit_resample(*rows)
    assert len(fits) == 2


def test_a_truncated_entry_is_made_anew_with_a_warning(rows, tmp_path, trainings):
    whole = sampler(tmp_path).fit_resample(*rows)[0]
    (entry,) = tmp_path.rglob("output.pkl")
    entry.write_bytes(entry.read_bytes()[:100])
    with pytest.warns(UserWarning, match="cannot be read"):
        again = sampler(tmp_path).fit_resample(*rows)[0]
    np.testing.assert_array_equal(whole, again)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        sampler(tmp_path).fit_resample(*rows)
    assert len(trainings) == 2


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
    search = GridSearchCV(Pipeline([("s", sampler), ("c", LogisticRegression())]), grid, cv=3, n_jobs=2)
    print(search.fit(X, y).cv_results_["mean_test_score"])
"""


def test_classes_of_the_users_script_and_changes_to_them(tmp_path):
    outputs = []
    for width, kept in ((1.0, 8), (1.0, 8), (2.0, 16)):
        (tmp_path / "script.py").write_text(SCRIPT.replace("WIDTH", str(width)))
        command = [sys.executable, "-W", "error::UserWarning", "script.py", "cache"]
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
