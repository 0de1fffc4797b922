"""Files as data: read while the run goes on, whoever waits for it."""

import os
import signal
import subprocess
import threading
import time

import programs
import pytest

import moonmill as mm

PASS = mm.pipeline("mm.pipeline {}")
SUM = mm.pipeline(':group({}, { "n = count()", "total = sum(a)" })')
ENDLESS = ':map("b: f64", function(r) while true do end end)'


@pytest.fixture
def numbers(tmp_path):
    """Write a file of a column `a` that counts, so many rows; gives its path."""

    def write(name, rows, start=0):
        path = tmp_path / name
        path.write_text("a\n" + "".join(f"{value}\n" for value in range(start, start + rows)))
        return path

    return write


class TestSubmit:
    def test_a_job_reads_a_file_as_it_goes_on(self, numbers, no_leaks):
        path = numbers("a.csv", 200_000)
        job = SUM.submit(path)
        assert job.result(30).to_pydict() == {"n": [200_000], "total": [19_999_900_000]}
        size = path.stat().st_size
        moment = job.progress
        assert (moment.rows, moment.bytes, moment.bytes_total, moment.fraction) == (200_000, size, size, 1.0)
        assert job.counters()["threads"] >= 1

    def test_several_paths_are_one_table(self, numbers):
        paths = [numbers("a.csv", 3), numbers("b.csv", 2, 3)]
        assert PASS.submit(paths).result(30)["a"].to_pylist() == [0, 1, 2, 3, 4]
        assert PASS.submit(iter(paths)).result(30)["a"].to_pylist() == [0, 1, 2, 3, 4]

    def test_progress_is_of_bytes_while_it_reads(self, tmp_path):
        path = tmp_path / "pipe"
        os.mkfifo(path)
        done, told = threading.Event(), threading.Event()

        def write():
            with open(path, "w") as pipe:
                pipe.write("a\n" + "1\n" * 100_000)
                pipe.flush()
                told.set()
                done.wait(30)

        writer = threading.Thread(target=write)
        writer.start()
        job = SUM.submit(path)
        assert told.wait(30)
        while job.progress.bytes < 200_000:
            time.sleep(0.01)
        assert (job.progress.bytes_total, job.progress.fraction, job.progress.eta) == (None, None, None)
        assert not job.done()
        done.set()
        writer.join()
        assert job.result(30)["n"][0] == 100_000

    def test_a_job_that_waits_for_a_pipe_can_be_cancelled(self, tmp_path, no_leaks):
        path = tmp_path / "pipe"
        os.mkfifo(path)
        keep = os.open(path, os.O_RDWR)
        os.write(keep, b"a\n" + b"1\n" * 20_000)
        writer = threading.Thread(target=os.write, args=(keep, b"1\n" * 300_000))
        writer.start()
        job = SUM.submit(path)
        writer.join()
        job.cancel()
        assert isinstance(job.exception(5), mm.JobCancelled)
        os.close(keep)

    def test_a_dropped_job_stops_reading(self, flights, no_leaks):
        job = mm.pipeline(ENDLESS).submit(flights)
        began = time.monotonic()
        del job
        assert time.monotonic() - began < 2

    def test_an_error_names_file_and_line(self, numbers, no_leaks):
        bad = numbers("bad.csv", 20_000)
        with open(bad, "a") as file:
            file.write("oops\n")
        error = PASS.submit([numbers("a.csv", 10), bad]).exception(30)
        assert isinstance(error, mm.DataError)
        assert (error.line, error.field, error.value) == (20_002, "a", "oops")
        assert error.file == str(bad)

    def test_what_cannot_be_opened_is_told_at_once(self, tmp_path):
        with pytest.raises(mm.FileError, match="cannot open"):
            PASS.submit(tmp_path / "none.csv")

    def test_a_time_limit_holds(self, flights):
        assert isinstance(mm.pipeline(ENDLESS).submit(flights, timeout=1).exception(10), mm.JobTimeout)


class TestStream:
    def test_pieces_have_as_many_rows_as_asked(self, numbers, no_leaks):
        path = numbers("a.csv", 150_001)
        for rows in (1000, 65_536, 100_000, 150_001, 1 << 20):
            pieces = list(mm.pipeline(':derive "b = a + 1"').stream(path, rows=rows))
            assert [len(piece) for piece in pieces] == [
                min(rows, 150_001 - start) for start in range(0, 150_001, rows)
            ]
            assert [value for piece in pieces for value in piece["a"].to_pylist()] == list(range(150_001))
            assert pieces[-1]["b"][-1] == 150_001

    def test_a_filter_fills_its_pieces(self, numbers):
        pieces = mm.pipeline(':where "a % 3 == 0"').stream(numbers("a.csv", 100_000), rows=10_000)
        assert [len(piece) for piece in pieces] == [10_000] * 3 + [3334]

    def test_a_group_comes_at_the_end(self, numbers):
        groups = mm.pipeline(':group("k = a % 5", "n = count()")').stream(numbers("a.csv", 100_000), rows=2)
        assert [piece.to_pydict() for piece in groups] == [
            {"k": [0, 1], "n": [20_000] * 2},
            {"k": [2, 3], "n": [20_000] * 2},
            {"k": [4], "n": [20_000]},
        ]

    def test_no_rows_are_one_piece_with_the_columns(self, numbers):
        (piece,) = mm.pipeline(':where "a < 0"').stream(numbers("a.csv", 10))
        assert (len(piece), piece.column_names) == (0, ["a"])

    def test_it_runs_ahead_and_then_waits(self, numbers, no_leaks):
        path = numbers("a.csv", 1_500_000)
        results = PASS.stream(path, rows=1000, ahead=1, threads=2)
        assert next(results)["a"][0] == 0
        time.sleep(0.2)
        job = results.gi_frame.f_locals["job"]
        read = job.counters()["rows"]
        assert read < 1_500_000
        time.sleep(0.1)
        assert job.counters()["rows"] == read
        del job
        results.close()

    def test_a_stream_that_is_dropped_stops(self, numbers, no_leaks):
        results = PASS.stream(numbers("a.csv", 1_500_000), rows=10)
        next(results)
        began = time.monotonic()
        del results
        assert time.monotonic() - began < 2

    def test_what_comes_before_an_error_is_given(self, numbers, no_leaks):
        path = numbers("a.csv", 200_000)
        with open(path, "a") as file:
            file.write("oops\n")
        results, seen = PASS.stream(path, rows=50_000), []
        with pytest.raises(mm.DataError) as caught:
            seen.extend(len(piece) for piece in results)
        assert seen == [50_000, 50_000, 50_000, 3 * 65_536 - 150_000]
        assert caught.value.line == 200_002

    def test_each_path_of_an_iterator_is_answered(self, numbers):
        paths = iter([numbers("a.csv", 3), numbers("b.csv", 2, 3)])
        assert [piece["a"].to_pylist() for piece in PASS.stream(paths)] == [[0, 1, 2], [3, 4]]

    def test_a_group_is_of_all_paths_of_an_iterator(self, numbers):
        paths = iter([numbers("a.csv", 3), numbers("b.csv", 2, 3)])
        assert [piece.to_pydict() for piece in SUM.stream(paths)] == [{"n": [5], "total": [10]}]

    def test_ctrl_c_ends_it(self, flights):
        threading.Timer(0.3, lambda: os.kill(os.getpid(), signal.SIGINT)).start()
        with pytest.raises(KeyboardInterrupt):
            list(mm.pipeline(ENDLESS).stream(flights))


MEASURE = """
import resource, sys
import moonmill as mm
pipeline = mm.pipeline(':where "dep_delay > 10" :group("carrier", { "n = count()", "m = mean(arr_delay)" })')
pipeline.run("pipelines/data/flights.csv.zst")
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
how, path = sys.argv[1:]
if how == "run": rows = len(pipeline.run(path))
if how == "submit": rows = len(pipeline.submit(path).result())
if how == "stream": rows = sum(len(piece) for piece in pipeline.stream(path))
if how == "rows":
    rows = sum(len(piece) for piece in mm.pipeline("mm.pipeline {}").stream(path, rows=10_000, ahead=1))
print(rows, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""


@pytest.mark.parametrize("how", ["run", "submit", "stream", "rows"])
def test_memory_does_not_grow_with_the_file(how, large):
    rows, grown = map(int, programs.output(MEASURE, how, large).split())
    assert rows > 10
    assert grown * 1024 < large.stat().st_size / 2


@pytest.fixture(scope="module")
def large(tmp_path_factory):
    """Flights again and again, some 120 MB."""
    text = subprocess.run(
        ["zstd", "-dcq", "pipelines/data/flights.csv.zst"], capture_output=True, check=True
    ).stdout
    head, _, rows = text.partition(b"\n")
    path = tmp_path_factory.mktemp("large") / "flights.csv"
    with open(path, "wb") as file:
        file.write(head + b"\n")
        for _ in range(120_000_000 // len(rows)):
            file.write(rows)
    yield path
    path.unlink()
