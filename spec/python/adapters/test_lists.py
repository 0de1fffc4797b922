"""Lists in: one look finds the type of Python values, mixtures are refused with their row."""

import datetime as dt

import pytest

from moonmill import _core

Table = _core.Table
pytestmark = pytest.mark.usefixtures("no_leaks")
UTC = dt.timezone.utc


def column(data, **options):
    return Table.from_columns(["x"], [data], **options)["x"]


@pytest.mark.parametrize(
    ("data", "name"),
    [
        ([1, -5, 2**63 - 1, -(2**63)], "i64"),
        ([0, 2**64 - 1], "u64"),
        ([True, False], "bool"),
        ([1.5, float("inf"), -0.0], "f64"),
        (["", "ä", "日本語", "a" * 1000], "utf8"),
        ([b"", b"\xff\x00"], "binary"),
        ([dt.date(1, 1, 1), dt.date(9999, 12, 31)], "date"),
        ([dt.datetime(1, 1, 1), dt.datetime(9999, 12, 31, 23, 59, 59, 999999)], "timestamp(us)"),
        ([dt.timedelta(days=-1, microseconds=1), dt.timedelta(hours=5)], "duration(us)"),
    ],
)
def test_values_come_back_as_they_went_in(data, name):
    for given in (data, tuple(data), [*data, None], [None, *data]):
        found = column(given)
        assert found.type == name and found.to_pylist() == list(given)
        assert found.nullable == (None in given) and found.null_count == list(given).count(None)


@pytest.mark.parametrize("size", [0, 1, 63, 64, 65, 1023, 1024, 1025])
def test_nulls_stand_where_they_stood(size, rng):
    for make in (lambda i: i, lambda i: i * 0.5, lambda i: str(i), lambda i: i % 2 == 0):
        data = [None if rng.random() < 0.3 else make(i) for i in range(size)]
        assert column(data).to_pylist() == data


def test_nothing_but_nulls_has_the_type_null():
    for data in ([], [None], [None] * 100):
        assert column(data).type == "null" and column(data).to_pylist() == data


def test_ranges_are_lists_of_numbers():
    assert column(range(5)).to_pylist() == [0, 1, 2, 3, 4]


def test_whole_numbers_among_floats_are_floats_unless_they_lose_digits():
    assert column([1, 2.5, None]).to_pylist() == [1.0, 2.5, None]
    assert column([2**53, 0.5]).to_pylist() == [2.0**53, 0.5]
    with pytest.raises(ValueError, match=r'"x": row 2.*exactly'):
        column([0.5, 2**53 + 1])


@pytest.mark.parametrize(
    ("data", "what"),
    [
        ([1, "a"], "row 2.*str among values of type int"),
        ([True, 1], "row 2.*int among values of type bool"),
        (["a", b"b"], "row 2.*bytes among values of type str"),
        ([dt.date(2000, 1, 1), dt.datetime(2000, 1, 1)], "datetime among values of type date"),
        ([dt.datetime(2000, 1, 1), dt.datetime(2000, 1, 1, tzinfo=UTC)], "datetime with a zone among"),
        ([2**64], "row 1.*neither i64 nor u64"),
        ([-(2**63) - 1], "row 1.*64 bits"),
        ([-1, 2**63], "neither i64 nor u64"),
        (["a", "\ud800"], "row 2.*surrogate"),
        ([dt.timedelta.max], "row 1.*64 bits"),
        ([1, 2j], "row 2, of type complex"),
    ],
)
def test_mixtures_and_misfits_are_refused_with_their_row(data, what):
    with pytest.raises(ValueError, match=rf'"x".*{what}'):
        column(data)


def test_nan_is_null_when_it_is_said_to_be():
    nan = float("nan")
    assert column([1.0, nan]).null_count == 0
    assert column([1.0, nan], nan_is_null=True).to_pylist() == [1.0, None]
    assert column(["a", nan], nan_is_null=True).to_pylist() == ["a", None]
    with pytest.raises(ValueError, match=r"float among values of type str"):
        column(["a", nan])


def test_times_with_zones_keep_the_zone_and_the_moment():
    zoneinfo = pytest.importorskip("zoneinfo")
    paris = zoneinfo.ZoneInfo("Europe/Paris")
    data = [dt.datetime(2024, 7, 1, 12, tzinfo=paris), None]
    found = column(data)
    assert found.type == "timestamp(us, Europe/Paris)"
    assert found.to_pylist() == data and found[0].tzinfo is UTC
    mixed = [data[0], dt.datetime(2024, 7, 1, tzinfo=dt.timezone(dt.timedelta(hours=-5)))]
    assert column(mixed).type == "timestamp(us, UTC)" and column(mixed).to_pylist() == mixed


def test_subclasses_are_their_bases():
    class Word(str):
        pass

    class Number(int):
        pass

    assert column([Word("a"), "b"]).to_pylist() == ["a", "b"]
    assert column([Number(3)]).to_pylist() == [3]


def test_scalars_of_numpy_are_values():
    np = pytest.importorskip("numpy")
    assert column([np.int64(1), 2, np.int8(3)]).to_pylist() == [1, 2, 3]
    assert column([np.float32(0.5), np.float64(1.5)]).to_pylist() == [0.5, 1.5]
    assert column([np.bool_(True), None]).to_pylist() == [True, None]
    given = (np.int64(1), 2)
    column(given)
    assert type(given[0]) is np.int64


def test_text_of_numpy_is_text():
    np = pytest.importorskip("numpy")
    assert column(np.array(["a", "bcd", ""])).to_pylist() == ["a", "bcd", ""]
    assert column(np.array([b"a", b"bcd"])).to_pylist() == [b"a", b"bcd"]
    assert column(np.array(["a", None, "c"], dtype=object)).to_pylist() == ["a", None, "c"]
    assert column(np.array(["a", np.nan], dtype=object), nan_is_null=True).to_pylist() == ["a", None]
    if hasattr(np.dtypes, "StringDType"):
        assert (
            column(np.array(["a", "long enough to be elsewhere"], np.dtypes.StringDType())).to_pylist()[0]
            == "a"
        )


def test_missing_values_of_pandas_are_null():
    pd = pytest.importorskip("pandas")
    assert column([1, pd.NA, 3]).to_pylist() == [1, None, 3]
    assert column([dt.datetime(2000, 1, 1), pd.NaT]).to_pylist() == [dt.datetime(2000, 1, 1), None]
    with pytest.raises(ValueError, match=r"nanoseconds"):
        column([pd.Timestamp("2000-01-01 00:00:00.000000001")])


def test_a_value_that_fails_to_tell_its_zone_raises_what_it_raised():
    class Broken(dt.tzinfo):
        def utcoffset(self, when):
            raise RuntimeError("no offset")

    with pytest.raises(RuntimeError, match=r"no offset"):
        column([dt.datetime(2000, 1, 1, tzinfo=Broken())])


def test_lists_that_change_while_they_are_read_do_no_harm():
    class Shrink(dt.tzinfo):
        def utcoffset(self, when):
            data.clear()
            return dt.timedelta(0)

    data = [dt.datetime(2000, 1, 1, tzinfo=Shrink()) for _ in range(100)]
    assert len(column(data)) == 100 and data == []


def test_every_day_of_the_calendar_is_counted():
    days = [dt.date.fromordinal(number) for number in range(1, dt.date.max.toordinal() + 1, 13)]
    assert column(days).to_pylist() == days
    edges = [
        dt.date(y, m, d) for y in (4, 1600, 1900, 2000, 2023, 2024) for m, d in ((2, 28), (3, 1), (12, 31))
    ]
    assert column(edges).to_pylist() == edges
    times = [dt.datetime.combine(day, dt.time(23, 59, 59, 999999)) for day in edges]
    assert column(times).to_pylist() == times


def test_zones_that_change_from_row_to_row_are_those_of_their_rows():
    east = dt.timezone(dt.timedelta(hours=9, minutes=30))
    data = [dt.datetime(2024, 7, 1, 12, tzinfo=zone) for zone in (UTC, UTC, east, UTC, east, east)]
    found = column(data)
    assert found.type == "timestamp(us, UTC)"
    assert found.to_pylist() == data
