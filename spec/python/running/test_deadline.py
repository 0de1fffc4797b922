"""One deadline and one cancel for scripts, plans and jobs: nothing escapes Ctrl-C and `timeout`, and what
cannot be stopped is left behind."""

import os
import signal
import textwrap
import threading
import time

import programs
import pytest

import moonmill as mm

PREAMBLE = "import moonmill as mm, os, sys, threading, time\n"
HARD = 'string.find(("a"):rep(34), ("a?"):rep(34) .. ("a"):rep(34))'
ENDLESS = {
    "a loop": "while true do end",
    "loops in protected calls": "while true do pcall(function() while true do end end) end",
    "a handler that swallows the stop": """
        xpcall(function() while true do end end, function() return 1 end)
        while true do end""",
    "a hard pattern": HARD,
    "an error without a text": "error(setmetatable({}, { __tostring = function() while true do end end }))",
    "a call of C": 'io.popen("exec sleep 8"):read "*a"',
}
STOPPED_WITHIN = 4.0  # seconds: 2 where a call of C cannot be stopped, and a loaded machine


@pytest.mark.parametrize("make", [mm.pipeline, mm.module], ids=["pipeline", "module"])
@pytest.mark.parametrize("script", ENDLESS.values(), ids=ENDLESS)
def test_a_script_is_stopped_by_its_timeout(make, script):
    began = time.monotonic()
    with pytest.raises(mm.JobTimeout, match=r"stopped after 0\.2 seconds, as timeout asked"):
        make(script, timeout=0.2)
    assert time.monotonic() - began < STOPPED_WITHIN
    assert mm.pipeline(":limit(1)").run({"a": [1, 2]}).num_rows == 1


@pytest.mark.parametrize("make", ["pipeline", "module"])
@pytest.mark.parametrize("script", ENDLESS.values(), ids=ENDLESS)
def test_ctrl_c_stops_a_script(make, script):
    done = programs.run(
        PREAMBLE
        + textwrap.dedent(f"""
            print("ready", flush=True)
            began = time.monotonic()
            try:
                mm.{make}({script!r})
            except KeyboardInterrupt:
                print(time.monotonic() - began < {STOPPED_WITHIN} + 1)
            print(mm.pipeline(":limit(1)").run({{"a": [1, 2]}}).num_rows)
        """),
        send=signal.SIGINT,
    )
    assert done.stdout.split() == ["True", "1"], done.stderr


def test_ctrl_c_stops_a_function_within_a_hard_pattern():
    done = programs.run(
        PREAMBLE
        + textwrap.dedent(f"""
            m = mm.module('''mm.module {{
                hard = mm.fn("-> i64", function() return {HARD} or 0 end),
                good = mm.fn("-> i64", function() return 7 end) }}''')
            print("ready", flush=True)
            try:
                m.hard()
            except KeyboardInterrupt:
                print(m.good())
        """),
        send=signal.SIGINT,
    )
    assert done.stdout.split() == ["7"], done.stderr


def test_what_the_script_took_is_not_given_to_the_job_again(tmp_path):
    """A pipeline that was pickled runs its script where it is used."""
    import pickle

    text = pickle.dumps(mm.pipeline('os.execute "sleep 0.7" return mm.pipeline {}'))
    from moonmill import script

    script.forget()
    again = pickle.loads(text)
    late = tmp_path / "late"
    os.mkfifo(late)
    descriptor = os.open(late, os.O_RDWR)  # so that opening it waits for nothing
    writer = threading.Timer(1.4, os.write, (descriptor, b"a\n1\n"))
    writer.start()
    with pytest.raises(mm.JobTimeout, match="stopped after 1 seconds"):
        again.run(late, timeout=1)
    writer.join()
    os.close(descriptor)


def test_a_timeout_of_one_thread_is_not_that_of_another():
    failed = []

    def run():
        try:
            mm.pipeline('os.execute "sleep 0.6" return mm.pipeline {} :limit(1) -- other').run({"a": [1]})
        except mm.Error as error:
            failed.append(error)

    other = threading.Thread(target=run)
    other.start()
    with pytest.raises(mm.JobTimeout):
        mm.pipeline("while true do end", timeout=0.1)
    other.join()
    assert failed == []


@pytest.mark.parametrize("bad", [-1, float("nan"), "1"])
def test_a_timeout_is_a_number_of_seconds(bad):
    for make in (mm.pipeline, mm.module):
        with pytest.raises((TypeError, ValueError), match=r"timeout is .*expected a number of seconds"):
            make(":limit(1)", timeout=bad)


def test_no_timeout_is_left_behind():
    for _ in range(3):
        mm.pipeline(":limit(1)", timeout=100).run({"a": [1]}, timeout=100)
    from moonmill import _core

    assert _core.set_deadline(None) == (0.0, 0.0)


def test_scripts_are_loaded_and_planned_while_another_one_is_stuck():
    stuck = threading.Thread(
        target=lambda: mm.pipeline('os.execute "sleep 1" return mm.pipeline {} -- stuck')
    )
    stuck.start()
    time.sleep(0.1)
    for i in range(20):
        assert mm.pipeline(f":limit({i + 1})").run({"a": [1, 2]}).num_rows <= 2
    assert stuck.is_alive()
    stuck.join()


def test_the_interpreter_ends_while_a_script_is_stuck():
    done = programs.run(
        PREAMBLE
        + textwrap.dedent("""
            try:
                mm.pipeline('os.execute "exec sleep 20 >/dev/null 2>&1"', timeout=0.1)
            except mm.JobTimeout:
                print("left")
        """)
    )
    assert (done.returncode, done.stdout) == (0, "left\n"), done.stderr


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork")
@pytest.mark.not_under("address", "locks of its allocator may stay taken in the child")
@pytest.mark.not_under("thread", "locks of its allocator may stay taken in the child")
def test_the_child_of_a_fork_works_while_a_script_of_the_parent_is_stuck():
    done = programs.run(
        PREAMBLE
        + textwrap.dedent("""
            good = mm.pipeline(":limit(1)")
            held = []
            def load():
                held.append(mm.pipeline('os.execute "sleep 1" return mm.pipeline {} :limit(1)'))
            thread = threading.Thread(target=load)
            thread.start()
            time.sleep(0.2)
            child = os.fork()
            if child == 0:
                fine = good.run({"a": [1, 2]}).num_rows == 1
                fine = fine and mm.pipeline(":limit(2)").run({"a": [1, 2]}).num_rows == 2
                os._exit(0 if fine else 1)
            print(os.waitpid(child, 0)[1])
            thread.join()
            print(held[0].run({"a": [1, 2]}).num_rows)
        """)
    )
    assert done.stdout.split() == ["0", "1"], done.stderr


def test_hundreds_of_scripts_leave_neither_threads_nor_memory():
    def size():
        with open("/proc/self/statm") as file:
            return int(file.read().split()[1]) * os.sysconf("SC_PAGESIZE")

    def make(start):
        for i in range(start, start + 150):
            mm.pipeline(f":where 'a > {i}'").run({"a": [1, 2]})

    make(0)
    before = size()
    make(1000)
    assert size() - before < 32 << 20
    assert len(os.listdir("/proc/self/task")) < 40


# Each in a process of its own: the job goes on until the process ends.
FINDS = """:map("x: f64", function(r)
    return string.find(("a"):rep(2e6), ("a"):rep(1e6) .. "b", 1, true) or 0 end)"""
STUCK = {
    "run": "pipeline.run(data, timeout=0.2)",
    "a result": "pipeline.submit(data, timeout=0.2).result()",
    "a future": "pipeline.submit(data, timeout=0.2).future().result()",
    "await": "asyncio.run(awaited())",
    "a stream": "list(pipeline.stream([data], timeout=0.2))",
    "a cancelled job": "job = pipeline.submit(data); time.sleep(0.2); job.cancel(); job.result()",
}


@pytest.mark.parametrize("wait", STUCK.values(), ids=STUCK)
def test_who_waits_for_a_job_within_a_call_that_cannot_be_stopped_is_let_go(wait):
    code = f"""
        import asyncio
        async def awaited():
            await pipeline.submit(data, timeout=0.2)
        pipeline, data = mm.pipeline({FINDS!r}), {{"a": [1, 2]}}
        began = time.monotonic()
        try:
            {wait}
        except mm.Error as error:
            print(type(error).__name__, time.monotonic() - began < {STOPPED_WITHIN}, flush=True)
    """
    expected = "JobCancelled" if "cancel" in wait else "JobTimeout"
    assert programs.output(PREAMBLE + textwrap.dedent(code)).split() == [expected, "True"]


@pytest.mark.parametrize("files", [1, 3])
def test_ctrl_c_stops_a_run_whose_output_is_a_pipe_that_is_not_read(files, tmp_path):
    """Several small files are written side by side, by threads of their own."""
    (tmp_path / "out").mkdir()
    for i in range(files):
        (tmp_path / f"{i}.csv").write_text("a\n1\n")
        os.mkfifo(tmp_path / "out" / f"{i}.csv")
    done = programs.run(
        PREAMBLE
        + textwrap.dedent(f"""
            files = ["{tmp_path}/%d.csv" % i for i in range({files})]
            print("ready", flush=True)
            began = time.monotonic()
            try:
                mm.pipeline(":limit(1)").run_files(files, to="{tmp_path}/out")
            except KeyboardInterrupt:
                print(time.monotonic() - began < {STOPPED_WITHIN})
        """),
        send=signal.SIGINT,
        timeout=30,
    )
    assert done.stdout.split() == ["True"], done.stderr
