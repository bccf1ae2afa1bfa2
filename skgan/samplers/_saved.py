"""Fitted samplers as files: objects as arrays and text, and back, without running anything that a file asks for.

A file names classes, and these are looked up among those that are imported already. Objects are made only of classes of skgan
and of those derived from bases of scikit-learn, skorch and torch; of functions, only ``skgan.strategies``' are known.
"""

import sys
from decimal import Decimal
from importlib.metadata import version
from os import PathLike
from pathlib import Path, PurePath
from types import FunctionType
from typing import Any

import joblib
import numpy as np
import pandas as pd
import torch
from scipy import sparse
from sklearn.base import BaseEstimator
from sklearn.neighbors import NearestNeighbors

from skgan._stored import Arrays, DamagedError, packed, read, unpacked, write
from skgan.nets import GenerativeNet
from skgan.samplers._saved_pandas import OF_PANDAS, of_pandas

FORMAT = 1
"""Raised when what a file holds changes."""

_PLAIN = (list, tuple, dict, str, int, float, bool, bytes, Decimal)
_AS_VALUES = (
    *(torch.nn.Module, torch.optim.Optimizer, torch.utils.data.DataLoader, torch.utils.data.Dataset),
    *(BaseEstimator, np.generic, sparse.spmatrix, sparse.sparray),
)
_SENTINELS = {"NA": pd.NA, "NaT": pd.NaT}


def save(sampler: Any, path: str | PathLike) -> None:
    """Write a fitted sampler to a file, for :func:`load`."""
    name = type(sampler).__name__
    try:
        write_objects(Path(path), sampler, {"format": FORMAT, "skgan": version("skgan"), "class": name})
    except TypeError as error:
        raise TypeError(
            f"This {name} cannot be saved: {error} Leave that part out, or keep the sampler with joblib.dump, whose files run "
            "code when they are read."
        ) from error


def load(path: str | PathLike) -> Any:
    """Read a sampler that its ``save`` has written; it makes the same rows.

    The file is safetensors and JSON. Nothing in it is run, and nothing is imported because of it: a class of yours that is part
    of the sampler (a module, a callback) has to be imported before.

    Parameters
    ----------
    path : str or path

    Returns
    -------
    sampler
        Fitted, of the class that was saved.

    Raises
    ------
    ValueError
        For a file that is damaged, of another version of skgan, or of something else, and for classes that are not there.
    OSError
        Where the file cannot be read.

    Examples
    --------
    >>> import skgan
    >>> from skgan import GANOverSampler
    >>> sampler = GANOverSampler(random_state=0)
    >>> _ = sampler.fit_resample(X, y)  # doctest: +SKIP
    >>> sampler.save("sampler.safetensors")  # doctest: +SKIP
    >>> skgan.load("sampler.safetensors").sample({1: 100})  # doctest: +SKIP
    """
    path = Path(path)
    try:
        told, arrays, facts = read(path)
        if not isinstance(told, dict) or not {"root", "objects"} <= set(told) or "class" not in facts:
            raise DamagedError("it holds something else, such as an entry of memory=")
    except DamagedError as error:
        raise ValueError(f"{str(path)!r} is no sampler that was saved, or is damaged: {error}.") from error
    wanted = {"format": FORMAT, "skgan": version("skgan")}
    if any(facts.get(name) != value for name, value in wanted.items()):
        raise ValueError(
            f"{str(path)!r} was written by skgan {facts.get('skgan')} (format {facts.get('format')}), and this is skgan "
            f"{wanted['skgan']} (format {FORMAT}): fit the sampler again, or read it with that version."
        )
    try:
        return objects_in(path, told, arrays)
    except (KeyError, IndexError, TypeError, AttributeError) as error:
        raise ValueError(f"{str(path)!r} cannot be put together ({type(error).__name__}: {error}).") from error


def write_objects(path: Path, value: Any, facts: dict[str, Any]) -> None:
    """Write a tree of objects, as ``write`` of :mod:`skgan._stored` does trees of arrays.

    Raises
    ------
    TypeError
        For an object that has no place in a file; nothing is written.
    """
    arrays, objects = Arrays(), _Objects()
    root = packed(value, arrays, "", objects.packed(arrays))
    write(path, {"root": root, "objects": objects.told}, arrays, facts)


def objects_in(path: Path, told: dict[str, Any], arrays: dict[str, np.ndarray]) -> Any:
    """The tree that ``write_objects`` has written, of what ``read`` has found in the file."""
    return _Reader(str(path), told["objects"], arrays).value(told["root"])


class _Objects:
    """What JSON and arrays do not know, as what they know; each object once."""

    def __init__(self):
        self.told: list[Any] = []
        self.numbers: dict[int, tuple[int, Any]] = {}

    def packed(self, arrays: Arrays):
        """For ``packed`` of :mod:`skgan._stored`."""

        def tell(value: Any, path: str) -> Any:
            plain = _plain(value)
            if plain is not None:
                return {kind: packed(part, arrays, path, tell) for kind, part in plain.items()}
            if id(value) not in self.numbers:
                self.numbers[id(value)] = len(self.told), value
                self.told.append(None)
                how, state, more = _parts(value, path)
                self.told[self.numbers[id(value)][0]] = {
                    "how": how,
                    "class": _name(type(value)),
                    "state": packed(state, arrays, path, tell),
                    "more": packed(more, arrays, path, tell),
                }
            return {"object": self.numbers[id(value)][0]}

        return tell


def _plain(value: Any) -> dict[str, Any] | None:
    """Values that are no objects of classes, by kind."""
    if isinstance(value, type):
        return {"class": _name(value)}
    if isinstance(value, FunctionType) and value.__module__ == "skgan.strategies":
        return {"strategy": value.__name__}
    if isinstance(value, set | frozenset):
        return {"set": [type(value) is frozenset, *value]}
    if isinstance(value, bytes):
        return {"bytes": value.hex()}
    if isinstance(value, Decimal):
        return {"decimal": str(value)}
    if isinstance(value, PurePath):
        return {"path": str(value)}
    if isinstance(value, joblib.Memory):
        return {"path": str(value.location)}
    if isinstance(value, np.random.RandomState):
        return {"random_state": value.get_state()}
    if value is pd.NA or value is pd.NaT:
        return {"pandas": "NA" if value is pd.NA else "NaT"}
    if isinstance(value, np.dtype):
        return {"dtype": value.str}
    if isinstance(value, np.generic):
        return {"scalar": np.asarray(value)}
    if isinstance(value, np.ndarray):
        return _array(value)
    if sparse.issparse(value):
        coo = value.tocoo()
        return {"sparse": [type(value), value.shape, coo.data, coo.row, coo.col]}
    return of_pandas(value)


def _array(value: np.ndarray) -> dict[str, Any] | None:
    if value.dtype.kind in "mM":
        return {"times": [value.view(np.int64), value.dtype.str]}
    if value.dtype.kind in "OUS" and value.dtype.names is None:
        return {"cells": [value.dtype.str, value.shape, value.ravel().tolist()]}
    return None


def _parts(value: Any, path: str) -> tuple[str, Any, Any]:
    """How an object is made again, and of what."""
    kind = type(value)
    if isinstance(value, GenerativeNet):
        return "net", value.get_params(deep=False), value.learned() if value.initialized_ else None
    if kind is NearestNeighbors:
        return "neighbours", value.get_params(), vars(value).get("_fit_X")
    if _is_known(kind) and isinstance(value, tuple):
        return "tuple", list(value), None
    if not _is_known(kind) or "__dict__" not in dir(value):
        where = path.lstrip(".") or "it"
        raise TypeError(f"{where} is a {kind.__module__}.{kind.__qualname__}, which has no place in the file.")
    state = {
        name: part for name, part in vars(value).items() if name != "ready"
    }  # a net that is rebuilt where it is needed
    return "state", state, None


def _name(kind: type) -> str:
    return f"{kind.__module__}:{kind.__qualname__}"


def _is_known(kind: type) -> bool:
    """Whether objects of the class may be made from a file."""
    homes = [base.__module__ for base in kind.__mro__]
    return (
        any(home.partition(".")[0] == "skgan" or home.startswith("skorch.callbacks") for home in homes)
        or issubclass(kind, BaseEstimator)
        or kind.__module__ == "sklearn.utils._metadata_requests"
    )


class _Reader:
    """From text and arrays to objects, each of which is made once."""

    def __init__(self, path: str, told: list[Any], arrays: dict[str, np.ndarray]):
        self.path, self.told, self.arrays = path, told, arrays
        self.made: dict[int, Any] = {}

    def value(self, told: Any) -> Any:
        return unpacked(told, self.arrays, self._other)

    def _other(self, told: dict[str, Any]) -> Any:
        (kind, part), *more = told.items()
        if more:
            raise DamagedError(f"it holds {sorted(told)}, which is nothing known")
        if kind == "object":
            return self._object(int(part))
        if kind == "class":
            return self._class(part)
        value = self.value(part)
        return _OF_KIND[kind](*value) if isinstance(value, list | tuple) else _OF_KIND[kind](value)

    def _class(self, name: str) -> type:
        module, _, qualname = name.partition(":")
        found: Any = _BUILTIN.get(qualname) if module == "builtins" else sys.modules.get(module)
        for part in qualname.split(".") if module != "builtins" else ():
            found = None if found is None else vars(found).get(part)
        if not isinstance(found, type):
            raise ValueError(
                f"{self.path!r} needs the class {qualname} of the module {module}, which is not imported, or has none of that "
                "name: import it, and load the file again."
            )
        if not (found in _PLAIN or _is_known(found) or issubclass(found, _AS_VALUES)):
            raise ValueError(f"{self.path!r} names the class {name}, which no sampler has in it; the file is refused.")
        return found

    def _object(self, number: int) -> Any:
        if number in self.made:
            return self.made[number]
        told = self.told[number]
        how, kind = str(told["how"]), self._class(told["class"])
        bases = {"net": GenerativeNet, "neighbours": NearestNeighbors, "tuple": tuple, "state": object}
        if not (_is_known(kind) and issubclass(kind, bases[how])):
            raise ValueError(
                f"{self.path!r} holds an object of {_name(kind)}, which no sampler has in it; it is refused."
            )
        if how == "state":
            self.made[number] = object.__new__(kind)
            vars(self.made[number]).update(self.value(told["state"]))
            return self.made[number]
        state, more = self.value(told["state"]), self.value(told["more"])
        if how == "tuple":
            made: Any = tuple.__new__(kind, state)
        else:
            made = kind(**state)
            if how == "net" and more is not None:
                made.restore(more)
            elif how == "neighbours" and more is not None:
                made.fit(more)
        self.made[number] = made
        return made


def _array_of_cells(dtype: str, shape: tuple[int, ...], cells: list[Any]) -> np.ndarray:
    array = np.empty(len(cells), np.dtype(dtype))
    for i, cell in enumerate(cells):  # numpy would look into cells that are sequences
        array[i] = cell
    return array.reshape(shape)


def _random_state(*state: Any) -> np.random.RandomState:
    made = np.random.RandomState()
    made.set_state(state)
    return made


def _strategy(name: str) -> Any:
    from skgan import strategies

    return {"halfway": strategies.halfway}[name]


_BUILTIN = {kind.__name__: kind for kind in _PLAIN if kind is not Decimal}
_OF_KIND: dict[str, Any] = {
    "strategy": _strategy,
    "set": lambda frozen, *items: frozenset(items) if frozen else set(items),
    "bytes": bytes.fromhex,
    "decimal": Decimal,
    "path": Path,
    "random_state": _random_state,
    "pandas": _SENTINELS.__getitem__,
    "dtype": np.dtype,
    "scalar": lambda array: array[()],
    "times": lambda numbers, dtype: numbers.view(dtype),
    "cells": _array_of_cells,
    "sparse": lambda kind, shape, data, *at: kind(sparse.coo_array((data, at), shape=shape)),
    **OF_PANDAS,
}
