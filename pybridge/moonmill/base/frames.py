"""Calls of Lua as traceback entries, so that tracebacks continue into the script."""

from __future__ import annotations

from .printable import printable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from types import TracebackType
    from typing import Any

sources: dict[str, str] = {}
"""Texts of scripts that are not files, by the name that messages give them: tracebacks show their lines."""


def decode(text: str) -> list[dict[str, Any]]:
    """Calls of Lua out of the text of an error of the core: lines of file, line and function between tabs."""
    frames: list[dict[str, Any]] = []
    for entry in text.split("\n")[:-1]:
        file, line, function = entry.split("\t", 2)
        frames.append({"file": file, "function": function, "line": int(line)})
    return frames


def entries_of(frames: Sequence[Mapping[str, Any]]) -> TracebackType | None:
    """Traceback entries for calls of Lua, which are dicts of `file`, `line` and `function`, innermost first.

    Calls without a line, which are those of C, are left out.
    """
    entries: TracebackType | None = None
    for frame in frames:
        line = int(frame.get("line") or 0)
        if line > 0:
            file, function = (printable(str(frame.get(key) or "?")) for key in ("file", "function"))
            entries = _entry(file, line, function, entries)
    return entries


def _entry(file: str, line: int, function: str, inner: TracebackType | None) -> TracebackType | None:
    """The entry for a line of Lua: the frame of a code object with that location, which raises."""
    import ast
    from contextlib import suppress
    from types import TracebackType

    place = {"lineno": line, "col_offset": -1, "end_lineno": line, "end_col_offset": -1}
    body = ast.Raise(exc=ast.Name("mark", ast.Load(), **place), cause=None, **place)
    code = compile(ast.Module([body], type_ignores=[]), file, "exec").replace(co_name=function)
    if hasattr(code, "co_qualname"):
        code = code.replace(co_qualname=function)
    text = sources.get(file)
    if text is not None:
        _show_lines(file, text)
    mark = RuntimeError()
    with suppress(RuntimeError):
        exec(code, {"mark": mark, "__name__": "lua"})
    outer = mark.__traceback__
    made = outer.tb_next if outer else None
    mark.__traceback__ = None  # the two would keep each other
    return TracebackType(inner, made.tb_frame, made.tb_lasti, made.tb_lineno) if made else inner


def _show_lines(name: str, text: str) -> None:
    """Let tracebacks print the lines of a script that is not a file."""
    import linecache

    linecache.cache[name] = (len(text), None, text.splitlines(keepends=True), name)
