"""Nothing grows: whatever is done again and again leaves neither bytes, nor objects, nor references behind.

Each case is done a few times, so that caches are filled, then many times; what the core holds, the objects of
the extension, the blocks of Python's allocator, Lua's memory and references to what all share must be what
they were.
"""

import asyncio
import contextlib
import ctypes
import gc
import pickle
import sys
import time

import pytest

import moonmill as mm
from moonmill import _core
from moonmill.base.frames import sources

np = pytest.importorskip("numpy")
pytestmark = pytest.mark.skipif(
    not hasattr(sys, "getallocatedblocks"), reason="only CPython counts its blocks"
)

ROUNDS = 50
ATTEMPTS = 6
"""Free lists, caches and compiled traces fill up at some time or other; leaks grow every time."""
SHARED = (None, mm.Table, mm.Column, mm.Buffer, mm.Job, mm.Pipeline, mm.DataError, _core.Plan, _core.Function)

ROWS = 200
DATA = {"a": np.arange(ROWS), "b": np.arange(ROWS) * 0.5, "s": [f"text {i % 7}" for i in range(ROWS)]}
MANY = {"a": np.arange(150_000.0)}

DOUBLE = mm.pipeline(':derive { "c = a * 2", "t = s .. \'!\'" } :where "a > 10"')
SINGLE = mm.pipeline(':derive "value = value * 2"')
GROUP = mm.pipeline(':group("s", { "n = count()", "m = mean(b)", "q = median(a)" }) :sort "-m"')
ROW_FUNCTION = mm.pipeline(
    ':map("d: f64, u: utf8?", function(r) local x = 0 for i = 1, r.a % 3 do x = x + i end return x, r.s end)'
)
FOREVER = mm.pipeline(':map("d: f64", function(r) while true do end end)')
DIVIDES = mm.pipeline(':derive "d = 1 // (a - 150)"')
RAISES = mm.pipeline(':map("d: f64", function(r) if r.a > 9 then error("too much") end return 1 end)')
PARAMS = mm.pipeline('mm.pipeline { params = { "p: i64 = 1" } } :derive "d = a + p.p"')
STORED = mm.pipeline(':map("d: f64", function(r) return mm.store.get("w")[r.a] end)')
FUNCTIONS = """
  return mm.module {
    add = mm.fn("a: i32, b: f64 -> f64", function(a, b) return a + b end),
    both = mm.fn("s: utf8, n: i64? -> utf8, i64?", function(s, n) return s .. "!", n end),
    made = mm.fn("n: i32 -> f64[]", function(n)
      local out = mm.array("f64", n)
      for i = 0, n - 1 do out[i] = i end
      return out
    end),
    scale = mm.fn("v: mut f64[], by: f64 -> f64[]", function(v, by)
      for i = 0, #v - 1 do v[i] = v[i] * by end
      return v
    end),
    fails = mm.fn("", function() error("no") end),
  }
"""

CASES = {}


def case(call):
    CASES[call.__name__] = call
    return call


# ---- Runs ----


@case
def run_over_arrays_and_lists():
    DOUBLE.run(DATA, threads=2).to_pydict()


@case
def call_in_kind():
    SINGLE(DATA["a"])
    SINGLE(memoryview(DATA["b"]))
    DOUBLE({"a": [1, 2, None], "s": ["x", None, "y"]})
    DOUBLE([{"a": 20, "s": "x"}])


@case
def groups_sorts_and_halves():
    GROUP.run(DATA, threads=2)
    half, rest = (
        mm.pipeline(':group("s", "n = count()")').partial(),
        mm.pipeline(':group("s", "n = count()")').merge(),
    )
    rest.run(iter([half.run(DATA), half.run(DATA)]))


@case
def row_functions():
    ROW_FUNCTION.run(DATA)["u"].to_pylist()


@case
def parameters_by_keyword():
    PARAMS.run(DATA, p=7)
    PARAMS.with_params(p=8)(DATA)


@case
def memory_of_the_caller():
    out = np.zeros(ROWS)
    SINGLE.run(DATA["b"], out=out)
    SINGLE.run(out, out=out)
    SINGLE.run(DATA["b"], copy=True)


@case
def pieces():
    for _ in SINGLE(iter([DATA["a"], DATA["a"]])):
        pass
    for piece in DOUBLE.stream(DATA, rows=50):
        piece["c"].to_numpy()


@case
def pieces_left_midway():
    next(iter(DOUBLE.stream(DATA, rows=50)))
    stream = iter(DOUBLE.stream(iter([DATA, DATA]), rows=50))
    next(stream)
    stream.close()


@case
def questions():
    DOUBLE.check({"a": "i64", "s": "utf8"})
    DOUBLE.explain({"a": "i64", "s": "utf8"})
    DOUBLE.output_schema(DATA)
    repr(DOUBLE.info), repr(DOUBLE), hash(DOUBLE)


@case
def pipelines_that_are_pickled():
    pickle.loads(pickle.dumps(DOUBLE)).run(DATA)
    pickle.loads(pickle.dumps(DOUBLE.run(DATA)))


@case
def lines_of_text():
    mm.pipeline('mm.pipeline { input = "lines" } :where "len(line) > 1"').run(b"some\ntext\n\n")


# ---- Jobs ----


@case
def jobs():
    with DOUBLE.submit(DATA) as job:
        job.result(30)
        repr(job), job.progress.fraction, job.done(), job.exception()
    assert job.result() is job.result()


@case
def jobs_with_callbacks():
    seen = []
    job = SINGLE.submit(DATA["a"])
    job.add_done_callback(seen.append)
    future = job.future()
    future.result(30)
    while not seen:
        time.sleep(0.001)


@case
def jobs_that_are_awaited():
    async def both():
        await asyncio.gather(SINGLE.submit(DATA["a"]), SINGLE.submit(DATA["b"]))

    asyncio.run(both())


@case
def jobs_dropped_while_they_run():
    FOREVER.submit(DATA)
    SINGLE.submit(MANY["a"])


@case
def jobs_that_are_cancelled():
    job = FOREVER.submit(DATA)
    job.cancel()
    with pytest.raises(mm.JobCancelled):
        job.result()


@case
def progress():
    SINGLE.run(DATA["a"], progress=lambda progress: progress.fraction)


# ---- Files ----


@case
def files():
    DOUBLE.run(FOLDER / "in.csv")
    list(DOUBLE.stream(FOLDER / "in.csv", rows=50))
    next(iter(DOUBLE.stream(FOLDER / "in.csv", rows=50)))
    DOUBLE.submit(FOLDER / "in.csv")
    mm.read(FOLDER / "in.csv")
    DOUBLE.run_files(FOLDER / "in.csv", to=FOLDER / "out").check()


# ---- Typed functions ----


@case
def typed_functions():
    MODULE.add(1, 2.5)
    MODULE.both("text", n=None)
    MODULE.both(s="text", n=1 << 40)


@case
def typed_functions_of_arrays():
    array = np.arange(50.0)
    assert MODULE.scale(array, 2.0) is array
    np.asarray(MODULE.made(30))
    MODULE.scale(MODULE.made(30), 2.0)


@case
def modules_come_and_go():
    pickle.loads(
        pickle.dumps(mm.module('return mm.module { f = mm.fn("-> i64", function() return 1 end) }'))
    ).f()
    pickle.loads(pickle.dumps(MODULE.add))(1, 2)
    repr(MODULE), MODULE.add.__signature__, MODULE.functions


# ---- The store ----


@case
def the_store():
    mm.store["w"] = DATA["b"]
    mm.store.put("names", ["x", None], copy=True)
    STORED.run({"a": np.arange(50)})
    list(mm.store), mm.store["names"].to_pylist(), repr(mm.store), mm.store.nbytes
    del mm.store["w"]
    mm.store.pop("names")


# ---- In and out ----


def table():
    return mm.Table.from_columns(["n", "f", "s"], [list(range(9)), np.arange(9.0), [*"abcdefgh", None]])


@case
def values_of_tables():
    made = table()
    made.to_pylist(), made.slice(1, 3).copy().to_pydict(), made.select(["f"]), mm.Table.concat([made, made])
    made["n"][2], made["n"][1:3], made["s"].text(1), made["s"].null_count, repr(made), made._repr_html_()
    made["n"].combine(), made["s"].valid(), made.stats


@case
def capsules_dropped():
    made = table()
    made.__arrow_c_schema__(), made.__arrow_c_array__(), made.__arrow_c_stream__()
    made["n"].__arrow_c_schema__(), made["n"].__arrow_c_array__(), made["n"].__arrow_c_stream__()
    made["n"].__dlpack__()


class Export:
    def __init__(self, **given):
        self.__dict__.update(
            {name: lambda requested_schema=None, what=what: what for name, what in given.items()}
        )


@case
def capsules_exported_twice_and_consumed():
    made = table()
    for _ in range(2):
        stream = Export(__arrow_c_stream__=made.__arrow_c_stream__())
        array = Export(__arrow_c_array__=made.__arrow_c_array__())
        mm.Table.from_arrow(stream), mm.Table.from_arrow(array)
        for used in (stream, array):
            with pytest.raises(ValueError, match="released"):
                mm.Table.from_arrow(used)


@case
def capsules_of_others():
    pa = pytest.importorskip("pyarrow")
    given = pa.table({"a": [1, None, 30], "s": ["x", None, "yy"], "l": [[1], None, []]})
    DOUBLE.run(given.select(["a", "s"]))
    SINGLE(pa.array([1, 2]))
    pa.table(table()), pa.array(table()["n"])
    mm.Table.from_arrow(given)["l"].to_pyarrow()


@case
def frames():
    pd, pl = pytest.importorskip("pandas"), pytest.importorskip("polars")
    DOUBLE(pd.DataFrame({"a": [1.0, 20.0], "s": ["x", "y"]}))
    DOUBLE(pl.DataFrame({"a": [1.0, 20.0], "s": ["x", "y"]}))
    table().to_pandas(), table().to_polars()


@case
def tensors():
    np.from_dlpack(table()["n"]), np.from_dlpack(table()["n"].data())
    DOUBLE({"a": table()["n"], "s": table()["s"]})


class Tensor:
    def __init__(self, array):
        self.array = array

    def __dlpack__(self, **options):
        return self.array.__dlpack__()

    def __dlpack_device__(self):
        return 1, 0


@case
def tensors_of_others():
    mm.Table.from_columns(["x"], [Tensor(np.arange(9))])["x"].to_pylist()
    SINGLE.run(Tensor(np.arange(9)))


@case
def buffers():
    made = table()["n"].data()
    memoryview(made)[1], bytes(made), made.readonly, made.address, len(made), np.asarray(made)
    view = memoryview(made)
    del made
    view.release()
    SINGLE(bytearray(b"abc"))


# ---- Failures, one of each class ----


def fails(error, call, *arguments, **options):
    with pytest.raises(error):
        call(*arguments, **options)


@case
def data_errors():
    fails(mm.DataError, DIVIDES.run, DATA)
    fails(mm.DataError, DIVIDES.submit(DATA).result)
    fails(mm.DataError, list, DIVIDES.stream(DATA, rows=50))


@case
def usage_errors():
    fails(mm.UsageError, mm.pipeline, ':derive "d = (a"')
    fails(mm.UsageError, mm.pipeline(':derive "d = zz"').run, DATA)
    fails(mm.UsageError, PARAMS.run, DATA, q=1)
    fails(mm.UsageError, SINGLE.run, DATA["a"], out=b"12")


@case
def kind_errors():
    fails(mm.KindError, DOUBLE.run, object())
    fails(mm.KindError, DOUBLE.run, {"a": [1, "x", {}], "s": [object()] * 3})
    fails(mm.KindError, SINGLE.run, np.arange(3, dtype="c16"))


@case
def file_errors():
    fails(mm.FileError, DOUBLE.run, FOLDER / "none.csv")
    fails(mm.FileError, mm.load, FOLDER / "none.lua")


@case
def script_errors():
    fails(mm.ScriptError, RAISES.run, DATA)
    fails(mm.ScriptError, mm.pipeline, 'error("at once")')
    fails(mm.ScriptError, MODULE.fails)


@case
def limit_errors():
    fails(mm.JobTimeout, FOREVER.run, DATA, timeout=0.001)


@case
def memory_errors():
    mm.memory.limit = mm.memory.used + 20_000  # also for what Lua needs to tell of it
    try:
        fails(mm.MemoryLimitError, SINGLE.run, MANY["a"])
        fails(mm.MemoryLimitError, MODULE.made, 1_000_000)
    finally:
        mm.memory.limit = None


@case
def state_errors():
    job = SINGLE.submit(DATA["a"])
    fails(TypeError, pickle.dumps, job)
    job.result()
    fails(KeyError, mm.store.__getitem__, "none")
    fails(IndexError, table()["n"].__getitem__, 99)


@case
def failures_that_are_pickled():
    try:
        RAISES.run(DATA)
    except mm.ScriptError as error:
        again = pickle.loads(pickle.dumps(error))
        assert again.frames == error.frames and str(again) == str(error)


@case
def wrong_arguments_of_functions():
    fails(TypeError, MODULE.add, 1)
    fails((TypeError, ValueError), MODULE.add, 1, "x")
    fails((TypeError, ValueError, OverflowError), MODULE.add, 1 << 40, 1.0)
    fails((TypeError, ValueError), MODULE.scale, b"12345678", 1.0)


# ---- Code of others that raises ----


class Broken:
    def __arrow_c_stream__(self, requested_schema=None):
        raise KeyError("no stream")


class BrokenBuffer:
    def __array__(self, *arguments, **options):
        raise KeyError("no array")


def broken_pieces():
    yield DATA
    raise KeyError("no more")


@case
def hooks_that_raise():
    fails(KeyError, DOUBLE.run, Broken())
    fails(Exception, mm.Table.from_columns, ["x"], [BrokenBuffer()])
    fails(KeyError, DOUBLE.run, broken_pieces())
    fails(KeyError, list, DOUBLE.stream(broken_pieces(), rows=50))


@case
def progress_that_raises():
    def shown(progress):
        raise KeyError("no progress")

    with contextlib.suppress(KeyError):  # a quick run is over before it is asked
        SINGLE.run(MANY["a"], progress=shown)


@case
def callbacks_that_raise(caplog=None):
    seen = []

    def done(job):
        seen.append(1)
        raise KeyError("no callback")

    job = SINGLE.submit(DATA["a"])
    job.add_done_callback(done)
    job.result()
    while not seen:
        time.sleep(0.001)


@case
def scripts_come_and_go():
    script = f'mm.pipeline {{ params = {{ "p: i64 = {next(TURNS)}" }} }} :derive "d = a + p.p * 0" :sort "-d"'
    mm.pipeline(script).run(DATA)


TURNS = iter(range(1 << 60))

# ---- Growth ----


def settled():
    """What there is of everything, once jobs and garbage are gone."""
    patience = time.monotonic() + 5
    while _core.live()["jobs"] and time.monotonic() < patience:
        time.sleep(0.002)
    CLEAR_CACHES()  # one of names of attributes takes thousands of them to be full
    sources.clear()  # of the last scripts, as many as are kept for tracebacks
    for _ in range(2):
        gc.collect()
        mm.memory.trim()
    lua = _core.collect()
    live = _core.live()
    return {
        "bytes of the core": _core.memory_used() - _core.memory_reserved() - _core.types_bytes(),
        "objects": sum(live.values()),
        "bytes of Lua": lua,
        "blocks of Python": sys.getallocatedblocks(),
        "references": sum(sys.getrefcount(shared) for shared in SHARED),
    }


CLEAR_CACHES = getattr(sys, "_clear_internal_caches", None) or sys._clear_type_cache
ALLOWED = {"bytes of Lua": 20 * ROUNDS, "blocks of Python": 10, "references": 10}


@pytest.fixture(scope="module", autouse=True)
def places(tmp_path_factory):
    """Where files are, and functions, which belong to nobody afterwards."""
    global FOLDER, MODULE
    FOLDER, MODULE = tmp_path_factory.mktemp("leaks"), mm.module(FUNCTIONS)
    (FOLDER / "in.csv").write_text("a,s\n" + "".join(f"{i},text {i % 5}\n" for i in range(ROWS)))
    yield
    del MODULE


def grown(call, rounds=ROUNDS):
    """What grows each time: not just now and then, as caches of pandas and compiled Lua do."""
    for _ in range(3):
        call()
    before, grows = settled(), None
    for _ in range(ATTEMPTS):
        for _ in range(rounds):
            call()
        after = settled()
        grows = {
            name: after[name] - before[name]
            for name in (after if grows is None else grows)
            if after[name] - before[name] > ALLOWED.get(name, 0)
        }
        if not grows:
            return {}
        before = after
    return grows


@pytest.mark.parametrize("name", CASES)
def test_nothing_grows(name, caplog):
    caplog.set_level(100)  # what callbacks raise is logged, and records are kept
    assert grown(CASES[name]) == {}


def test_what_grows_is_found():
    core = ctypes.CDLL(_core.__file__)
    core.mm_block_new.restype = ctypes.c_void_p
    kept, core_kept = [], []
    assert (
        grown(lambda: core_kept.append(core.mm_block_new(ctypes.c_int64(1), None)))["bytes of the core"] > 0
    )
    assert grown(lambda: kept.append(table()))["objects"] >= ROUNDS
    assert grown(lambda: kept.append(object()))["blocks of Python"] >= ROUNDS
    assert grown(lambda: ctypes.pythonapi.Py_IncRef(ctypes.py_object(mm.Table)))["references"] >= ROUNDS
    for block in core_kept:
        core.mm_block_release(ctypes.c_void_p(block))
    for _ in range(3 + ATTEMPTS * ROUNDS):
        ctypes.pythonapi.Py_DecRef(ctypes.py_object(mm.Table))
