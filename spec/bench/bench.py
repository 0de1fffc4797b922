"""Measure Moonmill beside its peers, as ratios in one run: python bench.py --build build [--runs 5]
[CASE...]

Each case runs its contestants in turns (a b a b ...), so that noise of a shared machine hits all of
them, and takes medians. Prints a Markdown table; docs/benchmarks.md holds one such run. Peers: polars,
duckdb (in this process, data loaded before the clock starts), zstd and gcc -O2 loops (as processes). The
cases of the Python package are in bridge.py.
"""

import argparse
import os
import platform
import statistics
import subprocess

import bridge
import duckdb
import polars as pl
import turns
from turns import in_turns, peak_of, row, seconds_of, timed

HERE = os.path.dirname(os.path.abspath(__file__))
YEAR = "build/data/flights-2013.csv"
BIG = "build/data/flights-10-years.csv"
MEMORY_CHAIN = (
    ':where "arr_delay > 0" '
    ':derive { "gained = dep_delay - arr_delay", "speed = distance / (air_time / 60)" } '
    ':group("carrier", { "n = count()", "delay = mean(arr_delay)", "gained = mean(gained)", '
    '"fastest = max(speed)" })'
)
CSV_CHAIN = ':where "arr_delay > 0" :group("carrier", { "n = count()", "delay = mean(dep_delay)" })'
STRAIGHT = ':map("y: f64", function(r) return r.x * 2 + 1 end) :group({}, "s = sum(y)")'
BRANCHY = (
    ':map("y: f64", function(r) local x = r.x if x > 60 then return x * 3 end '
    "if x > 15 then return x + 7 end return 0 - x end) "
    ':group({}, "s = sum(y)")'
)

arguments = None


def environment():
    return dict(
        os.environ, MM_LIB=f"{arguments.build}/libmoonmill.so", LUA_PATH="build/luajit/src/?.lua;lua/?.lua"
    )


class Process:
    """A contestant with its data in memory: memory.lua or scalar.c."""

    def __init__(self, *command):
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment()
        )
        self.rows = int(self.process.stdout.readline())

    def runs(self, threads):
        """A function that runs once with so many threads and returns the seconds."""

        def run():
            self.process.stdin.write(f"{threads}\n")
            self.process.stdin.flush()
            return float(self.process.stdout.readline().split()[0])

        return run

    def close(self):
        self.process.stdin.close()
        self.process.wait()


def moonmill(chain, source):
    return Process("build/luajit/src/luajit", f"{HERE}/memory.lua", chain, source)


def case_memory():
    """20 M rows in memory: filter, two derived columns, group by carrier with four aggregates."""
    times = 60
    ours = moonmill(MEMORY_CHAIN, f"flights:{YEAR}:{times}")
    columns = ["carrier", "dep_delay", "arr_delay", "air_time", "distance"]
    year = pl.read_csv(YEAR, columns=columns).with_columns(pl.exclude("carrier").cast(pl.Float64))
    frame = pl.concat([year] * times).rechunk()
    c = pl.col

    def polars():
        (
            frame.lazy()
            .filter(c("arr_delay") > 0)
            .with_columns(gained=c("dep_delay") - c("arr_delay"), speed=c("distance") / (c("air_time") / 60))
            .group_by("carrier")
            .agg(pl.len(), c("arr_delay").mean(), c("gained").mean(), c("speed").max())
            .collect()
        )

    connection = duckdb.connect()
    connection.execute("set threads to 2")
    connection.execute("create table flights as select * from frame")
    sql = (
        "select carrier, count(*), avg(arr_delay), avg(dep_delay - arr_delay), "
        "max(distance / (air_time / 60)) "
        "from flights where arr_delay > 0 group by carrier"
    )
    seconds = in_turns(
        {
            "two": ours.runs(2),
            "polars": timed(polars),
            "duckdb": timed(lambda: connection.execute(sql).fetchall()),
            "one": ours.runs(1),
        }
    )
    ours.close()
    note = f"{ours.rows} rows, {seconds['two'] / ours.rows * 1e9:.2f} ns a row"
    row("memory", "against polars, 2 threads", seconds["two"], seconds["polars"], "1.5", note)
    row("memory", "against duckdb, 2 threads", seconds["two"], seconds["duckdb"], "")
    row("memory", "2 threads against 1", seconds["two"], seconds["one"], "1.8")


def case_csv():
    """The year ten times over as one CSV: filter and group; plain and zstd."""
    if not os.path.exists(BIG):
        with open(YEAR, "rb") as file:
            header, rest = file.read().split(b"\n", 1)
        with open(BIG, "wb") as file:
            file.write(header + b"\n" + rest * 10)
    packed = BIG + ".zst"
    if not os.path.exists(packed):
        subprocess.run(["zstd", "-q", "-3", "-f", BIG, "-o", packed], check=True)
    command = f"{arguments.build}/moonmill"
    c = pl.col

    def polars(path):
        return lambda: (
            pl.scan_csv(path)
            .filter(c("arr_delay") > 0)
            .group_by("carrier")
            .agg(pl.len(), c("dep_delay").mean())
            .collect()
        )

    connection = duckdb.connect()
    connection.execute("set threads to 2")
    sql = "select carrier, count(*), avg(dep_delay) from read_csv('{}') where arr_delay > 0 group by carrier"

    def ours(path, threads):
        return lambda: seconds_of([command, "run", "--threads", str(threads), "-e", CSV_CHAIN, path])

    times = in_turns(
        {
            "two": ours(BIG, 2),
            "polars": timed(polars(BIG)),
            "duckdb": timed(lambda: connection.execute(sql.format(BIG)).fetchall()),
            "one": ours(BIG, 1),
        }
    )
    size = os.path.getsize(BIG)
    peak = peak_of([command, "run", "-e", CSV_CHAIN, BIG])
    rate = f"{size / 1e6:.0f} MB at {size / times['two'] / 1e9:.2f} GB/s, whole process"
    note = f"{rate}; peak {peak / 1e6:.0f} MB (limit 300)"
    row("csv", "against polars scan_csv, 2 threads", times["two"], times["polars"], "2", note)
    row("csv", "against duckdb, 2 threads", times["two"], times["duckdb"], "")
    row("csv", "2 threads against 1", times["two"], times["one"], "1.8")
    times = in_turns(
        {
            "two": ours(packed, 2),
            "zstd": lambda: seconds_of(["zstd", "-dcq", packed]),
            "polars": timed(polars(packed)),
        }
    )
    row(
        "csv.zst",
        "against zstd -dc to nothing",
        times["two"],
        times["zstd"],
        "0.77",
        "the target is 1.3 times zstd",
    )
    row("csv.zst", "against polars, 2 threads", times["two"], times["polars"], "")


def case_rows():
    """Row functions over 50 M random f64 against the same loop in C."""
    rows = 50_000_000
    scalar = f"{arguments.build}/bench-scalar"
    subprocess.run(["gcc", "-O2", "-std=gnu11", "-o", scalar, f"{HERE}/scalar.c"], check=True)
    for name, chain, target in (("straight", STRAIGHT, 1 / 1.3), ("branchy", BRANCHY, 1 / 2.6)):
        c_loop, ours = Process(scalar, name, str(rows)), moonmill(chain, f"random:{rows}")
        seconds = in_turns({"one": ours.runs(1), "c": c_loop.runs(1), "two": ours.runs(2)})
        ours.close()
        c_loop.close()
        row(
            "rows",
            f"{name}, 1 thread, against C",
            seconds["one"],
            seconds["c"],
            f"{target:.2f}",
            f"{seconds['one'] / rows * 1e9:.2f} ns a row, C {seconds['c'] / rows * 1e9:.2f}",
        )
        row("rows", f"{name}, 2 threads against 1", seconds["two"], seconds["one"], "1.8")


def case_start():
    """Cold start and the demo."""
    command = f"{arguments.build}/moonmill"
    version = statistics.median(seconds_of([command, "version"]) for _ in range(20))
    demo = statistics.median(
        seconds_of([command, "run", "pipelines/delays.lua", "pipelines/data/flights.csv.zst"])
        for _ in range(20)
    )
    row("start", "moonmill version", version, None, "", "limit 0.005 s")
    row("start", "the demo", demo, None, "", "limit 0.1 s")


CASES = {"memory": case_memory, "csv": case_csv, "rows": case_rows, "start": case_start, **bridge.CASES}


def main():
    global arguments
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--build", default="build")
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("cases", nargs="*", metavar="CASE", help=f"of {', '.join(CASES)}; none: all")
    arguments = parser.parse_args()
    unknown = [name for name in arguments.cases if name not in CASES]
    if unknown:
        parser.error(f"there is no case {unknown[0]!r}; the cases are {', '.join(CASES)}")
    turns.runs = arguments.runs
    with open("/proc/cpuinfo") as file:
        model = next((line.split(":")[1].strip() for line in file if line.startswith("model name")), "?")
    peers = f"polars {pl.__version__}, duckdb {duckdb.__version__}"
    print(
        f"{platform.machine()}, {model}, {os.cpu_count()} processors, {peers}, medians of {turns.runs} runs\n"
    )
    print("| case | what | Moonmill, s | peer, s | peer / Moonmill | target | |")
    print("| --- | --- | --- | --- | --- | --- | --- |")
    for name in arguments.cases or CASES:
        CASES[name]()


if __name__ == "__main__":
    main()
