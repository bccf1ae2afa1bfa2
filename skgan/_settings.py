"""torch's settings as trainings need them, whatever the surrounding code has set."""

import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import torch


class _Float32:
    """float32 as torch's default dtype, for as long as anybody needs it: the setting is one of the whole process."""

    def __init__(self):
        self.lock, self.users, self.before = threading.Lock(), 0, torch.float32

    def __enter__(self):
        with self.lock:
            if not self.users:
                self.before = torch.get_default_dtype()
            self.users += 1
            if torch.get_default_dtype() != torch.float32:
                torch.set_default_dtype(torch.float32)

    def __exit__(self, *exception):
        with self.lock:
            self.users -= 1
            # What another thread has set meanwhile stays.
            if not self.users and self.before != torch.float32 and torch.get_default_dtype() == torch.float32:
                torch.set_default_dtype(self.before)


_FLOAT32 = _Float32()


@contextmanager
def plain_torch(grad: bool = True) -> Iterator[None]:
    """Run a block with torch as it is by default, and give its settings back as they were, also after Ctrl-C.

    That is float32 on the CPU where a tensor is made without saying so, no inference mode and no autocast.

    Parameters
    ----------
    grad : bool, default=True
        Whether gradients are recorded.
    """
    recorded = torch.is_grad_enabled()
    try:
        with ExitStack() as stack:
            stack.enter_context(_FLOAT32)
            if torch.is_inference_mode_enabled():
                stack.enter_context(torch.inference_mode(False))
            for device in ("cpu", "cuda", "xpu"):
                if torch.is_autocast_enabled(device):
                    stack.enter_context(torch.autocast(device, enabled=False))
            if torch.get_default_device().type != "cpu":
                stack.enter_context(torch.device("cpu"))
            torch.set_grad_enabled(grad)
            yield
    finally:
        torch.set_grad_enabled(recorded)
