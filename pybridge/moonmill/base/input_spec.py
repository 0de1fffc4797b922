"""What a pipeline says about its input."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence


class InputSpec:
    """What a pipeline says about its input.

    Attributes
    ----------
    names : tuple of str or None
        The columns that it declares, when no others pass; None: it sees all.
    whole : str or None
        The type that it declares for a bare typed buffer.
    """

    __slots__ = ("names", "whole")

    def __init__(self, names: Sequence[str] | None = None, whole: str | None = None) -> None:
        self.names = tuple(names) if names is not None else None
        self.whole = whole

    def chosen(self, available: Sequence[str]) -> list[str]:
        """The columns to take of those at hand; all when one is missing, so that the planner can tell."""
        if self.names is None or not set(self.names) <= set(available):
            return list(available)
        names = set(self.names)
        return [name for name in available if name in names]

    def single(self, own: object = None) -> str:
        """The name for data that is one column: the one declared, else its own, else "value"."""
        if self.whole is None and self.names is not None and len(self.names) == 1:
            return self.names[0]
        return own if self.whole is None and isinstance(own, str) and own else "value"
