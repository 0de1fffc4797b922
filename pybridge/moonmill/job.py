"""Jobs: runs in the background, with progress, cancellation, result, callbacks, await and a real Future."""

from __future__ import annotations

import os

from . import _core
from .errors import Error, StateError
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
    """A run in the background, started by `Pipeline.submit`.

    Its threads never hold the GIL. A job is cancelled when the last reference to it is dropped; as a context
    manager, at the end of the block, unless it is done. ``await job`` gives its result, in any number of
    tasks and event loops; cancelling the await cancels the job.
    """

    _rows_total: int | None = None

    def _start(self, read: Table | _core.Input) -> Job:
        self._rows_total = len(read) if isinstance(read, _core.Table) else None
        return self

    @property
    def progress(self) -> Progress:
        """How far the job is, as a `Progress`."""
        state = self.state
        return Progress(self.counters(), state, self.seconds, self._rows_total)

    def result(self, timeout: float | None = None) -> Table:
        """Wait for the result, at most `timeout` seconds.

        Raises
        ------
        TimeoutError
            The job is not done yet. It keeps running.
        JobTimeout, JobCancelled
            It was stopped by its time limit or by `cancel`. If it has not stopped 2 s later, because a thread
            is in a call that cannot be interrupted, it is abandoned.
        Error
            The job failed.
        """
        try:
            done = self.wait(timeout)
        except KeyboardInterrupt:
            self.cancel()
            raise
        if not done and self.state != "stuck":
            raise TimeoutError(f"the job is not done after {timeout:g} seconds")
        return self.table()  # type: ignore[return-value]

    def exception(self, timeout: float | None = None) -> Error | None:
        """Wait, and return the exception that it failed with; None if it succeeded."""
        try:
            self.result(timeout)
        except Error as error:
            return error
        return None

    def running(self) -> bool:
        """Whether it has neither ended nor been cancelled."""
        return not self.done()

    def cancelled(self) -> bool:
        """Whether it ended because it was cancelled."""
        return self.state == "cancelled"

    def add_done_callback(self, function: Callable[[Job], object], /) -> None:
        """Call `function(job)` when the job has ended or is stuck: at once if it already has, otherwise in
        the thread that waits for all jobs. Its exceptions are logged, as in ``concurrent.futures``.
        """
        from .running.completion_thread import call, watch

        if self.done():
            call(function, self)
        else:
            watch(self, function)

    def future(self) -> concurrent.futures.Future[Table]:
        """A real ``concurrent.futures.Future`` of the result. Cancelling it cancels the job, even while it
        runs; when the job is cancelled, so is the future.
        """
        from .running.completion_thread import future_of

        return future_of(self)

    def __await__(self) -> Generator[Any, None, Table]:
        return self._wait_in_loop().__await__()

    async def _wait_in_loop(self) -> Table:
        import asyncio

        if not self.done():
            try:
                await self._ended_in(asyncio.get_running_loop())
            except NotImplementedError:  # a loop that cannot wait for descriptors
                return await asyncio.wrap_future(self.future())
            except asyncio.CancelledError:
                self.cancel()
                raise
        return self.result()

    async def _ended_in(self, loop: asyncio.AbstractEventLoop) -> None:
        # A loop has one reader for a descriptor, so that each task that waits needs one of its own.
        descriptor = os.dup(self.fileno())
        try:
            ended = loop.create_future()
            loop.add_reader(descriptor, _settle, ended)
            try:
                await ended
            finally:
                loop.remove_reader(descriptor)
        finally:
            os.close(descriptor)

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
        try:
            return f"<moonmill.Job: {self.progress!r}>"
        except StateError:
            return "<moonmill.Job of the process from which this one was forked>"


def _settle(ended: asyncio.Future[None]) -> None:
    if not ended.done():
        ended.set_result(None)
