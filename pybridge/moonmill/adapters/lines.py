"""Text for pipelines that read lines: the bytes of a text, or an iterable of lines."""

from __future__ import annotations

from io import TextIOBase
from itertools import chain, islice

from ..errors import KindError
from ..reading import Files
from . import adapter_of
from .buffers import Views

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from .adapter import Adapter


def lines_of(data: Any) -> tuple[Adapter, Any]:
    """Data for a pipeline of lines, with its adapter: files, or a list of lines without line ends. Data that
    is neither is unchanged.
    """
    if _is_iterator(data):
        first, data = _peek(data)
        if isinstance(first, bytes):
            raise KindError(
                "the lines are bytes, expected texts",
                id="wrong-kind",
                hint="decode them, or give the bytes of the whole text",
            )
        data = without_ends([*data]) if isinstance(first, str) else data
    elif isinstance(data, (list, tuple)):
        data = without_ends(data) if data and isinstance(data[0], str) else data
    else:
        return _lines_of_object(data)
    return adapter_of(data), data


def _lines_of_object(data: Any) -> tuple[Adapter, Any]:
    try:
        adapter = adapter_of(data)
    except KindError:
        if not hasattr(data, "__iter__") or hasattr(data, "read"):
            raise
        return lines_of(iter(data))
    if not isinstance(adapter, Views):
        return adapter, data
    view = memoryview(adapter.bytes_of(data))
    if not view.c_contiguous:
        raise KindError("the bytes of the text do not lie one after the other", id="wrong-kind")
    files = Files([f"<{type(data).__name__}>"], data=view)
    return adapter_of(files), files


def in_pieces(data: Any, rows: int) -> tuple[Adapter, Any]:
    """An iterator of texts as an iterator of lists of them; other data as `lines_of` has it."""
    if not _is_iterator(data):
        return lines_of(data)
    first, data = _peek(data)
    pieces = iter(lambda: without_ends([*islice(data, rows)]), []) if isinstance(first, str) else data
    return adapter_of(pieces), pieces


def without_ends(texts: Any) -> list[Any]:
    """Lines without line feeds, which lines of files end with."""
    return [
        text[:-1].removesuffix("\r") if isinstance(text, str) and text.endswith("\n") else text
        for text in texts
    ]


def _is_iterator(data: Any) -> bool:
    """Iterators, and files opened as text, which iterate over lines."""
    return hasattr(data, "__next__") and (isinstance(data, TextIOBase) or not hasattr(data, "read"))


def _peek(data: Iterator[Any]) -> tuple[Any, Iterator[Any]]:
    for first in data:
        return first, chain([first], data)
    return "", iter(())
