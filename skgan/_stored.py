"""Trees of arrays and plain values as one safetensors file: nothing that is read from disk can run code.

A file holds arrays, a text (JSON) that says how they hang together, and facts about itself (JSON, in the header, where any
reader of safetensors finds them). A hash over all of it tells a damaged file. A file has its name only when it is whole.
"""

import errno
import hashlib
import json
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors import SafetensorError
from safetensors.numpy import load, save

from skgan._whole import remove_leftovers, renamed

_TREE = "tree"

Other = Callable[[Any, str], Any]


class DamagedError(ValueError):
    """The file is none of ours, or not as it was written."""


class Arrays(dict[str, np.ndarray]):
    """Arrays by their names in a file; one that is added twice is there once."""

    def __init__(self):
        super().__init__()
        self.names: dict[int, tuple[str, Any]] = {}

    def add(self, array: np.ndarray, path: str) -> str:
        """The name under which an array is there."""
        if id(array) in self.names:
            return self.names[id(array)][0]
        name = path.lstrip(".") or "value"
        while name in self or name == _TREE:
            name += "'"
        self.names[id(array)] = name, array  # which stays alive, and so the only one of this id
        self[name] = np.asarray(array, dtype=array.dtype.newbyteorder("="), order="C")
        return name


def _unknown(value: Any, path: str) -> Any:
    raise TypeError(f"{path or 'the value'} is a {type(value).__name__}, which cannot be written as arrays and text.")


def packed(value: Any, arrays: Arrays, path: str = "", other: Other = _unknown) -> Any:
    """The value as JSON knows it; its arrays go into the dict.

    Parameters
    ----------
    value : tree of dicts, lists, tuples, strings, numbers, None, numeric arrays and tensors
    arrays : Arrays
    path : str, default=""
        Where the value is in the tree, which names its arrays.
    other : callable, default: refuse
        ``(value, path)`` → the value as JSON, for what is none of these.
    """
    if value is None or type(value) in (bool, int, float, str):
        return value
    if type(value) is list:
        return [packed(item, arrays, f"{path}.{i}", other) for i, item in enumerate(value)]
    if type(value) is tuple:
        return {"tuple": [packed(item, arrays, f"{path}.{i}", other) for i, item in enumerate(value)]}
    if type(value) is dict:
        pairs = value.items()
        return {"dict": [[packed(k, arrays, path, other), packed(v, arrays, f"{path}.{k}", other)] for k, v in pairs]}
    if isinstance(value, torch.Tensor):
        return {"tensor": arrays.add(value.detach().cpu().numpy(), path)}
    if isinstance(value, np.ndarray | np.generic) and value.dtype.kind in "biuf" and value.dtype.itemsize <= 8:
        return {"number" if isinstance(value, np.generic) else "array": arrays.add(np.asarray(value), path)}
    return other(value, path)


def unpacked(told: Any, arrays: Mapping[str, np.ndarray], other: Callable[[dict[str, Any]], Any] | None = None) -> Any:
    """The value that was packed; ``other`` rebuilds what ``packed``'s wrote."""
    if isinstance(told, list):
        return [unpacked(item, arrays, other) for item in told]
    if not isinstance(told, dict):
        return told
    if "tuple" in told:
        return tuple(unpacked(item, arrays, other) for item in told["tuple"])
    if "dict" in told:
        return {unpacked(k, arrays, other): unpacked(v, arrays, other) for k, v in told["dict"]}
    if "tensor" in told:
        return torch.from_numpy(arrays[told["tensor"]])
    if "array" in told:
        return arrays[told["array"]]
    if "number" in told:
        return arrays[told["number"]][()]
    if other is None:
        raise DamagedError(f"it holds {sorted(told)}, which is nothing known")
    return other(told)


def write(path: Path, told: Any, arrays: Mapping[str, np.ndarray], facts: Mapping[str, Any]) -> None:
    """Write what was packed, under a temporary name first; the file can be read by this user alone.

    Parameters
    ----------
    path : Path
        In a folder that is there.
    told, arrays
        From :func:`packed`.
    facts : dict
        What the file says of itself; JSON.
    """
    text = json.dumps(told).encode()
    parts = {_TREE: np.frombuffer(text, np.uint8), **arrays}
    said = json.dumps(facts, indent=1, sort_keys=True)
    content = save(parts, {"skgan": said, "hash": _hash(said, parts)})
    remove_leftovers(path.parent)
    with (
        renamed(path) as half,
        open(os.open(half, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file,
    ):
        file.write(content)


def read(path: Path) -> tuple[Any, dict[str, np.ndarray], dict[str, Any]]:
    """What was written: the tree as JSON, its arrays, and the facts.

    Raises
    ------
    DamagedError
        Where the file is truncated, changed, or of another program.
    OSError
        Where it is not there, or cannot be read.
    """
    content = path.read_bytes()
    try:
        parts = {name: array if array.flags.writeable else array.copy() for name, array in load(content).items()}
        header = json.loads(content[8 : 8 + int.from_bytes(content[:8], "little")])["__metadata__"]
        said = header["skgan"]
        if header["hash"] != _hash(said, parts):
            raise DamagedError("its hash is not that of its content")
        return json.loads(parts.pop(_TREE).tobytes()), parts, json.loads(said)
    except (SafetensorError, KeyError, TypeError, ValueError) as error:  # what the libraries raise on damaged files
        if isinstance(error, DamagedError):
            raise
        raise DamagedError(f"{type(error).__name__}: {error}") from error


def _hash(said: str, parts: Mapping[str, np.ndarray]) -> str:
    hashed = hashlib.sha256(said.encode())
    for name, array in sorted(parts.items()):
        hashed.update(f"\0{name}\0{array.dtype}\0{array.shape}\0".encode())
        hashed.update(array.reshape(-1).view(np.uint8).data)
    return hashed.hexdigest()


def private_folder(path: Path) -> None:
    """Make a folder, and those above it that are missing, for this user alone."""
    if not path.is_dir():
        private_folder(path.parent)
        try:
            path.mkdir(mode=0o700, exist_ok=True)
        except FileExistsError as error:  # a file
            raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), str(path)) from error
