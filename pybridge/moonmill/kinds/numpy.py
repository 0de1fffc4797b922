"""Arrays of numpy: plain, masked, strided, structured."""

from __future__ import annotations

import numpy as np

from .kind import Kind, Masked, Wanted, table_of, unique

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ..table import Table

    Array = np.ndarray[Any, Any]


class Arrays(Kind):
    """numpy.ndarray: one column, in C order; with fields: one column for each field."""

    def take(self, data: Array, wanted: Wanted) -> Table:
        """Shares the array's memory where it is contiguous and its type is one of ours."""
        if data.dtype.names:
            names = wanted.chosen(unique(data.dtype.names))
            columns = [column_of(data[name].reshape(-1), name) for name in names]
            return table_of(names, columns)
        name = wanted.single()
        return table_of([name], [column_of(data.reshape(-1), name)])

    def give(self, table: Table, data: Array, wanted: Wanted, keeps_rows: bool) -> Any:
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


def column_of(array: Array, name: str) -> Any:
    """What `Table.from_columns` takes of a one-dimensional array."""
    if isinstance(array, np.ma.MaskedArray):
        if array.mask is np.ma.nomask:
            return column_of(array.data, name)
        return Masked(column_of(array.data, name), np.ma.getmaskarray(array))
    return array.astype(np.float32) if array.dtype == np.float16 else array
