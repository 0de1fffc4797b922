"""Files as data: read while the run goes on, whoever waits for it."""

import array
import collections
import gzip
import inspect
import io
import mmap
import os
import pickle
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

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
        assert isinstance(mm.pipeline(ENDLESS).submit(flights, timeout=0.1).exception(10), mm.JobTimeout)


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


@pytest.fixture
def odd(tmp_path):
    """A file that needs options."""
    path = tmp_path / "odd.csv"
    path.write_text("x;y\n'1';NA\n2;b;c\n")
    return path


ODD = {"delimiter": ";", "quote": "'", "null": "NA", "ragged": True}


class TestOptions:
    def test_every_way_to_run_takes_them(self, odd, tmp_path):
        expected = {"x": [1, 2], "y": [None, "b"]}
        assert PASS(odd, **ODD).to_pydict() == expected
        assert PASS.run(odd, **ODD).to_pydict() == expected
        assert PASS.submit(str(odd), **ODD).result(30).to_pydict() == expected
        assert [piece.to_pydict() for piece in PASS.stream(odd, **ODD)] == [expected]
        assert [piece.to_pydict() for piece in PASS(iter([odd]), **ODD)] == [expected]
        assert mm.read(odd, **ODD).to_pydict() == expected
        assert PASS.run_files(odd, tmp_path / "out", **ODD).check().rows == 2
        assert (tmp_path / "out" / "odd.csv").read_text() == "x,y\n1,\n2,b\n"

    def test_questions_take_them_too(self, odd):
        pipeline = mm.pipeline(':derive "z = x + 1"')
        assert repr(pipeline.output_schema(odd, **ODD)) == "Schema(x: i64?, y: utf8?, z: i64?)"
        pipeline.check(odd, **ODD)
        assert "reads 2 of 2 columns" in pipeline.explain(odd, **ODD)
        with pytest.raises(mm.UsageError, match='no column "x"'):
            pipeline.check(odd)

    def test_files_carry_them(self, odd, numbers):
        files = mm.files(odd, **ODD)
        assert repr(files).startswith(f"<moonmill.Files: {odd}, delimiter=';'")
        for _ in range(2):
            assert PASS.run(files).num_rows == 2
        assert PASS.run(pickle.loads(pickle.dumps(files))).num_rows == 2
        assert PASS.run(mm.files([numbers("a.csv", 2), numbers("b.csv", 3)])).num_rows == 5
        assert PASS.run(mm.files(str(odd.parent / "*.csv")), header=False, delimiter="|").num_rows == 10

    def test_without_a_header_columns_have_numbers(self, odd):
        table = PASS.run(odd, header=False, delimiter="semicolon", quote="none", null=["NA"], ragged=True)
        assert table.to_pydict() == {"c1": ["x", "'1'", "2"], "c2": ["y", None, "b"]}

    def test_a_parameter_of_the_same_name_comes_first(self, odd):
        own = mm.pipeline('mm.pipeline { params = { "quote: i64 = 3" } } :derive "z = p.quote"')
        assert own.run(mm.files(odd, **ODD), quote=4)["z"].to_pylist() == [4, 4]
        assert own.run(odd, delimiter=";", ragged=True, quote=5)["x"].to_pylist() == ["'1'", "2"]

    def test_unknown_ones_are_refused_with_a_suggestion(self, odd):
        named = mm.pipeline('mm.pipeline { params = { "least: i64 = 3" } }')
        for run in (named.run, named.submit, named.stream, lambda *a, **k: named.run_files(*a, "out", **k)):
            with pytest.raises(mm.UsageError, match='did you mean "delimiter"'):
                run(odd, delimeter=";")
            with pytest.raises(mm.UsageError, match='did you mean "least"'):
                run(odd, leest=1)
        for read in (mm.files, mm.read):
            with pytest.raises(mm.UsageError, match='did you mean "ragged"'):
                read(odd, raged=True)
        with pytest.raises(mm.UsageError, match="the data is in memory"):
            named.run({"a": [1]}, delimiter=";")

    @pytest.mark.parametrize(
        ("options", "kind", "words"),
        [
            ({"delimiter": "ab"}, mm.UsageError, 'one character, got "ab"'),
            ({"delimiter": ""}, mm.UsageError, "one character"),
            ({"delimiter": "\0"}, mm.UsageError, "one character"),
            ({"delimiter": ["a", "b"]}, mm.UsageError, "one value"),
            ({"delimiter": 5}, TypeError, "delimiter is int"),
            ({"delimiter": b";"}, TypeError, "delimiter is bytes"),
            ({"delimiter": '"'}, mm.UsageError, "cannot be the quote"),
            ({"header": "no"}, mm.UsageError, "true or false"),
            ({"null": [1]}, TypeError, "null is list"),
            ({"null": "a\nb"}, mm.UsageError, "one line"),
            ({"ragged": 1}, TypeError, "ragged is int"),
        ],
    )
    def test_wrong_values_are_refused_by_name(self, odd, options, kind, words):
        for run in (PASS.run, PASS.submit, PASS.stream, mm.read):
            with pytest.raises(kind, match=words):
                run(odd, **options)

    def test_the_signature_names_what_the_language_knows(self):
        words = set(inspect.signature(mm.files).parameters) - {"paths", "unknown"}
        with pytest.raises(mm.UsageError) as caught:
            mm.files("x", xyzzyxyzzy=1)
        assert caught.value.hint == "the options: " + ", ".join(
            name for name in inspect.signature(mm.files).parameters if name in words
        )

    def test_outputs_may_end_otherwise(self, odd, tmp_path):
        result = PASS.run_files(odd, tmp_path / "out", suffix=".tsv.zst", **ODD).check()
        assert list(result.written.values()) == [str(tmp_path / "out" / "odd.tsv.zst")]
        again = PASS.run_files(result.written.values(), tmp_path / "back", suffix=".csv").check()
        assert Path(*again.written.values()).read_text() == "x,y\n1,\n2,b\n"


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
    done = subprocess.run(
        [sys.executable, "-c", MEASURE, how, str(large)], capture_output=True, text=True, check=True
    )
    rows, grown = map(int, done.stdout.split())
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


LENGTHS = mm.pipeline('mm.pipeline { input = "lines" } :derive "n = len(line)"')
TEXT = 'a,b\n\n"x\r\n\u00fcber\nlast'
LINES = ["a,b", "", '"x', "\u00fcber", "last"]


class TestLines:
    @pytest.fixture
    def path(self, tmp_path):
        path = tmp_path / "a.txt"
        path.write_bytes(TEXT.encode())
        return path

    def ways(self, path):
        raw = TEXT.encode()
        with open(path, "r+b") as file:
            yield from (path, str(path), file, mmap.mmap(file.fileno(), 0), io.BytesIO(raw))
        yield from (raw, bytearray(raw), memoryview(raw), array.array("B", raw), mm.files(path))
        yield from (LINES, tuple(LINES), iter(LINES), dict.fromkeys(LINES).keys(), collections.deque(LINES))
        with open(path, newline="") as file:
            yield file
        yield from (TEXT.splitlines(keepends=True), {"any": LINES})
        yield from (mm.Table.from_columns(["t"], [LINES]), io.StringIO(TEXT, newline=""))

    def test_lines_come_from_everywhere(self, path, no_leaks):
        for data in self.ways(path):
            assert LENGTHS.run(data).to_pydict() == {"line": LINES, "n": [3, 0, 2, 4, 4]}, type(data)
        for data in self.ways(path):
            assert LENGTHS.submit(data).result(30)["line"].to_pylist() == LINES, type(data)
        for data in self.ways(path):
            pieces = list(LENGTHS.stream(data, rows=2))
            assert [len(piece) for piece in pieces] == [2, 2, 1], type(data)
            assert [line for piece in pieces for line in piece["line"].to_pylist()] == LINES

    def test_a_call_answers_in_kind(self, path):
        assert isinstance(LENGTHS(TEXT.encode()), mm.Table)
        assert isinstance(LENGTHS(path), mm.Table)
        only = mm.pipeline('mm.pipeline { input = "lines" } :select { "n = len(line)" }')
        assert only(LINES) == only(iter(LINES)) == [3, 0, 2, 4, 4]

    def test_text_in_memory_is_read_in_pieces(self, rng, no_leaks):
        lines = ["x" * rng.randrange(200) for _ in range(200_000)]
        text = "\n".join(lines).encode() + b"\n"
        job = LENGTHS.submit(text)
        assert job.result(30)["line"].to_pylist() == lines
        assert (job.progress.bytes, job.progress.bytes_total) == (len(text), len(text))

    def test_compressed_text_is_found_by_its_content(self, tmp_path):
        path = tmp_path / "a"
        path.write_bytes(TEXT.encode())
        packed = subprocess.run(["zstd", "-qc", path], capture_output=True, check=True).stdout
        assert LENGTHS.run(packed)["line"].to_pylist() == LINES

    def test_nothing_has_no_lines(self, tmp_path):
        (tmp_path / "a").touch()
        for data in (b"", [], (), iter(()), tmp_path / "a", io.BytesIO()):
            assert LENGTHS.run(data).to_pydict() == {"line": [], "n": []}, type(data)

    def test_errors_name_the_line(self, tmp_path):
        path = tmp_path / "a.txt"
        path.write_bytes(b"ok\n\xff\n")
        with pytest.raises(mm.DataError, match="not UTF-8") as caught:
            LENGTHS.run(path)
        assert (caught.value.file, caught.value.line) == (str(path), 2)
        with pytest.raises(mm.DataError) as caught:
            LENGTHS.run(memoryview(b"ok\n\xff\n"))
        assert (caught.value.file, caught.value.line) == ("<memoryview>", 2)

    @pytest.mark.parametrize(
        ("data", "kind", "words"),
        [
            ({"a": [1], "b": [2]}, mm.UsageError, "2 columns"),
            ({"a": [1]}, mm.UsageError, "declared as utf8"),
            ([1, 2], mm.UsageError, "declared as utf8"),
            (["a", None], mm.DataError, "null"),
            (["a", 1], mm.KindError, "int"),
            (array.array("d", [1.0]), mm.UsageError, "no buffer of bytes"),
            (5, mm.KindError, "cannot be taken"),
            (object(), mm.KindError, "cannot be taken"),
        ],
    )
    def test_other_data_is_refused(self, data, kind, words):
        with pytest.raises(kind, match=words):
            LENGTHS.run(data)

    def test_lines_take_no_options(self, path):
        with pytest.raises(mm.UsageError, match="without options"):
            LENGTHS.run(path, delimiter=";")

    def test_files_of_lines_are_answered_one_by_one(self, path, tmp_path):
        LENGTHS.run_files(path, tmp_path / "out", suffix=".csv").check()
        assert mm.read(tmp_path / "out" / "a.csv")["n"].to_pylist() == [3, 0, 2, 4, 4]
        assert repr(LENGTHS.output_schema(path)) == "Schema(line: utf8, n: i64)"


class TestFileObjects:
    def test_a_file_that_is_open_is_read_by_its_path(self, odd):
        with open(odd, "rb") as file:
            assert PASS.run(file, **ODD).num_rows == 2
            assert file.tell() == 0
        with open(odd, "rb", buffering=0) as raw, pytest.raises(mm.DataError, match=str(odd)):
            PASS.run(raw, delimiter=";")

    def test_one_that_was_deleted_is_read_by_its_descriptor(self, odd):
        with open(odd, "rb") as file:
            odd.unlink()
            assert PASS.run(file, **ODD).num_rows == 2

    def test_a_pipe_is_read_as_it_fills(self):
        with subprocess.Popen(
            ["sh", "-c", "echo a; echo 1; sleep 0.1; echo 2"], stdout=subprocess.PIPE
        ) as child:
            assert PASS.run(child.stdout)["a"].to_pylist() == [1, 2]

    def test_bytes_in_memory_are_files_too(self, odd):
        held = io.BytesIO(b"skipped" + odd.read_bytes())
        held.seek(7)
        assert PASS.run(held, **ODD).num_rows == 2
        held.write(b"again")

    def test_others_are_refused_with_what_to_do(self, odd):
        with open(odd) as text, pytest.raises(mm.KindError, match="binary mode"):
            PASS.run(text)
        with open(odd, "ab") as written, pytest.raises(mm.KindError, match="BytesIO"):
            PASS.run(written)
        with open(odd, "rb") as used, pytest.raises(mm.KindError, match=r"seek\(0\)"):
            used.read(1)
            PASS.run(used)
        with gzip.open(odd) as packed, pytest.raises(mm.KindError, match="GzipFile"):
            PASS.run(packed)
        with open(odd, "rb") as closed:
            pass
        with pytest.raises(ValueError, match="closed"):
            PASS.run(closed)
