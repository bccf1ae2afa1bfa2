"""PriorCorrectedClassifier: Bayes' rule, the samplers' counts, and what it refuses."""

import numpy as np
import pytest
from imblearn.over_sampling import SMOTE, RandomOverSampler
from imblearn.pipeline import make_pipeline
from imblearn.under_sampling import EditedNearestNeighbours, RandomUnderSampler
from sklearn.dummy import DummyClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss
from sklearn.naive_bayes import GaussianNB
from sklearn.utils.estimator_checks import parametrize_with_checks

from skgan import ConditionalGANAugmenter, GANOverSampler, PriorCorrectedClassifier
from skgan.presets import mlp_gan

NET = mlp_gan(alpha=1, max_steps=5, batch_size=8)


@parametrize_with_checks([PriorCorrectedClassifier(LogisticRegression())])
def test_scikit_learns_checks(estimator, check):
    check(estimator)


def test_bayes_rule():
    class Fixed(DummyClassifier):
        def predict_proba(self, X):
            return np.array([[0.5, 0.3, 0.2], [0.1, 0.1, 0.8]])

    X, y = np.zeros((6, 1)), ["a", "b", "b", "c", "c", "c"]
    corrected = PriorCorrectedClassifier(Fixed(), prior={"a": 6, "b": 3, "c": 1}, resampled_prior=[1, 1, 2]).fit(X, y)
    expected = np.array([[0.5 * 0.6 / 0.25, 0.3 * 0.3 / 0.25, 0.2 * 0.1 / 0.5], [0.06 / 0.25, 0.03 / 0.25, 0.08 / 0.5]])
    expected /= expected.sum(1, keepdims=True)
    np.testing.assert_allclose(corrected.predict_proba(X), expected)
    assert corrected.predict(X).tolist() == ["a", "a"]
    assert corrected.prior_.tolist() == pytest.approx([0.6, 0.3, 0.1])
    certain = PriorCorrectedClassifier(Fixed(), prior=[1, 0, 0]).fit(X, y)
    np.testing.assert_allclose(certain.predict_proba(X), [[1, 0, 0]] * 2)


@pytest.mark.parametrize(
    ("samplers", "counts"),
    [
        ([], [60, 20, 10]),
        ([RandomOverSampler()], [60, 60, 60]),
        ([SMOTE(sampling_strategy={2: 30})], [60, 20, 30]),
        ([RandomUnderSampler()], [10, 10, 10]),
        ([RandomUnderSampler(sampling_strategy={0: 40}), RandomOverSampler()], [40, 40, 40]),
        ([GANOverSampler(net=NET, random_state=0)], [60, 60, 60]),
        ([ConditionalGANAugmenter({2: 1.5}, net=NET, random_state=0)], [60, 20, 25]),
    ],
    ids=str,
)
def test_the_samplers_counts_are_read(table, samplers, counts):
    X, y = table
    fitted = PriorCorrectedClassifier(make_pipeline(*samplers, GaussianNB())).fit(X, y)
    np.testing.assert_allclose(fitted.resampled_prior_, np.array(counts) / sum(counts))
    np.testing.assert_allclose(fitted.prior_, np.array([60, 20, 10]) / 90)


def test_probabilities_are_as_good_as_without_resampling():
    rng = np.random.RandomState(0)
    y = (rng.uniform(size=4000) < 0.05).astype(int)
    X = rng.standard_normal((4000, 2)) + 1.5 * y[:, None]
    X_test, y_test = X[2000:], y[2000:]
    pipeline = make_pipeline(RandomOverSampler(random_state=0), LogisticRegression())
    loss = {
        name: log_loss(y_test, net.fit(X[:2000], y[:2000]).predict_proba(X_test))
        for name, net in (
            ("plain", LogisticRegression()),
            ("resampled", pipeline),
            ("corrected", PriorCorrectedClassifier(pipeline)),
        )
    }
    assert loss["corrected"] < 1.02 * loss["plain"] < 0.6 * loss["resampled"]
    # and the other way round: equal classes without a sampler
    balanced = PriorCorrectedClassifier(LogisticRegression(), prior="uniform").fit(X[:2000], y[:2000]).predict(X_test)
    resampled = pipeline.predict(X_test)
    assert (balanced == resampled).mean() > 0.97


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"prior": {0: 1.0, 1: 1.0}}, r"it has none for \[2\]"),
        ({"prior": {0: 1.0, 1: 1.0, 2: 1.0, 7: 1.0}}, r"\[7\] are no classes"),
        ({"prior": [0.5, 0.5]}, "must be 3 finite weights"),
        ({"prior": [1, -1, 1]}, "of at least 0"),
        ({"prior": [0, 0, 0]}, "not all 0"),
        ({"resampled_prior": [1, 0, 1]}, "above 0 for every class"),
        ({"prior": "test"}, "prior"),
        ({"estimator": "net"}, "estimator"),
    ],
    ids=str,
)
def test_wrong_priors(table, params, message):
    with pytest.raises(ValueError, match=message):
        PriorCorrectedClassifier(**{"estimator": GaussianNB(), **params}).fit(*table)


def test_a_sampler_that_tells_no_counts(table):
    pipeline = make_pipeline(EditedNearestNeighbours(), GaussianNB())
    with pytest.raises(ValueError, match="EditedNearestNeighbours does not tell how many rows"):
        PriorCorrectedClassifier(pipeline).fit(*table)
    PriorCorrectedClassifier(pipeline, resampled_prior={0: 50, 1: 10, 2: 10}).fit(*table)
