"""Inputs of every kind: rows, labels and samplers, as strategies of hypothesis."""

from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from hypothesis.extra import pandas as hpd
from scipy import sparse

from skgan import (
    ConditionalGANAugmenter,
    DomainOverSampler,
    GANOverSampler,
    OverSamplerCV,
    RecursiveAugmenter,
    at_least,
)
from skgan.filters import ClassifierFilter, NeighbourFilter
from skgan.presets import (
    autoencoder,
    cyclegan,
    dagan,
    dcgan,
    flow,
    gaussian,
    mlp_gan,
    offspring,
    photo_gan,
    relativistic_gan,
    vae,
    vae_gan,
    wgan_gp,
)

STEPS: dict[str, Any] = {"max_steps": 2, "batch_size": 8}


@dataclass
class Case:
    """One input: rows, labels, a sampler, what its ``fit_resample`` is given besides, and how it all came about."""

    X: Any
    y: Any
    sampler: Any
    side: dict[str, Any] = field(default_factory=dict)
    story: tuple[str, ...] = ()

    def __repr__(self) -> str:
        return f"Case({', '.join(self.story)})"


# Values of one column of n numbers


def flavoured(flavour: str, n: int, rng: np.random.RandomState) -> np.ndarray:
    """Numbers of one kind, float64."""
    values = rng.randn(n)
    if flavour == "huge":
        return values * 1e300
    if flavour == "denormal":
        return rng.randint(0, 50, n) * 5e-324
    if flavour == "constant":
        return np.full(n, 3.25)
    if flavour == "two values":
        return rng.choice([-1.5, 1e6], n)
    if flavour == "outlier":
        values[rng.randint(n)] = 1e200
    if flavour == "decades":
        return 10 ** rng.uniform(-300, 300, n)
    if flavour == "noise and more":
        return np.where(np.arange(n) % 4 == 0, rng.uniform(5, 49, n), values * 1e-14)
    if flavour == "whole":
        return rng.randint(0, 90, n).astype(float)
    if flavour == "prices":
        return rng.randint(0, 9000, n) / 100
    if flavour == "zeros":
        return np.where(rng.rand(n) < 0.9, 0.0, rng.rand(n))
    return values


FLAVOURS = (
    *("plain", "huge", "denormal", "constant", "two values", "outlier", "decades", "noise and more", "whole", "prices"),
    "zeros",
)


def with_gaps(values, rng: np.random.RandomState, gap: Any) -> np.ndarray:
    """The values as objects, with gaps."""
    objects = np.array(values, dtype=object)
    objects[rng.rand(len(objects)) < 0.2] = gap
    return objects


def arrow(values: list, kind: pa.DataType) -> pd.Series:
    """A column backed by Arrow."""
    return pd.Series(pd.array(values, dtype=pd.ArrowDtype(kind)))


COLUMNS: dict[str, Any] = {
    "float": lambda v, n, rng: v,
    "float32": lambda v, n, rng: np.clip(v, -3e38, 3e38).astype(np.float32),
    "float with gaps": lambda v, n, rng: np.where(rng.rand(n) < 0.2, np.nan, v),
    "all missing": lambda v, n, rng: np.full(n, np.nan),
    "infinite": lambda v, n, rng: np.where(np.arange(n) == n // 2, np.inf, v),
    "int": lambda v, n, rng: rng.randint(-5, 90, n),
    "large int": lambda v, n, rng: 2**62 + rng.randint(0, 90, n),
    "uint8": lambda v, n, rng: rng.randint(0, 256, n).astype(np.uint8),
    "Int64": lambda v, n, rng: pd.array(with_gaps(rng.randint(0, 9, n), rng, pd.NA), dtype="Int64"),
    "Float64": lambda v, n, rng: pd.array(with_gaps(v, rng, pd.NA), dtype="Float64"),
    "bool": lambda v, n, rng: rng.rand(n) < 0.5,
    "boolean": lambda v, n, rng: pd.array(with_gaps(rng.rand(n) < 0.5, rng, pd.NA), dtype="boolean"),
    "str": lambda v, n, rng: rng.choice(["a", "b", "ccc"], n),
    "str with gaps": lambda v, n, rng: with_gaps(rng.choice(["a", "b"], n), rng, None),
    "string": lambda v, n, rng: pd.array(with_gaps(rng.choice(["a", "b"], n), rng, pd.NA), dtype="string"),
    "category": lambda v, n, rng: pd.Categorical(rng.choice(["lo", "hi"], n), ["lo", "mid", "hi"], ordered=True),
    "int category": lambda v, n, rng: pd.Categorical(with_gaps(rng.choice([7, 40], n), rng, None)),
    "object floats": lambda v, n, rng: v.astype(object),
    "object ints": lambda v, n, rng: with_gaps(rng.randint(0, 99, n), rng, None),
    "object bools": lambda v, n, rng: with_gaps(rng.rand(n) < 0.5, rng, None),
    "decimals": lambda v, n, rng: np.array([Decimal(int(i)) / 100 for i in rng.randint(0, 999, n)], dtype=object),
    "numbers and text": lambda v, n, rng: np.array([1.5, "n/a", 3], dtype=object)[rng.randint(0, 3, n)],
    "huge ints": lambda v, n, rng: np.array([10**400 + i for i in range(n)], dtype=object),
    "complex": lambda v, n, rng: rng.randn(n) + 1j,
    "object complex": lambda v, n, rng: (rng.randn(n) + 1j).astype(object),
    "object infinity": lambda v, n, rng: with_gaps(rng.randn(n), rng, float("inf")),
    "lists": lambda v, n, rng: pd.Series([[int(i)] for i in rng.randint(0, 3, n)]),
    "dicts": lambda v, n, rng: pd.Series([{"a": int(i)} for i in rng.randint(0, 3, n)]),
    "tuples": lambda v, n, rng: pd.Series([(int(i), "a") for i in rng.randint(0, 3, n)]),
    "dates": lambda v, n, rng: pd.Timestamp("2020-01-01") + pd.to_timedelta(rng.randint(0, 99, n), "D"),
    "durations": lambda v, n, rng: pd.to_timedelta(rng.randint(0, 99, n), "h"),
    "periods": lambda v, n, rng: pd.period_range("2020", periods=n, freq="D"),
    "date objects": lambda v, n, rng: pd.Series(pd.date_range("2020", periods=n)).dt.date,
    "date strings": lambda v, n, rng: pd.date_range("2020", periods=n).strftime("%Y-%m-%d"),
    "intervals": lambda v, n, rng: pd.arrays.IntervalArray.from_tuples([(int(i), i + 2) for i in rng.randint(0, 4, n)]),
    "sparse": lambda v, n, rng: pd.arrays.SparseArray(np.where(rng.rand(n) < 0.8, 0.0, rng.rand(n))),
    "ids": lambda v, n, rng: [f"k{i}" for i in rng.permutation(n)],
    "arrow float": lambda v, n, rng: arrow(with_gaps(v, rng, None).tolist(), pa.float64()),
    "arrow int": lambda v, n, rng: arrow(with_gaps(rng.randint(0, 9, n), rng, None).tolist(), pa.int16()),
    "arrow bool": lambda v, n, rng: arrow((rng.rand(n) < 0.5).tolist(), pa.bool_()),
    "arrow str": lambda v, n, rng: arrow(with_gaps(rng.choice(["a", "b"], n), rng, None).tolist(), pa.string()),
    "arrow dictionary": lambda v, n, rng: arrow(
        rng.choice(["a", "b"], n).tolist(), pa.dictionary(pa.int32(), pa.string())
    ),
    "arrow null": lambda v, n, rng: arrow([None] * n, pa.null()),
    "arrow binary": lambda v, n, rng: arrow([[b"a", b"b"][i] for i in rng.randint(0, 2, n)], pa.binary()),
    "arrow decimal": lambda v, n, rng: arrow(
        [Decimal(int(i)) / 100 for i in rng.randint(0, 999, n)], pa.decimal128(10, 2)
    ),
    "arrow list": lambda v, n, rng: arrow([[int(i)] for i in rng.randint(0, 3, n)], pa.list_(pa.int64())),
    "arrow timestamp": lambda v, n, rng: arrow(list(pd.date_range("2020", periods=n)), pa.timestamp("us")),
    "arrow time": lambda v, n, rng: arrow([pd.Timestamp("2020").time()] * n, pa.time64("us")),
}

REFUSED = {
    *("infinite", "numbers and text", "huge ints", "complex", "object complex", "object infinity", "lists", "dicts"),
    *("dates", "durations", "periods", "date objects", "arrow list", "arrow timestamp", "arrow time"),
    *("object with lists", "masked", "with infinity", "no column", "one axis", "sparse NaN"),
    *("missing text", "missing category", "missing float", "text and ints", "one class", "several", "too short"),
    *("ragged list", "no pixels", "object"),
}
"""Kinds that are (nearly always) refused, and so are drawn less often."""


def kinds_of(table: dict[str, Any]):
    """A name of the table; one that is refused seldom."""
    return st.sampled_from([name for name in sorted(table) if name not in REFUSED] * 4 + sorted(table))


INDEXES: dict[str, Any] = {
    "range": lambda n: pd.RangeIndex(n),
    "even": lambda n: pd.Index(np.arange(n) * 2),
    "names": lambda n: pd.Index([f"r{i}" for i in range(n)]),
    "dates": lambda n: pd.date_range("2020", periods=n),
    "levels": lambda n: pd.MultiIndex.from_product([["a", "b"], range(n)])[:n],
    "twice": lambda n: pd.Index(np.arange(n) // 2),
}

NAMES: dict[str, Any] = {
    "letters": lambda d: [f"c{j}" for j in range(d)],
    "numbers": lambda d: list(range(10, 10 + d)),
    "levels": lambda d: pd.MultiIndex.from_tuples([("a" if j % 2 else "b", f"x{j}") for j in range(d)]),
    "twice": lambda d: ["same"] * d,
    "mixed": lambda d: [f"c{j}" if j % 2 else j for j in range(d)],
}


@st.composite
def frames(draw, n: int):
    """A DataFrame of columns of any kind."""
    rng = np.random.RandomState(draw(st.integers(0, 99)))
    kinds = draw(st.lists(kinds_of(COLUMNS), min_size=1, max_size=4))
    flavours = [draw(st.sampled_from(FLAVOURS)) for _ in kinds]
    index, names = draw(st.sampled_from(sorted(INDEXES))), draw(st.sampled_from(["letters"] * 12 + sorted(NAMES)))
    columns = {
        j: pd.Series(COLUMNS[kind](flavoured(flavour, n, rng), n, rng))
        for j, (kind, flavour) in enumerate(zip(kinds, flavours, strict=True))
    }
    frame = pd.DataFrame(columns)
    frame.columns = NAMES[names](len(kinds))
    frame.index = INDEXES[index](n)
    return frame, ("frame", *(f"{k} of {f}" for k, f in zip(kinds, flavours, strict=True)), index, names)


ARRAYS: dict[str, Any] = {
    "float64": lambda X: X,
    "float32": lambda X: np.clip(X, -3e38, 3e38).astype(np.float32),
    "float16": lambda X: np.clip(X, -6e4, 6e4).astype(np.float16),
    "longdouble": lambda X: X.astype(np.longdouble),
    "big-endian": lambda X: X.astype(">f8"),
    "Fortran order": lambda X: np.asfortranarray(X),
    "every second": lambda X: np.repeat(X, 2, axis=0)[::2],
    "read-only": lambda X: _frozen(X),
    "int64": lambda X: np.clip(X, -1e9, 1e9).astype(np.int64),
    "uint16": lambda X: np.clip(np.abs(X), 0, 6e4).astype(np.uint16),
    "uint64": lambda X: np.clip(np.abs(X), 0, 9).astype(np.uint64) + np.uint64(2**64 - 40),
    "bool": lambda X: X > 0,
    "complex": lambda X: X + 1j,
    "with NaN": lambda X: np.where(np.abs(X) < 0.1, np.nan, X),
    "with infinity": lambda X: np.where(X == X.max(), np.inf, X),
    "object": lambda X: X.astype(object),
    "object with text": lambda X: np.concatenate([X.astype(object), np.where(X[:, :1] > 0, "a", "b")], axis=1),
    "object with lists": lambda X: _with_lists(X),
    "text": lambda X: np.where(X > 0, "yes", "no"),
    "masked": lambda X: np.ma.masked_array(X, X == X.max()),
    "matrix list": lambda X: X.tolist(),
    "mixed list": lambda X: [[*row, "a" if row[0] > 0 else "b"] for row in X.tolist()],
    "list of rows": lambda X: list(X),
    "tuple": lambda X: tuple(X.tolist()),
    "csr": lambda X: sparse.csr_matrix(np.where(np.abs(X) < 1, 0, X)),
    "csc": lambda X: sparse.csc_matrix(np.where(np.abs(X) < 1, 0, X)),
    "csr array": lambda X: sparse.csr_array(np.where(np.abs(X) < 1, 0, X)),
    "coo": lambda X: sparse.coo_array(np.where(np.abs(X) < 1, 0, X)),
    "sparse ints": lambda X: sparse.csr_matrix(np.clip(X, -9, 9).astype(np.int32)),
    "sparse NaN": lambda X: sparse.csr_matrix(np.where(np.abs(X) < 0.1, np.nan, X)),
    "no column": lambda X: X[:, :0],
    "one axis": lambda X: X[:, 0],
}


def _frozen(X):
    X = X.copy()
    X.flags.writeable = False
    return X


def _with_lists(X):
    X = X.astype(object)
    for i in range(len(X)):
        X[i, 0] = [1, 2]
    return X


@st.composite
def tables(draw, n: int):
    """Rows in an array, a sparse matrix, a list."""
    kind = draw(kinds_of(ARRAYS))
    if draw(st.booleans()):
        values = draw(
            hnp.arrays(
                np.float64, (n, draw(st.integers(1, 3))), elements=st.floats(allow_nan=False, allow_infinity=False)
            )
        )
        flavours: list[str] = ["any"]
    else:
        rng = np.random.RandomState(draw(st.integers(0, 99)))
        flavours = draw(st.lists(st.sampled_from(FLAVOURS), min_size=1, max_size=4))
        values = np.stack([flavoured(flavour, n, rng) for flavour in flavours], axis=1)
    with np.errstate(over="ignore"):
        return ARRAYS[kind](values), (kind, *flavours)


@st.composite
def raw_frames(draw, n: int):
    """A DataFrame as hypothesis makes them."""
    columns = hpd.columns(draw(st.integers(1, 3)), dtype=draw(st.sampled_from([float, int, bool, object])))
    if draw(st.booleans()):
        columns = [hpd.column(f"c{j}", elements=st.sampled_from(["a", "b", None])) for j in range(2)]
    return draw(hpd.data_frames(columns, index=hpd.range_indexes(n, n))), ("hypothesis frame",)


IMAGES: dict[str, Any] = {
    "uint8": lambda X: (X * 255).astype(np.uint8),
    "dark uint8": lambda X: (X * 9).astype(np.uint8),
    "uint16": lambda X: (X * 4000).astype(np.uint16),
    "int16": lambda X: (X * 4000 - 2000).astype(np.int16),
    "float32": lambda X: X.astype(np.float32),
    "float64": lambda X: X * 1e300,
    "bool": lambda X: X > 0.5,
    "constant": lambda X: np.zeros_like(X),
    "with NaN": lambda X: np.where(X == X.max(), np.nan, X),
    "object": lambda X: X.astype(object),
    "list": lambda X: list(X),
    "ragged list": lambda X: [*list(X[:-1]), X[-1][..., :-1]],
    "bands": lambda X: X * np.geomspace(1, 3000, X.shape[1]).reshape(1, -1, *[1] * (X.ndim - 2)),
    "no pixels": lambda X: X[:, :, :0],
}

SHAPES = ((3, 8, 8), (8, 8, 3), (8, 10), (1, 9, 9), (2, 16, 12), (12, 2), (2, 2, 2), (1, 1, 1), (2, 3, 4, 5))


@st.composite
def images(draw, n: int):
    """Images, series, and what is neither."""
    rng = np.random.RandomState(draw(st.integers(0, 99)))
    kind, shape = draw(kinds_of(IMAGES)), draw(st.sampled_from(SHAPES))
    return IMAGES[kind](rng.rand(n, *shape)), ("images", kind, str(shape))


# Labels


LABELS: dict[str, Any] = {
    "int": lambda y: y,
    "int8": lambda y: y.astype(np.int8),
    "big-endian": lambda y: y.astype(">i4"),
    "large uint64": lambda y: y.astype(np.uint64) + np.uint64(2**64 - 9),
    "negative": lambda y: -y,
    "bool": lambda y: y > 0,
    "whole floats": lambda y: y.astype(float),
    "text": lambda y: np.array(["no", "yes", "maybe"])[y],
    "object text": lambda y: np.array(["no", "yes", "maybe"], dtype=object)[y],
    "object ints": lambda y: y.astype(object),
    "object bools": lambda y: (y > 0).astype(object),
    "list": lambda y: y.tolist(),
    "list of text": lambda y: [["no", "yes", "maybe"][i] for i in y],
    "list of numpy ints": lambda y: list(y),
    "tuple": lambda y: tuple(y.tolist()),
    "column": lambda y: y[:, None],
    "series": lambda y: pd.Series(y, name="t", index=np.arange(len(y)) + 5),
    "text series": lambda y: pd.Series(np.array(["no", "yes", "maybe"])[y], name="t"),
    "category": lambda y: pd.Series(
        pd.Categorical(np.array(["no", "yes", "maybe"])[y], ["yes", "no", "maybe", "never"])
    ),
    "nullable": lambda y: pd.Series(pd.array(y, dtype="Int64")),
    "arrow series": lambda y: arrow([["no", "yes", "maybe"][i] for i in y], pa.string()),
    "frame of one": lambda y: pd.DataFrame({"t": y}),
    "one-hot": lambda y: np.eye(3, dtype=int)[y],
    "bool one-hot": lambda y: np.eye(3, dtype=bool)[y],
    "float one-hot": lambda y: np.eye(3)[y],
    "dummies": lambda y: pd.get_dummies(pd.Series(np.array(["no", "yes", "maybe"])[y])),
    "sparse one-hot": lambda y: sparse.csr_matrix(np.eye(3, dtype=int)[y]),
    "missing text": lambda y: pd.Series([None if i == 3 else "ab"[int(k > 0)] for i, k in enumerate(y)]),
    "missing category": lambda y: pd.Series(
        pd.Categorical([None if i == 3 else "ab"[int(k > 0)] for i, k in enumerate(y)])
    ),
    "missing float": lambda y: np.where(np.arange(len(y)) == 3, np.nan, y),
    "text and ints": lambda y: np.array(["no", 1, 2], dtype=object)[y],
    "one class": lambda y: np.zeros_like(y),
    "several": lambda y: np.stack([y, y[::-1] * 2], axis=1),
    "too short": lambda y: y[:-1],
    "dates": lambda y: np.array(["2020-01-01", "2020-01-02", "2020-01-03"], dtype="datetime64[D]")[y],
}

VALUES: dict[str, Any] = {
    "values": lambda v: v,
    "float32 values": lambda v: v.astype(np.float32),
    "series of values": lambda v: pd.Series(v, name="age"),
    "list of values": lambda v: v.tolist(),
    "pairs of values": lambda v: np.stack([v, v**2], axis=1),
    "frame of values": lambda v: pd.DataFrame({"u": v, "v": np.arange(len(v))}),
    "object values": lambda v: v.astype(object),
}


# Samplers

TABLE_NETS: dict[str, Any] = {
    "mlp_gan": lambda: mlp_gan(alpha=1, **STEPS),
    "offspring": lambda: offspring(module__width=4, **STEPS),
    "gaussian": lambda: gaussian(),
    "vae": lambda: vae(**STEPS),
    "autoencoder": lambda: autoencoder(**STEPS),
    "vae_gan": lambda: vae_gan(**STEPS),
    "flow": lambda: flow(**STEPS),
    "cyclegan": lambda: cyclegan(**STEPS),
    "dagan": lambda: dagan(**STEPS),
}
IMAGE_NETS: dict[str, Any] = {
    "offspring": lambda: offspring(module__width=4, **STEPS),
    "dcgan": lambda: dcgan(module__width=4, module__n_features=8, **STEPS),
    "vae": lambda: vae(**STEPS),
    "wgan_gp": lambda: wgan_gp(module__width=4, module__n_features=8, **STEPS),
    "photo_gan": lambda: photo_gan(**STEPS),
    "relativistic_gan": lambda: relativistic_gan(module__width=4, module__n_features=8, **STEPS),
    "gaussian": lambda: gaussian(),
    "mlp_gan": lambda: mlp_gan(alpha=1, **STEPS),
}
SHARES: tuple[Any, ...] = (
    *("auto", "auto", {"net": 1, "gaussian": 1, "mixture": 1, "copy": 1}, {"mixture": 1}, {"gaussian": 1, "copy": 2}),
    *({"net": 1, "mixture": 0}, {"net": 0}, {"nets": 1}),
)
STRATEGIES: tuple[Any, ...] = (
    *("auto", "minority", "not majority", "all", at_least(0.8), 0.9, {1: 30}, {1: 30.0}),
    *({1: float("nan")}, {"yes": 25}, float("nan"), {1: 2}, lambda y: {k: 30 for k in np.unique(y)}),
)


@st.composite
def samplers(draw, are_images: bool):
    """A sampler of any kind, and its story."""
    nets = IMAGE_NETS if are_images else TABLE_NETS
    name = draw(st.sampled_from(["auto", *sorted(nets)]))
    params = {
        "net": "auto" if name == "auto" else nets[name](),
        "max_steps": 2 if name == "auto" else None,
        "random_state": 0,
        "row_filter": draw(st.sampled_from([None, None, None, NeighbourFilter(), ClassifierFilter()])),
    }
    kind = draw(st.sampled_from(["over"] * 6 + ["augment"] * 3 + ["recursive", "domain", "choice"]))
    if kind == "domain":
        made = cyclegan(**STEPS) if draw(st.booleans()) else offspring(module__width=4, **STEPS)
        return DomainOverSampler(**{**params, "net": made, "max_steps": None}), (kind, type(made).__name__)
    per_class = draw(st.sampled_from([False, False, True]))
    params["shares"] = shares = draw(st.sampled_from(SHARES))
    if kind == "over" or kind == "choice":
        strategy = draw(st.sampled_from(STRATEGIES))
        sampler: Any = GANOverSampler(sampling_strategy=strategy, per_class=per_class, **params)
        if kind == "choice":
            sampler = OverSamplerCV([None, sampler], cv=2, random_state=0)
        told = (str(strategy), str(shares), "per class" if per_class else "", str(params["row_filter"]))
        return sampler, (kind, name, *told)
    amount: dict[str, Any] = draw(
        st.sampled_from([{"mixing_ratio": 0}, {"mixing_ratio": 0.5}, {"n_synthetic": 7}, {"mixing_ratio": {1: 0.5}}])
    )
    if kind == "augment":
        amount = {**amount, "keep_real": draw(st.sampled_from([True, True, False]))}
        target = draw(st.sampled_from(["auto", "auto", "auto", "class", "continuous"]))
        sampler = ConditionalGANAugmenter(per_class=per_class, target=target, **amount, **params)
        told = (str(amount), str(shares), target, "per class" if per_class else "", str(params["row_filter"]))
        return sampler, (kind, name, *told)
    return RecursiveAugmenter(ConditionalGANAugmenter(**params), n_rounds=2, random_state=0), (kind, name)


@st.composite
def cases(draw) -> Case:
    """Any input."""
    n = draw(st.integers(12, 40))
    rows = draw(st.sampled_from(["frame", "frame", "frame", "table", "table", "hypothesis", "images"]))
    strategies = {"frame": frames, "table": tables, "hypothesis": raw_frames, "images": images}
    X, told = draw(strategies[rows](n))
    are_images = rows == "images"
    sampler, of_sampler = draw(samplers(are_images))
    rng = np.random.RandomState(draw(st.integers(0, 9)))
    counts = draw(st.sampled_from([(0.7, 0.3), (0.6, 0.3, 0.1), (0.9, 0.1), (1 - 1 / n, 1 / n)]))
    classes = np.repeat(np.arange(len(counts)), np.diff([0, *np.round(np.cumsum(counts) * n).astype(int)]))
    continuous = isinstance(sampler, ConditionalGANAugmenter) and draw(st.sampled_from([False, False, True]))
    kind = draw(st.sampled_from(sorted(VALUES)) if continuous else kinds_of(LABELS))
    y = VALUES[kind](np.round(rng.uniform(0, 9, n), 2)) if continuous else LABELS[kind](rng.permutation(classes))
    side = {}
    if isinstance(sampler, DomainOverSampler):
        side["domain"] = np.where(np.arange(n) % 3 == 0, "new", "old")
    if not isinstance(sampler, OverSamplerCV) and draw(st.sampled_from([False, False, True])):
        side["groups"] = np.arange(n) // 3
    return Case(X, y, sampler, side, (*told, "y:", kind, str(counts), *of_sampler, *side))
