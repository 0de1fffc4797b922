"""What goes wrong arrives as an exception of its kind, with its place, and travels between processes."""

import pickle
import traceback
import warnings

import programs
import pytest

import moonmill as mm
from moonmill import errors

CLEAN = """local mm = require "moonmill"
local function parse(row)
  return row.n.price * 2
end
local function transform(row)
  return parse(row) + 1
end
return mm.pipeline {} :map("a: f64", function(r)
  local a = transform(r)
  return a
end)
"""


def test_each_exit_code_has_a_class():
    codes = {
        cls.exit_code: cls
        for cls in mm.__dict__.values()
        if isinstance(cls, type) and issubclass(cls, mm.Error)
    }
    assert set(codes) >= {1, 2, 3, 4, 5, 6, 7, 8, 70, 130}
    assert issubclass(mm.DataError, ValueError)
    assert issubclass(mm.KindError, TypeError)
    assert issubclass(mm.FileError, OSError)
    assert issubclass(mm.JobTimeout, TimeoutError)
    assert issubclass(mm.MemoryLimitError, MemoryError)


def test_a_mistake_in_a_script_tells_its_place_and_a_hint():
    with pytest.raises(mm.UsageError) as caught:
        mm.pipeline(':where "dealy > 60"', name="late").run({"delay": [1]})
    error = caught.value
    assert (error.id, error.file, error.line, error.column) == ("unknown-column", "late", 1, 9)
    assert error.hint == 'did you mean "delay"?'
    assert str(error).splitlines()[0] == 'late:1:9: error[unknown-column]: there is no column "dealy"'
    assert "did you mean" in str(error)


def test_bad_data_tells_row_and_value():
    with pytest.raises(mm.DataError) as caught:
        mm.pipeline(':derive "b = u8(a)"', name="narrow").run({"a": [1, 2, 300, 4]})
    error = caught.value
    assert (error.id, error.row) == ("bad-cast", 3)
    assert "300" in str(error)
    assert error.file == "narrow"
    assert error.exit_code == 1


def test_lua_code_that_fails_has_its_lines_in_the_traceback(script):
    path = script("clean.lua", CLEAN)
    with pytest.raises(mm.ScriptError) as caught:
        mm.load(path).run({"n": [1, 2, 3]})
    entries = [
        (entry.filename, entry.lineno, entry.name)
        for entry in traceback.extract_tb(caught.value.__traceback__)
    ]
    assert (path, 3, "parse") in entries
    assert (path, 6, "transform") in entries
    assert entries.index((path, 6, "transform")) < entries.index((path, 3, "parse"))
    shown = "".join(traceback.format_exception(caught.value))
    assert f'File "{path}", line 3, in parse\n    return row.n.price * 2' in shown
    assert caught.value.row == 1


def test_the_lines_of_a_text_are_shown_too():
    with pytest.raises(mm.ScriptError) as caught:
        mm.pipeline(CLEAN).run({"n": [1]})
    assert "return parse(row) + 1" in "".join(traceback.format_exception(caught.value))


def test_a_script_that_fails_while_it_is_loaded():
    with pytest.raises(mm.ScriptError) as caught:
        mm.pipeline("local x = nil\nlocal y = x.z\nreturn mm.pipeline {}", name="broken")
    assert (caught.value.file, caught.value.line) == ("broken", 2)
    with pytest.raises(mm.ScriptError, match="broken:1"):
        mm.pipeline("this is not Lua", name="broken")


@pytest.mark.parametrize("cls", sorted(set(errors._classes.values()), key=lambda cls: cls.__name__))
def test_exceptions_travel_by_pickle(cls):
    error = cls(
        "what", id="some-id", hint="do", file="f.lua", line=3, column=4, row=5, field="a", value="x",
        script={"file": "s.lua", "line": 1}, frames=[{"file": "f.lua", "line": 3, "function": "g"}],
        others=(mm.DataError("more"),),
    )  # fmt: skip
    again = pickle.loads(pickle.dumps(error))
    assert type(again) is cls
    assert str(again) == str(error)
    assert errors.failure_of(again) == errors.failure_of(error)
    assert [str(other) for other in again.others] == [str(other) for other in error.others]


def test_a_traceback_goes_into_the_script_after_a_journey_too(script):
    with pytest.raises(mm.ScriptError) as caught:
        mm.load(script("clean.lua", CLEAN)).run({"n": [1]})
    again = pickle.loads(pickle.dumps(caught.value))
    assert "in parse" in "".join(traceback.format_exception(again))


def test_failures_of_an_unknown_kind_are_bugs():
    assert type(errors.from_json('[{"code": "new", "message": "m"}]')) is mm.InternalError
    assert type(errors.from_json("[]")) is mm.InternalError
    assert type(errors.from_json('{"code": "limit", "id": "timeout", "message": "m"}')) is mm.JobTimeout


def test_a_declared_type_that_the_data_does_not_have_names_the_column():
    with pytest.raises(mm.Error, match="a"):
        mm.pipeline('mm.pipeline { input = { "a: i64" } }').run({"a": ["text"]})
    with pytest.raises(mm.UsageError, match='did you mean "abc"'):
        mm.pipeline('mm.pipeline { input = { "abd: i64" } }').run({"abc": [1]})
    with pytest.raises(mm.DataError, match="null"):
        mm.pipeline('mm.pipeline { input = { "a: i64" } }').run({"a": [1, None]})


def test_the_first_row_wins_on_any_number_of_threads():
    np = pytest.importorskip("numpy")
    data = np.ones(400_000, "i8")
    data[[200_000, 350_000]] = 0
    for threads in (1, 2, 4):
        with pytest.raises(mm.DataError) as caught:
            mm.pipeline(':derive "value = 7 // value"').run(data, threads=threads)
        assert caught.value.row == 200_001


def test_a_timeout_stops_a_loop_that_never_ends():
    forever = mm.pipeline(':map("b: f64", function(r) while true do end end)')
    with pytest.raises(mm.JobTimeout) as caught:
        forever.run({"a": [1.0]}, timeout=0.2)
    assert caught.value.exit_code == 4


def test_the_memory_limit_is_an_exception():
    np = pytest.importorskip("numpy")
    from moonmill import _core

    _core.memory_limit(_core.memory_used() + (1 << 20))
    try:
        with pytest.raises(mm.MemoryLimitError):
            mm.pipeline(':derive "b = value * 2.5"').run(np.arange(4_000_000))
    finally:
        _core.memory_limit(0)
    assert len(mm.pipeline(':derive "b = value * 2.5"').run(np.arange(4_000_000))) == 4_000_000


def test_a_released_capsule_is_refused():
    pa = pytest.importorskip("pyarrow")

    class Once:
        capsule = pa.table({"a": [1]}).__arrow_c_stream__()

        def __arrow_c_stream__(self, requested_schema=None):
            return self.capsule

    source = Once()
    mm.pipeline("mm.pipeline {}").run(source)
    with pytest.raises((mm.Error, ValueError, TypeError)):
        mm.pipeline("mm.pipeline {}").run(source)


def test_ctrl_c_stops_a_row_function_that_loops_for_ever():
    program = """
import os, signal, threading, time
import moonmill as mm
threading.Timer(0.3, lambda: os.kill(os.getpid(), signal.SIGINT)).start()
try:
    mm.pipeline(':map("b: f64", function(r) while true do end end)').run({"a": [1.0]})
except KeyboardInterrupt:
    print("stopped")
print(mm.pipeline(':derive "b = a + 1"').run({"a": [1]})["b"].to_pylist())
"""
    assert programs.output(program, timeout=20).split("\n") == ["stopped", "[2]"]


def test_threads_must_be_a_number_of_threads(monkeypatch):
    pipeline = mm.pipeline(':where "a > 1"')
    with pytest.raises(ValueError, match="-1"):
        pipeline.run({"a": [1]}, threads=-1)
    monkeypatch.setenv("MOONMILL_THREADS", "two")
    with pytest.raises(ValueError, match="MOONMILL_THREADS"):
        pipeline.run({"a": [1]})


def test_no_warnings():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        mm.pipeline(':derive "b = a + 1"')({"a": [1, 2]})


ACTING = "\x1b[31m\0\x08\r\x7f\x85\u202e\u2066"


def raised(call):
    with pytest.raises(mm.Error) as caught:
        call()
    return caught.value


def test_control_characters_are_escaped_in_the_text_and_kept_in_the_fields():
    error = raised(lambda: mm.pipeline(':select "none"').run({"a" + ACTING.replace("\0", ""): [1]}))
    assert all(c.isprintable() or c == "\n" for c in str(error)) and "\\x1b" in str(error)
    name = "none" + ACTING.replace("\0", "").replace("[", "") + ".csv"  # [ is a pattern
    error = raised(lambda: mm.pipeline(":limit(1)").run(mm.files(name)))
    assert all(c.isprintable() or c == "\n" for c in str(error)) and error.filename == name
    error = raised(lambda: mm.pipeline('error("\\27\\0\\127")'))
    assert error.message == "\x1b\0\x7f" and "\\x1b\\x00\\x7f" in str(error)
    error = mm.DataError(ACTING, hint=ACTING, file=ACTING, script={"text": ACTING})
    assert all(c.isprintable() or c == "\n" for c in str(error))
    assert str(mm.DataError("日本\tä\n👩‍💻")) == "error[error]: 日本\tä\n👩‍💻"


def test_messages_are_cut():
    error = raised(lambda: mm.pipeline('error(("ä"):rep(5e5), 0)'))
    assert len(error.message.encode()) <= 400 and error.message.endswith("ä...")
    assert len(str(mm.DataError("x" * 10**6, hint="y" * 10**6))) < 1000


def test_names_of_functions_are_shown_escaped_in_tracebacks():
    made = errors.from_failures(
        [{"code": "script", "message": "m", "frames": [{"file": "a\0\x1b", "line": 1, "function": "f\x1b"}]}]
    )
    text = "".join(traceback.format_exception(type(made), made, made.__traceback__))
    assert "\x1b" not in text and "f\\x1b" in text


def test_what_row_functions_raise_is_never_an_internal_error():
    for raising in (
        "error()",
        "error {}",
        "error(setmetatable({}, { __tostring = function() return {} end }))",
    ):
        for code in (raising, f":map('y: i64', function(r) {raising} end)"):
            error = raised(lambda code=code: mm.pipeline(code).run({"a": [1]}))
            assert type(error) is mm.ScriptError


def test_a_code_point_that_is_no_character_is_named():
    np = pytest.importorskip("numpy")
    for code in (0x110000, 0xFFFFFFFF):
        data = {"name": np.array([97, code], "u4").view("U1")}
        error = raised(lambda data=data: mm.pipeline(":limit(1)").run(data))
        assert type(error) is mm.DataError and (error.id, error.field) == ("bad-utf8", "name")


@pytest.mark.parametrize("part", ["message", "hint", "file", "script"])
def test_messages_are_cut_whatever_is_long_in_them(part):
    long = "x" * 1_000_000
    fields = {"file": "f", "line": 1, "script": {"file": "s", "line": 1, "text": "t"}}
    if part == "script":
        fields["script"] = {"file": long, "line": 1, "text": long}
    elif part != "message":
        fields[part] = long
    error = mm.Error(long if part == "message" else "m", **fields)
    assert len(str(error)) < 6000
