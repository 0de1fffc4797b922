"""Text from anywhere, as it may stand in a terminal."""

from __future__ import annotations

MOST = 400
"""Characters of the longest message or hint in the text of an exception."""

PLACE = 4096
"""Characters of the longest place: those of a path, as Linux has it."""

_ACTS = "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]"
"""What a terminal acts on: controls but for line ends and tabs, marks of direction, halves of pairs."""


def printable(text: str, most: int | None = None) -> str:
    """A text whose control characters are escaped, cut to at most so many characters."""
    if not text.isprintable():
        import re

        text = re.sub(_ACTS, lambda found: found[0].encode("unicode_escape").decode(), text)
    return text if most is None or len(text) <= most else text[: most - 3] + "..."
