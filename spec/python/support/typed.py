"""Modules of typed functions, for specs."""

import textwrap

import numpy as np

import moonmill as mm

TYPES = {
    "i8": np.int8,
    "i16": np.int16,
    "i32": np.int32,
    "i64": np.int64,
    "u8": np.uint8,
    "u16": np.uint16,
    "u32": np.uint32,
    "u64": np.uint64,
    "f32": np.float32,
    "f64": np.float64,
}


def module(entries, head=""):
    return mm.module(f"{head}\nreturn mm.module {{\n{textwrap.dedent(entries)}\n}}", name="spec.lua")


def identity(type_):
    return module(f"id = mm.fn('a: {type_} -> {type_.removeprefix('exact ')}', function(a) return a end)").id
