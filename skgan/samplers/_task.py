"""A call of a sampler, checked: what there is, and what is wanted."""

from collections.abc import Mapping
from dataclasses import dataclass
from numbers import Integral, Real
from os import PathLike
from typing import Any

import numpy as np

from skgan._compat import HasMethods, Number, StrOptions
from skgan.codecs import Codec
from skgan.filters import RowFilter
from skgan.nets import GenerativeNet
from skgan.samplers._border import Checked
from skgan.samplers._conditions import Conditions
from skgan.samplers._containers import Container
from skgan.samplers._labels import Labels

NET_CONSTRAINTS: dict[str, list[Any]] = {
    "net": [str, Mapping, GenerativeNet, callable],  # a class or a preset without brackets has a sentence of its own
    "shares": [StrOptions({"auto"}), Mapping],
    "codec": [StrOptions({"auto"}), Codec],
    "row_filter": [None, RowFilter],
    "per_class": ["boolean"],
    "categorical_features": [None, str, "array-like"],
    "max_steps": [None, Number(Integral, 1, None, closed="left")],
    "max_time": [None, Number(Real, 0, None, closed="neither")],
    "memory": [None, str, PathLike, HasMethods(["cache"])],
    "n_jobs": [None, Integral],
    "device": [None, str],
    "random_state": ["random_state"],
    "verbose": [None, "verbose"],
}
"""What the parameters that every sampler with a net has may be."""


@dataclass(frozen=True)
class Task:
    """A checked call: what there is, and what is wanted of each group.

    Attributes
    ----------
    checked : Checked
    container : Container
        What X and y came in.
    labels : Labels
    members : ndarray of shape (n,)
        The group of every row, by number.
    wanted : dict
        Name of the group → new rows, 0 among them.
    y : ndarray
        Of the real rows, as it is returned.
    groups : ndarray or None
        The user's, for ``groups_``.
    conditions : Conditions or None
    told : dict
        Attributes of the sampler that follow from the check alone.
    """

    checked: Checked
    container: Container
    labels: Labels
    members: np.ndarray
    wanted: dict[Any, int]
    y: np.ndarray
    told: dict[str, Any]
    groups: np.ndarray | None = None
    conditions: Conditions | None = None
