"""What goes wrong in typed functions, and how it is told."""

import gc
import pickle
import sys
import textwrap
import traceback

import numpy as np
import pytest
from typed import module

import moonmill as mm


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
