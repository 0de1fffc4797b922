"""A second run over files does what is not current: by the manifest of the folder, not by dates."""

import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import zlib
from pathlib import Path

import programs
import pytest

import moonmill as mm

TEXT = 'mm.pipeline { params = { "by: i64 = 2" } } :derive "b = a * p.by"'
TWICE = mm.pipeline(TEXT)
OLD = 1_600_000_000


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Inputs a.csv, b.csv, c.csv, and their outputs in out."""
    monkeypatch.chdir(tmp_path)
    os.mkdir("in")
    for number, name in enumerate("abc"):
        Path(f"in/{name}.csv").write_text(f"a\n{number + 10}\n")
        os.utime(f"in/{name}.csv", (OLD, OLD))
    assert len(run().written) == 3
    return tmp_path


def run(pipeline=None, resume=False, to="out", **options):
    return (pipeline or TWICE).run_files("in/*.csv", to, resume=resume, **options).check()


def made(pipeline=None, **options):
    """Names of the inputs that a second run does."""
    result = run(pipeline, resume=True, **options)
    assert len(result.written) + len(result.skipped) == 3
    return "".join(Path(path).stem for path in result.written)


def rewrite(path, content, seconds=OLD):
    Path(path).write_text(content)
    os.utime(path, (seconds, seconds))


MANIFEST = Path("out/.moonmill-manifest")


def test_what_is_current_is_skipped_and_has_the_same_bytes(folder):
    before = {path: path.read_bytes() for path in Path("out").glob("*.csv")}
    result = run(resume=True)
    assert [Path(path).name for path in result.skipped] == ["a.csv", "b.csv", "c.csv"]
    assert repr(result) == "<FilesResult: 0 written (0 rows), 3 skipped, 0 failed>"
    assert {path: path.read_bytes() for path in Path("out").glob("*.csv")} == before


@pytest.mark.parametrize("threads", [1, 3])
def test_another_script_or_parameter_makes_all_again(folder, threads):
    assert made(threads=threads, by=3) == "abc"
    assert Path("out/a.csv").read_text() == "a,b\n10,30\n"
    assert made(TWICE.with_params(by=3), threads=threads) == ""
    assert made(threads=threads) == "abc"
    assert made(mm.pipeline(TEXT.replace("*", "+")), threads=threads) == "abc"
    assert Path("out/a.csv").read_text() == "a,b\n10,12\n"


def test_the_name_of_a_script_does_not_matter(folder):
    assert made(mm.pipeline(TEXT, name="another")) == ""


def test_another_module_makes_all_again(folder):
    Path("by.lua").write_text("return { factor = '2' }")
    Path("p.lua").write_text(
        'local mm = require "moonmill" local by = require "by"\n'
        'return mm.pipeline {} :derive("b = a * " .. by.factor)'
    )
    assert made(mm.load("p.lua")) == "abc"
    assert made(mm.load("p.lua")) == ""
    Path("by.lua").write_text("return { factor = '7' }")
    assert made(mm.load("p.lua")) == "abc"
    assert Path("out/a.csv").read_text() == "a,b\n10,70\n"


@pytest.mark.parametrize("call", ['require "by"', "require('by')", "require [[by]]", 'require "between"'])
def test_another_module_that_only_a_row_function_requires_makes_all_again(folder, call):
    Path("by.lua").write_text("return { factor = 2 }")
    Path("between.lua").write_text('return require("by")')
    Path("p.lua").write_text(
        'local mm = require "moonmill"\n'
        f'return mm.pipeline {{}} :map("b: f64", function(r) local by = {call} return r.a * by.factor end)'
    )
    assert made(mm.load("p.lua")) == "abc"
    assert made(mm.load("p.lua")) == ""
    Path("by.lua").write_text("return { factor = 7 }")
    assert made(mm.load("p.lua")) == "abc"
    assert Path("out/a.csv").read_text() == "a,b\n10,70.0\n"


def test_other_options_of_reading_make_all_again(folder):
    assert made(ragged=True) == "abc"
    assert made(ragged=True) == ""
    assert made() == "abc"


def test_another_input_with_the_old_time_is_noticed(folder):
    rewrite("in/b.csv", "a\n77\n")
    assert made() == "b"
    assert Path("out/b.csv").read_text() == "a,b\n77,154\n"
    rewrite("in/c.csv", "a\n12\n13\n")
    assert made() == "c"


def test_an_older_or_a_newer_time_of_an_input_is_noticed(folder):
    os.utime("in/a.csv", (OLD - 5, OLD - 5))
    os.utime("in/b.csv", (4e9, 4e9))
    assert made() == "ab"
    assert made() == ""


def test_both_ends_of_large_inputs_count(folder):
    rows = ["10\n"] * 2_000_000
    rewrite("in/a.csv", "a\n" + "".join(rows))
    assert made() == "a"
    for place in (0, -1):
        rows[place] = "20\n"
        rewrite("in/a.csv", "a\n" + "".join(rows))
        assert made() == "a"


def test_an_output_that_was_cut_changed_or_deleted_is_made_again(folder):
    def ruin(change):
        before = Path("out/b.csv").read_text()
        change("out/b.csv")
        assert made() == "b"
        assert Path("out/b.csv").read_text() == before

    ruin(lambda path: os.truncate(path, 3))
    ruin(os.unlink)
    ruin(lambda path: Path(path).write_text("a,b\n99,99\n"))

    def replace_by_one_of_the_same_size_and_time(path):
        status = os.stat(path)
        Path("other").write_text("x" * status.st_size)
        os.utime("other", ns=(status.st_atime_ns, status.st_mtime_ns))
        os.replace("other", path)

    ruin(replace_by_one_of_the_same_size_and_time)


def test_outputs_of_another_suffix_are_others(folder):
    assert made(suffix=".tsv") == "abc"
    assert made(suffix=".tsv") == made() == ""


def test_outputs_without_a_record_are_made_again(folder):
    MANIFEST.unlink()
    assert made() == "abc"


def test_a_folder_may_be_moved_or_copied_with_its_manifest(folder):
    os.rename("out", "moved")
    assert made(to="moved") == ""
    shutil.copytree("moved", "copied")
    assert made(to="copied") == ""


def test_an_output_that_was_renamed_into_place_before_its_record_is_made_again(folder):
    """As a kill between the two leaves it, with the record of the output that was there before."""
    records = MANIFEST.read_bytes()
    run(by=5)
    MANIFEST.write_bytes(records)
    assert made() == "abc"
    assert Path("out/a.csv").read_text() == "a,b\n10,20\n"


def test_the_manifest_may_be_cut_anywhere(folder):
    whole = MANIFEST.read_bytes()
    ends = [place + 1 for place, byte in enumerate(whole) if byte == 10]
    assert len(ends) == 4
    for size in range(0, len(whole) + 1, 7):
        shutil.copytree("out", "cut")
        Path("cut", MANIFEST.name).write_bytes(whole[:size])
        assert len(made(to="cut")) == 3 - sum(end <= size for end in ends[1:])
        assert made(to="cut") == ""
        shutil.rmtree("cut")


def test_a_damaged_end_of_the_manifest_is_dropped(folder):
    whole = MANIFEST.read_bytes()
    for tail in (b"\0" * 500, b"00000000 {}\n", b"\xff\n\r\n", whole.splitlines(True)[1][9:]):
        MANIFEST.write_bytes(whole + tail)
        assert made() == ""
        assert MANIFEST.read_bytes() == whole


def test_a_damaged_middle_of_the_manifest_is_an_error(folder):
    lines = MANIFEST.read_bytes().splitlines(True)
    for number in range(3):
        damaged = [*lines]
        damaged[number] = damaged[number][:20] + b"?" + damaged[number][21:]
        MANIFEST.write_bytes(b"".join(damaged))
        for resume in (True, False):
            with pytest.raises(mm.FileError) as caught:
                run(resume=resume)
            assert (caught.value.id, caught.value.line) == ("bad-manifest", number + 1)
            assert caught.value.file == str(MANIFEST)
            assert caught.value.hint.startswith("delete it")
        assert MANIFEST.read_bytes() == b"".join(damaged)
    MANIFEST.unlink()
    assert made() == "abc"


@pytest.mark.parametrize("content", [b"notes of mine\n", b"notes", b'{"format": "other"}\n'])
def test_a_file_that_is_no_manifest_is_left_alone(folder, content):
    MANIFEST.write_bytes(content)
    with pytest.raises(mm.FileError, match="no manifest"):
        run()
    assert MANIFEST.read_bytes() == content
    MANIFEST.unlink()
    for make in (os.mkdir, os.mkfifo, lambda path: os.symlink("../a", path)):
        make(MANIFEST)
        with pytest.raises(mm.FileError):
            run()
        (os.rmdir if make is os.mkdir else os.unlink)(MANIFEST)


def test_a_manifest_of_another_version_is_an_error(folder):
    text = json.dumps({"format": "moonmill-manifest", "version": 2}).encode()
    MANIFEST.write_bytes(b"%08x %s\n" % (zlib.crc32(text), text))
    with pytest.raises(mm.FileError, match="another version"):
        run()


def test_records_out_of_date_are_dropped_in_time(folder, monkeypatch):
    monkeypatch.setattr("moonmill.running.manifest.SPARE", 4)
    sizes = []
    for by in range(12):
        run(by=by)
        sizes.append(MANIFEST.stat().st_size)
    assert max(sizes) < 7 * sizes[0]
    assert made(by=11) == ""
    assert sorted(os.listdir("out")) == [".moonmill-manifest", "a.csv", "b.csv", "c.csv"]


def test_one_run_at_a_time_uses_a_folder(folder):
    os.mkfifo("pipe")
    command = f"import moonmill as mm; mm.pipeline({TEXT!r}).run_files('pipe', 'out')"
    # The pipe opens when the other run opens it, which has the folder then.
    with subprocess.Popen([sys.executable, "-c", command]) as other, open("pipe", "w"):
        for resume in (True, False):
            with pytest.raises(mm.FileError, match="another run") as caught:
                run(resume=resume)
            assert (caught.value.id, caught.value.file) == ("folder-in-use", "out")
        assert len(run(to="elsewhere").written) == 3
        other.kill()
    assert made() == ""  # the lock went with the process


def test_a_killed_run_leaves_no_output_that_is_wrongly_current(folder):
    """Killed at some moment, with another parameter than before, and resumed: all outputs are right."""
    os.makedirs("many")
    for number in range(40):
        Path(f"many/{number:02}.csv").write_text("a\n" + f"{number}\n" * 2000)
    program = f"""
        import moonmill as mm, os, sys, threading
        pipeline = mm.pipeline({TEXT!r})
        pipeline.run_files("many/*.csv", "made", resume=True, by=0).check()
        kill = threading.Timer(float(sys.argv[2]), os.kill, (os.getpid(), 9))
        kill.start()
        pipeline.run_files("many/*.csv", "made", resume=True, by=int(sys.argv[1])).check()
    """
    skipped = []
    for by in range(1, 9):
        done = programs.run(program, by, 0.002 * by)
        assert done.returncode in (0, -signal.SIGKILL), done.stderr
        result = TWICE.run_files("many/*.csv", "made", resume=True, by=by).check()
        skipped.append(len(result.skipped))
        for number in range(40):
            text = Path(f"made/{number:02}.csv").read_text()
            assert text == "a,b\n" + f"{number},{number * by}\n" * 2000
    assert any(0 < count < 40 for count in skipped), skipped


def test_the_manifest_is_neither_input_nor_output(folder):
    shutil.copy("out/a.csv", "out/.hidden.csv")
    result = mm.pipeline(":limit(1)").run_files(["out/*", "out/.*"], "again").check()
    assert sorted(map(os.path.basename, result.written)) == [".hidden.csv", "a.csv", "b.csv", "c.csv"]
    with pytest.raises(mm.UsageError, match="the manifest"):
        TWICE.run_files(MANIFEST, "again")


def test_pipes_are_never_skipped(folder):
    os.unlink("in/b.csv")
    os.mkfifo("in/b.csv")

    def feed():
        Path("in/b.csv").write_text("a\n5\n")

    for _ in range(2):
        thread = threading.Thread(target=feed)
        thread.start()
        assert made() == "b"
        thread.join()
    os.unlink("in/b.csv")


def test_a_full_disk_for_the_manifest_is_an_error(folder, monkeypatch):
    def full(file, content):
        raise OSError(28, os.strerror(28))

    monkeypatch.setattr("moonmill.running.manifest._write", full)
    with pytest.raises(mm.FileError, match="cannot write: No space left on device") as caught:
        run()
    assert caught.value.file == str(MANIFEST)
