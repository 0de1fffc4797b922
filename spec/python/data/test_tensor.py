"""Tensors of DLPack as data: objects that have nothing else."""

import array
import ctypes
import gc
import types

import pytest

import moonmill as mm
from moonmill import _core

np = pytest.importorskip("numpy")

PASS = mm.pipeline("mm.pipeline {}")
DOUBLE = mm.pipeline(':derive "value = value * 2"')
FLAG_READ_ONLY = 1


class Tensor:
    """An array behind its DLPack alone."""

    __module__ = "tensors"

    def __init__(self, values):
        self.values = np.asarray(values)
        self.shape = self.values.shape

    def __dlpack__(self, *, stream=None, max_version=None, dl_device=None, copy=None):
        return self.values.__dlpack__(max_version=max_version)

    def __dlpack_device__(self):
        return self.values.__dlpack_device__()


class Old(Tensor):
    """One from before version 1.0."""

    def __dlpack__(self, stream=None):
        return self.values.__dlpack__()


@pytest.mark.parametrize("make", [Tensor, Old])
def test_a_tensor_is_a_column_and_shares_its_memory(make, no_leaks):
    values = np.arange(100_000.0)
    table = PASS.run(make(values))
    assert np.shares_memory(table["value"].to_numpy(), values)
    assert (table.types, table.stats.copied_bytes) == (["f64"], 0)
    assert DOUBLE.run({"value": make(values), "n": np.arange(100_000)})["value"][7] == 14.0
    del table


@pytest.mark.parametrize("name", ["i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "f4", "f8", "?"])
def test_every_type_of_ours_is_taken(name):
    values = np.array([0, 1, 1, 0], dtype=name)
    assert PASS.run(Tensor(values))["value"].to_numpy().tolist() == values.tolist()


@pytest.mark.parametrize(("name", "called"), [("f2", "float16"), ("c8", "complex64"), ("c16", "complex128")])
def test_other_types_are_refused_with_the_column(name, called):
    with pytest.raises(mm.UsageError, match=rf'column "x": a tensor of {called} has no type here'):
        PASS.run({"x": Tensor(np.zeros(3, dtype=name))})


@pytest.mark.parametrize(
    ("fields", "called"),
    [
        ({"code": 4, "bits": 16}, "bfloat16"),
        ({"lanes": 4}, "float64x4"),
        ({"code": 12, "bits": 8}, "DLPack's type 12 of 8 bits"),
    ],
)
def test_types_of_tensors_alone_are_refused_by_their_names(fields, called):
    with pytest.raises(mm.KindError, match=f"a tensor of {called}"):
        PASS.run(Producer(**fields))


def test_strides_and_shapes_are_followed(rng):
    values = np.arange(720.0).reshape(6, 8, 15)
    for _ in range(30):
        view = values
        for _axis in range(3):
            step = rng.choice([1, 2, 3, -1, -2])
            view = np.moveaxis(view[::step], 0, 2) if rng.random() < 0.7 else view
        table = PASS.run(Tensor(view))
        assert table["value"].to_pylist() == view.reshape(-1).tolist()
    assert PASS.run(Tensor(values[:, :0]))["value"].to_pylist() == []
    assert PASS.run(Tensor(np.float64(3.5)))["value"].to_pylist() == [3.5]


def test_an_answer_is_of_the_same_library(monkeypatch):
    module = types.ModuleType("tensors")
    module.from_dlpack = lambda given: Tensor(np.from_dlpack(given))
    Tensor.reshape = lambda self, shape: Tensor(self.values.reshape(shape))
    monkeypatch.setitem(__import__("sys").modules, "tensors", module)
    answer = DOUBLE(Tensor(np.arange(6.0).reshape(2, 3)))
    assert isinstance(answer, Tensor)
    assert answer.values.tolist() == [[0, 2, 4], [6, 8, 10]]
    assert isinstance(mm.pipeline(':derive "b = value > 1"')(Tensor([1, 2])), mm.Table)
    monkeypatch.delitem(__import__("sys").modules, "tensors")
    assert isinstance(DOUBLE(Tensor([1.0])), mm.Table)


def test_an_answer_is_of_the_library_also_where_tensors_are_buffers_and_of_classes_of_others(monkeypatch):
    class Base(ctypes.c_double * 3):
        """Like an array of jax: a buffer with DLPack, of a class that inherits from that of the library."""

        def __dlpack__(self, **options):
            return np.frombuffer(self).__dlpack__(**options)

        def __dlpack_device__(self):
            return 1, 0

    library = types.ModuleType("arrays")
    library.dlpack = types.SimpleNamespace(from_dlpack=lambda given: Base(*np.from_dlpack(given)))
    monkeypatch.setitem(__import__("sys").modules, "arrays", library)
    assert isinstance(DOUBLE(Base(1, 2, 3)), memoryview)
    Base.__module__ = "arrays.inside"
    made = type("Own", (Base,), {"__module__": "elsewhere"})(1, 2, 3)
    answer = DOUBLE(made)
    assert (type(answer), list(answer)) == (Base, [2.0, 4.0, 6.0])
    assert PASS.run(made).stats.copied_bytes == 0


def test_typed_functions_and_out_take_tensors(no_leaks):
    module = mm.module(
        'return mm.module { total = mm.fn("v: f64[] -> f64", function(v) local s = 0 '
        "for i = 0, #v - 1 do s = s + v[i] end return s end) }"
    )
    values = np.arange(4.0)
    assert module.total(Tensor(values)) == 6.0
    DOUBLE.run(values, out=Tensor(values))
    assert values.tolist() == [0, 2, 4, 6]
    del module
    frozen = values.copy()
    frozen.flags.writeable = False
    with pytest.raises(mm.UsageError, match="read-only"):
        DOUBLE.run(values, out=Tensor(frozen))
    assert PASS.run(Tensor(frozen))["value"].to_pylist() == [0, 2, 4, 6]


# ---- Capsules made by hand ----


class DLTensor(ctypes.Structure):
    _fields_ = [
        ("data", ctypes.c_void_p),
        ("device", ctypes.c_int32 * 2),
        ("ndim", ctypes.c_int32),
        ("code", ctypes.c_uint8),
        ("bits", ctypes.c_uint8),
        ("lanes", ctypes.c_uint16),
        ("shape", ctypes.POINTER(ctypes.c_int64)),
        ("strides", ctypes.POINTER(ctypes.c_int64)),
        ("byte_offset", ctypes.c_uint64),
    ]


DELETER = ctypes.CFUNCTYPE(None, ctypes.c_void_p)


class Legacy(ctypes.Structure):
    _fields_ = [("tensor", DLTensor), ("context", ctypes.c_void_p), ("deleter", DELETER)]


class Versioned(ctypes.Structure):
    _fields_ = [
        ("version", ctypes.c_uint32 * 2),
        ("context", ctypes.c_void_p),
        ("deleter", DELETER),
        ("flags", ctypes.c_uint64),
        ("tensor", DLTensor),
    ]


new_capsule = ctypes.pythonapi.PyCapsule_New
new_capsule.restype, new_capsule.argtypes = (
    ctypes.py_object,
    [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_void_p],
)


class Producer:
    """Makes one capsule, and counts how often it gets it back."""

    def __init__(
        self, versioned=True, device=(1, 0), told=None, version=(1, 0), flags=0, name=None, **fields
    ):
        self.told = told or device
        self.deleted = 0
        self.values = (ctypes.c_double * 4)(1, 2, 3, 4)
        self.shape = (ctypes.c_int64 * 1)(4)
        self.name = name or (b"dltensor_versioned" if versioned else b"dltensor")
        self.deleter = DELETER(self.delete)
        self.managed = (Versioned if versioned else Legacy)(deleter=self.deleter)
        if versioned:
            self.managed.version[:] = version
            self.managed.flags = flags
        tensor = self.managed.tensor
        tensor.data, tensor.ndim, tensor.code, tensor.bits, tensor.lanes = (
            ctypes.addressof(self.values),
            1,
            2,
            64,
            1,
        )
        tensor.device[:] = device
        tensor.shape = self.shape
        for key, value in fields.items():
            setattr(tensor, key, value)

    def delete(self, _):
        self.deleted += 1

    def __dlpack_device__(self):
        return self.told

    def __dlpack__(self, **options):
        return new_capsule(ctypes.addressof(self.managed), self.name, None)


@pytest.mark.parametrize("versioned", [True, False])
def test_a_tensor_is_given_back_once_when_the_last_view_goes(versioned, no_leaks):
    producer = Producer(versioned)
    table = PASS.run(producer)
    held = table["value"].to_numpy()
    del table
    gc.collect()
    assert (producer.deleted, held.tolist()) == (0, [1, 2, 3, 4])
    del held
    gc.collect()
    _core.live()
    assert producer.deleted == 1


def test_a_tensor_that_was_copied_is_given_back_at_once():
    producer = Producer(strides=(ctypes.c_int64 * 1)(1), byte_offset=0)
    assert PASS.run(producer, copy=True)["value"].to_pylist() == [1, 2, 3, 4]
    _core.live()
    assert producer.deleted == 1


def test_byte_offsets_and_strides_count():
    strided = Producer(byte_offset=8, shape=(ctypes.c_int64 * 1)(2), strides=(ctypes.c_int64 * 1)(2))
    assert PASS.run(strided)["value"].to_pylist() == [2, 4]
    shifted = Producer(byte_offset=4, shape=(ctypes.c_int64 * 1)(3))
    assert len(PASS.run(shifted)) == 3


@pytest.mark.parametrize(
    ("device", "words"),
    [
        ((2, 1), r"CUDA \(2, 1\)"),
        ((8, 0), "Metal"),
        ((10, 0), "ROCm"),
        ((13, 0), "managed"),
        ((99, 0), "unknown"),
    ],
)
def test_other_devices_are_refused_by_name(device, words):
    for producer in (Producer(device=device), Producer(device=device, told=(1, 0)), Producer(told=device)):
        with pytest.raises(mm.UsageError, match=f'column "x": .*{words}.*not in main memory') as caught:
            PASS.run({"x": producer})
        assert "cpu()" in caught.value.hint
        assert producer.deleted == (producer.told == (1, 0))
    assert PASS.run(Producer(device=(3, 0)))["value"][0] == 1.0


@pytest.mark.parametrize(
    ("options", "kind", "words", "deleted"),
    [
        ({"version": (2, 0)}, mm.UsageError, "DLPack 2.0", 1),
        ({"name": b"used_dltensor"}, BufferError, "no capsule of a tensor", 0),
        ({"name": b"arrow_array"}, BufferError, "no capsule of a tensor", 0),
        ({"lanes": 2}, mm.UsageError, "no type here", 1),
        ({"bits": 24}, mm.UsageError, "no type here", 1),
        ({"code": 4, "bits": 16}, mm.UsageError, "no type here", 1),
        ({"ndim": -1}, BufferError, "no shape", 1),
        ({"ndim": 65}, BufferError, "no shape", 1),
        ({"shape": (ctypes.c_int64 * 1)(-4)}, BufferError, "no shape", 1),
        ({"shape": (ctypes.c_int64 * 1)(1 << 62)}, BufferError, "no shape", 1),
        ({"shape": None}, BufferError, "no shape", 1),
        ({"data": None}, BufferError, "no memory", 1),
    ],
)
def test_hostile_tensors_are_refused_and_given_back(options, kind, words, deleted, no_leaks):
    producer = Producer(**options)
    with pytest.raises(kind, match=words):
        PASS.run({"x": producer})
    assert producer.deleted == deleted


def test_a_tensor_that_raises_is_told_as_it_is(no_leaks):
    class Raises(Tensor):
        def __dlpack__(self, **options):
            raise BufferError("it requires grad")

    class Nowhere(Tensor):
        def __dlpack_device__(self):
            return "here"

    with pytest.raises(BufferError, match="requires grad"):
        PASS.run(Raises([1.0]))
    with pytest.raises(TypeError):
        PASS.run(Nowhere([1.0]))
    with pytest.raises(mm.UsageError, match="cannot be a column"):
        PASS.run({"x": Tensor})


def test_buffers_come_before_tensors():
    class Both(array.array):
        def __dlpack__(self, **options):
            raise AssertionError

    assert PASS.run(Both("d", [1.0, 2.0]))["value"].to_pylist() == [1.0, 2.0]


def test_read_only_tensors_are_inputs_only():
    producer = Producer(flags=FLAG_READ_ONLY)
    assert PASS.run(producer)["value"].to_numpy().flags.writeable is False
    with pytest.raises(mm.UsageError, match="read-only"):
        DOUBLE.run(np.zeros(4), out=Producer(flags=FLAG_READ_ONLY))
