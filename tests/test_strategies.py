import copy
import pickle

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from imblearn.over_sampling import RandomOverSampler

from skgan import at_least, halfway


def test_at_least_brings_classes_up_and_never_down():
    y = np.repeat([0, 1, 2], [100, 29, 60])
    assert at_least(0.5)(y) == {0: 100, 1: 50, 2: 60}
    assert at_least(0.1)(y) == {0: 100, 1: 29, 2: 60}
    assert at_least(1.5)(y) == {0: 150, 1: 150, 2: 150}


def test_it_is_readable_comparable_hashable_and_picklable():
    strategy = at_least(0.25)
    assert repr(strategy) == "at_least(0.25)"
    for twin in (pickle.loads(pickle.dumps(strategy)), copy.deepcopy(strategy), at_least(0.25)):
        assert twin == strategy
        assert hash(twin) == hash(strategy)
    assert at_least(0.5) != strategy


@given(st.lists(st.integers(1, 30), min_size=2, max_size=5), st.floats(0.01, 3))
def test_any_fold_is_fine_for_imbalanced_learn(counts, ratio):
    y = np.repeat(np.arange(len(counts)), counts)
    _, y_new = RandomOverSampler(sampling_strategy=at_least(ratio)).fit_resample(np.zeros((len(y), 1)), y)
    for klass, count in enumerate(counts):
        assert (y_new == klass).sum() == max(count, int(ratio * max(counts)))


@pytest.mark.parametrize("ratio", [0, -1, float("nan"), float("inf"), "half"])
def test_other_ratios_are_refused(ratio):
    with pytest.raises(ValueError, match="at_least takes a ratio above 0"):
        at_least(ratio)


def test_halfway_goes_to_the_geometric_mean_and_never_down():
    y = np.array(["a"] * 900 + ["b"] * 100 + ["c"] * 1)
    assert halfway(y) == {"a": 900, "b": 300, "c": 30}
    assert halfway(y.astype(object)) == {"a": 900, "b": 300, "c": 30}
    _, y_new = RandomOverSampler(sampling_strategy=halfway).fit_resample(np.zeros((1001, 1)), y)
    assert np.unique(y_new, return_counts=True)[1].tolist() == [900, 300, 30]
    assert halfway(np.repeat([0, 1], 10**6)) == {0: 10**6, 1: 10**6}
