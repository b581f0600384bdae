"""Expressions that both dataframes must type and compute alike; `library` is daft or vecframe."""

import json
import pathlib
import zlib

import numpy as np

ROOT = pathlib.Path(__file__).resolve().parents[2]
#: Small pictures of every format and mode, as tools/make_decode_goldens.py keeps them.
PICTURES = ROOT / "tests" / "golden" / "decode" / "small.json"


def files():
    """Bytes of the small pictures that decode, by name; without those that are cut off or broken."""
    entries = json.loads(PICTURES.read_text())
    return {
        name: bytes.fromhex(entry["bytes"])
        for name, entry in sorted(entries.items())
        if isinstance(entry, dict) and entry.get("decodes") and "bytes" in entry
    }


def gradient(channels, width, height, seed):
    """A picture in integer arithmetic: the same everywhere."""
    y, x, c = np.mgrid[0:height, 0:width, 0:channels]
    return ((x * (3 + seed) + y * (5 + 2 * seed) + c * 31 + (x * y) // (2 + seed)) % 256).astype(np.uint8)


#: (channels, width, height, seed) of the rows; None is a null.
ROWS = [(1, 9, 7, 1), (2, 12, 5, 2), (3, 16, 16, 3), (4, 5, 11, 4), None]
BOXES = [[1, 1, 3, 3], [0, 0, 100, 100], None, [4, 10, 1, 1], [0, 0, 1, 1]]


def frame(library, encoded):
    """Columns `bytes`, `box`, `i` (RGB), `m` (mixed) and `f` (of one size)."""
    from importlib import import_module

    functions = import_module(f"{library.__name__}.functions")
    df = library.from_pydict({"bytes": encoded, "box": BOXES})
    col = library.col
    df = df.with_column("i", functions.decode_image(col("bytes")))
    df = df.with_column("m", functions.decode_image(col("bytes"), mode=None))
    return df.with_column("f", functions.resize(col("i"), 8, 6)), functions


def expressions(library, functions):
    """By name. As functions, and as methods of the same names."""
    F, col = functions, library.col
    made = {
        "convert_L": F.convert_image(col("m"), "L"),
        "convert_RGBA": F.convert_image(col("i"), "RGBA"),
        "convert_fixed": F.convert_image(col("f"), "L"),
        "convert_member": F.convert_image(col("m"), library.ImageMode.RGB),
        "resize": F.resize(col("i"), 13, 4),
        "resize_mixed": F.resize(col("m"), 13, 4),
        "resize_fixed": F.resize(col("f"), 3, 5),
        "crop": F.crop(col("i"), (1, 2, 4, 3)),
        "crop_mixed": F.crop(col("m"), (1, 2, 4, 3)),
        "crop_fixed": F.crop(col("f"), (1, 2, 4, 3)),
        "crop_column": F.crop(col("i"), col("box")),
        "crop_outside": F.crop(col("i"), (1000, 0, 2, 2)),
        "tensor": F.image_to_tensor(col("i")),
        "tensor_mixed": F.image_to_tensor(col("m")),
        "tensor_fixed": F.image_to_tensor(col("f")),
        "encode_png": F.encode_image(col("i"), "png"),
        "encode_jpeg": F.encode_image(col("i"), "JPEG"),
        "width": F.image_width(col("m")),
        "height": F.image_height(col("m")),
        "channel": F.image_channel(col("m")),
        "mode": F.image_mode(col("m")),
        "attribute": F.image_attribute(col("m"), "height"),
        "width_fixed": F.image_width(col("f")),
        "hash": F.image_hash(col("i")),
        "hash_16": F.image_hash(col("i"), method="dhash", hash_size=16),
        "hash_color": F.image_hash(col("i"), method="colorhash"),
        "hash_crop": F.image_hash(col("i"), method="crop_resistant"),
    }
    methods = {
        "method_convert": col("m").convert_image("RGB"),
        "method_chain": col("bytes").decode_image().convert_image("RGB").resize(6, 4),
        "method_crop": col("i").crop((0, 1, 2, 3)),
        "method_encode": col("i").encode_image("bmp"),
        "method_tensor": col("i").image_to_tensor(),
        "method_attribute": col("i").image_attribute("channel"),
        "method_width": col("i").image_width(),
        "method_hash": col("i").image_hash(method="whash"),
    }
    return made | methods


#: Whose bytes are the encoder's own.
ENCODED = {"encode_png", "encode_jpeg", "method_encode"}


def digest(value):
    """A value in few bytes: arrays and byte strings by shape and checksum."""
    if isinstance(value, np.ndarray):
        return [list(value.shape), zlib.crc32(np.ascontiguousarray(value).tobytes())]
    return value.hex() if isinstance(value, bytes) else value


def computed(library, encoded):
    """Types of all expressions, and digests of the values of those whose values are not an encoder's own."""
    df, functions = frame(library, encoded)
    made = expressions(library, functions)
    df = df.with_columns(made)
    names = {"bytes", "box", "i", "m", "f"} | set(made)
    types = {field.name: str(field.dtype) for field in df.schema() if field.name in names}
    rows = df.select(*[name for name in made if name not in ENCODED], "i", "m", "f").to_pydict()
    return types, {name: [digest(value) for value in values] for name, values in rows.items()}
