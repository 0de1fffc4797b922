"""What travels between processes, and what says that it does not."""

import copy
import importlib.util
import multiprocessing
import os
import pickle
import subprocess
import sys
from pathlib import Path

import programs
import pytest

import moonmill as mm

CHAIN = mm.pipeline(':where "a > p.low"'.replace("p.low", "1"))


def test_a_pipeline_is_small_and_the_same_again():
    data = pickle.dumps(CHAIN)
    assert len(data) < 300
    again = pickle.loads(data)
    assert again == CHAIN
    assert again({"a": [1, 2]}) == {"a": [2]}


def test_parameters_travel_along():
    pipeline = mm.pipeline('mm.pipeline { params = { "low: i64" } } :where "a > p.low"', low=1)
    assert pickle.loads(pickle.dumps(pipeline))({"a": [1, 2]}) == {"a": [2]}


def test_modules_of_a_script_travel_along(script):
    script("near.lua", 'return { far = require "lib.far" }')
    script("lib/far.lua", "return { factor = 3 }")
    path = script("times.lua", 'local near = require "near"\nreturn require("moonmill").pipeline {}'
                  ':map("b: f64", function(r) return r.a * near.far.factor end)')  # fmt: skip
    data = pickle.dumps(mm.load(path))
    for name in ("times.lua", "near.lua", "lib/far.lua"):
        os.remove(os.path.join(os.path.dirname(path), name))
    program = "import pickle, sys\nprint(pickle.load(sys.stdin.buffer)({'a': [2]}))"
    done = subprocess.run([sys.executable, "-c", program], input=data, capture_output=True, check=True)
    assert done.stdout.decode().strip() == "{'a': [2], 'b': [6.0]}"


def test_tables_travel_through_pyarrow():
    pytest.importorskip("pyarrow")
    table = CHAIN.run({"a": [1, 2, 3]})
    buffers = []
    again = pickle.loads(pickle.dumps(table, protocol=5, buffer_callback=buffers.append), buffers=buffers)
    assert isinstance(again, mm.Table)
    assert again.to_pydict() == {"a": [2, 3]}
    assert buffers


def test_copying_a_table_takes_no_library(monkeypatch):
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    table = mm.Table.from_columns(["a", "s"], [[1, None, 3], ["x", "ü", None]])
    shared, own = copy.copy(table), copy.deepcopy(table)
    assert type(shared) is type(own) is mm.Table
    assert shared == own == table
    addresses = [found["a"].data().address for found in (table, shared, own)]
    assert addresses[0] == addresses[1] != addresses[2]
    assert copy.deepcopy(table["s"]).to_pylist() == ["x", "ü", None]
    with pytest.raises(TypeError, match="pyarrow"):
        pickle.dumps(table)


def test_jobs_do_not_travel():
    with pytest.raises(TypeError, match="result"):
        pickle.dumps(CHAIN.submit({"a": [1]}))


@pytest.mark.parametrize("protocol", range(2, pickle.HIGHEST_PROTOCOL + 1))
def test_what_was_added_to_an_exception_travels_along(protocol):
    class_of_others = mm.KindError("other", id="odd", others=(mm.JobTimeout("further"),))
    error = mm.DataError("what", id="some-id", others=(class_of_others,))
    error.batch = 7
    if sys.version_info >= (3, 11):
        error.add_note("in batch 7")
    for again in (pickle.loads(pickle.dumps(error, protocol)), copy.copy(error), copy.deepcopy(error)):
        assert (type(again), again.batch, str(again)) == (mm.DataError, 7, str(error))
        assert getattr(again, "__notes__", None) == getattr(error, "__notes__", None)
        assert [type(other) for other in (*again.others, *again.others[0].others)] == [
            mm.KindError,
            mm.JobTimeout,
        ]


def travellers():
    """One of everything that can be pickled, by name."""
    pipeline = mm.pipeline(
        'mm.pipeline { params = { "low: i64", "mark: utf8 = \'x\'" } } :where "a > p.low"', name="nämé", low=1
    )
    grouped = mm.pipeline(':group("a", "n = count()")')
    module = mm.module(
        'return mm.module { add = mm.fn("a: i32, b: f32 -> f32", function(a, b) return a + b end) }'
    )
    table = mm.Table.from_columns(["a", "s"], [[1, None, 3], ["x", "ü", None]])
    things = {
        "pipeline": pipeline,
        "partial": grouped.partial(),
        "merge": grouped.merge(),
        "module": module,
        "function": module.add,
        "schema": table.schema,
        "info": pipeline.info,
        "files": mm.files("x.csv", delimiter=";"),
    }
    if importlib.util.find_spec("pyarrow"):
        things |= {"table": table, "column": table["s"]}
    for cls in [cls for cls in vars(mm).values() if isinstance(cls, type) and issubclass(cls, mm.Error)]:
        things[cls.__name__] = cls(
            "what\nü", id="some-id", hint="do", file="f.lua", line=3, column=4, row=5, field="a", value="x",
            stage="map", script={"file": "s.lua", "line": 1},
            frames=[{"file": "f.lua", "line": 3, "function": "g"}], others=(mm.JobTimeout("more"),),
        )  # fmt: skip
    return things


def told(thing):
    """What a thing is, as text."""
    if isinstance(thing, mm.Error):
        return repr(
            (type(thing), str(thing), vars(thing) | {"others": [told(other) for other in thing.others]})
        )
    if isinstance(thing, mm.Pipeline):
        return repr((thing, thing.source, thing.info))
    return repr(thing.to_pydict() if isinstance(thing, mm.Table) else thing)


def test_other_pythons_and_protocols_give_the_same_things(tmp_path):
    """`make test-pythons` has all interpreters read what each of them has written."""
    folder = Path(os.environ.get("MOONMILL_PICKLES", tmp_path))
    own = folder / f"{sys.implementation.cache_tag}{sys.abiflags}"
    own.mkdir(parents=True, exist_ok=True)
    expected = {}
    for name, thing in travellers().items():
        expected[name] = told(thing)
        for protocol in range(2, pickle.HIGHEST_PROTOCOL + 1):
            (own / f"{name}.{protocol}").write_bytes(pickle.dumps(thing, protocol))
        assert (told(copy.copy(thing)), told(copy.deepcopy(thing))) == (expected[name],) * 2
    seen = 0
    for path in folder.glob("*/*.[2-9]"):
        name = path.name.partition(".")[0]
        if name in expected:
            seen += 1
            assert told(pickle.loads(path.read_bytes())) == expected[name], path
    assert seen >= 4 * len(expected)


def add_one(data):
    return mm.pipeline(':derive "a = a + 1"')(data)


@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
@pytest.mark.filterwarnings("ignore:.*multi-threaded.*:DeprecationWarning")
def test_pools_of_processes(method):
    CHAIN.run({"a": [1, 2]})
    context = multiprocessing.get_context(method)
    with context.Pool(2) as pool:
        assert pool.map(CHAIN, [{"a": [1, i]} for i in range(4)]) == [
            {"a": []},
            {"a": []},
            {"a": [2]},
            {"a": [3]},
        ]
        assert pool.map(add_one, [{"a": [i]} for i in range(4)]) == [{"a": [i + 1]} for i in range(4)]
        with pytest.raises(mm.DataError) as caught:
            pool.apply(mm.pipeline(':derive "b = 1 // a"'), ({"a": [1, 0]},))
    assert caught.value.row == 2


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.filterwarnings("ignore:.*multi-threaded.*:DeprecationWarning")
def test_a_child_of_fork_runs_while_the_parent_has_a_job():
    np = pytest.importorskip("numpy")
    job = mm.pipeline(':map("b: f64", function(r) while true do end end)').submit({"a": np.ones(2)})
    job.add_done_callback(lambda job: None)
    child = os.fork()
    if child == 0:
        code = 1
        try:
            big = mm.pipeline(':derive "c = a * 2"').run({"a": np.arange(300_000)})
            done = mm.pipeline(':derive "c = a * 2"').submit({"a": np.arange(300_000)}).future().result(20)
            code = 0 if big["c"][299_999] == done["c"][299_999] == 599_998 else 2
        finally:
            os._exit(code)
    assert os.waitpid(child, 0)[1] == 0
    job.cancel()
    assert job.wait(5)


def test_workers_use_one_thread(monkeypatch):
    from moonmill.base.threads import default_threads, in_worker

    assert not in_worker()
    assert default_threads() == 0
    monkeypatch.setenv("MOONMILL_THREADS", "3")
    assert default_threads() == 3
    monkeypatch.delenv("MOONMILL_THREADS")
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        assert pool.apply(default_threads) == 1


@pytest.mark.parametrize(
    "ending",
    ["pass", "del job", "import os; os._exit(0)", "raise SystemExit(0)", "job.add_done_callback(print)"],
)
def test_the_interpreter_ends_while_a_job_runs(ending):
    program = f"""
import moonmill as mm
job = mm.pipeline(':map("b: f64", function(r) while true do end end)').submit({{"a": [1.0]}})
future = job.future()
{ending}
"""
    done = programs.run(program, timeout=20)
    assert (done.returncode, done.stderr) == (0, "")
