"""The benchmark suite runs from end to end on our own part and writes what it says."""

import json
import pathlib
import subprocess
import sys

import pytest

PROJECT = pathlib.Path(__file__).resolve().parents[2]
SERVER = PROJECT / "build/release/benchmarks/model_server"


@pytest.mark.skipif(not SERVER.exists(), reason="the release build has no benchmarks")
def test_smoke():
    command = [sys.executable, str(PROJECT / "benchmarks/suite/run.py"), "--smoke", "--threads", "1"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    results = json.loads((PROJECT / "build/bench/results.json").read_text())
    assert {line["engine"] for line in results["model"][0]["lines"]} == {"vecframe fp32", "vecframe int8"}
    assert all(line["images_per_second"] > 0 for line in results["model"][0]["lines"])
    # Of 20 files the broken one is taken out of this folder.
    assert all(line["images"] == 19 for line in results["job"][0]["lines"])
    assert len(results["cold"][0]["lines"]) == 2
    assert "| vecframe int8 |" in (PROJECT / "build/bench/results.md").read_text()
