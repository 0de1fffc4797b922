"""The run over one file of a batch: its output is written, unless it is current."""

from __future__ import annotations

from hashlib import blake2b

from .. import _core
from ..errors import Error
from .identity import identity_of
from .prepare import plan_over

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

    from ..base.params import Texts
    from ..pipeline import Pipeline
    from ..reading import Files
    from .manifest import Manifest


class FileResult:
    """The result for one file: an output of so many rows, an error, or neither if it was skipped.

    Attributes
    ----------
    rows : int or None
    error : Error or None
    read, written : list or None
        Identities of the input, before it was read, and of the output.
    """

    __slots__ = ("error", "read", "rows", "written")

    def __init__(self, rows: int | None = None, error: Error | None = None) -> None:
        self.rows = rows
        self.error = error
        self.read: list[Any] | None = None
        self.written: list[Any] | None = None


class FileRunner:
    """Runs a pipeline over single files."""

    def __init__(
        self,
        pipeline: Pipeline,
        files: Files,
        params: Mapping[str, Any],
        manifest: Manifest,
        resume: bool,
    ) -> None:
        self._pipeline = pipeline
        self._files = files
        self._params = pipeline._params(params)
        self._manifest = manifest
        self._resume = resume
        self._recipe = _recipe(pipeline, files, self._params)

    def run(
        self, source: str, target: str, threads: int, watch: Callable[[object], object] | None = None
    ) -> FileResult:
        """Write the output of one file, unless it is current."""
        if self._resume and self._manifest.is_current(target, self._recipe, source):
            return FileResult()
        read = identity_of(source)
        result = self._run(source, target, threads, watch)
        if result.error is None:
            result.read, result.written = read, identity_of(target)
        return result

    def record(self, target: str, result: FileResult) -> None:
        """Record what an output was made from; pipes have no identity to record."""
        if result.read and result.written:
            self._manifest.add(target, self._recipe, result.read, result.written)

    def _run(
        self, source: str, target: str, threads: int, watch: Callable[[object], object] | None
    ) -> FileResult:
        script = self._pipeline._loaded()
        opened = None
        try:
            opened = self._files.open(script, paths=[source])
            plan = plan_over(script, opened, self._params)
            return FileResult(_core.run(plan, opened, threads=threads, watch=watch, output=target))
        except Error as error:
            return FileResult(error=error)
        finally:
            del opened  # the traceback of an error that is kept would keep the file open


def _recipe(pipeline: Pipeline, files: Files, params: Texts) -> str:
    """A hash of everything that outputs depend on besides their inputs."""
    source = pipeline._source
    read = pipeline._loaded().files
    parts = (
        _core.version(),
        source.text,
        source.modules,
        source.half,
        sorted(params),
        sorted(files.options.items()),
        [(path, identity_of(path)) for path in read],
    )
    return blake2b(repr(parts).encode(), digest_size=16).hexdigest()
