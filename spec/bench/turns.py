"""What the cases of the benchmark share: contestants that run in turns, and the lines of the table."""

import statistics
import subprocess
import sys
import time

runs = 5  # that count; set by bench.py


def timed(function):
    """A contestant: runs the function and returns the seconds."""

    def run():
        began = time.perf_counter()
        function()
        return time.perf_counter() - began

    return run


def in_turns(contestants):
    """Median seconds of each contestant: functions that return seconds. One round warms up."""
    times = {name: [] for name in contestants}
    for round_ in range(runs + 1):
        for name, run in contestants.items():
            seconds = run()
            if round_ > 0:
                times[name].append(seconds)
    return {name: statistics.median(values) for name, values in times.items()}


def seconds_of(command):
    """Wall seconds of a command."""
    began = time.perf_counter()
    status = subprocess.call(command, stdout=subprocess.DEVNULL)
    seconds = time.perf_counter() - began
    if status != 0:
        sys.exit(f"bench: {' '.join(command)} failed")
    return seconds


def peak_of(command):
    """Peak resident bytes of a command, started by a small process.

    A child counts what its parent held when it forked.
    """
    launcher = (
        "import os, sys; p = os.posix_spawn(sys.argv[1], sys.argv[1:], os.environ); "
        "print(os.wait4(p, 0)[2].ru_maxrss)"
    )
    launch = [sys.executable, "-S", "-c", launcher, *command]
    out = subprocess.run(launch, check=True, capture_output=True, text=True).stdout
    return int(out.split()[-1]) * 1024


def row(case, what, seconds, peer, target, note=""):
    """One line of the table: seconds of us and of the peer, and the peer's time as a multiple of ours."""
    ratio = "" if peer is None else f"{peer / seconds:.2f}"
    shown = [
        "" if value is None else f"{value:.4f}" if value >= 0.001 else f"{value:.3g}"
        for value in (seconds, peer)
    ]
    print(f"| {case} | {what} | {shown[0]} | {shown[1]} | {ratio} | {target} | {note} |", flush=True)
