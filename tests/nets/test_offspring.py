import pickle
import warnings

import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.base import clone
from sklearn.exceptions import NotFittedError

from skgan import GANOverSampler
from skgan._random import private_rng
from skgan._tensors import to_unit_range
from skgan.augment import Translation
from skgan.filters import NeighbourFilter
from skgan.modules import Offspring
from skgan.nets import NO_PARENT, OffspringNet
from skgan.presets import offspring

SHAPES = [(1, 8, 8), (3, 28, 28), (1, 31, 17), (2, 5, 5), (1, 50, 50)]


def wiggle(module):
    """Move zero-initialised layers off zero."""
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.add_(0.05 * torch.randn_like(parameter))
    return module.eval()


@pytest.mark.parametrize("n_classes", [1, 3])
@pytest.mark.parametrize("shape", [*SHAPES, (6,)], ids=str)
def test_an_untrained_pair_copies_and_a_moved_one_does_not(shape, n_classes):
    module = Offspring(shape, n_classes, width=4, n_features=8)
    parent = torch.rand(5, *shape) * 2 - 1
    y, z = torch.arange(5) % n_classes, torch.randn(5, module.latent_dim)
    torch.testing.assert_close(module(z, y, parent), parent, atol=1e-4, rtol=0)
    child = wiggle(module)(z, y, parent)
    assert child.shape == parent.shape
    assert (child - parent).abs().mean() > 1e-3
    assert (child - module(torch.randn_like(z), y, parent)).abs().mean() > 1e-4
    assert module.discriminator(child, y, parent).shape == (5,)


def test_the_image_generator_knows_no_label_and_the_critic_knows_label_and_parent():
    module = wiggle(Offspring((1, 8, 8), 3, width=4, n_features=8, head="projection"))
    parent, child = torch.rand(2, 4, 1, 8, 8)
    z, zeros, ones = torch.randn(4, 32), torch.zeros(4, dtype=torch.long), torch.ones(4, dtype=torch.long)
    assert torch.equal(module(z, zeros, parent), module(z, ones, parent))
    logits = module.discriminator(child, zeros, parent)
    assert not torch.allclose(logits, module.discriminator(child, ones, parent))
    assert not torch.allclose(logits, module.discriminator(child, zeros, parent.flip(0)))


def test_the_critic_can_do_without_the_class_and_does_on_images():
    for shape, head in (((1, 8, 8), None), ((4,), "none")):
        module = wiggle(Offspring(shape, 3, width=4, n_features=8, head=head))
        parent, child = torch.rand(2, 5, *shape)
        zeros, ones = torch.zeros(5, dtype=torch.long), torch.ones(5, dtype=torch.long)
        assert torch.equal(module.discriminator(child, zeros, parent), module.discriminator(child, ones, parent))
    with pytest.raises(ValueError, match="head must be 'projection' or 'none'"):
        Offspring((4,), 3, head="auxiliary")


def test_rows_keep_their_parents_categories():
    module = wiggle(Offspring((7,), 2, spans=((3, 5), (5, 7))))
    parent = torch.randn(9, 7)
    child = module(torch.randn(9, 32), torch.zeros(9, dtype=torch.long), parent)
    assert torch.equal(child[:, 3:], parent[:, 3:])
    assert not torch.allclose(child[:, :3], parent[:, :3])


def test_a_painting_generator_also_starts_as_a_copier():
    module = Offspring((1, 8, 8), 2, width=4, residual=True)
    parent = torch.rand(3, 1, 8, 8) * 2 - 1
    y, z = torch.zeros(3, dtype=torch.long), torch.randn(3, 32)
    torch.testing.assert_close(module(z, y, parent), parent, atol=1e-4, rtol=0)
    black = torch.full((3, 1, 8, 8), -1.0)
    assert (wiggle(module)(z, y, black) != -1).any()
    # Without, black stays black, and white is as bright as it gets.
    plain = wiggle(Offspring((1, 8, 8), 2, width=4))
    assert torch.equal(plain(z, y, black), black)
    assert plain(z, y, -black).max() <= 1


def test_a_warp_moves_a_blob_by_the_affine_shift():
    module = Offspring((1, 16, 16), 1, width=4)
    with torch.no_grad():
        module.generator.affine.bias[2] = 0.5  # × .5: a quarter of half the width, 2 px, read from the right
    parent = torch.full((1, 1, 16, 16), -1.0)
    parent[0, 0, 8, 8] = 1
    child = module(torch.zeros(1, 32), torch.zeros(1, dtype=torch.long), parent)
    assert child[0, 0].argmax().item() == 8 * 16 + 6


X = np.random.RandomState(0).randint(0, 256, (40, 1, 8, 8), dtype=np.uint8)
Y = np.repeat([0, 1], [30, 10])


def fitted(**params):
    small = {"max_steps": 10, "batch_size": 16, "module__width": 4, "module__n_features": 8, "random_state": 0}
    return offspring(**{**small, **params}).fit(X, Y)


def sample(net, n=200, klass=1):
    """Rows, and the encoded rows that they were made from."""
    with private_rng(1):
        rows, parents = net.draw(np.full(n, klass), (X, Y))
    assert (Y[parents[:, 0]] == klass).all()
    assert (parents[:, 1] == NO_PARENT).all()
    np.testing.assert_array_equal(rows, net.sample(np.full(n, klass), (X, Y), random_state=1))
    return rows, to_unit_range(X[parents[:, 0]])


@pytest.mark.parametrize("n_candidates", [1, 8])
def test_pairs_are_of_one_class_and_rarely_one_row(n_candidates):
    seen = []

    class Watch(OffspringNet):
        def discriminator_loss(self, real, y, parent):
            seen.append((real, y, parent))
            return super().discriminator_loss(real, y, parent)

    X_marked = np.arange(40, dtype=np.float32)[:, None].repeat(3, 1)
    params = {"module__width": 4, "max_steps": 20, "random_state": 0}
    Watch(Offspring, n_candidates=n_candidates, **params).fit(X_marked, Y)
    real, y, parent = (torch.cat(tensors) for tensors in zip(*seen, strict=True))
    assert ((real[:, 0] >= 30) == (y == 1)).all()
    assert ((parent[:, 0] >= 30) == (y == 1)).all()
    assert (real[:, 0] == parent[:, 0]).float().mean() < 0.15


def test_offspring_are_of_a_row_of_their_class_and_differ_from_it():
    rows, parents = sample(fitted(max_steps=60))
    real = X / 127.5 - 1
    assert np.abs(parents[:, None] - real[None, 30:]).reshape(200, 10, -1).max(2).min(1).max() < 1e-5
    assert np.abs(rows - parents).mean((1, 2, 3)).min() > 1e-3


def test_the_nets_own_defaults_are_the_presets():
    own = OffspringNet(Offspring).get_params(deep=False)
    of_preset = offspring().get_params(deep=False)
    expected = {"n_candidates": 8, "spread": 1.5, "source_classes": None}
    assert {name: own[name] for name in expected} == {name: of_preset[name] for name in expected} == expected


def test_rows_that_repeat_teach_nothing_more():
    once = fitted()
    twice = clone(once).fit(np.concatenate([X, X[::-1]]), np.concatenate([Y, Y[::-1]]))
    for name, values in once.export()["weights"].items():
        np.testing.assert_array_equal(twice.export()["weights"][name], values, err_msg=name)
    # The same row with another label is another row
    more = clone(once).fit(np.concatenate([X, X[:5]]), np.concatenate([Y, 1 - Y[:5]]))
    weights = once.export()["weights"].items()
    assert not all(np.array_equal(more.export()["weights"][name], values) for name, values in weights)


def test_spread_moves_offspring_further_without_new_training():
    net = fitted(flips="none")
    wiggle(net.module_)
    moved = []
    for spread in (0.0, 0.5, 2.0):
        net.spread = spread
        rows, parents = sample(net)
        of_one = rows[(parents == parents[0]).all((1, 2, 3))]
        moved.append(of_one.std(0).mean())
    assert moved[0] < 1e-6 < moved[1] < moved[2]
    with pytest.raises(ValueError, match=r"'spread' parameter of OffspringNet must be .* \[0.0, inf\). Got -1 instead"):
        fitted(spread=-1)


def test_augmentation_moves_row_and_parent_alike():
    seen = []

    class Watch(Offspring):
        pass

    class WatchNet(OffspringNet):
        def critic(self, y, *parents):
            inner = self.module_.discriminator.forward

            def spy(x, labels, parent):
                seen.append((x, parent))
                return inner(x, labels, parent)

            self.module_.discriminator.forward = spy
            logits = super().critic(y, *parents)
            return logits

    parent = torch.rand(8, 1, 8, 8)
    net = WatchNet(Watch, module__width=4, augment=Translation(0.3), max_steps=1, random_state=0).fit(X, Y)
    with private_rng(0):
        seen.clear()
        net.on_train_begin(net)
        net.critic(torch.zeros(8, dtype=torch.long), parent)(parent.clone())
    x, p = seen[0]
    assert torch.equal(x, p)
    assert not torch.equal(x, parent)


def test_wrong_numbers_are_refused():
    words = r"'n_candidates' parameter of OffspringNet must be an int in the range \[1, inf\). Got 0 instead"
    with pytest.raises(ValueError, match=words):
        fitted(n_candidates=0)


def test_sampling_without_a_source_is_refused():
    with pytest.raises(ValueError, match=r"give the encoded training set as source=\(X, y\)"):
        fitted().sample([0, 1])


# In the sampler

NET = offspring(max_steps=5, batch_size=8, module__width=4, module__n_features=8)


@pytest.mark.parametrize("per_class", [False, True])
def test_the_sampler_hands_the_training_rows_over(per_class):
    sampler = GANOverSampler(net=NET, per_class=per_class, random_state=0)
    X_new, y_new = sampler.fit_resample(X, Y)
    assert X_new.dtype == np.uint8
    assert (y_new == 1).sum() == 30
    rows, _ = sampler.sample({1: 4})
    assert (pickle.loads(pickle.dumps(sampler)).sample({1: 4})[0] == rows).all()
    again, _ = GANOverSampler(net=NET, per_class=per_class, random_state=0).fit_resample(X, Y)
    assert (again == X_new).all()
    more = GANOverSampler(net=NET, per_class=per_class, random_state=0, sampling_strategy={1: 500})
    assert (more.fit_resample(X, Y)[0][40:60] == X_new[40:60]).all()


def test_a_class_of_one_row_gets_offspring_without_a_word():
    y = np.append(Y[:-1], 2)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        _, y_new = GANOverSampler(net=NET, random_state=0).fit_resample(X, y)
    assert (np.bincount(y_new) == 30).all()


def test_tables_with_categories_keep_real_combinations():
    rng = np.random.RandomState(0)
    town = rng.choice(["Ulm", "Bonn", "Kiel"], 60)
    frame = pd.DataFrame({"x": rng.randn(60), "n": rng.randint(0, 9, 60), "town": town, "coast": town == "Kiel"})
    net = offspring(max_steps=5)
    X_new, _ = GANOverSampler(net=net, random_state=0).fit_resample(frame, np.repeat([0, 1], [45, 15]))
    assert ((X_new["town"] == "Kiel") == X_new["coast"]).all()
    assert (X_new.dtypes == frame.dtypes).all()
    assert not X_new.iloc[60:].duplicated().all()


@pytest.mark.slow
def test_offspring_learn_the_spread_of_their_class():
    rng = np.random.RandomState(0)
    rows = rng.randn(400, 2).astype(np.float32)
    rows[300:] += 4
    labels = np.repeat([0, 1], [300, 100])
    net = offspring(max_steps=500, random_state=0).fit(rows, labels)
    with private_rng(0):
        child, parents = net.draw(np.zeros(500, int), (rows, labels))
    parent = rows[parents[:, 0]]
    siblings = rng.permutation(rows[:300])[:150] - rng.permutation(rows[:300])[:150]
    ratio = (child - parent).std(0) / siblings.std(0)
    assert (ratio > 0.3).all()
    assert (ratio < 1.5).all()
    np.testing.assert_allclose(child.mean(0), rows[:300].mean(0), atol=0.4)


@pytest.mark.parametrize("case", ["constant images", "constant channel", "identical classes", "constant class"])
def test_hard_images_give_finite_rows_in_range(case):
    rng = np.random.RandomState(0)
    data = rng.randint(0, 256, (40, 2, 8, 8), dtype=np.uint8)
    if case == "constant images":
        data[:] = 7
    elif case == "constant channel":
        data[:, 1] = 200
    elif case == "identical classes":
        data[30:] = data[:10]
    else:
        data[30:] = data[30]
    X_new, y_new = GANOverSampler(net=NET, random_state=0).fit_resample(data, Y)
    assert (np.bincount(y_new) == 30).all()
    assert X_new.dtype == np.uint8
    assert (X_new[:40] == data).all()


def test_a_filter_that_accepts_nothing_leaves_copies():
    class Never(NeighbourFilter):
        def score_samples(self, X, y):
            return np.full(len(X), -1.0)

    with pytest.warns(UserWarning, match=r"left too few rows of class 1 \(0% accepted\)"):
        X_new, _ = GANOverSampler(net=NET, row_filter=Never(), random_state=0).fit_resample(X, Y)
    assert all((row == X[30:]).all((1, 2, 3)).any() for row in X_new[40:])


def test_a_sampler_shows_offspring_beside_their_parents(table, make_sampler):
    X, y = table
    sampler = make_sampler(net=offspring(max_steps=2), shares={"net": 1, "mixture": 1, "copy": 2})
    sampler.fit_resample(X, y)
    assert sampler.has_parents_
    rows, labels, parents = sampler.sample_with_parents({2: 300, 1: 4, 0: 2})
    assert np.bincount(labels).tolist() == [2, 4, 300]
    assert rows.shape == parents.shape == (306, 5)
    for klass in range(3):
        distance = np.abs(parents[labels == klass][:, None] - X[y == klass][None]).max(2).min(1)
        assert distance.max() < 1e-4  # through the encoding and back
    again = sampler.sample_with_parents({2: 300})
    np.testing.assert_array_equal(again[0], rows[labels == 2])
    np.testing.assert_array_equal(sampler.sample({2: 300})[0], again[0])
    copies = (again[0] == again[2]).all(1)
    assert 0.4 < copies.mean() < 0.6
    only = sampler.sample_with_parents({2: 300}, offspring_only=True)
    assert not (only[0] == only[2]).all(1).any()
    assert not np.array_equal(sampler.sample_with_parents({2: 300}, random_state=1)[0], again[0])
    with pytest.raises(ValueError, match="9 is no class"):
        sampler.sample_with_parents({9: 1})


def test_nets_that_start_from_noise_have_no_parents(table, make_sampler):
    sampler = make_sampler()
    with pytest.raises(NotFittedError, match="call fit_resample"):
        sampler.sample_with_parents({1: 1})
    sampler.fit_resample(*table)
    assert not sampler.has_parents_
    with pytest.raises(ValueError, match="Rows of class 1 are not all made from real ones"):
        sampler.sample_with_parents({1: 1})


# Photographs


def scenes(n=40, size=16, seed=0):
    """Images without a background, bright at the top, whose columns may be exchanged."""
    rng = np.random.RandomState(seed)
    rows = np.linspace(230, 90, size)[None, None, :, None] + rng.normal(0, 20, (n, 3, size, size))
    return np.clip(rows, 60, 255).astype(np.uint8)


def test_the_net_reads_border_and_mirrors_off_the_images_and_saves_them():
    X, y = scenes(), np.arange(40) % 2
    net = offspring(max_steps=1, batch_size=8, random_state=0, steps_per_epoch=1).fit(X, y)
    assert net.module_.generator.padding == "reflect"
    assert net.module_.generator.mirrors == (True, False)
    again = clone(net).restore(net.export())
    assert (again.module_.generator.padding, again.module_.generator.mirrors) == ("reflect", (True, False))
    assert np.array_equal(net.sample(y, (X, y), 0), again.sample(y, (X, y), 0))
    chosen = offspring(max_steps=1, batch_size=8, random_state=0, module__padding=0.5, flips="both").fit(X, y)
    assert (chosen.module_.generator.padding, chosen.module_.generator.mirrors) == (0.5, (True, True))


def test_moved_photographs_have_no_black_corners():
    X, y = scenes(), np.arange(40) % 2
    darkest = {}
    for padding in ("reflect", -1.0):
        net = offspring(max_steps=1, batch_size=8, random_state=0, module__padding=padding, flips="none").fit(X, y)
        with torch.no_grad():
            net.module_.generator.affine.bias[2::3] += 1.0  # everything is moved by a quarter of the image
        darkest[padding] = net.sample(y, (X, y), 0).min()
    assert darkest["reflect"] > -0.7
    assert darkest[-1.0] == -1


def test_half_of_the_offspring_are_of_mirrored_parents():
    X, y = scenes(), np.zeros(40, dtype=int)
    net = offspring(max_steps=1, lr=1e-9, batch_size=8, random_state=0, flips="horizontal").fit(X, y)
    with net.seeded(0):
        made = net.draw(np.zeros(200, dtype=int), (X, y))
    parents = to_unit_range(X[made.parents[:, 0]])
    as_is, mirrored = (np.abs(made.rows - rows).mean((1, 2, 3)) < 0.02 for rows in (parents, parents[:, :, :, ::-1]))
    assert (as_is ^ mirrored).all()
    assert 70 < mirrored.sum() < 130


def halves(n=60, size=12):
    """Bright on the left, or on the right: an image that is moved by half its width is one of the other class."""
    rng, y = np.random.RandomState(0), np.arange(n) % 2
    X = rng.randint(0, 90, (n, 1, size, size), dtype=np.uint8)
    for image, klass in zip(X, y, strict=True):
        image[:, :, slice(6, None) if klass else slice(6)] += 120
    return X, y


def test_offspring_go_as_far_as_leaves_them_in_their_class():
    X, y = halves()
    net = offspring(max_steps=1, batch_size=8, random_state=0, flips="none", module__padding=-1.0).fit(X, y)
    generator = net.module_.generator
    assert generator.safe_strength == 1  # one step has changed nothing
    with torch.no_grad():
        generator.affine.bias[2] += 2.0  # to the right, or left, by half the width
    with net.seeded():
        generator.safe_strength = net._safe_strength(X, y)
    assert 0.1 < generator.safe_strength < 0.6
    moved = {}
    for strength in ("auto", 0.0, 1.0):
        net.strength = strength
        with net.seeded(0):
            made = net.draw(y, (X, y))
        moved[strength] = np.abs(made.rows - to_unit_range(X[made.parents[:, 0]])).mean()
    assert moved[0.0] < 1e-5 < 0.01 < moved["auto"] < moved[1.0] - 0.05
    assert clone(net).restore(net.export()).module_.generator.safe_strength == pytest.approx(generator.safe_strength)


@pytest.mark.parametrize(
    "params", [{"module__padding": "mirror"}, {"module__padding": 3.0}, {"flips": "left"}, {"strength": -1}]
)
def test_wrong_borders_and_flips_are_refused(params):
    with pytest.raises(
        ValueError, match=r"padding must be 'reflect' or a number in|The '(flips|strength)' parameter of"
    ):
        offspring(max_steps=1, **params).fit(scenes(8), np.zeros(8, dtype=int))
