"""The lazy dataframe: a plan that is checked as it is built and runs when its result is asked for.

Long because the interface is one class of many words; each calls the native part, or a module beside this one.
"""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, overload

from vecframe import _native
from vecframe._arguments import byte_count, integer, one_of, path_text, require, stage_counts, suggestion
from vecframe._native import Expression, Progress, RequestError
from vecframe._write_options import write_options
from vecframe.progress import ProgressChoice, ProgressLine, progress_callback
from vecframe.report import RunReport
from vecframe.runners import ray_runner
from vecframe.schema import Field, Schema
from vecframe.streams import ArrowStream, batches_of

if TYPE_CHECKING:
    import pyarrow

_MAX_THREADS = 1 << 16
_PREVIEW_ROWS = 8


class _Unsized(RequestError, TypeError):
    """len() of a plan. As a TypeError it lets list() and its like go on without a length."""


class DataFrame:
    """Rows, and what is computed from them. Made by read_images(), from_arrow() and their like.

    >>> df = vf.from_pydict({"sku": [1, 2, 3], "price": [2.5, None, 4.0]})
    >>> df.where(col("price") > 3).to_pylist()
    [{'sku': 3, 'price': 4.0}]
    """

    #: Whether the rows are in memory, so that showing them costs nothing.
    _materialized = False

    def __init__(self, native: _native.NativeDataFrame) -> None:
        self._native = require("DataFrame", native, _native.NativeDataFrame, "make one with vecframe.read_images()")

    def with_column(self, name: str, expression: Expression) -> DataFrame:
        """Adds the column, or replaces the one of that name."""
        name = require("with_column", name, str, "give the new column's name as str")
        require("with_column", expression, Expression, 'give an expression, such as embed_image(vecframe.col("image"))')
        return _warned(DataFrame(self._native.with_column(name, expression)))

    @property
    def column_names(self) -> list[str]:
        """Names of the columns, in order."""
        return self.schema.names

    @property
    def columns(self) -> list[Expression]:
        """The columns, as expressions."""
        return [_native.col(name) for name in self.column_names]

    @overload
    def __getitem__(self, key: str | int) -> Expression: ...
    @overload
    def __getitem__(self, key: slice | list[Any] | tuple[Any, ...]) -> DataFrame: ...
    def __getitem__(self, key: Any) -> Expression | DataFrame:
        """A column as an expression, by name or position; several of them, or a slice, as a dataframe.

        >>> df = vf.from_pydict({"a": [1], "b": [2], "c": [3]})
        >>> df["a"]
        col("a")
        >>> df["c", "a"].column_names, df[:2].column_names
        (['c', 'a'], ['a', 'b'])
        """
        if isinstance(key, slice):
            return self.select(*self.column_names[key])
        if isinstance(key, (list, tuple)):
            return self.select(*(self[one] if isinstance(one, int) else one for one in key))
        names = self.column_names
        if isinstance(key, str):
            if key not in names:
                near = suggestion(key, names) or f"; there are {', '.join(names)}"
                raise RequestError(f"column '{key}' does not exist{near}")
            return _native.col(key)
        position = integer("column", key, "give a name, a position, a slice, or a list of them")
        if not -len(names) <= position < len(names):
            raise RequestError(f"column: {position} is out of range; there are {len(names)} columns")
        return _native.col(names[position])

    def __contains__(self, name: object) -> bool:
        return name in self.schema

    def __len__(self) -> int:
        """Rows of a dataframe that is in memory; of another one count_rows() finds them out."""
        if not self._materialized:
            raise _Unsized(
                "Cannot call len() on an unmaterialized dataframe: either materialize your dataframe with df.collect() "
                "first before calling len(), or use `df.count_rows()` instead"
            )
        return self.count()

    def __iter__(self) -> Iterator[dict[str, Any]]:
        return self.iter_rows()

    def limit(self, count: int) -> DataFrame:
        """The first `count` rows."""
        return DataFrame(self._native.limit(integer("limit", count, "give a number of rows")))

    def with_columns(self, columns: dict[str, Expression]) -> DataFrame:
        """Adds or replaces columns, one after the other."""
        frame = self
        for name, expression in columns.items():
            frame = frame.with_column(name, expression)
        return frame

    def select(self, *columns: str | Expression) -> DataFrame:
        """These columns, in this order: names, or expressions with a name (``.alias("name")``)."""
        named = []
        for column in columns:
            if isinstance(column, str):
                named.append((column, _native.col(column)))
                continue
            require("select", column, Expression, "give column names as str, or expressions")
            if column.name is None:
                raise RequestError(f'select: {column!r} has no name; give it one with .alias("name")')
            named.append((column.name, column))
        return _warned(DataFrame(self._native.select_expressions(named)))

    def with_column_renamed(self, existing: str, new: str) -> DataFrame:
        """One column under another name."""
        return self.rename({existing: new})

    def with_columns_renamed(self, names: dict[str, str]) -> DataFrame:
        """Another name of rename()."""
        return self.rename(names)

    def exclude(self, *columns: str) -> DataFrame:
        """All columns but these."""
        return DataFrame(self._native.exclude(_names("exclude", columns)))

    def rename(self, names: dict[str, str]) -> DataFrame:
        """Columns under other names: a dict of old names to new ones."""
        pairs = [
            (require("rename", old, str, "give names as str"), require("rename", new, str, "give names as str"))
            for old, new in names.items()
        ]
        return DataFrame(self._native.rename(pairs))

    def where(self, predicate: Expression) -> DataFrame:
        """Rows for which the expression is true: ``df.where(col("width") > 100)``."""
        require("where", predicate, Expression, 'give a comparison, such as vecframe.col("width") > 100')
        return DataFrame(self._native.where(predicate))

    filter = where

    def sort(
        self, by: str | list[str], desc: bool | list[bool] = False, *, nulls_first: bool = False
    ) -> DataFrame:
        """Rows in the order of these columns; stable. Holds all rows in memory."""
        names = _names("sort", [by] if isinstance(by, str) else by)
        descending = [desc] * len(names) if isinstance(desc, bool) else list(desc)
        if len(descending) != len(names):
            raise RequestError(f"sort: {len(names)} columns, but {len(descending)} values of desc")
        return DataFrame(self._native.sort(names, descending=descending, nulls_first=nulls_first))

    def sample(self, fraction: float | None = None, *, size: int | None = None, seed: int = 0) -> DataFrame:
        """Each row with a probability, or `size` rows in all; the same ones for one seed."""
        return DataFrame(
            self._native.sample(
                None if fraction is None else float(fraction),
                None if size is None else integer("size", size, "give a number of rows"),
                integer("seed", seed, "give a number"),
            )
        )

    def concat(self, other: DataFrame) -> DataFrame:
        """The rows of another dataframe of the same columns and types follow."""
        require("concat", other, DataFrame, "give a dataframe")
        return DataFrame(self._native.concat(other._native))

    def drop_nulls(self, *columns: str) -> DataFrame:
        """Rows in which none of these columns, or of all, is null."""
        return DataFrame(self._native.drop_nulls(_names("drop_nulls", columns)))

    def drop_null(self, *columns: str) -> DataFrame:
        """Another name of drop_nulls()."""
        return self.drop_nulls(*columns)

    def count_rows(self) -> int:
        """Another name of count()."""
        return self.count()

    def count(self) -> int:
        """Runs the plan, without its embeddings and pictures, and counts its rows."""
        with _session_scope():
            return self._native.count()

    def collect(self) -> DataFrame:
        """Runs the plan; the result is a dataframe of the rows, in memory."""
        with _run_arguments(threads=0, memory_limit=None, progress=None) as arguments:
            frame = DataFrame(self._native.collect(**arguments))
        frame._materialized = True
        return frame

    def iter_rows(self) -> Iterator[dict[str, Any]]:
        """One dict a row, with the values of to_pylist().

        >>> for row in vf.from_pydict({"a": [1, 2]}).iter_rows():
        ...     print(row)
        {'a': 1}
        {'a': 2}
        """
        from vecframe.python_values import rows_of

        for batch in self.iter_batches():
            yield from rows_of(batch)

    def iter_batches(
        self,
        batch_size: int = 1024,
        *,
        threads: int = 0,
        memory_limit: int | str | None = None,
        stages: dict[str, int] | None = None,
        ordered: bool = True,
    ) -> Iterator[pyarrow.RecordBatch]:
        """The rows as record batches of at most `batch_size` rows, as they are computed.

        Memory does not grow with the rows, and the run ends when the iterator is closed or dropped. The words are those
        of write_parquet().
        """
        rows = integer("batch_size", batch_size, "give a number of rows")
        if rows < 1:
            raise RequestError(f"batch_size: {rows} is not positive; give a number of rows")
        with _run_arguments(threads, memory_limit, False, stages, ordered) as arguments:
            del arguments["on_progress"]
            return batches_of(self._native.rows(morsel_rows=rows, **arguments), rows)

    def to_torch(self) -> dict[str, Any]:
        """Runs the plan into a torch tensor for each column of numbers or vectors.

        A tensor shares the memory of the result where that is in one piece and of a type that torch has.
        """
        from vecframe.tensors import tensors_of

        return tensors_of(self.to_arrow())

    def to_pandas(self) -> Any:
        """Runs the plan into a pandas DataFrame; pictures and embeddings are numpy arrays, a row each."""
        from vecframe.python_values import pandas_of

        return pandas_of(self.to_arrow())

    def to_polars(self) -> Any:
        """Runs the plan into a polars DataFrame.

        Pictures and embeddings keep their types, as extension types; their values: ``series.ext.storage()``.
        """
        import polars

        return polars.from_arrow(self.to_arrow())

    def to_pydict(self) -> dict[str, list[Any]]:
        """Runs the plan into a list of values for each column; those of to_pylist().

        >>> vf.from_pydict({"a": [1, 2]}).with_column("b", col("a") * 10).to_pydict()
        {'a': [1, 2], 'b': [10, 20]}
        """
        from vecframe.python_values import values_of

        table = self.to_arrow()
        return {name: values_of(table[i]) for i, name in enumerate(table.column_names)}

    def to_pylist(self) -> list[dict[str, Any]]:
        """Runs the plan into a list of one dict a row.

        Pictures and tensors are numpy arrays of shape (height, width, channels), embeddings are numpy vectors.
        """
        from vecframe.python_values import rows_of

        return rows_of(self.to_arrow())

    @property
    def schema(self) -> Schema:
        """Names and types, known before anything runs."""
        return Schema(Field(name, dtype) for name, dtype in self._native.schema())

    def explain(self, show_all: bool = False, format: str = "text") -> str:
        """The plan as a text: its schema, then a line for each operation, the last one first.

        Args:
            show_all: Also the plan as it was rewritten, and the steps in which it runs.
            format: "text", or "json", which has everything.
        """
        word = one_of("format", format, ("text", "json"))
        return _PlanText(self._native.explain(show_all=bool(show_all), json=word == "json"))

    def to_json(self) -> str:
        """The plan as JSON, for from_json() in this or another process of the same release.

        A source in memory goes along, up to 16 MiB of it. There are no credentials in a plan.
        """
        return self._native.to_json()

    @staticmethod
    def from_json(text: str) -> DataFrame:
        """The plan that to_json() wrote, checked as building it would; no file is read.

        A run raises RequestError if a model is not the one that the plan was built with.
        """
        return DataFrame(_native.NativeDataFrame.from_json(require("from_json", text, str, "give a text of to_json()")))

    def __reduce__(self) -> tuple[Callable[[str], DataFrame], tuple[str]]:
        return DataFrame.from_json, (self.to_json(),)

    def show(self, n: int = 8) -> None:
        """Runs the first `n` rows and shows them as a table: with thumbnails in a notebook, else printed."""
        from vecframe.preview import show_rich

        count = integer("show", n, "give a number of rows")
        if not show_rich(self, count):
            with _session_scope():
                text = self._native.show(count, on_failure=_log_failure)
            print(text, end="")

    def _repr_html_(self) -> str:
        """For notebooks: the columns; and the first rows, with thumbnails, if they are in memory."""
        from vecframe.preview import frame_html

        return frame_html(self)

    def write_parquet(
        self,
        path: str | os.PathLike[str],
        write_mode: str | None = None,
        *,
        mode: str | None = None,
        resume: bool = False,
        retry_failed: bool = False,
        prune: bool = False,
        detect: str = "time",
        shard: tuple[int, int] | None = None,
        rows_per_part: int = _native.DEFAULT_ROWS_PER_PART,
        bytes_per_part: int | str = _native.DEFAULT_BYTES_PER_PART,
        max_error_rate: float | None = None,
        dead_letter: str | os.PathLike[str] | None = None,
        cache: str | os.PathLike[str] | None = None,
        cache_size: int | str = _native.DEFAULT_CACHE_BYTES,
        threads: int = 0,
        memory_limit: int | str | None = None,
        stages: dict[str, int] | None = None,
        ordered: bool = True,
        progress: ProgressChoice = None,
    ) -> RunReport:
        """Runs the plan into `path`: one file if it ends in ``.parquet``, else a directory of parts.

        A file appears, by rename, only when it is complete. So does each part of a directory: what was written stays
        when a run breaks off, and `resume` goes on from there. A column of pictures is never stored.

        Args:
            path: The output.
            write_mode: "error" (the default) refuses to replace what is there, "overwrite" replaces it, "append" adds
                parts to a directory whose rows were made the same way.
            mode: Another name of write_mode.
            resume: Go on with a directory: compute what it has not, inputs that changed, and rows of another model.
            retry_failed: Compute failed rows again; without `resume` nothing else.
            prune: With `resume`: drop rows whose inputs are not there any more.
            detect: What tells that an input changed: "time" (and size) or "content", which reads it once more.
            shard: (i, n), i from 1 to n: this process computes one of n shares; others write beside it.
            rows_per_part: Rows of a part at most.
            bytes_per_part: A part ends behind so many bytes of input files, as a number or "2GiB".
            max_error_rate: Fail once a larger share of the rows (0 to 1) has failed; for embeddings with
                on_error="log" or "ignore".
            dead_letter: A file, .jsonl or .parquet, that gets the inputs that failed.
            cache: A directory that keeps vectors by the content of their pictures, for runs to come.
            cache_size: Bytes of it at most, as a number or "4GiB".
            threads: Worker threads; 0: one for each processor this process may use.
            memory_limit: Bytes for everything in flight, weights not counted, as a number or "512MiB" (the default).
            stages: How many rows may be in a stage at a time, such as {"download": 16, "decode": 4, "embed": 1}; what is
                not given is up to `threads`.
            ordered: False: rows come as they finish, so that a slow one holds nobody up. They are the same rows, and
                what sorts, limits or samples sees them in order.
            progress: None: a line if standard error is a terminal; True or False; or a callable that gets a Progress
                about ten times a second. What it raises ends the run.
        """
        if write_mode is not None and mode is not None and write_mode != mode:
            raise RequestError(f"write_parquet: write_mode={write_mode!r} and mode={mode!r} differ; give one of them")
        target = path_text("write_parquet", path)
        with _run_arguments(threads, memory_limit, progress, stages, ordered) as arguments:
            words: dict[str, Any] = {
                "write_mode": write_mode or mode or "error",
                "resume": resume,
                "retry_failed": retry_failed,
                "prune": prune,
                "detect": detect,
                "shard": shard,
                "rows_per_part": rows_per_part,
                "bytes_per_part": bytes_per_part,
                "max_error_rate": max_error_rate,
                "dead_letter": dead_letter,
                "cache": cache,
                "cache_size": cache_size,
                "threads": arguments.pop("threads"),
                "memory_limit": arguments.pop("memory_limit"),
                "stages": arguments.pop("stages"),
                "ordered": arguments.pop("ordered"),
            }
            options = write_options(**words)
            runner = ray_runner()
            if runner is None:
                report = RunReport(self._native.write_parquet(target, options, **arguments))
            else:
                report = runner.write_parquet(self._native, target, words, **arguments)
        for notice in report.notices:
            _warn("%s", notice)
        return report

    def to_arrow(
        self,
        *,
        threads: int = 0,
        memory_limit: int | str | None = None,
        stages: dict[str, int] | None = None,
        ordered: bool = True,
        progress: ProgressChoice = None,
    ) -> pyarrow.Table:
        """Runs the plan into a pyarrow Table that shares the memory of the result; the words are those of write_parquet()."""
        import pyarrow

        from vecframe import arrow_types

        arrow_types.register()
        with _run_arguments(threads, memory_limit, progress, stages, ordered) as arguments:
            return pyarrow.table(ArrowStream(self._native.arrow_stream(**arguments)))

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        """For any reader of the Arrow PyCapsule interface: the plan runs as its rows are taken."""
        with _run_arguments(threads=0, memory_limit=None, progress=False) as arguments:
            del arguments["on_progress"]
            return self._native.lazy_stream(**arguments)

    def __repr__(self) -> str:
        if self._materialized:
            return self._native.show(_PREVIEW_ROWS, on_failure=_log_failure).rstrip("\n")
        return f"DataFrame (lazy)\n{self.schema!r}"


def read_images(
    *inputs: str | os.PathLike[str] | list[str],
    apply_orientation: bool = True,
    max_pixels: int = _native.DEFAULT_MAX_PIXELS,
    fast_decode: bool = False,
) -> DataFrame:
    """Image files as rows: columns ``path``, ``image``, ``width``, ``height``, ``format``.

    Args:
        inputs: Files, globs (``**`` for any number of directories) or directories, walked for known extensions.
        apply_orientation: Turn pictures as their EXIF orientation says.
        max_pixels: A picture whose header claims more is a failed row.
        fast_decode: As for ``decode_image``, for the column ``image``; ``width`` and ``height`` are the file's.
    """
    paths: list[str] = []
    for given in inputs:
        paths += [path_text("read_images", one) for one in (given if isinstance(given, (list, tuple)) else [given])]
    limit = integer("max_pixels", max_pixels, "give a positive number of pixels")
    if limit < 1:
        raise RequestError(f"max_pixels: {limit} is not positive; give a number of pixels")
    return DataFrame(
        _native.read_images(
            paths,
            apply_orientation=require("apply_orientation", apply_orientation, bool, "give True or False"),
            max_pixels=limit,
            fast_decode=require("fast_decode", fast_decode, bool, "give True or False"),
        )
    )


def read_texts(path: str | os.PathLike[str]) -> DataFrame:
    """Texts as rows: one column ``text``.

    Args:
        path: A file of one text a line, or "-" for standard input, which is read as the plan runs. Lines end in LF or
            CRLF; a final one adds no row, an empty line is an empty text. A line that is no UTF-8, or longer than
            1 MiB, is a row that fails.
    """
    return DataFrame(_native.read_texts(path_text("read_texts", path)))


def from_glob_path(path: str | os.PathLike[str] | list[str]) -> DataFrame:
    """Files that match a path, a glob or several, as rows: ``path``, ``size`` and ``num_rows`` (null)."""
    given = path if isinstance(path, (list, tuple)) else [path]
    return DataFrame(_native.from_glob_path([path_text("from_glob_path", one) for one in given]))


def read_parquet(path: str | os.PathLike[str] | list[str]) -> DataFrame:
    """Rows of Parquet files of one schema: files, or directories of parts."""
    given = path if isinstance(path, (list, tuple)) else [path]
    return DataFrame(_native.read_parquet([path_text("read_parquet", one) for one in given]))


def from_arrow(data: Any) -> DataFrame:
    """Rows of a pyarrow Table, RecordBatch or reader, or of anything of the Arrow PyCapsule interface."""
    if isinstance(data, DataFrame):
        return data.collect()
    if not hasattr(data, "__arrow_c_stream__"):
        raise RequestError(
            f"from_arrow: a {type(data).__name__} has no Arrow stream; give a pyarrow Table, or use from_pydict"
        )
    frame = DataFrame(_native.from_arrow(data.__arrow_c_stream__()))
    frame._materialized = True
    return frame


def from_pydict(data: dict[str, Any]) -> DataFrame:
    """Columns as lists or arrays of equal length, by name.

    Lists of PIL images, or of numpy arrays of uint8 of shape (height, width) or (height, width, channels), become
    columns of pictures.

    >>> import numpy as np
    >>> vf.from_pydict({"image": [np.zeros((4, 6, 3), np.uint8), None]}).schema
    image  Image[MIXED]
    """
    import pyarrow

    from vecframe.python_values import arrow_column

    columns = require("from_pydict", data, dict, "give a dict of columns")
    try:
        return from_arrow(pyarrow.table({name: arrow_column(name, values) for name, values in columns.items()}))
    except (pyarrow.ArrowInvalid, pyarrow.ArrowTypeError) as error:
        raise RequestError(f"from_pydict: {str(error).splitlines()[0]}") from error


def from_pandas(data: Any) -> DataFrame:
    """Rows of a pandas DataFrame, without its index."""
    import pyarrow

    return from_arrow(pyarrow.Table.from_pandas(data, preserve_index=False))


def from_polars(data: Any) -> DataFrame:
    """Rows of a polars DataFrame."""
    return from_arrow(data.to_arrow())


class PlanWarning(UserWarning):
    """A plan does something that its user hardly wants."""


class _PlanText(str):
    """A text that a console shows as it is."""

    def __repr__(self) -> str:
        return str(self)


def _warned(frame: DataFrame) -> DataFrame:
    """The dataframe, after its last operation's warnings; of the line that calls the caller."""
    for text in frame._native.warnings():
        warnings.warn(text, PlanWarning, stacklevel=3)
    return frame


def _names(function: str, columns: Iterable[str]) -> list[str]:
    return [require(function, column, str, "give column names as str") for column in columns]


def _warn(message: str, *arguments: object) -> None:
    import logging  # a fifth of the time that importing this package would take

    logging.getLogger("vecframe").warning(message, *arguments)


def _log_failure(path: str, error: str) -> None:
    _warn("%s: %s", path, error)


def _session_scope() -> _native.NativeSessionScope:
    # Not imported above: an exception that is kept to the end of the process would keep the session with this module.
    from vecframe.session import session_scope

    return session_scope()


@contextmanager
def _run_arguments(
    threads: int,
    memory_limit: int | str | None,
    progress: ProgressChoice,
    stages: dict[str, int] | None = None,
    ordered: bool = True,
) -> Iterator[dict[str, Any]]:
    """The checked words of a run, and a progress line that is cleared however the run ends."""
    count = integer("threads", threads, "give a number of threads, or 0 for one a processor")
    if not 0 <= count <= _MAX_THREADS:
        raise RequestError(f"threads: {count} is out of range; give 0 (one a processor) to {_MAX_THREADS}")
    limit = _native.DEFAULT_MEMORY_LIMIT if memory_limit is None else byte_count("memory_limit", memory_limit)
    callback: Callable[[Progress], object] | None = progress_callback(progress)
    try:
        with _session_scope():
            yield {
                "threads": count,
                "memory_limit": limit,
                "stages": stage_counts(stages),
                "ordered": require("ordered", ordered, bool, "give True or False"),
                "on_progress": callback,
                "on_failure": _log_failure,
            }
    finally:
        if isinstance(callback, ProgressLine):
            callback.clear()
