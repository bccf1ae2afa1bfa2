"""CycleGAN: donors, both ways, the pool, and what it learns."""

import pickle

import numpy as np
import pandas as pd
import pytest
import torch
from imblearn.pipeline import make_pipeline
from sklearn import config_context
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression
from torch.nn.functional import l1_loss

from skgan import ConditionalGANAugmenter, DomainOverSampler, GANOverSampler
from skgan._random import private_rng
from skgan.modules import CycleGAN
from skgan.nets import NO_PARENT
from skgan.nets.cyclegan import RowPool
from skgan.penalties import R1
from skgan.plotting import TranslationDisplay
from skgan.presets import cyclegan

SMALL = {"max_steps": 3, "batch_size": 6, "module__width": 4, "module__n_blocks": 1}
X = np.random.RandomState(0).randint(0, 256, (40, 1, 8, 8), dtype=np.uint8)
Y = np.repeat([0, 1, 2], [20, 12, 8])


def clusters(n=(300, 60), gap=4.0, spread=0.3, seed=0):
    """Two classes that differ in the first column only; the second column tells rows of one class apart."""
    rng = np.random.RandomState(seed)
    y = np.repeat([0, 1], n)
    rows = np.c_[spread * rng.standard_normal(len(y)) + gap * y, 2 * rng.uniform(-1, 1, len(y))]
    return rows.astype(np.float32), y


@pytest.mark.parametrize("architecture", ["residual", "unet"])
@pytest.mark.parametrize("shape", [(1, 8, 8), (3, 28, 28), (1, 31, 17), (2, 50, 50), (5,)], ids=str)
def test_shapes_and_labels(shape, architecture):
    module = CycleGAN(shape, 3, width=4, n_blocks=1, architecture=architecture).eval()
    x, y = torch.rand(4, *shape) * 2 - 1, torch.zeros(4, dtype=torch.long)
    for way in ("there", "back"):
        assert module.generator(x, y, way).shape == x.shape
        assert not torch.equal(module.generator(x, y, way), module.generator(x, y + 1, way))
        logits = module.discriminator(x, y, way)
        assert len(logits) == 4
        assert not torch.equal(logits, module.discriminator(x, y + 1, way))
    assert not torch.equal(module.generator(x, y, "there"), module.generator(x, y, "back"))
    assert torch.equal(module(torch.zeros(4, 0), y, x), module.generator(x, y, "there"))


def test_donors_are_the_nearest_of_the_larger_classes():
    centres = np.array([0.0, 5.0, 1.0, 4.5])
    y = np.repeat([0, 1, 2, 3], [50, 40, 10, 10])
    rows = centres[y][:, None].astype(np.float32)
    net = cyclegan()
    assert net.choose_donors(rows, y).tolist() == [2, 0, 0, 1]  # of the largest: the nearest of all
    assert cyclegan(donor=1).choose_donors(rows, y).tolist() == [1, 0, 1, 1]
    assert cyclegan(donor={2: 3}).choose_donors(rows, y).tolist() == [2, 0, 3, 1]


def test_batches_hold_rows_of_the_class_and_of_its_donor():
    seen = []

    class Watch(type(cyclegan())):
        def train_step(self, batch, **fit_params):
            seen.append(batch)
            return super().train_step(batch, **fit_params)

    rows = np.arange(40, dtype=np.float32)[:, None].repeat(2, 1)
    net = Watch(CycleGAN, max_steps=30, batch_size=8, random_state=0).fit(rows, Y)
    real, y, parent = (torch.cat(tensors) for tensors in zip(*seen, strict=True))
    assert (torch.as_tensor(Y)[real[:, 0].long()] == y).all()
    assert (torch.as_tensor(Y)[parent[:, 0].long()] == net.module_.donors[y]).all()
    wanted = np.repeat([1, 2], 20)
    with private_rng(1):
        made, parents = net.draw(wanted, (rows, Y))
    assert (parents[:, 1] == NO_PARENT).all()
    assert (Y[parents[:, 0]] == net.module_.donors.numpy()[wanted]).all()
    np.testing.assert_array_equal(made, net.translate(rows[parents[:, 0]], wanted))
    np.testing.assert_array_equal(made, net.sample(wanted, (rows, Y), random_state=1))


def test_losses_by_hand():
    rows = np.random.RandomState(0).standard_normal((40, 3)).astype(np.float32)
    net = cyclegan(max_steps=2, batch_size=8, cycle_weight=3.0, identity_weight=0.5, random_state=0).fit(rows, Y)
    net.on_train_begin(net)
    net.module_.eval()  # no power iteration: the same numbers twice
    real, parent = torch.from_numpy(rows[20:26]), torch.from_numpy(rows[:6])
    y = torch.from_numpy(Y[20:26])
    G, D = net.module_.generator, net.module_.discriminator
    there, back = G(parent, y, "there"), G(real, y, "back")
    adversarial = (D(there, y, "there") - 1).square().mean() + (D(back, y, "back") - 1).square().mean()
    cycle = l1_loss(G(there, y, "back"), parent) + l1_loss(G(back, y, "there"), real)
    identity = l1_loss(G(real, y, "there"), real) + l1_loss(G(parent, y, "back"), parent)
    loss, fakes, told = net.translation_loss(real, y, parent)
    torch.testing.assert_close(loss, adversarial + 3 * cycle + 0.5 * identity)
    torch.testing.assert_close(told, {"cycle_loss": cycle.detach() / 2})
    torch.testing.assert_close(fakes, {"there": there.detach(), "back": back.detach()})
    assert not any(fake.requires_grad for fake in fakes.values())
    of_real = D(real, y, "there"), D(parent, y, "back")
    of_fake = D(there, y, "there"), D(back, y, "back")
    expected = sum((logits - 1).square().mean() for logits in of_real) + sum(x.square().mean() for x in of_fake)
    loss, told = net.discrimination_loss(real, y, parent, fakes)  # the pools are empty yet
    torch.testing.assert_close(loss, expected / 2)
    right = [(logits > 0.5).float() for logits in of_real] + [(logits < 0.5).float() for logits in of_fake]
    torch.testing.assert_close(told, {"discriminator_accuracy": torch.cat(right).mean()})
    torch.testing.assert_close(net.critic_of("there", y)(real), of_real[0])


@pytest.mark.slow
def test_it_learns_to_move_a_cluster_and_to_keep_the_rest():
    rows, y = clusters()
    net = cyclegan(max_steps=400, module__width=8, batch_size=64, lr=2e-3, random_state=0).fit(rows, y)
    test = clusters(seed=1)[0][:300]
    moved = net.translate(test, 1)
    assert (moved[:, 0] > 2).mean() > 0.95
    assert np.corrcoef(moved[:, 1], test[:, 1])[0, 1] > 0.9
    assert np.abs(net.translate(moved, 1, "back") - test).mean() < 0.1


def test_the_pool_returns_old_rows_and_keeps_new_ones():
    pool = RowPool(6)
    for start in (0, 4):  # fills up: rows pass
        rows = torch.arange(start, start + 4.0)[:, None]
        assert torch.equal(pool.exchange(rows, rows[:, 0])[0], rows)
    new = torch.arange(100, 104.0)[:, None]
    rows, labels = pool.exchange(new, new[:, 0])
    assert torch.equal(rows[:, 0], labels)
    assert (rows < 100).sum() == 2
    assert (pool.rows >= 100).sum() == 2
    assert torch.equal(pool.rows[:, 0], pool.labels)
    assert RowPool(0).exchange(new, new)[0] is new


def test_pools_that_one_batch_fills_do_not_share_their_labels():
    there, back = RowPool(4), RowPool(4)
    labels = torch.arange(6.0)
    for pool in (there, back):
        pool.exchange(labels[:, None], labels)
    for number in range(3):
        new = torch.full((6,), 100.0 + number)
        there.exchange(new[:, None], new)
    assert len(there.rows) == len(there.labels) == 4
    assert torch.equal(there.rows[:, 0], there.labels)
    assert torch.equal(back.labels, labels[:4])


def test_both_samplers_penalties_and_the_same_twice():
    net = cyclegan(**SMALL, penalties=(R1(every=2),))
    names = np.array(["a", "b", "c"])[Y]
    sampler = GANOverSampler(net=net, random_state=0)
    X_new, y_new = sampler.fit_resample(X, names)
    assert np.unique(y_new, return_counts=True)[1].tolist() == [20] * 3
    np.testing.assert_array_equal(X_new, GANOverSampler(net=net, random_state=0).fit_resample(X, names)[0])
    again = pickle.loads(pickle.dumps(sampler))
    np.testing.assert_array_equal(again.sample({"c": 4})[0], sampler.sample({"c": 4})[0])
    children, _, parents = sampler.sample_with_parents({"b": 5})
    donor = net.choose_donors(X, Y)[1]
    assert (parents[:, None] == X[Y == donor]).all((2, 3, 4)).any(1).all()
    np.testing.assert_array_equal(children, sampler.translate(parents, to="b"))
    assert sampler.translate(children, to="b", back=True).shape == children.shape
    assert len(ConditionalGANAugmenter(0.5, net=net, random_state=0).fit_resample(X, names)[0]) == 60


def test_categories():
    rng = np.random.RandomState(0)
    frame = pd.DataFrame({"a": rng.standard_normal(40), "b": pd.Categorical(rng.choice(["u", "v"], 40))})
    frame_new, _ = GANOverSampler(net=cyclegan(max_steps=4, batch_size=8), random_state=0).fit_resample(frame, Y)
    assert frame_new.dtypes.equals(frame.dtypes)


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"donor": "d"}, r"donor names \['d'\], which are no classes of y; the classes are \['a', 'b', 'c'\]"),
        ({"donor": {"a": "d"}}, r"donor names \['d'\]"),
        ({"donor": {"a": "a"}}, "names a class as its own donor"),
        (
            {"cycle_weight": -1},
            r"'cycle_weight' parameter of CycleGANNet must be a float in the range \[0.0, inf\). Got -1 instead",
        ),
        (
            {"pool_size": 1.5},
            r"'pool_size' parameter of CycleGANNet must be an int in the range \[0, inf\). Got 1.5 instead",
        ),
        ({"n_critic": 2}, "leave n_critic=1"),
        ({"module__architecture": "resnet"}, "architecture must be 'residual' or 'unet'"),
    ],
    ids=str,
)
def test_what_is_refused(params, message):
    net = cyclegan(**{**SMALL, **params})
    with pytest.raises(ValueError, match=message):
        GANOverSampler(net=net, random_state=0).fit_resample(X, np.array(["a", "b", "c"])[Y])


def test_one_class_is_refused():
    with pytest.raises(ValueError, match="here there is only one"):
        cyclegan(**SMALL).fit(X, np.zeros(40, int))
    with pytest.raises(ValueError, match="CycleGANNet learns from several; set per_class=False"):
        GANOverSampler(net=cyclegan(**SMALL), per_class=True).fit_resample(X, Y)
    with pytest.raises(ValueError, match="at least 8 px a side"):
        GANOverSampler(net=cyclegan(**SMALL)).fit_resample(X[:, :, :6], Y)


def test_a_class_or_domain_of_one_row_gets_jittered_copies_and_a_warning():
    y = np.repeat([0, 1, 2], [30, 9, 1])
    sampler = GANOverSampler(net=cyclegan(**SMALL), random_state=0)
    with pytest.warns(UserWarning, match="Class 2 has a single row"):
        X_new, y_new = sampler.fit_resample(X, y)
    assert np.bincount(y_new).tolist() == [30, 30, 30]
    assert 0 < np.abs(X_new[y_new == 2].astype(int) - X[-1]).mean() < 12
    assert sampler.translate(X[:3], to=1).shape == (3, 1, 8, 8)
    alone, label = np.r_[np.zeros(39, int), 1], np.arange(40) % 3
    of_domains = DomainOverSampler(net=cyclegan(**SMALL), random_state=0)
    with pytest.warns(UserWarning, match="1 has a single row"):
        _, y_new = of_domains.fit_resample(X, label, domain=alone)
    assert (y_new[40:] == label[-1]).all()
    with pytest.raises(NotFittedError, match="trained nothing that turns rows into rows of class 1"):
        of_domains.translate(X[:3], to=1)


@pytest.mark.slow
def test_domains_keep_labels():
    """Two scanners, of which one adds 2 to the first column; the second column tells the class."""
    rows, scanner = clusters(gap=2.0, spread=1.0)
    names = np.array(["CT", "contrast"])[scanner]
    y = pd.Series(np.where(rows[:, 1] > 0, "ill", "well"), name="diagnosis")
    frame = pd.DataFrame(rows, columns=["a", "b"], index=np.arange(len(rows)) + 5)
    net = cyclegan(max_steps=400, module__width=8, batch_size=64, lr=2e-3)
    sampler = DomainOverSampler(net=net, random_state=0)
    frame_new, y_new = sampler.fit_resample(frame, y, domain=names)
    assert np.unique(sampler.domain_, return_counts=True)[1].tolist() == [300, 300]
    assert sampler.domain_[:360].tolist() == names.tolist()
    assert isinstance(y_new, pd.Series)
    assert y_new.name == "diagnosis"
    made = frame_new[sampler.is_synthetic_]
    assert 1.5 < made["a"].mean() < 2.5
    assert ((made["b"] > 0) == (y_new[sampler.is_synthetic_] == "ill")).mean() > 0.9
    children, labels, parents = sampler.sample_with_parents({"contrast": 30})
    assert ((parents["b"] > 0) == (labels == "ill")).all()
    assert len(children) == 30
    assert set(sampler.sample({"contrast": 5})[1]) <= {"ill", "well"}
    assert sampler.translate(frame[:100], to="contrast")["a"].mean() > 1.5
    with pytest.raises(ValueError, match="'ill' is no class of the data; the classes are"):
        sampler.translate(frame, to="ill")
    # What is a domain here is a class to the sampler of classes
    with pytest.raises(ValueError, match="balances domains and was given none"):
        sampler.fit_resample(frame, names)
    of_classes = GANOverSampler(net=net, max_steps=2, random_state=0)
    of_classes.fit_resample(frame, names)
    assert set(of_classes.sample({"contrast": 5})[1]) == {"contrast"}


def test_domains_are_routed_and_real_valued_labels_are_carried():
    rows, scanner = clusters((30, 12))
    y = rows[:, 1].astype(float)
    sampler = DomainOverSampler(net=cyclegan(max_steps=2), random_state=0)
    _, y_new = sampler.fit_resample(rows, y, domain=scanner)
    assert set(y_new[42:]) <= set(y[scanner == 0])
    with config_context(enable_metadata_routing=True):
        sampler.set_fit_resample_request(domain=True)
        pipeline = make_pipeline(sampler, LogisticRegression()).fit(rows, y > 0, domain=scanner)
    assert len(pipeline[0].domain_) == 60


@pytest.mark.parametrize(
    ("net", "domain", "message"),
    [
        ("dcgan", Y, r"use cyclegan\(\), offspring\(\) or dagan\(\) \(got AdversarialNet"),
        ("cyclegan", Y[:-1], "inconsistent numbers of samples"),
        ("cyclegan", np.zeros(40, int), "more than 1 class|needs to have more"),
        ("cyclegan", np.zeros((40, 2), int), "one value a row"),
    ],
    ids=["noise", "short", "one domain", "two columns"],
)
def test_domains_that_are_refused(net, domain, message):
    sampler = DomainOverSampler(net=net, max_steps=2, random_state=0)
    with pytest.raises(ValueError, match=message):
        sampler.fit_resample(X, Y, domain=domain)
    assert len(sampler.set_params(net="cyclegan").fit_resample(X, Y, domain=Y)[0]) == 60


def test_domains_have_one_net_for_all():
    with pytest.raises(TypeError, match="per_class"):
        DomainOverSampler(net="offspring", per_class=True)
    with pytest.raises(ValueError, match="Invalid parameter 'per_class'"):
        DomainOverSampler(net="offspring").set_params(per_class=True)


def test_the_picture(tmp_path):
    sampler = GANOverSampler(net=cyclegan(**SMALL), random_state=0)
    sampler.fit_resample(X[:, 0], Y)
    display = TranslationDisplay.from_sampler(sampler, X[:12, 0], to=2, n_columns=6).plot()
    assert [name for name, _ in display.rows] == ["original", "as 2", "and back"]
    assert all(len(images) == 6 for _, images in display.rows)
    display.figure_.savefig(tmp_path / "translation.png")
    sampler.set_params(net="mlp_gan", max_steps=2).fit_resample(X, Y)
    with pytest.raises(ValueError, match="Only nets such as cyclegan"):
        TranslationDisplay.from_sampler(sampler, X, to=2)
