"""The page of compare(): what a generator made, for images and tables, with filters and without."""

import json
import re
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from imblearn.over_sampling import SMOTE
from sklearn.linear_model import LogisticRegression
from sklearn.svm import LinearSVC

from skgan import CNNClassifier, GANOverSampler, _report_generated, compare
from skgan._columns_beside import difference, most_different, pairs_of
from skgan._generated import look_at
from skgan._report_figures import column_figure
from skgan._report_generated import section
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
    some = X.assign(kind=["new"] * 5 + X["kind"].tolist()[5:])
    some[some.columns[:5]] += 0.01
    made = look_at(fitted(X, table[1]), X, table[1], some, table[1])
    assert made.copy_ratio > 1  # the others are enough
    assert made.n_unseen == (table[1][5:] > 0).sum()


def without_pictures(page):
    return re.sub('base64,[^"]*', "base64,", page)


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
    page = without_pictures((tmp_path / "report.html").read_text())
    assert result.verdict[:20] in page
    for known in (
        "<dt>Rows</dt>",
        "2 folds, shuffled and stratified",
        "<dt>Random seed</dt><dd>0</dd>",
        "imbalanced-learn ",
    ):
        assert known in page
    assert "<dt>Data</dt>" not in page  # no file was named
    beside = 0 if images else sum(len(columns) for *_, columns in result.generated["GANOverSampler"].beside)
    assert images == (beside == 0)
    assert page.count("differs by") == beside
    # a matrix for each line, the differences, and the images or the columns and 3 pairs of each of 2 classes
    expected = len(result.table) + 1 + (1 if images else beside + 6)
    assert page.count('<img src="data:image/png;base64,"') == page.count('alt="') == expected
    assert page.count(">nothing, prior-corrected</figcaption>") == 1
    assert ("Spearman" in page) == (not images)
    assert "What GANOverSampler made, first fold" in page
    assert ("parent images above offspring images" in page) == images
    assert ("Each generated row stands below its nearest real row of its class." in page) != images
    assert ("Row filter" in page) != images
    assert "Copy ratio" in page
    assert "<p>Losses over" in page  # one step is no curve
    for said in ("Near-copies: ", "Where the new rows come from: "):
        assert said in page, said


def test_rows_that_share_a_generator_train_it_once_a_fold(images, trainings):
    compare(GANOverSampler(net=NET), CNNClassifier(max_updates=2), *images, cv=2, random_state=0)
    assert len(trainings) == 2


@pytest.fixture
def undrawn(monkeypatch):
    """Texts in the place of pictures: drawing takes most of the time."""
    monkeypatch.setattr(_report_generated, "picture", lambda figure, text: text)


def test_near_copies_and_what_a_classifier_tells(table):
    rng = np.random.RandomState(0)
    X, y = (
        np.concatenate([rng.standard_normal((300, 3)), rng.standard_normal((100, 3)) + 2]),
        np.repeat([0, 1], [300, 100]),
    )
    X_test, y_test = X + 0.3 * rng.standard_normal(X.shape), y
    alike = look_at(fitted(X, y, net="gaussian", shares={"net": 1, "copy": 1}), X, y, X_test, y_test)
    assert alike.origins == {"net": 49, "copy": 51}
    assert alike.near_copies[1] == pytest.approx(0.05, abs=0.01)
    assert alike.near_copies[0] < 0.2  # the copies on purpose are left out
    assert (alike.n_unseen, alike.n_told) == (100, 49)
    assert alike.told_apart[0] < 0.75
    name, real, new, columns = alike.beside[0]
    assert (name, len(real)) == ("1", 100)
    assert columns["column"].tolist() == real.columns.tolist() == new.columns.tolist()
    assert columns["difference"].max() < 0.3
    shifted = look_at(fitted(X, y, net="gaussian", shares={"net": 1}), X, y, X_test + 20, y_test)
    assert shifted.told_apart[0] > 0.95


def test_too_few_rows_to_tell_anything_from(table, undrawn):
    X, y = table
    few = [*np.flatnonzero(y == 0)[:10], *np.flatnonzero(y == 2)[:1]]
    made = look_at(fitted(X, y), X, y, X[few] + 0.01, y[few])
    assert np.isnan(made.told_apart).all()
    none = look_at(fitted(X, y), X, y, X[few[:10]], y[few[:10]])  # no class with new rows is on the test side
    assert np.isnan([none.copy_ratio, *none.near_copies, *none.told_apart]).all()
    told = re.sub('base64,[^"]*', "", section("ours", none))
    for words in (
        "copy ratio could not be measured",
        "near-copies could not be measured",
        "was not measured: there are too few",
    ):
        assert words in told
    assert "nan" not in told


def test_the_page_of_only_copies_and_of_no_losses(table, undrawn):
    X, y = table
    copies = look_at(fitted(X, y, shares={"net": 0.01, "copy": 1}), X, y, X + 0.01, y)
    assert copies.origins.keys() <= {"copy", "net"}
    gaussian = look_at(fitted(X, y, net="gaussian"), X, y, X + 0.01, y)
    assert section("ours", copies).count("<h3>") == (3 if copies.beside else 2)
    assert section("ours", gaussian).count("<h3>") == 3
    assert "<p>This training has no losses.</p>" in section("ours", gaussian)


def test_columns_beside_each_other():
    rng = np.random.RandomState(0)
    n = 200
    real = pd.DataFrame({f"number {i}": rng.standard_normal(n) for i in range(14)})
    real["kind"] = pd.Categorical(rng.choice([*"abcdefghijkl"], n))
    real["copied"] = real["number 0"] + 0.01 * rng.standard_normal(n)
    real["flag"], real["none"] = rng.uniform(size=n) > 0.5, np.nan
    new = real.assign(kind="a", **{"number 3": real["number 3"] + 5}).sample(frac=0.5, random_state=0)
    new["copied"] = rng.standard_normal(len(new))
    new.loc[new.index[:50], "number 5"] = np.nan
    shown, beside, lines = most_different(real, new)
    assert lines["column"].tolist()[:3] == ["number 3", "kind", "number 5"]
    assert len(lines) == shown.shape[1] == beside.shape[1] == 12
    assert lines["difference"].iloc[0] == pytest.approx(1.0, abs=0.02)
    assert difference(real["none"], new["none"]) == 0
    for name in real:
        figure, text = column_figure(real[name], new[name])
        assert figure.axes[0].patches, name
        assert "nan" not in text
    pairs = pairs_of(real[["number 0", "copied", "kind", "flag", "none"]], new)
    assert pairs.loc[0, ["one", "other", "measure"]].tolist() == ["number 0", "copied", "correlation"]
    assert pairs.loc[0, "real"] > 0.99
    assert "kind" not in pairs["one"].tolist() + pairs["other"].tolist()  # every new row is of one kind
    assert "none" not in pairs["one"].tolist() + pairs["other"].tolist()
    assert pairs_of(real, new.head(3)).empty


def test_a_number_and_a_category_go_together_by_the_correlation_ratio():
    rng = np.random.RandomState(0)
    kind = np.repeat([*"abcd"], 50)
    real = pd.DataFrame(
        {"kind": pd.Categorical(kind), "price": np.exp(np.repeat([0.0, 2, 1, 3], 50)), "other": rng.normal(size=200)}
    )
    new = real.assign(price=rng.normal(size=200))
    pairs = pairs_of(real, new)
    assert pairs.loc[0, ["one", "other", "measure"]].tolist() == ["kind", "price", "correlation ratio"]
    assert pairs.loc[0, "real"] == pytest.approx(1)
    assert pairs.loc[0, "new"] < 0.3
    unlike = pairs.set_index("measure").loc["correlation ratio"].set_index("other")
    assert unlike.loc["other", "real"] == unlike.loc["other", "new"] < 0.3


def test_the_same_as_json(table, tmp_path):
    X, y = table
    sampler = GANOverSampler(net=NET, row_filter=ClassifierFilter(quantile=0.0))
    result = compare(sampler, LinearSVC(), X, y, cv=2, random_state=3)
    path = tmp_path / "report.json"
    result.to_json(path)
    found = json.loads(path.read_text(), parse_constant=lambda name: pytest.fail(f"{name} is no JSON"))
    assert found["about"]["seed"] == 3
    assert found["about"]["class_counts"] == {"0": 60, "1": 20, "2": 10}
    assert found["about"]["file"] is None
    assert found["classes"] == [0, 1, 2]
    assert (found["verdict"], found["choice"], found["scoring"]) == (result.verdict, result.choice, "balanced_accuracy")
    assert [line["row"] for line in found["table"]] == result.table.index.tolist()
    assert found["table"][0]["average_precision"] is None  # of a classifier without probabilities
    assert found["differences"][0]["over"] == "nothing"
    assert found["differences"][0].keys() == {"row", "over", "difference", "low", "high"}
    assert len(found["folds"]) == len(result.folds)
    assert found["confusion_matrices"]["nothing"] == result.confusion_matrices["nothing"].tolist()
    made = found["generators"]["GANOverSampler"]
    assert made.keys() == {"copy_ratio", "origins", "near_copies", "told_apart", "filter_report", "classes"}
    assert made["filter_report"][0]["class"] in (1, 2)
    assert made["classes"][0]["columns"][0].keys() == {"column", "difference"}
    path.write_text("before")
    result.about = replace(result.about, seed={1, 2})  # what JSON has no word for
    with pytest.raises(TypeError):
        result.to_json(path)
    result.generated["GANOverSampler"].blocks = None
    (tmp_path / "report.html").write_text("before")
    with pytest.raises(TypeError):
        result.to_html(tmp_path / "report.html")
    assert path.read_text() == (tmp_path / "report.html").read_text() == "before"
    assert len([*tmp_path.iterdir()]) == 2
