"""How many threads a run uses when nobody says: all processors, but one where a framework already runs many processes."""

from __future__ import annotations

import os
import sys


def default_threads() -> int:
    """``MOONMILL_THREADS`` if it is set, 1 in a worker of Ray, Dask, Spark or a process pool, else 0: all processors."""
    chosen = os.environ.get("MOONMILL_THREADS")
    if chosen:
        try:
            return max(0, int(chosen))
        except ValueError:
            raise ValueError(f"MOONMILL_THREADS is {chosen!r}, expected a number") from None
    return 1 if in_worker() else 0


def in_worker() -> bool:
    """This process is one of many that a framework has started for work of this kind."""
    processes = sys.modules.get("multiprocessing.process")
    if processes is not None and processes.parent_process() is not None:
        return True
    if "pyspark.worker" in sys.modules or "pyspark.daemon" in sys.modules:
        return True
    ray = sys.modules.get("ray._private.worker")
    return ray is not None and getattr(ray.global_worker, "mode", None) == getattr(ray, "WORKER_MODE", 1)
