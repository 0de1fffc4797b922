"""Tables and columns as frames and series of pandas 2 and 3."""

from __future__ import annotations

import numpy as np
import pandas as pd

from .schema import numpy_type

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from .column import Column
    from .table import Table

_COPIES_ON_WRITE = int(pd.__version__.partition(".")[0]) >= 3


def is_masked(dtype: Any) -> bool:
    """A nullable dtype of pandas: values and a mask."""
    return hasattr(dtype, "numpy_dtype") and not isinstance(dtype, pd.ArrowDtype)


def flavour_of(dtype: Any) -> str:
    """The backend of a dtype: "arrow", "nullable" or "numpy"."""
    return "arrow" if isinstance(dtype, pd.ArrowDtype) else "nullable" if is_masked(dtype) else "numpy"


def frame_of(table: Table, dtypes: dict[str, Any], index: Any = None, source: Any = None) -> Any:
    """A DataFrame over a table: columns in `dtypes` with that backend, others with the most frequent one.

    `source`: the frame that the table was made of, row by row, whose columns `dtypes` has in their order.
    """
    if not isinstance(index, pd.Index):
        index = pd.RangeIndex(len(table)) if index is None else pd.Index(index)
    makes = [flavour_of(dtype) for dtype in dtypes.values()]
    usual = max(("numpy", "nullable", "arrow"), key=makes.count)
    places = {name: place for place, name in enumerate(dtypes)}
    columns = {}
    for column in table.columns:
        name, dtype = column.name, dtypes.get(column.name)
        series = None
        if source is not None and dtype is not None and _COPIES_ON_WRITE:
            series = _passed(column, source, places[name])
        if series is None:
            series = series_of(column, usual if dtype is None else flavour_of(dtype), dtype, index)
        columns[name] = series
    return pd.DataFrame(columns, index=index, copy=False)


def _passed(column: Column, source: Any, place: int) -> Any:
    """The input's own series where the result shows its memory: it can be written, since pandas copies it
    before that happens. None where that is not so.
    """
    kind = numpy_type(column.type)
    if kind is None or kind == "M8[D]" or column.chunks != 1 or column.null_count:
        return None
    label = source.columns[place]
    series = source[label] if isinstance(label, str) else source.iloc[:, place]
    if series.dtype != kind:
        return None
    here, there = series.to_numpy(), column.data()
    shared = there.readonly and there.address == here.__array_interface__["data"][0]
    return series if shared and here.flags.c_contiguous else None


def series_of(column: Column, flavour: str = "numpy", dtype: Any = None, index: Any = None) -> Any:
    """A Series over a column; one that was of categories is so again when it has no others."""
    how = {"name": column.name, "index": index, "copy": False}
    if column.type == "utf8" and isinstance(dtype, np.dtype) and dtype.kind == "O":
        return pd.Series(column.to_numpy(), dtype=object, **how)
    if column.type == "utf8" and isinstance(dtype, pd.StringDtype):
        return pd.Series(_texts_as(column, dtype), **how)
    series = pd.Series(_array_of(column, flavour), **how)
    if isinstance(dtype, pd.CategoricalDtype):
        try:
            again = series.astype(dtype)
        except (TypeError, ValueError):
            return series
        return again if again.isna().sum() == column.null_count else series
    return series


def _array_of(column: Column, flavour: str) -> Any:
    if flavour == "arrow":
        return pd.arrays.ArrowExtensionArray(column.to_pyarrow())
    name = numpy_type(column.type)
    if name is None:
        return _texts(column)
    array = column.to_numpy()
    if name == "M8[D]":
        return array.astype("M8[s]")
    if name[0] == "M" and ", " in column.type:
        zone = column.type.rstrip(")").partition(", ")[2]
        return pd.Series(array).dt.tz_localize("UTC").dt.tz_convert(zone).array
    if name[0] in "Mm" or (flavour == "numpy" and not isinstance(array, np.ma.MaskedArray)):
        return array
    return _masked(column, array)


def _masked(column: Column, array: Any) -> Any:
    valid = column.valid()
    mask = np.zeros(len(array), bool) if valid is None else ~np.asarray(valid).view(bool)
    values = np.asarray(array)
    makes = {"b": pd.arrays.BooleanArray, "f": pd.arrays.FloatingArray}
    return makes.get(values.dtype.kind, pd.arrays.IntegerArray)(values, mask)


def _texts_as(column: Column, dtype: pd.StringDtype) -> Any:
    try:
        return dtype.__from_arrow__(column.to_pyarrow())
    except ImportError:
        return pd.array(column.to_pylist(), dtype=dtype)


def _texts(column: Column) -> Any:
    try:
        import pyarrow as pa
    except ImportError:
        return pd.Series(column.to_pylist(), dtype=object if column.type != "utf8" else None).array
    return pa.chunked_array(column).to_pandas().array
