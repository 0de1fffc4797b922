"""Plain Python data: dicts of columns, lists of rows, lists of values, lists and iterators of tables."""

from __future__ import annotations

import os
from itertools import chain

from ..base.input_spec import InputSpec
from ..errors import KindError
from ..reading import Files
from ..table import Table
from . import adapter_of
from .adapter import Adapter, ColumnInput, no_column, refuse, table_of, unique

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


_SCALARS = (str, bytes, int, float, bool, type(None))


class Columns(Adapter):
    """dict: names and columns, each an array, a series, a buffer or a list."""

    def take(self, data: dict[Any, Any], spec: InputSpec) -> Table:
        """Shares the memory of arrays; lists are copied."""
        for name in data:
            if not isinstance(name, str):
                raise refuse(str(name), f"its name is of type {type(name).__name__}, expected text")
        names = spec.chosen(list(data))
        return table_of(names, [column_of(data[name], name) for name in names])

    def give(self, table: Table, data: dict[Any, Any], spec: InputSpec, keeps_rows: bool) -> Any:
        """A dict of columns, of the kind of the input's first one."""
        first: Any = next(iter(data.values()), [])
        if isinstance(first, (list, tuple, range)):
            return table.to_pydict()
        adapter = adapter_of(first)
        return {name: adapter.give_column(table, name, first, keeps_rows) for name in table.column_names}


class Lists(Adapter):
    """list, tuple or range: of values, of dicts (rows), of paths, or of tables of any kind."""

    by_content = True

    def of(self, data: Any) -> Adapter:
        """By the first item; of paths by all."""
        first = data[0] if len(data) else None
        if isinstance(first, dict) and all(_is_scalar(value) for value in first.values()):
            return _RECORDS
        if _is_scalar(first):
            return _VALUES
        return _PATHS if all(hasattr(item, "__fspath__") for item in data) else _BATCHES


class Values(Adapter):
    """A list of values: one column."""

    def take(self, data: Any, spec: InputSpec) -> Table:
        """Copies."""
        if not data and spec.whole == "lines":  # no values have no type
            return table_of(["line"], [ColumnInput([""], "i")]).slice(0, 0)
        return table_of([spec.single()], [ColumnInput(list(data), "i")])

    def give(self, table: Table, data: Any, spec: InputSpec, keeps_rows: bool) -> Any:
        """One column: a list of values. Several: a dict of lists."""
        return table.columns[0].to_pylist() if table.num_columns == 1 else table.to_pydict()


class Records(Adapter):
    """A list of dicts, one for each row; missing keys are null."""

    def take(self, data: Any, spec: InputSpec) -> Table:
        """Copies, column by column."""
        if set(map(type, data)) != {dict}:
            _refuse_rows(data)
        names = spec.chosen(unique(list(dict.fromkeys(chain.from_iterable(data)))))
        return table_of(names, [ColumnInput([row.get(name) for row in data], "i") for name in names])

    def give(self, table: Table, data: Any, spec: InputSpec, keeps_rows: bool) -> Any:
        """A list of dicts."""
        return table.to_pylist()


class Batches(Adapter):
    """A list or an iterator of tables of any kind; each is processed separately."""

    in_parts = True

    def joined(self, data: Any) -> tuple[Adapter, Any]:
        """An iterator of paths as a list of them: they are known before they are read."""
        if not hasattr(data, "__next__"):
            return self, data
        first = next(data, None)
        if hasattr(first, "__fspath__"):
            paths = [first, *data]
            return _LISTS.of(paths), paths
        return self, data if first is None else chain([first], data)

    def take(self, data: Any, spec: InputSpec) -> Table:
        """Concatenates them to one table."""
        tables = [adapter_of(batch).take(batch, spec) for batch in data]
        if not tables:
            raise KindError("there are no batches: the columns cannot be known", id="no-batches")
        return Table.concat(tables)

    def give(self, table: Table, data: Any, spec: InputSpec, keeps_rows: bool) -> Any:
        """The result unchanged: the tables have been concatenated."""
        return table


class PathLists(Batches):
    """A list of paths (of pathlib: texts are values)."""

    def files(self, data: Any) -> Files:
        """The files."""
        return Files([os.fsdecode(item) for item in data])


_LISTS, _RECORDS, _VALUES, _PATHS, _BATCHES = Lists(), Records(), Values(), PathLists(), Batches()


def _refuse_rows(data: Any) -> None:
    for place, row in enumerate(data, 1):
        if not isinstance(row, dict):
            what = f"a value of type {type(row).__qualname__} among rows that are dicts"
            raise KindError(what, id="mixed-types", row=place)


def column_of(values: Any, name: str) -> Any:
    """What `table_of` takes of one column."""
    if isinstance(values, (list, tuple, range)):
        return ColumnInput(list(values), "i")
    try:
        adapter = adapter_of(values)
    except KindError:
        raise no_column(values, name) from None
    return adapter.column(values, name)


def _is_scalar(value: object) -> bool:
    return isinstance(value, _SCALARS) or not (hasattr(value, "__len__") or hasattr(value, "__fspath__"))
