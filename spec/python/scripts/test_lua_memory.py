"""Memory of scripts counts against the limit, and is a MemoryLimitError however it runs out."""

import pytest
from typed import module

import moonmill as mm

MIB = 1 << 20


@pytest.fixture
def limited():
    mm.memory.limit = mm.memory.used + 64 * MIB
    yield
    mm.memory.limit = None


GREEDY = {
    "a string": 'local s = ("x"):rep(400 * 2^20)',
    "a string that doubles": 'local s = "x" for i = 1, 40 do s = s .. s end',
    "a table": "local t = {} for i = 1, 3e7 do t[i] = i end",
    "a table of texts": 'local t = {} for i = 1, 3e7 do t["k" .. i] = i end',
    "functions": "local t = {} for i = 1, 3e7 do t[i] = function() return i end end",
    "coroutines": "local t = {} for i = 1, 3e6 do t[i] = coroutine.create(print) end",
    "dumps": "local t = {} for i = 1, 3e7 do t[i] = string.dump(function() return 'x', 0.5 end) .. i end",
    "a buffer": 'local b = require("string.buffer").new() for i = 1, 1e9 do b:put("some bytes of text") end',
}
OF_C = 'local c = require("ffi").new("char[?]", 400 * 2^20)'


def works():
    more = mm.pipeline(':map("x: i64", function(r) return r.a + 1 end)')
    assert more.run({"a": [1]})["x"].to_pylist() == [2]
    assert module('f = mm.fn("a: i64 -> i64", function(a) return a + 1 end)').f(1) == 2


@pytest.mark.parametrize("greedy", [*GREEDY.values(), OF_C], ids=[*GREEDY, "memory of C"])
class TestWhatIsGreedy:
    def test_as_a_script(self, greedy, limited):
        with pytest.raises(mm.MemoryLimitError, match="memory-limit"):
            mm.pipeline(f"{greedy} return mm.pipeline {{}} :limit(1)")
        works()

    def test_as_a_row_function(self, greedy, limited):
        if greedy is OF_C:
            pytest.skip("row functions have no ffi")
        with pytest.raises(mm.MemoryLimitError, match="memory-limit"):
            mm.pipeline(f':map("x: i64", function(r) {greedy} return 1 end)').run({"a": [1, 2, 3]})
        works()

    def test_as_a_module(self, greedy, limited):
        with pytest.raises(mm.MemoryLimitError, match="memory-limit"):
            module(
                'f = mm.fn("a: i64 -> i64", function(a) return a end)',
                head=f'local mm = require "moonmill" {greedy}',
            )
        works()

    def test_as_a_typed_function(self, greedy, limited):
        m = module(f'f = mm.fn("a: i64 -> i64", function(a) {greedy} return a end)')
        for _ in range(2):
            with pytest.raises(mm.MemoryLimitError, match="memory-limit"):
                m.f(1)
        works()


def test_garbage_is_collected_before_the_limit_is_reached(limited):
    pieces = 'local n = 0 for i = 1, 100 do n = n + #("x"):rep(10e6 + i) end'
    texts = 'local n = 0 for i = 1, 3e6 do n = n + #(i .. "abc") end'
    for source in (pieces, texts):
        result = mm.pipeline(f':map("x: i64", function(r) {source} return n end)').run({"a": [1, 2]})
        assert result["x"].to_pylist()[0] > 1e7
        assert mm.pipeline(f"{source} return mm.pipeline {{}} :limit(1)").run({"a": [1, 2]}).num_rows == 1


def test_what_a_script_holds_is_in_use_until_it_is_let_go():
    before = mm.memory.used
    m = module(
        'f = mm.fn("a: i64 -> i64", function(a) return #kept end)', head='local kept = ("x"):rep(20e6)'
    )
    assert m.f(1) == 20e6
    assert mm.memory.used >= before + 20 * 10**6
    del m
    mm.memory.trim()
    assert mm.memory.used < before + 10 * 10**6
