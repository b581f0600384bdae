#!/usr/bin/env python3
"""Writes what the reference dataframe (daft) makes of expressions of pictures, for tests/compat.

    tests/compat/make_environment.sh && build/compat/bin/python tools/make_compat_goldens.py

The output holds signatures of functions, the types that expressions have, checksums of what they compute, the
pictures that it decodes, texts of errors, and the schema and vectors of its documented embed_image chain on the tiny
CLIP of tests/golden/models/clip.
"""

import argparse
import inspect
import io
import json
import pathlib
import re
import subprocess
import sys
import tempfile
import zlib

import daft
import daft.functions
import numpy as np
import torch
import transformers
from PIL import Image

ROOT = pathlib.Path(__file__).resolve().parents[1]
COMPAT = ROOT / "tests" / "compat"
sys.path.insert(0, str(COMPAT))
import expressions  # noqa: E402

MODEL = ROOT / "tests" / "golden" / "models" / "clip"
FUNCTIONS = [
    "download", "decode_image", "convert_image", "resize", "crop", "encode_image", "image_to_tensor", "image_attribute",
    "image_width", "image_height", "image_channel", "image_mode", "image_hash", "embed_image",
]  # fmt: skip
LOSSY = ("JPEG", "WEBP")


def encoded_rows():
    rows = []
    for row in expressions.ROWS:
        if row is None:
            rows.append(None)
            continue
        pixels = expressions.gradient(*row)
        file = io.BytesIO()
        Image.fromarray(pixels[..., 0] if row[0] == 1 else pixels).save(file, "PNG")
        rows.append(file.getvalue())
    return rows


def signatures():
    """Parameters and defaults; those that vecframe leaves out by design are named in the test."""
    found = {}
    for name in FUNCTIONS:
        parameters = inspect.signature(getattr(daft.functions, name)).parameters.values()
        found[name] = [
            [p.name, p.kind.name, None if p.default is inspect.Parameter.empty else str(p.default)] for p in parameters
        ]
    methods = [name for name in FUNCTIONS if hasattr(daft.Expression, name)]
    return {"functions": found, "methods": methods}


def one(expression, data):
    return daft.from_pydict({"b": [data]}).select(expression.alias("x")).to_pydict()["x"][0]


def decoded():
    """Of each small picture: what decode_image gives by default and with mode=None; pixels, where it is lossy."""
    entries = {}
    for name, data in expressions.files().items():
        entry = {}
        try:
            rgb = one(daft.functions.decode_image(daft.col("b")), data)
        except Exception as error:  # noqa: BLE001
            entries[name] = {"error": str(error).splitlines()[0]}
            continue
        entry["shape"], entry["crc32"] = list(rgb.shape), zlib.crc32(np.ascontiguousarray(rgb).tobytes())
        if Image.open(io.BytesIO(data)).format in LOSSY or "jpeg" in name:
            entry["pixels"] = rgb.tobytes().hex()
        try:
            own = one(daft.functions.decode_image(daft.col("b"), mode=None), data)
            entry["channels"], entry["own_crc32"] = own.shape[2], zlib.crc32(np.ascontiguousarray(own).tobytes())
        except Exception as error:  # noqa: BLE001
            entry["own_error"] = re.sub(r"task \d+ ", "", str(error).splitlines()[0])
        entries[name] = entry
    return entries


def errors():
    """Texts of wrong requests and bad rows, first lines."""
    F, col = daft.functions, daft.col
    df = daft.from_pydict({"b": [b"no picture"], "n": [1], "s": ["x"]})
    image = F.decode_image(col("b"))
    calls = {
        "decode": lambda: df.select(image).collect(),
        "on_error": lambda: df.select(F.decode_image(col("b"), on_error="ignore")).collect(),
        "decode_type": lambda: df.select(F.decode_image(col("n"))),
        "bbox": lambda: F.crop(col("i"), (1, 2, 3)),
        "mode": lambda: F.convert_image(col("i"), "CMYK"),
        "format": lambda: F.encode_image(col("i"), "heic"),
        "attribute": lambda: F.image_attribute(col("i"), "depth"),
        "whash": lambda: df.select(F.image_hash(image, method="whash", hash_size=6)),
        "provider": lambda: F.embed_image(image, provider="nope"),
        "len": lambda: len(df.where(col("n") > 0)),
    }
    texts = {}
    for name, call in calls.items():
        try:
            call()
        except Exception as error:  # noqa: BLE001
            texts[name] = str(error)
        else:
            raise SystemExit(f"{name}: no error")
    return texts


def chain(folder):
    """The four pictures of the chain, and what the reference makes of them."""
    pixels = expressions.gradient(3, 61, 47, 5)
    contents = {}
    for i, (suffix, options) in enumerate(
        [("png", {}), ("jpg", {"quality": 92}), ("tiff", {}), ("webp", {"quality": 92})]
    ):
        file = io.BytesIO()
        turned = np.ascontiguousarray(np.roll(pixels, 7 * i, axis=1))
        Image.fromarray(turned).save(file, {"jpg": "JPEG"}.get(suffix, suffix.upper()), **options)
        contents[f"{i}.{suffix}"] = file.getvalue()
        (folder / f"{i}.{suffix}").write_bytes(file.getvalue())
    output = folder.parent / "chain.json"
    subprocess.run([sys.executable, COMPAT / "documented_chain.py", folder, MODEL, output], check=True)
    return {"pictures": {name: data.hex() for name, data in contents.items()}, **json.loads(output.read_text())}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=pathlib.Path, default=COMPAT / "goldens.json")
    out = parser.parse_args().out
    daft.set_runner_native()
    encoded = encoded_rows()
    types, values = expressions.computed(daft, encoded)
    with tempfile.TemporaryDirectory() as temporary:
        folder = pathlib.Path(temporary) / "pictures"
        folder.mkdir()
        documented = chain(folder)
    parts = {
        "made_by": f"daft {daft.__version__}, transformers {transformers.__version__}, torch {torch.__version__}",
        "signatures": signatures(),
        "rows": [None if data is None else data.hex() for data in encoded],
        "types": types,
        "values": values,
        "decoded": decoded(),
        "errors": errors(),
        "chain": documented,
    }
    lines = ",\n".join(f"{json.dumps(key)}: {json.dumps(value, sort_keys=True)}" for key, value in parts.items())
    out.write_text("{" + lines + "}\n")


if __name__ == "__main__":
    main()
