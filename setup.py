"""Builds the extension and the command with make, for pip and build; pyproject.toml has the rest."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

from setuptools import Extension, setup
from setuptools.command.build_ext import build_ext

from distutils.command.build_scripts import build_scripts  # isort: skip (the one that setuptools brings)

HERE = Path(__file__).resolve().parent
COMMAND = HERE / "build" / "moonmill"


def version() -> str:
    """The version, of which the Makefile knows."""
    return re.search(r"^VERSION\s*:=\s*(\S+)", (HERE / "Makefile").read_text(), re.MULTILINE).group(1)


def install(source: Path, target: Path) -> None:
    """Copy what was built, without what only a debugger needs."""
    if source.resolve() == target.resolve():
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy2(source, target)
    if shutil.which("strip"):
        subprocess.run(["strip", "--strip-debug", os.fspath(target)], check=False)


class BuildExtension(build_ext):
    """The extension, for the Python that runs this."""

    def build_extension(self, extension: Extension) -> None:
        """Make it, and put it where it is wanted."""
        goals = ["python", os.fspath(COMMAND.relative_to(HERE))]
        make = ["make", f"-j{os.cpu_count() or 1}", f"PYTHON={sys.executable}", "WERROR=", *goals]
        if not shutil.which("make"):
            raise SystemExit("moonmill: GNU make was not found; docs/python.md tells what a build needs")
        if subprocess.run(make, cwd=HERE).returncode:
            raise SystemExit(f"moonmill: {' '.join(make)} failed; docs/python.md tells what a build needs")
        name = Path(self.get_ext_filename(extension.name)).name
        install(HERE / "pybridge" / "moonmill" / name, HERE / self.get_ext_fullpath(extension.name))


class BuildCommand(build_scripts):
    """The command: an executable, not a script."""

    def get_source_files(self) -> list[str]:
        """None: it is built."""
        return []

    def copy_scripts(self) -> tuple[list[str], list[str]]:
        """Put the command where scripts are installed from."""
        target = Path(self.build_dir) / COMMAND.name
        install(COMMAND, target)
        return [os.fspath(target)], [os.fspath(target)]


setup(
    version=version(),
    ext_modules=[Extension("moonmill._core", sources=[])],
    scripts=[os.fspath(COMMAND.relative_to(HERE))],
    cmdclass={"build_ext": BuildExtension, "build_scripts": BuildCommand},
)
