"""ConditionalGANAugmenter: exact amounts for classes, conditions for real-valued labels, and what is refused."""

import warnings

import numpy as np
import pandas as pd
import pytest
import sklearn
from hypothesis import given, settings
from hypothesis import strategies as st
from imblearn.pipeline import Pipeline
from imblearn.utils.estimator_checks import check_param_validation, estimator_checks_generator
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.utils._param_validation import InvalidParameterError
from sklearn.utils.estimator_checks import estimator_checks_generator as sklearn_checks_generator

from skgan import ConditionalGANAugmenter
from skgan.filters import ClassifierFilter, NeighbourFilter
from skgan.presets import dcgan, mlp_gan, offspring, predictor_gan, predictor_mlp_gan
from skgan.samplers import _training
from skgan.samplers._amounts import largest_remainder

SMALL = mlp_gan(alpha=1, module__latent_dim=4, max_steps=4, batch_size=8)
SMALL_PREDICTOR = predictor_mlp_gan(alpha=1, module__latent_dim=4, max_steps=4, batch_size=8)


def make(*args, **params):
    return ConditionalGANAugmenter(*args, **{"net": SMALL, "random_state": 0, **params})


def make_continuous(*args, **params):
    return make(*args, **{"net": SMALL_PREDICTOR, **params})


@pytest.fixture
def labelled():
    """60 rows of 3 numbers that follow two real labels."""
    rng = np.random.RandomState(0)
    C = rng.uniform(0, 10, (60, 2))
    return np.c_[C, C.sum(1)] + rng.standard_normal((60, 3)), C


# Amounts


@pytest.mark.parametrize(
    ("params", "new"),
    [
        ({}, [60, 20, 10]),
        ({"mixing_ratio": 1}, [60, 20, 10]),
        ({"mixing_ratio": 0.25}, [15, 5, 2]),  # numpy rounds 2.5 to even
        ({"mixing_ratio": {2: 1.5, 0: 0.0}}, [0, 0, 15]),
        ({"n_synthetic": 25}, [17, 5, 3]),  # 16.67, 5.56, 2.78 by largest remainder
        ({"n_synthetic": 0}, [0, 0, 0]),
    ],
    ids=str,
)
def test_amounts_are_exact_to_the_row(table, params, new):
    X, y = table
    augmenter = make(**params)
    X_new, y_new = augmenter.fit_resample(X, y)
    np.testing.assert_array_equal(X_new[:90], X)
    np.testing.assert_array_equal(np.bincount(y_new[90:], minlength=3), new)
    assert augmenter.sampling_strategy_ == dict(enumerate(new))
    assert augmenter.n_synthetic_ == sum(new) == augmenter.is_synthetic_.sum()
    assert not augmenter.is_synthetic_[:90].any()


@given(st.integers(0, 500), st.lists(st.integers(1, 100), min_size=2, max_size=6))
def test_a_total_is_split_in_proportion(total, sizes):
    counts = largest_remainder(total, np.array(sizes))
    assert counts.sum() == total
    assert (np.abs(counts - total * np.array(sizes) / sum(sizes)) < 1).all()


def test_ratio_0_trains_nothing(table, monkeypatch):
    monkeypatch.setattr(_training, "train_generator", None)
    augmenter = make(0.0)
    X_new, y_new = augmenter.fit_resample(*table)
    np.testing.assert_array_equal(X_new, table[0])
    np.testing.assert_array_equal(y_new, table[1])
    assert not augmenter.is_synthetic_.any()


@pytest.mark.parametrize("params", [{}, {"per_class": True}], ids=str)
def test_rows_of_a_smaller_ratio_are_the_first_of_a_larger(table, params):
    small, large = (make(ratio, **params).fit_resample(*table) for ratio in (0.5, 7.5))
    for klass in range(3):
        few, many = (X[90:][y[90:] == klass] for X, y in (small, large))
        np.testing.assert_array_equal(few, many[: len(few)])


def test_only_synthetic_rows(table):
    augmenter = make(0.5, keep_real=False)
    X_new, y_new = augmenter.fit_resample(*table)
    assert np.bincount(y_new).tolist() == [30, 10, 5]
    assert augmenter.is_synthetic_.all()
    assert len(augmenter.is_synthetic_) == 45 == len(X_new)
    with_real = make(0.5).fit_resample(*table)[0]
    np.testing.assert_array_equal(with_real[90:], X_new)


def test_only_synthetic_rows_of_real_parents_are_no_protection(table):
    with pytest.warns(UserWarning, match="no privacy protection"):
        make(0.5, keep_real=False, net=offspring(max_steps=3, batch_size=8)).fit_resample(*table)


def test_images_frames_and_one_hot_targets(images):
    X, y = images
    net = dcgan(module__width=4, module__n_features=8, batch_size=8, max_steps=3)
    X_new, y_new = make(0.5, net=net).fit_resample(X, y)
    assert X_new.shape == (45, 3, 8, 10)
    assert X_new.dtype == np.uint8
    frame = pd.DataFrame({"a": np.arange(30.0), "b": pd.Categorical(list("xyz") * 10)})
    X_new, y_new = make(0.5).fit_resample(frame, pd.Series(y, name="t"))
    assert X_new.dtypes.equals(frame.dtypes)
    assert y_new.name == "t"
    assert len(y_new) == 45
    one_hot = np.eye(3, dtype=int)[np.repeat([0, 1, 2], 10)]
    assert make(0.5).fit_resample(frame, one_hot)[1].shape == (45, 3)


def test_more_rows(table):
    augmenter = make(0.5)
    augmenter.fit_resample(*table)
    X, y = augmenter.sample({0: 3, 2: 4}, random_state=1)
    assert X.shape == (7, 5)
    assert y.tolist() == [0] * 3 + [2] * 4


def test_a_grid_over_ratios(table, tmp_path, monkeypatch):
    done = []
    train = _training.train_generator
    monkeypatch.setattr(_training, "train_generator", lambda *job: done.append(1) or train(*job))
    X, y = table
    grid = {"augment__mixing_ratio": [0, 0.25, 0.5, 1, 2, 4]}

    def search(memory):
        pipeline = Pipeline([("augment", make(memory=memory)), ("c", LogisticRegression())])
        return GridSearchCV(pipeline, grid, cv=5).fit(X, y)

    without = search(None)
    del done[:]
    cached = search(str(tmp_path))
    assert len(done) == 6 - (cached.best_params_ == {"augment__mixing_ratio": 0})
    np.testing.assert_array_equal(without.cv_results_["mean_test_score"], cached.cv_results_["mean_test_score"])


# Real-valued labels


def test_a_continuous_y_is_its_own_condition(labelled):
    X, C = labelled
    for y in (C[:, 0], C, C.astype(np.float32)):
        augmenter = make_continuous(0.5)
        X_new, y_new = augmenter.fit_resample(X, y)
        assert X_new.shape == (90, 3)
        assert y_new.shape == (90, *y.shape[1:])
        assert y_new.dtype == y.dtype
        np.testing.assert_array_equal(y_new[:60], y)
        assert (y_new.min(0) >= y.min(0)).all()
        assert (y_new.max(0) <= y.max(0)).all()
        assert len(np.unique(y_new[60:], axis=0)) > 25  # smoothed, not the real ones again
        np.testing.assert_allclose(augmenter.conditions_.reshape(y_new[60:].shape), y_new[60:], rtol=1e-6)


def test_whole_numbers_stay_whole_and_can_be_said_to_be_continuous(labelled):
    X, C = labelled
    age = C[:, 0].astype(int)
    y_new = make_continuous(1.0, target="continuous").fit_resample(X, age)[1]
    assert y_new.dtype == age.dtype
    assert set(y_new[60:]) <= set(range(10))
    classes = make(1.0).fit_resample(X, age)[1]
    assert np.bincount(classes).tolist() == (2 * np.bincount(age)).tolist()


def test_containers_of_a_continuous_y(labelled):
    X, C = labelled
    frame, y = pd.DataFrame(X, columns=list("abc")), pd.DataFrame(C, columns=["u", "v"])
    X_new, y_new = make_continuous(0.5).fit_resample(frame, y)
    assert list(X_new) == list("abc")
    assert list(y_new) == ["u", "v"]
    assert len(X_new) == len(y_new) == 90
    y_new = make_continuous(0.5).fit_resample(frame, y["u"])[1]
    assert isinstance(y_new, pd.Series)
    assert y_new.name == "u"


def test_rows_of_a_smaller_amount_come_first_with_conditions_too(labelled):
    few, many = (make_continuous(n_synthetic=n).fit_resample(*labelled) for n in (7, 300))
    for a, b in zip(few, many, strict=True):
        np.testing.assert_array_equal(a[60:], b[60:67])


def test_a_class_with_conditions(labelled):
    X, C = labelled
    y = np.where(C[:, 0] > 7, "far", "near")
    augmenter = make_continuous({"far": 2.0})
    _X_new, y_new = augmenter.fit_resample(X, y, condition=C)
    n_far = (y == "far").sum()
    assert (y_new[60:] == "far").all()
    assert len(y_new) == 60 + 2 * n_far
    assert augmenter.sampling_strategy_ == {"far": 2 * n_far, "near": 0}
    assert augmenter.conditions_.shape == (2 * n_far, 2)
    assert augmenter.sample({"near": 3}, random_state=0)[1].tolist() == ["near"] * 3


def test_a_labeler_names_the_class_of_new_conditions(labelled):
    X, C = labelled
    y = (C[:, 0] > 7).astype(int)
    augmenter = make_continuous(3.0, labeler=lambda c: (c[:, 0] > 7).astype(int))
    _, y_new = augmenter.fit_resample(X, y, condition=C)
    assert np.bincount(y_new).tolist() == (4 * np.bincount(y)).tolist()
    np.testing.assert_array_equal(augmenter.conditions_[:, 0] > 7, y_new[60:])
    assert augmenter.fit(X, y, condition=C).sampling_strategy_ == {0: 3 * (y == 0).sum(), 1: 3 * (y == 1).sum()}
    # of a continuous y, it makes the new y
    y_new = make_continuous(1.0, labeler=np.floor).fit_resample(X, C[:, 0])[1]
    assert (y_new[60:] == np.floor(y_new[60:])).all()


def test_rows_at_chosen_points(labelled):
    X, C = labelled
    augmenter = make_continuous(0.5)
    with pytest.raises(NotFittedError, match="call fit_resample"):
        augmenter.sample_at([[1.0, 2.0]])
    augmenter.fit_resample(pd.DataFrame(X, columns=list("abc")), C)
    rows = augmenter.sample_at([[1.0, 2.0]] * 300, random_state=3)
    assert list(rows) == list("abc")
    assert len(rows) == 300
    assert rows.equals(augmenter.sample_at([[1.0, 2.0]] * 300, random_state=3))
    assert not rows.equals(augmenter.sample_at([[1.0, 2.0]] * 300, random_state=4))
    with pytest.raises(ValueError, match="1 columns, and the net was trained on 2"):
        augmenter.sample_at([1.0])
    with pytest.raises(ValueError, match="NaN"):
        augmenter.sample_at([[1.0, np.nan]])
    y = (C[:, 0] > 5).astype(int)
    told = make_continuous(0.5)
    told.fit_resample(X, y, condition=C)
    assert told.sample_at(C[:5], y=y[:5]).shape == (5, 3)
    with pytest.raises(ValueError, match="give sample_at one class per condition"):
        told.sample_at(C[:5])
    classes = make(0.5)
    classes.fit_resample(X, y)
    with pytest.raises(ValueError, match="trained on real-valued labels"):
        classes.sample_at(C[:5])
    assert len(augmenter.sample(5)[0]) == 5
    with pytest.raises(ValueError, match="takes a number of rows"):
        augmenter.sample({0: 5})


def test_before_a_regressor_and_in_a_search(labelled, tmp_path):
    X, C = labelled
    pipeline = Pipeline([("augment", make_continuous(memory=str(tmp_path))), ("r", LinearRegression())])
    search = GridSearchCV(pipeline, {"augment__mixing_ratio": [0, 0.5, 1.0]}, cv=3).fit(X, C)
    assert np.isfinite(search.cv_results_["mean_test_score"]).all()
    assert len(list(tmp_path.rglob("*.safetensors"))) in (3, 4)


def test_conditions_are_routed_through_a_pipeline(labelled):
    X, C = labelled
    y = (C[:, 0] > 7).astype(int)
    seen = []

    class Spy(ConditionalGANAugmenter):
        def fit_resample(self, X, y, *, condition=None):
            seen.append(condition)
            return super().fit_resample(X, y, condition=condition)

    with sklearn.config_context(enable_metadata_routing=True):
        spy = Spy(0.5, net=SMALL_PREDICTOR, random_state=0).set_fit_resample_request(condition=True)
        Pipeline([("a", spy), ("c", LogisticRegression())]).fit(X, y, condition=C)
    np.testing.assert_array_equal(seen[0], C)


def test_the_same_rows_twice_and_the_streams_untouched(labelled):
    state = np.random.get_state()[1].copy()
    augmenter = make_continuous(0.5)
    one, two = (augmenter.fit_resample(*labelled) for _ in range(2))
    np.testing.assert_array_equal(one[0], two[0])
    np.testing.assert_array_equal(one[0], clone(augmenter).fit_resample(*labelled)[0])
    np.testing.assert_array_equal(state, np.random.get_state()[1])


def test_images_by_default_have_the_galaxy_pair():
    rng = np.random.RandomState(0)
    X, y = rng.randint(0, 256, (20, 3, 13, 10), dtype=np.uint8), rng.uniform(size=20)
    augmenter = ConditionalGANAugmenter(0.5, max_steps=2, random_state=0)
    assert augmenter.fit_resample(X, y)[0].shape == (30, 3, 13, 10)
    assert augmenter.factory_.generators[0].net.module.__name__ == "ResizeConvGAN"


def test_filters_of_rows_with_conditions(labelled):
    X, C = labelled
    y = (C[:, 0] > 5).astype(int)
    X_new, y_new = make_continuous(1.0, row_filter=ClassifierFilter()).fit_resample(X, y, condition=C)
    assert np.bincount(y_new).tolist() == (2 * np.bincount(y)).tolist()
    with pytest.warns(UserWarning, match="plain copies"):
        X_new, y_new = make_continuous(1.0, row_filter=NeighbourFilter(low=0, high=1e-9)).fit_resample(X, C)
    distance = np.abs(X_new[60:, None] - X[None]).max(2)
    copies = distance.min(1) < 1e-3
    assert copies.any()
    np.testing.assert_allclose(y_new[60:][copies], C[distance.argmin(1)[copies]])


@pytest.mark.slow
def test_labels_are_learned():
    rng = np.random.RandomState(0)
    y = rng.uniform(-1, 1, 400)
    X = np.c_[y, -y] + 0.1 * rng.standard_normal((400, 2))
    augmenter = make_continuous(0.5, net=predictor_mlp_gan(alpha=2, batch_size=32, max_steps=600, lr=1e-3))
    augmenter.fit_resample(X, y)
    points = np.linspace(-0.8, 0.8, 200)
    rows = augmenter.sample_at(points)
    assert np.corrcoef(rows[:, 0], points)[0, 1] > 0.6
    assert np.corrcoef(rows[:, 1], points)[0, 1] < -0.6


# What is refused


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"mixing_ratio": -1}, "mixing_ratio"),
        ({"mixing_ratio": np.nan}, "mixing_ratio"),
        ({"mixing_ratio": np.inf}, "mixing_ratio"),
        ({"mixing_ratio": "half"}, "mixing_ratio"),
        ({"mixing_ratio": {0: -0.5}}, "mixing ratio of class 0 must be a finite number of at least 0, got -0.5"),
        ({"mixing_ratio": {0: np.nan}}, "must be a finite number"),
        ({"mixing_ratio": {7: 1.0}}, r"no classes of y: \[7\]; the classes are \[0, 1, 2\]"),
        ({"mixing_ratio": 1.0, "n_synthetic": 5}, "two amounts: give one of them"),
        ({"n_synthetic": -5}, "n_synthetic"),
        ({"mixing_ratio": 0.0, "keep_real": False}, "would leave nothing"),
        ({"labeler": len}, "there are none"),
        ({"target": "real"}, "target"),
        ({"net": "predictor_gan"}, "real-valued labels"),
        ({"net": mlp_gan(vicinity=0.1)}, "blurs real-valued labels"),
    ],
    ids=str,
)
def test_wrong_parameters(table, params, message):
    X, y = table
    X = X.reshape(90, 1, 5, 1).repeat(5, 3) if params.get("net") == "predictor_gan" else X
    with pytest.raises((ValueError, InvalidParameterError), match=message):
        make(**params).fit_resample(X, y)


@pytest.mark.parametrize(
    ("params", "change", "message"),
    [
        ({}, lambda C: np.where(C > 9, np.nan, C), "condition contains NaN"),
        ({}, lambda C: C[:-1], "inconsistent numbers of samples"),
        ({}, lambda C: np.full(C.shape, "near"), "could not convert|dtype"),
        ({"per_class": True}, lambda C: C, "nets that know no condition"),
        ({"labeler": lambda c: np.full(len(c), 7)}, lambda C: C, r"labeler returns \[7\], which are no classes of y"),
        ({"labeler": lambda c: c}, lambda C: C, "labeler must return one class per condition"),
        ({"labeler": lambda c: np.zeros(len(c), int)}, lambda C: C, "never gives class 1"),
        ({"net": "gaussian"}, lambda C: C, "ClassGaussians makes rows of classes"),
        ({"net": "offspring"}, lambda C: C, "Offspring makes rows of classes"),
        ({"net": mlp_gan(module__head="auxiliary")}, lambda C: C, "tells classes apart"),
        (
            {"net": predictor_mlp_gan(hinge="printed")},
            lambda C: C,
            "The 'hinge' parameter of PredictorGANNet must be None",
        ),
        ({"net": predictor_mlp_gan(label_weights=[1.0])}, lambda C: C, "1 weights, and there are 4 labels"),
        ({"net": predictor_gan()}, lambda C: C, "use net='predictor_mlp_gan'"),
    ],
)
def test_wrong_conditions(labelled, params, change, message):
    X, C = labelled
    y = (C[:, 0] > 7).astype(int)
    with pytest.raises((ValueError, TypeError), match=message):
        make_continuous(1.0, **params).fit_resample(X, y, condition=change(C))


@pytest.mark.parametrize(
    "broken",
    [
        lambda X, C: {"X": np.where(X > X.max() - 1e-9, np.inf, X), "y": C},
        lambda X, C: {"X": X, "y": np.arange(60) % 2, "condition": C[:5]},
        lambda X, C: {"X": X[:5], "y": C},
    ],
    ids=["infinity", "condition", "length"],
)
def test_a_refused_call_leaves_the_fitted_augmenter_as_it_was(labelled, broken):
    X, C = labelled
    augmenter = make_continuous(0.5)
    augmenter.fit_resample(X, C)
    rows = augmenter.sample_at(C[:5])
    with pytest.raises(ValueError, match=r"infinity|inconsistent"):
        augmenter.fit_resample(**broken(X, C))
    np.testing.assert_array_equal(augmenter.sample_at(C[:5]), rows)
    assert len(augmenter.sample(3)[0]) == 3


def test_a_continuous_y_takes_neither_conditions_nor_ratios_by_class(labelled):
    X, C = labelled
    with pytest.raises(ValueError, match="it is the condition itself"):
        make_continuous().fit_resample(X, C, condition=C)
    with pytest.raises(ValueError, match="one ratio per class"):
        make_continuous({0: 1.0}).fit_resample(X, C)
    with pytest.raises(ValueError, match="more than 1 class"):
        make().fit_resample(X, np.zeros(60, int))


def test_constant_conditions_work_and_are_told(labelled):
    X, _C = labelled
    with pytest.warns(UserWarning, match="has one value only"):
        X_new, y_new = make_continuous(0.5).fit_resample(X, np.full(60, 2.5))
    assert np.isfinite(X_new).all()
    assert (y_new == 2.5).all()


def test_very_few_rows_are_copied_with_their_labels(labelled):
    X, C = labelled[0][:4], labelled[1][:4]
    with pytest.warns(UserWarning, match="plain copies"):
        X_new, y_new = make_continuous(2.0).fit_resample(X, C)
    nearest = np.abs(X_new[4:, None] - X).sum(2).argmin(1)
    np.testing.assert_array_equal(y_new[4:], C[nearest])


@settings(max_examples=15, deadline=None)
@given(st.integers(5, 30), st.integers(1, 3), st.floats(0, 3), st.integers(0, 10))
def test_any_continuous_table(n, k, ratio, seed):
    rng = np.random.RandomState(seed)
    X, y = rng.standard_normal((n, 2)), rng.standard_normal((n, k)) ** 3
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        X_new, y_new = make_continuous(ratio).fit_resample(X, y)
    assert len(X_new) == len(y_new) == n + int(np.round(ratio * n))
    assert (y_new.min(0) == y.min(0)).all()
    assert (y_new.max(0) == y.max(0)).all()


# The checks of imbalanced-learn and scikit-learn

AUGMENTER = ConditionalGANAugmenter(net=SMALL, random_state=0)
EXPECTED = {
    "check_target_type": "a continuous y is taken here",
}


@pytest.mark.parametrize(
    ("estimator", "check"),
    [
        pytest.param(estimator, check, id=check.func.__name__)
        for generator in (estimator_checks_generator, sklearn_checks_generator)
        for estimator, check in generator(AUGMENTER)
        if check.func.__name__ not in EXPECTED
    ],
)
def test_common_checks(estimator, check):
    check(estimator)


def test_parameter_validation():
    check_param_validation("ConditionalGANAugmenter", AUGMENTER)
