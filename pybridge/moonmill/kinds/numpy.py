"""Arrays of numpy: plain, masked, strided, structured."""

from __future__ import annotations

import numpy as np

from .kind import Kind, Masked, Wanted, refuse, table_of, unique

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
    kind = array.dtype.kind
    if kind in "iufbmM":
        if kind == "f" and array.dtype.itemsize not in (4, 8):
            if array.dtype.itemsize == 2:
                return array.astype(np.float32)
            raise refuse(name, f"dtype {array.dtype} has no type here", "convert it: array.astype('f8')")
        return array if array.dtype.isnative else array.astype(array.dtype.newbyteorder("="))
    if kind in "UTS":
        return array.tolist()
    if kind == "O":
        return texts_of(array.tolist(), name)
    raise refuse(name, f"dtype {array.dtype} has no type here")


def texts_of(values: list[Any], name: str) -> list[Any]:
    """The values of an object column, if all are text or missing."""
    for row, value in enumerate(values):
        if value is not None and not isinstance(value, str):
            if value != value:  # NaN and NaT, which is what pandas puts for missing text
                values[row] = None
                continue
            raise refuse(
                name,
                f"row {row + 1} of the object column is {type(value).__name__} {value!r:.40}, expected text",
                "object columns are taken when they hold text; give the column a dtype",
            )
    return values
