"""RecursiveAugmenter: the set grows by rounds, and the record says how."""

import numpy as np
import pandas as pd
import pytest
from imblearn.pipeline import Pipeline
from imblearn.utils.estimator_checks import check_param_validation, estimator_checks_generator
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import cross_val_score

from skgan import ConditionalGANAugmenter, RecursiveAugmenter
from skgan.presets import mlp_gan, predictor_mlp_gan

NET = mlp_gan(alpha=1, module__latent_dim=4, max_steps=4, batch_size=8)
AUGMENTER = ConditionalGANAugmenter(net=NET)


def test_the_set_grows_by_rounds(table):
    X, y = table
    rounds = RecursiveAugmenter(AUGMENTER, n_rounds=3, growth=0.5, random_state=0)
    X_new, y_new = rounds.fit_resample(X, y)
    # 60, 20, 10 → 90, 30, 15 → 135, 45, 23 (15 · .5 rounds up to 8) → …
    assert rounds.rounds_["n_rows"].tolist() == [90, 135, 202 + 1]
    assert rounds.rounds_["n_new"].sum() + 90 == len(X_new) == len(y_new)
    np.testing.assert_array_equal(X_new[:90], X)
    assert rounds.is_synthetic_.sum() == len(X_new) - 90
    assert {"round", "seconds", "discriminator_loss", "generator_loss"} <= set(rounds.rounds_)
    again = RecursiveAugmenter(AUGMENTER, n_rounds=3, growth=0.5, random_state=0).fit_resample(X, y)[0]
    np.testing.assert_array_equal(X_new, again)
    assert not np.array_equal(X_new[90:135], X_new[135:180])
    assert len(rounds.augmenter_.sample({0: 4})[0]) == 4


def test_a_schedule_grows_the_net(table):
    seen = []

    def schedule(i, n_rows):
        seen.append((i, n_rows))
        return {"net__module__alpha": 1 + i, "max_steps": 2 + i}

    rounds = RecursiveAugmenter(AUGMENTER, n_rounds=2, growth=0.1, schedule=schedule, random_state=0)
    rounds.fit_resample(*table)
    assert seen == [(0, 90), (1, 99)]
    assert rounds.augmenter_.net.get_params()["module__alpha"] == 2
    assert AUGMENTER.net.get_params()["module__alpha"] == 1


def test_real_labels_and_frames(table):
    X, _ = table
    augmenter = ConditionalGANAugmenter(net=predictor_mlp_gan(alpha=1, max_steps=3, batch_size=8))
    frame = pd.DataFrame(X, columns=list("abcde"))
    X_new, y_new = RecursiveAugmenter(augmenter, 2, 0.5, random_state=0).fit_resample(frame, frame["a"].rename("t"))
    assert len(X_new) == len(y_new) == 90 + 45 + 68
    assert y_new.name == "t"
    y = (X[:, 0] > 0).astype(int)
    rounds = RecursiveAugmenter(augmenter, 2, 0.5, random_state=0)
    assert len(rounds.fit_resample(X, y, condition=X[:, 0])[0]) == rounds.rounds_["n_new"].sum() + 90


def test_in_a_pipeline(table):
    pipeline = Pipeline([("r", RecursiveAugmenter(AUGMENTER, 2, random_state=0)), ("c", LogisticRegression())])
    assert np.isfinite(cross_val_score(pipeline, *table, cv=2)).all()


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"n_rounds": 0}, "n_rounds"),
        ({"growth": 0.0}, "growth"),
        ({"augmenter": "gan"}, "augmenter"),
        ({"schedule": lambda i, n: None}, "schedule must return a dict"),
        ({"schedule": lambda i, n: {"alpha": 3}}, "alpha"),
    ],
)
def test_wrong_parameters(table, params, message):
    with pytest.raises((ValueError, TypeError), match=message):
        RecursiveAugmenter(**{"augmenter": AUGMENTER, **params}).fit_resample(*table)


SMALL = RecursiveAugmenter(ConditionalGANAugmenter(net=NET), n_rounds=1, random_state=0)


@pytest.mark.parametrize(
    ("estimator", "check"),
    [
        pytest.param(estimator, check, id=check.func.__name__)
        for estimator, check in estimator_checks_generator(SMALL)
        if check.func.__name__ != "check_target_type"  # a continuous y is taken
    ],
)
def test_common_checks(estimator, check):
    check(estimator)


def test_parameter_validation():
    check_param_validation("RecursiveAugmenter", SMALL)
