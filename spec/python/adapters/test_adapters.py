"""Data of each kind: taken without copying, answered by the same kind, refused by name where it cannot be."""

import array
import ctypes
import datetime
import gc
import math
import mmap
from multiprocessing import shared_memory

import pytest
from addresses import of_array as address

import moonmill as mm
from moonmill import _core

np = pytest.importorskip("numpy")

SAME = mm.pipeline("mm.pipeline {}")
DOUBLE = mm.pipeline(':derive "value = value * 2"')


class TestBuffers:
    def test_bytes_come_back_as_bytes(self):
        add = mm.pipeline('mm.pipeline { input = "u8" } :derive "value = wrap.u8(value + 1)"')
        assert add(b"abc\xff") == b"bcd\x00"
        assert add(bytearray(b"abc")) == bytearray(b"bcd")
        assert bytes(add(memoryview(b"abc"))) == b"bcd"
        assert isinstance(add(bytearray(b"abc")), bytearray)

    def test_array_keeps_its_type(self):
        for code in "bBhHiIlLqQfd":
            assert SAME(array.array(code, [1, 2, 3])).tolist() == [1, 2, 3]
        assert mm.pipeline(':derive "value = value / 2"')(array.array("i", [1, 2])) == array.array(
            "d", [0.5, 1.0]
        )

    def test_bytes_are_values_of_the_declared_type(self):
        pipeline = mm.pipeline('mm.pipeline { input = "f64" } :derive "value = value * 2"')
        assert bytes(pipeline(memoryview(array.array("d", [1.5])))) == array.array("d", [3.0]).tobytes()
        assert pipeline.run(array.array("d", [1.5, 2]).tobytes())["value"].to_pylist() == [3.0, 4.0]
        with pytest.raises(mm.KindError, match="9 bytes"):
            pipeline.run(bytes(9))

    def test_a_mapped_file_is_not_copied(self, tmp_path):
        path = tmp_path / "values.bin"
        path.write_bytes(array.array("d", range(10_000)).tobytes())
        with path.open("r+b") as file:
            mapped = mmap.mmap(file.fileno(), 0)
            table = mm.pipeline('mm.pipeline { input = "f64" }').run(mapped)
            assert table.stats.copied_bytes == 0
            assert address(table["value"].data()) == address(np.frombuffer(mapped, "f8"))
            del table
            mapped.close()

    def test_shared_memory_is_not_copied(self):
        block = shared_memory.SharedMemory(create=True, size=4096)
        try:
            block.buf[:3] = b"\x01\x02\x03"
            table = mm.pipeline('mm.pipeline { input = "u8" }').run(block)
            assert table.stats.copied_bytes == 0
            assert table["value"].to_pylist()[:4] == [1, 2, 3, 0]
            del table
        finally:
            block.close()
            block.unlink()

    def test_arrays_of_ctypes(self):
        assert bytes(SAME((ctypes.c_int32 * 3)(1, 2, 3))) == bytes((ctypes.c_int32 * 3)(1, 2, 3))

    def test_memory_is_let_go_when_the_result_is(self, no_leaks):
        data = bytearray(1000)
        table = SAME.run(data)
        with pytest.raises(BufferError):
            data.extend(b"more")
        del table
        data.extend(b"more")

    def test_other_items_are_refused(self):
        with pytest.raises(mm.KindError):
            SAME.run(memoryview(np.array([1j])))


class TestPython:
    def test_a_dict_of_lists(self):
        data = {"a": [1, None, 3], "s": ["x", "", None], "t": [datetime.date(2013, 1, 2)] * 3}
        assert SAME(data) == data

    def test_a_dict_answers_by_its_first_column(self):
        result = mm.pipeline(':derive "b = a * 2"')({"a": np.arange(3), "l": [1, 2, 3]})
        assert isinstance(result["b"], np.ndarray)
        assert isinstance(result["l"], np.ndarray)

    def test_rows_are_dicts(self):
        assert SAME([{"a": 1}, {"a": 2, "b": "x"}]) == [{"a": 1, "b": None}, {"a": 2, "b": "x"}]
        assert mm.pipeline(':where "a > 1"')([{"a": 1}, {"a": 2}]) == [{"a": 2}]

    def test_a_list_of_values(self):
        assert DOUBLE([1, None, 3]) == [2, None, 6]
        assert DOUBLE((1.5, 2)) == [3.0, 4.0]

    def test_a_list_of_tables_is_answered_by_a_list(self):
        pieces = [{"value": [1, 2]}, {"value": [3]}]
        assert DOUBLE(pieces) == [{"value": [2, 4]}, {"value": [6]}]
        assert DOUBLE.run(pieces)["value"].to_pylist() == [2, 4, 6]

    def test_an_iterator_of_tables_is_answered_by_a_generator(self):
        pieces = ({"value": np.arange(i)} for i in range(1, 4))
        result = DOUBLE(pieces)
        assert next(result)["value"].tolist() == [0]
        assert next(result)["value"].tolist() == [0, 2]
        assert len(list(result)) == 1

    def test_pieces_of_a_group_are_refused(self):
        pipeline = mm.pipeline(':group("k", "n = count()")')
        pieces = [{"k": [1, 1]}, {"k": [1]}]
        with pytest.raises(mm.UsageError, match="merge"):
            pipeline(pieces)
        assert pipeline.run(pieces).to_pydict() == {"k": [1], "n": [3]}

    def test_no_pieces_at_all_are_an_error(self):
        with pytest.raises(mm.KindError, match="no batches"):
            DOUBLE.run(iter([]))

    def test_big_numbers_and_mixed_lists(self):
        assert SAME({"a": [2**63]}) == {"a": [2**63]}
        with pytest.raises(mm.Error, match="a"):
            SAME({"a": [2**70]})
        with pytest.raises(mm.Error, match="a"):
            SAME({"a": [1, "x"]})

    @pytest.mark.parametrize("data", [3, None, {1, 2}, object(), lambda: 1])
    def test_other_things_are_refused(self, data):
        with pytest.raises(mm.KindError, match="cannot be taken"):
            SAME(data)

    def test_scalars_of_numpy_are_no_data(self):
        for scalar in (
            np.float64(3),
            np.int8(3),
            np.bool_(True),
            np.datetime64("2013"),
            np.zeros(1, [("a", "i4")])[0],
        ):
            with pytest.raises(mm.KindError, match="cannot be taken"):
                SAME(scalar)
            with pytest.raises(mm.KindError, match=r'"a".* is not a column'):
                SAME({"a": scalar})
        assert SAME([np.int8(3), np.int8(4)]) == [3, 4]

    def test_columns_of_different_lengths_are_refused(self):
        with pytest.raises(mm.UsageError, match="b"):
            SAME({"a": [1], "b": [1, 2]})

    def test_names_must_be_text(self):
        with pytest.raises(mm.KindError, match="int"):
            SAME({1: [1]})

    def test_no_columns_and_no_rows(self):
        with pytest.raises(mm.UsageError, match="no columns"):
            SAME({})
        assert SAME({"a": np.zeros(0)})["a"].shape == (0,)


class TestArrow:
    pa = pytest.importorskip("pyarrow")

    def table(self):
        return self.pa.table({"value": [1, None, 3], "s": ["x", None, "z"]})

    def test_each_kind_answers_by_itself(self):
        pa, table = self.pa, self.table()
        assert DOUBLE(table).to_pydict() == {"value": [2, None, 6], "s": ["x", None, "z"]}
        assert isinstance(DOUBLE(table), pa.Table)
        assert isinstance(DOUBLE(table.to_batches()[0]), pa.RecordBatch)
        assert DOUBLE(pa.array([1, 2])).to_pylist() == [2, 4]
        assert isinstance(DOUBLE(pa.array([1, 2])), pa.Int64Array)
        assert DOUBLE(pa.chunked_array([[1], [2, 3]])).to_pylist() == [2, 4, 6]
        assert DOUBLE(table.to_reader()).read_all().column(0).to_pylist() == [2, None, 6]

    def test_empty_tables(self):
        table = self.table().slice(0, 0)
        assert DOUBLE(table).num_rows == 0
        assert DOUBLE(table).schema.names == ["value", "s"]
        assert DOUBLE(table.combine_chunks().to_reader()).read_all().num_rows == 0

    def test_slices_dictionaries_and_views(self):
        pa = self.pa
        table = pa.table(
            {
                "value": pa.array(range(100)),
                "d": pa.array(["a", "b"] * 50).dictionary_encode(),
                "v": pa.array([f"text {i} of some length" for i in range(100)], pa.string_view()),
            }
        ).slice(3, 70)
        result = DOUBLE(table)
        assert result["value"].to_pylist() == [2 * i for i in range(3, 73)]
        assert result["d"].to_pylist() == table["d"].to_pylist()
        assert result["v"].to_pylist() == table["v"].to_pylist()

    def test_nothing_is_copied_in_or_out(self):
        data = self.pa.table({"value": self.pa.array(np.arange(100_000))})
        result = SAME(data)
        before, after = (t["value"].chunk(0).buffers()[1].address for t in (data, result))
        assert before == after

    def test_only_columns_that_are_declared_are_taken(self):
        pa = self.pa
        pipeline = mm.pipeline('mm.pipeline { input = { "value: i64?" } }')
        nested = self.table().append_column("nested", pa.array([[1], [2], [3]]))
        assert pipeline(nested).schema.names == ["value"]

    def test_nested_columns_pass_where_rows_stay(self):
        nested = self.table().append_column("nested", self.pa.array([[1], [], None]))
        assert DOUBLE(nested)["nested"].to_pylist() == [[1], [], None]
        with pytest.raises(mm.Error, match="nested"):
            mm.pipeline(':sort "value"')(nested)

    def test_two_columns_of_one_name_are_refused(self):
        table = self.pa.Table.from_arrays([self.pa.array([1]), self.pa.array([2])], names=["a", "a"])
        with pytest.raises(mm.UsageError, match="a"):
            SAME(table)


class TestDuckdb:
    duckdb = pytest.importorskip("duckdb")

    def test_relations_go_in_and_come_out(self):
        relation = self.duckdb.sql("select range as value, 'x' as s from range(5)")
        result = DOUBLE(relation)
        assert result.fetchall() == [(2 * i, "x") for i in range(5)]
        assert result.aggregate("sum(value)").fetchall() == [(20,)]

    def test_only_declared_columns_are_computed(self):
        relation = self.duckdb.sql("select range as value, error('computed') as s from range(5)")
        assert mm.pipeline('mm.pipeline { input = { "value: i64?" } }').run(relation)[
            "value"
        ].to_pylist() == [0, 1, 2, 3, 4]

    def test_results_are_tables_of_duckdb(self):
        res = DOUBLE.run({"value": [1, 2, 3]})  # noqa: F841 (DuckDB finds it by its name)
        assert self.duckdb.sql("select sum(value) from res").fetchall() == [(12,)]


class TestTables:
    def test_a_table_goes_in_and_comes_out(self):
        table = SAME.run({"value": [1, 2]})
        assert isinstance(DOUBLE(table), mm.Table)
        assert DOUBLE(table)["value"].to_pylist() == [2, 4]

    def test_conversions(self):
        table = SAME.run({"a": [1, None], "s": ["x", None]})
        assert table.to_pydict() == {"a": [1, None], "s": ["x", None]}
        assert table.to_pylist() == [{"a": 1, "s": "x"}, {"a": None, "s": None}]
        assert list(table["a"]) == [1, None]
        assert table.to_numpy()["a"].tolist() == [1, None]
        assert [column.name for column in table.columns] == ["a", "s"]

    def test_arrays_are_made_by_numpy_too(self):
        column = SAME.run({"a": [1.0, 2.0], "b": [1.0, None], "s": ["x", "y"]})
        assert np.asarray(column["a"]).tolist() == [1, 2]
        assert np.asarray(column["a"], dtype="f4").dtype == np.float32
        if np.lib.NumpyVersion(np.__version__) >= "2.0.0":
            assert address(np.asarray(column["a"], copy=False)) == column["a"].data().address
            for name in "bs":
                with pytest.raises(ValueError, match=f"column {name}"):
                    np.asarray(column[name], copy=False)

    def test_repr_shows_rows_and_types(self):
        table = SAME.run({"n": list(range(12)), "s": ["x", None] * 6, "f": [0.5] * 12})
        lines = repr(table).splitlines()
        assert lines[0] == "moonmill.Table: 12 rows, 3 columns"
        assert lines[1].split() == ["n", "s", "f"]
        assert lines[2].split() == ["i64", "utf8?", "f64"]
        assert lines[4].split() == ["1", "null", "0.5"]
        assert lines[-1] == "... 2 more rows"
        assert "<td>x</td>" in table._repr_html_()
        assert "&lt;b&gt;" in SAME.run({"<b>": ["<b>"]})._repr_html_()
        assert repr(table["n"]) == "<moonmill.Column n: i64, 12 rows> [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, ...]"
        assert repr(table["f"].data()).startswith("<moonmill.Buffer: 12 f64, 96 bytes, ")

    def test_wide_tables_and_long_text_are_cut(self):
        table = SAME.run({f"c{i}": ["x" * 100] for i in range(20)})
        assert max(map(len, repr(table).splitlines()[3:4])) < 600
        assert "8 more columns" in repr(table)

    def test_nothing_that_is_shown_moves_the_cursor_or_hides(self):
        table = SAME.run({"na\nme\x1b[2J": ["\x1b[31mred\r\n\0", "\u202eright to left", "<b>", "x" * 10**6]})
        for shown in (repr(table), table._repr_html_(), repr(table[0])):
            assert all(c.isprintable() or c == "\n" for c in shown) and len(shown) < 10**6 + 500
        assert len(repr(table)) < 300
        assert repr(table).splitlines()[1:5] == [
            "na\\nme\\x1b[2J",
            "utf8",
            "\\x1b[31mred\\r\\n\\x00",
            "\\u202eright to left",
        ]
        assert "<b>" not in table._repr_html_() and "&lt;b&gt;" in table._repr_html_()

    def test_wide_letters_take_two_cells(self):
        assert repr(SAME.run({"a": ["日本", "e\u0301", "x"], "b": ["1", "2", "3"]})).splitlines()[1:] == [
            "a     b",
            "utf8  utf8",
            "日本  1",
            "e\u0301     2",
            "x     3",
        ]

    def test_singles_are_shown_as_they_are(self):
        table = SAME.run(np.array([0.1, 1 / 3, np.nan], "f4"))
        assert repr(table).split()[7:] == ["0.1", "0.33333334", "nan"]

    def test_tables_without_columns_and_with_many(self):
        assert repr(SAME.run({"a": [1, 2]})[[]]) == "moonmill.Table: 2 rows, 0 columns"
        many = repr(SAME.run({f"c{i}": [i] for i in range(1000)}))
        assert many.endswith("... 988 more columns: " + ", ".join(f"c{i}" for i in range(12, 36)) + ", ...")

    def test_other_exporters_give_tables(self):
        class Exporter:
            def __init__(self, table):
                self.table = table

            def __arrow_c_stream__(self, requested_schema=None):
                return self.table.__arrow_c_stream__(requested_schema)

        assert isinstance(DOUBLE(Exporter(SAME.run({"value": [1]}))), mm.Table)


class TestRandom:
    """Round trips of random tables through every kind."""

    def random_columns(self, rng):
        rows = rng.choice([0, 1, 7, 63, 64, 65, 200])
        make = {
            "i": lambda: rng.randrange(-(2**63), 2**63),
            "f": lambda: rng.choice([rng.uniform(-1e300, 1e300), 0.0, -0.0, math.inf, -math.inf]),
            "s": lambda: "".join(rng.choices("aöß漢🙂 \0\n", k=rng.randrange(20))),
            "b": lambda: rng.random() < 0.5,
            "t": lambda: (
                datetime.datetime(1970, 1, 1)
                + datetime.timedelta(microseconds=rng.randrange(-(2**50), 2**50))
            ),
        }
        share = rng.choice([0, 0.1, 0.9])
        return {
            name: [None if rng.random() < share else one() for _ in range(rows)] + [one()]
            for name, one in make.items()
        }

    @pytest.mark.parametrize("turn", range(20))
    def test_values_survive(self, turn, rng):
        columns = self.random_columns(rng)
        table = SAME.run(columns)
        assert table.to_pydict() == columns
        pa, pl, pd = (pytest.importorskip(name) for name in ("pyarrow", "polars", "pandas"))
        assert SAME(pa.table(table)).to_pydict() == columns
        assert SAME(pl.DataFrame(table)).to_dict(as_series=False) == columns
        assert SAME(table.to_pylist()) == table.to_pylist()
        frame = table.to_pandas()
        pd.testing.assert_frame_equal(SAME(frame), frame)
        start = rng.randrange(len(table))
        piece = table.slice(start, rng.randrange(len(table)))
        assert SAME(piece).to_pydict() == {
            name: values[start : start + len(piece)] for name, values in columns.items()
        }


def test_nothing_is_left_behind(no_leaks):
    pa = pytest.importorskip("pyarrow")
    gc.collect()  # what earlier specs left to the collector
    before = _core.live()["tables"]
    for data in (
        np.arange(10),
        b"abc",
        {"value": [1]},
        pa.table({"value": [1]}),
        [{"value": 1}],
        array.array("d", [1]),
    ):
        DOUBLE(data)
    assert _core.live()["tables"] == before


@pytest.mark.parametrize("code", "bBhHiIlLqQfd")
def test_an_array_keeps_its_type_code(code):
    assert SAME(array.array(code, [1, 2])).typecode == code
