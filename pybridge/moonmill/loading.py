"""Pipelines and modules from files and texts, tables from files: `load`, `pipeline`, `module`, `read`."""

from __future__ import annotations

import os

from .base.deadline import within
from .errors import ScriptError, UsageError
from .module import Module
from .pipeline import Pipeline
from .reading import Files, expanded, path_text
from .script import Script, Source, load_file, loaded

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

    from .reading import Path
    from .table import Table


def load(path: Path, /, *, timeout: float | None = None) -> Pipeline | Module:
    """Load the pipeline, or the module of typed functions, that a script file returns, and check it.

    Parameters
    ----------
    path : str or path
        A Lua file. Modules that it requires are searched for in its folder.
    timeout : float, optional
        Seconds after which `JobTimeout` is raised while the script runs.

    Raises
    ------
    FileError, UsageError, ScriptError
        The file cannot be read, or the script has an error.
    """
    text = path_text(path)
    if not text.isascii() and any("\ud800" <= letter <= "\udfff" for letter in text):
        problem = "has half a surrogate pair, which is not valid UTF-8"
        raise UsageError(f"the path of a script {problem}: {text!a}", id="bad-utf8")
    with within(timeout):
        return _made(load_file(text))


def pipeline(
    text: str, /, *, name: str | None = None, timeout: float | None = None, **params: Any
) -> Pipeline:
    """Make a pipeline from a string: a chain of stages (``':where "a > 1" :sort "b"'``), or a whole script.

    Parameters
    ----------
    text : str
        The script; `mm` is defined without `require`.
    name : str, optional
        Its name in messages.
    timeout : float, optional
        Seconds after which `JobTimeout` is raised while the script runs.
    **params
        Values for its parameters.

    Raises
    ------
    UsageError, ScriptError
        The script has an error, or returns something else.
    """
    source = _source_of(text, name, "pipeline")
    try:
        with within(timeout):
            made = _made(loaded(source))
    except ScriptError as error:
        _teach(error, text, "pipeline")
        raise
    if not isinstance(made, Pipeline):
        raise UsageError(
            "the script returned a module, not a pipeline",
            id="no-pipeline",
            file=source.name,
            hint="moonmill.module(text) takes it",
        )
    return made.with_params(params) if params else made


def module(text: str, /, *, name: str | None = None, timeout: float | None = None) -> Module:
    """Make a module of typed functions from a string.

    Parameters
    ----------
    text : str
        ``mm.module { name = mm.fn("a: f64 -> f64", function(a) ... end) }``, or a whole script that returns
        such a module; `mm` is defined without `require`.
    name : str, optional
        Its name in messages and tracebacks.
    timeout : float, optional
        Seconds after which `JobTimeout` is raised while the script runs.

    Raises
    ------
    UsageError, ScriptError
        The script has an error, or returns something else.
    """
    try:
        with within(timeout):
            return Module(_source_of(text, name, "module"))
    except ScriptError as error:
        _teach(error, text, "module")
        raise


def read(paths: Path | Iterable[Path] | Files, /, **options: Any) -> Table:
    """Read all rows of files into memory; options as for `files`.

    Examples
    --------
    >>> import moonmill as mm
    >>> mm.read("pipelines/data/flights.csv.zst").num_rows
    27004
    """
    given = paths if isinstance(paths, Files) else Files(expanded(paths))
    return pipeline("mm.pipeline {}").run(given, **options)


def _made(script: Script) -> Pipeline | Module:
    return Module(script.source) if script.kind == "module" else Pipeline(script.source, (), script)


def _source_of(text: str, name: str | None, kind: str) -> Source:
    from zlib import crc32

    if not isinstance(text, str):
        hint = f"; of a file: load({os.fspath(text)!r})" if hasattr(text, "__fspath__") else ""
        raise TypeError(f"{kind}() takes a text, not {type(text).__name__}{hint}")
    if name is not None and not isinstance(name, str):
        raise TypeError(f"the name of a {kind} is a text, not {type(name).__name__}")
    return Source(name or f"<{kind} {crc32(text.encode(errors='surrogatepass')):08x}>", text)


def _teach(error: ScriptError, text: str, kind: str) -> None:
    if text.endswith(".lua") and "\n" not in text:
        error.hint = f"this is the text of a {kind}; of a file: moonmill.load({text!r})"
