"""What taking data in copies is counted; layouts, dates and fields of numpy."""

import datetime

import pytest

import moonmill as mm

np = pytest.importorskip("numpy")

SAME = mm.pipeline("mm.pipeline {}")


class TestCountingOfCopies:
    def test_what_numpy_lays_out_otherwise_is_counted(self):
        data = np.arange(12, dtype="i4").reshape(3, 4)
        for view in (np.asfortranarray(data), data.T, data[::-1, ::2], np.broadcast_to(data[0], (5, 4))):
            table = SAME.run(view)
            assert table.stats.copied_bytes == view.size * 4
            assert (SAME(view) == view).all()

    def test_half_floats_months_and_masks_are_counted(self):
        assert SAME.run(np.ones(100, "f2")).stats.copied_bytes == 400
        assert SAME.run(np.array(["2020-03"], "M8[M]")).stats.copied_bytes >= 4
        masked = np.ma.array([[1, 2], [3, 4]], mask=[[0, 1], [0, 0]]).T
        assert SAME.run(masked).stats.copied_bytes >= 32
        assert SAME(masked).tolist() == [[1, 3], [None, 4]]

    def test_columns_of_a_dict_and_tables_of_a_list_count_as_they_do_alone(self):
        strided = np.arange(100.0)[::2]
        assert SAME.run({"a": strided, "b": np.arange(50.0)}).stats.copied_bytes == strided.nbytes
        pl = pytest.importorskip("polars")
        frame = pl.DataFrame({"s": ["x", "yy"]})
        assert SAME.run([frame, frame]).stats.copied_bytes == 2 * SAME.run(frame).stats.copied_bytes > 0


class TestDatesOfNumpy:
    def test_months_and_years_are_their_first_days(self):
        data = np.array(["2020-03", "NaT", "1969-12"], "M8[M]")
        assert SAME(data).tolist() == data.astype("M8[D]").tolist()
        assert SAME(np.array(["2020"], "M8[Y]")).tolist() == [datetime.date(2020, 1, 1)]

    def test_units_below_ours_are_refused(self):
        with pytest.raises(mm.KindError, match=r"datetime64\[ps\].*\n.*astype"):
            SAME(np.array([1], "M8[ps]"))


def test_fields_of_several_values_are_refused_by_name():
    for inner in ([("x", "i4"), ("y", "i4")], ("i4", 2)):
        with pytest.raises(mm.KindError, match='column "a": fields of'):
            SAME(
                np.zeros(
                    2, dtype=[("a", *inner)] if isinstance(inner, tuple) else [("a", inner), ("b", "i4")]
                )
            )


def test_text_fields_of_any_shape_are_taken():
    data = np.array([[(1, "a")], [(2, "b")]], dtype=[("n", "i4"), ("s", "U3")])
    assert SAME.run(data).to_pydict() == {"n": [1, 2], "s": ["a", "b"]}


def test_bytes_in_the_other_order_are_turned_whatever_their_width():
    for dtype in ("i2", "u2", "i4", "u4", "f4", "i8", "u8", "f8", "M8[us]", "m8[ns]"):
        data = np.arange(1, 1000, 7).astype("i8").astype(dtype)
        assert (SAME(data.astype(data.dtype.newbyteorder(">"))) == data).all()


def test_nulls_are_no_zeros_in_a_plain_array():
    column = mm.pipeline("mm.pipeline {}").run({"k": [1, None, 3]})["k"]
    with pytest.raises(ValueError, match=r"column k: an array of int64 cannot hold its nulls; to_numpy\(\)"):
        np.asarray(column)
    with pytest.raises(ValueError, match="array of int32 cannot hold"):
        np.asarray(column, dtype="i4")
    assert np.array_equal(np.asarray(column, dtype=float), [1, np.nan, 3], equal_nan=True)
    assert np.asarray(column, dtype=object).tolist() == [1, None, 3]
    assert np.asarray(SAME.run(np.arange(3))["value"]).tolist() == [0, 1, 2]
    assert np.isnan(np.asarray(SAME.run({"x": [1.5, None]})["x"])[1])


class TestSharing:
    np = pytest.importorskip("numpy")

    def address(self, array):
        return array.__array_interface__["data"][0]

    def test_what_passes_untouched_shares_the_memory_of_the_input(self):
        data = self.np.arange(100_000.0)
        table = mm.pipeline('mm.pipeline { input = "f64" }').run(data)
        assert self.address(table["value"].to_numpy()) == self.address(data)
        assert table["value"].data().address == self.address(data)
        assert not table["value"].to_numpy().flags.writeable
        assert table.stats.copied_bytes == 0
        assert table.stats.shared_bytes >= data.nbytes

    def test_copy_shares_nothing(self):
        data = self.np.arange(100_000.0)
        table = mm.pipeline('mm.pipeline { input = "f64" }').run(data, copy=True)
        assert self.address(table["value"].to_numpy()) != self.address(data)
        assert table.stats.copied_bytes >= data.nbytes
        data[0] = 7
        assert table["value"][0] == 0

    def test_results_own_their_memory_and_are_writable(self):
        table = mm.pipeline(':derive "value = value + 1"').run(self.np.arange(10.0))
        array = table["value"].to_numpy()
        del table
        assert array.flags.writeable
        array[0] = 5
        assert array.tolist()[:2] == [5.0, 2.0]
