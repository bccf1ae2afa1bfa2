"""Seconds and bytes of one ``fit_resample`` of 200,000 rows of 40 mixed columns, one of 20,000 levels, beside copies.

    python benchmarks/overhead/large_table.py

A process of its own, because the largest memory that a process ever had does not go down.
"""

import json
import resource
import time

import numpy as np
import pandas as pd
from imblearn.over_sampling import RandomOverSampler

from skgan import GANOverSampler


def data(n: int = 200_000) -> tuple[pd.DataFrame, np.ndarray]:
    rng = np.random.RandomState(0)
    y = (rng.rand(n) < 0.05).astype(int)
    X = pd.DataFrame({f"number {i}": rng.randn(n) + 0.3 * y * (i % 3) for i in range(28)})
    for i in range(3):
        X[f"count {i}"] = rng.poisson(5 + 3 * y)
    for i, levels in enumerate((2, 3, 5, 8, 12, 20, 40, 80)):
        X[f"category {i}"] = pd.Categorical(rng.randint(0, levels, n).astype(str))
    X["shop"] = np.char.add("shop ", rng.randint(0, 20_000, n).astype(str))
    return X, y


if __name__ == "__main__":
    X, y = data()
    sampler = GANOverSampler(random_state=0)
    begin = time.perf_counter()
    sampler.fit_resample(X, y)
    seconds = time.perf_counter() - begin
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    begin = time.perf_counter()
    RandomOverSampler(random_state=0).fit_resample(X, y)
    copies = time.perf_counter() - begin
    training = float(sampler.training_history_["seconds"].max())
    print(json.dumps({"seconds": seconds, "training": training, "copies": copies, "bytes": peak}))
