import math
import pickle
import re
import warnings

import numpy as np
import pytest
import torch
from sklearn.base import clone
from skorch.callbacks import Callback

from skgan import presets
from skgan._draws import initial_weights
from skgan._random import private_rng
from skgan.callbacks import SampleGrid
from skgan.losses import Hinge, NonSaturating
from skgan.modules import MLPGAN
from skgan.nets import AdversarialNet
from skgan.penalties import R1
from skgan.presets import dcgan, gaussian, gtn, mlp_gan, relativistic_gan

X = np.random.RandomState(0).randn(50, 4).astype(np.float32)
Y = np.repeat([0, 1], [40, 10])


def fitted(seed=0, **params):
    net = mlp_gan(**{"alpha": 1, "max_steps": 30, "module__latent_dim": 5, "random_state": seed, **params})
    return net.fit(X, Y)


def weights(net):
    return np.concatenate([array.ravel() for array in net.export()["weights"].values()])


def test_two_runs_with_one_seed_are_bit_identical_and_another_seed_differs():
    assert (weights(fitted()) == weights(fitted())).all()
    assert not (weights(fitted()) == weights(fitted(seed=1))).all()
    assert not (weights(fitted(seed=None)) == weights(fitted(seed=None))).all()


def test_training_and_sampling_leave_torchs_generator_alone_and_are_not_moved_by_it():
    torch.manual_seed(0)
    before = torch.get_rng_state()
    net = fitted()
    rows = net.sample(Y)
    assert torch.equal(torch.get_rng_state(), before)
    torch.manual_seed(1)
    assert (net.sample(Y) == rows).all()
    assert (fitted().sample(Y) == rows).all()
    assert (net.sample(Y, random_state=0) == rows).all()
    assert not (net.sample(Y, random_state=1) == rows).any()
    with private_rng(0):
        drawn = net.draw(Y)
    assert (drawn.rows == rows).all()
    assert drawn.parents is None


def test_a_seed_may_be_a_random_state_that_goes_on():
    rng = np.random.RandomState(0)
    first, second = fitted(seed=rng), fitted(seed=rng)
    assert not (weights(first) == weights(second)).all()
    assert (weights(fitted(seed=np.random.RandomState(0))) == weights(first)).all()
    assert (weights(fitted(seed=np.int64(3))) == weights(fitted(seed=3))).all()


@pytest.mark.parametrize("criterion", [NonSaturating, Hinge])
def test_an_update_moves_its_own_player_only(criterion):
    moved = {}

    class Watch(AdversarialNet):
        def update(self, player, loss):
            before = {name: p.detach().clone() for name, p in self.module_.named_parameters()}
            result = super().update(player, loss)
            moved.setdefault(player, set()).update(
                name.split(".")[0] for name, p in self.module_.named_parameters() if not torch.equal(before[name], p)
            )
            return result

    Watch(MLPGAN, criterion, module__alpha=1, penalties=(R1(1.0),), max_steps=3).fit(X, Y)
    assert moved == {"discriminator": {"discriminator"}, "generator": {"generator"}}


def test_every_discriminator_update_sees_fresh_rows():
    seen = []

    class Watch(AdversarialNet):
        def discriminator_loss(self, real, y):
            seen.append(real.clone())
            return super().discriminator_loss(real, y)

    Watch(MLPGAN, module__alpha=1, n_critic=3, batch_size=8, max_steps=2).fit(X, Y)
    assert len(seen) == 6
    assert all(rows.shape == (8, 4) for rows in seen)
    assert not any(torch.equal(a, b) for i, a in enumerate(seen) for b in seen[:i])


def test_history_has_a_record_per_epoch_with_means_of_its_steps():
    history = fitted(max_steps=50).export()["history"]
    assert history["step"] == [20, 40, 50]
    reported = ["discriminator_loss", "generator_loss", "discriminator_accuracy"]
    assert list(history) == ["step", "max_steps", *reported, "seconds"]
    assert history["max_steps"] == [50, 50, 50]
    assert all(math.isfinite(value) for column in history.values() for value in column)
    assert all(0 <= value <= 1 for value in history["discriminator_accuracy"])
    assert history["seconds"] == sorted(history["seconds"])


def test_restore_gives_the_same_samples_as_the_trained_net():
    net = fitted()
    twin = clone(net).restore(pickle.loads(pickle.dumps(net.export())))
    labels = np.array([0, 1, 1])
    a, b = net.sample(labels, random_state=5), twin.sample(labels, random_state=5)
    assert a.dtype == np.float32
    assert (a == b).all()
    assert (net.score_samples(X, Y) == twin.score_samples(X, Y)).all()


def test_sampling_in_chunks_equals_no_chunks_in_size():
    assert fitted().sample(np.zeros(2500, int)).shape == (2500, 4)


def test_the_generator_keeps_its_moving_average():
    class Remember(Callback):
        def on_train_end(self, net, **kwargs):
            Remember.last = [p.clone() for p in net.module_.generator.parameters()]

    with_average = fitted(callbacks=[Remember()])
    # The default callbacks run first, so Remember sees the average, which is what the net keeps.
    assert all(
        torch.equal(a, b) for a, b in zip(Remember.last, with_average.module_.generator.parameters(), strict=True)
    )
    without = fitted(callbacks__ema=None)
    assert not (weights(with_average) == weights(without)).all()


@pytest.mark.parametrize("decay", [0.0, 0.9])
def test_the_average_is_usable_early_and_zero_decay_is_the_last_state(decay):
    averaged, last = fitted(callbacks__ema__decay=decay), fitted(callbacks__ema=None)
    a, b = weights(averaged), weights(last)
    if decay == 0:
        # The first update copies, the later ones keep nothing of the past.
        np.testing.assert_allclose(a, b, atol=1e-7)
    else:
        assert np.abs(a - b).max() < 0.1


def test_user_callbacks_add_to_the_defaults():
    class Count(Callback):
        batches = 0

        def on_batch_end(self, net, **kwargs):
            Count.batches += 1

    net = fitted(callbacks=[Count()])
    assert Count.batches == 30
    assert [name for name, _ in net.callbacks_] == ["ema", "divergence_guard", "step_log", "Count"]


def test_skorchs_own_callbacks_can_be_added(tmp_path, capsys):
    from skorch.callbacks import EpochTimer, LRScheduler, PrintLog, ProgressBar, TrainEndCheckpoint

    callbacks = [
        ProgressBar(),
        PrintLog(),
        EpochTimer(),
        LRScheduler(torch.optim.lr_scheduler.StepLR, step_size=1, gamma=0.5),
        TrainEndCheckpoint(dirname=tmp_path),
    ]
    net = fitted(callbacks=callbacks, max_steps=60, lr=1e-3, verbose=1)
    assert net.optimizer_.param_groups[0]["lr"] == 1e-3 / 8
    assert "discriminator_loss" in capsys.readouterr().out
    assert list(tmp_path.iterdir())


def test_a_callback_may_end_training_but_ctrl_c_ends_everything():
    class Enough(Callback):
        def on_batch_end(self, net, **kwargs):
            if net.steps_ == 7:
                raise KeyboardInterrupt

    assert fitted(callbacks=[Enough()]).steps_ == 7

    class Interrupted(AdversarialNet):
        def train_step(self, batch, **fit_params):
            if self.steps_ == 3:
                raise KeyboardInterrupt
            return super().train_step(batch, **fit_params)

    with pytest.raises(KeyboardInterrupt):
        Interrupted(MLPGAN, max_steps=10).fit(X, Y)


CUT = r"max_time=\S+ ended the training after \d+ of \d+ steps"


def test_max_time_ends_training_and_says_so():
    noise = r"\. Rows of a net that has learned so little are hardly better than noise\. Set a larger max_time"
    with pytest.warns(UserWarning, match=CUT + noise):
        net = fitted(max_steps=10**6, max_time=0.2)
    export = net.export()
    assert set(export["history"]["max_steps"]) == {10**6}
    assert not export["complete"]
    assert 0 < net.steps_ < 10**6
    assert export["history"]["step"][-1] == net.steps_
    assert fitted().export()["complete"]


def test_max_time_near_the_end_says_nothing_of_noise_and_a_callback_that_stops_says_nothing():
    with pytest.warns(UserWarning, match=rf"{CUT}\. Set a larger max_time") as warned:
        fitted(max_steps=2, max_time=1e-9)
    assert len(warned) == 1
    assert warned[0].filename == __file__

    class Stop(Callback):
        def on_batch_end(self, net, **kwargs):
            raise KeyboardInterrupt

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert fitted(max_time=1000.0, callbacks=[Stop()]).steps_ == 1
        fitted(max_steps=1, max_time=1e-9)  # the last step is the first
        gaussian(max_time=1e-9).fit(X, Y)


def test_max_time_ends_the_training_of_a_teacher_too():
    with pytest.warns(UserWarning, match=rf"{CUT}\. Rows of a net"):
        net = gtn(unroll_steps=2, inner_batch_size=4, max_steps=100, max_time=1e-9, random_state=0).fit(X, Y)
    assert net.export()["history"]["step"] == [1]


@pytest.mark.parametrize("bad", [float("nan"), 1e9])
def test_divergence_goes_back_to_the_last_good_weights_and_warns(bad):
    class Explodes(AdversarialNet):
        def generator_loss(self, real, y):
            loss, told = super().generator_loss(real, y)
            return (loss * bad if self.steps_ >= 45 else loss), told

    params = {"module__alpha": 1, "max_steps": 200, "random_state": 0}
    with pytest.warns(UserWarning, match="diverged by step 60.*went back to its state of step 40"):
        net = Explodes(MLPGAN, **params).fit(X, Y)
    good = AdversarialNet(MLPGAN, **params, callbacks=[StopAt(40)]).fit(X, Y)
    assert (weights(net) == weights(good)).all()
    assert np.isfinite(net.sample(Y)).all()


def test_divergence_within_the_last_unfinished_epoch_is_caught_too():
    class Explodes(AdversarialNet):
        def generator_loss(self, real, y):
            loss, told = super().generator_loss(real, y)
            return (loss * float("nan") if self.steps_ >= 24 else loss), told

    params = {"module__alpha": 1, "max_steps": 200, "random_state": 0}
    with pytest.warns(UserWarning, match="diverged by step 27.*state of step 20"):
        net = Explodes(MLPGAN, **params, callbacks=[StopAt(27)]).fit(X, Y)
    assert np.isfinite(net.sample(Y)).all()
    assert net.export()["history"]["step"] == [20, 27]


class StopAt(Callback):
    def __init__(self, step):
        self.step = step

    def on_batch_end(self, net, **kwargs):
        if net.steps_ == self.step:
            raise KeyboardInterrupt


def test_verbose_shows_steps_losses_and_time_left_and_the_default_shows_nothing(capsys):
    fitted()
    assert capsys.readouterr().out == ""
    fitted(verbose=1, max_steps=100)
    told, *lines = capsys.readouterr().out.splitlines()
    assert re.fullmatch(r"about [\d.]+ s: 100 steps of [\d.]+ ms", told)
    assert lines[0].startswith("step 20/100")
    assert all("discriminator loss" in line and line.endswith("s left") for line in lines)
    assert lines[-1].startswith("step 100/100")


def test_two_learning_rates_are_skorchs_parameter_groups():
    net = fitted(optimizer__param_groups=[("discriminator.*", {"lr": 4e-4})], lr=1e-4)
    rates = {group["lr"]: len(group["params"]) for group in net.optimizer_.param_groups}
    assert rates == {
        4e-4: len(list(net.module_.discriminator.parameters())),
        1e-4: len(list(net.module_.generator.parameters())),
    }


def test_the_fused_optimizer_is_used_unless_asked_otherwise():
    assert fitted().optimizer_.defaults["fused"]
    assert not fitted(optimizer__fused=False).optimizer_.defaults["fused"]


def test_a_frozen_parameter_stays_and_does_not_break_the_update():
    class Frozen(MLPGAN):
        def __init__(self, *args, **kwargs):
            super().__init__(*args, **kwargs)
            self.generator.layers[0].weight.requires_grad_(False)

    net = AdversarialNet(Frozen, module__alpha=1, max_steps=3, callbacks__ema=None, random_state=0).fit(X, Y)
    after = net.module_.generator.layers[0].weight
    with private_rng(0), initial_weights():
        before = Frozen((4,), 2, alpha=1).generator.layers[0].weight
    assert torch.equal(before, after)


@pytest.mark.parametrize("net", [mlp_gan(), dcgan(n_critic=2, penalties=(R1(3.0),)), mlp_gan(module__latent_dim=7)])
def test_nets_clone_pickle_and_list_their_parameters(net):
    twin = pickle.loads(pickle.dumps(clone(net)))
    assert twin.get_params()["penalties"] == net.penalties
    assert {k for k in twin.get_params(deep=False) if "module__" in k} == {
        k for k in net.get_params(deep=False) if "module__" in k
    }
    assert twin.device == "auto"


def test_a_fitted_net_pickles_and_trains_anew_after_set_params():
    net = pickle.loads(pickle.dumps(fitted()))
    assert net.sample([0, 1]).shape == (2, 4)
    net.set_params(module__latent_dim=3, lr=1e-3, callbacks__ema__decay=0.5)
    net.fit(X, Y)
    assert net.module_.latent_dim == 3
    assert net.optimizer_.param_groups[0]["lr"] == 1e-3


AN_INT = r"parameter of AdversarialNet must be an int in the range \[1, inf\)."


@pytest.mark.parametrize(
    ("make", "error", "words"),
    [
        (lambda: mlp_gan(max_epochs=3), TypeError, "set max_steps instead of max_epochs"),
        (lambda: mlp_gan().set_params(max_epochs=3), ValueError, "set max_steps instead of max_epochs"),
        (lambda: setattr(mlp_gan(), "max_epochs", 3), ValueError, "max_epochs is derived from max_steps"),
        (lambda: mlp_gan(max_steps=0).fit(X, Y), ValueError, rf"'max_steps' {AN_INT} Got 0 instead"),
        (lambda: mlp_gan(max_steps=True).fit(X, Y), ValueError, rf"'max_steps' {AN_INT} Got True instead"),
        (lambda: mlp_gan(batch_size=1.5).fit(X, Y), ValueError, rf"'batch_size' {AN_INT} Got 1.5 instead"),
        (lambda: mlp_gan(n_critic=0).fit(X, Y), ValueError, rf"'n_critic' {AN_INT} Got 0 instead"),
        (
            lambda: mlp_gan(max_time=-1).fit(X, Y),
            ValueError,
            r"'max_time' parameter of AdversarialNet must be None or a float in the range \(0.0, inf\). Got -1 instead",
        ),
        (
            lambda: mlp_gan(random_state="0").fit(X, Y),
            ValueError,
            r"'random_state' parameter of AdversarialNet must be .* Got '0' instead",
        ),
        (lambda: AdversarialNet(MLPGAN((4,), 1)).fit(X, Y), TypeError, "module must be a class such as MLPGAN"),
        (lambda: mlp_gan(callbacks__ema__decay=1.5).fit(X, Y), ValueError, r"decay.*must lie in \[0, 1\)"),
    ],
)
def test_wrong_parameters_are_refused_in_a_sentence(make, error, words):
    with pytest.raises(error, match=words):
        make()


def test_integers_of_numpy_are_integers():
    net = fitted(n_critic=np.int64(2), max_steps=np.int32(3), batch_size=np.int64(4))
    assert net.steps_ == 3
    assert net.d_updates_ == 6


def test_a_net_shows_what_it_adds_to_its_base_and_what_differs_from_the_defaults():
    net = mlp_gan(lr=2e-4, max_steps=7, callbacks=[SampleGrid("folder", every=5)])
    shown = repr(net)
    assert shown.startswith(
        "AdversarialNet(module=MLPGAN, criterion=NonSaturating, penalties=(R1(every=1, gamma=3.0),), augment=None, "
        "n_critic=2, n_generator=1, updates='alternating', reuse_fakes=False, auxiliary_weight=1.0, "
    )
    for part in ("max_steps=7", "module__alpha=4", "module__dropout=0.0", "optimizer__betas=(0.0, 0.99)"):
        assert part in shown
    assert "callbacks=[SampleGrid(" in shown
    for default in ("lr=", "batch_size=", "verbose=", "random_state=", "device="):
        assert default not in shown
    assert repr(clone(net)) == shown
    assert repr(mlp_gan(random_state=3)).count("random_state=3") == 1


@pytest.mark.parametrize("name", presets.__all__)
def test_a_presets_defaults_can_be_overridden(name):
    make = getattr(presets, name)
    assert make().device == "auto"
    assert make().verbose == 0
    assert make(max_steps=3, lr=0.5).get_params()["lr"] == 0.5


@pytest.mark.slow
def test_a_gan_learns_a_simple_distribution():
    rng = np.random.RandomState(0)
    rows = np.concatenate([rng.normal(-1, 0.3, (300, 2)), rng.normal(1.5, 0.3, (300, 2))]).astype(np.float32)
    labels = np.repeat([0, 1], 300)
    net = mlp_gan(alpha=1, max_steps=600, module__latent_dim=8, random_state=0).fit(rows, labels)
    for klass, mean in ((0, -1), (1, 1.5)):
        fake = net.sample(np.full(500, klass))
        np.testing.assert_allclose(fake.mean(0), mean, atol=0.3)
        assert 0.1 < fake.std(0).min() <= fake.std(0).max() < 0.8


def test_sample_grids_are_written_and_change_no_training(images, tmp_path):
    X, y = images

    def train(**params):
        small = {"module__width": 4, "module__n_features": 8, "batch_size": 8, "max_steps": 5}
        return dcgan(**small, random_state=0, **params).fit(X, y)

    grid = SampleGrid(tmp_path / "new" / "folder", every=2, n_images=3)
    watched, plain = train(callbacks=[("grid", grid)]), train()
    assert sorted(p.name for p in (tmp_path / "new" / "folder").iterdir()) == [
        *("step-000002.png", "step-000004.png", "step-000005.png"),
    ]
    for name, weight in plain.module_.state_dict().items():
        torch.testing.assert_close(watched.module_.state_dict()[name], weight, rtol=0, atol=0)
    with pytest.raises(ValueError, match="every must be an integer of at least 1, got 0"):
        train(callbacks=[SampleGrid(tmp_path, every=0)])
    with pytest.raises(ValueError, match="SampleGrid draws images of classes"):
        mlp_gan(alpha=1, max_steps=1, callbacks=[SampleGrid(tmp_path)]).fit(np.zeros((8, 3), np.float32))


def test_gamma_falls_and_grows_with_the_image():
    net = relativistic_gan(max_steps=11, batch_size=4, module__width=2, module__n_features=4)
    seen = []

    class Spy(Callback):
        def on_batch_end(self, net, **kwargs):
            seen.append([part.gamma for part in net.penalties_.values()])

    net.set_params(callbacks=[*net.callbacks, ("spy", Spy())], random_state=0)
    net.fit(np.zeros((8, 1, 16, 64), np.uint8))
    assert seen[0] == pytest.approx([5.0, 5.0])  # ten times the end
    assert seen[-1] == pytest.approx([0.5, 0.5])  # √(16 · 64) = 32
    assert np.all(np.diff(np.array(seen)[:, 0]) < 0)
    with pytest.raises(ValueError, match="penalties hold neither"):
        net.set_params(penalties=()).fit(np.zeros((8, 1, 16, 16), np.uint8))
    with pytest.raises(ValueError, match="scale must be above 0"):
        relativistic_gan(callbacks__gamma__scale=0.0, max_steps=1).fit(np.zeros((8, 1, 16, 16), np.uint8))
