"""Moonmill: pipelines of typed columns, scripted in Lua, run by a C core over the data of Python.

>>> import moonmill as mm
>>> late = mm.pipeline(':where "delay > 60" :group("carrier", "n = count()")')
>>> late.run({"carrier": ["AA", "UA", "AA"], "delay": [75.0, 10.0, 61.0]}).to_pydict()
{'carrier': ['AA'], 'n': [2]}
"""

from __future__ import annotations

from . import _core
from .column import Buffer, Column
from .errors import (
    DataError,
    Error,
    FileError,
    InternalError,
    JobCancelled,
    JobTimeout,
    KindError,
    LimitError,
    MemoryLimitError,
    SandboxError,
    ScriptError,
    StateError,
    UsageError,
)
from .errors import from_core as _from_core
from .job import Job
from .loading import load, module, pipeline, read
from .memory import Memory, memory
from .module import Module
from .pipeline import Pipeline
from .progress import Progress
from .reading import Files, files
from .store import Store, store
from .table import Table

_core.configure(table=Table, column=Column, buffer=Buffer, job=Job, error=_from_core)

__version__ = _core.version()

__all__ = [
    "Buffer",
    "Column",
    "DataError",
    "Error",
    "FileError",
    "Files",
    "InternalError",
    "Job",
    "JobCancelled",
    "JobTimeout",
    "KindError",
    "LimitError",
    "Memory",
    "MemoryLimitError",
    "Module",
    "Pipeline",
    "Progress",
    "SandboxError",
    "ScriptError",
    "StateError",
    "Store",
    "Table",
    "UsageError",
    "files",
    "load",
    "memory",
    "module",
    "pipeline",
    "read",
    "store",
]


def __dir__() -> list[str]:
    """The names that are meant for use, without the modules that they come from."""
    return sorted({*__all__, *(name for name in globals() if name.startswith("__"))})
