"""What images and tables share on their way to arrays and back."""

import os

import numpy as np
import pandas as pd
from scipy import sparse


def dense_array(X) -> np.ndarray:
    """A frame or sparse matrix as an array."""
    if sparse.issparse(X):
        return X.toarray()
    return X.to_numpy() if isinstance(X, pd.DataFrame) else np.asarray(X)


PEAK = 4.5
"""What fitting a sampler takes at most, in encoded arrays: benchmarks/overhead/peak_memory.py measures it."""


def machine_memory() -> int:
    """Bytes of the machine's memory."""
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):  # not on this platform
        return 16 << 30


def memory_limit() -> int:
    """The largest encoded array, in bytes, whose fit takes no more than half of the machine's memory."""
    return int(machine_memory() / 2 / PEAK)


def to_dtype(values: np.ndarray, dtype: np.dtype, low, high) -> np.ndarray:
    """Float values → dtype inside [low, high]: integers are rounded, never truncated or wrapped."""
    if dtype.kind == "b":
        return values > 0.5
    if dtype.kind not in "iu":
        return np.clip(values, low, high).astype(dtype, copy=False)
    values = np.rint(values)
    inside = (values > low) & (values < high)
    # The bounds themselves may be no floats (2⁶³ − 1), so they are written as integers.
    result = np.where(values >= high, dtype.type(high), dtype.type(low))
    result[inside] = values[inside].astype(dtype)
    return result
