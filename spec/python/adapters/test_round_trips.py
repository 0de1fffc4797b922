"""Random tables of all types in through every door and out through every door: values stay what they were."""

import datetime
import math
import struct
from itertools import pairwise

import pytest

import moonmill as mm

np, pa, pl, pd = (pytest.importorskip(name) for name in ("numpy", "pyarrow", "polars", "pandas"))
pytestmark = pytest.mark.usefixtures("no_leaks")

INTEGERS = {"i8": "int8", "i16": "int16", "i32": "int32", "i64": "int64"}
INTEGERS |= {"u" + name[1:]: "u" + dtype for name, dtype in INTEGERS.items()}
FLOATS = {"f32": "float32", "f64": "float64"}
UNITS = {"s": 1_000_000, "ms": 1000, "us": 1, "ns": 1}
EPOCH = datetime.datetime(1970, 1, 1)
MARK = "kept"
"""A column that some pipelines look at."""


def arrow_type(name):
    if name.startswith(("timestamp", "duration")):
        kind, _, unit = name.rpartition("_")
        return getattr(pa, kind)(unit)
    plain = {"bool": "bool_", "utf8": "string", "binary": "binary", "date": "date32"}
    return getattr(pa, plain.get(name) or INTEGERS.get(name) or FLOATS[name])()


def dtype_of(name):
    if name.startswith(("timestamp", "duration")):
        return f"{'M' if name[0] == 't' else 'm'}8[{name.rpartition('_')[2]}]"
    return {"bool": "bool", "date": "M8[D]"}.get(name) or INTEGERS.get(name) or FLOATS.get(name)


# ---- Values ----


def value_of(name, rng):
    if name in INTEGERS:
        bits = int(name[1:])
        low = -(1 << bits - 1) if name[0] == "i" else 0
        return rng.choice([low, low + (1 << bits) - 1, 0, rng.randrange(low, low + (1 << bits))])
    if name in FLOATS:
        value = rng.choice([rng.uniform(-1e30, 1e30), 0.0, -0.0, math.inf, -math.inf, math.nan, 1.5])
        return value if name == "f64" else struct.unpack("f", struct.pack("f", value))[0]
    if name == "bool":
        return rng.random() < 0.5
    if name == "utf8":
        return "".join(rng.choices("aöß漢🙂 \0\n", k=rng.choice([0, 1, 5, 12, 13, 30])))
    if name == "binary":
        return rng.randbytes(rng.choice([0, 1, 12, 13, 30]))
    if name == "date":
        return datetime.date(1970, 1, 1) + datetime.timedelta(days=rng.randrange(-300_000, 300_000))
    unit = UNITS[name.rpartition("_")[2]]
    span = datetime.timedelta(microseconds=rng.randrange(-(2**50) // unit, 2**50 // unit) * unit)
    return EPOCH + span if name.startswith("timestamp") else span


TYPES = [*INTEGERS, *FLOATS, "bool", "utf8", "binary", "date"]
TYPES += [f"{kind}_{unit}" for kind in ("timestamp", "duration") for unit in UNITS]


def random_values(rng):
    rows = rng.choice([0, 1, 7, 63, 64, 65, 200, 1030])
    values = {MARK: [rng.random() < 0.7 for _ in range(rows)]}
    for name in rng.sample(TYPES, rng.randrange(1, len(TYPES) + 1)):
        share = rng.choice([0, 0, 0.2, 1])
        values[name] = [None if rng.random() < share else value_of(name, rng) for _ in range(rows)]
    return values


def plain(value):
    """A value of any library as one of Python that equals only what is the same."""
    if value is None or value is pd.NA or value is pd.NaT or value is np.ma.masked:
        return None
    if isinstance(value, (pd.Timestamp, pd.Timedelta)):
        return value.to_pydatetime() if isinstance(value, pd.Timestamp) else value.to_pytimedelta()
    if isinstance(value, (np.datetime64, np.timedelta64)):
        if np.isnat(value):
            return None
        day = np.datetime_data(value)[0] == "D"
        return value.item() if day else value.astype(f"{value.dtype.kind}8[us]").item()
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float):
        return "nan" if value != value else (value, math.copysign(1, value))
    return value


def loosely(value):
    """NaN of pandas and numpy is null, and pandas has no dates."""
    if isinstance(value, datetime.date) and not isinstance(value, datetime.datetime):
        return datetime.datetime.combine(value, datetime.time())
    return None if value == "nan" else value


def alike(columns, loose=False):
    return {
        name: [loosely(v) if loose else v for v in map(plain, values)] for name, values in columns.items()
    }


# ---- In ----


def padded(values, name, rng):
    """Values among others; and where they begin."""
    before, after = rng.randrange(70), rng.randrange(3)
    junk = [value_of(name, rng) if rng.random() < 0.8 else None for _ in range(before + after)]
    return [*junk[:before], *values, *junk[before:]], before


def cuts(rows, rng):
    return sorted([0, rows, *(rng.randrange(rows + 1) for _ in range(rng.randrange(4)))])


TEXTS = [pa.string(), pa.large_string(), pa.string_view(), "dictionary"]


def arrow_column(name, values, rng, text=TEXTS):
    kind = "bool" if name == MARK else name
    given, start = padded(values, kind, rng)
    whole = pa.array(given, arrow_type(kind))
    if kind == "utf8":
        chosen = rng.choice(text)
        whole = whole.dictionary_encode() if chosen == "dictionary" else whole.cast(chosen)
    whole = whole.slice(start, len(values))
    places = cuts(len(values), rng)
    return pa.chunked_array([whole.slice(a, b - a) for a, b in pairwise(places)], type=whole.type)


def as_arrow(values, rng):
    return pa.table({name: arrow_column(name, column, rng) for name, column in values.items()})


def as_batch(values, rng):
    columns = {name: arrow_column(name, column, rng) for name, column in values.items()}
    return pa.record_batch({name: column.combine_chunks() for name, column in columns.items()})


def as_pieces(values, rng):
    table = as_arrow(values, rng)
    places = cuts(table.num_rows, rng)
    return iter([table.slice(a, b - a) for a, b in pairwise(places)])


def as_polars(values, rng):
    columns = {name: arrow_column(name, column, rng, (pa.string(),)) for name, column in values.items()}
    frame = pl.from_arrow(pa.table(columns), rechunk=False)
    places = cuts(len(frame), rng)
    return pl.concat([frame.slice(a, b - a) for a, b in pairwise(places)], rechunk=rng.random() < 0.3)


def as_pandas(values, rng):
    frame = {}
    for name, column in values.items():
        kind = "bool" if name == MARK else name
        given, start = padded(column, kind, rng)
        arrow = pa.array(given, arrow_type(kind))
        if kind in INTEGERS and rng.random() < 0.5:
            made = pd.array(given, dtype=kind.replace("i", "Int").replace("u", "UInt"))
        elif kind in FLOATS or (dtype_of(kind) or "").startswith(("M8[n", "m8[n")):
            made = arrow.to_numpy(zero_copy_only=False)
        else:
            made = pd.array(arrow, dtype=pd.ArrowDtype(arrow.type))
        frame[name] = pd.Series(made).iloc[start : start + len(column)].reset_index(drop=True)
    return pd.DataFrame(frame)


def as_numpy(values, rng):
    data = {}
    for name, column in values.items():
        kind = "bool" if name == MARK else name
        dtype = dtype_of(kind)
        if dtype is None:
            data[name] = column
            continue
        missing = np.array([value is None for value in column], bool)
        zero = value_of(kind, rng)
        array = np.array([zero if value is None else value for value in column], dtype)
        cut = rng.choice(["whole", "stride", "backwards", "swapped", "unaligned"])
        if cut == "stride":
            array = np.repeat(array, 2)[::2]
        elif cut == "backwards":
            array = array[::-1].copy()[::-1]
        elif cut == "swapped":
            array = array.astype(array.dtype.newbyteorder(">"))
        elif cut == "unaligned":
            array = np.frombuffer(b"x" + array.tobytes(), array.dtype, offset=1)
        data[name] = np.ma.masked_array(array, missing) if missing.any() or rng.random() < 0.3 else array
    return data


def as_lists(values, rng):
    return {name: tuple(column) if rng.random() < 0.3 else column for name, column in values.items()}


def as_rows(values, rng):
    return [dict(zip(values, row)) for row in zip(*values.values())] or as_lists(values, rng)


def as_slice(values, rng):
    """A slice of a table that was put together."""
    table = mm.pipeline("mm.pipeline {}").run(as_arrow(values, rng))
    junk = mm.pipeline("mm.pipeline {}").run(
        as_arrow({name: column[:3] for name, column in values.items()}, rng)
    )
    return type(table).concat([junk, table, junk]).slice(len(junk), len(table))


IN = [as_arrow, as_batch, as_pieces, as_polars, as_pandas, as_numpy, as_lists, as_rows, as_slice]

# ---- Out ----


def of_numpy(table):
    return {name: list(array) for name, array in table.to_numpy().items()}


def of_pandas(table):
    frame = table.to_pandas()
    return {name: list(frame[name]) for name in frame.columns}


def of_buffers(table):
    """By the bytes, where the type has plain values."""
    columns = {}
    for column in table.columns:
        columns[column.name] = column.to_pylist()
        if column.type in INTEGERS or column.type in FLOATS:
            valid = np.asarray(column.valid()).tolist() if column.null_count else [1] * len(column)
            values = memoryview(column.data()).tolist()
            columns[column.name] = [value if ok else None for value, ok in zip(values, valid)]
    return columns


def of_dlpack(table):
    columns = table.to_pydict()
    for column in table.columns:
        if (column.type in INTEGERS or column.type in FLOATS) and not column.null_count:
            columns[column.name] = list(np.from_dlpack(column))
    return columns


OUT = {
    "to_pydict": lambda table: table.to_pydict(),
    "to_pylist": lambda table: {
        name: [row[name] for row in table.to_pylist()] for name in table.column_names
    },
    "pyarrow": lambda table: pa.table(table).to_pydict(),
    "polars": lambda table: pl.DataFrame(table).to_dict(as_series=False),
    "to_pandas": of_pandas,
    "to_numpy": of_numpy,
    "buffers": of_buffers,
    "dlpack": of_dlpack,
    "columns": lambda table: {column.name: list(column) for column in table.columns},
}

# Pipelines, how they are run, and whether they drop the rows that are not marked.
WAYS = [
    ("mm.pipeline {}", {}, False),
    ("mm.pipeline {}", {"copy": True}, False),
    (f':derive "more = if({MARK}, 1, 2)"', {}, False),
    (f':where "{MARK} or not {MARK}"', {"threads": 2}, False),
    (f':where "{MARK}"', {}, True),
    (f":where(function(r) return r.{MARK} end)", {}, True),
]


@pytest.mark.parametrize("door", IN)
def test_values_stay_what_they_were(door, rng):
    for _ in range(6):
        values = random_values(rng)
        text, options, drops = rng.choice(WAYS)
        table = mm.pipeline(text).run(door(values, rng), **options)
        kept = [not drops or mark for mark in values[MARK]]
        want = {name: [v for v, keep in zip(column, kept) if keep] for name, column in values.items()}
        for out, give in OUT.items():
            loose = door is as_pandas or out in ("to_pandas", "to_numpy")
            got = give(table)
            got.pop("more", None)
            assert alike(got, loose) == alike(want, loose), (out, text)
