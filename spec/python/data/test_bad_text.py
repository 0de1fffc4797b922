"""Texts of Python that have no UTF-8: each is an error of the package, which says where the text was."""

import os
import pathlib

import pytest

import moonmill as mm

LONE = "a\ud800b"
WHOLE = mm.pipeline("mm.pipeline {}")
GREETING = mm.pipeline('mm.pipeline { params = { "t: utf8 = \'x\'" } } :derive "u = p.t"')
BEYOND = "code point beyond U\\+10FFFF"


@pytest.fixture
def beyond():
    """An array of three texts; the second one has a code point that Unicode does not have."""
    numpy = pytest.importorskip("numpy")
    array = numpy.array(["abc", "def", "ghi"])
    array.view("u4")[4] = 0x110000
    return array


def refused(run, row=None, column="k", match=BEYOND):
    with pytest.raises(mm.DataError, match=match) as caught:
        run()
    assert (caught.value.id, caught.value.field) == ("bad-utf8", column)
    if row is not None:
        assert f"row {row}," in caught.value.message


def test_a_code_point_beyond_unicode_in_an_array_names_column_and_row(beyond):
    numpy = pytest.importorskip("numpy")
    refused(lambda: WHOLE.run({"k": beyond}), 2)
    refused(lambda: WHOLE(beyond), 2, "value")
    refused(lambda: WHOLE.submit({"k": beyond[1:]}), 1)
    refused(lambda: WHOLE.run({"k": beyond.reshape(3, 1)}), 2)
    refused(lambda: WHOLE.run({"k": beyond.astype(">U3")}), 2)
    refused(lambda: WHOLE.run({"k": numpy.ma.MaskedArray(beyond, mask=[1, 0, 0])}), 2)
    refused(lambda: WHOLE.run({"k": list(beyond)}), 2)
    refused(lambda: WHOLE.run([{"k": "x"}, {"k": beyond[1]}]), 2)
    refused(lambda: mm.store.__setitem__("t", {"k": beyond}), 2)
    assert WHOLE.run({"k": beyond[::2]}).to_pydict() == {"k": ["abc", "ghi"]}


@pytest.mark.parametrize("point", [0x110000, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF])
def test_any_number_that_is_no_code_point_is_found(beyond, point):
    beyond.view("u4")[4] = point
    refused(lambda: WHOLE.run({"k": beyond}), 2)
    beyond.view("u4")[4] = 0x10FFFF
    assert WHOLE.run({"k": beyond}).to_pydict()["k"][1] == "d\U0010fffff"


def test_a_code_point_beyond_unicode_as_parameter_name_or_argument(beyond):
    bad = beyond[1]
    with pytest.raises(mm.UsageError, match="a parameter has a " + BEYOND):
        GREETING.run({"a": [1]}, t=bad)
    with pytest.raises(mm.UsageError, match="the name of a column has a " + BEYOND):
        WHOLE.run({bad: [1]})
    echo = mm.module('mm.module { f = mm.fn("t: utf8 -> utf8", function(t) return t end) }')
    with pytest.raises(mm.UsageError, match="f: t has a " + BEYOND):
        echo.f(bad)


def test_lone_surrogates_in_text_and_categories_of_pandas_name_the_row():
    pandas = pytest.importorskip("pandas")
    text = pandas.array(["x", LONE], dtype="string[python]")
    categories = pandas.Categorical.from_codes([0, 0, 1], pandas.Index(["x", LONE], dtype=object))
    refused(lambda: WHOLE.run(pandas.DataFrame({"k": text})), 2, match="surrogate")
    refused(lambda: WHOLE(pandas.Series(text, name="k")), 2, match="surrogate")
    refused(lambda: WHOLE.run(pandas.DataFrame({"k": categories})), 3, match="surrogate")


@pytest.mark.parametrize("name", [LONE, "a\0b"])
def test_paths_that_no_file_can_have(tmp_path, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    pathlib.Path("a.csv").write_text("a\n1\n")
    pathlib.Path("a").write_text("return require 'moonmill'.pipeline {}")
    for run in (
        lambda: mm.load(name),
        lambda: mm.read(name),
        lambda: mm.files(name),
        lambda: mm.files([f"{name}*"]),
        lambda: WHOLE.run(name),
        lambda: WHOLE(pathlib.Path(name)),
        lambda: WHOLE.run([pathlib.Path(name)]),
        lambda: WHOLE.submit(name),
        lambda: list(WHOLE.stream(name)),
        lambda: WHOLE.output_schema(name),
        lambda: WHOLE.run_files(name, "out"),
        lambda: WHOLE.run_files("a.csv", name),
        lambda: WHOLE.run_files("a.csv", "out", suffix=name),
    ):
        with pytest.raises(mm.UsageError, match=r"contains a (null byte|lone surrogate)") as caught:
            run()
        assert caught.value.id == "bad-path"
    assert sorted(os.listdir()) == ["a", "a.csv"]


def test_a_script_whose_path_is_not_utf_8(tmp_path):
    path = os.fsencode(tmp_path) + b"/\xff.lua"
    pathlib.Path(os.fsdecode(path)).write_text("return require 'moonmill'.pipeline {}")
    with pytest.raises(mm.UsageError, match=r"the path of a script has half a .*\\udcff.lua'"):
        mm.load(path)


def test_a_default_of_a_parameter_that_is_not_utf_8():
    with pytest.raises(mm.UsageError, match=r'default of "a" .* expected a text in UTF-8'):
        mm.pipeline('mm.pipeline { params = { "a: utf8 = \'\\255\'" } } :derive "b = p.a"').run({"x": [1]})
    binary = mm.pipeline('mm.pipeline { params = { "a: binary = \'\\255\'" } } :derive "b = p.a"')
    assert binary.run({"x": [1]}).to_pydict()["b"] == [b"\xff"]
