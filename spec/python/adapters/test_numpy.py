"""Arrays of numpy: taken without copying where that can be, answered by arrays."""

import math

import pytest
from addresses import of_array as address

import moonmill as mm

np = pytest.importorskip("numpy")


SAME = mm.pipeline("mm.pipeline {}")
DOUBLE = mm.pipeline(':derive "value = value * 2"')
EDGES = [0, 1, 63, 64, 65, 1023, 1024, 1025, 2048, 2049, 65536, 65537]


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
