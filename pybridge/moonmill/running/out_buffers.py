"""Buffers of the caller that results are written to: `out=`."""

from __future__ import annotations

from ..errors import UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from .. import _core


def outs_of(out: Any, plan: _core.Plan) -> list[object | None] | None:
    """`out` as one buffer or None for each column of the result."""
    if out is None:
        return None
    names = plan.column_names
    if isinstance(out, dict):
        unknown = [name for name in out if name not in names]
        if unknown:
            raise UsageError(
                f'the result has no column "{unknown[0]}"',
                id="unknown-column",
                hint="its columns: " + ", ".join(names),
            )
        return [_memory_of(out.get(name)) for name in names]
    outs = list(out) if isinstance(out, (list, tuple)) else [out]
    if len(outs) != len(names):
        raise UsageError(
            f"out has {_count(outs, 'buffer')} for a result of {_count(names, 'column')}",
            id="bad-out",
            hint="give a dict of buffers by name: " + ", ".join(names),
        )
    return [_memory_of(item) for item in outs]


def _memory_of(out: Any) -> Any:
    """A buffer that the extension can write to: that of shared memory; masked values are refused."""
    name = type(out).__name__
    if name == "SharedMemory":
        return out.buf
    if name == "MaskedArray" and out.mask.any():
        raise UsageError(
            "out has masked values, and results would stay behind the mask",
            id="bad-out",
            hint="give array.data, or a new array",
        )
    return out


def _count(things: list[Any], noun: str) -> str:
    return f"{len(things)} {noun}{'' if len(things) == 1 else 's'}"
