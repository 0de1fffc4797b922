"""What a program of an experiment tells about itself: its steps, who holds what, how much memory is resident.

The program runs in a process of its own and prints lines of JSON; `observe` starts it and looks at its
resident memory from outside every two milliseconds, because nothing inside runs while a copy is made with
the GIL held.
"""

import json
import os
import subprocess
import sys
import time

PAGE = os.sysconf("SC_PAGE_SIZE")
INTERVAL = 0.002


def resident(pid="self"):
    """Bytes of a process that are in memory now."""
    with open(f"/proc/{pid}/statm", "rb") as file:
        return int(file.read().split()[1]) * PAGE


def peak():
    """The most bytes of this process that ever were in memory: the kernel's high-water mark."""
    with open("/proc/self/status") as file:
        return next(int(line.split()[1]) * 1024 for line in file if line.startswith("VmHWM"))


class Witness:
    """The teller inside of the program. Make it before the data, after everything else is loaded."""

    def __init__(self):
        self.base = resident()
        self.began = time.monotonic()
        self._tell(base=self.base, began=self.began)

    def _tell(self, **facts):
        print(json.dumps(facts), flush=True)

    def step(self, title, at=None, **holders):
        """A step has ended: now, or earlier, at a time of the monotonic clock.

        `holders`: by side ("python", "library"), the bytes that it holds under which name; 0 bytes: a view of
        memory that another name holds.
        """
        facts = {"at": at} if at else {"at": time.monotonic(), "resident": resident()}
        self._tell(step=title, holders=holders, **facts)

    def end(self, **facts):
        """The program is done; the checks that follow do not count."""
        self._tell(end=time.monotonic(), peak=peak(), **facts)


def observe(program, *arguments):
    """Run a program; its facts, with `samples`: [time, resident bytes] and in each step `resident`."""
    command = [sys.executable, os.path.join(os.path.dirname(__file__), program), *map(str, arguments)]
    child = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    samples = []
    while child.poll() is None:
        now = time.monotonic()
        try:
            samples.append((now, resident(child.pid)))
        except (OSError, IndexError):  # it has just ended
            break
        time.sleep(INTERVAL)
    lines = child.stdout.read().splitlines()
    child.stdout.close()
    if child.wait() != 0:
        raise SystemExit(f"experiments: {program} {' '.join(map(str, arguments))} failed")
    return _merge([json.loads(line) for line in lines], samples)


def _merge(lines, samples):
    run = {"steps": []}
    for line in lines:
        if "step" in line:
            run["steps"].append(line)
        else:
            run.update(line)
    told = [(step["at"], step["resident"]) for step in run["steps"] if "resident" in step]
    first = (run["began"], run["base"])
    run["samples"] = [
        first,
        *sorted((at, size) for at, size in samples + told if first[0] <= at <= run["end"]),
    ]
    for step in run["steps"]:
        if "resident" not in step:  # it ended within a call: what was seen from outside
            step["resident"] = [size for at, size in run["samples"] if at <= step["at"] + INTERVAL][-1]
    return run
