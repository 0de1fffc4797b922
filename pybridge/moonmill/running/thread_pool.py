"""A thread pool for a list of tasks, whose caller may be interrupted by Ctrl-C at any moment.

A signal is handled between any two instructions of the main thread, also just after it took a lock that is
written in Python: those of events, futures, executors, and of the start of a `threading.Thread`. Nobody gives
that lock back, and threads that need it hang. So only locks of C are taken here, and what the caller knows
of its threads stands in lists that single calls change.
"""

from __future__ import annotations

from _thread import start_new_thread
from collections import deque
from queue import Empty, SimpleQueue

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from typing import Any, TypeVar

    Task = TypeVar("Task")
    Answer = TypeVar("Answer")

SLICE = 0.05
"""Seconds after which a signal delivered to another thread is handled."""


class ThreadPool:
    """Threads for one list of tasks.

    Attributes
    ----------
    stopping : bool
        The caller has stopped waiting for results.
    """

    def __init__(self) -> None:
        self.stopping = False
        self._ready: SimpleQueue[tuple[bool, Any] | None] = SimpleQueue()
        self._started: list[int] = []
        self._ended: list[bool] = []

    def answers(self, work: Callable[[Task], Answer], tasks: Sequence[Task], width: int) -> Iterator[Answer]:
        """Results of `work` for each task, as they complete, from at most `width` threads.

        Exceptions of `work` are raised. The threads have ended when the iterator is exhausted or closed.
        """
        width = min(width, len(tasks))
        waiting = deque([*tasks, *[None] * width])
        try:
            self._started.extend(map(start_new_thread, [self._work_off] * width, [(work, waiting)] * width))
            for _ in tasks:
                yield self._next()
        finally:
            self.stopping = True
            while len(self._ended) < len(self._started):
                self._look()

    def _next(self) -> Any:
        found = None
        while found is None:
            found = self._look()
        went_well, answer = found
        if went_well:
            return answer
        try:
            raise answer
        finally:
            del found, answer  # which know this frame

    def _look(self) -> tuple[bool, Any] | None:
        try:
            return self._ready.get(timeout=SLICE)
        except Empty:
            return None

    def _work_off(self, work: Callable[[Task], Answer], waiting: deque[Task | None]) -> None:
        try:
            for task in iter(waiting.popleft, None):
                if self.stopping:
                    break
                self._ready.put((True, work(task)))
        except BaseException as error:
            self._ready.put((False, error))
        finally:
            self._ended.append(True)
            self._ready.put(None)  # wake the waiting thread
