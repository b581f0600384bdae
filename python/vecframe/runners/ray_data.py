"""Plans over the blocks of a Ray dataset, for pipelines that are Ray Data's already.

    def embedded(df):
        pictures = decode_image(download(vf.col("path")), on_error="null")
        return df.with_column("embedding", embed_image(pictures, on_error="ignore"))

    dataset.map_batches(MapBatches, fn_constructor_args=[embedded], batch_format="pyarrow", concurrency=2, num_cpus=4)

Vectors go through Ray's object store, and an actor that dies costs what Ray Data makes of it: for outputs that are resumed,
and rows that are there once, give write_parquet() the cluster instead (vecframe.set_runner_ray).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from vecframe import _native
from vecframe._arguments import byte_count
from vecframe.dataframe import DataFrame, from_arrow
from vecframe.streams import ArrowStream

if TYPE_CHECKING:
    import pyarrow


class MapBatches:
    """A callable class for ``Dataset.map_batches(..., batch_format="pyarrow")``; models are loaded once an actor.

    Args:
        build: Gets a dataframe with the columns of a block, and gives the plan for it. Rows of different blocks do not
            meet: sort, limit and sample see one at a time.
        threads: 0: as many as the actor has CPUs.
        memory_limit: Bytes for everything in flight, weights not counted, as a number or "512MiB" (the default).
    """

    def __init__(
        self, build: Callable[[DataFrame], DataFrame], *, threads: int = 0, memory_limit: int | str | None = None
    ) -> None:
        self._build = build
        self._threads = threads or _cpus_of_actor()
        self._limit = _native.DEFAULT_MEMORY_LIMIT if memory_limit is None else byte_count("memory_limit", memory_limit)
        self._runner: _native.NativeTableRunner | None = None

    def __call__(self, block: pyarrow.Table) -> pyarrow.Table:
        import pyarrow

        if self._runner is None:
            frame = self._build(from_arrow(block.slice(0, 0)))
            self._runner = _native.NativeTableRunner(frame._native, threads=self._threads, memory_limit=self._limit)
        result = pyarrow.table(ArrowStream(self._runner.run(block.__arrow_c_stream__())))
        # Other actors may not know the types of pictures and embeddings: what they are stored as.
        return pyarrow.table(
            {
                name: pyarrow.chunked_array([chunk.storage for chunk in column.chunks], column.type.storage_type)
                if _is_extension(column.type)
                else column
                for name, column in zip(result.column_names, result.columns, strict=True)
            }
        )


def _is_extension(kind: object) -> bool:
    import pyarrow

    return isinstance(kind, pyarrow.BaseExtensionType)


def _cpus_of_actor() -> int:
    import ray

    return max(1, int(ray.get_runtime_context().get_assigned_resources().get("CPU", 1)))
