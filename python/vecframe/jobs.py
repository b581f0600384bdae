"""Runs whose shards other processes compute, and what can be done with their outputs.

One process plans and finishes, any number of others compute: the protocol is claim a shard, run it, commit its part. ::

    with PlannedRun(df, "out/", resume=True) as run:        # holds the directory's lock
        runner = ShardRunner(df, "out/")               # here, or wherever `df` can be made again
        for shard in run:
            run.add(runner.run(shard))
        run.finish()

A shard that is run twice, or whose runner dies, does no harm: the rename of its part is its commit.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from types import TracebackType
from typing import Any

from vecframe import _native
from vecframe._arguments import path_text
from vecframe._native import MergedRun, NativePlannedRun, NativeShardRunner
from vecframe._write_options import write_options
from vecframe.dataframe import DataFrame
from vecframe.report import RunReport


class PlannedRun:
    """Plans a run of ``df.write_parquet(path, **options)`` and hands out its shards, as str of JSON, one by one.

    Shards are planned as they are asked for, so memory does not grow with the input. Iterate once.
    """

    def __init__(self, df: DataFrame, path: str | os.PathLike[str], **options: Any) -> None:
        self._native = NativePlannedRun(df._native, path_text("PlannedRun", path), write_options(**options))

    def __iter__(self) -> Iterator[str]:
        while (shard := self._native.next_shard()) is not None:
            yield shard

    def add(self, report: RunReport) -> None:
        """Takes the report of one shard, once for each, so that none has to be kept."""
        self._native.add(report.json, report._native.failed_inputs)

    def finish(self, reports: Iterable[str] = (), *, facts: dict[str, Any] | None = None) -> dict[str, Any]:
        """After every shard was run: writes manifest and report, the sum of those of the shards.

        Args:
            reports: ``RunReport.json`` of shards that were not handed to add().
            facts: Fields of the report that are known of the run as a whole, such as `seconds`, in the place of sums.
        """
        import json

        for report in reports:
            self._native.add(report, [])
        merged: dict[str, Any] = json.loads(self._native.finish(json.dumps(facts or {})))
        return merged

    def close(self) -> None:
        """Lets the directory go. Workers that are not done yet commit nothing any more."""
        self._native.close()

    def __enter__(self) -> PlannedRun:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class ShardRunner:
    """Computes shards of a PlannedRun and commits their parts; loads the model once.

    `df`, `path` and the options that say what rows are (detect, rows_per_part) are those of the PlannedRun.
    """

    def __init__(self, df: DataFrame, path: str | os.PathLike[str], **options: Any) -> None:
        self._native = NativeShardRunner(
            df._native, path_text("ShardRunner", path), write_options(**options), on_progress=None, on_failure=None
        )

    def run(self, shard: str) -> RunReport:
        """The shard's own report."""
        return RunReport(self._native.run(shard))


def merge_run(directory: str | os.PathLike[str]) -> MergedRun:
    """Writes manifest and report of an output anew, from its parts and the reports of its shares."""
    return _native.merge_run(path_text("merge_run", directory))
