"""Results piece by piece, and progress."""

import pytest

import moonmill as mm

ROWS = {"carrier": ["AA", "UA", "AA", "DL"], "delay": [75.0, 10.0, None, 61.0], "n": [1, 2, 3, 4]}
CHAIN = ':where "delay > 60" :derive "twice = n * 2"'


class TestStream:
    np = pytest.importorskip("numpy")

    def test_one_table_is_cut_into_pieces(self):
        pieces = list(mm.pipeline(':derive "b = a * 2"').stream({"a": self.np.arange(10)}, rows=4))
        assert [len(piece) for piece in pieces] == [4, 4, 2]
        assert [value for piece in pieces for value in piece["b"].to_pylist()] == [2 * i for i in range(10)]

    def test_an_iterator_is_read_as_results_are_asked_for(self):
        read = []

        def source():
            for i in range(100):
                read.append(i)
                yield {"a": self.np.arange(i, i + 3)}

        results = mm.pipeline(':where "a % 2 == 0"').stream(source(), ahead=2)
        assert next(results)["a"].to_pylist() == [0, 2]
        assert len(read) <= 5
        results.close()

    def test_a_pipeline_that_groups_gets_all_rows(self):
        pieces = ({"k": [i % 2] * 3, "v": [1, 2, 3]} for i in range(4))
        results = list(mm.pipeline(':group("k", "total = sum(v)")').stream(pieces))
        assert [result.to_pydict() for result in results] == [{"k": [0, 1], "total": [12, 12]}]

    def test_nothing_gives_nothing(self):
        assert list(mm.pipeline(':where "a > 1"').stream(iter(()))) == []

    def test_wrong_numbers_are_refused(self):
        with pytest.raises(ValueError, match="rows"):
            mm.pipeline(':where "a > 1"').stream({"a": [1]}, rows=0)


class TestProgress:
    def test_a_function_is_told_how_far_it_is(self):
        seen = []
        mm.pipeline(CHAIN).run(ROWS, progress=seen.append)
        assert all(isinstance(moment, mm.Progress) for moment in seen)

    def test_a_bar_is_updated_to_the_end(self, bar):
        mm.pipeline(CHAIN).run(ROWS, progress=bar)
        assert (bar.n, bar.total) == (4, 4)

    def test_true_works_with_and_without_tqdm(self, monkeypatch, capsys):
        assert len(mm.pipeline(CHAIN).run(ROWS, progress=True)) == 2
        monkeypatch.setitem(__import__("sys").modules, "tqdm.auto", None)
        assert len(mm.pipeline(CHAIN).run(ROWS, progress=True)) == 2

    def test_anything_else_is_refused(self):
        with pytest.raises(TypeError, match="progress"):
            mm.pipeline(CHAIN).run(ROWS, progress="yes")

    def test_an_exception_in_the_function_stops_the_run(self):
        np = pytest.importorskip("numpy")

        def fail(moment):
            raise KeyError("mine")

        slow = mm.pipeline(
            ':map("b: f64", function(r) local s = 0 for i = 1, 2000 do s = s + i % 7 * r.a end return s end)'
        )
        with pytest.raises(KeyError, match="mine"):
            slow.run({"a": np.arange(1_000_000.0)}, progress=fail)
