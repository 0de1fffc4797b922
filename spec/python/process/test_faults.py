"""Allocations of the core fail, one after the other, below calls from Python: each is a MemoryError, no leak.

Each case is a program of its own: this file, run with the name of the case, puts the allocator of
spec/faults/ under the extension before the package is imported.
"""

import ctypes
import gc
import importlib.util
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
NEVER = 1 << 60
ROWS = 3000
CASES = {}
"""Makers of what is called again and again; it gives something that can be compared."""


def case(make):
    CASES[make.__name__] = make
    return make


@case
def values_of_python():
    data = {
        "a": list(range(ROWS)),
        "b": [0.5, None] * (ROWS // 2),
        "s": [f"text {i % 9}" for i in range(ROWS)],
    }
    pipeline = mm.pipeline(':derive { "c = a * 2", "d = s .. \'!\'" } :where "c > 10"')
    return lambda: pipeline.run(data).to_pydict()


@case
def arrays_of_numpy():
    data = {"a": np.arange(ROWS), "b": np.arange(ROWS)[::-1] * 0.5, "c": np.arange(ROWS) % 3 == 0}
    data["t"] = data["a"].astype("M8[us]")
    pipeline = mm.pipeline(':derive { "d = a + b", "e = t + seconds(1)" }')
    return lambda: [array.tolist() for array in pipeline.run(data).to_numpy().values()]


@case
def masked_arrays_and_lists_of_bytes():
    data = {
        "a": np.ma.masked_array(np.arange(ROWS), np.arange(ROWS) % 5 == 0),
        "b": [b"\xff", None] * (ROWS // 2),
    }
    pipeline = mm.pipeline(':derive "c = a + 1"')
    return lambda: pipeline.run(data).to_pydict()


@case
def memory_of_the_caller():
    pipeline = mm.pipeline('mm.pipeline { input = "f64" } :derive "value = value * 1"')
    values, out = np.arange(70_000.0), np.zeros(70_000)

    def call():
        pipeline.run(values, out=out, threads=2)
        return pipeline.run(out, out=out).num_rows, out.sum()

    return call


@case
def tables_of_arrow():
    pa = pytest.importorskip("pyarrow")
    table = pa.table(
        {
            "a": pa.chunked_array([[1, None, 3], list(range(ROWS - 3))]),
            "d": pa.array(["x", "yy", None] * (ROWS // 3)).dictionary_encode(),
            "s": pa.array(["text", None, ""] * (ROWS // 3), pa.large_utf8()),
            "v": pa.array(["a long text that is not in place", None, ""] * (ROWS // 3), pa.string_view()),
            "b": pa.array([True, None, False] * (ROWS // 3)),
        }
    ).slice(1)
    pipeline = mm.pipeline(':derive { "n = len(s) + len(v)", "both = a > 5 and b" }')
    return lambda: pipeline(table).to_pydict()


@case
def groups_and_orders():
    data = {"k": [f"key {i % 700}" for i in range(ROWS)], "a": np.arange(ROWS)}
    pipeline = mm.pipeline(
        ':group("k", { "n = count()", "m = mean(a)", "s = std(a)", "q = median(a)", "u = n_unique(a)" })'
        ':sort { "-m", "k" } :distinct { "k" } :limit(100)'
    )
    return lambda: pipeline.run(data, threads=2).to_pydict()


@case
def halves_of_a_pipeline():
    pipeline = mm.pipeline(':group("k", { "n = count()", "m = mean(a)" })')
    partial, merge = pipeline.partial(), pipeline.merge()
    data = {"k": [i % 7 for i in range(ROWS)], "a": [i * 0.5 for i in range(ROWS)]}
    return lambda: merge.run(iter([partial.run(data), partial.run(data)])).to_pydict()


@case
def row_functions():
    pipeline = mm.pipeline(
        ':map("b: f64", function(r) return r.a > 5 and r.a * 2 or 0 end)'
        ':map("s: utf8", function(r) local s = "" for i = 1, r.a % 4 do s = s .. i end return s end)'
    )
    data = {"a": np.arange(ROWS)}
    return lambda: pipeline.run(data).to_pydict()


@case
def typed_functions():
    module = mm.module("""
      return mm.module {
        fill = mm.fn("n: i32 -> f64[], utf8", function(n)
          local out = mm.array("f64", n)
          for i = 0, n - 1 do out[i] = i end
          return out, ("x"):rep(n % 50)
        end),
        sum = mm.fn("v: f64[], name: utf8, k: exact i64 -> f64, i64", function(v, name, k)
          local s = #name
          for i = 0, #v - 1 do s = s + v[i] end
          return s, k + 1
        end),
      }
    """)

    def call():
        made, text = module.fill(500)
        return np.asarray(made).tolist(), text, module.sum(made, "name", 2**60)

    return call


@case
def the_store():
    weights = np.arange(ROWS) * 0.5
    pipeline = mm.pipeline(':map("b: f64", function(r) return mm.store.get("weights")[r.a] end)')
    data = {"a": np.arange(100)}

    def call():
        mm.store["weights"] = weights
        mm.store["names"] = ["x", None, "y"]
        try:
            return pipeline.run(data)["b"].to_pylist(), mm.store["names"].to_pylist(), len(repr(mm.store))
        finally:
            mm.store.clear()

    return call


@case
def jobs_in_the_background():
    pipeline = mm.pipeline(':derive "b = a * 2" :where "b % 3 == 0"')
    data = {"a": np.arange(150_000)}

    def call():
        with pipeline.submit(data, threads=2) as job:
            return job.result(30)["b"].to_numpy().sum()

    return call


@case
def pieces_of_a_stream():
    pipeline = mm.pipeline(':derive "b = a + 1"')
    data = {"a": np.arange(2000)}
    return lambda: [piece["b"].to_pylist() for piece in pipeline.stream(data, rows=500)]


@case
def ways_out():
    pa = pytest.importorskip("pyarrow")
    made = mm.pipeline(':derive { "b = a * 0.5", "s = utf8(a)", "n = if(a % 2 == 0, a, null)" }')
    table = made.run({"a": np.arange(ROWS)})

    def call():
        both = type(table).concat([table, table.slice(5, 70).copy()])
        return (
            pa.table(both).num_rows,
            pa.array(table["s"]).to_pylist()[7],
            np.from_dlpack(table["b"])[3],
            memoryview(table["a"].data())[2],
            table["n"].to_pylist()[:3],
            table["s"].text(4),
            len(repr(both)),
            both["b"].to_numpy().sum(),
            bytes(table["n"].valid())[:2],
        )

    return call


@case
def files_in_and_out():
    folder = Path(sys.argv[3])
    (folder / "in.csv").write_text("a,s\n" + "".join(f"{i},text {i % 5}\n" for i in range(ROWS)))
    pipeline = mm.pipeline('mm.pipeline { input = { "a: i64", "s: utf8" } } :where "a % 2 == 0"')

    def call():
        done = pipeline.run_files(folder / "in.csv", to=folder / "out").check()
        return done.rows, pipeline.run(folder / "in.csv")["s"].to_pylist()

    return call


@case
def scripts_and_plans():
    turns = iter(range(NEVER))

    def call():  # a new text each time
        pipeline = mm.pipeline(
            f'mm.pipeline {{ params = {{ "p: i64 = {next(turns)}" }} }} :derive "b = a + p.p * 0"'
        )
        return (
            pipeline.run({"a": [1, 2]}, p=7).to_pydict(),
            pipeline.output_schema({"a": "i64"}).names,
            len(pipeline.explain({"a": "i64"})),
        )

    return call


@case
def failures_of_rows():
    broken = mm.pipeline(':derive "b = 1 // (a - 2990)"')
    loop = mm.pipeline(
        ':map("b: f64", function(r) for i = 1, 2 do if r.a > 9 then error("too much") end end return 1 end)'
    )
    data = {"a": np.arange(ROWS)}

    def call():
        found = []
        for pipeline in (broken, loop):
            try:
                pipeline.run(data)
            except (mm.DataError, mm.ScriptError) as error:  # noqa: PERF203
                found.append((error.id, error.row))  # its place in the script may be left out
        return found

    return call


# ---- The program ----


def load(path):
    """The allocator, under an extension that has not allocated yet."""
    faults = ctypes.CDLL(path)
    faults.faults_allocator.argtypes = [ctypes.c_int64, ctypes.c_int64]
    faults.faults_allocator.restype = ctypes.c_void_p
    faults.faults_calls.restype = ctypes.c_int64
    home = Path(importlib.util.find_spec("moonmill").submodule_search_locations[0])
    core = ctypes.CDLL(str(home / f"_core{sysconfig.get_config_var('EXT_SUFFIX')}"))
    core.mm_set_allocator(ctypes.c_void_p(faults.faults_allocator(NEVER, 0)))
    return faults, core


def attempt(call, faults, core, first, count):
    """What the call gives when `count` allocations fail, None if it raised; how many allocations it made."""
    core.mm_memory_trim()  # what is kept for the next one is not allocated
    faults.faults_allocator(first, count)
    try:
        result = call()
    except MemoryError:
        result = None
    finally:
        calls = faults.faults_calls()
        faults.faults_allocator(NEVER, 0)
    return result, calls


def held():
    gc.collect()
    mm.memory.trim()  # scripts are kept, with their plans
    counts = _core.live()
    return counts, _core.memory_used() - _core.memory_reserved()


# What plans hold waits for Lua's collector.
SLACK = {"scripts_and_plans": 16 << 20}


def sweep(name, faults, core):
    call = CASES[name]()
    for _ in range(3):
        want = call()
    before = held()
    refused = 0
    for count in (2, NEVER):  # the core asks twice before it gives up
        first, calls = 0, 1
        while calls >= first:
            first += 1 + first // 20
            result, calls = attempt(call, faults, core, first, count)
            assert result is None or result == want, (first, count, result)
            refused += result is None
            assert call() == want, (first, count)
        assert result == want
    after = held()
    assert after[0] == before[0] and after[1] <= before[1] + SLACK.get(name, 0), (before, after)
    return refused


def main():
    global mm, np, _core
    faults, core = load(sys.argv[1])
    import numpy as np

    import moonmill as mm
    from moonmill import _core

    print(sweep(sys.argv[2], faults, core))


# ---- The specs ----


@pytest.fixture(scope="module")
def library(tmp_path_factory):
    path = tmp_path_factory.mktemp("faults") / "faults.so"
    command = [
        "gcc",
        "-std=gnu11",
        "-shared",
        "-fPIC",
        f"-I{ROOT}/core",
        "-o",
        path,
        ROOT / "spec/faults/faults.c",
    ]
    try:
        subprocess.run(command, check=True, capture_output=True)
    except FileNotFoundError:
        pytest.skip("there is no gcc")
    return path


@pytest.mark.parametrize("name", CASES)
def test_an_allocation_that_fails_is_a_memory_error_that_leaves_nothing_behind(name, library, tmp_path):
    pytest.importorskip("numpy")
    command = [sys.executable, "-X", "faulthandler", __file__, library, name, tmp_path]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) > 1  # so many calls were refused


if __name__ == "__main__":
    main()
