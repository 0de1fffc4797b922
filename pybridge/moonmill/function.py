"""Pipelines as functions, and their signatures."""

from __future__ import annotations

import inspect

from .adapters import adapter_of
from .base.input_spec import InputSpec
from .base.params import shown
from .errors import UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from .pipeline import Pipeline


def function_of(pipeline: Pipeline, columns: tuple[str, ...], output: str | None) -> Callable[..., Any]:
    """A function that calls the pipeline with a table, or with as many arrays as there are names."""

    def on_table(data: Any, /) -> Any:
        return pipeline(data)

    def on_arrays(*arrays: Any) -> Any:
        if len(arrays) != len(columns):
            raise TypeError(
                f"{pipeline.__name__} takes {len(columns)} arrays ({', '.join(columns)}), got {len(arrays)}"
            )
        adapter = adapter_of(arrays[0])
        result = pipeline.run(dict(zip(columns, arrays)))
        if len(result) != len(arrays[0]):
            raise UsageError(
                f"{len(arrays[0])} rows became {len(result)}: a function of arrays must keep all rows",
                id="rows-change",
                file=pipeline.name,
            )
        names = result.column_names
        chosen = output or (names[0] if len(names) == 1 else names[-1])
        return adapter.give(result.select([chosen]), arrays[0], InputSpec(whole="any"), True)

    made = on_arrays if columns else on_table
    made.__name__ = made.__qualname__ = pipeline.__name__
    made.__doc__ = pipeline._loaded().facts["about"] or f"The pipeline {pipeline.name}."
    if columns:
        kinds = inspect.Parameter.POSITIONAL_ONLY
        made.__signature__ = inspect.Signature(  # type: ignore[attr-defined]
            [inspect.Parameter(f"column_{i}", kinds) for i in range(len(columns))]
            if not all(name.isidentifier() for name in columns)
            else [inspect.Parameter(name, kinds) for name in columns]
        )
    return made


def signature_of(pipeline: Pipeline) -> inspect.Signature:
    """(data, /, *, threads=None, timeout=None, and the pipeline's own parameters)"""
    one, keyword = inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.KEYWORD_ONLY
    given = dict(pipeline._given)
    parts = [inspect.Parameter("data", one)]
    parts += [inspect.Parameter(name, keyword, default=None) for name in ("threads", "timeout")]
    for param in pipeline._loaded().facts["params"]:
        name, default = param["name"], param["default"]
        if name in given:
            default = shown(given[name])
        elif param["required"]:
            default = inspect.Parameter.empty
        parts.append(inspect.Parameter(name, keyword, default=default, annotation=param["type"]))
    return inspect.Signature(parts)
