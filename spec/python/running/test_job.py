"""Jobs in the background: their state, cancel, time limits, threads that wait for them."""

import concurrent.futures
import gc
import select
import sys
import threading
import time

import pytest

import moonmill as mm
from moonmill import _core
from moonmill.running.prepare import argument_of

np = pytest.importorskip("numpy")

HALF = mm.pipeline('mm.pipeline { input = "f64" } :derive "value = value / 2"')
IDENTITY = mm.pipeline('mm.pipeline { input = "f64" }')
ENDLESS = ":where(function(r) while true do end end)"
STUBBORN = ":where(function(r) while true do pcall(function() while true do end end) end end)"


def table_of(data):
    """Data of any kind as a Table that shares it."""
    return mm.pipeline("mm.pipeline {}").run(data)


def plan_of(pipeline, table):
    """The plan of a pipeline for a table."""
    return pipeline._bound(argument_of(pipeline._loaded(), table), {})[0]


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
    plan = plan_of(mm.pipeline(ENDLESS), table)
    seen = []

    def watch(job):
        seen.append(job.state)
        if len(seen) == 2:
            raise KeyError("enough")

    with pytest.raises(KeyError, match="enough"):
        _core.run(plan, table, watch=watch)
    assert seen == ["running", "running"]
    seen.clear()
    quick = plan_of(mm.pipeline(':derive "b = a"'), table)
    assert len(_core.run(quick, table, watch=lambda job: seen.append(job.state))) == 1
    assert seen[-1] == "done"


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
