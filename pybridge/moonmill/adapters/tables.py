"""Tables of this package, and whatever else exports Arrow data."""

from __future__ import annotations

from ..table import Table
from .adapter import Kind, Wanted

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


class Tables(Kind):
    """moonmill.Table"""

    def take(self, data: Table, wanted: Wanted) -> Table:
        """The table itself."""
        return data

    def give(self, table: Table, data: Table, wanted: Wanted, keeps_rows: bool) -> Table:
        """The result itself."""
        return table


class Columns(Tables):
    """moonmill.Column"""

    def take(self, data: Any, wanted: Wanted) -> Table:
        """The column, by its own name unless the pipeline declares one."""
        return Table.from_columns([wanted.single(data.name)], [data])

    def give(self, table: Table, data: Any, wanted: Wanted, keeps_rows: bool) -> Any:
        """One column: a Column. Several: a Table."""
        return table.columns[0] if table.num_columns == 1 else table


class Exporters(Tables):
    """Objects with Arrow's PyCapsule interface; results are tables of this package."""

    def take(self, data: Any, wanted: Wanted) -> Table:
        """Shares the memory of the exporter."""
        table: Table = Table.from_arrow(data)
        return table
