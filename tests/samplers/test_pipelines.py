"""In pipelines, searches and ensembles, with two processes."""

import numpy as np
import pandas as pd
import pytest
from imblearn.ensemble import BalancedBaggingClassifier
from imblearn.pipeline import Pipeline, make_pipeline
from sklearn.calibration import CalibratedClassifierCV
from sklearn.experimental import enable_halving_search_cv  # noqa: F401
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import (
    GridSearchCV,
    HalvingGridSearchCV,
    StratifiedKFold,
    TunedThresholdClassifierCV,
    cross_validate,
)
from sklearn.tree import DecisionTreeClassifier

from skgan import CNNClassifier, GANOverSampler, at_least
from skgan.presets import dcgan

FOLDS = StratifiedKFold(2, shuffle=True, random_state=0)


def table_pipeline(make_sampler):
    return Pipeline([("sampler", make_sampler()), ("classifier", LogisticRegression())])


def image_pipeline(make_image_sampler):
    return Pipeline(
        [("sampler", make_image_sampler()), ("classifier", CNNClassifier(max_updates=5, batch_size=8, random_state=0))]
    )


def test_a_grid_over_strategy_and_latent_dim_in_two_processes(make_sampler, table):
    grid = {
        "sampler__sampling_strategy": [at_least(0.3), at_least(1.0)],
        "sampler__net__module__latent_dim": [4, 8],
    }
    search = GridSearchCV(table_pipeline(make_sampler), grid, cv=FOLDS, n_jobs=2, error_score="raise").fit(*table)
    serial = GridSearchCV(table_pipeline(make_sampler), grid, cv=FOLDS, error_score="raise").fit(*table)
    assert search.cv_results_["params"] == serial.cv_results_["params"]
    np.testing.assert_allclose(search.cv_results_["mean_test_score"], serial.cv_results_["mean_test_score"], atol=0.05)
    assert "at_least(0.3)" in str(search.cv_results_["params"][0])
    assert search.best_estimator_.predict(table[0]).shape == (90,)


def test_a_grid_on_4d_images(make_image_sampler, images):
    grid = {"sampler__sampling_strategy": ["auto", at_least(0.5)], "sampler__net__module__latent_dim": [4]}
    search = GridSearchCV(image_pipeline(make_image_sampler), grid, cv=FOLDS, n_jobs=2, error_score="raise")
    assert search.fit(*images).predict(images[0]).shape == (30,)


def test_cross_validate_returns_estimators_that_still_sample(make_image_sampler, images):
    result = cross_validate(
        image_pipeline(make_image_sampler), *images, cv=FOLDS, n_jobs=2, return_estimator=True, error_score="raise"
    )
    for estimator in result["estimator"]:
        rows, labels = estimator.named_steps["sampler"].sample({1: 3})
        assert rows.shape == (3, 3, 8, 10)
        assert labels.tolist() == [1, 1, 1]


def test_balanced_bagging_on_tables(make_sampler, table):
    X, y = table
    bagging = BalancedBaggingClassifier(
        DecisionTreeClassifier(max_depth=3),
        n_estimators=3,
        sampler=make_sampler(sampling_strategy="all"),
        n_jobs=2,
        random_state=0,
    )
    assert bagging.fit(X, y).score(X, y) > 0.5


@pytest.mark.parametrize("wrap", [CalibratedClassifierCV, TunedThresholdClassifierCV])
def test_meta_estimators_take_4d_images(wrap, make_image_sampler, images):
    X, y = images
    assert wrap(image_pipeline(make_image_sampler), cv=2).fit(X, y).predict(X).shape == (30,)


def test_halving_search_takes_4d_images(make_image_sampler, images):
    search = HalvingGridSearchCV(
        image_pipeline(make_image_sampler),
        {"classifier__lr": [1e-3, 2e-3]},
        cv=2,
        factor=2,
        resource="classifier__max_updates",
        min_resources=2,
        max_resources=4,
        random_state=0,
        error_score="raise",
    )
    assert search.fit(*images).predict(images[0]).shape == (30,)


def test_frames_of_mixed_columns_before_a_classifier(make_sampler):
    rng = np.random.RandomState(0)
    X = pd.DataFrame({"x": rng.randn(60), "n": rng.randint(0, 5, 60)})
    y = np.where(rng.rand(60) < 0.25, "rare", "common")
    assert set(table_pipeline(make_sampler).fit(X, y).predict(X)) <= {"rare", "common"}


def test_at_least_is_safe_where_a_float_raises(make_sampler):
    X, y = np.random.RandomState(0).randn(40, 2), np.repeat([0, 1], [20, 20])
    with pytest.raises(ValueError, match="remove samples"):
        make_sampler(sampling_strategy=0.5).fit_resample(X, y)
    assert len(make_sampler(sampling_strategy=at_least(0.5)).fit_resample(X, y)[0]) == 40


def test_default_sampler_repr_is_short():
    assert repr(GANOverSampler()) == "GANOverSampler()"


def test_a_net_inside_a_pipeline_shows_only_what_differs_from_the_defaults():
    """scikit-learn writes it, by the signature of the net's ``__init__``."""
    shown = repr(make_pipeline(GANOverSampler(net=dcgan(max_steps=7)), CNNClassifier(max_updates=3)))
    for part in ("max_steps=7", "DCGAN", "optimizer__betas=(0.0, 0.99)", "CNNClassifier(max_updates=3)"):
        assert part in shown
    for default in ("dataset=", "iterator_train=", "warm_start=", "callbacks="):
        assert default not in shown
