"""ImbalancedClassifierCV: one fit for every rule, honest scores, the cheapest of the best, and what it refuses."""

import pickle

import numpy as np
import pandas as pd
import pytest
import torch
from imblearn.base import BaseSampler
from imblearn.over_sampling import SMOTE, RandomOverSampler
from imblearn.pipeline import Pipeline
from sklearn.base import clone
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression, RidgeClassifier
from sklearn.metrics import balanced_accuracy_score, f1_score, log_loss, make_scorer
from sklearn.model_selection import (
    GroupKFold,
    RepeatedStratifiedKFold,
    StratifiedKFold,
    TunedThresholdClassifierCV,
    cross_val_predict,
)
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier
from sklearn.utils.estimator_checks import parametrize_with_checks

from skgan import CNNClassifier, GANOverSampler, ImbalancedClassifierCV, PriorCorrectedClassifier
from skgan._decision import OutOfFold, response_of
from skgan._statistics import chosen_by
from skgan._tuning import Judge, tuned_weights
from skgan.presets import mlp_gan

NET = mlp_gan(alpha=1, max_steps=4, batch_size=8)
PLAIN = [None, RandomOverSampler()]


def overlapping(n=600, seed=0, rare=0.08, distance=1.5):
    rng = np.random.RandomState(seed)
    y = (rng.uniform(size=n) < rare).astype(int)
    return rng.standard_normal((n, 2)) + distance * y[:, None], y


def three_classes(n=600, seed=0):
    rng = np.random.RandomState(seed)
    y = np.sort(rng.choice(3, n, p=[0.8, 0.14, 0.06]))
    return rng.standard_normal((n, 2)) + 1.5 * np.eye(3, 2)[y], y


@parametrize_with_checks([ImbalancedClassifierCV(LogisticRegression(), [None], cv=2, random_state=0)])
def test_scikit_learns_checks(estimator, check):
    check(estimator)


class Counted(LogisticRegression):
    fits = 0

    def fit(self, X, y, sample_weight=None):
        type(self).fits += 1
        return super().fit(X, y, sample_weight)


def test_one_fit_of_sampler_and_classifier_serves_every_rule():
    X, y = overlapping()
    Counted.fits = 0
    model = ImbalancedClassifierCV(Counted(), [None, "class weights", RandomOverSampler()], cv=3, random_state=0).fit(
        X, y
    )
    assert Counted.fits == 3 * 3 + 1
    names = [
        f"{s}, {r}"
        for s in ("nothing", "class weights", "RandomOverSampler")
        for r in ("as it is", "corrected", "tuned decision")
    ]
    results = model.cv_results_
    assert results["name"].tolist() == names
    splits = results[["split0", "split1", "split2"]]
    np.testing.assert_allclose(results["mean"], splits.mean(axis=1))
    np.testing.assert_allclose(results["standard_error"], splits.std(axis=1) / np.sqrt(3))
    assert (results["seconds"] > 0).all()
    best = results.loc[results["mean"].idxmax()]
    first = results.index[results["mean"] >= best["mean"] - best["standard_error"]][0]
    assert results.index[results["chosen"]].tolist() == [first]
    assert model.best_name_ == results.loc[first, "name"] == "nothing, corrected"
    assert model.best_score_ == pytest.approx(results.loc[first, "mean"])
    greedy = clone(model).set_params(rule="best").fit(X, y)
    assert greedy.best_name_ == best["name"]


def test_corrected_is_the_prior_corrected_classifier():
    X, y = three_classes()
    model = ImbalancedClassifierCV(LogisticRegression(), [None], random_state=0).fit(X, y)
    assert model.best_name_ == "nothing, corrected"
    corrected = PriorCorrectedClassifier(LogisticRegression(), prior="uniform").fit(X, y)
    np.testing.assert_array_equal(model.predict(X), corrected.predict(X))
    np.testing.assert_allclose(model.predict_proba(X), LogisticRegression().fit(X, y).predict_proba(X))
    np.testing.assert_allclose(model.class_weights_ * model.prior_, (model.class_weights_ * model.prior_)[0])


def test_probabilities_are_for_the_frequencies_of_y_after_a_sampler_and_class_weights():
    X, y = overlapping(2000)
    for sampler in (RandomOverSampler(), "class weights"):
        model = ImbalancedClassifierCV(LogisticRegression(), [sampler], random_state=0).fit(X, y)
        assert model.best_name_.endswith("as it is")
        assert model.class_weights_ is None
        np.testing.assert_allclose(model.resampled_prior_, [0.5, 0.5])
        assert model.predict_proba(X)[:, 1].mean() == pytest.approx(y.mean(), abs=0.01)
        np.testing.assert_array_equal(model.predict(X), model.best_estimator_.predict(X))
        plain = LogisticRegression().fit(X, y)
        assert log_loss(y, model.predict_proba(X)) < 1.02 * log_loss(y, plain.predict_proba(X))


@pytest.mark.parametrize("scoring", ["balanced_accuracy", "f1"])
def test_tuned_weights_of_two_classes_are_a_tuned_threshold(scoring):
    X, y = overlapping(400)
    fitted = LogisticRegression().fit(X, y)
    probability = fitted.predict_proba(X)
    reference = TunedThresholdClassifierCV(FrozenEstimator(fitted), scoring=scoring, cv="prefit", refit=False).fit(X, y)
    weights = Judge(scoring, X, y).tuned(np.arange(len(y)), probability, [np.ones(2)])
    ours = (probability * weights).argmax(axis=1)
    score = balanced_accuracy_score(y, ours) if scoring == "balanced_accuracy" else f1_score(y, ours)
    assert reference.best_score_ <= score <= reference.best_score_ + 0.02  # it has tried a hundred thresholds
    assert (ours == reference.predict(X)).mean() > 0.97
    np.testing.assert_array_equal(ours, probability[:, 1] > weights[0] / weights.sum())


def test_the_tuned_decision_agrees_with_scikit_learns_tuned_classifier():
    X, y = overlapping(1500)
    folds = StratifiedKFold(3, shuffle=True, random_state=0)
    # A score that neither the classifier as it is nor equal classes serve: a rare row found is worth four false alarms.
    worth = make_scorer(lambda y, taken: np.mean((y == 1) * (taken == 1) - 0.25 * (y == 0) * (taken == 1)))
    model = ImbalancedClassifierCV(LogisticRegression(), [None], scoring=worth, cv=folds, rule="best").fit(X, y)
    reference = TunedThresholdClassifierCV(LogisticRegression(), scoring=worth, cv=folds).fit(X, y)
    assert model.best_name_ == "nothing, tuned decision"
    X_new, y_new = overlapping(3000, seed=1)
    assert (model.predict(X_new) == reference.predict(X_new)).mean() > 0.98
    assert worth(model, X_new, y_new) > worth(LogisticRegression().fit(X, y), X_new, y_new)
    assert worth(model, X_new, y_new) > worth(
        PriorCorrectedClassifier(LogisticRegression(), "uniform").fit(X, y), X_new, y_new
    )


def mean_recall(y, taken):
    return np.mean([(taken[y == k] == k).mean() for k in np.unique(y)])


def test_tuned_weights_of_three_classes_by_brute_force():
    X, y = three_classes(300)
    probability = GaussianNB().fit(X, y).predict_proba(X)
    judge, rows = Judge("balanced_accuracy", X, y), np.arange(len(y))
    starts = [np.ones(3), 1 / judge.shares]
    exact = (probability * judge.tuned(rows, probability, starts)).argmax(axis=1)
    called = tuned_weights(probability, y, starts, lambda taken: mean_recall(y, taken))
    grid = np.exp(np.linspace(0, 5, 25))
    best = max(mean_recall(y, (probability * [1, a, b]).argmax(axis=1)) for a in grid for b in grid)
    assert mean_recall(y, (probability / judge.shares).argmax(axis=1)) < best - 0.01
    assert mean_recall(y, exact) >= best - 0.005
    assert mean_recall(y, (probability * called).argmax(axis=1)) >= best - 0.005


@pytest.mark.parametrize(
    "folds",
    [
        StratifiedKFold(3, shuffle=True, random_state=0),
        RepeatedStratifiedKFold(n_splits=3, n_repeats=2, random_state=0),
    ],
    ids=["once", "repeated"],
)
def test_weights_that_score_a_fold_have_not_seen_its_labels(folds):
    X, y = overlapping(300)
    splits = list(folds.split(X, y))
    judge = Judge("balanced_accuracy", X, y)

    def out_of_fold(labels):
        told = [
            response_of(LogisticRegression().fit(X[a], labels[a]), y[a], (X[b], y[b]), judge.scorer) for a, b in splits
        ]
        return OutOfFold(judge, told, [b for _, b in splits])

    weights = out_of_fold(y).tuned(left_out=0)
    judge.codes = judge.codes.copy()
    first = splits[0][1]
    judge.codes[first] = 1 - judge.codes[first]  # other labels on the test side of that fold, with the same fits
    np.testing.assert_array_equal(out_of_fold(y).tuned(left_out=0), weights)
    assert not np.array_equal(out_of_fold(y).tuned(), weights)


def test_a_score_of_probabilities_is_the_same_for_every_rule():
    X, y = overlapping()
    model = ImbalancedClassifierCV(LogisticRegression(), PLAIN, scoring="neg_log_loss", random_state=0).fit(X, y)
    assert model.best_name_ == "nothing, as it is"
    assert model.cv_results_.groupby(model.cv_results_["name"].str.split(",").str[0])["mean"].nunique().eq(1).all()


def test_a_classifier_without_probabilities_has_one_rule():
    X, y = overlapping()
    model = ImbalancedClassifierCV(RidgeClassifier(), ["class weights", None, SMOTE()], random_state=0).fit(X, y)
    assert model.cv_results_["name"].tolist() == ["class weights, as it is", "nothing, as it is", "SMOTE, as it is"]
    assert not hasattr(model, "predict_proba")
    assert model.decision_function(X).shape == (600,)
    np.testing.assert_array_equal(model.predict(X), RidgeClassifier(class_weight="balanced").fit(X, y).predict(X))
    assert not hasattr(ImbalancedClassifierCV(LogisticRegression()), "decision_function")


class Odd(BaseSampler):
    """Says nothing of how many rows it returns."""

    _sampling_type = "bypass"

    def fit_resample(self, X, y):
        return RandomOverSampler(random_state=0).fit_resample(X, y)

    def _fit_resample(self, X, y):
        raise NotImplementedError


class Broken(Odd):
    def fit_resample(self, X, y):
        raise RuntimeError("no rows today")


def test_where_the_learned_frequencies_are_not_known():
    X, y = overlapping()
    model = ImbalancedClassifierCV(LogisticRegression(), [Odd()], random_state=0).fit(X, y)
    assert model.cv_results_["name"].tolist() == ["Odd, as it is", "Odd, tuned decision"]
    assert model.resampled_prior_ is None
    np.testing.assert_array_equal(model.predict_proba(X), model.best_estimator_.predict_proba(X))


def test_a_candidate_that_fails_is_out():
    X, y = overlapping()
    with pytest.warns(UserWarning, match=r"out of the choice\. Broken: RuntimeError: no rows today \(fold 0\)"):
        model = ImbalancedClassifierCV(LogisticRegression(), [Broken(), None], random_state=0).fit(X, y)
    assert model.best_name_.startswith("nothing")
    with pytest.raises(ValueError, match=r"Every candidate failed\. Broken: RuntimeError"):
        ImbalancedClassifierCV(LogisticRegression(), [Broken()]).fit(X, y)


def test_candidates_by_default(table, trainings):
    X = table[0]
    frame = pd.DataFrame(X, columns=list("vwxyz")).assign(kind=pd.Categorical(["a", "b"] * 45))
    samplers = {"nothing", "class weights", "copies", "SMOTENC", "GANOverSampler"}
    model = ImbalancedClassifierCV(cv=2, random_state=0)
    assert set(model._candidates(frame, 5, LogisticRegression())) == samplers
    assert "class weights" not in model._candidates(frame, 5, KNeighborsClassifier())
    assert "SMOTENC" not in model._candidates(frame.where(frame["v"] < 1), 5, LogisticRegression())
    assert not trainings


def test_generators_are_kept_and_the_same_comes_twice(table, tmp_path, trainings):
    X, y = table
    numpy_state, torch_state = np.random.get_state()[1].copy(), torch.random.get_rng_state()
    samplers = {"nothing": None, "ours": GANOverSampler(net=NET)}
    one, two = (
        ImbalancedClassifierCV(LogisticRegression(), samplers, cv=2, memory=str(tmp_path), random_state=3).fit(X, y)
        for _ in range(2)
    )
    assert len(trainings) in (2, 3)  # one a fold, and one more where it was chosen; none the second time
    pd.testing.assert_frame_equal(one.cv_results_.drop(columns="seconds"), two.cv_results_.drop(columns="seconds"))
    np.testing.assert_array_equal(one.predict_proba(X), two.predict_proba(X))
    assert (np.random.get_state()[1] == numpy_state).all()
    assert torch.equal(torch.random.get_rng_state(), torch_state)
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(one)).predict(X), one.predict(X))


def test_images_and_labels_as_words(images):
    X, y = images
    words = np.where(y == 1, "rare", "common")
    model = ImbalancedClassifierCV(CNNClassifier(max_updates=2), cv=2, random_state=0)
    model.set_params(samplers=[None, "class weights", GANOverSampler(net=NET)]).fit(X, words)
    assert model.classes_.tolist() == ["common", "rare"]
    assert len(model.cv_results_) == 9
    assert set(model.predict(X)) <= {"common", "rare"}
    assert model.predict_proba(X).shape == (30, 2)


def test_groups_stay_together_and_a_pipeline_may_hold_it():
    X, y = overlapping(300, rare=0.2)
    groups = np.arange(300) // 5
    seen = []

    class Spy(LogisticRegression):
        def fit(self, X, y, sample_weight=None):
            seen.append(set(map(tuple, X)))
            return super().fit(X, y, sample_weight)

    ImbalancedClassifierCV(Spy(), [None], random_state=0).fit(X, y, groups=groups)
    rows = [tuple(row) for row in X]
    assert len(seen) == 6
    for training in seen[:-1]:
        inside = np.array([row in training for row in rows])
        assert all(inside[groups == g].all() or not inside[groups == g].any() for g in np.unique(groups))
    ImbalancedClassifierCV(LogisticRegression(), PLAIN, cv=GroupKFold(3)).fit(X, y, groups=groups)
    pipeline = Pipeline([("c", ImbalancedClassifierCV(LogisticRegression(), PLAIN, random_state=0))])
    predicted = cross_val_predict(pipeline, X, y, cv=2)
    assert balanced_accuracy_score(y, predicted) > 0.7


def test_as_many_folds_as_a_small_class_has_rows():
    X, y = overlapping(100, rare=0.2)
    rows = np.r_[np.flatnonzero(y == 0), np.flatnonzero(y == 1)[:3]]
    assert "split2" in ImbalancedClassifierCV(LogisticRegression(), [None]).fit(X[rows], y[rows]).cv_results_
    assert "split4" not in ImbalancedClassifierCV(LogisticRegression(), [None]).fit(X[rows], y[rows]).cv_results_
    with pytest.raises(ValueError, match=r"Fold \d has no row of class \[1\] on its test side"):
        ImbalancedClassifierCV(LogisticRegression(), [None]).fit(X[rows[:-2]], y[rows[:-2]])


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"samplers": []}, "samplers is empty"),
        ({"samplers": [SMOTE]}, "must be a sampler such as SMOTE\\(\\), 'class weights', or None"),
        ({"samplers": ["smote"]}, "must be a sampler such as SMOTE"),
        ({"samplers": ["class weights"], "estimator": KNeighborsClassifier()}, "has no parameter class_weight"),
        ({"scoring": "balanced"}, "'balanced' is not a valid scoring value"),
        ({"scoring": "f1"}, r"scoring='f1' cannot score the 3 classes \[0, 1, 2\]"),
        ({"cv": 11}, r"Fold \d+ has no row of class \[2\]|n_splits=11"),
        ({"cv": 1}, r"an int in the range \[2, inf\)"),
        ({"cv": [(np.arange(50), np.arange(50, 90))]}, "gives 1 fold"),
        ({"rule": "first"}, "rule"),
    ],
    ids=str,
)
def test_what_is_refused_before_any_training(table, params, message):
    class Untrained(LogisticRegression):
        def fit(self, X, y, sample_weight=None):
            raise AssertionError("trained")

    with pytest.raises((ValueError, TypeError), match=message):
        ImbalancedClassifierCV(**{"estimator": Untrained(), "samplers": PLAIN, "random_state": 0, **params}).fit(*table)


def test_a_difference_that_every_fold_shows_counts_though_the_folds_differ():
    scores = np.array([[0.5, 0.7, 0.9], [0.6, 0.8, 1.0], [0.61, 0.79, 1.0]])
    assert chosen_by("one_standard_error", scores, [0, 1, 2]) == 0
    assert chosen_by("one_standard_error", scores, [0, 1, 2], paired=True) == 1
    assert chosen_by("best", scores, [0, 2]) == 2
