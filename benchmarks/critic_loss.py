"""Does a loss tell how good the rows are? The Wasserstein critic's estimate and the GAN's cross-entropy against KID.

    OMP_NUM_THREADS=1 python benchmarks/critic_loss.py [--quick | --full]

Both on the same pair of networks and MNIST-5k's training half. At every checkpoint after the first tenth of the training: what
the critic says of 500 training rows and 500 generated ones, and KID of these against held-out rows in the features of a CNN.
The Wasserstein estimate is mean D(real) − mean D(fake); of the cross-entropy, its generator's loss is taken. Both should fall
with KID: a rank correlation of +1.
"""

import functools
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd
import torch
from data import mnist_5k
from harness import Run, main
from scipy.stats import spearmanr
from skorch.callbacks import Callback

from skgan import CNNClassifier
from skgan.codecs import ImageCodec
from skgan.losses import Wasserstein
from skgan.metrics import kernel_distance
from skgan.presets import dcgan, wgan_gp


@dataclass(frozen=True)
class CriticRun(Run):
    n_seeds: int
    steps: int
    checkpoints: int


BUDGETS = {
    "quick": CriticRun("1 seed, 60 steps, 5 checkpoints (1 minute)", n_seeds=1, steps=60, checkpoints=5),
    "default": CriticRun(
        "3 seeds, 600 steps, 24 checkpoints (20 minutes on one core)", n_seeds=3, steps=600, checkpoints=24
    ),
    "full": CriticRun("5 seeds, 4,000 steps, 40 checkpoints", n_seeds=5, steps=4000, checkpoints=40),
}
# BCE without a penalty, as the report has it, and with one
NETS = {
    "wgan_gp": wgan_gp,
    "cross-entropy": functools.partial(dcgan, penalties=()),
    "cross-entropy, R1": dcgan,
}


class Checkpoints(Callback):
    """What the critic says of real and generated rows, and KID of the latter, every so many steps after the start."""

    def __init__(self, every: int, start: int, whole, codec: ImageCodec, features):
        self.every, self.start, self.codec, self.features = every, start, codec, features
        self.X, self.y, self.held_out = whole.x_train[:500, None], whole.y_train[:500], whole.x_test[:500]
        self.points: list[tuple[float, float]] = []

    def on_batch_end(self, net, training=True, **kwargs):
        if net.steps_ <= self.start or (net.steps_ - self.start) % self.every:
            return
        made = net.sample(self.y, random_state=net.steps_)
        real, fake = (torch.from_numpy(net.score_samples(rows, self.y)) for rows in (self.X, made))
        net.module_.train()
        wasserstein = isinstance(net.criterion_, Wasserstein)
        estimate = real.mean() - fake.mean() if wasserstein else net.criterion_.generator(real, fake)
        pixels = self.codec.inverse_transform(made)
        self.points.append((float(estimate), kernel_distance(self.held_out, pixels, features=self.features)))


def cells(run: CriticRun) -> Iterator[dict]:
    for seed in range(run.n_seeds):
        for net in NETS:
            yield {"net": net, "seed": seed}


def measure(run: CriticRun, net: str, seed: int) -> dict:
    whole = mnist_5k(seed)
    judge = CNNClassifier(max_updates=400, random_state=seed).fit(whole.x_train, whole.y_train)
    codec = ImageCodec(value_range="dtype").fit(whole.x_train)
    start = run.steps // 10
    watch = Checkpoints((run.steps - start) // run.checkpoints, start, whole, codec, judge.features)
    gan = NETS[net](max_steps=run.steps, callbacks=[("watch", watch)], random_state=seed)
    gan.fit(whole.x_train[:, None], whole.y_train)
    estimate, distance = np.array(watch.points).T
    return {
        "rank correlation": float(spearmanr(estimate, distance).statistic),
        "checkpoints": len(distance),
        "KID, first": distance[0],
        "KID, last": distance[-1],
    }


def report(results: pd.DataFrame) -> str:
    """Markdown for docs/results.md."""
    rows = [
        {
            "net": net,
            "rank correlation with KID, each seed": ", ".join(f"{r:+.2f}" for r in part["rank correlation"]),
            "median": f"{part['rank correlation'].median():+.2f}",
            "KID at the first and the last": f"{part['KID, first'].mean():.2f}, {part['KID, last'].mean():.2f}",
        }
        for net, part in results.groupby("net", sort=False)
    ]
    table = pd.DataFrame(rows).to_markdown(index=False, disable_numparse=True)
    n = results["checkpoints"].min()
    return (
        f"{table}\n\n{n} checkpoints after the first tenth of the training. Of the Wasserstein critic the estimate of the "
        "distance, of the cross-entropy the generator's loss: +1 where it falls just as KID does."
    )


if __name__ == "__main__":
    main("critic_loss", BUDGETS, cells, measure, report)
