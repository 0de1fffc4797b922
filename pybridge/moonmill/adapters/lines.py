"""Text for pipelines that read lines: bytes of a text, and texts one after the other."""

from __future__ import annotations

from io import TextIOBase
from itertools import chain, islice

from ..errors import KindError
from ..reading import Files
from . import kind_of
from .buffers import Views

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any


def as_lines(data: Any) -> Any:
    """Data for a pipeline of lines as data of a kind that others know: files, or a list of texts without line
    ends. What is neither text nor lines stays as it is."""
    if _is_iterator(data):
        first, data = _peek(data)
        if isinstance(first, bytes):
            raise KindError(
                "the lines are bytes, expected texts",
                id="wrong-kind",
                hint="decode them, or give the bytes of the whole text",
            )
        return without_ends([*data]) if isinstance(first, str) else data
    if isinstance(data, (list, tuple)):
        return without_ends(data) if data and isinstance(data[0], str) else data
    try:
        kind = kind_of(data)
    except KindError:
        if not hasattr(data, "__iter__") or hasattr(data, "read"):
            raise
        return as_lines(iter(data))
    if isinstance(kind, Views):
        view = memoryview(kind.bytes_of(data))
        if not view.c_contiguous:
            raise KindError("the bytes of the text do not lie one after the other", id="wrong-kind")
        return Files([f"<{type(data).__name__}>"], data=view)
    return data


def in_pieces(data: Any, rows: int) -> Any:
    """An iterator of texts as an iterator of lists of them; other data as `as_lines` has it."""
    if not _is_iterator(data):
        return as_lines(data)
    first, data = _peek(data)
    if not isinstance(first, str):
        return data
    return iter(lambda: without_ends([*islice(data, rows)]), [])


def without_ends(texts: Any) -> list[Any]:
    """Texts as lines, of which those of files end with a line feed."""
    return [
        text[:-1].removesuffix("\r") if isinstance(text, str) and text.endswith("\n") else text
        for text in texts
    ]


def _is_iterator(data: Any) -> bool:
    """Of anything; of the lines of a file where that is open as text."""
    return hasattr(data, "__next__") and (isinstance(data, TextIOBase) or not hasattr(data, "read"))


def _peek(data: Iterator[Any]) -> tuple[Any, Iterator[Any]]:
    for first in data:
        return first, chain([first], data)
    return "", iter(())
