"""Ask Moonmill, duckdb and polars the questions of queries.txt and compare: python peers.py MOONMILL DATA
[--store ANSWERS]

Exits with 1 and names the question when an answer differs. `--store` writes, for each question, the number of
rows and the MD5 of Moonmill's CSV, for machines without the peers; it does so only when all answers agree.
"""

import csv
import hashlib
import io
import math
import os
import subprocess
import sys

import duckdb
import polars as pl


def questions():
    """Yield (name, {"moonmill": text, "duckdb": text, "polars": text})."""
    here = os.path.dirname(os.path.abspath(__file__))
    with open(os.path.join(here, "queries.txt"), encoding="utf-8") as file:
        text = "\n".join(line for line in file.read().split("\n") if not line.startswith("#"))
    for block in text.strip().split("\n\n"):
        name, *lines = block.strip().split("\n")
        yield name, dict(line.split(" ", 1) for line in lines)


def same_value(field, value):
    """Whether a field of Moonmill's CSV says what a peer's Python value says."""
    if value is None:
        return field == ""
    if isinstance(value, bool):
        return field == ("true" if value else "false")
    if isinstance(value, float):
        return field != "" and math.isclose(float(field), value, rel_tol=1e-9, abs_tol=1e-9)
    if isinstance(value, int):
        return field != "" and float(field) == value and int(float(field)) == value
    return field == str(value)


def sort_key(row):
    """An order in which equal rows meet whatever engine wrote them: whole values first, floats rounded."""

    def normal(value):
        if value is None or value == "":
            return ""
        if isinstance(value, bool):
            return "true" if value else "false"
        try:
            return f"{float(value):.6g}"
        except ValueError:
            return str(value)

    return [normal(value) for value in row]


def difference(ours, theirs, ordered):
    """The first difference between two lists of rows as text, or None."""
    if len(ours) != len(theirs):
        return f"{len(ours)} rows, the peer has {len(theirs)}"
    if not ordered:
        ours, theirs = sorted(ours, key=sort_key), sorted(theirs, key=sort_key)
    for number, (a, b) in enumerate(zip(ours, theirs)):
        if len(a) != len(b) or not all(map(same_value, a, b)):
            return f"row {number}: {a}, the peer has {list(b)}"
    return None


def main(arguments):
    command, data = arguments[:2]
    store = arguments[3] if len(arguments) > 3 and arguments[2] == "--store" else None
    connection = duckdb.connect()
    connection.execute("set threads to 2")
    connection.execute(f"create table flights as select * from read_csv('{data}', sample_size=-1)")
    f, c = pl.read_csv(data, try_parse_dates=True, infer_schema_length=None), pl.col
    answers, wrong, count = [], 0, 0
    for name, texts in questions():
        run = subprocess.run([command, "run", "-e", texts["moonmill"], data], capture_output=True, text=True)
        if run.returncode != 0:
            print(f"{name}: moonmill failed: {run.stderr.strip()}")
            wrong += 1
            continue
        ours = list(csv.reader(io.StringIO(run.stdout)))[1:]
        ordered = name.endswith(" in order")
        peers = {"duckdb": connection.execute(texts["duckdb"]).fetchall(), "polars": eval(texts["polars"]).rows()}
        for peer, rows in peers.items():
            found = difference(ours, rows, ordered)
            count += 1
            if found:
                print(f"{name}: differs from {peer}: {found}")
                wrong += 1
        answers.append(f"{name}\t{len(ours)}\t{hashlib.md5(run.stdout.encode()).hexdigest()}\n")
    print(f"{count} answers compared, {wrong} differ")
    if store and not wrong:
        with open(store, "w", encoding="utf-8") as file:
            file.writelines(answers)
    return 1 if wrong else 0


sys.exit(main(sys.argv[1:]))
