"""Tables, columns and buffers: what they tell, how they are cut, who may write."""

import ctypes
import datetime as dt
import gc
import inspect
import itertools
import sys

import pytest

import moonmill as mm
from moonmill import _core

Table = _core.Table
pytestmark = pytest.mark.usefixtures("no_leaks")


def make(rows=5):
    return Table.from_columns(
        ["n", "f", "s", "b"],
        [
            list(range(rows)),
            [None if i % 3 == 1 else i / 2 for i in range(rows)],
            [f"text {i}" for i in range(rows)],
            [i % 2 == 0 for i in range(rows)],
        ],
    )


def values(table):
    return [table[i].to_pylist() for i in range(table.num_columns)]


def test_a_table_tells_its_shape():
    t = make()
    assert (len(t), t.num_rows, t.num_columns) == (5, 5, 4)
    assert t.column_names == ["n", "f", "s", "b"] and t.types == ["i64", "f64", "utf8", "bool"]
    assert t.nullables == [False, True, False, False]
    assert t.nbytes == 40 + 40 + 1 + 24 + 30 + 1 == t.copied_bytes and t.shared_bytes == 0
    stats = _core.Table.stats(t)
    assert stats["rows"] == 5 and stats["copied_bytes"] == t.copied_bytes


def test_a_column_tells_what_it_is():
    column = make()["f"]
    assert (column.name, column.type, column.nullable, column.null_count, column.chunks) == (
        "f",
        "f64",
        True,
        2,
        1,
    )
    assert len(column) == 5 and column.nbytes == 41
    assert [column[i] for i in range(-5, 5)] == column.to_pylist() * 2


def test_columns_are_found_by_name_and_number():
    t = make()
    assert t["s"].name == t[2].name == t[-2].name == "s"
    with pytest.raises(KeyError, match=r"nothing"):
        t["nothing"]
    for index in (4, -5, 2**70):
        with pytest.raises(IndexError):
            t[index]
    with pytest.raises(TypeError, match=r"float"):
        t[1.0]


def test_rows_out_of_range_are_index_errors():
    column = make()["n"]
    for index in (5, -6, 2**70):
        with pytest.raises(IndexError):
            column[index]
    with pytest.raises(TypeError, match=r"str"):
        column["a"]
    with pytest.raises(ValueError, match=r"step"):
        column[::2]


@pytest.mark.parametrize("size", [0, 1, 63, 64, 65, 1023, 1024, 1025])
def test_slices_are_those_of_lists(size, rng):
    parts = [make(size + 1), make(3), make(3).slice(1, 0), make(size // 2 + 1)]
    t = Table.concat(parts)
    whole = values(t)
    assert whole == [list(itertools.chain(*lists)) for lists in zip(*map(values, parts))]
    for _ in range(20):
        start, length = rng.randrange(len(t) + 2), rng.randrange(len(t) + 5)
        assert values(t.slice(start, length)) == [column[start : start + length] for column in whole]
        cut = slice(rng.randrange(-len(t) - 2, len(t) + 2), rng.randrange(-len(t) - 2, len(t) + 2))
        assert t["s"][cut].to_pylist() == whole[2][cut] and t["b"][cut].to_pylist() == whole[3][cut]
    for i in (0, len(t) - 1, size, size + 2):
        if 0 <= i < len(t):
            assert t["f"][i] == whole[1][i]


def test_slices_share_all_but_bits():
    t = make(200)
    cut = t.slice(64, 100)
    assert cut.copied_bytes == 0 and cut.shared_bytes == cut.nbytes
    cut = t.slice(1, 100)
    assert cut.copied_bytes == 13 + 13 and cut.shared_bytes == cut.nbytes - 26
    assert cut["n"].data().address == t["n"].data().address + 8


def test_slices_must_not_be_negative():
    for bad in ((-1, 2), (0, -1)):
        with pytest.raises(ValueError, match=r"negative"):
            make().slice(*bad)
    with pytest.raises(TypeError):
        make().slice()
    with pytest.raises(OverflowError):
        make().slice(0, 2**70)


def test_selected_columns_are_shared_in_the_order_asked_for():
    t = make()
    some = t.select(["b", "n"])
    assert (
        some.column_names == ["b", "n"]
        and some.copied_bytes == 0
        and values(some) == [values(t)[3], values(t)[0]]
    )
    assert t.select([]).num_columns == 0 and len(t.select([])) == 5
    with pytest.raises(KeyError, match=r"zzz"):
        t.select(["n", "zzz"])
    with pytest.raises(TypeError):
        t.select("n")


def test_a_copy_shares_nothing():
    np = pytest.importorskip("numpy")
    data = np.arange(10.0)
    t = Table.from_columns(["x"], [data])
    copy = t.copy()
    data[0] = 99
    assert t["x"][0] == 99 and copy["x"][0] == 0
    assert copy["x"].data().address != data.ctypes.data and copy.copied_bytes == 80 and copy.shared_bytes == 0
    before = sys.getrefcount(data)
    del t
    assert sys.getrefcount(data) == before - 1
    empty = Table.from_columns(["x"], [data[:0]]).copy()
    assert sys.getrefcount(data) == before - 1 and len(empty) == 0


def test_tables_are_joined_row_after_row():
    a, b = make(3), make(2)
    both = Table.concat([a, b])
    assert len(both) == 5 and both["n"].to_pylist() == [0, 1, 2, 0, 1] and both["n"].chunks == 2
    assert both.copied_bytes == a.copied_bytes + b.copied_bytes  # joining copies nothing more
    assert both.shared_bytes == a.nbytes + b.nbytes
    assert len(Table.concat([])) == 0
    with pytest.raises(ValueError, match=r"table 2 has f: f64 where the first has n: i64"):
        Table.concat([a.select(["n"]), a.select(["f"])])
    with pytest.raises(ValueError, match=r"4 columns, the first 1"):
        Table.concat([a.select(["n"]), a])
    with pytest.raises(TypeError, match=r"int"):
        Table.concat([a, 1])


def test_columns_of_nulls_take_the_type_that_others_have():
    for data in ([1, 2], ["a", "b"], [True, False], [dt.date(2000, 1, 1)], [0.5]):
        nothing, some = (Table.from_columns(["x"], [part]) for part in ([None] * 70, data))
        for tables in ([nothing, some], [some, nothing], [nothing, nothing, some, nothing]):
            both = Table.concat(tables)
            expected = [value for t in tables for value in t["x"].to_pylist()]
            assert both.types == some.types and both.nullables == [True]
            assert both["x"].to_pylist() == both["x"].combine().to_pylist() == expected
    assert Table.concat([nothing, nothing]).types == ["null"]


def test_chunks_are_joined_once_asked_for_and_that_is_counted():
    t = Table.concat([make(3), make(4)])
    assert t["n"].combine().chunks == 1 and t["n"].combine().to_pylist() == [0, 1, 2, 0, 1, 2, 3]
    before = t.copied_bytes
    assert memoryview(t["n"].data()).tolist() == [0, 1, 2, 0, 1, 2, 3]
    assert t.copied_bytes == before + 56
    cut = Table.concat([make(128).slice(0, 64), make(128).slice(64, 64)])
    one = make(128)
    neighbours = Table.concat([one.slice(0, 64), one.slice(64, 64)])
    assert neighbours["n"].data().address == one["n"].data().address and neighbours.copied_bytes == 0
    assert cut["n"].data().address != one["n"].data().address


def test_memory_is_writable_for_the_first_who_asks():
    t = make()
    first = t["n"].data()
    second = t["n"].data()
    assert not first.readonly and second.readonly and first.address == second.address
    memoryview(first)[0] = 42
    assert t["n"][0] == 42
    with pytest.raises(TypeError):
        memoryview(second)[0] = 1
    del first
    assert t["n"].data().readonly
    del second
    assert not t["n"].data().readonly


def test_memory_that_others_see_is_read_only():
    t = make()
    part = t.slice(0, 2)
    assert t["n"].data().readonly and part["n"].data().readonly
    del part
    stream = t.__arrow_c_stream__()
    assert t["n"].data().readonly
    del stream
    assert not t["n"].data().readonly
    assert Table.from_columns(["x"], [bytearray(4)])["x"].data().readonly


def test_buffers_keep_to_the_buffer_protocol():
    t = make()
    assert t["n"].data().__buffer__(0)[3] == 3
    buffer = t["f"].data()
    view = memoryview(buffer)
    assert (view.format, view.itemsize, view.shape, view.strides, view.ndim) == ("d", 8, (5,), (8,), 1)
    assert view.nbytes == buffer.nbytes == 40 and view.obj is buffer and len(buffer) == 5
    assert buffer.type == "f64" and ctypes.c_double.from_buffer(buffer).value == 0.0
    del buffer, t
    assert view[2] == 1.0  # the view holds the buffer, and that the memory


class PyBuffer(ctypes.Structure):
    _fields_ = (
        ("buf", ctypes.c_void_p),
        ("obj", ctypes.c_void_p),
        ("len", ctypes.c_ssize_t),
        ("itemsize", ctypes.c_ssize_t),
        ("readonly", ctypes.c_int),
        ("ndim", ctypes.c_int),
        ("format", ctypes.c_char_p),
        ("shape", ctypes.c_void_p),
        ("strides", ctypes.c_void_p),
        ("suboffsets", ctypes.c_void_p),
        ("internal", ctypes.c_void_p),
    )


def test_buffers_fill_in_what_was_asked_for_and_nothing_else():
    simple, writable, format_, nd, strides = 0, 1, 4, 8, 0x18
    get, release = ctypes.pythonapi.PyObject_GetBuffer, ctypes.pythonapi.PyBuffer_Release
    get.argtypes = [ctypes.py_object, ctypes.c_void_p, ctypes.c_int]
    release.argtypes = [ctypes.c_void_p]
    release.restype = None
    t = make()
    for flags in (simple, format_, nd, strides, format_ | strides):
        view = PyBuffer()
        get(t["n"].data(), ctypes.byref(view), flags)
        assert bool(view.format) == bool(flags & format_)
        assert bool(view.shape) == bool(flags & nd) and bool(view.strides) == (flags & strides == strides)
        release(ctypes.byref(view))
    first, second = t["n"].data(), t["n"].data()
    view = PyBuffer(obj=1)
    with pytest.raises(BufferError, match=r"read-only"):
        get(second, ctypes.byref(view), writable)
    assert view.obj is None
    get(first, ctypes.byref(view), writable)
    assert view.readonly == 0
    release(ctypes.byref(view))


def test_values_and_validity_of_each_row_are_bytes():
    t = make(70)
    assert bytes(t["b"].data()) == bytes([1, 0] * 35) and memoryview(t["b"].data()).format == "?"
    assert bytes(t["f"].valid()) == bytes([1, 0, 1] * 23 + [1])
    assert t["n"].valid() is None
    nulls = Table.from_columns(["x"], [[None] * 3])["x"]
    assert bytes(nulls.valid()) == bytes(3)
    with pytest.raises(ValueError, match=r'"s".*utf8'):
        t["s"].data()
    with pytest.raises(ValueError, match=r'"x".*null'):
        nulls.data()


def test_dlpack_shows_the_memory_and_says_what_it_cannot():
    np = pytest.importorskip("numpy")
    t = make()
    assert t["n"].__dlpack_device__() == t["n"].data().__dlpack_device__() == (1, 0)
    array = np.from_dlpack(t["n"])
    assert array.tolist() == [0, 1, 2, 3, 4] and array.flags.writeable
    with pytest.raises(BufferError, match=r"read-only"):
        t["n"].__dlpack__()  # legacy cannot say so
    shared = np.from_dlpack(t["n"])
    assert not shared.flags.writeable and shared.ctypes.data == array.ctypes.data
    copied = np.from_dlpack(t["n"], copy=True)
    assert copied.flags.writeable and copied.ctypes.data != array.ctypes.data
    del array, shared, copied
    assert np.from_dlpack(t["b"].data()).tolist() == [True, False, True, False, True]
    for column, what in (("f", "nulls"), ("s", "layout"), ("b", "layout")):
        with pytest.raises(BufferError, match=rf'"{column}".*{what}'):
            t[column].__dlpack__()
    for bad, error in (
        ({"stream": 1}, BufferError),
        ({"dl_device": (2, 0)}, BufferError),
        ({"max_version": 1}, TypeError),
    ):
        with pytest.raises(error):
            t["n"].__dlpack__(**bad)
    parts = Table.concat([t.select(["n"]), t.select(["n"])])
    with pytest.raises(BufferError, match=r"2 chunks"):
        parts["n"].__dlpack__(copy=False)
    assert len(np.from_dlpack(parts["n"])) == 10


def test_dlpack_capsules_may_be_dropped_or_used():
    t = make()
    for options in ({}, {"max_version": (1, 0)}, {"copy": True}, {"copy": True, "max_version": (1, 1)}):
        capsule = t["n"].__dlpack__(**options)
        assert f'"dltensor{"_versioned" * ("max_version" in options)}"' in repr(capsule)
    del capsule
    assert not t["n"].data().readonly


def test_values_that_python_has_no_object_for_are_errors_that_tell_them():
    np = pytest.importorskip("numpy")
    far = Table.from_columns(["when"], [np.array([10**12], "M8[s]")])["when"]
    with pytest.raises(ValueError, match=r'"when".*timestamp.*33658'):
        far.to_pylist()
    fine = Table.from_columns(["when"], [np.array([1_000_000_001], "M8[ns]")])["when"]
    with pytest.raises(ValueError, match=r'"when".*microseconds'):
        fine.to_pylist()
    assert fine.text(0) == "1970-01-01T00:00:01.000000001"
    whole = Table.from_columns(["when"], [np.array([1_000_000_000, -1000], "M8[ns]")])["when"]
    assert whole.to_pylist() == [
        dt.datetime(1970, 1, 1, 0, 0, 1),
        dt.datetime(1969, 12, 31, 23, 59, 59, 999999),
    ]


def test_text_of_a_value_is_what_csv_would_say():
    t = make()
    assert [t[c].text(0) for c in ("n", "f", "s", "b")] == ["0", "0.0", "text 0", "true"]
    assert t["f"].text(1) is None and t["f"].text(-2) == "1.5"
    assert Table.from_columns(["x"], [[None]])["x"].text(0) is None


def test_objects_come_only_from_the_extension():
    for cls in (_core.Table, _core.Column, _core.Buffer):
        with pytest.raises(TypeError):
            cls()
        with pytest.raises(TypeError):
            type("Sub", (cls,), {})()
        with pytest.raises((TypeError, AttributeError)):
            cls.anything = 1


def test_cycles_through_tables_are_collected():
    gc.collect()
    before = _core.live()
    t = make()
    if hasattr(t, "__dict__"):  # of the package's class
        t.itself, t.column = t, t["n"]
        t.column.table = t
    del t
    gc.collect()
    assert _core.live() == before


def test_the_package_says_which_classes_are_made():
    with pytest.raises(TypeError, match=r"table"):
        _core.configure(table=int)
    with pytest.raises(TypeError, match=r"error"):
        _core.configure(error=1)
    with pytest.raises(TypeError):
        _core.configure(1)


def test_functions_of_the_process_answer():
    assert _core.version().count(".") == 2 and _core.isa() in ("base", "avx2", "avx512")
    assert 0 <= _core.memory_used() <= _core.memory_peak()
    _core.memory_trim()
    with pytest.raises(ValueError):
        _core.memory_limit(-1)
    for name in ("from_columns", "slice", "__arrow_c_stream__"):
        assert inspect.signature(getattr(_core.Table, name))


def test_times_that_python_has_no_object_for_are_shown_as_text():
    np = pytest.importorskip("numpy")
    times = {"d": np.array([2**62, 1], "m8[s]"), "t": np.array([2**60, 0], "M8[s]")}
    table = mm.pipeline("mm.pipeline {}").run(times)
    assert "P53375995583650D" in repr(table)
    assert "P53375995583650D" in repr(table["d"])
    assert "+36534630048-05-13" in table._repr_html_()
