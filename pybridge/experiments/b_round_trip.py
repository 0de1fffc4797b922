"""Experiment B: how fast does an array go to the library and come back?

python b_round_trip.py SIDE SIZE [LIBRARY]   one round trip for each line that it reads; prints seconds

Sides: "go" (one copy in, one to memory of C, one back), "shared" (Moonmill: the result shows the array's
own memory), "copy" (Moonmill: the result shares nothing).
"""

import statistics
import sys
import time

import numpy as np
import packed

FILL = 41
SHORT, MANY = 0.002, 50


class Go:
    """From a packed message to an array over the reply: packing does not count."""

    def __init__(self, size, library):
        self.library = packed.Library(library)
        self.message, (pixels,) = packed.allocate((np.uint8, size))
        pixels[:] = FILL

    def trip(self):
        return packed.unpack(self.library.call("echo", self.message))[0]

    def check(self, array):
        return array[0] == array[-1] == FILL


class Moonmill:
    def __init__(self, size, _library, copy):
        import moonmill as mm

        self.pipeline = mm.pipeline('mm.pipeline { input = "u8" }')
        self.pixels, self.copy = np.full(size, FILL, np.uint8), copy

    def trip(self):
        return self.pipeline.run(self.pixels, copy=self.copy)["value"].to_numpy()

    def check(self, array):
        shares = array.ctypes.data == self.pixels.ctypes.data
        return shares != self.copy and len(array) == len(self.pixels) and array[0] == array[-1] == FILL


def timed(function):
    began = time.perf_counter()
    result = function()
    return time.perf_counter() - began, result


def main(side, size, library=None):
    size = int(size)
    traveller = Go(size, library) if side == "go" else Moonmill(size, library, copy=side == "copy")
    print("ready", flush=True)
    for _ in sys.stdin:
        seconds, array = timed(traveller.trip)
        if seconds < SHORT:  # too short for a clock: the mean of some
            seconds = statistics.mean(timed(traveller.trip)[0] for _ in range(MANY))
        if not traveller.check(array):
            sys.exit(f"b_round_trip: {side}: wrong result")
        del array
        print(seconds, flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
