"""Pipelines in Ray Data: map_batches over the blocks of a Dataset."""

import pytest

ray = pytest.importorskip("ray")

import pyarrow as pa  # noqa: E402

import moonmill as mm  # noqa: E402


@pytest.fixture(scope="module")
def cluster():
    ray.init(num_cpus=2, include_dashboard=False, object_store_memory=200 << 20, log_to_driver=False)
    context = ray.data.DataContext.get_current()
    context.enable_progress_bars = False
    context.execution_options.preserve_order = True
    yield
    ray.shutdown()


@pytest.fixture(scope="module")
def dataset(cluster, flights):
    return ray.data.from_arrow([flights.slice(start, 3000) for start in range(0, len(flights), 3000)])


def collected(dataset):
    return pa.concat_tables([table for table in ray.get(dataset.to_arrow_refs()) if table.num_columns])


def test_rows_are_mapped_in_batches(dataset, flights, chosen, equal):
    equal(collected(dataset.map_batches(chosen, batch_format="pyarrow")), chosen.run(flights))


def test_rows_are_mapped_in_frames_and_arrays_too(dataset, flights, chosen, equal):
    equal(collected(dataset.map_batches(chosen, batch_format="pandas", batch_size=700)), chosen.run(flights))
    numbers = mm.pipeline(':derive "twice = miles * 2" :select { "id", "twice" }')
    found = dataset.select_columns(["id", "miles"]).map_batches(numbers.as_function(), batch_format="numpy")
    equal(collected(found), numbers.run(flights))


def test_groups_go_through_partial_and_merge(dataset, flights, grouped, equal):
    parts = dataset.map_batches(grouped.partial(), batch_format="pyarrow", batch_size=None)
    equal(grouped.merge().run(collected(parts)), grouped.run(flights))


def test_first_rows_go_through_partial_and_merge(dataset, flights, first, equal):
    parts = dataset.map_batches(first.partial(), batch_format="pyarrow", batch_size=1000)
    equal(first.merge().run(collected(parts)), first.run(flights))


def test_whole_groups_may_be_handed_to_any_pipeline(dataset, flights, grouped, equal):
    for function in (grouped, lambda group: grouped(group)):
        found = dataset.groupby("carrier").map_groups(function, batch_format="pyarrow")
        equal(collected(found), grouped.run(flights), by="carrier")


def test_a_plain_call_where_all_rows_are_needed_is_refused(dataset, grouped):
    for function in (grouped, grouped.as_function(), lambda part: grouped(part)):
        with pytest.raises(Exception, match=r"use partial\(\) and merge\(\)"):
            dataset.map_batches(function, batch_format="pyarrow").materialize()


def test_an_error_travels_with_its_fields(dataset):
    wrong = mm.pipeline(':derive "small = i8(miles)"', name="narrow")
    with pytest.raises(Exception, match=r"narrow:1:\d+: error\[bad-cast\]"):
        dataset.map_batches(wrong, batch_format="pyarrow").materialize()

    @ray.remote
    def run():
        return wrong.run({"miles": [1000]})

    with pytest.raises(mm.DataError) as caught:
        ray.get(run.remote())
    assert (caught.value.line, caught.value.row) == (1, 1)


def test_a_worker_uses_one_thread(cluster):
    from moonmill.base.threads import default_threads

    assert ray.get(ray.remote(default_threads).remote()) == 1


def test_the_columns_of_a_dataset_are_enough_for_a_schema(dataset, flights, chosen):
    assert chosen.output_schema(dataset).names == chosen.output_schema(flights).names
    assert chosen.output_schema(dataset)["hours"].type == "f64"


def test_rows_that_are_elsewhere_cannot_be_taken(dataset, chosen):
    with pytest.raises(mm.KindError) as caught:
        chosen.run(dataset)
    assert "map_batches" in caught.value.hint


def test_the_examples_of_the_guide_run(examples, dataset, flights, equal):
    for text in examples("ray"):
        space = {"mm": mm, "dataset": dataset}
        exec(text, space)
        if "worst" in space:
            equal(space["result"], space["worst"].run(flights))
