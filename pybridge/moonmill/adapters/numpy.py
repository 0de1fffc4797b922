"""Arrays of numpy: plain, masked, strided, structured."""

from __future__ import annotations

import numpy as np

from ..base.input_spec import InputSpec
from .adapter import Adapter, ColumnInput, refuse, table_of, unique

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ..table import Table

    Array = np.ndarray[Any, Any]


class Arrays(Adapter):
    """numpy.ndarray: one column, in C order; with fields: one column for each field."""

    def take(self, data: Array, spec: InputSpec) -> Table:
        """Shares the array's memory where it is contiguous and its type is one of ours."""
        if data.dtype.names:
            names = spec.chosen(unique(data.dtype.names))
            return table_of(names, [_field_of(data, name) for name in names])
        return table_of([spec.single()], [column_of(data)])

    def column(self, data: Array, name: str) -> Any:
        """The array itself, where it has no fields."""
        return super().column(data, name) if data.dtype.names else column_of(data)

    def give_column(self, table: Table, name: str, data: Array, keeps_rows: bool) -> Any:
        """As an array of one column."""
        if data.dtype.names:
            return super().give_column(table, name, data, keeps_rows)
        result: Any = table[name].to_numpy()
        return result.reshape(data.shape) if keeps_rows and data.ndim != 1 else result

    def give(self, table: Table, data: Array, spec: InputSpec, keeps_rows: bool) -> Any:
        """One column: an array, of the input's shape where its rows are kept. Several: a dict of arrays.

        An array with fields gives an array with fields.
        """
        if data.dtype.names and all(column.null_count == 0 for column in table.columns):
            return structured(table.to_numpy())
        if table.num_columns != 1:
            return table.to_numpy()
        result = table.columns[0].to_numpy()
        return result.reshape(data.shape) if keeps_rows else result


def structured(columns: dict[str, Array]) -> Array:
    """One array with a field for each column."""
    dtype = [(name, column.dtype) for name, column in columns.items()]
    length = len(next(iter(columns.values()))) if columns else 0
    result = np.empty(length, dtype=dtype)
    for name, column in columns.items():
        result[name] = column
    return result


def column_of(array: Array) -> Any:
    """What `table_of` takes of an array: half floats become f32, months and years dates."""
    if isinstance(array, np.ma.MaskedArray):
        column = column_of(array.data)
        if array.mask is np.ma.nomask:
            return column
        if not isinstance(column, ColumnInput):
            column = ColumnInput(column)
        column.mask = np.ascontiguousarray(np.ma.getmaskarray(array)).reshape(-1)
        return column
    dtype = array.dtype
    if dtype.kind == "f" and dtype.itemsize == 2:
        return _converted(array, "f4")
    if dtype.kind == "M" and dtype.str.endswith(("M]", "Y]")):
        return _converted(array, "M8[D]")
    if dtype.kind in "OSTU":
        return ColumnInput(array if array.ndim == 1 else array.reshape(-1), dtype.kind)
    return array


def _converted(array: Array, dtype: str) -> ColumnInput:
    made = array.astype(dtype)
    return ColumnInput(made, copied=made.nbytes)


def _field_of(array: Array, name: str) -> Any:
    dtype = array.dtype[name]
    if dtype.names or dtype.subdtype:
        raise refuse(name, f"fields of {dtype} have no type here", "take its values apart first")
    return column_of(array[name])
