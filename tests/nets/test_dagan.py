"""DAGAN: children of codes, and classes that training never saw."""

import numpy as np
import pandas as pd
import pytest
import torch

from skgan import GANOverSampler
from skgan.modules import DAGAN, Offspring
from skgan.nets import DAGANNet, OffspringNet
from skgan.presets import cyclegan, dagan, offspring

SMALL = {"max_steps": 8, "batch_size": 8, "module__width": 4, "module__n_features": 8}
X = np.random.RandomState(0).randint(0, 256, (40, 1, 8, 8), dtype=np.uint8)
Y = np.repeat([0, 1, 2], [20, 12, 8])


@pytest.mark.parametrize("shape", [(1, 8, 8), (3, 28, 28), (1, 31, 17), (6,)], ids=str)
def test_children_depend_on_parent_and_noise_and_on_no_label(shape):
    module = DAGAN(shape, 3, width=4, n_features=8, code_dim=6).eval()
    parent, z, zeros = torch.rand(4, *shape), torch.randn(4, 16), torch.zeros(4, dtype=torch.long)
    child = module(z, zeros, parent)
    assert child.shape == parent.shape
    assert torch.equal(child, module(z, zeros + 2, parent))
    assert not torch.allclose(child, module(z, zeros, parent.flip(0)))
    assert not torch.allclose(child, module(z.flip(0), zeros, parent))
    logits = module.discriminator(child, zeros, parent)
    assert logits.shape == (4,)
    assert torch.equal(logits, module.discriminator(child, zeros + 2, parent))


@pytest.mark.parametrize("net", [dagan, offspring])
def test_only_source_classes_are_drawn_and_rows_of_the_others_are_made(net):
    seen = []

    class Watch(type(net())):
        def train_step(self, batch, **fit_params):
            seen.append(batch[1])
            return super().train_step(batch, **fit_params)

    params = net(**SMALL, random_state=0).get_params(deep=False)
    watch = Watch(**{**params, "source_classes": [2, 0]}).fit(X, Y)
    rows = watch.sample(np.array([1, 1, 1]), source=(X, Y))
    assert set(torch.cat(seen).tolist()) == {0, 2}
    assert rows.shape == (3, 1, 8, 8)


@pytest.mark.parametrize("net", [cyclegan, dagan, offspring])
def test_children_need_real_rows(net):
    small = {name: SMALL[name] for name in ("max_steps", "batch_size", "module__width")}
    fitted = net(**small, random_state=0).fit(X, Y)
    assert fitted.needs_source
    for make in (fitted.sample, fitted.draw):
        with pytest.raises(ValueError, match=r"give the encoded training set as source=\(X, y\)"):
            make(np.array([1]), None)


def test_source_classes_are_named_as_in_y():
    names = np.array(["a", "b", "c"])[Y]
    sampler = GANOverSampler(net=dagan(source_classes=["a", "c"], **SMALL), random_state=0)
    _, y_new = sampler.fit_resample(X, names)
    assert np.unique(y_new, return_counts=True)[1].tolist() == [20, 20, 20]
    children, labels, parents = sampler.sample_with_parents({"b": 5})
    assert children.shape == parents.shape == (5, 1, 8, 8)
    assert (labels == "b").all()
    assert (parents[:, None] == X[None, Y == 1]).all((2, 3, 4)).any(1).all()


@pytest.mark.parametrize(
    ("params", "message"),
    [
        (
            {"net": dagan(source_classes=["a", "d"], **SMALL)},
            r"source_classes names \['d'\], which are no classes of y",
        ),
        ({"net": dagan(source_classes=[], **SMALL)}, "must name at least one class"),
        (
            {"net": dagan(source_classes=["a"], **SMALL), "per_class": True},
            "DAGANNet learns from several; set per_class",
        ),
    ],
    ids=str,
)
def test_what_is_refused(params, message):
    with pytest.raises(ValueError, match=message):
        GANOverSampler(random_state=0, **params).fit_resample(X, np.array(["a", "b", "c"])[Y])


def test_a_generator_that_knows_labels_cannot_make_rows_of_other_classes():
    rows = np.random.RandomState(0).standard_normal((40, 3)).astype(np.float32)
    with pytest.raises(ValueError, match="Offspring tells its generator the class of a table's row"):
        OffspringNet(Offspring, source_classes=[0], **{k: SMALL[k] for k in ("max_steps", "batch_size")}).fit(rows, Y)
    net = DAGANNet(DAGAN, source_classes=[0], max_steps=2, batch_size=8, random_state=0).fit(rows, Y)
    assert net.sample(np.array([2]), source=(rows, Y)).shape == (1, 3)


def test_categories_and_a_class_of_one_row():
    rng = np.random.RandomState(0)
    frame = pd.DataFrame({"a": rng.standard_normal(30), "b": pd.Categorical(rng.choice(["u", "v"], 30))})
    y = np.repeat([0, 1, 2], [20, 9, 1])
    frame_new, y_new = GANOverSampler(net=dagan(max_steps=5, batch_size=8), random_state=0).fit_resample(frame, y)
    assert np.bincount(y_new).tolist() == [20, 20, 20]
    assert frame_new.dtypes.equals(frame.dtypes)
