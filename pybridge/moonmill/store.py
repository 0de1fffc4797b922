"""The store: named columns kept in this process, seen by Python and by the scripts of all jobs."""

from __future__ import annotations

import os

from . import _core
from .adapters import adapter_of
from .base.input_spec import InputSpec
from .base.suggest import missing
from .column import Column
from .errors import KindError
from .table import Table

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, MutableMapping
    from typing import Any
else:
    from _collections_abc import MutableMapping  # is loaded at the start of any Python; its package is not


class Entry:
    """What the store knows about one name.

    Attributes
    ----------
    name, type : str
    nullable : bool
        Whether it has nulls.
    rows, nbytes : int
    users : int
        Number of other holders of the memory now: columns, arrays and tables made from it, running jobs,
        views of scripts. The memory is freed when the name is dropped and the last of them is gone.
    """

    __slots__ = ("name", "nbytes", "nullable", "rows", "type", "users")

    def __init__(self, name: str, type: str, nullable: bool, rows: int, nbytes: int, users: int) -> None:
        self.name = name
        self.type = type
        self.nullable = nullable
        self.rows = rows
        self.nbytes = nbytes
        self.users = users

    def __repr__(self) -> str:
        return (
            f"Entry(name={self.name!r}, type={self.type!r}, nullable={self.nullable}, rows={self.rows}, "
            f"nbytes={self.nbytes}, users={self.users})"
        )


_REQUIRED: Any = object()
"""Marks a default that was not given."""


class Store(MutableMapping[str, Column]):
    """Named columns that stay in this process between runs: ``moonmill.store``.

    A mapping of names to columns. Nothing is copied on the way in or out, so a stored array must not be
    modified while it is in use. To change a value, store another one under its name: that is atomic, and
    holders of the old value keep it. A job sees the store as it was when the job was submitted. Scripts read
    it with ``mm.store.get "name"``. Each process has its own store, which is empty at first; a forked child
    starts with the parent's.

    >>> import moonmill as mm
    >>> mm.store["weights"] = [0.5, 0.25]
    >>> mm.pipeline(':map ("w: f64", function(r) return mm.store.get("weights")[r.k] end)')({"k": [1, 0]})
    {'k': [1, 0], 'w': [0.25, 0.5]}
    >>> mm.store.clear()
    """

    __slots__ = ()

    def __setitem__(self, name: str, value: Any) -> None:
        self.put(name, value)

    def put(self, name: str, value: Any, *, copy: bool = False) -> int:
        """Store a value under a name, replacing any earlier one.

        Parameters
        ----------
        name : str
            Any non-empty text.
        value
            One column of any kind that a pipeline takes: an array, a series, a buffer, a list, a `Column`, a
            `Table` of one column.
        copy : bool
            Store a copy, so that the original may be modified.

        Returns
        -------
        int
            Bytes that were copied: 0 except for lists, text of polars, numpy bools and strided arrays, and
            columns of several chunks, which are concatenated.
        """
        column, copied = _column_of(name, value)
        if copy and not copied:
            table = Table.from_columns([column.name], [column]).copy()
            column, copied = table[0], table.copied_bytes
        return copied + _core.store_put(name, column)

    def __getitem__(self, name: str) -> Column:
        column = _core.store_get(name) if isinstance(name, str) else None
        if column is None:
            raise KeyError(missing("name in the store", name, self))
        return column  # type: ignore[return-value]

    def __delitem__(self, name: str) -> None:
        if not isinstance(name, str) or not _core.store_drop(name):
            raise KeyError(missing("name in the store", name, self))

    def pop(self, name: str, default: Any = _REQUIRED) -> Any:
        """Remove a name and return its column, to exactly one thread; else the default, or a KeyError."""
        column = self.get(name)
        if column is not None and _core.store_drop(name):
            return column
        if default is _REQUIRED:
            raise KeyError(missing("name in the store", name, self))
        return default

    def setdefault(self, name: str, default: Any = None) -> Column:
        """The column of a name; if there is none, `default` is stored first."""
        if name not in self:
            self.put(name, default)
        return self[name]

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and _core.store_get(name) is not None

    def __len__(self) -> int:
        return len(_core.store_list())

    def __iter__(self) -> Iterator[str]:
        return (entry.name for entry in self.entries())

    def clear(self) -> None:
        """Remove all names."""
        _core.store_clear()

    def entries(self) -> list[Entry]:
        """Name, type, size and users of each column, sorted by name."""
        return [Entry(*fields) for fields in _core.store_list()]

    @property
    def nbytes(self) -> int:
        """Bytes of all columns."""
        return _core.store_bytes()

    def __reduce__(self) -> tuple[Any, ...]:
        raise TypeError("the store cannot be pickled: it belongs to its process; send its columns")

    def __repr__(self) -> str:
        from .base.display import aligned

        entries = self.entries()
        head = f"moonmill.store: {_extent(entries)}"
        if not entries:
            return head
        return "\n".join([head, *aligned([_HEAD, *(_cells(entry) for entry in entries)], _RIGHT)])

    def _repr_html_(self) -> str:
        from .base.display import html_table

        entries = self.entries()
        return html_table(
            [_HEAD], [_cells(entry) for entry in entries], _RIGHT, f"moonmill.store: {_extent(entries)}"
        )


_HEAD = ["name", "type", "rows", "size", "users"]
_RIGHT = [False, False, True, True, True]


def _column_of(name: str, value: Any) -> tuple[_core.Column, int]:
    """The value as a column, and the bytes that were copied to make it one."""
    if not isinstance(name, str):
        raise TypeError(f"names in the store are str, not {type(name).__name__}")
    if isinstance(value, _core.Column):
        return value, 0
    if isinstance(value, (str, os.PathLike)):
        raise KindError(
            f'store: "{name}" would be a text or a path, which is no column',
            id="wrong-kind",
            hint="put [text], or what a pipeline reads from the file",
        )
    table = adapter_of(value).take(value, InputSpec(whole="any"))
    if table.num_columns != 1:
        raise KindError(
            f'store: "{name}" would be {table.num_columns} columns, a name stands for one',
            id="wrong-kind",
            hint="put them one by one: for name in table.column_names: mm.store[name] = table[name]",
        )
    return table[0], 0 if table is value else table.copied_bytes


def _extent(entries: list[Entry]) -> str:
    from .base.display import size_text

    count = len(entries)
    return f"{count} column{'' if count == 1 else 's'}, {size_text(sum(entry.nbytes for entry in entries))}"


def _cells(entry: Entry) -> list[str]:
    from .base.display import cell_text, size_text

    kind = entry.type + ("?" if entry.nullable else "")
    return [cell_text(entry.name), kind, f"{entry.rows:,}", size_text(entry.nbytes), str(entry.users)]


store = Store()
"""The store of this process."""
