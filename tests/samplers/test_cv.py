"""OverSamplerCV: the simplest candidate that is as good as the best, folds without leaks, and what it refuses."""

import numpy as np
import pandas as pd
import pytest
import sklearn
from imblearn.base import BaseSampler
from imblearn.over_sampling import SMOTE, RandomOverSampler
from imblearn.pipeline import Pipeline, make_pipeline
from imblearn.utils.estimator_checks import check_param_validation, estimator_checks_generator
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GroupKFold, cross_val_score
from sklearn.neighbors import KNeighborsClassifier

from skgan import GANOverSampler, OverSamplerCV, PriorCorrectedClassifier
from skgan.presets import mlp_gan
from skgan.samplers import FlatRows, auto_samplers

NET = mlp_gan(alpha=1, max_steps=4, batch_size=8)
PLAIN = [None, RandomOverSampler()]


def overlapping(n=1500, seed=0):
    """Two classes that overlap, one of them rare: without balance a linear classifier gives up the rare one."""
    rng = np.random.RandomState(seed)
    y = (rng.uniform(size=n) < 0.06).astype(int)
    return rng.standard_normal((n, 2)) + 1.2 * y[:, None], y


class Broken(BaseSampler):
    _sampling_type = "bypass"

    def fit_resample(self, X, y):
        raise RuntimeError("no rows today")

    def _fit_resample(self, X, y):
        raise NotImplementedError


def test_nothing_is_chosen_where_nothing_helps():
    rng = np.random.RandomState(0)
    y = np.repeat([0, 1], [200, 40])
    easy = rng.standard_normal((240, 2)) + 6 * y[:, None]
    for X in (easy, rng.standard_normal((240, 2))):  # separable, and pure noise
        choice = OverSamplerCV(PLAIN, random_state=0)
        X_new, _ = choice.fit_resample(X, y)
        assert choice.best_name_ == "nothing"
        assert choice.best_sampler_ is None
        np.testing.assert_array_equal(X_new, X)
        assert not np.shares_memory(X_new, X)
        assert not choice.is_synthetic_.any()
        assert choice.sampling_strategy_ == {0: 0, 1: 0}


def test_a_sampler_is_chosen_where_it_helps():
    X, y = overlapping()
    choice = OverSamplerCV({"as it is": None, "copies": RandomOverSampler()}, random_state=0)
    y_new = choice.fit_resample(X, y)[1]
    assert choice.best_name_ == "copies"
    assert np.bincount(y_new).tolist() == [(y == 0).sum()] * 2
    assert choice.is_synthetic_.sum() == choice.sampling_strategy_[1] == len(y_new) - len(y)
    results = choice.cv_results_
    assert results["name"].tolist() == ["as it is", "copies"]
    assert results["chosen"].tolist() == [False, True]
    assert results["mean"].is_monotonic_increasing
    assert choice.best_score_ == pytest.approx(results.loc[1, ["split0", "split1", "split2"]].mean())


def test_the_simplest_within_one_standard_error():
    scores = np.array([[0.80, 0.81, 0.82], [0.84, 0.86, 0.94], [0.85, 0.88, 0.96]])
    for rule, expected in (("one_standard_error", 1), ("best", 2)):
        assert OverSamplerCV(rule=rule)._choose(scores, [0, 1, 2]) == expected
    assert OverSamplerCV()._choose(scores, [0, 2]) == 2


def test_racing_drops_what_is_clearly_behind():
    labels = np.repeat([0, 1], [500, 100])
    assert OverSamplerCV._racing(np.array([0.5, 0.9, 0.85]), [0, 1, 2], labels) == [1, 2]
    few = np.repeat([0, 1], [500, 3])
    assert OverSamplerCV._racing(np.array([0.5, 0.9, 0.85]), [0, 1, 2], few) == [0, 1, 2]
    losses = np.array([-5.0, -0.2])
    assert OverSamplerCV._racing(losses, [0, 1], labels) == [0, 1]


def test_the_same_choice_and_rows_twice():
    X, y = overlapping(400)
    candidates = [None, SMOTE(), GANOverSampler(net=NET)]
    one, two = (OverSamplerCV(candidates, rule="best", random_state=3) for _ in range(2))
    np.testing.assert_array_equal(one.fit_resample(X, y)[0], two.fit_resample(X, y)[0])
    columns = ["name", "mean", "split0", "chosen"]
    pd.testing.assert_frame_equal(one.cv_results_[columns], two.cv_results_[columns])


def test_candidates_by_default(table, images):
    X = table[0]
    names = list(auto_samplers(X, 10))
    assert names[:3] == ["nothing", "copies to 50%", "copies to 100%"]
    assert names[-1] == "GANOverSampler to 100%"
    assert "SMOTE to 50%" in names
    mixed = pd.DataFrame(X, columns=list("vwxyz")).assign(
        c=pd.Categorical(["a", "b"] * 45), d=pd.Categorical(["u", "v", "w"] * 30)
    )
    assert len(auto_samplers(mixed, 10)["SMOTENC to 50%"].fit_resample(mixed, table[1])[0]) > 90
    assert not any("SMOTE" in name for name in auto_samplers(mixed.where(mixed["v"] < 1), 10))
    assert "SMOTEN to 100%" in auto_samplers(mixed[["c", "d"]], 10)
    pictures = auto_samplers(images[0], 10)
    assert isinstance(pictures["copies to 50%"], FlatRows)
    X_new, y_new = pictures["copies to 100%"].fit_resample(*images)
    assert X_new.shape[1:] == images[0].shape[1:]
    assert np.bincount(y_new).tolist() == [22, 22]
    X_new, y_new = auto_samplers(images[0], 4)["SMOTE to 100%"].fit_resample(*images)
    assert (X_new.shape[1:], X_new.dtype) == (images[0].shape[1:], images[0].dtype)
    assert auto_samplers(images[0], 4)["SMOTE to 100%"].sampler.k_neighbors == 3
    assert not any("SMOTE" in name for name in auto_samplers(X, 1))  # a single row has no neighbour


@pytest.mark.parametrize("kind", ["table", "frame", "missing", "images"])
def test_any_rows_with_the_default_estimator(table, images, kind):
    X, y = images if kind == "images" else table
    if kind == "frame":
        X = pd.DataFrame(X, columns=list("abcde")).assign(c=pd.Categorical(["a", "b"] * 45))
    if kind == "missing":
        X = np.where(X > 2, np.nan, X)
    choice = OverSamplerCV([None, GANOverSampler(net=NET)], cv=2, rule="best", random_state=0)
    X_new, y_new = choice.fit_resample(X, y)
    assert len(X_new) == len(y_new)
    assert type(X_new) is type(X)


def test_in_a_pipeline_and_with_workers():
    X, y = overlapping(600)
    pipeline = make_pipeline(OverSamplerCV(PLAIN, n_jobs=2, random_state=0), LogisticRegression())
    assert cross_val_score(pipeline, X, y, cv=2, scoring="balanced_accuracy").mean() > 0.6
    corrected = PriorCorrectedClassifier(pipeline).fit(X, y)
    assert corrected.predict_proba(X)[:, 1].mean() == pytest.approx(y.mean(), abs=0.03)


def test_groups_stay_together():
    X, y = overlapping(300)
    groups = np.arange(300) // 5
    seen = []

    class Spy(RandomOverSampler):
        def fit_resample(self, X, y, **params):
            seen.append(set(map(tuple, X)))
            return super().fit_resample(X, y, **params)

    OverSamplerCV([None, Spy()], rule="best", random_state=0).fit_resample(X, y, groups=groups)
    rows = [tuple(row) for row in X]
    for training in seen:
        inside = np.array([row in training for row in rows])
        assert all(inside[groups == g].all() or not inside[groups == g].any() for g in np.unique(groups))
    OverSamplerCV(PLAIN, cv=GroupKFold(2)).fit_resample(X, y, groups=groups)
    with sklearn.config_context(enable_metadata_routing=True):
        sampler = OverSamplerCV(PLAIN, random_state=0).set_fit_resample_request(groups=True)
        Pipeline([("s", sampler), ("c", LogisticRegression())]).fit(X, y, groups=groups)


def test_generators_are_kept(tmp_path, table):
    candidates = {f"{s}": GANOverSampler(net=NET, sampling_strategy={2: s}) for s in (30, 40)}
    OverSamplerCV(candidates, KNeighborsClassifier(), cv=2, memory=str(tmp_path), random_state=0).fit_resample(*table)
    assert len(list(tmp_path.rglob("*.safetensors"))) == 3  # two folds and all rows, for both candidates


def test_it_speaks_only_when_asked(table, capsys):
    OverSamplerCV(PLAIN, random_state=0).fit_resample(*table)
    assert not capsys.readouterr().out
    OverSamplerCV(PLAIN, random_state=0, verbose=1).fit_resample(*table)
    assert "2 candidates in 3 folds, at most 6 fits and one more: nothing, RandomOverSampler" in capsys.readouterr().out


def test_a_candidate_that_fails_is_out(table):
    choice = OverSamplerCV([Broken(), RandomOverSampler()], random_state=0)
    with pytest.warns(UserWarning, match=r"Broken: RuntimeError: no rows today \(fold 0\)"):
        choice.fit_resample(*table)
    assert choice.best_name_ == "RandomOverSampler"
    with pytest.raises(ValueError, match=r"Every candidate failed\. Broken"):
        OverSamplerCV([Broken()], random_state=0).fit_resample(*table)


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"samplers": []}, "samplers is empty"),
        ({"samplers": [SMOTE]}, "must be a sampler such as SMOTE"),
        ({"samplers": ["smote"]}, "must be a sampler such as SMOTE"),
        ({"scoring": "balanced"}, "balanced"),
        ({"cv": 11}, r"Fold \d+ has no row of class \[2\]|n_splits=11"),
        ({"cv": [(np.arange(50), np.arange(50, 90))]}, "gives 1 fold"),
        ({"rule": "first"}, "rule"),
    ],
    ids=str,
)
def test_wrong_parameters(table, params, message):
    with pytest.raises((ValueError, TypeError), match=message):
        OverSamplerCV(**{"samplers": PLAIN, "random_state": 0, **params}).fit_resample(*table)


SMALL = OverSamplerCV(PLAIN, random_state=0)


@pytest.mark.parametrize(
    ("estimator", "check"),
    [pytest.param(e, check, id=check.func.__name__) for e, check in estimator_checks_generator(SMALL)],
)
def test_common_checks(estimator, check):
    check(estimator)


def test_parameter_validation():
    check_param_validation("OverSamplerCV", SMALL)


def caution(fitted, X, y):
    """A score that over-sampling lowers: how far the classifier leans to the common class."""
    return -fitted[-1].intercept_[0]


def test_the_guard_keeps_what_over_sampling_would_cost():
    rng = np.random.RandomState(0)
    y = (rng.uniform(size=900) < 0.1).astype(int)
    X = rng.standard_normal((900, 3)) + 1.2 * y[:, None]
    params = {"scoring": "recall", "random_state": 0}
    samplers = {"nothing": None, "copies": RandomOverSampler()}
    plain, guarded = (OverSamplerCV(samplers, guard=guard, **params) for guard in (None, caution))
    plain.fit_resample(X, y)
    guarded.fit_resample(X, y)
    assert plain.best_name_ == "copies"
    assert guarded.best_name_ == "nothing"
    assert guarded.cv_results_["guarded_out"].tolist() == [False, True]
    assert guarded.cv_results_["guard"][0] > guarded.cv_results_["guard"][1]
    assert "guard" not in plain.cv_results_
    same = OverSamplerCV(samplers, guard="recall", **params)
    same.fit_resample(X, y)
    assert same.best_name_ == "copies"  # racing drops "nothing", which stays the yardstick
    assert not same.cv_results_["guarded_out"].any()
    with pytest.raises(ValueError, match="put None among the samplers"):
        OverSamplerCV([RandomOverSampler()], guard="recall").fit_resample(X, y)
