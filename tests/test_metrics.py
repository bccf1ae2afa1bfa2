"""Every metric against an independent reference: prdc, a plain double loop, or a closed form."""

import numpy as np
import prdc
import pytest
from scipy import linalg
from sklearn.datasets import load_digits
from sklearn.neighbors import KNeighborsClassifier

from skgan import CNNClassifier
from skgan import metrics as m

RNG = np.random.RandomState(0)
REAL, FAKE = RNG.randn(120, 4), RNG.randn(90, 4) * 0.7 + 0.4


def test_frechet_distance_equals_the_textbook_formula_and_the_closed_form():
    cov_a, cov_b = np.cov(REAL, rowvar=False), np.cov(FAKE, rowvar=False)
    root = linalg.sqrtm(cov_a @ cov_b).real
    expected = np.sum((REAL.mean(0) - FAKE.mean(0)) ** 2) + np.trace(cov_a + cov_b - 2 * root)
    assert m.frechet_distance(REAL, FAKE) == pytest.approx(expected, rel=1e-6)
    # One dimension: (μ₁ − μ₂)² + (σ₁ − σ₂)²
    a, b = np.array([-1.0, 1.0]), np.array([1.0, 5.0])
    expected = 3**2 + (a.std(ddof=1) - b.std(ddof=1)) ** 2
    assert m.frechet_distance(a[:, None], b[:, None]) == pytest.approx(expected)
    assert m.frechet_distance(REAL, REAL) == pytest.approx(0, abs=1e-8)
    few = RNG.randn(5, 40)  # singular covariances
    assert m.frechet_distance(few, few) == pytest.approx(0, abs=1e-6)


def naive_kernel_distance(a, b):
    def k(x, y):
        return (x @ y / len(x) + 1) ** 3

    def off_diagonal(r):
        n = len(r)
        return sum(k(r[i], r[j]) for i in range(n) for j in range(n) if i != j) / (n * (n - 1))

    cross = sum(k(x, y) for x in a for y in b) / (len(a) * len(b))
    return off_diagonal(a) + off_diagonal(b) - 2 * cross


@pytest.mark.parametrize("chunk", [7, 2048])
def test_kernel_distance_equals_the_double_loop_whatever_the_chunk(chunk):
    a, b = REAL[:30], FAKE[:23]
    assert m.kernel_distance(a, b, chunk=chunk) == pytest.approx(naive_kernel_distance(a, b), rel=1e-9)


def test_kernel_distance_is_unbiased_on_two_halves():
    values = [m.kernel_distance(*np.random.RandomState(i).randn(2, 40, 3)) for i in range(200)]
    assert abs(np.mean(values)) < 3 * np.std(values) / np.sqrt(200)
    assert min(values) < 0 < max(values)


@pytest.mark.parametrize("k", [3, 5])
def test_precision_recall_density_and_coverage_equal_prdc(k):
    expected = prdc.compute_prdc(REAL, FAKE, nearest_k=k)
    assert m.improved_precision_recall(REAL, FAKE, k=k) == pytest.approx((expected["precision"], expected["recall"]))
    assert m.density_coverage(REAL, FAKE, k=k) == pytest.approx((expected["density"], expected["coverage"]))


def test_precision_and_recall_part_where_modes_are_dropped_or_invented():
    two = np.concatenate([RNG.randn(100, 2), RNG.randn(100, 2) + 50])
    dropped, invented = two[:100] + 0.01, np.concatenate([two, RNG.randn(200, 2) - 90])
    precision, recall = m.improved_precision_recall(two, dropped)
    assert precision > 0.95
    assert recall == pytest.approx(0.5, abs=0.05)
    precision, recall = m.improved_precision_recall(two, invented)
    assert precision == pytest.approx(0.5, abs=0.01)
    assert recall == 1
    assert m.density_coverage(two, dropped)[1] == pytest.approx(0.5, abs=0.05)


def test_copy_ratio_is_0_for_copies_1_for_real_rows_and_more_off_the_data():
    train, held_out, fresh = RNG.randn(3, 400, 5)
    assert m.copy_ratio(train, held_out, train[:50]) == 0
    assert m.copy_ratio(train, held_out, fresh) == pytest.approx(1, abs=0.1)
    assert m.copy_ratio(train, held_out, fresh + 9) > 5
    # By hand on a line: nearest distances 1, 1, 1 and 0.5, 0.5
    line = np.arange(0, 40, 4.0)[:, None]
    assert m.copy_ratio(line, line[:3] + 1, line[:2] + 0.5) == pytest.approx(0.5)


def test_copy_ratio_needs_a_yardstick():
    with pytest.raises(ValueError, match="no yardstick"):
        m.copy_ratio(REAL, REAL[:10], FAKE)


def test_train_synthetic_test_real_sees_variety_and_the_reverse_does_not():
    X, y = load_digits(return_X_y=True)
    train, test = (X[:1000], y[:1000]), (X[1000:], y[1000:])
    assert m.train_synthetic_test_real(*train, *test) > 0.85
    one_each = np.array([np.flatnonzero(y == c)[0] for c in range(10)]).repeat(20)
    collapsed = X[one_each] + np.random.RandomState(0).randn(200, 64) * 0.1, y[one_each]
    assert m.train_synthetic_test_real(*collapsed, *test) < 0.75
    assert m.train_real_test_synthetic(*train, *collapsed) > 0.95
    wrong = X[:500], (y[:500] + 1) % 10
    assert m.train_real_test_synthetic(X[500:], y[500:], *wrong) < 0.1
    knn = m.train_synthetic_test_real(*train, *test, estimator=KNeighborsClassifier(1), scoring="accuracy")
    assert knn == pytest.approx(KNeighborsClassifier(1).fit(*train).score(*test))


def test_features_are_flattened_rows_or_the_users():
    images = RNG.rand(40, 1, 3, 3)
    assert m.frechet_distance(images, images[::-1]) == pytest.approx(0, abs=1e-8)
    mean = m.frechet_distance(
        images, images + 1, features=lambda rows: rows.reshape(len(rows), -1).mean(1, keepdims=True)
    )
    assert mean == pytest.approx(1)


def test_a_classifiers_penultimate_layer_tells_classes_apart():
    digits = load_digits()
    X, y = digits.images, digits.target
    classifier = CNNClassifier(max_updates=150, random_state=0).fit(X[:1000], y[:1000])
    features = classifier.features(X[1000:])
    assert features.shape == (797, 600)
    assert features.dtype == np.float32
    logits = features @ classifier.module_[-1].weight.detach().numpy().T + classifier.module_[-1].bias.detach().numpy()
    assert (logits.argmax(1) == classifier.predict(X[1000:])).all()
    rest = X[1000:], y[1000:]
    ones, sevens = rest[0][rest[1] == 1], rest[0][rest[1] == 7]
    same = m.kernel_distance(ones[::2], ones[1::2], features=classifier.features)
    assert m.kernel_distance(ones, sevens, features=classifier.features) > 5 * abs(same)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: m.frechet_distance(REAL[:1], FAKE), "real has 1 rows, and this metric needs at least 2"),
        (lambda: m.improved_precision_recall(REAL, FAKE[:3]), "fake has 3 rows, and this metric needs at least 4"),
        (lambda: m.kernel_distance(REAL, np.full((5, 4), np.nan)), "features of fake contain NaN"),
        (lambda: m.copy_ratio(REAL, FAKE, FAKE, features=lambda rows: rows[:2]), r"must return shape \(120, d\)"),
    ],
)
def test_wrong_input_is_refused_in_a_sentence(call, words):
    with pytest.raises(ValueError, match=words):
        call()


def test_near_copies_are_nearer_than_a_quantile_of_unseen_rows():
    train, held_out = RNG.randn(200, 3), RNG.randn(100, 3)
    distances = [min(np.linalg.norm(row - other) for other in train) for row in held_out]
    limit = np.sort(distances)[4]  # the 5th of 100
    fake = np.concatenate([train[:30], RNG.randn(70, 3) + 9])
    assert m.near_copies(train, held_out, fake) == (0.3, 0.05)
    assert m.near_copies(train, held_out, np.add(train[:1], [[limit * 0.999, 0, 0]]))[0] == 1.0
    assert m.near_copies(train, held_out, held_out, quantile=0.5) == (0.5, 0.5)
    assert m.near_copies(train, held_out[:3], fake)[1] == pytest.approx(1 / 3)
    assert m.near_copies(train, np.concatenate([train[:50], held_out[:50]]), fake) == (0.3, 0.5)  # repeated rows


def test_a_classifier_tells_shifted_rows_and_not_rows_of_the_same_kind():
    real, same, shifted = RNG.randn(150, 3), RNG.randn(150, 3), RNG.randn(150, 3) + 3
    assert 0.4 < m.two_sample_auc(real, same) < 0.6
    assert m.two_sample_auc(real, shifted) > 0.95
    assert m.two_sample_auc(real, shifted, estimator=KNeighborsClassifier()) > 0.95
    images = RNG.rand(10, 2, 3)
    assert m.two_sample_auc(images, images + 5) == 1.0
    with pytest.raises(ValueError, match="fake has 4 rows, and this metric needs at least 5"):
        m.two_sample_auc(real, same[:4])
