"""Seconds and bytes of one ``fit_resample``, beside SMOTE's seconds.

    python benchmarks/overhead/fit_resample.py {table | small | images}

A process of its own, because the largest memory that a process ever had does not go down. Bytes are above what data and
imports took before.
"""

import json
import resource
import sys
import time
from pathlib import Path

import numpy as np
from imblearn.over_sampling import SMOTE
from sklearn.datasets import make_classification

from skgan import GANOverSampler


def data(kind: str) -> tuple[np.ndarray, np.ndarray]:
    """A table of 10,000 rows of 10 columns, one of 2,000 of 20, or 60,000 images of 28 px."""
    if kind == "small":
        return make_classification(2000, 20, weights=[0.9], random_state=0)
    if kind == "table":
        return make_classification(10000, 10, weights=[0.9], random_state=0)
    rng = np.random.RandomState(0)
    return rng.randint(0, 256, (60000, 28, 28), dtype=np.uint8), np.repeat([0, 1], [45000, 15000])


if __name__ == "__main__":
    X, y = data(sys.argv[1])
    sampler = GANOverSampler(max_steps=20 if sys.argv[1] == "images" else None, random_state=0)
    before = int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()
    begin = time.perf_counter()
    X_new, _ = sampler.fit_resample(X, y)
    seconds = time.perf_counter() - begin
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    begin = time.perf_counter()
    SMOTE(random_state=0).fit_resample(X.reshape(len(X), -1), y)
    smote = time.perf_counter() - begin
    told = {"seconds": seconds, "smote": smote, "bytes": peak - before, "data": X.nbytes + X_new.nbytes}
    print(json.dumps(told))
