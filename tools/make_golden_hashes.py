"""Writes tests/golden/hashes.json: perceptual hashes of pictures, by the library that defines them.

Run where imagehash 4.3 and Pillow 13 are installed (imagehash brings numpy, scipy and PyWavelets).
The pictures come from integers alone, so that the C++ tests make the same ones.

A case is [kind, channels, width, height, seed, {method with its options: hash in hex}].

Of crop_resistant, imagehash has another kind; here each tile of a grid of rows and columns, which
begin at i * length // segments, has its imagehash.phash, and a tile without a pixel has zeros.
"""

import importlib.metadata
import json
import pathlib
import random
import zlib

import imagehash
import numpy as np
from PIL import Image

MODES = {1: "L", 2: "LA", 3: "RGB", 4: "RGBA"}
KINDS = ["noise", "flat", "ramp", "mirror", "blocks", "bars"]
SIZES = [(1, 1), (1, 40), (40, 1), (2, 3), (7, 5), (9, 9), (33, 47), (64, 64), (100, 61), (150, 260)]
METHODS = {
    "phash": imagehash.phash,
    "phash_simple": imagehash.phash_simple,
    "dhash": imagehash.dhash,
    "dhash_vertical": imagehash.dhash_vertical,
    "ahash": imagehash.average_hash,
    "whash": imagehash.whash,
}
RANDOM_CASES = 240
TARGET = pathlib.Path(__file__).parent.parent / "tests" / "golden" / "hashes.json"


def picture(kind, channels, width, height, seed):
    """uint8 [height, width, channels]; tests/image/image_hash_test.cc makes the same."""
    y, x, c = np.meshgrid(
        np.arange(height), np.arange(width), np.arange(channels), indexing="ij", sparse=True
    )
    zero = np.zeros((height, width, channels), np.int64)
    if kind == "flat":
        values = zero + seed + 71 * c
    elif kind == "ramp":
        values = zero + x * 255 // width * (seed % 2) + y * 255 // height * (1 - seed % 2) + 40 * c
    elif kind == "mirror":
        x, y = np.minimum(x, width - 1 - x), np.minimum(y, height - 1 - y)
        values = zero + x * (seed % 13) + y * (seed % 7) + x * y * (1 + c) // 3
    elif kind == "blocks":
        values = zero + (x // 8 * 37 + y // 8 * 91 + c * 53) * seed
    elif kind == "bars":
        values = zero + x // (1 + seed % 5) % 2 * 255
    else:
        state = seed
        noise = np.empty(zero.size, np.int64)
        for i in range(zero.size):
            state = (state * 1103515245 + 12345) & 0x7FFFFFFF
            noise[i] = (state >> 16) & 255
        values = noise.reshape(zero.shape)
    return (values & 255).astype(np.uint8)


def packed(hashes):
    bits = np.concatenate([np.asarray(one).reshape(-1) for one in hashes])
    return np.packbits(bits.astype(bool)).tobytes().hex()


def crop_resistant(image, hash_size, segments):
    columns = [i * image.width // segments for i in range(segments + 1)]
    rows = [i * image.height // segments for i in range(segments + 1)]
    hashes = []
    for top, bottom in zip(rows, rows[1:]):
        for left, right in zip(columns, columns[1:]):
            if left == right or top == bottom:
                hashes.append(np.zeros(hash_size * hash_size, bool))
            else:
                tile = image.crop((left, top, right, bottom))
                hashes.append(imagehash.phash(tile, hash_size).hash)
    return packed(hashes)


def hashes(pixels, sizes, binbits, grids):
    image = Image.fromarray(pixels[:, :, 0] if pixels.shape[2] == 1 else pixels)
    assert image.mode == MODES[pixels.shape[2]]
    result = {}
    for size in sizes:
        for name, function in METHODS.items():
            if name != "whash" or size & (size - 1) == 0:
                result[f"{name} {size}"] = packed([function(image, size).hash])
    for bits in binbits:
        result[f"colorhash {bits}"] = packed([imagehash.colorhash(image.convert("RGB"), bits).hash])
    for size, segments in grids:
        result[f"crop_resistant {size} {segments}"] = crop_resistant(image, size, segments)
    return result


def main():
    cases = []
    for kind in KINDS:
        for i, (width, height) in enumerate(SIZES):
            recipe = (kind, 1 + i % 4, width, height, 5 + 3 * i)
            sizes = [8, [2, 3, 4, 5, 6, 9, 12, 15, 16, 32][i]]
            grids = [(8, 3)] if i % 2 == 0 else [(3, 2)]
            cases.append([*recipe, hashes(picture(*recipe), sizes, [3, 1 + i], grids)])
    chance = random.Random(7)
    for _ in range(RANDOM_CASES):
        recipe = (
            chance.choice(KINDS),
            chance.choice([1, 3, 3, 4]),
            chance.randint(1, 90),
            chance.randint(1, 90),
            chance.randint(1, 250),
        )
        found = hashes(picture(*recipe), [8], [3], [(8, 3)])
        # Short, for there are many: the CRC-32 of all hashes, one after another.
        whole = "".join(found.values()).encode()
        cases.append([*recipe, {"all": f"{zlib.crc32(whole):08x}"}])
    libraries = ["imagehash", "pillow", "scipy", "PyWavelets", "numpy"]
    versions = {name: importlib.metadata.version(name) for name in libraries}
    lines = ",\n".join(json.dumps(case) for case in cases)
    TARGET.write_text(f'{{"made_with": {json.dumps(versions)},\n"cases": [\n{lines}\n]}}\n')


if __name__ == "__main__":
    main()
