"""Frames and series of polars."""

from __future__ import annotations

import polars as pl

from ..base.input_spec import InputSpec
from ..table import Table
from .adapter import Adapter, refuse

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any


class Frames(Adapter):
    """polars.DataFrame"""

    def take(self, data: pl.DataFrame, spec: InputSpec) -> Table:
        """Shares the memory of the columns that the pipeline reads."""
        names = spec.chosen(data.columns)
        return _shared(data if len(names) == data.width else data.select(names))

    def give(self, table: Table, data: Any, spec: InputSpec, keeps_rows: bool) -> Any:
        """A polars.DataFrame; numbers share the result's memory."""
        return _frame_of(table, data.schema)


class LazyFrames(Frames):
    """polars.LazyFrame: collected when it is taken."""

    def take(self, data: Any, spec: InputSpec) -> Table:
        """Collects the columns that the pipeline reads."""
        return _shared(data.select(spec.chosen(data.collect_schema().names())).collect())

    def give(self, table: Table, data: Any, spec: InputSpec, keeps_rows: bool) -> Any:
        """The result as a lazy frame."""
        return _frame_of(table, data.collect_schema()).lazy()


class Rows(Adapter):
    """polars.Series: one column, by its own name unless the pipeline declares one."""

    def take(self, data: pl.Series, spec: InputSpec) -> Table:
        """Shares the memory of the series."""
        return _shared(data.alias(spec.single(data.name)).to_frame())

    def give(self, table: Table, data: pl.Series, spec: InputSpec, keeps_rows: bool) -> Any:
        """One column: a Series. Several: a DataFrame."""
        own = spec.single(data.name)
        frame = _frame_of(table, {own: data.dtype})
        if table.num_columns != 1:
            return frame
        series = frame.to_series()
        return series.alias(data.name) if series.name == own else series


def _frame_of(table: Table, dtypes: Mapping[str, Any]) -> pl.DataFrame:
    """A result as a frame: texts of categories are so again, where the input's dtype has them all."""
    frame = table.to_polars()
    for name, dtype in dtypes.items():
        if isinstance(dtype, (pl.Categorical, pl.Enum)) and frame.schema.get(name) == pl.String:
            again = frame[name].cast(dtype, strict=False)
            if again.null_count() == frame[name].null_count():
                frame = frame.with_columns(again)
    return frame


def _shared(frame: pl.DataFrame) -> Table:
    """The columns of a frame; of Python objects polars hands out addresses, so they are refused."""
    if pl.Object in frame.dtypes:
        name = next(name for name, dtype in frame.schema.items() if dtype == pl.Object)
        raise refuse(name, "values of dtype Object have no type here", "convert it with map_elements()")
    return Table.from_arrow(frame)
