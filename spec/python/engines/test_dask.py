"""Pipelines in Dask: map_partitions over the partitions of a DataFrame, in threads and in processes."""

import pytest

dask = pytest.importorskip("dask")
pytest.importorskip("dask.dataframe")

import dask.dataframe as dd  # noqa: E402

import moonmill as mm  # noqa: E402


@pytest.fixture(scope="module")
def frame(flights):
    return dd.from_pandas(flights.to_pandas(), npartitions=5, sort=False)


@pytest.fixture(scope="module")
def cluster():
    from dask.distributed import Client, LocalCluster

    with (
        LocalCluster(n_workers=1, threads_per_worker=2, dashboard_address=None, memory_limit=0) as local,
        Client(local) as client,
    ):
        yield client


@pytest.fixture(params=["threads", "synchronous", "processes"])
def scheduler(request):
    with dask.config.set(scheduler=request.param, num_workers=2):
        yield request.param


def arrow(frame):
    import pyarrow as pa

    return pa.Table.from_pandas(frame, preserve_index=False)


def test_rows_are_mapped_with_the_columns_found_by_a_trial(scheduler, frame, flights, chosen, equal):
    found = frame.map_partitions(chosen)
    assert list(found.columns) == chosen.output_schema(flights).names
    equal(arrow(found.compute()), chosen.run(flights), by="id")


def test_rows_are_mapped_with_the_columns_given(frame, flights, chosen, equal):
    found = frame.map_partitions(chosen, meta=chosen(frame._meta))
    equal(arrow(found.compute(scheduler="threads")), chosen.run(flights), by="id")


def test_groups_go_through_partial_and_merge(scheduler, frame, flights, grouped, equal):
    parts = frame.map_partitions(grouped.partial()).compute()
    equal(grouped.merge().run(parts), grouped.run(flights))


def test_groups_go_through_partial_and_merge_on_a_cluster(cluster, frame, flights, grouped, equal):
    parts = frame.map_partitions(grouped.partial()).compute()
    equal(grouped.merge().run(parts), grouped.run(flights))


def test_first_rows_go_through_partial_and_merge(frame, flights, first, equal):
    parts = frame.map_partitions(first.partial()).compute(scheduler="threads")
    equal(first.merge().run(parts), first.run(flights))


def test_halves_may_be_delayed(frame, flights, grouped, equal):
    parts = [dask.delayed(grouped.partial().run)(part) for part in frame.to_delayed()]
    merged = dask.delayed(lambda tables: grouped.merge().run(iter(tables)))(parts)
    equal(merged.compute(scheduler="threads"), grouped.run(flights))


def test_empty_partitions_change_nothing(frame, flights, grouped, equal):
    some = mm.pipeline(grouped.source.replace("flights > 10", "flights > 0"), least=-20)
    parts = frame[frame.id < 100].map_partitions(some.partial()).compute(scheduler="threads")
    equal(some.merge().run(parts), some.run(flights.slice(0, 100)))


def test_a_plain_call_where_all_rows_are_needed_is_refused_when_it_is_planned(frame, grouped):
    with pytest.raises(Exception, match=r"use partial\(\) and merge\(\)"):
        frame.map_partitions(grouped)


def test_a_plain_call_where_all_rows_are_needed_is_refused_when_it_is_run(frame, flights, grouped):
    planned = frame.map_partitions(grouped, meta=grouped(flights.slice(0, 5).to_pandas()))
    with pytest.raises(mm.UsageError, match=r"use partial\(\) and merge\(\)"):
        planned.compute(scheduler="synchronous")


def test_a_call_within_a_function_is_refused_as_a_plain_one_is(frame, flights, grouped):
    with pytest.raises(Exception, match=r"use partial\(\) and merge\(\)"):
        frame.map_partitions(lambda part: grouped(part))


def test_a_run_takes_what_it_is_given_for_all_there_is(frame, flights, grouped):
    parts = frame.map_partitions(lambda part: grouped.run(part).to_pandas())
    assert len(parts.compute(scheduler="synchronous")) >= len(grouped.run(flights))


def test_functions_of_groups_and_of_files_may_call_any_pipeline(frame, flights, grouped, equal):

    whole = grouped(flights.to_pandas())
    with dask.config.set({"dataframe.shuffle.method": "tasks"}):
        groups = frame.groupby("carrier", dropna=False).apply(lambda group: grouped(group), meta=whole)
        found = groups.compute(scheduler="synchronous").reset_index(drop=True)
    equal(arrow(found), grouped.run(flights), by="carrier")
    read = dd.from_map(lambda _: grouped(flights.to_pandas()), [1], meta=whole)
    equal(read.compute(scheduler="synchronous"), grouped.run(flights))


def test_a_part_is_worked_on_by_one_thread(monkeypatch, frame, chosen):
    import sys

    from moonmill import _core

    class Watched:
        threads = ()

        def __getattr__(self, name):
            return getattr(_core, name)

        def run(self, *data, threads, **more):
            self.threads += (threads,)
            return _core.run(*data, threads=threads, **more)

    watched = Watched()
    monkeypatch.setattr(sys.modules["moonmill.pipeline"], "_core", watched)
    frame.map_partitions(chosen).compute(scheduler="threads")
    assert set(watched.threads) == {1}


def test_equal_pipelines_make_equal_names(frame, chosen):
    from dask.base import tokenize

    assert tokenize(chosen) == tokenize(mm.pipeline(chosen.source))
    assert tokenize(chosen) != tokenize(chosen.partial())


def test_the_columns_of_a_frame_are_enough_for_a_schema(frame, flights, chosen):
    assert chosen.output_schema(frame).names == chosen.output_schema(flights).names
    assert chosen.output_schema(frame)["hours"].type == "f64"


def test_rows_that_are_elsewhere_cannot_be_taken(frame, chosen):
    with pytest.raises(mm.KindError) as caught:
        chosen.run(frame)
    assert "map_partitions" in caught.value.hint


def test_the_examples_of_the_guide_run(examples, frame, flights, equal):
    for text in examples("dask"):
        space = {"mm": mm, "frame": frame}
        exec(text, space)
        if "worst" in space:
            equal(space["result"], space["worst"].run(flights))
