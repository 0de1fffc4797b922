"""A pipeline in two halves, for tables that are held in parts."""

import pickle
import sys
import types

import pytest

import moonmill as mm

CHAIN = """mm.pipeline { input = { "k: utf8?", "i: i64?", "x: f64?" } }
  :where "x > 0"
  :group("k", { "n = count()", "s = sum(i)", "m = mean(x)", "v = std(x)" })
  :sort "-s"
"""
ROWS = {"k": ["a", "b", "a", None, "b", "a"], "i": [1, 2, 3, 4, 5, 6], "x": [0.5, 1.5, 2.5, 3.5, -4.5, 6.5]}


def parts_of(rows, *sizes):
    start = 0
    for size in sizes:
        yield {name: values[start : start + size] for name, values in rows.items()}
        start += size


def through_halves(pipeline, rows, *sizes):
    partial = pipeline.partial()
    return pipeline.merge().run(iter([partial.run(part) for part in parts_of(rows, *sizes)]))


@pytest.mark.parametrize("sizes", [(6,), (3, 3), (1, 2, 3), (2, 0, 4), (1, 1, 1, 1, 1, 1)])
def test_parts_give_what_all_rows_give(sizes):
    pipeline = mm.pipeline(CHAIN)
    whole, merged = pipeline.run(ROWS).to_pydict(), through_halves(pipeline, ROWS, *sizes).to_pydict()
    assert {name: whole[name] for name in "kns"} == {name: merged[name] for name in "kns"}
    assert merged["m"] == pytest.approx(whole["m"], rel=1e-12)
    for one, other in zip(whole["v"], merged["v"]):
        assert one == other or one == pytest.approx(other, rel=1e-12)


@pytest.mark.parametrize(
    "chain", [":limit(3)", ':distinct { "k" }', ':sort "-i" :limit(2)', ':where "i > 2"']
)
def test_rows_are_chosen_as_of_all_rows(chain):
    pipeline = mm.pipeline(chain)
    assert through_halves(pipeline, ROWS, 2, 3, 1).to_pydict() == pipeline.run(ROWS).to_pydict()


def test_halves_are_values():
    pipeline = mm.pipeline(
        'mm.pipeline { params = { "least: f64 = 0" } } :where "x > p.least" :group({}, "n = count()")',
        least=1,
    )
    partial = pickle.loads(pickle.dumps(pipeline.partial()))
    assert partial == pipeline.partial() != pipeline
    assert partial.__dask_tokenize__() != pipeline.__dask_tokenize__()
    assert "partial" in repr(partial) and "merge" in repr(pipeline.merge())
    assert partial.run(ROWS).to_pydict() == {"n__count": [4]}
    assert partial.run(ROWS, least=2).to_pydict() == {"n__count": [3]}
    assert pickle.loads(pickle.dumps(pipeline.merge())).run({"n__count": [4, 5]}).to_pydict() == {"n": [9]}


def test_the_first_half_says_what_it_gives():
    schema = mm.pipeline(CHAIN).partial().output_schema({"k": "utf8?", "i": "i64", "x": "f64?"})
    assert schema.names == ["k", "n__count", "s__sum_i64", "m__mean_f64", "v__std_f64"]
    assert [str(field.type) for field in schema] == ["utf8", "i64", "binary", "binary", "binary"]


@pytest.mark.parametrize("aggregate", ["median(x)", "quantile(x, 0.9)", "first(x)", "last(x)", "n_unique(x)"])
@pytest.mark.parametrize("keys", ['"k"', "{}"])
def test_every_aggregate_can_be_merged(aggregate, keys):
    given = 'mm.pipeline { input = { "k: utf8?", "i: i64?", "x: f64?" } }'
    pipeline = mm.pipeline(f'{given} :group({keys}, "a = {aggregate}")')
    assert through_halves(pipeline, ROWS, 0, 2, 3, 1).to_pydict() == pipeline.run(ROWS).to_pydict()


def test_what_cannot_be_merged_is_refused():
    pipeline = mm.pipeline(':group("k", "cols(f64) = 1")')
    for half in (pipeline.partial, pipeline.merge):
        with pytest.raises(mm.UsageError, match="cannot be merged") as caught:
            half()
        assert caught.value.id == "not-mergeable"


@pytest.mark.parametrize("library", ["pandas", "polars", "pyarrow"])
@pytest.mark.parametrize("sizes", [(6,), (2, 0, 4), (0,)])
def test_states_go_through_the_tables_of_others(library, sizes):
    module = pytest.importorskip(library)
    chain = CHAIN.replace('"s = sum(i)"', '"s = sum(i)", "u = n_unique(k)", "q = median(x)", "f = first(i)"')
    pipeline = mm.pipeline(chain)

    def table(rows):
        if library == "pyarrow":
            kinds = {"k": module.string(), "i": module.int64(), "x": module.float64()}
            return module.table({name: module.array(values, kinds[name]) for name, values in rows.items()})
        if library == "polars":
            return module.DataFrame(rows, schema={"k": module.String, "i": module.Int64, "x": module.Float64})
        return module.DataFrame(rows).astype({"k": "str", "i": "int64", "x": "float64"})

    partial = pipeline.partial()
    parts = [partial(table(part)) for part in parts_of(ROWS, *sizes)]
    joined = {
        "pandas": lambda: module.concat(parts),
        "polars": lambda: module.concat(parts),
        "pyarrow": lambda: module.concat_tables(parts),
    }[library]()
    rows = {name: values[: sum(sizes)] for name, values in ROWS.items()}
    merged, whole = pipeline.merge().run(joined).to_pydict(), pipeline.run(rows).to_pydict()
    assert {name: merged[name] for name in "nsuqf"} == {name: whole[name] for name in "nsuqf"}


def test_a_half_has_no_halves():
    with pytest.raises(mm.UsageError) as caught:
        mm.pipeline(CHAIN).partial().merge()
    assert caught.value.id == "not-mergeable"


def test_the_second_half_takes_what_the_first_gives():
    with pytest.raises(mm.UsageError) as caught:
        mm.pipeline(CHAIN).merge().run(ROWS)
    assert caught.value.id == "not-partial"


def test_an_iterator_of_tables_is_refused_where_all_rows_are_needed():
    pipeline = mm.pipeline(CHAIN)
    with pytest.raises(mm.UsageError) as caught:
        pipeline(iter([ROWS]))
    assert caught.value.id == "needs-all-rows"
    assert "partial()" in caught.value.hint
    with pytest.raises(mm.UsageError, match="one table"):
        pipeline.merge()(iter([ROWS]))
    assert [part["n__count"] for part in pipeline.partial()(iter([ROWS, ROWS]))] == [[3, 1, 1]] * 2


@pytest.fixture
def engine(monkeypatch):
    """Call a function as a module of an engine does."""

    def call_as(module, function, data):
        monkeypatch.setitem(sys.modules, module.partition(".")[0], types.ModuleType(module.partition(".")[0]))
        space = {"__name__": module}
        exec("def call(function, data): return function(data)", space)
        return space["call"](function, data)

    return call_as


@pytest.mark.parametrize(
    "module, name", [("ray.data._internal.planner", "Ray Data"), ("dask.dataframe.core", "Dask")]
)
def test_engines_that_hand_over_parts_are_told_about_halves(engine, module, name):
    pipeline = mm.pipeline(CHAIN)
    for function in (pipeline, pipeline.as_function()):
        with pytest.raises(mm.UsageError, match=name) as caught:
            engine(module, function, ROWS)
        assert caught.value.id == "needs-all-rows"
    assert engine(module, pipeline.partial(), ROWS)["n__count"] == [3, 1, 1]
    assert engine(module, mm.pipeline(':where "i > 4"'), ROWS)["i"] == [5, 6]


@pytest.mark.parametrize("module", ["ray.data._internal.planner", "dask.dataframe.core"])
def test_functions_of_the_user_do_not_hide_a_call_with_parts(engine, module):
    pipeline = mm.pipeline(CHAIN)
    with pytest.raises(mm.UsageError, match="needs all rows"):
        engine(module, lambda part: [pipeline(part) for _ in range(1)], ROWS)
    assert engine(module, lambda part: pipeline.run(part)["n"].to_pylist(), ROWS) == pipeline(ROWS)["n"]

    def groups(part):
        return engine("pandas.core.groupby.ops", lambda group: pipeline(group), part)

    assert engine(module, groups, ROWS) == pipeline(ROWS)


@pytest.mark.parametrize("kind, refused", [(205, True), (207, True), (201, False), (209, False)])
def test_spark_says_whether_it_hands_over_parts_or_groups(monkeypatch, kind, refused):
    monkeypatch.setitem(sys.modules, "pyspark", types.ModuleType("pyspark"))
    pipeline = mm.pipeline(CHAIN)
    space = {"__name__": "pyspark.worker"}
    exec("def main(eval_type, function, data): return function(data)", space)

    def call():
        return space["main"](kind, lambda part: pipeline(part), ROWS)

    if refused:
        with pytest.raises(mm.UsageError, match="Spark hands over parts"):
            call()
    else:
        assert call() == pipeline(ROWS)


def test_engines_that_hand_over_whole_groups_are_let_in(engine):
    for module in ("ray.data.grouped_data", "pandas.core.groupby", "dask.delayed", "pyspark.worker"):
        assert engine(module, mm.pipeline(CHAIN), ROWS)["n"] == [3, 1, 1]


def test_a_part_is_worked_on_by_one_thread(engine):
    from moonmill.base.threads import default_threads

    assert default_threads() == 0
    assert engine("dask.dataframe.core", lambda data: default_threads(), None) == 1
    space = {"__name__": "moonmill.somewhere"}
    exec("from moonmill.base import threads\ndef run(data): return threads.default_threads()", space)
    assert engine("dask.dataframe.core", space["run"], None) == 1


def test_a_schema_of_spark_escapes_names_and_refuses_unsigned():
    pipeline = mm.pipeline(':derive { "`a b` = n", "u = wrap.u8(n)", "t = timestamp(d)" }')
    schema = {"n": "i64", "d": "date"}
    with pytest.raises(mm.KindError, match="Spark has no type for u8"):
        pipeline.output_schema(schema).to_ddl()
    kept = mm.pipeline(pipeline.source + ':drop "u"').output_schema(schema)
    assert kept.to_ddl() == "`n` bigint, `d` date, `a b` bigint, `t` timestamp_ntz"
