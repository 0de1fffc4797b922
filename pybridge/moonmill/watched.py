"""Runs that show how far they are."""

from __future__ import annotations

from . import _core
from .progress import Display

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from .job import Job
    from .progress import Shown
    from .table import Table


def run_watched(plan: _core.Plan, table: Table, progress: Shown, **options: Any) -> Table:
    """As `_core.run`, with progress in the way that was asked for."""
    display = Display(progress, len(table))
    started: list[Job] = []

    def watch(job: Job) -> None:
        if not started:
            started.append(job._start(len(table)))
        display.show(job.progress)

    done = None
    try:
        result: Table = _core.run(plan, table, watch=watch, **options)  # type: ignore[assignment, arg-type]
        done = len(table)
        return result
    finally:
        display.finish(done)
