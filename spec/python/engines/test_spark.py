"""Pipelines in Spark: mapInArrow over the partitions of a DataFrame."""

import pytest

pyspark = pytest.importorskip("pyspark")


import moonmill as mm  # noqa: E402


@pytest.fixture(scope="module")
def spark():
    from pyspark.sql import SparkSession

    settings = {
        "spark.ui.enabled": "false",
        "spark.driver.host": "127.0.0.1",
        "spark.driver.bindAddress": "127.0.0.1",
        "spark.driver.memory": "1g",
        "spark.sql.shuffle.partitions": "2",
        "spark.sql.session.timeZone": "UTC",
        "spark.sql.execution.arrow.maxRecordsPerBatch": "1500",
    }
    builder = SparkSession.builder.master("local[2]").appName("moonmill")
    for name, value in settings.items():
        builder = builder.config(name, value)
    session = builder.getOrCreate()
    session.sparkContext.setLogLevel("OFF")
    yield session
    session.stop()


@pytest.fixture(scope="module")
def frame(spark, flights):
    return spark.createDataFrame(flights).repartitionByRange(3, "id").sortWithinPartitions("id").cache()


def test_rows_are_mapped_in_batches(frame, flights, chosen, equal):
    found = frame.mapInArrow(chosen, chosen.output_schema(frame).to_ddl())
    equal(found.toArrow(), chosen.run(flights), by="id")


def test_groups_go_through_partial_and_merge(frame, flights, grouped, equal):
    partial = grouped.partial()
    parts = frame.mapInArrow(partial, partial.output_schema(frame).to_ddl())
    equal(grouped.merge().run(parts.toArrow()), grouped.run(flights))


def test_parts_may_be_merged_from_pandas(frame, flights, grouped, equal):
    partial = grouped.partial()
    parts = frame.mapInArrow(partial, partial.output_schema(frame).to_ddl())
    equal(grouped.merge().run(parts.toPandas()), grouped.run(flights))


def test_first_rows_go_through_partial_and_merge(frame, flights, first, equal):
    partial = first.partial()
    parts = frame.mapInArrow(partial, partial.output_schema(frame).to_ddl())
    equal(first.merge().run(parts.toArrow()), first.run(flights))


def test_empty_partitions_change_nothing(frame, flights, grouped, equal):
    partial = grouped.partial()
    some = frame.where("id < 100").repartition(7)
    parts = some.mapInArrow(partial, partial.output_schema(frame).to_ddl())
    everything = mm.pipeline(grouped.source.replace("flights > 10", "flights > 0"), least=-20)
    equal(everything.merge().run(parts.toArrow()), everything.run(flights.slice(0, 100)))


def test_whole_groups_may_be_handed_to_any_pipeline(frame, flights, grouped, equal):
    schema = grouped.output_schema(frame).to_ddl()
    for function in (grouped.as_function(), lambda group: grouped(group)):
        found = frame.groupBy("carrier").applyInArrow(function, schema)
        equal(found.toArrow(), grouped.run(flights), by="carrier")


def test_a_plain_call_where_all_rows_are_needed_is_refused(frame, grouped):
    found = frame.mapInArrow(grouped, grouped.output_schema(frame).to_ddl())
    with pytest.raises(pyspark.errors.PythonException, match=r"use partial\(\) and merge\(\)"):
        found.toArrow()


def test_a_call_within_a_function_is_refused_as_a_plain_one_is(frame, grouped):
    def each(batches):
        for batch in batches:
            yield grouped(batch)

    schema = grouped.output_schema(frame).to_ddl()
    for found in (frame.mapInArrow(each, schema), frame.mapInPandas(each, schema)):
        with pytest.raises(pyspark.errors.PythonException, match=r"use partial\(\) and merge\(\)"):
            found.toArrow()


def test_an_error_tells_the_place_in_the_script(frame):
    wrong = mm.pipeline(':derive "small = i8(miles)"', name="narrow")
    with pytest.raises(pyspark.errors.PythonException, match=r"narrow:1:\d+: error\[bad-cast\]"):
        frame.mapInArrow(wrong, wrong.output_schema(frame).to_ddl()).toArrow()


def test_a_frame_of_spark_may_be_brought_here(frame, flights, grouped, equal):
    equal(grouped.run(frame.drop("at")), grouped.run(flights), by="carrier")


def test_values_of_all_types_go_through(spark):
    frame = spark.sql(
        "select true b, 1Y i8, 2S i16, 3 i32, 4L i64, 1.5F f, 2.5D d, 'x' s, cast('y' as binary) y, "
        "date'2020-01-02' day, timestamp'2020-01-02 03:04:05' at, timestamp_ntz'2020-01-02 03:04:05' here, "
        "interval '1 02:03:04' day to second span, cast(null as string) nothing"
    )
    same = mm.pipeline(':where "i64 > 0"')
    assert frame.mapInArrow(same, same.output_schema(frame).to_ddl()).collect() == frame.collect()


def test_types_without_a_counterpart_are_named(spark, frame):
    for cast in ("u32", "timestamp(ms)"):
        pipeline = mm.pipeline(
            f':select {{ "at", "miles" }} :cast {{ "{"miles" if cast == "u32" else "at"}: {cast}" }}'
        )
        with pytest.raises(mm.KindError, match="Spark has no type for"):
            pipeline.output_schema(frame).to_ddl()
    odd = spark.sql("select cast(1 as decimal(10,2)) money, 1L n")
    with pytest.raises(mm.KindError, match=r"money: decimal\(10,2\)"):
        mm.pipeline(':where "n > 0"').output_schema(odd)
    declared = mm.pipeline('mm.pipeline { input = { "n: i64" } } :where "n > 0"')
    assert declared.output_schema(odd).to_ddl() == "`n` bigint"


def test_the_examples_of_the_guide_run(examples, frame, flights, equal):
    for text in examples("spark"):
        space = {"mm": mm, "frame": frame}
        exec(text, space)
        if "worst" in space:
            equal(space["result"], space["worst"].run(flights))
