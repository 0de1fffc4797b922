"""The base of adapters: they make a Table from data, and data from a result."""

from __future__ import annotations

from .. import _core
from ..base.input_spec import InputSpec
from ..errors import KindError
from ..table import Table

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from ..reading import Files

ITEMS = {
    "bool": "?",
    "i8": "b",
    "i16": "h",
    "i32": "i",
    "i64": "q",
    "u8": "B",
    "u16": "H",
    "u32": "I",
    "u64": "Q",
    "f32": "f",
    "f64": "d",
}
"""Format of the buffer protocol for each plain type."""


class Adapter:
    """Converts data of one kind to a Table, and a result back to data of that kind.

    Attributes
    ----------
    by_content : bool
        The class of the data does not decide: `of` looks at its content.
    in_parts : bool
        The data is a sequence of tables, to be processed one by one.
    """

    by_content = False
    in_parts = False

    def of(self, data: Any) -> Adapter:
        """The adapter for this data, if its class does not decide."""
        return self

    def joined(self, data: Any) -> tuple[Adapter, Any]:
        """Data in parts as data to be read as one table, with its adapter."""
        return self, data

    def files(self, data: Any) -> Files | None:
        """The files, if the data is files: they are read while the run proceeds."""
        return None

    def take(self, data: Any, spec: InputSpec) -> Table:
        """The data as a Table, without copying if possible."""
        raise NotImplementedError

    def column(self, data: Any, name: str) -> Any:
        """The data as one column of many, as `table_of` takes it."""
        if self.in_parts or self.files(data) is not None:
            raise no_column(data, name)
        table = self.take(data, InputSpec((name,)))
        if table.num_columns != 1:
            raise refuse(name, f"{type(data).__name__} has {table.num_columns} columns, expected one")
        return ColumnInput(table.columns[0], "c", copied=table.copied_bytes)

    def give_column(self, table: Table, name: str, data: Any, keeps_rows: bool) -> Any:
        """One column of a result as data of this kind; `data` was a column of the input."""
        only: Table = table.select([name])
        return self.give(only, data, InputSpec(whole="any"), keeps_rows)

    def give(self, table: Table, data: Any, spec: InputSpec, keeps_rows: bool) -> Any:
        """A result as data of this kind; `data` was the input, `keeps_rows`: the result has the same rows."""
        raise NotImplementedError


class ColumnInput:
    """The values of a column, and what is known about them.

    Attributes
    ----------
    values
        What `Table.from_columns` takes.
    form : str
        What that is, as `_core.table_of` names it: "b" typed memory, "i" a list of Python's values, "a" Arrow
        data, "c" a Column; for text of numpy the kind of its dtype, "O", "S", "T" or "U".
    mask : array of bool or None
        Which values are missing.
    copied : int
        Bytes that were copied to make the values.
    """

    __slots__ = ("copied", "form", "mask", "values")

    def __init__(self, values: Any, form: str = "b", mask: Any = None, copied: int = 0) -> None:
        self.values = values
        self.form = form
        self.mask = mask
        self.copied = copied


def table_of(names: Sequence[str], columns: Sequence[Any], nan_is_null: bool = False) -> Table:
    """A Table of columns: each a `ColumnInput`, or typed memory."""
    if ColumnInput not in map(type, columns):
        return _core.table_of(  # type: ignore[return-value]
            names, columns, "b" * len(columns), nan_is_null
        )
    inputs = [column if isinstance(column, ColumnInput) else ColumnInput(column) for column in columns]
    return _core.table_of(  # type: ignore[return-value]
        names,
        [column.values for column in inputs],
        "".join([column.form for column in inputs]),
        nan_is_null,
        [column.mask for column in inputs],
        sum(column.copied for column in inputs),
    )


def unique(names: Sequence[str]) -> list[str]:
    """The names of columns, if each occurs once."""
    if len(set(names)) != len(names):
        twice = next(name for name in names if list(names).count(name) > 1)
        raise KindError(f'two columns are named "{twice}"', id="duplicate-column", field=twice)
    return list(names)


def refuse(name: str, what: str, hint: str | None = None) -> KindError:
    """The error for an unsupported column."""
    return KindError(f'column "{name}": {what}', id="wrong-type", field=name, hint=hint)


def no_column(data: Any, name: str) -> KindError:
    """The error for a value that is not a column."""
    return refuse(
        name,
        f"a value of type {type(data).__qualname__} is not a column",
        "a column is an array, a series, a buffer or a list; of rows give a list: [{...}, {...}]",
    )
