"""What skgan costs over bare torch, over its imports, and in memory. All figures are ratios within one run.

    OMP_NUM_THREADS=2 python benchmarks/overhead [--quick | --full]

Memory is measured in processes of their own, by the scripts beside this module.
"""

import functools
import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import torch
from harness import Run
from sklearn.datasets import make_classification
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import flop_registry

from overhead.bare import bare_classifier, bare_loop
from skgan import CNNClassifier
from skgan.penalties import R1
from skgan.presets import (
    cyclegan,
    dagan,
    dcgan,
    genclass,
    gtn,
    mlp_gan,
    offspring,
    photo_gan,
    progan,
    relativistic_gan,
    vae,
    vae_gan,
    wgan_gp,
)
from skgan.samplers._training import Job, train_all


@dataclass(frozen=True)
class CostsRun(Run):
    repeats: int
    steps: int
    family_repeats: int  # of nets whose steps take up to .6 s
    family_steps: int


BUDGETS = {
    "quick": CostsRun(
        "3 repetitions of 40 steps, one repetition of the rest (1 minute)",
        repeats=3,
        steps=40,
        family_repeats=3,
        family_steps=40,
    ),
    "default": CostsRun(
        "7 repetitions of 100 steps, 3 of 20 of the slower families (20 minutes)",
        repeats=7,
        steps=100,
        family_repeats=3,
        family_steps=20,
    ),
    "full": CostsRun("20 repetitions of 100 steps", repeats=20, steps=100, family_repeats=20, family_steps=100),
}


def images():
    rng = np.random.RandomState(0)
    return rng.randint(0, 256, (2000, 1, 28, 28), dtype=np.uint8), rng.randint(0, 10, 2000)


def coloured_images():
    rng = np.random.RandomState(0)
    return rng.randint(0, 256, (2000, 3, 32, 32), dtype=np.uint8), np.repeat(np.arange(10), 200)


def rows():
    X, y = make_classification(2000, 10, n_informative=5, random_state=0)
    return X.astype(np.float32), y


def encoded_rows():
    X, y = rows()
    return X / np.abs(X).max(), y


class Family(NamedTuple):
    """A net whose steps are measured."""

    make: Callable[..., Any]
    data: Callable[[], tuple[np.ndarray, np.ndarray]]
    bar: float = 1.10
    slow: bool = True


NETS = {
    "mlp_gan(alpha=4), 28 px": Family(lambda **k: mlp_gan(alpha=4, **k), images, slow=False),
    "dcgan, 28 px": Family(dcgan, images, slow=False),
    "mlp_gan(alpha=2), table of 10 columns": Family(lambda **k: mlp_gan(alpha=2, **k), rows, bar=1.35, slow=False),
    "wgan_gp, 28 px": Family(wgan_gp, images),
    "relativistic_gan, 28 px": Family(relativistic_gan, images),
    "photo_gan, 28 px": Family(photo_gan, images),
    "progan, 28 px, its last stage": Family(lambda **k: progan(callbacks=None, **k), images),
    "vae, 28 px": Family(vae, images),
    "vae_gan, 28 px": Family(vae_gan, images),
    "offspring, 28 px, any pairs": Family(lambda **k: offspring(n_candidates=1, **k), images),
    "dagan, 28 px, any pairs": Family(lambda **k: dagan(n_candidates=1, **k), images),
    "cyclegan, 28 px, no pool": Family(lambda **k: cyclegan(pool_size=0, **k), images),
    "genclass, 28 px": Family(lambda **k: genclass(np.eye(10), **k), images),
    "gtn, table of 10 columns, one segment": Family(
        lambda **k: gtn(n_segments=1, border_weight=0.0, **k), encoded_rows
    ),
}
LAZY = {"lazy R1 (every=4), dcgan, 28 px": dcgan, "lazy R1 (every=4), mlp_gan(alpha=4), 28 px": mlp_gan}
CLASSIFIERS = {"CNNClassifier, 28 px, augmented": images, "CNNClassifier, 32 px in colour, augmented": coloured_images}
IMPORT, HELP = "from skgan import GANOverSampler", "skgan --help"
SIDE_BY_SIDE = "ten nets of single classes, mlp_gan(alpha=2), table of 10 columns"
TABLE, IMAGES = "fit_resample, table 10,000 × 10", "fit_resample, 60,000 images of 28 px, 20 steps"
LARGE = "fit_resample, 200,000 rows of 40 mixed columns, one of 20,000 levels"
PHOTOS = "training at 128 px, batches of the preset's own size: memory"
PHOTO_FAMILIES = (
    *("autoencoder", "cyclegan", "dagan", "dcgan", "offspring", "photo_gan", "progan", "relativistic_gan", "vae"),
    *("vae_gan", "wgan_gp"),
)
TABLE_SECONDS, LARGE_SECONDS, LARGE_BYTES, PHOTO_BYTES, HELP_SECONDS = 20.0, 60.0, 4e9, 3e9, 1.0


def cells(run: CostsRun) -> Iterator[dict]:
    for what in (*NETS, *CLASSIFIERS, *LAZY, SIDE_BY_SIDE, IMPORT, HELP, TABLE, IMAGES, LARGE, PHOTOS):
        yield {"what": what}


def measure(run: CostsRun, what: str) -> dict:
    if what in NETS:
        return step_ratio(run, NETS[what])
    if what in CLASSIFIERS:
        return classifier_ratio(run, CLASSIFIERS[what])
    if what == SIDE_BY_SIDE:
        return side_by_side_ratio(run)
    if what in LAZY:
        return lazy_ratio(run, LAZY[what])
    if what == IMPORT:
        return import_ratio(run)
    if what == HELP:
        return help_seconds(run)
    if what == PHOTOS:
        return photo_memory()
    if what == LARGE:
        return large_table()
    return fit_resample("table", TABLE_SECONDS) if what == TABLE else fit_resample("images", None)


def net_steps(net, X, y) -> float:
    """Seconds of a step between the first and the last epoch of a fit, and so without building and first-call costs."""
    net.set_params(random_state=0).fit(X, y)
    seconds, steps = net.history[:, "seconds"], net.history[:, "step"]
    return (seconds[-1] - seconds[0]) / (steps[-1] - steps[0])


class Operations(TorchDispatchMode):
    """Counts floating-point operations by torch's own table; its FlopCounterMode knows no gradients of gradients."""

    total = 0

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        made = func(*args, **(kwargs or {}))
        if func._overloadpacket in flop_registry:
            self.total += flop_registry[func._overloadpacket](*args, **(kwargs or {}), out_val=made)
        return made


def operations(make, X, y) -> float:
    """Floating-point operations of a step: the mean of eight, after the first four."""
    counted = []
    for n_steps in (4, 12):
        with Operations() as counter:
            make(max_steps=n_steps, random_state=0).fit(X, y)
        counted.append(counter.total)
    return (counted[1] - counted[0]) / 8


@functools.lru_cache(maxsize=1)
def matrix_peak() -> float:
    """Floating-point operations a second of this machine's products of large matrices, with the threads that torch has."""
    a, b = torch.rand(2, 2048, 2048)
    best = np.inf
    for _ in range(10):
        begin = time.perf_counter()
        a @ b
        best = min(best, time.perf_counter() - begin)
    return 2 * 2048**3 / best


def step_ratio(run: CostsRun, family: Family) -> dict:
    X, y = family.data()
    repeats, n_steps = (run.family_repeats, run.family_steps) if family.slow else (run.repeats, run.steps)
    ours, bare = [], []
    bare_loop(family.make(), X, y, 5)
    for _ in range(repeats):  # interleaved, so that a slow moment of the machine hits both
        bare.append(bare_loop(family.make(), X, y, n_steps) / n_steps)
        ours.append(net_steps(family.make(max_steps=n_steps + 20), X, y))
    seconds, of_step = float(np.median(ours)), operations(family.make, X, y)
    share = of_step / seconds / matrix_peak()
    return {
        "ours": f"{1e3 * seconds:.2f} ms a step, {of_step / 1e9:.2g} GFLOP, {share:.0%} of the peak",
        "peer": f"{1e3 * np.median(bare):.2f} ms a step in bare torch",
        "ratio": float(np.median(np.array(ours) / np.array(bare))),
        "bar": family.bar,
    }


def classifier_ratio(run: CostsRun, data) -> dict:
    """Updates of the default classifier, its augmentation chosen from the images."""
    X, y = data()
    n, ours, bare = run.steps, [], []
    bare_classifier(CNNClassifier(), X, y, 5)
    for _ in range(run.repeats):
        bare.append(bare_classifier(CNNClassifier(), X, y, n) / n)
        seconds = []
        for updates in (10, 10 + n):
            begin = time.perf_counter()
            CNNClassifier(max_updates=updates, augment="auto", random_state=0).fit(X, y)
            seconds.append(time.perf_counter() - begin)
        ours.append((seconds[1] - seconds[0]) / n)
    return {
        "ours": f"{1e3 * np.median(ours):.2f} ms an update",
        "peer": f"{1e3 * np.median(bare):.2f} ms an update in bare torch",
        "ratio": float(np.median(np.array(ours) / np.array(bare))),
        "bar": 1.05,
    }


def side_by_side_ratio(run: CostsRun) -> dict:
    """Ten nets of single classes, trained as one, against one of them alone."""
    X, _ = rows()
    net = mlp_gan(alpha=2, max_steps=5 * run.steps)
    parts = np.split(X, 10)
    one, ten = [], []
    for _ in range(run.repeats):
        for seconds, some in ((one, parts[:1]), (ten, parts)):
            jobs = [Job(part, np.zeros(len(part), int), net, seed) for seed, part in enumerate(some)]
            begin = time.perf_counter()
            train_all(jobs, None, None)
            seconds.append(time.perf_counter() - begin)
    return {
        "ours": f"{np.median(ten):.2f} s",
        "peer": f"{np.median(one):.2f} s: one of them alone",
        "ratio": float(np.median(np.array(ten) / np.array(one))),
        "bar": 3.0,
    }


def lazy_ratio(run: CostsRun, make) -> dict:
    X, y = images()
    with_penalty, without = [], []
    for _ in range(run.repeats):
        for seconds, penalties in ((without, ()), (with_penalty, (R1(1.0, every=4),))):
            seconds.append(net_steps(make(penalties=penalties, max_steps=run.steps + 20), X, y))
    return {
        "ours": f"{1e3 * np.median(with_penalty):.2f} ms a step",
        "peer": f"{1e3 * np.median(without):.2f} ms a step without the penalty",
        "ratio": float(np.median(np.array(with_penalty) / np.array(without))),
        "bar": 1.35,
    }


def seconds_of(*arguments: str) -> float:
    """Seconds of a Python process."""
    begin = time.perf_counter()
    subprocess.run([sys.executable, *arguments], check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - begin


def import_ratio(run: CostsRun) -> dict:
    peers = "import torch, sklearn, skorch, imblearn"
    seconds_of("-c", IMPORT)  # fill the file cache
    pairs = [(seconds_of("-c", IMPORT), seconds_of("-c", peers)) for _ in range(run.repeats)]
    ours, peer = np.median(pairs, axis=0)
    return {"ours": f"{ours:.2f} s", "peer": f"{peer:.2f} s: {peers}", "ratio": float(ours / peer), "bar": 1.15}


def help_seconds(run: CostsRun) -> dict:
    command = "-m", "skgan.cli", "--help"
    seconds_of(*command)
    ours = float(np.median([seconds_of(*command) for _ in range(run.repeats)]))
    return {
        "ours": f"{ours:.2f} s",
        "peer": f"allowed {HELP_SECONDS:.0f} s",
        "ratio": ours / HELP_SECONDS,
        "bar": 1.0,
    }


def told_by(script: str, *arguments: str) -> dict[str, float]:
    """What a script beside this module prints."""
    command = [sys.executable, str(Path(__file__).parent / script), *arguments]
    return json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout)


def fit_resample(kind: str, limit: float | None) -> dict:
    told = told_by("fit_resample.py", kind)
    allowed = 2.5 * told["data"] + 600e6
    return {
        "ours": f"{told['seconds']:.1f} s, {told['bytes'] / 1e6:.0f} MB above the imports",
        "peer": f"SMOTE {told['smote']:.2f} s; allowed {f'{limit:.0f} s and ' if limit else ''}{allowed / 1e6:.0f} MB",
        "ratio": max(told["bytes"] / allowed, 0 if limit is None else told["seconds"] / limit),
        "bar": 1.0,
    }


def large_table() -> dict:
    told = told_by("large_table.py")
    return {
        "ours": f"{told['training']:.1f} s of training, {told['seconds']:.1f} s in all, {told['bytes'] / 1e9:.1f} GB",
        "peer": f"copies {told['copies']:.1f} s; allowed {LARGE_SECONDS:.0f} s of training and {LARGE_BYTES / 1e9:.0f} GB",
        "ratio": max(told["training"] / LARGE_SECONDS, told["bytes"] / LARGE_BYTES),
        "bar": 1.0,
    }


def photo_memory() -> dict:
    peaks = {name: told_by("photos.py", name)["bytes"] for name in PHOTO_FAMILIES}
    return {
        "ours": ", ".join(f"{name} {peak / 1e9:.1f} GB" for name, peak in peaks.items()),
        "peer": f"allowed {PHOTO_BYTES / 1e9:.0f} GB",
        "ratio": max(peaks.values()) / PHOTO_BYTES,
        "bar": 1.0,
    }


def report(results: pd.DataFrame) -> str:
    """Markdown for docs/results.md."""
    shown = results[["what", "ours", "peer", "ratio", "bar"]].assign(ratio=results["ratio"].map("{:.2f}".format))
    return (
        "Each line is measured in one run; ratios of steps are medians over interleaved repetitions. For `fit_resample` "
        "the ratio is the larger of seconds and memory against what is allowed. Operations are those of torch's table; the "
        "peak is that of a product of two matrices of 2,048 × 2,048 with as many threads.\n\n"
        + shown.to_markdown(index=False)
    )
