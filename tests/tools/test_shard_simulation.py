"""Planning and committing need no more memory for more rows."""

import csv
import pathlib
import subprocess

import pytest

PROJECT = pathlib.Path(__file__).resolve().parents[2]
SIMULATION = PROJECT / "build/release/benchmarks/shard_simulation"
MIB = 1 << 20


@pytest.mark.skipif(not SIMULATION.exists(), reason="benchmarks are not built")
def test_memory_does_not_grow_with_the_shards(tmp_path):
    done = subprocess.run(
        [SIMULATION, "--rows=300000", "--rows-per-part=2048", "--lines=10", f"--directory={tmp_path / 'run'}"],
        capture_output=True,
        text=True,
        check=True,
    )
    lines = list(csv.DictReader(done.stdout.splitlines()))
    resident = {phase: [int(line["resident_bytes"]) for line in lines if line["phase"] == phase]
                for phase in ("run", "index", "look up")}
    # The first lines are after 14 shards. Blocks that each shard left behind would be 3 MiB here.
    assert len(resident["run"]) >= 10
    assert resident["run"][-1] - resident["run"][0] < MIB
    assert resident["look up"][-1] - resident["look up"][0] < MIB
