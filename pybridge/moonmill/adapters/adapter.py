"""What kinds of data have in common: becoming a Table, and being made of a result."""

from __future__ import annotations

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


class Wanted:
    """What a pipeline says about its input.

    Attributes
    ----------
    names : tuple of str or None
        The columns that it declares, when no others pass; None: it sees all.
    whole : str or None
        The type that it declares for a bare typed buffer.
    """

    __slots__ = ("names", "whole")

    def __init__(self, names: Sequence[str] | None = None, whole: str | None = None) -> None:
        self.names = tuple(names) if names is not None else None
        self.whole = whole

    def chosen(self, available: Sequence[str]) -> list[str]:
        """The columns to take of those at hand; all when one is missing, so that the planner can tell."""
        if self.names is None or not set(self.names) <= set(available):
            return list(available)
        names = set(self.names)
        return [name for name in available if name in names]

    def single(self, own: object = None) -> str:
        """The name for data that is one column: the one declared, else its own, else "value"."""
        if self.whole is None and self.names is not None and len(self.names) == 1:
            return self.names[0]
        return own if self.whole is None and isinstance(own, str) and own else "value"


class Kind:
    """One kind of data."""

    def pieces(self, data: Any) -> bool:
        """The data is several tables, to be answered one by one."""
        return False

    def files(self, data: Any) -> Files | None:
        """The files that the data is, if it is files: they are read as a run goes on."""
        return None

    def take(self, data: Any, wanted: Wanted) -> Table:
        """The data as a Table, without copying where that is possible."""
        raise NotImplementedError

    def column(self, data: Any, name: str) -> Any:
        """What `table_of` takes of data that is to be one column of many."""
        if self.pieces(data) or self.files(data) is not None:
            raise no_column(data, name)
        table = self.take(data, Wanted((name,)))
        if table.num_columns != 1:
            raise refuse(name, f"{type(data).__name__} has {table.num_columns} columns, expected one")
        return Made(table.columns[0], copied=table.copied_bytes) if table.copied_bytes else table.columns[0]

    def give_column(self, table: Table, name: str, data: Any, keeps_rows: bool) -> Any:
        """One column of a result as data of this kind; `data` was a column of the input."""
        only: Table = table.select([name])
        return self.give(only, data, Wanted(whole="any"), keeps_rows)

    def give(self, table: Table, data: Any, wanted: Wanted, keeps_rows: bool) -> Any:
        """A result as data of this kind; `data` was the input, `keeps_rows`: the result has the same rows."""
        raise NotImplementedError


class Made:
    """A column of which more is to be told than its values.

    Attributes
    ----------
    values
        What `Table.from_columns` takes.
    mask : array of bool or None
        What is missing.
    copied : int
        Bytes that were copied to make the values.
    """

    __slots__ = ("copied", "mask", "values")

    def __init__(self, values: Any, mask: Any = None, copied: int = 0) -> None:
        self.values = values
        self.mask = mask
        self.copied = copied


def table_of(names: Sequence[str], columns: Sequence[Any], nan_is_null: bool = False) -> Table:
    """A Table of columns, some of which are `Made`."""
    if Made not in map(type, columns):
        return Table.from_columns(names, columns, nan_is_null=nan_is_null)
    made = [column if isinstance(column, Made) else Made(column) for column in columns]
    return Table.from_columns(
        names,
        [column.values for column in made],
        nan_is_null=nan_is_null,
        missing=[column.mask for column in made],
        copied=sum(column.copied for column in made),
    )


def unique(names: Sequence[str]) -> list[str]:
    """The names of columns, if each occurs once."""
    if len(set(names)) != len(names):
        twice = next(name for name in names if list(names).count(name) > 1)
        raise KindError(f'two columns are named "{twice}"', id="duplicate-column", field=twice)
    return list(names)


def refuse(name: str, what: str, hint: str | None = None) -> KindError:
    """The error for a column that cannot be taken."""
    return KindError(f'column "{name}": {what}', id="wrong-type", field=name, hint=hint)


def no_column(data: Any, name: str) -> KindError:
    """The error for what is no column."""
    return refuse(
        name,
        f"a value of type {type(data).__qualname__} is not a column",
        "a column is an array, a series, a buffer or a list; of rows give a list: [{...}, {...}]",
    )
