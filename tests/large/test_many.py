"""Very many columns, and very many classes: what does not train takes seconds."""

import time

import numpy as np
import pytest

from skgan import GANOverSampler


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:.*plain copies")
class TestMany:
    def test_a_hundred_thousand_columns(self):
        X = np.random.RandomState(0).randn(12, 100_000)
        sampler = GANOverSampler(net="mlp_gan", shares={"mixture": 1}, random_state=0)
        begin = time.process_time()
        X_new, _ = sampler.fit_resample(X, np.repeat([0, 1], [7, 5]))
        took = time.process_time() - begin
        print(f"12 rows, 100,000 columns: {took:.1f} s of the processor, without a net")
        assert X_new.shape == (14, 100_000)
        assert took < 10

    def test_seconds_grow_with_classes_and_not_with_their_square(self):
        rng = np.random.RandomState(0)
        times = []
        for k in (500, 2000):
            X, y = rng.randn(5 * k, 10), np.repeat(np.arange(k), 5)
            wanted = dict.fromkeys(range(k), 6)
            sampler = GANOverSampler(sampling_strategy=wanted, max_steps=3, random_state=0)
            if not times:
                sampler.fit_resample(X, y)  # what torch loads, it loads now
            begin = time.process_time()
            sampler.fit_resample(X, y)
            times.append(time.process_time() - begin)
            print(f"{k} classes of 5 rows: {times[-1]:.1f} s of the processor")
        assert times[1] < 6 * times[0]
