"""The four experiments run, at a small size, beside the Go library where Go is at hand."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("numpy")

ROOT = Path(__file__).resolve().parents[2]
PROGRAMS = ROOT / "pybridge" / "experiments"
GO = shutil.which("go") or shutil.which("/usr/local/go/bin/go")


@pytest.fixture(scope="module")
def library():
    if not GO:
        pytest.skip("no Go compiler")
    subprocess.run(["make", "-s", "build/experiments/libpacked.so"], cwd=ROOT, check=True)
    return ROOT / "build" / "experiments" / "libpacked.so"


def run(*arguments):
    environment = dict(os.environ, PYTHONPATH=str(ROOT / "pybridge"))
    command = [sys.executable, *map(str, arguments)]
    return subprocess.run(
        command, cwd=ROOT, env=environment, check=True, capture_output=True, text=True
    ).stdout


def figures(text):
    """The cells behind the first one of each row, by that one."""
    rows = [line.strip("| ").split(" | ") for line in text.splitlines() if line.startswith("| ")]
    return {row[0]: [cell.strip() for cell in row[1:]] for row in rows}


def times(cell):
    return float(cell.removesuffix("×"))


def test_all_of_them_make_a_table_and_a_page(library, tmp_path):
    page = tmp_path / "experiments.html"
    text = run(PROGRAMS / "run.py", "--size", 32, "--runs", 1, "--library", library, "--page", page)
    found = figures(text)
    into, out_of = found["array into the library: peak"], found["array out of the library: peak"]
    assert times(into[1]) == pytest.approx(2, abs=0.4)
    assert times(into[2]) == pytest.approx(1, abs=0.4)
    assert times(out_of[1]) == pytest.approx(3, abs=0.4)
    assert times(out_of[2]) == pytest.approx(1, abs=0.4)
    assert times(found["add one, a new array: peak"][2]) == pytest.approx(2, abs=0.4)
    assert times(found["add one, in place: peak"][2]) == pytest.approx(1, abs=0.4)
    html = page.read_text()
    assert html.count('<ol class="steps">') == 3
    assert html.count('<li style="--most') == 24
    assert html.count("<svg") == html.count("</svg>") == 5
    assert not re.search(r'(src|href)="|url\(|@import', html)


def test_without_a_go_library_its_column_says_so(tmp_path):
    found = figures(run(PROGRAMS / "run.py", "--size", 8, "--runs", 1, "--page", tmp_path / "page.html"))
    assert found["array into the library: peak"][1] == "no go"
    assert found["get it back"][1] == "no go"
    assert (tmp_path / "page.html").read_text().count('<ol class="steps">') == 2


def test_messages_hold_arrays_of_all_kinds(library):
    program = f"""
import sys
sys.path.insert(0, {str(PROGRAMS)!r})
import json, numpy as np, packed
library = packed.Library({str(library)!r})
arrays = [np.arange(-3, 4, dtype=np.int32), np.array([0.5, -1.0], np.float32), np.arange(7, dtype=np.uint8)]
back = packed.unpack(library.call("echo", packed.pack(*arrays, *arrays[:1] * 252)))
refused = []
for wrong in ([], [arrays[0]] * 256):
    try:
        packed.pack(*wrong)
    except packed.PackedError as error:
        refused.append(str(error))
try:
    library.call("make", packed.pack(arrays[1]))
except packed.PackedError as error:
    refused.append(str(error))
few = back[:3]
print(json.dumps([len(back), [list(map(float, a)) for a in few], [str(a.dtype) for a in few], refused]))
"""
    count, values, kinds, refused = json.loads(run("-c", program))
    assert count == 255
    assert values == [[-3, -2, -1, 0, 1, 2, 3], [0.5, -1.0], [0, 1, 2, 3, 4, 5, 6]]
    assert kinds == ["int32", "float32", "uint8"]
    assert refused == ["a message has 1 to 255 arrays"] * 2 + ["make: status -1"]
