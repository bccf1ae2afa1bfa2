"""The checks of skgan.checks pass on every class of the library, and say what is wrong with a broken one."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
import pytest
import torch
from golden_cases import SMALL, net
from scipy import sparse

from skgan import losses, penalties
from skgan.checks import check_codec, check_loss, check_net, check_penalty, check_row_filter
from skgan.codecs import Codec, ImageCodec, TabularCodec
from skgan.filters import AllOf, ClassifierFilter, DiscriminatorFilter, NeighbourFilter, RowFilter
from skgan.modules import MLPGAN
from skgan.nets import AdversarialNet

LOSSES = [losses.NonSaturating(0.1), losses.Hinge(), losses.LeastSquares(), losses.Wasserstein(), losses.Relativistic()]
PENALTIES = [penalties.R1(2.0), penalties.R2(every=2), penalties.GradientPenalty()]
FILTERS = [ClassifierFilter(), NeighbourFilter(), DiscriminatorFilter(), AllOf([ClassifierFilter(), NeighbourFilter()])]
ON_IMAGES = ("dcgan", "photo_gan", "progan", "relativistic_gan", "wgan_gp")


@pytest.mark.parametrize("loss", LOSSES, ids=repr)
def test_losses(loss):
    check_loss(loss)


@pytest.mark.parametrize("penalty", PENALTIES, ids=repr)
def test_penalties(penalty):
    check_penalty(penalty)


@pytest.mark.parametrize("row_filter", FILTERS, ids=repr)
def test_filters(row_filter):
    check_row_filter(row_filter)


def test_codecs():
    rng = np.random.RandomState(0)
    frame = pd.DataFrame({"x": rng.randn(20), "n": rng.randint(9, size=20), "town": pd.Categorical(["a", "b"] * 10)})
    for X in (frame, frame.assign(x=frame["x"].where(frame["n"] > 2)), sparse.csr_matrix(np.eye(20)[:, :4])):
        check_codec(TabularCodec(), X)
    check_codec(TabularCodec(max_categories=10), frame.assign(shop=[f"shop {i}" for i in range(20)]))
    for dtype in (np.uint8, np.float32):
        check_codec(ImageCodec(), (255 * rng.rand(6, 8, 8)).astype(dtype))


@pytest.mark.parametrize("name", SMALL)
def test_nets(name):
    rng = np.random.RandomState(0)
    images = (rng.randint(0, 256, (40, 1, 8, 8), dtype=np.uint8), np.repeat([0, 1, 2], [20, 14, 6]))
    if name.startswith("predictor"):
        rows = images[0] if name == "predictor_gan" else rng.standard_normal((40, 3)).astype(np.float32)
        check_net(net(name), rows, rng.standard_normal((40, 2)))
    elif name in ON_IMAGES:
        check_net(net(name), *images)
    else:
        check_net(net(name, **({"attributes": np.eye(2)} if name == "genclass" else {})))


class Detaches(losses.Loss):
    def discriminator(self, real, fake):
        return (fake.detach() - real).mean()

    def generator(self, real, fake):
        return -fake.mean()


class PerRow(Detaches):
    def discriminator(self, real, fake):
        return fake - real


@dataclass
class Shapeless(penalties.Penalty):
    def __call__(self, critic, real, fake):
        return critic(real)


class Forgets(Codec):
    def fit(self, X, y=None):
        return self

    def transform(self, X):
        return np.asarray(X, dtype=np.float32)

    def inverse_transform(self, encoded, codes=None):
        return 2 * encoded.astype(np.float64)


class AcceptsNothing(RowFilter):
    def fit(self, X, y, net=None):
        return self

    def score_samples(self, X, y):
        return np.full(len(X), -1.0)


class Unseeded(AdversarialNet):
    def draw(self, y, source=None):
        drawn = super().draw(y, source)
        return drawn._replace(rows=drawn.rows + np.random.default_rng().random(drawn.rows.shape, np.float32))


@pytest.mark.parametrize(
    ("check", "words"),
    [
        (lambda: check_loss(Detaches()), "must not detach the fake rows' logits"),
        (lambda: check_loss(PerRow()), "must return a scalar; it returned shape"),
        (lambda: check_loss(torch.nn.MSELoss()), "must be derived from skgan.losses.Loss"),
        (lambda: check_penalty(Shapeless()), "must return a scalar"),
        (lambda: check_codec(Forgets(), np.arange(6.0).reshape(3, 2)), "does not undo transform"),
        (lambda: check_row_filter(AcceptsNothing()), "accepts no unseen real row"),
        (lambda: check_net(Unseeded(MLPGAN, module__alpha=1)), "fitted anew with the same random_state"),
    ],
    ids=["detached", "per row", "no base", "penalty", "codec", "filter", "net"],
)
def test_what_is_wrong_is_said(check, words):
    with pytest.raises(AssertionError, match=words):
        check()
