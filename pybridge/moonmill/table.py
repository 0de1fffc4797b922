"""Tables: the input and the result of a run, and their conversion to other libraries."""

from __future__ import annotations

from . import _core
from .column import Column
from .errors import UsageError
from .schema import Schema

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, overload

    import numpy as np
    import pandas as pd
    import polars as pl
    import pyarrow as pa


class Stats:
    """What it cost to make a table.

    Attributes
    ----------
    copied_bytes : int
        Bytes of values that were copied on the way in and on the way out.
    shared_bytes : int
        Bytes of the result that are shared with the input.
    rows, columns, nbytes : int
        Size of the table.
    seconds : float
        Duration of the run; 0 if nothing was run, as for a table that no run has made.
    threads : int
        Threads that the run used; 0 if nothing was run.
    stage_rows : list of (int, int)
        Rows into and out of each stage of the run.
    """

    def __init__(self, fields: dict[str, Any]) -> None:
        self.copied_bytes: int = 0
        self.shared_bytes: int = 0
        self.rows: int = 0
        self.columns: int = 0
        self.nbytes: int = 0
        self.seconds: float = 0.0
        self.threads: int = 0
        self.stage_rows: list[tuple[int, int]] = []
        self.__dict__.update(fields)

    def __repr__(self) -> str:
        return f"Stats({', '.join(f'{name}={value!r}' for name, value in self.__dict__.items())})"


class Table(_core.Table):
    """Named columns of equal length: the input and the result of a run.

    Implements Arrow's PyCapsule interface: ``pyarrow.table(t)``, ``polars.DataFrame(t)`` and DuckDB's ``from
    t`` read it without copying. ``t["name"]`` and ``t[0]`` are columns, ``t[["a", "b"]]`` is a table of
    some columns, ``t[10:20]`` one of some rows; all of them share its memory. ``==`` compares names, types
    and values: null equals null, and NaN equals NaN.
    """

    if TYPE_CHECKING:

        @overload
        def __getitem__(self, key: str | int, /) -> Column: ...
        @overload
        def __getitem__(self, key: slice | list[str], /) -> Table: ...
        def __getitem__(self, key: Any, /) -> Any: ...

    @property
    def stats(self) -> Stats:  # type: ignore[override]
        """What it cost to make this table: bytes copied and shared, and the counters of the engine."""
        return Stats(_core.Table.stats(self))

    @property
    def columns(self) -> list[Column]:
        """All columns, in order."""
        return [self[i] for i in range(self.num_columns)]

    @property
    def schema(self) -> Schema:
        """Names and types of the columns."""
        return Schema(self.column_names, self.types, self.nullables)

    @property
    def shape(self) -> tuple[int, int]:
        """(rows, columns)"""
        return self.num_rows, self.num_columns

    def __contains__(self, name: object) -> bool:
        return name in self.column_names

    def head(self, rows: int = 5, /) -> Table:
        """The first rows."""
        return self.slice(0, rows)

    def tail(self, rows: int = 5, /) -> Table:
        """The last rows."""
        return self.slice(max(len(self) - rows, 0), rows)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray[Any, Any]:
        import numpy as np

        if copy is False:
            raise ValueError("columns do not lie in one array: it cannot be made without a copy")
        if not self.num_columns:
            return np.empty(self.shape, dtype)
        return np.stack([np.asarray(column, dtype) for column in self.columns], axis=1)

    def to_numpy(self) -> dict[str, np.ndarray[Any, Any]]:
        """Arrays of shape (rows,) by name; see `Column.to_numpy`."""
        return {column.name: column.to_numpy() for column in self.columns}

    def to_pydict(self) -> dict[str, list[Any]]:
        """Lists of Python values by name; null is None."""
        return {column.name: column.to_pylist() for column in self.columns}

    def to_pylist(self) -> list[dict[str, Any]]:
        """One dict for each row."""
        names = self.column_names
        rows = zip(*(column.to_pylist() for column in self.columns))
        return [dict(zip(names, row)) for row in rows]

    def to_pyarrow(self) -> pa.Table:
        """A pyarrow Table that shares this table's memory."""
        import pyarrow as pa

        return pa.table(self)

    def to_polars(self) -> pl.DataFrame:
        """A polars DataFrame; numbers share this table's memory, text is copied by polars."""
        import polars as pl

        return pl.DataFrame(self)

    def to_pandas(self, *, index: Any = None) -> pd.DataFrame:
        """A pandas DataFrame with numpy-backed columns.

        Null is NaN in floats, NaT in times, ``pd.NA`` in nullable integers and bools ("Int64",
        "boolean").
        """
        from .to_pandas import frame_of

        return frame_of(self, {}, index)

    def __copy__(self) -> Table:
        return self[:]

    def __deepcopy__(self, memo: dict[int, Any], /) -> Table:
        try:
            return self.copy()
        except UsageError:  # values of foreign types are copied by pickling
            import pickle

            copied: Table = pickle.loads(pickle.dumps(self))
            return copied

    def __reduce__(self) -> tuple[Any, ...]:
        try:
            arrow = self.to_pyarrow()
        except ImportError:
            raise TypeError("a moonmill.Table is pickled through pyarrow, which is not installed") from None
        return Table.from_arrow, (arrow,)

    def __repr__(self) -> str:
        from .base.display import text_of

        return text_of(self)

    def _repr_html_(self) -> str:
        from .base.display import html_of

        return html_of(self)
