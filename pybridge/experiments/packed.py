"""The Go library, called as the study calls one: ctypes, and arrays packed into one string of bytes.

A message is a word of 8 bytes with the number of arrays, a header of 8 bytes per array (kind in the lowest
byte, number of values above), then the values of each array, padded to 8 bytes. The library copies what
comes in; what goes out it copies into memory of C, which the caller copies once more and frees.
"""

import ctypes
import os

import numpy as np

KINDS = {"int32": 1, "float32": 2, "uint8": 3}
DTYPES = {number: np.dtype(name) for name, number in KINDS.items()}
FUNCTIONS = ["echo", "sum", "add_one", "make"]
WORD, MOST_ARRAYS, MOST_BYTES = 8, 255, 1 << 30


class PackedError(Exception):
    """What the library says in place of a result: a negative number, and no reason."""


def _padded(size):
    return (size + WORD - 1) // WORD * WORD


def allocate(*shapes):
    """An empty message for arrays of (dtype, length), and those arrays: what is written there is packed."""
    if not 1 <= len(shapes) <= MOST_ARRAYS:
        raise PackedError("a message has 1 to 255 arrays")
    sizes = [np.dtype(dtype).itemsize * length for dtype, length in shapes]
    size = WORD * (len(shapes) + 1) + sum(_padded(size) for size in sizes)
    if size > MOST_BYTES:
        raise PackedError("a message has at most 1 GiB")
    message = np.empty(size, np.uint8)
    headers = message[: WORD * (len(shapes) + 1)].view(np.uint64)
    headers[0] = len(shapes)
    arrays, at = [], headers.nbytes
    for i, (dtype, length) in enumerate(shapes):
        headers[i + 1] = length << 8 | KINDS[np.dtype(dtype).name]
        arrays.append(message[at : at + sizes[i]].view(dtype))
        at += _padded(sizes[i])
    return message, arrays


def pack(*arrays):
    """A message with copies of arrays."""
    message, places = allocate(*((array.dtype, len(array)) for array in arrays))
    for place, array in zip(places, arrays):
        place[:] = array
    return message


def unpack(message):
    """The arrays of a message, not copied."""
    words = np.frombuffer(message, np.uint64, int(np.frombuffer(message, np.uint64, 1)[0]) + 1)
    arrays, at = [], words.nbytes
    for header in words[1:].tolist():
        dtype, length = DTYPES[header & 255], header >> 8
        arrays.append(np.frombuffer(message, dtype, length, at))
        at += _padded(dtype.itemsize * length)
    return arrays


class Library:
    """The functions of the shared library at `path`."""

    def __init__(self, path):
        c = self.c = ctypes.CDLL(os.path.abspath(path))
        pointer, size = ctypes.c_void_p, ctypes.c_longlong
        c.Call.argtypes, c.Call.restype = (ctypes.c_int, pointer, size, ctypes.POINTER(pointer)), size
        c.Release.argtypes, c.Release.restype = (pointer,), None
        c.StepEnd.argtypes, c.StepEnd.restype = (ctypes.c_int,), size
        c.Heap.argtypes, c.Heap.restype = (), size
        c.MemoryInit.argtypes, c.MemoryInit.restype = (ctypes.c_int,), None
        c.MemoryPut.argtypes, c.MemoryPut.restype = (ctypes.c_int, pointer, size), size
        c.MemoryGet.argtypes, c.MemoryGet.restype = (ctypes.c_int, ctypes.POINTER(pointer)), size
        c.MemoryFree.argtypes, c.MemoryFree.restype = (ctypes.c_int,), size
        c.WorkStart.argtypes, c.WorkStart.restype = (pointer, size), size
        c.WorkProgress.argtypes, c.WorkProgress.restype = (), ctypes.c_double
        c.WorkResult.argtypes, c.WorkResult.restype = (), ctypes.c_double

    def reply_to(self, function, message):
        """Call a function; the address and the size of its reply, which is to be released."""
        reply = ctypes.c_void_p()
        size = self.c.Call(
            FUNCTIONS.index(function), message.ctypes.data, message.nbytes, ctypes.byref(reply)
        )
        if size < 0:
            raise PackedError(f"{function}: status {size}")
        return reply.value, size

    def call(self, function, message):
        """Call a function; its reply as a copy of Python's own."""
        address, size = self.reply_to(function, message)
        try:
            return ctypes.string_at(address, size)
        finally:
            self.c.Release(address)

    def put(self, slot, message):
        if self.c.MemoryPut(slot, message.ctypes.data, message.nbytes) < 0:
            raise PackedError("the global memory was not made, or has no such slot")

    def get(self, slot):
        reply = ctypes.c_void_p()
        size = self.c.MemoryGet(slot, ctypes.byref(reply))
        if size < 0:
            raise PackedError("the global memory was not made, or has no such slot")
        try:
            return ctypes.string_at(reply.value, size)
        finally:
            self.c.Release(reply.value)
