"""The largest memory of one ``fit_resample`` of 20,000 rows of 400 columns, in multiples of the rows encoded as float32.

    python benchmarks/overhead/peak_memory.py

Each in a process of its own; what Python and torch take before is not counted. ``skgan.codecs._arrays.PEAK`` follows it.
"""

import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
from scipy import sparse

from skgan import GANOverSampler

ROWS, COLUMNS = 20_000, 400


def resident() -> int:
    """Bytes of this process in memory."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096


def peak_of(kind: str, net: str) -> float:
    """Of one fit, in encoded arrays."""
    rng = np.random.RandomState(0)
    y = np.repeat([0, 1], [18_000, 2_000])
    X = sparse.random(ROWS, COLUMNS, density=0.01, format="csr", random_state=0)
    if kind == "dense":
        X = rng.rand(ROWS, COLUMNS).astype(np.float32)
    sampler = GANOverSampler(sampling_strategy={1: 4_000}, net=net, max_steps=20, random_state=0)
    sampler.fit_resample(rng.rand(40, 3), np.repeat([0, 1], 20))  # what torch loads, it loads now
    before, seen, going = resident(), [0], [True]

    def watch() -> None:
        while going:
            seen[0] = max(seen[0], resident())
            time.sleep(0.001)

    thread = threading.Thread(target=watch)
    thread.start()
    sampler.fit_resample(X, y)
    going.clear()
    thread.join()
    return (seen[0] - before) / (4 * ROWS * COLUMNS)


if __name__ == "__main__":
    if len(sys.argv) == 3:
        print(f"{sys.argv[1]}, {sys.argv[2]}: {peak_of(*sys.argv[1:]):.1f} encoded arrays")
        sys.exit()
    for kind, net in (
        *(("sparse", net) for net in ("auto", "mlp_gan")),
        *(("dense", net) for net in ("auto", "mlp_gan", "offspring")),
    ):
        subprocess.run([sys.executable, __file__, kind, net], check=True)
