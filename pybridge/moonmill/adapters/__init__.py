"""Adapters between data of other libraries and tables, found by the class of the data.

DESIGN. No library is imported here: an adapter is loaded by name when data of its library is first seen. An
argument is classified once, by `adapter_of`; its adapter accompanies it through the whole run.
"""

from __future__ import annotations

from _collections_abc import Mapping  # is loaded at the start of any Python; its package is not

from ..base.engines import use_of
from ..errors import KindError
from .adapter import Adapter

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

# Package and name of a class -> module here and the class of the adapter.
_PLACES = {
    ("moonmill", "Column"): ("tables", "Columns"),
    ("moonmill", "Table"): ("tables", "Tables"),
    ("moonmill", "Files"): ("files", "Openable"),
    ("numpy", "MaskedArray"): ("numpy", "Arrays"),
    ("numpy", "ndarray"): ("numpy", "Arrays"),
    ("pandas", "DataFrame"): ("pandas", "Frames"),
    ("pandas", "ExtensionArray"): ("pandas", "Arrays"),
    ("pandas", "Index"): ("pandas", "Arrays"),
    ("pandas", "Series"): ("pandas", "Rows"),
    ("polars", "DataFrame"): ("polars", "Frames"),
    ("polars", "LazyFrame"): ("polars", "LazyFrames"),
    ("polars", "Series"): ("polars", "Rows"),
    ("pyarrow", "Table"): ("arrow", "Tables"),
    ("pyarrow", "RecordBatch"): ("arrow", "Batches"),
    ("pyarrow", "RecordBatchReader"): ("arrow", "Readers"),
    ("pyarrow", "ChunkedArray"): ("arrow", "ChunkedArrays"),
    ("pyarrow", "Array"): ("arrow", "Arrays"),
    ("duckdb", "DuckDBPyRelation"): ("duckdb", "Relations"),
    ("_duckdb", "DuckDBPyRelation"): ("duckdb", "Relations"),
    ("builtins", "dict"): ("python", "Columns"),
    ("builtins", "list"): ("python", "Lists"),
    ("builtins", "tuple"): ("python", "Lists"),
    ("builtins", "range"): ("python", "Lists"),
    ("builtins", "str"): ("files", "Paths"),
    ("_io", "BufferedReader"): ("files", "Opened"),
    ("_io", "BufferedRandom"): ("files", "Opened"),
    ("_io", "FileIO"): ("files", "Opened"),
    ("_io", "BytesIO"): ("files", "BytesIO"),
    ("builtins", "bytes"): ("buffers", "Bytes"),
    ("builtins", "bytearray"): ("buffers", "Bytes"),
    ("builtins", "memoryview"): ("buffers", "Views"),
    ("array", "array"): ("buffers", "TypedArrays"),
    ("multiprocessing", "SharedMemory"): ("buffers", "SharedMemories"),
}

_adapters: dict[type, Adapter] = {}


def adapter_of(data: Any) -> Adapter:
    """The adapter for some data.

    Raises
    ------
    KindError
        There is none.
    """
    found = _adapters.get(type(data))
    if found is None:
        found = _adapters[type(data)] = _find(data)
    return found.of(data) if found.by_content else found


def _find(data: Any) -> Adapter:
    for base in type(data).__mro__:
        package, name = base.__module__.partition(".")[0], base.__name__
        if (package, name) in _PLACES:
            return _load(*_PLACES[package, name])
        if (package, name) == ("numpy", "generic"):  # a scalar, though it shows its bytes as a buffer
            raise _refuse(data)
    if hasattr(data, "__arrow_c_stream__") or hasattr(data, "__arrow_c_array__"):
        return _load("tables", "Exporters")
    if hasattr(data, "__fspath__"):
        return _load("files", "Paths")
    if isinstance(data, Mapping):
        return _load("python", "Columns")
    if hasattr(data, "__dlpack__"):
        from .buffers import library_of

        if library_of(type(data)) or not _is_buffer(data):
            return _load("buffers", "Tensors")
    if _is_buffer(data):
        return _load("buffers", "Views")
    if hasattr(data, "read"):
        from .files import refuse_file

        raise refuse_file(data)
    if hasattr(data, "__next__"):
        return _load("python", "Batches")
    raise _refuse(data)


def _refuse(data: Any) -> KindError:
    return KindError(
        f"data of type {type(data).__qualname__} cannot be taken",
        id="wrong-kind",
        hint=use_of(data)
        or "give a frame or series of pandas or polars, an array of numpy or pyarrow, a buffer, "
        "a dict of columns, a list of rows, the path of a file, or an iterator of such",
    )


def _is_buffer(data: Any) -> bool:
    try:
        memoryview(data).release()
    except TypeError:
        return False
    return True


def _load(module: str, name: str) -> Adapter:
    adapter: Adapter = getattr(__import__(f"{__name__}.{module}", fromlist=[name]), name)()
    return adapter


__all__ = ["Adapter", "adapter_of"]
