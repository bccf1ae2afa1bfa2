"""Bad input gets a sentence, before training, and leaves nothing behind."""

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
import torch
from scipy import sparse
from sklearn.preprocessing import StandardScaler

from skgan import ConditionalGANAugmenter, GANOverSampler
from skgan.codecs import ImageCodec, TabularCodec
from skgan.filters import AllOf, ClassifierFilter, DiscriminatorFilter
from skgan.nets import GenerativeNet
from skgan.presets import dcgan, mlp_gan

Y = np.repeat([0, 1], [20, 10])
X = np.random.RandomState(0).randn(30, 3)
IMAGES = np.random.RandomState(0).rand(30, 2, 6, 6)


@pytest.fixture(autouse=True)
def never_train(monkeypatch):
    monkeypatch.setattr(GenerativeNet, "fit", lambda *a, **k: pytest.fail("training began"))


def with_value(value, X=X, at=(4, 1)):
    X = X.copy()
    X[at] = value
    return X


def ragged():
    X = np.empty(30, dtype=object)
    X[:] = [np.zeros((4 + i % 2, 5)) for i in range(30)]
    return X


def frame(**columns):
    return pd.DataFrame(X, columns=["a", "b", "c"]).assign(**columns)


@pytest.mark.parametrize(
    ("data", "target", "params", "words"),
    [
        (with_value(np.inf), Y, {}, r"Input X contains infinity.*\nThe first is in row 4, column 1\. .*SimpleImputer"),
        (
            with_value(np.nan),
            Y,
            {"codec": ImageCodec(image_shape=(1, 3))},
            r"contains NaN.\nThe first is in row 4, column 1",
        ),
        (with_value(np.nan, IMAGES, (7, 1, 2, 3)), Y, {}, r"contains NaN.\nThe first is in row 7, column 1, 2, 3"),
        (frame(b=with_value(-np.inf)[:, 1]), Y, {}, r"contains infinity.*\nThe first is in row 4, column 'b'"),
        (sparse.csr_matrix(with_value(np.nan)), Y, {}, r"contains NaN.\nThe first is in row 4, column 1"),
        (X, np.where(np.arange(30) == 3, np.nan, Y), {}, "Input y contains NaN"),
        (X, np.zeros(30), {}, "needs to have more than 1 class"),
        (X[:0], Y[:0], {}, "0 sample"),
        (frame().iloc[:0], Y[:0], {}, "0 sample|minimum of 1 sample"),
        (X[:, :0], Y, {}, "0 feature"),
        (X[:5], Y, {}, "inconsistent numbers of samples"),
        (frame().iloc[:5], Y, {}, "inconsistent numbers of samples"),
        (X[:, 0], Y, {}, "Expected 2D array"),
        (ragged(), Y, {}, r"object array of shape \(30,\) that holds ndarray values.*numpy.stack"),
        (IMAGES.astype(object), Y, {}, r"object array of shape \(30, 2, 6, 6\).*one numeric array"),
        (IMAGES.astype(str), Y, {}, "Images must be numbers"),
        (IMAGES[:, None], Y, {}, "holds no images that can be recognised"),
        (X.astype(complex), Y, {}, "Complex data not supported"),
        (X, np.linspace(0, 1, 30), {}, "Unknown label type: continuous"),
        (X, np.arange(90).reshape(30, 3) % 2, {}, "Multilabel and multioutput targets are not supported"),
        (X, Y, {"sampling_strategy": {5: 40}}, r"The \{.*5.*\} target class is/are not present in the data"),
        (X, Y, {"sampling_strategy": {1: 3}}, "greater or equal to the original number of samples"),
        (X, Y, {"sampling_strategy": 0.2}, "remove samples from the minority class"),
        (X, Y, {"sampling_strategy": 1.5}, "The 'sampling_strategy' parameter"),
        (X, Y, {"codec": ImageCodec(image_shape=(2, 2))}, "has 4 values, but the rows of X have 3"),
        (IMAGES, Y, {"codec": ImageCodec(image_shape=(3, 24))}, "image_shape describes flat rows"),
        (IMAGES, Y, {"codec": ImageCodec(channels="second")}, "channels must be 'first', 'last' or None"),
        (
            X,
            Y,
            {"net": "dc_gan"},
            r"net='dc_gan' is no preset; there are 'autoencoder', 'cyclegan', .* and 'auto'. Did you mean 'dcgan'\?",
        ),
        (X, Y, {"net": "stylegan7"}, "is no preset; there are"),
        (X, Y, {"net": {0: mlp_gan(), 1: mlp_gan()}}, "set per_class=True as well"),
        (
            X,
            Y,
            {"net": {1: mlp_gan(), 7: mlp_gan()}, "per_class": True},
            r"no classes of y: \[7\]; the classes are \[0, 1\]",
        ),
        (X, Y, {"net": {0: mlp_gan()}, "per_class": True}, r"no entry for the classes \[1\]"),
        (
            X,
            Y,
            {"net": mlp_gan(batch_size=0)},
            "'batch_size' parameter of AdversarialNet must be an int .* Got 0",
        ),
        (X, Y, {"max_steps": 0}, "The 'max_steps' parameter"),
        (X, Y, {"max_time": 0}, "The 'max_time' parameter"),
        (X, Y, {"device": "gpu"}, "device='gpu' is no device that torch knows"),
        (
            IMAGES,
            Y,
            {"row_filter": DiscriminatorFilter()},
            "needs one net for all classes whose discriminator judges single",
        ),
        (X, Y, {"row_filter": DiscriminatorFilter(), "per_class": True}, "needs one net for all classes"),
        (
            X,
            Y,
            {"row_filter": AllOf([ClassifierFilter(quantile=2)])},
            r"quantile is a quantile and must lie in \[0, 1\]",
        ),
        (X, Y, {"codec": "pca"}, "The 'codec' parameter of GANOverSampler must be a str among .'auto'. or an instance"),
        (X, Y, {"codec": StandardScaler()}, r"instance of 'skgan.codecs.base.Codec'. Got StandardScaler\(\)"),
        (X, Y, {"max_steps": True}, "The 'max_steps' parameter of GANOverSampler .* Got True"),
        (X, Y, {"row_filter": StandardScaler()}, "instance of 'skgan.filters.RowFilter'"),
        (X, Y, {"categorical_features": [3]}, r"has the indices \[3\], but X has 3 columns"),
        (frame(), Y, {"categorical_features": ["d"]}, r"names \['d'\] are not among the columns"),
        (frame(d=pd.to_datetime("2020-01-01")), Y, {}, "Column 'd' holds dates"),
        (frame().set_axis(["a", "b", "a"], axis=1), Y, {}, "'a' is there more than once"),
        (
            frame(name=[f"id {i}" for i in range(30)]),
            Y,
            {"codec": TabularCodec(max_bytes=2000)},
            "column 'name' alone has 30 categories",
        ),
    ],
)
def test_value_errors_say_what_and_where(data, target, params, words):
    sampler = GANOverSampler(random_state=0, **params)
    with pytest.raises(ValueError, match=words):
        sampler.fit_resample(data, target)
    assert not hasattr(sampler, "training_history_") or sampler.training_history_.empty


SEVERAL = "Multilabel and multioutput targets are not supported"
INDICATORS = np.array([[1, 1, 0]] * 10 + [[0, 1, 0]] * 10 + [[0, 0, 0]] * 10)


@pytest.mark.parametrize("sampler", [GANOverSampler, ConditionalGANAugmenter])
@pytest.mark.parametrize(
    ("target", "words"),
    [
        (INDICATORS, r"sets, classes = numpy\.unique\(y, axis=0, return_inverse=True\)"),
        (INDICATORS.astype(bool), "one column at a time"),
        (INDICATORS.tolist(), "one column at a time"),
        (pd.DataFrame(INDICATORS, columns=list("abc")), "the label powerset"),
        (sparse.csr_matrix(INDICATORS), "the label powerset"),
        (pd.DataFrame({"u": ["a", "b", "b"] * 10, "v": ["c", "d", "c"] * 10}), "the label powerset"),
        ([["a"], ["a", "b"], []] * 10, r"such as \['a'\]\. .*MultiLabelBinarizer"),
        ([{"a"}, {"a", "b"}, {"b"}] * 10, "MultiLabelBinarizer"),
        (pd.Series([["a"]] * 15 + [["b"]] * 15), "MultiLabelBinarizer"),
        (np.zeros((30, 2, 2)), r"give one class a row, of shape \(30,\)"),
    ],
)
def test_several_labels_a_row_are_refused_with_two_ways_out(sampler, target, words):
    with pytest.raises(ValueError, match=f"{SEVERAL}.*{words}" if "such as" not in words else words):
        sampler().fit_resample(X, target)


@pytest.mark.parametrize("sampler", [GANOverSampler(), ConditionalGANAugmenter(target="class")])
@pytest.mark.parametrize("container", [np.asarray, pd.Series, list, pl.Series, lambda y: y.reshape(-1, 1)])
def test_real_numbers_are_pointed_to_the_augmenter(sampler, container):
    words = r"Unknown label type: continuous. y holds 30 different real numbers.*ConditionalGANAugmenter\(target='continuous'\)"
    with pytest.raises(ValueError, match=words):
        sampler.fit_resample(X, container(np.linspace(0, 1, 30)))
    with pytest.raises(ValueError, match=r"real numbers: ConditionalGANAugmenter\(target='continuous'\)"):
        sampler.fit_resample(X, np.linspace(0, 1, 60).reshape(30, 2))


class FakeCuda(torch.Tensor):
    is_cuda = True


@pytest.mark.parametrize(
    ("data", "target", "params", "words"),
    [
        (pa.table({"a": X[:, 0]}), Y, {}, r"X is a pyarrow Table. Convert it first, with .to_pandas\(\)"),
        (X, pl.Series(Y).to_frame().lazy(), {}, "y is a polars LazyFrame"),
        (torch.tensor(X, requires_grad=True), Y, {}, r"records gradients. Pass X.detach\(\).cpu\(\).numpy\(\)"),
        (torch.tensor(X).as_subclass(FakeCuda), Y, {}, r"arrays in the CPU's memory; X is a tensor on .*\.cpu\(\)"),
        (X, Y, {"net": dcgan}, "dcgan"),
    ],
)
def test_type_errors_say_what_to_do(data, target, params, words):
    with pytest.raises((TypeError, ValueError), match=words):
        GANOverSampler(**params).fit_resample(data, target)


def test_a_class_for_a_net_is_refused():
    from skgan.nets import AdversarialNet

    with pytest.raises((TypeError, ValueError), match="net"):
        GANOverSampler(net=AdversarialNet).fit_resample(X, Y)


@pytest.mark.parametrize("net", ["auto", "dcgan", "nonsense"])
def test_parameters_of_a_preset_by_name_are_refused_with_the_way_out(net):
    with pytest.raises(ValueError, match=r"net__max_steps cannot be set because net='.*' is no object.*max_steps=…\)"):
        GANOverSampler(net=net).set_params(net__max_steps=3)
    sampler = GANOverSampler(net=net).set_params(net=dcgan(), net__max_steps=3)
    assert sampler.net.max_steps == 3


def test_a_module_that_cannot_make_categories_says_so():
    class Plain(torch.nn.Module):
        def __init__(self, data_shape, n_classes):
            super().__init__()

    data = frame(b=["x", "y"] * 15)
    with pytest.raises(ValueError, match=r"X has categorical columns, and Plain cannot make them.*net='mlp_gan'"):
        GANOverSampler(net=mlp_gan(module=Plain)).fit_resample(data, Y)


@pytest.mark.skipif(torch.cuda.is_available(), reason="shows the fallback of machines without CUDA")
def test_an_absent_cuda_device_warns(monkeypatch):
    monkeypatch.undo()
    sampler = GANOverSampler(net=mlp_gan(alpha=1, max_steps=2), device="cuda", random_state=0)
    with pytest.warns(UserWarning, match="no CUDA device here; the CPU is used instead"):
        sampler.fit_resample(X, Y)


def test_a_refused_call_leaves_the_fitted_sampler_and_the_data_as_they_were(monkeypatch):
    monkeypatch.undo()
    sampler = GANOverSampler(net=mlp_gan(alpha=1, max_steps=3), random_state=0)
    sampler.fit_resample(X, Y)
    rows, _ = sampler.sample({1: 3})
    broken = with_value(np.inf)
    before = broken.copy()
    with pytest.raises(ValueError, match="contains infinity"):
        sampler.fit_resample(broken, Y)
    np.testing.assert_array_equal(broken, before)
    assert (sampler.sample({1: 3})[0] == rows).all()


def test_dcgan_on_rows_is_refused_before_any_step(monkeypatch):
    monkeypatch.undo()
    with pytest.raises(ValueError, match=r"DCGAN makes images.*net='mlp_gan'"):
        GANOverSampler(net="dcgan").fit_resample(X, Y)
