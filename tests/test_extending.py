"""A user's own loss, penalty, codec, filter and net, from this file alone."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
import pytest
import torch
from torch import nn
from torch.nn.functional import mse_loss

from skgan import ConditionalGANAugmenter, GANOverSampler
from skgan.checks import check_codec, check_loss, check_net, check_penalty, check_row_filter
from skgan.codecs import Codec
from skgan.filters import RowFilter
from skgan.losses import Loss
from skgan.modules import MLPGAN
from skgan.nets import AdversarialNet, Draw, GenerativeNet
from skgan.penalties import Penalty
from skgan.presets import mlp_gan


class Softened(Loss):
    """Least squares to targets of 0.2 and 0.8."""

    threshold = 0.5

    def discriminator(self, real, fake):
        return (real - 0.8).square().mean() + (fake - 0.2).square().mean()

    def generator(self, real, fake):
        return (fake - 0.8).square().mean()


@dataclass
class SmallLogits(Penalty):
    """weight · mean D(real)²."""

    weight: float = 0.1

    def __call__(self, critic, real, fake):
        return self.weight * critic(real).square().mean()


class LogCodec(Codec):
    """Positive numbers by their logarithms."""

    def fit(self, X, y=None):
        logs = np.log(X)
        self.low_, self.high_ = X.min(0), X.max(0)
        self.mean_, self.scale_ = logs.mean(0), logs.std(0)
        return self

    def transform(self, X):
        return ((np.log(X) - self.mean_) / self.scale_).astype(np.float32)

    def inverse_transform(self, encoded):
        return np.exp(encoded.astype(np.float64) * self.scale_ + self.mean_).clip(self.low_, self.high_)


class NotFar(RowFilter):
    """Rows no further from the mean than the real rows are."""

    def fit(self, X, y, net=None):
        self.mean_ = X.mean(0)
        self.limit_ = np.linalg.norm(X - self.mean_, axis=1).max()
        return self

    def score_samples(self, X, y):
        return self.limit_ - np.linalg.norm(X - self.mean_, axis=1)


class Shift(nn.Module):
    """A row moved by noise whose size is learned."""

    def __init__(self, data_shape, n_classes):
        super().__init__()
        self.latent_dim = data_shape[0]
        self.generator = nn.ParameterList([torch.zeros(n_classes, data_shape[0])])

    def forward(self, z, y, parent):
        return parent + self.generator[0][y] * z


class ShiftNet(GenerativeNet):
    """A net of pairs: the spread of a class is what rows differ by."""

    needs_source = True
    has_parents = True
    n_candidates = 1

    def __init__(self, module=Shift, criterion=nn.MSELoss, **kwargs):
        super().__init__(module, criterion, **kwargs)

    def train_step(self, batch, **fit_params):
        row, y, parent = batch
        loss = mse_loss(self.module_.generator[0][y].abs(), (row - parent).abs())
        self.optimizer_.zero_grad()
        loss.backward()
        self.optimizer_.step()
        return self.report(spread_loss=loss.detach())

    def draw(self, y, source=None):
        X, labels = source
        parents = np.array([np.random.RandomState(i).choice(np.flatnonzero(labels == k)) for i, k in enumerate(y)])
        rows = self.in_chunks(
            lambda ids, parent: self.module_(self.latent(len(ids)), ids, parent),
            torch.as_tensor(self.labels(y)),
            torch.as_tensor(X[parents]),
        )
        return Draw(rows, np.stack([parents, np.full_like(parents, -1)], axis=1))


@pytest.fixture
def rows():
    rng = np.random.RandomState(0)
    y = np.repeat(["many", "few"], [40, 15])
    return np.exp(rng.standard_normal((55, 3))), y


def test_they_keep_the_contracts(rows):
    check_loss(Softened())
    check_penalty(SmallLogits(every=2))
    check_codec(LogCodec(), rows[0])
    check_row_filter(NotFar())
    check_net(ShiftNet())
    check_net(AdversarialNet(MLPGAN, Softened, module__alpha=1, penalties=(SmallLogits(),)))


def test_all_five_in_one_sampler(rows):
    X, y = rows
    net = mlp_gan(alpha=1, criterion=Softened, penalties=(SmallLogits(every=2),), max_steps=40)
    sampler = GANOverSampler(net=net, codec=LogCodec(), row_filter=NotFar(), random_state=0)
    X_new, y_new = sampler.fit_resample(X, y)
    assert pd.Series(y_new).value_counts().to_dict() == {"many": 40, "few": 40}
    assert (X_new > 0).all()
    assert sampler.training_history_["discriminator_accuracy"].between(0, 1).all()
    assert sampler.set_params(net__penalties__SmallLogits__weight=0.5).net.get_params()
    assert len(sampler.filter_report_) == 1


def test_a_net_of_ones_own_has_parents_and_carries_on_in_both_samplers(rows):
    X, y = rows
    for sampler in (
        GANOverSampler(net=ShiftNet(max_steps=5), random_state=0),
        ConditionalGANAugmenter(0.5, net=ShiftNet(max_steps=5), random_state=0),
    ):
        sampler.fit_resample(X, y)
        parents = sampler.parent_indices_[sampler.is_synthetic_]
        assert (parents[:, 0] >= 0).all()
        rows_made, _, parent_rows = sampler.sample_with_parents({"few": 5})
        assert rows_made.shape == parent_rows.shape == (5, 3)
        assert sampler.training_history_["spread_loss"].notna().all()
    with pytest.raises(ValueError, match=r"'ShiftNet' makes rows of classes|Shift makes rows of classes"):
        ConditionalGANAugmenter(0.5, net=ShiftNet(max_steps=5), random_state=0).fit_resample(X, X[:, 0])
