import pickle

import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.base import clone
from sklearn.datasets import load_digits
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import cross_val_score
from skorch.callbacks import Callback, EarlyStopping
from skorch.dataset import ValidSplit

from skgan import CNNClassifier
from skgan.augment import Rotation, Translation
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
