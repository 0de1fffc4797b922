"""Experiment C: data that stays in the library between calls.

python c_store.py SIDE SIZE [LIBRARY]   prints a line of JSON

The Go library has slots of untyped bytes, made by an explicit init; whatever goes in or out is copied.
Moonmill's store has names and types, shares memory with Python both ways, and is seen by all workers of a
job.
"""

import json
import sys
import time

import numpy as np
import packed
from witness import peak, resident

WEIGHTED = """
mm.pipeline { input = { "k: i64" } }
:map ("w: f64", function(r) return mm.store.get("weights")[r.k] end)
:group ({}, "total = sum(w)")
"""


def timed(function, *arguments):
    began = time.perf_counter()
    result = function(*arguments)
    return time.perf_counter() - began, result


def go(size, path):
    library = packed.Library(path)
    message, (pixels,) = packed.allocate((np.uint8, size))
    pixels[:] = 41
    base = resident()
    try:
        library.put(0, message)
        before_init = "works"
    except packed.PackedError:
        before_init = "an error"
    library.c.MemoryInit(16)
    put, _ = timed(library.put, 0, message)
    get, reply = timed(library.get, 0)
    (array,) = packed.unpack(reply)
    facts = {
        "put": put,
        "get": get,
        "peak": peak() - base,
        "before_init": before_init,
        "entries": "untyped slots, by number",
    }
    library.c.MemoryFree(0)
    facts["dropped"] = "when the collector runs" if library.c.Heap() > size / 2 else "at once"
    facts["workers"] = "cannot"  # what goes in and out is a copy for whoever asks
    assert array[0] == array[-1] == 41
    return facts


def moonmill(size, _path):
    import moonmill as mm

    pixels = np.full(size, 41, np.uint8)
    mm.store["warm"] = pixels[:1]
    del mm.store["warm"]
    base = resident()
    put, _ = timed(mm.store.__setitem__, "pixels", pixels)
    get, column = timed(mm.store.__getitem__, "pixels")
    facts = {
        "put": put,
        "get": get,
        "peak": peak() - base,
        "before_init": "no init",
        "entries": repr(mm.store),
    }
    array = column.to_numpy()
    assert array.ctypes.data == pixels.ctypes.data
    mm.store["weights"] = np.arange(1000) / 4
    keys = np.arange(1_000_000) % 1000
    seconds, table = timed(mm.pipeline(WEIGHTED).run, {"k": keys})
    assert table["total"][0] == (keys / 4).sum()
    facts["workers"], facts["looked_up"] = "yes", f"{len(keys):,} rows in {seconds * 1000:.0f} ms"
    del column, array, pixels  # the store alone holds it
    held = resident()
    del mm.store["pixels"]
    facts["dropped"] = "at once" if held - resident() > size / 2 else "it stays"
    return facts


if __name__ == "__main__":
    side, size, *rest = sys.argv[1:]
    print(json.dumps({"go": go, "moonmill": moonmill}[side](int(size), *(rest or [None]))))
