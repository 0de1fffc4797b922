"""Files as data: read for a run, or each answered by a file of its own."""

from __future__ import annotations

import glob
import os
from contextlib import suppress

from . import _core
from .errors import Error, UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any

    from .pipeline import Path, Pipeline
    from .progress import Shown
    from .script import Script
    from .table import Table


class FilesResult:
    """What `Pipeline.run_files` did.

    Attributes
    ----------
    written : dict of str to str
        Outputs by input.
    skipped : list of str
        Inputs whose output was there already.
    errors : dict of str to Error
        What was wrong, by input; there is no output then.
    rows : int
        Rows that were written in all.
    """

    def __init__(self) -> None:
        self.written: dict[str, str] = {}
        self.skipped: list[str] = []
        self.errors: dict[str, Error] = {}
        self.rows = 0

    def check(self) -> FilesResult:
        """Raise the first error, if there is one."""
        for error in self.errors.values():
            raise error
        return self

    def __repr__(self) -> str:
        return (
            f"<FilesResult: {len(self.written)} written ({self.rows:,} rows), "
            f"{len(self.skipped)} skipped, {len(self.errors)} failed>"
        )


def run_paths(
    pipeline: Pipeline,
    paths: Sequence[str],
    params: dict[str, Any],
    threads: int = 0,
    timeout: float | None = None,
    watch: Callable[[dict[str, Any]], object] | None = None,
) -> Table:
    """Run over files, read one after the other as one table, into a Table."""
    source = _core.open_input(paths)
    plan = _plan(pipeline, source, params)
    return _core.run_input(plan, source, None, threads, timeout or 0.0, watch)  # type: ignore[return-value]


def columns_of(script: Script, source: _core.Input) -> tuple[list[str], list[str], list[bool]]:
    """Names, types and nullables of files: those that the script declares, else those of a sample."""
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
    return names, types, nullables


def _plan(pipeline: Pipeline, source: _core.Input, params: dict[str, Any]) -> _core.Plan:
    script = pipeline._loaded()
    return script.plan_of(*columns_of(script, source), pipeline._params(params))


def run_files(
    pipeline: Pipeline,
    inputs: Path | Sequence[Path],
    to: Path,
    threads: int,
    resume: bool,
    progress: Shown,
    params: dict[str, Any],
) -> FilesResult:
    """See `Pipeline.run_files`."""
    pairs = _pairs(_expanded(inputs), os.fspath(to))
    os.makedirs(to, exist_ok=True)
    display = None
    if progress is not False:
        from .progress import Display

        display = Display(progress, len(pairs), "files")
    result = FilesResult()
    try:
        for number, (source, target) in enumerate(pairs):
            _run_file(pipeline, source, target, threads, resume, params, result)
            if display:
                display.advance(number + 1)
    finally:
        if display:
            display.finish()
    return result


def _run_file(
    pipeline: Pipeline,
    source: str,
    target: str,
    threads: int,
    resume: bool,
    params: dict[str, Any],
    result: FilesResult,
) -> None:
    if resume and _is_newer(target, source):
        result.skipped.append(source)
        return
    opened = None
    try:
        opened = _core.open_input([source])
        counters = _core.run_input(_plan(pipeline, opened, params), opened, target, threads)
    except Error as error:
        result.errors[source] = error
        return
    finally:
        del opened  # the traceback of an error that is kept would keep the file open
    result.written[source] = target
    result.rows += counters["rows_out"]


def _expanded(inputs: Path | Sequence[Path]) -> list[str]:
    """Paths, with patterns replaced by the files that they match."""
    given = [inputs] if isinstance(inputs, (str, os.PathLike)) else list(inputs)
    found: list[str] = []
    for item in (os.fspath(path) for path in given):
        if os.path.exists(item) or not glob.has_magic(item):
            found.append(item)
            continue
        matches = sorted(glob.glob(item, recursive=True))
        if not matches:
            raise UsageError(f"no file matches {item}", id="no-input")
        found += matches
    return found


def _pairs(inputs: list[str], folder: str) -> list[tuple[str, str]]:
    """Inputs and their outputs, of which no two may be one file."""
    pairs = [(item, os.path.join(folder, os.path.basename(item))) for item in inputs]
    seen: dict[str, str] = {}
    for source, target in pairs:
        other = seen.setdefault(target, source)
        if other is not source:
            raise UsageError(f"{other} and {source} would both be written to {target}", id="same-output")
        with suppress(OSError):
            if os.path.samefile(source, target):
                raise UsageError(
                    f"{source} would be written over", id="same-output", hint="choose another folder"
                )
    return pairs


def _is_newer(target: str, source: str) -> bool:
    try:
        return os.path.getmtime(target) >= os.path.getmtime(source)
    except OSError:
        return False
