"""Results written to memory of the caller: `out=`."""

import array
import datetime
from multiprocessing import shared_memory

import pytest
from addresses import of_column as address

import moonmill as mm

np = pytest.importorskip("numpy")


SIZES = [0, 1, 63, 64, 65, 1023, 1024, 1025, 65535, 65536, 65537, 200_000]
IDENTITY = mm.pipeline('mm.pipeline { input = "f64" }')
DOUBLE = mm.pipeline(':derive "value = value * 2"')
HALF = mm.pipeline('mm.pipeline { input = "f64" } :derive "value = value / 2"')


@pytest.mark.parametrize("rows", SIZES)
def test_out_is_written_to(rows, no_leaks):
    values, out = np.arange(rows, dtype=np.float64), np.full(rows, -1.0)
    table = HALF.run(values, out=out)
    assert np.array_equal(out, values / 2)
    assert rows == 0 or address(table["value"]) == out.ctypes.data
    assert np.array_equal(values, np.arange(rows))


def test_out_may_be_the_input(no_leaks):
    values = np.arange(200_000.0)
    table = HALF.run(values, out=values)
    assert np.array_equal(values, np.arange(200_000.0) / 2)
    assert address(table["value"]) == values.ctypes.data
    IDENTITY.run(values, out=values)
    assert np.array_equal(values, np.arange(200_000.0) / 2)


@pytest.mark.parametrize(
    "make", [bytearray, lambda n: array.array("B", bytes(n)), lambda n: memoryview(bytearray(n))]
)
def test_out_is_any_writable_buffer(make, no_leaks):
    out = make(1000)
    mm.pipeline('mm.pipeline { input = "u8" } :derive "value = wrap.u8(value + 1)"').run(
        bytes(range(250)) * 4, out=out
    )
    assert bytes(out) == bytes(range(1, 251)) * 4


def test_out_of_some_columns_leaves_the_others_as_they_are(no_leaks):
    data = {"a": np.arange(1000.0), "b": np.arange(1000)}
    out = np.zeros(1000, dtype=bool)
    table = mm.pipeline(':derive { "c = a * 2", "big = a > 500" }').run(data, out={"big": out})
    assert out.sum() == 499
    assert table["big"].to_pylist() == out.tolist()
    assert address(table["b"]) == data["b"].ctypes.data
    assert table["c"].to_pylist()[-1] == 1998.0


def test_out_takes_times_as_numpy_has_them(no_leaks):
    days = np.array(["2013-01-01", "2013-06-30"], dtype="datetime64[us]")
    out = np.zeros(2, dtype="datetime64[us]")
    mm.pipeline(':derive "t = t + days(1)" :select "t"').run({"t": days}, out=out)
    assert out.tolist() == [datetime.datetime(2013, 1, 2), datetime.datetime(2013, 7, 1)]


@pytest.mark.parametrize(
    ("text", "out", "message"),
    [
        ('"value = value / 2"', lambda v: np.zeros(len(v), dtype=np.float32), "f32"),
        ('"value = value / 2"', lambda v: np.zeros(len(v) - 1), "values"),
        ('"value = value / 2"', lambda v: bytes(8 * len(v)), "written"),
        ('"value = value / 2"', lambda v: np.zeros(2 * len(v))[::2], "contiguous"),
        ('"value = utf8(value)"', lambda v: np.zeros(len(v)), "no fixed width"),
    ],
)
def test_out_that_does_not_fit_is_refused(text, out, message, no_leaks):
    values = np.arange(100.0)
    with pytest.raises((mm.Error, ValueError, TypeError, BufferError), match=message):
        mm.pipeline(f'mm.pipeline {{ input = "f64" }} :derive {text}').run(values, out=out(values))


def test_out_is_refused_where_rows_are_not_kept(no_leaks):
    for stage in (':where "value > 1"', ':sort "value"', ":limit(3)", ':group({}, "value = sum(value)")'):
        with pytest.raises(mm.UsageError, match="does not keep all rows"):
            mm.pipeline('mm.pipeline { input = "f64" } ' + stage).run(np.arange(5.0), out=np.zeros(5))


def test_out_that_overlaps_in_part_is_refused(no_leaks):
    memory = np.arange(1001.0)
    with pytest.raises(mm.UsageError, match="overlaps"):
        HALF.run(memory[:1000], out=memory[1:])
    two = {"a": memory[:500], "b": memory[500:1000]}
    both = mm.pipeline(':select { "a = a * 2", "b = b * 2" }')
    with pytest.raises(mm.UsageError, match="overlaps"):
        both.run(two, out=[memory[250:750], None])
    with pytest.raises(mm.UsageError, match="overlaps"):
        both.run(two, out=[np.zeros(500), memory[499:999]])
    room = np.zeros(750)
    with pytest.raises(mm.UsageError, match="overlaps that for"):
        both.run(two, out=[room[:500], room[250:]])
    with pytest.raises(mm.UsageError, match="still shows"):
        mm.pipeline(':derive "c = a + b"').run(two, out={"c": memory[:500]})
    assert np.array_equal(memory, np.arange(1001.0))


def test_a_null_has_no_place_in_out(no_leaks):
    with pytest.raises(mm.DataError, match="no place for nulls") as caught:
        mm.pipeline(':derive "b = a + 1" :select "b"').run(
            {"a": [1, None, 3]}, out=np.zeros(3, dtype=np.int64)
        )
    assert caught.value.row == 2


def test_a_failure_in_place_leaves_rows_old_or_new(no_leaks):
    values = np.arange(100_000)
    values[70_000] = 2**62
    before = values.copy()
    with pytest.raises(mm.DataError, match="overflow"):
        mm.pipeline('mm.pipeline { input = "i64" } :derive "value = value * 2"').run(values, out=values)
    changed = values != before
    assert np.array_equal(values[changed], before[changed] * 2)
    assert not changed[70_000]


def test_out_may_be_shared_memory():
    memory = shared_memory.SharedMemory(create=True, size=8)
    try:
        bytes_in = np.arange(8, dtype="u1")
        mm.pipeline(':derive "value = wrap.u8(value * 2)"').run(bytes_in, out=memory)
        assert bytes(memory.buf[:8]) == bytes(range(0, 16, 2))
    finally:
        memory.close()
        memory.unlink()


def test_out_that_is_masked_is_refused():
    data = np.ma.array([1.0, 2.0], mask=[0, 1])
    with pytest.raises(mm.UsageError, match="out has masked values"):
        DOUBLE.run(np.arange(2.0), out=data)
    plain = np.ma.zeros(2)
    DOUBLE.run(np.arange(2.0), out=plain)
    assert plain.tolist() == [0, 2]


def test_out_of_any_shape_lies_in_the_order_of_c():
    out = np.zeros((2, 2))
    DOUBLE.run(np.arange(4.0), out=out)
    assert out.tolist() == [[0, 2], [4, 6]]
    with pytest.raises(mm.UsageError, match="do not lie one after the other"):
        DOUBLE.run(np.arange(4.0), out=np.zeros((2, 2), order="F"))


class TestOut:
    def test_a_single_column_is_written_into_an_array(self):
        source, target = np.arange(1000.0), np.zeros(1000)
        mm.pipeline(':derive "value = value * 2"').run(source, out=target)
        assert (target == source * 2).all()

    def test_work_is_done_in_place_when_out_is_the_input(self):
        pixels = np.arange(256, dtype="u1").reshape(16, 16)
        expected = pixels + 1
        mm.pipeline('mm.pipeline { input = "u8" } :derive { "value = wrap.u8(value + 1)" }').run(
            pixels, out=pixels
        )
        assert (pixels == expected).all()

    def test_out_may_be_a_dict_or_a_list(self):
        a, b = np.arange(5), np.zeros(5)
        pipeline = mm.pipeline(':derive "b = a / 2"')
        pipeline.run({"a": a}, out={"b": b})
        assert b.tolist() == [0, 0.5, 1, 1.5, 2]
        b[:] = 0
        pipeline.run({"a": a}, out=[None, b])
        assert b[4] == 2

    def test_out_that_does_not_fit_is_refused(self):
        pipeline = mm.pipeline(':derive "value = value / 2"')
        data = np.arange(5)
        for out in (np.zeros(4), np.zeros(5, "f4"), np.zeros(10)[::2], bytes(40)):
            with pytest.raises((mm.UsageError, BufferError, ValueError, TypeError)):
                pipeline.run(data, out=out)
        with pytest.raises(mm.UsageError, match="no column"):
            pipeline.run(data, out={"x": np.zeros(5)})
        with pytest.raises(mm.UsageError, match="2 buffers"):
            pipeline.run(data, out=[None, None])
        with pytest.raises(mm.Error):
            mm.pipeline(':where "value > 2"').run(data, out=np.zeros(5, "i8"))
