"""Frames and series of pandas 2 and 3: numpy-backed, nullable and arrow dtypes, categories, text."""

from __future__ import annotations

from weakref import ref

import numpy as np
import pandas as pd

from ..base.input_spec import InputSpec
from ..errors import KindError
from ..to_pandas import frame_of, is_masked
from .adapter import Adapter, ColumnInput, refuse, table_of, unique
from .numpy import column_of as array_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from ..table import Table


class Frames(Adapter):
    """pandas.DataFrame; the index stays where rows stay."""

    def take(self, data: Any, spec: InputSpec) -> Table:
        """Shares the memory of numbers and times; NaN in numpy-backed columns is null."""
        if isinstance(data.columns, pd.MultiIndex):
            raise KindError(
                "the columns have several levels of names", id="wrong-kind", hint="flatten them first"
            )
        labels = _labels_of(data.columns)
        names = spec.chosen(labels)
        places = range(len(labels)) if len(names) == len(labels) else [labels.index(name) for name in names]
        arrays = _arrays_of(data, places)
        return table_of(names, [*map(column_of, arrays, names)], nan_is_null=True)

    def give(self, table: Table, data: Any, spec: InputSpec, keeps_rows: bool) -> Any:
        """A DataFrame whose dtypes are of the input's make; labels are the input's."""
        dtypes = {str(label): dtype for label, dtype in zip(data.columns, data.dtypes)}
        labels = {str(label): label for label in data.columns}
        index, source = (data.index, data) if keeps_rows else (None, None)
        frame = frame_of(table, dtypes, index, source)
        names = [labels.get(name, name) for name in table.column_names]
        frame.columns = pd.Index(names, name=data.columns.name, tupleize_cols=False)
        frame.attrs = dict(data.attrs)
        return frame


class Rows(Adapter):
    """pandas.Series: one column, by its own name unless the pipeline declares one."""

    def take(self, data: Any, spec: InputSpec) -> Table:
        """Shares the memory of numbers and times."""
        name = spec.single(data.name)
        return table_of([name], [column_of(data, name)], nan_is_null=True)

    def give(self, table: Table, data: Any, spec: InputSpec, keeps_rows: bool) -> Any:
        """One column: a Series. Several: a DataFrame."""
        index, dtypes = data.index if keeps_rows else None, {spec.single(data.name): data.dtype}
        frame = frame_of(table, dtypes, index)
        if table.num_columns != 1:
            return frame
        series = frame.iloc[:, 0]
        return series.rename(data.name) if series.name == spec.single(data.name) else series


class Arrays(Rows):
    """pandas.Index and arrays of pandas, such as Categorical: one column."""

    def take(self, data: Any, spec: InputSpec) -> Table:
        """As of a Series."""
        if isinstance(data, pd.MultiIndex):
            raise KindError("the index has several levels", id="wrong-kind", hint="give index.to_frame()")
        return super().take(pd.Series(data), spec)

    def give(self, table: Table, data: Any, spec: InputSpec, keeps_rows: bool) -> Any:
        """One column: an Index of an Index, else an array. Several: a DataFrame."""
        made = super().give(table, pd.Series(data), spec, False)
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
    if is_masked(dtype):
        values = array.to_numpy(dtype=dtype.numpy_dtype, na_value=dtype.type(0))
        return ColumnInput(values, mask=array.isna())
    if isinstance(dtype, pd.ArrowDtype):
        return ColumnInput(array.__arrow_array__(), "a")
    if isinstance(dtype, (pd.StringDtype, pd.CategoricalDtype, pd.DatetimeTZDtype)):
        return _through_arrow(pd.Series(series, copy=False), name)
    raise refuse(name, f"dtype {dtype} has no type here", "convert it with astype()")


def _through_arrow(series: Any, name: str) -> Any:
    try:
        import pyarrow as pa
    except ImportError:
        if isinstance(series.dtype, pd.DatetimeTZDtype):
            raise refuse(name, f"dtype {series.dtype} needs pyarrow, which is not installed") from None
        return ColumnInput(series.astype(object).to_numpy(), "O")
    try:
        array = pa.array(series, from_pandas=True)
    except (pa.ArrowInvalid, pa.ArrowTypeError) as error:
        raise refuse(name, str(error)) from None
    except UnicodeEncodeError:
        # To be refused with its row, which pyarrow does not tell.
        return ColumnInput(series.astype(object).to_numpy(), "O")
    if pa.types.is_dictionary(array.type) and not _is_plain(array.type.value_type):
        categories = series.dtype.categories.dtype
        raise refuse(
            name, f"categories of dtype {categories} have no type here", "convert it with astype(str)"
        )
    laid_out = isinstance(series.dtype, pd.StringDtype) and series.dtype.storage == "python"
    return ColumnInput(array, "a", copied=array.nbytes if laid_out else 0)


def _is_plain(type: Any) -> bool:
    import pyarrow as pa

    return not pa.types.is_nested(type) and not isinstance(type, pa.BaseExtensionType)
