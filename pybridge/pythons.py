"""Proves the package on every CPython of this machine: a wheel for each, installed by itself, with the specs.

    python pybridge/pythons.py [--python PATH]... [--packages NAME...] [-- PYTEST ARGUMENT...]

Prints a line for each. What is built, installed and said stays below build/pythons/, in a folder for each.
"""

from __future__ import annotations

import argparse
import glob
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from resource import RUSAGE_CHILDREN, getrusage

ROOT = Path(__file__).resolve().parents[1]
OLDEST = [3, 10]
PICKLES = ROOT / "build" / "pythons" / "pickles"
PLACES = [
    "/opt/python-*/bin",
    os.environ.get("PYENV_ROOT", os.path.expanduser("~/.pyenv")) + "/versions/*/bin",
]

ABOUT = """
import importlib.util, json, os, platform, sys, sysconfig
print(json.dumps({
    "path": sys.executable,
    "kind": platform.python_implementation(),
    "version": list(sys.version_info[:3]),
    "free": bool(sysconfig.get_config_var("Py_GIL_DISABLED")),
    "headers": os.path.exists(sysconfig.get_path("include") + "/Python.h"),
    "venv": importlib.util.find_spec("ensurepip") is not None,
}))
"""


class Failure(Exception):
    """A step that did not succeed."""


class Interpreter:
    """A Python of this machine, and the folder in which it is tried.

    Attributes
    ----------
    name : str
        Its version; "t" behind it: a build without a GIL.
    """

    def __init__(self, facts: dict) -> None:
        self.path: str = facts["path"]
        self.free: bool = facts["free"]
        self.lacks = [what for what in ("headers", "venv") if not facts[what]]
        self.order = (facts["version"], self.free)
        self.name = ".".join(map(str, facts["version"])) + "t" * self.free
        self.folder = ROOT / "build" / "pythons" / self.name
        self.own = str(self.folder / "venv" / "bin" / "python")

    def run(self, step: str, *command: str) -> None:
        """Run a step; what it says is kept, and told where it fails."""
        log = self.folder / f"{step}.log"
        environment = {**os.environ, **({"PYTHON_GIL": "0"} if self.free else {})}
        environment["MOONMILL_PICKLES"] = os.fspath(PICKLES)
        environment.pop("PYTHONPATH", None)
        with log.open("w") as file:
            done = subprocess.run(command, stdout=file, stderr=subprocess.STDOUT, cwd=ROOT, env=environment)
        if done.returncode:
            raise Failure(f"{step} failed: {log.relative_to(ROOT)}")

    def has(self, package: str) -> bool:
        """Install a package, if there is a wheel of it for this interpreter."""
        pip = [self.own, "-m", "pip", "install", "-q", "--prefer-binary", "--only-binary", ":all:", package]
        try:
            self.run(f"install-{package}", *pip)
        except Failure:
            return False
        return True

    def install(self) -> str:
        """The name of the wheel, which is built, and installed in an empty venv."""
        shutil.rmtree(self.folder, ignore_errors=True)
        for left in (*ROOT.glob("build/lib.*"), *ROOT.glob("build/bdist.*")):
            shutil.rmtree(left)  # setuptools would pack what an older tree had
        self.folder.mkdir(parents=True)
        self.run("venv", self.path, "-m", "venv", os.fspath(self.folder / "venv"))
        self.run("wheel", self.own, "-m", "pip", "wheel", "--no-deps", "-w", os.fspath(self.folder), ".")
        (wheel,) = self.folder.glob("*.whl")
        self.run("install", self.own, "-m", "pip", "install", "--no-index", os.fspath(wheel))
        return wheel.name

    def test(self, arguments: list[str], step: str = "specs") -> str:
        """The last line of pytest: the specs of the tree, over the package that is installed."""
        paths = "pythonpath=spec/python spec/python/support"
        options = ["-o", paths, "-p", "no:cacheprovider", "-rs", *arguments]
        try:
            self.run(step, self.own, "-m", "pytest", *options)
        finally:
            log = (self.folder / f"{step}.log").read_text(errors="replace")
            lines = [line for line in log.splitlines() if re.search(r"\d+ (passed|failed|error)", line)]
            self.totals = re.sub(r"\x1b\[[0-9;]*m", "", lines[-1]).strip("= ") if lines else "no totals"
        return self.totals

    def milliseconds(self) -> float:
        """What importing the package takes, beside starting Python: of a processor's time, best of many."""

        def time(program: str) -> float:
            before = getrusage(RUSAGE_CHILDREN)
            subprocess.run([self.own, "-I", "-c", program], check=True)
            after = getrusage(RUSAGE_CHILDREN)
            return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime

        pairs = [(time("import moonmill"), time("pass")) for _ in range(20)]
        return 1e3 * (min(imports for imports, _ in pairs) - min(bare for _, bare in pairs))


def about(path: str) -> Interpreter | None:
    """The interpreter of a path; None where there is none, or none that the package is for."""
    try:
        said = subprocess.run(
            [path, "-I", "-c", ABOUT], capture_output=True, text=True, timeout=30, check=True
        )
        facts = json.loads(said.stdout)
    except (OSError, subprocess.SubprocessError, ValueError):
        return None
    return Interpreter(facts) if facts["kind"] == "CPython" and facts["version"] >= OLDEST else None


def found() -> list[Interpreter]:
    """Those of /opt, of pyenv and of the path, by version, each version once."""
    folders = [*PLACES, *os.environ.get("PATH", "").split(os.pathsep)]
    paths = [path for folder in folders for path in sorted(glob.glob(folder + "/python3*"))]
    named = [path for path in paths if re.fullmatch(r"python3(\.\d+t?)?", os.path.basename(path))]
    known: dict[str, Interpreter] = {}
    for interpreter in map(about, named):
        if interpreter and not interpreter.lacks:
            known.setdefault(interpreter.name, interpreter)
    return sorted(known.values(), key=lambda interpreter: interpreter.order)


def prove(interpreter: Interpreter, packages: list[str], arguments: list[str]) -> bool:
    """Build, install, test; print how it went."""
    print(f"{interpreter.name:10} {interpreter.path}", end="", flush=True)
    try:
        wheel = interpreter.install()
        print(f"  {wheel.split('-', 2)[2]}", end="", flush=True)
        missing = [package for package in packages if not interpreter.has(package)]
        print(f"  imports in {interpreter.milliseconds():.1f} ms", end="", flush=True)
        print(
            f"  {interpreter.test(arguments)}{'  without ' + ' '.join(missing) if missing else ''}",
            flush=True,
        )
    except Failure as failure:
        print(f"  {getattr(interpreter, 'totals', '')} {failure}", flush=True)
        return False
    return True


def reads(interpreter: Interpreter) -> bool:
    """Let it read what all others have pickled; print what it cannot."""
    try:
        interpreter.test(["spec/python/process/test_pickle.py", "-k", "other_pythons"], step="pickles")
    except Failure as failure:
        print(f"{interpreter.name:10} {failure}", flush=True)
        return False
    return True


def main() -> int:
    """The exit code."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--python", action="append", metavar="PATH", help="this one, instead of all that are found"
    )
    parser.add_argument("--packages", nargs="*", default=["pytest"], help="what the specs use")
    parser.add_argument("arguments", nargs="*", help="for pytest")
    given = parser.parse_args()
    chosen = [about(path) for path in given.python] if given.python else found()
    if not chosen or None in chosen:
        sys.exit("no such CPython, with its headers and venv, of version 3.10 or newer")
    shutil.rmtree(PICKLES, ignore_errors=True)
    proven = [interpreter for interpreter in chosen if prove(interpreter, given.packages, given.arguments)]
    readers = [interpreter for interpreter in proven if reads(interpreter)]
    print(f"{len(readers)} of {len(chosen)} read the pickles of all others")
    return 0 if len(readers) == len(chosen) else 1


if __name__ == "__main__":
    sys.exit(main())
