"""Jobs: progress, cancel, results, callbacks, futures, await; and runs from many threads."""

import asyncio
import concurrent.futures
import gc
import io
import os
import select
import sys
import threading
import time

import pytest

import moonmill as mm
import moonmill.progress

np = pytest.importorskip("numpy")

QUICK = mm.pipeline(':derive "b = a * 2"')
FOREVER = mm.pipeline(':map("b: f64", function(r) while true do end end)')
BROKEN = mm.pipeline(':derive "b = 1 // a"')
SLOW = mm.pipeline(
    ':map("b: f64", function(r) local s = 0 for i = 1, 300 do s = s + i % 7 * r.a end return s end)'
)
DATA = {"a": np.arange(1000)}


def test_a_job_has_a_result():
    job = QUICK.submit(DATA)
    assert job.result(timeout=10)["b"].to_pylist()[:3] == [0, 2, 4]
    assert job.done()
    assert not job.running()
    assert not job.cancelled()
    assert job.exception() is None
    assert job.state == "done"
    assert job.result() is not None


def test_progress_comes_to_one():
    job = QUICK.submit(DATA)
    job.wait()
    now = job.progress
    assert (now.state, now.fraction, now.rows_total) == ("done", 1.0, 1000)
    assert now.seconds >= 0
    time.sleep(0.05)
    assert now.seconds == job.progress.seconds == job.result().stats.seconds
    assert "100%" in repr(now)
    assert "done" in repr(job)


def test_progress_grows_while_it_works():
    job = SLOW.submit({"a": np.arange(600_000.0)})
    seen = []
    while not job.wait(0.01):
        seen.append(job.progress.fraction)
    assert seen == sorted(seen)
    assert all(0 <= share <= 1 for share in seen)
    assert len(job.result()) == 600_000


def test_nobody_knows_how_long_sorting_what_has_been_read_will_take():
    job = mm.pipeline(':sort "a"').submit({"a": np.random.default_rng(1).random(2_000_000)})
    while not job.wait(0.002):
        now = job.progress
        assert now.fraction < 1 or now.eta is None or now.state == "done"
    assert job.progress.eta == 0


def test_a_failure_is_raised_by_result_and_given_by_exception():
    job = BROKEN.submit({"a": [1, 0]})
    assert isinstance(job.exception(), mm.DataError)
    assert job.state == "failed"
    with pytest.raises(mm.DataError):
        job.result()


def test_cancel_stops_a_loop_that_never_ends():
    job = FOREVER.submit({"a": [1.0]})
    with pytest.raises(TimeoutError, match=r"0\.05"):
        job.result(timeout=0.05)
    assert job.running()
    assert job.cancel()
    assert job.wait(5)
    with pytest.raises(mm.JobCancelled):
        job.result()
    assert job.cancelled()
    assert not job.cancel()


def test_a_block_cancels_what_is_not_done():
    with FOREVER.submit({"a": [1.0]}) as job:
        pass
    assert job.cancelled()
    with QUICK.submit(DATA) as job:
        job.result()
    assert job.state == "done"


def test_timeout_of_a_job():
    job = FOREVER.submit({"a": [1.0]}, timeout=0.1)
    assert isinstance(job.exception(5), mm.JobTimeout)


def test_the_descriptor_tells_the_end():
    job = QUICK.submit(DATA)
    assert select.select([job.fileno()], [], [], 10)[0]
    assert job.done()


def test_callbacks_are_called_once_each():
    called = threading.Semaphore(0)
    seen = []

    def note(job):
        seen.append(job)
        called.release()

    job = SLOW.submit({"a": np.arange(100_000.0)})
    job.add_done_callback(note)
    job.add_done_callback(note)
    assert called.acquire(timeout=10)
    assert called.acquire(timeout=10)
    job.add_done_callback(note)
    assert seen == [job] * 3


def test_an_exception_in_a_callback_is_logged(caplog):
    job = SLOW.submit({"a": np.arange(100_000.0)})
    ended = threading.Event()
    job.add_done_callback(lambda job: 1 // 0)
    job.add_done_callback(lambda job: ended.set())
    assert ended.wait(10)
    assert "ZeroDivisionError" in caplog.text


def test_futures_are_real():
    jobs = [SLOW.submit({"a": np.arange(10_000.0 * i)}) for i in range(1, 6)]
    futures = [job.future() for job in jobs]
    assert all(isinstance(future, concurrent.futures.Future) for future in futures)
    done, waiting = concurrent.futures.wait(futures, timeout=20)
    assert not waiting
    assert sorted(len(future.result()) for future in done) == [10_000 * i for i in range(1, 6)]
    assert isinstance(BROKEN.submit({"a": [0]}).future().exception(timeout=10), mm.DataError)
    assert len(list(concurrent.futures.as_completed(futures))) == 5


def test_a_callback_that_ends_its_thread_does_not_end_the_others(caplog):
    ended = threading.Event()
    for job in (SLOW.submit({"a": np.arange(100_000.0)}), SLOW.submit({"a": np.arange(200_000.0)})):
        job.add_done_callback(lambda job: sys.exit(3))
    job.add_done_callback(lambda job: ended.set())
    assert ended.wait(10)
    assert "SystemExit" in caplog.text


def test_an_exception_in_a_callback_is_logged_also_when_the_job_has_ended(caplog):
    job = QUICK.submit(DATA)
    job.wait()
    job.add_done_callback(lambda job: 1 // 0)
    assert "ZeroDivisionError" in caplog.text


def test_a_future_cancels_its_job():
    job = FOREVER.submit({"a": [1.0]})
    future = job.future()
    assert future.running()
    assert future.cancel()
    with pytest.raises(concurrent.futures.CancelledError):
        future.result(timeout=5)
    assert future.cancelled()
    assert future.cancel()
    assert job.cancelled()
    assert job.future().cancelled()


def test_waiting_for_several_futures_ends_with_the_one_that_is_cancelled():
    jobs = [FOREVER.submit({"a": [1.0]}) for _ in range(2)]
    futures = [job.future() for job in jobs]
    jobs[1].cancel()
    done, waiting = concurrent.futures.wait(futures, timeout=10, return_when="FIRST_COMPLETED")
    assert done == {futures[1]}
    assert waiting == {futures[0]}
    jobs[0].cancel()
    assert not concurrent.futures.wait(futures, timeout=10).not_done


def test_a_future_that_has_a_result_is_not_cancelled():
    future = QUICK.submit(DATA).future()
    assert len(future.result(timeout=10)) == 1000
    assert not future.cancel()
    assert not future.cancelled()
    assert not future.running()


def test_await_gives_the_result_and_the_loop_stays_alive():
    async def main():
        ticks = 0

        async def tick():
            nonlocal ticks
            while True:
                ticks += 1
                await asyncio.sleep(0.001)

        ticker = asyncio.create_task(tick())
        table = await SLOW.submit({"a": np.arange(500_000.0)})
        many = await asyncio.gather(*(QUICK.submit(DATA) for _ in range(10)))
        ticker.cancel()
        return len(table), len(many), ticks

    rows, many, ticks = asyncio.run(main())
    assert (rows, many) == (500_000, 10)
    assert ticks > 2


def test_several_tasks_await_one_job():
    async def main():
        job = SLOW.submit({"a": np.arange(200_000.0)})

        async def rows():
            return len(await job)

        return await asyncio.wait_for(asyncio.gather(*(rows() for _ in range(20))), 20)

    assert asyncio.run(main()) == [200_000] * 20


def test_several_loops_await_one_job():
    job = SLOW.submit({"a": np.arange(200_000.0)})

    async def rows():
        return len(await job)

    with concurrent.futures.ThreadPoolExecutor(4) as threads:
        assert list(threads.map(lambda _: asyncio.run(rows()), range(4))) == [200_000] * 4


def test_who_awaits_a_job_that_another_task_cancels_is_told():
    async def main():
        job = FOREVER.submit({"a": [1.0]})

        async def wait():
            return await job

        tasks = [asyncio.create_task(wait()) for _ in range(2)]
        await asyncio.sleep(0.05)
        tasks[0].cancel()
        return await asyncio.wait_for(asyncio.gather(*tasks, return_exceptions=True), 10)

    kinds = [type(error) for error in asyncio.run(main())]
    assert kinds == [asyncio.CancelledError, mm.JobCancelled]


def test_awaiting_leaves_no_descriptors():
    async def main():
        await asyncio.gather(*(QUICK.submit(DATA) for _ in range(100)))

    def descriptors():
        return len(os.listdir("/proc/self/fd"))

    asyncio.run(main())
    before = descriptors()  # with those that whoever keeps a job closes a moment after its end: at most 100
    for _ in range(3):
        asyncio.run(main())
    patience = time.monotonic() + 5
    while descriptors() > before and time.monotonic() < patience:
        time.sleep(0.001)
    assert descriptors() <= before


def test_await_raises_what_went_wrong():
    async def main():
        await BROKEN.submit({"a": [0]})

    with pytest.raises(mm.DataError):
        asyncio.run(main())


def test_a_cancelled_await_cancels_the_job():
    jobs = []

    async def main():
        jobs.append(FOREVER.submit({"a": [1.0]}))
        await asyncio.wait_for(jobs[0], 0.1)

    with pytest.raises((asyncio.TimeoutError, TimeoutError)):
        asyncio.run(main())
    assert jobs[0].wait(5)
    assert jobs[0].cancelled()


def test_a_job_that_nobody_holds_is_cancelled(no_leaks):
    job = FOREVER.submit({"a": [1.0]})
    del job
    gc.collect()


def test_the_input_lives_as_long_as_the_job(no_leaks):
    job = SLOW.submit({"a": np.arange(200_000.0)})
    gc.collect()
    assert job.result()["b"][1] > 0
    del job


def test_many_threads_run_at_once():
    errors = []

    def work(number):
        try:
            for _ in range(20):
                table = mm.pipeline(f':derive "b = a + {number % 3}"').run(DATA)
                assert table["b"][5] == 5 + number % 3
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=work, args=(i,)) for i in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert errors == []


def test_the_gil_is_free_while_a_run_goes_on():
    counted = 0
    ended = threading.Event()

    def run():
        SLOW.run({"a": np.arange(300_000.0)}, threads=1)
        ended.set()

    thread = threading.Thread(target=run)
    thread.start()
    while not ended.is_set():
        counted += 1
        time.sleep(0.001)
    thread.join()
    assert counted > 5


def test_results_do_not_depend_on_threads():
    data = {"a": np.arange(300_000.0), "k": np.arange(300_000) % 1000}
    pipeline = mm.pipeline(':group("k", { "s = sum(a / 3)", "v = var(a)" })')
    results = [pipeline.run(data, threads=threads).to_pydict() for threads in (1, 2, 5)]
    assert results[0] == results[1] == results[2]


@pytest.mark.parametrize("stream", [None, "closed", "full"])
def test_a_run_does_not_end_because_nobody_sees_its_progress(stream, monkeypatch):
    class Full(io.StringIO):
        def write(self, text):
            raise OSError("no space left")

    closed = io.StringIO()
    closed.close()
    monkeypatch.setitem(sys.modules, "tqdm.auto", None)
    monkeypatch.setattr(moonmill.progress.Line, "PAUSE", 0)
    monkeypatch.setattr(sys, "stderr", {None: None, "closed": closed, "full": Full()}[stream])
    assert len(SLOW.run({"a": np.arange(200_000.0)}, progress=True)) == 200_000
