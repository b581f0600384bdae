"""A job as a user has it go wrong: killed, resumed, shared, looked at afterwards."""

import json
import os
import pathlib
import random
import signal
import subprocess
import time

import pyarrow.parquet as parquet
import pytest

from conftest import MODEL, PROJECT

PROGRAM = pathlib.Path(os.environ.get("VECFRAME_PROGRAM", PROJECT / "build/bin/vecframe"))
KILLS = 50 if os.environ.get("VECFRAME_SLOW_TESTS") == "1" else 3


@pytest.fixture(scope="module")
def photos(thousand_jpegs):
    return thousand_jpegs[0] / "roll-000"


def arguments(folder, out, *options):
    return ["embed", str(folder), "-o", str(out), "--model", MODEL, "--on-error", "ignore", *map(str, options)]


def rows_of(out):
    rows = parquet.read_table(out).select(["path", "embedding", "error"]).to_pylist()
    assert len({row["path"] for row in rows}) == len(rows), "a path twice"
    return {row["path"]: (row["embedding"], row["error"]) for row in rows}


def test_killed_at_random_moments_and_resumed_it_has_every_row_once(vecframe, photos, tmp_path):
    start = time.monotonic()
    # A few rows a part: 20 shards or so.
    whole = vecframe(*arguments(photos, tmp_path / "whole", "--rows-per-part", 5, "--json"))
    undisturbed = time.monotonic() - start
    assert whole.returncode == 0, whole.stderr
    expected = rows_of(tmp_path / "whole")
    rng = random.Random(4)
    for kill in range(KILLS):
        out = tmp_path / f"out-{kill}"
        process = subprocess.Popen([str(PROGRAM), *arguments(photos, out, "--rows-per-part", 5, "--resume")],
                                   stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(rng.uniform(0, undisturbed))
        process.send_signal(signal.SIGKILL)
        process.wait()
        done = vecframe(*arguments(photos, out, "--rows-per-part", 5, "--resume"))
        assert done.returncode == 0, done.stderr
        assert rows_of(out) == expected
        assert json.loads((out / "_manifest.json").read_text())["complete"] is True


def test_nothing_left_to_do(vecframe, photos, tmp_path):
    out = tmp_path / "out"
    assert vecframe(*arguments(photos, out, "--resume", "--limit", 8)).returncode == 0
    before = {path.name: path.stat().st_mtime_ns for path in out.iterdir()}
    done = vecframe(*arguments(photos, out, "--resume", "--limit", 8))
    assert done.returncode == 0
    assert "nothing left to do" in done.stderr
    assert {path.name: path.stat().st_mtime_ns for path in out.iterdir()} == before


def test_shares_report_and_merge(vecframe, photos, tmp_path):
    out = tmp_path / "out"
    for share in ("2/2", "1/2"):
        done = vecframe(*arguments(photos, out, "--shard", share, "--limit", 30))
        assert done.returncode == 0, done.stderr
    assert parquet.read_table(out).num_rows == 30
    (out / "_manifest.json").unlink()
    done = vecframe("jobs", "merge", out, "--json")
    assert json.loads(done.stdout)["rows"] == 30
    assert json.loads((out / "_manifest.json").read_text())["complete"] is True
    text = vecframe("report", out)
    assert text.returncode == 0
    for word in ("rows        30", "waiting", "prepare", "embed"):
        assert word in text.stdout, text.stdout
    report = json.loads(vecframe("report", out, "--json").stdout)
    assert (report["rows"], report["runs"]) == (30, 2)


def test_the_cache_and_copies(vecframe, photos, tmp_path):
    folder = tmp_path / "copies"
    folder.mkdir()
    kinds = sorted(photos.glob("*.jpg"))[:4]
    for i in range(40):
        (folder / f"{i:03}.jpg").write_bytes(kinds[i % 4].read_bytes())
    counts = []
    for name in ("a", "b"):
        done = vecframe(*arguments(folder, tmp_path / f"{name}.parquet", "--cache", tmp_path / "cache", "--json"))
        assert done.returncode == 0, done.stderr
        report = json.loads(done.stdout)
        counts.append((report["counts"]["embed"], report["duplicates"], report["cache_hits"]))
    assert counts == [(4, 36, 0), (0, 36, 4)]


@pytest.mark.parametrize(("options", "message"), [
    (["-o", "o.parquet", "--resume"], "needs a directory"),
    (["-o", "out/", "--resume", "--overwrite"], "--overwrite"),
    (["-o", "out/", "--shard", "17/16"], "--shard"),
    (["-o", "out/", "--shard", "one"], "--shard"),
    (["-o", "out/", "--prune"], "prune"),
    (["-o", "o.parquet", "--shard", "1/2"], "give a directory"),
    (["-o", "out/", "--dead-letter", "dead.csv"], ".jsonl"),
])
def test_wrong_requests(vecframe, photos, tmp_path, monkeypatch, options, message):
    monkeypatch.chdir(tmp_path)
    done = vecframe("embed", photos, "--model", MODEL, *options)
    assert done.returncode == 2, done.stderr
    assert message in done.stderr and done.stderr.count("\n") == 1
    assert list(tmp_path.iterdir()) == []
