"""Where the rows come from that a sampler of imbalanced-learn, or none, has returned."""

from typing import Any

import numpy as np
from imblearn.over_sampling import RandomOverSampler
from imblearn.over_sampling.base import BaseOverSampler
from imblearn.under_sampling.base import BaseUnderSampler

from skgan.nets import NO_PARENT
from skgan.samplers._border import groups_of_rows
from skgan.samplers._candidates import FlatRows


def origin_of_rows(sampler, groups: np.ndarray | None, n_real: int, n: int) -> dict[str, Any]:
    """``is_synthetic_``, ``origin_``, ``parent_indices_`` and, with groups, ``groups_`` of n rows that came of n_real ones.

    Samplers that copy rows or leave some out say which; of mixtures the parents are not known. Of samplers that do both, and
    of all others, the rows beyond the first n_real count as new, their origin is "unknown", and there are no groups.

    Parameters
    ----------
    sampler : sampler or None
        Fitted; None has returned the rows as they are.
    groups : ndarray of shape (n_real,) or None
    n_real, n : int
    """
    inner = sampler.sampler if isinstance(sampler, FlatRows) else sampler
    synthetic = np.arange(n) >= n_real
    parents = np.full((n, 2), NO_PARENT)
    of_rows = None
    if isinstance(inner, BaseUnderSampler) and "sample_indices_" in vars(inner):
        synthetic, origin = np.zeros(n, dtype=bool), np.full(n, "real")
        of_rows = None if groups is None else groups[inner.sample_indices_]
    elif inner is None or isinstance(inner, BaseOverSampler):
        origin = np.where(synthetic, "mixture", "real")
        if isinstance(inner, RandomOverSampler):
            parents[synthetic, 0] = inner.sample_indices_[n_real:]
            origin[synthetic] = "copy" if inner.shrinkage is None else "jitter"
        of_rows = None if groups is None else groups_of_rows(groups, parents[synthetic])
    else:
        origin = np.full(n, "unknown")
    told = {"is_synthetic_": synthetic, "origin_": origin, "parent_indices_": parents}
    return told if of_rows is None else {**told, "groups_": of_rows}
