"""Files by their paths: CSV and TSV, perhaps compressed."""

from __future__ import annotations

import os

from .tables import Tables

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ..table import Table
    from .kind import Wanted


class Paths(Tables):
    """str or os.PathLike: the path of a file; results are tables of this package."""

    def paths(self, data: Any) -> list[str] | None:
        """The path."""
        return [os.fspath(data)]

    def take(self, data: Any, wanted: Wanted) -> Table:
        """Reads the whole file."""
        from ..files import run_paths
        from ..pipeline import pipeline

        return run_paths(pipeline("mm.pipeline {}"), [os.fspath(data)], {})
