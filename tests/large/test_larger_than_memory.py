"""Images of more bytes than the process may have: 20 GB of them train a net, and 2 GB come back with new ones underneath.

Seven million small images rather than fewer large ones: labels, orders and origins are an array of seven million each, and the
net is the one that ``net="auto"`` stands for. The file is sparse: a few thousand rows are written, the others are zeros.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

ALLOWED = 1.5e9
"""Bytes of anonymous memory."""

WATCHED = """
import threading, time, sys
from pathlib import Path
import numpy as np
from skgan import GANOverSampler

def anonymous():
    lines = Path("/proc/self/status").read_text().splitlines()
    return 1024 * int(next(line for line in lines if line.startswith("RssAnon")).split()[1])

largest, going = [0], [True]

def watch():
    while going:
        largest[0] = max(largest[0], anonymous())
        time.sleep(0.02)

thread = threading.Thread(target=watch)
thread.start()
shape, classes, out = eval(sys.argv[2]), eval(sys.argv[3]), sys.argv[4]
X = np.memmap(sys.argv[1], np.uint8, "r", shape=shape)
y = (np.arange(len(X)) % classes[0] == 0).astype(np.int64)
begin = time.perf_counter()
sampler = GANOverSampler(sampling_strategy={1: int(y.sum()) + classes[1]}, max_steps=20, random_state=0, device="cpu")
if out == "none":
    factory = sampler.train(X, y)
    assert np.may_share_memory(factory.real, X)
    n = sum(len(rows) for rows, labels in factory.sample_iter({1: classes[1]}, batch=1000) if (labels == 1).all())
else:
    X_new, y_new = sampler.fit_resample(X, y, out=out)
    n = len(X_new) - len(X)
    assert n == len(y_new) - len(y) == sampler.is_synthetic_.sum()
    assert X_new[-n:].any(axis=(1, 2, 3)).any()
    for first in range(0, len(X), 100_000):
        assert np.array_equal(X_new[first : min(first + 100_000, len(X))], X[first : first + 100_000])
going.clear()
thread.join()
print(largest[0], n, round(time.perf_counter() - begin, 1))
"""


def sparse_images(path: Path, shape: tuple[int, ...], written: int = 2000) -> None:
    """A file of images of which so many are written, evenly spaced, and the others take no room on the disk."""
    X = np.memmap(path, np.uint8, "w+", shape=shape)
    rng = np.random.RandomState(0)
    for row in range(0, shape[0], shape[0] // written):
        X[row] = np.clip(rng.normal(60 + 120 * (row % 2), 40, shape[1:]), 0, 255)
    X.flush()
    assert os.stat(path).st_size == np.prod(shape)
    assert 512 * os.stat(path).st_blocks < 50e6


def watched(path: Path, shape: tuple[int, ...], every: int, n_new: int, out: str) -> tuple[int, int, float]:
    """Largest anonymous memory, new rows and seconds of a run in a process of its own; one row in ``every`` is of class 1."""
    run = subprocess.run(
        [sys.executable, "-c", WATCHED, str(path), str(shape), str((every, n_new)), out],
        capture_output=True,
        text=True,
    )
    assert not run.returncode, run.stderr
    largest, n, seconds = run.stdout.split()
    print(f"{int(largest) / 1e9:.2f} GB of anonymous memory, {n} new rows, {seconds} s")
    return int(largest), int(n), float(seconds)


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="this system does not say what memory is anonymous")
class TestLargerThanMemory:
    def test_twenty_gigabytes_of_images_train_a_net(self, tmp_path):
        shape = (6_600_000, 3, 32, 32)
        sparse_images(tmp_path / "X.bin", shape)
        largest, n, _ = watched(tmp_path / "X.bin", shape, 3301, 3000, "none")
        assert n == 3000
        assert largest <= ALLOWED

    def test_two_gigabytes_come_back_with_new_rows(self, tmp_path):
        if shutil.disk_usage(tmp_path).free < 4e9:
            pytest.skip("the disk has less than 4 GB left")
        shape = (660_000, 3, 32, 32)
        sparse_images(tmp_path / "X.bin", shape)
        largest, n, _ = watched(tmp_path / "X.bin", shape, 331, 500, str(tmp_path / "more"))
        assert n == 500
        assert largest <= ALLOWED
        shutil.rmtree(tmp_path / "more")
