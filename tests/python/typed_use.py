"""A use of the package that a strict type checker must accept; it is checked, not run."""

from pathlib import Path

import vecframe as vf
from vecframe.functions import cosine_distance, embed_image, embed_text


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
