"""One suite for every preset: what it runs on, and what it refuses in a sentence."""

import pickle
import warnings

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone

from skgan import ConditionalGANAugmenter, GANOverSampler, presets
from skgan.modules import MLPGAN

N_CLASSES = (14, 6, 4)
SMALL = {  # makes a preset train in milliseconds; nothing else of it is changed
    "autoencoder": {"module__width": 4, "module__hidden": (8,), "module__latent_dim": 4},
    "cyclegan": {"module__width": 4, "module__n_blocks": 1},
    "dagan": {"module__width": 4, "module__n_features": 8, "module__code_dim": 4},
    "dcgan": {"module__width": 4, "module__n_features": 8},
    "flow": {"module__width": 8},
    "gaussian": {},
    "genclass": {"module__width": 4, "module__alpha": 1, "module__n_dims": 4, "attributes": np.eye(3)},
    "gtn": {"unroll_steps": 3, "inner_batch_size": 6, "module__width": 4, "module__alpha": 1, "learner__width": 4},
    "mlp_gan": {"module__alpha": 1},
    "offspring": {},
    "photo_gan": {"module__width": 8},
    "predictor_gan": {},
    "predictor_mlp_gan": {},
    "progan": {"module__width": 2},
    "relativistic_gan": {"module__width": 4, "module__n_features": 8},
    "vae": {"module__width": 4, "module__hidden": (8,), "module__latent_dim": 4},
    "vae_gan": {"module__width": 4, "module__hidden": (8,), "module__latent_dim": 4, "module__n_features": 8},
    "wgan_gp": {"module__width": 4, "module__n_features": 8},
}
# Preset → what it says to images with classes, rows with classes, and real-valued labels (None: it runs)
CLASSES_ONLY = "makes rows of classes, not for real-valued labels|condition_dim"
NO_CLASSES = "there are only classes here"
NOT_A_TABLE = "makes images of shape"
REFUSES = {
    "autoencoder": (None, None, None),
    "cyclegan": (None, None, CLASSES_ONLY),
    "dagan": (None, None, CLASSES_ONLY),
    "dcgan": (None, NOT_A_TABLE, None),
    "flow": ("makes rows of a table", None, None),
    "genclass": (None, None, CLASSES_ONLY),
    "gaussian": (None, None, CLASSES_ONLY),
    "gtn": (None, None, CLASSES_ONLY),
    "mlp_gan": (None, None, None),
    "offspring": (None, None, CLASSES_ONLY),
    "photo_gan": (None, NOT_A_TABLE, None),
    "predictor_gan": (NO_CLASSES, "images of shape|only classes", None),
    "predictor_mlp_gan": (NO_CLASSES, NO_CLASSES, None),
    "progan": (None, NOT_A_TABLE, None),
    "relativistic_gan": (None, NOT_A_TABLE, None),
    "vae": (None, None, None),
    "vae_gan": (None, None, None),
    "wgan_gp": (None, NOT_A_TABLE, None),
}
RUNS = {
    kind: [name for name in presets.__all__ if REFUSES[name][i] is None]
    for i, kind in enumerate(("images", "rows", "labels"))
}
SEVERAL_CLASSES = [name for name in presets.__all__ if getattr(presets, name)().needs_classes]
REFUSED = [(name, i) for name in presets.__all__ for i in range(3) if REFUSES[name][i]]


def net_of(name: str, **params):
    return getattr(presets, name)(**{**SMALL[name], "max_steps": 2, "batch_size": 6, **params})


@pytest.fixture
def pictures():
    rng = np.random.RandomState(0)
    return rng.randint(0, 256, (24, 1, 28, 28), dtype=np.uint8), np.repeat(["a", "b", "c"], N_CLASSES)


@pytest.fixture
def rows():
    rng = np.random.RandomState(0)
    X = pd.DataFrame({"a": rng.standard_normal(24), "b": rng.poisson(3, 24), "same": 1.0})
    return X.assign(kind=pd.Categorical(rng.choice(["u", "v"], 24))), np.repeat([0, 1, 2], N_CLASSES)


def test_the_table_is_complete():
    assert set(presets.__all__) == set(REFUSES) == set(SMALL)


@pytest.mark.parametrize("name", presets.__all__)
def test_a_docstring_shows_the_net_that_the_preset_makes(name):
    make = getattr(presets, name)
    net, text = make(), make.__doc__
    kind = type(net).__name__
    assert repr(net).startswith(f"{kind}(module={net.module.__name__}, ")
    assert text.endswith(f"Returns\n-------\n{kind}\n    ``{net!r}``")
    assert text.count("Parameters\n----------") == 1
    assert f"**params\n    Any parameter of :class:`skgan.nets.{kind}`" in text
    assert "max_steps=77" in repr(make(max_steps=77))


@pytest.mark.parametrize("name", presets.__all__)
def test_clone_pickle_and_parameters(name):
    net = net_of(name)
    assert clone(net).get_params()["max_steps"] == 2
    assert pickle.loads(pickle.dumps(net)).get_params()["batch_size"] == 6
    assert net.set_params(lr=1e-5).lr == 1e-5


@pytest.mark.parametrize(
    ("name", "per_class"),
    [(name, per_class) for name in RUNS["images"] for per_class in (False, True)[: 1 + (name not in SEVERAL_CLASSES)]],
)
def test_images(name, per_class, pictures):
    X, y = pictures
    sampler = GANOverSampler(net=net_of(name), per_class=per_class, random_state=0)
    X_new, y_new = sampler.fit_resample(X, y)
    assert np.unique(y_new, return_counts=True)[1].tolist() == [14, 14, 14]
    np.testing.assert_array_equal(X_new[:24], X)
    assert X_new.dtype == np.uint8
    again = pickle.loads(pickle.dumps(sampler)).sample({"c": 3})[0]
    np.testing.assert_array_equal(again, sampler.sample({"c": 3})[0])
    if not per_class:
        assert (X_new == clone(sampler).fit_resample(X, y)[0]).all()


@pytest.mark.parametrize("name", RUNS["rows"])
def test_rows(name, rows):
    X, y = rows
    X_new, y_new = GANOverSampler(net=net_of(name), random_state=0).fit_resample(X, y)
    assert np.bincount(y_new).tolist() == [14, 14, 14]
    assert X_new.dtypes.equals(X.dtypes)
    assert np.isfinite(X_new[["a", "b", "same"]]).all().all()
    assert set(X_new["kind"]) <= {"u", "v"}
    assert (X_new["same"] == 1).all()
    pd.testing.assert_frame_equal(X_new, GANOverSampler(net=net_of(name), random_state=0).fit_resample(X, y)[0])


@pytest.mark.parametrize(("kind", "name"), [(kind, name) for kind in ("images", "rows") for name in RUNS[kind]])
def test_an_amount_of_every_class(name, kind, request):
    X, y = request.getfixturevalue("pictures" if kind == "images" else "rows")
    X_new, y_new = ConditionalGANAugmenter(0.5, net=net_of(name), random_state=0).fit_resample(X, y)
    assert np.unique(y_new, return_counts=True)[1].tolist() == [21, 9, 6]
    assert len(X_new) == 36


@pytest.mark.parametrize("name", RUNS["labels"])
def test_real_valued_labels(name, pictures, rows):
    images = name not in ("flow", "mlp_gan", "predictor_mlp_gan")
    X = pictures[0] if images else rows[0]
    y = np.random.RandomState(0).uniform(size=24)
    augmenter = ConditionalGANAugmenter(0.5, net=net_of(name), random_state=0)
    X_new, y_new = augmenter.fit_resample(X, y)
    assert len(X_new) == len(y_new) == 36
    assert len(augmenter.sample_at([0.1, 0.9])) == 2


@pytest.mark.parametrize(("name", "case"), REFUSED)
def test_what_is_refused_in_a_sentence(name, case, pictures, rows):
    on_rows = case == 1 or name in ("gaussian", "predictor_mlp_gan")
    X = rows[0][["a", "b", "same"]] if on_rows else pictures[0]
    y = np.linspace(0, 1, 24) if case == 2 else rows[1]
    sampler = ConditionalGANAugmenter if case == 2 else GANOverSampler
    with pytest.raises((ValueError, TypeError), match=REFUSES[name][case]):
        sampler(net=net_of(name), random_state=0).fit_resample(X, y)


@pytest.mark.parametrize("name", SEVERAL_CLASSES)
def test_one_net_a_class_is_refused_by_those_that_learn_from_several(name, pictures):
    with pytest.raises(ValueError, match="learns from several; set per_class=False"):
        GANOverSampler(net=net_of(name), per_class=True).fit_resample(*pictures)


@pytest.mark.parametrize("name", ["wgan_gp", "relativistic_gan"])
def test_recipes_also_run_on_tables_with_the_mlp_pair(name, rows):
    X, y = rows
    params = {"module": MLPGAN, "module__alpha": 1, "max_steps": 2, "batch_size": 6}
    norm = {"module__norm": "none"} if name == "relativistic_gan" else {}
    X_new, _ = GANOverSampler(net=getattr(presets, name)(**params, **norm), random_state=0).fit_resample(X, y)
    assert len(X_new) == 42


# A Gaussian's covariance of 4,096 pixels takes half a minute
@pytest.mark.parametrize("name", [name for name in RUNS["images"] if name != "gaussian"])
@pytest.mark.parametrize("shape", [(3, 50, 50), (1, 64, 64)], ids=str)
def test_other_sizes_without_classes(name, shape):
    X = np.random.RandomState(0).randint(0, 256, (12, *shape), dtype=np.uint8)
    one_a_class = name not in SEVERAL_CLASSES
    attributes = {"attributes": np.eye(2)} if name == "genclass" else {}
    sampler = ConditionalGANAugmenter(0.5, net=net_of(name, **attributes), per_class=one_a_class, random_state=0)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        X_new, _ = sampler.fit_resample(X, np.repeat([0, 1], 6))
    assert X_new.shape == (18, *shape)


def test_the_mnist_reports_settings(images):
    X, y = images
    net = presets.mlp_gan(1, **presets.MLP_GAN_AS_PUBLISHED, max_steps=2)
    sampler = ConditionalGANAugmenter(0.5, net=net, per_class=True, random_state=0)
    X_new, _ = sampler.fit_resample(X, y)
    assert len(X_new) > len(X)
    rates = {name: options["lr"] for name, options in net.optimizer__param_groups} | {"generator": net.lr}
    assert rates == {"discriminator.*": 7.5e-4, "generator": 1.5e-4}
    assert (net.n_generator, net.n_critic, net.batch_size) == (2, 1, 25)
