"""Relations of DuckDB."""

from __future__ import annotations

import duckdb

from ..base.input_spec import InputSpec
from ..table import Table
from .adapter import Adapter, unique

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


class Relations(Adapter):
    """duckdb.DuckDBPyRelation: run when it is taken; results are of the default connection."""

    def take(self, data: Any, spec: InputSpec) -> Table:
        """Lets DuckDB compute only the columns that the pipeline reads."""
        names = spec.chosen(unique(data.columns))
        if len(names) < len(data.columns):
            data = data.project(", ".join('"' + name.replace('"', '""') + '"' for name in names))
        return Table.from_arrow(data)

    def give(self, table: Table, data: Any, spec: InputSpec, keeps_rows: bool) -> Any:
        """A relation over the result's memory."""
        return duckdb.from_arrow(table)
