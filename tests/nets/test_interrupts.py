"""Ctrl-C is Ctrl-C wherever it comes, and a callback's wish to stop is no Ctrl-C."""

import signal
import threading

import numpy as np
import pytest
import torch
from joblib import Parallel, delayed
from skorch.callbacks import Callback, EarlyStopping

from skgan import CNNClassifier, GANOverSampler
from skgan.callbacks import StepLog
from skgan.modules import MLPGAN
from skgan.nets import AdversarialNet
from skgan.nets._side_by_side import SideBySideNet
from skgan.presets import mlp_gan

RNG = np.random.RandomState(0)
X, Y = RNG.randn(60, 3).astype(np.float32), np.repeat([0, 1], 30)
IMAGES = RNG.rand(40, 1, 12, 12).astype(np.float32)
LABELS = np.arange(40) % 2
EVENTS = ("on_train_begin", "on_epoch_begin", "on_batch_begin", "on_batch_end", "on_epoch_end", "on_train_end")


def press():
    """Ctrl-C, as the system sends it."""
    signal.raise_signal(signal.SIGINT)


def pressed_later():
    """Ctrl-C that Python notices in a function of a callback's, some lines after."""
    press()
    return sum(range(10))


class Interrupted(Callback):
    """The user's Ctrl-C in one of the callback's methods."""

    def __init__(self, event, how=press):
        self.event, self.how = event, how

    def notify(self, event):
        if event == self.event:
            self.how()


class Stops(Interrupted):
    """Ends training itself, by skorch's means."""

    def notify(self, event):
        if event == self.event:
            raise KeyboardInterrupt


for name in EVENTS:
    setattr(Interrupted, name, lambda self, net, name=name, **kwargs: self.notify(name))


def net_with(*callbacks, **params):
    return AdversarialNet(MLPGAN, **{"max_steps": 40, "module__alpha": 1, "callbacks": [*callbacks], **params})


def classifier_with(*callbacks, **params):
    return CNNClassifier("cnn_tiny", max_updates=6, batch_size=10, callbacks=[*callbacks], **params)


FITS = {
    "net": lambda callback: net_with(callback).fit(X, Y),
    "classifier": lambda callback: classifier_with(callback).fit(IMAGES, LABELS),
}


def raises_itself(signum, frame):
    raise KeyboardInterrupt


class HandlerObject:
    def __call__(self, *received):
        raise KeyboardInterrupt


@pytest.mark.parametrize("handler", [signal.default_int_handler, raises_itself, HandlerObject()])
@pytest.mark.parametrize("how", [press, pressed_later])
@pytest.mark.parametrize("event", EVENTS)
@pytest.mark.parametrize("fit", FITS)
def test_ctrl_c_within_a_callback_ends_everything(fit, event, how, handler):
    before = signal.signal(signal.SIGINT, handler)
    try:
        with pytest.raises(KeyboardInterrupt):
            FITS[fit](Interrupted(event, how))
        assert signal.getsignal(signal.SIGINT) is handler
    finally:
        signal.signal(signal.SIGINT, before)


@pytest.mark.parametrize("event", ["on_epoch_begin", "on_batch_begin", "on_batch_end", "on_epoch_end"])
@pytest.mark.parametrize("fit", FITS)
def test_a_callback_may_end_training(fit, event):
    fitted = FITS[fit](Stops(event))
    assert len(fitted.history) == 1


def test_skorchs_early_stopping_ends_training_also_in_threads_and_processes():
    def fit():
        stop = EarlyStopping("generator_loss", patience=1, threshold=10.0, sink=lambda text: None)
        return net_with(stop, steps_per_epoch=5, random_state=0).fit(X, Y).steps_

    assert fit() < 40
    for backend in ("threading", "loky"):
        assert Parallel(2, backend=backend)(delayed(fit)() for _ in range(2)) == [fit()] * 2


def test_a_callback_may_end_training_after_an_interrupt_that_was_caught():
    try:
        raise KeyboardInterrupt
    except KeyboardInterrupt:
        assert net_with(Stops("on_batch_end")).fit(X, Y).steps_ == 1


def test_a_fit_in_a_thread_is_told_from_a_stop_too():
    ended = []

    class FromElsewhere(Callback):
        def on_batch_end(self, net, **kwargs):
            import ctypes

            ctypes.pythonapi.PyThreadState_SetAsyncExc(
                ctypes.c_ulong(threading.get_ident()), ctypes.py_object(KeyboardInterrupt)
            )
            sum(range(10))

    def fit():
        try:
            ended.append(net_with(FromElsewhere()).fit(X, Y))
        except KeyboardInterrupt:
            ended.append("interrupted")

    thread = threading.Thread(target=fit)
    thread.start()
    thread.join()
    assert ended == ["interrupted"]


@pytest.mark.parametrize("step", [1, 3, 40])
def test_ctrl_c_within_a_step_also_within_the_last(step):
    class Pressed(AdversarialNet):
        def report(self, **values):
            told = super().report(**values)
            if self.steps_ == step:
                press()
            return told

    with pytest.raises(KeyboardInterrupt):
        Pressed(MLPGAN, max_steps=40, module__alpha=1).fit(X, Y)


@pytest.mark.parametrize("step", [1, 6])
def test_ctrl_c_within_an_optimisers_step(step):
    class Pressed(torch.optim.Adam):
        count = 0

        def step(self, *args, **kwargs):
            type(self).count += 1
            if type(self).count == step:
                press()
            return super().step(*args, **kwargs)

    with pytest.raises(KeyboardInterrupt):
        classifier_with(optimizer=Pressed).fit(IMAGES, LABELS)
    Pressed.count = 0
    with pytest.raises(KeyboardInterrupt):
        net_with(optimizer=Pressed, max_steps=6).fit(X, Y)


@pytest.mark.parametrize("event", ["on_batch_end", "on_epoch_end", "on_train_end"])
def test_ctrl_c_in_training_side_by_side(event, monkeypatch):
    def pressed(self, net, **kwargs):
        press()

    monkeypatch.setattr(StepLog, event, pressed, raising=False)
    with pytest.raises(KeyboardInterrupt):
        SideBySideNet(**mlp_gan(alpha=1, max_steps=5).get_params(deep=False)).fit_each([X[:30], X[30:]], [0, 1])


def test_ctrl_c_after_the_loop_has_ended(monkeypatch):
    class Pressed(AdversarialNet):
        def fit_loop(self, *args, **kwargs):
            try:
                return super().fit_loop(*args, **kwargs)
            finally:
                press()

    with pytest.raises(KeyboardInterrupt):
        Pressed(MLPGAN, max_steps=4, module__alpha=1).fit(X, Y)


class Dropped:
    """Python prints and drops what is raised while an object is destroyed."""

    def __del__(self):
        press()


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("event", EVENTS)
@pytest.mark.parametrize("fit", FITS)
def test_ctrl_c_that_python_drops(fit, event):
    before = signal.getsignal(signal.SIGINT)
    with pytest.raises(KeyboardInterrupt):
        FITS[fit](Interrupted(event, Dropped))
    assert signal.getsignal(signal.SIGINT) is before


def test_a_handler_that_lets_the_fit_go_on():
    received = []
    before = signal.signal(signal.SIGINT, lambda *args: received.append(args))
    try:
        assert net_with(Interrupted("on_batch_end")).fit(X, Y).steps_ == 40
        assert len(received) == 40
    finally:
        signal.signal(signal.SIGINT, before)


def test_a_handler_that_a_callback_has_set_stays():
    def other(*args):
        raise KeyboardInterrupt

    before = signal.getsignal(signal.SIGINT)
    try:
        net_with(Interrupted("on_train_begin", lambda: signal.signal(signal.SIGINT, other))).fit(X, Y)
        assert signal.getsignal(signal.SIGINT) is other
    finally:
        signal.signal(signal.SIGINT, before)


@pytest.mark.parametrize("handler", [signal.SIG_IGN, signal.SIG_DFL])
def test_the_systems_own_handlers_stay(handler):
    before = signal.signal(signal.SIGINT, handler)
    try:
        net_with(max_steps=2).fit(X, Y)
        assert signal.getsignal(signal.SIGINT) == handler
    finally:
        signal.signal(signal.SIGINT, before)


def test_ctrl_c_in_sampling(monkeypatch):
    sampler = GANOverSampler(net=net_with(max_steps=4), random_state=0)
    rows, labels = X[:50], Y[:50]
    made, _ = sampler.fit_resample(rows, labels)

    def pressed(self, *args, **kwargs):
        press()

    with monkeypatch.context() as patched:
        patched.setattr(AdversarialNet, "draw", pressed)
        for call in (lambda: sampler.sample({1: 3}), lambda: sampler.fit_resample(rows, labels)):
            with pytest.raises(KeyboardInterrupt):
                call()
    np.testing.assert_array_equal(sampler.fit_resample(rows, labels)[0], made)
