"""A call that fails or is interrupted, at whatever moment, changes nothing."""

import os
import pickle
import resource
import signal
import subprocess
import sys
import threading
import time

import numpy as np
import pytest
import torch
from skorch.callbacks import Callback, EarlyStopping

from skgan import CNNClassifier, GANOverSampler
from skgan.callbacks import SampleGrid
from skgan.codecs import TabularCodec
from skgan.modules import MLPGAN
from skgan.nets import AdversarialNet
from skgan.presets import dcgan, mlp_gan

RNG = np.random.RandomState(0)
X, Y = RNG.randn(80, 4), np.repeat([0, 1], [60, 20])
IMAGES = RNG.randint(0, 256, (60, 1, 12, 12), dtype=np.uint8)
LABELS = np.repeat([0, 1], [45, 15])


class Watches(Callback):
    """Spends time in each of its methods."""

    def on_batch_begin(self, net, **kwargs):
        self.seen_ = sum(range(2000))

    on_batch_end = on_epoch_begin = on_epoch_end = on_train_begin = on_train_end = on_batch_begin


def with_callbacks(folder):
    stop = EarlyStopping("generator_loss", patience=50, sink=lambda text: None)
    net = dcgan(
        module__width=2, max_steps=30, steps_per_epoch=3, callbacks=[Watches(), SampleGrid(folder, every=10), stop]
    )
    return GANOverSampler(net=net, random_state=0)


def settings():
    """All that is the process's, or the thread's."""
    return (
        torch.get_rng_state().numpy().tobytes(),
        pickle.dumps(np.random.get_state()),
        torch.get_default_dtype(),
        torch.get_default_device(),
        torch.is_grad_enabled(),
        torch.is_inference_mode_enabled(),
        torch.is_autocast_enabled("cpu"),
        torch.get_num_threads(),
        torch.are_deterministic_algorithms_enabled(),
        signal.getsignal(signal.SIGINT),
        np.geterr(),
    )


def interrupted(call, moment):
    """Run a call, with a real Ctrl-C so many seconds after its begin: "interrupted", "done before", or what it returned."""
    done = False
    timer = threading.Timer(moment, os.kill, (os.getpid(), signal.SIGINT))
    try:
        timer.start()
        result = call()
        done = True
        timer.join()
        for _ in range(1000):  # here Python may notice it
            pass
        time.sleep(0.01)
    except KeyboardInterrupt:
        timer.join()
        return "done before" if done else "interrupted"
    return result


def fits(name, tmp_path):
    """What fits, and what its fitted object says."""
    if name == "classifier":
        made = CNNClassifier("cnn_tiny", max_updates=25, batch_size=10, random_state=0, callbacks=[Watches()])
        return made, lambda one: one.fit(IMAGES, LABELS), lambda one: one.predict_proba(IMAGES)
    sampler = (
        with_callbacks(tmp_path)
        if name == "callbacks"
        else GANOverSampler(net=mlp_gan(alpha=1, max_steps=60), random_state=0)
    )
    data = (IMAGES, LABELS) if name == "callbacks" else (X, Y)
    return sampler, lambda one: one.fit_resample(*data), lambda one: one.sample({1: 7})[0]


@pytest.mark.slow
@pytest.mark.parametrize("name", ["sampler", "classifier", "callbacks"])
def test_a_hundred_interrupts_each(name, tmp_path):
    made, fit, says = fits(name, tmp_path)
    fit(made)
    began = time.perf_counter()
    fit(made)
    seconds = time.perf_counter() - began
    expected, before = says(made), settings()
    ended = []
    for i, moment in enumerate(np.random.RandomState(1).uniform(0, 0.95 * seconds, 100)):
        again = made if name != "classifier" else pickle.loads(pickle.dumps(made))
        ended.append(interrupted(lambda one=again: fit(one), moment))
        assert settings() == before, (i, moment)
        assert isinstance(ended[-1], str), f"Interrupt {i} at {moment:.4f} of {seconds:.4f} s was lost."
        if name != "classifier" and ended[-1] == "interrupted":
            np.testing.assert_array_equal(says(made), expected)
        if i % 4 == 0:
            fit(again)
            np.testing.assert_array_equal(says(again), expected)
    assert ended.count("interrupted") > 60


# Other failures


def fitted(**params):
    sampler = GANOverSampler(**{"net": mlp_gan(alpha=1, max_steps=4, batch_size=8), "random_state": 0, **params})
    sampler.fit_resample(X, Y)
    return sampler, {name: value for name, value in vars(sampler).items() if name.endswith("_")}


def unchanged(sampler, before, rows, around):
    assert settings() == around
    assert vars(sampler).keys() >= before.keys()
    assert all(vars(sampler)[name] is value for name, value in before.items())
    np.testing.assert_array_equal(sampler.sample({1: 7})[0], rows)


class Fails(Callback):
    def __init__(self, event, error):
        self.event, self.error = event, error

    def on_train_begin(self, net, **kwargs):
        self._fail("on_train_begin")

    def on_batch_end(self, net, **kwargs):
        self._fail("on_batch_end")

    def on_train_end(self, net, **kwargs):
        self._fail("on_train_end")

    def _fail(self, event):
        if event == self.event:
            raise self.error


@pytest.mark.parametrize("event", ["on_train_begin", "on_batch_end", "on_train_end"])
@pytest.mark.parametrize("error", [RuntimeError("mine"), OSError(28, "No space left on device"), MemoryError("mine")])
def test_an_error_in_a_callback(event, error):
    sampler, before = fitted()
    rows, around = sampler.sample({1: 7})[0], settings()
    sampler.net = mlp_gan(alpha=1, max_steps=4, callbacks=[Fails(event, error)])
    with pytest.raises(type(error), match=r"mine|No space left"):
        sampler.fit_resample(X, Y)
    unchanged(sampler, before, rows, around)
    classifier = CNNClassifier("cnn_tiny", max_updates=2, callbacks=[Fails(event, error)])
    with pytest.raises(type(error), match=r"mine|No space left"):
        classifier.fit(IMAGES, LABELS)
    assert settings() == around


def test_a_disk_that_is_full(tmp_path):
    sampler, before = fitted()
    rows, around = sampler.sample({1: 7})[0], settings()
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (500, hard))
    try:
        with pytest.raises(OSError, match="could not be written"):
            sampler.fit_resample(X, Y, out=tmp_path / "rows")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    unchanged(sampler, before, rows, around)
    assert not list(tmp_path.iterdir())


class Dies(AdversarialNet):
    """Its process is killed where rows are far from 0."""

    def train_step(self, batch, **fit_params):
        if float(batch[0].abs().max()) > 3.9:
            os.kill(os.getpid(), signal.SIGKILL)
        return super().train_step(batch, **fit_params)


def test_a_worker_that_dies():
    net = Dies(MLPGAN, module__alpha=1, max_steps=2, batch_size=8)
    sampler, before = fitted(net=net, per_class=True, n_jobs=2, codec=TabularCodec(scaling="robust"), shares={"net": 1})
    rows, around = sampler.sample({1: 7})[0], settings()
    far = X.copy()
    far[-1] = 1e6
    both = np.concatenate([Y[:40], np.full(20, 2), Y[60:]])
    with pytest.raises(RuntimeError, match="A worker process died"):
        sampler.fit_resample(far, both)
    unchanged(sampler, before, rows, around)


GROWN = """
import gc, warnings
import numpy as np
from skgan import CNNClassifier, GANOverSampler
from skgan.presets import mlp_gan, offspring

warnings.simplefilter("ignore")
rng = np.random.RandomState(0)
X, y = rng.randn(80, 4), np.repeat([0, 1], [60, 20])
images, labels = rng.randint(0, 256, (60, 1, 12, 12), dtype=np.uint8), np.repeat([0, 1], [45, 15])
for i in range(200):
    GANOverSampler(net=mlp_gan(alpha=1, max_steps=5), random_state=i).fit_resample(X, y)
    GANOverSampler(net=offspring(max_steps=2, batch_size=8), random_state=i).fit_resample(images, labels)
    CNNClassifier("cnn_tiny", max_updates=3, random_state=i).fit(images, labels).predict(images)
    if i in (9, 199):
        gc.collect()
        with open("/proc/self/statm") as file:
            print(file.read().split()[1])
"""


@pytest.mark.slow
@pytest.mark.skipif(not os.path.exists("/proc/self/statm"), reason="memory is read where Linux writes it")
def test_two_hundred_fits_take_no_more_memory_than_ten():
    ended = subprocess.run([sys.executable, "-c", GROWN], capture_output=True, text=True, check=True)
    first, last = map(int, ended.stdout.split())
    assert last < 1.05 * first
