"""Exceptions: one class for each exit code of the command, made from failures reported by the core."""

from __future__ import annotations

from ._core import statuses
from .base.frames import decode, entries_of
from .base.printable import MOST, PLACE, printable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

_exit_codes = statuses()
"""Exit codes of the command, by the kind of failure."""

_FIELDS = (
    "code",
    "id",
    "message",
    "hint",
    "file",
    "line",
    "column",
    "row",
    "field",
    "value",
    "stage",
    "script",
    "frames",
)
"""Fields of an error, as the core names them."""


class Error(Exception):
    """An error, and where it happened.

    Attributes
    ----------
    id : str
        Identifier of the problem in kebab-case, such as ``"unknown-column"``; stable between versions.
    message, hint : str, str or None
        What was expected and what was found; what to do about it.
    file, line, column : str or None, int or None, int or None
        Location: in the script for a mistake in it, in the input for bad data. Lines and columns start at 1.
    script : dict or None
        For bad data: ``file``, ``line``, ``column`` and ``text`` of the operation that failed on it.
    row : int or None
        Row of the input, starting at 1.
    field, value : str or None
        Name of the column and the offending value, as text.
    stage : str, int or None
        The stage that failed.
    frames : list of dict
        Lua's call stack, innermost first: ``file``, ``line``, ``function``. It is also part of the traceback.
    others : tuple of Error
        Further errors that were found.
    """

    exit_code = _exit_codes["bug"]
    default_code = "bug"

    def __init__(self, message: str = "", /, *, others: tuple[Error, ...] = (), **fields: Any) -> None:
        super().__init__(message)
        self.code: str = fields.get("code") or self.default_code
        self.id: str = fields.get("id") or "error"
        self.message: str = message
        self.hint: str | None = fields.get("hint")
        self.file: str | None = fields.get("file")
        self.line: int | None = fields.get("line")
        self.column: int | None = fields.get("column")
        self.row: int | None = fields.get("row")
        self.field: str | None = fields.get("field")
        self.value: str | None = fields.get("value")
        self.stage: str | int | None = fields.get("stage")
        self.script: dict[str, Any] | None = fields.get("script")
        self.frames: list[dict[str, Any]] = fields.get("frames") or []
        self.others = others

    def __str__(self) -> str:
        """The text that the command prints: location, id and message; location in the script; hint."""
        place = printable(_place(self.file, self.line, self.column), PLACE)
        message = f"error[{self.id}]: {printable(self.message, MOST)}"
        lines = [f"{place}: {message}" if place else message]
        if self.row is not None and (self.script is None or not self.line):
            lines[0] += f" (row {self.row})"
        if self.script:
            where = _place(self.script.get("file"), self.script.get("line"), self.script.get("column"))
            text = printable(self.script.get("text") or "", MOST)
            lines.append("  in " + ": ".join(part for part in (printable(where, PLACE), text) if part))
        if self.hint:
            lines.append(f"  hint: {printable(self.hint, MOST)}")
        lines.extend(str(other) for other in self.others)
        return "\n".join(lines)

    def __reduce__(self) -> tuple[Any, ...]:
        added = {name: value for name, value in vars(self).items() if name not in _STATE}
        return _again, (type(self), failure_of(self), self.others), added or None


_STATE = frozenset({*_FIELDS, "others"})


class DataError(Error, ValueError):
    """Bad data: a failed cast, an overflow, a division by zero, a malformed field of a file. Exit code 1."""

    exit_code = _exit_codes["data"]
    default_code = "data"


class UsageError(Error, ValueError):
    """A mistake in a pipeline or in how it is used, found before data is read. Exit code 2."""

    exit_code = _exit_codes["usage"]
    default_code = "usage"


class KindError(UsageError, TypeError):
    """Data of an unsupported kind or type; names the column. Exit code 2."""


class FileError(Error, OSError):
    """A file that cannot be opened, read or written. Exit code 3."""

    exit_code = _exit_codes["io"]
    default_code = "io"

    def __init__(self, message: str = "", /, **fields: Any) -> None:
        super().__init__(message, **fields)
        self.filename = self.file


class LimitError(Error, RuntimeError):
    """A limit set by the caller was reached. Exit code 4."""

    exit_code = _exit_codes["limit"]
    default_code = "limit"


class JobTimeout(LimitError, TimeoutError):
    """A script, opening files or a job exceeded its `timeout`. Exit code 4."""


class ScriptError(Error, RuntimeError):
    """Lua code of a script failed; its call stack is part of the traceback. Exit code 5."""

    exit_code = _exit_codes["script"]
    default_code = "script"


class MemoryLimitError(Error, MemoryError):
    """Out of memory, or the memory limit was reached. Exit code 6."""

    exit_code = _exit_codes["memory"]
    default_code = "memory"


class SandboxError(Error, PermissionError):
    """A script attempted something that it is not allowed to do. Exit code 7."""

    exit_code = 7
    default_code = "sandbox"


class StateError(Error, RuntimeError):
    """An object was used after its end, or a second time. Exit code 8."""

    exit_code = _exit_codes["state"]
    default_code = "state"


class InternalError(Error, SystemError):
    """A bug in Moonmill. Exit code 70."""


class JobCancelled(Error):
    """The job was cancelled. Exit code 130 if by Ctrl-C."""

    exit_code = _exit_codes["cancel"]
    default_code = "cancel"


_classes: dict[str, type[Error]] = {
    cls.default_code: cls
    for cls in (
        DataError,
        UsageError,
        FileError,
        LimitError,
        ScriptError,
        MemoryLimitError,
        SandboxError,
        StateError,
        InternalError,
        JobCancelled,
    )
}


def from_core(failure: str | dict[str, Any]) -> Error:
    """The exception for what the core says: JSON of failures, or the fields of one, with frames as text."""
    if isinstance(failure, str):
        return from_json(failure)
    return from_failures([{**failure, "frames": decode(failure.get("frames", ""))}])


def from_json(text: str) -> Error:
    """The exception for a JSON array of failures from the core."""
    import json

    failures = json.loads(text)
    return from_failures(failures if isinstance(failures, list) else [failures])


def from_failures(failures: Sequence[Mapping[str, Any]]) -> Error:
    """The exception for failures as `--errors json` prints them: the first, with the rest as its `others`."""
    if not failures:
        return InternalError("something failed without saying why", id="bug")
    first, *rest = failures
    return _again(_class_of(first), first, tuple(from_failures([failure]) for failure in rest))


def _again(cls: type[Error], failure: Mapping[str, Any], others: tuple[Error, ...]) -> Error:
    """The exception for a failure. Its traceback has an entry for each call of Lua."""
    fields = {name: value for name, value in failure.items() if name != "message"}
    error = cls(str(failure.get("message", "")), others=others, **fields)
    if error.frames:
        error.__traceback__ = entries_of(error.frames)
    return error


def failure_of(error: Error) -> dict[str, Any]:
    """The fields of an exception that are set, as `from_failures` takes them."""
    return {name: getattr(error, name) for name in _FIELDS if getattr(error, name) not in (None, [])}


_WRONG_DATA = frozenset({"unsupported-type", "mixed-types", "wrong-type", "not-text"})


def _class_of(failure: Mapping[str, Any]) -> type[Error]:
    if failure.get("id") == "timeout":
        return JobTimeout
    if failure.get("id") in _WRONG_DATA:
        return KindError
    return _classes.get(str(failure.get("code")), InternalError)


def _place(file: str | None, line: int | None, column: int | None) -> str:
    parts = [file] if file else []
    if line:
        parts.append(str(line))
        if column:
            parts.append(str(column))
    return ":".join(parts)
