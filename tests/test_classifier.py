import pickle

import numpy as np
import pandas as pd
import pytest
import torch
from sklearn import config_context
from sklearn.base import clone
from sklearn.datasets import load_digits
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from skorch.callbacks import Callback, EarlyStopping
from skorch.dataset import ValidSplit

from skgan import CNNClassifier
from skgan.augment import CutMix, LabelMixing, Mixup, Rotation, Scale, Translation
from skgan.classifier import ARCHITECTURES


@pytest.fixture(scope="module")
def digits():
    X, y = load_digits(return_X_y=True)
    return X.reshape(-1, 8, 8), y


def quick(**params):
    return CNNClassifier(**{"max_updates": 100, "random_state": 0, **params})


LABELS = {
    "strings": np.array([f"digit {i}" for i in range(10)]),
    "negative": np.arange(10) - 20,
    "floats": np.arange(10) * 2.0,
    "int8": np.arange(10, dtype=np.int8),
}


@pytest.mark.parametrize("kind", LABELS)
def test_labels_of_any_type_come_back(kind, digits):
    X, y = digits[0], LABELS[kind][digits[1]]
    classifier = quick().fit(X[:1000], y[:1000])
    predicted = classifier.predict(X[1000:])
    assert predicted.dtype == y.dtype
    assert set(predicted) <= set(y)
    assert classifier.score(X[1000:], y[1000:]) > 0.8
    assert (classifier.classes_ == np.unique(y)).all()


def test_two_labels_that_are_no_indices_score_and_rank_rightly(digits):
    keep = np.isin(digits[1], (3, 7))
    X, y = digits[0][keep], digits[1][keep]
    classifier = quick().fit(X[:250], y[:250])
    assert classifier.score(X[250:], y[250:]) > 0.9
    assert roc_auc_score(y[250:], classifier.predict_proba(X[250:])[:, 1]) > 0.95


VARIANTS = {
    "float64": lambda X: X,
    "float32": lambda X: X.astype(np.float32),
    "uint8": lambda X: X.astype(np.uint8),
    "int64": lambda X: X.astype(np.int64),
    "channels first": lambda X: X[:, None],
    "channels last": lambda X: X[..., None],
    "flat": lambda X: X.reshape(len(X), -1),
    "frame": lambda X: pd.DataFrame(X.reshape(len(X), -1)),
    "list": lambda X: X.tolist(),
}


@pytest.mark.parametrize("variant", VARIANTS)
def test_every_dtype_layout_and_container_gives_the_same(variant, digits):
    X, y = digits[0][:400], digits[1][:400]
    options = {"image_shape": (8, 8)} if variant in ("flat", "frame") else {}
    reference = quick(max_updates=10).fit(X, y).predict_proba(X)
    other = quick(max_updates=10, **options)
    probabilities = other.fit(VARIANTS[variant](X), y).predict_proba(VARIANTS[variant](X))
    np.testing.assert_allclose(probabilities, reference, atol=1e-5)
    np.testing.assert_allclose(probabilities.sum(1), 1, atol=1e-5)


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_architectures_learn_on_colour_images_that_are_not_square(architecture):
    rng = np.random.RandomState(0)
    y = np.arange(120) % 3
    X = rng.rand(120, 3, 16, 19) * 0.5
    X[np.arange(120), y] += 0.5
    classifier = quick(architecture=architecture, max_updates=150, batch_size=32, lr=5e-3).fit(X, y)
    assert classifier.score(X, y) > 0.6


def test_architecture_sizes_are_the_reports():
    module = quick(max_updates=1).fit(np.random.rand(20, 28, 28), np.arange(20) % 2).module_
    shapes = [tuple(p.shape) for p in module.parameters() if p.ndim > 1]
    assert shapes == [(8, 1, 3, 3), (32, 8, 5, 5), (600, 1568), (2, 600)]
    module = quick(max_updates=1, architecture="cnn_tiny").fit(np.random.rand(20, 28, 28), np.arange(20) % 2).module_
    assert [p.shape[0] for p in module.parameters() if p.ndim > 1] == [50, 20, 5, 30, 20, 2]
    module = quick(max_updates=1, architecture="mlp_300").fit(np.random.rand(20, 9), np.arange(20) % 2).module_
    assert [tuple(p.shape) for p in module.parameters() if p.ndim > 1] == [(300, 9), (2, 300)]


@pytest.mark.parametrize("n_rows", [5, 128, 300, 1000])
def test_max_updates_is_exact_whatever_the_rows(n_rows, digits):
    classifier = quick(max_updates=13, max_epochs=1).fit(digits[0][:n_rows], digits[1][:n_rows])
    assert classifier.updates_ == 13
    assert classifier.history[-1, "batches", -1, "event_lr"] < 1e-5


def test_max_epochs_counts_where_max_updates_is_none(digits):
    classifier = CNNClassifier(max_epochs=3, random_state=0).fit(digits[0][:400], digits[1][:400])
    assert classifier.updates_ == 9
    assert len(classifier.history) == 3


def test_the_seed_decides_and_global_streams_stay(digits):
    X, y = digits[0][:300], digits[1][:300]
    numpy_before, torch_before = np.random.get_state()[1].copy(), torch.random.get_rng_state().clone()
    a, b, c = (quick(max_updates=5, random_state=seed).fit(X, y).predict_proba(X) for seed in (0, 0, 1))
    quick(max_updates=2, random_state=None).fit(X, y)
    assert (a == b).all()
    assert not (a == c).all()
    assert (np.random.get_state()[1] == numpy_before).all()
    assert torch.equal(torch.random.get_rng_state(), torch_before)


def test_rows_are_shuffled_so_that_sorted_classes_are_learned(digits):
    order = np.argsort(digits[1][:1000], kind="stable")
    X, y = digits[0][:1000][order], digits[1][:1000][order]
    assert quick().fit(X, y).score(digits[0][1000:], digits[1][1000:]) > 0.8


def test_validation_rows_are_real_rows_only(digits):
    X, y = digits[0][:600], digits[1][:600]
    is_synthetic = np.arange(600) >= 400
    seen = {}

    class Watch(Callback):
        def on_epoch_begin(self, net, dataset_train=None, dataset_valid=None, **kwargs):
            seen["train"], seen["valid"] = np.asarray(dataset_train.indices), np.asarray(dataset_valid.indices)

    split = ValidSplit(4, stratified=True)
    classifier = quick(train_split=split, callbacks=[Watch(), EarlyStopping(patience=50)], max_updates=20)
    classifier.fit(X, y, is_synthetic=is_synthetic)
    assert not is_synthetic[seen["valid"]].any()
    assert len(seen["valid"]) == 100
    assert sorted([*seen["train"], *seen["valid"]]) == list(range(600))
    assert classifier.updates_ == 20
    assert 0 <= classifier.history[-1, "valid_acc"] <= 1
    assert "valid_loss" in classifier.history[-1]


def test_nothing_is_held_out_by_default(digits):
    classifier = quick(max_updates=5).fit(digits[0][:200], digits[1][:200])
    assert "valid_loss" not in classifier.history[-1]


def test_class_weights_raise_the_recall_of_a_rare_class(digits):
    X, y = digits
    keep = np.concatenate([np.flatnonzero(y[:1200] != 8), np.flatnonzero(y[:1200] == 8)[:6]])
    rare = y[1200:] == 8
    plain, weighted = (
        quick(class_weight=weight).fit(X[keep], y[keep]).predict(X[1200:][rare]) for weight in (None, "balanced")
    )
    assert (weighted == 8).mean() > (plain == 8).mean()
    quick(class_weight={c: 1.0 + c for c in range(10)}, max_updates=2).fit(X[:100], y[:100])


def test_augmentation_is_chosen_by_the_images(digits):
    X, y = digits
    classifier = quick(max_updates=2, augment="auto").fit(X, y)
    assert [type(t) for t in classifier.augment_] == [Translation, Rotation, Scale]
    assert clone(classifier).augment == "auto"
    assert quick(max_updates=2).fit(X, y).augment_ == []


def test_mixed_images_count_for_both_labels(digits):
    class Reversed(LabelMixing):
        def mix(self, images):
            return images, torch.arange(len(images)).flip(0), torch.tensor(0.25)

    losses = {}

    class Watch(Callback):
        def on_batch_end(self, net, batch=None, training=False, loss=None, y_pred=None, **kwargs):
            y = batch[1]
            of = torch.nn.functional.cross_entropy
            losses["expected"] = 0.25 * of(y_pred, y) + 0.75 * of(y_pred, y.flip(0))
            losses["seen"] = loss

    X, y = digits
    quick(max_updates=1, augment=Reversed(), callbacks=[Watch()]).fit(X, y)
    torch.testing.assert_close(losses["seen"], losses["expected"])
    quick(max_updates=1, augment=Reversed(), callbacks=[Watch()]).fit(X, y, sample_weight=np.full(len(y), 0.5))
    torch.testing.assert_close(losses["seen"], losses["expected"])


def test_mixing_teaches_and_is_left_out_of_prediction(digits):
    X, y = digits
    model = quick(augment=[Mixup(), CutMix()]).fit(X[:1000], y[:1000])
    assert model.score(X[1000:], y[1000:]) > 0.8
    assert np.array_equal(model.predict_proba(X), model.predict_proba(X))


def test_the_residual_network_is_small_and_learns(digits):
    X, y = digits
    model = quick(architecture="resnet8", max_updates=60, batch_size=64).fit(X[:1000], y[:1000])
    assert 70_000 < sum(p.numel() for p in model.module_.parameters()) < 90_000
    assert model.score(X[1000:], y[1000:]) > 0.8
    assert model.features(X[:5]).shape == (5, 64)


def test_augmentation_is_applied_to_training_batches_only(digits):
    X, y = digits[0][:200], digits[1][:200]
    calls = []

    def watch(images):
        calls.append(images.shape)
        assert images.dtype == torch.float32
        assert images.min() >= -1
        return images

    classifier = quick(max_updates=3, augment=[Translation(0.13), Rotation(5), watch]).fit(X, y)
    classifier.predict(X)
    assert calls == [torch.Size([128, 1, 8, 8])] * 3


def test_it_clones_pickles_and_cross_validates(digits):
    X, y = digits[0][:300], digits[1][:300].astype(str)
    classifier = quick(max_updates=10, optimizer__weight_decay=1e-4).fit(X, y)
    twin = pickle.loads(pickle.dumps(classifier))
    assert (twin.predict_proba(X) == classifier.predict_proba(X)).all()
    again = clone(twin)
    assert again.get_params()["optimizer__weight_decay"] == 1e-4
    assert (again.fit(X, y).predict_proba(X) == classifier.predict_proba(X)).all()
    assert len(cross_val_score(classifier, X, y, cv=2, n_jobs=2, error_score="raise")) == 2
    classifier.set_params(architecture="mlp_300", lr=1e-3).fit(X, y)
    assert isinstance(classifier.module_[2], torch.nn.Sigmoid)


def test_a_module_of_ones_own(digits):
    class Linear(torch.nn.Module):
        def __init__(self, data_shape, n_classes, scale=1.0):
            super().__init__()
            self.linear = torch.nn.Linear(int(np.prod(data_shape)), n_classes)
            self.scale = scale

        def forward(self, x):
            return self.linear(x.flatten(1)) * self.scale

    classifier = quick(module=Linear, module__scale=2.0).fit(digits[0], digits[1])
    assert classifier.module_.scale == 2.0
    assert classifier.score(*digits) > 0.8


@pytest.mark.parametrize(
    ("X", "params", "words"),
    [
        (np.zeros((6, 64)), {}, r"X has shape \(6, 64\): flat rows. cnn_2conv needs to know their image_shape"),
        (np.zeros((6, 64)), {"image_shape": (7, 8)}, "has 56 values, but the rows of X have 64"),
        (np.zeros((6, 3, 3)), {}, "cnn_2conv pools images of 3×3 px away: it needs at least 4 px"),
        (np.zeros((6, 7, 9)), {"architecture": "cnn_tiny"}, "at least 8 px a side"),
        (np.full((6, 8, 8), np.nan), {}, "contains NaN or infinity"),
        (
            np.zeros((6, 8, 8)),
            {"architecture": "resnet"},
            "The 'architecture' parameter of CNNClassifier must be a str among",
        ),
        (
            np.zeros((6, 8, 8)),
            {"max_updates": 0},
            "The 'max_updates' parameter of CNNClassifier must be None or an int in the range",
        ),
        (np.zeros((5, 8, 8)), {}, "inconsistent numbers of samples"),
    ],
)
def test_bad_input_is_refused_in_a_sentence(X, params, words):
    classifier = quick(**params)
    with pytest.raises(ValueError, match=words):
        classifier.fit(X, np.arange(6) % 2)
    assert not hasattr(classifier, "classes_")


def test_images_of_another_size_and_prediction_before_fit_are_refused(digits):
    with pytest.raises(Exception, match=r"fit|initialize"):
        quick().predict(digits[0])
    classifier = quick(max_updates=2).fit(digits[0][:100], digits[1][:100])
    with pytest.raises(ValueError, match=r"have shape \(9, 9\), but those in fit had \(8, 8\)"):
        classifier.predict(np.zeros((2, 9, 9)))


def test_continuous_targets_are_refused(digits):
    with pytest.raises(ValueError, match="Unknown label type: continuous"):
        quick().fit(digits[0][:100], np.linspace(0, 1, 100))


def test_ctrl_c_is_no_finished_training(digits):
    def interrupt(images):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        quick(augment=interrupt).fit(digits[0][:100], digits[1][:100])


def test_weights_of_rows_are_those_of_a_weighted_mean(digits):
    X, y = digits[0][:300], digits[1][:300]
    plain = quick(max_updates=20).fit(X, y).predict_proba(X)
    equal = quick(max_updates=20).fit(X, y, sample_weight=np.full(300, 7.0)).predict_proba(X)
    np.testing.assert_allclose(equal, plain, atol=1e-3)
    large = quick(max_updates=20).fit(X, y, sample_weight=np.full(300, 1e300)).predict_proba(X)
    np.testing.assert_allclose(large, equal, atol=1e-6)
    by_class = {k: 1.0 + k for k in range(10)}
    weighted = quick(max_updates=3, class_weight=by_class).fit(X, y).predict_proba(X)
    by_row = quick(max_updates=3).fit(X, y, sample_weight=[by_class[label] for label in y]).predict_proba(X)
    np.testing.assert_allclose(by_row, weighted, atol=1e-3)
    both = quick(max_updates=20, class_weight=by_class).fit(X, y, sample_weight=[1 / by_class[label] for label in y])
    np.testing.assert_allclose(both.predict_proba(X), plain, atol=1e-3)


def test_rows_of_weight_0_do_not_count(digits):
    X, y = digits[0][:400], digits[1][:400]
    counts = (np.arange(400) < 300).astype(int)
    wrong = np.where(counts, y, (y + 1) % 10)
    classifier = quick(batch_size=16, max_updates=150).fit(X, wrong, sample_weight=counts)
    assert classifier.score(X[300:], y[300:]) > 0.8
    rare = np.zeros(400)
    rare[:2] = 1  # nearly every batch has no row that counts
    losses = quick(batch_size=16, max_updates=30).fit(X, y, sample_weight=rare)
    assert np.isfinite(losses.predict_proba(X)).all()


def test_weights_reach_validation_pipelines_and_searches(digits):
    X, y = digits[0][:300], digits[1][:300]
    weights = (y != 8).astype(float)
    split = ValidSplit(4, stratified=True)
    without_eights = quick(max_updates=10, train_split=split).fit(X, y, sample_weight=weights + 1e-9)
    everything = quick(max_updates=10, train_split=split).fit(X, y)
    assert without_eights.history[-1, "valid_loss"] != everything.history[-1, "valid_loss"]
    pipeline = make_pipeline("passthrough", quick(max_updates=30))
    assert 8 not in pipeline.fit(X, y, cnnclassifier__sample_weight=weights).predict(X)
    with config_context(enable_metadata_routing=True):
        asking = quick(max_updates=30).set_fit_request(sample_weight=True).set_score_request(sample_weight=False)
        assert 8 not in make_pipeline("passthrough", asking).fit(X, y, sample_weight=weights).predict(X)
        assert 8 not in GridSearchCV(asking, {"lr": [2e-3]}, cv=2).fit(X, y, sample_weight=weights).predict(X)


@pytest.mark.parametrize(
    ("params", "given", "error", "words"),
    [
        ({}, {"sample_weigth": np.ones(6)}, TypeError, "no keyword 'sample_weigth': did you mean sample_weight"),
        ({}, {"epochs": 3}, TypeError, "no keyword 'epochs': it takes X, y, is_synthetic and sample_weight"),
        ({}, {"sample_weight": np.ones(5)}, ValueError, r"numbers of shape \(6,\).*got float64 of shape \(5,\)"),
        ({}, {"sample_weight": "balanced"}, ValueError, r"numbers of shape \(6,\).*of shape \(\)"),
        ({}, {"sample_weight": [1, 1, 1, -2, 1, 1]}, ValueError, "at least 0; 1 of 6 are not, such as -2 of row 3"),
        ({}, {"sample_weight": [1, np.inf, np.nan, 1, 1, 1]}, ValueError, "2 of 6 are not, such as inf of row 1"),
        ({}, {"sample_weight": np.zeros(6)}, ValueError, "sample_weight is 0 for all 6 rows"),
        (
            {"criterion__reduction": "sum"},
            {"sample_weight": np.ones(6)},
            ValueError,
            "CrossEntropyLoss with reduction='sum'",
        ),
    ],
)
def test_weights_and_keywords_that_are_refused(params, given, error, words):
    classifier = quick(**params)
    with pytest.raises(error, match=words):
        classifier.fit(np.zeros((6, 8, 8)), np.arange(6) % 2, **given)
    assert not hasattr(classifier, "classes_")


def test_skorchs_own_training_goes_on(digits):
    X, y = digits[0][:200], digits[1][:200]
    classifier = quick(max_updates=4, callbacks__schedule=None).fit(X, y, sample_weight=1.0 + y)
    encoded = classifier.codec_.transform(X)
    classifier.partial_fit(encoded, y.astype(np.int64))
    assert classifier.updates_ == 8
    classifier.fit_loop(encoded, y.astype(np.int64), note="skorch hands this to forward")
    assert classifier.updates_ == 12
    assert np.isfinite(classifier.history[:, "train_loss"]).all()


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("method", ["predict", "predict_proba", "features", "score"])
def test_prediction_refuses_what_fit_refuses(digits, method, value):
    classifier = quick(max_updates=1).fit(digits[0][:50], digits[1][:50])
    X = digits[0][:50].copy()
    X[7, 3, 3] = X[7, 4, 4] = X[9, 0, 0] = value
    with pytest.raises(ValueError, match="Input X contains NaN or infinity in 2 of 50 images"):
        getattr(classifier, method)(*((X, digits[1][:50]) if method == "score" else (X,)))


def test_flat_rows_whose_channels_are_last():
    X = np.random.RandomState(0).randint(0, 256, (30, 16, 16, 3)).astype(np.uint8)
    y = np.arange(30) % 3
    flat = quick(max_updates=5, image_shape=(16, 16, 3), channels="last").fit(X.reshape(30, -1), y)
    assert flat.data_shape_ == (3, 16, 16)
    images = quick(max_updates=5, channels="last").fit(X, y)
    np.testing.assert_array_equal(flat.predict_proba(X.reshape(30, -1)), images.predict_proba(X))
    rows = quick(max_updates=1, architecture="mlp_300", channels="last").fit(X.reshape(30, -1), y)
    assert rows.data_shape_ == (1, 1, 768)
