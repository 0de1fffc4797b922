"""What the specs of the Python package share: where things are, and a watch for leaks."""

import gc
import os
import random
import signal
import sys
import time
from pathlib import Path

import pytest

SANITIZER = next(
    (name for name in ("address", "thread") if f"lib{name[0]}san" in os.environ.get("LD_PRELOAD", "")), None
)
"""What the extension is built with (make test-python SAN=...)."""

if SANITIZER == "thread":
    sys.modules["polars"] = None  # it dies of the thread sanitizer when it is imported

import moonmill  # noqa: E402

# A shell ignores Ctrl-C for what it starts in the background, and children inherit that.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

# Leaks are looked for in this process; others may end in the middle of something.
os.environ["ASAN_OPTIONS"] = os.environ.get("ASAN_OPTIONS", "").replace("detect_leaks=1", "detect_leaks=0")

# Processes that specs start find the same package.
os.environ["PYTHONPATH"] = os.pathsep.join(
    [str(Path(moonmill.__file__).parents[1]), os.environ.get("PYTHONPATH", "")]
)

ROOT = Path(__file__).resolve().parents[2]
LEFT = pytest.StashKey()
FLIGHTS = ROOT / "pipelines" / "data" / "flights.csv.zst"


def pytest_configure(config):
    config.addinivalue_line(
        "markers", "not_under(sanitizer, reason): left out when the extension is built with it"
    )


def pytest_runtest_setup(item):
    for mark in item.iter_markers("not_under"):
        sanitizer, reason = mark.args
        if sanitizer == SANITIZER:
            pytest.skip(reason)


def let_go_of_constants(modules):
    """Tables, pipelines and modules of functions that a file of specs has as constants."""
    kept = (moonmill.Table, moonmill.Column, moonmill.Buffer, moonmill.Module, moonmill.Pipeline)
    for module in modules:
        for name, value in list(vars(module).items()):
            if isinstance(value, kept):
                delattr(module, name)


def held_at_the_end():
    """What the core holds and is alive when all specs have been run, and nothing is kept for later."""
    from moonmill import _core

    moonmill.store.clear()
    patience = time.monotonic() + 3
    while True:
        gc.collect()
        moonmill.memory.trim()
        held = {"bytes": _core.memory_used() - _core.memory_reserved() - _core.types_bytes(), **_core.live()}
        if not any(held.values()) or time.monotonic() > patience:
            return held
        time.sleep(0.1)  # keepers of jobs let go of what was left to them


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session, exitstatus):
    """Leaks of the whole run make it fail. What failed, or was stopped, holds what it had."""
    if exitstatus == pytest.ExitCode.OK:
        let_go_of_constants({item.module for item in session.items if hasattr(item, "module")})
        left = {name: count for name, count in held_at_the_end().items() if count}
        session.config.stash[LEFT] = left
        if left:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter, config):
    left = config.stash.get(LEFT, None)
    if left:
        terminalreporter.section("left behind by the specs", red=True)
        terminalreporter.line(str(left))


@pytest.fixture
def flights():
    """A month of real flights, as a file."""
    return FLIGHTS


@pytest.fixture
def bar():
    """What a run needs of a bar of tqdm."""

    class Bar:
        total = None
        n = 0

        def update(self, n):
            self.n += n

    return Bar()


@pytest.fixture
def no_leaks():
    """Fail if the spec leaves tables, jobs or owners behind. Cycles are collected only where they may be."""
    from moonmill import _core

    def grown():
        return {
            name: count
            for name, count in _core.live().items()
            if name not in ("plans", "sessions") and count > before[name]  # scripts are kept, with plans
        }

    before = _core.live()
    yield
    if grown():
        gc.collect()
    patience = time.monotonic() + 5
    while grown() and time.monotonic() < patience:  # the keeper of a job frees what was left to it
        time.sleep(0.01)
    assert grown() == {}, before


@pytest.fixture
def rng(request):
    """Random numbers; the seed is printed when the spec fails (MOONMILL_SEED repeats it)."""
    seed = int(os.environ.get("MOONMILL_SEED", random.SystemRandom().randrange(1 << 32)))
    print(f"MOONMILL_SEED={seed}")
    return random.Random(seed)


@pytest.fixture
def script(tmp_path):
    """Write a file of the given name and text; gives its path as text."""

    def write(name, text):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return str(path)

    return write
