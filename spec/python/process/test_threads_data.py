"""Many threads at the same tables, columns, buffers, typed functions and names of the store."""

import threading
from array import array
from datetime import date, datetime, timedelta, timezone

import pytest
from concurrency import THREADS, at_once, hammer

import moonmill as mm
from moonmill import _core

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
