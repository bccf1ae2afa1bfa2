"""Seconds and bytes of one ``fit_resample`` of data of one size, with a few training steps.

    python benchmarks/overhead/one_size.py {rows | columns | classes | nets | pixels} SIZE

A process of its own, because the largest memory that a process ever had does not go down. Seconds are of one core, so that
other processes do not count. Bytes are above what data and
imports took before; a small fit beforehand loads what torch loads late.
"""

import json
import resource
import sys
import time
from pathlib import Path

import numpy as np
import torch

from skgan import GANOverSampler
from skgan.presets import mlp_gan

STEPS = 20


def data(axis: str, size: int) -> tuple[np.ndarray, np.ndarray]:
    """20 columns but for "columns"; a tenth of the rows is in the rare class, or all classes but one have half as many rows."""
    rng = np.random.RandomState(0)
    if axis in ("classes", "nets"):
        y = np.repeat(np.arange(size), [10, *([5] * (size - 1))])
        return rng.standard_normal((len(y), 20)) + rng.standard_normal((size, 20))[y], y
    if axis == "pixels":
        y = np.repeat([0, 1], [100, 50])
        return rng.randint(0, 256, (150, 3, size, size), dtype=np.uint8), y
    n, d = (size, 20) if axis == "rows" else (1000, size)
    y = (np.arange(n) % 10 == 0).astype(int)
    X = rng.standard_normal((n, d)).astype(np.float32)
    X += y[:, None]
    return X, y


def sampler_of(axis: str) -> GANOverSampler:
    """Of tables the default; a net a class; of images the default with fewer steps."""
    if axis == "nets":
        return GANOverSampler(net=mlp_gan(alpha=1, max_steps=STEPS), per_class=True, random_state=0)
    return GANOverSampler(max_steps=3 if axis == "pixels" else STEPS, random_state=0)


if __name__ == "__main__":
    axis, size = sys.argv[1], int(sys.argv[2])
    torch.set_num_threads(1)
    sampler_of(axis).fit_resample(*data(axis, {"rows": 200, "columns": 5, "classes": 3, "nets": 3, "pixels": 8}[axis]))
    X, y = data(axis, size)
    before = int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()
    begin = time.process_time()
    sampler_of(axis).fit_resample(X, y)
    seconds = time.process_time() - begin
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    print(json.dumps({"seconds": seconds, "MB": (peak - before) / 1e6}))
