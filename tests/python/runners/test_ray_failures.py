"""Clusters of three nodes whose workers, nodes and drivers die in mid-run: every row once, and equal to a local run's.

Run by `make test-ray`, which takes minutes; elsewhere skipped.
"""

import importlib.util
import os
import random
import signal
import subprocess
import sys

import numpy as np
import pytest
import vecframe as vf
from PIL import Image
from pictures import write_pictures

import ray_cluster
from ray_cluster import (
    by_model,
    by_provider,
    connected,
    is_clean,
    kill_a_worker,
    parts_in,
    raylet_of,
    rows_in,
    wait_until,
    workers_of,
)

pytestmark = [
    pytest.mark.skipif(os.environ.get("VECFRAME_RAY_TESTS") != "1", reason="takes minutes; `make test-ray` runs it"),
    pytest.mark.skipif(importlib.util.find_spec("ray") is None, reason="Ray is not installed"),
]

ROWS = 120
WORDS = {"rows_per_part": 4}


@pytest.fixture(autouse=True)
def by_value():
    from ray import cloudpickle

    cloudpickle.register_pickle_by_value(ray_cluster)
    yield
    cloudpickle.unregister_pickle_by_value(ray_cluster)


@pytest.fixture
def nodes():
    with ray_cluster.cluster([1, 2, 2]) as started:
        yield started


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return write_pictures(tmp_path_factory.mktemp("in"), ROWS)


@pytest.fixture(scope="module")
def expected(folder, tmp_path_factory):
    out = tmp_path_factory.mktemp("expected")
    vf.set_runner_native()
    by_provider(folder, pause=0).write_parquet(out)
    return rows_in(out)


def all_nodes(nodes):
    return [nodes.head_node, *nodes.worker_nodes]


def test_workers_die_again_and_again(nodes, folder, expected, tmp_path):
    out = tmp_path / "out"
    moments = sorted(random.Random(6).sample(range(5, ROWS - 10), 4))

    def progress(now):
        if moments and now.rows >= moments[0]:
            moments.pop(0)
            kill_a_worker(random.Random(len(moments)).sample([raylet_of(node) for node in all_nodes(nodes)], 3))

    with connected(nodes):
        report = by_provider(folder, concurrency=5).write_parquet(out, progress=progress, **WORDS)
    assert not moments
    assert 3 <= report.as_dict()["cluster"]["lost_workers"] <= 4, "one may have had nothing to do any more"
    assert report.rows == ROWS
    assert rows_in(out) == expected
    assert is_clean(out)


def test_a_node_dies(nodes, folder, expected, tmp_path):
    out = tmp_path / "out"
    victim = next(iter(nodes.worker_nodes))
    killed = []

    def progress(now):
        if now.rows >= 20 and not killed:
            killed.append(workers_of(raylet_of(victim)))
            os.kill(raylet_of(victim), signal.SIGKILL)

    with connected(nodes):
        report = by_provider(folder, concurrency=5, pause=1).write_parquet(out, progress=progress, **WORDS)
    assert killed and killed[0], "no worker was on that node"
    assert report.as_dict()["cluster"]["lost_workers"] >= len(killed[0])
    assert report.rows == ROWS
    assert rows_in(out) == expected
    assert is_clean(out)


DRIVER = """
import sys
sys.path[:0] = sys.argv[4:]
import ray
import vecframe as vf
import ray_cluster
ray.cloudpickle.register_pickle_by_value(ray_cluster)
ray.init(address=sys.argv[1], log_to_driver=False, logging_level="ERROR")
vf.set_runner_ray(max_task_backlog=3)
df = ray_cluster.by_provider(sys.argv[2], concurrency=5)
try:
    report = df.write_parquet(sys.argv[3], rows_per_part=4, resume=True)
except KeyboardInterrupt:
    print("stopped", flush=True)
    sys.exit(0)
print(report.rows)
"""


def start_driver(nodes, folder, out):
    paths = [os.path.dirname(ray_cluster.__file__), os.path.dirname(os.path.dirname(ray_cluster.__file__))]
    return subprocess.Popen(
        [sys.executable, "-c", DRIVER, nodes.address, str(folder), str(out), *paths], stdout=subprocess.PIPE, text=True
    )


@pytest.mark.parametrize("end", [signal.SIGKILL, signal.SIGINT])
def test_the_driver_dies_and_is_started_again(nodes, folder, expected, tmp_path, end):
    out = tmp_path / "out"
    computed = []
    for parts in (3, 9, 15):
        process = start_driver(nodes, folder, out)
        wait_until(lambda: len(parts_in(out)) >= parts or process.poll() is not None, f"part {parts}")
        process.send_signal(end)
        output, _ = process.communicate(timeout=60)
        assert output == ("stopped\n" if end == signal.SIGINT else "")
        # Its workers go with it, and commit nothing any more once a new run has begun.
        wait_until(
            lambda: not any(workers_of(raylet_of(node)) for node in all_nodes(nodes)), "the end of the workers"
        )
        computed.append(set(parts_in(out)))
    assert computed[0] <= computed[1] <= computed[2]
    before = {name: (out / name).stat().st_mtime_ns for name in computed[-1]}
    process = start_driver(nodes, folder, out)
    output, _ = process.communicate(timeout=300)
    assert int(output) == ROWS - 4 * len(computed[-1]), "only what was missing"
    assert {name: (out / name).stat().st_mtime_ns for name in before} == before, "what was there is not touched"
    assert rows_in(out) == expected
    assert is_clean(out)


def test_a_model_of_this_library_on_three_nodes(nodes, tmp_path, model):
    folder = write_pictures(tmp_path / "in", 40)
    for i in range(200):  # the same pictures under more names
        os.link(folder / f"p{i % 40:03}.png", folder / f"q{i:03}.png")
    by_model(folder, model).write_parquet(tmp_path / "local", rows_per_part=8)
    killed = []

    def progress(now):
        if now.rows > 0 and not killed:
            killed.append(kill_a_worker([raylet_of(node) for node in all_nodes(nodes)]))

    with connected(nodes):
        report = by_model(folder, model).write_parquet(tmp_path / "out", rows_per_part=8, progress=progress)
    assert (report.as_dict()["cluster"]["workers"], report.as_dict()["cluster"]["nodes"]) == (3, 3), "one for each node"
    assert report.rows == 240
    assert rows_in(tmp_path / "out") == rows_in(tmp_path / "local")


DRIVER_MEMORY = """
import resource, sys
sys.path[:0] = sys.argv[4:]
import ray
import vecframe as vf
import ray_cluster
ray.init(address=sys.argv[1], log_to_driver=False, logging_level="ERROR")
vf.set_runner_ray()
peaks = []
def progress(now):
    peaks.append((now.rows, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss))
ray_cluster.by_model(sys.argv[2], sys.argv[3], concurrency=3).write_parquet(
    sys.argv[2] + ".out", rows_per_part=2, progress=progress)
print(next(peak for rows, peak in peaks if rows >= 400), peaks[-1][1], peaks[-1][0])
"""


def test_the_driver_needs_no_more_memory_for_more_rows(nodes, tmp_path, model):
    folder = write_pictures(tmp_path / "in", 40)
    for i in range(2960):
        os.link(folder / f"p{i % 40:03}.png", folder / f"q{i:04}.png")
    paths = [os.path.dirname(ray_cluster.__file__), os.path.dirname(os.path.dirname(ray_cluster.__file__))]
    command = [sys.executable, "-c", DRIVER_MEMORY, nodes.address, str(folder), model, *paths]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    early, late, rows = (int(word) for word in done.stdout.splitlines()[-1].split())
    assert rows == 3000
    # 1300 shards more. What Ray itself remembers of calls grows a little too.
    assert late - early < 8 << 10, f"{early} KiB after 200 shards, {late} KiB after 1500"


def test_a_shard_that_kills_its_workers_is_given_up(nodes, folder, tmp_path):
    out = tmp_path / "out"
    df = by_provider(folder, deadly=np.asarray(Image.open(folder / "p050.png")), concurrency=3)
    with connected(nodes), pytest.raises(vf.RunError, match=r"shard 12, .*p048.png', was given up: 4 workers died"):
        df.write_parquet(out, **WORDS)
    assert "part-00012.parquet" not in parts_in(out)
    with connected(nodes):
        assert by_provider(folder, concurrency=3).write_parquet(out, resume=True, **WORDS).rows >= 4
    assert len(rows_in(out)) == ROWS
    assert is_clean(out)


def test_an_output_that_is_not_shared_is_refused(nodes, folder, tmp_path):
    """A node that has an empty file system where the others have the output."""
    if os.geteuid() != 0 or subprocess.run(["unshare", "--mount", "true"], check=False).returncode != 0:
        pytest.skip("a file system of its own for a node needs root and mount namespaces")
    address = nodes.address
    start = (
        "mount -t tmpfs none {0} && {1} -m ray.scripts.scripts start --address={2} --num-cpus=2 "
        "--object-store-memory=80000000 --block --resources='{{\"apart\": 1}}'"
    )
    apart = subprocess.Popen(
        ["unshare", "--mount", "sh", "-c", start.format(tmp_path, sys.executable, address)],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True,
    )  # fmt: skip
    try:
        with connected(nodes) as ray:
            wait_until(lambda: ray.cluster_resources().get("apart"), "the node")
            with pytest.raises(vf.RunError, match="output: '.*' of node .* is not the directory that this run writes"):
                by_provider(folder, concurrency=7, pause=2).write_parquet(tmp_path / "out", **WORDS)
    finally:
        os.killpg(apart.pid, signal.SIGTERM)
        apart.wait(timeout=30)
