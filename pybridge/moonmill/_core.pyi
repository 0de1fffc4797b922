"""The extension: data in and out without copying, plans, jobs. The package wraps it; see moonmill/__init__.py."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from inspect import Signature
from typing import Any, ClassVar, final, overload

from typing_extensions import Self, disjoint_base

def configure(
    *,
    table: type | None = None,
    column: type | None = None,
    buffer: type | None = None,
    job: type | None = None,
    error: Callable[[Any], BaseException] | None = None,
) -> None:
    """Set the subclasses to instantiate, and the function that makes an exception from failures: JSON text, or a dict.

    The dict has the fields of one failure; its `frames` are the text of the core.
    """

def version() -> str: ...
def isa() -> str: ...
def statuses() -> dict[str, int]:
    """Exit codes of the command, by the kind of failure."""

def memory_used() -> int: ...
def memory_reserved() -> int:
    """Bytes of memory_used() that Lua states hold."""

def memory_peak() -> int: ...
def types_bytes() -> int:
    """Bytes in use for names of time zones and for foreign types, which are never freed."""

def memory_kept() -> int: ...
def memory_limit(size: int, /) -> None:
    """Limit the bytes that the core may hold; 0 removes the limit."""

def memory_limited() -> int:
    """The limit; 0 if there is none."""

def memory_trim() -> None:
    """Collect garbage in Lua, and return recycled memory to the system."""

def live() -> dict[str, int]:
    """Counts of live tables, columns, buffers, plans, jobs, sessions, foreign owners and others: for tests
    that look for leaks.
    """

def collect() -> int:
    """Collect garbage in all sessions; returns the bytes that they then hold."""

def set_deadline(timeout: float | None, /) -> tuple[float, float]:
    """Stop work of this thread after so many seconds (None: no limit). Returns the previous deadline."""

def restore_deadline(before: tuple[float, float], /) -> None:
    """Restore a deadline that set_deadline returned."""

@final
class Session:
    """A Lua state with the language in it, for one script."""

    def __new__(cls) -> Session: ...
    @property
    def lost(self) -> bool:
        """Whether its state was discarded: the script must be loaded into a new session."""

    def ask(self, name: str, /, *arguments: str) -> str:
        """Send a request (see session.h): returns JSON text, raises what `error` makes of failures."""

    def drop(self, handle: int, /) -> None:
        """Drop a script, or a phase of one, without waiting."""

    def plan(
        self,
        handle: int,
        names: Sequence[str],
        types: Sequence[str],
        nullables: Sequence[bool],
        params: Mapping[str, str],
        /,
    ) -> Plan:
        """Bind a pipeline to columns and parameters."""

@disjoint_base
class Buffer:
    """Values of a column as bytes: buffer protocol, DLPack. Owns its memory; writable if not shared."""

    @property
    def type(self) -> str: ...
    @property
    def nbytes(self) -> int: ...
    @property
    def readonly(self) -> bool: ...
    @property
    def address(self) -> int: ...
    def __len__(self) -> int: ...
    def __buffer__(self, flags: int, /) -> memoryview: ...
    def __dlpack__(
        self, *, stream: Any = None, max_version: Any = None, dl_device: Any = None, copy: Any = None
    ) -> object: ...
    def __dlpack_device__(self) -> tuple[int, int]: ...

@disjoint_base
class Column:
    """One column of one table: a list of chunks in Arrow layout."""

    @property
    def name(self) -> str: ...
    @property
    def type(self) -> str: ...
    @property
    def nullable(self) -> bool: ...
    @property
    def null_count(self) -> int: ...
    @property
    def chunks(self) -> int: ...
    @property
    def nbytes(self) -> int: ...
    def __len__(self) -> int: ...
    def __getitem__(self, key: int | slice, /) -> Any:
        """The value of a row as a Python object, or a Column of rows start:stop, shared. Negative ones count
        from the end.
        """
    def __eq__(self, other: object, /) -> bool:
        """Of columns: as of tables."""
    def __ne__(self, other: object, /) -> bool: ...
    __hash__: ClassVar[None]  # type: ignore[assignment]
    def to_pylist(self) -> list[Any]:
        """bool, int, float, str, bytes, date, datetime (of UTC where the type has a zone), timedelta, None for null."""
    def text(self, index: int, /) -> str | None:
        """The value of a row as CSV would write it, without quotes; None for null."""
    def data(self) -> Buffer:
        """Values as one buffer, one byte each for bools (chunks are concatenated, which counts as copied).
        Values of nulls are undefined. Writable if only the table holds the memory: so for the first caller.
        Not for text.
        """
    def valid(self) -> Buffer | None:
        """One byte per row, 1 if not null; None if there are no nulls."""
    def combine(self) -> Self: ...
    def __arrow_c_schema__(self) -> object: ...
    def __arrow_c_array__(self, requested_schema: object | None = None) -> tuple[object, object]: ...
    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object: ...
    def __dlpack__(
        self, *, stream: Any = None, max_version: Any = None, dl_device: Any = None, copy: Any = None
    ) -> object: ...
    def __dlpack_device__(self) -> tuple[int, int]: ...

@disjoint_base
class Table:
    """Columns of equal length: the input and the result of a run."""

    @property
    def num_rows(self) -> int: ...
    @property
    def num_columns(self) -> int: ...
    @property
    def column_names(self) -> list[str]: ...
    @property
    def types(self) -> list[str]: ...
    @property
    def nullables(self) -> list[bool]: ...
    @property
    def nbytes(self) -> int: ...
    @property
    def copied_bytes(self) -> int: ...
    @property
    def shared_bytes(self) -> int: ...
    @classmethod
    def from_arrow(cls, source: object, /) -> Self:
        """From an object with __arrow_c_stream__ or __arrow_c_array__ (struct, or an array as column
        `value`), or a Table.
        """
    @classmethod
    def from_columns(
        cls,
        names: Iterable[str],
        columns: Iterable[object],
        /,
        *,
        nan_is_null: bool = False,
        missing: Iterable[object | None] | None = None,
        copied: int = 0,
    ) -> Self:
        """From Column objects, Arrow arrays, buffers (numpy, array.array, memoryview, bytes: borrowed;
        strided: copied; arrays of more dimensions: all values in C's order), what has __array__, and lists,
        tuples and ranges (copied). numpy datetime64 and timedelta64 by their dtype, NaT null; text of numpy,
        and objects that are text. `nan_is_null`: as pandas sees it. `missing`: for each column None, or a
        buffer of bytes, 1 where its value is missing. `copied`: bytes that were copied to make the columns,
        which stats count too.
        """
    @classmethod
    def concat(cls, tables: Iterable[Table], /) -> Self:
        """Concatenate tables of the same columns, shared; their copied bytes are added."""
    def __len__(self) -> int: ...
    @overload
    def __getitem__(self, key: str | int, /) -> Column: ...
    @overload
    def __getitem__(self, key: slice | list[str], /) -> Self:
        """Some rows, or columns of a list of names, shared."""
    def __eq__(self, other: object, /) -> bool:
        """Equal names, types and values, whatever their memory layout; null equals null, NaN equals NaN."""
    def __ne__(self, other: object, /) -> bool: ...
    __hash__: ClassVar[None]  # type: ignore[assignment]
    def slice(self, start: int, length: int | None = None, /) -> Self:
        """Some rows, shared; clipped at the end."""
    def select(self, names: Sequence[str], /) -> Self: ...
    def copy(self) -> Self:
        """A copy that shares no memory with this table."""
    def stats(self) -> dict[str, Any]: ...
    def __arrow_c_schema__(self) -> object: ...
    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object: ...
    def __arrow_c_array__(self, requested_schema: object | None = None) -> tuple[object, object]: ...

def table_of(
    names: Iterable[str],
    columns: Iterable[object],
    forms: str,
    nan_is_null: bool = False,
    missing: Iterable[object | None] | None = None,
    copied: int = 0,
    /,
) -> Table:
    """As Table.from_columns, where the caller knows what each column is, and says so by a letter: "b" typed
    memory, "i" a list of Python's values, "a" Arrow data, "c" a Column; for text of numpy the kind of its
    dtype, "O", "S", "T" or "U".
    """

@final
class Tensor:
    """The memory of a foreign DLPack tensor."""

    def __buffer__(self, flags: int, /) -> memoryview: ...

@final
class Plan:
    """A pipeline bound to columns and parameters; it may be run any number of times, by any thread."""

    @property
    def reads(self) -> list[str]: ...
    @property
    def column_names(self) -> list[str]: ...
    @property
    def types(self) -> list[str]: ...
    @property
    def nullables(self) -> list[bool]: ...
    @property
    def keeps_rows(self) -> bool: ...
    @property
    def breaks(self) -> bool: ...
    @property
    def can_fail(self) -> bool: ...

@final
class Input:
    """Open files, to be read once as one table."""

    @property
    def column_names(self) -> list[str]: ...
    @property
    def types(self) -> list[str]: ...
    @property
    def nullables(self) -> list[bool]: ...

def open_input(
    paths: Iterable[str],
    /,
    *,
    format: str | None = None,
    options: Iterable[tuple[str, str]] = (),
    patience: float = 0.0,
    buffers: Iterable[object] | None = None,
) -> Input:
    """Open files, to be read one after the other as one table. `format`: found by content if not given; `options`:
    names and values, as the session's answer to `reading`; `patience`: seconds that opening may wait for bytes of
    pipes, 0: as long as it takes; `buffers`: bytes that are read instead, for which the paths are names."""

@overload
def run(
    plan: Plan,
    data: Input,
    /,
    threads: int = 0,
    out: None = None,
    copy: bool = False,
    timeout: float | None = None,
    watch: Callable[[Job | None], object] | None = None,
    *,
    output: str,
) -> int: ...
@overload
def run(
    plan: Plan,
    data: Table | Input,
    /,
    threads: int = 0,
    out: Sequence[object | None] | None = None,
    copy: bool = False,
    timeout: float | None = None,
    watch: Callable[[Job], object] | None = None,
    output: None = None,
) -> Table:
    """Run and wait, the GIL released. `out`: a writable buffer per column of the result of a table. `watch`
    is called some ten times a second, with None while an output still waits for its reader. `output`: the
    path of a file for the result of files; then the number of rows is given.
    """

def submit(
    plan: Plan,
    data: Table | Input,
    /,
    threads: int = 0,
    out: Sequence[object | None] | None = None,
    copy: bool = False,
    timeout: float | None = None,
    room: int = 0,
) -> Job:
    """Run in the background. `room`: rows of the result of files that may be queued before the job waits."""

@disjoint_base
class Job:
    """A run in the background with a supervising thread. A job that is dropped while it runs is cancelled."""

    @property
    def state(self) -> str:
        """ "running", "done", "failed", "cancelled", or "stuck": still running 2 s after it was told to stop."""
    @property
    def seconds(self) -> float:
        """Time since it was started; its duration once it has ended."""
    @property
    def plan(self) -> Plan: ...
    def fileno(self) -> int: ...
    def wait(self, timeout: float | None = None, /) -> bool: ...
    def cancel(self) -> bool: ...
    def done(self) -> bool: ...
    def table(self) -> Table:
        """The result of a finished job; raises its failure."""
    def take(self, rows: int, /) -> Table | None:
        """The next rows of a job that was submitted with `room`, at least one table; None at the end. Raises
        its failure.
        """
    def counters(self) -> dict[str, int]: ...

def store_put(name: str, column: Column, /) -> int:
    """Store a column; returns the bytes copied to concatenate its chunks."""

def store_get(name: str, /) -> Column | None: ...
def store_drop(name: str, /) -> bool: ...
def store_clear() -> None: ...
def store_list() -> list[tuple[str, str, bool, int, int, int]]:
    """(name, type, nullable, rows, bytes, users) of each, by name."""

def store_bytes() -> int: ...

@final
class Module:
    """Typed functions of a script: the file `name`, or texts[0], followed by names and texts of its modules in turn."""

    def __new__(cls, name: str, texts: Sequence[str] = ()) -> Module: ...
    @property
    def name(self) -> str: ...
    @property
    def about(self) -> str: ...
    @property
    def texts(self) -> tuple[str, ...]: ...
    @property
    def functions(self) -> dict[str, Function]: ...
    def __len__(self) -> int: ...
    def __getitem__(self, name: str, /) -> Function: ...

@final
class Function:
    """A typed function of a module, with positional and keyword arguments; omitted nullable ones are None."""

    @property
    def __name__(self) -> str: ...
    @property
    def __qualname__(self) -> str: ...
    @property
    def __signature__(self) -> Signature: ...
    @property
    def signature(self) -> str: ...
    def __call__(self, *args: Any, **kwargs: Any) -> Any: ...
