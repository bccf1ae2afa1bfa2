import numpy as np
import pytest
import torch

from skgan import GANOverSampler
from skgan.nets import GaussianNet
from skgan.presets import gaussian

RNG = np.random.RandomState(0)
A = np.array([[1.0, 0.8], [0.0, 0.5]], dtype=np.float32)
X = np.concatenate([RNG.randn(500, 2) @ A, RNG.randn(8, 2) @ A + 5]).astype(np.float32)
Y = np.repeat([0, 1], [500, 8])


def test_samples_have_the_classes_means_and_covariances():
    net = gaussian(prior_rows=0, random_state=0).fit(X, Y)
    rows = net.sample(np.zeros(20000, int))
    np.testing.assert_allclose(rows.mean(0), X[:500].mean(0), atol=0.03)
    np.testing.assert_allclose(np.cov(rows.T), np.cov(X[:500].T), atol=0.05)


@pytest.mark.parametrize("prior_rows", [0.0, 20.0])
def test_covariances_are_shrunk_by_the_formula(prior_rows):
    net = gaussian(prior_rows=prior_rows).fit(X, Y)
    factor = net.module_.factor.numpy()
    own = [np.cov(X[Y == k].T) for k in (0, 1)]
    pooled = (own[0] * 499 + own[1] * 7) / 506
    for k, n in ((0, 500), (1, 8)):
        np.testing.assert_allclose(
            factor[k] @ factor[k].T, (n * own[k] + prior_rows * pooled) / (n + prior_rows), rtol=1e-4, atol=1e-5
        )


def test_nearer_rows_score_higher_as_mahalanobis_does():
    net = gaussian(prior_rows=0).fit(X, Y)
    inverse = np.linalg.inv(np.cov(X[:500].T))
    difference = X[:50] - X[:500].mean(0)
    expected = -np.einsum("ij,jk,ik->i", difference, inverse, difference) / 2
    np.testing.assert_allclose(net.score_samples(X[:50], np.zeros(50, int)), expected, rtol=1e-2, atol=1e-3)


def test_it_is_a_net_like_any_other():
    net = gaussian().fit(X, Y)
    twin = GaussianNet().restore(net.export())
    assert (net.sample(Y[-9:], random_state=0) == twin.sample(Y[-9:], random_state=0)).all()
    assert not (net.sample(Y[-9:], random_state=0) == twin.sample(Y[-9:], random_state=1)).any()
    assert net.export()["complete"]
    assert net.export()["history"]["step"] == [1]


@pytest.mark.parametrize("per_class", [False, True])
def test_the_sampler_takes_it_for_rows_and_images(per_class):
    for data in (X, RNG.randint(0, 256, (508, 6, 6), dtype=np.uint8)):
        rows, labels = GANOverSampler(net="gaussian", per_class=per_class, random_state=0).fit_resample(data, Y)
        assert (labels == 1).sum() == 500
        assert rows.dtype == data.dtype


def test_a_constant_column_and_one_row_are_fine():
    data = np.c_[X, np.full(508, 3.0, dtype=np.float32)]
    labels = Y.copy()
    labels[-1] = 2
    rows = gaussian(random_state=0).fit(data, labels).sample(np.full(100, 2))
    assert np.isfinite(rows).all()
    np.testing.assert_allclose(rows[:, 2], 3, atol=1e-3)
    assert rows[:, 0].std() > 0.1  # borrowed from the other classes


def test_wrong_parameters_and_sizes_are_refused():
    with pytest.raises(
        ValueError, match=r"'prior_rows' parameter of GaussianNet must be .* \[0.0, inf\). Got -1 instead"
    ):
        gaussian(prior_rows=-1).fit(X, Y)
    with pytest.raises(ValueError, match=r"would take 29\.8 GiB"):
        gaussian().fit(np.zeros((2, 20000), dtype=np.float32), [0, 9])
    with pytest.raises(
        ValueError, match=r"'n_donors' parameter of GaussianNet must be None or an int .* \[1, inf\). Got 0"
    ):
        gaussian(n_donors=0).fit(X, Y)


def test_a_small_class_borrows_from_its_nearest_larger_class():
    rng = np.random.RandomState(1)
    wide, narrow = 5 * rng.randn(300, 2) + [20, 0], 0.1 * rng.randn(200, 2)
    data = np.concatenate([wide, narrow, rng.randn(2, 2) * 0.01 + 1]).astype(np.float32)
    labels = np.repeat([0, 1, 2], [300, 200, 2])

    def spread(klass, **params):
        factor = gaussian(prior_rows=1e6, **params).fit(data, labels).module_.factor[klass].numpy()
        return np.sqrt(np.diag(factor @ factor.T))

    np.testing.assert_allclose(spread(2, n_donors=1), narrow.std(0, ddof=1), rtol=1e-3)
    np.testing.assert_allclose(spread(2, n_donors=2), spread(2), rtol=1e-2)
    np.testing.assert_allclose(spread(0, n_donors=1), wide.std(0, ddof=1), rtol=1e-3)  # none is larger


def test_columns_of_any_scale_keep_theirs():
    scales = np.array([1e15, 1.0, 1e-15])
    X = (np.random.RandomState(0).standard_normal((300, 3)) * scales).astype(np.float32)
    rows = GaussianNet(random_state=0).fit(X).sample(np.zeros(1000, int))
    np.testing.assert_allclose(rows.std(0), X.std(0), rtol=0.1)
    huge = GaussianNet(prior_rows=1e300, random_state=0).fit(X).sample(np.zeros(1000, int))
    np.testing.assert_allclose(huge.std(0), X.std(0), rtol=0.1)


def test_eigenvalues_that_do_not_converge_are_told_in_a_sentence(monkeypatch):
    def fail(*args):
        raise torch.linalg.LinAlgError("linalg.eigh: The algorithm failed to converge")

    monkeypatch.setattr(torch.linalg, "eigh", fail)
    with pytest.raises(
        ValueError, match=r"eigenvalues of the classes' correlations cannot be computed \(linalg.eigh: .*PCA"
    ):
        GaussianNet().fit(np.eye(5, dtype=np.float32))
