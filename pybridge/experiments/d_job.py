"""Experiment D: a call that returns at once, and tells how far it is.

python d_job.py SIDE SIZE [LIBRARY]   prints a line of JSON
"""

import json
import sys
import time

import numpy as np
import packed

ROOTS = 'mm.pipeline { input = "u8" } :group({}, "total = sum(sqrt(value))")'
ENDLESS = 'mm.pipeline { input = "u8" } :map("y: f64", function(r) while true do end end)'
MANY = 8
FAILING = 'mm.pipeline { input = "u8" } :map("y: f64", function(r) return r.value + nil end)'


def go(size, path):
    library = packed.Library(path)
    message, (pixels,) = packed.allocate((np.uint8, size))
    pixels[:] = 49
    before = library.c.WorkProgress()
    began = time.perf_counter()
    library.c.WorkStart(message.ctypes.data, message.nbytes)
    returned = time.perf_counter() - began
    seen = [(returned, library.c.WorkProgress())]
    while seen[-1][1] != 2.0:
        time.sleep(0.001)
        seen.append((time.perf_counter() - began, library.c.WorkProgress()))
    assert before == -1.0
    seconds = time.perf_counter() - began
    assert abs(library.c.WorkResult() - 7.0 * size) < 1e-6 * size
    message[:8] = 0  # a message of no arrays is wrong
    status = library.c.WorkStart(message.ctypes.data, message.nbytes)
    return {
        "returned": returned, "seconds": seconds, "alone": seconds, "seen": seen,
        "cancel": "cannot", "error": f"a number: {status}", "many": "one",  # there is one progress
    }  # fmt: skip


def moonmill(size, _path):
    import moonmill as mm

    pixels = np.full(size, 49, np.uint8)
    roots = mm.pipeline(ROOTS)
    roots.run(pixels[:10])
    began = time.perf_counter()
    job = roots.submit(pixels)
    returned = time.perf_counter() - began
    seen = [(returned, job.progress.fraction)]
    while not job.done():
        job.wait(0.001)
        seen.append((time.perf_counter() - began, job.progress.fraction))
    seconds = time.perf_counter() - began
    assert abs(job.result()["total"][0] - 7.0 * size) < 1e-6 * size
    began = time.perf_counter()
    roots.run(pixels, threads=1)
    alone = time.perf_counter() - began
    endless = [mm.pipeline(ENDLESS).submit(pixels[:1000]) for _ in range(MANY)]
    time.sleep(0.05)
    many = sum(job.progress.state == "running" for job in endless)
    for job in endless[1:]:
        job.cancel()
        job.exception()
    cancelled = time.perf_counter()
    endless[0].cancel()
    endless[0].exception()
    cancelled = time.perf_counter() - cancelled
    error = mm.pipeline(FAILING).submit(pixels[:1000]).exception()
    return {
        "returned": returned, "seconds": seconds, "alone": alone, "seen": seen, "cancel": cancelled,
        "error": str(error).splitlines()[0], "many": str(many),
    }  # fmt: skip


if __name__ == "__main__":
    side, size, *rest = sys.argv[1:]
    print(json.dumps({"go": go, "moonmill": moonmill}[side](int(size), *(rest or [None]))))
