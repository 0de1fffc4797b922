"""The manifest of a folder of outputs: what each was made of, so that a later run knows which are current.

DESIGN. A file of lines, each a record: a checksum (CRC-32) and JSON. The first one tells the format. A record
is appended by one write, after its output was renamed into place. So a run that is killed in between leaves
an output without a record, or beside a record of the file that was there before: it is made again. A cut or
damaged end of the manifest is dropped; damage before a good record is an error. Of several records of an
output the last one counts; when most are out of date, the file is replaced by one of those that count.

Records are synchronised to disk once a second and at the end; if a power failure loses one, its output is
made again.

Who uses a folder holds a lock on its manifest (flock), which goes with the process however that ends, and
with the file object where Ctrl-C leaves it behind: so context managers of Python are avoided, as their frames
would keep the object.
"""

from __future__ import annotations

import json
import os
from fcntl import LOCK_EX, LOCK_NB, LOCK_UN, flock
from stat import S_ISREG
from time import monotonic
from zlib import crc32

from ..errors import FileError
from ..reading import MANIFEST
from .identity import is_unchanged

TYPE_CHECKING = False
if TYPE_CHECKING:
    from io import FileIO
    from typing import Any

FORMAT = {"format": "moonmill-manifest", "version": 1}
SPARE = 1000
"""Outdated records that are tolerated before the file is rewritten."""

_HINT = "delete it; all outputs are then written again"


class Manifest:
    """The records of a folder, locked by this run until closed.

    Raises
    ------
    FileError
        Another run uses the folder, or the manifest is damaged, or cannot be read or written.
    """

    def __init__(self, folder: str) -> None:
        self.path = os.path.join(folder, MANIFEST)
        self._file = _locked(self.path)
        self._synchronised = 0.0
        lines = self._lines()
        self._records = {record["output"]: record for record in lines[1:]}
        if not lines:
            self._append(FORMAT)
        elif len(lines) > 2 * len(self._records) + SPARE:
            self._rewrite()

    def __enter__(self) -> Manifest:
        return self

    def __exit__(self, *unused: object) -> None:
        try:
            os.fdatasync(self._file.fileno())
        except OSError as error:
            raise _cannot("save", self.path, error) from None
        finally:
            _unlock(self._file)
            self._file.close()

    def is_current(self, target: str, recipe: str, source: str) -> bool:
        """Whether an output was made from this input with this recipe, and neither has changed since."""
        record = self._records.get(os.path.basename(target))
        return (
            record is not None
            and record["recipe"] == recipe
            and is_unchanged(source, record["input"])
            and is_unchanged(target, record["result"])
        )

    def add(self, target: str, recipe: str, source: list[Any], result: list[Any]) -> None:
        """Record an output that is in place; `source` and `result`: identities."""
        name = os.path.basename(target)
        record = {"output": name, "recipe": recipe, "input": source, "result": result}
        self._append(record)
        self._records[name] = record

    def _append(self, record: dict[str, Any]) -> None:
        try:
            _write(self._file, _line(record))
            if monotonic() - self._synchronised > 1:
                os.fdatasync(self._file.fileno())
                self._synchronised = monotonic()
        except OSError as error:
            raise _cannot("write", self.path, error) from None

    def _rewrite(self) -> None:
        """Replace the file by one with the current records, locked before it is renamed into place."""
        path = self.path + ".new"
        try:
            file = _opened(path)
            file.truncate(0)
            _lock(file)
            _write(file, b"".join(map(_line, [FORMAT, *self._records.values()])))
            os.fdatasync(file.fileno())
            os.replace(path, self.path)
        except OSError as error:
            raise _cannot("write", path, error) from None
        self._file, old = file, self._file
        old.close()

    def _cut(self, size: int) -> None:
        try:
            self._file.truncate(size)
        except OSError as error:
            raise _cannot("write", self.path, error) from None

    def _lines(self) -> list[dict[str, Any]]:
        """All intact records, after the format; an incomplete end, left by a killed run, is truncated."""
        try:
            self._file.seek(0)
            content = self._file.readall()
        except OSError as error:
            raise _cannot("read", self.path, error) from None
        good, size, place, damaged = [], 0, 0, 0
        for number, line in enumerate(content.split(b"\n")[:-1], 1):
            place += len(line) + 1
            record = _parsed(line)
            if record is None:
                damaged = damaged or number
            elif damaged:
                raise _bad(self.path, "the record is damaged, and there are good ones behind it", damaged)
            else:
                good.append(record)
                size = place
        if (good and good[0] != FORMAT) or (not good and not _line(FORMAT).startswith(content)):
            raise _bad(self.path, "this is no manifest, or one of another version of Moonmill", 1)
        if size < len(content):
            self._cut(size)
        return good


def _locked(path: str) -> FileIO:
    """Open and lock the file. On file systems without locks it is only opened."""
    while True:
        try:
            file = _opened(path)
        except OSError as error:
            raise _cannot("open", path, error) from None
        if not S_ISREG(os.fstat(file.fileno()).st_mode):
            raise _bad(path, "this is no regular file")
        if not _lock(file):
            raise FileError(
                "another run is writing its outputs to this folder",
                id="folder-in-use",
                file=os.path.dirname(path),
                hint="wait until it has ended, or choose another folder",
            )
        if _is_named(file, path):
            return file
        file.close()


def _lock(file: FileIO) -> bool:
    """False if another run has the lock. File systems without locks are not locked."""
    try:
        flock(file, LOCK_EX | LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        pass
    return True


def _unlock(file: FileIO) -> None:
    """Unlock explicitly: forked children have the file open and would keep the lock."""
    try:  # noqa: SIM105
        flock(file, LOCK_UN)
    except OSError:
        pass


def _is_named(file: FileIO, path: str) -> bool:
    """Whether the path still refers to this file, which may have been replaced or deleted."""
    try:
        return os.path.samestat(os.fstat(file.fileno()), os.lstat(path))
    except FileNotFoundError:
        return False


def _opened(path: str) -> FileIO:
    return open(path, "a+b", buffering=0, opener=_no_link)


def _no_link(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_NOFOLLOW, 0o666)


def _write(file: FileIO, content: bytes) -> None:
    written = file.write(content)
    if written < len(content):
        file.write(content[written:])  # the disk is full: this raises


def _line(record: dict[str, Any]) -> bytes:
    text = json.dumps(record).encode("ascii")
    return b"%08x %s\n" % (crc32(text), text)


def _parsed(line: bytes) -> dict[str, Any] | None:
    """The record of a line; None when it is damaged."""
    checksum, _, text = line.partition(b" ")
    if checksum != b"%08x" % crc32(text):
        return None
    record: dict[str, Any] = json.loads(text)
    return record


def _bad(path: str, message: str, line: int | None = None) -> FileError:
    return FileError(message, id="bad-manifest", file=path, line=line, hint=_HINT)


def _cannot(what: str, path: str, error: OSError) -> FileError:
    return FileError(f"cannot {what}: {error.strerror}", id="io", file=path)


__all__ = ["Manifest"]
