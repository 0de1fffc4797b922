"""Pictures of tables: as text for a prompt, as HTML for a notebook."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .table import Table

ROWS = 10
COLUMNS = 12
WIDTH = 32


def text_of(table: Table) -> str:
    """The first rows under names and types, numbers to the right."""
    names, types, rows = _cells(table)
    lines = [names, types, *rows]
    right = [_is_number(kind) for kind in types]
    widths = [max(len(line[i]) for line in lines) for i in range(len(names))]
    shown = [
        "  ".join(
            cell.rjust(width) if to_right else cell.ljust(width)
            for cell, width, to_right in zip(line, widths, right)
        ).rstrip()
        for line in lines
    ]
    return "\n".join([f"moonmill.Table: {_extent(table)}", *shown, *_more(table)])


def html_of(table: Table) -> str:
    """The same as an HTML table."""
    from html import escape

    names, types, rows = _cells(table)
    right = [' style="text-align: right"' if _is_number(kind) else "" for kind in types]

    def row(tag: str, cells: list[str], light: bool = False) -> str:
        inner = "".join(
            f"<{tag}{style}>{'<small>' if light else ''}{escape(cell)}{'</small>' if light else ''}</{tag}>"
            for cell, style in zip(cells, right)
        )
        return f"<tr>{inner}</tr>"

    head = row("th", names) + row("td", types, light=True)
    body = "".join(row("td", cells) for cells in rows)
    notes = " ".join(["moonmill.Table:", _extent(table), *_more(table)])
    return f"<table><thead>{head}</thead><tbody>{body}</tbody></table><p><small>{escape(notes)}</small></p>"


def _extent(table: Table) -> str:
    rows, columns = table.num_rows, table.num_columns
    return f"{rows:,} row{'' if rows == 1 else 's'}, {columns} column{'' if columns == 1 else 's'}"


def _more(table: Table) -> list[str]:
    parts = []
    if table.num_rows > ROWS:
        parts.append(f"... {table.num_rows - ROWS:,} more rows")
    if table.num_columns > COLUMNS:
        parts.append(
            f"... {table.num_columns - COLUMNS} more columns: {', '.join(table.column_names[COLUMNS:])}"
        )
    return parts


def _is_number(kind: str) -> bool:
    return kind.rstrip("?") in {f"{base}{bits}" for base in "iu" for bits in (8, 16, 32, 64)} | {"f32", "f64"}


def _cells(table: Table) -> tuple[list[str], list[str], list[list[str]]]:
    names = table.column_names[:COLUMNS]
    types = [
        kind + ("?" if nullable else "")
        for kind, nullable in zip(table.types[:COLUMNS], table.nullables[:COLUMNS])
    ]
    head = table.slice(0, min(ROWS, table.num_rows))
    columns = [[_cell(value) for value in head[i].to_pylist()] for i in range(len(names))]
    return names, types, [list(row) for row in zip(*columns)]


def _cell(value: object) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, bytes):
        value = value[:WIDTH].hex(" ")
    text = str(value).replace("\n", "\\n").replace("\t", "\\t")
    return text if len(text) <= WIDTH else text[: WIDTH - 1] + "…"
