"""Runs that show their progress."""

from __future__ import annotations

from .. import _core
from ..progress import Display

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ..job import Job
    from ..progress import Shown
    from ..table import Table


def run_with_progress(plan: _core.Plan, read: Table | _core.Input, progress: Shown, **options: Any) -> Table:
    """As `_core.run`, with progress as requested: in rows, or in bytes for files."""
    rows = len(read) if isinstance(read, _core.Table) else None
    display = Display(progress, rows, "B" if rows is None else "rows")
    started: list[Job] = []

    def watch(job: Job) -> None:
        if not started:
            started.append(job._start(read))
        display.show(job.progress)

    done = None
    try:
        result: Table = _core.run(plan, read, watch=watch, **options)  # type: ignore[assignment, arg-type]
        done = rows if rows is not None or not started else started[0].progress.bytes_total
        return result
    finally:
        display.finish(done)
