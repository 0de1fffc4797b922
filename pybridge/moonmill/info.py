"""The description of a pipeline: parameters, input, stages."""

from __future__ import annotations

from .schema import Schema

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


class Param:
    """A parameter of a pipeline.

    Attributes
    ----------
    name, type : str
        Type as in scripts, such as "i64".
    nullable, required : bool
        Whether it may be None; whether it has no default.
    default, help : str or None
        As written in the script.
    """

    __slots__ = ("default", "help", "name", "nullable", "required", "type")

    def __init__(self, fields: dict[str, Any]) -> None:
        self.name: str = fields["name"]
        self.type: str = fields["type"]
        self.nullable: bool = fields["nullable"]
        self.required: bool = fields["required"]
        self.default: str | None = fields["default"]
        self.help: str | None = fields["help"]

    def __repr__(self) -> str:
        default = f" = {self.default}" if self.default is not None else ""
        return f"<Param {self.name}: {self.type}{'?' if self.nullable else ''}{default}>"


class Info:
    """The description of a pipeline; its repr is what `moonmill info` prints.

    Attributes
    ----------
    about : str or None
        Its purpose.
    params : tuple of Param
        Its parameters.
    input : Schema, str or None
        The columns that it reads; "lines", or the type of a bare buffer; None if it reads any columns.
    rest : bool
        Whether other columns pass through.
    stages : tuple of str
        Names of its stages.
    """

    __slots__ = ("about", "input", "params", "rest", "stages", "text")

    def __init__(self, fields: dict[str, Any], text: str) -> None:
        declared = fields["input"]
        self.about: str | None = fields["about"]
        self.params = tuple(map(Param, fields["params"]))
        self.input: Schema | str | None = None
        if declared:
            self.input = declared.get("whole") or Schema.of(declared["fields"])
        self.rest: bool = not declared or bool(declared.get("rest"))
        self.stages: tuple[str, ...] = tuple(fields["stages"])
        self.text = text

    def __repr__(self) -> str:
        return self.text
