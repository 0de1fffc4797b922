"""What a run over a batch of files did."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .errors import Error
    from .running.file_run import FileResult


class FilesResult:
    """What `Pipeline.run_files` did.

    Attributes
    ----------
    written : dict of str to str
        Outputs by input.
    skipped : list of str
        Inputs whose output is current, and was left as it is.
    errors : dict of str to Error
        What was wrong, by input; there is no output then.
    rows : int
        Rows that were written in all.
    """

    def __init__(self) -> None:
        self.written: dict[str, str] = {}
        self.skipped: list[str] = []
        self.errors: dict[str, Error] = {}
        self.rows = 0

    def check(self) -> FilesResult:
        """Raise the first error, if there is one."""
        for error in self.errors.values():
            raise error
        return self

    def note(self, source: str, target: str, outcome: FileResult) -> None:
        """One file has been answered."""
        if outcome.error is not None:
            self.errors[source] = outcome.error
        elif outcome.rows is None:
            self.skipped.append(source)
        else:
            self.written[source] = target
            self.rows += outcome.rows

    def __repr__(self) -> str:
        return (
            f"<FilesResult: {len(self.written)} written ({self.rows:,} rows), "
            f"{len(self.skipped)} skipped, {len(self.errors)} failed>"
        )
