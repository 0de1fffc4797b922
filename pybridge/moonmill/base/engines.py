"""Engines that partition tables: Spark, Ray Data, Dask. None of them is imported here.

They call a pipeline with one partition after another, in many processes. That suits a pipeline that works row
by row; for others, `Pipeline.partial` runs over the partitions, and `Pipeline.merge` over its results.
"""

from __future__ import annotations

import sys

from ..errors import KindError, UsageError
from ..schema import Schema, of_spark

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import FrameType
    from typing import Any

    from ..pipeline import Pipeline
    from .input_spec import InputSpec

# Modules that call functions with parts of a table.
_MAPS = {"pyspark.": "Spark", "ray.data._internal.": "Ray Data", "dask.dataframe.": "Dask"}
# Those that call them with something else: with whole groups, or to read and make the parts.
_OTHERS = (
    "pandas.core.groupby.",
    "ray.data.grouped_data.",
    "ray.data.datasource.",
    "ray.data._internal.datasource.",
    "ray.data._internal.planner.plan_read_op.",
    "dask.dataframe.groupby.",
    "dask.dataframe.dask_expr._groupby.",
    "dask.dataframe.io.",
    "dask.dataframe.dask_expr.io.",
)
_SPARK_MAPS = (205, 207)  # PythonEvalType of mapInPandas and mapInArrow
# What to do with a frame of theirs, by package.
_USES = {
    "pyspark": "frame.mapInArrow(pipeline, pipeline.output_schema(frame).to_ddl()), or toPandas() first",
    "ray": 'dataset.map_batches(pipeline, batch_format="pyarrow"), or to_pandas() first',
    "dask": "frame.map_partitions(pipeline), or compute() first",
}


def caller() -> str | None:
    """The engine that is calling with a partition, directly or through user functions, or None."""
    if sys.modules.keys().isdisjoint(_USES):
        return None
    for module, _ in _callers():
        if module.startswith(_OTHERS):
            return None
        for prefix, engine in _MAPS.items():
            if module.startswith(prefix):
                return engine
    return None


def _callers() -> Iterator[tuple[str, FrameType]]:
    """Names of modules, each followed by a dot, and frames, from the innermost outwards."""
    frame = sys._getframe(2)
    while True:
        yield frame.f_globals.get("__name__", "") + ".", frame
        if frame.f_back is None:
            return
        frame = frame.f_back


def refuse_parts(pipeline: Pipeline, pieces: bool) -> None:
    """Raise if a pipeline that needs all rows is called with partitions: by an engine, or with pieces."""
    engine = caller()
    if not pieces and (engine is None or (engine == "Spark" and not _spark_maps())):
        return
    facts = pipeline._loaded().facts
    what = f"the pipeline needs all rows ({', '.join(facts['stages'])})"
    halves = facts["reach"] == "mergeable"
    hint = "map partial() over the parts, join what it gives, and run merge() over that"
    raise UsageError(
        f"{engine or 'an iterator'} hands over parts of a table, and {what}"
        + (": use partial() and merge()" if halves else ""),
        id="needs-all-rows",
        file=pipeline.name,
        hint=(hint if halves else "join the parts, and run it over them as one table")
        + ("; run() takes what it is given for all there is" if engine else ""),
    )


def _spark_maps() -> bool:
    """Whether Spark is mapping over partitions; other functions get a whole group as one table."""
    for module, frame in _callers():
        if module == "pyspark.worker." and "eval_type" in frame.f_locals:
            return frame.f_locals["eval_type"] in _SPARK_MAPS
    return False


def columns_of(data: Any, spec: InputSpec) -> Any:
    """For a frame of an engine its columns, as a Schema or an empty table; other data unchanged."""
    module = type(data).__module__ + "."
    if module.startswith("pyspark.sql."):
        return _spark_columns(data, spec)
    if module.startswith("dask.dataframe."):
        return data._meta
    if not module.startswith("ray.data."):
        return data
    import pyarrow as pa

    schema = data.schema()
    return pa.schema(list(zip(schema.names, schema.types))).empty_table()


def use_of(data: Any) -> str | None:
    """How to run over a frame of an engine, which is not accepted here; None for other data."""
    return _USES.get(type(data).__module__.partition(".")[0])


def _spark_columns(frame: Any, spec: InputSpec) -> Schema:
    zone = frame.sparkSession.conf.get("spark.sql.session.timeZone")
    names, types, nullables = [], [], []
    for field in frame.schema.fields:
        kind = of_spark(field.dataType.simpleString(), zone)
        if kind is None:
            if spec.names is not None and field.name not in spec.names:
                continue
            raise KindError(
                f"{field.name}: {field.dataType.simpleString()} of Spark has no type here",
                id="wrong-type",
                field=field.name,
                hint="cast it in Spark, or leave it out",
            )
        names.append(field.name)
        types.append(kind)
        nullables.append(field.nullable)
    return Schema(names, types, nullables)
