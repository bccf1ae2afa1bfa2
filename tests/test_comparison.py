"""compare(): right on planted cases, with everything that costs nothing beside it."""

import re

import numpy as np
import pandas as pd
import pytest
from imblearn.base import BaseSampler
from imblearn.over_sampling import SMOTE, BorderlineSMOTE, RandomOverSampler
from imblearn.pipeline import make_pipeline as make_sampling_pipeline
from scipy import stats
from scipy.ndimage import gaussian_filter
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GroupKFold
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer
from sklearn.tree import DecisionTreeClassifier

from skgan import CNNClassifier, ConditionalGANAugmenter, GANOverSampler, ImbalancedClassifierCV, compare
from skgan._compared_rows import estimated_seconds
from skgan._statistics import folds_needed, interval, rows_needed
from skgan._verdict import paired, verdict_of
from skgan.presets import mlp_gan, offspring

NET = mlp_gan(alpha=1, max_steps=4, batch_size=8)


class Oracle(BaseSampler):
    """Adds what no sampler has: fresh rows of the population, here of clusters of which few were seen."""

    _sampling_type = "bypass"
    sampling_strategy = "auto"

    def __init__(self, random_state=None):
        self.random_state = random_state

    def fit_resample(self, X, y):
        rng = np.random.RandomState(self.random_state)
        more_X, more_y = clusters(4000, 0.5, rng)
        return np.concatenate([X, more_X]), np.concatenate([y, more_y])

    def _fit_resample(self, X, y):
        raise NotImplementedError


def clusters(n, rare, rng):
    """A chess board of 8 × 8 clusters: the white ones are rare."""
    y = (rng.uniform(size=n) < rare).astype(int)
    column, row = rng.randint(8, size=n), rng.randint(4, size=n)
    centre = np.c_[column, 2 * row + (column + y) % 2].astype(float)
    return centre + 0.15 * rng.standard_normal((n, 2)), y


def moved_glyphs(counts, seed, size=16, glyph=10):
    """Blocky glyphs, one a class, each anywhere in its image: how they move is learned from any class."""
    rng = np.random.RandomState(seed)
    glyphs = np.kron(rng.uniform(size=(len(counts), glyph // 2, glyph // 2)) > 0.5, np.ones((2, 2)))
    y = np.repeat(np.arange(len(counts)), counts)
    images = np.zeros((len(y), size, size))
    for image, label in zip(images, y, strict=True):
        top, left = rng.randint(0, size - glyph + 1, 2)
        image[top : top + glyph, left : left + glyph] = glyphs[label]
    return (255 * gaussian_filter(images, (0, 0.7, 0.7))).astype(np.uint8), y


def shifted(n, distance, seed=0, rare=0.08):
    rng = np.random.RandomState(seed)
    y = (rng.uniform(size=n) < rare).astype(int)
    return rng.standard_normal((n, 2)) + distance * y[:, None], y


def test_pure_noise():
    result = compare(BorderlineSMOTE(), LogisticRegression(), *shifted(600, 0.0), random_state=0)
    assert not (result.table["low"] > 0).any()
    assert result.verdict.startswith(
        "No difference was found; take the cheapest of these: nothing; nothing, prior-corr"
    )


def test_separable_classes():
    result = compare(BorderlineSMOTE(), LogisticRegression(), *shifted(600, 8.0), random_state=0)
    assert result.verdict == "Nothing is needed: without any new row the balanced accuracy is 1.000."
    assert result.last_word.endswith("a standard error of the best, would choose: nothing, as it is.")
    assert " ".join(repr(result).split()[:8]) == "balanced accuracy over nothing average precision seconds a"
    assert " ".join(repr(result).split()).endswith(f"{result.verdict} {result.last_word}")
    assert max(map(len, repr(result).splitlines())) <= 120
    assert "<table" in result._repr_html_()
    assert result.verdict in result._repr_html_()


def test_where_the_free_things_do_as_well():
    result = compare(BorderlineSMOTE(), LogisticRegression(), *shifted(3000, 1.5), random_state=0)
    assert result.table.loc["BorderlineSMOTE", "low"] > 0
    # Nothing is worse than these, as its interval shows, and is not among them.
    assert result.verdict.startswith(
        "No difference was found; take the cheapest of these: nothing, prior-corrected; class weights; copies; SMOTE; "
        "BorderlineSMOTE. BorderlineSMOTE against class weights: "
    )
    assert "times as many rows would." in result.verdict
    assert "Ranking" not in result.verdict  # average precision changes by no more than chance
    assert result.choice == "nothing, corrected"
    assert result.table.index.tolist() == [
        *("nothing", "nothing, prior-corrected", "class weights", "copies", "SMOTE", "BorderlineSMOTE"),
    ]
    table = result.table
    assert (table.loc["nothing", ["over nothing", "low", "high"]] == 0).all()
    assert table.loc["copies", "low"] > 0
    folds = result.folds.set_index(["row", "fold"])["score"].unstack(0)
    assert table.loc["copies", "score"] == pytest.approx(folds["copies"].mean())
    assert result.complete
    assert result.confusion_matrices["nothing"].sum() == 3000


def test_where_new_rows_help():
    X, y = clusters(1000, 0.06, np.random.RandomState(0))
    result = compare({"oracle": Oracle()}, DecisionTreeClassifier(), X, y, random_state=0)
    assert result.verdict.startswith("Take oracle: it is better than SMOTE, the best of what costs nothing, by +")
    assert "Ranking: oracle +" in result.verdict
    assert result.choice == "oracle, as it is"
    wide = result.folds.pivot(index="fold", columns="row", values="score")
    assert interval(wide["oracle"] - wide["SMOTE"], 0.25)[0] > 0
    two = compare({"oracle": Oracle()}, DecisionTreeClassifier(), X, y, cv=2, random_state=0)
    assert two.verdict.startswith(
        "No verdict: two folds cannot tell a difference from chance. Use at least 3, better 5 × 2"
    )
    assert len(two.table) == len(result.table)


@pytest.mark.slow
def test_where_offspring_help():
    # A nearest neighbour knows no shift, and a rare glyph was seen at few places: 21 or 22 rows, 121 places.
    X, y = moved_glyphs([100] * 8 + [24] * 8, seed=0, size=20)
    nearest = make_pipeline(FunctionTransformer(lambda X: X.reshape(len(X), -1) / 255.0), KNeighborsClassifier(1))
    sampler = GANOverSampler(net=offspring(max_steps=400), shares={"net": 1})
    result = compare(sampler, nearest, X, y, cv=10, random_state=0)
    assert result.verdict.startswith("Take GANOverSampler: it is better than ")
    assert result.table.loc["GANOverSampler", "score"] > 0.05 + result.table.loc[["copies", "SMOTE"], "score"].max()


def test_the_interval_is_corrected_for_overlap():
    differences = np.array([0.01, 0.02, 0.04, 0.01, 0.02])
    low, high = interval(differences, 0.25)
    half = 2.776445 * np.sqrt((1 / 5 + 1 / 4) * differences.var(ddof=1))
    assert (low, high) == pytest.approx((differences.mean() - half, differences.mean() + half), rel=1e-5)


def test_a_score_has_no_more_room_than_there_is():
    wide = pd.DataFrame({"nothing": [0.9, 0.94, 0.98], "sampler": [0.99, 0.91, 0.99]})
    unclipped = interval(wide["sampler"] - wide["nothing"], 0.5)
    assert unclipped[1] > 0.06
    low, high = paired(wide, "sampler", "nothing", 0.5, "balanced_accuracy")
    assert (low, high) == (unclipped[0], pytest.approx(1 - 0.94))
    assert paired(wide - 0.9, "nothing", "sampler", 0.5, "f1_macro")[0] == pytest.approx(0.9 - wide["sampler"].mean())
    assert paired(wide, "sampler", "nothing", 0.5, "neg_log_loss") == unclipped
    assert paired(wide, "sampler", "nothing", 0.5, "matthews_corrcoef") == unclipped


def verdict_on(**scores):
    """Of 5 folds, 100 test rows on 400 training rows each."""
    part = [
        {"row": row.replace("_", " "), "fold": fold, "score": score, "average precision": np.nan}
        for row, of_folds in scores.items()
        for fold, score in enumerate(of_folds)
    ]
    folds = pd.DataFrame(part)
    table = pd.DataFrame({"score": folds.groupby("row", sort=False)["score"].mean()})
    return verdict_of(table, folds, ["ours"], 0.25, "balanced_accuracy")


BASE = np.array([0.60, 0.62, 0.58, 0.61, 0.59])
NOISE = np.array([0.02, -0.02, 0.01, 0.0, -0.01])


def test_a_sampler_is_recommended_only_where_its_interval_to_the_best_free_row_is_above_0():
    assert verdict_on(nothing=BASE, copies=BASE + 0.1, ours=BASE + 0.2 + NOISE).startswith(
        "Take ours: it is better than copi"
    )
    told = verdict_on(
        nothing=BASE, copies=BASE + 0.1, ours=BASE + 0.11 + NOISE
    )  # much better than nothing, not than copies
    assert told.startswith(
        "No difference was found; take the cheapest of these: copies; ours. ours against copies: +1.0"
    )
    told = verdict_on(nothing=BASE, copies=BASE + 0.2, ours=BASE + 0.1 + NOISE)
    assert told.startswith("ours is worse than copies, by -10.0 points")
    assert told.endswith("Take copies.")
    assert verdict_on(nothing=BASE, ours=BASE).endswith("The two scored the same in every fold.")


def test_what_would_settle_a_difference():
    differences = 0.02 + NOISE
    assert interval(differences, 0.25)[0] < 0
    n = folds_needed(differences, 0.25)
    spread = differences.std(ddof=1)
    for k, enough in ((n - 1, False), (n, True)):
        assert (stats.t.ppf(0.975, k - 1) * spread * np.sqrt(1 / k + 0.25) < 0.02) == enough
    assert f"about {n} folds would show it (there were 5)" in verdict_on(nothing=BASE, ours=BASE + differences)
    # However many folds: they share their rows. A smaller spread, as of more rows, would do.
    assert folds_needed(0.005 + NOISE, 0.25) is None
    factor = rows_needed(0.005 + NOISE, 0.25)
    low = interval(0.005 + NOISE / np.sqrt(factor), 0.25)[0]
    assert low == pytest.approx(0, abs=1e-9)
    assert f"about {factor:.0f} times as many rows would" in verdict_on(nothing=BASE, ours=BASE + 0.005 + NOISE)
    assert rows_needed(NOISE - NOISE, 0.25) == np.inf
    assert "Neither more folds nor" in verdict_on(nothing=BASE, ours=BASE + 0.0001 + NOISE)


def test_the_choice_takes_no_further_fit_and_is_that_of_the_class(table, trainings):
    X, y = shifted(400, 1.2, rare=0.1)
    fits = []

    class Counted(LogisticRegression):
        def fit(self, X, y, sample_weight=None):
            fits.append(len(y))
            return super().fit(X, y, sample_weight)

    result = compare(BorderlineSMOTE(), Counted(), X, y, cv=3, random_state=0)
    assert len(fits) == 3 * len(result.table)
    own = ImbalancedClassifierCV(
        Counted(), [None, "class weights", RandomOverSampler(), SMOTE(), BorderlineSMOTE()], cv=3, random_state=0
    )
    own.fit(X, y)
    told = dict(
        zip(["RandomOverSampler", "SMOTE", "BorderlineSMOTE"], ["copies", "SMOTE", "BorderlineSMOTE"], strict=True)
    )
    sampler, rule = own.best_name_.rsplit(", ", 1)
    assert result.choice == f"{told.get(sampler, sampler)}, {rule}"
    mean = own.cv_results_.set_index("name")["mean"]
    for row, name in (("nothing", "nothing, as it is"), ("nothing, prior-corrected", "nothing, corrected")):
        assert result.table.loc[row, "score"] == pytest.approx(mean[name])


def test_the_default_sampler_missing_values_and_the_same_twice(table):
    X, y = table
    frame = pd.DataFrame(X, columns=list("abcde"))
    sampler = GANOverSampler(net=NET)
    one, two = (compare(sampler, LogisticRegression(), frame, y, cv=3, random_state=1) for _ in range(2))
    pd.testing.assert_frame_equal(one.table.drop(columns="seconds"), two.table.drop(columns="seconds"))
    assert one.verdict == two.verdict
    assert one.table.index[-1] == "GANOverSampler"


def test_images_are_compared_with_augmentation_too(images):
    X, y = images
    classifier = CNNClassifier(max_updates=3)
    result = compare(GANOverSampler(net=NET), classifier, X, y, cv=2, random_state=0)
    names = result.table.index.tolist()
    free = ["nothing", "nothing, prior-corrected", "class weights", "copies", "SMOTE"]
    assert names == [
        *(*free, *(f"{name} + augmentation" for name in free)),
        *("GANOverSampler", "GANOverSampler + augmentation"),
    ]


def test_as_many_offspring_as_real_rows_are_a_row_of_images(images, capsys):
    X, y = images
    augmenter = ConditionalGANAugmenter(1.0, net=offspring(max_steps=3, batch_size=8), shares={"net": 1})
    named = {"in proportion": augmenter}
    result = compare(named, CNNClassifier(max_updates=3), X, y, cv=2, random_state=0, verbose=1)
    mine = ["in proportion", "in proportion, prior-corrected"]
    assert result.table.index.tolist()[10:] == mine + [f"{name} + augmentation" for name in mine]
    assert result.generated.keys() == set(mine)
    told = capsys.readouterr().out
    assert re.match(r"14 rows in 2 folds are 28 fits: .* minutes? on this machine\.", told)


def test_time_runs_out(table):
    result = compare(GANOverSampler(net=NET), LogisticRegression(), *table, cv=5, max_time=1e-6, random_state=0)
    assert not result.complete
    assert result.folds["fold"].nunique() == 2
    assert result.verdict.endswith("Cut by max_time=1e-06: 2 of 5 folds.")


def test_groups_and_workers():
    X, y = shifted(300, 1.5, rare=0.3)
    groups = np.arange(300) // 3
    result = compare(BorderlineSMOTE(), LogisticRegression(), X, y, cv=3, groups=groups, n_jobs=2, random_state=0)
    assert result.folds["fold"].nunique() == 3


def test_a_row_that_fails_is_left_out(table):
    sampler = GANOverSampler(net=NET)
    with pytest.warns(
        UserWarning, match="The row 'BorderlineSMOTE' failed in fold 0 and is left out: ValueError: Expected n_neigh"
    ):
        result = compare([sampler, BorderlineSMOTE()], LogisticRegression(), *table, cv=2, random_state=0)
    assert "BorderlineSMOTE" not in result.table.index
    assert {"GANOverSampler", "SMOTE"} <= set(result.table.index)  # our SMOTE takes fewer neighbours
    with pytest.raises(ValueError, match="'BorderlineSMOTE' failed"):
        compare(BorderlineSMOTE(), LogisticRegression(), *table, cv=2, random_state=0)


def test_the_picture(table, tmp_path):
    result = compare(GANOverSampler(net=NET), LogisticRegression(), *table, cv=3, random_state=0)
    axes = result.plot()
    assert [label.get_text() for label in axes.get_yticklabels()] == result.table.index.tolist()
    axes.figure.savefig(tmp_path / "compare.png")
    result.to_html(tmp_path / "report.html")
    page = (tmp_path / "report.html").read_text()
    assert page.count('<img src="data:image/png;base64,') == page.count("<img") == page.count('alt="')
    assert "http" not in page
    assert '<meta name="viewport"' in page
    assert all(name in page for name in result.table.index)
    assert result.verdict[:20] in page


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"samplers": [BorderlineSMOTE]}, "samplers must hold samplers"),
        ({"samplers": {"a": 3}}, "a is 3"),
        ({"scoring": "balanced"}, "balanced"),
        ({"cv": 30}, "has no row of class|n_splits=30"),
        ({"y": np.zeros(90, int)}, "more than 1 class"),
    ],
    ids=str,
)
def test_what_is_refused(table, params, message):
    X, y = table
    wanted = {"samplers": BorderlineSMOTE(), "estimator": LogisticRegression(), "X": X, "y": y, **params}
    with pytest.raises((ValueError, TypeError), match=message):
        compare(**wanted)


def test_a_net_is_timed_for_a_second_at_most(table, monkeypatch):
    trained = []
    train = GANOverSampler.train
    monkeypatch.setattr(GANOverSampler, "train", lambda self, *a: trained.append(self.max_time) or train(self, *a))
    rows = {"GAN": make_sampling_pipeline(GANOverSampler(net=NET, max_steps=100_000), LogisticRegression())}
    assert estimated_seconds(rows, LogisticRegression(), *table, 3, None) > 30
    assert trained == [1.0]


def one_split(n=900, scoring="balanced_accuracy", distance=1.5, estimator=None):
    X, y = shifted(n, distance, rare=0.15)
    splits = [(np.arange(n // 3), np.arange(n // 3, n))]
    return compare(
        BorderlineSMOTE(), estimator or LogisticRegression(), X, y, cv=splits, scoring=scoring, random_state=0
    )


def test_one_split_has_the_interval_of_its_test_rows():
    result = one_split()
    table, right = result.table, {}
    assert result.confusion_matrices["nothing"].sum() == 600
    for name, matrix in result.confusion_matrices.items():
        recall = np.diag(matrix) / matrix.sum(axis=1)
        assert table.loc[name, "score"] == pytest.approx(recall.mean())
        right[name] = recall
    line = table.loc["class weights"]
    assert line["low"] < line["over nothing"] < line["high"]
    # Of independent rows, by the variances of two recalls of each class; the pairs of the same rows make it narrower
    rows = result.confusion_matrices["nothing"].sum(axis=1)
    error = np.sqrt(sum((right[n] * (1 - right[n]) / rows).sum() for n in ("nothing", "class weights"))) / 2
    assert 0.3 * error < (line["high"] - line["low"]) / (2 * 1.96) < error
    assert table["standard error"].isna().all()
    assert result.choice == result.last_word == ""
    assert "This is one split: its intervals are a bootstrap over the test rows" in result.verdict
    assert result.about.split == "one split as given"
    pd.testing.assert_frame_equal(one_split().table.drop(columns="seconds"), table.drop(columns="seconds"))


def test_one_split_of_other_scores():
    ranking = one_split(300, "roc_auc", 1.0)
    assert (ranking.table["low"] <= ranking.table["high"]).all()
    assert "bootstrap" in ranking.verdict
    unknown = one_split(300, lambda estimator, X, y: float((estimator.predict(X) == y).mean()))
    assert unknown.table.loc[unknown.table.index != "nothing", "low"].isna().all()
    assert unknown.verdict.startswith(
        "No verdict: this is one split, and for this score and classifier there is no interval"
    )
    assert "nan" not in str(unknown)
    assert unknown.plot().get_lines()


def test_what_was_compared_and_with_what():
    X, y = shifted(200, 1.5, rare=0.3)
    about = compare(BorderlineSMOTE(), LogisticRegression(C=0.5), X, y, cv=2, random_state=3).about
    assert (about.rows, about.shape, about.seed, about.file) == (200, (2,), 3, None)
    assert sum(about.class_counts.values()) == 200
    assert about.classifier == "LogisticRegression(C=0.5)"
    assert {"Python", "skgan", "scikit-learn", "imbalanced-learn", "torch", "numpy"} == set(about.versions)
    splitter = GroupKFold(2)
    about = compare(BorderlineSMOTE(), LogisticRegression(), X, y, cv=splitter, groups=np.arange(200) // 2).about
    assert about.split == "2 splits of GroupKFold(n_splits=2, random_state=None, shuffle=False), groups given"
    assert about.seed is None
