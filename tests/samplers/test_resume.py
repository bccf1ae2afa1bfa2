"""Trainings that are cut off go on where they were, and end in the same rows, bit for bit."""

import warnings

import numpy as np
import pandas as pd
import pytest

from skgan import ConditionalGANAugmenter, GANOverSampler, presets
from skgan.callbacks import Anneal, GammaByResolution
from skgan.nets import checkpoints
from skgan.nets._steps import StepTraining
from skgan.penalties import R1

STEPS = {"max_steps": 9, "steps_per_epoch": 4, "batch_size": 6}


class CutOffError(Exception):
    """As a killed process, but within this one."""


@pytest.fixture
def kept(monkeypatch):
    """Keep the training after every step; ``cut(k)`` cuts it off in step k, and ``cut.steps`` are those that were made."""
    monkeypatch.setattr(checkpoints, "SECONDS", 0.0)
    monkeypatch.setattr(checkpoints, "SHARE", float("inf"))
    report = StepTraining.report

    def cut(at, error=CutOffError):
        def reported(net, **values):
            if net.steps_ + 1 == at:
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
