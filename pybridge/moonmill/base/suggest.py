"""Suggestions for unknown names: did you mean ...?"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

_NAMES_SHOWN = 12


def nearest(name: object, known: Iterable[str]) -> str | None:
    """The known name closest to an unknown one, if any is close."""
    from difflib import get_close_matches

    if not isinstance(name, str):
        return None
    folded = {other.casefold(): other for other in reversed([*known])}
    near = get_close_matches(name.casefold(), folded, 1)
    return folded[near[0]] if near else None


def missing(what: str, name: object, known: Iterable[str]) -> str:
    """The message for an unknown name; `what`: column, function."""
    known = [*known]
    text = f"there is no {what} {_quoted(name)}"
    near = nearest(name, known)
    if near is not None:
        return f"{text}; did you mean {_quoted(near)}?"
    if not known:
        return f"{text}; there is none at all"
    shown = ", ".join(known[:_NAMES_SHOWN]) + (", ..." if len(known) > _NAMES_SHOWN else "")
    return f"{text}; there {'is' if len(known) == 1 else 'are'} {shown}"


def _quoted(name: object) -> str:
    return f'"{name}"' if isinstance(name, str) else repr(name)
