"""write_parquet() on a Ray cluster."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable
from typing import Any

from vecframe import _native
from vecframe._native import EmbedderUse, NativePlannedRun, Progress, RequestError
from vecframe._write_options import write_options
from vecframe.report import MergedReport, RunReport
from vecframe.runners.placement import Node, Worker, place_workers
from vecframe.runners.ray_leader import lead_remotely
from vecframe.runners.ray_run import OnFailure, RayRun, next_shard, token_of
from vecframe.runners.ray_worker import Job

_BACKLOG = 2


class RayRunner:
    """A connection to a cluster, and how runs are led on it. Made by set_runner_ray()."""

    def __init__(self, address: str | None, *, max_task_backlog: int | None, force_client_mode: bool) -> None:
        self._address = address
        self._ray = connect(address)
        self._backlog = max_task_backlog or _BACKLOG
        self._in_cluster = force_client_mode or (address or "").startswith("ray://")

    def write_parquet(
        self,
        frame: _native.NativeDataFrame,
        path: str,
        words: dict[str, Any],
        on_progress: Callable[[Progress], object] | None,
        on_failure: OnFailure,
    ) -> RunReport:
        """As DataFrame.write_parquet(); `words` are those of write_options()."""
        if not self._ray.is_initialized():  # shut down since
            connect(self._address)
        uses = _native.embedders_of(frame)
        _check_travel(self._ray, uses)
        lead = lead_remotely if self._in_cluster else lead_run
        return lead(self._ray, frame, uses, path, words, self._backlog, on_progress, on_failure)


def connect(address: str | None) -> Any:
    """The module `ray`, connected.

    Raises:
        RequestError: Ray is not installed, or there is no cluster at that address.
    """
    try:
        import ray
    except ImportError as error:
        raise RequestError(
            f"runner: Ray cannot be imported ({error}); pip install 'vecframe[ray]', or use set_runner_native()"
        ) from error
    if ray.is_initialized():
        if address is not None:
            logging.getLogger("vecframe").warning(
                "address: %r is not looked at, since this process is connected to a Ray cluster already", address
            )
        return ray
    own = address is None and not os.environ.get("RAY_ADDRESS")
    try:
        if own:
            ray.init(include_dashboard=False, log_to_driver=False, logging_level=logging.WARNING)
        else:
            ray.init(address=address, log_to_driver=False, logging_level=logging.WARNING)
    except (ConnectionError, RuntimeError, ValueError) as error:
        where = repr(address) if address is not None else f"$RAY_ADDRESS={os.environ.get('RAY_ADDRESS')!r}"
        raise RequestError(f"address: there is no Ray cluster at {where}: {str(error).splitlines()[0]}") from error
    return ray


def lead_run(
    ray: Any,
    frame: _native.NativeDataFrame,
    uses: list[EmbedderUse],
    path: str,
    words: dict[str, Any],
    backlog: int,
    on_progress: Callable[[Progress], object] | None,
    on_failure: OnFailure,
) -> RunReport:
    """Leads a run from this process."""
    output = _absolute(path)
    _check(output, words)
    if words["cache"] is not None:
        words = {**words, "cache": os.path.abspath(os.path.expanduser(words["cache"]))}
    workers = place_workers(_nodes(ray), uses, words["threads"])
    run = NativePlannedRun(frame, output, write_options(**words))
    try:
        first = next_shard(run)
        if first is None:
            return RunReport(MergedReport(run.finish("{}")))
        job = Job(
            version=_native.version(),
            plan=frame.to_json(),
            uses=uses,
            path=output,
            token=token_of(first),
            directory=os.getcwd(),
            # Shares of failed rows are looked at over the whole run.
            words={**words, "max_error_rate": None},
        )
        leading = RayRun(
            ray, run, first, backlog=backlog, max_error_rate=words["max_error_rate"],
            on_progress=on_progress, on_failure=on_failure,
        )  # fmt: skip
        return _finish(run, leading.lead(job, workers))
    finally:
        run.close()


def _finish(run: NativePlannedRun, facts: dict[str, Any]) -> RunReport:
    import json

    return RunReport(MergedReport(run.finish(json.dumps(facts))))


def _absolute(path: str) -> str:
    """The workers' directories are others."""
    absolute = os.path.abspath(path)
    return absolute + "/" if path.endswith("/") and absolute != "/" else absolute


def _check(output: str, words: dict[str, Any]) -> None:
    """What one process alone can do."""
    if words["shard"] is not None:
        raise RequestError("shard: on a cluster the workers share the work; leave it out, or use set_runner_native()")
    if output.endswith(".parquet") and not os.path.isdir(output):
        raise RequestError(
            f"output: '{output}' is one file, and the workers of a cluster write one each; give a directory, such as "
            f"'{output.removesuffix('.parquet')}/', or use set_runner_native()"
        )


def _check_travel(ray: Any, uses: list[EmbedderUse]) -> None:
    """Whether the embedders can be sent to workers."""
    for use in uses:
        try:
            ray.cloudpickle.dumps(use)
        except Exception as error:  # whatever the objects of a user raise
            raise RequestError(
                f"provider '{use.provider}': its descriptor cannot be sent to the workers of a cluster "
                f"({type(error).__name__}: {error}); keep what cannot be pickled out of it, and make it in instantiate()"
            ) from error


def _nodes(ray: Any) -> list[Node]:
    return [
        Node(node["Resources"].get("CPU", 0.0), node["Resources"].get("GPU", 0.0))
        for node in ray.nodes()
        if node["Alive"]
    ]
