"""The user's rows ⇄ encoded rows."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from scipy import sparse
from sklearn.neighbors import NearestNeighbors

from skgan._random import sub_seed
from skgan.codecs import Codec
from skgan.samplers._border import Container

MAX_DONORS = 10_000
"""Rows of a group among which the nearest is looked for where a table has columns that are inherited."""


class Donors:
    """Real rows of each group, from the nearest of which a new row inherits columns that are not encoded."""

    def __init__(self, codec: Codec, X, encoded: np.ndarray, groups: np.ndarray, seed: int):
        self.n_columns = len(codec.inherited_)
        codes = codec.codes(X)
        self.of_group: dict[int, tuple[NearestNeighbors, np.ndarray]] = {}
        for i in np.unique(groups):
            rows = np.flatnonzero(groups == i)
            if len(rows) > MAX_DONORS:
                rows = np.random.RandomState(sub_seed(seed, i)).choice(rows, MAX_DONORS, replace=False)
            index = NearestNeighbors(n_neighbors=1, algorithm="brute").fit(encoded[rows])
            self.of_group[int(i)] = index, codes[rows]

    def codes_for(self, encoded: np.ndarray, groups) -> np.ndarray:
        """What these rows, of one group or of one each, inherit."""
        codes = np.empty((len(encoded), self.n_columns), dtype=np.int32)
        groups = np.broadcast_to(groups, len(encoded))
        for i in np.unique(groups):
            index, of_group = self.of_group[int(i)]
            codes[groups == i] = of_group[index.kneighbors(encoded[groups == i], return_distance=False)[:, 0]]
        return codes


@dataclass(frozen=True)
class Rows:
    """A fitted codec, an empty piece of the checked X, and what X and y came in."""

    codec: Codec
    empty: Any
    container: Container
    donors: Donors | None = None

    def decode(self, encoded: np.ndarray, groups):
        """Rows of one group, or of one group each, like the checked X."""
        if self.donors is None:
            rows = self.codec.inverse_transform(encoded)
        else:
            rows = self.codec.inverse_transform(encoded, self.donors.codes_for(encoded, groups))
        if isinstance(self.empty, pd.DataFrame) and not isinstance(rows, pd.DataFrame):
            return pd.DataFrame(rows, columns=self.empty.columns).astype(self.empty.dtypes)
        return rows

    def stack(self, pieces: list):
        """Pieces of rows underneath each other, in the container and dtype of the first."""
        first = pieces[0]
        if isinstance(first, pd.DataFrame):
            return pd.concat([piece for piece in pieces if len(piece)] or [first], ignore_index=True)
        if sparse.issparse(first):
            return type(first)(sparse.vstack(pieces, format=first.format, dtype=first.dtype))
        return np.concatenate(pieces, dtype=first.dtype)
