"""polars frames: to pandas before the work, and back after it. polars is imported where the user's data are polars' only."""

from dataclasses import dataclass
from io import BytesIO
from typing import TYPE_CHECKING, Any

import pandas as pd

if TYPE_CHECKING:
    from skgan.samplers._containers import Classes, Values


def is_polars(data: Any) -> bool:
    """Whether these are a frame or a series of polars."""
    kind = type(data)
    return kind.__module__.partition(".")[0] == "polars" and kind.__name__ in ("DataFrame", "Series")


def _is_frame(data: Any) -> bool:
    return is_polars(data) and len(data.shape) == 2


def rows_as_pandas(X: Any) -> Any:
    """A polars frame in Arrow's dtypes, which know missing whole numbers; NaN is missing too. All else as it is."""
    if not _is_frame(X):
        return X
    import polars as pl
    from polars import selectors

    try:
        frame = X.with_columns(selectors.float().fill_nan(None)).to_pandas(use_pyarrow_extension_array=True)
    except ImportError as error:
        raise _needs_pyarrow(error) from error
    for name, dtype in X.schema.items():
        if dtype in (pl.Categorical, pl.Enum, pl.Decimal):  # what a sampler can save
            frame[name] = X[name].to_pandas()
    return frame


def frame_in_numpy_dtypes(X: Any) -> Any:
    """A polars frame in pandas' own dtypes, which other libraries take; all else as it is, a series too."""
    return in_numpy_dtypes(X) if _is_frame(X) else X


def in_numpy_dtypes(data: Any) -> Any:
    """A polars series or frame in pandas' own dtypes; all else as it is."""
    if not is_polars(data):
        return data
    try:
        return data.to_pandas()
    except ImportError as error:
        raise _needs_pyarrow(error) from error


def _needs_pyarrow(error: ImportError) -> ImportError:
    return ImportError(f"polars frames are converted by pyarrow, which is not there ({error}): pip install pyarrow.")


@dataclass(frozen=True)
class PolarsLike:
    """Names and dtypes of a polars frame or series.

    Attributes
    ----------
    empty : bytes
        The frame without rows, as an Arrow file: a fitted sampler that is saved, or sent to another process, holds no polars.
    of_series : bool
    """

    empty: bytes
    of_series: bool

    @classmethod
    def of(cls, data: Any) -> "PolarsLike | None":
        """None of what is not polars'."""
        if not is_polars(data):
            return None
        file, of_series = BytesIO(), len(data.shape) == 1
        (data.to_frame() if of_series else data).clear().write_ipc(file)
        return cls(file.getvalue(), of_series)

    def back(self, data: Any) -> Any:
        """A frame or series of pandas as polars', with these names and dtypes."""
        import polars as pl

        schema = pl.read_ipc(BytesIO(self.empty)).schema
        columns = pl.from_pandas(pd.DataFrame(data).set_axis(range(len(schema)), axis=1))  # a name may be empty
        made = pl.DataFrame({name: column.cast(schema[name]) for name, column in zip(schema, columns, strict=True)})
        return made.to_series() if self.of_series else made

    def under(self, data: Any, rows: Any) -> Any:
        """The user's frame or series, with rows of pandas underneath."""
        import polars as pl

        return pl.concat([data, self.back(rows)], rechunk=True)


@dataclass(frozen=True)
class PolarsLabels:
    """A y of polars', kept as the same y in pandas."""

    inner: "Classes | Values"
    polars: PolarsLike

    def like(self, labels) -> Any:
        """Rows of y with these labels."""
        return self.polars.back(self.inner.like(labels))

    def under(self, y, labels) -> Any:
        """The user's y, and such rows underneath."""
        return self.polars.under(y, self.inner.like(labels))
