"""Deadlines: the time limit of a whole call, for script, plan, opening files and job together."""

from __future__ import annotations

from .. import _core

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


class Deadline:
    """While entered, work of this thread is stopped after so many seconds."""

    __slots__ = ("_before", "_timeout")

    def __init__(self, timeout: float) -> None:
        self._timeout = timeout

    def __enter__(self) -> None:
        self._before = _core.set_deadline(self._timeout)

    def __exit__(self, *_: Any) -> None:
        _core.restore_deadline(self._before)


class _NoDeadline:
    __slots__ = ()

    def __enter__(self) -> None: ...

    def __exit__(self, *_: Any) -> None: ...


_no_deadline = _NoDeadline()


def within(timeout: float | None) -> Deadline | _NoDeadline:
    """A context manager for the body of a call."""
    return _no_deadline if timeout is None else Deadline(timeout)
