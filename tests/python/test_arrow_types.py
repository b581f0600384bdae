"""Pictures and embeddings as Arrow extension types."""

import pickle
import subprocess
import sys
import textwrap

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import vecframe as vf
from PIL import Image
from vecframe import arrow_types, col
from vecframe.functions import convert_image, embed_image, resize


def noise(height, width, channels=3, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (height, width, channels), dtype=np.uint8)


@pytest.fixture()
def pictures():
    return [noise(20, 30), None, noise(25, 30, 1, 1), noise(5, 6, 4, 2)]


@pytest.fixture()
def table(pictures, model):
    frame = vf.from_pydict({"id": range(4), "image": pictures})
    return frame.with_columns(
        {
            "small": resize(convert_image(col("image"), "RGB"), 8, 6),
            "e": embed_image(col("image"), model=model),
            "half": embed_image(col("image"), model=model, dtype="float16"),
        }
    ).to_arrow()


def test_tables_have_the_types(table):
    kinds = {field.name: field.type for field in table.schema}
    assert kinds["image"] == arrow_types.ImageType()
    assert kinds["small"] == arrow_types.ImageType("RGB", 6, 8)
    assert kinds["e"] == arrow_types.EmbeddingType(24)
    assert kinds["half"] == arrow_types.EmbeddingType(24, "float16")
    assert (kinds["e"].list_size, kinds["half"].value_type) == (24, pa.float16())
    assert len(table["e"].combine_chunks().flatten()) == 3 * 24
    assert [str(kinds[name]) for name in ("image", "small", "half")] == [
        "image[mixed]", "image[RGB; 6 x 8]", "embedding[float16; 24]",
    ]  # fmt: skip
    assert kinds["image"].extension_name == "vecframe.image"
    for kind in kinds.values():
        assert pickle.loads(pickle.dumps(kind)) == kind


def test_pictures_become_numpy(table, pictures):
    varied = table["image"].combine_chunks()
    got = varied.to_numpy()
    assert got.dtype == object and got[1] is None
    for given, back in zip(pictures, varied.to_pylist(), strict=True):
        assert back is given or np.array_equal(given, back)
    with pytest.raises(vf.RequestError, match="zero_copy_only"):
        varied.to_numpy(zero_copy_only=True)
    with pytest.raises(vf.RequestError, match="to_tensor"):
        varied.to_tensor()
    fixed = table.filter(table["small"].is_valid())["small"].combine_chunks()
    tensor = fixed.to_numpy()
    assert tensor.shape == (3, 6, 8, 3) and not tensor.flags.owndata  # a view of Arrow's memory
    assert np.array_equal(fixed.to_tensor(), tensor)
    assert np.array_equal(fixed.slice(1, 1).to_numpy()[0], tensor[1])
    assert np.array_equal(fixed[2].as_py(), tensor[2])
    assert fixed.to_numpy(writable=True).flags.writeable
    # One of one size, though the type does not say so.
    same = vf.from_pydict({"i": [noise(3, 4), noise(3, 4, 3, 1)]}).to_arrow()["i"].combine_chunks()
    assert same.to_tensor().shape == (2, 3, 4, 3)


def test_pictures_become_pil(table, pictures):
    got = table["image"].combine_chunks().to_pil()
    assert [picture and picture.mode for picture in got] == ["RGB", None, "L", "RGBA"]
    assert np.array_equal(np.asarray(got[0]), pictures[0])
    assert np.array_equal(np.asarray(got[2]), pictures[2][..., 0])
    # And come from it.
    frame = vf.from_pydict({"i": [*got, Image.new("1", (3, 2)), Image.new("CMYK", (3, 2))]})
    assert [None if i is None else i.shape for i in frame.to_pydict()["i"]] == [
        (20, 30, 3), None, (25, 30, 1), (5, 6, 4), (2, 3, 3), (2, 3, 3),
    ]  # fmt: skip


def test_embeddings_become_numpy(table):
    vectors = table["e"].combine_chunks().to_numpy()
    assert vectors.shape == (4, 24) and vectors.dtype == np.float32
    assert np.isnan(vectors[1]).all() and np.isfinite(vectors[[0, 2, 3]]).all()
    with pytest.raises(vf.RequestError, match="nulls"):
        table["e"].combine_chunks().to_numpy(zero_copy_only=True)
    some = table.filter(table["e"].is_valid())["e"].combine_chunks()
    assert not some.to_numpy(zero_copy_only=True).flags.owndata
    assert np.array_equal(some.to_numpy(), vectors[[0, 2, 3]])
    assert np.array_equal(some.slice(1).to_numpy(), vectors[[2, 3]])
    half = table["half"].combine_chunks().to_numpy()
    assert half.dtype == np.float16 and np.allclose(half[0], vectors[0], rtol=1e-2, atol=1e-2)


def test_rows_of_python_are_arrays(table, pictures):
    row = vf.from_arrow(table).to_pylist()[0]
    assert np.array_equal(row["image"], pictures[0])
    assert row["e"].shape == (24,) and row["e"].dtype == np.float32
    assert vf.from_arrow(table).to_pydict()["e"][1] is None


def test_types_survive_parquet(table, tmp_path):
    pq.write_table(table, tmp_path / "theirs.parquet")
    assert pq.read_table(tmp_path / "theirs.parquet").schema.equals(table.schema)
    frame = vf.from_arrow(table)
    for path in (tmp_path / "ours.parquet", tmp_path / "parts"):
        frame.write_parquet(path)
        assert pq.read_table(path).select(table.column_names).equals(table)
        assert vf.read_parquet(path).schema == frame.schema
    back = vf.read_parquet(tmp_path / "theirs.parquet")
    assert back.schema == frame.schema
    assert str(back.schema) == str(frame.schema)
    assert back.to_arrow().equals(table)


def test_stored_pictures_are_embedded_again(table, model, tmp_path):
    vf.from_arrow(table).select("image", "small", "e").write_parquet(tmp_path / "t.parquet")
    back = vf.read_parquet(tmp_path / "t.parquet").with_columns(
        {"again": embed_image(col("image"), model=model), "of_small": embed_image(col("small"), model=model)}
    ).to_arrow()  # fmt: skip
    assert back["again"].combine_chunks().to_pylist() == table["e"].combine_chunks().to_pylist()
    assert back["of_small"].null_count == 1


def test_many_batches_and_threads_read_the_types(tmp_path, model):
    """Files are read on worker threads, which ask Python for the types of their columns."""
    frame = vf.from_pydict({"i": range(200), "image": [noise(8, 9, seed=i) for i in range(200)]})
    pq.write_table(frame.to_arrow(), tmp_path / "t.parquet", row_group_size=7)
    read = vf.read_parquet(tmp_path / "t.parquet").with_column("e", embed_image(col("image"), model=model))
    assert read.where(col("e").not_null()).to_arrow(threads=4).num_rows == 200
    assert read.sort("i", desc=True).limit(3).select("e").to_arrow(threads=4)["e"].null_count == 0


def test_a_process_that_does_not_know_the_types_sees_storage(table, tmp_path):
    pq.write_table(table, tmp_path / "t.parquet")
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent("""
            import sys, pyarrow.parquet as pq
            schema = pq.read_table(sys.argv[1]).schema
            print([str(schema.field(n).type).split("<")[0] for n in ("image", "small", "e")])
            print(schema.field("image").metadata[b"ARROW:extension:name"].decode())
            import vecframe as vf
            table = vf.read_parquet(sys.argv[1]).to_arrow()  # registers them
            print(table.schema.field("e").type)
        """), str(tmp_path / "t.parquet")],
        capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == [
        "['struct', 'fixed_size_list', 'fixed_size_list']", "vecframe.image", "embedding[float32; 24]",
    ]  # fmt: skip


@pytest.mark.parametrize("facts", [b"", b"[]", b"{}", b"nonsense", b'{"mode": "XYZ", "height": -1}'])
def test_types_of_strangers_can_be_read(facts):
    """Whoever wrote such a type wrote storage that can still be read."""
    arrow_types.register()
    storage = pa.struct([("x", pa.int32())])
    field = pa.field("c", storage, metadata={"ARROW:extension:name": "vecframe.image", "ARROW:extension:metadata": facts})
    schema = pa.ipc.read_schema(pa.schema([field]).serialize())
    assert schema.field("c").type.storage_type == storage
    batch = pa.record_batch([pa.ExtensionArray.from_storage(schema.field("c").type, pa.array([{"x": 1}], storage))], schema)
    assert vf.from_arrow(batch).count() == 1


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (np.zeros((2, 3, 5), np.uint8), "shape (2, 3, 5) is no picture"),
        (np.zeros((2, 3), np.float32), "an array of float32"),
        (np.zeros((2, 2, 2, 3), np.uint8), "shape (2, 2, 2, 3) is no picture"),
        ("x", "a str is no picture"),
    ],
)
def test_what_is_no_picture_is_refused(value, words):
    with pytest.raises(vf.RequestError) as caught:
        vf.from_pydict({"pic": [noise(2, 3), value]})
    assert "column 'pic', row 1" in str(caught.value) and words in str(caught.value)


def test_the_native_schema_and_pyarrows_say_the_same():
    """Mode and size are written by two languages."""
    for expression in (col("image"), convert_image(col("image"), "LA"), resize(convert_image(col("image"), "L"), 4, 2)):
        table = vf.from_pydict({"image": [noise(4, 5)]}).select(expression.alias("x")).to_arrow()
        kind = table.schema.field("x").type
        again = type(kind)(kind.mode, kind.height, kind.width)
        assert again == kind and again.storage_type == kind.storage_type
