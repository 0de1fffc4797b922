"""Columns and buffers: typed values in Arrow's layout, and how they become arrays of other libraries."""

from __future__ import annotations

from operator import itemgetter

from . import _core
from .errors import UsageError
from .schema import numpy_type

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    import numpy as np
    import pandas as pd
    import polars as pl
    import pyarrow as pa


class Buffer(_core.Buffer):
    """Values of a column as bytes in memory: buffer protocol and DLPack, without copying.

    ``numpy.asarray(buffer)``, ``memoryview(buffer)`` and ``torch.from_dlpack(buffer)`` share its memory,
    which lives as long as any of them. Writable if the memory is not shared otherwise.
    """

    def __repr__(self) -> str:
        access = "read-only" if self.readonly else "writable"
        return f"<moonmill.Buffer: {len(self)} {self.type}, {self.nbytes} bytes, {access}>"


class Column(_core.Column):
    """One column of a table: typed values in Arrow's memory layout, in one or more chunks."""

    def __repr__(self) -> str:
        from .base.display import line_of

        return line_of(self)

    def __iter__(self) -> Iterator[Any]:
        return iter(self.to_pylist())

    def __reduce__(self) -> tuple[Any, ...]:
        return itemgetter(0), (_core.Table.from_columns([self.name], [self]),)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray[Any, Any]:
        array = self.to_numpy()
        shares = self.null_count == 0 and array.dtype != object and array.dtype != bool
        if copy is False and (not shares or (dtype is not None and array.dtype != dtype)):
            raise ValueError(f"column {self.name}: an array of these values cannot be made without a copy")
        if hasattr(array, "mask"):
            return _unmasked(array, dtype, self.name)
        if dtype is not None and array.dtype != dtype:
            return array.astype(dtype)
        return array.copy() if copy and shares else array

    def to_pylist(self) -> list[Any]:
        """bool, int, float, str, bytes, date, datetime (of UTC where the type has a zone), timedelta; None.

        Values of foreign types (lists, structs, decimals, times of day) are converted by pyarrow.
        """
        try:
            return super().to_pylist()
        except UsageError as error:
            if error.id != "opaque-column":
                raise
            try:
                values: list[Any] = self.to_pyarrow().to_pylist()
            except ImportError:
                raise error from None
            return values

    def to_numpy(self) -> np.ndarray[Any, Any]:
        """An array of shape (rows,).

        Numbers and times share the column's memory if it is one chunk without nulls; dates are copied, since
        numpy's days have 64 bits. Null is NaN in floats, NaT in times, None in text (dtype object). Integers
        and bools with nulls become a ``numpy.ma.MaskedArray``, because numpy has no null for them and floats
        would lose digits.
        """
        import numpy as np

        name = numpy_type(self.type)
        if name is None:
            return np.fromiter(self.to_pylist(), dtype=object, count=len(self))
        if name == "M8[D]":
            array = np.asarray(self.data()).view("i4").astype("M8[D]")
        elif name[0] in "Mm":
            array = np.asarray(self.data()).view("i8").view(name)
        else:
            array = np.asarray(self.data())
            array = array if array.dtype == name else array.view(name)
        if self.null_count == 0:
            return array
        valid = np.asarray(self.valid()).view(bool)
        if name[0] in "Mmf":
            array = array.copy() if not array.flags.writeable or not array.flags.owndata else array
            array[~valid] = "NaT" if name[0] in "Mm" else np.nan
            return array
        return np.ma.MaskedArray(array, mask=~valid)

    def to_pyarrow(self) -> pa.ChunkedArray[Any]:
        """A ChunkedArray that shares the column's memory."""
        import pyarrow as pa

        return pa.chunked_array(self)

    def to_polars(self) -> pl.Series:
        """A Series; numbers share the column's memory."""
        import polars as pl

        return pl.Series(self.name, self)

    def to_pandas(self) -> pd.Series[Any]:
        """A Series, as `Table.to_pandas` makes its columns."""
        from .to_pandas import series_of

        return series_of(self)


def _unmasked(array: Any, dtype: Any, name: str) -> np.ndarray[Any, Any]:
    """Masked values as a plain array, if its type can represent null."""
    import numpy as np

    wanted = array.dtype if dtype is None else np.dtype(dtype)
    if wanted.kind not in "fO":
        raise ValueError(
            f"column {name}: an array of {wanted} cannot hold its nulls; "
            "to_numpy() gives a masked array, dtype=float has NaN"
        )
    plain: np.ndarray[Any, Any] = array.data.astype(wanted)
    plain[array.mask] = np.nan if wanted.kind == "f" else None
    return plain
