"""NaN in tables: new rows have values missing as real ones do, in every container; images and sparse matrices refuse it."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.ensemble import HistGradientBoostingClassifier

from skgan import ConditionalGANAugmenter, GANOverSampler
from skgan.codecs import TabularCodec
from skgan.filters import ClassifierFilter
from skgan.presets import gaussian, mlp_gan, offspring

NETS = {
    "mlp_gan": mlp_gan(alpha=1, max_steps=5, batch_size=8),
    "offspring": offspring(max_steps=5, batch_size=8),
    "gaussian": gaussian(),
}


@pytest.fixture
def frame():
    """80 rows; b is missing in half of class 1 and never in class 0, d only together with b."""
    rng = np.random.RandomState(0)
    y = np.repeat([0, 1], [60, 20])
    gone = (y == 1) & (rng.uniform(size=80) < 0.5)
    X = pd.DataFrame(
        {
            "a": rng.standard_normal(80),
            "b": np.where(gone, np.nan, rng.standard_normal(80)),
            "c": pd.array([None if g else i for i, g in enumerate(gone)], dtype="Int64"),
            "d": pd.Categorical(np.where(gone, None, rng.choice(["x", "y"], 80))),
            "e": pd.array([None if i % 7 == 0 else bool(i % 2) for i in range(80)], dtype="boolean"),
            "f": ["s" if i % 3 else None for i in range(80)],
        }
    )
    return X, y


@pytest.mark.parametrize("net", NETS)
def test_new_rows_lack_values_as_real_rows_do(frame, net):
    X, y = frame
    X_new, _ = GANOverSampler(net=NETS[net], random_state=0).fit_resample(X, y)
    pd.testing.assert_frame_equal(X_new[:80], X)
    assert X_new.dtypes.equals(X.dtypes)
    made = X_new[80:]
    assert set(made["d"].dropna()) <= {"x", "y"}
    assert made["a"].notna().all()
    if net == "offspring":  # copies its parent's pattern, mixtures vote: missing together or not at all
        assert (made["b"].isna() == made["d"].isna()).all()
        assert (made["b"].isna() == made["c"].isna()).all()
        assert 0.2 < made["b"].isna().mean() < 0.8


def test_arrays_lists_and_object_arrays(frame):
    X, y = frame[0][["a", "b"]].to_numpy(), frame[1]
    sampler = GANOverSampler(net=NETS["offspring"], random_state=0)
    expected = sampler.fit_resample(X, y)[0]
    assert np.isnan(expected[80:, 1]).any()
    for other in (X.tolist(), X.astype(object)):
        np.testing.assert_allclose(np.array(sampler.fit_resample(other, y)[0], float), expected)
    single = sampler.fit_resample(X.astype(np.float32), y)[0]
    assert single.dtype == np.float32


def test_in_a_pipeline_with_filter_and_augmenter(frame):
    X, y = frame
    X = X[["a", "b"]]
    sampler = GANOverSampler(net=NETS["offspring"], row_filter=ClassifierFilter(), random_state=0)
    X_new, y_new = sampler.fit_resample(X, y)
    assert HistGradientBoostingClassifier().fit(X_new, y_new).score(X, y) > 0.7
    X_new, _ = ConditionalGANAugmenter(0.5, net=NETS["mlp_gan"], random_state=0).fit_resample(X, y)
    assert len(X_new) == 120


def test_a_column_that_is_always_missing_stays_so():
    X = np.c_[np.arange(20.0), np.full(20, np.nan)]
    X_new = GANOverSampler(net=NETS["mlp_gan"], random_state=0).fit_resample(X, np.repeat([0, 1], [15, 5]))[0]
    assert np.isnan(X_new[:, 1]).all()
    assert np.isfinite(X_new[:, 0]).all()


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.lists(st.one_of(st.none(), st.integers(-1000, 1000)), min_size=3, max_size=3), min_size=2, max_size=20)
)
def test_encoding_keeps_the_pattern(rows):
    X = np.array(rows, dtype=float)
    codec = TabularCodec().fit(X)
    encoded = codec.transform(X)
    assert np.isfinite(encoded).all()
    back = codec.inverse_transform(encoded)
    np.testing.assert_array_equal(np.isnan(back), np.isnan(X))
    np.testing.assert_allclose(back, X, atol=0.1)


def test_a_column_that_was_complete_in_fit_must_stay_so():
    codec = TabularCodec().fit(pd.DataFrame({"a": [1.0, 2.0], "b": [1.0, np.nan]}))
    with pytest.raises(ValueError, match="Column 'a' has missing values, and there were none in fit"):
        codec.transform(pd.DataFrame({"a": [np.nan], "b": [1.0]}))
