"""Runs and jobs: results, where they lie, memory of the caller, cancel, time limits, threads, fork, end."""

import array
import concurrent.futures
import datetime
import gc
import os
import random
import select
import signal
import subprocess
import sys
import textwrap
import threading
import time

import pytest

import moonmill as mm
from moonmill import _core

np = pytest.importorskip("numpy")

ENDLESS = ":where(function(r) while true do end end)"
STUBBORN = ":where(function(r) while true do pcall(function() while true do end end) end end)"
SIZES = [0, 1, 63, 64, 65, 1023, 1024, 1025, 65535, 65536, 65537, 200_000]
IDENTITY = mm.pipeline('mm.pipeline { input = "f64" }')
HALF = mm.pipeline('mm.pipeline { input = "f64" } :derive "value = value / 2"')


def address(column):
    return column.data().address


def table_of(data):
    """Data of any kind as a Table that shares it."""
    return mm.pipeline("mm.pipeline {}").run(data)


def run_python(code, *, timeout=60, send=None, after="ready"):
    """Run a program in a process of its own; `send`: a signal, when it has printed `after`."""
    process = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(code)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        if send:
            assert process.stdout.readline().strip() == after
            time.sleep(0.2)
            process.send_signal(send)
        out, err = process.communicate(timeout=timeout)
    finally:
        process.kill()
    return process.returncode, out, err


# ---- Results ----


@pytest.mark.parametrize("rows", SIZES)
@pytest.mark.parametrize("threads", [1, 2])
def test_results_are_right_whatever_the_number_of_rows(rows, threads, no_leaks):
    values = np.arange(rows, dtype=np.float64)
    assert np.array_equal(HALF.run(values, threads=threads)["value"].to_numpy(), values / 2)
    late = mm.pipeline('mm.pipeline { input = "f64" } :where "value % 3 == 0" :derive "b = value + 1"')
    table = late.run(values, threads=threads)
    assert np.array_equal(table["b"].to_numpy(), values[values % 3 == 0] + 1)
    total = mm.pipeline('mm.pipeline { input = "f64" } :group({}, { "n = count()", "s = sum(value)" })')
    assert total.run(values, threads=threads).to_pydict() == {"n": [rows], "s": [float(values.sum())]}


def test_random_chunks_give_the_same_result_as_one_piece(rng, no_leaks):
    pl = pytest.importorskip("polars")
    pipeline = mm.pipeline(
        ':derive { "b = a * 2", "c = s .. \'!\'", "d = a > 50" } :where(function(r) return r.a % 7 ~= 3 end)'
    )
    for _ in range(10):
        rows = rng.randrange(5000)
        a = [rng.choice([None, *range(100)]) for _ in range(rows)]
        frame = pl.DataFrame(
            {"a": a, "s": [str(i) for i in range(rows)]}, schema={"a": pl.Int64, "s": pl.String}
        )
        cuts = sorted(rng.randrange(rows + 1) for _ in range(rng.randrange(6)))
        parts = [frame[start:stop] for start, stop in zip([0, *cuts], [*cuts, rows])]
        whole = frame.filter(pl.col("a").is_not_null())
        chunked = pl.concat(parts, rechunk=False).filter(pl.col("a").is_not_null())
        assert pipeline.run(chunked).to_pydict() == pipeline.run(whole).to_pydict()


def test_chunks_of_the_input_are_chunks_of_a_result_that_shares_it(no_leaks):
    pl = pytest.importorskip("polars")
    parts = [pl.DataFrame({"a": list(range(n)), "s": ["x"] * n}) for n in (3, 65, 1)]
    frame = pl.concat(parts, rechunk=False)
    table = mm.pipeline(':derive "b = a + 1"').run(frame)
    assert table["a"].to_pylist() == frame["a"].to_list()
    assert table["b"].to_pylist() == [value + 1 for value in frame["a"].to_list()]
    assert table["s"].to_pylist() == ["x"] * 69


def test_a_result_computed_whole_is_one_chunk_that_can_be_written(no_leaks):
    values = np.arange(200_000.0)
    column = HALF.run(values)["value"]
    assert column.chunks == 1
    assert column.to_numpy().flags.writeable


def test_columns_that_pass_are_the_memory_of_the_input(no_leaks):
    data = {"a": np.arange(100_000.0), "b": np.arange(100_000)}
    table = mm.pipeline(':derive "c = a + 1" :rename "z = b" :drop "a"').run(data)
    assert address(table["z"]) == data["b"].ctypes.data
    assert table.shared_bytes == data["b"].nbytes
    assert not table["z"].to_numpy().flags.writeable
    del data
    gc.collect()
    assert table["z"].to_pylist()[-1] == 99_999


def test_whether_memory_is_shared_never_follows_from_the_data(no_leaks):
    values = np.arange(5000.0)
    for text in ('"value >= 0"', '"value >= 1"', "function(r) return true end"):
        table = mm.pipeline(f'mm.pipeline {{ input = "f64" }} :where({text})').run(values)
        assert table["value"].chunks == 1
        assert not np.shares_memory(table["value"].to_numpy(), values)
    table = mm.pipeline('mm.pipeline { input = "f64" } :limit(10)').run(values)
    assert not np.shares_memory(table["value"].to_numpy(), values)


def test_copy_shares_nothing_for_any_type(no_leaks):
    data = table_of({"a": np.arange(1000), "s": [f"t{i}" for i in range(1000)], "n": [None, True] * 500})
    table = mm.pipeline("mm.pipeline {}").run(data, copy=True)
    assert table.to_pydict() == data.to_pydict()
    assert table.shared_bytes == 0
    assert table.copied_bytes >= table.nbytes
    assert address(table["a"]) != address(data["a"])


def test_stats_tell_what_went_through_the_stages(no_leaks):
    stats = (
        mm.pipeline('mm.pipeline { input = "f64" } :where "value > 1" :sort "-value"')
        .run(np.arange(5.0))
        .stats
    )
    assert stats.stage_rows == [(5, 3), (3, 3), (3, 0)]
    assert stats.seconds > 0


def test_the_cost_of_a_table_that_needed_no_run_is_none():
    stats = mm.pipeline(':derive "b = a"').run({"a": np.arange(3.0)}).stats
    assert (stats.rows, stats.columns, stats.shared_bytes) == (3, 2, 48)
    assert (stats.seconds, stats.threads, stats.stage_rows) == (0, 0, [])


def test_columns_of_nested_types_pass_where_rows_stay(no_leaks):
    pl = pytest.importorskip("polars")
    frame = pl.DataFrame({"a": [1, 2], "l": [[1], None], "s": [{"x": 1}, {"x": 2}]})
    result = pl.DataFrame(mm.pipeline(':derive "b = a + 1"').run(frame))
    assert result.drop("b").equals(frame)
    pieces = pl.DataFrame(mm.pipeline(':derive "b = utf8(a)"').run(pl.concat([frame, frame], rechunk=False)))
    assert pieces.drop("b").equals(pl.concat([frame, frame]))
    assert mm.pipeline(':where "a > 1" :select "a"').run(frame).to_pydict() == {"a": [2]}
    for stage in (':where "a > 1"', ':sort "a"', ':group("l", "n = count()")'):
        with pytest.raises(mm.UsageError, match="list<i64>, which can only pass"):
            mm.pipeline(stage).run(frame)
    with pytest.raises(mm.UsageError, match='"l" is of type list<i64>, which cannot be copied'):
        mm.pipeline("mm.pipeline {}").run(frame, copy=True)


def test_a_column_of_nulls_is_any_nullable_type(no_leaks):
    pl = pytest.importorskip("polars")
    pipeline = mm.pipeline('mm.pipeline { input = { "a: utf8?" } } :derive "b = coalesce(a, \'z\')"')
    for nulls in ([None, None], pl.Series([None, None])):
        assert pipeline.run({"a": nulls}).to_pydict() == {"a": [None, None], "b": ["z", "z"]}


# ---- Memory of the caller ----


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


# ---- Errors ----


def test_a_null_where_none_may_be_names_its_row_and_how_to_declare_it(no_leaks):
    pipeline = mm.pipeline('mm.pipeline { input = { "a: i64", "b: f64?" } } :derive "c = a + 1"')
    with pytest.raises(mm.DataError, match=r"a: i64\?") as caught:
        pipeline.run({"a": [1, 2, None], "b": [None, 1.0, 2.0]})
    assert (caught.value.row, caught.value.field, caught.value.id) == (3, "a", "null-value")
    assert pipeline.run({"a": [1, 2], "b": [None, 1.0]})["c"].to_pylist() == [2, 3]


def test_an_error_of_a_row_names_the_lowest_one_with_any_number_of_threads(no_leaks):
    values = np.arange(300_000)
    for threads in (1, 2, 4):
        with pytest.raises(mm.DataError) as caught:
            mm.pipeline('mm.pipeline { input = "i64" } :derive "b = 1 // (value % 1000 - 700)"').run(
                values, threads=threads
            )
        assert caught.value.row == 701
        assert caught.value.stage == "derive"


def test_an_error_of_lua_has_its_lines_in_the_traceback(no_leaks):
    import traceback

    text = 'local function deep(x)\n  if x > 1 then error "too deep" end\n  return x\nend\n'
    text += (
        'return mm.pipeline { input = "f64" } :map("y: f64", function(r)\n  return deep(r.value) + 1\nend)'
    )
    with pytest.raises(mm.ScriptError, match="too deep") as caught:
        mm.pipeline(text).run(np.arange(5.0))
    frames = traceback.extract_tb(caught.value.__traceback__)
    assert [(frame.lineno, frame.name) for frame in frames[-2:]] == [(6, "map"), (2, "deep")]
    assert caught.value.row == 3


def test_nothing_leaks_from_runs_that_fail(no_leaks):
    pipeline = mm.pipeline('mm.pipeline { input = "i64" } :derive "b = 1 // value"')
    values = np.zeros(100_000, dtype=np.int64)
    references = sys.getrefcount(values)
    for _ in range(20):
        with pytest.raises(mm.DataError):
            pipeline.run(values)
    gc.collect()
    assert sys.getrefcount(values) == references


def test_a_plan_runs_only_over_columns_that_it_was_made_for(no_leaks):
    plan = _core.plan(mm.pipeline(':derive "b = a + 1"')._loaded().handle, ["a"], ["i64"], [False], {})
    for data in ({"a": [1.5]}, {"z": [1]}):
        with pytest.raises(mm.UsageError, match="other columns"):
            _core.run(plan, table_of(data))
    assert _core.run(plan, table_of({"z": [1.0], "a": [1]}))["b"].to_pylist() == [2]


@pytest.mark.parametrize(
    "arguments", [{"threads": -1}, {"timeout": -1}, {"timeout": float("nan")}, {"timeout": "x"}]
)
def test_options_that_make_no_sense_are_refused(arguments, no_leaks):
    ((name, value),) = arguments.items()
    with pytest.raises((ValueError, TypeError), match=f"{name} is {value!r}, expected"):
        HALF.run(np.arange(3.0), **arguments)


# ---- Jobs ----


def test_a_job_runs_in_the_background(no_leaks):
    job = HALF.submit(np.arange(100_000.0))
    assert job.wait(30)
    assert (job.state, job.done()) == ("done", True)
    assert job.table()["value"].to_pylist()[3] == 1.5
    assert job.table() is job.table()
    assert job.counters()["rows"] == 100_000
    assert not job.cancel()


def test_a_job_without_rows_or_work_is_a_job_too(no_leaks):
    for values in (np.arange(0.0), np.arange(10.0)):
        assert len(IDENTITY.submit(values).result(30)) == len(values)


def test_a_job_that_is_not_done_has_no_table(no_leaks):
    job = mm.pipeline(ENDLESS).submit({"a": [1]})
    with pytest.raises(RuntimeError, match="not done"):
        job.table()
    assert not job.wait(0.05)
    job.cancel()
    assert job.wait(10)
    with pytest.raises(mm.JobCancelled):
        job.table()
    assert job.state == "cancelled"


@pytest.mark.parametrize("text", [ENDLESS, STUBBORN])
def test_cancel_stops_a_row_function_that_never_ends_though_nobody_waits(text, no_leaks):
    job = mm.pipeline(text).submit({"a": list(range(200_000))}, threads=2)
    descriptor = job.fileno()
    assert not select.select([descriptor], [], [], 0.05)[0]
    assert job.cancel()
    assert select.select([descriptor], [], [], 10)[0]
    assert job.wait(1)
    assert job.fileno() == descriptor


def test_a_time_limit_stops_a_job_that_nobody_waits_for(no_leaks):
    job = mm.pipeline(ENDLESS).submit({"a": [1]}, timeout=0.1)
    assert select.select([job.fileno()], [], [], 10)[0]
    with pytest.raises(mm.JobTimeout, match=r"0\.1 seconds"):
        job.result(1)
    assert job.state == "failed"


def test_a_time_limit_stops_a_run(no_leaks):
    with pytest.raises(TimeoutError, match=r"0\.1 seconds"):
        mm.pipeline(ENDLESS).run({"a": [1]}, timeout=0.1)
    assert len(HALF.run(np.arange(5.0), timeout=60)) == 5


def test_a_job_that_is_dropped_is_cancelled_and_lets_go_of_its_input(no_leaks):
    values = np.arange(100_000.0)
    references, jobs = sys.getrefcount(values), _core.live()["jobs"]
    job = mm.pipeline('mm.pipeline { input = "f64" } ' + ENDLESS).submit(values)
    assert sys.getrefcount(values) > references
    del job
    gc.collect()
    assert _core.live()["jobs"] == jobs
    assert sys.getrefcount(values) == references


def test_the_input_is_let_go_when_the_job_has_ended(no_leaks):
    data = bytearray(8 * 100_000)
    job = mm.pipeline('mm.pipeline { input = "u8" } :group({}, "n = count()")').submit(data)
    with pytest.raises(BufferError):
        while not job.done():
            data.append(0)
        raise BufferError
    job.wait(30)
    _core.live()
    data.append(0)


def test_many_threads_wait_for_one_job(no_leaks):
    job = mm.pipeline(
        ':map("b: f64", function(r) local x = 0 for i = 1, 2000 do x = x + i % 7 end return x end)'
    ).submit({"a": list(range(20_000))})
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        tables = [future.result() for future in [pool.submit(job.result, 60) for _ in range(8)]]
    assert all(table is tables[0] for table in tables)


def test_many_threads_run_the_same_pipeline(no_leaks):
    pipeline = mm.pipeline(
        'mm.pipeline { input = "f64", params = { "k: f64 = 1" } } :derive "value = value * p.k"'
    )
    rowwise = mm.pipeline('mm.pipeline { input = "f64" } :map("y: f64", function(r) return r.value + 1 end)')

    def work(k):
        values = np.arange(10_000.0 + k)
        for _ in range(5):
            assert np.array_equal(pipeline.run(values, k=k)["value"].to_numpy(), values * k)
        assert np.array_equal(rowwise.run(values)["y"].to_numpy(), values + 1)

    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        list(pool.map(work, range(16)))


def test_the_gil_is_free_while_a_run_waits(no_leaks):
    job = mm.pipeline(ENDLESS)
    failure = []

    def run():
        try:
            job.run({"a": [1]}, timeout=1)
        except mm.JobTimeout as error:
            failure.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    turns = 0
    while thread.is_alive():
        turns += 1
    thread.join()
    assert failure and turns > 1000


def test_watch_sees_the_job_and_its_exception_stops_the_run(no_leaks):
    table = table_of({"a": [1]})
    plan = mm.pipeline(ENDLESS)._bound(table, {})[0]
    seen = []

    def watch(job):
        seen.append(job.state)
        if len(seen) == 2:
            raise KeyError("enough")

    with pytest.raises(KeyError, match="enough"):
        _core.run(plan, table, watch=watch)
    assert seen == ["running", "running"]
    seen.clear()
    quick = mm.pipeline(':derive "b = a"')._bound(table, {})[0]
    assert len(_core.run(quick, table, watch=lambda job: seen.append(job.state))) == 1
    assert seen[-1] == "done"


@pytest.mark.not_under("address", "it keeps freed memory for a while, to tell who still uses it")
def test_memory_that_one_thread_allocates_and_another_frees_does_not_pile_up():
    code = """
        pipeline = mm.pipeline(':derive "b = a + 1" :where "b > 3"')
        data = {"a": np.arange(100_000.0)}

        def run(times):
            for _ in range(times):
                pipeline.run(data, threads=2)
            return int(open("/proc/self/statm").read().split()[1]) * os.sysconf("SC_PAGESIZE")

        before = run(20)
        print(run(200) - before)
    """
    status, out, err = run_python(PREAMBLE + textwrap.dedent(code))
    assert status == 0, err
    assert int(out) < 2 << 20  # a job's queue alone has 24 KB


def test_random_cancels_neither_crash_nor_leak(rng, no_leaks):
    texts = [
        ENDLESS,
        ':derive "b = a * 2" :sort "-b"',
        ':group("a", "n = count()")',
        ':map("b: f64", function(r) return r.a end)',
    ]
    data = table_of({"a": np.arange(150_000) % 1000})
    jobs = []
    for _ in range(30):
        job = mm.pipeline(rng.choice(texts)).submit(data, threads=rng.choice([1, 2, 3]))
        if rng.random() < 0.5:
            time.sleep(rng.random() * 0.01)
        job.cancel()
        jobs.append(job)
        if rng.random() < 0.5:
            jobs.pop(rng.randrange(len(jobs)))
    for job in jobs:
        assert job.wait(30)
        assert job.state in ("done", "cancelled")
    del job, jobs, data


def test_explain_ends_though_a_row_function_does_not():
    assert "did not come to an end" in mm.pipeline(STUBBORN).explain({"a": "f64"})


# ---- The process ----

PREAMBLE = "import moonmill as mm, numpy as np, os, sys, time\n"


def interrupted(code):
    began = time.monotonic()
    status, out, err = run_python(PREAMBLE + textwrap.dedent(code), send=signal.SIGINT)
    assert time.monotonic() - began < 30
    assert out.strip() == "", out
    assert "KeyboardInterrupt" in err, err
    assert status in (1, 130, -signal.SIGINT), err


@pytest.mark.parametrize("text", [ENDLESS, STUBBORN])
def test_ctrl_c_stops_a_run(text):
    interrupted(f"""
        pipeline = mm.pipeline({text!r})
        print("ready", flush=True)
        pipeline.run({{"a": list(range(100_000))}})
    """)


def test_ctrl_c_stops_a_script_that_does_not_end():
    interrupted("""
        print("ready", flush=True)
        mm.pipeline("while true do pcall(function() while true do end end) end")
    """)


def test_ctrl_c_while_a_job_is_waited_for():
    interrupted(f"""
        job = mm.pipeline({ENDLESS!r}).submit({{"a": [1]}})
        print("ready", flush=True)
        job.result()
    """)


def test_ctrl_c_during_a_run_that_is_watched():
    interrupted(f"""
        pipeline = mm.pipeline({ENDLESS!r})
        print("ready", flush=True)
        pipeline.run({{"a": [1]}}, progress=lambda progress: None)
    """)


@pytest.mark.parametrize("hold", ["job = ", "", "sys.job = "])
def test_the_process_ends_while_a_job_runs(hold):
    began = time.monotonic()
    status, out, err = run_python(
        PREAMBLE + f"{hold}mm.pipeline({ENDLESS!r}).submit({{'a': [1]}})\nprint('end')"
    )
    assert (status, out.strip(), err) == (0, "end", "")
    assert time.monotonic() - began < 20


def test_a_job_in_a_cycle_does_not_hold_up_the_end():
    code = f"job = mm.pipeline({ENDLESS!r}).submit({{'a': [1]}})\njob.me = job\ndel job\nprint('end')"
    status, out, err = run_python(PREAMBLE + code)
    assert (status, out) == (0, "end\n"), err


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork")
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_job_belongs_to_the_process_that_started_it(no_leaks):
    job = mm.pipeline(ENDLESS).submit({"a": [1]})
    child = os.fork()
    if child == 0:
        status = 1
        try:
            for use in (
                job.wait,
                job.done,
                job.cancel,
                job.table,
                job.counters,
                job.fileno,
                lambda: job.state,
            ):
                with pytest.raises(RuntimeError, match="process"):
                    use()
            assert "forked" in repr(job)
            assert HALF.run(np.arange(4.0))["value"].to_pylist() == [0, 0.5, 1, 1.5]
            assert mm.pipeline(':derive "b = a + 1"').run({"a": [1]})["b"].to_pylist() == [2]
            del job
            status = 0
        finally:
            os._exit(status)
    try:
        for _ in range(600):
            done, status = os.waitpid(child, os.WNOHANG)
            if done:
                break
            time.sleep(0.05)
        else:
            os.kill(child, signal.SIGKILL)
            pytest.fail("the child hangs")
        assert os.waitstatus_to_exitcode(status) == 0
    finally:
        job.cancel()
        job.wait(10)


def test_a_forked_child_works_though_a_thread_of_its_parent_was_in_a_script():
    code = """
        import threading
        slow = "local t = os.clock() while os.clock() - t < 2 do end"
        thread = threading.Thread(target=lambda: mm.pipeline(slow), daemon=True)
        warm = mm.pipeline(':derive "b = a + 1"')
        warm.run({"a": [1]})
        thread.start()
        time.sleep(0.3)
        child = os.fork()
        if child == 0:
            print(warm.run({"a": [1]})["b"].to_pylist())
            print(mm.pipeline(':derive "c = a + 2"').run({"a": [1]}).to_pydict())
            print(warm.run({"a": [1.5]}).to_pydict(), flush=True)
            os._exit(0)
        print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
        os._exit(0)
    """
    status, out, err = run_python(PREAMBLE + textwrap.dedent(code))
    assert (status, out.split("\n")) == (
        0,
        ["[2]", "{'a': [1], 'c': [3]}", "{'a': [1.5], 'b': [2.5]}", "0", ""],
    ), err


def test_a_script_is_dropped_while_another_thread_is_in_one():
    from moonmill import script

    dropped = mm.pipeline(':derive "only_here = 1"')
    dropped.run({"a": [1]})
    script._scripts.clear()
    slow = "local t = os.clock() while os.clock() - t < 2 do end"

    def load():
        with pytest.raises(mm.UsageError):  # it returns no pipeline
            mm.pipeline(slow)

    thread = threading.Thread(target=load)
    thread.start()
    time.sleep(0.2)
    del dropped
    assert thread.is_alive()
    thread.join()


@pytest.mark.not_under(
    "address", "its allocator has locks, and a child of fork finds them as other threads left them"
)
@pytest.mark.not_under("thread", "it takes the threads of a child for those of its parent")
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_children_of_a_process_that_is_busy_allocating_do_not_hang(no_leaks):
    busy = mm.pipeline(':derive "b = utf8(a)" :group("b", "n = count()")')
    data = {"a": np.arange(100_000)}
    jobs = []
    for _ in range(12):
        jobs = [job for job in jobs if not job.done()]
        while len(jobs) < 3:
            jobs.append(busy.submit(data))
        child = os.fork()
        if child == 0:
            signal.alarm(20)
            ok = HALF.run(np.arange(70_000.0))["value"].to_numpy()[2] == 1
            os._exit(0 if ok else 1)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    for job in jobs:
        job.result(60)


def test_a_job_that_cannot_be_stopped_is_stuck_and_keeps_its_input():
    hard = 'function(r) return ("a"):rep(60):find(("a*"):rep(30) .. "b") end'
    code = f"""
        values = np.arange(10.0)
        job = mm.pipeline({":where(" + hard + ")"!r}).submit({{"a": values}})
        time.sleep(0.2)
        references = sys.getrefcount(values)
        job.cancel()
        assert not job.wait(2.1)
        print(job.state)
        del job
        print(sys.getrefcount(values) == references, flush=True)
    """
    status, out, err = run_python(PREAMBLE + textwrap.dedent(code))
    assert (status, out.split()) == (0, ["stuck", "True"]), err


def test_random_runs_agree_with_numpy(rng, no_leaks):
    for _ in range(20):
        rows = rng.choice([0, 1, 64, 1000, 65536, 70_000])
        values = np.array([rng.random() for _ in range(min(rows, 2000))] * (rows // 2000 + 1))[:rows]
        low = rng.random()
        kept = mm.pipeline(
            f'mm.pipeline {{ input = "f64" }} :where "value > {low!r}" :derive "value = value * 3"'
        )
        assert np.array_equal(
            kept.run(values, threads=rng.choice([1, 2, 5]))["value"].to_numpy(), values[values > low] * 3
        )


def test_the_seed_of_randomness_is_the_job_s(no_leaks):
    pipeline = mm.pipeline(
        'mm.pipeline { input = "f64" } :map("y: f64", function(r) return math.random() end)'
    )
    values = np.zeros(random.randrange(70_000, 80_000))
    assert np.array_equal(
        pipeline.run(values)["y"].to_numpy(), pipeline.run(values, threads=1)["y"].to_numpy()
    )
