"""Typed functions from Python: modules and their values, calls with scalars, what is refused."""

import array
import ctypes
import inspect
import math
import pickle

import numpy as np
import pytest
from typed import TYPES, identity, module

import moonmill as mm


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
