"""What a training prints of itself as it goes on."""

import time

from skorch.callbacks import Callback

WARM_UP = 3
"""Steps that may take many times as long as others: memory and kernels are set up in them."""


class StepLog(Callback):
    """With ``verbose=1``: steps, losses and time left, first after the first epoch (20 steps), then ten times."""

    def on_train_begin(self, net, **kwargs):
        self.next_ = 0
        self.clock_: list[tuple[int, float]] = []

    def on_batch_end(self, net, training=True, **kwargs):
        if net.steps_ <= WARM_UP:
            self.clock_.append((net.steps_, time.perf_counter() - net.begin_))

    def on_epoch_end(self, net, **kwargs):
        record = net.history[-1]
        self.clock_.append((net.steps_, record["seconds"]))
        if not net.verbose or (net.steps_ < self.next_ and net.steps_ < net.max_steps):
            return
        self.next_ = net.steps_ + net.max_steps / 10
        values = "  ".join(f"{name.replace('_', ' ')} {record[name]:.3f}" for name in net.reported_)
        left = self._seconds_left(net.max_steps)
        if net.max_time is not None:
            left = min(left, max(0.0, net.max_time - record["seconds"]))
        shown = f"{left:.1f}" if left < 9.95 else f"{left:.0f}"
        print(f"step {net.steps_}/{net.max_steps}  {values}  {record['seconds']:.1f} s, {shown} s left", flush=True)

    def _seconds_left(self, max_steps: int) -> float:
        """By the latter half of the steps so far: the first ones are slow, and those of a net that grows get slower."""
        steps, seconds = self.clock_[-1]
        before, then = next(point for point in reversed(self.clock_) if point[0] <= max(1, steps / 2))
        if before == steps:
            before, then = 0, 0.0
        return (seconds - then) / (steps - before) * (max_steps - steps)

    def on_train_end(self, net, **kwargs):
        del self.clock_
