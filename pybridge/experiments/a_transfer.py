"""Experiment A: how much memory does it take to hand an array over, and to get one back?

python a_transfer.py SIDE CASE SIZE [LIBRARY]   one transfer, told as lines of JSON (see witness.py)

Cases: "in" (the library adds all bytes up), "out" (the library makes an array), "new" (one is added to
every byte, a new array comes back), "place" (the same in the caller's own array; only Moonmill can).
"""

import ctypes
import os
import sys

import numpy as np
import packed
from witness import Witness

FILL = 41
ADD_ONE = 'mm.pipeline { input = "u8" } :derive { "value = wrap.u8(value + 1)" }'
SUM = 'mm.pipeline { input = "u8" } :group({}, "total = sum(value)")'


class Go:
    """The study's way. The data is made in packed form: to pack an array that exists is one copy more."""

    def __init__(self, library):
        self.library = packed.Library(library)

    def do_in(self, witness, size):
        message, (pixels,) = packed.allocate((np.uint8, size))
        pixels[:] = FILL
        total = packed.unpack(self.library.call("sum", message))[0].view(np.uint64)[0]
        witness.end()
        return total == FILL * size

    def do_out(self, witness, size):
        message, (length,) = packed.allocate((np.int32, 1))
        length[:] = size
        (array,) = packed.unpack(self.library.call("make", message))
        witness.end()
        return len(array) == size and array[-1] == (size - 1) % 251 + 1

    def do_new(self, witness, size):
        library = self.library
        message, (pixels,) = packed.allocate((np.uint8, size))
        pixels[:] = FILL
        witness.step("Python makes the array, packed as a message", python={"message": size})
        witness.step("The call passes a pointer", python={"message": size})
        address, reply_size = library.reply_to("add_one", message)
        copied_in, worked, copied_out = (library.c.StepEnd(i) / 1e9 for i in range(3))
        witness.step(
            "Go copies the message in", copied_in, python={"message": size}, library={"Go’s copy": size}
        )
        witness.step(
            "Go adds one, in its copy", worked, python={"message": size}, library={"Go’s copy": size}
        )
        witness.step(
            "Go copies the reply into memory of C", copied_out,
            python={"message": size}, library={"Go’s copy": size, "C’s copy": size},
        )  # fmt: skip
        reply = ctypes.string_at(address, reply_size)
        witness.step(
            "Python copies the reply",
            python={"message": size, "reply": size}, library={"Go’s copy": size, "C’s copy": size},
        )  # fmt: skip
        library.c.Release(address)
        garbage = size if library.c.Heap() > size / 2 else 0
        left = {"Go’s garbage": size} if garbage else {}
        witness.step("Python tells C to free its copy", python={"message": size, "reply": size}, library=left)
        (array,) = packed.unpack(reply)
        del message, pixels
        witness.step(
            "Python drops the message; Go’s copy waits to be collected", python={"reply": size}, library=left
        )
        witness.end()
        return array[0] == array[-1] == FILL + 1


class Moonmill:
    """Arrays are lent for the length of a run; results own their memory."""

    def __init__(self, _library):
        import moonmill as mm

        self.mm = mm
        self.add_one, self.sum = mm.pipeline(ADD_ONE), mm.pipeline(SUM)
        few = np.full(10, FILL, np.uint8)  # what is loaded once does not count
        self.add_one(few), self.sum.run(few)

    def do_in(self, witness, size):
        pixels = np.full(size, FILL, np.uint8)
        total = self.sum.run(pixels)["total"][0]
        witness.end()
        return total == FILL * size

    def do_out(self, witness, size):
        make = self.mm.load(os.path.join(os.path.dirname(__file__), "make.lua")).make
        array = np.asarray(make(size))
        witness.end()
        return len(array) == size and array[-1] == (size - 1) % 251 + 1

    def do_new(self, witness, size):
        array = self._add(witness, size, {"new array": size}, in_place=False)
        return array[0] == array[-1] == FILL + 1

    def do_place(self, witness, size):
        array = self._add(witness, size, {}, in_place=True)
        return array[0] == array[-1] == FILL + 1

    def _add(self, witness, size, result, in_place):
        pixels = np.full(size, FILL, np.uint8)
        held, lent = {"pixels": size}, {"lent": 0}
        witness.step("Python makes the array", python=held)
        table = self.mm.Table.from_columns(["value"], [pixels])
        witness.step("The array is lent: a table shows it", python=held, library=lent)
        job = self.add_one.submit(table, out=pixels if in_place else None)
        while not job.done() and (job.progress.fraction or 0) < 0.5:
            job.wait(0.001)
        half = dict.fromkeys(result, size // 2)
        witness.step("Workers add one; half is done", python=held, library=lent | half)
        done = job.result()
        witness.step("The work is done", python=held, library=lent | result)
        array = done["value"].to_numpy()
        witness.step("Numpy shows the result", python=held | {"array": 0}, library=lent | result)
        del job, table
        witness.step("The table and the job are dropped", python=held | {"array": 0}, library=result)
        del done
        if in_place:
            witness.step("The result is dropped", python=held | {"array": 0})
            witness.step("Python has its array, changed", python=held)
        else:
            witness.step(
                "The result is dropped, its memory stays with the array", python=held | {"array": size}
            )
            del pixels
            witness.step("Python drops the input", python={"array": size})
        witness.end()
        return array


def main(side, case, size, library=None):
    program = {"go": Go, "moonmill": Moonmill}[side](library)
    if not getattr(program, f"do_{case}")(Witness(), int(size)):
        sys.exit(f"a_transfer: {side} {case}: wrong result")


if __name__ == "__main__":
    main(*sys.argv[1:])
