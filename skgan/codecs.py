"""Codecs: rows or images ↔ the array a net trains on, and back to the same container, dtype, range and categories."""

import math
import os
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from scipy import sparse
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import QuantileTransformer, StandardScaler
from sklearn.utils.validation import check_is_fitted

# Images


class ImageLayout(NamedTuple):
    """Where the axes of a user's images lie: the input's shape without the batch axis, and the encoded (C, H, W)."""

    sample_shape: tuple[int, ...]
    data_shape: tuple[int, int, int]
    channels_last: bool

    def encode(self, X: np.ndarray) -> np.ndarray:
        """(n, *sample_shape) → (n, C, H, W); a view where the axes allow it."""
        channels, height, width = self.data_shape
        if self.channels_last:
            return np.moveaxis(X.reshape(len(X), height, width, channels), -1, 1)
        return X.reshape(len(X), channels, height, width)

    def decode(self, images: np.ndarray) -> np.ndarray:
        """(n, C, H, W) → (n, *sample_shape)."""
        if self.channels_last:
            images = np.moveaxis(images, 1, -1)
        return images.reshape(len(images), *self.sample_shape)


def image_layout(shape: Sequence[int], image_shape=None, channels: str | None = None) -> ImageLayout:
    """Find the layout of images from the shape of X.

    Parameters
    ----------
    shape : sequence of int
        Shape of X: (n, C, H, W), (n, H, W, C), (n, H, W), or (n, d) with ``image_shape``.
    image_shape : tuple of int or None
        (C, H, W) or (H, W) of *flat* rows.
    channels : {"first", "last"} or None
        Where the channel axis of 4-D images lies; None takes the smaller of axes 1 and 3, and the first on a tie.

    Returns
    -------
    ImageLayout

    Raises
    ------
    ValueError
        When the shape holds no images, or ``image_shape`` does not fit.
    """
    if channels not in (None, "first", "last"):
        raise ValueError(f"channels must be 'first', 'last' or None, got {channels!r}.")
    sample_shape = tuple(int(size) for size in shape[1:])
    if image_shape is not None:
        image_shape = tuple(int(size) for size in image_shape)
        if len(image_shape) not in (2, 3) or min(image_shape, default=0) < 1:
            raise ValueError(f"image_shape must be (C, H, W) or (H, W) with positive sizes, got {image_shape}.")
        if len(sample_shape) != 1:
            if image_shape != sample_shape:
                raise ValueError(
                    f"image_shape describes flat rows, and X has shape {tuple(shape)}; leave image_shape out for images "
                    "that have their axes already."
                )
        elif math.prod(image_shape) != sample_shape[0]:
            raise ValueError(
                f"image_shape={image_shape} has {math.prod(image_shape)} values, but the rows of X have "
                f"{sample_shape[0]}; give the (C, H, W) or (H, W) whose product is {sample_shape[0]}."
            )
        else:
            data_shape = image_shape if len(image_shape) == 3 else (1, *image_shape)
            return ImageLayout(sample_shape, data_shape, False)
    if len(sample_shape) == 2:
        return ImageLayout(sample_shape, (1, *sample_shape), False)
    if len(sample_shape) != 3:
        raise ValueError(
            f"X of shape {tuple(shape)} holds no images that can be recognised: expected (n, C, H, W), (n, H, W, C) or "
            "(n, H, W), or flat rows (n, d) with image_shape=(C, H, W) or (H, W)."
        )
    last = channels == "last" if channels else sample_shape[2] < sample_shape[0]
    first, second, third = sample_shape
    return ImageLayout(sample_shape, (third, first, second) if last else sample_shape, last)


def _to_dtype(values: np.ndarray, dtype: np.dtype, low, high) -> np.ndarray:
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


class ImageCodec(TransformerMixin, BaseEstimator):
    """Images in any layout ↔ arrays of shape (n, C, H, W): uint8 as it is, everything else float32 in [−1, 1].

    Parameters
    ----------
    image_shape : tuple of int or None, default=None
        (C, H, W) or (H, W) of flat rows.
    channels : {"first", "last"} or None, default=None
        Where the channel axis of 4-D images lies; None takes the smaller of axes 1 and 3.
    value_range : {"auto", "dtype", "data"} or (low, high), default="auto"
        What black and white are: the dtype's own range, the range seen in ``fit``, or given. "auto" is the dtype's for
        uint8 images that use more than half of it (and for bool), and the data's otherwise.

    Attributes
    ----------
    layout_ : ImageLayout
    dtype_ : numpy dtype
    low_, high_ : float
        The range that −1 and 1 stand for; nothing outside it comes back.
    spans_ : tuple
        Empty: images have no categorical columns.
    """

    def __init__(self, *, image_shape=None, channels=None, value_range="auto"):
        self.image_shape = image_shape
        self.channels = channels
        self.value_range = value_range

    def fit(self, X, y=None):
        """Learn the layout, dtype and range of images X."""
        X = _dense_array(X)
        self.layout_ = image_layout(X.shape, self.image_shape, self.channels)
        if X.dtype.kind not in "biuf":
            raise ValueError(f"Images must be numbers, got dtype {X.dtype}.")
        self.dtype_ = X.dtype
        self.low_, self.high_ = self._range(X)
        if not self._keeps_uint8 and 4 * X.size > _memory_limit():
            raise ValueError(
                f"Encoded as float32, these {len(X)} images would take {4 * X.size / 2**30:.3g} GiB, and "
                f"{_memory_limit() / 2**30:.3g} GiB is the limit here. Pass them as uint8 (0 … 255), which is not "
                "converted, or fewer or smaller ones."
            )
        self.spans_: tuple[tuple[int, int], ...] = ()
        return self

    def _range(self, X) -> tuple[Any, Any]:
        if X.dtype.kind == "b":
            return 0, 1
        bounds = (np.iinfo(X.dtype).min, np.iinfo(X.dtype).max) if X.dtype.kind in "iu" else (0.0, 1.0)
        if isinstance(self.value_range, str):
            seen = X.min().item(), X.max().item()
            if self.value_range == "dtype" or (
                self.value_range == "auto" and X.dtype == np.uint8 and seen[1] > bounds[1] // 2
            ):
                return bounds
            if self.value_range in ("auto", "data"):
                return seen
        elif len(self.value_range) == 2 and self.value_range[0] < self.value_range[1]:
            return tuple(self.value_range)
        raise ValueError(
            f"value_range must be 'auto', 'dtype', 'data' or a pair (low, high) with low < high, got {self.value_range!r}."
        )

    @property
    def _keeps_uint8(self) -> bool:
        return self.dtype_ == np.uint8 and (self.low_, self.high_) == (0, 255)

    def transform(self, X) -> np.ndarray:
        """Encode images: (n, C, H, W), uint8 (0 … 255) or float32 (low … high ↦ −1 … 1)."""
        check_is_fitted(self)
        X = _dense_array(X)
        if tuple(X.shape[1:]) != self.layout_.sample_shape:
            raise ValueError(
                f"These images have shape {tuple(X.shape[1:])}, but those in fit had {self.layout_.sample_shape}."
            )
        images = np.ascontiguousarray(self.layout_.encode(X))
        if self._keeps_uint8 and images.dtype == np.uint8:
            return images
        # float64 in between, block by block: integers and large offsets would lose digits in float32.
        encoded = np.empty(images.shape, dtype=np.float32)
        middle, half = self._affine()
        for start in range(0, len(images), 4096):
            block = slice(start, start + 4096)
            encoded[block] = (images[block].astype(np.float64) - middle) / half
        return encoded

    def _affine(self) -> tuple[float, float]:
        low, high = float(self.low_), float(self.high_)
        return low / 2 + high / 2, (high / 2 - low / 2) or 1.0

    def inverse_transform(self, encoded: np.ndarray) -> np.ndarray:
        """Decode (n, C, H, W) into the images' own layout, dtype and range."""
        check_is_fitted(self)
        if encoded.dtype == np.uint8:
            return self.layout_.decode(encoded)
        middle, half = self._affine()
        values = np.clip(encoded.astype(np.float64), -1, 1) * half + middle
        return self.layout_.decode(_to_dtype(values, self.dtype_, self.low_, self.high_))


# Tables


def _dense_array(X) -> np.ndarray:
    if sparse.issparse(X):
        return X.toarray()
    return X.to_numpy() if isinstance(X, pd.DataFrame) else np.asarray(X)


def _memory_limit() -> int:
    """Half of the machine's memory, in bytes."""
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2
    except (AttributeError, ValueError, OSError):  # not on this platform
        return 8 << 30


def _column(X, j: int):
    """Column j as a pandas Series or 1-D array, without a dense copy of the whole of a sparse X."""
    if isinstance(X, pd.DataFrame):
        return X.iloc[:, j]
    return X[:, [j]].toarray()[:, 0] if sparse.issparse(X) else X[:, j]


def _looks_categorical(column) -> bool:
    """What ``categorical_features="auto"`` takes: category, object, string and bool; object arrays that hold numbers not."""
    dtype = column.dtype
    if isinstance(dtype, pd.CategoricalDtype):
        return True
    if isinstance(dtype, pd.SparseDtype):
        dtype = dtype.subtype
    if pd.api.types.is_bool_dtype(dtype):
        return True
    if isinstance(column, pd.Series):
        return pd.api.types.is_object_dtype(dtype) or pd.api.types.is_string_dtype(dtype)
    if dtype.kind == "O":
        return not all(isinstance(value, int | float | np.number) and not isinstance(value, bool) for value in column)
    return dtype.kind in "US"


class TabularCodec(TransformerMixin, BaseEstimator):
    """Rows of a table ↔ float32 arrays: numeric columns scaled to about N(0, 1), categorical columns as one-hot spans.

    Everything decodes into what was seen: numbers inside the column's range (integers rounded), categories that occur. A
    numeric column with missing values also has a span of (there, missing), so that a net learns or hands on the pattern of
    missing values as it does a category; among categories, missing is one more. Columns of very many categories are not
    encoded: new rows are given those of a real row.

    Parameters
    ----------
    categorical_features : "auto", None or array-like, default="auto"
        Indices, names or a mask of the categorical columns. "auto" takes the columns of category dtype, as SMOTENC
        does, and also object, string and bool columns.
    scaling : {"quantile", "robust"}, default="quantile"
        "quantile" maps each numeric column to a normal distribution by its ranks, "robust" subtracts the median,
        divides by half the interquartile range and clips at ±20; both are then standardised, and constants become 0.
    max_categories : int or None, default=100
        A column with more categories is handed on: it stays out of the encoded array, and ``inverse_transform`` is told what
        it holds. None encodes every column. Where all columns would be handed on, none is.
    max_bytes : int or None, default=None
        Largest encoded array; None is half of the machine's memory.

    Attributes
    ----------
    categorical_indices_ : ndarray of int
        Positions of the categorical columns.
    handed_on_ : ndarray of int
        Positions of those that are not encoded.
    spans_ : tuple of (start, stop)
        Columns of the encoded array that belong to one categorical feature each; they follow the numeric ones. After these,
        the spans of missing values.
    missing_ : ndarray of int
        Which numeric columns (counted among themselves) had some values missing in ``fit``.
    empty_ : ndarray of int
        Which had no value at all, and come back so.
    numeric_ : ndarray of bool, shape (n_encoded,)
        Which encoded columns are numeric.
    """

    def __init__(self, *, categorical_features="auto", scaling="quantile", max_categories=100, max_bytes=None):
        self.categorical_features = categorical_features
        self.scaling = scaling
        self.max_categories = max_categories
        self.max_bytes = max_bytes

    def fit(self, X, y=None):
        """Learn the columns of X: DataFrame, ndarray or sparse matrix of shape (n, d)."""
        if self.scaling not in ("quantile", "robust"):
            raise ValueError(f"scaling must be 'quantile' or 'robust', got {self.scaling!r}.")
        if self.max_categories is not None and not self.max_categories >= 1:
            raise ValueError(f"max_categories must be None or an integer of at least 1, got {self.max_categories!r}.")
        self._remember_container(X)
        n_rows, n_columns = X.shape
        self.categorical_indices_ = self._categorical_indices(X)
        self.numeric_indices_ = np.setdiff1d(np.arange(n_columns), self.categorical_indices_)
        self._fit_categories(X)
        n_numeric = len(self.numeric_indices_)
        sizes = [len(categories) for categories in self.categories_]
        self._check_size(n_rows, n_numeric, sizes)
        values = self._numeric_values(X)
        gone = np.isnan(values)
        self.missing_ = np.flatnonzero(gone.any(axis=0) & ~gone.all(axis=0))
        self.empty_ = np.flatnonzero(gone.all(axis=0))
        sizes += [2] * len(self.missing_)
        stops = n_numeric + np.cumsum(sizes, dtype=int)
        self.spans_ = tuple((int(stop - size), int(stop)) for stop, size in zip(stops, sizes, strict=True))
        self.numeric_ = np.arange(n_numeric + sum(sizes)) < n_numeric
        if n_numeric:
            there = values.copy() if len(self.empty_) else values
            there[:, self.empty_] = 0.0  # a constant, which comes back as missing
            self.low_, self.high_ = np.nanmin(there, axis=0), np.nanmax(there, axis=0)
            self._fit_bounds(X)
            self._fit_center(there)
            steps: list[Any] = [StandardScaler()]
            if self.scaling == "quantile":
                # With subsample=None every row counts, and nothing is drawn at random.
                quantiles = QuantileTransformer(
                    n_quantiles=min(1000, n_rows), output_distribution="normal", subsample=None
                )
                steps.insert(0, quantiles)
            self.scaler_ = make_pipeline(*steps).fit(self._centred(there))
        return self

    def _remember_container(self, X) -> None:
        self.columns_ = X.columns if isinstance(X, pd.DataFrame) else None
        self.dtypes_ = list(X.dtypes) if isinstance(X, pd.DataFrame) else [X.dtype] * X.shape[1]
        self.sparse_type_ = type(X) if sparse.issparse(X) else None

    def _name(self, j: int) -> str:
        return repr(self.columns_[j]) if self.columns_ is not None else str(j)

    def _categorical_indices(self, X) -> np.ndarray:
        wanted = self.categorical_features
        n_columns = X.shape[1]
        if wanted is None:
            return np.array([], dtype=int)
        if isinstance(wanted, str):
            if wanted != "auto":
                raise ValueError(
                    f"categorical_features must be 'auto', None, or a list of indices, names or bools; got {wanted!r}. "
                    f"For one column write [{wanted!r}]."
                )
            if self.columns_ is None and self.dtypes_ and self.dtypes_[0].kind in "iuf":
                return np.array([], dtype=int)
            return np.array([j for j in range(n_columns) if _looks_categorical(_column(X, j))], dtype=int)
        wanted = np.asarray(wanted)
        if wanted.dtype == bool:
            if wanted.shape != (n_columns,):
                raise ValueError(
                    f"A categorical_features mask needs one bool per column: X has {n_columns} columns, the mask "
                    f"has shape {wanted.shape}."
                )
            return np.flatnonzero(wanted)
        if wanted.dtype.kind in "UO" and wanted.size:
            if self.columns_ is None:
                raise ValueError("categorical_features holds names, but X has no column names; give indices.")
            unknown = [name for name in wanted.tolist() if name not in self.columns_]
            if unknown:
                raise ValueError(
                    f"categorical_features names {unknown} are not among the columns {list(self.columns_)}."
                )
            return np.sort(self.columns_.get_indexer(wanted))
        indices = wanted.astype(int)
        outside = [int(j) for j in indices if not -n_columns <= j < n_columns]
        if outside:
            raise ValueError(
                f"categorical_features has the indices {outside}, but X has {n_columns} columns (0 … {n_columns - 1})."
            )
        return np.unique(indices % n_columns)

    def _category_values(self, X, j: int) -> np.ndarray:
        column = _column(X, j)
        if isinstance(column, pd.Series):
            column = column.to_numpy(dtype=object)
        missing = pd.isna(column)
        if missing.any():  # None, NaN, NA and NaT are one category
            column = np.where(missing, np.nan, column.astype(object))
        return column

    def _fit_categories(self, X) -> None:
        """Categories in order of first appearance: they need not be comparable with one another."""
        found = {int(j): pd.unique(self._category_values(X, j)) for j in self.categorical_indices_}
        limit = np.inf if self.max_categories is None else self.max_categories
        many = [j for j, categories in found.items() if len(categories) > limit]
        if len(many) == X.shape[1]:
            many = []
        self.handed_on_ = np.array(many, dtype=int)
        self._one_hot = np.setdiff1d(self.categorical_indices_, self.handed_on_)
        self.categories_ = [found[int(j)] for j in self._one_hot]
        self._handed_on_categories = [found[j] for j in many]

    def codes(self, X) -> np.ndarray:
        """Which category each row has in the columns of ``handed_on_``: int32 of shape (n, n_handed_on).

        Parameters
        ----------
        X
            As in ``fit``.
        """
        check_is_fitted(self)
        columns = [
            pd.Index(categories).get_indexer(self._category_values(X, j))
            for j, categories in zip(self.handed_on_, self._handed_on_categories, strict=True)
        ]
        return np.array(columns, dtype=np.int32).reshape(len(columns), X.shape[0]).T

    def _check_size(self, n_rows: int, n_numeric: int, sizes: list[int]) -> None:
        limit = _memory_limit() if self.max_bytes is None else self.max_bytes
        needed = 4 * n_rows * (n_numeric + sum(sizes))
        if needed <= limit:
            return
        message = f"Encoded, X would take {needed / 2**30:.3g} GiB, and {limit / 2**30:.3g} GiB is the limit here"
        if sizes and max(sizes) > n_numeric:
            widest = int(np.argmax(sizes))
            raise ValueError(
                f"{message}: column {self._name(self._one_hot[widest])} alone has {sizes[widest]} categories. "
                "Drop it, group its rare categories, or encode it as a number."
            )
        raise ValueError(f"{message}. Select fewer columns (for instance with TruncatedSVD or SelectKBest) first.")

    def _numeric_values(self, X) -> np.ndarray:
        """The numeric columns as float64, shape (n, n_numeric)."""
        if self.columns_ is None and not sparse.issparse(X) and X.dtype.kind in "biuf":
            return X[:, self.numeric_indices_].astype(np.float64)
        values = np.empty((X.shape[0], len(self.numeric_indices_)))
        for i, j in enumerate(self.numeric_indices_):
            column = _column(X, j)
            if getattr(column.dtype, "kind", "") in "Mm":
                raise ValueError(
                    f"Column {self._name(j)} holds dates or durations ({column.dtype}); convert it to a number first, "
                    "such as days since a start date, or drop it."
                )
            try:
                if isinstance(column, pd.Series):
                    values[:, i] = column.to_numpy(np.float64, na_value=np.nan)
                else:
                    values[:, i] = np.where(pd.isna(column), np.nan, column) if column.dtype == object else column
            except (TypeError, ValueError) as error:
                raise ValueError(
                    f"Column {self._name(j)} could not be read as numbers ({error}); list it in categorical_features."
                ) from error
        return values

    def _fit_bounds(self, X) -> None:
        """The seen range of integer columns as exact integers: float64 rounds above 2⁵³."""
        self.bounds_ = {}
        for i, j in enumerate(self.numeric_indices_):
            dtype = self._numpy_dtype(j)
            if dtype.kind in "iu":
                column = _column(X, j)
                if not pd.isna(column).all():
                    self.bounds_[i] = int(column.min()), int(column.max())

    def _fit_center(self, values: np.ndarray) -> None:
        """Median and interquartile range; where that is 0 (most values are equal) the range, and 1 for constants.

        QuantileTransformer cannot tell values apart that lie within 1e-7, and squares overflow from 1e154 on.
        """
        q25, self.center_, q75 = np.nanpercentile(values, [25, 50, 75], axis=0)
        scale = np.where(q75 > q25, q75 / 2 - q25 / 2, self.high_ / 2 - self.low_ / 2)
        self.scale_ = np.where(scale > 0, scale, 1.0)

    def _centred(self, values: np.ndarray) -> np.ndarray:
        # Ranks do not mind how far an outlier lies, but its neighbours come back along the line to it.
        limit = 1e6 if self.scaling == "quantile" else 20.0
        with np.errstate(over="ignore"):
            return np.clip((values - self.center_) / self.scale_, -limit, limit)

    def transform(self, X) -> np.ndarray:
        """Encode rows as float32 of shape (n, n_numeric + Σ categories)."""
        check_is_fitted(self)
        blocks = []
        if len(self.numeric_indices_):
            values = self._numeric_values(X)
            missing = np.isnan(values)
            unseen = np.setdiff1d(np.flatnonzero(missing.any(axis=0)), [*self.missing_, *self.empty_])
            if len(unseen):
                name = self._name(self.numeric_indices_[unseen[0]])
                raise ValueError(f"Column {name} has missing values, and there were none in fit.")
            scaled = self.scaler_.transform(self._centred(values))
            blocks.append(np.where(missing, 0.0, scaled).astype(np.float32))  # the median, of which the span tells
        for j, categories in zip(self._one_hot, self.categories_, strict=True):
            codes = pd.Index(categories).get_indexer(self._category_values(X, j))
            if (codes < 0).any():
                unknown = self._category_values(X, j)[np.argmax(codes < 0)]
                raise ValueError(f"Column {self._name(j)} holds {unknown!r}, a category that was not there in fit.")
            blocks.append((codes[:, None] == np.arange(len(categories))).astype(np.float32))
        for i in self.missing_:
            blocks.append(np.stack([~missing[:, i], missing[:, i]], axis=1).astype(np.float32))
        return np.concatenate(blocks, 1) if len(blocks) > 1 else blocks[0]

    def inverse_transform(self, encoded: np.ndarray, codes: np.ndarray | None = None):
        """Decode into a DataFrame, ndarray or sparse matrix like the one in ``fit``.

        Parameters
        ----------
        encoded : ndarray of shape (n, n_encoded)
        codes : ndarray of int, shape (n, n_handed_on), or None, default=None
            As from :meth:`codes`; needed where columns are handed on.

        Raises
        ------
        ValueError
            Where codes are needed and not given.
        """
        check_is_fitted(self)
        n_numeric = len(self.numeric_indices_)
        columns: dict[int, Any] = {}
        if len(self.handed_on_):
            if codes is None:
                raise ValueError(
                    f"Column {self._name(self.handed_on_[0])} has more than {self.max_categories} categories and is not in the "
                    "encoded rows: give what it holds as codes, or encode all columns with max_categories=None."
                )
            for j, categories, column in zip(self.handed_on_, self._handed_on_categories, codes.T, strict=True):
                columns[int(j)] = categories[column]
        if n_numeric:
            values = self.scaler_.inverse_transform(encoded[:, :n_numeric].astype(np.float64))
            values = values * self.scale_ + self.center_
            for i, j in enumerate(self.numeric_indices_):
                low, high = self.bounds_.get(i, (self.low_[i], self.high_[i]))
                columns[int(j)] = _to_dtype(values[:, i], self._numpy_dtype(j), low, high)
        n_categorical = len(self.categories_)
        spans = self.spans_[:n_categorical]
        for j, (start, stop), categories in zip(self._one_hot, spans, self.categories_, strict=True):
            columns[int(j)] = categories[encoded[:, start:stop].argmax(1)]
        missing = {
            int(self.numeric_indices_[i]): encoded[:, start:stop].argmax(1) == 1
            for i, (start, stop) in zip(self.missing_, self.spans_[n_categorical:], strict=True)
        }
        missing |= {int(self.numeric_indices_[i]): np.ones(len(encoded), bool) for i in self.empty_}
        if self.columns_ is not None:
            decoded = {j: pd.Series(columns[j]).astype(dtype) for j, dtype in enumerate(self.dtypes_)}
            for j, rows in missing.items():
                decoded[j] = decoded[j].mask(rows)
            return pd.DataFrame(decoded, copy=False).set_axis(self.columns_, axis=1)
        array = np.empty((len(encoded), len(self.dtypes_)), dtype=self.dtypes_[0] if self.dtypes_ else float)
        for j, column in columns.items():
            array[:, j] = np.where(missing[j], np.nan, column) if j in missing else column
        return array if self.sparse_type_ is None else self.sparse_type_(array)

    def _numpy_dtype(self, j: int) -> np.dtype:
        """The NumPy dtype that column j's values have: of nullable and sparse columns, the one inside."""
        dtype = self.dtypes_[j]
        if isinstance(dtype, pd.SparseDtype):
            dtype = dtype.subtype
        if isinstance(dtype, pd.CategoricalDtype):
            dtype = dtype.categories.dtype
        dtype = getattr(dtype, "numpy_dtype", dtype)
        return dtype if isinstance(dtype, np.dtype) and dtype.kind in "biuf" else np.dtype(np.float64)


def choose_codec(codec, X, *, image_shape=None, channels=None, categorical_features="auto"):
    """What ``codec="auto"`` stands for: images where X has more than two axes or an ``image_shape``, else a table."""
    if not isinstance(codec, str):
        return codec
    if codec != "auto":
        raise ValueError(f"codec must be 'auto' or a codec such as ImageCodec() or TabularCodec(), got {codec!r}.")
    if image_shape is not None or X.ndim > 2:
        return ImageCodec(image_shape=image_shape, channels=channels)
    return TabularCodec(categorical_features=categorical_features)
