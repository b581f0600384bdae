"""The main job as a user runs it: a folder of photographs becomes a Parquet file of vectors."""

import json
import os
import subprocess
import sys

import numpy
import pyarrow.parquet as parquet
import pytest
from PIL import ExifTags, Image

from conftest import MODEL, PROJECT
from memory_group import memory_group

MIB = 1 << 20
DIMENSION = 1280
WEIGHTS = 20 * MIB  # at most
COLUMNS = ["path", "embedding", "error", "width", "height", "format"]
# What each kind of broken file (tools/make_photo_folder.py) is reported as.
CAUSES = {
    "truncated": {"decode/truncated"},
    "header_only": {"decode/truncated", "decode/corrupt"},
    "garbage": {"decode/unknown_format"},
    "empty": {"decode/empty", "read/empty"},
    "text": {"decode/unknown_format"},
}


def embed(vecframe, inputs, output, *options):
    """The report and the table of a run that has to succeed."""
    done = vecframe("embed", *inputs, "-o", output, "--model", MODEL, "--json", *options)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout), parquet.read_table(output)


@pytest.fixture(scope="module")
def folder_run(vecframe, thousand_jpegs, tmp_path_factory):
    folder, manifest = thousand_jpegs
    output = tmp_path_factory.mktemp("run") / "photos.parquet"
    report, table = embed(vecframe, [folder], output, "--on-error", "ignore")
    return folder, manifest["files"], report, table


def vectors_of(table):
    column = table["embedding"].combine_chunks()
    storage = getattr(column, "storage", column)
    return storage.to_pylist()


def test_every_file_is_one_row_in_order(folder_run):
    folder, files, _, table = folder_run
    assert table.column_names == COLUMNS
    expected = sorted((os.fsencode(f"{folder}/{name}") for name in files))
    assert [os.fsencode(path) for path in table["path"].to_pylist()] == expected


def test_every_good_row_has_a_vector_and_no_cause(folder_run):
    folder, files, _, table = folder_run
    rows = zip(table["path"].to_pylist(), vectors_of(table), table["error"].to_pylist(), table["format"].to_pylist(),
               table["width"].to_pylist(), table["height"].to_pylist(), strict=True)
    seen = 0
    for path, vector, error, kind, width, height in rows:
        facts = files[os.path.relpath(path, folder)]
        if "broken" in facts:
            continue
        seen += 1
        assert error is None, (path, error)
        assert len(vector) == DIMENSION
        assert numpy.isfinite(vector).all(), path
        assert numpy.linalg.norm(vector) > 0, path
        assert (kind, width, height) == ("jpeg", facts["width"], facts["height"]), path
    assert seen == 990


def test_every_bad_row_has_its_cause_and_no_vector(folder_run):
    folder, files, _, table = folder_run
    bad = {name: facts["broken"] for name, facts in files.items() if "broken" in facts}
    assert len(bad) == 10
    found = {}
    for path, vector, error in zip(table["path"].to_pylist(), vectors_of(table), table["error"].to_pylist(), strict=True):
        if error is not None:
            assert vector is None, path
            cause, separator, message = error.partition(": ")
            assert separator and message
            found[os.path.relpath(path, folder)] = cause
    assert found.keys() == bad.keys()
    for name, kind in bad.items():
        assert found[name] in CAUSES[kind], (name, kind)


def test_report_counts_what_the_file_holds(folder_run):
    _, files, report, table = folder_run
    assert (report["rows"], report["ok"], report["failed"]) == (1000, 990, 10)
    assert table["embedding"].null_count == 10
    causes = [error.partition(": ")[0] for error in table["error"].to_pylist() if error]
    assert report["failures"] == {cause: causes.count(cause) for cause in set(causes)}
    assert report["model"]["dimension"] == DIMENSION
    assert report["images_per_second"] > 0


def test_memory_of_small_files_stays_in_the_bound(folder_run):
    memory = folder_run[2]["memory"]
    assert memory["process_peak"] <= memory["weights"] + memory["limit"] + 64 * MIB
    assert memory["budget_peak"] <= memory["limit"]


def test_a_vector_does_not_depend_on_batch_or_threads(vecframe, thousand_jpegs, tmp_path):
    folder, _ = thousand_jpegs
    inputs = [folder / "roll-000"]
    tables = [embed(vecframe, inputs, tmp_path / f"{batch}-{threads}.parquet", "--on-error", "ignore", "--batch-size",
                    batch, "--threads", threads)[1] for batch, threads in [(1, 1), (7, 2), (16, 2)]]
    first = vectors_of(tables[0])
    for table in tables[1:]:
        assert table["path"] == tables[0]["path"]
        assert table["error"] == tables[0]["error"]
        for mine, other in zip(first, vectors_of(table), strict=True):
            assert (mine is None) == (other is None)
            if mine is not None:
                numpy.testing.assert_allclose(mine, other, atol=1e-5, rtol=0)


def test_large_photographs_stay_within_the_limit(vecframe, large_photographs, tmp_path):
    folder, manifest = large_photographs
    # Two workers hold a 36 MB picture each; the limit leaves little besides.
    report, table = embed(vecframe, [folder], tmp_path / "large.parquet", "--memory-limit", "256M", "--on-error", "log")
    assert table.num_rows == len(manifest["files"])
    assert table["embedding"].null_count == 0
    assert set(zip(table["width"].to_pylist(), table["height"].to_pylist(), strict=True)) == {(4000, 3000)}
    memory = report["memory"]
    assert memory["limit"] == 256 * MIB
    assert memory["process_peak"] <= memory["weights"] + memory["limit"] + 64 * MIB


def test_large_photographs_where_the_kernel_limits_the_memory(large_photographs, tmp_path):
    folder, manifest = large_photographs
    program = os.environ.get("VECFRAME_PROGRAM", PROJECT / "build/bin/vecframe")
    hog = [sys.executable, "-c", "len(bytearray(512 << 20))"]
    with memory_group(256 * MIB + WEIGHTS + 64 * MIB) as run:
        if run(*hog).returncode == 0:
            pytest.skip("the kernel's limit of memory does not hold here")
        done = run(program, "embed", folder, "-o", tmp_path / "large.parquet", "--model", MODEL, "--memory-limit", "256M",
                   "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["memory"]["weights"] <= WEIGHTS
    assert parquet.read_table(tmp_path / "large.parquet").num_rows == len(manifest["files"])


def test_a_photograph_beyond_the_limit_is_a_row_error(vecframe, large_photographs, thousand_jpegs, tmp_path):
    large = tmp_path / "turned.jpg"  # which is decoded as a whole
    with Image.open(large_photographs[0] / "00000.jpg") as photograph:
        exif = photograph.getexif()
        exif[ExifTags.Base.Orientation] = 6
        photograph.save(large, exif=exif, quality="keep")
    folder, manifest = thousand_jpegs
    small = next(folder / name for name, facts in manifest["files"].items() if "broken" not in facts)
    report, table = embed(vecframe, [large, small], tmp_path / "out.parquet", "--memory-limit", "48M", "--threads", 1,
                          "--batch-size", 1, "--on-error", "ignore")
    assert report["failed"] == 1
    assert table["error"].to_pylist()[0].split(": ")[0].endswith("/over_budget")
    assert table["error"].to_pylist()[1] is None


def test_raise_leaves_no_output(vecframe, thousand_jpegs, tmp_path):
    folder, _ = thousand_jpegs
    done = vecframe("embed", folder, "-o", tmp_path / "out.parquet", "--model", MODEL, "--on-error", "raise")
    assert done.returncode == 1
    assert "decode/" in done.stderr or "read/" in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_existing_output_is_not_replaced(vecframe, thousand_jpegs, tmp_path):
    folder, _ = thousand_jpegs
    output = tmp_path / "out.parquet"
    output.write_text("precious")
    done = vecframe("embed", folder / "roll-000", "-o", output, "--model", MODEL)
    assert done.returncode == 2
    assert "--overwrite" in done.stderr
    assert output.read_text() == "precious"


def test_inspect_tells_what_the_file_holds(vecframe, thousand_jpegs, tmp_path):
    folder, _ = thousand_jpegs
    output = tmp_path / "out.parquet"
    embed(vecframe, [folder / "roll-000"], output, "--on-error", "ignore", "--limit", 20)
    done = vecframe("inspect", output, "--json", "--queries", 2, "--neighbours", 3)
    assert done.returncode == 0, done.stderr
    facts = json.loads(done.stdout)
    assert facts["rows"] == 20
    assert facts["dimension"] == DIMENSION
    assert facts["metadata"]["vecframe.model"] == MODEL
    assert [len(query["neighbours"]) for query in facts["neighbours"]] == [3, 3]


def test_the_folder_maker_repeats_itself(tmp_path):
    command = [sys.executable, str(PROJECT / "tools/make_photo_folder.py"), "--count", "12"]
    for name in ("a", "b"):
        done = subprocess.run([*command, str(tmp_path / name)], capture_output=True, text=True, check=False)
        if done.returncode == 2:
            pytest.skip(done.stderr.strip())
    names = [path.relative_to(tmp_path / "a") for path in sorted((tmp_path / "a").rglob("*.jpg"))]
    assert len(names) == 12
    assert all((tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes() for name in names)
