"""Frames and series of polars."""

from __future__ import annotations

import polars as pl

from ..table import Table
from .kind import Kind, Wanted, refuse

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


class Frames(Kind):
    """polars.DataFrame"""

    def take(self, data: pl.DataFrame, wanted: Wanted) -> Table:
        """Shares the memory of the columns that are wanted."""
        names = wanted.chosen(data.columns)
        return _shared(data if len(names) == data.width else data.select(names))

    def give(self, table: Table, data: Any, wanted: Wanted, keeps_rows: bool) -> Any:
        """A polars.DataFrame; numbers share the result's memory."""
        return table.to_polars()


class LazyFrames(Frames):
    """polars.LazyFrame: collected when it is taken."""

    def take(self, data: Any, wanted: Wanted) -> Table:
        """Collects the columns that are wanted."""
        return _shared(data.select(wanted.chosen(data.collect_schema().names())).collect())

    def give(self, table: Table, data: Any, wanted: Wanted, keeps_rows: bool) -> Any:
        """The result as a lazy frame."""
        return table.to_polars().lazy()


class Rows(Kind):
    """polars.Series: one column, by its own name unless the pipeline declares one."""

    def take(self, data: pl.Series, wanted: Wanted) -> Table:
        """Shares the memory of the series."""
        return _shared(data.alias(wanted.single(data.name)).to_frame())

    def give(self, table: Table, data: pl.Series, wanted: Wanted, keeps_rows: bool) -> Any:
        """One column: a Series. Several: a DataFrame."""
        if table.num_columns != 1:
            return table.to_polars()
        column = table.columns[0]
        series = column.to_polars()
        return series.alias(data.name) if column.name == wanted.single(data.name) else series


def _shared(frame: pl.DataFrame) -> Table:
    """The columns of a frame; of Python objects polars hands out addresses, so they are refused."""
    if pl.Object in frame.dtypes:
        name = next(name for name, dtype in frame.schema.items() if dtype == pl.Object)
        raise refuse(name, "values of dtype Object have no type here", "convert it with map_elements()")
    return Table.from_arrow(frame)
