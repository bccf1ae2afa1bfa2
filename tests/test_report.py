"""The page of compare(): what a generator made, for images and tables, with filters and without."""

import numpy as np
import pandas as pd
import pytest
from imblearn.over_sampling import SMOTE
from sklearn.linear_model import LogisticRegression

from skgan import CNNClassifier, GANOverSampler, compare
from skgan._report import look_at
from skgan.filters import ClassifierFilter
from skgan.presets import mlp_gan, offspring

NET = mlp_gan(alpha=1, max_steps=4, batch_size=8)


def fitted(X, y, **params):
    sampler = GANOverSampler(**{"net": NET, "random_state": 0, **params})
    sampler.fit_resample(X, y)
    return sampler


def test_generated_rows_beside_their_nearest_real_ones(table):
    X, y = table
    made = look_at(fitted(X, y), X, y, X + 0.01, y)
    assert made.kinds == ("nearest real", "generated")
    assert [name for name, _, _ in made.blocks] == ["2", "1"]  # the rarest first
    name, nearest, rows = made.blocks[0]
    assert rows.shape == nearest.shape == (10, 5)
    assert {tuple(row) for row in nearest} <= {tuple(row) for row in X[y == int(name)]}
    assert made.copy_ratio > 1  # what an untrained net makes is further away than a shift of .01
    assert made.filter_report is None
    assert len(made.history)


def test_offspring_beside_their_parents_and_the_filters_report(images):
    X, y = images
    net = offspring(max_steps=2, batch_size=8, module__width=4)
    made = look_at(fitted(X, y, net=net, row_filter=ClassifierFilter(quantile=0.0)), X, y, X[:20], y[:20])
    assert made.kinds == ("parent", "offspring")
    _, parents, rows = made.blocks[0]
    assert parents.shape == rows.shape == (10, 3, 8, 10)
    assert rows.dtype == np.uint8
    assert {row.tobytes() for row in parents} <= {row.tobytes() for row in X[y == 1]}
    assert made.filter_report["class"].tolist() == [1]
    assert np.isnan(made.copy_ratio)  # the unseen rows are training rows: no yardstick


def test_nothing_to_show_of_other_samplers_and_of_copies(table):
    X, y = table
    smote = SMOTE(random_state=0)
    smote.fit_resample(X, y)
    assert look_at(smote, X, y, X, y) is None
    assert look_at(fitted(X, y, sampling_strategy={1: 20, 2: 10}), X, y, X, y) is None


def test_the_copy_ratio_of_categories_that_training_rows_lack(table):
    X = pd.DataFrame(table[0]).assign(kind=pd.Categorical(["a", "b"] * 45))
    X.columns = X.columns.astype(str)
    made = look_at(fitted(X, table[1]), X, table[1], X.assign(kind="new"), table[1])
    assert np.isnan(made.copy_ratio)
    assert made.blocks[0][1].columns.tolist() == X.columns.tolist()


@pytest.mark.parametrize("kind", ["images", "table"])
def test_the_page(kind, request, tmp_path):
    X, y = request.getfixturevalue(kind)
    images = kind == "images"
    net = offspring(max_steps=2, batch_size=8, module__width=4) if images else NET
    sampler = GANOverSampler(net=net, row_filter=None if images else ClassifierFilter(quantile=0.0))
    estimator = CNNClassifier(max_updates=2) if images else LogisticRegression()
    result = compare(sampler, estimator, X, y, cv=2, random_state=0)
    assert list(result.generated) == ["GANOverSampler"]
    result.to_html(tmp_path / "report.html")
    page = (tmp_path / "report.html").read_text()
    assert page.count('<img src="data:image/png;base64,') == page.count('alt="') == (4 if images else 3)
    assert "What GANOverSampler made, first fold" in page
    assert ("parent images above offspring images" in page) == images
    assert ("Each generated row stands below its nearest real row of its class." in page) != images
    assert ("Row filter" in page) != images
    assert "Copy ratio" in page
    assert "Losses over" in page


def test_rows_that_share_a_generator_train_it_once_a_fold(images, trainings):
    compare(GANOverSampler(net=NET), CNNClassifier(max_updates=2), *images, cv=2, random_state=0)
    assert len(trainings) == 2
