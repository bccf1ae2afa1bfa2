"""``memory=``: trained generators, and trainings in progress, kept on disk.

An entry is what :meth:`skgan.nets.GenerativeNet.export` returns (plain arrays), in one safetensors file under the key of its
training. Nothing is unpickled. A file that is damaged, of another version, or of another training than its name says is made
anew and overwritten.
"""

import datetime
import json
import os
import socket
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from importlib.metadata import version
from os import PathLike
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import torch
from filelock import FileLock, Timeout

from skgan._stored import Arrays, DamagedError, packed, private_folder, read, unpacked, write
from skgan._warnings import warn
from skgan.nets.checkpoints import Checkpoint
from skgan.samplers._keys import TrainingKey

FORMAT = 4
"""Raised when what an entry holds changes."""
WAIT = 10.0
"""Seconds after which it is said that another process holds a lock."""

Export = dict[str, Any]


def location_of(memory: Any) -> Path | None:
    """The folder that ``memory=`` names."""
    location = memory if isinstance(memory, str | PathLike) or memory is None else memory.location
    if location is None:
        return None
    if not str(location):
        raise ValueError(
            "memory='' names no folder, and generators would be kept in the working directory. Name a folder, such as "
            "memory='generators' (or memory='.' for the working directory), or set memory=None."
        )
    return Path(location)


class _Entry:
    """One training's files in the folder."""

    IDENTITY = ("format", "skgan", "key", "data", "labels", "seed")

    def __init__(self, folder: Path, training: TrainingKey):
        self.folder, self.training = folder / "skgan", training
        self.path = self.folder / f"{training.key}.safetensors"
        self.lock = self.folder / f"{training.key}.lock"
        self.facts = {"format": FORMAT, "skgan": version("skgan"), "key": training.key, **training.facts}

    def checkpoint(self) -> Checkpoint:
        told = {name: self.facts[name] for name in ("format", "skgan", "key")}
        return Checkpoint(self.folder / f"{self.training.key}.checkpoint.safetensors", told)

    def read(self, aloud: bool = True) -> Any:
        """What is kept, or None; why a file that is there cannot be used is said aloud."""
        try:
            told, arrays, facts = read(self.path)
            other = [name for name in self.IDENTITY if facts.get(name) != self.facts.get(name)]
            if other:
                raise DamagedError(f"it is of another {', '.join(other)}")
            return unpacked(told, arrays)
        except (FileNotFoundError, NotADirectoryError):
            return None
        except (DamagedError, OSError) as error:
            if aloud:
                warn(f"The file {str(self.path)!r} of the cache cannot be read ({error}); it is made anew.")
            return None

    def write(self, result: Any) -> None:
        """Keep a result; a warning where that fails."""
        arrays = Arrays()
        now = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
        made_by = {"torch": torch.__version__, "numpy": np.__version__, "date": now}
        try:
            write(self.path, packed(result, arrays), arrays, {**self.facts, **made_by})
        except (OSError, TypeError) as error:
            warn(f"A trained generator could not be kept in {str(self.path)!r}: {error}.")


def recall(
    memory, training: TrainingKey, compute: Callable[[Checkpoint | None], Export], complete: Callable[[Export], bool]
) -> Export:
    """The entry of a training, or what ``compute`` returns, which then becomes the entry.

    One process computes a key at a time; others wait for it and read. Reading needs no lock, and so no folder that can be
    written; where something new could not be kept, ``compute`` runs, with a warning.

    Parameters
    ----------
    memory : str, path or joblib.Memory
    training : TrainingKey
    compute : callable
        Given where the training in progress is to be kept, or None.
    complete : callable
        Whether a result is kept.
    """
    folder = location_of(memory)
    if folder is None:
        return compute(None)
    entry = _Entry(folder, training)
    found = entry.read(aloud=False)
    if found is not None:
        with suppress(OSError):  # where only reading is allowed
            entry.checkpoint().remove()  # of a process that was killed when it had kept its result
        return found
    with locked(entry.lock, folder, "the generator was trained") as writable:
        if not writable:
            return compute(None)
        found = entry.read()
        if found is not None:
            return found
        checkpoint = entry.checkpoint()
        result = compute(checkpoint)
        if complete(result):
            entry.write(result)
            checkpoint.remove()
        return result


def recall_together(
    memory,
    trainings: Sequence[TrainingKey],
    compute: Callable[[list[int], Checkpoint | None, Sequence[Checkpoint | None]], list[Export]],
    complete: Callable[[Export], bool],
) -> list[Export]:
    """The entries of these trainings; those that are missing are computed in one call.

    Nets that are trained side by side are the same only up to rounding as those trained with others beside them. So that a
    group that is killed ends as it would have, all of its results are in one file before any of them is an entry.

    Parameters
    ----------
    memory, complete
        As of :func:`recall`.
    trainings : sequence of TrainingKey
    compute : callable
        ``compute(numbers, together, each)``: numbers of the missing trainings, where they are kept as one, and where each.
    """
    folder, everything = location_of(memory), list(range(len(trainings)))
    if folder is None:
        return compute(everything, None, [None] * len(trainings))
    if len(trainings) == 1:
        return [recall(memory, trainings[0], lambda own: compute([0], own, [own])[0], complete)]
    entries = [_Entry(folder, training) for training in trainings]
    found = [entry.read(aloud=False) for entry in entries]
    if all(one is not None for one in found):
        return found
    keys = [training.key for training in trainings]
    group = _Entry(folder, TrainingKey(joblib.hash(keys), {}))
    # One order of locks, so that nobody waits for who waits for them
    with _all_locked([group.lock, *sorted(entry.lock for entry in entries)], folder) as writable:
        if not writable:
            missing = [i for i in everything if found[i] is None]
            return _filled(found, missing, compute(missing, None, [None] * len(missing)))
        there = [entry.read() for entry in entries]
        missing = [i for i in everything if there[i] is None]
        left = TrainingKey(joblib.hash(("together", *(keys[i] for i in missing))), {})
        together, each = _Entry(folder, left).checkpoint(), [entries[i].checkpoint() for i in missing]
        whole = group.read() or {}  # of a group that was killed when it was trained
        if all(keys[i] in whole for i in missing):
            results = [whole[keys[i]] for i in missing]
        else:
            results = compute(missing, together, each)
            if all(map(complete, results)):
                group.write({keys[i]: result for i, result in zip(missing, results, strict=True)})
        if all(map(complete, results)):
            for checkpoint in (together, *each):
                checkpoint.remove()
        for i, result in zip(missing, results, strict=True):
            if complete(result):
                entries[i].write(result)
        group.path.unlink(missing_ok=True)
        return _filled(there, missing, results)


def _filled(found: list[Any], missing: list[int], results: list[Any]) -> list[Any]:
    new = dict(zip(missing, results, strict=True))
    return [new.get(i, one) for i, one in enumerate(found)]


@contextmanager
def _all_locked(paths: Sequence[Path], folder: Path) -> Iterator[bool]:
    with ExitStack() as locks:
        # Where the first cannot be made, one warning is enough.
        yield all(locks.enter_context(locked(path, folder, "the generators were trained")) for path in paths)


@contextmanager
def locked(path: Path, memory: Path, instead: str) -> Iterator[bool]:
    """Hold a lock file (the system lets go of a killed worker's); False, and a warning, where it cannot be made.

    Whoever waits for long says for whom, and goes on waiting: a stopped process may go on.

    Parameters
    ----------
    path : Path
    memory : Path
        The folder that the user named.
    instead : str
        What happens without the lock.
    """
    lock, holder = FileLock(path, mode=0o600), path.with_suffix(".holder")
    try:
        private_folder(path.parent)
        try:
            lock.acquire(timeout=WAIT)
        except Timeout:
            warn(
                f"{_held_by(holder)} holds the lock file {str(path)!r}, perhaps because it trains the same generator; this "
                f"process has waited for it for {WAIT:g} s, and goes on waiting. Where that process is stopped or stuck, "
                "let it go on or end it: the lock is free then."
            )
            lock.acquire()
    except OSError as error:
        warn(
            f"The folder {str(memory)!r} that memory= names cannot be written ({error.strerror or error}): "
            f"{instead} without it. Give a folder that can be written, or memory=None."
        )
        yield False
        return
    try:
        _say_who(holder)
        yield True
    finally:
        holder.unlink(missing_ok=True)
        lock.release()


def _say_who(holder: Path) -> None:
    told = json.dumps({"pid": os.getpid(), "host": socket.gethostname()})
    with (
        suppress(OSError),  # a full disk: nobody is told who holds the lock
        open(os.open(holder, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file,
    ):
        file.write(told)


def _held_by(holder: Path) -> str:
    try:
        told = json.loads(holder.read_text())
        return f"Process {int(told['pid'])} on {told['host']!r}"
    except (OSError, ValueError, KeyError, TypeError):  # just let go of, or half written
        return "Another process"
