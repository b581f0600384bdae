#!/usr/bin/env python3
"""Writes what Pillow 13 makes of pictures, for tests/image/decode_*_test.cc.

    tools/make_decode_goldens.py --corpus <decode-corpus> --output tests/golden/decode

corpus.json: for every file of a corpus that is not part of the repository, Pillow's verdict, and of the
    pictures it decodes size, mode, orientation, and a checksum of the RGB pixels turned upright. Of lossy
    pictures also the sums over a grid of 4x4 cells, because two builds of a decoder may differ by a little.
small.json: small pictures of every format, mode and orientation, with their bytes, the same facts, and the
    lengths at which Pillow decodes them although they are cut off.
"""

import argparse
import hashlib
import io
import json
import logging
import pathlib
import warnings
import zlib

import numpy as np
import PIL
from PIL import Image, ImageOps

FORMATS = {"JPEG": "jpeg", "MPO": "jpeg", "PNG": "png", "WEBP": "webp", "GIF": "gif", "BMP": "bmp", "TIFF": "tiff"}
GRID = 4


def upright_rgb(data):
    """Format, mode, EXIF orientation and upright RGB pixels; raises whatever Pillow raises."""
    picture = Image.open(io.BytesIO(data))
    picture_format, mode = picture.format, picture.mode
    # Loading a TIFF turns it, and forgets the tag.
    orientation = picture.tag_v2.get(274, 1) if picture_format == "TIFF" else None
    picture.load()
    if orientation is None:
        orientation = picture.getexif().get(274, 1)
        picture = ImageOps.exif_transpose(picture)
    if orientation not in range(1, 9):
        orientation = 1
    return picture_format, mode, orientation, np.asarray(picture.convert("RGB"))


def cell_sums(pixels):
    height, width, _ = pixels.shape
    rows = [height * i // GRID for i in range(GRID + 1)]
    columns = [width * i // GRID for i in range(GRID + 1)]
    return [
        int(pixels[rows[i] : rows[i + 1], columns[j] : columns[j + 1], c].astype(np.int64).sum())
        for i in range(GRID)
        for j in range(GRID)
        for c in range(3)
    ]


def facts(data, lossy):
    """`lossy(format)` says whether the cells are wanted."""
    entry = {"crc32": zlib.crc32(data)}
    try:
        picture_format, mode, orientation, pixels = upright_rgb(data)
    except Exception as error:  # noqa: BLE001 - the verdict is what is asked for
        return entry | {"decodes": False, "why": type(error).__name__}
    if picture_format not in FORMATS:
        return entry | {"decodes": False, "why": "another format"}
    entry |= {
        "decodes": True,
        "format": FORMATS[picture_format],
        "size": [pixels.shape[1], pixels.shape[0]],
        "mode": mode,
        "orientation": orientation,
        "rgb_crc32": zlib.crc32(pixels.tobytes()),
    }
    if lossy(entry["format"]):
        entry["cells"] = cell_sums(pixels)
    return entry


def decodes(data):
    try:
        upright_rgb(data)
        return True
    except Exception:  # noqa: BLE001
        return False


def wave(height, width, channels, seed):
    """A smooth picture with some noise, so that every predictor and filter is used."""
    noise = np.random.default_rng(seed).integers(0, 24, (height, width, channels))
    y, x = np.mgrid[0:height, 0:width][..., None]
    return ((x * 9 + y * 5 + np.arange(channels) * 70 + noise) % 256).astype(np.uint8)


def encode(picture, picture_format, **options):
    buffer = io.BytesIO()
    picture.save(buffer, picture_format, **options)
    return buffer.getvalue()


def small_pictures():
    for width, height in [(1, 1), (3, 2), (17, 13)]:
        rgba = Image.fromarray(wave(height, width, 4, seed=width))
        rgb, gray, gray_alpha = rgba.convert("RGB"), rgba.convert("L"), rgba.convert("LA")
        palette = rgb.quantize(9)
        bits, cmyk = gray.convert("1"), rgb.convert("CMYK")
        deep = Image.fromarray(np.asarray(gray).astype(np.uint16) * 3)
        size = f"{width}x{height}"
        for name, picture in [("gray", gray), ("rgb", rgb), ("cmyk", cmyk)]:
            yield f"{name}-{size}.jpg", encode(picture, "JPEG", quality=80)
        yield f"rgb-444-{size}.jpg", encode(rgb, "JPEG", subsampling=0)
        yield f"rgb-422-restart-{size}.jpg", encode(rgb, "JPEG", subsampling=1, restart_marker_blocks=1)
        yield f"rgb-progressive-{size}.jpg", encode(rgb, "JPEG", progressive=True)
        for name, picture in [("gray", gray), ("gray-alpha", gray_alpha), ("rgb", rgb), ("rgba", rgba),
                              ("palette", palette), ("bits", bits), ("gray16", deep)]:
            yield f"{name}-{size}.png", encode(picture, "PNG")
        yield f"palette-alpha-{size}.png", encode(palette, "PNG", transparency=bytes([0, 50, 100, 255, 7]))
        yield f"palette-4bit-{size}.png", encode(palette, "PNG", bits=4)
        yield f"rgb-{size}.webp", encode(rgb, "WEBP", quality=70)
        yield f"rgba-{size}.webp", encode(rgba, "WEBP", quality=70)
        yield f"rgba-lossless-{size}.webp", encode(rgba, "WEBP", lossless=True)
        yield f"rgb-lossless-{size}.webp", encode(rgb, "WEBP", lossless=True)
        yield f"animated-{size}.webp", encode(rgba, "WEBP", save_all=True, append_images=[rgba.rotate(180)], lossless=True)
        for name, picture in [("palette", palette), ("gray", gray), ("bits", bits)]:
            yield f"{name}-{size}.gif", encode(picture, "GIF", interlace=0)
        yield f"interlaced-{size}.gif", encode(palette, "GIF", interlace=1)
        yield f"transparent-{size}.gif", encode(palette, "GIF", transparency=2)
        for name, picture in [("palette", palette), ("gray", gray), ("bits", bits), ("rgb", rgb), ("rgba", rgba)]:
            yield f"{name}-{size}.bmp", encode(picture, "BMP")
        for name, picture in [("palette", palette), ("gray", gray), ("gray-alpha", gray_alpha), ("bits", bits),
                              ("rgb", rgb), ("rgba", rgba), ("cmyk", cmyk), ("gray16", deep),
                              ("ycbcr", rgb.convert("YCbCr")), ("float", gray.convert("F")), ("int", gray.convert("I"))]:
            yield f"{name}-{size}.tiff", encode(picture, "TIFF")
        for compression in ["tiff_lzw", "tiff_adobe_deflate", "packbits", "jpeg", "zstd"]:
            yield f"rgb-{compression}-{size}.tiff", encode(rgb, "TIFF", compression=compression)
        yield f"gray16-lzw-{size}.tiff", encode(deep, "TIFF", compression="tiff_lzw")
        yield f"palette-deflate-{size}.tiff", encode(palette, "TIFF", compression="tiff_adobe_deflate")
        yield f"bits-group4-{size}.tiff", encode(bits, "TIFF", compression="group4")
        yield f"big-{size}.tiff", encode(rgb, "TIFF", big_tiff=True)
    picture = Image.fromarray(wave(2, 3, 3, seed=5))
    for orientation in range(1, 9):
        exif = Image.Exif()
        exif[274] = orientation
        xmp = f'<x:xmpmeta><rdf:Description tiff:Orientation="{orientation}"/></x:xmpmeta>'.encode()
        for suffix, picture_format in [("jpg", "JPEG"), ("png", "PNG"), ("webp", "WEBP"), ("tiff", "TIFF")]:
            options = {"lossless": True} if suffix == "webp" else {}
            yield f"exif-{orientation}.{suffix}", encode(picture, picture_format, exif=exif, **options)
        yield f"xmp-{orientation}.jpg", encode(picture, "JPEG", xmp=xmp)
    exif = Image.Exif()
    exif[274] = 9
    yield "exif-9.jpg", encode(picture, "JPEG", exif=exif)


def small_entry(data, is_lossy):
    entry = facts(data, lambda _: False)
    entry["bytes"] = data.hex()
    if is_lossy:
        entry["rgb"] = upright_rgb(data)[3].tobytes().hex()
    entry["decodes_cut_off_at"] = [n for n in range(len(data)) if decodes(data[:n])]
    return entry


def write(path, document):
    path.parent.mkdir(parents=True, exist_ok=True)
    lines = [f'"pillow": "{PIL.__version__}"']
    lines += [f"{json.dumps(name)}: {json.dumps(entry, separators=(',', ':'))}" for name, entry in document.items()]
    path.write_text("{\n" + ",\n".join(lines) + "\n}\n")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--corpus", type=pathlib.Path)
    parser.add_argument("--output", type=pathlib.Path, required=True)
    arguments = parser.parse_args()
    if not PIL.__version__.startswith("13."):
        parser.error(f"the goldens are Pillow 13's, this is {PIL.__version__}")
    warnings.simplefilter("ignore")
    logging.disable(logging.CRITICAL)
    if arguments.corpus:
        corpus = {}
        for path in sorted(arguments.corpus.iterdir()):
            data = path.read_bytes()
            entry = facts(data, lambda picture_format: picture_format == "jpeg")
            corpus[path.name] = {"sha256": hashlib.sha256(data).hexdigest()} | entry
        write(arguments.output / "corpus.json", corpus)
    small = {}
    for name, data in small_pictures():
        small[name] = small_entry(data, name.endswith(".jpg") or "jpeg" in name)
    write(arguments.output / "small.json", small)


if __name__ == "__main__":
    main()
