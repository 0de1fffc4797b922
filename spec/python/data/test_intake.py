"""Columns in: typed memory is shown where it lies, or copied and counted, or refused by name."""

import array
import ctypes
import mmap
import sys
import sysconfig
from multiprocessing import shared_memory

import pytest

import moonmill as mm
from moonmill import _core

np = pytest.importorskip("numpy")
Table = _core.Table
pytestmark = pytest.mark.usefixtures("no_leaks")

NUMBERS = {
    "i1": "i8",
    "i2": "i16",
    "i4": "i32",
    "i8": "i64",
    "u1": "u8",
    "u2": "u16",
    "u4": "u32",
    "u8": "u64",
}
FLOATS = {"f4": "f32", "f8": "f64"}
SIZES = [0, 1, 63, 64, 65, 1023, 1024, 1025, 65536]


def column(data, **options):
    return Table.from_columns(["x"], [data], **options)["x"]


def table(data, **options):
    return Table.from_columns(["x"], [data], **options)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("dtype", [*NUMBERS, *FLOATS, "l", "L", "q", "Q", "n", "N"])
def test_an_array_of_numbers_is_shown_where_it_lies(dtype, size):
    data = np.arange(size).astype(dtype)
    t = table(data)
    assert t.types == [(NUMBERS | FLOATS)[data.dtype.str[1:]]]
    assert (t.copied_bytes, t.shared_bytes, t.nullables) == (0, data.nbytes, [False])
    buffer = t["x"].data()
    assert size == 0 or (buffer.readonly and buffer.address == data.ctypes.data)
    assert np.array_equal(np.asarray(buffer), data) and np.asarray(buffer).dtype == data.dtype


@pytest.mark.parametrize("size", SIZES)
def test_bools_become_bits(size, rng):
    data = np.array([rng.random() < 0.5 for _ in range(size)], dtype=bool)
    t = table(data)
    assert t.types == ["bool"] and t["x"].to_pylist() == data.tolist()
    assert t.copied_bytes == (size + 7) // 8 and t.shared_bytes == 0
    assert np.array_equal(np.asarray(t["x"].data()), data)


def test_any_byte_but_zero_is_true():
    assert (
        column(np.array([0, 1, 2, 128, 255] * 20, "u1").view(bool)).to_pylist()
        == [False, True, True, True, True] * 20
    )


@pytest.mark.parametrize("dtype", ["i1", "u2", "f4", "i8", "f8", "?", "M8[us]"])
@pytest.mark.parametrize(
    "cut",
    [
        lambda a: a[::2],
        lambda a: a[::-1],
        lambda a: a[1::3],
        lambda a: a.reshape(10, 12)[:, ::5],
        lambda a: a.reshape(10, 12).T,
        lambda a: np.asfortranarray(a.reshape(4, 5, 6)),
        lambda a: np.broadcast_to(a[3], (7,)),
        lambda a: a.reshape(2, 3, 4, 5)[::-1, 1:, ::2],
    ],
)
def test_values_apart_are_copied_in_the_order_of_c(cut, dtype):
    data = cut(np.arange(120).astype("i8").astype(dtype) if dtype != "?" else np.arange(120) % 3 == 0)
    t = table(data)
    assert t.copied_bytes > 0 and t.shared_bytes == 0 and len(t) == data.size
    assert t["x"].to_pylist() == data.ravel().tolist()


def test_dimensions_are_flattened_without_a_copy():
    data = np.arange(24).reshape(2, 3, 4)
    assert column(data).data().address == data.ctypes.data and len(column(data)) == 24
    assert column(np.array(7)).to_pylist() == [7]
    assert column(np.zeros((3, 0))).to_pylist() == []


def test_the_other_byte_order_and_unaligned_values_are_copied():
    for code in ("i2", "u4", "i8", "f8", "f4", "M8[ms]"):
        data = np.array([1, 2, 70000 if code != "i2" else 300]).astype(code)
        t = table(data.astype(">" + code))
        assert t["x"].to_pylist() == data.tolist() and t.shared_bytes == 0
    packed = np.zeros(50, dtype=[("a", "u1"), ("b", "f8")])
    packed["b"] = np.arange(50)
    assert column(packed["b"]).to_pylist() == list(range(50))
    unaligned = np.frombuffer(bytes(801), "f8", offset=1)
    assert table(unaligned).copied_bytes == 800


def test_read_only_memory_is_taken():
    data = np.arange(5.0)
    data.flags.writeable = False
    assert column(data).data().address == data.ctypes.data


@pytest.mark.parametrize(
    ("data", "what"),
    [
        (np.zeros(3, "f2"), "float16"),
        (np.zeros(3, "c16"), "complex128"),
        (np.zeros(3, "longdouble"), "longdouble|float128"),
        (np.zeros(3, [("a", "i4"), ("b", "f8")]), "'a'"),
        (np.zeros(3, "V5"), "V5"),
        (np.array([1, 2], dtype=object), "int"),
        (np.array([object()], dtype=object), "object"),
        (np.zeros(3, "M8[M]"), r"datetime64\[M\]"),
        (np.zeros(3, "m8[ps]"), r"timedelta64\[ps\]"),
        (np.zeros(3, "M8"), "datetime64"),
        (memoryview((ctypes.c_wchar * 3)()), "<w|u"),
        ("text", "str"),
        ({"a": 1}, "dict"),
        (7, "int"),
        (None, "NoneType"),
        (np.ndarray, "type"),
        ([1, object()], "object"),
        ([[1], [2]], "list"),
        ({1, 2}, "set"),
    ],
)
def test_what_has_no_type_here_is_refused_with_the_column_and_the_dtype(data, what):
    with pytest.raises(ValueError, match=rf'"delay"[^$]*({what})'):
        Table.from_columns(["delay"], [data])


@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
def test_times_of_numpy_are_shown_and_nat_is_null(unit):
    for kind, name in (("M", "timestamp"), ("m", "duration")):
        data = np.array([0, 1, -5, 10**9], dtype=f"{kind}8[{unit}]")
        t = table(data)
        assert t.types == [f"{name}({unit})"] and t.nullables == [True] and t.copied_bytes == 0
        assert t["x"].data().address == data.ctypes.data and t["x"].null_count == 0
        data[2] = "NaT"
        t = table(data)
        assert t["x"].null_count == 1 and t["x"][2] is None and t.shared_bytes == data.nbytes
        assert np.asarray(t["x"].valid()).tolist() == [1, 1, 0, 1]


def test_days_become_dates_and_odd_units_are_multiplied():
    days = np.array(["2013-01-01", "NaT", "1969-12-31", "9999-12-31"], "M8[D]")
    assert table(days).types == ["date"] and column(days).to_pylist() == days.tolist()
    weeks = np.array([0, 1], "M8[W]")
    assert column(weeks).to_pylist() == weeks.astype("M8[D]").tolist()
    for unit in ("m", "h", "25s", "10ms"):
        data = np.array([1, -2, 300], f"M8[{unit}]")
        assert column(data).to_pylist() == data.astype("M8[us]").tolist()
    with pytest.raises(ValueError, match=r'"x".*64 bits'):
        column(np.array([2**62], "M8[h]"))
    with pytest.raises(ValueError, match=r'"x".*date'):
        column(np.array([2**40], "M8[D]"))


@pytest.mark.parametrize("size", [0, 1, 63, 64, 65, 1000])
def test_nan_is_a_value_unless_it_is_said_to_be_null(size):
    for dtype in ("f4", "f8"):
        data = np.arange(size).astype(dtype)
        assert table(data, nan_is_null=True)["x"].null_count == 0
        data[::3] = np.nan
        plain, pandas = table(data), table(data, nan_is_null=True)
        assert plain["x"].null_count == 0 and plain.nullables == [False]
        assert pandas.nullables == [True] and pandas["x"].null_count == np.isnan(data).sum()
        assert pandas["x"].to_pylist() == [None if x != x else x for x in data.tolist()]
        assert size == 0 or pandas["x"].data().address == data.ctypes.data


def test_memory_of_all_kinds_of_owners_is_shown():
    for code in "bBhHiIlLqQfd":
        data = array.array(code, [1, 2, 3])
        assert column(data).data().address == data.buffer_info()[0]
        assert column(data).to_pylist() == [1, 2, 3]
    assert column(b"abc").to_pylist() == [97, 98, 99]
    assert column(memoryview(bytes(range(10)))[2:5]).to_pylist() == [2, 3, 4]
    assert column(memoryview(bytes(range(10)))[::-2]).to_pylist() == [9, 7, 5, 3, 1]
    assert column(memoryview(b"abcd").cast("c")).to_pylist() == [97, 98, 99, 100]
    assert column(memoryview(bytes(24)).cast("d", [3, 1])).to_pylist() == [0.0] * 3
    for ctype, name in (
        (ctypes.c_int32, "i32"),
        (ctypes.c_double, "f64"),
        (ctypes.c_uint16, "u16"),
        (ctypes.c_bool, "bool"),
    ):
        data = (ctype * 3)(1, 0, 1)
        assert column(data).type == name and column(data).to_pylist() == [1, 0, 1]
    table_of_buffer = column(column(np.arange(4)).data())
    assert table_of_buffer.to_pylist() == [0, 1, 2, 3]


def test_owners_are_let_go_with_the_table():
    data = bytearray(b"abc")
    t = table(data)
    with pytest.raises(BufferError):
        data.append(1)
    del t
    data.append(1)
    mapped = mmap.mmap(-1, 4096)
    t = table(mapped)
    with pytest.raises(BufferError):
        mapped.close()
    del t
    mapped.close()
    shared = shared_memory.SharedMemory(create=True, size=64)
    try:
        t = table(shared.buf)
        assert len(t) >= 64
        del t
        shared.close()
    finally:
        shared.unlink()


def test_references_are_neither_lost_nor_kept(rng):
    data = np.arange(1000.0)
    before = sys.getrefcount(data)
    for _ in range(100):
        kept = [table(data) for _ in range(rng.randrange(5))]
        assert sys.getrefcount(data) == before + len(kept)
        with pytest.raises(ValueError):
            Table.from_columns(["a", "b"], [data, np.zeros(3, "c8")])
        kept.clear()
    assert sys.getrefcount(data) == before


def test_a_column_keeps_its_memory_when_all_else_is_gone():
    values = column(np.arange(3)).data()
    assert memoryview(values).tolist() == [0, 1, 2]


def test_rows_beyond_two_to_the_31():
    size = 2**31 + 70
    data = np.zeros(size, "i1")
    data[-1] = 7
    t = table(data)
    assert len(t) == size and t["x"][-1] == 7 and t["x"][size - 1] == 7 and t["x"][0] == 0
    assert t.slice(size - 2, 10)["x"].to_pylist() == [0, 7] and len(t["x"].data()) == size
    pa = pytest.importorskip("pyarrow")
    assert pa.table(t).num_rows == size


def test_too_little_memory_is_an_error_that_leaves_nothing_behind():
    data = np.arange(4_000_000)[::2]
    _core.memory_limit(_core.memory_used() + 1_000_000)
    try:
        with pytest.raises(MemoryError):
            table(data)
        assert len(table(np.arange(4_000_000))) == 4_000_000  # shown, not copied
    finally:
        _core.memory_limit(0)
    assert len(table(data)) == 2_000_000


def everything():
    """Each way in, and each way out."""
    data = np.arange(400)
    words = [str(i) for i in range(300)] + [None] * 100
    given = [data, data[::-1], data % 3 == 0, (data * 0.5), data.astype("M8[D]"), words, [None, 1.5] * 200]
    t = Table.from_columns(list("abcdefg"), given, nan_is_null=True)
    both = Table.concat([t, t.slice(1, 399)])
    again = Table.from_arrow(Export(both))
    assert len(Table.from_columns(["x", "y"], [again["f"], Export(both["a"])])) == 799
    again.copy().__arrow_c_array__()
    for column in (again[i] for i in range(7)):
        column.to_pylist()
        column.text(5)
        column.valid()
        if column.type != "utf8":
            memoryview(column.data())
    again["a"].__dlpack__(copy=True)
    return again


class Export:
    """Arrow's stream of something, and nothing else of it."""

    def __init__(self, source):
        self.__arrow_c_stream__ = source.__arrow_c_stream__


def refused(prepare, restore):
    """Whether `everything` had too little memory."""
    prepare()
    try:
        everything()
    except MemoryError:
        return True
    finally:
        restore()
    return False


def test_running_out_of_memory_anywhere_is_an_error_and_no_leak():
    everything()
    found = 0
    for budget in range(1, 60_000, 400):
        limit = _core.memory_used() + budget
        found += refused(lambda limit=limit: _core.memory_limit(limit), lambda: _core.memory_limit(0))
    assert found > 50
    everything()


def test_the_interpreter_running_out_of_memory_anywhere_is_an_error_and_no_leak():
    hooks = pytest.importorskip("_testcapi")
    if not hasattr(hooks, "set_nomemory"):
        pytest.skip("this interpreter cannot run out of memory on purpose")
    if sysconfig.get_config_var("Py_GIL_DISABLED"):
        pytest.skip("PyList_New of free-threaded builds crashes when it runs out of memory")
    everything()
    found = 0
    for start in range(0, 3000, 7):
        found += refused(lambda start=start: hooks.set_nomemory(start, start + 1), hooks.remove_mem_hooks)
    assert found > 50
    everything()


def test_columns_must_fit_together():
    with pytest.raises(ValueError, match=r'"a" has 3 rows.*"b".*2'):
        Table.from_columns(["a", "b"], [np.zeros(3), [1, 2]])
    with pytest.raises(ValueError, match=r'"a"'):
        Table.from_columns(["a", "a"], [np.zeros(3), np.zeros(3)])
    with pytest.raises(ValueError, match=r"2 names for 1"):
        Table.from_columns(["a", "b"], [np.zeros(3)])
    with pytest.raises(ValueError, match=r"zero byte"):
        Table.from_columns(["a\0b"], [[1]])
    with pytest.raises(TypeError, match=r"int"):
        Table.from_columns([1], [[1]])
    with pytest.raises(mm.UsageError, match="half a surrogate pair"):
        Table.from_columns(["\ud800"], [[1]])


def test_no_columns_and_no_rows():
    empty = Table.from_columns([], [])
    assert (len(empty), empty.num_columns, empty.column_names) == (0, 0, [])
    assert Table.from_columns(["x"], [np.zeros(0)])["x"].to_pylist() == []


def test_columns_of_tables_are_shared_and_chunks_fitted():
    left = Table.concat([table(np.arange(n)) for n in (3, 0, 70, 1)])
    right = Table.concat([table(np.arange(n) % 2 == 0) for n in (64, 10)])
    both = Table.from_columns(["a", "b", "c"], [left["x"], right["x"], np.arange(74)])
    assert both["a"].to_pylist() == left["x"].to_pylist() and both["b"].to_pylist() == right["x"].to_pylist()
    assert both["c"].to_pylist() == list(range(74)) and both["a"].chunks == both["b"].chunks == 4


def test_what_makes_an_array_is_a_column():
    class Maker:
        def __array__(self, dtype=None, copy=None):
            return np.arange(3)

    class Broken:
        def __array__(self, dtype=None, copy=None):
            raise RuntimeError("no array today")

    assert column(Maker()).to_pylist() == [0, 1, 2]
    with pytest.raises(RuntimeError, match=r"no array today"):
        column(Broken())
