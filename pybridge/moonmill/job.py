"""Jobs: a run in the background, with progress, cancel, result, callbacks, await and a real Future."""

from __future__ import annotations

import time

from . import _core
from .errors import Error
from .progress import Progress

TYPE_CHECKING = False
if TYPE_CHECKING:
    import asyncio
    import concurrent.futures
    from collections.abc import Callable, Generator
    from types import TracebackType
    from typing import Any

    from .table import Table


class Job(_core.Job):
    """A run that goes on in the background, made by `Pipeline.submit`.

    Its threads never hold the GIL. A job that nobody holds any more is cancelled. As a context manager it is
    cancelled at the end of the block, unless it is done. ``await job`` gives its result; a cancelled await
    cancels the job.
    """

    _began = 0.0
    _rows_total: int | None = None
    _ended: float | None = None

    def _start(self, rows_total: int | None) -> Job:
        self._began = time.monotonic()
        self._rows_total = rows_total
        self._ended = None
        return self

    @property
    def progress(self) -> Progress:
        """How far it is, as a `Progress`."""
        state = self.state
        if state not in ("new", "running") and self._ended is None:
            self._ended = time.monotonic()
        seconds = (self._ended or time.monotonic()) - self._began
        return Progress(self.counters(), state, seconds, self._rows_total)

    def result(self, timeout: float | None = None) -> Table:
        """Wait for the result, at most `timeout` seconds.

        Raises
        ------
        TimeoutError
            It is not done yet. The job goes on.
        JobCancelled, Error
            What made it fail.
        """
        try:
            done = self.wait(timeout)
        except KeyboardInterrupt:
            self.cancel()
            raise
        if not done:
            raise TimeoutError(f"the job is not done after {timeout:g} seconds")
        return self.table()  # type: ignore[return-value]

    def exception(self, timeout: float | None = None) -> Error | None:
        """Wait and give the exception that made it fail; None when it went well."""
        try:
            self.result(timeout)
        except Error as error:
            return error
        return None

    def running(self) -> bool:
        """It has neither ended nor been cancelled."""
        return not self.done()

    def cancelled(self) -> bool:
        """It ended because it was cancelled."""
        return self.state == "cancelled"

    def add_done_callback(self, function: Callable[[Job], object], /) -> None:
        """Call `function(job)` when it has ended, in a thread of its own; at once if it already has."""
        if self.done():
            function(self)
            return
        from .watcher import watch

        watch(self, function)

    def future(self) -> concurrent.futures.Future[Table]:
        """A real ``concurrent.futures.Future`` of the result; cancelling it cancels the job."""
        from .watcher import future_of

        return future_of(self)

    def __await__(self) -> Generator[Any, None, Table]:
        return self._wait_in_loop().__await__()

    async def _wait_in_loop(self) -> Table:
        import asyncio

        if not self.done():
            loop = asyncio.get_running_loop()
            try:
                ended = loop.create_future()
                loop.add_reader(self.fileno(), _settle, ended)
            except NotImplementedError:  # a loop that cannot wait for descriptors
                return await asyncio.wrap_future(self.future())
            try:
                await ended
            except asyncio.CancelledError:
                self.cancel()
                raise
            finally:
                loop.remove_reader(self.fileno())
        return self.result()

    def __enter__(self) -> Job:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, place: TracebackType | None, /
    ) -> None:
        if not self.done():
            self.cancel()
            self.wait(5)

    def __reduce__(self) -> tuple[Any, ...]:
        raise TypeError("a job cannot be pickled: it runs in this process; send its result()")

    def __repr__(self) -> str:
        return f"<moonmill.Job: {self.progress!r}>"


def _settle(ended: asyncio.Future[None]) -> None:
    if not ended.done():
        ended.set_result(None)
