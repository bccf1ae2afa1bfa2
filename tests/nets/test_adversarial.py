import numpy as np
import pytest
import torch
from sklearn.base import clone
from skorch.callbacks import Callback

from skgan.augment import InstanceNoise, Translation
from skgan.callbacks import Anneal
from skgan.losses import Hinge, LeastSquares, Relativistic
from skgan.modules import DCGAN, MLPGAN
from skgan.nets import AdversarialNet, ConsensusNet, adversarial
from skgan.penalties import R1, R2
from skgan.presets import dcgan, mlp_gan

X = np.random.RandomState(0).randn(50, 4).astype(np.float32)
IMAGES = np.random.RandomState(0).randint(0, 256, (50, 1, 8, 8), dtype=np.uint8)
Y = np.repeat([0, 1], [40, 10])


SMALL = {"module__alpha": 1, "max_steps": 6, "batch_size": 8}


def small(net=AdversarialNet, **params):
    return net(MLPGAN, **{**SMALL, **params})


def fit(net, data=X):
    return net.set_params(random_state=0).fit(data, Y)


def weights(net):
    return np.concatenate([array.ravel() for array in net.export()["weights"].values()])


def test_a_lazy_penalty_is_applied_every_kth_update_and_k_times_as_strong():
    calls = []

    class Counted(R1):
        def __call__(self, critic, real, fake):
            calls.append(self.gamma)
            return torch.ones(())

    losses = {}
    for every in (1, 3):

        class Watch(AdversarialNet):
            def discriminator_loss(self, real, y, every=every):
                loss, told = super().discriminator_loss(real, y)
                logits = self.module_.discriminator(real, y)
                losses.setdefault(every, []).append((loss.item(), len(logits)))
                return loss, told

        calls.clear()
        fit(small(Watch, penalties=(Counted(2.0, every=every),), n_critic=2, callbacks__ema=None))
        assert len(calls) == {1: 12, 3: 4}[every]
    # Where both apply (updates 0, 3, …) the lazy loss is higher by 3 − 1, at the common start exactly.
    assert losses[3][0][0] - losses[1][0][0] == pytest.approx(2.0, abs=1e-5)


@pytest.mark.parametrize("every", [1, 2])
@pytest.mark.parametrize("penalties", [(R1(3.0),), (R1(1.0), R2(0.5))], ids=["R1", "R1 and R2"])
def test_penalties_use_the_logits_that_are_there(penalties, every, monkeypatch):
    penalties = [type(penalty)(penalty.gamma, every=every) for penalty in penalties]
    passes = []

    class Counted(MLPGAN):
        def __init__(self, *args, **kwargs):
            super().__init__(*args, **kwargs)
            self.discriminator.register_forward_hook(lambda *call: passes.append(1))

    net = fit(AdversarialNet(Counted, **SMALL, module__dropout=0.0, penalties=penalties))
    assert len(passes) == 6 * 3  # of real rows and of fakes, and the generator's
    monkeypatch.setattr(adversarial, "remembering", lambda critic, *known: critic)
    apart = fit(AdversarialNet(Counted, **SMALL, module__dropout=0.0, penalties=penalties))
    assert len(passes) == 6 * 3 + 6 * 3 + 6 // every * len(penalties)
    np.testing.assert_allclose(weights(net), weights(apart), atol=1e-5)


def test_simultaneous_moves_both_from_one_point_and_alternating_does_not():
    seen = {"simultaneous": [], "alternating": []}
    for updates, record in seen.items():

        class Watch(AdversarialNet):
            def generator_loss(self, real, y, record=record):
                record.append([p.detach().clone() for p in self.module_.discriminator.parameters()])
                return super().generator_loss(real, y)

            def on_train_begin(self, net, record=record, **kwargs):
                super().on_train_begin(net, **kwargs)
                record.append([p.detach().clone() for p in self.module_.discriminator.parameters()])

        fit(small(Watch, updates=updates, max_steps=1))
    same = {k: all(torch.equal(a, b) for a, b in zip(v[0], v[1], strict=True)) for k, v in seen.items()}
    assert same == {"simultaneous": True, "alternating": False}


def test_n_generator_counts_generator_updates():
    updates = []

    class Watch(AdversarialNet):
        def update(self, player, loss):
            updates.append(player[0])
            return super().update(player, loss)

    fit(small(Watch, n_critic=2, n_generator=3, max_steps=2))
    assert "".join(updates) == "ddgggddggg"


@pytest.mark.parametrize(
    ("n_critic", "n_generator", "updates", "made"),
    [(1, 1, "alternating", 1), (2, 1, "alternating", 2), (2, 3, "alternating", 4), (2, 1, "simultaneous", 2)],
)
def test_reused_fakes_are_those_of_the_last_discriminator_update(n_critic, n_generator, updates, made):
    seen, discriminated = [], []

    class Watch(AdversarialNet):
        def make(self, *batch):
            seen.append(super().make(*batch))
            return seen[-1]

        def discriminate(self, x, *labels):
            discriminated.append(x)
            return super().discriminate(x, *labels)

        def generator_loss(self, *batch):
            before = len(seen)
            loss = super().generator_loss(*batch)
            assert len(seen) > before or (discriminated[-1] is seen[-1] and seen[-1].requires_grad)
            return loss

    params = {"n_critic": n_critic, "n_generator": n_generator, "updates": updates}
    fit(small(Watch, max_steps=2, reuse_fakes=True, penalties=(R2(1.0),), **params))
    assert len(seen) == 2 * made


def test_the_discriminator_learns_the_same_from_fakes_that_are_reused():
    def discriminator(reuse_fakes):
        net = fit(small(max_steps=1, reuse_fakes=reuse_fakes, penalties=(R2(1.0),), callbacks__ema=None))
        return [p.detach().numpy() for p in net.module_.discriminator.parameters()]

    for apart, reused in zip(discriminator(False), discriminator(True), strict=True):
        np.testing.assert_array_equal(apart, reused)


def test_relativistic_pairs_share_their_label():
    labels = []

    class Watch(AdversarialNet):
        def discriminate(self, x, y):
            labels.append(y)
            return super().discriminate(x, y)

    fit(small(Watch, criterion=Relativistic, max_steps=1))
    assert len(labels) == 4  # real and fake, in the turns of both players
    assert all(torch.equal(labels[0], other) for other in labels[1:])


def test_a_perfect_least_squares_discriminator_reads_an_accuracy_of_1():
    net = fit(small(criterion=LeastSquares))
    net.on_train_begin(net)
    real, y = torch.from_numpy(X[:8]), torch.from_numpy(Y[:8])
    for right, accuracy in ((1.0, 1), (0.0, 0)):
        net.discriminate = lambda x, y, right=right: (((x == real).all(1) == right).float(), None)
        assert net.discriminator_loss(real, y)[1] == {"discriminator_accuracy": accuracy}


def test_the_auxiliary_classifier_teaches_both_players():
    losses = {}
    for weight in (0.0, 5.0):
        net = small(module__head="auxiliary", auxiliary_weight=weight, max_steps=1, callbacks__ema=None)
        losses[weight] = fit(net).export()["history"]
    for name in ("discriminator_loss", "generator_loss"):
        assert losses[5.0][name][0] > losses[0.0][name][0] + 1


def test_consensus_with_gamma_0_is_simultaneous_gradient_descent():
    options = {"optimizer": torch.optim.SGD, "lr": 0.05, "criterion": Hinge, "callbacks__ema": None}
    consensus = fit(small(ConsensusNet, gamma=0.0, **options))
    plain = fit(small(updates="simultaneous", **options))
    np.testing.assert_allclose(weights(consensus), weights(plain), atol=1e-6)
    assert not np.allclose(weights(fit(small(ConsensusNet, gamma=1.0, **options))), weights(plain))


# Names of parts, in grids and in Anneal


def test_a_grid_names_a_penalty_and_a_transform_by_class():
    net = small(penalties=(R1(1.0), R2(1.0)), augment=InstanceNoise(0.5))
    net.set_params(penalties__R1__gamma=7.0, augment__InstanceNoise__std=0.25)
    twin = fit(clone(net))
    assert (twin.penalties_["R1"].gamma, twin.penalties_["R2"].gamma) == (7.0, 1.0)
    assert twin.augment_["InstanceNoise"].std == 0.25
    assert net.penalties[0].gamma == 1.0
    two = fit(small(penalties=(R1(1.0), R1(2.0)), penalties__R1_2__gamma=9.0))
    assert [p.gamma for p in two.penalties_.values()] == [1.0, 9.0]
    assert not np.allclose(weights(fit(small(penalties=(R1(1.0),)))), weights(fit(small(penalties=(R1(9.0),)))))


@pytest.mark.parametrize(
    ("params", "error", "words"),
    [
        ({"penalties__R1__gamma": 1.0}, ValueError, "penalties__R1__gamma names nothing in .*nothing to name"),
        (
            {"penalties": (R1(),), "penalties__R1__weight": 1.0},
            ValueError,
            "there is penalties__R1__every, penalties__R1__gamma",
        ),
        ({"penalties": (R1(),), "penalties__R1__gamma": -1.0}, ValueError, "R1's gamma must be at least 0"),
        ({"penalties": (R1,)}, TypeError, r"penalties must hold instances such as R1\(gamma=1.0\)"),
        (
            {"penalties": (lambda critic, real, fake: 0.0,)},
            TypeError,
            "penalties must hold instances such as R1.*lambda",
        ),
        ({"augment": [Translation]}, TypeError, "augment must hold instances"),
        ({"augment": Translation()}, ValueError, r"Translation moves pixels, and these rows have shape \(4,\)"),
        ({"criterion": torch.nn.MSELoss}, TypeError, "criterion must be a class such as skgan.losses.Hinge"),
        (
            {"updates": "both"},
            ValueError,
            "'updates' parameter of AdversarialNet must be a str among "
            "{(?=.*'alternating')(?=.*'simultaneous').*}. Got 'both' instead",
        ),
        ({"updates": "simultaneous", "n_generator": 2}, ValueError, "set n_generator=1"),
        (
            {"net": ConsensusNet, "gamma": -1},
            ValueError,
            r"'gamma' parameter of ConsensusNet must be a float in the range \[0.0, inf\). Got -1 instead",
        ),
        ({"net": ConsensusNet, "n_critic": 2}, ValueError, "leave n_critic and n_generator at 1"),
        ({"callbacks": [Anneal("lrr", (1, 0))]}, ValueError, r"Anneal\('lrr', …\) names nothing"),
        ({"callbacks": [Anneal("penalties__R1__gamma", (1, 0))]}, ValueError, "names nothing that can be annealed"),
        ({"callbacks": [Anneal("lr", (1, 0, 3))]}, ValueError, r"schedule must be \(start, end\)"),
        ({"callbacks": [Anneal("lr", (1, 0), "steps")]}, ValueError, "shape must be 'linear' or 'cosine'"),
        ({"callbacks": [Anneal("lr", (1, 0), until=0)]}, ValueError, "until lie in"),
        ({"callbacks": [Anneal("lr", (1, 0))], "lr": 0.0}, ValueError, "keeps every group's rate in proportion to lr"),
    ],
)
def test_wrong_parts_are_refused_in_a_sentence(params, error, words):
    with pytest.raises(error, match=words):
        fit(small(**params))


class Record(Callback):
    def __init__(self, read):
        self.read = read
        Record.values = []

    def on_batch_end(self, net, **kwargs):
        Record.values.append(self.read(net))


@pytest.mark.parametrize(
    ("parameter", "params", "read"),
    [
        ("lr", {}, lambda net: net.optimizer_.param_groups[0]["lr"]),
        ("beta1", {}, lambda net: net.optimizer_.param_groups[0]["betas"][0]),
        ("beta2", {}, lambda net: net.optimizer_.param_groups[0]["betas"][1]),
        ("penalties__R1__gamma", {"penalties": (R1(3.0),)}, lambda net: net.penalties_["R1"].gamma),
        ("augment__InstanceNoise__std", {"augment": InstanceNoise()}, lambda net: net.augment_["InstanceNoise"].std),
        ("gamma", {"net": ConsensusNet, "gamma": 0.7}, lambda net: net.gamma),
        ("auxiliary_weight", {}, lambda net: net.auxiliary_weight),
    ],
)
def test_anneal_moves_the_number_along_its_schedule(parameter, params, read):
    net = small(callbacks=[Anneal(parameter, (0.009, 0.004)), Record(read)], **params)
    before = getattr(net, parameter, None)
    fit(net)
    np.testing.assert_allclose(Record.values, np.linspace(0.009, 0.004, 6))
    assert getattr(net, parameter, None) == before
    if net.penalties:
        assert net.penalties[0].gamma == 3.0


def test_schedules():
    assert [Anneal("lr", (1, 3)).value(t) for t in (0, 0.5, 1)] == [1, 2, 3]
    np.testing.assert_allclose(
        [Anneal("lr", (1, 3), "cosine").value(t) for t in (0, 0.25, 1)], [1, 1 + 1 - 0.5**0.5, 3]
    )
    assert [Anneal("lr", (1, 3), until=0.5).value(t) for t in (0, 0.25, 0.5, 0.9)] == [1, 2, 3, 3]
    assert Anneal("lr", lambda t: t**2).value(0.5) == 0.25


def test_annealing_lr_keeps_the_ratio_of_parameter_groups():
    net = small(
        lr=1e-3,
        optimizer__param_groups=[("discriminator.*", {"lr": 4e-3})],
        callbacks=[
            Anneal("lr", (1e-3, 1e-4)),
            Record(lambda net: [group["lr"] for group in net.optimizer_.param_groups]),
        ],
    )
    fit(net)
    np.testing.assert_allclose(Record.values[0], [4e-3, 1e-3])
    np.testing.assert_allclose(Record.values[-1], [4e-4, 1e-4])


def test_the_average_is_usable_after_100_steps():
    rows = np.random.RandomState(0).randn(200, 2).astype(np.float32) + 3
    net = mlp_gan(alpha=1, max_steps=100, random_state=0).fit(rows)
    assert np.abs(net.sample(np.zeros(500, int)).mean(0) - 3).max() < 1.0


def test_diffaugment_reaches_real_and_fake_alike():
    seen = []

    def watch(images):
        seen.append(len(images))
        return images

    fit(dcgan(module__width=4, augment=[watch], penalties=(), max_steps=1, batch_size=8), IMAGES)
    assert seen == [8, 8, 8]  # real, fake, and the generator's turn
    assert isinstance(dcgan().module, type(DCGAN))
