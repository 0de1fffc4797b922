"""Files by their paths: CSV and TSV, optionally compressed."""

from __future__ import annotations

import io
import os

from ..errors import KindError
from ..reading import Files
from .tables import Tables

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ..base.input_spec import InputSpec
    from ..table import Table


class Openable(Tables):
    """moonmill.Files; results are tables of this package."""

    def files(self, data: Any) -> Files:
        """The files."""
        return data  # type: ignore[no-any-return]

    def take(self, data: Any, spec: InputSpec) -> Table:
        """Reads all rows."""
        return self.files(data).read()


class Paths(Openable):
    """str or os.PathLike: the path of a file."""

    def files(self, data: Any) -> Files:
        """The file."""
        return Files([os.fsdecode(data)])


class Opened(Openable):
    """An operating system file opened in binary mode; it is read from its beginning."""

    def files(self, data: Any) -> Files:
        """Its path, or its descriptor if it has none (it was deleted, or is a pipe)."""
        if not data.readable() or not isinstance(getattr(data, "raw", data), io.FileIO):
            raise refuse_file(data)
        if data.seekable() and data.tell() != 0:
            raise KindError(
                f"{data.name} has been read up to byte {data.tell()}", id="wrong-kind", hint="seek(0) first"
            )
        try:
            if os.path.samestat(os.stat(data.name), os.fstat(data.fileno())):
                return Files([os.fsdecode(data.name)])
        except (OSError, TypeError):
            pass
        return Files([f"/dev/fd/{data.fileno()}"])


class BytesIO(Openable):
    """io.BytesIO: the rest of it is read as a file."""

    def files(self, data: Any) -> Files:
        """Its memory."""
        return Files(["<BytesIO>"], data=data.getbuffer()[data.tell() :])


def refuse_file(data: Any) -> KindError:
    """The error for a file object that cannot be read without Python."""
    return KindError(
        f"a file object of type {type(data).__qualname__} cannot be taken",
        id="wrong-kind",
        hint="give its path, a file that is open in binary mode, or io.BytesIO(file.read())",
    )
