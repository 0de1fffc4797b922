"""Deadlines: what a call may take in all, for the script, the plan, opening files and the job."""

from __future__ import annotations

from .. import _core

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


class Deadline:
    """While it is entered, what this thread does is stopped when so many seconds have passed."""

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
    """For a `with` around all that a call does."""
    return _no_deadline if timeout is None else Deadline(timeout)
