"""How long a fit will take, said before it and by it."""

import time
import warnings

import numpy as np
import pytest
from sklearn.base import clone

from skgan import ConditionalGANAugmenter, GANOverSampler
from skgan.exceptions import LongTrainingWarning
from skgan.presets import dcgan, mlp_gan, progan


@pytest.fixture
def rows():
    rng = np.random.RandomState(0)
    return rng.normal(size=(140, 6)).astype(np.float32), np.repeat([0, 1, 2], [100, 30, 10])


@pytest.mark.slow
@pytest.mark.parametrize("per_class", [False, True])
def test_the_estimate_is_near_what_a_fit_takes(rows, per_class):
    sampler = GANOverSampler(net=mlp_gan(alpha=2, max_steps=1500), per_class=per_class, random_state=0)
    estimate = sampler.estimate(*rows)
    begin = time.perf_counter()
    sampler.fit_resample(*rows)
    assert 0.4 < estimate.seconds / (time.perf_counter() - begin) < 2.5


def test_more_steps_take_longer_and_nothing_is_changed(rows):
    short = GANOverSampler(net=mlp_gan(alpha=1, max_steps=20), random_state=0)
    long = clone(short).set_params(net__max_steps=100_000)
    before = vars(long).copy()
    X, y = rows[0].copy(), rows[1].copy()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        estimates = [sampler.estimate(*rows) for sampler in (short, long)]
    assert estimates[1].seconds > 20 * estimates[0].seconds
    assert vars(long) == before
    np.testing.assert_array_equal(X, rows[0])
    np.testing.assert_array_equal(y, rows[1])
    assert str(estimates[1]).startswith("about ")


def test_what_max_time_allows_is_an_upper_bound(rows):
    sampler = GANOverSampler(net=mlp_gan(alpha=1), max_steps=100_000, max_time=3.0, random_state=0)
    assert sampler.estimate(*rows).seconds < 10


def test_memory_of_images_is_more_than_the_result():
    X = np.random.RandomState(0).randint(0, 256, (64, 3, 32, 32)).astype(np.uint8)
    y = np.repeat([0, 1], [48, 16])
    estimate = ConditionalGANAugmenter(1.0, net=dcgan(), max_steps=50, random_state=0).estimate(X, y)
    assert estimate.bytes is None or estimate.bytes > 2 * X.nbytes


def test_a_balanced_y_needs_no_training(rows):
    assert GANOverSampler(random_state=0).estimate(rows[0], np.arange(140) % 2).seconds < 5


def test_bad_input_is_refused_as_by_a_fit(rows):
    with pytest.raises(ValueError, match="max_steps"):
        GANOverSampler(max_steps=0).estimate(*rows)


def test_a_long_training_is_told_of_once(rows):
    sampler = GANOverSampler(net=mlp_gan(alpha=1, max_steps=10_000_000), random_state=0)
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        warnings.filterwarnings("error", category=LongTrainingWarning)
        with pytest.raises(
            LongTrainingWarning, match=r"about [\d.]+ (min|h): 10,000,000 steps of [\d.]+ ms. It takes less"
        ):
            sampler.fit_resample(*rows)
    assert not told
    assert "factory_" not in vars(sampler)


def test_a_short_one_is_told_of_where_it_is_asked_to(rows, capsys):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        GANOverSampler(net=mlp_gan(alpha=1, max_steps=40), verbose=1, random_state=0).fit_resample(*rows)
    assert "s: 40 steps of " in capsys.readouterr().out.splitlines()[0]


def test_a_net_that_grows_takes_at_least_as_long(capsys):
    X = np.random.RandomState(0).randint(0, 256, (20, 1, 8, 8)).astype(np.uint8)
    net = progan(max_steps=12, batch_size=4, module__width=4)
    GANOverSampler(net=net, verbose=1, random_state=0).fit_resample(X, np.repeat([0, 1], [14, 6]))
    assert capsys.readouterr().out.startswith("at least about ")
