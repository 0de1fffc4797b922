"""A batch of files: each input becomes an output of its own."""

from __future__ import annotations

import os
from contextlib import suppress

from ..errors import UsageError
from ..outputs import FilesResult
from ..progress import Display
from ..reading import MANIFEST, Files, expanded, path_text
from .file_run import FileResult, FileRunner
from .manifest import Manifest
from .thread_pool import ThreadPool

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from typing import Any

    from ..pipeline import Pipeline
    from ..progress import Shown
    from ..reading import Path

SMALL = 16 << 20
"""Bytes below which a file is processed by a single thread."""


def run_files(
    pipeline: Pipeline,
    inputs: Path | Iterable[Path] | Files,
    to: Path,
    threads: int,
    resume: bool,
    suffix: str | None,
    progress: Shown,
    params: Mapping[str, Any],
) -> FilesResult:
    """See `Pipeline.run_files`."""
    given = inputs if isinstance(inputs, Files) else Files(expanded(inputs))
    given, params = given.told(params, pipeline._loaded())
    folder = path_text(to)
    pairs = _pairs(given.paths, folder, suffix)
    script = pipeline._loaded()
    _refuse(pairs, [*given.paths, *script.source.paths(), *script.files])
    os.makedirs(folder, exist_ok=True)
    display = None
    if progress is not False:
        display = Display(progress, len(pairs), "files")
    results: dict[str, FileResult] = {}
    with Manifest(folder) as manifest:
        runner = FileRunner(pipeline, given, params, manifest, resume)
        try:
            for source, target, done in _results(runner.run, pairs, threads):
                runner.record(target, done)
                results[source] = done
                if display:
                    display.advance(len(results))
        finally:
            if display:
                display.finish()
    result = FilesResult()
    for source, target in pairs:
        result.note(source, target, results[source])
    return result


def _results(
    run_file: Callable[..., FileResult], pairs: list[tuple[str, str]], threads: int
) -> Iterator[tuple[str, str, FileResult]]:
    """Large files one after another, each on all threads; then small ones at once, each on one thread."""
    width = threads or len(os.sched_getaffinity(0))
    large: list[tuple[str, str]] = []
    small: list[tuple[str, str]] = []
    for pair in pairs:
        (small if width > 1 and _size(pair[0]) < SMALL else large).append(pair)
    if len(small) == 1:
        large, small = pairs, []
    for source, target in large:
        yield source, target, run_file(source, target, threads)
    if not small:
        return
    pool = ThreadPool()

    def watch(job: object) -> None:
        if pool.stopping:
            raise KeyboardInterrupt

    def run(pair: tuple[str, str]) -> tuple[str, str, FileResult]:
        return *pair, run_file(*pair, 1, watch)

    yield from pool.answers(run, small, width)


def _size(path: str) -> int:
    try:
        return os.path.getsize(path)
    except OSError:
        return 0


def _pairs(inputs: Sequence[str], folder: str, suffix: str | None) -> list[tuple[str, str]]:
    """Pairs of input and output; no two outputs may be the same file."""
    pairs = [(item, os.path.join(folder, _renamed(os.path.basename(item), suffix))) for item in inputs]
    seen: dict[str, str] = {}
    for source, target in pairs:
        if os.path.basename(target) == MANIFEST:
            raise UsageError(f"{source} would be written over the manifest {target}", id="same-output")
        other = seen.setdefault(target, source)
        if other is not source:
            raise UsageError(f"{other} and {source} would both be written to {target}", id="same-output")
    return pairs


def _refuse(pairs: Sequence[tuple[str, str]], read: Sequence[str]) -> None:
    """Raise if an output is a file that is read, under any name."""
    known: dict[tuple[int, int], str] = {}
    for path in read:
        with suppress(OSError):
            status = os.stat(path)
            known[status.st_dev, status.st_ino] = path
    for _, target in pairs:
        with suppress(OSError):
            status = os.stat(target)
            same = known.get((status.st_dev, status.st_ino))
            if same is not None:
                raise UsageError(
                    f"{target} is the same file as {same}, which is read",
                    id="same-file",
                    hint="choose another folder",
                )


def _renamed(name: str, suffix: str | None) -> str:
    """A name with another suffix, such as ".csv.zst"."""
    if suffix is None:
        return name
    if not isinstance(suffix, str):
        raise TypeError(f"suffix is {type(suffix).__name__}, expected a text such as '.csv.zst'")
    if os.sep in suffix:
        raise UsageError(f"suffix is {suffix!r}: it ends the names of files", id="bad-suffix")
    stem = os.path.splitext(name.removesuffix(".zst"))[0]
    return path_text(stem + suffix)
