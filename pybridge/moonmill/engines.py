"""Engines that hold a table in parts: Spark, Ray Data, Dask. None of them is imported here.

They call a pipeline with one part after the other, in many processes. That suits a pipeline that looks at
each row by itself; of others, `Pipeline.partial` does, and `Pipeline.merge` goes over what it gave.
"""

from __future__ import annotations

import sys

from .errors import KindError, UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from .kinds.kind import Wanted
    from .pipeline import Pipeline
    from .schema import Schema

_OWN = __name__.partition(".")[0]
# Modules that call the functions of a map over parts; functions of groups are called by others.
_MAPS = {"pyspark.": "Spark", "ray.data._internal.": "Ray Data", "dask.dataframe.": "Dask"}
# What to do with a frame of theirs, by package.
_USES = {
    "pyspark": "frame.mapInArrow(pipeline, pipeline.output_schema(frame).to_ddl()), or toPandas() first",
    "ray": 'dataset.map_batches(pipeline, batch_format="pyarrow"), or to_pandas() first',
    "dask": "frame.map_partitions(pipeline), or compute() first",
}


def caller() -> str | None:
    """The engine that is calling this package with part of a table; None: somebody else is."""
    if sys.modules.keys().isdisjoint(_USES):
        return None
    frame = sys._getframe(1)
    while frame.f_back is not None and frame.f_globals.get("__name__", "").partition(".")[0] == _OWN:
        frame = frame.f_back
    module = frame.f_globals.get("__name__", "") + "."
    return next((engine for prefix, engine in _MAPS.items() if module.startswith(prefix)), None)


def refuse_parts(pipeline: Pipeline, pieces: bool) -> None:
    """Raise if a pipeline that looks beyond a row is called with parts: by an engine, or with pieces."""
    engine = caller()
    if not pieces and engine in (None, "Spark"):  # what Spark hands over as one table is a whole group
        return
    facts = pipeline._loaded().facts
    what = f"the pipeline needs all rows ({', '.join(facts['stages'])})"
    halves = facts["reach"] == "mergeable"
    raise UsageError(
        f"{engine or 'an iterator'} hands over parts of a table, and {what}"
        + (": use partial() and merge()" if halves else ""),
        id="needs-all-rows",
        file=pipeline.name,
        hint="map partial() over the parts, join what it gives, and run merge() over that"
        if halves
        else "join the parts, and run it over them as one table",
    )


def columns_of(data: Any, wanted: Wanted) -> Any:
    """For a frame of an engine its columns, as a Schema or a table without rows; else the data as it is."""
    module = type(data).__module__ + "."
    if module.startswith("pyspark.sql."):
        return _spark_columns(data, wanted)
    if module.startswith("dask.dataframe."):
        return data._meta
    if not module.startswith("ray.data."):
        return data
    import pyarrow as pa

    schema = data.schema()
    return pa.schema(list(zip(schema.names, schema.types))).empty_table()


def use_of(data: Any) -> str | None:
    """How a frame of an engine, which cannot be taken here, is run; None for other data."""
    return _USES.get(type(data).__module__.partition(".")[0])


def _spark_columns(frame: Any, wanted: Wanted) -> Schema:
    from .schema import Schema, of_spark

    zone = frame.sparkSession.conf.get("spark.sql.session.timeZone")
    names, types, nullables = [], [], []
    for field in frame.schema.fields:
        kind = of_spark(field.dataType.simpleString(), zone)
        if kind is None:
            if wanted.names is not None and field.name not in wanted.names:
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
