"""The teaching network: its gradient is the unrolled loop's, its memory grows slower than the loop, and its rows teach."""

import itertools
import math
import pickle

import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.base import clone
from sklearn.datasets import load_digits
from skorch.callbacks import Freezer
from torch import nn
from torch.nn.functional import cross_entropy

from skgan import ConditionalGANAugmenter, GANOverSampler
from skgan._random import private_rng
from skgan._tensors import to_unit_range
from skgan.filters import DiscriminatorFilter
from skgan.modules import SmallLearner, Teacher
from skgan.nets import GTNNet
from skgan.nets import gtn as gtn_module
from skgan.nets._graph_memory import KeptBytes
from skgan.presets import gtn


class Smooth(nn.Sequential):
    """A learner without kinks, for finite differences."""

    def __init__(self, data_shape, n_classes, width=5, dropout=0.0):
        d = math.prod(data_shape)
        super().__init__(nn.Flatten(), nn.Linear(d, width), nn.Tanh(), nn.Dropout(dropout), nn.Linear(width, n_classes))


def small(**params):
    defaults = {"unroll_steps": 4, "inner_batch_size": 6, "batch_size": 8, "max_steps": 2, "module__width": 4}
    return gtn(**{**defaults, "module__alpha": 1, "module__latent_dim": 4, "learner__width": 4, **params})


def fitted(net, X, y, seed=0):
    return net.set_params(random_state=seed).fit(X, y)


@pytest.fixture(scope="module")
def rows():
    rng = np.random.RandomState(0)
    y = np.repeat([0, 1, 2], 20)
    return np.float32(rng.standard_normal((60, 3)) + 2 * np.eye(3)[y]), y


@pytest.fixture(scope="module")
def digits():
    bunch = load_digits()
    X = np.uint8(bunch.images[:, None] * 15)
    return X[:1200], bunch.target[:1200], X[1200:], bunch.target[1200:]


def ready(net, rows, dtype=torch.float64):
    """The net before its first step, with module and data in this precision, and a learner to teach."""
    X, y = rows
    net.set_params(max_steps=1, lr=0.0, callbacks=None)
    fitted(net, X, y)
    net.module_.to(dtype)
    with private_rng(1):
        learner = net.fresh_learner().to(dtype)
    return learner, torch.from_numpy(X).to(dtype), torch.from_numpy(y)


@pytest.mark.parametrize("border_weight", [0.0, 0.3])
@pytest.mark.parametrize("curriculum", ["learned", "random"])
def test_the_gradient_agrees_with_finite_differences(rows, curriculum, border_weight):
    net = small(
        learner=Smooth,
        learner__width=5,
        learner__dropout=0.2,
        unroll_steps=5,
        curriculum=curriculum,
        border_weight=border_weight,
        module__spans=((1, 3),),
        inner_lr=0.3,
    )
    learner, X, y = ready(net, rows)
    assert len(net.borders()) == 3  # two segments of two and three steps

    def loss():
        """The outer loss, by a loop of its own."""
        with private_rng(2):
            weights = {name: p.detach().clone().requires_grad_() for name, p in learner.named_parameters()}
            velocity = dict.fromkeys(weights, 0.0)
            total = 0.0
            rate, momentum = net.inner_lr_, net.inner_momentum_
            for first, last in itertools.pairwise(net.borders()):
                with torch.no_grad():
                    made, labels = net.module_.batches(first, last)
                learner.train()
                for x, of_x in zip(made, labels, strict=True):
                    value = cross_entropy(torch.func.functional_call(learner, weights, (x,)), of_x)
                    gradient = torch.autograd.grad(value, list(weights.values()))
                    for name, g in zip(weights, gradient, strict=True):
                        velocity[name] = momentum * velocity[name] + g
                        weights[name] = (weights[name] - rate * velocity[name]).detach().requires_grad_()
                learner.eval()
                weight = 1.0 if last == 5 else border_weight
                value = cross_entropy(torch.func.functional_call(learner, weights, (X,)), y)
                total += weight * value.item()
            return total

    with private_rng(2):
        net.fill_gradients(learner, X, y)
    eps = 1e-6
    for name, parameter in net.module_.named_parameters():
        flat, gradient = parameter.data.view(-1), parameter.grad.view(-1)
        for i in (int(gradient.abs().argmax()), 0):
            before = float(flat[i])
            flat[i] = before + eps
            up = loss()
            flat[i] = before - eps
            down = loss()
            flat[i] = before
            assert (up - down) / (2 * eps) == pytest.approx(float(gradient[i]), rel=1e-3, abs=1e-8), name


@pytest.mark.parametrize("n_segments", [1, 3, 9])
def test_the_gradient_is_the_same_however_the_loop_is_cut(rows, n_segments):
    gradients = []
    for n in (2, n_segments):
        net = small(learner=Smooth, unroll_steps=9, n_segments=n, border_weight=0.0)
        learner, X, y = ready(net, rows)
        net.fill_gradients(learner, X, y)
        gradients.append([p.grad for p in net.module_.parameters()])
    torch.testing.assert_close(*gradients)


def blow_up(net, monkeypatch, steps):
    """From now on the learners of these steps blow up; returns the module's weights before every step."""
    teach, weights = net.fill_gradients, []

    def taught(learner, x, y):
        loss, accuracy = teach(learner, x, y)
        if len(weights) in steps:
            loss = loss * math.nan
            for p in net.module_.parameters():
                p.grad = p.grad * math.nan
        weights.append({name: p.detach().clone() for name, p in net.module_.named_parameters()})
        return loss, accuracy

    monkeypatch.setattr(net, "fill_gradients", taught)
    return weights


def test_a_learner_that_blows_up_lowers_the_learning_rate_and_nothing_else(rows, monkeypatch):
    net = small(max_steps=3, curriculum="learned", optimizer=torch.optim.SGD)
    weights = blow_up(net, monkeypatch, {1, 2})
    fitted(net, *rows)
    after = dict(net.module_.named_parameters())
    assert after["log_lr"] < weights[1]["log_lr"]
    torch.testing.assert_close(after["generator.layers.0.weight"].detach(), weights[1]["generator.layers.0.weight"])
    assert math.isfinite(net.history[-1, "outer_loss"])


def test_a_learner_that_blows_up_is_left_out_of_the_loss_and_counted(rows, monkeypatch):
    net = small(max_steps=4, steps_per_epoch=4)
    blow_up(net, monkeypatch, {0, 3})  # the first as well, before which nothing is known
    teach, losses = net.fill_gradients, []

    def noted(learner, x, y):
        loss, accuracy = teach(learner, x, y)
        losses.append(float(loss))
        return loss, accuracy

    monkeypatch.setattr(net, "fill_gradients", noted)
    fitted(net, *rows)
    assert np.isnan(losses).tolist() == [True, False, False, True]
    assert net.history[-1, "outer_loss"] == pytest.approx(np.nanmean(losses))
    assert net.history[-1, "blown_up"] == 0.5


def test_an_epoch_in_which_every_learner_blew_up_ends_training(rows, monkeypatch):
    net = small(max_steps=6, steps_per_epoch=2)
    weights = blow_up(net, monkeypatch, {2, 3})
    with pytest.warns(UserWarning, match=r"diverged by step 4 .*state of step 2.*inner_lr"):
        fitted(net, *rows)
    assert len(weights) == 4
    for name, parameter in net.module_.named_parameters():
        torch.testing.assert_close(parameter.detach(), weights[2][name], msg=name)


def test_a_frozen_learning_rate_stays(rows):
    net = fitted(small(callbacks=[("freeze", Freezer("log_lr"))], inner_lr=0.3), *rows)
    assert net.inner_lr_ == pytest.approx(0.3)
    assert net.module_.codes.grad is not None


def peak(rows, unroll_steps, n_segments=None):
    """Bytes that the graphs of the loop keep, less those of judging its outcome, which are there however long it is."""
    net = small(unroll_steps=unroll_steps, n_segments=n_segments)
    learner, X, y = ready(net, rows, torch.float32)
    with KeptBytes() as kept:
        net.fill_gradients(learner, X, y)
    assert kept.now == 0
    with KeptBytes() as judging:
        net.criterion_(learner(X), y)
    return kept.peak - judging.peak


def test_memory_grows_slower_than_the_loop(rows):
    quarter, whole = peak(rows, 16), peak(rows, 64)
    assert whole < 2.2 * quarter  # √4, and a little that does not grow
    assert whole < peak(rows, 64, n_segments=1) / 6
    assert peak(rows, 64, n_segments=1) > 3.5 * peak(rows, 16, n_segments=1)


@pytest.mark.parametrize("n_segments", [None, 1])
def test_the_estimate_of_memory_holds_what_graphs_keep(rows, n_segments):
    net = small(unroll_steps=16, n_segments=n_segments, inner_batch_size=300)
    learner, X, y = ready(net, rows, torch.float32)
    with KeptBytes() as kept:
        net.fill_gradients(learner, X, y)
    assert kept.peak < net.estimate_memory() / 1.5 < 1.5 * kept.peak  # half as much again for gradients


def test_too_long_a_loop_is_refused_before_training(rows, monkeypatch):
    words = (
        r"unroll_steps? steps|would take about [\d,]{13,} bytes, and [\d,]+ are available\. Set fewer unroll_steps or a"
    )
    with pytest.raises(ValueError, match=words):  # no course of that size is built
        small(unroll_steps=10**6, inner_batch_size=10**6).fit(*rows)
    monkeypatch.setattr(gtn_module, "available_memory", lambda device: 100_000)
    with pytest.raises(ValueError, match=r"would take about .* bytes, and 100,000 are available"):
        small(inner_batch_size=512).fit(*rows)
    with pytest.raises(ValueError, match="smaller inner_batch_size or batch_size and leave n_segments=None"):
        small(inner_batch_size=512, n_segments=1).fit(*rows)
    monkeypatch.setattr(gtn_module, "available_memory", lambda device: None)  # where nobody says
    small().fit(*rows)


@pytest.mark.parametrize("curriculum", ["learned", "random"])
def test_one_seed_gives_the_same_numbers_and_an_export_holds_the_course(digits, curriculum):
    X, y = digits[0][:200], digits[1][:200]
    net = fitted(small(curriculum=curriculum), X, y)
    again = fitted(clone(net), X, y)
    restored = clone(net).restore(pickle.loads(pickle.dumps(net.export())))
    assert net.history[-1, "outer_loss"] == again.history[-1, "outer_loss"]
    assert net.inner_lr_ == again.inner_lr_ == restored.inner_lr_ != pytest.approx(0.2, rel=1e-6)
    assert net.inner_momentum_ == restored.inner_momentum_
    sets = []
    for one in (net, again, restored, pickle.loads(pickle.dumps(net))):
        sets.append(one.teaching_set(30, random_state=3))
    for rows, labels in sets[1:]:
        np.testing.assert_array_equal(rows, sets[0][0])
        np.testing.assert_array_equal(labels, sets[0][1])
    other = fitted(clone(net), X, y, seed=1)
    assert other.history[-1, "outer_loss"] != net.history[-1, "outer_loss"]


def test_the_curriculum_is_kept_to_and_begins_anew(digits):
    net = fitted(small(), *digits[:2])
    X, y = net.teaching_set()
    assert X.shape == (24, 1, 8, 8)
    assert y.tolist() == [i % 10 for i in range(24)]
    longer, labels = net.teaching_set(60)
    np.testing.assert_array_equal(longer[24:48], X)
    np.testing.assert_array_equal(labels[48:], y[:12])
    # Rows of a class come in the curriculum's order, and then from among them.
    made = net.sample(np.array([3, 3, 0, 3, 3]))
    np.testing.assert_allclose(made[[0, 1]], X[[3, 13]], atol=1e-6)
    np.testing.assert_allclose(made[2], X[0], atol=1e-6)
    assert min(np.abs(made[3] - X[k]).max() for k in (3, 13, 23)) < 1e-6
    drawn = fitted(small(curriculum="random"), *digits[:2])
    assert drawn.module_.codes is None
    assert not np.allclose(drawn.teaching_set()[0], drawn.teaching_set(random_state=1)[0])
    np.testing.assert_array_equal(drawn.teaching_set()[0], drawn.teaching_set(random_state=0)[0])


@pytest.fixture(scope="module")
def teacher(digits):
    params = {"unroll_steps": 8, "inner_batch_size": 20, "learner__width": 8, "module__width": 8}
    return fitted(gtn(**params, max_steps=40, batch_size=128), *digits[:2])


def test_eight_steps_on_generated_rows_teach_digits(teacher, digits):
    X, y = torch.from_numpy(digits[2]), torch.from_numpy(digits[3])
    accuracies = []
    for seed, steps in ((0, None), (1, 8), (2, 16)):
        learner = teacher.teach(n_steps=steps, random_state=seed)
        accuracies.append(float((learner(to_unit_range(X)).argmax(1) == y).float().mean()))
    assert min(accuracies) > 0.6, accuracies
    first, last = (teacher.history[i, "outer_accuracy"] for i in (0, -1))
    assert first < last
    with private_rng(0):
        another = nn.Sequential(nn.Flatten(), nn.Linear(64, 10))
    learner = teacher.teach(another)
    assert float((learner(to_unit_range(X)).argmax(1) == y).float().mean()) > 0.3


def test_the_augmenter_returns_the_teaching_set(digits):
    X, y = digits[0][:300, 0], digits[1][:300].astype(str)
    net = small(max_steps=3)
    augmenter = ConditionalGANAugmenter(n_synthetic=40, keep_real=False, net=net, random_state=0)
    X_new, y_new = augmenter.fit_resample(X, y)
    assert X_new.shape == (40, 8, 8)
    assert X_new.dtype == np.uint8
    assert set(y_new) == set(y)
    np.testing.assert_array_equal(X_new, clone(augmenter).fit_resample(X, y)[0])


def test_tables_with_categories(rows):
    X = pd.DataFrame(rows[0], columns=list("abc")).assign(kind=pd.Categorical(np.array(["u", "v", "w"])[rows[1]]))
    X_new, y_new = GANOverSampler(sampling_strategy={0: 30}, net=small(max_steps=30), random_state=0).fit_resample(
        X, rows[1]
    )
    assert X_new.dtypes.equals(X.dtypes)
    assert np.bincount(y_new).tolist() == [30, 20, 20]


class Forgetful(SmallLearner):
    def __init__(self, data_shape, n_classes):
        super().__init__(data_shape, n_classes)
        self.insert(1, nn.BatchNorm1d(64))


@pytest.mark.parametrize(
    ("params", "error", "words"),
    [
        ({"unroll_steps": 0}, ValueError, r"'unroll_steps' parameter of GTNNet .* int .* \[1, inf\). Got 0 instead"),
        ({"inner_batch_size": 2.5}, ValueError, r"'inner_batch_size' .* an int in the range \[1, inf\). Got 2.5"),
        ({"n_segments": 0}, ValueError, r"'n_segments' .* None or an int in the range \[1, inf\). Got 0 instead"),
        ({"n_segments": 5}, ValueError, "n_segments=5 cuts 4 unroll_steps into more pieces than there are"),
        (
            {"curriculum": "none"},
            ValueError,
            "'curriculum' parameter of GTNNet .* among {(?=.*'learned')(?=.*'random').*}. Got 'none' instead",
        ),
        ({"inner_lr": 0.0}, ValueError, r"'inner_lr' .* a float in the range \(0.0, inf\). Got 0.0 instead"),
        ({"max_grad_norm": np.inf}, ValueError, r"'max_grad_norm' .* a float in the range \(0.0, inf\). Got inf"),
        ({"inner_momentum": 1.0}, ValueError, r"'inner_momentum' .* a float in the range \[0.0, 1.0\). Got 1.0"),
        ({"border_weight": -1.0}, ValueError, r"'border_weight' .* a float in the range \[0.0, inf\). Got -1.0"),
        ({"learner": nn.Linear(3, 3)}, TypeError, "every step teaches a fresh one; got Linear"),
        ({"learner": lambda shape, n, width: nn.ReLU()}, TypeError, "an nn.Module with parameters to teach"),
        ({"learner": lambda shape, n, width: nn.Linear(3, 2)}, ValueError, r"logits of shape \(n, 3\)"),
        ({"learner": lambda shape, n, width: Forgetful(shape, n)}, ValueError, "has buffers .*BatchNorm"),
        ({"unroll_steps": 1, "inner_batch_size": 2}, ValueError, "has no row for some of the 3 classes"),
    ],
)
def test_wrong_parameters(params, error, words, rows):
    with pytest.raises(error, match=words):
        small(**params).fit(*rows)


def test_data_that_there_is_nothing_to_teach_of(rows, table):
    with pytest.raises(ValueError, match="needs at least two classes"):
        small().fit(rows[0])
    with pytest.raises(ValueError, match="learns from several; set per_class=False"):
        GANOverSampler(net=small(), per_class=True, random_state=0).fit_resample(*table)
    with pytest.raises(ValueError, match="makes rows of classes, not for real-valued labels"):
        small().fit(rows[0], rows[0][:, 0])


def test_there_is_no_score_of_single_rows(rows, table, trainings):
    net = fitted(small(), *rows)
    assert not net.scores_rows
    with pytest.raises(AttributeError, match="GTNNet has no score of single rows"):
        net.score_samples(*rows)
    sampler = GANOverSampler(net=small(), row_filter=DiscriminatorFilter(), random_state=0)
    with pytest.raises(ValueError, match=r"judges single rows.*\(got GTNNet\)"):
        sampler.fit_resample(*table)
    assert not trainings


def test_a_net_may_have_another_module_and_starting_values(rows):
    net = GTNNet(Teacher, Smooth, max_steps=1, unroll_steps=2, lr=0.0, inner_lr=0.07, inner_momentum=0.0)
    fitted(net, *rows)
    assert net.inner_lr_ == pytest.approx(0.07)
    assert net.inner_momentum_ == pytest.approx(0.0, abs=1e-5)


def test_frozen_parameters_of_a_learner_stay_as_they_are(rows):
    def half_frozen(data_shape, n_classes):
        learner = Smooth(data_shape, n_classes)
        learner[1].requires_grad_(False)
        return learner

    net = fitted(GTNNet(Teacher, half_frozen, max_steps=2, unroll_steps=3), *rows)
    learner = net.fresh_learner()
    before = learner[1].weight.clone(), learner[4].weight.clone()
    net.teach(learner)
    assert torch.equal(learner[1].weight, before[0])
    assert not torch.equal(learner[4].weight, before[1])
