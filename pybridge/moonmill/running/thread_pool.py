"""Threads that work off a list of tasks, for a caller whom Ctrl-C may interrupt at any moment.

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
"""Seconds after which a signal that another thread was given is handled."""


class ThreadPool:
    """Threads for one list of tasks.

    Attributes
    ----------
    stopping : bool
        Nobody waits for the answers any more.
    """

    def __init__(self) -> None:
        self.stopping = False
        self._ready: SimpleQueue[tuple[bool, Any] | None] = SimpleQueue()
        self._started: list[int] = []
        self._ended: list[bool] = []

    def answers(self, work: Callable[[Task], Answer], tasks: Sequence[Task], width: int) -> Iterator[Answer]:
        """What `work` gives for each task, as it comes, from at most `width` threads.

        Raises what `work` raises. The threads are gone when the iterator has come to its end or is closed.
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
            self._ready.put(None)  # so that who waits looks again
