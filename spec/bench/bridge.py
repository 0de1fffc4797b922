"""The benchmark's cases of the Python package: arrays of numpy in, beside numpy, numba, numexpr, polars and
lupa.

All run in this process, on the same arrays. numba, numexpr and lupa are loaded by the cases that need
them; numba compiles before the clock starts.
"""

import os
import timeit

import numpy as np
import polars as pl
from turns import in_turns, row, timed

HERE = os.path.dirname(os.path.abspath(__file__))
BYTES = 980 << 20
ROWS = 50_000_000
FEW = 1_000_000  # rows for peers that take 100 ns a row
ADD_ONE = 'mm.pipeline { input = "u8" } :derive { "value = wrap.u8(value + 1)" }'
FILTER = ':where "a > 0.5" :group({}, "s = sum(b * c + a)")'
BRANCHY = """
:map ("y: f64", function(r)
  local x = r.x
  if x > 60 then return x * 3 end
  if x > 15 then return x + 7 end
  return 0 - x
end)
:group ({}, "s = sum(y)")
"""
LUA_BRANCHY = "function(x) if x > 60 then return x * 3 end if x > 15 then return x + 7 end return 0 - x end"


def moonmill():
    """The package, which is only there when it was built."""
    import moonmill

    return moonmill


def add_one_bytes():
    """Add one to 980 MiB of bytes: in place, and to a new array."""
    import numba

    @numba.njit(parallel=True)
    def add_one(values):
        for i in numba.prange(values.size):
            values[i] += 1

    numba.set_num_threads(min(2, numba.config.NUMBA_NUM_THREADS))
    pipeline = moonmill().pipeline(ADD_ONE)
    pixels = np.zeros(BYTES, np.uint8)
    seconds = in_turns({
        "one": timed(lambda: pipeline.run(pixels, out=pixels, threads=1)),
        "numpy": timed(lambda: np.add(pixels, 1, out=pixels)),
        "two": timed(lambda: pipeline.run(pixels, out=pixels, threads=2)),
        "numba": timed(lambda: add_one(pixels)),
        "new": timed(lambda: pipeline(pixels, threads=2)),
        "plus": timed(lambda: pixels + 1),
    })  # fmt: skip
    rate = (
        f"{BYTES / seconds['one'] / 1e9:.1f} and {BYTES / seconds['two'] / 1e9:.1f} GB/s with 1 and 2 threads"
    )
    row("add one", "in place, 1 thread, against numpy", seconds["one"], seconds["numpy"], "1", rate)
    row("add one", "in place, 2 threads, against numba", seconds["two"], seconds["numba"], "1")
    row("add one", "a new array, 2 threads, against numpy", seconds["new"], seconds["plus"], "1.5")


def filter_and_sum():
    """Filter, arithmetic and a sum over three columns of 50 M f64."""
    import numba
    import numexpr

    @numba.njit(parallel=True, fastmath=True)
    def fused(a, b, c):
        total = 0.0
        for i in numba.prange(a.size):
            if a[i] > 0.5:
                total += b[i] * c[i] + a[i]
        return total

    numba.set_num_threads(min(2, numba.config.NUMBA_NUM_THREADS))
    numexpr.set_num_threads(2)
    rng = np.random.default_rng(1)
    a, b, c = (rng.random(ROWS) for _ in range(3))
    mm = moonmill()
    table = mm.Table.from_columns(["a", "b", "c"], [a, b, c])
    pipeline, frame = mm.pipeline(FILTER), pl.DataFrame({"a": a, "b": b, "c": c})
    lazy = frame.lazy().filter(pl.col("a") > 0.5).select((pl.col("b") * pl.col("c") + pl.col("a")).sum())
    text, arrays = "sum(where(a > 0.5, b * c + a, 0.0))", {"a": a, "b": b, "c": c}
    expected = fused(a, b, c)
    for found in (pipeline.run(table)["s"][0], lazy.collect().item(), float(numexpr.evaluate(text, arrays))):
        assert abs(found - expected) < 1e-6 * expected
    seconds = in_turns({
        "ours": timed(lambda: pipeline.run(table, threads=2)),
        "numba": timed(lambda: fused(a, b, c)),
        "polars": timed(lazy.collect),
        "numexpr": timed(lambda: numexpr.evaluate(text, arrays)),
    })  # fmt: skip
    note = f"{seconds['ours'] / ROWS * 1e9:.2f} ns a row"
    row(
        "filter and sum",
        "against numba, parallel, fastmath",
        seconds["ours"],
        seconds["numba"],
        f"{1 / 1.1:.2f}",
        note,
    )
    row("filter and sum", "against polars", seconds["ours"], seconds["polars"], "1.5")
    row("filter and sum", "against numexpr", seconds["ours"], seconds["numexpr"], "5")


def row_function():
    """A branchy function of one number over 50 M rows; the peers call theirs for fewer rows."""
    import lupa.luajit21 as lupa

    x = np.random.default_rng(2).random(ROWS) * 100
    few = pl.Series(x[:FEW])
    function = lupa.LuaRuntime().eval(LUA_BRANCHY)

    def python(value):
        if value > 60:
            return value * 3
        return value + 7 if value > 15 else 0 - value

    mm = moonmill()
    pipeline, table = mm.pipeline(BRANCHY), mm.Table.from_columns(["x"], [x])
    expected = sum(map(python, x[:FEW].tolist()))
    found = pipeline.run({"x": x[:FEW]})["s"][0]
    assert abs(found - expected) < 1e-6 * abs(expected)
    scale = ROWS / FEW
    seconds = in_turns({
        "ours": timed(lambda: pipeline.run(table, threads=2)),
        "polars": timed(lambda: few.map_elements(python, return_dtype=pl.Float64).sum()),
        "lupa": timed(lambda: sum([function(value) for value in few])),
    })  # fmt: skip
    a_row = {name: seconds[name] / (ROWS if name == "ours" else FEW) * 1e9 for name in seconds}
    note = f"ns a row: {a_row['ours']:.2f}, polars {a_row['polars']:.0f}, lupa {a_row['lupa']:.0f}"
    row("row function", "against polars map_elements", seconds["ours"], seconds["polars"] * scale, "15", note)
    row("row function", "against lupa called for each row", seconds["ours"], seconds["lupa"] * scale, "35")


def small_calls():
    """What a call costs: a typed scalar function, and a run over ten rows."""
    mm = moonmill()
    add = mm.load(os.path.join(HERE, "functions.lua")).add
    assert add(1, 2.5) == 3.5
    pipeline, table = (
        mm.pipeline(':where "x > 3" :derive { "y = x * 2" }'),
        mm.Table.from_columns(["x"], [list(range(10))]),
    )
    ten = {"x": np.arange(10)}
    grouped = mm.pipeline(':group("x", "n = count()")')

    def best(function, number):
        return min(timeit.repeat(function, number=number, repeat=7)) / number

    row("calls", "a typed scalar function", best(lambda: add(1, 2.5), 100_000), None, "", "limit 0.5 µs")
    row(
        "calls", "run on a table of 10 rows", best(lambda: pipeline.run(table), 2000), None, "", "limit 50 µs"
    )
    row("calls", "run on a dict of 10 rows", best(lambda: pipeline.run(ten), 2000), None, "", "")
    row("calls", "group a table of 10 rows", best(lambda: grouped.run(table), 2000), None, "", "")


CASES = {
    "add-one": add_one_bytes,
    "filter-sum": filter_and_sum,
    "row-function": row_function,
    "calls": small_calls,
}
