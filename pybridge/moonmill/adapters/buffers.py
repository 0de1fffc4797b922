"""Bare buffers: bytes, bytearray, array.array, mmap, shared memory and similar: the column `value`."""

from __future__ import annotations

import sys

from ..base.input_spec import InputSpec
from .adapter import ITEMS, Adapter, refuse, table_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ..column import Buffer
    from ..table import Table


class Views(Adapter):
    """Whatever has the buffer protocol; results are memoryviews."""

    def bytes_of(self, data: Any) -> Any:
        """The buffer, to be read as text."""
        return data

    def take(self, data: Any, spec: InputSpec) -> Table:
        """Shares the buffer's memory; bytes count as values of the type that the pipeline declares."""
        name = spec.single()
        view = memoryview(data)
        if view.format is not None and view.format.lstrip("@=<") not in set(ITEMS.values()) | set("lLnNcP"):
            raise refuse(name, f'items of format "{view.format}" have no type here')
        return table_of([name], [_typed(view, name, spec.whole)])

    def give(self, table: Table, data: Any, spec: InputSpec, keeps_rows: bool) -> Any:
        """One column of numbers: `made_of` its buffer. Anything else: a dict of lists."""
        if table.num_columns != 1 or table.types[0] not in ITEMS or table.columns[0].null_count:
            return table.to_pydict()
        return self.made_of(table.columns[0].data(), data)  # type: ignore[arg-type]

    def made_of(self, buffer: Buffer, data: Any) -> Any:
        """Data of this kind with the buffer's values."""
        return memoryview(buffer)


class Bytes(Views):
    """bytes and bytearray: results are copied into new ones."""

    def made_of(self, buffer: Buffer, data: Any) -> Any:
        """bytes of bytes, a bytearray of a bytearray."""
        return type(data)(memoryview(buffer))


class TypedArrays(Views):
    """array.array: results are copied into a new one, of the result's type."""

    def made_of(self, buffer: Buffer, data: Any) -> Any:
        """A new array; of the input's type code where that stands for the same values (l for q)."""
        from array import array

        code = ITEMS[buffer.type].replace("?", "B")
        if (code, data.typecode, data.itemsize) in (("q", "l", 8), ("Q", "L", 8)):
            code = data.typecode
        made = array(code)
        made.frombytes(memoryview(buffer).cast("B"))
        return made


class SharedMemories(Views):
    """multiprocessing.shared_memory.SharedMemory: its whole buffer; results are memoryviews."""

    def take(self, data: Any, spec: InputSpec) -> Table:
        """Shares the memory, which cannot be closed before the result is released."""
        return super().take(data.buf, spec)

    def bytes_of(self, data: Any) -> Any:
        """All of its memory."""
        return data.buf


class Tensors(Adapter):
    """Objects with DLPack in main memory: tensors of torch, arrays of jax and others."""

    def take(self, data: Any, spec: InputSpec) -> Table:
        """Shares the tensor's memory where it is contiguous."""
        return table_of([spec.single()], [data])

    def give(self, table: Table, data: Any, spec: InputSpec, keeps_rows: bool) -> Any:
        """One column of numbers: a tensor of the same library, of the input's shape where its rows are kept.
        Anything else: a `Table`.
        """
        library = library_of(type(data))
        if (
            library is None
            or table.num_columns != 1
            or table.types[0] not in ITEMS
            or table.columns[0].null_count
        ):
            return table
        made = library.from_dlpack(table.columns[0].data())
        return made.reshape(data.shape) if keeps_rows and hasattr(data, "shape") else made


def library_of(kind: type) -> Any:
    """The module with `from_dlpack` of the library that a class, or a base of it, belongs to, or None."""
    for base in kind.__mro__:
        root = sys.modules.get(base.__module__.partition(".")[0])
        for module in (root, getattr(root, "dlpack", None)):
            if hasattr(module, "from_dlpack"):
                return module
    return None


def _typed(view: memoryview, name: str, whole: str | None) -> memoryview:
    item = ITEMS.get(whole or "")
    if item is None or view.format not in ("B", "b", "c") or whole in ("u8", "i8") or not view.c_contiguous:
        return view
    flat = view.cast("B")
    size = memoryview(bytes(8)).cast(item).itemsize  # type: ignore[call-overload]
    if len(flat) % size:
        raise refuse(name, f"{len(flat)} bytes are not a whole number of {whole}, which has {size}")
    return flat.cast(item)  # type: ignore[call-overload, no-any-return]
