"""Tables to and from pyarrow, pandas, Polars and DuckDB, with pictures and embeddings in them."""

import importlib

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import vecframe as vf
from vecframe import col
from vecframe.functions import convert_image, embed_image, image_hash, resize


def noise(seed):
    return np.random.default_rng(seed).integers(0, 256, (20 + seed, 30, 3), dtype=np.uint8)


def library(name):
    return pytest.importorskip(name, reason=f"{name} is not installed")


@pytest.fixture()
def frame(model):
    """Numbers, texts, nulls, pictures, bytes of fixed size, vectors."""
    return (
        vf.from_pydict(
            {
                "id": [1, 2, 3],
                "text": ["a", None, "ccc"],
                "price": [0.5, None, 2.0],
                "ok": [True, False, None],
                "list": [[1, 2], [], None],
                "image": [noise(0), noise(1), None],
            }
        )
        .with_column("small", resize(convert_image(col("image"), "RGB"), 6, 4))
        .with_column("hash", image_hash(col("image")))
        .with_column("e", embed_image(col("image"), model=model))
        .collect()
    )


def same(a, b):
    rows = zip(a.to_pylist(), b.to_pylist(), strict=True)
    return all(np.array_equal(x[name], y[name]) for x, y in rows for name in x if isinstance(x[name], np.ndarray)) and all(
        x[name] == y[name]
        for x, y in zip(a.to_pylist(), b.to_pylist(), strict=True)
        for name in x
        if not isinstance(x[name], np.ndarray)
    )


def test_pyarrow(frame):
    table = frame.to_arrow()
    for back in (table, table.to_batches()[0], pa.RecordBatchReader.from_batches(table.schema, table.to_batches())):
        assert vf.from_arrow(back).schema == frame.schema
    assert vf.from_arrow(table).to_arrow().equals(table)
    assert pa.table(frame).equals(table)
    ipc = pa.ipc.open_stream(_stream(table)).read_all()
    assert ipc.equals(table) and vf.from_arrow(ipc).schema == frame.schema
    assert same(frame, vf.from_arrow(table))


def _stream(table):
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    return sink.getvalue()


def test_pandas(frame):
    pandas = library("pandas")
    data = frame.to_pandas()
    assert isinstance(data, pandas.DataFrame) and data.shape == (3, 9)
    assert data["id"].tolist() == [1, 2, 3] and data["text"].tolist()[::2] == ["a", "ccc"]
    assert data["image"][0].shape == (20, 30, 3) and data["image"][2] is None
    assert data["small"][1].shape == (4, 6, 3)
    assert data["e"][0].shape == (24,) and data["e"][0].dtype == np.float32 and data["e"][2] is None
    plain = frame.select("id", "text", "price", "hash")
    assert vf.from_pandas(plain.to_pandas()).to_pydict() == plain.to_pydict()
    assert vf.from_pandas(pandas.DataFrame({"a": [1, 2]}, index=[7, 8])).to_pydict() == {"a": [1, 2]}


def test_polars(frame):
    polars = library("polars")
    data = frame.to_polars()
    assert data.shape == (3, 9) and data["id"].to_list() == [1, 2, 3]
    assert polars.DataFrame(frame)["text"].to_list() == ["a", None, "ccc"]  # the PyCapsule interface
    assert data["e"].ext.storage().dtype == polars.Array(polars.Float32, 24)
    back = vf.from_polars(data)
    assert back.schema["e"].dtype == "Embedding[Float32; 24]"
    assert back.schema["image"].dtype == "Image[MIXED]" and back.schema["small"].dtype == "Image[RGB; 4 x 6]"
    assert same(frame.exclude("hash"), back.exclude("hash"))
    kept = vf.from_polars(data.filter(polars.col("id") > 1).sort("id", descending=True))
    assert kept.to_pydict()["id"] == [3, 2] and np.array_equal(kept.to_pydict()["image"][1], noise(1))


def test_polars_reads_and_writes_our_parquet(frame, model, tmp_path):
    polars = library("polars")
    frame.write_parquet(tmp_path / "ours.parquet")
    polars.read_parquet(tmp_path / "ours.parquet").write_parquet(tmp_path / "theirs.parquet")
    back = vf.read_parquet(tmp_path / "theirs.parquet")
    assert back.schema["image"].dtype == "Image[MIXED]" and back.schema["e"].dtype == "Embedding[Float32; 24]"
    again = back.with_column("again", embed_image(col("image"), model=model)).to_arrow()
    assert again["again"].combine_chunks().to_pylist() == frame.to_arrow()["e"].combine_chunks().to_pylist()


def test_duckdb_sees_storage(frame, tmp_path):
    duckdb = library("duckdb")
    products = frame.to_arrow()
    with duckdb.connect() as connection:
        connection.register("products", products)
        rows = connection.sql("select id, e, image.height, len(image.data) from products order by id desc").fetchall()
        assert [row[0] for row in rows] == [3, 2, 1]
        assert rows[0][1:] == (None, None, None)
        assert rows[2][1] == tuple(products["e"].combine_chunks().to_pylist()[0])
        assert rows[2][2:] == (20, 20 * 30 * 3)
        frame.write_parquet(tmp_path / "t.parquet")
        ((count,),) = connection.sql(f"select count(*) from '{tmp_path / 't.parquet'}' where e is not null").fetchall()
        assert count == 2
        found = connection.sql("select id, e, text from products where price > 1").to_arrow_table()
    back = vf.from_arrow(found)
    assert back.to_pydict()["id"] == [3] and back.schema["e"].dtype == "FixedSizeList[Float32; 24]"


def test_duckdb_reads_a_dataframe_by_the_capsule(frame):
    duckdb = library("duckdb")
    with duckdb.connect() as connection:
        connection.register("numbers", pa.RecordBatchReader.from_stream(frame.select("id", "price")))
        assert connection.sql("select sum(id), max(price) from numbers").fetchall() == [(6, 2.0)]


@pytest.mark.parametrize("name", ["pandas", "polars", "duckdb"])
def test_the_libraries_of_these_tests_are_pinned(name):
    """So that none of them is skipped where tools/requirements.txt is installed."""
    lines = (importlib.import_module("pathlib").Path(__file__).parents[2] / "tools" / "requirements.txt").read_text()
    assert f"\n{name}==" in lines


def test_parquet_keeps_every_type(frame, tmp_path):
    frame.write_parquet(tmp_path / "t.parquet")
    assert vf.read_parquet(tmp_path / "t.parquet").schema == frame.schema
    assert pq.read_table(tmp_path / "t.parquet").equals(frame.to_arrow())
