"""Where the system denies executable memory everything works, without the JIT, and one warning says so."""

import platform

import programs
import pytest

PREAMBLE = """
import ctypes, warnings
if ctypes.CDLL(None).prctl(65, 1, 0, 0, 0):  # PR_SET_MDWE, PR_MDWE_REFUSE_EXEC_GAIN
    print("unknown")
    raise SystemExit
import moonmill as mm
LOOP = ':map("x: f64", function(r) local s = 0 for i = 1, r.a do s = s + 1 end return s end)'
"""


def output(program):
    said = programs.output(PREAMBLE + program)
    if said == "unknown":
        pytest.skip(f"Linux {platform.release()} cannot deny executable memory to a process")
    return said


def test_scripts_row_functions_and_typed_functions_work():
    assert output("""
warnings.simplefilter("ignore")
print(mm.pipeline(LOOP).run({"a": [100.0, 2000.0]})["x"].to_pylist())
counts = "local n = 0 for i = 1, 1e5 do n = n + 1 end"
print(mm.pipeline(counts + " return mm.pipeline {} :limit(1)").run({"a": [1]}).num_rows)
adds = "local s = 0 for i = 1, n do s = s + i end return s"
m = mm.module('return mm.module { f = mm.fn("n: i64 -> f64", function(n) ' + adds + ' end) }')
print(m.f(1000))
""").splitlines() == ["[100.0, 2000.0]", "1", "500500.0"]


def test_one_warning_says_so():
    assert (
        output("""
with warnings.catch_warnings(record=True) as seen:
    warnings.simplefilter("always")
    for _ in range(3):
        mm.pipeline(LOOP).run({"a": [1.0]})
print([(w.category.__name__, str(w.message)) for w in seen])
""")
        == "[('RuntimeWarning', 'the system denies machine code, so scripts run without JIT, slower')]"
    )


def test_it_is_an_exception_where_warnings_are_errors_and_only_once():
    assert output("""
warnings.simplefilter("error")
try:
    mm.pipeline(LOOP)
except RuntimeWarning as warning:
    print("raised")
print(mm.pipeline(LOOP).run({"a": [4.0]})["x"].to_pylist())
""").splitlines() == ["raised", "[4.0]"]
