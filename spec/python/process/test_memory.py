"""The memory of the core: what is held, at most, and given back; and the check at the end of all specs."""

import ast
import gc
import os
import pickle
import subprocess
import sys
import threading
from pathlib import Path

import pytest

import moonmill as mm
from moonmill import _core
from moonmill.base.frames import sources
from moonmill.script import SCRIPTS_KEPT

np = pytest.importorskip("numpy")
pytestmark = pytest.mark.usefixtures("no_leaks")

MIB = 1 << 20
MAKER = 'return mm.module { f = mm.fn("-> f64[]", function() return mm.array("f64", 3e6) end) }'
DOUBLE = mm.pipeline(':derive "b = a * 2.5" :where "b >= 0"')


@pytest.fixture
def limit():
    """Set a limit of some bytes above what is held; there is none afterwards."""
    gc.collect()

    def allow(nbytes):
        mm.memory.limit = mm.memory.used + nbytes

    yield allow
    mm.memory.limit = None


def numbers(rows):
    return {"a": np.arange(rows)}


# ---- What is held ----


def test_results_count_while_they_live():
    before = mm.memory.used
    table = DOUBLE.run(numbers(MIB))
    held = mm.memory.used - before
    assert table.nbytes <= held + 8 * MIB and 8 * MIB <= held < 24 * MIB
    assert mm.memory.peak >= before + held
    del table
    assert mm.memory.used < before + MIB


def test_memory_of_inputs_is_their_owners():
    before = mm.memory.used
    table = mm.Table.from_columns(["a"], [np.arange(MIB)])
    assert mm.memory.used < before + MIB and table.copied_bytes == 0


def test_what_is_kept_for_later_is_given_back():
    if not recycles():
        pytest.skip("sanitizers see every release: nothing is kept")
    DOUBLE.run(numbers(MIB))
    assert mm.memory.kept > 0
    plans = _core.live()["plans"]
    assert plans > 0
    mm.memory.trim()
    assert mm.memory.kept == 0 and _core.live()["plans"] < plans
    assert DOUBLE.run(numbers(3))["b"].to_pylist() == [0.0, 2.5, 5.0]


def test_pipelines_jobs_and_functions_live_through_a_trim():
    job = DOUBLE.submit(numbers(2 * MIB), threads=2)
    module = mm.module(
        "local n = 0 return mm.module { f = mm.fn('-> i64', function() n = n + 1 return n end) }"
    )
    sent = pickle.loads(pickle.dumps(module.f))
    assert (module.f(), sent(), sent()) == (1, 1, 2)
    mm.memory.trim()
    assert (module.f(), sent()) == (2, 3)
    assert len(job.result()) == 2 * MIB
    failing = mm.pipeline(':derive "b = 1 // a"')
    stopped = failing.submit({"a": [1, 0]})
    del failing
    mm.memory.trim()
    with pytest.raises(mm.DataError) as caught:
        stopped.result()
    assert (caught.value.id, caught.value.row) == ("divide-by-zero", 2)


def test_modules_of_functions_that_were_sent_here_do_not_pile_up():
    mm.memory.trim()
    before = _core.live()["modules"]
    for i in range(100):
        made = mm.module(f"return mm.module {{ f = mm.fn('-> i64', function() return {i} end) }}")
        assert pickle.loads(pickle.dumps(made.f))() == i
    assert _core.live()["modules"] <= before + SCRIPTS_KEPT + 1
    assert len(sources) <= 4 * SCRIPTS_KEPT
    del made
    mm.memory.trim()
    assert _core.live()["modules"] == before


def test_many_threads_trim_while_others_run():
    failures = []

    def work(step):
        try:
            for _ in range(10):
                step()
        except BaseException as error:
            failures.append(error)

    def run():
        assert len(DOUBLE.run(numbers(100_000), threads=2)) == 100_000

    threads = [threading.Thread(target=work, args=(step,)) for step in (run, mm.memory.trim) * 2]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []


def recycles():
    mm.memory.trim()
    mm.Table.from_columns(["a"], [np.arange(MIB)]).copy()
    return mm.memory.kept > 0


# ---- The limit ----


@pytest.mark.parametrize(
    "run",
    [
        lambda data: DOUBLE.run(data),
        lambda data: DOUBLE.submit(data).result(),
        lambda data: list(DOUBLE.stream(data, rows=3 * MIB)),
        lambda data: DOUBLE(data),
        lambda data: mm.Table.from_columns(["a"], [data["a"]]).copy(),
        lambda data: mm.store.put("a", data["a"], copy=True),
        lambda data: mm.pipeline(':sort "-a"').run(data),
        lambda data: mm.pipeline(':group("a", "n = count()")').run(data),
        lambda data: mm.module(MAKER).f(),
    ],
)
def test_whatever_needs_more_is_refused_and_leaves_nothing_behind(run, limit):
    data = numbers(3 * MIB)
    run(data)
    mm.store.clear()
    mm.memory.trim()
    before = mm.memory.used
    limit(4 * MIB)
    with pytest.raises(mm.MemoryLimitError) as caught:
        run(data)
    error = caught.value
    assert isinstance(error, MemoryError) and error.exit_code == 6 and error.id == "memory-limit"
    assert f"memory limit of {mm.memory.limit} bytes is reached" in error.message
    assert "are needed" in error.message and "raise the limit" in error.hint
    del caught, error
    mm.memory.trim()
    assert mm.memory.used <= before
    mm.memory.limit = None
    run(data)
    mm.store.clear()


def test_what_fits_runs_below_a_limit(limit):
    limit(32 * MIB)
    for _ in range(20):
        assert len(DOUBLE.run(numbers(100_000))) == 100_000


def test_what_is_kept_is_little_below_a_limit(limit):
    mm.memory.trim()
    limit(160 * MIB)
    for _ in range(3):
        mm.Table.from_columns(["a"], [np.arange(16 * MIB, dtype="u1")]).copy()
    assert mm.memory.kept <= 10 * MIB + 16 * 8 * MIB


def test_the_limit_is_a_number_of_bytes_or_none():
    assert mm.memory.limit is None
    mm.memory.limit = np.int64(3 << 40)
    assert mm.memory.limit == 3 << 40
    for bad, error in ((0, ValueError), (-1, ValueError), ("4 GiB", TypeError), (1.5e9, TypeError)):
        with pytest.raises(error, match=r"memory\.limit is .*expected"):
            mm.memory.limit = bad
    assert mm.memory.limit == 3 << 40
    mm.memory.limit = 1 << 70
    assert mm.memory.limit == (1 << 63) - 1
    mm.memory.limit = None
    assert mm.memory.limit is None


def test_it_tells_how_much_that_is(limit):
    mm.memory.limit = 1 << 30
    assert repr(mm.memory).startswith("moonmill.memory: ") and "limit 1 GiB" in repr(mm.memory)
    mm.memory.limit = None
    assert repr(mm.memory).endswith("kept, no limit")
    assert pickle.loads(pickle.dumps(mm.memory)) is mm.memory


# ---- The check at the end of all specs ----


LEAKS = f"""
    core = ctypes.CDLL(_core.__file__)
    core.mm_block_new(ctypes.c_int64(1000), None)
    kept.append(mm.pipeline(':derive "b = a + 1"').run({{"a": [1]}}))
    kept.append(mm.module({MAKER!r}))
"""


@pytest.mark.parametrize("leaks", ["", LEAKS])
def test_what_specs_leave_behind_makes_them_fail(leaks, tmp_path):
    (tmp_path / "test_it.py").write_text(
        "import ctypes, moonmill as mm\nfrom moonmill import _core\nkept = []\n"
        "def test_it():\n    mm.pipeline(':derive \"b = a + 1\"').run({'a': [1]})\n" + leaks
    )
    path = os.pathsep.join([str(Path(__file__).parents[1]), os.environ["PYTHONPATH"]])
    command = [sys.executable, "-m", "pytest", "-q", "-c", os.devnull, "-p", "conftest", "test_it.py"]
    environment = {**os.environ, "PYTHONPATH": path}
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=120)
    said = done.stdout + done.stderr
    assert "1 passed" in said, said
    assert done.returncode == (1 if leaks else 0), said
    assert ("left behind by the specs" in said) == bool(leaks)
    if leaks:
        left = ast.literal_eval(said[said.index("{") : said.index("}") + 1])
        assert left["bytes"] >= 1000 and left["tables"] == left["modules"] == 1, left
