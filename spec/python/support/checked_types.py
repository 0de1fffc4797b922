"""A user's program as type checkers see it: `make lint` checks it, strictly; nobody runs it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, assert_type

import moonmill as mm
from moonmill.outputs import FilesResult
from moonmill.schema import Schema


def tables(late: mm.Pipeline) -> mm.Table:
    table = late.run({"delay": [1.0, 70.0]}, timeout=2.5, threads=2, bound=3)
    assert_type(table, mm.Table)
    assert_type(table["delay"], mm.Column)
    assert_type(table[0], mm.Column)
    assert_type(table[1:3], mm.Table)
    assert_type(table[["delay", "n"]], mm.Table)
    assert_type(table.columns, list[mm.Column])
    assert_type(table.schema, Schema)
    assert_type(table["delay"].to_pylist(), list[Any])
    assert_type(table["delay"].combine(), mm.Column)
    assert_type(table.to_pydict(), dict[str, list[Any]])
    assert_type(table == table.copy(), bool)
    assert_type(mm.Table.concat([table.head(), table.tail(1), table.slice(1), table.select(["n"])]), mm.Table)
    return mm.Table.from_columns(["n"], [[1, 2]])


def jobs(late: mm.Pipeline, table: mm.Table) -> Iterator[mm.Table]:
    with late.submit(table, timeout=1) as job:
        assert_type(job, mm.Job)
        assert_type(job.progress, mm.Progress)
        assert_type(job.progress.fraction, float | None)
        assert_type(job.result(timeout=3), mm.Table)
        assert_type(job.future().result(), mm.Table)
        assert_type(job.exception(), mm.Error | None)
    yield from late.stream(iter([table]), rows=10)


async def waiting(late: mm.Pipeline, table: mm.Table) -> None:
    assert_type(await late.submit(table), mm.Table)


def values(path: str) -> None:
    loaded = mm.load(path)
    if isinstance(loaded, mm.Module):
        loaded.add(1, 2)
        loaded["add"](1, 2)
        return
    assert_type(loaded.with_params(bound=3).partial(), mm.Pipeline)
    assert_type(loaded.output_schema({"delay": "f64"})["delay"].nullable, bool)
    assert_type(loaded.run_files(mm.files("*.csv", delimiter=";"), to="out", resume=True), FilesResult)
    mm.store["weights"] = [0.5, 0.25]
    assert_type(mm.store["weights"], mm.Column)
    assert_type(mm.store.put("prices", [1.0], copy=True), int)
    try:
        loaded.check()
    except mm.DataError as error:
        assert_type(error.row, int | None)
