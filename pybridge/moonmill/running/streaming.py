"""Streams of results: some tables are computed while the previous one is consumed."""

from __future__ import annotations

from collections import deque
from itertools import chain

from .. import _core
from ..base.threads import threads_of
from .prepare import argument_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import Any

    from ..adapters import Adapter
    from ..job import Job
    from ..pipeline import Pipeline
    from ..table import Table


_MOST = 1 << 62
"""More rows than any file has."""


def stream(
    pipeline: Pipeline, data: Any, rows: int, ahead: int, threads: int | None, params: dict[str, Any]
) -> Iterator[Table]:
    """Results for slices of the data, in order; see `Pipeline.stream`."""
    if rows < 1 or ahead < 0:
        raise ValueError(f"stream(rows={rows}, ahead={ahead}): rows starts at 1, ahead at 0")
    script = pipeline._loaded()
    if script.input_spec.whole == "lines":
        from ..adapters.lines import in_pieces  # few scripts read lines

        argument = in_pieces(data, rows)
    else:
        argument = argument_of(script, data)
    if argument[0].in_parts:
        return _stream_parts(pipeline, argument, rows, ahead, threads, params)
    return _whole(pipeline, argument, rows, ahead, threads, params)


def _whole(
    pipeline: Pipeline,
    argument: tuple[Adapter, Any],
    rows: int,
    ahead: int,
    threads: int | None,
    params: dict[str, Any],
) -> Iterator[Table]:
    """Results of one table, or of files."""
    plan, read = pipeline._bound(argument, params)
    if isinstance(read, _core.Input):
        return _taken(plan, read, rows, ahead, threads_of(threads))
    if plan.breaks:
        return _slices(pipeline.run(read, threads=threads, **params), rows)
    return _answers(pipeline, _slices(read, rows), ahead, threads, params)


def _taken(plan: _core.Plan, source: _core.Input, rows: int, ahead: int, threads: int) -> Iterator[Table]:
    """Slices of the result of one run over files."""
    rows = min(rows, _MOST)
    job = _core.submit(plan, source, threads=threads, room=min(rows * max(ahead, 1), _MOST))
    try:
        while (piece := job.take(rows)) is not None:
            yield piece  # type: ignore[misc]
    finally:
        job.cancel()


def _stream_parts(
    pipeline: Pipeline,
    argument: tuple[Adapter, Any],
    rows: int,
    ahead: int,
    threads: int | None,
    params: dict[str, Any],
) -> Iterator[Table]:
    adapter, data = argument
    if pipeline._loaded().facts["reach"] == "rows":
        yield from _answers(pipeline, data, ahead, threads, params)
        return
    first = next(parts := iter(data), None)
    if first is not None:
        whole = adapter, chain([first], parts)
        yield from _whole(pipeline, whole, rows, ahead, threads, params)


def _answers(
    pipeline: Pipeline, pieces: Iterable[Any], ahead: int, threads: int | None, params: dict[str, Any]
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


def _slices(table: Table, rows: int) -> Iterator[Table]:
    for start in range(0, max(len(table), 1), rows):
        yield table.slice(start, min(rows, len(table) - start))
