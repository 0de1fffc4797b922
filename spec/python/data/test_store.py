"""The store: named columns of this process; nothing is copied, and a value lives as long as its last user."""

import array
import gc
import multiprocessing
import pathlib
import pickle
import sys
import threading

import pytest

import moonmill as mm
from moonmill import _core

np = pytest.importorskip("numpy")

LOOKUP = """
mm.pipeline { input = { "k: i64" } }
:map ("w: f64", function(r) return mm.store.get("weights")[r.k] end)
"""


@pytest.fixture(autouse=True)
def empty_store():
    mm.store.clear()
    yield
    mm.store.clear()


def users_of(name):
    return next(entry.users for entry in mm.store.entries() if entry.name == name)


def test_it_is_empty_at_first():
    assert len(mm.store) == 0
    assert list(mm.store) == []
    assert mm.store.nbytes == 0
    assert "weights" not in mm.store
    assert repr(mm.store) == "moonmill.store: 0 columns, 0 B"


def test_it_shares_memory_both_ways():
    weights = np.arange(1000.0)
    mm.store["weights"] = weights
    found = mm.store["weights"].to_numpy()
    assert found.ctypes.data == weights.ctypes.data
    assert not found.flags.writeable
    assert mm.store.nbytes == 8000


@pytest.mark.parametrize("rows", [0, 1, 63, 64, 65, 1023, 1024, 1025, 65536])
def test_it_gives_back_what_was_put(rows):
    mm.store["x"] = np.arange(rows, dtype=np.int32)
    assert mm.store["x"].type == "i32"
    assert mm.store["x"].to_pylist() == list(range(rows))


@pytest.mark.parametrize(
    ("value", "kind", "expected"),
    [
        ([1, None, 3], "i64", [1, None, 3]),
        (["a", "", None], "utf8", ["a", "", None]),
        (b"\x00\xff", "u8", [0, 255]),
        (array.array("f", [0.5]), "f32", [0.5]),
        (memoryview(b"ab"), "u8", [97, 98]),
        (np.array([True, False]), "bool", [True, False]),
        (np.arange(10)[::3], "i64", [0, 3, 6, 9]),
        (np.ma.MaskedArray([1.0, 2.0], mask=[False, True]), "f64", [1.0, None]),
    ],
    ids=["list", "text", "bytes", "array", "memoryview", "bools", "strided", "masked"],
)
def test_it_takes_columns_of_any_kind(value, kind, expected):
    mm.store["x"] = value
    assert mm.store["x"].type == kind
    assert mm.store["x"].to_pylist() == expected


def test_it_takes_series_and_arrow_arrays():
    pl, pa, pd = (pytest.importorskip(name) for name in ("polars", "pyarrow", "pandas"))
    mm.store["polars"] = pl.Series("p", [1.5, None])
    mm.store["arrow"] = pa.array(["x", None])
    mm.store["chunks"] = pa.chunked_array([[1, 2], [3]])
    mm.store["pandas"] = pd.Series([1, 2])
    mm.store["table"] = pa.table({"only": [7]})
    values = {name: column.to_pylist() for name, column in mm.store.items()}
    assert values == {
        "polars": [1.5, None], "arrow": ["x", None], "chunks": [1, 2, 3], "pandas": [1, 2], "table": [7],
    }  # fmt: skip
    assert mm.store["chunks"].chunks == 1


def test_it_tells_what_was_copied():
    weights = np.arange(100.0)
    column = mm.Table.from_columns(["x"], [weights])["x"]
    assert mm.store.put("array", weights) == 0
    assert mm.store.put("column", column) == 0
    assert mm.store.put("list", [1.0, 2.0]) == 16
    assert mm.store.put("copy", weights, copy=True) == 800
    assert mm.store["copy"].to_numpy().ctypes.data != weights.ctypes.data


def test_it_is_a_mapping():
    mm.store["b"] = [2]
    mm.store.update({"a": [1], "c": np.array([3])})
    assert list(mm.store) == list(mm.store.keys()) == ["a", "b", "c"]
    assert {name: column.to_pylist() for name, column in mm.store.items()} == {"a": [1], "b": [2], "c": [3]}
    assert "a" in mm.store
    assert 1 not in mm.store
    assert mm.store.get("z") is None
    assert mm.store.pop("b").to_pylist() == [2]
    del mm.store["a"]
    assert list(mm.store) == ["c"]
    mm.store.clear()
    assert len(mm.store) == 0


@pytest.mark.parametrize("missing", ["x", 1, None])
def test_a_missing_name_is_a_key_error(missing):
    with pytest.raises(KeyError):
        mm.store[missing]
    with pytest.raises(KeyError):
        del mm.store[missing]


def test_it_refuses_what_it_cannot_keep():
    with pytest.raises(TypeError, match="names in the store are str, not int"):
        mm.store[1] = [1]
    with pytest.raises(ValueError, match="NUL"):
        mm.store["a\0b"] = [1]
    with pytest.raises(mm.UsageError, match="must not be empty"):
        mm.store[""] = [1]
    with pytest.raises(mm.KindError, match="would be 2 columns"):
        mm.store["x"] = {"a": [1], "b": [2]}
    with pytest.raises(TypeError):
        mm.store["x"] = object()
    assert len(mm.store) == 0


def test_it_refuses_nested_types():
    pa = pytest.importorskip("pyarrow")
    with pytest.raises(mm.UsageError, match="'x' is of a nested or foreign type"):
        mm.store["x"] = pa.array([[1], [2, 3]])


def test_it_shows_names_sizes_and_users():
    weights = np.arange(1000.0)
    mm.store["weights"] = weights
    mm.store["<b>"] = ["x", None]
    held = mm.store["weights"]
    assert repr(mm.store).splitlines() == [
        "moonmill.store: 2 columns, 7.83 KiB",
        "name     type    rows      size  users",
        "<b>      utf8?      2      14 B      0",
        "weights  f64    1,000  7.81 KiB      1",
    ]
    html = mm.store._repr_html_()
    assert "&lt;b&gt;" in html
    assert "<td>weights</td>" in html
    assert held.name == "weights"


def test_users_are_columns_and_arrays_that_hold_the_memory():
    mm.store["x"] = np.arange(10)
    assert users_of("x") == 0
    column = mm.store["x"]
    assert users_of("x") == 1
    shown = column.to_numpy()
    part = shown[2:5]
    assert users_of("x") == 2
    del column, shown
    assert users_of("x") == 1
    del part
    assert users_of("x") == 0


def test_a_value_is_freed_when_its_last_user_lets_go(no_leaks):
    weights = np.arange(1000.0)
    alone = sys.getrefcount(weights)
    mm.store["weights"] = weights
    shown = mm.store["weights"].to_numpy()
    assert sys.getrefcount(weights) > alone
    del mm.store["weights"]
    assert sys.getrefcount(weights) > alone
    assert shown[999] == 999.0
    del shown
    assert sys.getrefcount(weights) == alone


def test_replacing_and_clearing_free_at_once(no_leaks):
    first, second = np.arange(10), np.arange(20)
    alone = sys.getrefcount(first), sys.getrefcount(second)
    mm.store["x"] = first
    mm.store["x"] = second
    assert sys.getrefcount(first) == alone[0]
    assert len(mm.store["x"]) == 20
    mm.store.clear()
    assert sys.getrefcount(second) == alone[1]


def test_memory_of_the_core_returns_to_what_it_was(no_leaks):
    gc.collect()  # what earlier specs left
    before = _core.memory_used() - _core.memory_reserved()
    for i in range(50):
        mm.store[f"name {i % 7}"] = [f"text {j}" for j in range(i * 10)]
    mm.store.clear()
    gc.collect()
    assert _core.memory_used() - _core.memory_reserved() == before


def test_a_buffer_is_given_back_to_its_owner():
    text = bytearray(b"abc")
    mm.store["text"] = text
    with pytest.raises(BufferError):
        text.append(1)
    del mm.store["text"]
    text.append(1)


def test_row_functions_see_it_by_name():
    mm.store["weights"] = np.array([0.5, 0.25, 0.125])
    result = mm.pipeline(LOOKUP)({"k": np.array([2, 0, 1])})
    assert result["w"].tolist() == [0.125, 0.5, 0.25]


def test_a_running_job_keeps_what_was_there_at_submit(no_leaks):
    rows = 400_000
    old = np.full(10, 1.0)
    alone = sys.getrefcount(old)
    mm.store["weights"] = old
    pipeline = mm.pipeline(LOOKUP + ':group({}, { "least = min(w)", "most = max(w)" })')
    job = pipeline.submit({"k": np.arange(rows) % 10})
    mm.store["weights"] = np.full(10, 2.0)
    mm.store["other"] = [1]
    assert job.result().to_pydict() == {"least": [1.0], "most": [1.0]}
    assert pipeline.run({"k": [1]}).to_pydict() == {"least": [2.0], "most": [2.0]}
    mm.store.clear()
    del job
    gc.collect()
    assert sys.getrefcount(old) == alone


def test_a_job_that_has_ended_holds_nothing(no_leaks):
    weights = np.full(10, 1.0)
    alone = sys.getrefcount(weights)
    mm.store["weights"] = weights
    job = mm.pipeline(LOOKUP).submit({"k": [1, 2]})
    job.result()
    mm.store.clear()
    assert sys.getrefcount(weights) == alone


def test_what_is_not_there_is_an_error_that_names_what_is():
    mm.store["weights"] = [1.0]
    with pytest.raises(mm.ScriptError, match='nothing is named "wieghts"') as caught:
        mm.pipeline(LOOKUP.replace("weights", "wieghts")).run({"k": [0]})
    assert caught.value.hint == 'did you mean "weights"?'
    with pytest.raises(mm.ScriptError, match="index 1 is outside"):
        mm.pipeline(LOOKUP).run({"k": [1]})


def test_row_functions_may_not_change_it():
    with pytest.raises(mm.ScriptError, match="may not change the store"):
        mm.pipeline(':map ("y: f64", function(r) mm.store.drop "x" return 1 end)').run({"k": [1]})


def test_many_threads_may_use_it():
    failures = []

    def work(number):
        try:
            for i in range(200):
                mm.store[f"n{(number + i) % 5}"] = np.full(50, i)
                column = mm.store.get(f"n{i % 5}")
                if column is not None:
                    values = column.to_numpy()
                    assert len(values) == 50
                    assert (values == values[0]).all()
                mm.store.pop(f"n{(number * i) % 5}", None)
                repr(mm.store)
        except Exception as error:
            failures.append(error)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []


def _child(queue):
    queue.put(mm.store["weights"].to_pylist())
    mm.store["weights"] = [9]


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_fork_has_what_was_there_and_changes_only_its_own():
    mm.store["weights"] = [1, 2]
    context = multiprocessing.get_context("fork")
    queue = context.Queue()
    child = context.Process(target=_child, args=(queue,))
    child.start()
    assert queue.get(timeout=20) == [1, 2]
    child.join(20)
    assert child.exitcode == 0
    assert mm.store["weights"].to_pylist() == [1, 2]


def test_a_view_that_a_script_took_is_shipped_by_name():
    mm.store["weights"] = np.array([0.5, 0.25])
    pipeline = mm.pipeline("""
        local weights = mm.store.get "weights"
        return mm.pipeline { input = { "k: i64" } }
          :map ("w: f64, n: i64", function(r) return weights[r.k], #weights end)
    """)
    assert pipeline.run({"k": [1, 0]}).to_pydict() == {"k": [1, 0], "w": [0.25, 0.5], "n": [2, 2]}
    mm.store["weights"] = np.array([1.0, 2.0, 3.0])  # a job sees the store as it was at submit, not at load
    assert pipeline.run({"k": [2]}).to_pydict() == {"k": [2], "w": [3.0], "n": [3]}


def test_a_script_that_took_a_view_holds_nothing_afterwards(no_leaks):
    weights = np.array([0.5, 0.25])
    alone = sys.getrefcount(weights)
    mm.store["weights"] = weights
    pipeline = mm.pipeline("""
        local weights = mm.store.get "weights"
        local last = weights[#weights - 1]
        return mm.pipeline { input = { "k: i64" } }
          :map ("w: f64", function(r) return weights[r.k] + last end)
    """)
    assert users_of("weights") == 0
    assert pipeline.run({"k": [0]})["w"].to_pylist() == [0.75]
    del mm.store["weights"]
    assert sys.getrefcount(weights) == alone
    with pytest.raises(
        mm.ScriptError, match='captures "weights" of the store, which has no such name any more'
    ):
        pipeline.run({"k": [0]})


def test_a_value_that_lies_where_the_one_before_lay_is_read_as_what_it_is():
    module = mm.module("""
      return mm.module { second = mm.fn("-> f64?", function() local v = mm.store.get("x") return v[1] end) }
    """)
    bits = np.array([1, 4611686018427387904, 3])
    mm.store["x"] = bits
    with pytest.raises(mm.ScriptError, match="4611686018427387904 cannot be held"):
        module.second()
    mm.store["x"] = bits.view("f8")
    assert module.second() == 2.0
    mm.store["x"] = np.ma.array(bits.view("f8"), mask=[0, 1, 0])
    assert module.second() is None


@pytest.mark.parametrize("value", ["weights.csv", pathlib.Path("weights.csv")])
def test_a_text_is_not_taken_for_the_path_of_a_file(value):
    with pytest.raises(mm.Error, match="no column"):
        mm.store["x"] = value


def test_the_store_cannot_be_pickled_but_its_columns_can():
    pytest.importorskip("pyarrow")
    mm.store["x"] = ["a", None]
    with pytest.raises(TypeError, match="belongs to its process"):
        pickle.dumps(mm.store)
    sent = pickle.loads(pickle.dumps(dict(mm.store)))
    assert sent["x"].to_pylist() == ["a", None]
    assert (sent["x"].name, sent["x"].type) == ("x", "utf8")


def test_odd_names_stay_on_their_line():
    mm.store["a\nb"] = [1]
    assert repr(mm.store).count("\n") == 2
    assert "a\\nb" in repr(mm.store)


@pytest.mark.parametrize(
    ("body", "at"),
    [('return mm.store.get "none"', ":1:16"), ('local v = mm.store.get "none" return v[0]', ":1")],
)
def test_what_is_not_stored_is_reported_at_the_script_s_line(body, at):
    pipeline = mm.pipeline(f":map('b: f64', function(r) {body} end)", name="look")
    with pytest.raises(mm.ScriptError) as caught:
        pipeline.run({"k": [1]})
    assert str(caught.value).startswith(
        f'look{at}: error[not-stored]: nothing is named "none" in the store (row 1)'
    )
