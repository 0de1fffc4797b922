"""What the specs with real engines share: flights that never were, pipelines over them, comparing results.

They run in a folder of their own, by `make test-engines`: the engines are large, and slow to start.
"""

import datetime
import math
import os
import random
import re
from pathlib import Path

import pyarrow as pa
import pytest

import moonmill as mm

GUIDE = Path(__file__).resolve().parents[3] / "docs" / "python.md"
ROWS = 20_000
CHOSEN = ':where "delay > 30" :derive { "hours = delay / 60", "label = carrier .. \'!\'" }'
GROUPED = """mm.pipeline { params = { "least: f64 = 0" },
    input = { "carrier: utf8?", "delay: f64?", "miles: i64" } }
  :where "delay > p.least"
  :group("carrier", { "flights = count()", "miles = sum(miles)", "mean = mean(delay)", "spread = std(delay)",
    "worst = max(delay)", "far = any(miles > 4000)", "pace = sum(miles) / sum(delay)" })
  :where "flights > 10"
  :sort "carrier"
"""
FIRST = ':sort { "-delay", "id" } :limit(25)'


@pytest.fixture(scope="session")
def flights():
    """A pyarrow.Table with nulls, and text, integer, float and timestamp columns."""
    seed = int(os.environ.get("MOONMILL_SEED", random.SystemRandom().randrange(1 << 32)))
    print(f"MOONMILL_SEED={seed}")
    rng = random.Random(seed)
    start = datetime.datetime(2013, 1, 1)
    return pa.table(
        {
            "id": pa.array(range(ROWS), pa.int64()),
            "carrier": pa.array(
                [rng.choice(["AA", "B6", "DL", "UA", "a longer name", "", None]) for _ in range(ROWS)]
            ),
            "delay": pa.array(
                [None if rng.random() < 0.1 else rng.gauss(30, 60) for _ in range(ROWS)], pa.float64()
            ),
            "miles": pa.array([rng.randrange(100, 5000) for _ in range(ROWS)], pa.int64()),
            "at": pa.array(
                [start + datetime.timedelta(minutes=rng.randrange(500_000)) for _ in range(ROWS)],
                pa.timestamp("us", "UTC"),
            ),
        }
    )


@pytest.fixture
def chosen():
    """A pipeline that looks at each row by itself."""
    return mm.pipeline(CHOSEN)


@pytest.fixture
def grouped():
    """A pipeline with a group, and stages before and behind it."""
    return mm.pipeline(GROUPED, least=-20)


@pytest.fixture
def first():
    """A pipeline that takes the first rows in an order."""
    return mm.pipeline(FIRST)


def _alike(one, other):
    if isinstance(one, float) and isinstance(other, float):
        return one == other or math.isclose(one, other, rel_tol=1e-12)
    return one == other


@pytest.fixture
def equal():
    """Fail unless two tables, of anything that pyarrow takes, hold the same rows; floats up to rounding."""

    def check(found, expected, by=None):
        found, expected = (pa.table(table) for table in (found, expected))
        assert found.column_names == expected.column_names
        assert len(found) == len(expected)
        if by:
            found, expected = found.sort_by(by), expected.sort_by(by)
        for name in expected.column_names:
            pairs = zip(found[name].to_pylist(), expected[name].to_pylist())
            wrong = [(row, *pair) for row, pair in enumerate(pairs) if not _alike(*pair)]
            assert not wrong, f"{name}, row {wrong[0][0]}: {wrong[0][1]}, expected {wrong[0][2]}"

    return check


@pytest.fixture(scope="session")
def examples():
    """The examples of the guide for an engine."""

    def of(engine):
        found = re.findall(rf"^```python engine={engine}\n(.*?)^```", GUIDE.read_text(), re.M | re.S)
        assert found, f"{GUIDE} has no examples for {engine}"
        return found

    return of
