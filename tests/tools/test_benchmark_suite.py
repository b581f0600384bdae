"""The benchmark suite runs from end to end on our own part and writes what it says."""

import json
import pathlib
import subprocess
import sys

import pytest

PROJECT = pathlib.Path(__file__).resolve().parents[2]
SERVER = PROJECT / "build/release/benchmarks/model_server"


@pytest.mark.skipif(not SERVER.exists(), reason="the release build has no benchmarks")
def test_every_part_and_one_part_again(tmp_path):
    def suite(*arguments):
        command = [sys.executable, str(PROJECT / "benchmarks/suite/run.py"), "--smoke", "--threads", "1", "--out", str(tmp_path)]
        done = subprocess.run([*command, *arguments], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return json.loads((tmp_path / "results.json").read_text())["parts"]

    parts = suite()
    assert set(parts) == {"kernels", "model", "latency", "prepare", "jobs", "start"}
    models = parts["model"]["results"][0]["lines"]
    assert {line["engine"] for line in models} == {"vecframe fp32", "vecframe int8"}
    assert all(line["images_per_second"] > 0 for line in models)
    # Of 20 files the broken one is taken out of this folder.
    assert all(line["images"] == 19 for line in parts["jobs"]["results"][0]["lines"])
    assert all(line["share_of_stages"] > 0 for line in parts["jobs"]["results"][0]["lines"])
    assert parts["prepare"]["results"][0]["own"]["files"] == 19
    assert len(parts["start"]["results"][0]["lines"]) == 2
    assert [one["of"] for one in parts["latency"]["results"]] == ["picture", "text"]
    assert "| vecframe int8 |" in (tmp_path / "results.md").read_text()
    for part in parts:
        assert "<rect" in (tmp_path / f"{part}.svg").read_text()

    again = suite("--only", "start")
    assert again["start"] != parts["start"]
    assert {**again, "start": 0} == {**parts, "start": 0}
