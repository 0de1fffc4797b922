"""Many threads at the same objects at the same time; builds without a GIL run them side by side."""

import subprocess
import sys
import sysconfig
import textwrap
import threading
import time
from array import array
from datetime import date, datetime, timedelta, timezone

import pytest

import moonmill as mm
from moonmill import _core

FREE = bool(sysconfig.get_config_var("Py_GIL_DISABLED"))
THREADS = 6
SECONDS = 0.25


def hammer(*works, threads=THREADS, seconds=SECONDS):
    """Call the works over and over in threads of their own, all at once; raise what one of them raised."""
    gate = threading.Barrier(threads)
    failures = []

    def run(number):
        work = works[number % len(works)]
        gate.wait()
        until = time.monotonic() + seconds
        try:
            while not failures and time.monotonic() < until:
                work()
        except BaseException as error:
            failures.append(error)

    crew = [threading.Thread(target=run, args=(number,)) for number in range(threads)]
    for thread in crew:
        thread.start()
    for thread in crew:
        thread.join()
    if failures:
        raise failures[0]


def at_once(work, threads=THREADS):
    """What each thread got, or raised, of one call that all make at the same moment."""
    gate = threading.Barrier(threads)
    outcomes = [None] * threads

    def run(number):
        gate.wait()
        try:
            outcomes[number] = work()
        except Exception as error:
            outcomes[number] = error

    crew = [threading.Thread(target=run, args=(number,)) for number in range(threads)]
    for thread in crew:
        thread.start()
    for thread in crew:
        thread.join()
    return outcomes


def run_python(program):
    """Run a program in a fresh process, where warnings are errors; gives what it printed."""
    command = [sys.executable, "-W", "error", "-X", "faulthandler", "-c", textwrap.dedent(program)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


# ---- The build ----


@pytest.mark.skipif(not FREE, reason="this Python has a GIL")
def test_the_gil_stays_off():
    program = """
        import sys, moonmill as mm
        assert mm.pipeline(':derive "b = a + 1"')({"a": [1]}) == {"a": [1], "b": [2]}
        print(sys._is_gil_enabled())
    """
    assert run_python(program) == "False"


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
        assert run_python(program) == "True"


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


# ---- Tables, columns, buffers ----

VALUES = {
    "i": [1, None, 3, 4],
    "f": [0.5, 1.5, None, -2.5],
    "t": ["a", "ü", None, "日本"],
    "b": [True, None, False, True],
    "d": [date(2024, 1, 1), None, date(1969, 12, 31), date(2000, 2, 29)],
    "at": [datetime(2024, 1, 1, tzinfo=timezone.utc), None] * 2,
    "for": [timedelta(seconds=1), timedelta(days=-1), None, timedelta(microseconds=3)],
}


def table_of_two_chunks():
    table = mm.Table.from_columns(list(VALUES), list(VALUES.values()))
    return mm.Table.concat([table, table])


def test_one_table_is_read_in_many_ways(no_leaks):
    table = table_of_two_chunks()
    twice = {name: values + values for name, values in VALUES.items()}

    def values():
        assert table.to_pydict() == twice

    def parts():
        part = table.slice(2, 4).select(["t", "i"])
        assert part.to_pydict() == {"t": twice["t"][2:6], "i": twice["i"][2:6]}

    def copies():
        assert table.copy()["at"].to_pylist() == twice["at"]

    def columns():
        assert [column.null_count for column in table.columns] == [2, 2, 2, 2, 2, 4, 2]
        assert table["f"][-1] == -2.5 and table["t"].combine().chunks == 1

    def figures():
        assert table.stats.rows == 8 and table.copied_bytes >= 0 and "8 rows" in repr(table)

    def arrow():
        assert mm.Table.from_arrow(table).to_pydict() == twice

    hammer(values, parts, copies, columns, figures, arrow)


def test_what_is_copied_is_counted_in_full(no_leaks):
    table = mm.Table.concat([mm.Table.from_columns(["a"], [[1, 2]])] * 2)
    before, calls = table.copied_bytes, []

    def join():
        table["a"].combine()
        calls.append(1)

    hammer(join)
    assert table.copied_bytes - before == 32 * len(calls)


def test_only_one_buffer_of_a_column_may_be_written(no_leaks):
    for _ in range(60):
        table = mm.pipeline(':select "b = a + 1"').run({"a": [1, 2, 3]})
        column = table["b"]
        buffers = at_once(column.data)
        assert sum(not buffer.readonly for buffer in buffers) == 1
        assert all(list(memoryview(buffer)) == [2, 3, 4] for buffer in buffers)


def test_one_buffer_is_viewed_by_many_threads(no_leaks):
    buffer = mm.Table.from_columns(["a"], [list(range(100))])["a"].data()

    def view():
        with memoryview(buffer) as shown:
            assert shown[99] == 99 and shown.nbytes == buffer.nbytes

    def tensor():
        buffer.__dlpack__(max_version=(1, 0))
        buffer.__dlpack__(max_version=(1, 0), copy=True)

    hammer(view, tensor)


def test_a_capsule_is_taken_by_one_thread_alone(no_leaks):
    table = mm.Table.from_columns(["a"], [[1, 2, 3]])

    class Once:
        def __init__(self, capsule, name):
            setattr(self, name, lambda requested_schema=None: capsule)

    for _ in range(30):
        for name in ("__arrow_c_stream__", "__arrow_c_array__"):
            once = Once(getattr(table, name)(), name)
            outcomes = at_once(lambda once=once: mm.Table.from_arrow(once).to_pydict())
            assert outcomes.count({"a": [1, 2, 3]}) == 1
            assert sum(isinstance(outcome, mm.DataError) for outcome in outcomes) == THREADS - 1


def test_lists_that_change_meanwhile_are_taken_as_they_are_at_some_moment(no_leaks):
    numbers = [0]
    count = mm.pipeline(':group({}, { "n = count()", "most = max(a)" })')

    def grow():
        numbers.append(len(numbers))
        if len(numbers) > 1000:
            del numbers[1:]

    def read():
        row = count({"a": numbers})
        assert 1 <= row["n"][0] <= 1001 + THREADS

    hammer(grow, read)


def test_memory_is_given_back_by_the_thread_that_lets_go(no_leaks):
    same = mm.pipeline('mm.pipeline { input = "u8" }')

    def work():
        memory = bytearray(64)
        table = same.run(memory)
        with pytest.raises(BufferError):
            memory.append(0)
        del table
        memory.append(0)  # raises BufferError where somebody still holds it

    hammer(work)


def test_writing_into_parts_of_one_buffer(no_leaks):
    add = mm.pipeline('mm.pipeline { input = "i64" } :derive { "value = value + 1" }')
    numbers = array("q", [0] * 6000)
    rounds = []

    def part(start):
        view = memoryview(numbers)[start : start + 1000]

        def work():
            add.run(view, out=view)
            rounds.append(start)

        return work

    hammer(*(part(start) for start in range(0, 6000, 1000)))
    assert [numbers[start] for start in range(0, 6000, 1000)] == [
        rounds.count(start) for start in range(0, 6000, 1000)
    ]


# ---- Typed functions ----


def test_one_module_is_called_by_many_threads(no_leaks):
    module = mm.module(
        """
        local calls = 0
        return mm.module {
          count = mm.fn("-> i64", function() calls = calls + 1 return calls end),
          shout = mm.fn("a: utf8 -> utf8", function(a) return a .. "!" end),
          add = mm.fn("v: mut i64[], by: i64 -> i64[]", function(v, by)
            for i = 0, #v - 1 do v[i] = v[i] + by end
            return v
          end),
          fail = mm.fn("a: i64 -> i64", function(a) error("no " .. a) end),
        }
        """
    )
    counts = []

    def count():
        counts.append(module.count())

    def text():
        assert module.shout("ü") == "ü!"

    def numbers():
        values = array("q", range(50))
        assert module.add(values, 2) is values and values[49] == 51

    def fail():
        with pytest.raises(mm.ScriptError, match="no 7"):
            module.fail(7)

    hammer(count, text, numbers, fail)
    assert sorted(counts) == list(range(1, len(counts) + 1))


def test_a_module_that_is_unpickled_by_many_threads_is_one():
    from pickle import dumps, loads

    text = 'local n = 0 return mm.module { next = mm.fn("-> i64", function() n = n + 1 return n end) }'
    for number in range(20):
        packed = dumps(mm.module(text, name=f"counter {number}").next)
        functions = at_once(lambda packed=packed: loads(packed))
        assert [function() for function in functions] == list(range(1, THREADS + 1))


# ---- The store ----


def test_the_store_changes_under_its_readers(no_leaks):
    mm.store.clear()
    look = mm.pipeline(':map("v: i64", function(r) return mm.store.get("shared")[r.i] end)')
    mm.store["shared"] = [0, 0, 0]
    numbers = iter(range(10**9))
    lock = threading.Lock()

    def put():
        with lock:
            number = next(numbers)
        mm.store["shared"] = [number] * 3

    def get():
        values = mm.store["shared"].to_pylist()
        assert len(values) == 3 and len(set(values)) == 1

    def run():
        assert len(set(look({"i": [0, 1, 2]})["v"])) == 1

    def others():
        name = f"own {threading.get_ident()}"
        mm.store[name] = [1, 2]
        assert name in mm.store and "shared" in [entry.name for entry in mm.store.entries()]
        assert mm.store.nbytes >= 40
        del mm.store[name]

    hammer(put, get, run, others)
    mm.store.clear()


def test_names_that_come_and_go(no_leaks):
    mm.store.clear()

    def put():
        mm.store["a"] = [1]

    def drop():
        _core.store_drop("a")

    def clear():
        mm.store.clear()

    def get():
        column = mm.store.get("a")
        assert column is None or column.to_pylist() == [1]

    hammer(put, drop, clear, get)
    mm.store.clear()


# ---- Jobs ----


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
