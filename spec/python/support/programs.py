"""Programs that run in a Python of their own, for specs."""

import os
import subprocess
import sys
import textwrap
import time


def run(program, *arguments, options=("-X", "faulthandler"), timeout=120, send=None, environment=None):
    """Run a program to its end: a CompletedProcess with what it printed, as texts.

    `options` are those of the interpreter; `send`: a signal, once the program has printed "ready";
    `environment`: variables beside those of this process.
    """
    code = f"import sys; sys.path[:0] = {sys.path!r}\n{textwrap.dedent(program)}"
    command = [sys.executable, *options, "-c", code, *map(str, arguments)]
    process = subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, **(environment or {})},
    )
    try:
        if send:
            assert process.stdout.readline().strip() == "ready"
            time.sleep(0.2)
            process.send_signal(send)
        out, err = process.communicate(timeout=timeout)
    finally:
        process.kill()
    return subprocess.CompletedProcess(command, process.returncode, out, err)


def output(program, *arguments, **options):
    """What a program prints that ends well."""
    done = run(program, *arguments, **options)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()
