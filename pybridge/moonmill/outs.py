"""Memory of the caller that results are written to: `out=`."""

from __future__ import annotations

from .errors import UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from . import _core


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
        return [_flat(out.get(name)) for name in names]
    outs = list(out) if isinstance(out, (list, tuple)) else [out]
    if len(outs) != len(names):
        raise UsageError(
            f"out has {_count(outs, 'buffer')} for a result of {_count(names, 'column')}",
            id="wrong-out",
            hint="give a dict of buffers by name: " + ", ".join(names),
        )
    return [_flat(item) for item in outs]


def _flat(out: Any) -> Any:
    """An array of several dimensions as one of one, over the same memory; shared memory as its buffer."""
    if type(out).__name__ == "SharedMemory":
        return out.buf
    if getattr(out, "ndim", 1) == 1 or not hasattr(out, "reshape"):
        return out
    if not out.flags.c_contiguous:
        raise UsageError("out is not contiguous", id="wrong-out", hint="give an array in C order")
    return out.reshape(-1)


def _count(things: list[Any], noun: str) -> str:
    return f"{len(things)} {noun}{'' if len(things) == 1 else 's'}"
