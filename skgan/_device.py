"""Which device a training runs on, and how much memory is left there."""

import multiprocessing
import os
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import torch

from skgan._warnings import warn

A_TRAINING_EACH = "cuda:auto"
"""A CUDA device for each training, in turn; the CPU where there is none. It is known only where the training runs."""

# Kinds of devices that nets could be trained on; torch knows others, such as "meta", whose tensors hold no numbers.
_ACCELERATORS = {"cuda", "mps", "xpu", "hpu", "mtia", "xla"}


def _backend(kind: str) -> Any:
    """The module of torch that knows how many devices of this kind there are, or None where there are none."""
    module = getattr(torch.backends if kind == "mps" else torch, kind, None)
    return module if module is not None and module.is_available() else None


class _Thread(threading.local):
    place: int | None = None


_THREAD = _Thread()


@contextmanager
def at_place(number: int) -> Iterator[None]:
    """Run a block as that number among trainings that may run at once: ``"cuda:auto"`` gives it a device."""
    before, _THREAD.place = _THREAD.place, number
    try:
        yield
    finally:
        _THREAD.place = before


def place() -> int:
    """The number of this training, else of this worker process, among those that may run at once."""
    if _THREAD.place is not None:
        return _THREAD.place
    name = multiprocessing.current_process().name
    number = re.search(r"\d+$", name)  # as loky and multiprocessing count their workers; Dask does not
    if number is not None:
        return int(number.group())
    return 0 if name == "MainProcess" else os.getpid()


def resolve_device(device: str | None) -> str:
    """Turn ``"auto"`` or ``None`` into a device that is there; a missing accelerator becomes the CPU, with a warning."""
    if device is None or device == "auto":
        return "cuda" if torch.cuda.is_available() else "cpu"
    if device == A_TRAINING_EACH:
        return f"cuda:{place() % torch.cuda.device_count()}" if torch.cuda.is_available() else "cpu"
    try:
        kind = torch.device(device).type
    except RuntimeError as error:
        raise ValueError(
            f"device={device!r} is no device that torch knows; use 'auto', 'cpu', 'cuda', 'cuda:<index>' "
            "or 'cuda:auto'."
        ) from error
    if kind == "cpu":
        return str(device)
    if kind not in _ACCELERATORS:
        raise ValueError(
            f"device={device!r} is a device that nothing can be trained on; use 'auto', 'cpu', 'cuda', 'cuda:<index>' "
            "or 'cuda:auto'."
        )
    backend = _backend(kind)
    if backend is None:
        warn(f"device={device!r} was asked for, but torch sees no {kind.upper()} device here; the CPU is used instead.")
        return "cpu"
    known = 1 if kind == "mps" else backend.device_count()
    if (torch.device(device).index or 0) >= known:
        raise ValueError(f"device={device!r} was asked for, but there are only {known} {kind.upper()} devices here.")
    return str(device)


def available_memory(device: str = "cpu") -> int | None:
    """Bytes that can still be had on the device: of a GPU, of the machine, or of the container; None where nobody says."""
    if torch.device(device).type == "cuda":
        return torch.cuda.mem_get_info(device)[0]
    known = []
    with suppress(OSError, ValueError, StopIteration):
        lines = Path("/proc/meminfo").read_text().splitlines()
        known.append(1024 * int(next(line for line in lines if line.startswith("MemAvailable")).split()[1]))
    with suppress(OSError, ValueError):  # "max" is no number: no limit
        group = Path("/sys/fs/cgroup")
        limit = int((group / "memory.max").read_text())
        known.append(max(0, limit - int((group / "memory.current").read_text())))
    if not known:
        with suppress(OSError, ValueError, AttributeError):  # not on Windows
            known.append(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"))
    return min(known, default=None)


def fits(n_bytes: int, device: str) -> bool:
    """Whether rows take at most half of what is left on a device; on the CPU they stay where they are, and take nothing."""
    if torch.device(device).type == "cpu":
        return True
    left = available_memory(device)
    return left is None or n_bytes <= left // 2
