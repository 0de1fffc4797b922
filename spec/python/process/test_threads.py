"""Many threads at the same pipelines and jobs; builds without a GIL run them side by side."""

import sysconfig
import threading
from array import array

import programs
import pytest
from concurrency import THREADS, at_once, hammer

import moonmill as mm
from moonmill import _core

FREE = bool(sysconfig.get_config_var("Py_GIL_DISABLED"))


def run_strictly(program):
    """What a program prints where warnings are errors."""
    return programs.output(program, options=("-W", "error"))


# ---- The build ----


@pytest.mark.skipif(not FREE, reason="this Python has a GIL")
def test_the_gil_stays_off():
    program = """
        import sys, moonmill as mm
        assert mm.pipeline(':derive "b = a + 1"')({"a": [1]}) == {"a": [1], "b": [2]}
        print(sys._is_gil_enabled())
    """
    assert run_strictly(program) == "False"


def test_the_first_use_may_be_that_of_many_threads():
    program = """
        import threading
        from datetime import datetime
        gate, answers = threading.Barrier(8), []
        def work():
            gate.wait()
            import moonmill as mm
            day = mm.pipeline(':derive "later = at + days(1)"')
            answers.append(day({"at": [datetime(2024, 2, 28)]})["later"])
        crew = [threading.Thread(target=work) for _ in range(8)]
        for thread in crew: thread.start()
        for thread in crew: thread.join()
        print(answers == [[datetime(2024, 2, 29)]] * 8)
    """
    for _ in range(3):
        assert run_strictly(program) == "True"


# ---- Pipelines ----


def test_one_pipeline_runs_in_many_threads(no_leaks):
    pipeline = mm.pipeline(':where "a % 3 == 0" :group("k", "s = sum(a)") :sort "k"')
    data = {"a": list(range(3000)), "k": [i % 4 for i in range(3000)]}
    expected = pipeline(data)
    table = mm.Table.from_columns(list(data), list(data.values()))

    def whole():
        assert pipeline(data) == expected

    def shared():
        assert pipeline.run(table, threads=2).to_pydict() == expected

    hammer(whole, shared)


def test_scripts_and_plans_may_be_new_to_all_threads(no_leaks):
    numbers = iter(range(10**9))
    lock = threading.Lock()

    def same():
        with lock:
            number = next(numbers)
        text = f':derive "b = a + {number % 100}"'
        assert mm.pipeline(text)({"a": [1, 2]})["b"] == [1 + number % 100, 2 + number % 100]
        assert mm.pipeline(':derive "b = a"')({"a": [number], f"c{number % 200}": [1]})["b"] == [number]

    hammer(same)


def test_parameters_halves_and_questions_of_one_pipeline():
    pipeline = mm.pipeline(
        """
        mm.pipeline { params = { "n: i64 = 1" }, input = { "k: i64", "x: f64" } }
        :group("k", "m = mean(x) + p.n")
        """
    )
    data = {"k": [1, 1, 2], "x": [1.0, 3.0, 5.0]}

    def given():
        assert pipeline.with_params(n=2)(data)["m"] == [4.0, 7.0]

    def halves():
        part = pipeline.partial().run(data)
        assert pipeline.merge().run(iter([part, part])).to_pydict()["m"] == [3.0, 6.0]

    def asked():
        assert pipeline.output_schema().names == ["k", "m"]
        assert "group" in pipeline.explain()
        assert pipeline.info.stages == ("group",)

    hammer(given, halves, asked)


def test_failures_of_many_threads_keep_their_own_places(no_leaks):
    wrong = mm.pipeline(':derive "small = u8(a)"')
    broken = mm.pipeline('mm.pipeline {} :map("b: f64", function(r) return r.a.b end)')

    def cast():
        with pytest.raises(mm.DataError) as caught:
            wrong({"a": [1, 2, 300]})
        assert (caught.value.row, caught.value.id) == (3, "bad-cast")

    def script():
        with pytest.raises(mm.ScriptError) as caught:
            broken({"a": [1]})
        assert caught.value.frames[0]["line"] == 1

    def unknown():
        with pytest.raises(mm.UsageError, match="no column"):
            mm.pipeline(':where "nothing > 1"').run({"a": [1]})

    hammer(cast, script, unknown)


def test_streams_of_one_pipeline_each_have_a_reader(no_leaks):
    doubled = mm.pipeline(':derive "b = a * 2"')

    def read():
        pieces = doubled.stream(({"a": range(i, i + 3)} for i in (0, 3, 6)), ahead=1)
        assert [piece["b"].to_pylist() for piece in pieces] == [[0, 2, 4], [6, 8, 10], [12, 14, 16]]

    hammer(read)


def test_progress_is_shown_to_every_thread_that_asks(no_leaks):
    pipeline = mm.pipeline(':derive "b = a + 1"')
    data = {"a": array("q", range(200_000))}

    def work():
        seen = []
        pipeline.run(data, progress=seen.append)
        assert seen[-1].state in ("running", "done")

    hammer(work)


def test_one_job_is_asked_by_many_threads_at_once(no_leaks):
    pipeline = mm.pipeline(':group({}, "s = sum(a)")')
    data = {"a": array("q", range(100_000))}
    for _ in range(30):
        job = pipeline.submit(data)
        tables = at_once(lambda job=job: (job.progress, job.fileno(), job.running(), job.result())[-1])
        assert all(table is tables[0] for table in tables)
        assert tables[0].to_pydict() == {"s": [4999950000]}


def test_a_result_is_made_once_whoever_asks_first(no_leaks):
    pipeline = mm.pipeline(':derive "b = a + 1"')
    for _ in range(50):
        job = pipeline.submit({"a": [1, 2, 3]})
        job.wait()
        tables = at_once(job.table)
        assert all(table is tables[0] for table in tables)
        assert tables[0]["b"].to_pylist() == [2, 3, 4]


def test_cancel_meets_done_and_result(no_leaks):
    pipeline = mm.pipeline(
        ':map("b: i64", function(r) local n = 0 while n < 1000 do n = n + 1 end return n end)'
    )
    data = {"a": array("q", range(70_000))}
    for _ in range(15):
        job = pipeline.submit(data, threads=2)

        def work(job=job):
            job.cancel()
            job.done()
            try:
                return len(job.result())
            except mm.JobCancelled:
                return "cancelled"

        outcomes = set(at_once(work))
        assert outcomes in ({"cancelled"}, {70_000})
        assert job.state == ("cancelled" if "cancelled" in outcomes else "done")


def test_futures_and_callbacks_of_one_job(no_leaks):
    pipeline = mm.pipeline(':derive "b = a + 1"')
    for _ in range(20):
        job = pipeline.submit({"a": array("q", range(100_000))})
        called = []

        def ask(job=job, called=called):
            ended = threading.Event()
            job.add_done_callback(lambda job: (called.append(job), ended.set()))
            assert ended.wait(20)
            return job.future().result(20)

        tables = at_once(ask)
        assert all(table is tables[0] for table in tables), tables
        assert called == [job] * THREADS


def test_an_input_is_used_once(tmp_path, no_leaks):
    path = tmp_path / "a.csv"
    path.write_text("a\n1\n2\n")
    pipeline = mm.pipeline(':derive "b = a + 1"')
    plan = pipeline._loaded().plan(["a"], ["i64"], [True], ())
    for _ in range(25):
        opened = _core.open_input([str(path)])
        outcomes = at_once(lambda opened=opened: _core.run(plan, opened))
        assert sum(isinstance(outcome, mm.Table) for outcome in outcomes) == 1, outcomes
        assert sum(isinstance(outcome, mm.StateError) for outcome in outcomes) == THREADS - 1


def test_files_and_runs_side_by_side(tmp_path, no_leaks):
    for number in range(6):
        (tmp_path / f"{number}.csv").write_text("a\n" + f"{number}\n" * 100)
    pipeline = mm.pipeline(':derive "b = a + 1"')
    numbers = iter(range(10**9))
    lock = threading.Lock()

    def files():
        with lock:
            folder = tmp_path / f"out {next(numbers)}"
        assert pipeline.run_files(str(tmp_path / "*.csv"), to=folder, threads=2).rows == 600

    def rows():
        assert pipeline({"a": [1]}) == {"a": [1], "b": [2]}

    hammer(files, rows, threads=4)


def test_jobs_use_the_threads_of_earlier_ones():
    """Also the tasks of a stage that finishes: a sort that many threads share starts none of its own."""
    code = """
        import os
        import numpy as np
        import moonmill as mm

        pipeline, data = mm.pipeline(':sort "a"'), {"a": np.arange(400_000.0)[::-1]}
        threads = set()
        for _ in range(30):
            pipeline.run(data, threads=3)
            threads.update(os.listdir("/proc/self/task"))
        print(len(threads))
    """
    assert 4 <= int(programs.output(code)) < 30  # one that is not idle again yet is missed now and then
