"""Mappings of names to columns, lists of rows, and what is neither."""

import pytest

import moonmill as mm

SAME = mm.pipeline("mm.pipeline {}")


class TestMappings:
    def test_any_mapping_is_columns(self):
        import collections
        import types

        for make in (types.MappingProxyType, collections.UserDict, collections.ChainMap):
            assert SAME(make({"a": [1], "b": ["x"]})) == {"a": [1], "b": ["x"]}

    @pytest.mark.parametrize("value", [1, None, "abc", {1}, (i for i in [1]), {"x": [1]}.values()])
    def test_what_is_no_column_is_refused_by_name(self, value):
        with pytest.raises(mm.KindError, match=r'column "b": a value of type .* is not a column'):
            SAME({"a": [1], "b": value})

    def test_a_text_is_not_opened_as_a_file(self, tmp_path):
        (tmp_path / "f.csv").write_text("x\n1\n")
        for path in (str(tmp_path / "f.csv"), tmp_path / "f.csv"):
            with pytest.raises(mm.KindError, match='column "a"'):
                SAME({"a": path})

    def test_names_that_are_not_text_are_refused(self):
        with pytest.raises(mm.KindError, match='column "1": its name is of type int'):
            SAME({1: [1]})

    def test_rows_are_all_dicts(self):
        with pytest.raises(mm.KindError, match=r"type int among rows that are dicts \(row 2\)"):
            SAME([{"a": 1}, 5])

    def test_rows_of_an_iterator_are_told_to_be_a_list(self):
        with pytest.raises(mm.KindError, match="of rows give a list"):
            list(SAME(iter([{"a": 1}, {"a": 2}])))


def test_a_column_of_a_table_gives_a_column():
    column = SAME.run({"k": [1, 2]})["k"]
    assert isinstance(SAME(column), mm.Column)
    assert SAME(column).name == "k"
    assert mm.pipeline(':where "k > 1"')(column).to_pylist() == [2]
    assert mm.pipeline(':derive "b = k"')(column).to_pydict() == {"k": [1, 2], "b": [1, 2]}
