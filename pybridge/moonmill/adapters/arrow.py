"""Tables, batches, arrays and readers of pyarrow."""

from __future__ import annotations

import pyarrow as pa

from ..base.input_spec import InputSpec
from ..table import Table
from .adapter import Adapter, ColumnInput, table_of, unique

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


class Tables(Adapter):
    """pyarrow.Table"""

    def take(self, data: Any, spec: InputSpec) -> Table:
        """Shares the memory of the columns that the pipeline reads."""
        names = spec.chosen(unique(data.schema.names))
        chosen = data if len(names) == len(data.schema.names) else data.select(names)
        return Table.from_arrow(chosen)

    def give(self, table: Table, data: Any, spec: InputSpec, keeps_rows: bool) -> Any:
        """A pyarrow.Table over the result's memory."""
        return table.to_pyarrow()


class Batches(Tables):
    """pyarrow.RecordBatch"""

    def give(self, table: Table, data: Any, spec: InputSpec, keeps_rows: bool) -> Any:
        """One RecordBatch; chunks are joined."""
        return batch_of(table.to_pyarrow())


class Readers(Tables):
    """pyarrow.RecordBatchReader: one table that comes in pieces."""

    def take(self, data: Any, spec: InputSpec) -> Table:
        """Reads it to its end."""
        return Tables.take(self, data.read_all(), spec)

    def give(self, table: Table, data: Any, spec: InputSpec, keeps_rows: bool) -> Any:
        """A reader over the result."""
        return table.to_pyarrow().to_reader()


class ChunkedArrays(Adapter):
    """pyarrow.ChunkedArray: one column."""

    def take(self, data: Any, spec: InputSpec) -> Table:
        """Shares the memory of the array."""
        return table_of([spec.single()], [ColumnInput(data, "a")])

    def give(self, table: Table, data: Any, spec: InputSpec, keeps_rows: bool) -> Any:
        """One column: a ChunkedArray. Several: a pyarrow.Table."""
        return table.columns[0].to_pyarrow() if table.num_columns == 1 else table.to_pyarrow()


class Arrays(ChunkedArrays):
    """pyarrow.Array: one column."""

    def give(self, table: Table, data: Any, spec: InputSpec, keeps_rows: bool) -> Any:
        """One column: an Array; chunks are joined. Several: a RecordBatch."""
        if table.num_columns != 1:
            return batch_of(table.to_pyarrow())
        chunks = table.columns[0].to_pyarrow()
        return chunks.chunk(0) if chunks.num_chunks == 1 else chunks.combine_chunks()


def batch_of(table: Any) -> Any:
    """A pyarrow.Table as one RecordBatch."""
    batches = table.combine_chunks().to_batches()
    return batches[0] if batches else pa.RecordBatch.from_pylist([], schema=table.schema)
