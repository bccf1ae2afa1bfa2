"""The time left that ``verbose=1`` prints, on a clock that the steps move."""

import re

import numpy as np
import pytest
import torch

from skgan import _step_log
from skgan.nets import AdversarialNet, _steps
from skgan.presets import mlp_gan

X, Y = np.zeros((8, 2), np.float32), np.arange(8) % 2


class Clock:
    """In place of the module ``time``; building the net is a second of set-up."""

    now = 1.0

    def perf_counter(self) -> float:
        return self.now


COSTS = {
    "constant": lambda i, n: 0.1,
    "a first step of ten": lambda i, n: 0.1 if i else 1.0,
    "first steps of ten, six, three": lambda i, n: {0: 1.0, 1: 0.6, 2: 0.3}.get(i, 0.1),
    "slower by half after the first tenth": lambda i, n: 0.1 if i < n / 10 else 0.15,
    "half as fast after the first tenth": lambda i, n: 0.1 if i < n / 10 else 0.2,
    "lazy penalty every 4 steps": lambda i, n: 0.1 if i % 4 else 0.3,
    "lazy penalty every 16 steps, a first step of ten": lambda i, n: (0.1 if i % 16 else 0.5) * (1 if i else 10),
}


def forecasts(
    monkeypatch, capsys, cost, max_steps, steps_per_epoch=20, max_time=None
) -> list[tuple[int, float, float]]:
    """(step, seconds left as printed, seconds that were left) of a training whose steps take what ``cost`` says."""
    clock, ends = Clock(), []
    for module in (_step_log, _steps):
        monkeypatch.setattr(module, "time", clock)

    class Idle(AdversarialNet):
        def train_step(self, batch, **params):
            clock.now += cost(self.steps_, max_steps)
            ends.append(clock.now)
            return self.report(loss=torch.zeros(()))

    net = mlp_gan(alpha=1, batch_size=1, n_critic=1)
    Idle(
        **{
            **{name: value for name, value in net.get_params(deep=False).items() if name != "callbacks"},
            "max_steps": max_steps,
            "steps_per_epoch": steps_per_epoch,
            "max_time": max_time,
            "callbacks__ema": None,
            "callbacks__divergence_guard": None,
            "verbose": 1,
        }
    ).fit(X, Y)
    told = re.findall(r"^step (\d+)/.* ([\d.]+) s left$", capsys.readouterr().out, re.MULTILINE)
    return [(int(step), float(left), ends[-1] - ends[int(step) - 1]) for step, left in told]


@pytest.mark.parametrize("cost", COSTS)
@pytest.mark.parametrize(("max_steps", "steps_per_epoch"), [(100, 20), (100, 1), (200, 20), (500, 20)])
def test_the_time_left_is_right_from_a_tenth_of_the_training_on(cost, max_steps, steps_per_epoch, monkeypatch, capsys):
    told = forecasts(monkeypatch, capsys, COSTS[cost], max_steps, steps_per_epoch)
    assert len(told) >= 5
    # What comes after a change cannot be known before it
    since = 0.3 if "after the first tenth" in cost else 0.1
    for step, left, true in told:
        if step >= since * max_steps:
            assert left == pytest.approx(true, rel=0.3, abs=0.06), step


def test_trainings_of_one_step_and_of_one_epoch(monkeypatch, capsys):
    assert forecasts(monkeypatch, capsys, COSTS["constant"], 1) == [(1, 0.0, 0.0)]
    assert forecasts(monkeypatch, capsys, COSTS["constant"], 7) == [(7, 0.0, 0.0)]
    first, *_ = forecasts(monkeypatch, capsys, COSTS["constant"], 50, 1)
    assert first == (1, 4.9, pytest.approx(4.9))


def test_max_time_ends_a_training_earlier(monkeypatch, capsys):
    told = forecasts(monkeypatch, capsys, COSTS["constant"], 200, max_time=5.05)
    assert [(step, left) for step, left, _ in told] == [
        (20, pytest.approx(3.05, abs=0.06)),
        (40, pytest.approx(1.05, abs=0.06)),
    ]
