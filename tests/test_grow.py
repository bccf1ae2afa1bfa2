import numpy as np
import pytest
import torch
from sklearn.base import clone
from skorch.callbacks import Callback

from skgan import GANOverSampler
from skgan._draws import initial_weights
from skgan._random import private_rng
from skgan.callbacks import Grow
from skgan.losses import Relativistic, Wasserstein
from skgan.modules import DCGAN, ProGAN
from skgan.nets import AdversarialNet, ProGANNet
from skgan.penalties import R1, GradientPenalty

IMAGES = np.random.RandomState(0).randint(0, 256, (20, 1, 16, 16), dtype=np.uint8)  # stages of 4, 8 and 16 px
Y = np.repeat([0, 1], [14, 6])


class Watch(Callback):
    """Keeps the stages that training goes through."""

    def on_train_begin(self, net, **kwargs):
        self.seen_ = []

    def on_batch_end(self, net, **kwargs):
        self.seen_.append((net.module_.generator.stage, round(net.module_.discriminator.alpha, 4)))


class StopAt(Callback):
    def __init__(self, step):
        self.step = step

    def on_batch_end(self, net, **kwargs):
        if net.steps_ == self.step:
            raise KeyboardInterrupt


def small(kind=ProGANNet, **params):
    defaults = {
        "module": ProGAN,
        "module__width": 2,
        "module__max_width": 4,
        "module__latent_dim": 5,
        "criterion": Wasserstein,
        "penalties": (GradientPenalty(10.0),),
        "batch_size": 4,
        "max_steps": 6,
        "callbacks": [("grow", Grow())],
    }
    return kind(**{**defaults, **params})


def fit(net, data=IMAGES):
    return net.set_params(random_state=0).fit(data, Y)


def schedule(grow, **params):
    watch = Watch()
    fit(small(callbacks=[("grow", grow), ("watch", watch)], callbacks__ema=None, **params))
    return watch.seen_


def test_every_stage_gets_its_share_of_the_steps_and_fades_in():
    assert schedule(Grow(), max_steps=12) == [
        *[(0, 1.0)] * 4,
        *[(1, 0.5), (1, 1.0), (1, 1.0), (1, 1.0)],
        *[(2, 0.5), (2, 1.0), (2, 1.0), (2, 1.0)],
    ]


@pytest.mark.parametrize(
    ("grow", "expected"),
    [
        (Grow(fade=0), [(0, 1.0), (0, 1.0), (1, 1.0), (1, 1.0), (2, 1.0), (2, 1.0)]),
        (Grow(fade=1), [(0, 1.0), (0, 1.0), (1, 0.5), (1, 1.0), (2, 0.5), (2, 1.0)]),
        (Grow(shares=(1, 1, 4)), [(0, 1.0), (1, 1.0), (2, 0.5), (2, 1.0), (2, 1.0), (2, 1.0)]),
        (Grow(fade=1, shares=[0.5, 1, 1.5]), [(0, 1.0), (1, 0.5), (1, 1.0), (2, 0.3333), (2, 0.6667), (2, 1.0)]),
    ],
)
def test_fade_and_shares_set_the_schedule(grow, expected):
    assert schedule(grow) == expected


@pytest.mark.parametrize("max_steps", [1, 2, 3, 4, 5, 7])
@pytest.mark.parametrize("fade", [0.0, 0.5, 1.0])
def test_the_last_step_is_at_the_last_stage_in_full_however_few_there_are(fade, max_steps):
    net = fit(small(callbacks=[("grow", Grow(fade))], max_steps=max_steps, penalties=()))
    assert net.module_.grown() == (2, 1.0)


def test_alpha_rises_evenly_and_never_falls():
    net = fit(small(callbacks=[("grow", Grow(fade=1, shares=(1, 2, 3)))]))
    grow = dict(net.callbacks_)["grow"]
    grown = [sum(grow.state(t / 600)) for t in range(1, 601)]
    assert grown == sorted(grown)
    assert max(np.diff(grown)) < 0.0051  # the second stage has 200 of 600 steps
    assert grown[-1] == 3


@pytest.mark.parametrize("criterion", [Wasserstein, Relativistic])
def test_real_images_are_as_coarse_as_the_stage(criterion):
    seen = []

    class Coarse(ProGANNet):
        def discriminate(self, x, y, *parents):
            seen.append((self.module_.grown(), x.detach()))
            return super().discriminate(x, y, *parents)

    fit(small(Coarse, criterion=criterion, penalties=(), callbacks=[("grow", Grow(fade=0))]))
    assert len(seen) == 6 * (4 if criterion is Relativistic else 3)
    for (stage, _), x in seen:
        cell = 2 ** (2 - stage)
        cells = x[:, :, ::cell, ::cell].repeat_interleave(cell, 2).repeat_interleave(cell, 3)
        torch.testing.assert_close(cells, x)


def test_training_moves_only_what_is_in_use():
    with private_rng(0), initial_weights():
        before = ProGAN((1, 16, 16), 2, width=2, max_width=4, latent_dim=5).state_dict()
    net = fit(small(callbacks=[("grow", Grow()), ("stop", StopAt(2))], callbacks__ema=None))
    moved = {name for name, tensor in net.module_.state_dict().items() if not torch.equal(tensor, before[name])}
    assert "generator.to_image.0.0.layer.weight" in moved
    assert "discriminator.from_image.0.0.layer.weight" in moved
    assert not [name for name in moved if any(f"{part}.{i}." in name for part in ("blocks", "image") for i in (1, 2))]


def resample(net, images, **params):
    sampler = GANOverSampler(net=net, random_state=0, **params)
    return sampler, *sampler.fit_resample(*images)


def test_through_the_sampler_counts_are_exact_and_runs_repeat(images):
    _, rows, labels = resample(small(), images)
    assert rows.dtype == np.uint8
    assert rows.shape == (44, 3, 8, 10)
    assert (np.bincount(labels) == 22).all()
    assert (rows[:30] == images[0]).all()
    assert len(np.unique(rows[30:])) > 2
    _, again, _ = resample(small(), images)
    assert (rows == again).all()


@pytest.mark.parametrize("step", [1, 2, 3])
@pytest.mark.parametrize("params", [{}, {"callbacks__ema": None}], ids=["ema", "no_ema"])
def test_a_training_that_ends_early_samples_at_its_stage(step, params):
    callbacks = [("grow", Grow()), ("stop", StopAt(step))]
    net = fit(small(callbacks=callbacks, max_steps=9, **params))
    export = net.export()
    assert not export["complete"]
    twin = clone(net).restore(export)
    assert twin.module_.grown() == net.module_.grown() == (0, 1.0)
    assert twin.module_.generator.stage == net.module_.generator.stage == 0
    made = net.sample(Y, random_state=3)
    assert (made == twin.sample(Y, random_state=3)).all()
    assert (made[:, :, ::4, ::4].repeat(4, 2).repeat(4, 3) == made).all()
    assert (net.score_samples(IMAGES, Y) == twin.score_samples(IMAGES, Y)).all()


def test_max_time_leaves_both_players_at_one_stage():
    net = fit(small(max_time=1e-9, max_steps=3))  # cut in the first step, which the moving average never sees
    assert net.steps_ == 1
    assert net.module_.grown() == (0, 1.0)
    assert net.module_.generator.stage == 0


def test_through_the_sampler_a_cut_training_gives_coarse_images(images):
    X = images[0][:, :, :8, :8].copy()
    _, rows, labels = resample(small(), (X, images[1]), max_time=1e-9, max_steps=100)
    assert (np.bincount(labels) == 22).all()
    fresh = rows[30:]
    assert fresh.shape[1:] == (3, 8, 8)
    assert (fresh[:, :, ::2, ::2].repeat(2, 2).repeat(2, 3) == fresh).all()


@pytest.mark.parametrize("params", [{}, {"callbacks__ema": None}], ids=["ema", "no_ema"])
def test_after_a_divergence_the_module_is_at_the_stage_of_its_weights(params):
    class Explodes(ProGANNet):
        def generator_loss(self, real, y, *parents):
            loss, told = super().generator_loss(real, y, *parents)
            return (loss * float("nan") if self.steps_ >= 4 else loss), told

    with pytest.warns(UserWarning, match="diverged by step 6.*state of step 4"):
        net = fit(
            small(Explodes, steps_per_epoch=2, max_steps=12, callbacks=[("grow", Grow(shares=(2, 2, 8)))], **params)
        )
    assert net.module_.grown() == (1, 1.0)
    assert net.module_.generator.stage == net.module_.discriminator.stage == 1
    assert net.module_.generator.grown.tolist() == [1.0, 1.0]
    assert np.isfinite(net.sample(Y)).all()


def test_a_net_may_also_grow_with_other_losses_and_moves_both_players_at_once():
    net = fit(small(AdversarialNet, penalties=(R1(1.0),), updates="simultaneous", n_critic=2))
    assert net.module_.grown() == (2, 1.0)
    assert np.isfinite(net.sample(Y)).all()


@pytest.mark.parametrize(
    ("make", "error", "words"),
    [
        (
            lambda: AdversarialNet(DCGAN, module__width=2, max_steps=2, callbacks=[("grow", Grow())]),
            TypeError,
            r"grow\(stage, alpha\).*DCGAN lacks n_stages, grow, grown",
        ),
        (lambda: small(module=DCGAN), TypeError, "with a method fade; got.*DCGAN.*Use AdversarialNet"),
        (lambda: small(callbacks=[("grow", Grow(fade=1.5))]), ValueError, r"fade.*must lie in \[0, 1\], got 1.5"),
        (lambda: small(callbacks=[("grow", Grow(shares=(1, 2)))]), ValueError, r"have 3 stages; got \(1, 2\)"),
        (lambda: small(callbacks=[("grow", Grow(shares=(1, 2, 0)))]), ValueError, "one weight above 0 per stage"),
        (lambda: small(callbacks=[("grow", Grow(shares=(1, 2, np.nan)))]), ValueError, "one weight above 0 per stage"),
        (lambda: small(callbacks=[("grow", Grow(shares=3))]), ValueError, "3 stages; got 3"),
    ],
)
def test_what_cannot_grow_is_refused_in_a_sentence(make, error, words):
    with pytest.raises(error, match=words):
        fit(make())
