"""Makes a folder of JPEG files as a camera roll has them: always the same for the same arguments.

Pictures come from Debian's tuxpaint-stamps-default and, if --photos names a folder of them, from photographs.
They vary in size, quality, chroma subsampling, progressive and gray coding and EXIF orientation; one in a
hundred is broken. manifest.json, beside the folder, says what each file is and which of them are broken.

With --large the pictures are 4000x3000 (12 megapixels) of a few MB each, none of them broken.
"""

import argparse
import io
import json
import pathlib
import random
import sys

import numpy
from PIL import Image

STAMPS = pathlib.Path("/usr/share/tuxpaint/stamps")
LARGE_SIZE = (4000, 3000)
LARGE_DISTINCT = 8
SUBSAMPLING = {0: "4:4:4", 1: "4:2:2", 2: "4:2:0"}
EXIF_ORIENTATION = 0x0112
BROKEN = ["truncated", "header_only", "garbage", "empty", "text"]


def photo_sources(stamps: pathlib.Path, photos: pathlib.Path | None) -> list[pathlib.Path]:
    sources = [path for path in sorted(stamps.rglob("*.png")) if "cartoon" not in path.parts and "symbols" not in path.parts]
    if photos:
        sources += sorted(path for path in photos.rglob("*") if path.suffix.lower() in {".jpg", ".jpeg"})
    return sources


def on_background(source: pathlib.Path, colour: tuple[int, int, int]) -> Image.Image:
    """The picture as RGB, its transparent part over a plain colour."""
    with Image.open(source) as picture:
        picture = picture.convert("RGBA")
    canvas = Image.new("RGBA", picture.size, (*colour, 255))
    canvas.alpha_composite(picture)
    return canvas.convert("RGB")


def with_grain(picture: Image.Image, seed: int, strength: float) -> Image.Image:
    """Sensor noise, so that an enlarged picture has the detail, and the bytes, of a photograph."""
    noise = numpy.random.default_rng(seed).normal(0.0, strength, (picture.height, picture.width, 1)).astype(numpy.float32)
    return Image.fromarray(numpy.clip(numpy.asarray(picture, numpy.float32) + noise, 0, 255).astype(numpy.uint8))


def encode_jpeg(picture: Image.Image, **options: object) -> bytes:
    out = io.BytesIO()
    picture.save(out, "JPEG", **options)
    return out.getvalue()


def broken_bytes(kind: str, good: bytes, rng: random.Random) -> bytes:
    return {
        "truncated": good[: len(good) * 6 // 10],
        "header_only": good[:20],
        "garbage": rng.randbytes(2000),
        "empty": b"",
        "text": b"This is a letter, not a picture.\n" * 20,
    }[kind]


def make_file(index: int, seed: int, sources: list[pathlib.Path]) -> tuple[bytes, dict]:
    rng = random.Random(f"{seed}/{index}")
    picture = on_background(rng.choice(sources), (rng.randrange(256), rng.randrange(256), rng.randrange(256)))
    scale = rng.uniform(160, 720) / min(picture.size)
    size = tuple(max(16, round(side * scale)) for side in picture.size)
    picture = with_grain(picture.resize(size, Image.Resampling.BICUBIC), rng.getrandbits(32), strength=3.0)
    facts: dict = {
        "quality": rng.randrange(30, 97),
        "subsampling": rng.choice([0, 1, 2]),
        "progressive": rng.random() < 0.2,
        "gray": rng.random() < 0.1,
        "orientation": rng.randrange(2, 9) if rng.random() < 0.1 else 1,
    }
    options: dict = {"quality": facts["quality"], "progressive": facts["progressive"]}
    if facts["gray"]:
        picture = picture.convert("L")
    else:
        options["subsampling"] = facts["subsampling"]
    if facts["orientation"] != 1:
        exif = Image.Exif()
        exif[EXIF_ORIENTATION] = facts["orientation"]
        options["exif"] = exif
    turned = facts["orientation"] >= 5
    facts["width"], facts["height"] = picture.size[::-1] if turned else picture.size
    facts["subsampling"] = SUBSAMPLING[facts["subsampling"]]
    return encode_jpeg(picture, **options), facts


def make_folder(out: pathlib.Path, count: int, seed: int, sources: list[pathlib.Path]) -> dict:
    """Files in folders of a hundred; returns the manifest."""
    rng = random.Random(f"{seed}/broken")
    bad = sorted(rng.sample(range(count), max(1, count // 100) if count else 0))
    kinds = {index: BROKEN[place % len(BROKEN)] for place, index in enumerate(bad)}
    files = {}
    for index in range(count):
        name = f"roll-{index // 100:03d}/{index:05d}.jpg"
        data, facts = make_file(index, seed, sources)
        if kind := kinds.get(index):
            data = broken_bytes(kind, data, random.Random(f"{seed}/{index}/broken"))
            facts = {"broken": kind}
        path = out / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        files[name] = facts
    return {"seed": seed, "files": files}


def make_large_folder(out: pathlib.Path, count: int, seed: int, sources: list[pathlib.Path]) -> dict:
    """A few distinct pictures, repeated with a comment of their own so that no two files are equal."""
    rng = random.Random(f"{seed}/large")
    distinct = []
    for _ in range(min(count, LARGE_DISTINCT)):
        picture = on_background(rng.choice(sources), (180, 170, 150)).resize(LARGE_SIZE, Image.Resampling.BICUBIC)
        distinct.append(with_grain(picture, rng.getrandbits(32), strength=4.0))
    encoded = [encode_jpeg(picture, quality=85 + place % 3 * 3, subsampling=2) for place, picture in enumerate(distinct)]
    files = {}
    out.mkdir(parents=True, exist_ok=True)
    for index in range(count):
        name = f"{index:05d}.jpg"
        comment = f"photograph {index}".encode()
        segment = b"\xff\xfe" + (len(comment) + 2).to_bytes(2, "big") + comment
        data = encoded[index % len(encoded)]
        (out / name).write_bytes(data[:2] + segment + data[2:])
        files[name] = {"width": LARGE_SIZE[0], "height": LARGE_SIZE[1]}
    return {"seed": seed, "files": files}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("out", type=pathlib.Path, help="folder to make; the manifest is written beside it as OUT.json")
    parser.add_argument("--count", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=20)
    parser.add_argument("--large", action="store_true", help="12-megapixel pictures, none broken")
    parser.add_argument("--stamps", type=pathlib.Path, default=STAMPS)
    parser.add_argument("--photos", type=pathlib.Path, help="a folder of photographs to mix in")
    arguments = parser.parse_args()

    photos = arguments.photos if arguments.photos and arguments.photos.is_dir() else None
    manifest_path = arguments.out.with_name(arguments.out.name + ".json")
    request = {"count": arguments.count, "seed": arguments.seed, "large": arguments.large, "photos": str(photos)}
    if manifest_path.exists() and json.loads(manifest_path.read_text()).get("request") == request:
        return 0
    sources = photo_sources(arguments.stamps, photos)
    if not sources:
        print(f"make_photo_folder: no pictures in {arguments.stamps}: run `tools/setup.sh demo`", file=sys.stderr)
        return 2
    make = make_large_folder if arguments.large else make_folder
    manifest = make(arguments.out, arguments.count, arguments.seed, sources)
    manifest["request"] = request
    # The manifest comes last: its presence says that the folder is complete.
    manifest_path.write_text(json.dumps(manifest, indent=1) + "\n")
    total = sum((arguments.out / name).stat().st_size for name in manifest["files"])
    print(f"make_photo_folder: {arguments.count} files, {total / 1e6:.0f} MB in {arguments.out}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
