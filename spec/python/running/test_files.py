"""Files: read by their paths, and answered by files."""

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import programs
import pytest

import moonmill as mm

LATE = mm.pipeline(
    'mm.pipeline { params = { "min: f64 = 60" }, input = { "carrier: utf8", "arr_delay: f64?" } }'
    ':where "arr_delay > p.min"'
)


@pytest.fixture
def inputs(tmp_path):
    folder = tmp_path / "in"
    folder.mkdir()
    for name, rows in (("a.csv", "AA,70\nUA,5\n"), ("b.csv", "DL,61.5\n"), ("c.tsv", "EV\t90\n")):
        separator = "\t" if name.endswith("tsv") else ","
        (folder / name).write_text(f"carrier{separator}arr_delay\n{rows}")
    return folder


def shown(folder):
    """Names in a folder of outputs, without the manifest, which is hidden."""
    return sorted(name for name in os.listdir(folder) if name != ".moonmill-manifest")


def test_a_path_is_data(flights, inputs):
    assert LATE.run(flights).num_rows == 1862
    assert LATE.run(str(inputs / "a.csv"), min=0).to_pydict() == {
        "carrier": ["AA", "UA"],
        "arr_delay": [70.0, 5.0],
    }
    assert LATE(inputs / "b.csv")["carrier"].to_pylist() == ["DL"]


def test_the_answer_is_that_of_the_same_data_in_memory(flights, tmp_path):
    pandas = pytest.importorskip("pandas")
    pipeline = mm.pipeline(':group("carrier", { "n = count()", "d = mean(arr_delay)" })')
    frame = pandas.read_csv(_unpacked(flights, tmp_path))
    assert pipeline.run(frame).to_pydict() == pipeline.run(flights).to_pydict()


def _unpacked(path, folder):
    target = folder / "flights.csv"
    subprocess.run(["zstd", "-qdf", path, "-o", target], check=True)
    return target


def test_paths_in_a_list_are_one_table(inputs):
    assert LATE.run([inputs / "a.csv", inputs / "b.csv"])["carrier"].to_pylist() == ["AA", "DL"]


def test_declared_types_hold_for_files(inputs):
    assert LATE.run(inputs / "a.csv").types == ["utf8", "f64"]
    with pytest.raises(mm.DataError) as caught:
        (inputs / "bad.csv").write_text("carrier,arr_delay\nAA,1\nUA,x4\n")
        LATE.run(inputs / "bad.csv")
    assert (caught.value.line, caught.value.field, caught.value.value) == (3, "arr_delay", "x4")
    assert caught.value.file.endswith("bad.csv")
    assert caught.value.script["file"] == LATE.name
    with pytest.raises(mm.UsageError, match='did you mean "arr_delay"'):
        mm.pipeline('mm.pipeline { input = { "arr_dely: f64" } }').run(inputs / "a.csv")


def test_each_file_is_answered_by_a_file(inputs, tmp_path, no_leaks):
    result = LATE.run_files(str(inputs / "*.*sv"), to=tmp_path / "out", min=60)
    assert shown(tmp_path / "out") == ["a.csv", "b.csv", "c.tsv"]
    assert (tmp_path / "out" / "a.csv").read_text() == "carrier,arr_delay\nAA,70.0\n"
    assert (tmp_path / "out" / "c.tsv").read_text() == "carrier\tarr_delay\nEV\t90.0\n"
    assert (len(result.written), result.rows, result.errors, result.skipped) == (3, 3, {}, [])
    assert result.check() is result


def test_a_second_run_does_what_is_missing(inputs, tmp_path):
    LATE.run_files(inputs / "a.csv", to=tmp_path / "out")
    result = LATE.run_files([inputs / "a.csv", inputs / "b.csv"], to=tmp_path / "out", resume=True)
    assert [Path(path).name for path in result.skipped] == ["a.csv"]
    assert [Path(path).name for path in result.written] == ["b.csv"]
    os.utime(inputs / "a.csv", (4e9, 4e9))
    assert not LATE.run_files(inputs / "a.csv", to=tmp_path / "out", resume=True).skipped


def test_a_bad_file_does_not_stop_the_others(inputs, tmp_path):
    (inputs / "bad.csv").write_text("carrier,arr_delay\nAA,x\n")
    paths = [inputs / "bad.csv", inputs / "no-such.csv", inputs / "a.csv"]
    result = LATE.run_files(paths, to=tmp_path / "out")
    assert [Path(path).name for path in result.written] == ["a.csv"]
    assert [type(error) for error in result.errors.values()] == [mm.DataError, mm.FileError]
    assert shown(tmp_path / "out") == ["a.csv"]
    with pytest.raises(mm.DataError):
        result.check()


def test_many_small_files_are_answered_in_order(tmp_path, no_leaks):
    (tmp_path / "in").mkdir()
    for number in range(60):
        rows = "".join(f"AA,{value}\n" for value in range(number))
        (tmp_path / "in" / f"{number:02}.csv").write_text(
            "carrier,arr_delay\n" + (rows if number % 20 else "AA,x\n")
        )
    result = LATE.run_files(str(tmp_path / "in" / "*.csv"), to=tmp_path / "out", min=-1, threads=3)
    assert [Path(path).name for path in result.written] == [f"{n:02}.csv" for n in range(60) if n % 20]
    assert [Path(path).name for path in result.errors] == ["00.csv", "20.csv", "40.csv"]
    assert result.rows == sum(number for number in range(60) if number % 20)


def test_ctrl_c_stops_files_that_are_read_side_by_side(inputs, tmp_path):
    forever = mm.pipeline(':map("b: f64", function(r) while true do end end)')
    threading.Timer(0.3, lambda: os.kill(os.getpid(), signal.SIGINT)).start()
    with pytest.raises(KeyboardInterrupt):
        forever.run_files(str(inputs / "*.csv"), to=tmp_path / "out", threads=2)
    assert shown(tmp_path / "out") == []


def test_ctrl_c_between_any_two_instructions_leaves_no_thread_that_hangs(inputs, tmp_path, rng):
    """A lock that is written in Python may stay locked when its taker is interrupted."""
    shares = [rng.random() for _ in range(150)]
    code = f"""
        import faulthandler, signal, sys
        import moonmill as mm

        pipeline = mm.pipeline({':where "arr_delay > 60"'!r})
        instructions = 0

        def run(moment=None):
            def trace(frame, event, argument):
                global instructions
                frame.f_trace_opcodes = True
                instructions += event in ("opcode", "line")  # 3.12.1 only tells lines
                if instructions == moment:
                    sys.settrace(None)
                    signal.raise_signal(signal.SIGINT)
                return trace

            global instructions
            instructions = 0
            sys.settrace(trace)
            try:
                pipeline.run_files({str(inputs / "*.csv")!r}, to={str(tmp_path / "out")!r}, threads=2)
            finally:
                sys.settrace(None)

        run()
        run()
        whole = instructions
        interrupts = 0
        for share in {shares}:
            faulthandler.dump_traceback_later(20, exit=True)
            try:
                run(1 + int(share * whole))
            except KeyboardInterrupt:
                interrupts += 1
        print(interrupts)
    """
    done = programs.run(code, timeout=60)
    assert (done.returncode, done.stderr) == (0, "")
    assert int(done.stdout) > 100


def test_outputs_may_not_fall_together_or_onto_inputs(inputs, tmp_path):
    with pytest.raises(mm.UsageError, match=r"is the same file as .*a\.csv, which is read") as raised:
        LATE.run_files(inputs / "a.csv", to=inputs)
    assert raised.value.id == "same-file"
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "a.csv").write_text("carrier,arr_delay\n")
    with pytest.raises(mm.UsageError, match="both"):
        LATE.run_files([inputs / "a.csv", tmp_path / "other" / "a.csv"], to=tmp_path / "out")
    with pytest.raises(mm.UsageError, match="no file matches"):
        LATE.run_files("none-*.csv", to=tmp_path)


@pytest.mark.parametrize("make", [os.link, os.symlink])
@pytest.mark.parametrize(
    "read", ["b.csv", "keep.lua", "some/part.lua", "later.lua", "part2.lua", "names.txt", "list.txt"]
)
def test_outputs_may_not_be_anything_that_is_read(inputs, tmp_path, make, read):
    (tmp_path / "some").mkdir()
    (tmp_path / "some" / "part.lua").write_text("return 1")
    (tmp_path / "later.lua").write_text("return 1")
    (tmp_path / "part2.lua").write_text("return 1")
    (tmp_path / "names.txt").write_text("a")
    (tmp_path / "list.txt").write_text("a")
    (tmp_path / "keep.lua").write_text(
        f"""local here = "{tmp_path}/" require("part" .. (1 + 1)) io.open(here .. "names.txt"):close()
        for _ in io.lines(here .. "list.txt") do end """
        'require "some.part" return require("moonmill").pipeline {}\n'
        ':where(function(r) return require "later" end)'
    )
    (tmp_path / "b.csv").write_text("a\n1\n")
    (tmp_path / "a.csv").write_text("a\n1\n")
    (tmp_path / "out").mkdir()
    make(tmp_path / read, tmp_path / "out" / "a.csv")
    before = (tmp_path / read).read_bytes()
    with pytest.raises(mm.UsageError, match=f"same file as .*{read}, which is read"):
        mm.load(tmp_path / "keep.lua").run_files(
            [tmp_path / "a.csv", tmp_path / "b.csv"], to=tmp_path / "out"
        )
    assert (tmp_path / read).read_bytes() == before


def test_a_killed_batch_leaves_nothing_behind_the_next(inputs, tmp_path):
    out = tmp_path / "out"
    program = """
        import pathlib, sys, threading, time
        import moonmill as mm
        def tell():
            while not list(pathlib.Path(sys.argv[2]).glob(".*.tmp")):
                time.sleep(0.01)
            print("ready", flush=True)
        threading.Thread(target=tell).start()
        slow = mm.pipeline(
            ':map("b: f64", function(r) local x = r.a for i = 1, 1e6 do x = x + i % 7 end return x end)'
        )
        slow.run_files(sys.argv[1], to=sys.argv[2], threads=1)
    """
    (inputs / "a.csv").write_text("a\n" + "1\n" * 100000)
    done = programs.run(program, inputs / "a.csv", out, send=signal.SIGKILL)
    assert done.returncode == -signal.SIGKILL
    assert sorted(path.name for path in out.iterdir()) == [".a.csv.moonmill-0.tmp", ".moonmill-manifest"]
    mm.pipeline(":limit(1)").run_files(inputs / "a.csv", to=out).check()
    assert sorted(path.name for path in out.iterdir()) == [".moonmill-manifest", "a.csv"]


def test_progress_counts_files_or_bytes(inputs, tmp_path, flights, bar):
    LATE.run_files(str(inputs / "*.csv"), to=tmp_path / "out", progress=bar)
    assert (bar.n, bar.total) == (2, 2)
    seen = []
    LATE.run(flights, progress=seen.append)
    assert all(isinstance(moment, mm.Progress) for moment in seen)
    assert LATE.run(flights, progress=True).num_rows == 1862


def test_asking_about_a_file_takes_declared_types_for_those_of_its_sample(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("id,x\n1,2\n")
    pipeline = mm.pipeline('mm.pipeline { input = { "id: utf8", "x: f32" } } :derive "y = id .. id"')
    assert pipeline.run(path).to_pydict() == {"id": ["1"], "x": [2.0], "y": ["11"]}
    assert repr(pipeline.output_schema(path)) == "Schema(id: utf8, x: f32, y: utf8)"
    assert "load utf8 id" in pipeline.explain(path)
    pipeline.check(path)


def test_out_needs_data_in_memory(inputs):
    numpy = pytest.importorskip("numpy")
    with pytest.raises(mm.UsageError):
        LATE.run(inputs / "a.csv", out={"arr_delay": numpy.zeros(1)})


def test_a_timeout_stops_reading(flights):
    forever = mm.pipeline(':map("b: f64", function(r) while true do end end)')
    with pytest.raises(mm.JobTimeout, match=r"0\.2"):
        forever.run(flights, timeout=0.2)


def test_ctrl_c_stops_reading_and_leaves_no_file(flights, tmp_path):
    forever = mm.pipeline(':map("b: f64", function(r) while true do end end)')
    threading.Timer(0.3, lambda: os.kill(os.getpid(), signal.SIGINT)).start()
    with pytest.raises(KeyboardInterrupt):
        forever.run_files(flights, to=tmp_path / "out")
    assert shown(tmp_path / "out") == []


def test_an_input_is_read_once(flights):
    from moonmill import _core

    source = _core.open_input([str(flights)])
    plan = LATE._loaded().plan(source.column_names, source.types, source.nullables, ())
    assert _core.run(plan, source).num_rows > 0
    for again in (_core.run, _core.submit):
        with pytest.raises(mm.StateError, match="has been read"):
            again(plan, source)
    with pytest.raises(mm.FileError):
        _core.open_input(["no-such.csv"])


def test_the_extension_refuses_what_does_not_fit_together(flights):
    from moonmill import _core

    source, table = _core.open_input([str(flights)]), _core.Table.from_columns(["a"], [[1]])
    plan = LATE._loaded().plan(source.column_names, source.types, source.nullables, ())
    for data, options in ((table, {"output": "x.csv"}), (source, {"out": [None]}), (None, {})):
        with pytest.raises(TypeError):
            _core.run(plan, data, **options)
    with pytest.raises(TypeError):
        _core.submit(plan, table, room=1)
    job = _core.submit(plan, source, room=10)
    for rows, kind in ((0, ValueError), (-1, ValueError), ("1", TypeError), (1 << 70, OverflowError)):
        with pytest.raises(kind):
            job.take(rows)
    with pytest.raises(ValueError, match="room"):
        _core.submit(plan, _core.open_input([str(flights)])).take(1)


def test_the_command_is_beside_the_interpreter():
    done = subprocess.run([sys.executable, "-m", "moonmill", "version"], capture_output=True, text=True)
    assert done.returncode == 0 or "is missing" in done.stderr
