"""GenClass: rows and predictions of classes that have attributes and no row."""

import pickle

import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.base import clone

from skgan import ConditionalGANAugmenter, GANOverSampler, GenClassClassifier
from skgan.filters import NeighbourFilter
from skgan.modules import GenClass
from skgan.nets.genclass import _balanced
from skgan.presets import genclass

SMALL = {"max_steps": 3, "batch_size": 8, "module__width": 4, "module__alpha": 1, "module__n_dims": 4}
CORNERS = {"ll": [0, 0], "lr": [0, 1], "ul": [1, 0], "ur": [1, 1], "centre": [0.5, 0.5]}


def corners(classes, n=60, seed=0):
    """Classes whose place is a linear function of their attributes."""
    rng = np.random.RandomState(seed)
    y = np.repeat(np.asarray(classes), n)
    rows = np.array([CORNERS[klass] for klass in y]) @ np.array([[4.0, 1.0, 0.0], [0.0, 1.0, 4.0]])
    return (rows + 0.3 * rng.standard_normal(rows.shape)).astype(np.float32), y


def images(n=12):
    return np.random.RandomState(0).randint(0, 256, (n, 1, 8, 8), dtype=np.uint8), np.repeat(["a", "b"], n // 2)


@pytest.mark.parametrize("shape", [(1, 8, 8), (3, 28, 28), (5,)], ids=str)
def test_both_players_are_told_attributes(shape):
    attributes = np.array([[0, 1, 1], [1, 0, 1], [0, 1, 1.0]])  # the last column is constant
    module = GenClass(shape, 3, attributes=attributes, width=4, alpha=1, n_dims=6).eval()
    z, y = torch.randn(4, 32), torch.zeros(4, dtype=torch.long)
    rows = module(z, y)
    assert rows.shape == (4, *shape)
    assert torch.isfinite(rows).all()
    assert torch.equal(rows, module(z, y + 2))  # the same attributes
    assert not torch.allclose(rows, module(z, y + 1))
    logits = module.discriminator(rows, y)
    assert torch.equal(logits, module.discriminator(rows, y + 2))
    assert not torch.allclose(logits, module.discriminator(rows, y + 1))
    points = module.similarity.embed(rows)
    assert points.shape == (4, 6)
    assert module.similarity(points, points[:3]).shape == (4, 3)
    assert (module.similarity(points, points).argmax(1) == torch.arange(4)).all()


def test_both_kinds_of_pairs_count_the_same():
    logits = torch.tensor([[3.0, 0.0, 0.0], [0.0, 3.0, 0.0], [0.0, 0.0, 3.0]])
    same = torch.eye(3, dtype=torch.bool)
    expected = (np.log1p(np.exp(-3.0)) + np.log(2)) / 2
    assert _balanced(logits, same).item() == pytest.approx(expected, rel=1e-5)
    assert _balanced(logits, same, ~same).item() == pytest.approx(np.log(2) / 2, rel=1e-5)


@pytest.mark.slow
def test_rows_and_predictions_of_a_class_that_was_never_seen():
    X, y = corners(["ll", "lr", "ul", "ur"])
    X_centre, _ = corners(["centre"], seed=1)
    classifier = GenClassClassifier(genclass(max_steps=500), random_state=0).fit(X, y, attributes=CORNERS)
    assert classifier.classes_.tolist() == sorted(CORNERS)
    assert classifier.classes_[~classifier.is_seen_].tolist() == ["centre"]
    assert classifier.score(*corners(["ll", "lr", "ul", "ur"], seed=2)) > 0.95
    assert (classifier.predict(X_centre) == "centre").mean() > 0.8
    probability = classifier.predict_proba(X_centre)
    np.testing.assert_allclose(probability.sum(1), 1, rtol=1e-5)
    again = pickle.loads(pickle.dumps(classifier))
    np.testing.assert_array_equal(again.predict_proba(X_centre), probability)

    sampler = GANOverSampler(
        sampling_strategy={"centre": 40, "ll": 70}, net=genclass(CORNERS, max_steps=500), random_state=0
    )
    X_new, y_new = sampler.fit_resample(X, y)
    assert dict(zip(*np.unique(y_new, return_counts=True), strict=True)) == {
        "ll": 70,
        "lr": 60,
        "ul": 60,
        "ur": 60,
        "centre": 40,
    }
    assert sampler.sampling_strategy_ == {"centre": 40, "ll": 10}
    assert sampler.sampling_strategy == {"centre": 40, "ll": 70}
    made = X_new[y_new == "centre"].mean(0)
    means = [X_centre.mean(0), *(X[y == klass].mean(0) for klass in np.unique(y))]
    assert np.linalg.norm(made - np.array(means), axis=1).argmin() == 0
    assert len(sampler.sample({"centre": 3})[0]) == 3
    assert sampler.fit(X, y) is sampler


@pytest.mark.parametrize("container", [np.asarray, pd.Series, list])
def test_names_are_not_cut_off_and_containers_stay(container):
    X, y = images()
    attributes = {"a": [0, 1], "b": [1, 0], "a longer name": [1, 1]}
    sampler = GANOverSampler(sampling_strategy={"a longer name": 5}, net=genclass(attributes, **SMALL), random_state=0)
    X_new, y_new = sampler.fit_resample(X, container(y.tolist()))
    assert type(y_new) is type(container(y.tolist()))
    assert list(y_new)[12:] == ["a longer name"] * 5
    assert X_new.shape == (17, 1, 8, 8)
    assert sampler.classes_.tolist() == ["a", "a longer name", "b"]
    assert len(clone(sampler).set_params(sampling_strategy="auto").fit_resample(X, y)[0]) == 12


def test_one_hot_labels():
    X, _ = images()
    y = np.eye(3, dtype=int)[np.repeat([0, 1, 2], (6, 3, 3))]
    attributes = {0: [0, 1], 1: [1, 0], 2: [1, 1]}
    _, y_new = GANOverSampler(sampling_strategy={1: 5}, net=genclass(attributes, **SMALL), random_state=0).fit_resample(
        X, y
    )
    assert y_new.sum(0).tolist() == [6, 5, 3]


def test_the_augmenter_and_the_same_twice():
    X, y = images()
    augmenter = ConditionalGANAugmenter(0.5, net=genclass(np.eye(2), **SMALL), random_state=0)
    X_new, y_new = augmenter.fit_resample(X, y)
    assert np.unique(y_new, return_counts=True)[1].tolist() == [9, 9]
    np.testing.assert_array_equal(X_new, clone(augmenter).fit_resample(X, y)[0])


@pytest.mark.parametrize(
    ("attributes", "message"),
    [
        (None, "give attributes={class: vector}"),
        ({"a": [1, 0]}, r"attributes has no vector for the classes \['b'\]"),
        ({"a": [1, 0], "b": [1]}, r"of one length; their lengths are {'a': 2, 'b': 1}"),
        ({"a": [1, 0], "b": [1, np.nan]}, "NaN or infinity"),
        ({"a": [1, 0], "b": [1, 1], 3: [0, 0]}, r"attributes names \[3\], and y holds classes of another type"),
        (np.eye(3), r"a row for each of the 2 classes \['a', 'b'\], in sorted order; got shape \(3, 3\)"),
    ],
    ids=str,
)
def test_attributes_that_are_refused(attributes, message):
    X, y = images()
    with pytest.raises(ValueError, match=message):
        GANOverSampler(sampling_strategy="all", net=genclass(attributes, **SMALL)).fit_resample(
            X, np.where(np.arange(12) < 9, "a", "b")
        )
    if attributes is None or isinstance(attributes, dict):
        with pytest.raises(ValueError, match=message):
            GenClassClassifier(genclass(**SMALL)).fit(X, y, attributes=attributes)


def test_what_else_is_refused():
    X, y = images()
    attributes = {"a": [0, 1], "b": [1, 0], "c": [1, 1]}
    net = genclass(attributes, **SMALL)
    with pytest.raises(ValueError, match=r"target class|not present|{'d'}"):  # imbalanced-learn's own words
        GANOverSampler(sampling_strategy={"d": 5}, net=net).fit_resample(X, y)
    with pytest.raises(ValueError, match=r"target class|not present|{'c'}"):
        GANOverSampler(sampling_strategy={"c": 5}, net="dcgan").fit_resample(X, y)
    with pytest.raises(ValueError, match=r"must give each class a number of rows of at least 0, got {'c': -1}"):
        GANOverSampler(sampling_strategy={"c": -1}, net=net).fit_resample(X, y)
    with pytest.raises(ValueError, match=r"classes \['c'\] have no real rows that a row filter"):
        GANOverSampler(sampling_strategy={"c": 5}, net=net, row_filter=NeighbourFilter()).fit_resample(X, y)
    with pytest.raises(ValueError, match="The largest class has 2 rows"):
        GANOverSampler(sampling_strategy={"c": 5}, net=net).fit_resample(X[[0, 1, 6, 7]], y[[0, 1, 6, 7]])
    with pytest.raises(ValueError, match="learns from several"):
        GANOverSampler(sampling_strategy={"c": 5}, net=net, per_class=True).fit_resample(X, y)
    with pytest.raises(
        ValueError, match=r"'similarity_weight' parameter of GenClassNet must be .* \[0.0, inf\). Got -1"
    ):
        GANOverSampler(
            sampling_strategy={"c": 5}, net=genclass(attributes, similarity_weight=-1, **SMALL)
        ).fit_resample(X, y)
    with pytest.raises(TypeError, match="net must be a GenClassNet"):
        GenClassClassifier("genclass").fit(X, y, attributes=attributes)
    with pytest.raises(ValueError, match="n_rows must be an integer of at least 1"):
        GenClassClassifier(n_rows=0).fit(X, y, attributes=attributes)
    with pytest.raises(ValueError, match="here there is only one"):
        genclass(np.eye(1), **SMALL).fit(X, np.zeros(12, int))
