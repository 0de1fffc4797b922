"""The package itself: what importing it loads, what it exports, how it is documented."""

import importlib
import inspect
import os
import pkgutil
import subprocess

import programs
import pytest
from conftest import ROOT

import moonmill as mm

OTHERS = ["numpy", "pandas", "polars", "pyarrow", "duckdb", "tqdm"]
STANDARD = ["asyncio", "concurrent.futures", "multiprocessing", "logging", "json", "typing", "inspect", "ast"]
STANDARD += ["hashlib", "selectors", "threading", "re", "linecache", "ctypes"]


def fresh(program):
    return programs.output(program, options=("-S",))


def test_importing_loads_nothing_heavy():
    before = set(fresh("print(*sys.modules)").split())
    after = set(fresh("import moonmill; print(*sys.modules)").split())
    assert [name for name in OTHERS + STANDARD if name in after - before] == []


def test_a_run_over_plain_python_needs_no_other_package():
    blocked = "".join(f"sys.modules[{name!r}] = None\n" for name in OTHERS)
    program = blocked + "import moonmill as mm\nprint(mm.pipeline(':derive \"b = a + 1\"')({'a': [1]}))"
    assert fresh(program) == "{'a': [1], 'b': [2]}"


def modules():
    for info in pkgutil.walk_packages(mm.__path__, "moonmill."):
        name = info.name.rpartition(".")[2]
        if name == "__main__":
            continue
        try:
            yield importlib.import_module(info.name)
        except ImportError:
            if name not in OTHERS and name != "arrow":
                raise


def test_dir_shows_what_is_exported_and_no_modules_of_the_package():
    assert [name for name in dir(mm) if not name.startswith("__")] == sorted(mm.__all__)
    assert {"__all__", "__doc__", "__version__"} <= set(dir(mm))
    listed = fresh("import moonmill, moonmill.base.display, moonmill.schema; print(*dir(moonmill))")
    assert listed == fresh("import moonmill; print(*dir(moonmill))")


def test_what_is_exported_is_there_and_documented():
    for name in mm.__all__:
        value = getattr(mm, name)
        assert value.__doc__, name
        if inspect.isclass(value):
            for key, member in vars(value).items():
                if callable(member) and not key.startswith("_"):
                    assert inspect.getdoc(member), f"{name}.{key}"
                    assert inspect.signature(member), f"{name}.{key}"
        else:
            assert callable(value) is False or inspect.signature(value)


def test_every_module_tells_its_purpose():
    assert [module.__name__ for module in modules() if not module.__doc__] == []


def test_functions_of_the_extension_have_signatures():
    from moonmill import _core

    for name, value in vars(_core).items():
        if callable(value) and not inspect.isclass(value):
            assert inspect.signature(value) is not None, name


def test_the_version_is_that_of_the_core():
    from moonmill import _core

    assert mm.__version__ == _core.version()
    assert mm.__version__.count(".") == 2


# ---- What a build needs ----


@pytest.fixture
def look(tmp_path):
    """Run .ci/packages with the programs of this machine, except those that know packages."""
    unwanted = ("dpkg", "apt", "sudo", "aptitude")
    for folder in reversed(os.environ["PATH"].split(os.pathsep)):
        for name in os.listdir(folder) if os.path.isdir(folder) else []:
            if not name.startswith(unwanted):
                link = tmp_path / name
                link.unlink(missing_ok=True)
                link.symlink_to(os.path.join(folder, name))

    def run(*packages, **environment):
        return subprocess.run(
            [ROOT / ".ci" / "packages", *packages],
            env={"PATH": str(tmp_path), **environment},
            capture_output=True,
            text=True,
        )

    return run


def test_a_build_asks_no_package_manager_for_what_is_there(look):
    done = look("build-essential", "libzstd-dev", "libxxhash-dev", "lua-argparse")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_what_a_build_lacks_is_named_in_one_message(look, tmp_path):
    done = look("build-essential", "libzstd-dev", "no-such-program", CPPFLAGS="-nostdinc")
    assert done.returncode == 1
    assert done.stderr.splitlines() == [
        "These are needed, and were not found (the packages of Debian in brackets):",
        "  make, compilers of C and C++ (build-essential)",
        "  zstd.h and libzstd (libzstd-dev)",
        "  no-such-program (no-such-program)",
        "There is no apt-get here: install them your way, then do this again.",
    ]


def test_libraries_may_be_where_pkg_config_says(look, tmp_path):
    (tmp_path / "libxxhash.pc").write_text(
        f"Name: x\nDescription: x\nVersion: 1\nCflags: -DFOUND -I{tmp_path}/odd\nLibs:\n"
    )
    if look("pkg-config").returncode:
        pytest.skip("needs pkg-config")
    (tmp_path / "odd").mkdir()
    (tmp_path / "odd" / "xxhash.h").write_text("#ifndef FOUND\n#error not asked\n#endif\n")
    assert look("libxxhash-dev", CPPFLAGS="-nostdinc").returncode == 1
    assert look("libxxhash-dev", CPPFLAGS="-nostdinc", PKG_CONFIG_PATH=str(tmp_path)).returncode == 0


def test_an_instruction_set_that_is_not_known_is_an_import_error():
    done = programs.run("import moonmill", environment={"MM_ISA": "bogus"})
    assert done.returncode == 1
    assert 'ImportError: moonmill: MM_ISA is "bogus", expected base' in done.stderr
