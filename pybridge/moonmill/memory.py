"""The memory that the core holds in this process: in use, peak, limit, and kept for reuse."""

from __future__ import annotations

from operator import index

from . import _core
from .module import forget as forget_modules
from .script import forget as forget_scripts


class Memory:
    """The memory of Moonmill's core in this process: ``moonmill.memory``.

    It counts what results, runs, plans, the store and scripts hold, but not the memory of inputs, which
    belongs to their owners. Freed memory is kept for the next run, because faulting in fresh pages costs more
    than most of the work done on them: `kept` bytes, at most about a sixteenth of the machine's memory, or of
    the limit if that is less. `trim` returns it to the system.

    >>> import moonmill as mm
    >>> mm.memory.limit = 4 << 30
    >>> mm.memory.limit
    4294967296
    >>> mm.memory.limit = None
    """

    __slots__ = ()

    @property
    def used(self) -> int:
        """Bytes held now."""
        return _core.memory_used()

    @property
    def peak(self) -> int:
        """The largest number of bytes held at one time."""
        return _core.memory_peak()

    @property
    def kept(self) -> int:
        """Free bytes that are kept for reuse."""
        return _core.memory_kept()

    @property
    def limit(self) -> int | None:
        """The most bytes that may be held; None, the default: no limit.

        A run that needs more raises `MemoryLimitError` and frees all it has allocated; other runs continue.
        The limit applies to this process, all its threads, and children that it forks from now on.
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
        """Release what is kept for reuse: free memory, plans of earlier runs, garbage of Lua."""
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
