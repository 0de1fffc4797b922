"""Typed functions from Python: what goes in and out, what is refused, signals, threads, forks."""

import array
import ctypes
import gc
import inspect
import math
import multiprocessing
import os
import pickle
import signal
import subprocess
import sys
import textwrap
import threading
import time
import traceback

import numpy as np
import pytest

import moonmill as mm

TYPES = {
    "i8": np.int8,
    "i16": np.int16,
    "i32": np.int32,
    "i64": np.int64,
    "u8": np.uint8,
    "u16": np.uint16,
    "u32": np.uint32,
    "u64": np.uint64,
    "f32": np.float32,
    "f64": np.float64,
}


def module(entries, head=""):
    return mm.module(f"{head}\nreturn mm.module {{\n{textwrap.dedent(entries)}\n}}", name="spec.lua")


def identity(type_):
    return module(f"id = mm.fn('a: {type_} -> {type_.removeprefix('exact ')}', function(a) return a end)").id


def test_the_example_of_the_project_works(script):
    path = script(
        "functions.lua",
        """
local mm = require "moonmill"
return mm.module {
  add      = mm.fn("a: i32, b: f32 -> f32", function(a, b) return a + b end),
  brighten = mm.fn("pixels: mut u8[], by: f64 -> u8[]", function(v, by)
               for i = 0, #v - 1 do v[i] = mm.sat.u8(v[i] * by) end
               return v
             end),
}
""",
    )
    m = mm.load(path)
    assert m.add(1, 2.5) == 3.5
    image = np.array([[10, 100], [250, 0]], np.uint8)
    assert m.brighten(image, 1.2) is image
    assert image.tolist() == [[12, 120], [255, 0]]


def test_the_sample_module_of_the_project(flights):
    m = mm.load(flights.parents[1] / "brighten.lua")
    image = np.random.default_rng(1).integers(0, 256, 100_000, np.uint8)
    mean, contrast = m.light(image)
    assert math.isclose(mean, image.mean())
    assert math.isclose(contrast, image.std())
    assert (m.histogram(image) == np.bincount(image, minlength=256)).all()
    expected = np.minimum(image * 1.7, 255).astype(np.uint8)
    assert (m.brighten(image, 1.7) == expected).all()


class TestModule:
    m = staticmethod(
        lambda: module("""
        about = "Three of them",
        c = mm.fn("a: i32 -> i32  -- the same", function(a) return a end),
        a = mm.fn("x: f64?, v: mut u8[]? -> f64?, bool", function(x, v) return x, v == nil end),
        b = mm.fn("", function() end),
    """)
    )

    def test_is_a_mapping_of_functions_with_attributes(self):
        m = self.m()
        assert list(m) == ["c", "a", "b"]
        assert m.about == "Three of them"
        assert len(m) == 3
        assert "a" in m
        assert "d" not in m
        assert m["c"](3) == m.c(3) == m.functions["c"](a=3) == 3
        assert "c(a: i32) -> i32" in repr(m)
        with pytest.raises(AttributeError, match="has no 'cc'; did you mean 'c'"):
            m.cc  # noqa: B018
        with pytest.raises(KeyError):
            m["d"]

    def test_functions_tell_their_names_and_types(self):
        m = self.m()
        assert m.c.__name__ == m.c.__qualname__ == "c"
        assert m.c.__doc__ == "c(a: i32) -> i32\n\nthe same"
        assert m.c.signature == "a: i32 -> i32"
        assert repr(m.c) == "<moonmill function c(a: i32) -> i32>"
        assert str(inspect.signature(m.c)) == "(a: 'i32') -> 'i32'"
        assert str(inspect.signature(m.a)) == "(x: 'f64?' = None, v: 'mut u8[]?' = None) -> 'f64?, bool'"
        assert str(inspect.signature(m.b)) == "() -> None"

    def test_a_pipeline_is_no_module_and_the_other_way_round(self, script):
        with pytest.raises(mm.UsageError, match="returned a pipeline, not a module") as caught:
            mm.module("mm.pipeline {}")
        assert caught.value.hint == "moonmill.pipeline(text) takes it"
        with pytest.raises(mm.UsageError, match="returned a module, not a pipeline") as caught:
            mm.pipeline('mm.module { f = mm.fn("", function() end) }')
        assert caught.value.hint == "moonmill.module(text) takes it"

    def test_modules_of_the_script_are_found(self, script):
        script("lib.lua", "return { twice = function(x) return 2 * x end }")
        script("late.lua", "return 5")
        path = script(
            "m.lua",
            """
            local mm, lib = require "moonmill", require "lib"
            return mm.module {
              twice = mm.fn("x: f64 -> f64", function(x) return lib.twice(x) end),
              late = mm.fn("-> f64", function() return require "late" end),
            }""",
        )
        m = mm.load(path)
        assert m.twice(4) == 8
        assert pickle.loads(pickle.dumps(m)).twice(5) == 10

    def test_mistakes_of_the_signature_are_told_with_their_place(self):
        with pytest.raises(mm.UsageError) as caught:
            module('f = mm.fn("a: i33", function() end)')
        assert (caught.value.file, caught.value.line) == ("spec.lua", 3)
        assert "i32" in caught.value.hint


class TestCalls:
    def test_arguments_go_by_place_and_by_name(self):
        f = module(
            "f = mm.fn('a: f64, b: f64, c: f64? -> f64', function(a, b, c) return a - b + (c or 0) end)"
        ).f
        assert f(3, 1) == f(3, b=1) == f(a=3, b=1) == f(b=1, a=3) == 2
        assert f(3, 1, 10) == f(3, 1, c=10) == f(3, 1, None) + 10 == 12
        for wrong, message in [
            (lambda: f(1), "missing required argument 'b'"),
            (lambda: f(b=1), "missing required argument 'a'"),
            (lambda: f(1, 2, 3, 4), "takes 3 arguments but 4 were given"),
            (lambda: f(1, 2, d=3), "unexpected keyword argument 'd'"),
            (lambda: f(1, 2, b=3), "multiple values for argument 'b'"),
        ]:
            with pytest.raises(TypeError, match=message):
                wrong()

    def test_many_arguments_and_results(self):
        names = [f"a{i}" for i in range(40)]
        f = module(
            f"f = mm.fn('{', '.join(n + ': f64' for n in names)} -> {', '.join(['f64'] * 40)}', "
            f"function({', '.join(names)}) return {', '.join(names)} end)"
        ).f
        assert f(*range(40)) == tuple(range(40))
        assert f(**{n: i for i, n in enumerate(names)}) == tuple(range(40))

    def test_several_results_are_a_tuple_none_is_none(self):
        m = module("""
            none = mm.fn("", function() end),
            two = mm.fn("-> f64, utf8?", function() return 1, nil end),
        """)
        assert m.none() is None
        assert m.two() == (1.0, None)

    @pytest.mark.parametrize("name", [t for t in TYPES if t[0] in "iu"])
    def test_whole_numbers_keep_their_ends(self, name):
        f = identity(f"exact {name}" if name.endswith("64") else name)
        info = np.iinfo(TYPES[name])
        for value in (info.min, info.max, 0, 1, True, TYPES[name](7)):
            assert f(value) == int(value)
            assert type(f(value)) is int
        for value in (info.min - 1, info.max + 1, 10**30, -(10**30)):
            with pytest.raises(ValueError, match="does not fit"):
                f(value)
        for value in (1.0, "1", None, b"1", [1], np.float64(1)):
            with pytest.raises(TypeError, match=f"expected {name}"):
                f(value)

    def test_numbers_that_lua_cannot_hold_are_refused_unless_exact(self):
        f = identity("i64")
        assert f(2**53) == 2**53
        assert f(-(2**53)) == -(2**53)
        with pytest.raises(mm.UsageError, match="cannot hold exactly") as caught:
            f(2**53 + 1)
        assert "exact i64" in caught.value.hint
        assert caught.value.field == "a"

    def test_floats(self):
        f, g = identity("f64"), identity("f32")
        for value in (0.1, -0.0, 1e300, math.inf, -math.inf, 5, True, np.float32(0.5), np.int64(3)):
            assert f(value) == float(value)
        assert math.isnan(f(math.nan))
        assert math.copysign(1, f(-0.0)) == -1
        assert g(0.1) == np.float32(0.1)
        assert g(math.inf) == math.inf
        with pytest.raises(ValueError, match="does not fit f32"):
            g(1e300)
        for value in ("1", None, 1j, b"1"):
            with pytest.raises(TypeError, match="expected f64"):
                f(value)
        with pytest.raises(ValueError, match="does not fit"):
            f(10**400)

    def test_booleans_and_texts(self):
        f, g, h = identity("bool"), identity("utf8"), identity("binary")
        assert f(True) is True
        assert f(np.False_) is False
        for value in (1, None, "true"):
            with pytest.raises(TypeError, match="expected bool"):
                f(value)
        for value in ("", "a\0b", "Käse 🧀", "x" * 100_000):
            assert g(value) == value
        for value in (b"a", 1, None):
            with pytest.raises(TypeError, match="expected utf8"):
                g(value)
        with pytest.raises(mm.UsageError, match="id: a has half a surrogate pair"):
            g("\ud800")
        for value in (b"", b"\xff\0", bytearray(b"abc"), memoryview(b"abc"), array.array("B", b"abc")):
            assert h(value) == bytes(value)
        with pytest.raises(TypeError, match="expected binary"):
            h("text")

    def test_foreign_nan_bits_pass_as_scalars(self):
        f = module("f = mm.fn('x: f64 -> utf8', function(x) return type(x) .. tostring(-x) end)").f
        for high in range(0x7FF8, 0x8000):
            for sign in (0, 0x8000):
                bits = (high | sign) << 48 | 0x1234
                value = ctypes.c_double.from_buffer_copy(bits.to_bytes(8, "little")).value
                assert f(value).startswith("number")


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
        before = mm._core.memory_used()
        start = time.perf_counter()
        for _ in range(1000):
            assert m.f(data) is data
        assert time.perf_counter() - start < 5  # a copy of 8 MB a call would take longer
        assert mm._core.memory_used() <= before

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
        before = mm._core.memory_used()
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
        assert mm._core.memory_used() <= before

    @pytest.mark.skipif(os.environ.get("MOONMILL_LARGE") != "1", reason="needs 2 GiB: MOONMILL_LARGE=1")
    def test_more_than_2_to_31_values(self):
        m = module("f = mm.fn('v: mut u8[], i: f64 -> f64, u8', function(v, i) v[i] = 7 return #v, v[i] end)")
        data = np.zeros(2**31 + 5, np.uint8)
        assert m.f(data, 2**31 + 4) == (2**31 + 5, 7)
        assert data[-1] == 7


class TestErrors:
    def test_lua_lines_are_entries_of_the_traceback(self, script):
        path = script(
            "errors.lua",
            textwrap.dedent("""\
            local mm = require "moonmill"
            local function inner(a)
              error("too much: " .. a)
            end
            return mm.module {
              outer = mm.fn("a: f64", function(a)
                inner(a)
              end),
            }
            """),
        )
        m = mm.load(path)
        with pytest.raises(mm.ScriptError) as caught:
            m.outer(3)
        error = caught.value
        assert error.message == "too much: 3"
        assert (error.file, error.line) == (path, 3)
        assert [(frame["line"], frame["function"]) for frame in error.frames] == [
            (3, "inner"),
            (7, "outer"),
        ]
        text = "".join(traceback.format_exception(error))
        assert f'File "{path}", line 3, in inner' in text
        assert 'error("too much: " .. a)' in text
        again = pickle.loads(pickle.dumps(error))
        assert again.message == error.message
        assert again.frames == error.frames

    def test_wrong_results_are_told(self):
        m = module("""
            nil_ = mm.fn("-> f64", function() end),
            big = mm.fn("-> u8", function() return 256 end),
            table = mm.fn("-> f64[]", function() return { 1 } end),
            more = mm.fn("-> f64", function() return 1, 2 end),
            bytes = mm.fn("-> utf8", function() return "\\255" end),
        """)
        for name, message in [
            ("nil_", "is nil, expected f64"),
            ("big", "does not fit u8"),
            ("table", "is a table"),
            ("more", "returned 2 values"),
            ("bytes", "not valid UTF-8"),
        ]:
            with pytest.raises(mm.ScriptError, match=message) as caught:
                m[name]()
            assert caught.value.id == "bad-result"

    def test_a_recursion_without_end_is_an_error_of_the_script(self):
        m = module("""
            deep = mm.fn("", function()
              local function f() return 1 + f() end
              return f()
            end),
            fine = mm.fn("-> f64", function() return 1 end),
        """)
        with pytest.raises(mm.ScriptError, match="stack overflow") as caught:
            m.deep()
        assert caught.value.id == "script" and caught.value.line > 1
        assert m.fine() == 1

    def test_the_process_is_not_a_scripts_to_end(self):
        m = module("leave = mm.fn('', function() os.exit(7) end)")
        with pytest.raises(mm.ScriptError, match="cannot end the program"):
            m.leave()
        for make in (mm.pipeline, mm.module):
            with pytest.raises(mm.ScriptError, match="cannot end the program"):
                make("os.exit(7)")

    def test_state_is_kept_after_errors(self):
        m = module(
            """
            count = mm.fn("-> i32", function() n = n + 1 return n end),
            fail = mm.fn("", function() n = n + 1 error "no" end),
        """,
            "local n = 0",
        )
        assert m.count() == 1
        with pytest.raises(mm.ScriptError):
            m.fail()
        assert m.count() == 3

    def test_nothing_is_left_behind(self, no_leaks):
        m = module("f = mm.fn('v: f64[], s: utf8 -> f64[]', function(v, s) error(s) end)")
        data = np.zeros(10)
        count = sys.getrefcount(data)
        for _ in range(100):
            with pytest.raises(mm.ScriptError):
                m.f(data, "no")
            with pytest.raises(TypeError):
                m.f(data, 3)
        assert sys.getrefcount(data) == count
        del m
        gc.collect()


ENDLESS = """local n = 0 return mm.module {
    loop = mm.fn("", function() while true do end end),
    caught = mm.fn("", function() while true do pcall(function() while true do end end) end end),
    busy = mm.fn("v: mut f64[]", function(v) while true do for i = 0, #v - 1 do v[i] = v[i] + 1 end end end),
    threads = mm.fn("", function() coroutine.wrap(function() while true do end end)() end),
    count = mm.fn("-> i32", function() n = n + 1 return n end),
}"""


def run(code, timeout=30):
    text = f"import sys; sys.path[:0] = {sys.path!r}; ENDLESS = {ENDLESS!r}\n" + textwrap.dedent(code)
    return subprocess.run(
        [sys.executable, "-c", text], capture_output=True, text=True, timeout=timeout, check=False
    )


class TestInterrupts:
    @pytest.mark.parametrize(
        "call", ["loop()", "caught()", "busy(np.zeros(100_000))", "busy(np.zeros(3))", "threads()"]
    )
    def test_ctrl_c_ends_an_endless_loop_at_once(self, call):
        result = run(
            """
            import os, signal, threading, time
            import numpy as np
            import moonmill as mm
            m = mm.module(ENDLESS)
            assert m.count() == 1
            def strike():
                time.sleep(0.25)
                global at
                at = time.perf_counter()
                os.kill(os.getpid(), signal.SIGINT)
            for _ in range(2):
                threading.Thread(target=strike).start()
                try:
                    m.CALL
                except KeyboardInterrupt:
                    print("stopped", time.perf_counter() - at < 0.5)
                print(m.count())
        """.replace("CALL", call)
        )
        assert result.stderr == ""
        assert result.stdout.split() == ["stopped", "True", "1"] * 2

    def test_handlers_that_do_not_raise_let_the_call_go_on(self):
        result = run("""
            import signal
            import moonmill as mm
            seen = []
            signal.signal(signal.SIGALRM, lambda *_: seen.append(1))
            signal.setitimer(signal.ITIMER_REAL, 0.02, 0.02)
            m = mm.module('mm.module { f = mm.fn("-> f64", function() '
                          'local s = 0 for i = 1, 3e7 do s = s + i % 3 end return s end) }')
            result = m.f()
            signal.setitimer(signal.ITIMER_REAL, 0)
            print(result == 3e7, len(seen) > 2)
        """)
        assert result.stderr == ""
        assert result.stdout == "True True\n"

    def test_a_handler_may_not_call_the_module_that_is_running(self):
        result = run("""
            import signal
            import moonmill as mm
            m = mm.module('mm.module { f = mm.fn("", function() while true do end end), '
                          'g = mm.fn("-> f64", function() return 1 end) }')
            def handler(*_):
                try:
                    m.g()
                except mm.StateError as error:
                    raise SystemExit(f"refused: {error.id}")
            signal.signal(signal.SIGALRM, handler)
            signal.setitimer(signal.ITIMER_REAL, 0.05)
            m.f()
        """)
        assert "refused: busy" in result.stderr

    def test_a_thread_that_waits_for_a_module_can_be_stopped(self):
        result = run("""
            import os, signal, threading, time
            import moonmill as mm
            m = mm.module(ENDLESS)
            threading.Thread(target=m.loop, daemon=True).start()
            time.sleep(0.2)
            threading.Thread(target=lambda: (time.sleep(0.3), os.kill(os.getpid(), signal.SIGINT))).start()
            try:
                m.count()
            except KeyboardInterrupt:
                print("stopped")
        """)
        assert result.stdout == "stopped\n"
        assert result.returncode == 0


class TestThreads:
    def test_one_module_serves_many_threads(self):
        m = module(
            """
            add = mm.fn("n: f64 -> f64", function(n) sum = sum + n return sum end),
            scale = mm.fn("v: mut f64[], by: f64 -> f64[]", function(v, by)
              for i = 0, #v - 1 do v[i] = v[i] * by end
              return v
            end),
            text = mm.fn("s: utf8 -> utf8", function(s) return s .. "!" end),
        """,
            "local sum = 0",
        )
        failures = []

        def work(number):
            try:
                for k in range(300):
                    m.add(1)
                    data = np.full(5000 if k % 10 == 0 else 10, float(number))
                    assert m.scale(data, 2) is data
                    assert (data == number * 2).all()
                    assert m.text(str(k)) == f"{k}!"
            except BaseException as error:
                failures.append(error)

        threads = [threading.Thread(target=work, args=(i,)) for i in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert failures == []
        assert m.add(0) == 8 * 300

    def test_the_gil_is_given_up_in_long_calls(self):
        m = module("f = mm.fn('n: f64', function(n) local s = 0 for i = 1, n do s = s + i % 3 end end)")
        ticks = []
        done = threading.Event()

        def tick():
            while not done.is_set():
                ticks.append(time.perf_counter())
                time.sleep(0.001)

        thread = threading.Thread(target=tick)
        thread.start()
        start = time.perf_counter()
        m.f(3e7)
        stop = time.perf_counter()
        done.set()
        thread.join()
        assert sum(start < t < stop for t in ticks) > 10

    def test_it_works_in_a_pool_of_threads_of_asyncio(self):
        import asyncio

        m = module("f = mm.fn('n: f64 -> f64', function(n) return n * 2 end)")

        async def main():
            return await asyncio.gather(*(asyncio.to_thread(m.f, i) for i in range(50)))

        assert asyncio.run(main()) == [2.0 * i for i in range(50)]


COUNTER = "local n = 0 return mm.module { count = mm.fn('-> i32', function() n = n + 1 return n end) }"


class TestProcesses:
    def test_functions_and_modules_go_to_other_processes(self):
        m = mm.module("mm.module { twice = mm.fn('x: f64 -> f64', function(x) return 2 * x end) }")
        assert pickle.loads(pickle.dumps(m)).twice(3) == 6
        assert pickle.loads(pickle.dumps(m.twice))(3) == 6
        with multiprocessing.get_context("spawn").Pool(1) as pool:
            assert pool.map(m.twice, range(5)) == [0, 2, 4, 6, 8]

    @pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
    def test_a_forked_child_goes_on_with_an_idle_module(self):
        m = mm.module(COUNTER)
        assert m.count() == 1
        pid = os.fork()
        if pid == 0:
            os._exit(0 if (m.count(), m.count()) == (2, 3) else 1)
        assert os.waitpid(pid, 0)[1] == 0
        assert m.count() == 2

    def test_a_forked_child_begins_anew_where_the_module_was_in_use(self):
        result = run("""
            import os, sys, threading, time, warnings
            warnings.simplefilter("ignore")
            import moonmill as mm
            m = mm.module(ENDLESS)
            assert m.count() == 1
            threading.Thread(target=m.loop, daemon=True).start()
            time.sleep(0.2)
            pid = os.fork()
            if pid == 0:
                print(m.count(), m.count(), flush=True)
                os._exit(0)
            print(os.waitpid(pid, 0)[1], flush=True)
            os._exit(0)
        """)
        assert result.stdout == "1 2\n0\n"
        assert result.stderr == ""

    def test_the_interpreter_ends_while_a_daemon_thread_is_inside(self):
        result = run("""
            import threading, time
            import moonmill as mm
            m = mm.module(ENDLESS)
            threading.Thread(target=m.loop, daemon=True).start()
            time.sleep(0.1)
        """)
        assert result.returncode == 0
        assert result.stderr == ""

    def test_signals_are_for_the_threads_of_python(self):
        m = module("f = mm.fn('', function() end)")
        m.f()
        blocked = []
        for task in os.listdir("/proc/self/task"):
            with open(f"/proc/self/task/{task}/status") as status:
                fields = dict(line.split(":", 1) for line in status)
            if fields["Name"].strip() and task != str(os.getpid()):
                blocked.append(int(fields["SigBlk"], 16) >> (signal.SIGINT - 1) & 1)
        assert 1 in blocked
