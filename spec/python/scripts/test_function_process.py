"""Typed functions and the process around them: Ctrl-C, threads, pools."""

import multiprocessing
import os
import pickle
import signal
import textwrap
import threading
import time

import numpy as np
import programs
import pytest
from typed import module

import moonmill as mm

ENDLESS = """local n = 0 return mm.module {
    loop = mm.fn("", function() while true do end end),
    caught = mm.fn("", function() while true do pcall(function() while true do end end) end end),
    busy = mm.fn("v: mut f64[]", function(v) while true do for i = 0, #v - 1 do v[i] = v[i] + 1 end end end),
    threads = mm.fn("", function() coroutine.wrap(function() while true do end end)() end),
    count = mm.fn("-> i32", function() n = n + 1 return n end),
}"""


def run(code):
    return programs.run(f"ENDLESS = {ENDLESS!r}\n" + textwrap.dedent(code), timeout=30)


class TestInterrupts:
    @pytest.mark.parametrize(
        "call", ["loop()", "caught()", "busy(np.zeros(100_000))", "busy(np.zeros(3))", "threads()"]
    )
    def test_ctrl_c_ends_an_endless_loop_at_once(self, call):
        result = run(
            """
            import os, signal, threading, time
            import numpy as np
            import moonmill as mm
            m = mm.module(ENDLESS)
            assert m.count() == 1
            def strike():
                time.sleep(0.25)
                global at
                at = time.perf_counter()
                os.kill(os.getpid(), signal.SIGINT)
            for _ in range(2):
                threading.Thread(target=strike).start()
                try:
                    m.CALL
                except KeyboardInterrupt:
                    print("stopped", time.perf_counter() - at < 0.5)
                print(m.count())
        """.replace("CALL", call)
        )
        assert result.stderr == ""
        assert result.stdout.split() == ["stopped", "True", "1"] * 2

    def test_handlers_that_do_not_raise_let_the_call_go_on(self):
        result = run("""
            import signal
            import moonmill as mm
            seen = []
            signal.signal(signal.SIGALRM, lambda *_: seen.append(1))
            signal.setitimer(signal.ITIMER_REAL, 0.02, 0.02)
            m = mm.module('mm.module { f = mm.fn("-> f64", function() '
                          'local s = 0 for i = 1, 3e7 do s = s + i % 3 end return s end) }')
            result = m.f()
            signal.setitimer(signal.ITIMER_REAL, 0)
            print(result == 3e7, len(seen) > 2)
        """)
        assert result.stderr == ""
        assert result.stdout == "True True\n"

    def test_a_handler_may_not_call_the_module_that_is_running(self):
        result = run("""
            import signal
            import moonmill as mm
            m = mm.module('mm.module { f = mm.fn("", function() while true do end end), '
                          'g = mm.fn("-> f64", function() return 1 end) }')
            def handler(*_):
                try:
                    m.g()
                except mm.StateError as error:
                    raise SystemExit(f"refused: {error.id}")
            signal.signal(signal.SIGALRM, handler)
            signal.setitimer(signal.ITIMER_REAL, 0.05)
            m.f()
        """)
        assert "refused: busy" in result.stderr

    def test_a_thread_that_waits_for_a_module_can_be_stopped(self):
        result = run("""
            import os, signal, threading, time
            import moonmill as mm
            m = mm.module(ENDLESS)
            threading.Thread(target=m.loop, daemon=True).start()
            time.sleep(0.2)
            threading.Thread(target=lambda: (time.sleep(0.3), os.kill(os.getpid(), signal.SIGINT))).start()
            try:
                m.count()
            except KeyboardInterrupt:
                print("stopped")
        """)
        assert result.stdout == "stopped\n"
        assert result.returncode == 0


class TestThreads:
    def test_one_module_serves_many_threads(self):
        m = module(
            """
            add = mm.fn("n: f64 -> f64", function(n) sum = sum + n return sum end),
            scale = mm.fn("v: mut f64[], by: f64 -> f64[]", function(v, by)
              for i = 0, #v - 1 do v[i] = v[i] * by end
              return v
            end),
            text = mm.fn("s: utf8 -> utf8", function(s) return s .. "!" end),
        """,
            "local sum = 0",
        )
        failures = []

        def work(number):
            try:
                for k in range(300):
                    m.add(1)
                    data = np.full(5000 if k % 10 == 0 else 10, float(number))
                    assert m.scale(data, 2) is data
                    assert (data == number * 2).all()
                    assert m.text(str(k)) == f"{k}!"
            except BaseException as error:
                failures.append(error)

        threads = [threading.Thread(target=work, args=(i,)) for i in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert failures == []
        assert m.add(0) == 8 * 300

    def test_the_gil_is_given_up_in_long_calls(self):
        m = module("f = mm.fn('n: f64', function(n) local s = 0 for i = 1, n do s = s + i % 3 end end)")
        ticks = []
        done = threading.Event()

        def tick():
            while not done.is_set():
                ticks.append(time.perf_counter())
                time.sleep(0.001)

        thread = threading.Thread(target=tick)
        thread.start()
        start = time.perf_counter()
        m.f(3e7)
        stop = time.perf_counter()
        done.set()
        thread.join()
        assert sum(start < t < stop for t in ticks) > 10

    def test_it_works_in_a_pool_of_threads_of_asyncio(self):
        import asyncio

        m = module("f = mm.fn('n: f64 -> f64', function(n) return n * 2 end)")

        async def main():
            return await asyncio.gather(*(asyncio.to_thread(m.f, i) for i in range(50)))

        assert asyncio.run(main()) == [2.0 * i for i in range(50)]


COUNTER = "local n = 0 return mm.module { count = mm.fn('-> i32', function() n = n + 1 return n end) }"


class TestProcesses:
    def test_functions_and_modules_go_to_other_processes(self):
        m = mm.module("mm.module { twice = mm.fn('x: f64 -> f64', function(x) return 2 * x end) }")
        assert pickle.loads(pickle.dumps(m)).twice(3) == 6
        assert pickle.loads(pickle.dumps(m.twice))(3) == 6
        with multiprocessing.get_context("spawn").Pool(1) as pool:
            assert pool.map(m.twice, range(5)) == [0, 2, 4, 6, 8]

    @pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
    def test_a_forked_child_goes_on_with_an_idle_module(self):
        m = mm.module(COUNTER)
        assert m.count() == 1
        pid = os.fork()
        if pid == 0:
            os._exit(0 if (m.count(), m.count()) == (2, 3) else 1)
        assert os.waitpid(pid, 0)[1] == 0
        assert m.count() == 2

    def test_a_forked_child_begins_anew_where_the_module_was_in_use(self):
        result = run("""
            import os, sys, threading, time, warnings
            warnings.simplefilter("ignore")
            import moonmill as mm
            m = mm.module(ENDLESS)
            assert m.count() == 1
            threading.Thread(target=m.loop, daemon=True).start()
            time.sleep(0.2)
            pid = os.fork()
            if pid == 0:
                print(m.count(), m.count(), flush=True)
                os._exit(0)
            print(os.waitpid(pid, 0)[1], flush=True)
            os._exit(0)
        """)
        assert result.stdout == "1 2\n0\n"
        assert result.stderr == ""

    def test_the_interpreter_ends_while_a_daemon_thread_is_inside(self):
        result = run("""
            import threading, time
            import moonmill as mm
            m = mm.module(ENDLESS)
            threading.Thread(target=m.loop, daemon=True).start()
            time.sleep(0.1)
        """)
        assert result.returncode == 0
        assert result.stderr == ""

    def test_signals_are_for_the_threads_of_python(self):
        m = module("f = mm.fn('', function() end)")
        m.f()
        blocked = []
        for task in os.listdir("/proc/self/task"):
            try:
                with open(f"/proc/self/task/{task}/status") as status:
                    fields = dict(line.split(":", 1) for line in status)
            except (FileNotFoundError, ProcessLookupError):  # a thread of another spec, which has ended
                continue
            if fields["Name"].strip() and task != str(os.getpid()):
                blocked.append(int(fields["SigBlk"], 16) >> (signal.SIGINT - 1) & 1)
        assert 1 in blocked
