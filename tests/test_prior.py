"""PriorCorrectedClassifier: Bayes' rule, the samplers' counts, and what it refuses."""

import numpy as np
import pandas as pd
import pytest
from imblearn import FunctionSampler
from imblearn.combine import SMOTEENN
from imblearn.ensemble import (
    BalancedBaggingClassifier,
    BalancedRandomForestClassifier,
    EasyEnsembleClassifier,
    RUSBoostClassifier,
)
from imblearn.over_sampling import SMOTE, RandomOverSampler
from imblearn.pipeline import make_pipeline
from imblearn.under_sampling import EditedNearestNeighbours, RandomUnderSampler
from sklearn.calibration import CalibratedClassifierCV
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.dummy import DummyClassifier
from sklearn.ensemble import BaggingClassifier, RandomForestClassifier, StackingClassifier, VotingClassifier
from sklearn.feature_selection import RFE
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression, SGDClassifier
from sklearn.metrics import log_loss
from sklearn.model_selection import FixedThresholdClassifier, GridSearchCV, TunedThresholdClassifierCV
from sklearn.multiclass import OneVsRestClassifier
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline as make_plain_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.semi_supervised import SelfTrainingClassifier
from sklearn.svm import SVC
from sklearn.tree import DecisionTreeClassifier
from sklearn.utils.estimator_checks import parametrize_with_checks

from skgan import ConditionalGANAugmenter, GANOverSampler, OverSamplerCV, PriorCorrectedClassifier
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


LR = LogisticRegression
OVER = make_pipeline(RandomOverSampler(random_state=0), LR())
WEIGHTED = LR(class_weight="balanced")


@pytest.fixture(scope="module")
def rare():
    """2000 rows to train on and 6000 fresh ones, one in twenty of class 1."""
    rng = np.random.RandomState(0)
    y = (rng.uniform(size=8000) < 0.05).astype(int)
    X = rng.standard_normal((8000, 2)) + 1.5 * y[:, None]
    return X[:2000], y[:2000], X[2000:], y[2000:]


@pytest.mark.parametrize(
    "wrapped",
    [
        GridSearchCV(OVER, {"logisticregression__C": [1.0]}, cv=2),
        FixedThresholdClassifier(OVER),
        TunedThresholdClassifierCV(OVER, cv=2),
        SelfTrainingClassifier(OVER),
        make_plain_pipeline("passthrough", GridSearchCV(make_pipeline("passthrough", OVER), {}, cv=2)),
        PriorCorrectedClassifier(OVER, prior="uniform"),
    ],
    ids=lambda e: type(e).__name__,
)
@pytest.mark.filterwarnings("ignore:y contains no unlabeled samples")
def test_what_holds_one_estimator_gives_what_the_bare_pipeline_gives(rare, wrapped):
    X, y, X_new, _ = rare
    for prior in ("train", "uniform"):
        bare = PriorCorrectedClassifier(OVER, prior=prior).fit(X, y)
        corrected = PriorCorrectedClassifier(wrapped, prior=prior).fit(X, y)
        np.testing.assert_allclose(corrected.predict_proba(X_new), bare.predict_proba(X_new), atol=1e-12)
    assert corrected.resampled_prior_.tolist() == [0.5, 0.5]


ORACLES = {
    "scaled, nested": (make_plain_pipeline(StandardScaler(), OVER), [0.5, 0.5]),
    "sampler, then weights": (make_pipeline(RandomUnderSampler(random_state=0), LR(class_weight={1: 3})), [0.25, 0.75]),
    "balanced": (WEIGHTED, [0.5, 0.5]),
    "weights in SGD": (
        SGDClassifier(loss="log_loss", class_weight="balanced", alpha=0.01, average=True, random_state=0),
        [0.5, 0.5],
    ),
    "weights in a tree": (DecisionTreeClassifier(class_weight="balanced", min_samples_leaf=30), [0.5, 0.5]),
    "weights in a forest": (
        RandomForestClassifier(20, class_weight="balanced_subsample", min_samples_leaf=50, random_state=0),
        [0.5, 0.5],
    ),
    "frozen weights": (FrozenEstimator(WEIGHTED), [0.5, 0.5]),
    "eliminated": (RFE(WEIGHTED, n_features_to_select=1), [0.5, 0.5]),
    "own priors": (LinearDiscriminantAnalysis(priors=[0.4, 0.6]), [0.4, 0.6]),
    "no prior": (GaussianNB(priors=[0.5, 0.5]), [0.5, 0.5]),
    "calibrated": (CalibratedClassifierCV(OVER, cv=2), None),
    "calibrated behind a sampler": (
        make_pipeline(RandomOverSampler(random_state=0), CalibratedClassifierCV(LR(), cv=2)),
        [0.5, 0.5],
    ),
    "Platt's scores": (SVC(probability=True, class_weight="balanced", random_state=0), None),
    "bagged": (BaggingClassifier(OVER, 5, random_state=0), [0.5, 0.5]),
    "bagged weights": (BaggingClassifier(WEIGHTED, 5, random_state=0), [0.5, 0.5]),
    "bagged behind a sampler": (
        make_pipeline(
            RandomOverSampler(sampling_strategy=0.5, random_state=0), BaggingClassifier(LR(class_weight={1: 2}), 3)
        ),
        [0.5, 0.5],
    ),
    "bagged, nothing inside": (BaggingClassifier(LR(), 5, random_state=0), None),
    "balanced bagging": (BalancedBaggingClassifier(LR(), n_estimators=5, random_state=0), [0.5, 0.5]),
    "balanced bagging of copies": (
        BalancedBaggingClassifier(LR(), n_estimators=3, sampler=RandomOverSampler(), random_state=0),
        [0.5, 0.5],
    ),
    "balanced forest": (BalancedRandomForestClassifier(40, min_samples_leaf=10, random_state=0), [0.5, 0.5]),
    "forest of fewer": (
        BalancedRandomForestClassifier(
            40, sampling_strategy={0: 400}, replacement=False, min_samples_leaf=20, random_state=0
        ),
        None,
    ),
    "easy ensemble": (EasyEnsembleClassifier(3, random_state=0), [0.5, 0.5]),
    "boosting": (RUSBoostClassifier(n_estimators=10, random_state=0), [0.5, 0.5]),
    "a choice": (make_pipeline(OverSamplerCV([RandomOverSampler()], cv=2, random_state=0), LR()), [0.5, 0.5]),
    "a choice that drops rows": (
        make_pipeline(OverSamplerCV([RandomUnderSampler()], cv=2, random_state=0), LR()),
        [0.5, 0.5],
    ),
}


@pytest.mark.filterwarnings("ignore:.*probability.*:FutureWarning")
@pytest.mark.parametrize("name", ORACLES)
def test_the_mean_probability_is_the_true_rate(rare, name):
    X, y, X_new, y_new = rare
    estimator, resampled = ORACLES[name]
    if isinstance(estimator, FrozenEstimator):
        estimator = FrozenEstimator(estimator.estimator.fit(X, y))
    corrected = PriorCorrectedClassifier(estimator).fit(X, y)
    # Boosting and forests are not calibrated in their own world either.
    near = 0.03 if name in ("easy ensemble", "boosting", "weights in a forest") else 0.012
    assert abs(corrected.predict_proba(X_new)[:, 1].mean() - y_new.mean()) < near
    if name == "forest of fewer":
        resampled = np.array([400, (y == 1).sum()]) / (400 + (y == 1).sum())
    expected = np.bincount(y) / len(y) if resampled is None else resampled
    np.testing.assert_allclose(corrected.resampled_prior_, expected, atol=1e-12)
    assert PriorCorrectedClassifier(estimator, prior="uniform").fit(X, y).predict(X_new).mean() < 0.4


def test_the_forests_weights_multiply_what_its_sampler_leaves(rare):
    X, y, *_ = rare
    counts = np.bincount(y)
    forest = BalancedRandomForestClassifier(3, class_weight="balanced", max_depth=2, random_state=0)
    weighted = PriorCorrectedClassifier(forest).fit(X, y).resampled_prior_
    np.testing.assert_allclose(weighted, 1 / counts / (1 / counts).sum())
    forest.set_params(class_weight="balanced_subsample", bootstrap=True)
    assert PriorCorrectedClassifier(forest).fit(X, y).resampled_prior_.tolist() == [0.5, 0.5]


def test_a_search_is_followed_to_what_it_chose(rare):
    X, y, *_ = rare
    grid = {
        "randomoversampler": [RandomOverSampler(sampling_strategy=0.2)],
        "logisticregression__class_weight": [{1: 2}],
    }
    fitted = PriorCorrectedClassifier(GridSearchCV(OVER, grid, cv=2)).fit(X, y)
    np.testing.assert_allclose(fitted.resampled_prior_, [5 / 7, 2 / 7], atol=1e-3)
    search = GridSearchCV(make_pipeline(SMOTEENN(), LR()), {"smoteenn": ["passthrough"]}, cv=2)
    assert PriorCorrectedClassifier(search).fit(X, y).resampled_prior_[0] > 0.9


class Untouched(LR):
    def fit(self, X, y, sample_weight=None):
        raise AssertionError("trained before it was refused")


UNTOUCHED = make_pipeline(RandomOverSampler(), Untouched())


@pytest.mark.parametrize(
    ("estimator", "message"),
    [
        (
            VotingClassifier([("a", UNTOUCHED), ("b", Untouched())], voting="soft"),
            "VotingClassifier has RandomOverSampler",
        ),
        (
            StackingClassifier([("a", Untouched(class_weight="balanced"))], LR()),
            "StackingClassifier has estimators__class_weight='balanced' inside",
        ),
        (OneVsRestClassifier(UNTOUCHED), "OneVsRestClassifier has RandomOverSampler"),
        (GridSearchCV(OneVsRestClassifier(UNTOUCHED), {}, cv=2), "OneVsRestClassifier has RandomOverSampler"),
        (
            VotingClassifier([("a", BalancedBaggingClassifier(Untouched()))], voting="soft"),
            "VotingClassifier has BalancedBaggingClassifier",
        ),
        (
            BaggingClassifier(VotingClassifier([("a", UNTOUCHED)], voting="soft")),
            "VotingClassifier has RandomOverSampler",
        ),
        (make_pipeline(FunctionSampler(), Untouched()), "FunctionSampler does not tell how many rows"),
        (make_pipeline(SMOTEENN(sampling_strategy={1: 500}), Untouched()), "SMOTEENN does not tell how many rows"),
        (BalancedBaggingClassifier(Untouched(), sampler=SMOTEENN()), "SMOTEENN does not tell how many rows"),
        (FrozenEstimator(make_pipeline(RandomOverSampler(), LR())), "RandomOverSampler was given is not known"),
        (
            TunedThresholdClassifierCV(UNTOUCHED, cv=0.5, refit=False),
            "RandomOverSampler was given is not known",
        ),
        (RandomForestClassifier(class_weight="balanced"), "grow until their leaves are pure"),
        (BalancedRandomForestClassifier(class_weight={1: 2}), "grow until their leaves are pure"),
    ],
    ids=str,
)
def test_what_cannot_be_told_is_refused_before_training(rare, estimator, message):
    X, y, X_new, _ = rare
    if isinstance(estimator, FrozenEstimator):
        estimator.estimator.fit(X, y)
    with pytest.raises(ValueError, match=message) as refused:
        PriorCorrectedClassifier(estimator).fit(X, y)
    assert str(refused.value).endswith("give resampled_prior={class: number of rows it was trained on}.")
    if isinstance(estimator, FrozenEstimator):
        given = PriorCorrectedClassifier(estimator, resampled_prior=[1, 1]).fit(X, y)
        assert given.predict_proba(X_new)[:, 1].mean() < 0.07


def test_votes_of_resampled_members_are_no_probabilities(rare):
    X, y, *_ = rare
    with pytest.raises(ValueError, match="vote for classes and have no probabilities"):
        PriorCorrectedClassifier(BalancedBaggingClassifier(SVC(), n_estimators=2)).fit(X[:300], y[:300])


def test_weights_by_other_names_and_of_rows_are_refused(rare):
    X, y, *_ = rare

    class Boosted(LR):
        def __init__(self, scale_pos_weight=1.0):
            super().__init__()
            self.scale_pos_weight = scale_pos_weight

    PriorCorrectedClassifier(Boosted()).fit(X, y)
    with pytest.raises(ValueError, match="Boosted weights the classes by scale_pos_weight=19"):
        PriorCorrectedClassifier(Boosted(19.0)).fit(X, y)
    weights = np.ones(len(y))
    with pytest.raises(ValueError, match="sample_weight shifts the frequencies"):
        PriorCorrectedClassifier(LR()).fit(X, y, sample_weight=weights)
    PriorCorrectedClassifier(LR(), resampled_prior=[19, 1]).fit(X, y, sample_weight=weights)


@pytest.mark.parametrize("labels", [[0, 1], [False, True], [0, True], [0.0, 1.0]])
def test_numbers_and_booleans_in_an_object_array(rare, labels):
    X, y, X_new, _ = rare
    same = PriorCorrectedClassifier(OVER).fit(X, y)
    objects = np.array(labels, dtype=object)[y]
    for given in (objects, objects.tolist(), pd.Series(objects)):
        fitted = PriorCorrectedClassifier(OVER, prior={labels[0]: 1 - y.mean(), labels[1]: y.mean()}).fit(X, given)
        np.testing.assert_allclose(fitted.predict_proba(X_new), same.predict_proba(X_new))
        assert fitted.classes_.tolist() == labels


@pytest.mark.parametrize(
    ("first", "message"),
    [
        (None, "1 of 90 rows have no label"),
        (np.nan, "1 of 90 rows have no label"),
        (pd.NA, "1 of 90 rows have no label"),
        ("x", "labels in y must be of one type, got int, str"),
    ],
)
def test_missing_and_mixed_labels(table, first, message):
    X, y = table
    with pytest.raises(ValueError, match=message):
        PriorCorrectedClassifier(OVER).fit(X, np.array([first, *y[1:].tolist()], dtype=object))
    with pytest.raises(ValueError, match="2 of 90 rows have no label"):
        PriorCorrectedClassifier(OVER).fit(X, pd.Series([None, None, *y[2:]], dtype="Int64"))
