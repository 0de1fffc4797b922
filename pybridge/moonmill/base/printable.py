"""Untrusted text, made safe for a terminal."""

from __future__ import annotations

MOST = 400
"""Characters of the longest message or hint in the text of an exception."""

PLACE = 4096
"""Characters of the longest location: the limit of Linux for paths."""

_ACTS = "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]"
"""What a terminal interprets: control characters except line ends and tabs, bidi marks, lone surrogates."""


def printable(text: str, most: int | None = None) -> str:
    """A text with control characters escaped, truncated to at most so many characters."""
    if not text.isprintable():
        import re

        text = re.sub(_ACTS, lambda found: found[0].encode("unicode_escape").decode(), text)
    return text if most is None or len(text) <= most else text[: most - 3] + "..."
