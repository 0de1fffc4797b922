"""Progress of a job: a snapshot, and ways to show it while a caller waits."""

from __future__ import annotations

import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, Protocol

    class Bar(Protocol):
        """What tqdm's progress bars and compatible ones offer."""

        total: Any

        def update(self, n: Any = ..., /) -> Any:
            """Count n more."""

    Shown = bool | Callable[["Progress"], object] | Bar


class Progress:
    """A snapshot of a job's progress.

    Attributes
    ----------
    state : str
        "running", "done", "failed", "cancelled", or "stuck": still running 2 s after it was told to stop.
    fraction : float or None
        Fraction of the input that has been read, 0 to 1; 1 when done; None while the size of the input is
        unknown.
    rows, rows_total : int, int or None
        Rows of the input read so far, and in total.
    rows_out : int
        Rows that have left the last stage.
    bytes, bytes_total : int, int or None
        Bytes of the input as stored (compressed, where it is).
    seconds : float
        Time since the job was started; its duration once it has ended.
    rate : float
        Average rows read per second.
    eta : float or None
        Estimated seconds left at this rate. None while it cannot be estimated: before the first rows, and
        after all rows have been read but are still being sorted or grouped.
    """

    __slots__ = ("bytes", "bytes_total", "fraction", "rows", "rows_out", "rows_total", "seconds", "state")

    def __init__(
        self, counters: dict[str, int], state: str, seconds: float, rows_total: int | None = None
    ) -> None:
        self.state = state
        self.seconds = seconds
        self.rows = counters.get("rows", 0)
        self.rows_total = rows_total
        self.rows_out = counters.get("rows_out", 0)
        self.bytes = counters.get("bytes", 0)
        total = counters.get("bytes_total", -1)
        self.bytes_total = total if total >= 0 else None
        self.fraction = self._fraction()

    def _fraction(self) -> float | None:
        if self.state == "done":
            return 1.0
        if self.rows_total:
            return min(1.0, self.rows / self.rows_total)
        if self.bytes_total:
            return min(1.0, self.bytes / self.bytes_total)
        return None

    @property
    def rate(self) -> float:
        """Average rows read per second."""
        return self.rows / self.seconds if self.seconds > 0 else 0.0

    @property
    def eta(self) -> float | None:
        """Estimated seconds left at this rate; None while it cannot be estimated."""
        if not self.fraction or (self.fraction == 1 and self.state in ("running", "stuck")):
            return None
        return self.seconds * (1 - self.fraction) / self.fraction

    def __repr__(self) -> str:
        share = "?" if self.fraction is None else f"{self.fraction:.0%}"
        left = f", {self.eta:.1f} s left" if self.eta and self.state == "running" else ""
        return f"<Progress {share}: {self.state}, {self.rows:,} rows in {self.seconds:.1f} s{left}>"


class Display:
    """Shows the progress of one job after another, as `progress=` requests."""

    def __init__(self, shown: Shown, total: int | None = None, unit: str = "rows") -> None:
        self._seen = 0
        self._unit = unit
        self._own = shown is True
        self._bar: Any = None
        self._call: Any = None
        if shown is True:
            self._bar = _tqdm(total, unit)
            self._bar = Line(unit) if self._bar is None else self._bar
        elif hasattr(shown, "update") and hasattr(shown, "total"):
            self._bar = shown
        elif callable(shown):
            self._call = shown
        else:
            raise TypeError(
                f"progress is {shown!r}: expected True, a function of one argument, or a bar with update()"
            )
        if self._bar is not None and total is not None and not self._bar.total:
            self._bar.total = total

    def show(self, now: Progress) -> None:
        """Show a snapshot of the job; called about ten times a second by the waiting thread."""
        if self._call is not None:
            self._call(now)
        elif self._unit != "B":
            self.advance(now.rows)
        else:
            self._bar.total = self._bar.total or now.bytes_total
            self.advance(now.bytes)

    def advance(self, seen: int) -> None:
        """Report how many are done in total."""
        if self._bar is not None and seen > self._seen:
            self._bar.update(seen - self._seen)
            self._seen = seen

    def finish(self, total: int | None = None) -> None:
        """The job has ended; `total`: how many there were, if it succeeded."""
        if total is not None:
            self.advance(total)
        if self._own:
            self._bar.close()


class Line:
    """A progress bar without tqdm: one line on stderr, redrawn at most twice a second."""

    PAUSE = 0.5

    def __init__(self, unit: str = "rows") -> None:
        self.total: int | None = None
        self._unit = unit
        self._done = 0
        self._began = self._drawn = time.monotonic()
        self._width = 0

    def update(self, n: int, /) -> None:
        """Count n more."""
        self._done += n
        if time.monotonic() - self._drawn >= self.PAUSE:
            self._draw("\r")

    def close(self) -> None:
        """Leave the last state on a line of its own, if anything has been shown."""
        if self._width:
            self._draw("\r", "\n")

    def _draw(self, before: str, after: str = "") -> None:
        import contextlib
        import sys

        if sys.stderr is None:
            return
        self._drawn = time.monotonic()
        share = f"{self._done / self.total:4.0%}  " if self.total else ""
        rate = self._done / max(self._drawn - self._began, 1e-9)
        line = f"{share}{self._done:,} {self._unit}  {rate:,.0f} {self._unit}/s"
        with contextlib.suppress(OSError, ValueError):  # stderr may be closed
            sys.stderr.write(before + line.ljust(self._width) + after)
            sys.stderr.flush()
        self._width = len(line)


def _tqdm(total: int | None, unit: str) -> Any:
    try:
        from tqdm.auto import tqdm
    except ImportError:
        return None
    return tqdm(total=total, unit=unit if unit == "B" else f" {unit}", unit_scale=True, delay=0.3)
