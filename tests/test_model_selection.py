"""prefit_generators: everything the search needs is there before it begins, or a sentence says why it cannot be."""

import numpy as np
import pytest
from imblearn.over_sampling import RandomOverSampler
from imblearn.pipeline import Pipeline
from scipy.stats import uniform
from sklearn.experimental import enable_halving_search_cv  # noqa: F401
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, HalvingGridSearchCV, RandomizedSearchCV, StratifiedKFold
from sklearn.preprocessing import StandardScaler

from skgan import ConditionalGANAugmenter, GANOverSampler, at_least, prefit_generators
from skgan.model_selection import one_standard_error
from skgan.presets import mlp_gan, predictor_mlp_gan

NET = mlp_gan(alpha=1, max_steps=4, batch_size=8)


def pipeline(sampler):
    return Pipeline([("scale", StandardScaler()), ("sampler", sampler), ("classifier", LogisticRegression())])


@pytest.mark.parametrize("per_class", [False, True])
def test_the_search_then_trains_nothing(table, tmp_path, trainings, per_class):
    X, y = table
    sampler = ConditionalGANAugmenter(net=NET, per_class=per_class, memory=str(tmp_path), random_state=0)
    grid = {"sampler__mixing_ratio": [0.25, 1, 2], "classifier__C": [0.1, 1.0]}
    search = GridSearchCV(pipeline(sampler), grid, cv=5)
    prefit_generators(search, X, y)
    assert len(trainings) == 6 * (3 if per_class else 1)
    search.fit(X, y)
    assert len(trainings) == 6 * (3 if per_class else 1)


def test_training_parameters_in_the_grid_and_other_samplers(table, tmp_path, trainings):
    X, y = table
    sampler = GANOverSampler(net=NET, memory=str(tmp_path), random_state=0)
    grid = [
        {"sampler__max_steps": [3, 4], "sampler__sampling_strategy": ["auto", at_least(0.5)]},
        {"sampler": [RandomOverSampler(random_state=0), "passthrough"]},
    ]
    search = GridSearchCV(pipeline(sampler), grid, cv=3, refit=False)
    prefit_generators(search, X, y, n_jobs=1)
    assert len(trainings) == 2 * 3
    search.fit(X, y)
    assert len(trainings) == 2 * 3


def test_random_searches_conditions_and_workers(table, tmp_path, trainings):
    X, _ = table
    sampler = ConditionalGANAugmenter(
        net=predictor_mlp_gan(alpha=1, max_steps=3, batch_size=8), memory=str(tmp_path), random_state=0
    )
    steps = Pipeline([("sampler", sampler), ("classifier", LogisticRegression())])
    random = {"sampler__mixing_ratio": uniform(0.5, 1.0)}
    search = RandomizedSearchCV(steps, random, n_iter=2, cv=StratifiedKFold(2), random_state=0)
    prefit_generators(search, X, (X[:, 0] > 0).astype(int), condition=X[:, :2], n_jobs=2)
    assert len(list(tmp_path.rglob("*.safetensors"))) == 3


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda p: GridSearchCV(LogisticRegression(), {"C": [1]}), "needs a search over an imbalanced-learn Pipeline"),
        (lambda p: GridSearchCV(p.set_params(sampler__memory=None), {}), "the sampler has memory=None"),
        (lambda p: GridSearchCV(p.set_params(sampler__random_state=None), {}), "the sampler has random_state=None"),
        (lambda p: GridSearchCV(p, {}, cv=StratifiedKFold(3, shuffle=True)), "splits differently each time"),
        (lambda p: RandomizedSearchCV(p, {}), "draws other candidates each time"),
        (lambda p: HalvingGridSearchCV(p, {}), "whose candidates all see whole folds; got a HalvingGridSearchCV"),
    ],
    ids=["no sampler", "memory", "seed", "cv", "random", "halving"],
)
def test_what_could_not_be_found_again_is_refused(table, tmp_path, change, message):
    sampler = GANOverSampler(net=NET, memory=str(tmp_path), random_state=0)
    with pytest.raises(ValueError, match=message):
        prefit_generators(change(pipeline(sampler)), *table)


def test_images(images, tmp_path):
    X, y = images
    sampler = GANOverSampler(net=NET, memory=str(tmp_path), random_state=0)

    class Flatten(StandardScaler):
        def fit_transform(self, X, y=None):
            return np.asarray(X, float).reshape(len(X), -1)

    search = GridSearchCV(Pipeline([("sampler", sampler), ("flat", Flatten())]), {}, cv=StratifiedKFold(2), refit=False)
    prefit_generators(search, X, y)
    assert len(list(tmp_path.rglob("*.safetensors"))) == 2


def test_the_first_candidate_within_one_standard_error():
    def results(means, stds, n_splits=5):
        splits = {f"split{i}_test_score": np.zeros(len(means)) for i in range(n_splits)}
        return {"mean_test_score": np.array(means), "std_test_score": np.array(stds), **splits}

    assert one_standard_error(results([0.7, 0.86, 0.9, 0.88], [0.1, 0.1, 0.1, 0.1])) == 1  # .9 − .1/√4
    assert one_standard_error(results([0.7, 0.84, 0.9, 0.88], [0.1, 0.1, 0.1, 0.1])) == 3 - 1
    assert one_standard_error(results([np.nan, 0.5, 0.5], [np.nan, 0.0, 0.0])) == 1
    with pytest.raises(ValueError, match="Every candidate failed"):
        one_standard_error(results([np.nan], [np.nan]))
    with pytest.raises(ValueError, match="one metric"):
        one_standard_error({"mean_test_accuracy": [1.0]})
