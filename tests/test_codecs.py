import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy import sparse
from sklearn.base import clone

from skgan.codecs import ImageCodec, TabularCodec, choose_codec, image_layout

# Images


@pytest.mark.parametrize(
    ("shape", "options", "expected", "last"),
    [
        ((9, 3, 28, 31), {}, (3, 28, 31), False),
        ((9, 28, 31, 3), {}, (3, 28, 31), True),
        ((9, 4, 5, 4), {}, (4, 5, 4), False),
        ((9, 4, 5, 4), {"channels": "last"}, (4, 4, 5), True),
        ((9, 28, 31, 3), {"channels": "first"}, (28, 31, 3), False),
        ((9, 50, 31), {}, (1, 50, 31), False),
        ((9, 12), {"image_shape": (3, 4)}, (1, 3, 4), False),
        ((9, 24), {"image_shape": (2, 3, 4)}, (2, 3, 4), False),
    ],
)
def test_layouts_are_found(shape, options, expected, last):
    layout = image_layout(shape, **options)
    assert layout.data_shape == expected
    assert layout.channels_last == last
    X = np.arange(np.prod(shape)).reshape(shape)
    encoded = layout.encode(X)
    assert encoded.shape == (9, *expected)
    assert (layout.decode(encoded) == X).all()


@pytest.mark.parametrize(
    ("shape", "options", "words"),
    [
        ((9, 12), {}, "flat rows .* with image_shape"),
        ((9, 12), {"image_shape": (3, 5)}, "has 15 values, but the rows of X have 12"),
        ((9, 12), {"image_shape": (12,)}, r"must be \(C, H, W\) or \(H, W\)"),
        ((9, 12), {"image_shape": (0, 12)}, "positive sizes"),
        ((9, 3, 4), {"image_shape": (4, 3)}, "describes flat rows"),
        ((9, 3, 4, 5), {"channels": "middle"}, "channels must be 'first', 'last' or None"),
        ((9, 2, 3, 4, 5), {}, "holds no images that can be recognised"),
    ],
)
def test_shapes_that_hold_no_images_are_refused(shape, options, words):
    with pytest.raises(ValueError, match=words):
        image_layout(shape, **options)


IMAGE_DTYPES = [np.uint8, np.int8, np.int16, np.uint16, np.int64, np.uint64, np.float16, np.float32, np.float64, bool]


@pytest.mark.parametrize("dtype", IMAGE_DTYPES, ids=lambda d: np.dtype(d).name)
@pytest.mark.parametrize("shape", [(6, 2, 5, 7), (6, 5, 7, 2), (6, 5, 7)], ids=str)
def test_images_of_every_dtype_and_layout_come_back(dtype, shape):
    X = (np.random.RandomState(0).rand(*shape) * (1 if dtype is bool else 100)).round().astype(dtype)
    codec = ImageCodec().fit(X)
    encoded = codec.transform(X)
    assert encoded.dtype in (np.float32, np.uint8)
    assert encoded.flags.c_contiguous
    back = codec.inverse_transform(encoded)
    assert back.dtype == X.dtype
    assert back.shape == X.shape
    np.testing.assert_allclose(back.astype(float), X.astype(float), rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize("dtype", [np.uint8, np.int32, np.int64, np.uint64])
def test_integers_are_rounded_and_clipped_never_truncated_or_wrapped(dtype):
    X = np.array([0, 10], dtype=dtype).reshape(2, 1, 1).repeat(2, 1)
    codec = ImageCodec(value_range=(0, 10)).fit(X)
    values = codec.inverse_transform(np.array([-3.0, -0.43, 0.58, 7.0], dtype=np.float32).reshape(2, 1, 2, 1))
    assert values.ravel().tolist() == [0, 3, 8, 10]  # 2.85 and 7.9


def test_the_largest_integers_survive():
    X = np.array([np.iinfo(np.int64).min, np.iinfo(np.int64).max]).reshape(2, 1, 1)
    codec = ImageCodec().fit(X)
    assert (codec.inverse_transform(codec.transform(X)) == X).all()


def test_the_range_is_the_dtypes_for_full_uint8_and_the_datas_otherwise():
    full = np.array([3, 200], dtype=np.uint8).reshape(2, 1, 1)
    dark = np.array([3, 16], dtype=np.uint8).reshape(2, 1, 1)
    assert (ImageCodec().fit(full).low_, ImageCodec().fit(full).high_) == (0, 255)
    assert ImageCodec().fit(full).transform(full).dtype == np.uint8
    assert (ImageCodec().fit(dark).low_, ImageCodec().fit(dark).high_) == (3, 16)
    assert ImageCodec().fit(dark).transform(dark).ravel().tolist() == [-1, 1]
    assert ImageCodec(value_range="dtype").fit(dark).high_ == 255
    assert (
        ImageCodec(value_range=(0, 20)).fit(dark).transform(dark) == (dark / 10 - 1).astype(np.float32)[:, None]
    ).all()


def test_uint8_images_in_channels_first_are_not_copied():
    X = np.random.RandomState(0).randint(0, 256, (5, 3, 4, 4), dtype=np.uint8)
    assert np.shares_memory(ImageCodec().fit(X).transform(X), X)


def test_constant_images_come_back():
    X = np.full((4, 3, 3), 7.5)
    codec = ImageCodec().fit(X)
    assert (codec.inverse_transform(codec.transform(X)) == X).all()
    assert (codec.inverse_transform(np.random.randn(2, 1, 3, 3).astype(np.float32)) == 7.5).all()


@pytest.mark.parametrize("value_range", ["all", (3, 1), (1, 2, 3)])
def test_a_wrong_value_range_is_refused(value_range):
    with pytest.raises(ValueError, match="value_range must be"):
        ImageCodec(value_range=value_range).fit(np.zeros((2, 3, 3)))


def test_images_that_would_not_fit_are_refused_with_their_size(monkeypatch):
    monkeypatch.setattr("skgan.codecs._images.memory_limit", lambda: 2**20)
    X = np.zeros((300, 32, 32))
    with pytest.raises(ValueError, match=r"300 images would take 0.00114 GiB.*Pass them as uint8"):
        ImageCodec().fit(X)
    ImageCodec(value_range="dtype").fit(X.astype(np.uint8))


def test_images_of_another_size_are_refused():
    with pytest.raises(ValueError, match=r"have shape \(4, 3\), but those in fit had \(3, 3\)"):
        ImageCodec().fit(np.zeros((2, 3, 3))).transform(np.zeros((2, 4, 3)))


@settings(max_examples=60, deadline=None)
@given(
    hnp.arrays(
        st.sampled_from([np.uint8, np.int32, np.float32, np.float64]),
        hnp.array_shapes(min_dims=3, max_dims=4, max_side=5),
        elements=st.integers(0, 255),
    )
)
def test_any_images_round_trip(X):
    codec = ImageCodec().fit(X)
    back = codec.inverse_transform(codec.transform(X))
    assert back.dtype == X.dtype
    np.testing.assert_allclose(back, X, atol=1e-4 if X.dtype.kind == "f" else 0)


# Tables


def mixed_frame(n=40):
    rng = np.random.RandomState(0)
    return pd.DataFrame(
        {
            "float32": rng.randn(n).astype(np.float32),
            "int": rng.randint(-5, 90, n),
            "Int64": pd.array(rng.randint(0, 9, n), dtype="Int64"),
            "Float64": pd.array(rng.rand(n), dtype="Float64"),
            "bool": rng.rand(n) < 0.5,
            "boolean": pd.array(rng.rand(n) < 0.5, dtype="boolean"),
            "str": pd.Series(rng.choice(["a", "b", "c"], n), dtype="str"),
            "object": np.array(["x", "y", "z"], dtype=object)[rng.randint(0, 3, n)],
            "ordered": pd.Categorical(rng.choice(["low", "high"], n), categories=["low", "mid", "high"], ordered=True),
            "int category": pd.Categorical(rng.choice([7, 40], n)),
            "uint8": rng.randint(0, 256, n).astype(np.uint8),
            "sparse": pd.arrays.SparseArray(np.where(rng.rand(n) < 0.8, 0.0, rng.rand(n))),
        }
    )


def test_frames_of_every_dtype_round_trip():
    X = mixed_frame()
    codec = TabularCodec().fit(X)
    assert [X.columns[j] for j in codec.categorical_indices_] == [
        *("bool", "boolean", "str", "object", "ordered", "int category")
    ]
    encoded = codec.transform(X)
    assert encoded.dtype == np.float32
    assert encoded.shape == (40, 6 + 2 + 2 + 3 + 3 + 2 + 2)
    pd.testing.assert_frame_equal(codec.inverse_transform(encoded), X, rtol=1e-3, atol=1e-4)


def test_anything_decodes_into_seen_values():
    X = mixed_frame()
    codec = TabularCodec().fit(X)
    back = codec.inverse_transform(
        10 * np.random.RandomState(1).randn(500, codec.transform(X).shape[1]).astype(np.float32)
    )
    assert (back.dtypes == X.dtypes).all()
    for name in X:
        if name in ("bool", "boolean", "str", "object", "ordered", "int category"):
            assert set(back[name]) <= set(X[name])
        else:
            assert back[name].min() >= X[name].min()
            assert back[name].max() <= X[name].max()


@pytest.mark.parametrize("scaling", ["quantile", "robust"])
def test_outliers_and_constants_survive(scaling):
    X = np.random.RandomState(0).randn(200, 3)
    X[0, 0], X[1, 0], X[:, 1] = 1e12, -1e300, 4.0
    codec = TabularCodec(scaling=scaling).fit(X)
    encoded = codec.transform(X)
    assert np.isfinite(encoded).all()
    assert np.abs(encoded[:, 1]).max() < 1e-6
    back = codec.inverse_transform(encoded)
    assert (back[:, 1] == 4).all()
    np.testing.assert_allclose(back[2:, 2], X[2:, 2], atol=1e-3)
    assert encoded[2:, 0].std() > 0.1
    np.testing.assert_allclose(back[2:, 0], X[2:, 0], atol=0.2)


@pytest.mark.parametrize("scale", [1e-200, 1e-12, 1e12, 1e200])
@pytest.mark.parametrize("scaling", ["quantile", "robust"])
def test_the_unit_of_a_column_does_not_matter(scaling, scale):
    X = np.random.RandomState(0).randn(200, 2)
    X[:150, 1] = 0
    reference, scaled = TabularCodec(scaling=scaling).fit(X), TabularCodec(scaling=scaling).fit(X * scale)
    np.testing.assert_allclose(scaled.transform(X * scale), reference.transform(X), atol=1e-5)
    np.testing.assert_allclose(scaled.inverse_transform(scaled.transform(X * scale)) / scale, X, atol=1e-3)


def test_integer_columns_stay_exact_beyond_the_floats():
    X = pd.DataFrame({"id": np.array([2**62 + 1, 2**62 + 3, 2**63 - 1, 2**62 + 7]), "x": [0.0, 1, 2, 3]})
    back = TabularCodec().fit(X).inverse_transform(np.array([[-9, 0], [9, 0]], dtype=np.float32))
    assert back["id"].tolist() == [2**62 + 1, 2**63 - 1]


@pytest.mark.parametrize("container", [sparse.csr_matrix, sparse.csc_matrix, sparse.csr_array, sparse.csc_array])
def test_sparse_comes_back_in_its_format_and_agrees_with_dense(container):
    dense = sparse.random(30, 6, 0.3, random_state=0).toarray().astype(np.float32)
    codec, reference = TabularCodec().fit(container(dense)), TabularCodec().fit(dense)
    np.testing.assert_allclose(codec.transform(container(dense)), reference.transform(dense), atol=1e-5)
    back = codec.inverse_transform(reference.transform(dense))
    assert type(back) is container
    assert back.dtype == np.float32
    np.testing.assert_allclose(back.toarray(), dense, atol=1e-5)


@pytest.mark.parametrize("which", [["b", "a"], [0, 1], [-3, 1], [True, True, False], np.array([0, 1])])
def test_categorical_features_by_name_index_or_mask(which):
    X = pd.DataFrame({"a": [1, 2, 2], "b": [3.5, 3.5, 0.1], "c": [0.0, 1.0, 2.0]})
    codec = TabularCodec(categorical_features=which).fit(X)
    assert codec.categorical_indices_.tolist() == [0, 1]
    pd.testing.assert_frame_equal(codec.inverse_transform(codec.transform(X)), X)


@pytest.mark.parametrize(
    ("X", "options", "words"),
    [
        (np.zeros((3, 2)), {"categorical_features": [0, 2]}, r"has the indices \[2\], but X has 2 columns"),
        (np.zeros((3, 2)), {"categorical_features": [True]}, "needs one bool per column"),
        (np.zeros((3, 2)), {"categorical_features": ["a"]}, "X has no column names; give indices"),
        (pd.DataFrame({"a": [1]}), {"categorical_features": ["b"]}, r"names \['b'\] are not among the columns"),
        (pd.DataFrame({"a": [1]}), {"categorical_features": "a"}, r"For one column write \['a'\]"),
        (
            pd.DataFrame({"when": pd.to_datetime(["2020-01-01"])}),
            {},
            "Column 'when' holds dates.*convert it to a number",
        ),
        (pd.DataFrame({"a": ["x", "y"]}), {"categorical_features": None}, "Column 'a' could not be read as numbers"),
        (np.zeros((3, 2)), {"max_categories": 0}, "max_categories must be None or an integer of at least 1, got 0"),
        (np.zeros((3, 2)), {"scaling": "minmax"}, "scaling must be 'quantile' or 'robust'"),
        (
            pd.DataFrame({"name": [str(i) for i in range(2000)], "x": 0.0}),
            {"max_bytes": 10**6, "max_categories": None},
            r"would take 0.0149 GiB.*column 'name' alone has 2000 categories",
        ),
        (np.zeros((3000, 200)), {"max_bytes": 10**6}, "Select fewer columns"),
    ],
)
def test_tables_that_cannot_be_encoded_are_refused_in_a_sentence(X, options, words):
    with pytest.raises(ValueError, match=words):
        TabularCodec(**options).fit(X)


def test_an_unseen_category_is_refused_by_name():
    codec = TabularCodec().fit(pd.DataFrame({"a": ["x", "y"]}))
    with pytest.raises(ValueError, match="Column 'a' holds 'z', a category that was not there in fit"):
        codec.transform(pd.DataFrame({"a": ["z"]}))


FLOATS = st.integers(-10000, 10000).map(lambda i: i / 8) | st.sampled_from([0.0, 1.0])


@settings(max_examples=60, deadline=None)
@given(hnp.arrays(np.float64, st.tuples(st.integers(1, 12), st.integers(1, 4)), elements=FLOATS))
def test_any_numbers_round_trip_within_their_columns_range(X):
    codec = TabularCodec().fit(X)
    encoded = codec.transform(X)
    assert np.isfinite(encoded).all()
    back = codec.inverse_transform(encoded)
    scale = np.maximum(X.max(0) - X.min(0), np.abs(X).max(0) * 1e-6)
    assert (np.abs(back - X) <= 1e-2 * scale + 1e-12).all()
    wild = codec.inverse_transform(np.random.RandomState(0).standard_cauchy((20, X.shape[1])).astype(np.float32) * 50)
    assert (wild >= X.min(0)).all()
    assert (wild <= X.max(0)).all()


@settings(max_examples=40, deadline=None)
@given(st.lists(st.text(max_size=3) | st.booleans() | st.integers(5, 9), min_size=1, max_size=12))
def test_any_categories_round_trip(values):
    X = pd.DataFrame({"a": pd.Series(values, dtype=object), "x": np.arange(len(values), dtype=float)})
    codec = TabularCodec(categorical_features=["a"]).fit(X)
    assert codec.inverse_transform(codec.transform(X))["a"].tolist() == values


def test_codec_auto_takes_images_where_there_are_axes():
    assert isinstance(choose_codec("auto", np.zeros((2, 3, 3))), ImageCodec)
    assert isinstance(choose_codec("auto", np.zeros((2, 9))), TabularCodec)
    own = TabularCodec()
    assert choose_codec(own, np.zeros((2, 9))) is own
    with pytest.raises(ValueError, match="codec must be 'auto' or a codec"):
        choose_codec("image", np.zeros((2, 9)))


@pytest.mark.parametrize("codec", [ImageCodec(), TabularCodec()])
def test_codecs_are_scikit_learn_estimators(codec):
    assert clone(codec).get_params() == codec.get_params()


def test_columns_of_very_many_categories_are_inherited_as_codes():
    X = pd.DataFrame({"id": [f"row {i}" for i in range(30)], "few": list("abc") * 10, "x": np.arange(30)})
    codec = TabularCodec(max_categories=10).fit(X)
    assert codec.categorical_indices_.tolist() == [0, 1]
    assert codec.inherited_.tolist() == [0]
    encoded, codes = codec.transform(X), codec.codes(X)
    assert (encoded.shape, codes.shape, codes.dtype) == ((30, 4), (30, 1), np.int32)
    pd.testing.assert_frame_equal(codec.inverse_transform(encoded, codes), X)
    with pytest.raises(ValueError, match="Column 'id' has more than 10 categories and is not in the encoded rows"):
        codec.inverse_transform(encoded)
    pd.testing.assert_frame_equal(
        codec.inverse_transform(encoded[:5], codes[5:10])[["id"]], X[["id"]][5:10].reset_index(drop=True)
    )


def test_where_every_column_has_very_many_categories_all_are_encoded():
    X = pd.DataFrame({"id": [f"row {i}" for i in range(30)]})
    codec = TabularCodec(max_categories=10).fit(X)
    assert not len(codec.inherited_)
    pd.testing.assert_frame_equal(codec.inverse_transform(codec.transform(X)), X)


def test_columns_of_an_array_are_scaled_together_as_those_of_a_frame_are_one_by_one():
    rng = np.random.RandomState(0)
    n, groups = 40, rng.randint(0, 3, 40)
    kinds = [
        *(rng.randn(n), rng.randint(0, 4, n), np.round(rng.randn(n), 2), np.zeros(n), 10.0 ** rng.randint(-8, 9, n)),
        *(np.where(rng.rand(n) < 0.3, np.nan, rng.randn(n)), 1e308 * rng.uniform(-1, 1, n), np.full(n, np.nan)),
    ]
    X = np.stack([kinds[i % len(kinds)] for i in range(30)], axis=1)
    together, alone = TabularCodec().fit(X), TabularCodec().fit(pd.DataFrame(X))
    encoded = together.transform(X)
    np.testing.assert_array_equal(encoded, alone.transform(pd.DataFrame(X)))
    assert together.spans_ == alone.spans_
    made = (encoded + 0.3 * rng.randn(*encoded.shape)).astype(np.float32)
    np.testing.assert_array_equal(together.inverse_transform(made), alone.inverse_transform(made).to_numpy())
    shares = rng.rand(n)
    np.testing.assert_array_equal(
        together.between(encoded, encoded[::-1], shares), alone.between(encoded, encoded[::-1], shares)
    )
    for one, other in zip(
        together.ranges(X, groups).values(), alone.ranges(pd.DataFrame(X), groups).values(), strict=True
    ):
        np.testing.assert_array_equal(one, other)
