"""Autoencoders: the bound is right where it is known, codes go both ways, and every way of sampling works."""

import numpy as np
import pandas as pd
import pytest
import torch
from scipy.stats import multivariate_normal
from sklearn.datasets import load_digits

from skgan import GANOverSampler
from skgan._random import private_rng
from skgan.callbacks import Anneal
from skgan.codecs import TabularCodec
from skgan.modules import Autoencoder
from skgan.nets import VAENet
from skgan.nets.vae import divergence
from skgan.presets import autoencoder, vae, vae_gan


def fitted(net, X, y=None):
    return net.set_params(random_state=0).fit(X, y)


@pytest.fixture(scope="module")
def linear():
    """x = A z + b + .5 ε in five dimensions, and a linear VAE trained on it."""
    rng = np.random.RandomState(0)
    A, b = rng.standard_normal((5, 2)), rng.standard_normal(5)
    X = np.float32(rng.standard_normal((4000, 2)) @ A.T + b + 0.5 * rng.standard_normal((4000, 5)))
    net = vae(module__hidden=(), module__latent_dim=2, max_steps=1500, lr=1e-2, batch_size=256, warm_up=0.0)
    net.set_params(callbacks=[Anneal("lr", (1e-2, 1e-4), "cosine")])
    return X, fitted(net, X)


def test_the_bound_of_a_linear_gaussian_is_its_likelihood(linear):
    X, net = linear
    decoder = net.module_.generator.layers[-1]
    W, b = decoder.weight.detach().numpy(), decoder.bias.detach().numpy()
    variance = float(torch.exp(2 * net.module_.log_scale.detach()))
    # What the decoder's model says exactly: x ~ N(b, W Wᵀ + σ² I) (Tipping & Bishop, "Probabilistic PCA", 1999)
    exact = multivariate_normal(b, W @ W.T + variance * np.eye(5)).logpdf(X).mean()
    bound = net.score_samples(X, np.zeros(len(X), int), n_draws=32).mean()
    assert bound < exact + 0.01
    assert exact - bound < 0.02 * abs(exact)
    # And the model is as good as any: the data's own Gaussian is hardly better.
    best = multivariate_normal(X.mean(0), np.cov(X.T)).logpdf(X).mean()
    assert best - exact < 0.02 * abs(best)


def test_the_divergence_is_that_of_the_definition():
    mean, log_variance = torch.randn(6, 3), torch.randn(6, 3)
    normal = torch.distributions.Normal
    exact = torch.distributions.kl_divergence(normal(mean, (0.5 * log_variance).exp()), normal(0.0, 1.0)).sum(1)
    torch.testing.assert_close(divergence(mean, log_variance), exact)
    assert (divergence(mean, log_variance) >= 0).all()
    assert divergence(torch.zeros(1, 3), torch.zeros(1, 3)).item() == 0


def test_codes_go_both_ways(linear):
    X, net = linear
    codes = net.encode(X[:100])
    assert codes.shape == (100, 2)
    error = np.square(net.decode(codes) - X[:100]).mean()
    assert error < 1.2 * 0.25 * 5 / 5  # the noise that was added, of which two dimensions of five can be followed
    np.testing.assert_array_equal(net.score_samples(X[:9], np.zeros(9)), net.score_samples(X[:9], np.zeros(9)))
    # Rows that are far off are less likely.
    assert net.score_samples(X[:50] + 20, np.zeros(50)).max() < net.score_samples(X[:50], np.zeros(50)).min()


def test_samples_of_prior_and_posterior_follow_the_data(linear):
    X, net = linear
    # The bound is flat where codes are a little wider than the prior; the fitted Gaussian follows them.
    for sampling, tolerance in (("prior", 0.6), ("posterior", 0.3)):
        net.sampling = sampling
        made = net.sample(np.zeros(4000, int), random_state=1)
        np.testing.assert_allclose(made.mean(0), X.mean(0), atol=0.15)
        # Decoded means have the data's covariance less the noise's.
        np.testing.assert_allclose(np.cov(made.T) + 0.25 * np.eye(5), np.cov(X.T), atol=tolerance)
    net.sampling = "prior"


@pytest.fixture(scope="module")
def digits():
    bunch = load_digits()
    kept = bunch.target < 3
    return np.uint8(bunch.images[kept][:, None] * 15), bunch.target[kept]


@pytest.mark.parametrize("preset", [vae, autoencoder])
def test_images_of_the_class_that_was_asked_for(digits, preset):
    X, y = digits
    net = fitted(preset(module__width=16, module__latent_dim=8, max_steps=150), X, y)
    means = np.stack([X[y == k].mean(0) for k in range(3)]).astype(float)
    for sampling in ("posterior", "interpolation"):
        net.sampling = sampling
        made = (net.sample(np.repeat([0, 1, 2], 30), source=(X, y)) + 1) * 127.5
        nearest = np.abs(made[:, None] - means[None]).sum((2, 3, 4)).argmin(1)
        assert (nearest == np.repeat([0, 1, 2], 30)).mean() > 0.8, sampling


def test_interpolation_needs_real_rows_and_keeps_to_two_of_a_class(digits):
    X, y = digits
    net = fitted(autoencoder(sampling="interpolation", module__width=4, max_steps=2), X, y)
    assert net.needs_source
    with pytest.raises(ValueError, match="give the training set as source"):
        net.sample([0])
    with private_rng(0):
        _, parents = net.draw(np.repeat([0, 2], 20), (X, y))
    assert parents.shape == (40, 2)
    assert (y[parents] == np.repeat([0, 2], 20)[:, None]).all()
    one = X[y == 0][:1]
    same = net.sample([0, 0], source=(np.concatenate([one, one]), np.zeros(2, int)))
    np.testing.assert_allclose(same, net.decode(net.encode(one.repeat(2, 0), [0, 0]), [0, 0]), atol=1e-5)


def test_tables_with_categories_and_constants():
    rng = np.random.RandomState(0)
    X = pd.DataFrame(
        {"a": rng.standard_normal(300), "same": 1.0, "kind": pd.Categorical(rng.choice(["u", "v"], 300, p=[0.9, 0.1]))}
    )
    codec = TabularCodec().fit(X)
    net = vae(module__spans=codec.spans_, module__hidden=(16,), module__latent_dim=2, max_steps=300)
    fitted(net, codec.transform(X))
    made = codec.inverse_transform(net.sample(np.zeros(1000, int)))
    assert 0.8 < (made["kind"] == "u").mean() < 0.97
    assert (made["same"] == 1).all()
    assert np.isfinite(net.score_samples(codec.transform(X), np.zeros(300))).all()


def test_the_cache_and_the_filter_take_it(table, tmp_path):
    X, y = table
    params = {"memory": tmp_path, "random_state": 0}
    net = vae(module__hidden=(8,), max_steps=5)
    one = GANOverSampler(net=net, **params).fit_resample(X, y)[0]
    other = GANOverSampler(net=vae(module__hidden=(8,), max_steps=5, sampling="posterior"), **params)
    made = other.fit_resample(X, y)[0]
    assert not np.array_equal(one, made)
    assert len(list(tmp_path.glob("skgan/*.safetensors"))) == 1  # one training for both ways of sampling
    assert not other.has_parents_


def test_vae_gan_draws_half_of_its_fakes_from_the_prior_and_keeps_its_encoder(digits):
    X, y = digits
    net = vae_gan(module__width=4, module__n_features=8, module__latent_dim=4, max_steps=3, batch_size=8)
    before = fitted(vae_gan(**{**net.get_params(deep=False), "max_steps": 1, "lr": 0.0}), X, y)
    fitted(net, X, y)
    moved = [
        not torch.equal(a, b)
        for a, b in zip(before.module_.encoder.parameters(), net.module_.encoder.parameters(), strict=True)
    ]
    assert all(moved)
    assert net.encode(X[:5], y[:5]).shape == (5, 4)
    with private_rng(0):
        made = net.make(torch.zeros(8, 1, 8, 8), torch.zeros(8, dtype=torch.int64))
    assert made.shape == (8, 1, 8, 8)


@pytest.mark.parametrize(
    ("params", "words"),
    [
        ({"beta": -1.0}, r"'beta' parameter of VAENet must be a float in the range \[0.0, inf\). Got -1.0 instead"),
        ({"warm_up": 2.0}, r"'warm_up' parameter of VAENet must be a float in the range \[0.0, 1.0\]. Got 2.0 instead"),
        (
            {"likelihood": "poisson"},
            "'likelihood' parameter of VAENet must be a str among "
            "{(?=.*'auto')(?=.*'bernoulli')(?=.*'gaussian').*}. Got 'poisson' instead",
        ),
        (
            {"sampling": "posteriori"},
            "'sampling' parameter of VAENet must be a str among "
            "{(?=.*'prior')(?=.*'posterior')(?=.*'interpolation').*}. Got 'posteriori' instead",
        ),
        ({"variational": False}, "A plain autoencoder has no prior"),
        ({"likelihood": "bernoulli"}, "is for images"),
    ],
    ids=str,
)
def test_wrong_parameters(params, words):
    with pytest.raises(ValueError, match=words):
        VAENet(Autoencoder, max_steps=1, **params).fit(np.zeros((10, 3), np.float32))


def test_wrong_parameters_of_a_vae_gan():
    with pytest.raises(ValueError, match=r"'feature_weight' parameter of VAEGANNet .* \[0.0, inf\). Got -1.0 instead"):
        vae_gan(feature_weight=-1.0).fit(np.zeros((10, 3), np.float32))
