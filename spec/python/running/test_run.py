"""Runs: right results, shared and copied memory, what makes them fail."""

import gc
import random
import sys

import pytest
from addresses import of_column as address

import moonmill as mm
from moonmill import _core

np = pytest.importorskip("numpy")


SIZES = [0, 1, 63, 64, 65, 1023, 1024, 1025, 65535, 65536, 65537, 200_000]
HALF = mm.pipeline('mm.pipeline { input = "f64" } :derive "value = value / 2"')


def table_of(data):
    """Data of any kind as a Table that shares it."""
    return mm.pipeline("mm.pipeline {}").run(data)


@pytest.mark.parametrize("rows", SIZES)
@pytest.mark.parametrize("threads", [1, 2])
def test_results_are_right_whatever_the_number_of_rows(rows, threads, no_leaks):
    values = np.arange(rows, dtype=np.float64)
    assert np.array_equal(HALF.run(values, threads=threads)["value"].to_numpy(), values / 2)
    late = mm.pipeline('mm.pipeline { input = "f64" } :where "value % 3 == 0" :derive "b = value + 1"')
    table = late.run(values, threads=threads)
    assert np.array_equal(table["b"].to_numpy(), values[values % 3 == 0] + 1)
    total = mm.pipeline('mm.pipeline { input = "f64" } :group({}, { "n = count()", "s = sum(value)" })')
    assert total.run(values, threads=threads).to_pydict() == {"n": [rows], "s": [float(values.sum())]}


def test_random_chunks_give_the_same_result_as_one_piece(rng, no_leaks):
    pl = pytest.importorskip("polars")
    pipeline = mm.pipeline(
        ':derive { "b = a * 2", "c = s .. \'!\'", "d = a > 50" } :where(function(r) return r.a % 7 ~= 3 end)'
    )
    for _ in range(10):
        rows = rng.randrange(5000)
        a = [rng.choice([None, *range(100)]) for _ in range(rows)]
        frame = pl.DataFrame(
            {"a": a, "s": [str(i) for i in range(rows)]}, schema={"a": pl.Int64, "s": pl.String}
        )
        cuts = sorted(rng.randrange(rows + 1) for _ in range(rng.randrange(6)))
        parts = [frame[start:stop] for start, stop in zip([0, *cuts], [*cuts, rows])]
        whole = frame.filter(pl.col("a").is_not_null())
        chunked = pl.concat(parts, rechunk=False).filter(pl.col("a").is_not_null())
        assert pipeline.run(chunked).to_pydict() == pipeline.run(whole).to_pydict()


def test_chunks_of_the_input_are_chunks_of_a_result_that_shares_it(no_leaks):
    pl = pytest.importorskip("polars")
    parts = [pl.DataFrame({"a": list(range(n)), "s": ["x"] * n}) for n in (3, 65, 1)]
    frame = pl.concat(parts, rechunk=False)
    table = mm.pipeline(':derive "b = a + 1"').run(frame)
    assert table["a"].to_pylist() == frame["a"].to_list()
    assert table["b"].to_pylist() == [value + 1 for value in frame["a"].to_list()]
    assert table["s"].to_pylist() == ["x"] * 69


def test_a_result_computed_whole_is_one_chunk_that_can_be_written(no_leaks):
    values = np.arange(200_000.0)
    column = HALF.run(values)["value"]
    assert column.chunks == 1
    assert column.to_numpy().flags.writeable


def test_columns_that_pass_are_the_memory_of_the_input(no_leaks):
    data = {"a": np.arange(100_000.0), "b": np.arange(100_000)}
    table = mm.pipeline(':derive "c = a + 1" :rename "z = b" :drop "a"').run(data)
    assert address(table["z"]) == data["b"].ctypes.data
    assert table.shared_bytes == data["b"].nbytes
    assert not table["z"].to_numpy().flags.writeable
    del data
    gc.collect()
    assert table["z"].to_pylist()[-1] == 99_999


def test_whether_memory_is_shared_never_follows_from_the_data(no_leaks):
    values = np.arange(5000.0)
    for text in ('"value >= 0"', '"value >= 1"', "function(r) return true end"):
        table = mm.pipeline(f'mm.pipeline {{ input = "f64" }} :where({text})').run(values)
        assert table["value"].chunks == 1
        assert not np.shares_memory(table["value"].to_numpy(), values)
    table = mm.pipeline('mm.pipeline { input = "f64" } :limit(10)').run(values)
    assert not np.shares_memory(table["value"].to_numpy(), values)


def test_copy_shares_nothing_for_any_type(no_leaks):
    data = table_of({"a": np.arange(1000), "s": [f"t{i}" for i in range(1000)], "n": [None, True] * 500})
    table = mm.pipeline("mm.pipeline {}").run(data, copy=True)
    assert table.to_pydict() == data.to_pydict()
    assert table.shared_bytes == 0
    assert table.copied_bytes >= table.nbytes
    assert address(table["a"]) != address(data["a"])


def test_stats_tell_what_went_through_the_stages(no_leaks):
    stats = (
        mm.pipeline('mm.pipeline { input = "f64" } :where "value > 1" :sort "-value"')
        .run(np.arange(5.0))
        .stats
    )
    assert stats.stage_rows == [(5, 3), (3, 3), (3, 0)]
    assert stats.seconds > 0


def test_the_cost_of_a_table_that_needed_no_run_is_none():
    stats = mm.pipeline(':derive "b = a"').run({"a": np.arange(3.0)}).stats
    assert (stats.rows, stats.columns, stats.shared_bytes) == (3, 2, 48)
    assert (stats.seconds, stats.threads, stats.stage_rows) == (0, 0, [])


def test_columns_of_nested_types_pass_where_rows_stay(no_leaks):
    pl = pytest.importorskip("polars")
    frame = pl.DataFrame({"a": [1, 2], "l": [[1], None], "s": [{"x": 1}, {"x": 2}]})
    result = pl.DataFrame(mm.pipeline(':derive "b = a + 1"').run(frame))
    assert result.drop("b").equals(frame)
    pieces = pl.DataFrame(mm.pipeline(':derive "b = utf8(a)"').run(pl.concat([frame, frame], rechunk=False)))
    assert pieces.drop("b").equals(pl.concat([frame, frame]))
    assert mm.pipeline(':where "a > 1" :select "a"').run(frame).to_pydict() == {"a": [2]}
    for stage in (':where "a > 1"', ':sort "a"', ':group("l", "n = count()")'):
        with pytest.raises(mm.UsageError, match="list<i64>, which can only pass"):
            mm.pipeline(stage).run(frame)
    with pytest.raises(mm.UsageError, match='"l" is of type list<i64>, which cannot be copied'):
        mm.pipeline("mm.pipeline {}").run(frame, copy=True)


def test_a_column_of_nulls_is_any_nullable_type(no_leaks):
    pl = pytest.importorskip("polars")
    pipeline = mm.pipeline('mm.pipeline { input = { "a: utf8?" } } :derive "b = coalesce(a, \'z\')"')
    for nulls in ([None, None], pl.Series([None, None])):
        assert pipeline.run({"a": nulls}).to_pydict() == {"a": [None, None], "b": ["z", "z"]}


def test_a_null_where_none_may_be_names_its_row_and_how_to_declare_it(no_leaks):
    pipeline = mm.pipeline('mm.pipeline { input = { "a: i64", "b: f64?" } } :derive "c = a + 1"')
    with pytest.raises(mm.DataError, match=r"a: i64\?") as caught:
        pipeline.run({"a": [1, 2, None], "b": [None, 1.0, 2.0]})
    assert (caught.value.row, caught.value.field, caught.value.id) == (3, "a", "null-value")
    assert pipeline.run({"a": [1, 2], "b": [None, 1.0]})["c"].to_pylist() == [2, 3]


def test_an_error_of_a_row_names_the_lowest_one_with_any_number_of_threads(no_leaks):
    values = np.arange(300_000)
    for threads in (1, 2, 4):
        with pytest.raises(mm.DataError) as caught:
            mm.pipeline('mm.pipeline { input = "i64" } :derive "b = 1 // (value % 1000 - 700)"').run(
                values, threads=threads
            )
        assert caught.value.row == 701
        assert caught.value.stage == "derive"


def test_an_error_of_lua_has_its_lines_in_the_traceback(no_leaks):
    import traceback

    text = 'local function deep(x)\n  if x > 1 then error "too deep" end\n  return x\nend\n'
    text += (
        'return mm.pipeline { input = "f64" } :map("y: f64", function(r)\n  return deep(r.value) + 1\nend)'
    )
    with pytest.raises(mm.ScriptError, match="too deep") as caught:
        mm.pipeline(text).run(np.arange(5.0))
    frames = traceback.extract_tb(caught.value.__traceback__)
    assert [(frame.lineno, frame.name) for frame in frames[-2:]] == [(6, "map"), (2, "deep")]
    assert caught.value.row == 3


def test_nothing_leaks_from_runs_that_fail(no_leaks):
    pipeline = mm.pipeline('mm.pipeline { input = "i64" } :derive "b = 1 // value"')
    values = np.zeros(100_000, dtype=np.int64)
    references = sys.getrefcount(values)
    for _ in range(20):
        with pytest.raises(mm.DataError):
            pipeline.run(values)
    gc.collect()
    assert sys.getrefcount(values) == references


def test_a_plan_runs_only_over_columns_that_it_was_made_for(no_leaks):
    script = mm.pipeline(':derive "b = a + 1"')._loaded()
    plan = script.session.plan(script.handle, ["a"], ["i64"], [False], {})
    for data in ({"a": [1.5]}, {"z": [1]}):
        with pytest.raises(mm.UsageError, match="other columns"):
            _core.run(plan, table_of(data))
    assert _core.run(plan, table_of({"z": [1.0], "a": [1]}))["b"].to_pylist() == [2]


@pytest.mark.parametrize(
    "arguments", [{"threads": -1}, {"timeout": -1}, {"timeout": float("nan")}, {"timeout": "x"}]
)
def test_options_that_make_no_sense_are_refused(arguments, no_leaks):
    ((name, value),) = arguments.items()
    with pytest.raises((ValueError, TypeError), match=f"{name} is {value!r}, expected"):
        HALF.run(np.arange(3.0), **arguments)


def test_random_runs_agree_with_numpy(rng, no_leaks):
    for _ in range(20):
        rows = rng.choice([0, 1, 64, 1000, 65536, 70_000])
        values = np.array([rng.random() for _ in range(min(rows, 2000))] * (rows // 2000 + 1))[:rows]
        low = rng.random()
        kept = mm.pipeline(
            f'mm.pipeline {{ input = "f64" }} :where "value > {low!r}" :derive "value = value * 3"'
        )
        assert np.array_equal(
            kept.run(values, threads=rng.choice([1, 2, 5]))["value"].to_numpy(), values[values > low] * 3
        )


def test_the_seed_of_randomness_is_the_job_s(no_leaks):
    pipeline = mm.pipeline(
        'mm.pipeline { input = "f64" } :map("y: f64", function(r) return math.random() end)'
    )
    values = np.zeros(random.randrange(70_000, 80_000))
    assert np.array_equal(
        pipeline.run(values)["y"].to_numpy(), pipeline.run(values, threads=1)["y"].to_numpy()
    )
