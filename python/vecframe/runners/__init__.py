"""Who runs write_parquet(): this process, or workers on a Ray cluster.

    vecframe.set_runner_ray("auto")
    df.write_parquet("out/", resume=True)      # as before, on all nodes of the cluster

The choice is one of the process. Until one is made, $VECFRAME_RUNNER says "native" or "ray"; else it is "native".
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from vecframe._arguments import integer, one_of, optional, require
from vecframe._native import RequestError

if TYPE_CHECKING:
    from vecframe.runners.ray_runner import RayRunner

_NAMES = ("native", "ray")
_FLAG = "give True or False"
_chosen: str | None = None
_ray: RayRunner | None = None


def set_runner_native() -> None:
    """This process runs everything. A connection to a cluster stays as it is."""
    global _chosen
    _chosen = "native"


def set_runner_ray(
    address: str | None = None,
    *,
    max_task_backlog: int | None = None,
    noop_if_initialized: bool = False,
    force_client_mode: bool = False,
) -> None:
    """Workers on a Ray cluster compute what write_parquet() writes; `vecframe[ray]` has to be installed.

    Args:
        address: Of the cluster: "auto", "host:port" or "ray://host:10001". None: what ray.init() has connected to
            already, else $RAY_ADDRESS, else a cluster that is started on this machine.
        max_task_backlog: Shards in the hands of a worker at a time, the one it computes included; 2 by default.
        noop_if_initialized: If a runner was set before, it stays.
        force_client_mode: The run is led by a process of the cluster, not by this one, so that only paths of the
            cluster are used. With an address of ray:// that is always so.

    Raises:
        RequestError: Ray is not installed, or there is no cluster at that address.
    """
    global _chosen, _ray
    address = optional("address", address, str, 'give "auto", "host:port" or "ray://host:10001"')
    if max_task_backlog is not None:
        max_task_backlog = integer("max_task_backlog", max_task_backlog, "give a number of shards")
        if not 1 <= max_task_backlog <= 1024:
            raise RequestError(f"max_task_backlog: {max_task_backlog} is out of range; give 1 to 1024")
    require("force_client_mode", force_client_mode, bool, _FLAG)
    if require("noop_if_initialized", noop_if_initialized, bool, _FLAG) and _chosen is not None:
        return
    from vecframe.runners.ray_runner import RayRunner

    _ray = RayRunner(address, max_task_backlog=max_task_backlog, force_client_mode=force_client_mode)
    _chosen = "ray"


def get_or_infer_runner_type() -> str:
    """The name of the runner: "native" or "ray"."""
    if _chosen is not None:
        return _chosen
    return one_of("VECFRAME_RUNNER", os.environ.get("VECFRAME_RUNNER") or "native", _NAMES)


def ray_runner() -> RayRunner | None:
    """The one of a cluster, if it is the current one."""
    if get_or_infer_runner_type() != "ray":
        return None
    if _ray is None:
        set_runner_ray()
    return _ray
