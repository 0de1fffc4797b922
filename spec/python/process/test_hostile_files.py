"""Paths and files that are not what they should be: a clear exception each, and nothing is left behind."""

import array
import io
import os
import signal
import subprocess
import threading
import time
from pathlib import Path

import pytest

import moonmill as mm

PASS = mm.pipeline("mm.pipeline {}")
LINES = mm.pipeline('mm.pipeline { input = "lines" }')


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("a.csv").write_text("a,b\n1,2\n")
    Path("empty.csv").touch()
    Path("head.csv").write_text("a,b\n")
    Path("folder").mkdir()
    os.symlink("loop", "loop")
    os.mkfifo("pipe")
    return tmp_path


@pytest.mark.parametrize("script", ["mm.pipeline {}", 'mm.pipeline { input = "lines" }'])
@pytest.mark.parametrize(
    ("path", "kind", "words"),
    [
        ("none.csv", mm.FileError, "No such file"),
        ("folder", mm.FileError, "is a directory"),
        ("loop", mm.FileError, "symbolic links"),
        ("", mm.UsageError, "name of an input file is empty"),
        ("a\0b", ValueError, "null byte"),
        ("x" * 5000, mm.FileError, "too long"),
    ],
)
def test_paths_that_lead_nowhere(folder, script, path, kind, words, no_leaks):
    pipeline = mm.pipeline(script)
    for run in (pipeline, pipeline.run, pipeline.submit, lambda path: list(pipeline.stream(path)), mm.read):
        with pytest.raises(kind, match=words):
            run(path)


def test_files_without_rows(folder):
    assert PASS.run("head.csv").column_names == ["a", "b"]
    for path in ("empty.csv", "/dev/null"):
        with pytest.raises(mm.DataError, match="the file is empty"):
            PASS.run(path)
        assert len(LINES.run(path)) == 0


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_that_may_not_be_read(folder):
    os.chmod("a.csv", 0)
    with pytest.raises(mm.FileError, match="Permission denied"):
        PASS.run("a.csv")


def test_objects_with_a_path(folder):
    class Path:
        def __init__(self, answer):
            self.answer = answer

        def __fspath__(self):
            if isinstance(self.answer, Exception):
                raise self.answer
            return self.answer

    for run in (PASS.run, mm.read, lambda path: PASS.run([path]), lambda path: PASS.run(mm.files(path))):
        assert run(Path("a.csv"))["b"][0] == run(Path(b"a.csv"))["b"][0] == 2
        for answer, kind in ((RuntimeError("no path today"), RuntimeError), (5, TypeError)):
            with pytest.raises(kind):
                run(Path(answer))


def test_names_that_are_no_text(folder):
    name = b"o\xffdd.csv"
    Path(os.fsdecode(name)).write_text("a\n1\n")
    assert mm.read(name)["a"][0] == PASS.run(Path(os.fsdecode(name)))["a"][0] == 1
    assert PASS.run_files([name, b"a.csv"], b"out").check().rows == 2
    assert sorted(os.listdir(b"out")) == [b".moonmill-manifest", b"a.csv", name]
    assert len(PASS.run_files([name, b"a.csv"], b"out", resume=True).skipped) == 2


@pytest.mark.parametrize("given", [None, 5, {}, {"a.csv": 1}, [5], [None]])
def test_what_is_no_path(folder, given):
    for take in (mm.files, mm.read, lambda given: PASS.run_files(given, "out")):
        with pytest.raises(TypeError):
            take(given)


def test_outputs_that_cannot_be(folder):
    with pytest.raises(FileExistsError):
        PASS.run_files("a.csv", "head.csv")
    with pytest.raises(mm.UsageError, match="suffix"):
        PASS.run_files("a.csv", "out", suffix="/x")
    with pytest.raises(TypeError, match="suffix"):
        PASS.run_files("a.csv", "out", suffix=5)
    Path("out").mkdir(exist_ok=True)
    Path("out/a.csv").mkdir()
    assert isinstance(PASS.run_files("a.csv", "out").errors["a.csv"], mm.FileError)


def test_streams_of_any_number_of_rows(folder):
    for rows in (1, 1 << 62, 1 << 70):
        assert [len(piece) for piece in PASS.stream("a.csv", rows=rows, ahead=9)] == [1]
    with pytest.raises(TypeError):
        list(PASS.stream("a.csv", rows=1.5))


def test_texts_that_are_gone_or_odd():
    view, held = memoryview(b"a\nb"), io.BytesIO(b"a\n")
    view.release()
    held.close()
    for gone in (view, held):
        with pytest.raises(ValueError, match=r"released|closed"):
            LINES.run(gone)
    with pytest.raises(mm.KindError, match="one after the other"):
        LINES.run(memoryview(b"abcd")[::2])
    with pytest.raises(mm.KindError, match="no buffer of bytes"):
        LINES.run(array.array("d", [1.0]))
    with pytest.raises(mm.KindError, match="decode"):
        LINES.run(iter([b"a\n"]))
    with pytest.raises(ZeroDivisionError):
        LINES.run(1 / 0 for _ in range(3))


def test_a_text_is_held_while_it_is_read(no_leaks):
    text = bytearray(b"a\n" * 200_000)
    endless = ':map("b: f64", function(r) while true do end end)'
    job = mm.pipeline('mm.pipeline { input = "lines" } ' + endless).submit(text)
    with pytest.raises(BufferError):
        text.append(1)
    job.cancel()
    assert job.wait(5)
    del job
    text.append(1)


def test_a_file_that_shrinks_or_grows_while_it_is_read(folder, no_leaks):
    rows = 400_000
    Path("big.csv").write_text("a\n" + "1\n" * rows)
    pieces = PASS.stream("big.csv", rows=1000, ahead=1, threads=1)
    assert len(next(pieces)) == 1000
    os.truncate("big.csv", 0)
    with pytest.raises(mm.FileError, match=r"shrank while it was read: .* of 800002 when") as raised:
        list(pieces)
    assert raised.value.id == "file-changed"
    assert raised.value.file == "big.csv"
    del raised
    Path("big.csv").write_text("a\n" + "1\n" * rows)
    pieces = PASS.stream("big.csv", rows=1000, ahead=1, threads=1)
    next(pieces)
    with open("big.csv", "a") as file:
        file.write("1\n" * 5)
    assert sum(map(len, pieces)) == rows - 1000 + 5


@pytest.mark.parametrize("head", [b"", b"a,b\n1", "zstd"])
def test_a_pipe_that_says_nothing(folder, head, no_leaks):
    if head == "zstd":
        head = subprocess.run(["zstd", "-qc", "a.csv"], capture_output=True, check=True).stdout[:12]
    keep = os.open("pipe", os.O_RDWR)
    os.write(keep, head)
    began = time.monotonic()
    with pytest.raises(mm.JobTimeout):
        PASS.run("pipe", timeout=0.2)
    assert time.monotonic() - began < 2
    os.write(keep, head)
    threading.Timer(0.3, lambda: os.kill(os.getpid(), signal.SIGINT)).start()
    with pytest.raises(KeyboardInterrupt):
        PASS.run("pipe")
    assert time.monotonic() - began < 4
    os.close(keep)
