"""Values of parameters, as the texts that the command would be given.

A command cannot tell the text "null" from null. So None is a text of its own, a NUL, and a text that begins
with a NUL has another one in front.
"""

from __future__ import annotations

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
    """What a text stands for, for people; None: null."""
    return None if text == _NULL else text.removeprefix(_NULL)


def text_of(value: Any, name: str) -> str:
    """A value as text; TypeError names the parameter."""
    if value is None:
        return _NULL
    if hasattr(value, "item") and getattr(value, "ndim", None) == 0:
        value = str(value) if value.dtype.kind == "M" else value.item()
    if isinstance(value, str):
        return _NULL + value if value.startswith(_NULL) else value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, float)):
        return repr(value)
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
