"""Files by their paths: CSV and TSV, perhaps compressed."""

from __future__ import annotations

import os

from ..reading import Files, read
from .tables import Tables

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ..table import Table
    from .kind import Wanted


class Openable(Tables):
    """moonmill.Files; results are tables of this package."""

    def files(self, data: Any) -> Files:
        """The files."""
        return data  # type: ignore[no-any-return]

    def take(self, data: Any, wanted: Wanted) -> Table:
        """Reads all rows."""
        return read(self.files(data))


class Paths(Openable):
    """str or os.PathLike: the path of a file."""

    def files(self, data: Any) -> Files:
        """The file."""
        return Files([os.fsdecode(data)])
