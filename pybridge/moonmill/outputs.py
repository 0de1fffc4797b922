"""The result of a run over a batch of files."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .errors import Error
    from .running.file_run import FileResult


class FilesResult:
    """The result of `Pipeline.run_files`.

    Attributes
    ----------
    written : dict of str to str
        Outputs by input.
    skipped : list of str
        Inputs whose output is current and was left unchanged.
    errors : dict of str to Error
        Errors by input; such an input has no output.
    rows : int
        Total number of rows written.
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

    def note(self, source: str, target: str, result: FileResult) -> None:
        """Add the result of one file."""
        if result.error is not None:
            self.errors[source] = result.error
        elif result.rows is None:
            self.skipped.append(source)
        else:
            self.written[source] = target
            self.rows += result.rows

    def __repr__(self) -> str:
        return (
            f"<FilesResult: {len(self.written)} written ({self.rows:,} rows), "
            f"{len(self.skipped)} skipped, {len(self.errors)} failed>"
        )
