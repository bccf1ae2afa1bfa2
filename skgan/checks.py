"""Checks that a class of your own keeps its base's contract: one line in a test.

Each takes an object and returns nothing, or raises an AssertionError whose sentence says what is wrong.
"""

import copy
import pickle
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
import torch
from scipy import sparse
from sklearn.base import clone

from skgan._random import private_rng
from skgan.codecs import Codec
from skgan.filters import RowFilter
from skgan.losses import Loss
from skgan.nets import GaussianNet, GenerativeNet
from skgan.penalties import Penalty


def _require(fine: Any, sentence: str) -> None:
    if not bool(fine):
        raise AssertionError(sentence)


def check_loss(loss: Loss) -> None:
    """Logits in, one finite scalar out, with a gradient for all logits that it is given."""
    name = type(loss).__name__
    _require(isinstance(loss, Loss), f"{name} must be derived from skgan.losses.Loss, so that a net can build it.")
    real, fake = (torch.linspace(-2, 2, 8).roll(shift).requires_grad_() for shift in (0, 3))
    values = {
        "discriminator": loss.discriminator(real, fake),
        "generator": loss.generator(real if loss.uses_real else None, fake),
    }
    for player, value in values.items():
        _require(value.shape == (), f"{name}.{player} must return a scalar; it returned shape {tuple(value.shape)}.")
        _require(value.isfinite(), f"{name}.{player} returned {value.item()} for logits from -2 to 2.")
        gradient = torch.autograd.grad(value, fake, retain_graph=True, allow_unused=True)[0]
        _require(
            gradient is not None, f"{name}.{player} must not detach the fake rows' logits: the net decides who moves."
        )
    perfect = loss.accuracy(torch.full((4,), 1e3), torch.full((4,), -1e3))
    _require(perfect == 1, f"{name}.threshold={loss.threshold!r} must lie between the logits of real and of fake rows.")


def check_penalty(penalty: Penalty) -> None:
    """A critic and rows in, one finite scalar out that moves the critic; the same for images and rows."""
    name = type(penalty).__name__
    _require(isinstance(penalty, Penalty), f"{name} must be derived from skgan.penalties.Penalty.")
    _require(copy.deepcopy(penalty) == penalty, f"{name} must be a dataclass: a net works on copies of it.")
    for shape in ((3,), (1, 4, 4)):
        real, fake = torch.linspace(-1, 1, 5 * int(np.prod(shape))).view(5, *shape), torch.zeros(5, *shape)
        weight = torch.linspace(-1, 1, int(np.prod(shape))).requires_grad_()
        with private_rng(0):
            value = penalty(partial(_quadratic, weight), real, fake)
        _require(value.shape == (), f"{name} must return a scalar; it returned shape {tuple(value.shape)}.")
        _require(value.isfinite(), f"{name} returned {value.item()} for a quadratic critic.")
        gradient = torch.autograd.grad(value, weight, allow_unused=True)[0]
        _require(gradient is not None, f"{name} has no gradient by the critic's weights: it must not detach.")


def _quadratic(weight: torch.Tensor, x: torch.Tensor) -> torch.Tensor:
    return x.flatten(1).square() @ weight


def check_codec(codec: Codec, X: Any) -> None:
    """Rows like X are encoded as a net takes them, and come back in X's container, dtypes and range.

    Parameters
    ----------
    codec : Codec
    X : array, DataFrame or sparse matrix
        Rows or images that it is made for.
    """
    name = type(codec).__name__
    _require(isinstance(codec, Codec), f"{name} must be derived from skgan.codecs.Codec.")
    before = copy.deepcopy(X)
    codec = clone(codec)
    _require(codec.fit(X) is codec, f"{name}.fit must return the codec.")
    encoded = codec.transform(X)
    _require(_equal(X, before), f"{name} changed X.")
    kinds = ("float32", "uint8") if codec.is_image else ("float32",)
    _require(encoded.dtype in kinds, f"{name}.transform must return {' or '.join(kinds)}; got {encoded.dtype}.")
    _require(len(encoded) == X.shape[0], f"{name}.transform must return one row a row; got shape {encoded.shape}.")
    n_axes = 4 if codec.is_image else 2
    _require(encoded.ndim == n_axes, f"{name}.transform must return {n_axes} axes; got shape {encoded.shape}.")
    _require(np.isfinite(encoded).all(), f"{name}.transform returned values that are not finite.")
    inside = all(0 <= start < stop <= encoded.shape[1] for start, stop in codec.spans_)
    _require(inside, f"{name}.spans_={codec.spans_} does not lie within the {encoded.shape[1]} encoded columns.")
    codes = (codec.codes(X),) if len(codec.inherited_) else ()
    decoded = codec.inverse_transform(encoded, *codes)
    _require(type(decoded) is type(X), f"{name}.inverse_transform must return a {type(X).__name__}.")
    _require(decoded.shape == X.shape, f"{name}.inverse_transform must return shape {X.shape}; got {decoded.shape}.")
    same = (decoded.dtypes == X.dtypes).all() if isinstance(X, pd.DataFrame) else decoded.dtype == X.dtype
    _require(same, f"{name}.inverse_transform must keep the dtypes of X.")
    again = codec.transform(decoded)
    close = np.allclose(again.astype(float), encoded.astype(float), atol=1e-2, rtol=1e-2)
    _require(close, f"{name}.inverse_transform does not undo transform: rows that are encoded again differ.")


def check_row_filter(row_filter: RowFilter) -> None:
    """Scores of encoded rows: one finite number each, the same twice, and not every unseen real row below 0."""
    name = type(row_filter).__name__
    _require(isinstance(row_filter, RowFilter), f"{name} must be derived from skgan.filters.RowFilter.")
    rng = np.random.RandomState(0)
    y = np.repeat([0, 1], [40, 20])
    X, unseen = ((rng.standard_normal((60, 4)) + 2 * y[:, None]).astype(np.float32) for _ in range(2))
    net = GaussianNet(random_state=0).fit(X, y) if row_filter.needs_scores else None
    row_filter, before = clone(row_filter), unseen.copy()
    row_filter.check()
    _require(row_filter.fit(X, y, net=net) is row_filter, f"{name}.fit must return the filter.")
    scores = np.asarray(row_filter.score_samples(unseen, y))
    _require(scores.shape == (60,), f"{name}.score_samples must return shape (n,); got {scores.shape} for 60 rows.")
    _require(np.isfinite(scores).all(), f"{name}.score_samples returned values that are not finite.")
    _require((scores >= 0).any(), f"{name} accepts no unseen real row: a score of at least 0 accepts.")
    _require(
        np.array_equal(scores, row_filter.score_samples(unseen, y)), f"{name}.score_samples differs from call to call."
    )
    _require(np.array_equal(unseen, before), f"{name} changed the rows.")
    pickle.loads(pickle.dumps(row_filter))


def check_net(net: GenerativeNet, X: np.ndarray | None = None, y: np.ndarray | None = None) -> None:
    """Trains for a few steps and makes finite rows, the same from the same seed, also after an export.

    Parameters
    ----------
    net : GenerativeNet
    X : ndarray or None, default=None
        Encoded rows (n, d), float32, or images (n, C, H, W); None is a small table.
    y : ndarray or None, default=None
        Class ids, or real-valued labels (n, k).
    """
    name = type(net).__name__
    _require(isinstance(net, GenerativeNet), f"{name} must be derived from skgan.nets.GenerativeNet.")
    if X is None:
        ids = np.repeat([0, 1], [30, 12])
        X = (np.random.RandomState(0).standard_normal((42, 3)) + ids[:, None]).astype(np.float32)
        y = ids if y is None else y
    y = np.zeros(len(X), int) if y is None else y
    source = (X, y)
    stream = torch.random.get_rng_state().clone()
    fitted = clone(net).set_params(max_steps=3, random_state=0, verbose=0)
    _require(fitted.fit(X, y) is fitted, f"{name}.fit must return the net.")
    rows = fitted.sample(y, source, random_state=1)
    _require(rows.shape == X.shape, f"{name}.sample must return shape {X.shape} for as many labels; got {rows.shape}.")
    _require(rows.dtype == np.float32, f"{name}.sample must return float32; got {rows.dtype}.")
    _require(np.isfinite(rows).all(), f"{name}.sample returned values that are not finite.")
    _require(torch.equal(torch.random.get_rng_state(), stream), f"{name} moved torch's global generator.")
    twin = clone(net).set_params(max_steps=3, random_state=0, verbose=0).fit(X, y)
    again = twin.sample(y, source, random_state=1)
    _require(np.array_equal(rows, again), f"{name} gives other rows when it is fitted anew with the same random_state.")
    restored = clone(net).restore(fitted.export()).sample(y, source, random_state=1)
    _require(
        np.array_equal(rows, restored), f"{name} gives other rows after export and restore: a part of it is not kept."
    )
    pickled = pickle.loads(pickle.dumps(fitted)).sample(y, source, random_state=1)
    _require(np.array_equal(rows, pickled), f"{name} gives other rows after pickling.")
    if fitted.has_parents:
        with fitted.seeded(0):
            drawn = fitted.draw(y, source)
        _require(drawn.parents is not None, f"{name}.has_parents is True, and draw names no parents.")
        _require((drawn.parents[:, 0] >= 0).all(), f"{name}.has_parents is True, and some row has no parent.")
    if fitted.scores_rows:
        scores = fitted.score_samples(X, y)
        _require(scores.shape == (len(X),), f"{name}.score_samples must return shape (n,); got {scores.shape}.")


def _equal(one, other) -> bool:
    if isinstance(one, pd.DataFrame):
        return one.equals(other)
    one, other = (part.toarray() if sparse.issparse(part) else part for part in (one, other))
    return np.array_equal(one, other, equal_nan=one.dtype.kind == "f")
