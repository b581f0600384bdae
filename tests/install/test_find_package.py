"""The installed C++ package, used by a program outside the tree."""

import os
import pathlib
import shutil
import subprocess

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("VECFRAME_BUILD", ROOT / "build" / "release")).resolve()
MODEL = ROOT / "tests" / "golden" / "models" / "clip"

pytestmark = pytest.mark.skipif(not (BUILD / "CMakeCache.txt").exists(), reason=f"{BUILD} is not built: run `make build`")


def run(*command, code=0):
    # Debian's own tools; and nothing that would let the program find the library in the build tree.
    environment = {**os.environ, "PATH": f"/usr/bin:{os.environ['PATH']}"}
    environment.pop("LD_LIBRARY_PATH", None)
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True, timeout=600, env=environment)
    assert done.returncode == code, f"{command}\n{done.stdout}\n{done.stderr}"
    return done


@pytest.fixture(scope="module")
def prefix(tmp_path_factory):
    prefix = tmp_path_factory.mktemp("prefix")
    run("cmake", "--install", BUILD, "--prefix", prefix)
    return prefix


@pytest.fixture(scope="module")
def photos(tmp_path_factory):
    folder = tmp_path_factory.mktemp("photos")
    for i in range(3):
        pixels = np.random.default_rng(i).integers(0, 256, (40, 60, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(folder / f"{i}.png")
    (folder / "bad.png").write_bytes(b"not a picture")
    return folder


def test_only_the_public_headers_are_installed(prefix):
    headers = {path.relative_to(prefix / "include").as_posix() for path in (prefix / "include").rglob("*.h")}
    assert headers == {path.relative_to(ROOT / "include").as_posix() for path in (ROOT / "include").rglob("*.h")}


def test_the_library_needs_nothing_of_the_build_tree(prefix):
    for path in [*prefix.rglob("libvecframe*.so*"), prefix / "bin" / "vecframe"]:
        dynamic = run("readelf", "-d", path).stdout
        assert str(BUILD) not in dynamic, path
    (config,) = prefix.rglob("vecframeConfig.cmake")
    for path in config.parent.iterdir():
        assert str(ROOT) not in path.read_text(), path


@pytest.fixture(scope="module")
def examples(prefix, tmp_path_factory):
    """The programs of examples/cpp, built outside the tree."""
    folder = tmp_path_factory.mktemp("examples")
    source = folder / "source"
    shutil.copytree(ROOT / "examples" / "cpp", source)  # so that it cannot see this project's files
    run("cmake", "-S", source, "-B", folder / "build", "-G", "Ninja", f"-DCMAKE_PREFIX_PATH={prefix}")
    run("cmake", "--build", folder / "build")
    return folder / "build"


def test_a_program_outside_the_tree_builds_and_embeds(examples, photos, tmp_path):
    program, output = examples / "embed_folder", tmp_path / "photos.parquet"
    done = run(program, photos, output, MODEL)
    assert "4 rows, 1 failed" in done.stdout and "nearest neighbours" in done.stdout
    table = pq.read_table(output)
    assert [os.path.basename(path) for path in table["path"].to_pylist()] == ["0.png", "1.png", "2.png", "bad.png"]
    vectors, errors = table["embedding"].to_pylist(), table["error"].to_pylist()
    assert errors[:3] == [None] * 3 and errors[3] and vectors[3] is None
    np.testing.assert_allclose(np.linalg.norm(np.array(vectors[:3]), axis=1), 1, atol=1e-6)
    refused = run(program, photos, output, MODEL, code=2)
    assert "photos.parquet" in refused.stderr


def test_a_provider_outside_the_tree_embeds(examples, photos, tmp_path):
    output = tmp_path / "colours.parquet"
    done = run(examples / "own_provider", photos, output)
    assert "4 rows, 1 failed" in done.stdout
    colours = pq.read_table(output)["colour"].to_pylist()
    for path, colour in zip(sorted(photos.iterdir()), colours[:3]):
        np.testing.assert_allclose(colour, np.asarray(Image.open(path)).mean((0, 1)), rtol=1e-5)
    assert colours[3] is None


def test_a_program_outside_the_tree_embeds_a_table(examples, photos, tmp_path):
    urls = [str(photos / name) for name in ("0.png", "1.png", "2.png", "bad.png", "missing.png")]
    table = pa.table({"sku": list("abcde"), "url": urls, "price": [1.0, 200.0, 3.0, 4.0, 5.0]})
    pq.write_table(table, tmp_path / "products.parquet")
    output = tmp_path / "vectors.parquet"
    done = run(examples / "embed_table", tmp_path / "products.parquet", output, MODEL, 100)
    assert done.stdout.splitlines() == [
        "sku: String", "hash: Binary[8]", "embedding: Embedding[Float32; 24]", "error: String", "4 rows, 0 failed", "2 vectors",
    ]  # fmt: skip
    rows = pq.read_table(output).to_pylist()
    assert [row["sku"] for row in rows] == ["a", "c", "d", "e"]
    assert [row["embedding"] is None for row in rows] == [False, False, True, True]
    assert [row["error"] and row["error"].split(":")[0] for row in rows] == [None, None, "decode/unknown_format", "read/not_found"]
    assert len(rows[0]["hash"]) == 8 and rows[2]["hash"] is None
    refused = run(examples / "embed_table", tmp_path / "products.parquet", output, MODEL, 100, code=2)
    assert "vectors.parquet" in refused.stderr


def test_the_installed_command_line_runs(prefix, photos, tmp_path):
    program = prefix / "bin" / "vecframe"
    assert run(program, "--version").stdout.startswith("vecframe ")
    run(program, "embed", photos, "-o", tmp_path / "out.parquet", "--model", MODEL)
    assert pq.read_table(tmp_path / "out.parquet").num_rows == 4
