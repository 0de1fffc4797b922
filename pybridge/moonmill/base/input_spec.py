"""The input that a pipeline declares."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence


class InputSpec:
    """The input that a pipeline declares.

    Attributes
    ----------
    names : tuple of str or None
        The declared columns, if no others pass through; None: it reads all.
    whole : str or None
        The declared type of a bare buffer, or "lines".
    """

    __slots__ = ("names", "whole")

    def __init__(self, names: Sequence[str] | None = None, whole: str | None = None) -> None:
        self.names = tuple(names) if names is not None else None
        self.whole = whole

    def chosen(self, available: Sequence[str]) -> list[str]:
        """Which of the available columns to take; all if one is missing, so that the planner reports it."""
        if self.names is None or not set(self.names) <= set(available):
            return list(available)
        names = set(self.names)
        return [name for name in available if name in names]

    def single(self, own: object = None) -> str:
        """The name for data that is a single column: the declared one, else its own, else "value"."""
        if self.whole is None and self.names is not None and len(self.names) == 1:
            return self.names[0]
        return own if self.whole is None and isinstance(own, str) and own else "value"
