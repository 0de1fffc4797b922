"""Text of others as it may be shown: nothing in it reaches a terminal but characters."""

from __future__ import annotations

MOST = 400
"""Bytes of the longest message, and of the longest hint."""

PATH = 4096
"""Bytes of the longest path, as Linux has it, and so of the longest place."""

_NAMED = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}
_CONTROLS = frozenset(
    [*range(0x20), *range(0x7F, 0xA0), 0x61C, 0x200E, 0x200F, *range(0x2028, 0x202F), *range(0x2066, 0x206A)]
)


def escaped(text: str) -> str:
    """Text without control characters, marks of direction, and halves of surrogate pairs."""
    if text.isprintable():
        return text
    return "".join(map(_character, text))


def message(text: str) -> str:
    """A message or a hint as it is shown. What is cut away is not looked at."""
    return _cut(text, MOST)


def path(text: str) -> str:
    """The name of a file as it is shown. What is cut away is not looked at."""
    return _cut(text, PATH)


def _cut(text: str, most: int) -> str:
    shown = escaped(text[: most + 1])
    coded = shown.encode()
    if len(coded) <= most:
        return shown
    return coded[: most - 3].decode(errors="ignore") + "..."


def _character(character: str) -> str:
    number = ord(character)
    if number not in _CONTROLS and not 0xD800 <= number < 0xE000:
        return character
    if 0xDC80 <= number < 0xDD00:  # a byte of a path that is not UTF-8
        return f"\\x{number - 0xDC00:02x}"
    return _NAMED.get(character) or (f"\\x{number:02x}" if number < 0x80 else f"\\u{number:04x}")
