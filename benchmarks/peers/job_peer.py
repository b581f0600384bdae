"""One whole job of a peer: JPEG files of a folder to vectors in a Parquet file.

    job_peer.py ENGINE MODEL_DIRECTORY FOLDER OUTPUT CACHE

ENGINE is torch, daft, fastembed or ray. Prints one JSON object: pictures, seconds of the job itself and of all since the
process began, and the process's peak memory.
"""

import json
import os
import pathlib
import resource
import sys
import time

from answers import open_answers

BEGUN = time.monotonic()
BATCH = 16


def pictures_of(folder: str) -> list[str]:
    return sorted(str(path) for path in pathlib.Path(folder).rglob("*.jpg"))


def process_age() -> float:
    """Seconds since this process was started, the interpreter's own start included."""
    ticks = int(pathlib.Path("/proc/self/stat").read_text().rpartition(")")[2].split()[19])
    return time.clock_gettime(time.CLOCK_BOOTTIME) - ticks / os.sysconf("SC_CLK_TCK")


def write(output: str, paths: list[str], vectors: list) -> None:
    import pyarrow
    import pyarrow.parquet

    pyarrow.parquet.write_table(pyarrow.table({"path": paths, "embedding": [list(map(float, v)) for v in vectors]}), output)


def torch_job(model: str, folder: str, output: str, cache: str) -> float:
    import torch
    from PIL import Image
    from transformers import CLIPImageProcessor, CLIPVisionModelWithProjection

    torch.set_grad_enabled(False)
    tower = CLIPVisionModelWithProjection.from_pretrained(model).eval()
    processor = CLIPImageProcessor.from_pretrained(model)
    begun, vectors = time.monotonic(), []
    paths = pictures_of(folder)
    for first in range(0, len(paths), BATCH):
        pictures = [Image.open(path).convert("RGB") for path in paths[first : first + BATCH]]
        vectors.extend(tower(**processor(images=pictures, return_tensors="pt")).image_embeds.numpy())
    write(output, paths, vectors)
    return time.monotonic() - begun


def daft_job(model: str, folder: str, output: str, cache: str) -> float:
    import daft
    from daft.functions import decode_image, embed_image

    begun = time.monotonic()
    files = daft.from_glob_path(f"{folder}/**/*.jpg")
    pictures = files.with_column("image", decode_image(files["path"].download()))
    frame = pictures.with_column("embedding", embed_image(pictures["image"], provider="transformers", model=model))
    frame.select("path", "embedding").write_parquet(output)
    return time.monotonic() - begun


def fastembed_job(model: str, folder: str, output: str, cache: str) -> float:
    from fastembed import ImageEmbedding

    # A directory with model.onnx and preprocessor_config.json under a name the library knows.
    source = pathlib.Path(cache) / pathlib.Path(model).name
    settings = source / "preprocessor_config.json"
    if not settings.exists():
        settings.write_text((pathlib.Path(model) / settings.name).read_text())
    engine = ImageEmbedding("Qdrant/clip-ViT-B-32-vision", specific_model_path=str(source), local_files_only=True)
    begun = time.monotonic()
    paths = pictures_of(folder)
    write(output, paths, list(engine.embed(paths, batch_size=BATCH)))
    return time.monotonic() - begun


def ray_job(model: str, folder: str, output: str, cache: str) -> float:
    import io

    import ray

    class Tower:
        def __init__(self) -> None:
            import torch
            from transformers import CLIPImageProcessor, CLIPVisionModelWithProjection

            torch.set_grad_enabled(False)
            torch.set_num_threads(os.cpu_count() or 1)
            self.tower = CLIPVisionModelWithProjection.from_pretrained(model).eval()
            self.processor = CLIPImageProcessor.from_pretrained(model)

        def __call__(self, batch: dict) -> dict:
            import torch
            from PIL import Image

            pictures = [Image.open(io.BytesIO(data)).convert("RGB") for data in batch["bytes"]]
            with torch.inference_mode():  # the constructor ran on another thread
                vectors = self.tower(**self.processor(images=pictures, return_tensors="pt")).image_embeds.numpy()
            return {"path": batch["path"], "embedding": vectors}

    ray.init(include_dashboard=False, log_to_driver=False)
    begun = time.monotonic()
    rows = ray.data.read_binary_files(pictures_of(folder), include_paths=True)
    rows.map_batches(Tower, batch_size=BATCH, concurrency=1).write_parquet(output)
    return time.monotonic() - begun


JOBS = {"torch": torch_job, "daft": daft_job, "fastembed": fastembed_job, "ray": ray_job}


def main() -> None:
    engine, model, folder, output, cache = sys.argv[1:]
    answers = open_answers()
    started = process_age() - (time.monotonic() - BEGUN)
    seconds = JOBS[engine](model, folder, output, cache)
    print(json.dumps({"images": len(pictures_of(folder)), "seconds": seconds,
                      "total_seconds": started + time.monotonic() - BEGUN,
                      "peak_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}), file=answers, flush=True)


if __name__ == "__main__":
    main()
