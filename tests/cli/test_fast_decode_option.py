"""`--fast-decode` as a user meets it: close vectors, the files' own facts, and outputs that know how they were made."""

import json

import numpy as np
import pyarrow.parquet as pq
import pytest
from PIL import Image
from test_command_line import BINARY, model, run  # noqa: F401

pytestmark = pytest.mark.skipif(not BINARY.exists(), reason=f"{BINARY} is not built: run `make build`")


@pytest.fixture()
def photos(tmp_path):
    """Two that are large enough to profit, one that is too small, one that is no JPEG, one that is cut off."""
    folder = tmp_path / "photos"
    folder.mkdir()
    rng = np.random.default_rng(3)
    for name, size in [("a.jpg", (1201, 900)), ("b.jpg", (900, 1300)), ("c.jpg", (50, 40)), ("d.png", (1200, 900))]:
        small = Image.fromarray(rng.integers(0, 256, (9, 12, 3), dtype=np.uint8))
        small.resize(size, Image.Resampling.BICUBIC).save(folder / name)
    (folder / "e.jpg").write_bytes((folder / "a.jpg").read_bytes()[:5000])
    return folder


def test_vectors_are_close_and_facts_are_the_files(photos, tmp_path, model):  # noqa: F811
    tables = {}
    for name, flags in (("exact", []), ("fast", ["--fast-decode"])):
        done = run("embed", photos, "-o", tmp_path / f"{name}.parquet", "--model", model, "--json", *flags)
        assert done.returncode == 0, done.stderr
        assert json.loads(done.stdout).get("fast_decode") == ("2x" if flags else None)
        tables[name] = pq.read_table(tmp_path / f"{name}.parquet")
    exact, fast = tables["exact"], tables["fast"]
    assert b"vecframe.fast_decode" not in exact.schema.metadata
    assert fast.schema.metadata[b"vecframe.fast_decode"] == b"2x"
    for column in ("path", "error", "width", "height", "format"):
        assert fast[column].to_pylist() == exact[column].to_pylist()
    a, b = (np.array(table["embedding"].to_pylist()[:4]) for table in (exact, fast))
    assert np.array_equal(a[2:], b[2:])
    assert not np.array_equal(a[0], b[0]) and not np.array_equal(a[1], b[1])
    assert ((a * b).sum(axis=1) / np.linalg.norm(a, axis=1) / np.linalg.norm(b, axis=1)).min() > 0.999


def test_a_resumed_directory_is_computed_again(photos, tmp_path, model):  # noqa: F811
    out = tmp_path / "parts"
    assert run("embed", photos, "-o", f"{out}/", "--model", model).returncode == 0
    done = run("embed", photos, "-o", out, "--model", model, "--resume", "--fast-decode")
    assert done.returncode == 0, done.stderr
    assert "fast_decode is missing, not '2x'" in done.stderr
    assert "5 images" in done.stderr
    assert "nothing left" in run("embed", photos, "-o", out, "--model", model, "--resume", "--fast-decode").stderr


def test_memory_that_is_too_small_for_whole_pictures(photos, tmp_path, model):  # noqa: F811
    exif = Image.Exif()
    exif[274] = 6
    Image.new("RGB", (7000, 6000), (90, 120, 30)).save(photos / "large.jpg", exif=exif)  # 120 MiB, turned
    errors = {}
    for name, flags in (("exact", []), ("fast", ["--fast-decode"])):
        done = run("embed", photos / "large.jpg", "-o", tmp_path / f"{name}.parquet", "--model", model,
                   "--memory-limit", "64M", *flags)
        assert done.returncode == 0, done.stderr
        errors[name] = pq.read_table(tmp_path / f"{name}.parquet")["error"].to_pylist()[0]
    assert errors["exact"].startswith("decode/over_budget") and errors["fast"] is None


def test_texts_are_not_decoded(tmp_path, model):  # noqa: F811
    (tmp_path / "texts").write_text("a\n")
    done = run("embed", "--text", tmp_path / "texts", "-o", tmp_path / "o.parquet", "--model", model, "--fast-decode")
    assert done.returncode == 2 and "--fast-decode" in done.stderr
    assert "--fast-decode" in run("embed", "--help").stdout
