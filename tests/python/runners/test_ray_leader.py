"""Runs that a process of the cluster leads, as those of clients of ray:// are too. Run by `make test-ray`."""

import importlib.util
import os

import pytest
import vecframe as vf
from pictures import write_pictures

import ray_cluster
from ray_cluster import by_model, by_provider, is_clean, rows_in

pytestmark = [
    pytest.mark.skipif(os.environ.get("VECFRAME_RAY_TESTS") != "1", reason="takes minutes; `make test-ray` runs it"),
    pytest.mark.skipif(importlib.util.find_spec("ray") is None, reason="Ray is not installed"),
]


@pytest.fixture
def led():
    """The runner of a cluster whose runs are led from within."""
    import ray

    ray.cloudpickle.register_pickle_by_value(ray_cluster)
    with ray_cluster.cluster([2]) as nodes:
        try:
            ray.init(address=nodes.address, log_to_driver=False, logging_level="ERROR")
            vf.set_runner_ray(force_client_mode=True)
            yield
        finally:
            vf.set_runner_native()
            ray.shutdown()
            ray.cloudpickle.unregister_pickle_by_value(ray_cluster)


def test_a_run_that_is_led_from_within(led, model, tmp_path, caplog):
    folder = write_pictures(tmp_path / "in", 23)
    (folder / "bad.png").write_bytes(b"no picture")
    out, seen = tmp_path / "out", []
    report = by_model(folder, model, concurrency=2, on_error="log").write_parquet(
        out, rows_per_part=4, progress=seen.append
    )
    assert (report.rows, report.failed, report.as_dict()["cluster"]["workers"]) == (24, 1, 2)
    assert (seen[-1].rows, seen[-1].failed, seen[-1].listing_done) == (24, 1, True)
    assert "bad.png: decode/unknown_format" in caplog.text
    assert is_clean(out)
    assert by_provider(folder, concurrency=2).write_parquet(tmp_path / "means", rows_per_part=4).rows == 24
    with pytest.raises(vf.RequestError, match="concurrency: 9 workers of 1 CPU are more than the cluster has"):
        by_model(folder, model, concurrency=9).write_parquet(tmp_path / "none")
    with pytest.raises(vf.RunError, match="bad.png: decode/unknown_format"):
        by_model(folder, model, on_error="raise").write_parquet(tmp_path / "none")
    vf.set_runner_native()
    by_model(folder, model).write_parquet(tmp_path / "local", rows_per_part=4)
    assert rows_in(out) == rows_in(tmp_path / "local")
