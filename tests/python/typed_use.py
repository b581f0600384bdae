"""A use of the package that a strict type checker must accept; it is checked, not run."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import vecframe as vf
from vecframe.arrow_types import EmbeddingArray, ImageArray, ImageType, image_array
from vecframe.functions import (
    cosine_distance,
    crop,
    decode_image,
    download,
    embed_image,
    embed_text,
    image_hash,
    image_to_tensor,
    resize,
)


def progress(now: vf.Progress) -> None:
    print(now.rows, now.listed, now.listing_done)


def embed(folder: Path, output: Path) -> dict[str, int]:
    expression: vf.Expression = embed_image(vf.col("image"), model="builtin:efficientnet-lite0", normalize=True)
    df: vf.DataFrame = vf.read_images(folder, "more/**/*.jpg").with_column("embedding", expression)
    names: list[str] = df.schema().names
    dtype: str = df.schema["embedding"].dtype
    print(names, dtype, df.explain())
    nearest: vf.DataFrame = df.with_column("d", cosine_distance(vf.col("embedding"), [0.0] * 1280)).sort("d")
    sizes: list[int] = [batch.num_rows for batch in vf.DataFrame.from_json(nearest.to_json()).iter_batches(100)]
    print(sizes, nearest.explain(show_all=True))
    report: vf.RunReport = df.limit(10).select("path", "embedding").write_parquet(
        output, mode="overwrite", memory_limit="1GiB", progress=progress
    )
    summary: vf.TableSummary = vf.inspect(output)
    for path, neighbours in summary.neighbours:
        print(path, [(other, f"{cosine:.3f}") for other, cosine in neighbours])
    infos: list[vf.ModelInfo] = vf.list_models()
    print(infos, report.seconds)
    return report.failures


class Own(vf.Provider):
    name = "own"


def use_providers() -> vf.Expression:
    with vf.session() as session:
        own: Own = session.attach_provider(Own(), alias="mine")
        vf.set_provider("transformers", device="cpu")
        print(vf.has_provider("mine"), vf.current_provider(), own.name)
        return embed_text(vf.col("text"), provider=own, batch_size=3, concurrency=2, max_retries=0)


def expressions(table: vf.DataFrame) -> vf.DataFrame:
    image: vf.Expression = decode_image(download(vf.col("url"), 8, "null"), "null", vf.ImageMode.RGB)
    frame = table.with_column("image", image).with_columns(
        {
            "small": resize(image, 64, 64, filter="lanczos", fit="cover"),
            "part": crop(image, (1, 2, 3, 4)),
            "boxes": image.crop(vf.col("box")).convert_image("L", alpha="white"),
            "hash": image_hash(image, "dhash", hash_size=16),
            "tensor": image_to_tensor(image.resize(8, 8)),
            "webp": image.encode_image(vf.ImageFormat.WEBP, quality=60),
            "width": image.image_attribute("width"),
        }
    )
    column: vf.Expression = frame["image"]
    narrow: vf.DataFrame = frame["image", "hash"]
    names: list[str] = frame.column_names
    assert "image" in frame and len(names) == len(frame.columns)
    return narrow.where(column.not_null() & (vf.col("price") < 3) | frame[0].is_in([1, 2]))


def rows(frame: vf.DataFrame) -> Iterator[dict[str, Any]]:
    values: dict[str, list[Any]] = frame.to_pydict()
    table = frame.collect().to_arrow(threads=2)
    images: ImageArray = table["image"].combine_chunks()
    vectors: EmbeddingArray = table["embedding"].combine_chunks()
    print(len(frame.collect()), values, images.to_pil(), images.to_tensor().shape, vectors.to_numpy().mean())
    made: ImageArray = image_array([images.to_numpy()[0]])
    print(made.type == ImageType())
    yield from frame.iter_rows()
    yield from frame
