"""The number of threads of a run."""

from __future__ import annotations

import os
import sys
from operator import index

from .engines import caller


def threads_of(threads: int | None) -> int:
    """The given number, or `default_threads`."""
    if threads is None:
        return default_threads()
    try:
        count = index(threads)
    except TypeError:
        raise TypeError(
            f"threads is {threads!r}, expected a whole number, or None for all processors"
        ) from None
    if count < 1:
        raise ValueError(f"threads is {count}, expected 1 or more, or None for all processors")
    return count


def default_threads() -> int:
    """``MOONMILL_THREADS`` if set; 1 when called by Ray, Dask, Spark, or in process pools; else 0: all."""
    chosen = os.environ.get("MOONMILL_THREADS")
    if chosen:
        try:
            return max(0, int(chosen))
        except ValueError:
            raise ValueError(f"MOONMILL_THREADS is {chosen!r}, expected a number") from None
    return 1 if in_worker() or caller() else 0


def in_worker() -> bool:
    """Whether this process is one of many workers that a framework has started."""
    processes = sys.modules.get("multiprocessing.process")
    if processes is not None and processes.parent_process() is not None:
        return True
    if "pyspark.worker" in sys.modules or "pyspark.daemon" in sys.modules:
        return True
    ray = sys.modules.get("ray._private.worker")
    return ray is not None and getattr(ray.global_worker, "mode", None) == getattr(ray, "WORKER_MODE", 1)
