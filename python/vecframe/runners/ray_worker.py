"""The worker of a Ray cluster: an actor that holds one native engine, computes shards and commits their parts."""

from __future__ import annotations

import os
import socket
import time
from dataclasses import dataclass
from typing import Any

from vecframe import _native
from vecframe._native import EmbedderUse, Progress, RunError
from vecframe.runners.placement import Worker

_TOKEN_PATIENCE_S = 5.0  # a network file system may show a new file late

#: Counters of Progress that add up over shards.
COUNTERS = ("rows", "failed", "read", "prepared", "embedded", "duplicates", "cache_hits", "retries", "bytes_read")


@dataclass(frozen=True)
class Job:
    """What every worker of a run is told."""

    version: str  #: of the library
    plan: str  #: JSON
    uses: list[EmbedderUse]
    path: str  #: of the output
    token: str  #: stands in the output while the run goes on
    directory: str  #: the working directory of whoever leads the run, for relative paths
    words: dict[str, Any]  #: of write_options()


@dataclass(frozen=True)
class Place:
    """Where a worker is."""

    node: str  #: as Ray knows it
    host: str


@dataclass(frozen=True)
class Outcome:
    """What came out of one shard besides its part."""

    report: str
    failed_inputs: list[tuple[bytes, str, str, bytes]]  #: for the file of dead letters
    failures: list[tuple[str, str]]  #: for the log


class ShardWorker:
    """Runs in a process of its own; progress() is called while run() goes on."""

    def __init__(self) -> None:
        self._runner: _native.NativeShardRunner | None = None
        self._missing_directory = ""
        self._shard: int | None = None
        self._now: Progress | None = None
        self._failures: list[tuple[str, str]] = []

    def open(self, job: Job, worker: Worker) -> Place:
        """Prepares for shards of a job. Weights are loaded with the first one.

        Raises:
            RunError: The job cannot be done here.
        """
        import ray

        import vecframe
        from vecframe._write_options import write_options
        from vecframe.session import fetch_builtin_weights

        self._runner = None
        here = socket.gethostname()
        if vecframe.__version__ != job.version:
            raise RunError(f"node {here} has vecframe {vecframe.__version__}, this run is led by {job.version}")
        if worker.num_gpus == 0:
            os.environ["CUDA_VISIBLE_DEVICES"] = ""  # what was not asked for is others'
        try:
            os.chdir(job.directory)
        except OSError:
            self._missing_directory = job.directory
        _check_output(job, here)
        for use in job.uses:
            if use.is_local:
                fetch_builtin_weights(use.provider, use.model)
        plan = _native.for_worker(_native.NativeDataFrame.from_json(job.plan), job.uses)
        self._runner = _native.NativeShardRunner(
            plan,
            job.path,
            write_options(**{**job.words, "threads": worker.num_cpus}),
            on_progress=self._keep_progress,
            on_failure=lambda path, error: self._failures.append((path, error)),
        )
        return Place(ray.get_runtime_context().get_node_id(), here)

    def run(self, shard: str, number: int, first_input: str) -> Outcome:
        """Computes the shard and commits its part."""
        assert self._runner is not None, "open() comes first"
        if self._missing_directory and first_input and not os.path.isabs(first_input):
            raise RunError(
                f"input: '{first_input}' is relative to '{self._missing_directory}', which node {socket.gethostname()} "
                "does not have; give absolute paths of a file system that every node shares"
            )
        self._failures.clear()
        self._now, self._shard = None, number
        try:
            report = self._runner.run(shard)
        finally:
            self._shard = None
        return Outcome(report.json, report.failed_inputs, list(self._failures))

    def progress(self) -> tuple[int, dict[str, int]] | None:
        """The shard at work, by its number, and its counters."""
        shard, now = self._shard, self._now
        return None if shard is None or now is None else (shard, {name: getattr(now, name) for name in COUNTERS})

    def _keep_progress(self, now: Progress) -> None:
        self._now = now


def _check_output(job: Job, here: str) -> None:
    """Whether the output, seen from here, is the directory that the run writes."""
    deadline = time.monotonic() + _TOKEN_PATIENCE_S
    while True:
        try:
            with open(os.path.join(job.path, "_job"), encoding="ascii") as file:
                if file.read() == job.token:
                    return
        except OSError:
            pass
        if time.monotonic() > deadline:
            raise RunError(
                f"output: '{job.path}' of node {here} is not the directory that this run writes; give a path of a file "
                "system that every node shares"
            )
        time.sleep(0.1)
