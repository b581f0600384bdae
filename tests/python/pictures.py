"""Pictures for tests: noise, so that no two are alike."""

import numpy as np
from PIL import Image

# Of the fixture bad_photos, in the order of its rows.
NAMES = ["a/1.jpg", "a/2.jpg", "a/3.png", "b/2.png", "c.png", "empty.png", "z.jpg"]
BAD_ROWS = [1, 5]


def save_picture(path, seed=0, size=(60, 40)):
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = np.random.default_rng(seed).integers(0, 256, (size[1], size[0], 3), dtype=np.uint8)
    Image.fromarray(pixels).save(path)


def write_pictures(folder, count, prefix="p"):
    """`count` pictures, no two alike; the folder."""
    for i in range(count):
        save_picture(folder / f"{prefix}{i:03}.png", seed=1000 * ord(prefix[0]) + i, size=(24, 20))
    return folder
