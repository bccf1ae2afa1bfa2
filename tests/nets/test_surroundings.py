"""Nets among other code of the same process: threads that draw, and settings of torch that are not torch's defaults."""

import threading
from dataclasses import dataclass
from functools import partial

import numpy as np
import pytest
import torch
from sklearn.base import clone
from skorch.callbacks import Callback, EarlyStopping, LRScheduler
from torch import nn
from torch.overrides import _get_current_function_mode_stack

from skgan import CNNClassifier, _random, augment
from skgan._draws import randn
from skgan.losses import NonSaturating
from skgan.modules import MLPGAN
from skgan.modules.layers import Dropout
from skgan.nets import AdversarialNet
from skgan.penalties import GradientPenalty
from skgan.presets import (
    autoencoder,
    cyclegan,
    dagan,
    dcgan,
    flow,
    gaussian,
    genclass,
    gtn,
    mlp_gan,
    offspring,
    photo_gan,
    predictor_mlp_gan,
    progan,
    vae,
    vae_gan,
)

RNG = np.random.RandomState(0)
Y = np.repeat([0, 1], [20, 12])
ROWS = np.concatenate([RNG.randn(32, 3), np.eye(3)[RNG.randint(3, size=32)]], axis=1).astype(np.float32)
IMAGES = RNG.randint(0, 256, (32, 1, 8, 8), dtype=np.uint8)
REAL = RNG.randn(32, 1)
SPANS = {"module__spans": [(3, 6)]}
TRANSFORMS = [
    augment.Translation(),
    augment.Rotation(),
    augment.Scale(),
    augment.Crop(),
    augment.Flip(),
    augment.Cutout(),
]
SMALL = {"module__width": 4, "module__n_features": 8}
# Net, rows and labels: between them they draw in every way that there is
NETS = {
    "mlp_gan": (mlp_gan(alpha=1, module__dropout=0.2, augment=augment.InstanceNoise(), **SPANS), ROWS, Y),
    "dcgan": (dcgan(augment=TRANSFORMS, penalties=(GradientPenalty(),), **SMALL), IMAGES, Y),
    "photo_gan": (photo_gan(module__width=8), IMAGES, Y),
    "progan": (progan(module__width=2), IMAGES, Y),
    "vae": (vae(module__hidden=(8,), module__latent_dim=4, **SPANS), ROWS, Y),
    "autoencoder": (autoencoder(module__hidden=(8,), sampling="interpolation", **SPANS), ROWS, Y),
    "vae_gan": (vae_gan(module__latent_dim=4, sampling="posterior", **SMALL), IMAGES, Y),
    "offspring": (offspring(module__residual=True), IMAGES, Y),
    "cyclegan": (cyclegan(pool_size=4, module__width=4, module__n_blocks=1), IMAGES, Y),
    "dagan": (dagan(module__code_dim=4, **SMALL), IMAGES, Y),
    "genclass": (genclass(np.eye(2), module__alpha=1, module__n_dims=4), ROWS, Y),
    "flow": (flow(module__width=8), ROWS, Y),
    "gaussian": (gaussian(), ROWS, Y),
    "gtn": (gtn(unroll_steps=4, inner_batch_size=6, curriculum="random", module__alpha=1, **SPANS), ROWS, Y),
    "predictor": (predictor_mlp_gan(alpha=1, vicinity="scott"), ROWS, REAL),
}


def trained(name: str, **params):
    """The net of this name after a few steps, the rows that it makes, and scores where it has any."""
    net, X, y = NETS[name]
    net = clone(net).set_params(
        batch_size=8, **({} if name == "gaussian" else {"max_steps": 3}), random_state=0, **params
    )
    net.fit(X, y)
    scores = [net.score_samples(X, y)] if net.scores_rows else []
    return net, net.sample(y, (X, y)), *scores


@pytest.fixture
def no_loans(monkeypatch):
    """Nobody may ask for torch's global generators."""
    monkeypatch.setattr(_random, "_lent", lambda *args: pytest.fail("torch's global generators were lent."))


@pytest.mark.parametrize("name", NETS)
def test_no_draw_of_ours_is_from_torchs_global_stream(name, no_loans):
    net, X, y = NETS[name]
    before = torch.get_rng_state()
    net, rows, *_ = trained(name)
    assert torch.equal(torch.get_rng_state(), before)
    torch.manual_seed(1)
    assert (trained(name)[1] == rows).all()
    assert (clone(net).restore(net.export()).sample(y, (X, y)) == rows).all()


def test_neither_does_the_classifier_draw_from_it(no_loans):
    before = torch.get_rng_state()
    first, second = (
        CNNClassifier(max_updates=3, augment=TRANSFORMS, random_state=0).fit(IMAGES, Y).predict_proba(IMAGES)
        for _ in range(2)
    )
    assert (first == second).all()
    assert torch.equal(torch.get_rng_state(), before)


@pytest.mark.parametrize("name", ["mlp_gan", "gtn"])
def test_another_thread_that_draws_changes_no_row_and_is_not_disturbed(name):
    rows = trained(name)[1]
    torch.manual_seed(0)
    expected = [torch.randn(100) for _ in range(40)]
    torch.manual_seed(0)
    drawn, over = [], threading.Event()

    def draw():
        while not over.is_set() and len(drawn) < 40:
            drawn.append(torch.randn(100))
            over.wait(0.001)

    thread = threading.Thread(target=draw)
    thread.start()
    disturbed = trained(name)[1]
    over.set()
    thread.join()
    assert (disturbed == rows).all()
    assert torch.equal(torch.cat(drawn), torch.cat(expected[: len(drawn)]))


class Noisy(MLPGAN):
    """A user's module, which draws as torch has it."""

    def forward(self, z, y):
        return nn.functional.dropout(super().forward(z, y), 0.3, self.training) + 0.01 * torch.randn(len(z), 1)


class Own(MLPGAN):
    """A user's module with the library's dropout."""

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.drop = Dropout(0.3)

    def forward(self, z, y):
        return self.drop(super().forward(z, y)) + 0.01 * randn(len(z), 1)


def test_a_users_module_may_draw_from_the_global_stream_which_is_lent_and_given_back():
    def rows():
        net = AdversarialNet(Noisy, module__alpha=1, max_steps=3, batch_size=8, random_state=0).fit(ROWS, Y)
        return net.sample(Y)

    torch.manual_seed(3)
    before = torch.get_rng_state()
    first = rows()
    assert torch.equal(torch.get_rng_state(), before)
    torch.manual_seed(4)
    assert (rows() == first).all()


def test_a_users_module_with_our_dropout_leaves_the_global_stream_alone(monkeypatch):
    monkeypatch.setattr(_random, "_lent", lambda *args: _random.nullcontext([]))
    before = torch.get_rng_state()
    first, second = (
        AdversarialNet(Own, module__alpha=1, max_steps=3, batch_size=8, random_state=0).fit(ROWS, Y).sample(Y)
        for _ in range(2)
    )
    assert (first == second).all()
    assert torch.equal(torch.get_rng_state(), before)


class Ours(AdversarialNet):
    """A user's net."""


def learner(data_shape, n_classes):
    return nn.Sequential(nn.Flatten(), nn.Linear(6, n_classes))


@dataclass
class Penalise(GradientPenalty):
    """A user's penalty."""


class Stop(Callback):
    """A user's callback."""


class Mine(NonSaturating):
    """A user's loss."""


def test_code_of_the_users_is_known_wherever_it_hides():
    for name, (net, _, _) in NETS.items():
        assert not net.has_foreign_code, name
    known = [
        CNNClassifier(),
        mlp_gan(callbacks=[EarlyStopping(), LRScheduler(torch.optim.lr_scheduler.StepLR, step_size=1)]),
        mlp_gan(optimizer=torch.optim.SGD, random_state=np.random.RandomState(0), callbacks="disable"),
        mlp_gan(module__spans=np.array([[0, 1]]), callbacks__ema__decay=0.9),
    ]
    assert not any(net.has_foreign_code for net in known)
    foreign = [
        AdversarialNet(Noisy),
        Ours(MLPGAN),
        mlp_gan(criterion=Mine),
        mlp_gan(callbacks=[("stop", Stop())]),
        mlp_gan(penalties=(GradientPenalty(), Penalise())),
        mlp_gan(augment=lambda x: x),
        mlp_gan(optimizer=partial(torch.optim.SGD, lr=learner)),
        mlp_gan(augment=partial(learner, n_classes=2)),
        mlp_gan(augment=Stop().on_batch_end),
        gtn(learner=learner),
        gtn(learner__widths={"first": learner}),
        CNNClassifier(module=learner),
    ]
    assert all(net.has_foreign_code for net in foreign)


def test_no_function_mode_slows_a_training_step():
    modes = []

    class Watch(AdversarialNet):
        def train_step(self, batch, **fit_params):
            modes.append(_get_current_function_mode_stack())
            return super().train_step(batch, **fit_params)

    Watch(MLPGAN, module__alpha=1, max_steps=2).fit(ROWS, Y)
    assert modes == [[], []]


SETTINGS = {
    "no_grad": torch.no_grad,
    "inference_mode": torch.inference_mode,
    "autocast": partial(torch.autocast, "cpu"),
    "device": partial(torch.device, "meta"),
}


@pytest.fixture
def double():
    torch.set_default_dtype(torch.float64)
    yield
    assert torch.get_default_dtype() == torch.float64
    torch.set_default_dtype(torch.float32)


@pytest.mark.parametrize("setting", SETTINGS)
@pytest.mark.parametrize("name", ["mlp_gan", "vae", "gaussian", "gtn", "genclass"])
def test_settings_of_torch_change_nothing_and_stay(name, setting, double):
    with SETTINGS[setting]():
        grad, inference = torch.is_grad_enabled(), torch.is_inference_mode_enabled()
        net, *surrounded = trained(name)
        restored = clone(net).restore(net.export())
        assert (restored.sample(Y, (ROWS, Y)) == surrounded[0]).all()
        assert (torch.is_grad_enabled(), torch.is_inference_mode_enabled()) == (grad, inference)
    torch.set_default_dtype(torch.float32)
    _, *plain = trained(name)
    torch.set_default_dtype(torch.float64)
    for one, other in zip(surrounded, plain, strict=True):
        assert one.dtype == other.dtype
        assert (one == other).all()


@pytest.mark.parametrize("setting", SETTINGS)
def test_nor_do_they_change_the_classifier(setting, double):
    def made():
        classifier = CNNClassifier(max_updates=3, random_state=0).fit(IMAGES, Y)
        return classifier.predict_proba(IMAGES), classifier.features(IMAGES), classifier.predict(IMAGES)

    with SETTINGS[setting]():
        surrounded = made()
    torch.set_default_dtype(torch.float32)
    plain = made()
    torch.set_default_dtype(torch.float64)
    assert all((one == other).all() for one, other in zip(surrounded, plain, strict=True))


def test_ctrl_c_within_no_grad_leaves_gradients_on():
    class Interrupted(AdversarialNet):
        def train_step(self, batch, **fit_params):
            torch.set_grad_enabled(False)  # as a Ctrl-C between the lines of torch.no_grad leaves it
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        Interrupted(MLPGAN, module__alpha=1, max_steps=2).fit(ROWS, Y)
    assert torch.is_grad_enabled()


@pytest.mark.parametrize("shape", [(0, 3), (5, 0), (4, 1, 0, 5), (6,)])
@pytest.mark.parametrize("name", ["mlp_gan", "gaussian", "cyclegan"])
def test_rows_without_a_value_are_refused(name, shape):
    with pytest.raises(ValueError, match=r"X has shape .*, and a net learns from encoded rows of shape \(n, d\)"):
        clone(NETS[name][0]).fit(np.zeros(shape, np.float32), np.arange(shape[0]) % 2)


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_values_that_are_not_finite_are_refused(bad):
    X = ROWS.copy()
    X[3, 1] = bad
    with pytest.raises(ValueError, match="X holds NaN or infinity; a net learns from complete, finite encoded rows"):
        gaussian().fit(X, Y)
