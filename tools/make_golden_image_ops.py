"""Writes tests/golden/image_ops.json: what the reference dataframe and Pillow make of pictures.

Run where daft, Pillow >= 13 and numpy are installed. The pictures come from a generator of a line,
so that the C++ tests make the same ones; results are kept as CRC-32 of their pixels.

  resize   [channels, width, height, seed, new width, new height, CRC-32]          by daft
  crop     [channels, width, height, seed, x, y, w, h, width, height, CRC-32]      by daft
  convert  [from, to, width, height, seed, CRC-32 by daft, by Pillow]              LA is 2, and so on
  luma     [red, green, blue, L by daft, L by Pillow]
  sizes    [width, height, wanted width, wanted height, inside..., around...]      by Pillow
  fit      [channels, width, height, seed, wanted width, wanted height, fit, filter, CRC-32]
           by Pillow's ImageOps channel by channel, but bilinear by daft
  jpeg     [channels, width, height, bytes, mean absolute error]                   by daft, of a smooth picture
"""

import io
import json
import logging
import pathlib
import random
import zlib

import daft
import numpy as np
import PIL
from daft.functions import convert_image, crop, encode_image, resize
from PIL import Image, ImageOps

FILTERS = {"nearest": 0, "lanczos": 1, "bilinear": 2, "bicubic": 3, "box": 4}
MODES = {1: "L", 2: "LA", 3: "RGB", 4: "RGBA"}
TARGET = pathlib.Path(__file__).parent.parent / "tests" / "golden" / "image_ops.json"


def picture(channels, width, height, seed):
    """uint8 [height, width, channels]."""
    values = bytearray(channels * width * height)
    state = seed
    for i in range(len(values)):
        state = (state * 1103515245 + 12345) & 0x7FFFFFFF
        values[i] = (state >> 16) & 255
    return np.frombuffer(bytes(values), np.uint8).reshape(height, width, channels)


def smooth_picture(channels, width, height):
    """Waves of integers, which the C++ test computes too."""
    x, y, c = np.meshgrid(
        np.arange(width), np.arange(height), np.arange(channels), indexing="xy"
    )
    wave = (x * (c + 2) + y * (5 - c)) % 510
    return np.abs(wave - 255).astype(np.uint8)


def to_pillow(pixels):
    pixels = np.ascontiguousarray(pixels)
    return Image.fromarray(pixels[:, :, 0] if pixels.shape[2] == 1 else pixels)


def three_axes(pixels):
    pixels = np.asarray(pixels)
    return pixels[:, :, None] if pixels.ndim == 2 else pixels


def by_daft(pixels, expression):
    column = daft.from_pydict({"i": [to_pillow(pixels)]}).select(
        expression(daft.col("i")).alias("o")
    )
    return column.to_pydict()["o"][0]


def resize_by_daft(pixels, size):
    return three_axes(by_daft(pixels, lambda i: resize(i, *size)))


def checksum(pixels):
    return zlib.crc32(np.ascontiguousarray(pixels).tobytes())


def planes_by_pillow(pixels, operation):
    planes = [
        np.asarray(operation(to_pillow(plane[:, :, None])))
        for plane in np.moveaxis(pixels, 2, 0)
    ]
    return np.stack(planes, axis=2)


def sides(rng, largest_bits=7):
    return tuple(rng.randint(1, 1 << rng.randint(1, largest_bits)) for _ in range(2))


def resize_cases(rng):
    shapes = [
        (3, 11, 7, 10, 3),
        (3, 11, 7, 16, 9),
        (3, 1, 1, 1, 1),
        (3, 1, 1, 224, 3),
        (3, 1, 90, 7, 7),
    ]
    shapes += [
        (3, 90, 1, 7, 7),
        (3, 3000, 2, 5, 5),
        (3, 2, 3000, 5, 5),
        (3, 3000, 3, 1, 1),
        (1, 3, 4000, 2, 1),
    ]
    shapes += [
        (3, 500, 37, 224, 224),
        (3, 37, 500, 224, 224),
        (3, 64, 48, 64, 20),
        (3, 64, 48, 20, 48),
    ]
    shapes += [
        (3, 64, 48, 64, 48),
        (3, 640, 480, 224, 224),
        (4, 512, 512, 224, 224),
        (1, 640, 427, 32, 32),
    ]
    shapes += [
        (2, 300, 200, 99, 77),
        (3, 7, 7, 256, 255),
        (3, 40000, 2, 3, 3),
        (4, 20, 20, 100, 100),
    ]
    shapes += [(rng.randint(1, 4), *sides(rng), *sides(rng)) for _ in range(160)]
    for channels, width, height, *size in shapes:
        seed = rng.randrange(1 << 31)
        result = resize_by_daft(picture(channels, width, height, seed), size)
        assert result.shape == (size[1], size[0], channels)
        yield [channels, width, height, seed, *size, checksum(result)]


def crop_cases(rng):
    boxes = [
        (0, 0, 7, 5),
        (1, 2, 3, 2),
        (5, 3, 4, 4),
        (7, 0, 3, 3),
        (0, 5, 3, 3),
        (100, 100, 3, 3),
        (0, 0, 0, 0),
    ]
    boxes += [
        (2, 2, 0, 2),
        (2, 2, 2, 0),
        (0, 0, 100, 100),
        (6, 4, 1, 1),
        (6, 4, 2**32 - 1, 2**32 - 1),
    ]
    boxes += [(2**32 - 1, 2, 2**32 - 1, 2), (3, 2**32 - 1, 1, 1)]
    boxes += [
        (rng.randint(0, 8), rng.randint(0, 6), rng.randint(0, 9), rng.randint(0, 7))
        for _ in range(24)
    ]
    for index, box in enumerate(boxes):
        channels, seed = index % 4 + 1, rng.randrange(1 << 31)
        result = by_daft(picture(channels, 7, 5, seed), lambda i, box=box: crop(i, box))
        result = (
            np.zeros((0, 0, channels), np.uint8)
            if result is None
            else three_axes(result)
        )
        yield [
            channels,
            7,
            5,
            seed,
            *box,
            result.shape[1],
            result.shape[0],
            checksum(result),
        ]


def convert_cases(rng):
    for source in MODES:
        for target, name in MODES.items():
            seed = rng.randrange(1 << 31)
            pixels = picture(source, 61, 47, seed)
            reference = three_axes(
                by_daft(pixels, lambda i, name=name: convert_image(i, name))
            )
            pillow = three_axes(to_pillow(pixels).convert(name))
            yield [source, target, 61, 47, seed, checksum(reference), checksum(pillow)]


def luma_cases():
    levels = (0, 1, 63, 128, 200, 254, 255)
    colours = np.array(
        [[(r, g, b) for r in levels for g in levels for b in levels]], np.uint8
    )
    reference = by_daft(colours, lambda i: convert_image(i, "L"))
    pillow = np.asarray(to_pillow(colours).convert("L"))
    rows = zip(colours[0], np.asarray(reference).reshape(-1), pillow[0], strict=True)
    yield from ([*map(int, colour), int(a), int(b)] for colour, a, b in rows)


def pillow_sizes(size, wanted):
    blank = Image.new("L", size)
    inside = ImageOps.contain(blank, wanted, Image.Resampling.NEAREST)
    return inside.size, ImageOps.cover(blank, wanted, Image.Resampling.NEAREST).size


def size_cases(rng):
    pairs = [
        ((1, 1), (5, 3)),
        ((3, 2), (9, 6)),
        ((640, 480), (224, 224)),
        ((480, 640), (224, 224)),
        ((7, 7), (1, 1)),
    ]
    pairs += [
        ((3, 2), (5, 5)),
        ((2, 3), (5, 5)),
        ((1, 4), (2, 2)),
        ((4, 1), (2, 2)),
        ((5, 2), (5, 3)),
    ]
    pairs += [(sides(rng), sides(rng)) for _ in range(150)]
    for size, wanted in pairs:
        inside, around = pillow_sizes(size, wanted)
        if (
            min(inside) > 0
        ):  # where Pillow makes an empty picture, we make one of one pixel
            yield [*size, *wanted, *inside, *around]


def fit_by_pillow(pixels, wanted, fit, name):
    inside, around = pillow_sizes((pixels.shape[1], pixels.shape[0]), wanted)
    size = {"fill": wanted, "contain": inside, "inside": inside, "cover": around}[fit]
    if name == "bilinear":
        scaled = resize_by_daft(pixels, size)
    else:
        scaled = planes_by_pillow(
            pixels, lambda plane: plane.resize(size, FILTERS[name])
        )
    if fit == "contain":
        same = lambda plane: ImageOps.pad(plane, wanted, Image.Resampling.NEAREST)
        return planes_by_pillow(scaled, same)
    if fit == "cover":
        left, top = (size[0] - wanted[0]) // 2, (size[1] - wanted[1]) // 2
        return scaled[top : top + wanted[1], left : left + wanted[0]]
    return scaled


def fit_cases(rng):
    shapes = [
        ((64, 48), (32, 32)),
        ((48, 64), (32, 32)),
        ((20, 20), (33, 47)),
        ((1, 1), (6, 9)),
        ((1, 12), (5, 4)),
    ]
    shapes += [(sides(rng, 6), sides(rng, 6)) for _ in range(7)]
    for index, (size, wanted) in enumerate(shapes):
        channels, seed = index % 4 + 1, rng.randrange(1 << 31)
        pixels = picture(channels, *size, seed)
        if min(pillow_sizes(size, wanted)[0]) == 0:
            continue
        for fit in ("fill", "contain", "cover", "inside"):
            for name in FILTERS:
                result = fit_by_pillow(pixels, wanted, fit, name)
                yield [channels, *size, seed, *wanted, fit, name, checksum(result)]


def jpeg_cases():
    for channels in (1, 3):
        for size in ((67, 61), (160, 120)):
            pixels = smooth_picture(channels, *size)
            encoded = by_daft(pixels, lambda i: encode_image(i, "JPEG"))
            decoded = three_axes(Image.open(io.BytesIO(encoded)))
            error = np.abs(decoded.astype(int) - pixels).mean()
            yield [channels, *size, len(encoded), round(float(error), 4)]


def main():
    assert int(PIL.__version__.split(".")[0]) >= 13, PIL.__version__
    logging.disable(logging.WARNING)
    daft.set_runner_native()
    rng = random.Random(20260102)
    sections = {
        "resize": resize_cases(rng),
        "crop": crop_cases(rng),
        "convert": convert_cases(rng),
        "luma": luma_cases(),
        "sizes": size_cases(rng),
        "fit": fit_cases(rng),
        "jpeg": jpeg_cases(),
    }
    made_by = json.dumps(f"daft {daft.__version__}, Pillow {PIL.__version__}")
    parts = [f'"made_by": {made_by}']
    for name, cases in sections.items():
        lines = ",\n".join(json.dumps(case, separators=(",", ":")) for case in cases)
        parts.append(f'"{name}": [\n{lines}\n]')
    TARGET.write_text("{" + ",\n".join(parts) + "}\n")


if __name__ == "__main__":
    main()
