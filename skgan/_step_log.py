"""What a training prints of itself as it goes on."""

import time

from skorch.callbacks import Callback

WARM_UP = 3
"""Steps that may take many times as long as others: memory and kernels are set up in them."""


class StepLog(Callback):
    """With ``verbose=1``: steps, losses and time left, first after the first epoch (20 steps), then ten times."""

    def on_train_begin(self, net, **kwargs):
        self.next_, self.warm_ = 0, (0, 0.0)

    def on_batch_end(self, net, training=True, **kwargs):
        if net.steps_ <= WARM_UP:
            self.warm_ = net.steps_, time.perf_counter() - net.begin_

    def on_epoch_end(self, net, **kwargs):
        if not net.verbose or (net.steps_ < self.next_ and net.steps_ < net.max_steps):
            return
        self.next_ = net.steps_ + net.max_steps / 10
        record = net.history[-1]
        values = "  ".join(f"{name.replace('_', ' ')} {record[name]:.3f}" for name in net.reported_)
        left = self._seconds_left(net, record["seconds"])
        shown = f"{left:.1f}" if left < 9.95 else f"{left:.0f}"
        print(f"step {net.steps_}/{net.max_steps}  {values}  {record['seconds']:.1f} s, {shown} s left", flush=True)

    def _seconds_left(self, net, seconds: float) -> float:
        """By all steps but the first ones. Fewer, such as the latest, would follow what else the machine is doing."""
        before, then = self.warm_ if net.steps_ > WARM_UP else (0, 0.0)
        left = (seconds - then) / (net.steps_ - before) * (net.max_steps - net.steps_)
        return left if net.max_time is None else min(left, max(0.0, net.max_time - seconds))
