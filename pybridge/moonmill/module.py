"""Modules: typed functions of a Lua script as Python callables."""

from __future__ import annotations

import copyreg

from . import _core
from .base.suggest import missing, nearest
from .script import SCRIPTS_KEPT, Source, drop_oldest, remember

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any


class Module:
    """Typed functions of a script, as attributes and as items.

    The script runs once, in a Lua state of its own; local variables of the script keep their values between
    calls. One call runs at a time: a second thread waits, without holding the GIL. A call interrupted by
    Ctrl-C leaves the script's variables in an undefined state, so the next call runs the script anew; so does
    another process that the module is sent to.

    Scalars are checked against their types. Arrays are borrowed without copying: numpy arrays and other
    buffers that are C-contiguous, of exactly the declared type, and writable if declared ``mut``. New arrays
    are returned as numpy arrays if an argument was one, otherwise as a `Buffer`. An array argument that is
    returned is the caller's own object.

    >>> import moonmill as mm
    >>> m = mm.module('mm.module { add = mm.fn("a: i32, b: f32 -> f32", function(a, b) return a + b end) }')
    >>> m.add(1, 2.5)
    3.5
    >>> m.add
    <moonmill function add(a: i32, b: f32) -> f32>

    Attributes
    ----------
    functions : dict
        The functions by name, in the order of the script.
    about : str
        The script's description of itself.
    """

    def __init__(self, source: Source) -> None:
        if not isinstance(source, Source):
            raise TypeError("a Module is made by moonmill.load(path) or moonmill.module(text)")
        remember(source.name, source.text)
        modules = [part for module in source.modules for part in module]
        self._source = source
        self._core = _core.Module(source.name, (source.text, *modules))
        self._functions = self._core.functions
        for name, function in self._functions.items():
            self.__dict__.setdefault(name, function)

    @property
    def functions(self) -> dict[str, _core.Function]:
        """The functions by name, in the order of the script."""
        return dict(self._functions)

    @property
    def about(self) -> str:
        """The script's description of itself."""
        return self._core.about

    @property
    def name(self) -> str:
        """The script's file, or its given name."""
        return self._source.name

    def __getitem__(self, name: str) -> _core.Function:
        function = self._functions.get(name)
        if function is None:
            raise KeyError(missing("function", name, self._functions))
        return function

    def __iter__(self) -> Iterator[str]:
        return iter(self._functions)

    def __len__(self) -> int:
        return len(self._functions)

    def __contains__(self, name: object) -> bool:
        return name in self._functions

    def __getattr__(self, name: str) -> _core.Function:
        near = nearest(name, self.__dict__.get("_functions", {}))
        hint = f"; did you mean {near!r}?" if near else ""
        raise AttributeError(
            f"the module {self.__dict__.get('_source', Source('?', '')).name} has no {name!r}{hint}"
        )

    def __repr__(self) -> str:
        lines = [f"<moonmill.Module {self.name}: {len(self)} functions>"]
        lines += [
            f"  {name}({arguments}){results}"
            for name, arguments, results in map(_parts, self._functions.values())
        ]
        return "\n".join(lines)

    def __reduce__(self) -> tuple[Any, ...]:
        return Module, (self._source,)


def _parts(function: _core.Function) -> tuple[str, str, str]:
    arguments, arrow, results = function.signature.partition("->")
    return function.__name__, arguments.rstrip(), f" ->{results}" if arrow else ""


_shared: dict[tuple[str, tuple[str, ...]], _core.Module] = {}


def _of_this_process(name: str, texts: tuple[str, ...]) -> _core.Module:
    """The module of functions that were sent to this process, one for each script."""
    key = name, texts
    found = _shared.get(key)
    if found is None:
        remember(name, texts[0])
        found = _shared.setdefault(key, _core.Module(name, texts))
        drop_oldest(_shared, SCRIPTS_KEPT)
    return found


def forget() -> None:
    """Drop the modules of functions that were sent here; those in use live as long as their functions."""
    _shared.clear()


copyreg.pickle(_core.Module, lambda core: (_of_this_process, (core.name, core.texts)))
