"""Small Ray clusters of real processes, and the pictures and providers that their tests run with."""

import contextlib
import os
import pathlib
import signal
import tempfile
import time

import numpy as np
import pyarrow.parquet as parquet
import pytest
import vecframe as vf
from vecframe import col
from vecframe.functions import embed_image

_STORE_BYTES = 80 << 20  # the least that Ray takes
_WORKER = b"ray::ShardWorker"


@contextlib.contextmanager
def cluster(cpus):
    """A cluster of one node for each number of CPUs; the first one is where drivers are. Gives Ray's Cluster."""
    from ray.cluster_utils import Cluster

    # Paths of sockets are short; a dead node is to be known soon.
    with tempfile.TemporaryDirectory(prefix="vr", dir="/tmp") as folder, pytest.MonkeyPatch.context() as environment:
        environment.setenv("RAY_TMPDIR", folder)
        common = {"object_store_memory": _STORE_BYTES, "include_dashboard": False}
        nodes = Cluster()
        try:
            nodes.add_node(
                num_cpus=cpus[0],
                **common,
                _system_config={"health_check_period_ms": 500, "health_check_failure_threshold": 4},
            )
            for number in cpus[1:]:
                nodes.add_node(num_cpus=number, **common)
            nodes.wait_for_nodes()
            yield nodes
        finally:
            nodes.shutdown()


@contextlib.contextmanager
def connected(nodes):
    """This process as a driver of the cluster, with the Ray runner."""
    import ray

    ray.init(address=nodes.address, log_to_driver=False, logging_level="ERROR")
    try:
        vf.set_runner_ray()
        yield ray
    finally:
        vf.set_runner_native()
        ray.shutdown()


def raylet_of(node):
    return node.all_processes["raylet"][0].process.pid


def workers_of(raylet):
    """Processes of vecframe's workers that this raylet has started."""
    found = []
    for entry in pathlib.Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            status = (entry / "stat").read_text()
            is_worker = (entry / "cmdline").read_bytes().startswith(_WORKER)
        except OSError:
            continue
        parent = int(status.rsplit(")", 1)[1].split()[1])
        if is_worker and parent == raylet:
            found.append(int(entry.name))
    return sorted(found)


def kill_a_worker(raylets):
    """Kills one at once; its process id. There must be one."""
    for raylet in raylets:
        for process in workers_of(raylet):
            os.kill(process, signal.SIGKILL)
            return process
    raise AssertionError("no worker runs")


def wait_until(condition, what, seconds=120):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"{what} did not come about in {seconds} s"
        time.sleep(0.02)


def parts_in(out):
    return sorted(path.name for path in pathlib.Path(out).glob("part-*.parquet"))


def rows_in(out):
    """path -> vector of the whole output; a path twice is a failure."""
    rows = parquet.read_table(out).select(["path", "embedding"]).to_pylist()
    assert len({row["path"] for row in rows}) == len(rows), "a path twice"
    return {row["path"]: row["embedding"] for row in rows}


def is_clean(out, but_for_parts=False):
    """Whether nothing is left of locks, tokens and temporary files; of these only the next run takes away parts."""
    left = [name for name in os.listdir(out) if name.startswith((".", "_lock", "_job"))]
    return all(but_for_parts and name.startswith(".part-") for name in left)


def by_model(folder, model, **options):
    options = {"model": model, "on_error": "ignore"} | options
    return vf.read_images(folder).with_column("embedding", embed_image(col("image"), **options)).exclude("image")


class SlowMeans:
    """Mean colours, with a pause for each batch, so that there is a middle of a run."""

    def __init__(self, pause, deadly):
        self.pause, self.deadly = pause, deadly

    def embed_image(self, images):
        time.sleep(self.pause)
        if any(np.array_equal(image, self.deadly) for image in images):
            os._exit(1)
        return [np.asarray(image[:, :, :3].mean(axis=(0, 1)), dtype=np.float32) for image in images]


class SlowDescriptor:
    def __init__(self, *arguments):
        self.arguments = arguments

    def get_provider(self):
        return "slow"

    def get_model(self):
        return "means"

    def get_options(self):
        return {"batch_size": 4}

    def get_dimensions(self):
        return 3

    def is_async(self):
        return False

    def instantiate(self):
        return SlowMeans(*self.arguments)


class Slow(vf.Provider):
    """`deadly`: pixels of a picture that ends the process of its embedder."""

    name = "slow"

    def __init__(self, pause=0.1, deadly=None):
        self.arguments = (pause, deadly)

    def get_image_embedder(self, model=None, **options):
        return SlowDescriptor(*self.arguments)


def by_provider(folder, pause=0.1, deadly=None, **options):
    call = embed_image(col("image"), provider=Slow(pause, deadly), on_error="ignore", **options)
    return vf.read_images(folder).with_column("embedding", call).exclude("image")
