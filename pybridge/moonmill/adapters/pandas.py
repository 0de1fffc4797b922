"""Frames and series of pandas 2 and 3: numpy-backed, nullable and arrow dtypes, categories, text."""

from __future__ import annotations

from weakref import ref

import numpy as np
import pandas as pd

from ..column import numpy_type
from ..errors import KindError
from .adapter import Kind, Made, Wanted, refuse, table_of, unique
from .numpy import column_of as array_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from ..column import Column
    from ..table import Table


_COPIES_ON_WRITE = int(pd.__version__.partition(".")[0]) >= 3


class Frames(Kind):
    """pandas.DataFrame; the index stays where rows stay."""

    def take(self, data: Any, wanted: Wanted) -> Table:
        """Shares the memory of numbers and times; NaN in numpy-backed columns is null."""
        if isinstance(data.columns, pd.MultiIndex):
            raise KindError(
                "the columns have several levels of names", id="wrong-kind", hint="flatten them first"
            )
        labels = _labels_of(data.columns)
        names = wanted.chosen(labels)
        places = range(len(labels)) if len(names) == len(labels) else [labels.index(name) for name in names]
        arrays = _arrays_of(data, places)
        return table_of(names, [*map(column_of, arrays, names)], nan_is_null=True)

    def give(self, table: Table, data: Any, wanted: Wanted, keeps_rows: bool) -> Any:
        """A DataFrame whose dtypes are of the input's make; labels are the input's."""
        dtypes = {str(label): dtype for label, dtype in zip(data.columns, data.dtypes)}
        labels = {str(label): label for label in data.columns}
        index, source = (data.index, data) if keeps_rows else (None, None)
        frame = frame_of(table, dtypes, index, source)
        names = [labels.get(name, name) for name in table.column_names]
        frame.columns = pd.Index(names, name=data.columns.name, tupleize_cols=False)
        frame.attrs = dict(data.attrs)
        return frame


class Rows(Kind):
    """pandas.Series: one column, by its own name unless the pipeline declares one."""

    def take(self, data: Any, wanted: Wanted) -> Table:
        """Shares the memory of numbers and times."""
        name = wanted.single(data.name)
        return table_of([name], [column_of(data, name)], nan_is_null=True)

    def give(self, table: Table, data: Any, wanted: Wanted, keeps_rows: bool) -> Any:
        """One column: a Series. Several: a DataFrame."""
        index, dtypes = data.index if keeps_rows else None, {wanted.single(data.name): data.dtype}
        frame = frame_of(table, dtypes, index)
        if table.num_columns != 1:
            return frame
        series = frame.iloc[:, 0]
        return series.rename(data.name) if series.name == wanted.single(data.name) else series


class Arrays(Rows):
    """pandas.Index and arrays of pandas, such as Categorical: one column."""

    def take(self, data: Any, wanted: Wanted) -> Table:
        """As of a Series."""
        if isinstance(data, pd.MultiIndex):
            raise KindError("the index has several levels", id="wrong-kind", hint="give index.to_frame()")
        return super().take(pd.Series(data), wanted)

    def give(self, table: Table, data: Any, wanted: Wanted, keeps_rows: bool) -> Any:
        """One column: an Index of an Index, else an array. Several: a DataFrame."""
        made = super().give(table, pd.Series(data), wanted, False)
        if isinstance(made, pd.DataFrame):
            return made
        return pd.Index(made) if isinstance(data, pd.Index) else made.array


_labels: dict[int, tuple[Any, list[str]]] = {}
_LABELS_KEPT = 64


def _labels_of(index: Any) -> list[str]:
    """Labels as text, each once; kept, since an index never changes and is slow to walk through."""
    known = _labels.get(id(index))
    if known is not None and known[0]() is index:
        return known[1]
    labels = unique([*map(str, index)])
    if len(_labels) >= _LABELS_KEPT:
        _labels.clear()
    _labels[id(index)] = ref(index), labels
    return labels


def _arrays_of(frame: Any, places: Sequence[int]) -> list[Any]:
    """Columns of a frame: their arrays, where pandas hands those out, which takes a fiftieth of the time."""
    array_at = getattr(frame, "_get_column_array", None)
    return [array_at(place) if array_at else frame.iloc[:, place] for place in places]


def column_of(series: Any, name: str) -> Any:
    """What `table_of` takes of a series, or of its array."""
    dtype = series.dtype
    if isinstance(dtype, np.dtype):
        return array_of(np.asarray(series))
    array = series.array if isinstance(series, pd.Series) else series
    if _is_masked(dtype):
        return Made(array.to_numpy(dtype=dtype.numpy_dtype, na_value=dtype.type(0)), array.isna())
    if isinstance(dtype, pd.ArrowDtype):
        return array.__arrow_array__()
    if isinstance(dtype, (pd.StringDtype, pd.CategoricalDtype, pd.DatetimeTZDtype)):
        return _through_arrow(pd.Series(series, copy=False), name)
    raise refuse(name, f"dtype {dtype} has no type here", "convert it with astype()")


def _through_arrow(series: Any, name: str) -> Any:
    try:
        import pyarrow as pa
    except ImportError:
        if isinstance(series.dtype, pd.DatetimeTZDtype):
            raise refuse(name, f"dtype {series.dtype} needs pyarrow, which is not installed") from None
        return series.astype(object).to_numpy()
    try:
        array = pa.array(series, from_pandas=True)
    except (pa.ArrowInvalid, pa.ArrowTypeError) as error:
        raise refuse(name, str(error)) from None
    except UnicodeEncodeError:
        return series.astype(object).to_numpy()  # is refused with the row that pyarrow does not tell
    if pa.types.is_dictionary(array.type) and not _is_plain(array.type.value_type):
        categories = series.dtype.categories.dtype
        raise refuse(
            name, f"categories of dtype {categories} have no type here", "convert it with astype(str)"
        )
    laid_out = isinstance(series.dtype, pd.StringDtype) and series.dtype.storage == "python"
    return Made(array, copied=array.nbytes) if laid_out else array


def _is_plain(type: Any) -> bool:
    import pyarrow as pa

    return not pa.types.is_nested(type) and not isinstance(type, pa.BaseExtensionType)


def _is_masked(dtype: Any) -> bool:
    return hasattr(dtype, "numpy_dtype") and not isinstance(dtype, pd.ArrowDtype)


def flavour_of(dtype: Any) -> str:
    """The make of a dtype: "arrow", "nullable" or "numpy"."""
    return "arrow" if isinstance(dtype, pd.ArrowDtype) else "nullable" if _is_masked(dtype) else "numpy"


def frame_of(table: Table, dtypes: dict[str, Any], index: Any = None, source: Any = None) -> Any:
    """A DataFrame over a table: columns that are in `dtypes` of that make, others as most of those are.

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
