"""Names and types of columns, here and in other libraries."""

from __future__ import annotations

from .base.suggest import missing
from .errors import KindError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from typing import Any, SupportsIndex, overload

_SPARK = {
    "bool": "boolean",
    "i8": "tinyint",
    "i16": "smallint",
    "i32": "int",
    "i64": "bigint",
    "f32": "float",
    "f64": "double",
    "utf8": "string",
    "binary": "binary",
    "date": "date",
    "timestamp": "timestamp_ntz",
    "duration": "interval day to second",
    "null": "void",
}
"""Spark's types; a timestamp with a zone is a "timestamp" there. It has no unsigned types."""


def of_spark(kind: str, zone: str) -> str | None:
    """The type for a type of Spark, or None. `zone`: the time zone of the Spark session."""
    if kind == "timestamp":
        return f"timestamp(us, {zone})"
    return next((ours for ours, theirs in _SPARK.items() if theirs == kind), None)


_NUMPY = {
    "bool": "?",
    "i8": "i1",
    "i16": "i2",
    "i32": "i4",
    "i64": "i8",
    "u8": "u1",
    "u16": "u2",
    "u32": "u4",
    "u64": "u8",
    "f32": "f4",
    "f64": "f8",
}


def numpy_type(name: str) -> str | None:
    """The numpy dtype of a type: "f64" is "f8", "timestamp(ms)" is "M8[ms]"; None for text and lists."""
    plain = _NUMPY.get(name)
    if plain:
        return plain
    base, _, rest = name.partition("(")
    unit = rest.rstrip(")").partition(",")[0].strip() or "us"
    if base == "date":
        return "M8[D]"
    return {"timestamp": f"M8[{unit}]", "duration": f"m8[{unit}]"}.get(base)


class Field:
    """One column of a schema.

    Attributes
    ----------
    name, type : str
        Type as in scripts: "f64", "utf8", "timestamp(ms)".
    nullable : bool
        Whether it may hold nulls.
    """

    __slots__ = ("name", "nullable", "type")

    def __init__(self, name: str, type: str, nullable: bool) -> None:
        self.name = name
        self.type = type
        self.nullable = nullable

    def __iter__(self) -> Iterator[Any]:
        return iter((self.name, self.type, self.nullable))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Field) and tuple(self) == tuple(other)

    def __hash__(self) -> int:
        return hash(tuple(self))

    def __repr__(self) -> str:
        return f"{self.name}: {self.type}{'?' if self.nullable else ''}"


class Schema(tuple[Field, ...]):
    """The fields of a table, in order; `schema["name"]` is one of them."""

    def __new__(cls, names: Sequence[str], types: Sequence[str], nullables: Sequence[bool]) -> Schema:
        """From names, types ("f64") and nullabilities."""
        return tuple.__new__(cls, map(Field, names, types, nullables))

    @classmethod
    def of(cls, columns: Sequence[dict[str, Any]]) -> Schema:
        """From dicts with `name`, `type` and `nullable`."""
        return cls(*([column[key] for column in columns] for key in ("name", "type", "nullable")))

    def __getnewargs__(self) -> tuple[list[str], list[str], list[bool]]:
        return (
            [field.name for field in self],
            [field.type for field in self],
            [field.nullable for field in self],
        )

    @property
    def names(self) -> list[str]:
        """Names of all columns."""
        return [field.name for field in self]

    if TYPE_CHECKING:

        @overload
        def __getitem__(self, key: str | SupportsIndex, /) -> Field: ...
        @overload
        def __getitem__(self, key: slice, /) -> tuple[Field, ...]: ...

    def __getitem__(self, key: Any) -> Any:
        if not isinstance(key, str):
            return tuple.__getitem__(self, key)
        for field in self:
            if field.name == key:
                return field
        raise KeyError(missing("column", key, self.names))

    def to_ddl(self) -> str:
        """As a DDL string of Spark: ``"`carrier` string, `flights` bigint"``. Spark has no unsigned types."""
        return ", ".join(f"`{field.name.replace('`', '``')}` {_spark(field)}" for field in self)

    def to_lines(self) -> str:
        """As an argument of requests to the session: a line of name, type and 0 or 1 for each field."""
        marks = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n"})
        return "".join(f"{name.translate(marks)}\t{kind}\t{int(nullable)}\n" for name, kind, nullable in self)

    def __repr__(self) -> str:
        return f"Schema({', '.join(map(repr, self))})"


def _spark(field: Field) -> str:
    kind, _, rest = field.type.rstrip(")").partition("(")
    unit, _, zone = rest.partition(", ")
    found = _SPARK.get(kind) if unit in ("", "us") else None
    if found is None:
        raise KindError(
            f"{field.name}: Spark has no type for {field.type}",
            id="wrong-type",
            field=field.name,
            hint=f':cast {{ "{field.name}: {kind if unit else "i64"}" }} at the end of the pipeline',
        )
    return "timestamp" if zone else found
