"""Data of plain Python: dicts of columns, lists of rows, lists of values, lists and iterators of tables."""

from __future__ import annotations

import os
from itertools import chain

from ..errors import KindError
from ..table import Table
from . import kind_of
from .adapter import Kind, Wanted, no_column, refuse, table_of, unique

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any

    from ..reading import Files

_SCALARS = (str, bytes, int, float, bool, type(None))


class Columns(Kind):
    """dict: names and columns, each an array, a series, a buffer or a list."""

    def take(self, data: dict[Any, Any], wanted: Wanted) -> Table:
        """Shares the memory of arrays; lists are copied."""
        for name in data:
            if not isinstance(name, str):
                raise refuse(str(name), f"its name is of type {type(name).__name__}, expected text")
        names = wanted.chosen(list(data))
        return table_of(names, [column_of(data[name], name) for name in names])

    def give(self, table: Table, data: dict[Any, Any], wanted: Wanted, keeps_rows: bool) -> Any:
        """A dict of columns, of the kind of the input's first one."""
        first: Any = next(iter(data.values()), [])
        if isinstance(first, (list, tuple, range)):
            return table.to_pydict()
        kind = kind_of(first)
        return {name: kind.give_column(table, name, first, keeps_rows) for name in table.column_names}


class Lists(Kind):
    """list or tuple: of values, of dicts (rows), or of tables of any kind."""

    def take(self, data: Any, wanted: Wanted) -> Table:
        """Copies values and rows; shares the memory of tables."""
        return _list_kind(data).take(data, wanted)

    def give(self, table: Table, data: Any, wanted: Wanted, keeps_rows: bool) -> Any:
        """A list of what the input had."""
        return _list_kind(data).give(table, data, wanted, keeps_rows)

    def files(self, data: Any) -> Files | None:
        """The files of a list of paths (of pathlib: texts are values)."""
        if not data or not all(hasattr(item, "__fspath__") for item in data):
            return None
        from ..reading import Files

        return Files([os.fsdecode(item) for item in data])

    def pieces(self, data: Any) -> bool:
        """A list of tables is answered by a list."""
        return _list_kind(data).pieces(data)


class Values(Kind):
    """A list of values: one column."""

    def take(self, data: Any, wanted: Wanted) -> Table:
        """Copies."""
        if not data and wanted.whole == "lines":  # no values have no type
            return Table.from_columns(["line"], [[""]]).slice(0, 0)
        return Table.from_columns([wanted.single()], [list(data)])

    def give(self, table: Table, data: Any, wanted: Wanted, keeps_rows: bool) -> Any:
        """One column: a list of values. Several: a dict of lists."""
        return table.columns[0].to_pylist() if table.num_columns == 1 else table.to_pydict()


class Records(Kind):
    """A list of dicts, one for each row; what a row does not have is null."""

    def take(self, data: Any, wanted: Wanted) -> Table:
        """Copies, column by column."""
        if set(map(type, data)) != {dict}:
            _refuse_rows(data)
        names = wanted.chosen(unique(list(dict.fromkeys(chain.from_iterable(data)))))
        columns = [[row.get(name) for row in data] for name in names]
        return Table.from_columns(names, columns)

    def give(self, table: Table, data: Any, wanted: Wanted, keeps_rows: bool) -> Any:
        """A list of dicts."""
        return table.to_pylist()


class Iterators(Kind):
    """Tables of any kind, one after the other."""

    def pieces(self, data: Any) -> bool:
        """Each is answered on its own."""
        return True

    def take(self, data: Any, wanted: Wanted) -> Table:
        """All of them as one table."""
        tables = [kind_of(batch).take(batch, wanted) for batch in data]
        if not tables:
            raise KindError("there are no batches: the columns cannot be known", id="no-batches")
        return Table.concat(tables)

    def give(self, table: Table, data: Any, wanted: Wanted, keeps_rows: bool) -> Any:
        """The result as it is: of many tables one has been made."""
        return table


def unrolled(data: Iterator[Any]) -> Any:
    """An iterator of paths as a list of them: they are known before they are read. Others as they are."""
    first = next(data, None)
    if hasattr(first, "__fspath__"):
        return [first, *data]
    return data if first is None else chain([first], data)


def _list_kind(data: Any) -> Kind:
    first = data[0] if len(data) else None
    if isinstance(first, dict) and all(_is_scalar(value) for value in first.values()):
        return Records()
    return Values() if _is_scalar(first) else Iterators()


def _refuse_rows(data: Any) -> None:
    for place, row in enumerate(data, 1):
        if not isinstance(row, dict):
            what = f"a value of type {type(row).__qualname__} among rows that are dicts"
            raise KindError(what, id="mixed-types", row=place)


def answered(answer: Callable[[Any], Any], data: Any) -> Any:
    """The answers for tables that come one after the other: a list for a list, else a generator."""
    if isinstance(data, (list, tuple)):
        return [answer(batch) for batch in data]
    return _answers(answer, data)


def _answers(answer: Callable[[Any], Any], data: Iterator[Any]) -> Iterator[Any]:
    for batch in data:
        yield answer(batch)


def column_of(values: Any, name: str) -> Any:
    """What `table_of` takes of one column."""
    if isinstance(values, (list, tuple, range)):
        return list(values)
    try:
        kind = kind_of(values)
    except KindError:
        raise no_column(values, name) from None
    return kind.column(values, name)


def _is_scalar(value: object) -> bool:
    return isinstance(value, _SCALARS) or not (hasattr(value, "__len__") or hasattr(value, "__fspath__"))
