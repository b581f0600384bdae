"""Writes tests/golden/resize.json: checksums of resized pictures, by the libraries that define them.

Run where Pillow >= 13, torch and torchvision are installed, on an x86 CPU with AVX2 (torch's uint8
path). The pictures come from a generator of a line, so that the C++ tests make the same ones.

A case is [channels, width, height, seed, new width, new height, filter, resampler, CRC-32].

Pillow 12 cannot be installed beside Pillow 13. Its results are made from Pillow 13's, one axis at a
time: with a single axis to resize there is no order of passes, which is all that differs.
"""

import json
import pathlib
import random
import zlib

import numpy as np
import PIL
import torch
from PIL import Image

FILTERS = {"nearest": 0, "lanczos": 1, "bilinear": 2, "bicubic": 3, "box": 4}
MODES = {1: "L", 2: "LA", 3: "RGB", 4: "RGBA"}
TARGET = pathlib.Path(__file__).parent.parent / "tests" / "golden" / "resize.json"


def picture(channels, width, height, seed):
    """uint8 [height, width, channels]."""
    count = channels * width * height
    values = np.empty(count, np.uint8)
    state = seed
    for i in range(count):
        state = (state * 1103515245 + 12345) & 0x7FFFFFFF
        values[i] = (state >> 16) & 255
    return values.reshape(height, width, channels)


def by_pillow(pixels, size, name):
    """Channel by channel: Pillow premultiplies alpha when it resizes LA and RGBA."""
    planes = [
        np.asarray(Image.fromarray(np.ascontiguousarray(plane)).resize(size, FILTERS[name]))
        for plane in np.moveaxis(pixels, 2, 0)
    ]
    return np.stack(planes, axis=2)


def by_pillow12(pixels, size, name):
    across = by_pillow(pixels, (size[0], pixels.shape[0]), name)
    return by_pillow(across, size, name)


def by_torch(pixels, size, name):
    planes = torch.from_numpy(pixels.copy()).permute(2, 0, 1)[None]
    result = torch.nn.functional.interpolate(
        planes, (size[1], size[0]), mode=name, antialias=True, align_corners=False
    )
    return result[0].permute(1, 2, 0).contiguous().numpy()


RESAMPLERS = {"torchvision": by_torch, "pillow12": by_pillow12, "pillow13": by_pillow}


def shapes(rng):
    """(channels, width, height, new width, new height)."""
    yield from [(3, 11, 7, 10, 3), (3, 11, 7, 16, 9)]  # the smallest where the resamplers differ
    yield from [(3, 1, 1, 1, 1), (3, 1, 1, 224, 3), (3, 1, 90, 7, 7), (3, 90, 1, 7, 7)]
    yield from [(3, 3000, 2, 5, 5), (3, 2, 3000, 5, 5), (3, 3000, 3, 1, 1), (1, 3, 4000, 2, 1)]
    yield from [(3, 500, 37, 224, 224), (3, 37, 500, 224, 224), (3, 64, 48, 64, 20), (3, 64, 48, 20, 48)]
    yield from [(3, 100, 75, 298, 224), (3, 33, 300, 32, 100), (3, 7, 7, 256, 255)]
    # About the shape from which Pillow 13 starts with the columns.
    yield from [(3, 30, 50, 20, 30), (3, 30, 51, 20, 30), (3, 30, 49, 20, 30), (3, 20, 40, 25, 39)]
    for _ in range(60):
        sides = [rng.randint(1, 1 << rng.randint(1, 7)) for _ in range(4)]
        yield (rng.choice([1, 2, 3, 3, 3, 4]), *sides)


def main():
    assert int(PIL.__version__.split(".")[0]) >= 13, PIL.__version__
    assert torch.backends.cpu.get_cpu_capability() in ("AVX2", "AVX512")
    rng = random.Random(20260101)
    cases = []
    for index, (channels, width, height, new_width, new_height) in enumerate(shapes(rng)):
        seed = 12345 if index < 2 else rng.randrange(1 << 31)
        pixels = picture(channels, width, height, seed)
        for name in FILTERS:
            for resampler, resize in RESAMPLERS.items():
                if resampler == "torchvision" and name not in ("bilinear", "bicubic", "lanczos"):
                    continue
                if resampler == "pillow12" and name == "nearest":
                    continue
                result = resize(pixels, (new_width, new_height), name)
                assert result.shape == (new_height, new_width, channels)
                cases.append(
                    [channels, width, height, seed, new_width, new_height, name, resampler]
                    + [zlib.crc32(np.ascontiguousarray(result).tobytes())]
                )
    lines = ",\n".join(json.dumps(case) for case in cases)
    TARGET.parent.mkdir(parents=True, exist_ok=True)
    made_by = json.dumps(f"Pillow {PIL.__version__}, torch {torch.__version__}")
    TARGET.write_text(f'{{"made_by": {made_by},\n"cases": [\n{lines}\n]}}\n')


if __name__ == "__main__":
    main()
