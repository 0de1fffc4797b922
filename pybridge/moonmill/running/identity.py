"""Identities of files, to detect changes."""

from __future__ import annotations

import os
from hashlib import blake2b
from stat import S_ISREG

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

END = 1 << 20
"""Bytes hashed at the beginning and at the end of a file."""


def identity_of(path: str) -> list[Any] | None:
    """Size, modification time and a hash of both ends of a file; None if it is not a regular file."""
    status = _status_of(path)
    if status is None:
        return None
    try:
        with open(path, "rb", buffering=0) as file:
            ends = blake2b(file.read(min(END, status.st_size)), digest_size=16)
            if status.st_size > END:
                file.seek(max(END, status.st_size - END))
                ends.update(file.read(END))
    except OSError:
        return None
    return [status.st_size, status.st_mtime_ns, ends.hexdigest()]


def is_unchanged(path: str, identity: list[Any]) -> bool:
    """Whether a file still has an identity; it is read only if size and time are unchanged."""
    status = _status_of(path)
    if status is None or [status.st_size, status.st_mtime_ns] != identity[:2]:
        return False
    return identity_of(path) == identity


def _status_of(path: str) -> os.stat_result | None:
    """The status of a regular file; "-" always means stdin."""
    try:
        status = os.stat(path)
    except (OSError, ValueError):
        return None
    return status if S_ISREG(status.st_mode) and path != "-" else None
