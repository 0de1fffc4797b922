"""The four experiments that Moonmill grew from.

A study moved data between Python and a Go library: c-shared, called through ctypes, arguments packed into
strings of bytes. It measured the memory of a transfer (A), the speed of a round trip (B), global memory of
the library (C), and calls that return at once (D). This runs each with a Go library that works the study's
way, and with Moonmill. Prints a table and writes a page.
"""

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import time

import page
from witness import observe

HERE = os.path.dirname(os.path.abspath(__file__))
STUDY_MIB, STUDY_TRIP, STUDY_RATE = 980, "0.565 s", "1,733 MiB/s"
MIB = 1 << 20


class Row:
    """A line of the table; values in `unit`, or texts. The ratio: how many times less ours is."""

    def __init__(self, what, study, go, ours, unit, note=""):
        self.what, self.study, self.note = what, study, note
        self.go, self.ours = show(go, unit), show(ours, unit)
        self.ratio = ratio_of(go, ours) if isinstance(go, float) and isinstance(ours, float) else ""


def ratio_of(go, ours):
    ratio = go / ours if ours > go / 1e9 else 0
    return f"{ratio:,.{0 if ratio >= 100 else 1}f}" if ratio else ""


def show(value, unit):
    if not isinstance(value, float):
        return value or ""
    if unit == "times":
        return f"{value:.2f}×"
    for limit, scale, name in ((1e-3, 1e6, "µs"), (1, 1e3, "ms")):
        if value < limit:
            return f"{value * scale:.3g} {name}"
    return f"{value:.3f} s"


class Experiments:
    def __init__(self, options):
        self.size, self.runs, self.library = int(options.size * MIB), options.runs, options.library

    def program(self, name, *arguments):
        return [
            sys.executable,
            os.path.join(HERE, name),
            *map(str, arguments),
            *([self.library] if self.library else []),
        ]

    def facts(self, name, side):
        out = subprocess.run(
            self.program(name, side, self.size), check=True, stdout=subprocess.PIPE, text=True
        ).stdout
        return json.loads(out)

    # ---- A ----

    def transfer(self):
        self.pictures = {}

        def peak(side, case):
            if side == "go" and not self.library:
                return "no go"
            run = observe("a_transfer.py", side, case, self.size, *([self.library] if self.library else []))
            self.pictures[side, case] = run
            return (run["peak"] - run["base"]) / self.size

        return [
            Row("array into the library: peak", "2×", peak("go", "in"), peak("moonmill", "in"), "times"),
            Row("array out of the library: peak", "3×", peak("go", "out"), peak("moonmill", "out"), "times"),
            Row("add one, a new array: peak", "", peak("go", "new"), peak("moonmill", "new"), "times",
                "the input and the result are two"),
            Row("add one, in place: peak", "", "cannot", peak("moonmill", "place"), "times"),
        ]  # fmt: skip

    # ---- B ----

    def round_trip(self):
        sides = [("copy", self.size), ("shared", self.size), ("shared", MIB)]
        if self.library:
            sides.insert(0, ("go", self.size))
        travellers = {side: Traveller(self.program("b_round_trip.py", *side)) for side in sides}
        times = {side: [] for side in sides}
        first = {side: traveller.trip() for side, traveller in travellers.items()}
        for _ in range(self.runs):
            for side, traveller in travellers.items():
                times[side].append(traveller.trip())
        for traveller in travellers.values():
            traveller.close()
        self.times = times
        mean = {side: statistics.mean(seconds) for side, seconds in times.items()}
        go, mib = mean.get(("go", self.size), "no go"), self.size / MIB

        def rate(name, side, first_was=""):
            best, worst = (mib / f(times[side]) for f in (min, max))
            rates = f"best {best:,.0f}, worst {worst:,.0f}; the first, not counted, {mib / first[side]:,.0f}"
            return f"{name} {mib / mean[side]:,.0f} MiB/s ({rates}{first_was})"

        copied, shared = mean["copy", self.size], mean["shared", self.size]
        what = f"round trip of {mib:,.0f} MiB"
        notes = [rate("Go", ("go", self.size))] if self.library else []
        ours = rate("ours", ("copy", self.size), ", before there was memory to use again")
        notes = "; ".join([*notes, ours])
        study = f"{STUDY_TRIP}, {STUDY_RATE}" if mib == STUDY_MIB else STUDY_RATE
        own = "the result is the array's own memory"
        return [
            Row(f"{what}, an independent copy back", study, go, copied, "seconds", notes),
            Row(f"{what}, shared", "", go, shared, "seconds", own),
            Row(
                "round trip of 1 MiB, shared", "", "", mean["shared", MIB], "seconds", "size does not matter"
            ),
        ]

    # ---- C ----

    def store(self):
        go = self.facts("c_store.py", "go") if self.library else {}
        ours = self.facts("c_store.py", "moonmill")
        self.entries = ours["entries"]

        def row(what, study, key, unit, note=""):
            value = {side: facts.get(key, "no go") for side, facts in (("go", go), ("ours", ours))}
            if unit == "times":
                value = {
                    side: size if isinstance(size, str) else size / self.size for side, size in value.items()
                }
            return Row(what, study, value["go"], value["ours"], unit, note)

        return [
            row("put an array into the library's memory", "", "put", "seconds"),
            row("get it back", "", "get", "seconds"),
            row("memory for it, beside the array: peak", "", "peak", "times"),
            row("use before an init", "needs one", "before_init", "text"),
            row("memory is freed after a drop", "explicit free", "dropped", "text"),
            row("all workers of a job look into it", "", "workers", "text", ours["looked_up"]),
        ]

    # ---- D ----

    def job(self):
        go = self.facts("d_job.py", "go") if self.library else {}
        ours = self.facts("d_job.py", "moonmill")
        self.seen = {"Go library": go.get("seen", []), "Moonmill": ours["seen"]}

        def row(what, study, key, note=""):
            return Row(what, study, go.get(key, "no go"), ours[key], "seconds", note)

        return [
            row("the call returns after", "at once", "returned", "the Go library copies its input first"),
            row("square roots of all bytes, summed", "", "seconds", "one goroutine; all processors"),
            row("the same, one worker", "", "alone"),
            row("a function that loops for ever is stopped after", "", "cancel"),
            Row("an error tells", "", go.get("error", "no go"), "place and reason", "text", ours["error"]),
            row("calls that work at the same time", "one", "many", "as many as were tried"),
        ]


class Traveller:
    """A program of experiment B that waits for its turn."""

    def __init__(self, command):
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self._line()

    def _line(self):
        line = self.process.stdout.readline()
        if not line:
            raise SystemExit("experiments: b_round_trip.py failed")
        return line

    def trip(self):
        self.process.stdin.write("go\n")
        self.process.stdin.flush()
        return float(self._line())

    def close(self):
        self.process.stdin.close()
        self.process.wait()
        self.process.stdout.close()


def machine():
    with open("/proc/cpuinfo") as file:
        model = next((line.split(":")[1].strip() for line in file if line.startswith("model name")), "?")
    return f"{platform.machine()}, {model}, {os.cpu_count()} processors, Python {platform.python_version()}"


def print_table(title, rows):
    print(f"\n{title}\n")
    print("| what | the study | Go library here | Moonmill here | ratio | |")
    print("| --- | --- | --- | --- | --- | --- |")
    for row in rows:
        print(f"| {row.what} | {row.study} | {row.go} | {row.ours} | {row.ratio} | {row.note} |", flush=True)


TITLES = {
    "transfer": "A. Memory of a transfer, in multiples of the data",
    "round_trip": "B. Speed of a round trip",
    "store": "C. Data that stays in the library",
    "job": "D. A call that returns at once",
}


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--size", type=float, default=980, help="MiB of the array (980)")
    parser.add_argument("--runs", type=int, default=7, help="round trips that count (7)")
    parser.add_argument("--library", help="the Go library, libpacked.so; without it that column says: no go")
    parser.add_argument("--page", help="write the page here")
    options = parser.parse_args()
    experiments = Experiments(options)
    when = time.strftime("%Y-%m-%d")
    print(f"{machine()}, {when}: {options.size:g} MiB, {options.runs} runs")
    tables = {}
    for name, title in TITLES.items():
        tables[title] = getattr(experiments, name)()
        print_table(title, tables[title])
    if options.page:
        with open(options.page, "w", encoding="utf-8") as file:
            file.write(page.render(experiments, tables, f"{machine()}, {when}"))
        print(f"\nWrote {options.page}")


if __name__ == "__main__":
    main()
