"""Values of parameters, as the texts that the command line would pass.

A command cannot tell the text "null" from null. So None is a text of its own, a NUL, and a text that begins
with a NUL has another one in front.
"""

from __future__ import annotations

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from typing import Any

    Texts = tuple[tuple[str, str], ...]

_NULL = "\0"
# Options of `run` and `submit`; parameters cannot be called so.
_OPTIONS = frozenset(("copy", "out", "progress", "timeout"))


def texts(params: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Names and texts of parameters."""
    for name, value in params.items():
        if name in _OPTIONS:
            raise TypeError(f"{name} is an option of run(), not of this: pipeline.run(data, {name}=...)")
        yield name, text_of(value, name)


def shown(text: str) -> str | None:
    """The value of such a text for display; None: null."""
    return None if text == _NULL else text.removeprefix(_NULL)


def text_of(value: Any, name: str) -> str:
    """A value as text; TypeError names the parameter."""
    if hasattr(value, "item") and getattr(value, "ndim", None) == 0:
        value = _plain(value)
    if value is None or type(value).__name__ in ("NAType", "NaTType"):
        return _NULL
    if hasattr(value, "__fspath__"):
        value = os.fsdecode(value)
    if isinstance(value, str):
        return _NULL + value if value.startswith(_NULL) else value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, float)):  # of enums and their like, too
        return repr(int(value) if isinstance(value, int) else float(value))
    if hasattr(value, "as_tuple"):  # decimal.Decimal
        return str(value)
    if hasattr(value, "isoformat"):
        return str(value.isoformat())
    if hasattr(value, "total_seconds"):
        from datetime import timedelta

        seconds, rest = divmod(abs(value) // timedelta(microseconds=1), 1_000_000)
        return f"{'-' if value < timedelta(0) else ''}PT{seconds}.{rest:06}S"
    raise TypeError(
        f"parameter {name!r} is {type(value).__name__}, expected a text, number, bool, date, time or None"
    )


def _plain(value: Any) -> Any:
    """A scalar of numpy as a value of Python: a text of a time, which may have nanoseconds; None for NaT."""
    kind = value.dtype.kind
    if kind not in "Mm":
        return value.item()
    if value != value:
        return None
    return str(value) if kind == "M" else value.astype("m8[us]").item()
