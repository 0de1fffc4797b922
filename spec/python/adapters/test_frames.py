"""Frames and series of polars and pandas: taken without copying, answered by their like."""

import datetime

import pytest
from addresses import of_array as address

import moonmill as mm

np = pytest.importorskip("numpy")


SAME = mm.pipeline("mm.pipeline {}")
DOUBLE = mm.pipeline(':derive "value = value * 2"')


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

    def test_in_expressions(self):
        pl = self.pl
        frame = pl.DataFrame({"a": [1, 2]})
        twice = mm.pipeline(':derive "a = a * 2"')
        for given in ({}, {"return_dtype": pl.Int64}):
            assert frame.select(pl.col("a").map_batches(twice, **given))["a"].to_list() == [2, 4]
            assert frame.lazy().select(pl.col("a").map_batches(twice, **given)).collect()["a"].to_list() == [
                2,
                4,
            ]

    @pytest.mark.parametrize("name", ["Categorical", "Enum"])
    def test_texts_of_categories_are_so_again(self, name):
        pl = self.pl
        dtype = pl.Enum(["a", "b"]) if name == "Enum" else pl.Categorical()
        frame = pl.DataFrame({"c": ["a", "b", None], "n": [1, 2, 3]}, schema_overrides={"c": dtype})
        assert SAME(frame).equals(frame) and SAME(frame).schema == frame.schema
        assert mm.pipeline(':where "n > 1"')(frame).equals(frame[1:])
        assert mm.pipeline(':group("c", "n = sum(n)")')(frame).schema["c"] == dtype
        assert SAME(frame.lazy()).collect_schema() == frame.schema
        assert frame.lazy().map_batches(SAME).collect().schema == frame.schema
        assert SAME(frame["c"]).dtype == dtype and SAME(frame["c"]).name == "c"
        assert mm.pipeline(':drop "c"')(frame).columns == ["n"]

    def test_texts_that_are_of_no_category_stay_texts(self):
        pl = self.pl
        frame = pl.DataFrame({"c": pl.Series(["a", "b", None], dtype=pl.Enum(["a", "b"]))})
        shouted = mm.pipeline(':derive "c = upper(c)"')(frame)
        assert shouted["c"].to_list() == ["A", "B", None] and shouted["c"].dtype == pl.String

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

    def test_untouched_columns_can_be_written_and_are_copied_before(self):
        pd = self.pd
        if int(pd.__version__.split(".")[0]) < 3:
            pytest.skip("copies are made on writing from pandas 3 on")
        data = pd.DataFrame(
            {
                "n": [1, 2, 3],
                "x": [0.5, 1.5, 2.5],
                "t": pd.date_range("2013", periods=3),
                7: [4, 5, 6],
                ("a", "b"): 1,
            },
            index=["u", "u", "w"],
        )
        before = data.copy()
        result = mm.pipeline(':derive "y = n + x"')(data)
        for label in data.columns:
            assert address(result[label]) == address(data[label])
        for label in data.columns:
            result.loc[result["y"] > 3, label] = result[label].iloc[0]
        result.loc["u", "y"] = 0
        assert result["n"].tolist() == [1, 1, 1] and result["y"].tolist() == [0, 0, 5.5]
        pd.testing.assert_frame_equal(data, before)
        kept = SAME(data)
        data.loc["u", "n"] = 9
        assert kept["n"].tolist() == [1, 2, 3]

    def test_columns_of_other_values_are_not_taken_for_the_input(self):
        pd = self.pd
        data = pd.DataFrame({"n": [1, 2, 3], "m": [4, 5, 6], "f": [1.0, np.nan, 3.0]})
        swapped = mm.pipeline(':select { "a = n", "n = m", "m = a", "f" }')(data)
        assert swapped["n"].tolist() == [4, 5, 6] and swapped["m"].tolist() == [1, 2, 3]
        lost = mm.pipeline(':derive { "n = nullif(n, 2)", "f = coalesce(f, 0)" }')(data)
        assert lost["n"].isna().tolist() == [False, True, False] and lost["f"].tolist() == [1, 0, 3]
        assert SAME(data.iloc[::2])["n"].tolist() == [1, 3] and SAME(data.iloc[::-1])["n"].tolist() == [
            3,
            2,
            1,
        ]

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


def test_python_objects_of_polars_are_refused():
    pl = pytest.importorskip("polars")
    frame = pl.DataFrame({"a": [1], "o": pl.Series([object()], dtype=pl.Object)})
    for data in (frame, frame.lazy(), frame["o"]):
        with pytest.raises(mm.KindError, match='column "o": values of dtype Object'):
            SAME(data)
    assert mm.pipeline('mm.pipeline { input = { "a: i64?" } }')(frame).columns == ["a"]


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
