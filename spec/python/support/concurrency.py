"""Many threads at the same thing, for specs."""

import threading
import time

THREADS = 6
SECONDS = 0.25


def hammer(*works, threads=THREADS, seconds=SECONDS):
    """Call the works over and over in threads of their own, all at once; raise what one of them raised."""
    gate = threading.Barrier(threads)
    failures = []

    def run(number):
        work = works[number % len(works)]
        gate.wait()
        until = time.monotonic() + seconds
        try:
            while not failures and time.monotonic() < until:
                work()
        except BaseException as error:
            failures.append(error)

    crew = [threading.Thread(target=run, args=(number,)) for number in range(threads)]
    for thread in crew:
        thread.start()
    for thread in crew:
        thread.join()
    if failures:
        raise failures[0]


def at_once(work, threads=THREADS):
    """What each thread got, or raised, of one call that all make at the same moment."""
    gate = threading.Barrier(threads)
    outcomes = [None] * threads

    def run(number):
        gate.wait()
        try:
            outcomes[number] = work()
        except Exception as error:
            outcomes[number] = error

    crew = [threading.Thread(target=run, args=(number,)) for number in range(threads)]
    for thread in crew:
        thread.start()
    for thread in crew:
        thread.join()
    return outcomes
