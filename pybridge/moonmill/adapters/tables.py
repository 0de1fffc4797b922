"""Tables of this package, and whatever else exports Arrow data."""

from __future__ import annotations

from ..base.input_spec import InputSpec
from ..table import Table
from .adapter import Adapter, ColumnInput, table_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


class Tables(Adapter):
    """moonmill.Table"""

    def take(self, data: Table, spec: InputSpec) -> Table:
        """The table itself."""
        return data

    def give(self, table: Table, data: Table, spec: InputSpec, keeps_rows: bool) -> Table:
        """The result itself."""
        return table


class Columns(Tables):
    """moonmill.Column"""

    def take(self, data: Any, spec: InputSpec) -> Table:
        """The column, by its own name unless the pipeline declares one."""
        return table_of([spec.single(data.name)], [ColumnInput(data, "c")])

    def give(self, table: Table, data: Any, spec: InputSpec, keeps_rows: bool) -> Any:
        """One column: a Column. Several: a Table."""
        return table.columns[0] if table.num_columns == 1 else table


class Exporters(Tables):
    """Objects with Arrow's PyCapsule interface; results are tables of this package."""

    def take(self, data: Any, spec: InputSpec) -> Table:
        """Shares the memory of the exporter."""
        table: Table = Table.from_arrow(data)
        return table
