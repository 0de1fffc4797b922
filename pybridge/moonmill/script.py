"""Scripts, each loaded once into a session of its own, with their plans."""

from __future__ import annotations

import os
from _weakref import ref  # the package around it takes longer to import than this one

from . import _core
from .base.frames import sources
from .base.input_spec import InputSpec

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from .base.params import Texts

    Modules = tuple[tuple[str, str], ...]

SCRIPTS_KEPT = 64
PLANS_KEPT = 64


class Source:
    """The source texts of a script: all that another process needs to load it.

    Attributes
    ----------
    name : str
        Its name in messages: the path of its file, or a generated name.
    text : str
        The script.
    modules : tuple of (str, str)
        Names and texts of the modules that it requires.
    half : str
        "partial" or "merge" for one phase of the pipeline; otherwise "".
    """

    __slots__ = ("half", "modules", "name", "text")

    def __init__(self, name: str, text: str, modules: Modules = (), half: str = "") -> None:
        self.name = name
        self.text = text
        self.modules = modules
        self.half = half

    def key(self) -> tuple[object, ...]:
        """A key that is equal for equal sources."""
        return self.name, self.text, self.modules, self.half

    def of(self, half: str) -> Source:
        """The source of one phase, or of the whole pipeline for ""."""
        return Source(self.name, self.text, self.modules, half)

    def paths(self) -> list[str]:
        """The paths of its files, if it was loaded from files."""
        folder = os.path.dirname(self.name)
        return [
            self.name,
            *(os.path.join(folder, f"{name.replace('.', '/')}.lua") for name, _ in self.modules),
        ]

    def digest(self) -> str:
        """A hash of these sources in 32 characters, the same in every process."""
        from hashlib import blake2b

        return blake2b(repr(self.key()).encode(), digest_size=16).hexdigest()

    def __reduce__(self) -> tuple[Any, ...]:
        return Source, (self.name, self.text, self.modules, self.half)


class Script:
    """A script in a Lua state of its own, which is freed with the last object that uses it.

    Attributes
    ----------
    session : _core.Session
        The Lua state. Both phases of a pipeline share it.
    handle : int
        Its number in the session.
    kind : str
        What the script returned: "pipeline" or "module".
    facts : dict
        The session's description of it: `about`, `params`, `input`, `stages`, ...
    wanted : InputSpec
        The input that it declares.
    params : set of str
        Names of its parameters.
    files : list of str
        Paths of the files that it read by itself while it was loaded.
    """

    def __init__(self, session: _core.Session, answer: dict[str, Any], source: Source) -> None:
        self.session = session
        self.handle: int = answer["handle"]
        self.kind: str = answer["kind"]
        self.facts = answer
        self.source = source
        self.files = [os.path.abspath(path) for path in answer.get("files") or ()]
        declared = answer.get("input") or {}
        columns = declared.get("fields") or []
        names = [column["name"] for column in columns] if columns and not declared.get("rest") else None
        self.input_spec = InputSpec(names, declared.get("whole"))
        self.params = {param["name"] for param in answer.get("params") or ()}
        self._plans: dict[Any, _core.Plan] = {}
        _alive.add(ref(self, _alive.discard))

    def plan(self, names: list[str], types: list[str], nullables: list[bool], params: Texts) -> _core.Plan:
        """The plan for columns of these names and types, cached by columns and parameters."""
        key = (tuple(names), tuple(types), tuple(nullables), params)
        found = self._plans.get(key)
        if found is None:
            found = self.session.plan(self.handle, names, types, nullables, dict(params))
            self._plans[key] = found
            drop_oldest(self._plans, PLANS_KEPT)
        return found

    def forget_plans(self) -> None:
        """Drop the plans; running jobs keep theirs."""
        self._plans.clear()

    def known(self) -> bool:
        """Whether its state still exists: one that was interrupted is discarded."""
        return not self.session.lost

    def ask(self, request: str, *arguments: str) -> Any:
        """The session's answer about this script."""
        return ask(self.session, request, str(self.handle), *arguments)

    def __del__(self) -> None:
        try:  # noqa: SIM105 (contextlib takes a tenth of the time of the import)
            self.session.drop(self.handle)
        except Exception:  # the interpreter may be at its end
            pass


_scripts: dict[tuple[object, ...], Script] = {}
_alive: set[ref[Script]] = set()


def forget() -> None:
    """Drop unused scripts and all plans; they are made again when needed."""
    _scripts.clear()
    for reference in list(_alive):
        script = reference()
        if script is not None:
            script.forget_plans()


def load_file(path: str) -> Script:
    """Load a file; modules that it requires are searched for beside it."""
    session = _core.Session()
    answer = ask(session, "load", "file", path, "")
    source = Source(path, answer["text"], tuple(sorted(answer["modules"].items())))
    return _keep(source.key(), Script(session, answer, source))


def loaded(source: Source) -> Script:
    """The script of these sources, loaded if it is not yet known in this process."""
    key = source.key()
    found = _scripts.get(key)
    if found is not None and found.known():
        return found
    if source.half:
        whole = loaded(source.of(""))
        return _keep(key, Script(whole.session, whole.ask(source.half), source))
    remember(source.name, source.text)
    parts = [part for module in source.modules for part in module]
    session = _core.Session()
    return _keep(key, Script(session, ask(session, "load", "text", source.name, source.text, *parts), source))


def remember(name: str, text: str) -> None:
    """Keep the text of a script under its name in messages, for tracebacks."""
    sources[name] = text
    drop_oldest(sources, 4 * SCRIPTS_KEPT)


def _keep(key: tuple[object, ...], script: Script) -> Script:
    _scripts[key] = script
    drop_oldest(_scripts, SCRIPTS_KEPT)
    return script


def drop_oldest(kept: dict[Any, Any], most: int) -> None:
    """Drop the oldest entries until at most so many are left."""
    while len(kept) > most:
        try:  # noqa: SIM105
            kept.pop(next(iter(kept)), None)
        except (RuntimeError, StopIteration):  # noqa: PERF203 (another thread was faster)
            pass


def ask(session: _core.Session, request: str, *arguments: str) -> Any:
    """The answer of a session."""
    import json

    return json.loads(session.ask(request, *arguments))
