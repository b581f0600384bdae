"""How many workers a run gets, by what the cluster has and the embeddings ask for."""

import pytest
import vecframe as vf
from vecframe import _native, col, runners
from vecframe.functions import embed_image
from vecframe.runners.placement import Node, Worker, place_workers

from ray_cluster import by_model, by_provider


@pytest.fixture(autouse=True)
def on_a_cluster(monkeypatch):
    monkeypatch.setattr(runners, "_chosen", None)
    monkeypatch.setenv("VECFRAME_RUNNER", "ray")


@pytest.fixture
def uses(tmp_path, model):
    (tmp_path / "a.png").write_bytes(b"")

    def of(**options):
        return _native.embedders_of(by_model(tmp_path, model, **options)._native)

    return of


def test_a_node_gets_one_worker_with_all_its_cpus(uses):
    assert place_workers([Node(4, 0), Node(0, 0), Node(16, 0)], uses(), 0) == [Worker(16, 0), Worker(4, 0)]
    assert place_workers([Node(4, 0), Node(7, 0)], uses(), 2) == [Worker(2, 0)] * 5
    assert place_workers([Node(4, 2)], uses(device="cpu"), 0) == [Worker(4, 0)]


def test_concurrency_divides_the_cpus(uses):
    nodes = [Node(4, 0), Node(4, 0)]
    assert place_workers(nodes, uses(concurrency=2), 0) == [Worker(4, 0)] * 2
    assert place_workers(nodes, uses(concurrency=3), 0) == [Worker(2, 0)] * 3
    assert place_workers(nodes, uses(concurrency=8), 0) == [Worker(1, 0)] * 8
    assert place_workers(nodes, uses(concurrency=1), 3) == [Worker(3, 0)]


def test_gpus_are_shared_out_as_the_call_says(uses):
    nodes = [Node(16, 2), Node(8, 4), Node(8, 0)]
    assert place_workers(nodes, uses(), 0) == [Worker(2, 1)] * 6
    assert place_workers(nodes, uses(num_gpus=2), 0) == [Worker(4, 2)] * 3
    assert place_workers(nodes, uses(num_gpus=0.5), 0) == [Worker(1, 0.5)] * 12
    assert place_workers(nodes, uses(num_gpus=0.4, concurrency=4), 0) == [Worker(5, 0.4)] * 4
    assert place_workers(nodes, uses(num_gpus=0), 0) == [Worker(16, 0), Worker(8, 0), Worker(8, 0)]


def test_what_is_too_much_says_what_there_is(uses):
    nodes = [Node(4, 1), Node(2, 0)]
    for options, threads, message in [
        ({"concurrency": 7, "device": "cpu"}, 0, "concurrency: 7 workers of 1 CPU are more than the cluster has: "
         "2 nodes with 6 CPUs and 1 GPU"),
        ({"num_gpus": 2}, 0, "num_gpus: a worker of 1 CPU and 2 GPUs is more"),
        ({"num_gpus": 1, "concurrency": 2}, 0, "num_gpus: 2 workers of 1 CPU and 1 GPU are more"),
        ({"num_gpus": 0.5}, 8, "threads: a worker of 8 CPUs and 0.5 GPUs is more"),
        ({"device": "cpu"}, 5, "threads: a worker of 5 CPUs is more"),
    ]:  # fmt: skip
        with pytest.raises(vf.RequestError, match=message):
            place_workers(nodes, uses(**options), threads)
    with pytest.raises(vf.RequestError, match="no node of the cluster has a CPU"):
        place_workers([Node(0, 0)], uses(), 0)
    with pytest.raises(vf.RequestError, match="device: 'cuda:1' names GPUs of one machine"):
        state = uses(device="cpu")[0].__getstate__()  # a GPU that this machine does not have
        use = _native.EmbedderUse.__new__(_native.EmbedderUse)
        use.__setstate__(tuple("cuda:1" if value == "cpu" else value for value in state))
        place_workers(nodes, [use], 0)


def test_a_provider_says_what_its_embedders_need(tmp_path):
    (tmp_path / "a.png").write_bytes(b"")
    use = _native.embedders_of(by_provider(tmp_path, concurrency=3, num_gpus=0.25)._native)[0]
    assert (use.provider, use.model, use.is_local, use.is_async) == ("slow", "means", False, False)
    assert (use.concurrency, use.num_gpus) == (3, 0.25)
    assert place_workers([Node(8, 1)], [use], 0) == [Worker(2, 0.25)] * 3


def test_one_machine_keeps_its_rules(tmp_path, model, monkeypatch):
    monkeypatch.setenv("VECFRAME_RUNNER", "native")
    (tmp_path / "a.png").write_bytes(b"")
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    with pytest.raises(vf.RequestError, match="num_gpus: 1 for each of 2 embedders is more than this machine has: no"):
        embed_image(col("image"), model=model, num_gpus=1, concurrency=2)
    with pytest.raises(vf.RequestError, match="concurrency: .* all threads of the run"):
        embed_image(col("image"), model=model, concurrency=2)
