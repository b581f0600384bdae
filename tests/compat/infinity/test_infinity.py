"""Provider "openai" against a real server, infinity with a tiny random CLIP; skipped, loudly, without its environment.

    tests/compat/infinity/make_environment.sh && .venv/bin/python -m pytest tests/compat/infinity
"""

import json
import os
import pathlib
import shutil
import socket
import subprocess
import time
import urllib.request

import numpy as np
import pytest
import vecframe as vf
from vecframe import col
from vecframe.functions import decode_image, embed_image, embed_text

ROOT = pathlib.Path(__file__).resolve().parents[3]
PYTHON = pathlib.Path(os.environ.get("VECFRAME_INFINITY", ROOT / "build" / "infinity")) / "bin" / "python"
START_S = 180

pytestmark = pytest.mark.skipif(
    not PYTHON.exists(), reason=f"no infinity at {PYTHON}: tests/compat/infinity/make_environment.sh makes it"
)


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    """A CLIP of random weights with both towers and a tokenizer."""
    folder = tmp_path_factory.mktemp("models") / "tiny-clip"
    shutil.copytree(ROOT / "tests" / "golden" / "texts" / "clip_text", folder)
    processor = json.loads((ROOT / "tests" / "golden" / "models" / "clip" / "preprocessor_config.json").read_text())
    processor |= {"size": {"shortest_edge": 8}, "crop_size": {"height": 8, "width": 8}}
    (folder / "preprocessor_config.json").write_text(json.dumps(processor))
    return folder


@pytest.fixture(scope="module")
def base_url(model, tmp_path_factory):
    """The server, for as long as the tests of this file."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    log = (tmp_path_factory.mktemp("log") / "infinity.txt").open("w+")
    environment = os.environ | {"HF_HUB_OFFLINE": "1", "INFINITY_ANONYMOUS_USAGE_STATS": "0", "DO_NOT_TRACK": "1"}
    command = [PYTHON.parent / "infinity_emb", "v2", "--model-id", model, "--served-model-name", "tiny-clip",
               "--engine", "torch", "--device", "cpu", "--dtype", "float32", "--no-bettertransformer",
               "--no-model-warmup", "--host", "127.0.0.1", "--port", str(port), "--url-prefix", "/v1"]
    process = subprocess.Popen(list(map(str, command)), env=environment, stdout=log, stderr=subprocess.STDOUT)
    url = f"http://127.0.0.1:{port}/v1"
    try:
        for _ in range(START_S):
            try:
                urllib.request.urlopen(url + "/models", timeout=5).close()
                break
            except OSError:
                if process.poll() is not None:
                    break
                time.sleep(1)
        else:
            process.kill()
        if process.poll() is not None:
            log.seek(0)
            pytest.fail("infinity does not start:\n" + log.read()[-4000:])
        yield url
    finally:
        process.terminate()
        process.wait(30)
        log.close()


def png(seed, size=(8, 8)):  # the size of the model: resamplers of different versions stay out of it
    from io import BytesIO

    from PIL import Image

    pixels = np.random.default_rng(seed).integers(0, 256, (*size, 3), dtype=np.uint8)
    out = BytesIO()
    Image.fromarray(pixels).save(out, "png")
    return out.getvalue()


def unit(vectors):
    vectors = np.array(vectors, dtype=np.float32)
    return vectors / np.linalg.norm(vectors, axis=-1, keepdims=True)


def test_pictures_have_the_vectors_that_this_library_computes(base_url, model):
    df = vf.from_pydict({"data": [png(i) for i in range(70)]}).with_column("image", decode_image(col("data")))
    remote = embed_image(col("image"), provider="openai", model="tiny-clip", base_url=base_url, api="infinity")
    local = embed_image(col("image"), provider="transformers", model=str(model))
    table = df.with_column("remote", remote).with_column("local", local).select("remote", "local").to_arrow()
    difference = np.abs(unit(table["remote"].to_pylist()) - unit(table["local"].to_pylist())).max()
    print(f"largest difference {difference:.2e}")
    assert difference < 1e-4


def test_texts_have_the_vectors_that_this_library_computes(base_url, model):
    df = vf.from_pydict({"text": ["a cat", "two dogs", "a red car", ""] * 3})
    remote = embed_text(col("text"), provider="openai", model="tiny-clip", base_url=base_url, api="infinity")
    local = embed_text(col("text"), provider="transformers", model=str(model))
    table = df.with_column("remote", remote).with_column("local", local).to_arrow()
    assert np.abs(unit(table["remote"].to_pylist()) - unit(table["local"].to_pylist())).max() < 1e-4


def test_a_picture_that_the_server_refuses_is_one_row(base_url):
    pictures = [png(i) for i in range(20)]
    pictures[7] = png(7, size=(2, 2))  # the server wants 3 x 3 pixels
    df = vf.from_pydict({"data": pictures}).with_column("image", decode_image(col("data")))
    remote = embed_image(col("image"), provider="openai", model="tiny-clip", base_url=base_url, api="infinity",
                         on_error="ignore", error_column="why")
    rows = df.with_column("e", remote).select("e", "why").to_arrow().to_pylist()
    assert [i for i, row in enumerate(rows) if row["e"] is None] == [7]
    assert "the server answers 400" in rows[7]["why"]
