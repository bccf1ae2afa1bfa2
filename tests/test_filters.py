import numpy as np
import pytest
from sklearn.base import clone
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import KNeighborsClassifier

from skgan import CNNClassifier, GANOverSampler, PriorCorrectedClassifier
from skgan.filters import AllOf, ClassifierFilter, DiscriminatorFilter, NeighbourFilter, RowFilter
from skgan.presets import cyclegan, dagan, gaussian, gtn, mlp_gan, offspring, vae

RNG = np.random.RandomState(0)
X = np.concatenate([RNG.randn(60, 2), RNG.randn(30, 2) + 6]).astype(np.float32)
Y = np.repeat([0, 1], [60, 30])
FILTERS = [ClassifierFilter(), NeighbourFilter(), AllOf([ClassifierFilter(), NeighbourFilter()])]


@pytest.mark.parametrize("row_filter", FILTERS, ids=lambda f: type(f).__name__)
def test_rows_of_another_class_are_refused_and_real_ones_mostly_kept(row_filter):
    fitted = clone(row_filter).fit(X, Y)
    fresh = np.concatenate([RNG.randn(200, 2), RNG.randn(200, 2) + 6]).astype(np.float32)
    labels = np.repeat([0, 1], 200)
    assert (fitted.score_samples(fresh, labels) >= 0).mean() > 0.7
    assert (fitted.score_samples(fresh, 1 - labels) >= 0).mean() < 0.02


def test_the_classifier_filter_accepts_all_but_the_quantile_of_real_rows():
    overlapping = np.concatenate([RNG.randn(2000, 2), RNG.randn(2000, 2) + 1])
    labels = np.repeat([0, 1], 2000)
    fresh = np.concatenate([RNG.randn(2000, 2), RNG.randn(2000, 2) + 1])
    for quantile in (0.1, 0.5):
        accepted = ClassifierFilter(quantile=quantile).fit(overlapping, labels).score_samples(fresh, labels) >= 0
        assert accepted.mean() == pytest.approx(1 - quantile, abs=0.03)


def test_the_neighbour_filter_refuses_copies_and_outliers():
    fitted = NeighbourFilter().fit(X, Y)
    assert (fitted.score_samples(X, Y) < 0).all()  # distance 0: copies
    assert (fitted.score_samples(X + 100, Y) < 0).all()


def test_the_discriminator_filter_uses_the_net_and_refuses_what_it_cannot_use():
    net = mlp_gan(alpha=1, max_steps=200, random_state=0).fit(X, Y)
    fitted = DiscriminatorFilter(quantile=0.2).fit(X, Y, net=net)
    accepted = fitted.score_samples(X, Y) >= 0
    assert accepted[Y == 0].mean() == pytest.approx(0.8, abs=0.03)
    assert accepted[Y == 1].mean() == pytest.approx(0.8, abs=0.04)
    for unusable, shown in ((None, "None"), (offspring(), "OffspringNet")):
        with pytest.raises(ValueError, match=f"needs a net whose discriminator judges single rows; got net={shown}"):
            DiscriminatorFilter().fit(X, Y, net=unusable)


@pytest.mark.parametrize("row_filter", [DiscriminatorFilter(), AllOf([NeighbourFilter(), DiscriminatorFilter()])])
@pytest.mark.parametrize(
    ("params", "got"),
    [
        ({"net": offspring()}, "OffspringNet"),
        ({"net": dagan()}, "DAGANNet"),
        ({"net": cyclegan()}, "CycleGANNet"),
        ({"net": gtn()}, "GTNNet"),
        ({"net": mlp_gan(), "per_class": True}, "one net per class"),
    ],
    ids=["offspring", "dagan", "cyclegan", "gtn", "per_class"],
)
def test_a_net_without_scores_is_refused_before_training(row_filter, params, got, trainings):
    sampler = GANOverSampler(row_filter=row_filter, random_state=0, **params)
    with pytest.raises(ValueError, match=rf"needs one net for all classes whose discriminator judges .*\(got {got}\)"):
        sampler.fit_resample(X, Y)
    assert not trainings


@pytest.mark.parametrize("net", [gaussian(), vae(max_steps=2)], ids=["gaussian", "vae"])
def test_any_net_that_scores_rows_will_do(net):
    sampler = GANOverSampler(net=net, row_filter=DiscriminatorFilter(), random_state=0)
    assert len(sampler.fit_resample(X, Y)[0]) == 120
    assert sampler.row_filter_.net_.scores_rows


def test_a_filter_says_whether_it_needs_scores():
    assert not any(row_filter.needs_scores for row_filter in FILTERS)
    assert DiscriminatorFilter().needs_scores
    assert AllOf([NeighbourFilter(), DiscriminatorFilter()]).needs_scores


def test_a_filter_of_ones_own_is_derived_from_the_base():
    class Left(RowFilter):
        def fit(self, X, y, net=None):
            return self

        def score_samples(self, X, y):
            return -X[:, 0]

    sampler = GANOverSampler(net=gaussian(), row_filter=Left(), random_state=0)
    X_new, _ = sampler.fit_resample(X, Y)
    codes = sampler.codec_.transform(X_new[90:])
    assert (codes[:, 0] <= 0.02).all()
    with pytest.raises(NotImplementedError, match=r"RowFilter must have a method fit\(X, y, net=None\)"):
        RowFilter().fit(X, Y)
    with pytest.raises(NotImplementedError, match=r"RowFilter must have a method score_samples\(X, y\)"):
        RowFilter().score_samples(X, Y)


def test_all_of_accepts_what_each_accepts():
    both = AllOf([ClassifierFilter(), NeighbourFilter()]).fit(X, Y)
    rows = RNG.randn(300, 2).astype(np.float32) * 3
    labels = np.zeros(300, int)
    each = [f.score_samples(rows, labels) >= 0 for f in both.filters_]
    assert ((both.score_samples(rows, labels) >= 0) == (each[0] & each[1])).all()


@pytest.mark.parametrize("row_filter", FILTERS, ids=lambda f: type(f).__name__)
def test_tiny_classes_and_uint8_images_are_fine(row_filter):
    images = RNG.randint(0, 256, (12, 1, 4, 4), dtype=np.uint8)
    labels = np.array([0] * 9 + [1, 1, 2])
    scores = clone(row_filter).fit(images, labels).score_samples(images / np.float32(127.5) - 1, labels)
    assert scores.shape == (12,)
    assert np.isfinite(scores).all()


def test_a_filter_works_in_the_sampler_and_takes_any_classifier():
    row_filter = ClassifierFilter(KNeighborsClassifier(3), quantile=0.2)
    sampler = GANOverSampler(net=mlp_gan(alpha=1, max_steps=150), row_filter=row_filter, random_state=0)
    X_new, y_new = sampler.fit_resample(X, Y)
    assert (y_new == 1).sum() == 60
    assert sampler.filter_report_.columns.tolist() == ["class", "made", "accepted", "copies", "acceptance"]
    assert np.abs(X_new[90:].mean(0) - 6).max() < 1.5


def test_without_a_quantile_a_row_must_look_like_no_other_class():
    rng = np.random.RandomState(0)
    y = np.repeat([0, 1], [300, 30])
    X = rng.normal(3.0 * y[:, None], 1.0, (330, 2)).astype(np.float32)
    between = np.linspace(-1, 4, 101)[:, None].repeat(2, 1).astype(np.float32)
    ones = np.ones(101, dtype=int)
    accepted = {}
    for name, estimator in {
        "as it is": LogisticRegression(),
        "corrected": PriorCorrectedClassifier(LogisticRegression(), prior="uniform"),
    }.items():
        row_filter = ClassifierFilter(estimator, quantile=None).fit(X, y)
        scores = row_filter.score_samples(between, ones)
        taken = row_filter.estimator_.predict(between) == 1
        assert ((scores >= 0) == taken).all()
        accepted[name] = taken.mean()
    assert accepted["as it is"] < accepted["corrected"] - 0.02


def test_a_classifier_of_images_judges_images():
    X, y = load_digits(return_X_y=True)
    images, y = (X[:600] * 15).astype(np.uint8).reshape(-1, 1, 8, 8), y[:600]
    cnn = CNNClassifier(max_updates=150, random_state=0)
    row_filter = ClassifierFilter(cnn, quantile=None, flat=False).fit(images, y)
    assert (row_filter.score_samples(images / np.float32(127.5) - 1, y) >= 0).mean() > 0.9
    assert (row_filter.score_samples(images, (y + 1) % 10) >= 0).mean() < 0.1


@pytest.mark.parametrize(
    ("row_filter", "words"),
    [
        (ClassifierFilter(quantile=1.5), r"quantile is a quantile and must lie in \[0, 1\]"),
        (NeighbourFilter(low=0.9, high=0.1), "low must be below high"),
        (DiscriminatorFilter(quantile=-1), r"quantile is a quantile and must lie in \[0, 1\], got -1"),
        (AllOf([]), "at least one filter"),
        (AllOf([NeighbourFilter(low=0.9, high=0.1)]), "low must be below high"),
    ],
)
def test_wrong_parameters_are_refused(row_filter, words):
    with pytest.raises(ValueError, match=words):
        row_filter.fit(X, Y)
    with pytest.raises(ValueError, match=words):
        row_filter.check()
