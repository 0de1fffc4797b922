"""Preparing a run: its input, and the plan for the columns of the input."""

from __future__ import annotations

import sys

from .. import _core
from ..adapters import adapter_of
from ..base.engines import columns_of
from ..errors import UsageError
from ..schema import Schema
from ..table import Table

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from typing import Any

    from ..adapters import Adapter
    from ..base.params import Texts
    from ..script import Script


def argument_of(script: Script, data: Any) -> tuple[Adapter, Any]:
    """Classify an argument: its adapter, and the data; for scripts of lines, text as files or a list."""
    if script.input_spec.whole != "lines" or type(data) is Table:
        return adapter_of(data), data
    from ..adapters.lines import lines_of  # few scripts read lines

    return lines_of(data)


def input_of(
    script: Script,
    argument: tuple[Adapter, Any],
    params: Mapping[str, Any],
    timeout: float | None = None,
    from_files: bool = True,
) -> tuple[Table | _core.Input, Mapping[str, Any]]:
    """The input of a run: a table, or open files; and those of `params` that are not options for reading
    files.

    `timeout`: seconds that opening files may take; `from_files`: False: files are read into a table first.
    """
    adapter, data = argument
    if type(data) is Table:
        return data, params
    if adapter.in_parts:
        adapter, data = adapter.joined(data)
    files = adapter.files(data) if from_files else None
    if files is None:
        return adapter.take(data, script.input_spec), params
    files, params = files.told(params, script)
    return files.open(script, timeout), params


def answers(answer: Callable[[Any], Any], parts: Any) -> Any:
    """The results for a sequence of tables: a list for a list, otherwise a generator."""
    if isinstance(parts, (list, tuple)):
        return [answer(part) for part in parts]
    return _answers(answer, parts)


def _answers(answer: Callable[[Any], Any], parts: Iterator[Any]) -> Iterator[Any]:
    for part in parts:
        yield answer(part)


def fields_of(script: Script, read: Table | _core.Input) -> tuple[list[str], list[str], list[bool]]:
    """Names, types and nullabilities of what is read. Columns of files have the types that the script
    declares, else those of a sample.
    """
    names, types, nullables = read.column_names, read.types, read.nullables
    declared = script.facts.get("input")
    if declared is None or not isinstance(read, _core.Input):
        return names, types, nullables
    if declared.get("whole") not in (None, "lines"):
        raise UsageError(
            f"{script.source.name} reads {declared['whole']}, and the file is a table of columns",
            id="wrong-input",
        )
    fields = {field["name"]: field for field in declared.get("fields", [])}
    for place, name in enumerate(names):
        if name in fields:
            types[place], nullables[place] = fields[name]["type"], fields[name]["nullable"]
    return names, types, nullables


def plan_over(script: Script, read: Table | _core.Input, params: Texts) -> _core.Plan:
    """The plan for an input."""
    return script.plan(*fields_of(script, read), params)


def schema_of(
    script: Script, data: Any, params: Mapping[str, Any]
) -> tuple[Schema | None, Mapping[str, Any]]:
    """The columns of some data: of a frame of an engine too, and as a schema or a dict of types tells them;
    None where there is none. And those of `params` that are not options of reading files.
    """
    data = _without_rows(columns_of(data, script.input_spec))
    if data is None or isinstance(data, Schema):
        return data, params
    if isinstance(data, dict) and data and all(isinstance(value, str) for value in data.values()):
        return Schema(
            list(data),
            [text.removesuffix("?") for text in data.values()],
            [text.endswith("?") for text in data.values()],
        ), params
    read, params = input_of(script, argument_of(script, data), params)
    return Schema(*fields_of(script, read)), params


def _without_rows(data: Any) -> Any:
    """An empty table for a schema of pyarrow or polars; other data unchanged."""
    library = type(data).__module__.partition(".")[0]
    if type(data).__name__ != "Schema" or library not in ("pyarrow", "polars"):
        return data
    return data.empty_table() if library == "pyarrow" else sys.modules["polars"].DataFrame(schema=data)


__all__ = ["answers", "argument_of", "fields_of", "input_of", "plan_over", "schema_of"]
