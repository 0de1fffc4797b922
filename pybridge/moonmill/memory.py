"""The memory that the core holds in this process: how much, at most, and what is kept for later."""

from __future__ import annotations

from operator import index

from . import _core
from .module import forget as forget_modules
from .script import forget as forget_scripts


class Memory:
    """The memory of Moonmill's core in this process: ``moonmill.memory``.

    It counts what results, runs, plans, the store and scripts hold; not the memory of inputs, which belongs
    to whoever made them. Memory that was let go is kept for the next run, because fresh memory
    costs more than most work that is done on it: `kept` bytes, at most about a sixteenth of the machine's
    memory, or of the limit where that is less. `trim` gives it back.

    >>> import moonmill as mm
    >>> mm.memory.limit = 4 << 30
    >>> mm.memory.limit
    4294967296
    >>> mm.memory.limit = None
    """

    __slots__ = ()

    @property
    def used(self) -> int:
        """Bytes that are held now."""
        return _core.memory_used()

    @property
    def peak(self) -> int:
        """The most bytes that have been held at one time."""
        return _core.memory_peak()

    @property
    def kept(self) -> int:
        """Bytes that are free, and kept for later use."""
        return _core.memory_kept()

    @property
    def limit(self) -> int | None:
        """The most bytes that may be held; None, as it is at first: as many as there are.

        What needs more raises `MemoryLimitError` and lets go of all it has made; other runs go on. It holds
        for this process, all its threads, and children that it forks from now on.
        """
        return _core.memory_limited() or None

    @limit.setter
    def limit(self, nbytes: int | None) -> None:
        if nbytes is None:
            _core.memory_limit(0)
            return
        try:
            size = index(nbytes)
        except TypeError:
            raise TypeError(
                f"memory.limit is {nbytes!r}, expected a whole number of bytes, or None for no limit"
            ) from None
        if size < 1:
            raise ValueError(f"memory.limit is {size}, expected 1 or more bytes, or None for no limit")
        _core.memory_limit(min(size, (1 << 63) - 1))

    def trim(self) -> None:
        """Give back what is kept for later: free memory, plans of earlier runs, what Lua has no use for."""
        forget_scripts()
        forget_modules()
        _core.memory_trim()

    def __repr__(self) -> str:
        from .base.display import size_text

        limit = self.limit
        return (
            f"moonmill.memory: {size_text(self.used)} used, {size_text(self.peak)} at most, "
            f"{size_text(self.kept)} kept, {'no limit' if limit is None else 'limit ' + size_text(limit)}"
        )

    def __reduce__(self) -> str:
        return "memory"


memory = Memory()
"""The memory of this process."""
