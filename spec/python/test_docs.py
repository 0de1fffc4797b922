"""The guide: every example gives what it shows."""

import doctest
import re

import pytest
from conftest import ROOT

FENCED = re.compile(r"^```pycon\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize("name", ["docs/python.md"])
def test_examples_give_what_is_shown(name, monkeypatch):
    for package in ("numpy", "pandas", "polars", "pyarrow", "duckdb"):
        pytest.importorskip(package)
    monkeypatch.chdir(ROOT)
    text = (ROOT / name).read_text()
    blocks = [
        "\n" * (text[: match.start()].count("\n") + 1) + match.group(1) for match in FENCED.finditer(text)
    ]
    assert len(blocks) > 10
    runner, parser = (
        doctest.DocTestRunner(optionflags=doctest.ELLIPSIS, verbose=False),
        doctest.DocTestParser(),
    )
    scope: dict[str, object] = {}
    for block in blocks:
        test = parser.get_doctest(block, {}, name, name, 0)
        test.globs = scope
        runner.run(test, clear_globs=False)
    assert runner.failures == 0


def test_the_example_of_the_package():
    import moonmill

    assert doctest.testmod(moonmill).failed == 0
