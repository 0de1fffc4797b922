"""Files as data: opened for a run, which reads them as it goes on."""

from __future__ import annotations

from . import _core
from .errors import UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from .script import Script
    from .table import Table


class Files:
    """Files that are read one after the other as one table, as often as they are given to a pipeline.

    Attributes
    ----------
    paths : tuple of str
        Where they are.
    """

    __slots__ = ("paths",)

    def __init__(self, paths: Sequence[str]) -> None:
        self.paths = tuple(paths)

    def open(self) -> _core.Input:
        """The files, open; types of columns are inferred from their first rows."""
        return _core.open_input(self.paths)

    def __repr__(self) -> str:
        return f"<moonmill.Files: {', '.join(self.paths)}>"


def plan_over(script: Script, source: _core.Input, params: tuple[tuple[str, str], ...]) -> _core.Plan:
    """The plan of a pipeline for files: their columns have the types that the script declares, else those of
    a sample."""
    declared = script.facts.get("input") or {}
    if declared.get("whole"):
        raise UsageError(
            f"{script.source.name} reads {declared['whole']}, and the file is a table of columns",
            id="wrong-input",
        )
    fields = {field["name"]: field for field in declared.get("fields", [])}
    names = source.column_names
    types = list(source.types)
    nullables = list(source.nullables)
    for place, name in enumerate(names):
        if name in fields:
            types[place], nullables[place] = fields[name]["type"], fields[name]["nullable"]
    return script.plan_of(names, types, nullables, params)


def read(files: Files) -> Table:
    """All rows of files, in memory."""
    from .pipeline import pipeline

    return pipeline("mm.pipeline {}").run(files)


__all__ = ["Files", "plan_over", "read"]
