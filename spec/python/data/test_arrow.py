"""Arrow data in and out, against the libraries that speak it."""

import copy
import datetime as dt
import decimal
import mmap

import pytest

import moonmill as mm
from moonmill import _core

pa = pytest.importorskip("pyarrow")
Table = _core.Table
pytestmark = pytest.mark.usefixtures("no_leaks")

SIZES = [0, 1, 63, 64, 65, 1023, 1024, 1025]
WORDS = ["", "a", "äöü", "exactly 12 b", "thirteen byte", "日本語のテキスト", "x" * 300]
TYPES = {
    "i8": (pa.int8(), lambda r: r.randrange(-128, 128)),
    "i16": (pa.int16(), lambda r: r.randrange(-(2**15), 2**15)),
    "i32": (pa.int32(), lambda r: r.randrange(-(2**31), 2**31)),
    "i64": (pa.int64(), lambda r: r.randrange(-(2**63), 2**63)),
    "u8": (pa.uint8(), lambda r: r.randrange(256)),
    "u16": (pa.uint16(), lambda r: r.randrange(2**16)),
    "u32": (pa.uint32(), lambda r: r.randrange(2**32)),
    "u64": (pa.uint64(), lambda r: r.randrange(2**64)),
    "f32": (pa.float32(), lambda r: r.randrange(1000) / 8),
    "f64": (pa.float64(), lambda r: r.random()),
    "bool": (pa.bool_(), lambda r: r.random() < 0.5),
    "utf8": (pa.string(), lambda r: r.choice(WORDS)),
    "binary": (pa.binary(), lambda r: r.choice(WORDS).encode()),
    "date": (pa.date32(), lambda r: dt.date.fromordinal(r.randrange(1, 3_000_000))),
    "timestamp(s)": (
        pa.timestamp("s"),
        lambda r: dt.datetime(2000, 1, 1) + dt.timedelta(seconds=r.randrange(10**9)),
    ),
    "timestamp(us, Europe/Paris)": (pa.timestamp("us", "Europe/Paris"), lambda r: r.randrange(10**15)),
    "duration(ms)": (pa.duration("ms"), lambda r: dt.timedelta(milliseconds=r.randrange(-(10**9), 10**9))),
    "null": (pa.null(), lambda r: None),
}
VARIANTS = {
    "large_string": ("utf8", pa.large_string()),
    "string_view": ("utf8", pa.string_view()),
    "large_binary": ("binary", pa.large_binary()),
    "binary_view": ("binary", pa.binary_view()),
    "date64": ("date", pa.date64()),
    "dictionary of text": ("utf8", pa.dictionary(pa.int8(), pa.string())),
    "dictionary of numbers": ("i64", pa.dictionary(pa.uint32(), pa.int64())),
}


def random_array(name, size, rng, nulls=0.2):
    kind, make = TYPES[name]
    return pa.array([None if rng.random() < nulls else make(rng) for _ in range(size)], kind)


def column(data):
    return Table.from_arrow(data)["value"]


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("name", TYPES)
def test_arrays_come_out_as_they_went_in(name, size, rng):
    for nulls in (0, 0.2, 1):
        array = random_array(name, size, rng, nulls)
        for start, length in ((0, size), (1, size), (size // 3, size // 2), (64, 64), (7, 57)):
            part = array.slice(start, length)
            found = column(part)
            assert found.type == name and len(found) == len(part) and found.null_count == part.null_count
            back = pa.array(found)
            back.validate(full=True)
            assert back.equals(part) and pa.chunked_array(found).combine_chunks().equals(part)
            if name != "timestamp(us, Europe/Paris)":
                assert found.to_pylist() == part.to_pylist()


@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize("size", [0, 1, 64, 1000])
def test_other_layouts_of_a_type_are_taken(variant, size, rng):
    name, kind = VARIANTS[variant]
    if variant == "dictionary of numbers":
        array = (
            pa.array([rng.choice([None, -5, 2**60]) for _ in range(size)], pa.int64())
            .dictionary_encode()
            .cast(kind)
        )
    elif variant == "date64":
        array = random_array(name, size, rng).cast(kind)
    else:
        array = pa.array(random_array(name, size, rng).to_pylist(), kind)
    for part in (array, array.slice(1), array.slice(size // 3, size // 2)):
        found = column(part)
        assert found.type == name and found.to_pylist() == part.to_pylist()


def test_numbers_and_text_are_shown_where_they_lie(rng):
    for name in ("i64", "f32", "utf8", "timestamp(s)"):
        array = random_array(name, 640, rng)
        t = Table.from_arrow(array)
        offsets = 4 * 641 if name == "utf8" else 0  # those of text are copied
        assert t.copied_bytes == offsets and t.shared_bytes == t.nbytes - offsets
        back = pa.array(t["value"])
        shared = [i for i in range(len(array.buffers())) if i != 1 or not offsets]
        assert all(back.buffers()[i].address == array.buffers()[i].address for i in shared)
        uneven = Table.from_arrow(array.slice(3, 100))  # 100 bits do not end with a word
        copied = 13 + (4 * 101 if offsets else 0)
        assert uneven.copied_bytes == copied and uneven.shared_bytes == uneven.nbytes - copied


def random_table(rng, rows):
    columns = {}
    for name in rng.sample(list(TYPES), rng.randrange(1, len(TYPES))):
        parts, left = [], rows
        while left > 0:
            size = min(left, rng.choice([1, 7, 64, 100, 1000]))
            whole = random_array(name, size + 5, rng, rng.choice([0, 0.3]))
            parts.append(whole.slice(rng.randrange(5), size))
            left -= size
        columns[name] = pa.chunked_array(parts, TYPES[name][0])
    return pa.table(columns)


def test_random_tables_come_out_as_they_went_in(rng):
    for rows in (0, 1, 100, 2000):
        for _ in range(8):
            given = random_table(rng, rows)
            t = Table.from_arrow(given)
            back = pa.table(t)
            back.validate(full=True)
            assert back.equals(given) and t.types == given.column_names and all(t.nullables)
            by_columns = Table.from_columns(given.column_names, given.columns)
            assert pa.table(by_columns).equals(given)
            start, length = rng.randrange(rows + 1), rng.randrange(rows + 1)
            assert pa.table(t.slice(start, length)).equals(given.slice(start, length))
            batch = pa.record_batch(t)
            assert pa.Table.from_batches([batch]).equals(given)
            if "null" not in given.column_names:
                assert pa.table(t.copy()).equals(given)


def test_batches_stay_batches_and_may_be_read_again():
    given = pa.table({"x": pa.chunked_array([[1, 2], [3], [], [4]])})
    t = Table.from_arrow(given)
    assert t["x"].to_pylist() == [1, 2, 3, 4]
    for _ in range(3):
        assert pa.table(t).equals(given) and pa.schema(t) == given.schema
        assert pa.RecordBatchReader.from_stream(t).read_all().equals(given)
        assert pa.field(t["x"]).type == pa.int64()


def test_schemas_keep_names_and_nullability():
    schema = pa.schema([pa.field("a b", pa.int32(), nullable=False), pa.field("", pa.string())])
    t = Table.from_arrow(pa.table([[1], ["x"]], schema=schema))
    assert t.column_names == ["a b", ""] and t.nullables == [False, True]
    assert pa.schema(t) == schema


def test_tables_without_rows_or_columns():
    t = Table.from_arrow(pa.table({"x": pa.array([], pa.int16()), "s": pa.array([], pa.string())}))
    assert t.types == ["i16", "utf8"] and len(t) == 0 and pa.table(t).num_rows == 0
    assert pa.record_batch(t).num_rows == 0 and pa.array(t["s"]).type == pa.string()
    assert Table.from_arrow(pa.table({})).num_columns == 0


def test_foreign_types_pass_through_untouched():
    given = pa.table(
        {
            "list": pa.array([[1], None, [2, 3]]),
            "struct": pa.array([{"a": 1}, None, {"a": 2}]),
            "decimal": pa.array([decimal.Decimal("1.50"), None, decimal.Decimal("2.25")]),
            "time": pa.array([dt.time(1), None, dt.time(2)]),
            "half": pa.array([1.5, None, 2.5], pa.float16()),
            "fixed": pa.array([b"ab", None, b"cd"], pa.binary(2)),
            "map": pa.array([[("k", 1)], None, []], pa.map_(pa.string(), pa.int32())),
        }
    )
    names_of_foreign = [name for name in given.column_names if name != "f16"]
    for t in (Table.from_arrow(given), Table.from_columns(given.column_names, given.columns)):
        names = ["list<i64>", "struct", "decimal128(3, 2)", "time(us)", "f16", "fixed_binary(2)", "map"]
        assert t.types == names
        assert pa.table(t).equals(given) and pa.table(t.slice(1, 2)).equals(given.slice(1, 2))
        assert t["list"].null_count == 1
        assert t.select(names_of_foreign).to_pydict() == given.select(names_of_foreign).to_pydict()
        with pytest.raises(ValueError, match=r'"list".*foreign'):
            t["list"][0]
        with pytest.raises(ValueError, match=r'"struct"'):
            t["struct"].data()
        with pytest.raises(ValueError, match=r'column "list" is of type list<i64>, which cannot be copied'):
            t.copy()
        assert pa.table(copy.deepcopy(t)).equals(given)


def test_extension_types_are_their_storage_or_pass_through():
    uuid = pa.ExtensionArray.from_storage(pa.uuid(), pa.array([b"0123456789abcdef"], pa.binary(16)))
    t = Table.from_arrow(pa.table({"id": uuid}))
    assert t.types == ["fixed_binary(16)"] and pa.table(t).schema.field("id").type == pa.uuid()
    json = pa.ExtensionArray.from_storage(pa.json_(), pa.array(['{"a": 1}']))
    assert Table.from_arrow(pa.table({"j": json}))["j"].to_pylist() == ['{"a": 1}']


def test_an_array_of_structs_is_a_table_and_a_struct_column_is_a_column():
    structs = pa.array([{"a": 1, "b": "x"}, {"a": 2, "b": "y"}])
    assert Table.from_arrow(structs)["b"].to_pylist() == ["x", "y"]
    assert Table.from_arrow(structs.slice(1))["a"].to_pylist() == [2]
    assert Table.from_columns(["s"], [structs]).types == ["struct"]
    with pytest.raises(ValueError, match=r"null as a whole"):
        Table.from_arrow(pa.array([{"a": 1}, None]))


def text_of(offsets, data, kind=None):
    kind = kind or pa.string()
    steps = pa.array(offsets, pa.int64() if kind == pa.large_string() else pa.int32())
    return pa.Array.from_buffers(kind, len(offsets) - 1, [None, steps.buffers()[1], pa.py_buffer(data)])


def test_dates_that_are_no_days_and_broken_text_are_refused_by_name():
    with pytest.raises(ValueError, match=r'"when".*whole day'):
        Table.from_columns(["when"], [pa.array([5], pa.int64()).view(pa.date64())])
    broken = text_of([0, 1, 2], b"a\xff")
    with pytest.raises(ValueError, match=r'"value".*row 2.*UTF-8'):
        Table.from_arrow(broken)
    backwards = text_of([0, 2, 1, 2], b"ab")
    with pytest.raises(ValueError, match=r'"s".*offsets'):
        Table.from_columns(["s"], [backwards])


def test_two_columns_of_one_name_are_refused():
    with pytest.raises(ValueError, match=r'"x"'):
        Table.from_arrow(pa.table([[1], [2]], names=["x", "x"]))


def test_text_beyond_two_gigabytes_comes_in_several_batches():
    size, rows = (1 << 31) + (1 << 20), 1024
    data = mmap.mmap(
        -1, size, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS, mmap.PROT_READ
    )  # zeros that take no memory
    array = text_of([size // rows * i for i in range(rows)] + [size], data, pa.large_string())
    t = Table.from_arrow(pa.table({"n": range(rows), "s": array}))
    assert len(t) == rows and t["s"].chunks == 2 and t["n"].to_pylist() == list(range(rows))
    assert t["s"].nbytes > size and t.copied_bytes < 1 << 20
    with pytest.raises(RuntimeError, match=r'"s".*2 GiB'):
        t["s"].combine()
    one = text_of([0, size], data, pa.large_string())
    with pytest.raises(RuntimeError, match=r'"value".*2 GiB'):
        Table.from_arrow(one)


def test_polars_both_ways():
    pl = pytest.importorskip("polars")
    given = pl.DataFrame(
        {
            "n": [1, None, 3],
            "s": ["short", None, "a text of more than twelve bytes"],
            "when": [dt.datetime(2024, 1, 1), None, dt.datetime(1999, 12, 31, 1)],
            "day": [dt.date(2024, 1, 1), None, dt.date(1, 1, 1)],
            "span": [dt.timedelta(seconds=1), None, dt.timedelta(days=-1)],
            "kind": pl.Series(["a", "b", "a"], dtype=pl.Categorical),
            "yes": [True, None, False],
        }
    )
    t = Table.from_arrow(given)
    assert t.types == ["i64", "utf8", "timestamp(us)", "date", "duration(us)", "utf8", "bool"]
    for name in t.column_names:
        assert t[name].to_pylist() == given[name].to_list()
    assert pl.DataFrame(t).equals(given.with_columns(pl.col("kind").cast(pl.String)))
    parts = pl.concat([given, given], rechunk=False)
    assert Table.from_arrow(parts)["s"].to_pylist() == given["s"].to_list() * 2
    series = Table.from_columns(["v"], [given["s"]])
    assert (
        series["v"].to_pylist() == given["s"].to_list()
        and pl.Series(series["v"]).to_list() == given["s"].to_list()
    )


def test_duckdb_both_ways():
    duckdb = pytest.importorskip("duckdb")
    t = Table.from_columns(["n", "s"], [list(range(5000)), [str(i % 7) for i in range(5000)]])
    con = duckdb.connect()
    con.register("t", t)
    assert con.sql("select sum(n), count(distinct s) from t").fetchall() == [(5000 * 4999 // 2, 7)]
    found = Table.from_arrow(con.sql("select n, s || '!' as s from t order by n desc"))
    assert found["n"][0] == 4999 and found["s"][0] == "1!" and len(found) == 5000
    con.close()


def test_pandas_both_ways():
    pd = pytest.importorskip("pandas")
    given = pd.DataFrame({"x": [1.5, float("nan")], "s": ["a", None], "n": [1, 2]})
    t = Table.from_arrow(given)
    assert (
        t["x"].to_pylist() == [1.5, None]
        and t["s"].to_pylist() == ["a", None]
        and t["n"].to_pylist() == [1, 2]
    )
    if hasattr(pd.DataFrame, "from_arrow"):
        assert pd.DataFrame.from_arrow(t)["n"].tolist() == [1, 2]
    series = pd.Series([1, 2, 3])
    assert Table.from_columns(["v"], [series])["v"].to_pylist() == [1, 2, 3]


def test_foreign_types_are_shown_and_named_in_messages():
    t = Table.from_arrow(
        pa.table({"price": pa.array([decimal.Decimal("1.50"), None]), "l": pa.array([[1], []]), "k": [1, 2]})
    )
    assert repr(t).splitlines()[1:] == [
        "price              l              k",
        "decimal128(3, 2)?  list<i64>?  i64?",
        "1.50               [1]            1",
        "null               []             2",
    ]
    assert "decimal128(3, 2)?" in t._repr_html_() and "Decimal('1.50')" in repr(t["price"])
    assert t.to_numpy()["l"].tolist() == [[1], []]
    with pytest.raises(mm.UsageError, match=r"found decimal128\(3, 2\) and i64"):
        mm.pipeline(':derive "x = price + 1"').run(t)
    with pytest.raises(
        mm.UsageError, match=r'column "price" is of type decimal128\(3, 2\), which can only pass'
    ):
        mm.pipeline(':where "k > 1"').run(t)
    schema = mm.pipeline(':derive "x = k + 1"').output_schema(t)
    assert [field.type for field in schema] == ["decimal128(3, 2)", "list<i64>", "i64", "i64"]
    mm.pipeline(':derive "x = k + 1"').check(schema)
