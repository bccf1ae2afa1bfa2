"""Bytes that three steps of a preset's training at 128 px take, in batches of its own size.

    python benchmarks/overhead/photos.py PRESET

A process of its own, because the largest memory that a process ever had does not go down.
"""

import json
import resource
import sys

import numpy as np

from skgan import GANOverSampler, presets

if __name__ == "__main__":
    X = np.random.RandomState(0).randint(0, 256, (80, 3, 128, 128), dtype=np.uint8)
    net = getattr(presets, sys.argv[1])(max_steps=3)
    GANOverSampler(net=net, random_state=0).fit_resample(X, np.repeat([0, 1], [60, 20]))
    print(json.dumps({"bytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024}))
