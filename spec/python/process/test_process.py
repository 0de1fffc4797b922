"""Runs and the process around them: Ctrl-C, its end, forks, memory that is given back."""

import os
import signal
import textwrap
import threading
import time

import programs
import pytest

import moonmill as mm

np = pytest.importorskip("numpy")


ENDLESS = ":where(function(r) while true do end end)"
HALF = mm.pipeline('mm.pipeline { input = "f64" } :derive "value = value / 2"')
PREAMBLE = "import moonmill as mm, numpy as np, os, sys, time\n"
STUBBORN = ":where(function(r) while true do pcall(function() while true do end end) end end)"


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
    assert int(programs.output(PREAMBLE + textwrap.dedent(code))) < 2 << 20  # a job's queue alone has 24 KB


def interrupted(code):
    began = time.monotonic()
    done = programs.run(PREAMBLE + textwrap.dedent(code), send=signal.SIGINT)
    assert time.monotonic() - began < 30
    assert done.stdout == ""
    assert "KeyboardInterrupt" in done.stderr
    assert done.returncode in (1, 130, -signal.SIGINT)


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
    done = programs.run(PREAMBLE + f"{hold}mm.pipeline({ENDLESS!r}).submit({{'a': [1]}})\nprint('end')")
    assert (done.returncode, done.stdout, done.stderr) == (0, "end\n", "")
    assert time.monotonic() - began < 20


def test_a_job_in_a_cycle_does_not_hold_up_the_end():
    code = f"job = mm.pipeline({ENDLESS!r}).submit({{'a': [1]}})\njob.me = job\ndel job\nprint('end')"
    assert programs.output(PREAMBLE + code) == "end"


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
    assert programs.output(PREAMBLE + textwrap.dedent(code)).split("\n") == [
        "[2]",
        "{'a': [1], 'c': [3]}",
        "{'a': [1.5], 'b': [2.5]}",
        "0",
    ]


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
    hard = 'function(r) return ("a"):rep(4e6):find(("a"):rep(2e6) .. "b", 1, true) end'
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
    assert programs.output(PREAMBLE + textwrap.dedent(code)).split() == ["stuck", "True"]
