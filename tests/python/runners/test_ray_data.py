"""Plans over the blocks of a Ray dataset."""

import importlib.util
import os

import numpy as np
import pyarrow as pa
import pytest
import vecframe as vf
from pictures import write_pictures
from vecframe import col
from vecframe.functions import decode_image, download, embed_image
from vecframe.runners.ray_data import MapBatches

import ray_cluster

def table_of(folder):
    paths = sorted(str(path) for path in folder.iterdir())
    return pa.table({"id": range(len(paths)), "path": paths})


def embedding_by(model):
    def build(df):
        picture = decode_image(download(col("path")), on_error="null")
        return df.where(col("id") != 3).with_column("embedding", embed_image(picture, model=model, on_error="ignore"))

    return build


@pytest.fixture
def folder(tmp_path):
    folder = write_pictures(tmp_path / "in", 10)
    (folder / "bad.png").write_bytes(b"no picture")
    return folder


def test_blocks_become_the_rows_of_the_plan(folder, model):
    table = table_of(folder)
    build = embedding_by(model)
    mapping = MapBatches(build, threads=1, memory_limit="256MiB")
    blocks = [mapping(table.slice(first, 4)) for first in (0, 4, 8, 11)]
    assert [block.num_rows for block in blocks] == [3, 4, 3, 0]
    whole = pa.concat_tables(blocks)
    assert whole.schema.field("embedding").type == pa.list_(pa.field("item", pa.float32(), nullable=False), 24)
    expected = build(vf.from_arrow(table)).to_arrow()
    assert whole.column("id").equals(expected.column("id"))
    assert whole.column("embedding").to_pylist() == expected.column("embedding").combine_chunks().storage.to_pylist()
    assert whole.column("embedding").null_count == 1
    with pytest.raises(vf.RequestError, match="table: its columns are not those"):
        mapping(table.rename_columns(["id", "file"]))
    with pytest.raises(vf.RequestError, match="begin it with from_arrow"):
        MapBatches(lambda df: vf.read_images(folder), threads=1)(table)


@pytest.mark.skipif(os.environ.get("VECFRAME_RAY_TESTS") != "1", reason="takes minutes; `make test-ray` runs it")
@pytest.mark.skipif(importlib.util.find_spec("ray") is None, reason="Ray is not installed")
def test_actors_of_ray_data(folder, model):
    with ray_cluster.cluster([2]) as nodes, ray_cluster.connected(nodes) as ray:
        import ray.data

        ray.data.DataContext.get_current().enable_progress_bars = False
        dataset = ray.data.from_arrow([table_of(folder).slice(first, 3) for first in range(0, 11, 3)])
        rows = dataset.map_batches(
            MapBatches,
            fn_constructor_args=[embedding_by(model)],
            batch_format="pyarrow",
            batch_size=3,
            compute=ray.data.ActorPoolStrategy(size=2),
            num_cpus=0.5,
        ).take_all()
    expected = embedding_by(model)(vf.from_arrow(table_of(folder))).to_pylist()
    assert sorted(row["id"] for row in rows) == [row["id"] for row in expected]
    by_id = {row["id"]: row["embedding"] for row in rows}
    for row in expected:
        if row["embedding"] is None:
            assert by_id[row["id"]] is None
        else:
            np.testing.assert_array_equal(np.asarray(by_id[row["id"]], dtype=np.float32), row["embedding"])
