"""Tables and columns for display: as text in a terminal, as HTML in a notebook."""

from __future__ import annotations

from ..errors import DataError, UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from .. import _core
    from ..column import Column
    from ..table import Table

ROWS = 10
COLUMNS = 12
NAMES = 24  # of columns that are not shown
WIDTH = 32


def text_of(table: Table) -> str:
    """The first rows under names and types, numbers aligned right."""
    names, types, rows = _cells(table)
    shown = aligned([names, types, *rows], [_is_number(kind) for kind in types]) if names else []
    return "\n".join([f"moonmill.Table: {_extent(table)}", *shown, *_more(table)])


def html_of(table: Table) -> str:
    """The same as an HTML table."""
    names, types, rows = _cells(table)
    note = " ".join(["moonmill.Table:", _extent(table), *_more(table)])
    return html_table([names, types], rows, [_is_number(kind) for kind in types], note)


def line_of(column: Column) -> str:
    """The first values of a column, behind its name and type."""
    mark = "?" if column.nullable else ""
    shown = ", ".join(map(repr, values_of(column[:ROWS])))
    more = ", ..." if len(column) > ROWS else ""
    return (
        f"<moonmill.Column {cell_text(column.name)}: {column.type}{mark}, {len(column)} rows> [{shown}{more}]"
    )


def aligned(rows: list[list[str]], right: list[bool]) -> list[str]:
    """Lines of cells aligned in columns, some of them to the right."""
    widths = [max(_width(row[i]) for row in rows) for i in range(len(right))]
    return [
        "  ".join(
            (" " * room + cell if to_right else cell + " " * room)
            for cell, room, to_right in zip(row, _rooms(row, widths), right)
        ).rstrip()
        for row in rows
    ]


def _rooms(row: list[str], widths: list[int]) -> list[int]:
    return [width - _width(cell) for cell, width in zip(row, widths)]


def _width(text: str) -> int:
    """Terminal cells that a text takes."""
    if text.isascii():
        return len(text)
    from unicodedata import combining, east_asian_width

    return sum(0 if combining(c) else 2 if east_asian_width(c) in "WF" else 1 for c in text)


def html_table(head: list[list[str]], rows: list[list[str]], right: list[bool], note: str) -> str:
    """A table of cells under names, optionally with a lighter second header row, followed by a note."""
    from html import escape

    styles = [' style="text-align: right"' if to_right else "" for to_right in right]

    def line(tag: str, cells: list[str], light: bool = False) -> str:
        inner = "".join(
            f"<{tag}{style}>{'<small>' if light else ''}{escape(cell)}{'</small>' if light else ''}</{tag}>"
            for cell, style in zip(cells, styles)
        )
        return f"<tr>{inner}</tr>"

    top = "".join([line("th", head[0]), *(line("td", cells, light=True) for cells in head[1:])])
    body = "".join(line("td", cells) for cells in rows)
    return f"<table><thead>{top}</thead><tbody>{body}</tbody></table><p><small>{escape(note)}</small></p>"


def _extent(table: Table) -> str:
    rows, columns = table.num_rows, table.num_columns
    return f"{rows:,} row{'' if rows == 1 else 's'}, {columns} column{'' if columns == 1 else 's'}"


def _more(table: Table) -> list[str]:
    parts = []
    if table.num_rows > ROWS:
        parts.append(f"... {table.num_rows - ROWS:,} more rows")
    if table.num_columns > COLUMNS:
        names = table.column_names[COLUMNS:]
        shown = [cell_text(name) for name in names[:NAMES]] + ["..."] * (len(names) > NAMES)
        parts.append(f"... {len(names):,} more columns: {', '.join(shown)}")
    return parts


def _is_number(kind: str) -> bool:
    return kind.rstrip("?") in {f"{base}{bits}" for base in "iu" for bits in (8, 16, 32, 64)} | {"f32", "f64"}


def _cells(table: Table) -> tuple[list[str], list[str], list[list[str]]]:
    names = [cell_text(name) for name in table.column_names[:COLUMNS]]
    types = [
        kind + ("?" if nullable else "")
        for kind, nullable in zip(table.types[:COLUMNS], table.nullables[:COLUMNS])
    ]
    head = table.slice(0, min(ROWS, table.num_rows))
    columns = [_texts_of(head[i]) for i in range(len(names))]
    return names, types, [list(row) for row in zip(*columns)]


def _texts_of(column: _core.Column) -> list[str]:
    if column.type == "f32":  # as it is, not as the f64 that Python has for it
        return [cell_text(column.text(i)) for i in range(len(column))]
    return [cell_text(value) for value in values_of(column)]


def values_of(column: _core.Column) -> list[Any]:
    """Values to show; those of foreign types need pyarrow."""
    try:
        return column.to_pylist()
    except DataError:  # a time beyond what datetime holds
        return [column.text(i) for i in range(len(column))]
    except UsageError:
        return ["…"] * len(column)


def size_text(nbytes: int) -> str:
    """A human-readable size: "512 B", "7.63 MiB"."""
    size = float(nbytes)
    units = ["B", "KiB", "MiB", "GiB"]
    while size >= 1024 and len(units) > 1:
        size /= 1024
        del units[0]
    return f"{nbytes} B" if units[0] == "B" else f"{size:.3g} {units[0]}"


def cell_text(value: object) -> str:
    """A value on one line, of bounded width."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, bytes):
        value = value[:WIDTH].hex(" ")
    text = str(value)
    text = text if len(text) <= WIDTH else text[: WIDTH - 1] + "…"
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)
