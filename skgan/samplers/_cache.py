"""``memory=``: trained generators kept on disk, so that a search over amounts trains once per fold.

What is kept is a pure function's result (plain CPU arrays) under data + training parameters + seed. The amount, the strategy,
the device, verbosity and what a net reads only when it samples (``sampling_params``) are not part of the key.
"""

import inspect
import sys
import types
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from os import PathLike
from pathlib import Path
from typing import Any

import cloudpickle
import joblib
import numpy as np
import torch
from filelock import FileLock
from sklearn.utils.validation import check_memory

from skgan._compat import has_parameters
from skgan._mapped import is_large, row_pieces
from skgan._warnings import warn

FORMAT = 3
"""Raised when what an entry holds changes."""

NOT_IN_KEY = (
    "device",
    "verbose",
    "random_state",  # the seed is in the key by itself
    "max_time",
)  # a run that max_time cut is not kept, and any other ran to its last step

_LIBRARIES = {"torch", "skorch", "sklearn", "imblearn", "numpy", "scipy", "pandas", "joblib", *sys.stdlib_module_names}


class _UnfinishedError(Exception):
    """Takes a result past joblib, which keeps what a function returns and nothing that it raises."""


def describe(value: Any) -> Any:
    """A value as nested tuples of strings that are equal where the value would train the same.

    Classes and functions outside of known libraries count with their bytecode: a user's module that was changed has
    another description, also where it lives in ``__main__``.
    """
    return _describe(value, ())


def _describe(value: Any, above: tuple[int, ...]) -> Any:
    if value is None or isinstance(value, bool | int | float | complex | str | bytes | np.generic | np.dtype):
        return type(value).__name__, repr(value)
    if isinstance(value, np.ndarray | torch.Tensor):
        array = value.detach().cpu().numpy() if isinstance(value, torch.Tensor) else value
        return type(value).__name__, joblib.hash(array)
    if isinstance(value, type):
        return "class", *_code_of_class(value)
    if isinstance(value, types.CodeType):
        return "code", value.co_code.hex(), repr(value.co_names), *(_describe(c, above) for c in value.co_consts)
    if id(value) in above:
        return "itself", str(len(above) - above.index(id(value)))
    above = (*above, id(value))
    if isinstance(value, Mapping):
        return "mapping", *sorted((repr(_describe(k, above)), _describe(v, above)) for k, v in value.items())
    if isinstance(value, set | frozenset):
        return "set", *sorted(repr(_describe(item, above)) for item in value)
    if isinstance(value, list | tuple):
        return type(value).__name__, *(_describe(item, above) for item in value)
    if isinstance(value, types.FunctionType):
        inner = [cell.cell_contents for cell in value.__closure__ or ()]
        return (
            "function",
            value.__qualname__,
            *(_describe(part, above) for part in (value.__code__, value.__defaults__, inner)),
        )
    if isinstance(value, types.MethodType):
        return "method", _describe(value.__func__, above), _describe(value.__self__, above)
    if inspect.isbuiltin(value) or isinstance(value, types.ModuleType):
        return "named", getattr(value, "__module__", None) or "", value.__name__
    if has_parameters(value):
        state: Any = value.get_params(deep=False)
    else:
        reduced = value.__reduce_ex__(4)  # as pickle sees it: works with slots and partials too
        state = reduced if isinstance(reduced, str) else reduced[1:]
    return "object", _describe(type(value), above), _describe(state, above)


def _code_of_class(klass: type) -> Iterator[Any]:
    for base in klass.__mro__:
        yield f"{base.__module__}.{base.__qualname__}"
        if base.__module__.partition(".")[0] in _LIBRARIES:
            continue
        for name, member in sorted(vars(base).items()):
            for function in (member, *(getattr(member, part, None) for part in ("__func__", "fget", "fset"))):
                if isinstance(function, types.FunctionType):
                    yield name, describe(function.__code__)
            if isinstance(member, bool | int | float | str | tuple) and name != "__doc__":
                yield name, repr(member)


def generator_key(X: np.ndarray, y: np.ndarray, net, seed: int) -> str:
    """The key of a training: net, rows, labels and seed."""
    kept = {
        name: value
        for name, value in net.get_params(deep=False).items()
        if name not in NOT_IN_KEY and name not in net.sampling_params
    }
    rows = [joblib.hash(X[piece]) for piece in row_pieces(X)] if is_large(X) else joblib.hash(X)
    return joblib.hash((FORMAT, repr(describe(type(net))), repr(describe(kept)), rows, joblib.hash(y), seed))


def _keep(key: str, compute: Callable[[], Any], complete: Callable[[Any], bool]) -> Any:
    """What joblib caches, under the key alone."""
    result = compute()
    if not complete(result):
        raise _UnfinishedError
    return result


def _location(memory) -> Any:
    return memory if isinstance(memory, str | PathLike) or memory is None else memory.location


def _entries(memory):
    """joblib's function of a key, compute and complete, of which only the key counts."""
    return check_memory(str(memory) if isinstance(memory, PathLike) else memory).cache(
        _keep, ignore=["compute", "complete"]
    )


def recall(memory, key: str, compute: Callable[[], Any], complete: Callable[[Any], bool] = lambda _: True) -> Any:
    """The entry under the key, or what ``compute`` returns, which then becomes the entry.

    One process computes a key at a time; others wait for it and read. Where the folder cannot be written, ``compute`` runs,
    with a warning; an entry that cannot be read is computed again, with joblib's warning.
    """
    location = _location(memory)
    if location is None:
        return compute()
    lock = Path(location) / "skgan-locks" / f"{key}.lock"
    with locked(lock, Path(location), "the generator was trained") as writable:
        if not writable:
            return compute()
        computed: list[Any] = []

        def compute_once():
            computed.append(compute())
            return computed[0]

        kept = _entries(memory)
        try:
            entry = kept.call_and_shelve(key, compute_once, complete)
            if computed:  # also where it could not be written: joblib has warned
                return computed[0]
            try:
                return entry.get()
            except Exception as error:  # whatever a damaged pickle raises
                warn(
                    f"An entry of the cache folder {str(location)!r} cannot be read ({type(error).__name__}: {error}); "
                    "it is computed again."
                )
            entry.clear()
            kept.call_and_shelve(key, compute_once, complete)
        except _UnfinishedError:
            pass
        return computed[0]


def recall_together(
    memory, keys: Sequence[str], compute: Callable[[list[int]], list[Any]], complete: Callable[[Any], bool]
) -> list[Any]:
    """The entries under these keys; those that are missing are computed in one call, ``compute(their numbers)``."""
    if len(keys) == 1:
        return [recall(memory, keys[0], lambda: compute([0])[0], complete)]
    location = _location(memory)
    lock = Path(location) / "skgan-locks" / f"{joblib.hash(keys)}.lock"
    with locked(lock, Path(location), "the generators were trained") as writable:
        if not writable:
            return compute(list(range(len(keys))))
        entries = _entries(memory)
        missing = [i for i, key in enumerate(keys) if not entries.check_call_in_cache(key, None, None)]
        computed: dict[int, Any] = {}

        def of(i: int) -> Any:
            if i not in computed:  # a damaged entry is computed alone
                numbers = [i, *(j for j in missing if j not in computed and j != i)]
                computed.update(zip(numbers, compute(numbers), strict=True))
            return computed[i]

        return [recall(memory, key, partial(of, i), complete) for i, key in enumerate(keys)]


@contextmanager
def locked(path: Path, memory: Path, instead: str) -> Iterator[bool]:
    """Hold a lock file (the system lets go of a killed worker's); False, and a warning, where it cannot be made.

    ``memory`` is the folder that the user named, and ``instead`` says what happens without it.
    """
    lock = FileLock(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        lock.acquire()
    except OSError as error:
        warn(
            f"The folder {str(memory)!r} that memory= names cannot be written ({error.strerror or error}): "
            f"{instead} without it. Give a folder that can be written, or memory=None."
        )
        yield False
        return
    try:
        yield True
    finally:
        lock.release()


def recall_filter(memory, keys: list[str], row_filter, X: np.ndarray, y: np.ndarray, fit: Callable[[], Any]) -> Any:
    """The fitted row filter of the generators under these keys, from the cache where it is there.

    It is kept as bytes that also a worker in which the user's script is not ``__main__`` can write.
    """
    key = joblib.hash((FORMAT, keys, repr(describe(row_filter)), joblib.hash(X), joblib.hash(y)))
    return cloudpickle.loads(recall(memory, key, lambda: cloudpickle.dumps(fit())))
