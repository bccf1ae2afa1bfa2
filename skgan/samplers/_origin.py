"""Where the rows come from that a sampler of imbalanced-learn, or none, has returned."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from imblearn.combine import SMOTEENN, SMOTETomek
from imblearn.over_sampling import RandomOverSampler
from imblearn.over_sampling.base import BaseOverSampler
from imblearn.pipeline import Pipeline
from imblearn.under_sampling.base import BaseCleaningSampler, BaseUnderSampler
from scipy import sparse

from skgan.nets import NO_PARENT
from skgan.samplers._border import groups_of_rows
from skgan.samplers._candidates import FlatRows

_NEW = -1


def origin_of_rows(
    sampler, groups: np.ndarray | None, given: tuple[Any, Any], returned: tuple[Any, Any]
) -> dict[str, Any]:
    """``is_synthetic_``, ``origin_``, ``parent_indices_`` and, with groups, ``groups_`` of the rows that a sampler returned.

    Parents are places among the given rows. Samplers that copy rows or leave some out say which, also where one follows
    another; of mixtures the parents are not known. The rows of any other sampler are compared with the given ones: of equal
    rows with the same label as many are real as were given, more of them are copies, and all others are new, their origin
    "unknown". There are no groups where an origin is unknown.

    Parameters
    ----------
    sampler : sampler or None
        Fitted; None has returned the rows as they are.
    groups : ndarray or None
        Of the given rows.
    given, returned : (X, y)
        Rows and their plain labels.
    """
    n_real, n = len(given[1]), len(returned[1])
    start = _Rows(np.arange(n_real), np.full((n_real, 2), NO_PARENT), np.full(n_real, "real", dtype=object))
    rows = _after(sampler, start)
    rows = _compared(given, returned) if rows is None else rows.padded(n)
    told = {
        "is_synthetic_": rows.source == _NEW,
        "origin_": rows.origin.astype(str),
        "parent_indices_": rows.parents,
    }
    return told if groups is None or "unknown" in rows.origin else {**told, "groups_": rows.groups(groups)}


@dataclass(frozen=True)
class _Rows:
    """Rows on their way through samplers."""

    source: np.ndarray
    """The place of each among the given rows, or −1 of a new one."""
    parents: np.ndarray
    origin: np.ndarray
    rest: str = "mixture"
    """The origin of rows beyond these."""

    def padded(self, n: int) -> "_Rows":
        """With the rows beyond these, of which nothing is known but their origin."""
        more = max(0, n - len(self.source))
        return replace(
            self,
            source=np.append(self.source, np.full(more, _NEW)),
            parents=np.concatenate([self.parents, np.full((more, 2), NO_PARENT)]),
            origin=np.append(self.origin, np.full(more, self.rest, dtype=object)),
        )

    def taken(self, indices: np.ndarray) -> "_Rows":
        rows = self.padded(int(np.max(indices, initial=-1)) + 1)
        return _Rows(rows.source[indices], rows.parents[indices], rows.origin[indices])

    def extended(self, parents: np.ndarray, origin: np.ndarray) -> "_Rows":
        """With new rows, whose parents are places among the rows here."""
        known = (parents >= 0) & (parents < len(self.source))
        of_given = np.where(known, self.source[np.where(known, parents, 0)], NO_PARENT)
        return _Rows(
            np.append(self.source, np.full(len(parents), _NEW)),
            np.concatenate([self.parents, np.where(of_given == _NEW, NO_PARENT, of_given)]),
            np.append(self.origin, origin.astype(object)),
        )

    def groups(self, groups: np.ndarray) -> np.ndarray:
        new = self.source == _NEW
        all_groups = groups_of_rows(groups, self.parents[new])
        return all_groups[np.where(new, len(groups) + np.cumsum(new) - 1, self.source)]


def _after(sampler, rows: _Rows) -> _Rows | None:
    """The rows that a fitted sampler makes of these; None where it does not say enough."""
    inner = sampler.sampler if isinstance(sampler, FlatRows) else sampler
    if inner is None or (isinstance(inner, str) and inner == "passthrough"):
        return rows
    parts = _parts(inner)
    if parts:
        after: _Rows | None = rows
        for part in parts:
            after = None if after is None else _after(part, after)
        return after
    known, n = vars(inner), len(rows.source)
    if isinstance(inner, BaseUnderSampler | BaseCleaningSampler) and "sample_indices_" in known:
        return rows.taken(inner.sample_indices_)
    if (rows.source == _NEW).any():
        return None  # how many rows the over-sampler before this one has returned is not certain
    told = "is_synthetic_" in known and "parent_indices_" in known
    if (
        told and not inner.is_synthetic_[:n].any() and inner.is_synthetic_[n:].all()
    ):  # skgan's own, which keep real rows
        return rows.extended(inner.parent_indices_[n:], inner.origin_[n:])
    if isinstance(inner, RandomOverSampler):
        copied = inner.sample_indices_[n:]
        origin = np.full(len(copied), "copy" if inner.shrinkage is None else "jitter")
        return rows.extended(np.column_stack([copied, np.full(len(copied), NO_PARENT)]), origin)
    return rows if isinstance(inner, BaseOverSampler) and not told else None


def _parts(sampler) -> list[Any]:
    """The fitted samplers that one applies in turn."""
    if isinstance(sampler, Pipeline):
        return [step for _, step in sampler.steps]
    if isinstance(sampler, SMOTEENN):
        return [sampler.smote_, sampler.enn_]
    return [sampler.smote_, sampler.tomek_] if isinstance(sampler, SMOTETomek) else []


def _compared(given: tuple[Any, Any], returned: tuple[Any, Any]) -> _Rows:
    """By the rows themselves: which of the returned ones were given."""
    hashes = _hashes(given[0], returned[0])
    labels = np.concatenate([given[1], returned[1]])
    table = pd.DataFrame({"row": np.concatenate(hashes), "label": pd.factorize(labels)[0]})
    before = np.arange(len(table)) < len(hashes[0])
    old, new = table[before], table[~before]
    # The second of two equal rows that are returned is real only where two were given.
    key = [part.assign(repeat=part.groupby(["row", "label"]).cumcount()) for part in (old, new)]
    place = key[0].assign(place=np.arange(len(old)))
    source = key[1].merge(place, how="left", on=["row", "label", "repeat"])["place"].fillna(_NEW).to_numpy(dtype=int)
    first = key[1].merge(place[place["repeat"] == 0], how="left", on=["row", "label"])["place"]
    copied = np.where(source == _NEW, first.fillna(NO_PARENT), NO_PARENT).astype(int)
    origin = np.where(source != _NEW, "real", np.where(copied != NO_PARENT, "copy", "unknown"))
    return _Rows(source, np.column_stack([copied, np.full(len(new), NO_PARENT)]), origin.astype(object))


def _hashes(given, returned) -> tuple[np.ndarray, np.ndarray]:
    """A number for each row, equal where rows are equal in the returned rows' type."""
    if isinstance(given, pd.DataFrame) and isinstance(returned, pd.DataFrame):
        alike = given.set_axis(returned.columns, axis=1).astype(returned.dtypes.to_dict())
        return _of_frame(alike), _of_frame(returned)
    if sparse.issparse(returned) or sparse.issparse(given):
        given, returned = sparse.csr_array(given), sparse.csr_array(returned)
        return _of_sparse(given.astype(returned.dtype)), _of_sparse(returned)
    given, returned = np.asarray(given), np.asarray(returned)
    if returned.dtype.kind not in "biuf":
        frames = [pd.DataFrame(part.reshape(len(part), -1)).astype(object) for part in (given, returned)]
        return _of_frame(frames[0]), _of_frame(frames[1])
    return _of_bytes(given.astype(returned.dtype)), _of_bytes(returned)


def _of_frame(frame: pd.DataFrame) -> np.ndarray:
    return pd.util.hash_pandas_object(frame, index=False).to_numpy().view(np.int64)


def _of_bytes(rows: np.ndarray) -> np.ndarray:
    rows = rows + 0.0 if rows.dtype.kind == "f" else rows  # −0.0 equals 0.0 and has other bytes
    return np.array([hash(row.tobytes()) for row in rows], dtype=np.int64)


def _of_sparse(rows: sparse.csr_array) -> np.ndarray:
    rows = rows.copy()
    rows.sum_duplicates()
    rows.eliminate_zeros()
    ends = zip(rows.indptr[:-1], rows.indptr[1:], strict=True)
    places = rows.indices.astype(np.int64)
    return np.array([hash((places[a:b].tobytes(), rows.data[a:b].tobytes())) for a, b in ends], dtype=np.int64)
