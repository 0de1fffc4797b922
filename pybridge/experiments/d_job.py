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
    assert abs(library.c.WorkResult() - 7.0 * size) < 1e-6 * size
    return {
        "returned": returned, "seconds": time.perf_counter() - began, "seen": seen,
        "cancel": "cannot", "error": "a negative number", "many": "one at a time",
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
    endless = mm.pipeline(ENDLESS).submit(pixels[:1000])
    time.sleep(0.05)
    cancelled = time.perf_counter()
    endless.cancel()
    endless.exception()
    cancelled = time.perf_counter() - cancelled
    error = mm.pipeline(FAILING).submit(pixels[:1000]).exception()
    return {
        "returned": returned, "seconds": seconds, "seen": seen, "cancel": cancelled,
        "error": str(error).splitlines()[0], "many": "any number",
    }  # fmt: skip


if __name__ == "__main__":
    side, size, *rest = sys.argv[1:]
    print(json.dumps({"go": go, "moonmill": moonmill}[side](int(size), *(rest or [None]))))
