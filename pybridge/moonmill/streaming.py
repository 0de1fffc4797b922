"""Results piece by piece: some pieces are worked on while the one before is being used."""

from __future__ import annotations

from collections import deque
from itertools import chain

from .kinds import kind_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import Any

    from .job import Job
    from .pipeline import Pipeline
    from .table import Table


def stream(
    pipeline: Pipeline, data: Any, rows: int, ahead: int, threads: int | None, params: dict[str, Any]
) -> Iterator[Table]:
    """Results for the pieces of data, in order; see `Pipeline.stream`."""
    if rows < 1 or ahead < 0:
        raise ValueError(f"stream(rows={rows}, ahead={ahead}): rows starts at 1, ahead at 0")
    kind = kind_of(data)
    if not kind.pieces(data):
        table = kind.take(data, pipeline._loaded().wanted)
        if pipeline._plan(table, params).breaks:
            return _cut(pipeline.run(table, threads=threads, **params), rows)
        return _answers(pipeline, _cut(table, rows), ahead, threads, params)
    return _stream_pieces(pipeline, data, rows, ahead, threads, params)


def _stream_pieces(
    pipeline: Pipeline, data: Any, rows: int, ahead: int, threads: int | None, params: dict[str, Any]
) -> Iterator[Table]:
    wanted = pipeline._loaded().wanted
    pieces = (kind_of(piece).take(piece, wanted) for piece in data)
    for first in pieces:
        if pipeline._plan(first, params).breaks:
            yield from _cut(pipeline.run([first, *pieces], threads=threads, **params), rows)
        else:
            yield from _answers(pipeline, chain([first], pieces), ahead, threads, params)


def _answers(
    pipeline: Pipeline, pieces: Iterable[Table], ahead: int, threads: int | None, params: dict[str, Any]
) -> Iterator[Table]:
    jobs: deque[Job] = deque()
    try:
        for piece in pieces:
            jobs.append(pipeline.submit(piece, threads=threads, **params))
            if len(jobs) > ahead:
                yield jobs.popleft().result()
        while jobs:
            yield jobs.popleft().result()
    finally:
        for job in jobs:
            job.cancel()


def _cut(table: Table, rows: int) -> Iterator[Table]:
    for start in range(0, max(len(table), 1), rows):
        yield table.slice(start, min(rows, len(table) - start))  # type: ignore[misc]
