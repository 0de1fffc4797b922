"""Pipelines: scripts as Python values that run over data of many kinds."""

from __future__ import annotations

import os

from . import _core
from .base.deadline import Deadline, within
from .base.engines import refuse_parts
from .base.params import shown, texts
from .base.threads import threads_of
from .errors import UsageError
from .running.out_buffers import outs_of
from .running.prepare import answers, argument_of, input_of, plan_over, schema_of
from .schema import Schema
from .script import Script, Source, loaded
from .table import Table

TYPE_CHECKING = False
if TYPE_CHECKING:
    import inspect
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from typing import Any

    from .adapters import Adapter
    from .base.params import Texts
    from .info import Info
    from .job import Job
    from .outputs import FilesResult
    from .progress import Shown
    from .reading import Files, Path


class Signature:
    """Signature of a pipeline with its parameters, for help and completion; the class keeps its own."""

    def __get__(self, instance: Pipeline | None, owner: type | None = None) -> inspect.Signature:
        from .function import signature_of

        if instance is None:
            raise AttributeError("__signature__")
        return signature_of(instance)


class Pipeline:
    """A pipeline: a script, and values for its parameters. No data is read until it is run.

    It is a value: it can be compared, copied and pickled, and is compiled once in each process that uses it.
    Calling it returns data of the same kind as its input; `run` returns a `Table`. Parameters of the script
    are keyword arguments.

    Made by `load` from a file and by `pipeline` from a string.
    """

    __slots__ = ("__weakref__", "_given", "_script", "_source")

    def __init__(self, source: Source, given: Texts = (), script: Script | None = None) -> None:
        if not isinstance(source, Source):
            raise TypeError("a Pipeline is made by moonmill.load(path) or moonmill.pipeline(text)")
        self._source = source
        self._given = given
        self._script = script

    # ---- Running ----

    def __call__(
        self, data: Any, /, *, threads: int | None = None, timeout: float | None = None, **params: Any
    ) -> Any:
        """Run over data and return data of the same kind.

        A pandas DataFrame gives a DataFrame (with its index, if the pipeline keeps all rows), an array an
        array (of its shape, likewise), an iterator of tables a generator. An array or a buffer is read as the
        column `value`, or by the name that the pipeline declares.

        Parameters
        ----------
        data
            pandas, polars, pyarrow, numpy, DuckDB, dict of columns, list of rows, buffer, `Table`, the path
            of a file, `Files`, or an iterator of these.
        threads : int, optional
            Number of threads. Default: all processors; 1 in workers of Ray, Dask, Spark and process pools.
        timeout : float, optional
            Seconds after which `JobTimeout` is raised: for running the script, if it has not run yet, opening
            files, and the job together.
        **params
            Parameters of the pipeline; for files also the options for reading them: `delimiter`, `quote`,
            `null`, `header`, `ragged`, as for `files`.

        Raises
        ------
        UsageError, DataError, ScriptError, Error
            With the location in the script and the row of the input.
        """
        if timeout is None:  # a context manager takes 1 % of a call over a few rows
            return self._called(data, threads, timeout, params)
        with Deadline(timeout):
            return self._called(data, threads, timeout, params)

    def _called(self, data: Any, threads: int | None, timeout: float | None, params: dict[str, Any]) -> Any:
        script = self._loaded()
        if "return_dtype" in params and "return_dtype" not in script.params:
            # What polars expects of a function in an expression; it sees for itself.
            del params["return_dtype"]
        adapter, data = argument_of(script, data)
        if script.facts["reach"] != "rows":
            refuse_parts(self, adapter.in_parts)
        if adapter.in_parts:
            return answers(
                lambda part: self._answer(argument_of(script, part), threads, timeout, params), data
            )
        return self._answer((adapter, data), threads, timeout, params)

    def run(
        self,
        data: Any,
        /,
        *,
        out: Any = None,
        copy: bool = False,
        threads: int | None = None,
        timeout: float | None = None,
        progress: Shown = False,
        **params: Any,
    ) -> Table:
        """Run over data and wait for the result. The GIL is released; Ctrl-C cancels the run.

        Parameters
        ----------
        data
            As for a call; an iterator of tables is read to its end, as one table. The path of a CSV or TSV
            file (compressed or not), or a list or iterator of ``pathlib`` paths, concatenated to one table:
            files are read while the run proceeds, so memory does not grow with their size.
        out : buffer, or dict or list of buffers, optional
            Writable memory for the result: for its only column, by name, or in order (None: allocated as
            usual). It must have the type and the length of the column, so the pipeline must keep all rows. It
            may be the input itself: the run then works in place.
        copy : bool
            The result shares no memory with the input. Otherwise columns that pass through unchanged do.
        threads, timeout
            As for a call.
        progress : bool, callable or bar
            True: tqdm if installed, otherwise a line on stderr. A function is called with a `Progress` about
            ten times a second. A bar has `total` and `update`.
        **params
            As for a call.
        """
        options: dict[str, Any] = {"threads": threads_of(threads), "copy": copy, "timeout": timeout}
        if timeout is None:
            return self._run(data, out, progress, options, params)
        with Deadline(timeout):
            return self._run(data, out, progress, options, params)

    def _run(
        self, data: Any, out: Any, progress: Shown, options: dict[str, Any], params: dict[str, Any]
    ) -> Table:
        argument = argument_of(self._loaded(), data)
        plan, read = self._bound(argument, params, options["timeout"], out is None)
        if out is not None:
            options["out"] = outs_of(out, plan)
        if progress is False:
            return _core.run(plan, read, **options)  # type: ignore[return-value]
        from .running.progress_run import run_with_progress

        return run_with_progress(plan, read, progress, **options)

    def submit(
        self,
        data: Any,
        /,
        *,
        out: Any = None,
        copy: bool = False,
        threads: int | None = None,
        timeout: float | None = None,
        **params: Any,
    ) -> Job:
        """Start a run in the background and return at once; arguments as for `run`.

        The input must not be modified until the job has ended. Files are opened before `submit` returns, and
        read by the job.
        """
        with within(timeout):
            argument = argument_of(self._loaded(), data)
            plan, read = self._bound(argument, params, timeout, out is None)
            job: Job = _core.submit(  # type: ignore[assignment]
                plan, read, threads=threads_of(threads), out=outs_of(out, plan), copy=copy, timeout=timeout
            )
        return job._start(read)

    def stream(
        self,
        data: Any,
        /,
        *,
        rows: int = 1 << 20,
        ahead: int = 2,
        threads: int | None = None,
        **params: Any,
    ) -> Iterator[Table]:
        """Iterate over the result as tables, with bounded memory.

        An iterator of tables is read as results are consumed; files are read by one run, which waits when it
        is too far ahead; any other data is sliced. A pipeline that groups, sorts or limits needs all rows
        before its first result: it is run over all of them, and its result is sliced.

        Parameters
        ----------
        rows : int
            Rows per table: of the result if files are read or all rows are needed, otherwise of the data.
        ahead : int
            Number of tables that are computed in advance.
        """
        from .running.streaming import stream

        return stream(self, data, rows, ahead, threads, params)

    def run_files(
        self,
        inputs: Path | Iterable[Path] | Files,
        /,
        to: Path,
        *,
        threads: int | None = None,
        resume: bool = False,
        suffix: str | None = None,
        progress: Shown = False,
        **params: Any,
    ) -> FilesResult:
        """Run over each file separately: one output for each input.

        Parameters
        ----------
        inputs : path, iterable of paths, or Files
            Files or patterns such as ``"in/*.csv.zst"``.
        to : path
            The folder of the outputs, created if necessary. Outputs have the names of the inputs, and appear
            only when complete. A folder can be used by one run at a time.
        threads : int, optional
            Number of threads, for one large file or several small ones at once. Default: all processors.
        resume : bool
            Skip inputs whose output is current: according to the folder's manifest it was made by this script
            with these parameters and options, and neither input nor output has changed since.
        suffix : str, optional
            New suffix of the outputs' names, which also selects their format: ``".tsv"``, ``".csv.zst"``.
        progress : bool, callable or bar
            As for `run`, counted in files.
        **params
            Parameters of the pipeline, and options for reading files (see `files`).

        Returns
        -------
        FilesResult
            The outputs written, the inputs skipped, and errors by input. A bad file does not raise.

        Raises
        ------
        FileError
            Another run is using the folder, or its manifest cannot be used.
        """
        from .running.batch_files import run_files

        return run_files(self, inputs, to, threads_of(threads), resume, suffix, progress, params)

    # ---- Asking ----

    @property
    def name(self) -> str:
        """Its name in messages: the path of its file, or a generated name."""
        return self._source.name

    @property
    def source(self) -> str:
        """The text of the script."""
        return self._source.text

    @property
    def info(self) -> Info:
        """The script's description of itself: `about`, `params`, `input`, `stages`."""
        from .info import Info

        script = self._loaded()
        return Info(script.facts, str(script.ask("info")))

    def check(self, data: Any = None, /, **params: Any) -> None:
        """Raise if the pipeline has an error, for the columns of some data as in `output_schema`."""
        self._loaded().ask("check", *self._asked(data, params))

    def explain(self, data: Any = None, /, **params: Any) -> str:
        """The plan as text: stages, programs with types, columns read, which row functions compile."""
        return str(self._loaded().ask("explain", *self._asked(data, params)))

    def output_schema(self, data: Any = None, /, **params: Any) -> Schema:
        """Names and types of the result, for the columns of some data or those that the script declares.

        Parameters
        ----------
        data
            As for a call, or a `Schema` (of pyarrow or polars too), or a dict of names and types ("f64?"), or
            a frame of Spark, Dask or Ray, whose rows are not read; None if the script declares its input.
        """
        return Schema.of(self._loaded().ask("output", *self._asked(data, params))["columns"])

    # ---- As a value ----

    def with_params(self, params: Mapping[str, Any] | None = None, /, **more: Any) -> Pipeline:
        """The same pipeline with values for some of its parameters."""
        given = dict(self._given) | dict(texts({**(params or {}), **more}))
        made = Pipeline(self._source, tuple(sorted(given.items())), self._script)
        made._loaded().ask("params", *(part for pair in made._given for part in pair))
        return made

    def partial(self) -> Pipeline:
        """The first phase of this pipeline, for partitions of the rows, when no machine holds them all.

        It ends at the first stage that needs more than one row, and returns that stage's partial result: for
        a group, the keys and a column for each aggregate, from which the aggregates over all rows can be
        computed: some hold states as bytes, to be passed on unchanged. If every stage works row by row, it is
        the whole pipeline.

        Raises
        ------
        UsageError
            The first such stage needs all rows at once, or this is one of the two phases already.

        Examples
        --------
        >>> import moonmill as mm
        >>> mean = mm.pipeline(':group("k", "m = mean(x)")')
        >>> parts = [mean.partial().run({"k": ["a"], "x": [x]}) for x in (1.0, 2.0, 6.0)]
        >>> mean.merge().run(iter(parts)).to_pydict()
        {'k': ['a'], 'm': [3.0]}
        """
        return self._half("partial")

    def merge(self) -> Pipeline:
        """The second phase, after `partial`: over the partial results of all partitions, concatenated in row
        order, it gives the result of the pipeline over all rows. Floats may differ in the last digits, since
        sums are added in another order; everything else is equal.
        """
        return self._half("merge")

    def as_function(self, *columns: str, output: str | None = None) -> Callable[..., Any]:
        """A plain function that calls this pipeline.

        Without names: a function of one argument, for frameworks that require functions. With names of
        columns: a function of that many arrays, which returns the column `output` (default: the only one, or
        the last) as an array of the same kind; for user-defined functions of databases.
        """
        from .function import function_of

        return function_of(self, columns, output)

    def __reduce__(self) -> tuple[Any, ...]:
        return Pipeline, (self._source, self._given)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Pipeline):
            return NotImplemented
        return self._source.key() == other._source.key() and self._given == other._given

    def __hash__(self) -> int:
        return hash((self._source.key(), self._given))

    def __dask_tokenize__(self) -> tuple[object, ...]:
        return "moonmill.Pipeline", self._source.digest(), self._given

    @property
    def __name__(self) -> str:
        return os.path.splitext(os.path.basename(self._source.name))[0].strip("<>").replace(" ", "_")

    __signature__ = Signature()

    def __repr__(self) -> str:
        given = "".join(f", {name}={shown(text)}" for name, text in self._given)
        about = self._loaded().facts["about"]
        half = f" {self._source.half}" if self._source.half else ""
        return f"<moonmill.Pipeline {self.name}{half}{given}{': ' + about if about else ''}>"

    # ---- Inside ----

    def _loaded(self) -> Script:
        if self._script is None or not self._script.known():
            self._script = loaded(self._source)
        return self._script

    def _half(self, half: str) -> Pipeline:
        if self._source.half:
            raise UsageError(
                f"{half}() of a half of a pipeline",
                id="not-mergeable",
                file=self.name,
                hint="take both halves of the same pipeline",
            )
        made = Pipeline(self._source.of(half), self._given)
        made._loaded()
        return made

    def _bound(
        self,
        argument: tuple[Adapter, Any],
        params: Mapping[str, Any],
        timeout: float | None = None,
        from_files: bool = True,
    ) -> tuple[_core.Plan, Table | _core.Input]:
        """The plan for some data, and the input of its run: a table, or open files."""
        script = self._loaded()
        read, params = input_of(script, argument, params, timeout, from_files)
        return plan_over(script, read, self._params(params)), read

    def _params(self, params: Mapping[str, Any]) -> Texts:
        """Values of parameters as texts: those given now override those of the pipeline."""
        if not params:
            return self._given
        return tuple((dict(self._given) | dict(texts(params))).items())

    def _asked(self, data: Any, params: Mapping[str, Any]) -> list[str]:
        """Columns and parameters as arguments of a request to the session."""
        schema, params = schema_of(self._loaded(), data, params)
        columns = "" if schema is None else schema.to_lines()
        return [columns, *(part for pair in self._params(params) for part in pair)]

    def _answer(
        self,
        argument: tuple[Adapter, Any],
        threads: int | None,
        timeout: float | None,
        params: dict[str, Any],
    ) -> Any:
        """The result as data of the same kind as the argument."""
        plan, read = self._bound(argument, params, timeout)
        result: Table = _core.run(plan, read, threads=threads_of(threads), timeout=timeout)  # type: ignore[assignment]
        adapter, data = argument
        return adapter.give(result, data, self._loaded().input_spec, plan.keeps_rows)


__all__ = ["Pipeline"]
