"""Generative teaching: does a fresh learner get further on generated rows than on real ones, and do they rank architectures?

    OMP_NUM_THREADS=1 python benchmarks/teaching.py [--quick | --full]

scikit-learn's digits: a quarter for test, a fifth of the rest for validation. The teacher is trained on what is left, by
courses of 32 batches of 64 rows; the same rows are the real ones. Learning rate (and momentum, on real rows) are chosen on the
validation rows, for each kind of rows and each number of steps. Every number is a mean over three fresh learners.

Small architectures are then trained for 32 steps on each kind of rows, with Adam at the rate of three that is best on the
validation rows, and ranked by their accuracy there; the truth is the ranking on the test rows after long training on real ones.

The second part is the search itself: the architecture that each way chooses is judged by its accuracy after long training,
beside one that is drawn at random and beside long training of all, and the seconds of the choice are counted.
"""

import functools
import itertools
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import torch
from harness import CACHE, Part, Run, fitted, main, with_error
from scipy.stats import spearmanr
from shared import seeded
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from torch import nn
from torch.nn.functional import cross_entropy

from skgan._random import sub_seed
from skgan.modules import SmallLearner
from skgan.presets import gtn


@dataclass(frozen=True)
class TeachingRun(Run):
    n_seeds: int
    steps: int  # of the teacher
    n_architectures: int
    long: int  # steps of the architectures' long training


BUDGETS = {
    "quick": TeachingRun(
        "1 seed, a teacher of 40 steps, 6 architectures (2 minutes)", n_seeds=1, steps=40, n_architectures=6, long=200
    ),
    "default": TeachingRun(
        "5 seeds, 300 steps, 20 architectures (30 minutes on one core)",
        n_seeds=5,
        steps=300,
        n_architectures=20,
        long=600,
    ),
    "full": TeachingRun(
        "10 seeds, 1,000 steps, 50 architectures", n_seeds=10, steps=1000, n_architectures=50, long=3000
    ),
}
COURSE, BATCH, N_LEARNERS = 32, 64, 3
STEPS = (1, 8, 32, 64)
ADAM_RATES = (3e-3, 1e-2, 3e-2)
REAL = "real"
SAME = "real, with the teacher's learning rate and momentum"
CURRICULA = {"generated": "learned", "generated, random codes": "random"}
ROWS = (*CURRICULA, REAL, SAME)


def cells(run: TeachingRun) -> Iterator[dict]:
    for seed in range(run.n_seeds):
        for rows in ROWS:
            yield {"seed": seed, "rows": rows}


@functools.cache
def digits(seed: int) -> list[tuple[torch.Tensor, torch.Tensor]]:
    """Training, validation and test rows, encoded, and their labels."""
    bunch = load_digits()
    X, y = np.uint8(bunch.images[:, None] * 15.9375), bunch.target
    rest, test, y_rest, y_test = train_test_split(X, y, test_size=0.25, stratify=y, random_state=seed)
    train, valid, y_train, y_valid = train_test_split(rest, y_rest, test_size=0.2, stratify=y_rest, random_state=seed)
    parts = ((train, y_train), (valid, y_valid), (test, y_test))
    return [(torch.from_numpy(rows).float() * (2 / 255) - 1, torch.from_numpy(labels)) for rows, labels in parts]


def teacher(curriculum: str, seed: int, steps: int) -> tuple[Any, float]:
    """The trained net, and the seconds of its training; once for all cells."""
    (X, y), *_ = digits(seed)
    net = gtn(unroll_steps=COURSE, inner_batch_size=BATCH, curriculum=curriculum, max_steps=steps, device="cpu")
    return fitted(net, X.numpy(), y.numpy(), seed)


def real_batches(seed: int, n_steps: int):
    """Batches of training rows, epoch after epoch in a fresh order."""
    (X, y), *_ = digits(seed)
    n_epochs = -(-n_steps * BATCH // len(y))
    order = torch.cat([torch.randperm(len(y)) for _ in range(n_epochs)])
    for rows in order[: n_steps * BATCH].split(BATCH):
        yield X[rows], y[rows]


def train(make, batches, optimizer, checkpoints, judges, seed: int) -> np.ndarray:
    """Accuracy of a fresh learner after so many steps on each of the judges, (checkpoints, judges)."""
    with seeded(seed):
        learner = make((1, 8, 8), 10)
        updates = optimizer(learner.parameters())
        accuracies = []
        for step, (x, y) in enumerate(batches(), 1):
            updates.zero_grad()
            cross_entropy(learner(x), y).backward()
            updates.step()
            if step in checkpoints:
                with torch.no_grad():
                    accuracies.append([float((learner(X).argmax(1) == labels).float().mean()) for X, labels in judges])
    return np.array(accuracies)


def architectures(n: int) -> list:
    """Small classifiers of 8×8 px, from hardly able to learn to well able; the first n of one list."""
    rng = np.random.RandomState(0)
    made = []
    for _ in range(n):
        activation = (nn.ReLU, nn.Tanh, nn.LeakyReLU, nn.Sigmoid)[rng.randint(4)]
        depth, convolutional = rng.randint(1, 4), rng.uniform() < 0.5
        width = int((2, 4, 8, 16)[rng.randint(4)]) if convolutional else int((4, 8, 16, 64, 256)[rng.randint(5)])
        made.append(functools.partial(_classifier, activation, depth, width, (3, 5)[rng.randint(2)], convolutional))
    return made


def _classifier(activation, depth, width, kernel, convolutional, data_shape, n_classes) -> nn.Sequential:
    layers: list[nn.Module] = [] if convolutional else [nn.Flatten()]
    n_in = data_shape[0] if convolutional else int(np.prod(data_shape))
    for _ in range(depth):
        layer = nn.Conv2d(n_in, width, kernel, padding=kernel // 2) if convolutional else nn.Linear(n_in, width)
        layers += [layer, activation()]
        n_in = width
    if convolutional:
        layers += [nn.AvgPool2d(2), nn.Flatten()]
        n_in = width * (data_shape[1] // 2) * (data_shape[2] // 2)
    return nn.Sequential(*layers, nn.Linear(n_in, n_classes))


@CACHE.cache
def long_training(seed: int, n: int, n_steps: int) -> tuple[np.ndarray, float]:
    """Validation and test accuracy (n, 2) of every architecture after long training on real rows with Adam, and the seconds."""
    begin = time.perf_counter()
    accuracies = [
        train(
            make,
            functools.partial(real_batches, seed, n_steps),
            functools.partial(torch.optim.Adam, lr=3e-3),
            (n_steps,),
            digits(seed)[1:],
            sub_seed(seed, i),
        )[0]
        for i, make in enumerate(architectures(n))
    ]
    return np.array(accuracies), time.perf_counter() - begin


def accuracies_after(run: TeachingRun, seed: int, n_steps: int, batches, judge) -> list[float]:
    """Of every architecture after so many steps on these batches, at the best of three learning rates, over three learners."""
    return [
        max(
            np.mean(
                [
                    train(
                        make,
                        functools.partial(batches, n_steps),
                        functools.partial(torch.optim.Adam, lr=adam_rate),
                        (n_steps,),
                        [judge],
                        sub_seed(seed, i, k),
                    )
                    for k in range(N_LEARNERS)
                ]
            )
            for adam_rate in ADAM_RATES
        )
        for i, make in enumerate(architectures(run.n_architectures))
    ]


def taught(net, n_steps: int):
    """Batches of the teacher's rows."""
    X, y = map(torch.from_numpy, net.teaching_set(n_steps * BATCH))
    return zip(X.split(BATCH), y.split(BATCH), strict=True)


# The search


RANDOM, LONG = "random choice", "long training of all"
WAYS = (RANDOM, *(f"{n} steps on {rows} rows" for n in (8, COURSE) for rows in (REAL, "generated")), LONG)


def search_cells(run: TeachingRun) -> Iterator[dict]:
    for seed in range(run.n_seeds):
        for way in WAYS:
            yield {"seed": seed, "way": way}


def measure_search(run: TeachingRun, seed: int, way: str) -> dict:
    """Test accuracy after long training of what a way chooses on validation rows; of the random choice, the mean of all."""
    valid = digits(seed)[1]
    long, seconds = long_training(seed, run.n_architectures, run.long)
    of_teacher = 0.0
    if way == RANDOM:
        chosen, seconds = float(long[:, 1].mean()), 0.0
    elif way == LONG:
        chosen = float(long[long[:, 0].argmax(), 1])
    else:
        batches = functools.partial(real_batches, seed)
        if way.endswith("generated rows"):
            net, of_teacher = teacher("learned", seed, run.steps)
            batches = functools.partial(taught, net)
        begin = time.perf_counter()
        short = accuracies_after(run, seed, int(way.split()[0]), batches, valid)
        chosen, seconds = float(long[np.argmax(short), 1]), time.perf_counter() - begin
    return {
        "chosen": chosen,
        "best": float(long[:, 1].max()),
        "seconds of the choice": seconds,
        "seconds of the teacher": of_teacher,
        "architectures": run.n_architectures,
    }


def measure(run: TeachingRun, seed: int, rows: str) -> dict:
    net, _ = teacher(CURRICULA.get(rows, "learned"), seed, run.steps)
    rates: tuple[float, ...]
    if rows == REAL:
        rates, momenta = (0.01, 0.02, 0.05, 0.1, 0.2, 0.4, 0.8), (0.0, 0.5, 0.9)
    else:
        scales = (1.0,) if rows == SAME else (0.5, 0.7, 1.0, 1.4, 2.0)
        rates, momenta = tuple(scale * net.inner_lr_ for scale in scales), (net.inner_momentum_,)

    batches = functools.partial(taught, net) if rows in CURRICULA else functools.partial(real_batches, seed)
    judges = digits(seed)[1:]
    outcomes = {  # learning rate and momentum → accuracy (steps, judges)
        (rate, momentum): np.mean(
            [
                train(
                    SmallLearner,
                    functools.partial(batches, max(STEPS)),
                    functools.partial(torch.optim.SGD, lr=rate, momentum=momentum),
                    STEPS,
                    judges,
                    sub_seed(seed, k),
                )
                for k in range(N_LEARNERS)
            ],
            axis=0,
        )
        for rate, momentum in itertools.product(rates, momenta)
    }
    best = [max(outcomes, key=lambda key, i=i: outcomes[key][i, 0]) for i in range(len(STEPS))]
    rate, momentum = best[STEPS.index(COURSE)]
    ranking = (float("nan"), float("nan"))
    if rows != SAME:  # there the rows are those of REAL, and so is the optimiser
        short = accuracies_after(run, seed, COURSE, batches, judges[0])
        correlation = spearmanr(short, long_training(seed, run.n_architectures, run.long)[0][:, 1]).statistic
        ranking = (float(correlation), float(max(short)))
    return {
        **{f"{n} steps": outcomes[key][i, 1] for i, (n, key) in enumerate(zip(STEPS, best, strict=True))},
        "learning rate": rate,
        "momentum": momentum,
        "rank correlation": ranking[0],
        "best architecture": ranking[1],
        "architectures": run.n_architectures,
    }


def report(results: pd.DataFrame) -> str:
    """Markdown for docs/results.md."""
    columns = [f"{n} steps" for n in STEPS]
    rows = [
        {
            "rows": name,
            **{column.replace("1 steps", "1 step"): with_error(100 * part[column]) for column in columns},
            "rank correlation": "" if name == SAME else with_error(part["rank correlation"], "+", 2),
            "best architecture": "" if name == SAME else with_error(100 * part["best architecture"]),
        }
        for name, part in results.groupby("rows", sort=False)
    ]
    text = [pd.DataFrame(rows).to_markdown(index=False, disable_numparse=True)]
    accuracy = results.pivot(index="seed", columns="rows", values=f"{COURSE} steps")
    if {"generated", REAL} <= set(accuracy):
        ahead = 100 * (accuracy["generated"] - accuracy[REAL]).dropna()
        text.append(
            f"After {COURSE} steps generated rows are {with_error(ahead, '+')} points ahead of real ones, seed by seed; in "
            f"{int((ahead > 0).sum())} of {len(ahead)} seeds they are ahead."
        )
    text.append(
        f"Test accuracy in percent, mean ± standard error over {results['seed'].nunique()} seeds of scikit-learn's digits, of "
        f"the net's own learner; the course has {COURSE} batches and begins anew after them. Rank correlation (Spearman): of "
        f"{results['architectures'].max()} small architectures after {COURSE} steps on these rows with long training on real "
        "ones; beside it the validation accuracy of the best of them after these steps. The preset's start momentum, border "
        "weight and number of steps were chosen with seed 0's test rows in view; the other seeds split the same 1,797 digits."
    )
    return "\n\n".join(text)


def report_search(results: pd.DataFrame) -> str:
    """Markdown for docs/results.md: what each way chooses, its gain over a random choice, and its seconds."""
    wide = 100 * results.pivot(index="seed", columns="way", values="chosen").dropna()
    lines = [
        {
            "chosen by": way,
            "accuracy after long training": with_error(wide[way]),
            "more than a random choice": "" if way == RANDOM else with_error(wide[way] - wide[RANDOM], "+"),
            "seconds of the choice": "" if way == RANDOM else f"{part['seconds of the choice'].mean():.0f}",
            "seconds of the teacher": f"{taught:.0f}" if (taught := part["seconds of the teacher"].mean()) else "",
        }
        for way, part in results.groupby("way", sort=False)
    ]
    best = with_error(100 * results.groupby("seed")["best"].first())
    note = (
        f"{results['architectures'].max()} small architectures, {len(wide)} seeds of scikit-learn's digits; a way chooses by "
        f"validation rows, and what it chose is judged on test rows after long training. The best of all has {best} %."
    )
    return f"{pd.DataFrame(lines).to_markdown(index=False, disable_numparse=True)}\n\n{note}"


if __name__ == "__main__":
    main(
        *("teaching", BUDGETS, cells, measure, report),
        Part("architecture_search", BUDGETS, search_cells, measure_search, report_search),
    )
