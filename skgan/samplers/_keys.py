"""Keys of ``memory=``: what a training depends on, as text.

The amount, the strategy, the device, verbosity and what a net reads only when it samples (``sampling_params``) are not in it.
"""

import inspect
import re
import sys
import types
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import joblib
import numpy as np
import torch

from skgan._compat import has_parameters
from skgan._mapped import is_large, row_pieces

NOT_IN_KEY = (
    "device",
    "verbose",
    "random_state",  # the seed is in the key by itself
    "max_time",
)  # a run that max_time cut is not kept, and any other ran to its last step

_LIBRARIES = {"torch", "skorch", "sklearn", "imblearn", "numpy", "scipy", "pandas", "joblib", *sys.stdlib_module_names}


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


@dataclass(frozen=True)
class TrainingKey:
    """What a training is kept under, and what that was made of."""

    key: str
    facts: dict[str, Any]
    """For those who look into a file: JSON."""


def generator_key(X: np.ndarray, y: np.ndarray, net, seed: int) -> TrainingKey:
    """The key of a training: net, rows, labels and seed."""
    kept = {
        name: value
        for name, value in net.get_params(deep=False).items()
        if name not in NOT_IN_KEY and name not in net.sampling_params
    }
    rows = [joblib.hash(X[piece]) for piece in row_pieces(X)] if is_large(X) else joblib.hash(X)
    labels, described = joblib.hash(y), (repr(describe(type(net))), repr(describe(kept)))
    key = joblib.hash((described, rows, labels, seed))
    facts = {
        "data": rows if isinstance(rows, str) else joblib.hash(rows),
        "labels": labels,
        "shape": list(X.shape),
        "seed": int(seed),
        "net": f"{type(net).__module__}.{type(net).__qualname__}",
        "parameters": {name: _readable(value) for name, value in kept.items()},
    }
    return TrainingKey(key, facts)


def _readable(value: Any) -> str:
    told = (
        f"{value.__module__}.{value.__qualname__}"
        if isinstance(value, type)
        else re.sub(" at 0x[0-9a-f]+", "", repr(value))
    )
    return told if len(told) <= 200 else f"{told[:199]}…"
