"""Options of reading files, and files that are open already."""

import gzip
import inspect
import io
import pickle
import subprocess
from pathlib import Path

import pytest

import moonmill as mm
from moonmill import _core
from moonmill.script import ask

PASS = mm.pipeline("mm.pipeline {}")


@pytest.fixture
def odd(tmp_path):
    """A file that needs options."""
    path = tmp_path / "odd.csv"
    path.write_text("x;y\n'1';NA\n2;b;c\n")
    return path


ODD = {"delimiter": ";", "quote": "'", "null": "NA", "ragged": True}


class TestOptions:
    def test_every_way_to_run_takes_them(self, odd, tmp_path):
        expected = {"x": [1, 2], "y": [None, "b"]}
        assert PASS(odd, **ODD).to_pydict() == expected
        assert PASS.run(odd, **ODD).to_pydict() == expected
        assert PASS.submit(str(odd), **ODD).result(30).to_pydict() == expected
        assert [piece.to_pydict() for piece in PASS.stream(odd, **ODD)] == [expected]
        assert [piece.to_pydict() for piece in PASS(iter([odd]), **ODD)] == [expected]
        assert mm.read(odd, **ODD).to_pydict() == expected
        assert PASS.run_files(odd, tmp_path / "out", **ODD).check().rows == 2
        assert (tmp_path / "out" / "odd.csv").read_text() == "x,y\n1,\n2,b\n"

    def test_questions_take_them_too(self, odd):
        pipeline = mm.pipeline(':derive "z = x + 1"')
        assert repr(pipeline.output_schema(odd, **ODD)) == "Schema(x: i64?, y: utf8?, z: i64?)"
        pipeline.check(odd, **ODD)
        assert "reads 2 of 2 columns" in pipeline.explain(odd, **ODD)
        with pytest.raises(mm.UsageError, match='no column "x"'):
            pipeline.check(odd)

    def test_files_carry_them(self, odd):
        files = mm.files(odd, **ODD)
        assert repr(files).startswith(f"<moonmill.Files: {odd}, delimiter=';'")
        for _ in range(2):
            assert PASS.run(files).num_rows == 2
        assert PASS.run(pickle.loads(pickle.dumps(files))).num_rows == 2
        for name, rows in (("a.csv", "0\n1\n"), ("b.csv", "0\n1\n2\n")):
            (odd.parent / name).write_text("a\n" + rows)
        assert PASS.run(mm.files([odd.parent / "a.csv", odd.parent / "b.csv"])).num_rows == 5
        assert PASS.run(mm.files(str(odd.parent / "*.csv")), header=False, delimiter="|").num_rows == 10

    def test_without_a_header_columns_have_numbers(self, odd):
        table = PASS.run(odd, header=False, delimiter="semicolon", quote="none", null=["NA"], ragged=True)
        assert table.to_pydict() == {"c1": ["x", "'1'", "2"], "c2": ["y", None, "b"]}

    def test_a_parameter_of_the_same_name_comes_first(self, odd):
        own = mm.pipeline('mm.pipeline { params = { "quote: i64 = 3" } } :derive "z = p.quote"')
        assert own.run(mm.files(odd, **ODD), quote=4)["z"].to_pylist() == [4, 4]
        assert own.run(odd, delimiter=";", ragged=True, quote=5)["x"].to_pylist() == ["'1'", "2"]

    def test_unknown_ones_are_refused_with_a_suggestion(self, odd):
        named = mm.pipeline('mm.pipeline { params = { "least: i64 = 3" } }')
        for run in (named.run, named.submit, named.stream, lambda *a, **k: named.run_files(*a, "out", **k)):
            with pytest.raises(mm.UsageError, match='did you mean "delimiter"'):
                run(odd, delimeter=";")
            with pytest.raises(mm.UsageError, match='did you mean "least"'):
                run(odd, leest=1)
        for read in (mm.files, mm.read):
            with pytest.raises(mm.UsageError, match='did you mean "ragged"'):
                read(odd, raged=True)
        with pytest.raises(mm.UsageError, match="the data is in memory"):
            named.run({"a": [1]}, delimiter=";")

    @pytest.mark.parametrize(
        ("options", "kind", "words"),
        [
            ({"delimiter": "ab"}, mm.UsageError, 'one character, got "ab"'),
            ({"delimiter": ""}, mm.UsageError, "one character"),
            ({"delimiter": "\0"}, mm.UsageError, "one character"),
            ({"delimiter": ["a", "b"]}, mm.UsageError, "one value"),
            ({"delimiter": 5}, TypeError, "delimiter is int"),
            ({"delimiter": b";"}, TypeError, "delimiter is bytes"),
            ({"delimiter": '"'}, mm.UsageError, "cannot be the quote"),
            ({"header": "no"}, mm.UsageError, "true or false"),
            ({"null": [1]}, TypeError, "null is list"),
            ({"null": "a\nb"}, mm.UsageError, "one line"),
            ({"ragged": 1}, TypeError, "ragged is int"),
        ],
    )
    def test_wrong_values_are_refused_by_name(self, odd, options, kind, words):
        for run in (PASS.run, PASS.submit, PASS.stream, mm.read):
            with pytest.raises(kind, match=words):
                run(odd, **options)

    def test_the_signature_names_what_the_language_knows(self):
        words = set(inspect.signature(mm.files).parameters) - {"paths", "unknown"}
        with pytest.raises(mm.UsageError) as caught:
            mm.files("x", xyzzyxyzzy=1)
        assert caught.value.hint == "the options: " + ", ".join(
            name for name in inspect.signature(mm.files).parameters if name in words
        )

    def test_they_are_those_that_the_core_lists(self):
        """What cannot be made of the core's list says the same: signatures, docstrings, the guide."""
        listed = ask(_core.Session(), "reading_options")
        given = {
            name: parameter
            for name, parameter in inspect.signature(mm.files).parameters.items()
            if parameter.kind is parameter.KEYWORD_ONLY
        }
        kinds = {"switch": "bool | None", "texts": "str | Sequence[str] | None", "whole": "int | None"}
        expected = {option["name"]: kinds.get(option["kind"], "str | None") for option in listed}
        assert {name: parameter.annotation for name, parameter in given.items()} == expected
        assert all(parameter.default is None for parameter in given.values())
        assert list(given) == list(expected)
        guide = Path("docs/python.md").read_text()
        for name in expected:
            assert mm.files("x.csv", **{name: None}).options == {}
            assert f"\n    {name} : " in mm.files.__doc__
            assert f"`{name}`" in mm.Pipeline.__call__.__doc__
            assert f"`{name}`" in guide

    def test_outputs_may_end_otherwise(self, odd, tmp_path):
        result = PASS.run_files(odd, tmp_path / "out", suffix=".tsv.zst", **ODD).check()
        assert list(result.written.values()) == [str(tmp_path / "out" / "odd.tsv.zst")]
        again = PASS.run_files(result.written.values(), tmp_path / "back", suffix=".csv").check()
        assert Path(*again.written.values()).read_text() == "x,y\n1,\n2,b\n"


class TestFileObjects:
    def test_a_file_that_is_open_is_read_by_its_path(self, odd):
        with open(odd, "rb") as file:
            assert PASS.run(file, **ODD).num_rows == 2
            assert file.tell() == 0
        with open(odd, "rb", buffering=0) as raw, pytest.raises(mm.DataError, match=str(odd)):
            PASS.run(raw, delimiter=";")

    def test_one_that_was_deleted_is_read_by_its_descriptor(self, odd):
        with open(odd, "rb") as file:
            odd.unlink()
            assert PASS.run(file, **ODD).num_rows == 2

    def test_a_pipe_is_read_as_it_fills(self):
        with subprocess.Popen(
            ["sh", "-c", "echo a; echo 1; sleep 0.1; echo 2"], stdout=subprocess.PIPE
        ) as child:
            assert PASS.run(child.stdout)["a"].to_pylist() == [1, 2]

    def test_bytes_in_memory_are_files_too(self, odd):
        held = io.BytesIO(b"skipped" + odd.read_bytes())
        held.seek(7)
        assert PASS.run(held, **ODD).num_rows == 2
        held.write(b"again")

    def test_others_are_refused_with_what_to_do(self, odd):
        with open(odd) as text, pytest.raises(mm.KindError, match="binary mode"):
            PASS.run(text)
        with open(odd, "ab") as written, pytest.raises(mm.KindError, match="BytesIO"):
            PASS.run(written)
        with open(odd, "rb") as used, pytest.raises(mm.KindError, match=r"seek\(0\)"):
            used.read(1)
            PASS.run(used)
        with gzip.open(odd) as packed, pytest.raises(mm.KindError, match="GzipFile"):
            PASS.run(packed)
        with open(odd, "rb") as closed:
            pass
        with pytest.raises(ValueError, match="closed"):
            PASS.run(closed)
