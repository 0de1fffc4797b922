"""What people who know pandas, polars and pyarrow try first: it works, or says what was perhaps meant."""

import itertools
import pathlib

import pytest

import moonmill as mm

np = pytest.importorskip("numpy")

SAME = mm.pipeline("mm.pipeline {}")
TABLE = SAME.run({"name": ["a", "b", None, "d"], "x": [1, 2, 3, 4], "y": [1.5, None, float("nan"), 2.5]})


class TestNames:
    def test_a_name_that_is_not_there_is_told_with_the_nearest_one(self):
        near = r'there is no column "nam"; did you mean "name"\?'
        for ask in (
            lambda: TABLE["nam"],
            lambda: TABLE.select(["x", "nam"]),
            lambda: TABLE[["nam"]],
            lambda: TABLE.schema["nam"],
        ):
            with pytest.raises(KeyError, match=near):
                ask()
        with pytest.raises(KeyError, match=r'no column "zzz"; there are name, x, y'):
            TABLE["zzz"]
        with pytest.raises(KeyError, match=r"there are c0, .*, c11, \.\.\."):
            SAME.run({f"c{i}": [i] for i in range(20)})["zzz"]

    def test_names_that_cannot_be_names_are_not_there(self):
        for odd in ("x\0y", "\ud800", ""):
            assert odd not in TABLE
            with pytest.raises(KeyError):
                TABLE[odd]

    def test_case_counts_little(self):
        with pytest.raises(KeyError, match=r'did you mean "name"'):
            TABLE["NAME"]

    def test_functions_and_names_of_the_store_too(self):
        module = mm.module('return mm.module { smooth = mm.fn("a: f64 -> f64", function(a) return a end) }')
        with pytest.raises(KeyError, match=r'no function "smoth"; did you mean "smooth"'):
            module["smoth"]
        with pytest.raises(AttributeError, match=r"did you mean 'smooth'"):
            getattr(module, "smoth")  # noqa: B009
        mm.store["prices"] = [1.0]
        try:
            for ask in (
                lambda: mm.store["price"],
                lambda: mm.store.pop("price"),
                lambda: mm.store.__delitem__("price"),
            ):
                with pytest.raises(KeyError, match=r'store "price"; did you mean "prices"'):
                    ask()
        finally:
            del mm.store["prices"]


class TestParts:
    def test_rows_of_a_slice(self):
        for start, stop in itertools.product((None, -9, -1, 0, 1, 3, 4, 9), repeat=2):
            assert TABLE[start:stop]["x"].to_pylist() == [1, 2, 3, 4][start:stop]
        assert TABLE[1:3].copied_bytes <= 2  # but for bits of validity
        with pytest.raises(ValueError, match=r"step of 1"):
            TABLE[::2]

    def test_columns_of_a_list(self):
        assert TABLE[["y", "x"]].column_names == ["y", "x"]
        assert TABLE[[]].shape == (4, 0)
        with pytest.raises(TypeError, match=r"tuple"):
            TABLE["x", "y"]

    def test_head_tail_and_the_rest(self):
        assert [part["x"].to_pylist() for part in (TABLE.head(2), TABLE.tail(2), TABLE.slice(3))] == [
            [1, 2],
            [3, 4],
            [4],
        ]
        assert [
            len(part) for part in (TABLE.head(), TABLE.tail(), TABLE.head(0), TABLE.tail(0), TABLE.slice(9))
        ] == [4, 4, 0, 0, 0]
        with pytest.raises(ValueError, match=r"negative"):
            TABLE.tail(-1)

    def test_what_a_table_has(self):
        assert "x" in TABLE and "X" not in TABLE and 0 not in TABLE
        assert repr(TABLE.schema) == "Schema(name: utf8?, x: i64, y: f64?)"
        assert TABLE.schema["y"].type == "f64" and TABLE.shape == (4, 3)


class TestEquality:
    @pytest.mark.parametrize("rows", [0, 1, 7, 8, 9, 63, 64, 65, 1025])
    def test_tables_of_equal_values_are_equal_however_they_lie(self, rows):
        data = {
            "i": list(range(rows)),
            "f": [None if i % 3 == 1 else float("nan") if i % 3 == 2 else i / 2 for i in range(rows)],
            "s": [None if i % 5 == 4 else f"text {i}" for i in range(rows)],
            "b": [None if i % 4 == 3 else i % 2 == 0 for i in range(rows)],
            "n": [None] * rows,
        }
        whole = SAME.run(data)
        cut = mm.Table.concat([whole[: rows // 3], whole[rows // 3 : rows // 2], whole[rows // 2 :]])
        assert whole == cut and cut == whole and (whole != cut) is False
        assert whole == SAME.run(data) and whole[1:] == cut[1:]
        assert [a == b for a, b in zip(whole.columns, cut.columns)] == [True] * 5

    @pytest.mark.parametrize("row", [0, 6, 8, 62, 64, 69])
    def test_one_value_makes_them_different(self, row):
        data = {
            "i": list(range(70)),
            "f": [i / 2 for i in range(70)],
            "s": [f"text {i}" for i in range(70)],
            "b": [i % 2 == 0 for i in range(70)],
            "t": np.arange(70).astype("M8[ms]"),
        }
        others = {"i": -1, "f": -1.0, "s": "text", "b": row % 2 == 1, "t": np.datetime64(-1, "ms")}
        whole = SAME.run(data)
        for name, other in others.items():
            changed = data[name].copy()
            changed[row] = other
            assert whole != SAME.run({**data, name: changed}), name
            assert whole[name] != SAME.run({**data, name: changed})[name], name
            lost = list(data[name])
            lost[row] = None
            if name != "t":
                assert whole != SAME.run({**data, name: lost}), name

    def test_zeros_are_equal_whatever_their_sign(self):
        assert SAME.run(np.array([0.0, 1])) == SAME.run(np.array([-0.0, 1]))

    def test_what_stands_for_nulls_does_not_count(self):
        data = np.ma.array([1, 2, 3], mask=[0, 1, 0]), np.ma.array([1, 9, 3], mask=[0, 1, 0])
        assert SAME.run(data[0]) == SAME.run(data[1])

    def test_names_types_and_lengths_count(self):
        table = SAME.run({"a": [1, 2]})
        for other in ({"b": [1, 2]}, {"a": [1.0, 2.0]}, {"a": [1]}, {"a": [1, 2], "b": [1, 2]}):
            assert table != SAME.run(other)
        assert table != {"a": [1, 2]} and table["a"] != [1, 2] and table is not None

    def test_tables_cannot_be_keys(self):
        for value in (TABLE, TABLE["x"]):
            with pytest.raises(TypeError, match=r"unhashable"):
                hash(value)

    def test_values_of_foreign_types_are_not_compared(self):
        pa = pytest.importorskip("pyarrow")
        table = SAME.run(pa.table({"l": [[1], [2]]}))
        with pytest.raises(mm.UsageError, match=r'"l".*cannot be compared'):
            assert table == SAME.run(pa.table({"l": [[1], [3]]}))
        assert table != TABLE


class TestArrays:
    def test_a_table_is_an_array_of_rows_and_columns(self):
        numbers = TABLE[["x", "y"]]
        array = np.asarray(numbers)
        assert array.shape == (4, 2) and array.dtype == "f8" and array[0].tolist() == [1.0, 1.5]
        assert np.isnan(array[1:3, 1]).all()
        assert np.asarray(numbers, dtype="f4").dtype == "f4" and np.asarray(TABLE).dtype == object
        assert np.asarray(TABLE[[]]).shape == (4, 0) and np.asarray(numbers[:0]).shape == (0, 2)
        with pytest.raises(ValueError, match=r"without a copy"):
            np.asarray(numbers, copy=False)


def test_schemas_of_others_stand_for_columns():
    late = mm.pipeline(':where "delay > 60" :derive "hours = delay / 60"')
    pa, pl = pytest.importorskip("pyarrow"), pytest.importorskip("polars")
    of_arrow = late.output_schema(
        pa.schema([("carrier", pa.string()), pa.field("delay", pa.float64(), False)])
    )
    assert repr(of_arrow) == "Schema(carrier: utf8?, delay: f64, hours: f64)"
    of_polars = late.output_schema(pl.Schema({"carrier": pl.Categorical(), "delay": pl.Int32()}))
    assert repr(of_polars) == "Schema(carrier: utf8?, delay: i32, hours: f64)"
    late.check(pl.Schema({"delay": pl.Int32()}))
    with pytest.raises(mm.UsageError, match="no column"):
        late.check(pa.schema([("dely", pa.int8())]))


def test_classes_say_who_makes_them():
    with pytest.raises(TypeError, match=r"made by moonmill.load\(path\) or moonmill.pipeline\(text\)"):
        mm.Pipeline(':where "a > 1"')
    with pytest.raises(TypeError, match=r"made by moonmill.load\(path\) or moonmill.module\(text\)"):
        mm.Module("return mm.module {}")
    with pytest.raises(TypeError, match=r"takes a text, not PosixPath; of a file: load\('clean.lua'\)"):
        mm.pipeline(pathlib.Path("clean.lua"))
    for make in (mm.pipeline, mm.module):
        with pytest.raises(TypeError, match=r"the name of a .* is a text, not int"):
            make(":limit(1)", name=5)


def test_the_store_sets_a_default():
    try:
        assert mm.store.setdefault("weights", [1, 2]).to_pylist() == [1, 2]
        assert mm.store.setdefault("weights", [3]).to_pylist() == [1, 2]
    finally:
        mm.store.clear()


def test_a_path_that_is_a_pattern_leads_to_files(tmp_path):
    (tmp_path / "a.csv").write_text("n\n1\n")
    pattern = str(tmp_path / "*.csv")
    with pytest.raises(mm.FileError) as caught:
        SAME.run(pattern)
    assert caught.value.hint == f"moonmill.files({pattern!r}) takes patterns"
    assert SAME.run(mm.files(pattern)).to_pydict() == {"n": [1]}
    with pytest.raises(mm.FileError) as caught:
        SAME.run(tmp_path / "b.csv")
    assert caught.value.hint is None
