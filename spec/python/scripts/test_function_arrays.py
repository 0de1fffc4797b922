"""Arrays of typed functions: borrowed, checked, made, given back."""

import array
import ctypes
import gc
import math
import os
import time

import numpy as np
import pytest
from typed import TYPES, module

import moonmill as mm


def core_bytes():
    """What the core holds, without Lua states: the collector of Lua works when it likes."""
    return mm._core.memory_used() - mm._core.memory_reserved()


class TestArrays:
    @pytest.mark.parametrize("name", TYPES)
    def test_every_type_is_read_and_written_in_place(self, name):
        m = module(f"""
            change = mm.fn("v: mut {name}[] -> {name}[]", function(v)
              for i = 0, #v - 1 do v[i] = v[i] + 1 end
              return v
            end),
            new = mm.fn("v: {name}[] -> {name}[], i64", function(v)
              local out = mm.array("{name}", #v)
              for i = 0, #v - 1 do out[i] = v[i] end
              return out, #v
            end),
        """)
        for n in (0, 1, 63, 1000):
            data = np.arange(n).astype(TYPES[name]) % 100
            before = data.copy()
            out, count = m.new(data)
            assert count == n
            assert isinstance(out, np.ndarray)
            assert out.dtype == data.dtype
            assert out.flags.writeable
            assert (out == before).all()
            assert m.change(data) is data
            assert (data == before + 1).all()

    def test_booleans(self):
        m = module("""
            flip = mm.fn("v: mut bool[]", function(v) for i = 0, #v - 1 do v[i] = not v[i] end end),
            new = mm.fn("v: bool[] -> bool[]", function(v) return mm.array("bool", { true, false }) end),
        """)
        data = np.array([True, False, True])
        m.flip(data)
        assert data.tolist() == [False, True, False]
        assert m.new(data).dtype == np.bool_

    def test_any_buffer_of_the_type_is_taken(self):
        total = module("""f = mm.fn("v: u8[] -> i64", function(v)
            local sum = 0
            for i = 0, #v - 1 do sum = sum + v[i] end
            return sum
        end)""").f
        for data in (
            b"\1\2\3",
            bytearray(b"\1\2\3"),
            memoryview(b"\1\2\3"),
            array.array("B", [1, 2, 3]),
            (ctypes.c_uint8 * 3)(1, 2, 3),
            np.array([[1, 2, 3]], np.uint8),
        ):
            assert total(data) == 6

    def test_a_new_array_is_a_buffer_where_no_argument_is_of_numpy(self):
        new = module("f = mm.fn('n: i64 -> f64[]', function(n) return mm.array('f64', n) end)").f
        result = new(5)
        assert isinstance(result, mm.Buffer)
        assert not result.readonly
        assert memoryview(result).tolist() == [0.0] * 5
        assert np.asarray(result).shape == (5,)

    def test_memory_is_borrowed_not_copied(self):
        m = module("f = mm.fn('v: f64[] -> f64[]', function(v) return v end)")
        data = np.zeros(1_000_000)
        before = core_bytes()
        start = time.perf_counter()
        for _ in range(1000):
            assert m.f(data) is data
        assert time.perf_counter() - start < 5  # a copy of 8 MB a call would take longer
        assert core_bytes() <= before

    @pytest.mark.parametrize(
        ("data", "error", "message"),
        [
            (np.zeros(3, np.float32), TypeError, r"v is numpy.ndarray of float32, expected f64\[\]"),
            (np.zeros(3, np.int64), TypeError, "numpy.ndarray of int64"),
            (np.zeros(3, np.complex128), TypeError, "complex128"),
            (np.zeros(3, object), TypeError, "object"),
            (np.zeros(3, "M8[s]"), TypeError, "datetime64"),
            (np.zeros(6)[::2], ValueError, "do not lie one after the other"),
            (np.zeros((2, 3)).T, ValueError, "do not lie one after the other"),
            (np.zeros(3, ">f8"), ValueError, "other order"),
            (np.zeros(25, np.uint8)[1:].view(np.float64), ValueError, "not aligned"),
            (b"12345678", TypeError, "of format"),
            ([1.0, 2.0], TypeError, "list"),
            (None, TypeError, "NoneType"),
            (3.0, TypeError, "float"),
        ],
    )
    def test_what_is_refused(self, data, error, message):
        f = module("f = mm.fn('v: f64[]', function(v) end)").f
        with pytest.raises(error, match=message) as caught:
            f(data)
        assert caught.value.field == "v"
        assert str(caught.value).startswith("error[")
        assert "f: v" in caught.value.message

    def test_the_hint_tells_how_to_convert(self):
        f = module("f = mm.fn('v: f64[]', function(v) end)").f
        with pytest.raises(TypeError) as caught:
            f(np.zeros(3, np.int32))
        assert caught.value.hint == 'pass array.astype("float64")'

    def test_the_hint_tells_how_to_get_at_values(self):
        f = module("f = mm.fn('v: f64[]', function(v) end)").f
        for library, make in (("pandas", "Series"), ("polars", "Series")):
            series = getattr(pytest.importorskip(library), make)([1.0])
            with pytest.raises(TypeError) as caught:
                f(series)
            assert caught.value.hint == "pass its to_numpy()"

    def test_masked_values_are_not_taken_for_values(self):
        m = module("""
            sum = mm.fn("v: f64[] -> f64", function(v) return v[0] + v[1] end),
            put = mm.fn("v: mut f64[]", function(v) v[0] = 7 end),
        """)
        data = np.ma.array([1.0, 2.0], mask=[0, 1])
        for f in (m.sum, m.put):
            with pytest.raises(mm.UsageError, match="v has masked values") as caught:
                f(data)
            assert "filled" in caught.value.hint
        assert m.sum(np.ma.array([1.0, 2.0])) == m.sum(data.data) == 3

    def test_mut_wants_memory_that_can_be_written_and_others_are_read_only(self):
        m = module("""
            put = mm.fn("v: mut u8[]", function(v) v[0] = 7 end),
            try = mm.fn("v: u8[]", function(v) v[0] = 7 end),
        """)
        frozen = np.zeros(3, np.uint8)
        frozen.flags.writeable = False
        for data in (b"abc", frozen, memoryview(b"abc")):
            with pytest.raises(ValueError, match="cannot be written"):
                m.put(data)
        data = bytearray(3)
        with pytest.raises(mm.ScriptError, match="read-only") as caught:
            m["try"](data)
        assert caught.value.id == "read-only"
        assert data == bytearray(3)
        m.put(data)
        assert data == b"\7\0\0"
        data.append(1)  # nobody holds it any more

    def test_bounds_are_checked(self):
        m = module("at = mm.fn('v: f64[], i: f64 -> f64', function(v, i) return v[i] end)")
        data = np.arange(3.0)
        assert m.at(data, 2) == 2
        for i in (-1, 3, 2**31, 2**40, 0.5, math.nan, math.inf):
            with pytest.raises(mm.ScriptError) as caught:
                m.at(data, i)
            assert caught.value.id == "bad-index"
            assert caught.value.line == 3

    def test_an_array_is_of_no_use_after_its_call(self):
        m = module(
            """
            keep = mm.fn("v: f64[]", function(v) kept = v end),
            look = mm.fn("-> f64", function() return kept[0] end),
        """,
            "local kept",
        )
        m.keep(np.ones(3))
        gc.collect()
        with pytest.raises(mm.ScriptError, match="belonged to a call that has returned"):
            m.look()

    def test_arrays_of_different_types_may_not_share_memory_that_is_written(self):
        m = module(
            "f = mm.fn('a: mut f64[], b: u8[]', function(a, b) end), "
            "g = mm.fn('a: mut u8[], b: u8[] -> u8[]', function(a, b) a[0] = 9 return b end)"
        )
        data = np.zeros(4)
        with pytest.raises(ValueError, match="share memory"):
            m.f(data, data.view(np.uint8))
        m.f(data, np.zeros(4, np.uint8))
        same = np.zeros(4, np.uint8)
        assert m.g(same, same)[0] == 9

    @pytest.mark.parametrize("name", ["f32", "f64"])
    def test_foreign_nan_bits_are_plain_nans(self, name, rng):
        bits = np.dtype({"f32": np.uint32, "f64": np.uint64}[name])
        exponent = 0x7F800000 if name == "f32" else 0x7FF0000000000000
        count = 4000
        words = np.array([rng.getrandbits(bits.itemsize * 8) | exponent for _ in range(count)], bits)
        m = module(f"""f = mm.fn("v: {name}[] -> i64", function(v)
            local nans, kept = 0, {{}}
            for i = 0, #v - 1 do
              local x = v[i]
              if type(x) ~= "number" then error "no number" end
              if x ~= x then nans = nans + 1 end
              kept[i] = -x
            end
            collectgarbage()
            return nans
        end)""")
        values = words.view(TYPES[name])
        for _ in range(10):
            assert m.f(values) == np.isnan(values).sum()

    def test_results_own_their_memory(self, no_leaks):
        before = core_bytes()
        m = module(
            "f = mm.fn('v: u8[], n: i64 -> f64[], f64[]', function(v, n) "
            "local a = mm.array('f64', n) a[0] = 5 return a, a end)"
        )
        a, b = m.f(np.zeros(1, np.uint8), 100_000)
        assert a.ctypes.data == b.ctypes.data
        assert not a.flags.writeable
        c = m.f(b"", 10)[0]
        del m
        gc.collect()
        assert a[0] == 5
        assert memoryview(c)[0] == 5
        del a, b, c
        gc.collect()
        assert core_bytes() <= before

    @pytest.mark.skipif(os.environ.get("MOONMILL_LARGE") != "1", reason="needs 2 GiB: MOONMILL_LARGE=1")
    def test_more_than_2_to_31_values(self):
        m = module("f = mm.fn('v: mut u8[], i: f64 -> f64, u8', function(v, i) v[i] = 7 return #v, v[i] end)")
        data = np.zeros(2**31 + 5, np.uint8)
        assert m.f(data, 2**31 + 4) == (2**31 + 5, 7)
        assert data[-1] == 7
