"""A fit is a value: a call that fails leaves the fitted sampler as it was, and nothing of an earlier fit remains."""

import numpy as np
import pandas as pd
import pytest

from skgan import ConditionalGANAugmenter, DomainOverSampler, GANOverSampler, OverSamplerCV, RecursiveAugmenter
from skgan.codecs import TabularCodec
from skgan.filters import DiscriminatorFilter, NeighbourFilter
from skgan.nets import AdversarialNet, GenerativeNet
from skgan.presets import cyclegan, dcgan, mlp_gan, offspring

NET = mlp_gan(alpha=1, max_steps=2, batch_size=8)


@pytest.fixture
def rows():
    rng = np.random.RandomState(0)
    y = np.repeat([0, 1], [30, 10])
    return rng.standard_normal((40, 3)) + y[:, None], y


def state_of(sampler):
    """What a user can see of a fit."""
    return {name: value for name, value in vars(sampler).items() if name.endswith("_")}


def samplers():
    return (
        GANOverSampler(net=NET, random_state=0),
        ConditionalGANAugmenter(0.5, net=NET, random_state=0),
        ConditionalGANAugmenter(0.5, net=NET, per_class=True, random_state=0),
    )


@pytest.mark.parametrize("bad", ["infinite", "one class"])
def test_samplers_around_samplers_keep_their_fit_too(bad, rows):
    X, y = rows
    inner = ConditionalGANAugmenter(0.5, net=NET)
    for sampler in (OverSamplerCV([None, inner], random_state=0), RecursiveAugmenter(inner, n_rounds=1)):
        sampler.fit_resample(X, y)
        before = state_of(sampler)
        with pytest.raises(ValueError, match=r"infinity|more than 1 class"):
            sampler.fit_resample(*((np.full_like(X, np.inf), y) if bad == "infinite" else (X[:, :1], y * 0)))
        assert state_of(sampler).keys() == before.keys()
        assert all(state_of(sampler)[name] is value for name, value in before.items())


class StopsOnZeros(AdversarialNet):
    """Its training is interrupted, or fails, where all rows are alike."""

    failure: type[BaseException] = RuntimeError

    def discriminator_loss(self, real, y, *parents):
        if float(real.std()) < 1e-6:
            raise self.failure
        return super().discriminator_loss(real, y, *parents)


class InterruptedOnZeros(StopsOnZeros):
    failure = KeyboardInterrupt


@pytest.mark.parametrize("bad", ["infinite", "one class", "shape"])
@pytest.mark.parametrize("sampler", samplers(), ids=lambda sampler: type(sampler).__name__)
def test_a_refused_second_call_leaves_the_first_fit(sampler, bad, rows):
    X, y = rows
    sampler.fit_resample(X, y)
    before, made = state_of(sampler), sampler.sample({1: 5})[0]
    X_bad, y_bad = {"infinite": (np.full_like(X, np.inf), y), "one class": (X, y * 0), "shape": (X[:5], y)}[bad]
    with pytest.raises(ValueError, match=r"infinity|more than 1 class|inconsistent"):
        sampler.fit_resample(X_bad, y_bad)
    assert state_of(sampler).keys() == before.keys()
    assert all(state_of(sampler)[name] is value for name, value in before.items())
    np.testing.assert_array_equal(sampler.sample({1: 5})[0], made)


@pytest.mark.parametrize(("net", "raised"), [(StopsOnZeros, RuntimeError), (InterruptedOnZeros, KeyboardInterrupt)])
def test_a_training_that_fails_or_is_interrupted_leaves_the_first_fit(net, raised, rows):
    X, y = rows
    sampler = GANOverSampler(net=net(NET.module, module__alpha=1, max_steps=2, batch_size=8), random_state=0)
    sampler.fit_resample(X, y)
    before, made = state_of(sampler), sampler.sample({1: 5})[0]
    with pytest.raises(raised):
        sampler.fit_resample(np.zeros_like(X[:, :2]), y)
    assert all(state_of(sampler)[name] is value for name, value in before.items())
    np.testing.assert_array_equal(sampler.sample({1: 5})[0], made)


def test_making_rows_that_fails_leaves_the_first_fit_and_no_net(rows, monkeypatch):
    X, y = rows
    sampler = GANOverSampler(net=NET, random_state=0)
    sampler.fit_resample(X, y)
    before = state_of(sampler)

    def fail(self, rows):
        raise RuntimeError("no rows today")

    monkeypatch.setattr(TabularCodec, "inverse_transform", fail)
    with pytest.raises(RuntimeError, match="no rows today"):
        sampler.fit_resample(X[:, :2], y)
    assert all(state_of(sampler)[name] is value for name, value in before.items())
    with pytest.raises(RuntimeError, match="no rows today"):
        sampler.sample({1: 5})
    assert "ready" not in vars(sampler.factory_.generators[0])


def test_an_augmenter_that_adds_nothing_gives_a_copy_of_the_rows(rows):
    X, y = rows
    frame = pd.DataFrame(X, columns=list("abc"), index=np.arange(40) * 2)
    X_new, y_new = ConditionalGANAugmenter(0, net=NET, random_state=0).fit_resample(frame, y)
    pd.testing.assert_frame_equal(X_new, frame.reset_index(drop=True))
    np.testing.assert_array_equal(y_new, y)
    X_new, y_new = ConditionalGANAugmenter(0, net=NET, random_state=0).fit_resample(X, y)
    np.testing.assert_array_equal(X_new, X)
    assert not np.shares_memory(X_new, X)
    assert not np.shares_memory(y_new, y)


def test_nothing_of_an_earlier_fit_remains(rows):
    X, y = rows
    sampler = GANOverSampler(net=NET, row_filter=NeighbourFilter(low=0.0, high=1.0), random_state=0)
    sampler.fit_resample(X, y, groups=np.arange(40))
    assert {"filter_report_", "groups_"} <= vars(sampler).keys()
    sampler.set_params(row_filter=None).fit_resample(X, y)
    assert not {"filter_report_", "groups_"} & vars(sampler).keys()
    augmenter = ConditionalGANAugmenter(0.5, net=NET, random_state=0)
    augmenter.fit_resample(X, X[:, 0])
    assert "conditions_" in vars(augmenter)
    augmenter.fit_resample(X, y)
    assert "conditions_" not in vars(augmenter)
    rounds = RecursiveAugmenter(augmenter, n_rounds=1, random_state=0)
    rounds.fit_resample(X, y, groups=np.arange(40))
    rounds.fit_resample(X, y)
    assert not hasattr(rounds, "groups_")
    sampler.fit(X, y)
    assert not hasattr(sampler, "factory_")


def test_train_returns_what_makes_rows_and_changes_nothing(rows):
    X, y = rows
    sampler = GANOverSampler(net=NET, random_state=0)
    factory = sampler.train(X, y)
    assert not state_of(sampler)
    made = factory.make({1: 20}, 0)
    np.testing.assert_array_equal(made.X, sampler.fit_resample(X, y)[0][40:])


def test_fifteen_classes_of_one_net_restore_it_once(monkeypatch):
    restored = []
    restore = GenerativeNet.restore
    monkeypatch.setattr(GenerativeNet, "restore", lambda net, export: restored.append(1) or restore(net, export))
    y = np.repeat(np.arange(15), [12] + [6] * 14)
    X = np.random.RandomState(0).standard_normal((len(y), 3))
    sampler = GANOverSampler(net=NET, random_state=0)
    sampler.fit_resample(X, y)
    assert len(restored) == 1
    sampler.sample(dict.fromkeys(range(15), 2))
    assert len(restored) == 2  # between calls no net is kept


@pytest.mark.parametrize("net", [offspring(max_steps=1), cyclegan(max_steps=1)], ids=lambda net: type(net).__name__)
def test_a_discriminator_filter_needs_a_discriminator_of_single_rows(net, rows, trainings):
    with pytest.raises(ValueError, match=f"discriminator judges single rows.*got {type(net).__name__}"):
        GANOverSampler(net=net, row_filter=DiscriminatorFilter()).fit_resample(*rows)
    with pytest.raises(ValueError, match="this net is told real-valued labels"):
        ConditionalGANAugmenter(net=NET, row_filter=DiscriminatorFilter()).fit_resample(rows[0], rows[0][:, 0])
    assert not trainings


def test_what_needs_a_trait_is_refused_in_a_sentence(rows, trainings):
    X, y = rows
    with pytest.raises(ValueError, match=r"use cyclegan\(\), offspring\(\) or dagan\(\) \(got AdversarialNet\)"):
        DomainOverSampler(net=NET).fit_resample(X, y, domain=y)
    with pytest.raises(ValueError, match="was given none"):
        DomainOverSampler().fit_resample(X, y)
    assert not trainings
    sampler = GANOverSampler(net=NET, random_state=0)
    sampler.fit_resample(X, y)
    with pytest.raises(ValueError, match=r"net='cyclegan' \(got AdversarialNet\)"):
        sampler.translate(X, 1)


def test_translations_of_categories_leave_the_global_stream_alone():
    import pandas as pd
    import torch

    rng = np.random.RandomState(0)
    frame = pd.DataFrame({"x": rng.randn(40), "town": rng.choice(["Ulm", "Bonn"], 40)})
    sampler = GANOverSampler(net=cyclegan(max_steps=2, batch_size=8, module__width=4), random_state=0)
    sampler.fit_resample(frame, np.repeat([0, 1], [30, 10]))
    before = torch.random.get_rng_state().clone()
    first, again = (sampler.translate(frame, to=1) for _ in range(2))
    pd.testing.assert_frame_equal(first, again)
    assert torch.equal(before, torch.random.get_rng_state())


def test_images_of_a_grid_are_trained_on_with_the_codec_that_says_so():
    X, y = np.random.RandomState(0).randint(0, 256, (24, 64), dtype=np.uint8), np.repeat([0, 1], [16, 8])
    from skgan.codecs import ImageCodec

    net = dcgan(module__width=4, max_steps=1, batch_size=8)
    sampler = GANOverSampler(net=net, codec=ImageCodec(image_shape=(8, 8)), random_state=0)
    assert sampler.fit_resample(X, y)[0].shape == (32, 64)
    assert sampler.factory_.generators[0].export["data_shape"] == (1, 8, 8)
