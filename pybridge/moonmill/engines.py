"""Engines that hold a table in parts: Spark, Ray Data, Dask. None of them is imported here.

They call a pipeline with one part after the other, in many processes. That suits a pipeline that looks at each row
by itself; of others, `Pipeline.partial` does, and `Pipeline.merge` goes over what it gave.
"""

from __future__ import annotations

import sys

from .errors import UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .pipeline import Pipeline

_OWN = __name__.partition(".")[0]
_PACKAGES = frozenset(("pyspark", "ray", "dask"))
# Modules that call the functions of a map over parts. Functions of groups are called by others, with whole groups.
_MAPS = {"pyspark.": "Spark", "ray.data._internal.": "Ray Data", "dask.dataframe.": "Dask"}


def caller() -> str | None:
    """The engine that is calling this package with part of a table; None: somebody else is."""
    if _PACKAGES.isdisjoint(sys.modules):
        return None
    frame = sys._getframe(1)
    while frame.f_back is not None and frame.f_globals.get("__name__", "").partition(".")[0] == _OWN:
        frame = frame.f_back
    module = frame.f_globals.get("__name__", "") + "."
    return next((engine for prefix, engine in _MAPS.items() if module.startswith(prefix)), None)


def refuse_parts(pipeline: Pipeline, pieces: bool) -> None:
    """Raise when a pipeline that looks beyond a row is called with parts of a table: by an engine, or an iterator."""
    engine = caller()
    if not pieces and (engine is None or engine == "Spark"):  # applyInArrow and its kin hand over whole groups
        return
    facts = pipeline._loaded().facts
    stages = ", ".join(facts["stages"])
    merges = facts["reach"] == "mergeable"
    raise UsageError(
        f"{engine or 'an iterator'} hands over parts of a table, and the pipeline ({stages}) needs all of its rows",
        id="needs-all-rows",
        file=pipeline.name,
        hint="map partial() over the parts, join what it gives, and run merge() over that"
        if merges
        else "join the parts, and run it over them as one table",
    )
