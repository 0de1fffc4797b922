"""One thread that waits for jobs to end, for callbacks and futures. It is started on first use."""

from __future__ import annotations

import concurrent.futures
import logging
import os
import selectors
import threading

from ..errors import JobCancelled

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from ..job import Job
    from ..table import Table

    Callback = Callable[[Job], object]


class CompletionThread:
    """A thread with a selector over the descriptors of jobs; a pipe wakes it when a job is added."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._jobs: dict[int, tuple[Job, list[Callback]]] = {}
        self._selector = selectors.DefaultSelector()
        self._wake_end, self._wake = os.pipe()
        os.set_blocking(self._wake_end, False)
        self._selector.register(self._wake_end, selectors.EVENT_READ)
        threading.Thread(target=self._loop, name="moonmill-completion", daemon=True).start()

    def add(self, job: Job, callback: Callback) -> None:
        """Call `callback(job)` when the job has ended or is stuck."""
        descriptor = job.fileno()
        with self._lock:
            if descriptor in self._jobs:
                self._jobs[descriptor][1].append(callback)
                return
            self._jobs[descriptor] = (job, [callback])
            self._selector.register(descriptor, selectors.EVENT_READ)
        os.write(self._wake, b".")

    def _loop(self) -> None:
        while True:
            for key, _ in self._selector.select():
                if key.fd == self._wake_end:
                    os.read(self._wake_end, 4096)
                    continue
                with self._lock:
                    self._selector.unregister(key.fd)
                    job, callbacks = self._jobs.pop(key.fd)
                for callback in callbacks:
                    call(callback, job)
                del job, callbacks, callback  # hold no references while waiting


_thread: CompletionThread | None = None
_starting = threading.Lock()


def watch(job: Job, callback: Callback) -> None:
    """Call `callback(job)` in the completion thread when the job has ended or is stuck."""
    global _thread
    with _starting:
        if _thread is None:
            _thread = CompletionThread()
        thread = _thread
    thread.add(job, callback)


def call(callback: Callback, job: Job) -> None:
    """Call `callback(job)`; exceptions are logged and otherwise ignored."""
    try:
        callback(job)
    except BaseException:
        logging.getLogger("moonmill").exception("a callback of a job failed")


def _forget() -> None:
    """In a forked child: the thread and the jobs belong to the parent, and the lock may be held there."""
    global _thread, _starting
    _thread = None
    _starting = threading.Lock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget)


def future_of(job: Job) -> concurrent.futures.Future[Table]:
    """A Future of the job."""
    future = JobFuture(job)
    if job.done():
        future.settle(job)
    else:
        watch(job, future.settle)
    return future


class JobFuture(concurrent.futures.Future["Table"]):
    """The future of a job. Unlike other futures it can be cancelled while it runs."""

    def __init__(self, job: Job) -> None:
        super().__init__()
        self._job = job

    def cancel(self) -> bool:
        """Ask the job to stop; the future is cancelled when it has. False when it has ended already."""
        return self.cancelled() or (not self.done() and self._job.cancel())

    def running(self) -> bool:
        """The job has not ended."""
        return not self.done()

    def settle(self, job: Job) -> None:
        """Take over the result or the exception of the job."""
        try:
            table = job.result()
        except JobCancelled:
            super().cancel()
            self.set_running_or_notify_cancel()  # for concurrent.futures.wait()
        except BaseException as error:
            self.set_exception(error)
        else:
            self.set_result(table)
