"""write_parquet() on a Ray cluster of one node with two CPUs; more nodes, and more that dies, in test_ray_failures.py."""

import importlib.util
import json
import subprocess
import sys

import pytest
import vecframe as vf
from pictures import write_pictures

import ray_cluster
from ray_cluster import by_model, by_provider, is_clean, kill_a_worker, parts_in, raylet_of, rows_in

needs_ray = pytest.mark.skipif(
    importlib.util.find_spec("ray") is None, reason="Ray is not installed: pip install 'vecframe[ray]'"
)


@pytest.fixture(scope="module")
def nodes():
    from ray import cloudpickle

    cloudpickle.register_pickle_by_value(ray_cluster)  # workers do not have this folder on their path
    with ray_cluster.cluster([2]) as started:
        yield started


@pytest.fixture(scope="module")
def driver(nodes):
    with ray_cluster.connected(nodes) as ray:
        yield ray


@pytest.fixture
def folder(tmp_path):
    folder = write_pictures(tmp_path / "in", 23)
    (folder / "bad.png").write_bytes(b"no picture")
    (folder / "empty.png").write_bytes(b"")
    return folder


@needs_ray
def test_the_same_rows_as_on_one_machine(driver, folder, model, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)  # relative paths are those of this process
    vf.set_runner_native()
    local = by_model("in", model).write_parquet(tmp_path / "local", rows_per_part=4)
    vf.set_runner_ray()
    assert vf.get_or_infer_runner_type() == "ray"
    seen = []
    df = by_model("in", model, concurrency=2)
    report = df.write_parquet(
        "out", rows_per_part=4, progress=seen.append, cache="cache", dead_letter="dead.jsonl", max_error_rate=0.5
    )
    assert rows_in("out") == rows_in("local")
    assert parts_in("out") == parts_in("local") and len(parts_in("out")) == 7
    assert (report.rows, report.failed, report.failures) == (local.rows, local.failed, local.failures)
    assert (report.rows, report.failed) == (25, 2)
    whole = report.as_dict()
    assert {name: whole["cluster"][name] for name in ("workers", "nodes", "lost_workers")} == {
        "workers": 2, "nodes": 1, "lost_workers": 0,
    }  # fmt: skip
    assert (whole["threads"], whole["runs"], whole["total"]) == (2, 7, {"parts": 7, "rows": 25, "failed": 2})
    assert whole["concurrency"]["embed"] == 1, "of one worker, not the sum over shards"
    assert vf.read_report("out") == whole
    assert "2 workers on 1 nodes" in str(report)
    last = seen[-1]
    assert (last.rows, last.failed, last.listed, last.listing_done, last.embedded) == (25, 2, 25, True, 23)
    letters = [json.loads(line) for line in (tmp_path / "dead.jsonl").read_text().splitlines()]
    assert sorted((one["input"], one["code"]) for one in letters) == [
        ("in/bad.png", "unknown_format"), ("in/empty.png", "empty"),
    ]  # fmt: skip
    assert is_clean("out")
    again = df.write_parquet("out", resume=True, rows_per_part=4)
    assert (again.rows, again.as_dict().get("cluster")) == (0, None), "nothing left to do, no worker is started"
    vf.set_runner_native()
    assert by_model("in", model).write_parquet("out", resume=True).rows == 0, "the same recipe as on one machine"
    vf.set_runner_ray()


@needs_ray
def test_a_worker_that_dies_costs_no_row(driver, nodes, folder, tmp_path):
    out = tmp_path / "out"
    killed = []

    def progress(now):
        if now.rows >= 1 and not killed:
            killed.append(kill_a_worker([raylet_of(nodes.head_node)]))

    report = by_provider(folder, concurrency=2, pause=0.5).write_parquet(out, rows_per_part=4, progress=progress)
    assert killed
    assert report.as_dict()["cluster"]["lost_workers"] == 1
    assert report.as_dict()["cluster"]["repeated_shards"] >= 1
    assert (report.rows, report.failed) == (25, 2)
    assert is_clean(out)
    vf.set_runner_native()
    by_provider(folder, pause=0).write_parquet(tmp_path / "local")
    vf.set_runner_ray()
    assert rows_in(out) == rows_in(tmp_path / "local")


@needs_ray
def test_more_than_the_cluster_has_is_refused_before_a_file_is_written(driver, folder, model, tmp_path):
    out = tmp_path / "out"
    for options, words, message in [
        ({"concurrency": 3}, {}, "concurrency: 3 workers of 1 CPU are more than the cluster has: "
         "1 node with 2 CPUs and no GPU"),
        ({"num_gpus": 0.5}, {}, "num_gpus: a worker of 1 CPU and 0.5 GPUs is more than the cluster has: 1 node with 2"),
        ({"num_gpus": 1, "concurrency": 2}, {}, "num_gpus: 2 workers of 1 CPU and 1 GPU are more"),
        ({}, {"threads": 4}, "threads: a worker of 4 CPUs is more"),
        ({"device": "cuda:1"}, {}, "device: "),
        ({}, {"shard": (1, 2)}, "shard: on a cluster"),
    ]:  # fmt: skip
        with pytest.raises(vf.RequestError, match=message):
            by_model(folder, model, **options).write_parquet(out, **words)
    with pytest.raises(vf.RequestError, match="one file.*set_runner_native"):
        by_model(folder, model).write_parquet(tmp_path / "out.parquet")
    with pytest.raises(vf.RequestError, match="it sorts"):
        vf.read_images(folder).sort("path").write_parquet(out)
    assert not out.exists()


@needs_ray
def test_errors_of_workers_are_those_of_the_run(driver, folder, model, tmp_path):
    out = tmp_path / "out"
    with pytest.raises(vf.RunError, match="bad.png: decode/unknown_format"):
        by_model(folder, model, on_error="raise", concurrency=1).write_parquet(out, rows_per_part=3)
    with pytest.raises(vf.RunError, match=r"\d+ of \d+ rows failed, more than max_error_rate=0.010000"):
        by_model(folder, model, concurrency=1).write_parquet(out, resume=True, rows_per_part=3, max_error_rate=0.01)
    assert not out.exists() or is_clean(out, but_for_parts=True), "a worker that is ended may leave the part in hand"
    report = by_model(folder, model, concurrency=1).write_parquet(out, resume=True, rows_per_part=3)
    assert report.rows <= 25
    assert len(rows_in(out)) == 25
    assert is_clean(out)


def test_without_ray_the_error_says_what_to_install(tmp_path):
    program = """
import sys
sys.modules["ray"] = None        # as if it were not installed
import vecframe as vf
try:
    vf.set_runner_ray()
except vf.RequestError as error:
    print(error)
print(vf.get_or_infer_runner_type())
print(vf.from_pydict({"a": [1]}).write_parquet(sys.argv[1]).rows)
"""
    done = subprocess.run(
        [sys.executable, "-c", program, str(tmp_path / "a.parquet")], capture_output=True, text=True, check=True
    )
    message, runner, rows = done.stdout.splitlines()
    assert "vecframe[ray]" in message and "set_runner_native" in message
    assert (runner, rows) == ("native", "1")


def test_the_package_does_not_import_ray():
    program = "import sys, vecframe, vecframe.functions; print('ray' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"


def test_the_environment_chooses_the_runner(monkeypatch):
    from vecframe import runners

    monkeypatch.setattr(runners, "_chosen", None)
    monkeypatch.delenv("VECFRAME_RUNNER", raising=False)
    assert vf.get_or_infer_runner_type() == "native"
    monkeypatch.setenv("VECFRAME_RUNNER", "ray")
    assert vf.get_or_infer_runner_type() == "ray"
    monkeypatch.setenv("VECFRAME_RUNNER", "dask")
    with pytest.raises(vf.RequestError, match='VECFRAME_RUNNER: \'dask\' is not known; give one of "native", "ray"'):
        vf.get_or_infer_runner_type()
    for words in ({"max_task_backlog": 0}, {"max_task_backlog": "2"}, {"address": 5}, {"noop_if_initialized": 1}):
        with pytest.raises(vf.RequestError, match=next(iter(words))):
            vf.set_runner_ray(**words)
