"""Lines of text as data."""

import array
import collections
import io
import mmap
import subprocess

import pytest

import moonmill as mm

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
