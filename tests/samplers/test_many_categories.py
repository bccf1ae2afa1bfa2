"""Columns of very many categories: no net makes them, real rows hand them on."""

import numpy as np
import pandas as pd
import pytest

from skgan import ConditionalGANAugmenter, GANOverSampler
from skgan.presets import mlp_gan, offspring
from skgan.samplers import _rows

N = 400


@pytest.fixture
def shops():
    """Two classes; each row's shop follows from its numbers, and no shop has customers of both classes."""
    rng = np.random.RandomState(0)
    y = np.repeat([0, 1], [300, 100])
    X = pd.DataFrame({"a": rng.randn(N), "b": rng.randn(N), "kind": pd.Categorical(rng.choice(["x", "y"], N))})
    X["shop"] = [f"shop {i}" for i in range(N)]
    return X, y


@pytest.mark.parametrize("net", [mlp_gan(alpha=1), offspring(), "gaussian"], ids=["mlp_gan", "offspring", "gaussian"])
def test_every_new_row_gets_the_shop_of_the_nearest_row_of_its_class(shops, net):
    X, y = shops
    sampler = GANOverSampler(net=net, max_steps=2, random_state=0)
    X_new, _ = sampler.fit_resample(X, y)
    assert X_new.dtypes.equals(X.dtypes)
    pd.testing.assert_frame_equal(X_new[:N], X)
    made = X_new[N:]
    assert set(made["shop"]) <= set(X["shop"][y == 1])
    # Recomputed from the decoded rows, in the encoded space
    codec = sampler.codec_
    assert codec.inherited_.tolist() == [3]
    assert codec.spans_ == ((2, 4),)
    rows, real = codec.transform(made), codec.transform(X[y == 1])
    nearest = np.square(rows[:, None] - real[None]).sum(2).argmin(1)
    assert (made["shop"].to_numpy() == X["shop"][y == 1].to_numpy()[nearest]).mean() > 0.95  # decoding rounds


def test_copies_keep_their_own_shop(shops):
    X, y = shops
    X_new, _ = GANOverSampler(shares={"copy": 1}, random_state=0).fit_resample(X, y)
    shop_of = X.set_index("a")["shop"].sort_index()
    nearest = shop_of.index.get_indexer(X_new["a"][N:], method="nearest")  # a comes back through float32
    assert (shop_of.iloc[nearest].to_numpy() == X_new["shop"][N:].to_numpy()).all()


def test_a_cache_knows_nothing_of_them_and_sample_makes_them_too(shops, tmp_path):
    X, y = shops
    sampler = GANOverSampler(max_steps=2, memory=tmp_path, random_state=0)
    first = sampler.fit_resample(X, y)[0]
    again = GANOverSampler(max_steps=2, memory=tmp_path, random_state=0).fit_resample(X, y)[0]
    pd.testing.assert_frame_equal(first, again)
    assert set(sampler.sample({1: 7})[0]["shop"]) <= set(X["shop"][y == 1])


def test_real_valued_labels_go_with_them(shops):
    X, y = shops
    augmenter = ConditionalGANAugmenter(0.5, net="predictor_mlp_gan", max_steps=2, random_state=0)
    X_new, _ = augmenter.fit_resample(X, y, condition=X["a"].to_numpy())
    assert set(X_new["shop"][N : N + 150]) <= set(X["shop"][y == 0])
    assert set(X_new["shop"][N + 150 :]) <= set(X["shop"][y == 1])
    at = augmenter.sample_at([0.0, 1.0, 0.5], y=[1, 0, 1])["shop"]
    assert [int(shop.split()[1]) >= 300 for shop in at] == [True, False, True]


def test_of_large_classes_only_some_rows_hand_on(shops, monkeypatch):
    monkeypatch.setattr(_rows, "MAX_DONORS", 10)
    X, y = shops
    X_new, _ = GANOverSampler(net="gaussian", random_state=0).fit_resample(X, y)
    assert 1 < X_new["shop"][N:].nunique() <= 10


def test_they_may_be_missing(shops):
    X, y = shops
    X.loc[300:, "shop"] = None
    X_new, _ = GANOverSampler(net="gaussian", random_state=0).fit_resample(X, y)
    assert X_new["shop"][N:].isna().all()
