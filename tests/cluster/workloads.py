"""What is run on every cluster, and callbacks that workers can import."""

import os
import signal
import warnings
from pathlib import Path

import numpy as np
from imblearn.pipeline import Pipeline
from joblib import Parallel, delayed
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from skorch.callbacks import Callback

from skgan import GANOverSampler, OverSamplerCV, at_least, compare, prefit_generators
from skgan.presets import mlp_gan

X = np.random.RandomState(0).standard_normal((200, 4)).astype(np.float32)
Y = np.repeat([0, 1, 2], [120, 50, 30])


def net(**params):
    """Of a kind whose trainings go out one by one."""
    return mlp_gan(alpha=1, module__latent_dim=4, module__norm="group", **{"max_steps": 8, "batch_size": 8, **params})


def sampler(**params):
    return GANOverSampler(**{"net": net(), "random_state": 0, **params})


def search(**params):
    pipeline = Pipeline([("sampler", sampler(**params)), ("classifier", LogisticRegression())])
    grid = {"sampler__sampling_strategy": [at_least(0.7), "auto"]}
    return GridSearchCV(pipeline, grid, cv=2, n_jobs=2, error_score="raise")


def one_net_a_class(folder):
    return sampler(per_class=True, n_jobs=2).fit_resample(X, Y)[0]


def a_search_around_parallel_trainings(folder):
    return search(per_class=True, n_jobs=2).fit(X, Y).cv_results_["mean_test_score"]


def a_search_whose_generators_are_there(folder):
    noted = net(callbacks=[Note(folder / "trainings")])
    filled = search(net=noted, memory=str(folder / "memory"))
    prefit_generators(filled, X, Y, n_jobs=2)
    scores = filled.fit(X, Y).cv_results_["mean_test_score"]
    assert (folder / "trainings").read_text().count("x") == 3  # two folds and all rows, once each
    return scores


def a_sampler_that_chooses(folder):
    candidates = {"nothing": None, "net": sampler(), "gaussian": sampler(net="gaussian")}
    return OverSamplerCV(candidates, LogisticRegression(), cv=3, n_jobs=2, random_state=0).fit_resample(X, Y)[0]


def a_comparison(folder):
    result = compare(sampler(), LogisticRegression(), X, Y, cv=3, n_jobs=2, random_state=0, verbose=0)
    return result.table["score"].to_numpy(dtype=float)


CASES = [
    one_net_a_class,
    a_search_around_parallel_trainings,
    a_search_whose_generators_are_there,
    a_sampler_that_chooses,
    a_comparison,
]


def one_training_a_key(folder):
    """Four tasks ask the same folder for the same generator at once."""
    noted = sampler(net=net(max_steps=200, callbacks=[Note(folder / "trainings")]), memory=str(folder / "memory"))
    rows = Parallel(n_jobs=2)(delayed(_rows_of)(noted) for _ in range(4))
    for other in rows[1:]:
        np.testing.assert_array_equal(rows[0], other)
    assert (folder / "trainings").read_text() == "x"


def _rows_of(sampler):
    return sampler.fit_resample(X, Y)[0]


def warned_of_max_time():
    """The warnings that reach the caller of two trainings that max_time cuts."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        sampler(per_class=True, n_jobs=2, net=net(max_steps=100, max_time=1e-9)).fit_resample(X, Y)
    return [one.filename for one in caught if "max_time" in str(one.message)]


def dying(folder, times, **params):
    """A sampler whose training of class 2 kills its worker that often; class 1 is there before."""
    callback = Dies(folder / "deaths", folder / "memory", times, os.getpid())
    return sampler(net=net(callbacks=[callback]), per_class=True, n_jobs=2, memory=str(folder / "memory"), **params)


def kept(folder):
    """Trainings that are in the memory."""
    return len(list(Path(folder / "memory").rglob("*.safetensors")))


class Note(Callback):
    """Writes a letter a training."""

    def __init__(self, path):
        self.path = path

    def on_train_begin(self, net, X=None, y=None, **kwargs):
        with open(self.path, "a") as file:
            file.write("x")


class Dies(Callback):
    """Kills its worker, once another training is in the memory."""

    def __init__(self, path, memory, times, parent):
        self.path, self.memory, self.times, self.parent = path, memory, times, parent

    def on_train_end(self, net, X=None, y=None, **kwargs):
        if len(X) != (Y == 2).sum() or os.getpid() == self.parent:
            return
        while not list(Path(self.memory).rglob("*.safetensors")):
            pass
        deaths = self.path.read_text() if self.path.exists() else ""
        if len(deaths) < self.times:
            self.path.write_text(deaths + "x")
            os.kill(os.getpid(), signal.SIGKILL)
