"""A call that fails or is interrupted, at whatever moment, changes nothing."""

import os
import pickle
import signal
import threading
import time

import numpy as np
import pytest
import torch
from skorch.callbacks import Callback, EarlyStopping

from skgan import CNNClassifier, GANOverSampler
from skgan.callbacks import SampleGrid
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
