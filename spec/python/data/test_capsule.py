"""Capsules misused, and whose thread releases what: nothing crashes or leaks or is released twice."""

import ctypes
import gc
import sys
import threading

import programs
import pytest

from moonmill import _core

Table = _core.Table
pytestmark = pytest.mark.usefixtures("no_leaks")
api = ctypes.pythonapi
api.PyCapsule_New.restype = ctypes.py_object
api.PyCapsule_New.argtypes = [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_void_p]
api.PyCapsule_GetPointer.restype = ctypes.c_void_p
api.PyCapsule_GetPointer.argtypes = [ctypes.py_object, ctypes.c_char_p]


class Schema(ctypes.Structure):
    pass


class Array(ctypes.Structure):
    pass


class Stream(ctypes.Structure):
    pass


RELEASE = ctypes.CFUNCTYPE(None, ctypes.c_void_p)  # called without the GIL
Schema._fields_ = (
    ("format", ctypes.c_char_p),
    ("name", ctypes.c_char_p),
    ("metadata", ctypes.c_void_p),
    ("flags", ctypes.c_int64),
    ("n_children", ctypes.c_int64),
    ("children", ctypes.POINTER(ctypes.POINTER(Schema))),
    ("dictionary", ctypes.POINTER(Schema)),
    ("release", ctypes.c_void_p),
    ("private_data", ctypes.c_void_p),
)
Array._fields_ = (
    ("length", ctypes.c_int64),
    ("null_count", ctypes.c_int64),
    ("offset", ctypes.c_int64),
    ("n_buffers", ctypes.c_int64),
    ("n_children", ctypes.c_int64),
    ("buffers", ctypes.POINTER(ctypes.c_void_p)),
    ("children", ctypes.POINTER(ctypes.POINTER(Array))),
    ("dictionary", ctypes.POINTER(Array)),
    ("release", ctypes.c_void_p),
    ("private_data", ctypes.c_void_p),
)
CALL = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p)
Stream._fields_ = (
    ("get_schema", ctypes.c_void_p),
    ("get_next", ctypes.c_void_p),
    ("get_last_error", ctypes.c_void_p),
    ("release", ctypes.c_void_p),
    ("private_data", ctypes.c_void_p),
)


def struct_of(capsule, kind, name):
    return kind.from_address(api.PyCapsule_GetPointer(capsule, name))


def make(rows=100):
    return Table.from_columns(["n", "s"], [list(range(rows)), [str(i) for i in range(rows)]])


class Exporter:
    """Gives what it was made with."""

    def __init__(self, stream=None, array=None):
        if stream is not None:
            self.__arrow_c_stream__ = lambda requested_schema=None: stream
        if array is not None:
            self.__arrow_c_array__ = lambda requested_schema=None: array


class Producer:
    """An array of three i32 by hand, which counts its releases and notes their threads."""

    def __init__(self, format=b"i", length=3, n_buffers=2, **fields):
        self.threads = []
        self.data = (ctypes.c_int32 * 3)(1, 2, 3)
        self.buffers = (ctypes.c_void_p * 2)(None, ctypes.addressof(self.data))

        def release_schema(pointer):
            Schema.from_address(pointer).release = None

        def release_array(pointer):
            Array.from_address(pointer).release = None
            self.threads.append(threading.get_ident())

        self.releases = RELEASE(release_schema), RELEASE(release_array)
        address = [ctypes.cast(release, ctypes.c_void_p).value for release in self.releases]
        self.schema = Schema(format=format, name=b"x", flags=2, release=address[0])
        self.array = Array(length=length, n_buffers=n_buffers, buffers=self.buffers, release=address[1])
        for name, value in fields.items():
            setattr(self.array, name, value)

    def capsules(self):
        return (
            api.PyCapsule_New(ctypes.addressof(self.schema), b"arrow_schema", None),
            api.PyCapsule_New(ctypes.addressof(self.array), b"arrow_array", None),
        )

    def exporter(self):
        return Exporter(array=self.capsules())


def test_capsules_may_be_dropped_unconsumed():
    t = make()
    for _ in range(3):
        t.__arrow_c_schema__()
        t.__arrow_c_array__()
        t.__arrow_c_stream__()
        t["n"].__arrow_c_schema__()
        t["n"].__arrow_c_array__()
        t["n"].__arrow_c_stream__()
    assert not t["n"].data().readonly


def test_capsules_are_consumed_once():
    t = make()
    stream, array = t.__arrow_c_stream__(), t.__arrow_c_array__()
    assert (
        len(Table.from_arrow(Exporter(stream=stream))) == len(Table.from_arrow(Exporter(array=array))) == 100
    )
    for used in (Exporter(stream=stream), Exporter(array=array)):
        for _ in range(2):
            with pytest.raises(ValueError, match=r"released"):
                Table.from_arrow(used)
            with pytest.raises(ValueError, match=r'"x".*released'):
                Table.from_columns(["x"], [used])


def test_released_structs_are_refused():
    t = make()
    schema, array = t.__arrow_c_array__()
    RELEASE(struct_of(array, Array, b"arrow_array").release)(api.PyCapsule_GetPointer(array, b"arrow_array"))
    with pytest.raises(ValueError, match=r"array is released"):
        Table.from_arrow(Exporter(array=(schema, array)))
    schema, array = t.__arrow_c_array__()
    RELEASE(struct_of(schema, Schema, b"arrow_schema").release)(
        api.PyCapsule_GetPointer(schema, b"arrow_schema")
    )
    with pytest.raises(ValueError, match=r"schema is released"):
        Table.from_arrow(Exporter(array=(schema, array)))


def test_objects_that_are_no_capsules_and_capsules_of_other_names_are_refused():
    t = make()
    schema, array = t.__arrow_c_array__()
    for given in ((array, schema), (1, 2), (schema, t.__arrow_c_stream__())):
        with pytest.raises(ValueError, match=r'capsule named "arrow'):
            Table.from_arrow(Exporter(array=given))
    for given in (schema, 7, (schema,), None, (schema, array, array)):
        with pytest.raises((TypeError, ValueError)):
            Table.from_arrow(Exporter(array=given if given is not None else ()))
    for given in (schema, 7, (1, 2)):
        with pytest.raises(ValueError, match=r"arrow_array_stream"):
            Table.from_arrow(Exporter(stream=given))
    for nothing in (1, "text", object(), Table, [1, 2]):
        with pytest.raises(TypeError, match=r"neither"):
            Table.from_arrow(nothing)


def test_what_exporters_raise_goes_through():
    class Broken:
        def __arrow_c_stream__(self, requested_schema=None):
            raise KeyError("no stream today")

    with pytest.raises(KeyError, match=r"no stream today"):
        Table.from_arrow(Broken())
    with pytest.raises(KeyError):
        Table.from_columns(["x"], [Broken()])


def test_a_requested_schema_must_be_a_capsule():
    t = make()
    assert t.__arrow_c_stream__(t.__arrow_c_schema__()) and t["n"].__arrow_c_array__(requested_schema=None)
    for bad in (1, t.__arrow_c_stream__()):
        with pytest.raises(TypeError, match=r"requested_schema"):
            t.__arrow_c_stream__(bad)


def test_arrays_are_released_once_with_the_last_that_shows_them():
    producer = Producer()
    t = Table.from_arrow(producer.exporter())
    assert t["value"].to_pylist() == [1, 2, 3] and t.copied_bytes == 0
    part, buffer = t.slice(1, 2), t["value"].data()
    assert buffer.address == ctypes.addressof(producer.data)
    del t, part
    assert producer.threads == [] and memoryview(buffer)[1] == 2
    del buffer
    assert producer.threads == [threading.get_ident()]


@pytest.mark.parametrize(
    ("fields", "what"),
    [
        ({"length": -1}, "rows"),
        ({"length": 1 << 62}, "rows"),
        ({"offset": -5}, "offset"),
        ({"n_buffers": 1}, "buffers"),
        ({"n_buffers": 3}, "buffers"),
        ({"n_buffers": 2, "null_count": 2}, "validity"),
        ({"format": b"+l", "n_children": 1}, "children"),
        ({"format": b"u", "n_buffers": 3}, "buffer"),
        ({"format": b"i", "buffers": ctypes.POINTER(ctypes.c_void_p)()}, "buffers"),
    ],
)
def test_arrays_that_make_no_sense_are_refused_and_released_once(fields, what):
    third = (ctypes.c_void_p * 3)()
    if fields.get("n_buffers") == 3:
        fields = {**fields, "buffers": third}
    producer = Producer(**fields)
    with pytest.raises(ValueError, match=what):
        Table.from_arrow(producer.exporter())
    assert len(producer.threads) == 1


def test_unaligned_buffers_are_copied():
    producer = Producer()
    raw = (ctypes.c_char * 13)()
    ctypes.memmove(ctypes.addressof(raw) + 1, producer.data, 12)
    producer.buffers[1] = ctypes.addressof(raw) + 1
    t = Table.from_arrow(producer.exporter())
    assert t["value"].to_pylist() == [1, 2, 3] and t.copied_bytes == 12


def stream_of(producer, schema_error=0, next_error=0, message=None, batches=2):
    def get_schema(stream, to):
        ctypes.memmove(to, ctypes.addressof(producer.schema), ctypes.sizeof(Schema))
        return schema_error

    def get_next(stream, to):
        if producer.left == 0:
            Array.from_address(to).release = None
            return next_error
        producer.left -= 1
        ctypes.memmove(to, ctypes.addressof(producer.array), ctypes.sizeof(Array))
        return 0

    def release(stream):
        Stream.from_address(stream).release = None
        producer.closed += 1

    producer.left, producer.closed = batches, 0
    text = ctypes.create_string_buffer(message) if message else None
    last = ctypes.CFUNCTYPE(ctypes.c_void_p, ctypes.c_void_p)(
        lambda stream: ctypes.addressof(text) if text else None
    )
    producer.kept = CALL(get_schema), CALL(get_next), last, RELEASE(release), text
    producer.stream = Stream(
        *(ctypes.cast(function, ctypes.c_void_p).value for function in producer.kept[:4])
    )
    return Exporter(stream=api.PyCapsule_New(ctypes.addressof(producer.stream), b"arrow_array_stream", None))


def test_streams_are_read_to_their_end_and_closed():
    producer = Producer()
    t = Table.from_arrow(stream_of(producer))
    assert t["value"].to_pylist() == [1, 2, 3] * 2 and t["value"].chunks == 2 and producer.closed == 1
    del t
    assert len(producer.threads) == 2


def test_streams_that_fail_say_why_and_are_closed():
    for options, error, what in (
        ({"next_error": 22, "message": b"disk on fire"}, ValueError, "disk on fire"),
        ({"next_error": 5}, OSError, "Input/output error"),
        ({"next_error": 12}, MemoryError, "Cannot allocate"),
        ({"schema_error": 22, "message": b"no schema"}, ValueError, "no schema"),
    ):
        producer = Producer()
        with pytest.raises(error, match=what):
            Table.from_arrow(stream_of(producer, **options))
        assert producer.closed == 1 and len(producer.threads) == (0 if "schema_error" in options else 2)


def test_other_threads_release_what_we_export_without_the_gil():
    data = bytearray(b"abc")
    t = Table.from_columns(["x"], [data])
    _, array = t.__arrow_c_array__()
    struct = struct_of(array, Array, b"arrow_array")
    moved = Array.from_buffer_copy(struct)
    release = RELEASE(moved.release)
    struct.release = None
    del t
    with pytest.raises(BufferError):
        data.append(1)
    thread = threading.Thread(target=release, args=(ctypes.addressof(moved),))
    thread.start()
    thread.join()
    assert not moved.release
    for _ in range(10_000):  # the interpreter runs what is pending
        pass
    data.append(1)


def test_children_may_be_moved_out_of_what_we_export():
    t = make()
    _, array = t.__arrow_c_array__()
    struct = struct_of(array, Array, b"arrow_array")
    child = Array.from_buffer_copy(struct.children[0].contents)
    struct.children[0].contents.release = None
    RELEASE(struct.release)(ctypes.addressof(struct))
    expected = t["n"].data().address
    del t
    assert child.buffers[1] == expected and ctypes.c_int64.from_address(expected + 8).value == 1
    RELEASE(child.release)(ctypes.addressof(child))
    assert not child.release


def test_foreign_arrays_dropped_by_threads_without_the_gil_are_released_with_it():
    producers = [Producer() for _ in range(50)]
    capsules = [Table.from_arrow(producer.exporter()).__arrow_c_array__() for producer in producers]
    moved = []
    for _, array in capsules:
        struct = struct_of(array, Array, b"arrow_array")
        moved.append((Array.from_buffer_copy(struct), RELEASE(struct.release)))
        struct.release = None
    threads = [
        threading.Thread(
            target=lambda part: [release(ctypes.addressof(a)) for a, release in part], args=(moved[i::4],)
        )
        for i in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert _core.live()["owners"] >= 0
    assert [len(producer.threads) for producer in producers] == [1] * 50


def test_releasing_may_run_python_code_that_uses_the_extension():
    class Nested(bytearray):
        def __del__(self):
            found.append(make(3)["n"].to_pylist())

    found = []
    t = Table.from_columns(["x"], [Nested(b"abc")])
    del t
    gc.collect()
    assert found == [[0, 1, 2]]


def test_counts_of_references_stay_the_same():
    t = make()
    kinds = [type(t), type(t["n"]), type(t["n"].data())]
    before = [sys.getrefcount(kind) for kind in kinds]
    for _ in range(200):
        t.__arrow_c_stream__()
        make(2)["n"].data()
        with pytest.raises(KeyError):
            t["zzz"]
        with pytest.raises(TypeError):
            Table.from_arrow(1)
    gc.collect()
    assert [sys.getrefcount(kind) for kind in kinds] == before


def test_many_threads_use_one_table():
    t = Table.concat([make(1000), make(1000)])
    failures = []

    def work():
        try:
            for _ in range(100):
                assert Table.from_arrow(t)["n"][1500] == 500
                assert len(Table.from_arrow(Exporter(stream=t.__arrow_c_stream__()))) == 2000
                assert t["n"].data().nbytes == 16000
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []


def test_other_interpreters_are_refused():
    done = programs.run(
        """
try:
    import _interpreters as interpreters
except ImportError:
    import _xxsubinterpreters as interpreters
inner = f'''import sys; sys.path.insert(0, {sys.path[0]!r})
try:
    import moonmill._core
except ImportError as error:
    print("refused:", error, flush=True)
'''
interpreters.run_string(interpreters.create(), inner)
import moonmill._core
print("here:", moonmill._core.version())
"""
    )
    assert done.returncode == 0 and "refused:" in done.stdout and "here:" in done.stdout, done


def test_what_others_hold_at_exit_does_no_harm():
    done = programs.run(
        """
import threading
from moonmill import _core
import pyarrow as pa
kept = [pa.table(_core.Table.from_columns(["x"], [bytearray(1000)])) for _ in range(50)]
views = [memoryview(_core.Table.from_columns(["x"], [[1, 2]])["x"].data()) for _ in range(50)]
threading.Thread(target=lambda: [kept.pop() for _ in range(25)]).start()
print("end")
"""
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "end\n", "") or "pyarrow" in done.stderr, done
