"""Schemas that consumers of Arrow data ask for: text has long offsets then, other types stay as they are."""

import pytest

import moonmill as mm
from moonmill import _core

pa = pytest.importorskip("pyarrow")

VALUES = {"s": ["a", None, "ccc", ""], "b": [b"x", b"", None, b"zz"], "n": [1, 2, 3, 4]}
LONG = pa.schema([("s", pa.large_string()), ("b", pa.large_binary()), ("n", pa.int64())])


def table():
    return mm.Table.from_columns(list(VALUES), list(VALUES.values()))


class Exporter:
    """An array or a stream that was made already."""

    def __init__(self, given):
        if isinstance(given, tuple):
            self.__arrow_c_array__ = lambda requested_schema=None: given
        else:
            self.__arrow_c_stream__ = lambda requested_schema=None: given


def types_of(given):
    """Types and values, as pyarrow reads them."""
    got = (pa.record_batch if isinstance(given, tuple) else pa.table)(Exporter(given))
    got.validate(full=True)
    return [str(kind) for kind in got.schema.types], got.to_pydict()


@pytest.mark.parametrize("rows", [(0, 4), (1, 2), (3, 1), (2, 0)])
def test_long_offsets_are_given(rows, no_leaks):
    part = table().slice(*rows)
    expected = {name: values[rows[0] : sum(rows)] for name, values in VALUES.items()}
    for export in (part.__arrow_c_stream__, part.__arrow_c_array__):
        assert types_of(export(LONG.__arrow_c_schema__())) == (
            ["large_string", "large_binary", "int64"],
            expected,
        )
    for name in ("s", "b"):
        array = pa.array(part[name], type=LONG.field(name).type)
        array.validate(full=True)
        assert array.to_pylist() == expected[name]
        assert pa.chunked_array(part[name], type=LONG.field(name).type).to_pylist() == expected[name]


def test_only_those_that_are_asked_for_are_long():
    some = pa.schema([("s", pa.string()), ("b", pa.large_binary()), ("n", pa.int64())])
    kinds, values = types_of(table().__arrow_c_stream__(some.__arrow_c_schema__()))
    assert (kinds, values) == (["string", "large_binary", "int64"], VALUES)


def test_chunks_are_long_each(rng):
    texts = ["x" * rng.randrange(9) if rng.random() < 0.9 else None for _ in range(1000)]
    parts = mm.Table.concat([mm.Table.from_columns(["s"], [texts[i : i + 100]]) for i in range(0, 1000, 100)])
    got = pa.table(parts, schema=pa.schema([("s", pa.large_string())]))
    got.validate(full=True)
    assert (got["s"].num_chunks, got["s"].to_pylist()) == (10, texts)


def test_what_cannot_be_given_stays_what_it_is():
    other = pa.schema(
        [("s", pa.dictionary(pa.int8(), pa.string())), ("b", pa.string_view()), ("n", pa.int8())]
    )
    kinds, values = types_of(table().__arrow_c_stream__(other.__arrow_c_schema__()))
    assert (kinds, values) == (["string", "binary", "int64"], VALUES)


def test_other_columns_are_refused(no_leaks):
    for fields in ([("s", pa.string())], [("b", pa.binary()), ("s", pa.string()), ("n", pa.int64())]):
        for export in (table().__arrow_c_stream__, table().__arrow_c_array__):
            with pytest.raises(mm.UsageError, match="other columns"):
                export(pa.schema(fields).__arrow_c_schema__())
    with pytest.raises(mm.UsageError, match="a struct of 3"):
        table().__arrow_c_stream__(pa.int64().__arrow_c_schema__())


def test_a_schema_that_was_used_is_none():
    capsule = LONG.__arrow_c_schema__()
    pa.Schema._import_from_c_capsule(capsule)
    with pytest.raises(TypeError, match="requested_schema"):
        table().__arrow_c_stream__(capsule)


def test_capsules_with_long_offsets_may_be_dropped(no_leaks):
    table().__arrow_c_stream__(LONG.__arrow_c_schema__())
    table().__arrow_c_array__(LONG.__arrow_c_schema__())
    before = _core.memory_used()
    table()["s"].__arrow_c_array__(pa.large_string().__arrow_c_schema__())
    assert _core.memory_used() <= before
