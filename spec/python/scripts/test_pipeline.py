"""Pipelines as values: made, asked, run, given parameters."""

import copy
import decimal
import inspect
import math

import pytest

import moonmill as mm

ROWS = {"carrier": ["AA", "UA", "AA", "DL"], "delay": [75.0, 10.0, None, 61.0], "n": [1, 2, 3, 4]}
CHAIN = ':where "delay > 60" :derive "twice = n * 2"'
PARAMS = (
    'mm.pipeline { about = "Late ones", params = { "limit: i64 = 60  -- minutes", "name: utf8?" } }'
    ':where "delay > p.limit"'
)


def test_a_chain_runs_over_a_dict_of_columns():
    table = mm.pipeline(CHAIN).run(ROWS)
    assert table.to_pydict() == {"carrier": ["AA", "DL"], "delay": [75.0, 61.0], "n": [1, 4], "twice": [2, 8]}
    assert table.shape == (2, 4)


def test_a_whole_script_is_a_pipeline_too():
    text = 'local mm = require "moonmill"\nreturn mm.pipeline { input = { "n: i64" } } :where "n > 2"'
    assert mm.pipeline(text).run(ROWS).to_pydict() == {"n": [3, 4]}


def test_a_file_is_loaded_with_the_modules_beside_it(script):
    script("near.lua", "return { factor = 3 }")
    path = script("times.lua", 'local near = require "near"\nreturn require("moonmill").pipeline {}\n'
                  ':map("x: f64", function(r) return r.n * near.factor end)')  # fmt: skip
    pipeline = mm.load(path)
    assert pipeline.name == path
    assert pipeline.run(ROWS)["x"].to_pylist() == [3.0, 6.0, 9.0, 12.0]


def test_only_declared_columns_are_looked_at():
    pipeline = mm.pipeline('mm.pipeline { input = { "n: i64" } } :derive "m = n + 1"')
    assert pipeline.run({"n": [1], "odd": [object()]}).to_pydict() == {"n": [1], "m": [2]}


def test_parameters_are_keywords():
    pipeline = mm.pipeline(PARAMS)
    assert len(pipeline.run(ROWS)) == 2
    assert len(pipeline.run(ROWS, limit=70)) == 1
    assert len(pipeline.with_params(limit=70).run(ROWS)) == 1
    assert len(pipeline.with_params(limit=70).run(ROWS, limit=0)) == 3
    assert len(mm.pipeline(PARAMS, limit=70).run(ROWS)) == 1


def test_parameters_may_be_of_any_plain_type():
    import datetime

    text = (
        "mm.pipeline { params = "
        '{ "b: bool", "i: i64", "f: f64", "s: utf8", "d: date", "t: timestamp", "u: duration" } }'
        ':select { "b = p.b", "i = p.i", "f = p.f", "s = p.s", "d = p.d", "t = p.t", "u = p.u" }'
    )
    values = {
        "b": True,
        "i": -(2**53) - 1,
        "f": 0.1,
        "s": "true",
        "d": datetime.date(2013, 2, 1),
        "t": datetime.datetime(2013, 2, 1, 10, 30),
        "u": datetime.timedelta(minutes=90),
    }
    table = mm.pipeline(text).run({"x": [1]}, **values)
    row = table.to_pylist()[0]
    assert (row["b"], row["i"], row["f"], row["s"], row["d"]) == (
        True,
        -(2**53) - 1,
        0.1,
        "true",
        values["d"],
    )
    assert row["u"] == values["u"]


def test_parameters_of_numpy_and_pandas():
    np, pd = pytest.importorskip("numpy"), pytest.importorskip("pandas")
    text = 'mm.pipeline { params = { "t: timestamp", "n: i64" } } :select { "t = p.t", "n = p.n" }'
    moment = "2013-02-01T10:30:00"
    for given in (np.datetime64(moment), np.datetime64(moment, "ns"), pd.Timestamp(moment)):
        row = mm.pipeline(text).run({"x": [1]}, t=given, n=np.int8(3)).to_pylist()[0]
        assert (row["t"].replace(tzinfo=None).isoformat(), row["n"]) == (moment, 3)


def test_what_is_missing_in_numpy_and_pandas_is_null():
    np, pd = pytest.importorskip("numpy"), pytest.importorskip("pandas")
    pipeline = mm.pipeline(
        'mm.pipeline { params = { "t: timestamp?", "u: duration?" } } :select { "t = p.t", "u = p.u" }'
    )
    for nothing in (pd.NaT, pd.NA, np.datetime64("NaT"), np.timedelta64("NaT"), None):
        assert pipeline({"x": [1]}, t=nothing, u=nothing) == {"t": [None], "u": [None]}


def test_enums_paths_and_spans_of_numpy_are_parameters():
    import datetime
    import enum
    import pathlib

    np = pytest.importorskip("numpy")

    class Level(enum.IntEnum):
        HIGH = 3

    class Speed(float, enum.Enum):
        FAST = 2.5

    pipeline = mm.pipeline(
        'mm.pipeline { params = { "n: i64", "f: f64", "s: utf8", "u: duration" } }'
        ':select { "n = p.n", "f = p.f", "s = p.s", "u = p.u" }'
    )
    given = {"n": Level.HIGH, "f": Speed.FAST, "s": pathlib.Path("a/b"), "u": np.timedelta64(1500, "ms")}
    assert pipeline({"x": [1]}, **given) == {
        "n": [3], "f": [2.5], "s": ["a/b"], "u": [datetime.timedelta(seconds=1.5)],
    }  # fmt: skip


def test_spans_of_time_are_exact():
    import datetime

    pipeline = mm.pipeline('mm.pipeline { params = { "u: duration" } } :select { "u = p.u" }')
    for fields in (
        {"seconds": -90},
        {"days": 400, "microseconds": 1},
        {"microseconds": -1},
        {"days": 20_000},
        {},
    ):
        span = datetime.timedelta(**fields)
        assert pipeline.run({"x": [1]}, u=span)["u"].to_pylist() == [span]


def test_many_pipelines_do_not_pile_up():
    from moonmill import script
    from moonmill.base import frames

    for number in range(400):
        mm.pipeline(f':derive "b = a + {number}"').run({"a": [1]})
    assert len(script._scripts) <= script.SCRIPTS_KEPT
    assert len(frames.sources) <= 4 * script.SCRIPTS_KEPT
    assert mm.pipeline(':derive "b = a + 0"')({"a": [1]}) == {"a": [1], "b": [1]}


@pytest.mark.parametrize("kind", ["utf8", "i64", "f64", "bool", "timestamp"])
def test_none_is_null_for_a_parameter_of_any_type(kind):
    text = f'mm.pipeline {{ params = {{ "p: {kind}?" }} }}'
    assert mm.pipeline(text + ':select "p = p.p"')({"a": [1]}, p=None) == {"p": [None]}
    plain = mm.pipeline(text + ':map("b: bool", function(r, p) return p.p == nil end)')
    loop = "local n = 0 for i = 1, r.a do n = n + i end return p.p == nil and n == 6"
    looping = mm.pipeline(text + f':map("b: bool", function(r, p) {loop} end)')
    for pipeline in (plain, looping):
        assert pipeline({"a": [3]}, p=None)["b"] == pipeline({"a": [3]})["b"] == [True]


def test_none_takes_the_place_of_a_default_and_no_text_is_none():
    pipeline = mm.pipeline("""mm.pipeline { params = { "s: utf8? = 'x'" } } :select "s = p.s" """)
    texts = {None: None, "null": "null", "": "", "\0": "\0", "\0a": "\0a"}
    for given, found in texts.items():
        assert pipeline({"a": [1]}, s=given) == {"s": [found]}
        assert pipeline.with_params(s=given)({"a": [1]}) == {"s": [found]}
    assert pipeline({"a": [1]}) == {"s": ["x"]}
    assert inspect.signature(pipeline.with_params(s=None)).parameters["s"].default is None
    assert "s=None" in repr(pipeline.with_params(s=None))
    with pytest.raises(mm.UsageError, match='"s" is null, expected a text'):
        mm.pipeline('mm.pipeline { params = { "s: utf8" } } :select "s = p.s"').with_params(s=None)


def test_numbers_that_are_not_finite_are_parameters():
    pipeline = mm.pipeline('mm.pipeline { params = { "f: f64", "g: f32" } } :select { "f = p.f", "g = p.g" }')
    assert pipeline({"a": [1]}, f=math.inf, g=-math.inf) == {"f": [math.inf], "g": [-math.inf]}
    row = pipeline.run({"a": [1]}, f=math.nan, g=decimal.Decimal("1.5")).to_pylist()[0]
    assert math.isnan(row["f"]) and row["g"] == 1.5


def test_options_of_run_are_no_options_of_a_call():
    with pytest.raises(TypeError, match=r"copy is an option of run\(\)"):
        mm.pipeline(PARAMS)(ROWS, copy=True)


@pytest.mark.parametrize(
    ("threads", "error"), [(0, ValueError), (-1, ValueError), ("2", TypeError), (1.5, TypeError)]
)
def test_threads_are_a_whole_number(threads, error):
    with pytest.raises(error, match=f"threads is {threads!r}, expected"):
        mm.pipeline(PARAMS).run(ROWS, threads=threads)


def test_the_path_of_a_script_is_no_pipeline_and_the_hint_is_load():
    with pytest.raises(mm.ScriptError) as caught:
        mm.pipeline("pipelines/delays.lua")
    assert (
        caught.value.hint
        == "this is the text of a pipeline; of a file: moonmill.load('pipelines/delays.lua')"
    )


def test_an_unknown_parameter_gets_a_suggestion():
    with pytest.raises(mm.UsageError, match='did you mean "limit"'):
        mm.pipeline(PARAMS).run(ROWS, limt=3)
    with pytest.raises(mm.UsageError, match="limit"):
        mm.pipeline(PARAMS).with_params(limt=3)


def test_a_parameter_of_a_wrong_type_is_refused_with_its_name():
    with pytest.raises(TypeError, match="limit"):
        mm.pipeline(PARAMS).run(ROWS, limit=[1])
    with pytest.raises(mm.UsageError, match="limit"):
        mm.pipeline(PARAMS).run(ROWS, limit="many")


def test_a_parameter_may_not_hide_an_option_of_run():
    with pytest.raises(mm.UsageError, match="timeout"):
        mm.pipeline('mm.pipeline { params = { "timeout: f64 = 1" } } :where "a > p.timeout"')


def test_the_signature_shows_the_parameters():
    pipeline = mm.pipeline(PARAMS)
    assert list(inspect.signature(pipeline).parameters) == ["data", "threads", "timeout", "limit", "name"]
    assert "data" in inspect.signature(mm.Pipeline.run).parameters
    assert inspect.signature(mm.Pipeline)
    assert inspect.getfullargspec(pipeline).args == ["data"]


def test_info_tells_what_a_script_says():
    info = mm.pipeline(PARAMS).info
    assert info.about == "Late ones"
    assert [(param.name, param.type, param.default, param.help) for param in info.params] == [
        ("limit", "i64", "60", "minutes"),
        ("name", "utf8", None, None),
    ]
    assert info.input is None
    assert info.rest
    assert info.stages == ("where",)
    assert "limit: i64 = 60" in repr(info)


def test_repr_is_one_line():
    assert repr(mm.pipeline(PARAMS, name="late")) == "<moonmill.Pipeline late: Late ones>"
    assert repr(mm.pipeline(PARAMS, name="late", limit=5)) == "<moonmill.Pipeline late, limit=5: Late ones>"


def test_explain_shows_the_plan():
    text = mm.pipeline(CHAIN).explain(ROWS)
    assert "where" in text
    assert "twice" in text
    assert "mul" in mm.pipeline('mm.pipeline { input = { "a: i64" } } :derive "b = a * 3"').explain()


def test_output_schema_comes_from_data_types_or_the_declaration():
    pipeline = mm.pipeline(CHAIN)
    schema = pipeline.output_schema(ROWS)
    assert schema.names == ["carrier", "delay", "n", "twice"]
    assert schema["twice"].type == "i64"
    assert pipeline.output_schema({"delay": "f64?", "n": "i32"})["n"].type == "i32"
    assert pipeline.output_schema(pipeline.output_schema({"delay": "f64?", "n": "i32"})).names == [
        "delay",
        "n",
        "twice",
    ]
    with pytest.raises(mm.UsageError, match="declare"):
        pipeline.output_schema()
    declared = mm.pipeline('mm.pipeline { input = { "a: i64", "b: utf8?" } } :derive "c = a / 2"')
    assert declared.output_schema().to_ddl() == "`a` bigint, `b` string, `c` double"
    assert repr(declared.output_schema()) == "Schema(a: i64, b: utf8?, c: f64)"


def test_check_raises_before_there_is_data():
    mm.pipeline(CHAIN).check({"delay": "f64?", "n": "i64"})
    with pytest.raises(mm.UsageError, match='did you mean "delay"'):
        mm.pipeline(':where "dealy > 60"').check({"delay": "f64"})


def test_equal_sources_are_equal_pipelines():
    one, other = mm.pipeline(CHAIN), mm.pipeline(CHAIN)
    assert one == other
    assert hash(one) == hash(other)
    assert one != mm.pipeline(PARAMS)
    assert mm.pipeline(PARAMS, limit=1) != mm.pipeline(PARAMS)
    assert one != CHAIN
    script = 'mm.pipeline { params = { "a: i64 = 1", "b: i64 = 1" } }'
    assert mm.pipeline(script, a=2, b=3) == mm.pipeline(script, b=3, a=2)
    assert copy.copy(one) == copy.deepcopy(one) == one
    assert one.__dask_tokenize__() == other.__dask_tokenize__()


def test_a_pipeline_is_not_changed_by_with_params():
    pipeline = mm.pipeline(PARAMS)
    pipeline.with_params(limit=70)
    assert len(pipeline.run(ROWS)) == 2


def test_the_same_plan_serves_runs_of_alike_data():
    from moonmill import _core

    pipeline = mm.pipeline(':derive "fresh_name = n + 41"')
    pipeline.run(ROWS)
    plans = _core.live()["plans"]
    for _ in range(5):
        pipeline.run(ROWS)
        mm.pipeline(':derive "fresh_name = n + 41"').run(ROWS)
    assert _core.live()["plans"] == plans


def test_text_must_be_text():
    with pytest.raises(TypeError, match="int"):
        mm.pipeline(3)


def test_a_missing_file_is_named():
    with pytest.raises(mm.FileError, match="no-such"):
        mm.load("no-such.lua")


def test_as_function_takes_tables_or_arrays():
    np = pytest.importorskip("numpy")
    table = mm.pipeline(CHAIN, name="late.lua").as_function()
    assert table.__name__ == "late"
    assert table(ROWS)["n"] == [1, 4]
    total = mm.pipeline(':derive "c = a + b"').as_function("a", "b", output="c")
    assert total(np.arange(3), np.arange(3)).tolist() == [0, 2, 4]
    assert list(inspect.signature(total).parameters) == ["a", "b"]
    with pytest.raises(TypeError, match="2 arrays"):
        total(np.arange(3))
    with pytest.raises(mm.UsageError, match="keep all rows"):
        mm.pipeline(':where "a > 1"').as_function("a")(np.arange(3))
