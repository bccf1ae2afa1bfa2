"""The user's rows ⇄ encoded rows."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
from sklearn.neighbors import NearestNeighbors

from skgan._random import sub_seed
from skgan.codecs import Codec
from skgan.samplers._containers import Container, stacked

MAX_DONORS = 2_000
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
    ranges: dict[int, tuple[np.ndarray, np.ndarray]] = field(default_factory=dict)
    """Of the encoded rows of each group, where the codec tells any."""

    def inside(self, encoded: np.ndarray, groups) -> np.ndarray:
        """Encoded new rows, of one group or of one group each, within the range of their group's real ones.

        What lies beyond an end is reflected at it, so that new values do not gather there.
        """
        if not self.ranges:
            return encoded
        groups = np.broadcast_to(groups, len(encoded))
        encoded = encoded.copy()
        for group in np.unique(groups):
            if group in self.ranges:
                low, high = self.ranges[group]
                mine = encoded[groups == group]
                mine = np.where(mine < low, 2 * low - mine, mine)
                mine = np.where(mine > high, 2 * high - mine, mine)
                encoded[groups == group] = np.clip(mine, low, high)
        return encoded

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
        return stacked(pieces)
