"""Identities of files: what tells whether one has changed."""

from __future__ import annotations

import os
from hashlib import blake2b
from stat import S_ISREG

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

END = 1 << 20
"""Bytes of the beginning and of the end of a file that are hashed."""


def identity_of(path: str) -> list[Any] | None:
    """Size, time of the last change and a hash of both ends of a file; None of what is no regular file."""
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
    """Whether a file still has an identity; it is read only where size and time are the same."""
    status = _status_of(path)
    if status is None or [status.st_size, status.st_mtime_ns] != identity[:2]:
        return False
    return identity_of(path) == identity


def _status_of(path: str) -> os.stat_result | None:
    """Of a regular file; "-" is stdin, whatever is called so."""
    try:
        status = os.stat(path)
    except (OSError, ValueError):
        return None
    return status if S_ISREG(status.st_mode) and path != "-" else None
