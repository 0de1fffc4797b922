"""Frames of pandas keep what they are: dtypes of text, labels, attributes; an Index gives an Index."""

import datetime

import pytest

import moonmill as mm

pd = pytest.importorskip("pandas")

SAME = mm.pipeline("mm.pipeline {}")
DOUBLE = mm.pipeline(':derive "value = value * 2"')


@pytest.mark.parametrize("dtype", ["string", "string[python]", "string[pyarrow]", "object"])
def test_text_keeps_its_dtype(dtype):
    if "pyarrow" in dtype:
        pytest.importorskip("pyarrow")
    series = pd.Series(["x", None, "z"], dtype=dtype, name="s")
    assert SAME(series).dtype == series.dtype
    pd.testing.assert_frame_equal(SAME(series.to_frame()), series.to_frame())
    longer = mm.pipeline(""":derive "s = s .. '!'" """)
    assert longer(series.to_frame())["s"].dtype == series.dtype


def test_attrs_and_the_name_of_the_columns_stay():
    frame = pd.DataFrame([[1, 2]], columns=pd.Index(["a", "b"], name="what"))
    frame.attrs["source"] = "spec"
    result = mm.pipeline(':derive "c = a + b"')(frame)
    assert result.columns.name == "what" and result.attrs == {"source": "spec"}
    result.attrs["more"] = 1
    assert "more" not in frame.attrs


def test_an_index_gives_an_index():
    index = pd.Index([1, 2], name="k")
    pd.testing.assert_index_equal(DOUBLE(pd.Index([1, 2])), pd.Index([2, 4]))
    pd.testing.assert_index_equal(SAME(index), index)
    days = pd.date_range("2020", periods=3)
    assert SAME(days).equals(days)
    with pytest.raises(mm.KindError, match="several levels"):
        SAME(pd.MultiIndex.from_tuples([(1, 2)]))


def test_arrays_of_pandas_give_their_like():
    for data in (
        pd.array([1, None]),
        pd.Categorical(["a", "b", "a"]),
        pd.array(["x", "y"]),
    ):
        result = SAME(data)
        assert type(result) is type(data) and result.dtype == data.dtype
        assert list(result.isna()) == list(data.isna())


def test_they_are_columns_of_a_dict():
    columns = {"k": pd.Index([1, 2]), "c": pd.Categorical(["x", "y"])}
    assert SAME.run(columns).to_pydict() == {"k": [1, 2], "c": ["x", "y"]}


@pytest.mark.parametrize(
    ("value", "hint"),
    [
        (1, 'astype("Int64")'),
        (True, 'astype("boolean")'),
        (1.5, 'astype("float64")'),
        (datetime.date(2020, 1, 1), "pandas.to_datetime()"),
        (datetime.timedelta(1), "pandas.to_timedelta()"),
        ([1], "numbers, text, dates or times"),
    ],
)
def test_objects_that_are_not_text_are_refused_with_what_to_do(value, hint):
    with pytest.raises(mm.KindError, match='column "a": row 2') as caught:
        SAME(pd.DataFrame({"a": pd.Series([None, value], dtype=object)}))
    assert hint in caught.value.hint
