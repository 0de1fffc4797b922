"""Data that another thread writes while it is read gives mixed values, and never leads out of its memory."""

import programs
import pytest

pytest.importorskip("numpy")
pytest.importorskip("pyarrow")

PIPELINES = [
    ":group('t', 'n = count()')",
    ":group({}, 'm = max(t)')",
    ":sort 't'",
    ":distinct { 't' }",
    ":limit(5, { by = 't' })",
    ":select { 'x = upper(t)' }",
    ":select { 'x = len(t)' }",
    ":select { \"x = t .. 'a'\" }",
    ":where \"t == 'aaaa'\"",
    ":map('x: utf8', function(r) return r.t end)",
]

PROGRAM = """
    import threading, time, numpy as np, pyarrow as pa, moonmill as mm

    rows = 100_000
    offsets = np.arange(rows + 1, dtype="{offset}") * 4
    text = np.full(4 * rows, ord("a"), "u1")
    good = offsets.copy()
    bad = np.random.default_rng(1).integers(-(2**31), 2**31 - 1, rows + 1).astype("{offset}")
    column = pa.Array.from_buffers(pa.{type}(), rows, [None, pa.py_buffer(offsets), pa.py_buffer(text)])
    stop = threading.Event()

    def write():
        while not stop.is_set():
            offsets[:] = bad
            offsets[:] = good

    writer = threading.Thread(target=write)
    writer.start()
    pipeline = mm.pipeline({pipeline!r})
    end = time.monotonic() + 1
    while time.monotonic() < end:
        try:
            pipeline.run(pa.table({{"t": column}}))
        except mm.DataError as error:
            assert error.id == "bad-arrow", error
    stop.set()
    writer.join()
    offsets[:] = good
    print(pipeline.run(pa.table({{"t": column}})).num_rows > 0)
"""


@pytest.mark.parametrize("pipeline", PIPELINES)
def test_offsets_that_change_during_a_run_lead_nowhere(pipeline):
    assert programs.output(PROGRAM.format(pipeline=pipeline, type="utf8", offset="i4")) == "True"


def test_neither_do_long_ones():
    assert programs.output(PROGRAM.format(pipeline=PIPELINES[0], type="large_utf8", offset="i8")) == "True"
