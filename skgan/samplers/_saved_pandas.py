"""Containers and dtypes of pandas as trees of plain values and arrays, and back."""

import re
from typing import Any

import numpy as np
import pandas as pd

_DECIMAL = re.compile(r"decimal128\((\d+), (\d+)\)\[pyarrow\]")


def of_pandas(value: Any) -> dict[str, Any] | None:
    """A name of ``OF_PANDAS``, and what its function is given to make the value again; None for what is not pandas'."""
    if isinstance(value, pd.CategoricalDtype):
        return {"categories": [value.categories, value.ordered]}
    if isinstance(value, pd.api.extensions.ExtensionDtype):
        name = str(value)
        if _extension(name) != value:
            raise TypeError(f"the dtype {value!r} cannot be written.")
        return {"extension": name}
    if isinstance(value, pd.RangeIndex):
        return {"range": [value.start, value.stop, value.step, value.name]}
    if isinstance(value, pd.MultiIndex):
        return {"tuples": [list(value), list(value.names)]}
    if isinstance(value, pd.Index):
        return {"index": [value.to_series(index=range(len(value))), value.name]}
    if isinstance(value, pd.api.extensions.ExtensionArray):
        return {"extension_array": [pd.Series(value)]}
    if isinstance(value, pd.Series):
        return {"series": [value.dtype, _cells(value), value.index, value.name]}
    if isinstance(value, pd.DataFrame):
        return {"frame": [[value.iloc[:, j] for j in range(value.shape[1])], value.columns, value.index]}
    return None


def _cells(series: pd.Series) -> Any:
    if isinstance(series.dtype, pd.CategoricalDtype):
        return series.cat.codes.to_numpy()
    return series.to_numpy() if isinstance(series.dtype, np.dtype) else series.astype(object).tolist()


def _extension(name: str) -> Any:
    """The dtype of this name; pandas does not read those of Arrow's decimals, which have parameters."""
    found = _DECIMAL.fullmatch(name)
    if found is None:
        return pd.api.types.pandas_dtype(name)
    import pyarrow

    return pd.ArrowDtype(pyarrow.decimal128(*map(int, found.groups())))


def _series(dtype: Any, cells: Any, index: pd.Index, name: Any) -> pd.Series:
    if isinstance(dtype, pd.CategoricalDtype):
        return pd.Series(pd.Categorical.from_codes(cells, dtype=dtype), index=index, name=name)
    return pd.Series(cells, dtype=dtype, index=index, name=name)


def _frame(columns: list[pd.Series], names: pd.Index, index: pd.Index) -> pd.DataFrame:
    return pd.DataFrame(dict(enumerate(columns)), index=index, copy=False).set_axis(names, axis=1)


def _index(series: pd.Series, name: Any) -> pd.Index:
    return pd.Index(series, name=name)


OF_PANDAS: dict[str, Any] = {
    "categories": lambda categories, ordered: pd.CategoricalDtype(categories, ordered),
    "extension": _extension,
    "range": lambda start, stop, step, name: pd.RangeIndex(start, stop, step, name=name),
    "tuples": lambda tuples, names: pd.MultiIndex.from_tuples(tuples, names=names),
    "index": _index,
    "extension_array": lambda series: series.array,
    "series": _series,
    "frame": _frame,
}
"""What a value was → what makes it again."""
