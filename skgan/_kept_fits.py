"""Fits of a comparison kept on disk, so that a call that was interrupted or killed goes on after those that were finished.

Each fit is a file of its own, an npz file of arrays of numbers and text. Nothing is pickled: reading one runs no code.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import fields, is_dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any, NamedTuple

import joblib
import numpy as np
import pandas as pd
from scipy import sparse

from skgan._decision import Response
from skgan._generated import GeneratedRows
from skgan._warnings import warn
from skgan._whole import written_whole
from skgan.samplers._cache import location_of
from skgan.samplers._keys import describe

FORMAT = 2
"""Raised when what a file holds changes."""
_LIBRARIES = "skgan", "scikit-learn", "imbalanced-learn", "numpy", "scipy", "torch", "skorch"
_KINDS = {kind.__name__: kind for kind in (Response, GeneratedRows)}


class Measured(NamedTuple):
    """One fit: score and average precision, the confusion matrix, what its sampler made, and what it said of the test side."""

    values: dict[str, float]
    confusion: np.ndarray
    generated: GeneratedRows | None
    response: Response


class KeptFits:
    """What was measured of the fits on some rows and folds.

    Parameters
    ----------
    memory : str, path or joblib.Memory
        The folder.
    rows : dict of name → estimator
        Unfitted, as they were given, and before a folder for trainings was put into them.
    X, y
    splits : sequence of (training rows, test rows)
    asked : dict of name → object
        What else decides what is measured of a row.
    """

    def __init__(self, memory, rows: Mapping[str, Any], X, y: np.ndarray, splits: Sequence, asked: Mapping[str, Any]):
        folder = location_of(memory)
        assert folder is not None, "the caller has asked"
        self.folder = folder / "skgan-fits"
        common = FORMAT, [version(name) for name in _LIBRARIES], _content(X), _content(y)
        self.folds = [joblib.hash((common, train, test)) for train, test in splits]
        self.rows = {name: joblib.hash(repr(describe((row, asked[name])))) for name, row in rows.items()}

    def _path(self, name: str, fold: int) -> Path:
        return self.folder / f"{joblib.hash((self.rows[name], self.folds[fold], fold == 0))}.npz"

    def count(self) -> int:
        """Fits that are there."""
        return sum(self._path(name, fold).exists() for name in self.rows for fold in range(len(self.folds)))

    def get(self, name: str, fold: int) -> tuple[Measured, float] | None:
        """What was measured, and the seconds of the fit; None where it is not there."""
        path = self._path(name, fold)
        if not path.exists():
            return None
        try:
            with np.load(path, allow_pickle=False) as file:
                measured, seconds = _unpacked(json.loads(file["tree"].tobytes()), file)
                return Measured(*measured), seconds
        except Exception as error:  # whatever a damaged archive raises
            warn(f"The file {str(path)!r} cannot be read ({type(error).__name__}: {error}); its fit is done again.")
            return None

    def put(self, name: str, fold: int, measured: Measured, seconds: float) -> None:
        """Keep it; where that cannot be done there is a warning."""
        arrays: dict[str, Any] = {}
        try:
            tree = _packed([list(measured), seconds], arrays)
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            with written_whole(self._path(name, fold)) as half:
                half.touch(mode=0o600)  # with what was generated: as private as the generators
                with half.open("wb") as file:
                    np.savez(file, tree=np.frombuffer(json.dumps(tree).encode(), np.uint8), **arrays)
        except OSError as error:  # of every fit the same sentence, so that it is said once
            warn(f"Finished fits are not kept in {str(self.folder.parent)!r}: {error.strerror or error}.")
        except _NotKeptError as error:
            warn(f"Fits of {name!r} are not kept: {error}.")


class _NotKeptError(Exception):
    """A value that is neither a number nor text."""


def _packed(value: Any, arrays: dict[str, np.ndarray]) -> Any:
    """A value as JSON has it, with arrays apart."""
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, np.generic) and value.dtype.kind in "biufU":
        return value.item()
    if isinstance(value, np.ndarray):
        if value.dtype.hasobject:
            return {"objects": _packed(value.ravel().tolist(), arrays), "shape": list(value.shape)}
        name = f"array_{len(arrays)}"
        arrays[name] = value
        return {"array": name}
    if isinstance(value, list):
        return [_packed(part, arrays) for part in value]
    if isinstance(value, tuple):
        return {"tuple": [_packed(part, arrays) for part in value]}
    if isinstance(value, dict):
        return {"dict": [[_packed(part, arrays) for part in pair] for pair in value.items()]}
    if isinstance(value, pd.DataFrame):
        columns = [_packed(value.iloc[:, i], arrays) for i in range(value.shape[1])]
        names, index = ([*map(_plain, labels)] for labels in (value.columns, value.index))
        return {"columns": columns, "names": _packed(names, arrays), "index": _packed(index, arrays)}
    if isinstance(value, pd.Series):
        if isinstance(value.dtype, pd.CategoricalDtype):
            categories = _packed(value.cat.categories.to_series(), arrays)
            return {
                "codes": _packed(value.cat.codes.to_numpy(), arrays),
                "of": categories,
                "ordered": bool(value.cat.ordered),
            }
        if isinstance(value.dtype, np.dtype) and value.dtype.kind in "biuf":
            return {"values": _packed(value.to_numpy(), arrays), "dtype": str(value.dtype)}
        return {"values": _packed([*map(_plain, value)], arrays), "dtype": str(value.dtype)}
    if is_dataclass(value) and type(value).__name__ in _KINDS:
        held = {field.name: _packed(vars(value)[field.name], arrays) for field in fields(value)}
        return {"kind": type(value).__name__, "fields": held}
    raise _NotKeptError(f"it holds a {type(value).__name__}, and only numbers and text are kept")


def _plain(value: Any) -> Any:
    return value.item() if isinstance(value, np.generic) else value


def _unpacked(tree: Any, arrays: Mapping[str, np.ndarray]) -> Any:
    """What ``_packed`` was given."""
    if isinstance(tree, list):
        return [_unpacked(part, arrays) for part in tree]
    if not isinstance(tree, dict):
        return tree
    if "array" in tree:
        return arrays[tree["array"]]
    if "objects" in tree:
        held = np.empty(len(tree["objects"]), dtype=object)
        held[:] = _unpacked(tree["objects"], arrays)
        return held.reshape(tree["shape"])
    if "tuple" in tree:
        return tuple(_unpacked(tree["tuple"], arrays))
    if "dict" in tree:
        return {key: value for key, value in _unpacked(tree["dict"], arrays)}
    if "kind" in tree:
        return _KINDS[tree["kind"]](**{name: _unpacked(part, arrays) for name, part in tree["fields"].items()})
    if "columns" in tree:
        index = _unpacked(tree["index"], arrays)
        columns = [_unpacked(part, arrays).set_axis(index) for part in tree["columns"]]
        return pd.concat(columns, axis=1).set_axis(_unpacked(tree["names"], arrays), axis=1)
    if "codes" in tree:
        kind = pd.CategoricalDtype(_unpacked(tree["of"], arrays), tree["ordered"])
        return pd.Series(pd.Categorical.from_codes(_unpacked(tree["codes"], arrays), dtype=kind))
    return pd.Series(_unpacked(tree["values"], arrays), dtype=tree["dtype"])


def _content(data: Any) -> Any:
    """What tells rows or labels from others, also of another process."""
    if isinstance(data, pd.DataFrame):
        named = [(repr(name), str(dtype)) for name, dtype in data.dtypes.items()]
        return named, joblib.hash(pd.util.hash_pandas_object(data, index=False).to_numpy())
    if sparse.issparse(data):
        compressed = data.tocsr()
        return data.shape, joblib.hash((compressed.data, compressed.indices, compressed.indptr))
    array = np.asarray(data)
    if array.dtype.hasobject:
        array = pd.util.hash_array(array.ravel().astype(str)).reshape(array.shape)
    return str(np.asarray(data).dtype), joblib.hash(array)
