"""Loading a large model: its weights are in memory once, packed, however many threads share them."""

import json
import os
import struct

import numpy
import pytest
from PIL import Image

MIB = 1 << 20
# VECFRAME_SLOW_TESTS=1: 22 blocks of width 1280, 1.7 GB of float32. Otherwise two of them.
SLOW = os.environ.get("VECFRAME_SLOW_TESTS") == "1"
WIDTH, BLOCKS, PATCH, SIDE = 1280, 22 if SLOW else 2, 16, 64
BUDGET = 512 * MIB


def tensors():
    """Names and shapes of a ViT, as transformers stores it."""
    yield "embeddings.cls_token", (1, 1, WIDTH)
    yield "embeddings.position_embeddings", (1, 1 + (SIDE // PATCH) ** 2, WIDTH)
    yield "embeddings.patch_embeddings.projection.weight", (WIDTH, 3, PATCH, PATCH)
    yield "embeddings.patch_embeddings.projection.bias", (WIDTH,)
    for block in range(BLOCKS):
        for name, out, into in (
            ("attention.attention.query", WIDTH, WIDTH),
            ("attention.attention.key", WIDTH, WIDTH),
            ("attention.attention.value", WIDTH, WIDTH),
            ("attention.output.dense", WIDTH, WIDTH),
            ("intermediate.dense", 4 * WIDTH, WIDTH),
            ("output.dense", WIDTH, 4 * WIDTH),
        ):
            yield f"encoder.layer.{block}.{name}.weight", (out, into)
            yield f"encoder.layer.{block}.{name}.bias", (out,)
        for norm in ("layernorm_before", "layernorm_after"):
            yield f"encoder.layer.{block}.{norm}.weight", (WIDTH,)
            yield f"encoder.layer.{block}.{norm}.bias", (WIDTH,)
    yield "layernorm.weight", (WIDTH,)
    yield "layernorm.bias", (WIDTH,)


def write_safetensors(path):
    header, offset = {}, 0
    for name, shape in tensors():
        size = 4 * int(numpy.prod(shape))
        header[name] = {"dtype": "F32", "shape": shape, "data_offsets": [offset, offset + size]}
        offset += size
    text = json.dumps(header).encode()
    noise = (numpy.random.default_rng(1).standard_normal(1 << 22, dtype=numpy.float32) * 0.02).tobytes()
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text)
        left = offset
        while left > 0:
            file.write(noise[: min(left, len(noise))])
            left -= len(noise)
    return offset


@pytest.fixture(scope="module")
def large_model(tmp_path_factory):
    folder = tmp_path_factory.mktemp("model")
    (folder / "config.json").write_text(json.dumps({
        "model_type": "vit", "hidden_size": WIDTH, "num_hidden_layers": BLOCKS, "num_attention_heads": 20,
        "intermediate_size": 4 * WIDTH, "image_size": SIDE, "patch_size": PATCH}))
    (folder / "preprocessor_config.json").write_text(json.dumps({
        "image_processor_type": "ViTImageProcessor", "size": {"height": SIDE, "width": SIDE}}))
    yield folder, write_safetensors(folder / "model.safetensors")
    (folder / "model.safetensors").unlink()


@pytest.mark.parametrize(("precision", "share"), [("fp32", 1.0), ("bf16", 0.5)])
def test_weights_are_in_memory_once(vecframe, large_model, tmp_path, precision, share):
    folder, stored = large_model
    for i in range(4):
        Image.new("RGB", (80, 80), (i * 40, 10, 200)).save(tmp_path / f"{i}.png")
    done = vecframe("embed", tmp_path, "-o", tmp_path / "o.parquet", "--model", folder, "--precision", precision,
                    "--threads", "4", "--memory-limit", str(BUDGET), "--json")
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert report["failed"] == 0
    memory = report["memory"]
    assert abs(memory["weights"] / (stored * share) - 1) < 0.01
    peak = memory["process_peak"]
    print(f"{precision}: stored {stored / MIB:.0f} MiB, packed {memory['weights'] / MIB:.0f} MiB, "
          f"loaded in {report['load_seconds']:.1f} s, peak {peak / MIB:.0f} MiB")
    assert peak <= memory["weights"] + BUDGET + 64 * MIB
    # Twice the weights would not fit: neither a copy for each thread nor the file's pages stay.
    if SLOW:
        assert peak <= 1.5 * memory["weights"]
