"""Data of each kind: taken without copying, answered by the same kind, refused by name where it cannot be."""

import array
import ctypes
import datetime
import gc
import math
import mmap
from multiprocessing import shared_memory

import pytest

import moonmill as mm
from moonmill import _core

np = pytest.importorskip("numpy")

SAME = mm.pipeline("mm.pipeline {}")
DOUBLE = mm.pipeline(':derive "value = value * 2"')
EDGES = [0, 1, 63, 64, 65, 1023, 1024, 1025, 2048, 2049, 65536, 65537]


def address(values):
    return np.asarray(values).__array_interface__["data"][0]


class TestNumpy:
    @pytest.mark.parametrize(
        "dtype",
        [
            "i1",
            "i2",
            "i4",
            "i8",
            "u1",
            "u2",
            "u4",
            "u8",
            "f4",
            "f8",
            "?",
            "M8[s]",
            "M8[ms]",
            "M8[us]",
            "M8[ns]",
            "m8[us]",
            "M8[D]",
        ],
    )
    def test_a_round_trip_keeps_values_and_dtype(self, dtype):
        data = np.array([0, 1, 1, 0, 1], dtype="i8").astype(dtype)
        result = SAME(data)
        assert result.dtype == data.dtype
        assert (result == data).all()

    @pytest.mark.parametrize("rows", EDGES)
    def test_any_number_of_rows(self, rows):
        data = np.arange(rows, dtype="f8")
        assert (DOUBLE(data) == data * 2).all()
        assert len(DOUBLE(data)) == rows

    def test_the_shape_stays_where_rows_stay(self):
        data = np.arange(24).reshape(2, 3, 4)
        assert (DOUBLE(data) == data * 2).all()
        assert mm.pipeline(':where "value > 20"')(data).tolist() == [21, 22, 23]
        assert DOUBLE(np.array(7)).shape == ()

    def test_order_is_that_of_c_whatever_the_layout(self):
        data = np.asfortranarray(np.arange(6).reshape(2, 3))
        assert (DOUBLE(data) == data * 2).all()
        assert mm.pipeline(":limit(2)")(data).tolist() == [0, 1]
        assert (DOUBLE(data[:, ::-1]) == data[:, ::-1] * 2).all()

    def test_strided_reversed_swapped_and_unaligned_arrays_are_copied(self):
        data = np.arange(1000.0)
        unaligned = np.frombuffer(bytearray(data.nbytes + 1), dtype="u1")[1:].view("f8")
        unaligned[:] = data
        for view in (data[::3], data[::-1], data.astype(">f8"), unaligned):
            assert (DOUBLE(view) == np.asarray(view) * 2).all()
            assert SAME.run(view).stats.copied_bytes >= view.nbytes

    def test_contiguous_arrays_are_not_copied_even_read_only_ones(self):
        data = np.arange(1000.0)
        data.flags.writeable = False
        for view in (data, data[10:], data.reshape(10, 100)):
            table = SAME.run(view)
            assert table.stats.copied_bytes == 0
            assert address(table["value"].data()) == address(view)

    def test_halves_become_singles(self):
        assert SAME(np.array([0.5, 1.5], "f2")).dtype == np.float32

    def test_nan_is_not_null(self):
        table = SAME.run(np.array([1.0, np.nan]))
        assert table["value"].null_count == 0
        assert math.isnan(table["value"][1])

    def test_nat_is_null(self):
        data = np.array(["2013-01-01", "NaT"], "M8[us]")
        assert SAME.run(data)["value"].to_pylist()[1] is None
        assert np.isnat(SAME(data)[1])

    def test_text_becomes_an_object_array(self):
        assert SAME(np.array(["a", "", "ö"])).tolist() == ["a", "", "ö"]
        assert SAME(np.array(["a", None], object)).tolist() == ["a", None]
        assert SAME(np.array([b"a\xff", b"b"])).tolist() == [b"a\xff", b"b"]

    def test_masked_values_are_null(self):
        data = np.ma.MaskedArray(np.arange(5, dtype="i4"), [0, 1, 0, 0, 1])
        result = DOUBLE(data)
        assert isinstance(result, np.ma.MaskedArray)
        assert result.tolist() == [0, None, 4, 6, None]
        assert SAME(np.ma.MaskedArray([1, 2])).tolist() == [1, 2]

    @pytest.mark.parametrize("rows", EDGES)
    def test_masks_of_any_length(self, rows, rng):
        data = np.ma.MaskedArray(np.arange(rows), [rng.random() < 0.3 for _ in range(rows)], dtype="i8")
        assert SAME(data).tolist() == data.tolist()

    def test_whole_numbers_with_nulls_keep_all_digits(self):
        result = mm.pipeline(':derive "value = if(value > 5, null, value)"')(np.array([2**62 + 1, 3]))
        assert result.tolist() == [None, 3]
        result = mm.pipeline(':derive "value = if(value < 5, null, value)"')(np.array([2**62 + 1, 3]))
        assert result.tolist() == [2**62 + 1, None]

    def test_fields_are_columns(self):
        data = np.array([(1, 2.5), (3, 4.5)], dtype=[("a", "i4"), ("b", "f8")])
        result = mm.pipeline(':derive "c = a + b"')(data)
        assert result.dtype.names == ("a", "b", "c")
        assert result["c"].tolist() == [3.5, 7.5]
        assert result["a"].dtype == np.int32

    def test_several_columns_of_a_plain_array_are_a_dict(self):
        result = mm.pipeline(':derive "twice = value * 2"')(np.arange(3))
        assert {name: values.tolist() for name, values in result.items()} == {
            "value": [0, 1, 2],
            "twice": [0, 2, 4],
        }

    def test_the_declared_name_stands_for_the_only_column(self):
        pipeline = mm.pipeline('mm.pipeline { input = { "x: f64" } } :derive "y = x + 1"')
        assert pipeline(np.arange(3))["y"].tolist() == [1, 2, 3]

    @pytest.mark.parametrize("data", [np.array([1j]), np.array([object()]), np.zeros(1, "V8")])
    def test_dtypes_without_a_type_here_are_refused_by_name(self, data):
        with pytest.raises(mm.KindError, match=r"value|column"):
            SAME(data)


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


class TestPolars:
    pl = pytest.importorskip("polars")

    def test_each_kind_answers_by_itself(self):
        pl = self.pl
        frame = pl.DataFrame({"value": [1, None, 3], "s": ["x", None, "a longer text than twelve"]})
        assert DOUBLE(frame).rows() == [(2, "x"), (None, None), (6, "a longer text than twelve")]
        assert DOUBLE(pl.Series("value", [1, 2])).to_list() == [2, 4]
        assert DOUBLE(frame.lazy()).collect().equals(DOUBLE(frame))
        assert isinstance(frame.pipe(DOUBLE), pl.DataFrame)
        assert isinstance(frame.lazy().pipe(DOUBLE), pl.LazyFrame)

    def test_a_series_keeps_its_name(self):
        result = mm.pipeline(':derive "x = x + 1"')(self.pl.Series("x", [1]))
        assert (result.name, result.to_list()) == ("x", [2])
        declared = mm.pipeline('mm.pipeline { input = { "y: i64?" } } :derive "y = y + 1"')
        assert declared(self.pl.Series("x", [1])).name == "x"
        assert mm.pipeline('mm.pipeline { input = "i64?" }')(self.pl.Series("x", [1])).name == "x"

    def test_the_types_of_polars(self):
        pl = self.pl
        frame = pl.DataFrame(
            {
                "b": [True, None],
                "i": pl.Series([1, None], dtype=pl.Int8),
                "u": pl.Series([1, 2], dtype=pl.UInt64),
                "f": pl.Series([1.5, None], dtype=pl.Float32),
                "d": [datetime.date(2013, 1, 2), None],
                "t": [datetime.datetime(2013, 1, 2, 3, 4, 5, 6), None],
                "z": pl.Series([datetime.datetime(2013, 1, 2)] * 2).dt.replace_time_zone("Europe/Paris"),
                "e": [datetime.timedelta(seconds=1.5), None],
                "y": [b"\xff", None],
            }
        )
        assert SAME(frame).equals(frame)
        assert SAME(frame).schema == frame.schema

    def test_categories_become_text(self):
        frame = self.pl.DataFrame({"c": self.pl.Series(["a", "b", None], dtype=self.pl.Categorical)})
        assert SAME(frame)["c"].to_list() == ["a", "b", None]

    def test_lazily_and_in_batches(self):
        pl = self.pl
        lazy = pl.LazyFrame({"value": [1, 2, 3]}).map_batches(DOUBLE, schema={"value": pl.Int64})
        assert lazy.collect()["value"].to_list() == [2, 4, 6]


class TestPandas:
    pd = pytest.importorskip("pandas")

    def frame(self):
        pd = self.pd
        return pd.DataFrame(
            {"value": [1, 2, 3], "x": [1.5, np.nan, 2.5], "s": ["a", None, "c"]}, index=[7, 8, 9]
        )

    def test_the_index_stays_where_rows_stay(self):
        frame = self.frame()
        assert DOUBLE(frame).index.tolist() == [7, 8, 9]
        assert DOUBLE(frame)["value"].tolist() == [2, 4, 6]
        assert mm.pipeline(':where "value > 1"')(frame).index.tolist() == [0, 1]
        dated = frame.set_index(self.pd.date_range("2013", periods=3))
        assert DOUBLE(dated).index.equals(dated.index)

    def test_untouched_columns_keep_their_dtypes(self):
        pd = self.pd
        frame = self.frame().assign(
            c=pd.Categorical(["u", "v", None], categories=["v", "u", "w"], ordered=True),
            i=pd.array([1, None, 3], "Int32"),
            f=pd.array([1.5, None, 3], "Float64"),
            b=pd.array([True, None, False], "boolean"),
            t=pd.date_range("2013", periods=3, tz="Europe/Paris"),
            d=pd.date_range("2013", periods=3),
            e=pd.to_timedelta([1, 2, None], "s"),
            a=pd.array([1, 2, None], "int64[pyarrow]"),
            o=np.array(["q", None, "w"], object),
            y=np.array([True, False, True]),
        )
        result = SAME(frame)
        assert result.dtypes.to_dict() == frame.dtypes.to_dict()
        self.pd.testing.assert_frame_equal(result, frame)

    def test_nan_in_numpy_backed_columns_is_null(self):
        table = mm.pipeline(':derive "y = x == null"').run(self.frame())
        assert table["y"].to_pylist() == [False, True, False]
        assert mm.pipeline(':derive "x = x or 0"')(self.frame())["x"].tolist() == [1.5, 0, 2.5]

    def test_new_columns_with_nulls(self):
        result = mm.pipeline(':derive { "n = if(value > 1, value, null)", "p = n > 2", "q = x / 2" }')(
            self.frame()
        )
        assert str(result["n"].dtype) == "Int64"
        assert str(result["p"].dtype) == "boolean"
        assert str(result["q"].dtype) == "float64"

    def test_arrow_frames_stay_arrow_frames(self):
        frame = self.frame().convert_dtypes(dtype_backend="pyarrow")
        result = mm.pipeline(':derive "z = value * x"')(frame)
        assert str(result["z"].dtype) == "double[pyarrow]"
        nullable = self.frame()[["value", "x"]].convert_dtypes()
        assert str(mm.pipeline(':derive "z = value * x"')(nullable)["z"].dtype) == "Float64"

    def test_labels_that_are_not_text_come_back(self):
        frame = self.pd.DataFrame({0: [1, 2], 1: [3, 4]})
        result = mm.pipeline(':derive "sum = `0` + `1`"')(frame)
        assert result.columns.tolist() == [0, 1, "sum"]

    def test_a_series_keeps_name_and_index(self):
        series = self.pd.Series([1, 2], index=["a", "b"], name="x")
        result = mm.pipeline(':derive "x = x * 2"')(series)
        assert (result.name, result.index.tolist(), result.tolist()) == ("x", ["a", "b"], [2, 4])
        assert DOUBLE(self.pd.Series([1, 2])).name is None

    def test_numbers_are_not_copied(self):
        frame = self.pd.DataFrame({"value": np.arange(100_000), "y": np.arange(100_000.0)})
        table = SAME.run(frame)
        assert table.stats.copied_bytes < 100_000
        assert address(table["y"].data()) == address(frame["y"].to_numpy())

    def test_frames_of_one_block_are_columns_without_copying(self):
        frame = self.pd.DataFrame(np.arange(20.0).reshape(5, 4), columns=list("abcd"))
        self.pd.testing.assert_frame_equal(SAME(frame), frame)

    def test_empty_frames(self):
        frame = self.frame().iloc[:0]
        assert DOUBLE(frame).shape == (0, 3)
        assert SAME(self.pd.DataFrame({"a": []})).shape == (0, 1)

    def test_columns_that_cannot_be_taken_are_named(self):
        pd = self.pd
        for bad in (
            np.array([1, "a", 2.5], object),
            pd.period_range("2013", periods=3, freq="M"),
            pd.arrays.SparseArray([1, 0, 0]),
            pd.interval_range(0, 3),
            np.array([1j, 2, 3]),
        ):
            with pytest.raises(mm.KindError, match="odd"):
                SAME(self.frame().assign(odd=bad))
        with pytest.raises(mm.KindError, match="levels"):
            SAME(pd.DataFrame([[1, 2]], columns=pd.MultiIndex.from_tuples([("a", "b"), ("a", "c")])))
        with pytest.raises(mm.KindError, match="two columns"):
            SAME(pd.DataFrame([[1, 2]], columns=["a", "a"]))

    def test_categories_of_no_type_here_are_refused(self):
        pytest.importorskip("pyarrow")
        pd = self.pd
        for bad in (pd.cut([1, 2, 3], 2), pd.Categorical(pd.period_range("2013", periods=3, freq="M"))):
            with pytest.raises(
                mm.KindError, match=r'"odd": categories of dtype (interval|period).* no type'
            ) as caught:
                SAME(self.frame().assign(odd=bad))
            assert caught.value.hint == "convert it with astype(str)"

    def test_objects_that_are_no_text_tell_how_to_convert(self):
        for values, hint in (
            ([1, None, 3], "Int64"),
            ([True, None, False], "boolean"),
            ([0.5, None, 1.5], "float64"),
        ):
            with pytest.raises(mm.KindError) as caught:
                SAME(self.frame().assign(odd=np.array(values, object)))
            assert f'astype("{hint}")' in caught.value.hint
            with pytest.raises(mm.KindError) as caught:
                SAME(np.array(values, object))
            assert caught.value.hint == "give array.tolist(), in which None is null"
            assert SAME(np.array(values, object).tolist()) == values

    def test_to_pandas_of_a_table(self):
        frame = DOUBLE.run({"value": [1, None], "s": ["x", None], "f": [1.5, None]}).to_pandas()
        assert [str(frame[name].dtype) for name in ("value", "f")] == ["Int64", "float64"]
        assert frame["s"].isna().tolist() == [False, True]


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


def test_python_objects_of_polars_are_refused():
    pl = pytest.importorskip("polars")
    frame = pl.DataFrame({"a": [1], "o": pl.Series([object()], dtype=pl.Object)})
    for data in (frame, frame.lazy(), frame["o"]):
        with pytest.raises(mm.KindError, match='column "o": values of dtype Object'):
            SAME(data)
    assert mm.pipeline('mm.pipeline { input = { "a: i64?" } }')(frame).columns == ["a"]


def test_out_may_be_shared_memory():
    memory = shared_memory.SharedMemory(create=True, size=8)
    try:
        bytes_in = np.arange(8, dtype="u1")
        mm.pipeline(':derive "value = wrap.u8(value * 2)"').run(bytes_in, out=memory)
        assert bytes(memory.buf[:8]) == bytes(range(0, 16, 2))
    finally:
        memory.close()
        memory.unlink()


def test_out_that_is_masked_is_refused():
    data = np.ma.array([1.0, 2.0], mask=[0, 1])
    with pytest.raises(mm.UsageError, match="out has masked values"):
        DOUBLE.run(np.arange(2.0), out=data)
    plain = np.ma.zeros(2)
    DOUBLE.run(np.arange(2.0), out=plain)
    assert plain.tolist() == [0, 2]


def test_out_of_any_shape_lies_in_the_order_of_c():
    out = np.zeros((2, 2))
    DOUBLE.run(np.arange(4.0), out=out)
    assert out.tolist() == [[0, 2], [4, 6]]
    with pytest.raises(mm.UsageError, match="do not lie one after the other"):
        DOUBLE.run(np.arange(4.0), out=np.zeros((2, 2), order="F"))


@pytest.mark.parametrize("code", "bBhHiIlLqQfd")
def test_an_array_keeps_its_type_code(code):
    assert SAME(array.array(code, [1, 2])).typecode == code


def test_labels_of_a_frame_are_those_that_it_has_now():
    pd = pytest.importorskip("pandas")
    frame = pd.DataFrame({"a": [1], "b": [2]})
    same = mm.pipeline("mm.pipeline {}")
    for names in (["a", "b"], ["b", "a"], ["x", "y"]):
        frame.columns = names
        for _ in range(2):
            assert same.run(frame).to_pydict() == {names[0]: [1], names[1]: [2]}
    for number in range(200):
        assert same.run(pd.DataFrame({f"c{number}": [number]})).column_names == [f"c{number}"]
    frame.columns = ["a", "a"]
    for _ in range(2):
        with pytest.raises(mm.KindError, match="two columns"):
            same.run(frame)
