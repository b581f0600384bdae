"""A peer's way from JPEG files to a model's pixels, alone: resize of the short side to 224 (bicubic) and the middle of it.

    prepare_peer.py ENGINE FOLDER THREADS ROUNDS

ENGINE is pillow, torchvision, transformers or daft. Prints one JSON object. Files are in memory for all but Daft, which reads
them itself, from the page cache, and resizes straight to 224 x 224: less work than the others', as its functions offer it.
"""

import io
import json
import pathlib
import statistics
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from answers import open_answers

SIDE = 224


def files_of(folder: str) -> list[bytes]:
    return [path.read_bytes() for path in sorted(pathlib.Path(folder).rglob("*.jpg"))]


def on_threads(folder: str, threads: int, prepare: Callable[[bytes], object]) -> Callable[[], int]:
    files = files_of(folder)

    def run() -> int:
        with ThreadPoolExecutor(threads) as pool:
            return sum(1 for _ in pool.map(prepare, files))

    return run


def pillow(folder: str, threads: int) -> Callable[[], int]:
    from PIL import Image, ImageOps

    def prepare(data: bytes) -> object:
        with Image.open(io.BytesIO(data)) as picture:
            return ImageOps.fit(picture.convert("RGB"), (SIDE, SIDE), Image.Resampling.BICUBIC)

    return on_threads(folder, threads, prepare)


def torchvision(folder: str, threads: int) -> Callable[[], int]:
    import torch
    from torchvision.io import ImageReadMode, decode_jpeg
    from torchvision.transforms import InterpolationMode
    from torchvision.transforms.v2 import CenterCrop, Compose, Resize

    torch.set_num_threads(1)  # the pool has the threads
    recipe = Compose([Resize(SIDE, InterpolationMode.BICUBIC, antialias=True), CenterCrop(SIDE)])

    def prepare(data: bytes) -> object:
        return recipe(decode_jpeg(torch.frombuffer(bytearray(data), dtype=torch.uint8), ImageReadMode.RGB))

    return on_threads(folder, threads, prepare)


def transformers(folder: str, threads: int) -> Callable[[], int]:
    from PIL import Image
    from transformers import CLIPImageProcessor

    processor = CLIPImageProcessor()

    def prepare(data: bytes) -> object:
        with Image.open(io.BytesIO(data)) as picture:
            return processor(images=picture.convert("RGB"), return_tensors="np")

    return on_threads(folder, threads, prepare)


def daft(folder: str, threads: int) -> Callable[[], int]:
    import daft as library
    from daft.functions import decode_image, resize

    def run() -> int:
        files = library.from_glob_path(f"{folder}/**/*.jpg")
        pictures = files.with_column("image", resize(decode_image(files["path"].download(), mode="RGB"), SIDE, SIDE))
        return sum(len(part) for part in pictures.select("image").iter_partitions())

    return run


ENGINES = {"pillow": pillow, "torchvision": torchvision, "transformers": transformers, "daft": daft}


def main() -> None:
    engine, folder, threads, rounds = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
    answers = open_answers()
    run = ENGINES[engine](folder, threads)
    run()
    rates = []
    for _ in range(rounds):
        begun = time.perf_counter()
        count = run()
        rates.append(count / (time.perf_counter() - begun))
    print(json.dumps({"images_per_second": statistics.median(rates)}), file=answers, flush=True)


if __name__ == "__main__":
    main()
