"""Arrow data that another thread writes during a run: values mix, but nothing is out of bounds."""

import textwrap

import programs
import pytest

pytest.importorskip("numpy")
pytest.importorskip("pyarrow")

PIPELINES = {
    "group": ":group('s', { 'n = count()' })",
    "sort": ":sort('s')",
    "upper": ":derive 's = upper(s)'",
    "where": ":where 's > \"m\"'",
    "distinct": ":distinct('s')",
    "len": ":derive 's = len(s)'",
    "max": ":group({}, { 's = max(s)' })",
    "concat": ":derive 's = s .. s'",
    "replace": ':derive \'s = replace(s, "ab", "")\'',
    "row function": ":map('s: utf8', function(r) return r.s .. '!' end)",
    "row filter": ":where(function(r) return r.s > 'm' end)",
}
PREAMBLE = """
import sys, threading, time
import numpy as np, pyarrow as pa
import moonmill as mm

ROWS, WIDTH = 50_000, 8
rng = np.random.default_rng(7)
text = rng.integers(97, 99, ROWS * WIDTH).astype("u1")
even = np.arange(ROWS + 1, dtype="i4") * WIDTH
pipeline = mm.pipeline(sys.argv[1])
stop = threading.Event()


def run_while(write):
    def writes():
        while not stop.is_set():
            write()

    thread = threading.Thread(target=writes)
    thread.start()
    end, runs = time.monotonic() + 20, 0
    while runs < 40 and time.monotonic() < end:
        try:
            pipeline.run(table, threads=2)
        except (mm.DataError, mm.LimitError):
            pass
        runs += 1
    stop.set()
    thread.join()
    print("alive after", runs, "runs")
"""
OFFSETS = """
offsets = even.copy()
buffers = [None, pa.py_buffer(offsets), pa.py_buffer(text)]
table = pa.table({"s": pa.Array.from_buffers(pa.utf8(), ROWS, buffers)})
wild = np.where(np.arange(ROWS - 1) % 2, -(2**31), 2**31 - 1).astype("i4")  # refused wherever they are seen


def write():
    offsets[1:-1] = wild
    time.sleep(rng.random() * 0.003)
    offsets[:] = even
    time.sleep(rng.random() * 0.003)


run_while(write)
"""
BYTES = """
kept = text.copy()
buffers = [None, pa.py_buffer(even), pa.py_buffer(text)]
table = pa.table({"s": pa.Array.from_buffers(pa.utf8(), ROWS, buffers)})


def write():
    text[:] = rng.integers(0, 256, ROWS * WIDTH)  # no UTF-8
    text[:] = 98
    time.sleep(0.0002)
    text[:] = kept
    time.sleep(0.0002)


run_while(write)
"""
VIEWS = """
text = np.full(1 << 20, 97, "u1")
views = np.zeros((ROWS, 4), "i4")
views[:, 0], views[:, 3] = 20, 5
buffers = [None, pa.py_buffer(views), pa.py_buffer(text)]
table = pa.table({"s": pa.Array.from_buffers(pa.string_view(), ROWS, buffers)})


def write():
    views[:, 0] = 20_000
    views[:, 0] = 20


run_while(write)
"""


def outcome(pipeline, code):
    done = programs.run(PREAMBLE + textwrap.dedent(code), pipeline)
    return done.returncode, done.stdout.split(" runs")[0].rstrip("0123456789"), done.stderr[-2000:]


ALIVE = (0, "alive after ", "")


@pytest.mark.parametrize("name", PIPELINES)
def test_offsets_of_text_may_be_written(name):
    assert outcome(PIPELINES[name], OFFSETS) == ALIVE


@pytest.mark.parametrize("name", PIPELINES)
def test_bytes_of_text_may_be_written(name):
    assert outcome(PIPELINES[name], BYTES) == ALIVE


def test_views_of_text_may_be_written():
    assert outcome(PIPELINES["len"], VIEWS) == ALIVE
