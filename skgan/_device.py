"""Which device a training runs on, and how much memory is left there."""

import os
from contextlib import suppress
from pathlib import Path

import torch

from skgan._warnings import warn


def resolve_device(device: str | None) -> str:
    """Turn ``"auto"`` or ``None`` into a device that is there; a missing CUDA device becomes the CPU, with a warning."""
    if device is None or device == "auto":
        return "cuda" if torch.cuda.is_available() else "cpu"
    try:
        kind = torch.device(device).type
    except RuntimeError as error:
        raise ValueError(
            f"device={device!r} is no device that torch knows; use 'auto', 'cpu', 'cuda' or 'cuda:<index>'."
        ) from error
    if kind == "cuda" and not torch.cuda.is_available():
        warn(f"device={device!r} was asked for, but torch sees no CUDA device here; the CPU is used instead.")
        return "cpu"
    if kind == "cuda" and (torch.device(device).index or 0) >= torch.cuda.device_count():
        raise ValueError(
            f"device={device!r} was asked for, but there are only {torch.cuda.device_count()} CUDA devices here."
        )
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
