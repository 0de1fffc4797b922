"""Engines that hold a table in parts: Spark, Ray Data, Dask. None of them is imported here.

They call a pipeline with one part after the other, in many processes. That suits a pipeline that looks at
each row by itself; of others, `Pipeline.partial` does, and `Pipeline.merge` goes over what it gave.
"""

from __future__ import annotations

import sys

from .errors import UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .pipeline import Pipeline

_OWN = __name__.partition(".")[0]
_PACKAGES = frozenset(("pyspark", "ray", "dask"))
# Modules that call the functions of a map over parts; functions of groups are called by others.
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
