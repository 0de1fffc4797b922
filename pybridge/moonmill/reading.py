"""Files as data: opened by a run, and read while it proceeds."""

from __future__ import annotations

import os

from . import _core
from .base.threads import threads_of
from .errors import FileError, UsageError
from .script import Source, ask, loaded

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from typing import Any, NoReturn

    from .script import Script
    from .table import Table

    Path = str | bytes | os.PathLike[str] | os.PathLike[bytes]


MANIFEST = ".moonmill-manifest"
"""The file that `Pipeline.run_files` keeps beside its outputs. No pattern matches it."""

_EVERYTHING = Source("<everything>", "mm.pipeline {}")


class Files:
    """Files that a pipeline reads one after another as one table.

    Made by `files`; each run opens them anew.

    Attributes
    ----------
    paths : tuple of str
        Their paths.
    options : dict
        Options for reading them.
    """

    __slots__ = ("_data", "_settings", "options", "paths")

    def __init__(
        self,
        paths: Sequence[str],
        options: Mapping[str, Any] | None = None,
        script: Script | None = None,
        data: Any = None,
    ) -> None:
        """`script`: its parameters are suggested in errors; `data`: a buffer to read, named by the path."""
        self.paths = tuple(map(path_text, paths))
        self._data = data
        self.options = {name: value for name, value in (options or {}).items() if value is not None}
        self._settings = _settings_of(self.options, script) if self.options else []

    def open(
        self, script: Script, timeout: float | None = None, paths: Sequence[str] | None = None
    ) -> _core.Input:
        """Open the files, or some of them; types of columns are inferred from their first rows."""
        kind = "lines" if script.input_spec.whole == "lines" else None
        buffers = None if self._data is None else [self._data]
        patience = timeout if isinstance(timeout, (int, float)) and timeout > 0 else 0.0
        try:
            return _core.open_input(
                paths or self.paths, format=kind, options=self._settings, patience=patience, buffers=buffers
            )
        except FileError as error:
            if error.id == "not-found" and error.file and not set("*?[").isdisjoint(error.file):
                error.hint = f"moonmill.files({error.file!r}) takes patterns"
            raise

    def read(self) -> Table:
        """All rows, in memory."""
        script = loaded(_EVERYTHING)
        opened = self.open(script)
        plan = script.plan(opened.column_names, opened.types, opened.nullables, ())
        return _core.run(plan, opened, threads=threads_of(None))  # type: ignore[return-value]

    def told(self, params: Mapping[str, Any], script: Script) -> tuple[Files, Mapping[str, Any]]:
        """The same files with those keywords as options that are not parameters; and the parameters."""
        options = {name: params[name] for name in params if name not in script.params}
        if not options:
            return self, params
        rest = {name: value for name, value in params.items() if name not in options}
        return Files(self.paths, {**self.options, **options}, script, self._data), rest

    def __reduce__(self) -> tuple[Any, ...]:
        return Files, (self.paths, self.options, None, self._data)

    def __repr__(self) -> str:
        options = "".join(f", {name}={value!r}" for name, value in self.options.items())
        return f"<moonmill.Files: {', '.join(self.paths)}{options}>"


def files(
    paths: Path | Iterable[Path],
    /,
    *,
    delimiter: str | None = None,
    quote: str | None = None,
    null: str | Sequence[str] | None = None,
    header: bool | None = None,
    ragged: bool | None = None,
    **unknown: NoReturn,
) -> Files:
    """CSV and TSV files, compressed or not, as one table: data for pipelines, which read them as they run.

    Parameters
    ----------
    paths : path or iterable of paths
        Files or patterns such as ``"in/*.csv.zst"``; "-" is stdin.
    delimiter : str, optional
        Field separator: a character, or "tab". Default: detected in the file.
    quote : str, optional
        Quote character, or "none". Default: a double quote.
    null : str or list of str, optional
        Texts that mean null in addition to the empty field.
    header : bool
        The first line holds the column names (default); False: they are c1, c2, ...
    ragged : bool
        Short rows are padded with nulls and long ones truncated; otherwise they are errors.

    Raises
    ------
    UsageError
        No file matches a pattern, or an option has a wrong value.

    Examples
    --------
    >>> import moonmill as mm
    >>> flights = mm.files("pipelines/data/*.csv.zst", null=["NA", "-"])
    >>> mm.pipeline(':group({}, "n = count()")').run(flights).to_pydict()
    {'n': [27004]}
    """
    options = {"delimiter": delimiter, "quote": quote, "null": null, "header": header, "ragged": ragged}
    return Files(expanded(paths), {**options, **unknown})


def path_text(path: Path) -> str:
    """A path as text; UsageError if no file can have that name."""
    text = os.fsdecode(path)
    try:
        problem = "a null byte" if b"\0" in os.fsencode(text) else ""
    except UnicodeEncodeError:
        problem = "a lone surrogate, which no file name can have"
    if problem:
        raise UsageError(f"the path {text!a} contains {problem}", id="bad-path")
    return text


def expanded(paths: Path | Iterable[Path]) -> list[str]:
    """Paths as texts, with patterns expanded to the files that they match."""
    import glob

    if isinstance(paths, (str, bytes, os.PathLike)):
        given: list[Path] = [paths]
    elif isinstance(paths, dict) or not hasattr(paths, "__iter__"):
        raise TypeError(f"expected a path or several paths, not {type(paths).__name__}")
    else:
        given = list(paths)
    found: list[str] = []
    for item in map(path_text, given):
        if os.path.exists(item) or not glob.has_magic(item):
            found.append(item)
            continue
        matches = sorted(glob.glob(item, recursive=True))
        matches = [path for path in matches if os.path.basename(path) != MANIFEST]
        if not matches:
            raise UsageError(f"no file matches {item}", id="no-input")
        found += matches
    if not found:
        raise UsageError("there are no paths", id="no-input", hint="give at least one")
    return found


def _settings_of(options: Mapping[str, Any], script: Script | None) -> list[tuple[str, str]]:
    """Options as `_core.open_input` takes them; the session checks them."""
    session, handle = (_core.Session(), "") if script is None else (script.session, str(script.handle))
    pairs = [part for name, value in options.items() for text in _texts(name, value) for part in (name, text)]
    return [(name, text) for name, text in ask(session, "reading", handle, *pairs)]


def _texts(name: str, value: Any) -> Iterator[str]:
    if isinstance(value, bool):
        yield "true" if value else "false"
    elif isinstance(value, str):
        yield value
    elif isinstance(value, (list, tuple)) and all(isinstance(item, str) for item in value):
        yield from value
    elif name not in (files.__kwdefaults__ or ()):
        yield str(value)  # the session knows no such option
    else:
        raise TypeError(f"{name} is {type(value).__name__}, expected a text, a list of texts, or a bool")


__all__ = ["Files", "expanded", "files"]
