"""Fits of a comparison kept on disk, so that a call that was interrupted or killed goes on after those that were finished.

Each fit is a file of its own, as a saved sampler is: reading one runs no code.
"""

from collections.abc import Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any, NamedTuple

import joblib
import numpy as np
import pandas as pd
from scipy import sparse

from skgan._decision import Response
from skgan._generated import GeneratedRows
from skgan._stored import private_folder, read
from skgan._warnings import warn
from skgan.samplers._cache import location_of
from skgan.samplers._keys import describe
from skgan.samplers._saved import objects_in, write_objects

FORMAT = 3
"""Raised when what a file holds changes."""
_LIBRARIES = "skgan", "scikit-learn", "imbalanced-learn", "numpy", "scipy", "torch", "skorch"


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
        return self.folder / f"{joblib.hash((self.rows[name], self.folds[fold], fold == 0))}.safetensors"

    def count(self) -> int:
        """Fits that are there."""
        return sum(self._path(name, fold).exists() for name in self.rows for fold in range(len(self.folds)))

    def get(self, name: str, fold: int) -> tuple[Measured, float] | None:
        """What was measured, and the seconds of the fit; None where it is not there."""
        path = self._path(name, fold)
        if not path.exists():
            return None
        try:
            told, arrays, _ = read(path)
            return objects_in(path, told, arrays)
        except (OSError, ValueError, LookupError, TypeError, AttributeError) as error:  # a damaged file
            warn(f"The file {str(path)!r} cannot be read ({type(error).__name__}: {error}); its fit is done again.")
            return None

    def put(self, name: str, fold: int, measured: Measured, seconds: float) -> None:
        """Keep it; where that cannot be done there is a warning."""
        try:
            private_folder(self.folder)
            write_objects(self._path(name, fold), (measured, seconds), {"format": FORMAT})
        except OSError as error:  # of every fit the same sentence, so that it is said once
            warn(f"Finished fits are not kept in {str(self.folder.parent)!r}: {error.strerror or error}.")
        except TypeError as error:  # an object that has no place in a file
            warn(f"Fits of {name!r} are not kept: {error}")


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
