"""Dataframes of any table: relational operations, functions of pictures, and their order and types."""

import io

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import vecframe as vf
from PIL import Image
from pictures import save_picture
from vecframe import col, lit
from vecframe.functions import (
    convert_image,
    crop,
    decode_image,
    download,
    embed_image,
    encode_image,
    image_hash,
    image_height,
    image_mode,
    image_width,
    resize,
)


@pytest.fixture()
def products(tmp_path):
    """Eight rows: six pictures, a broken file, and a null."""
    for i in range(6):
        save_picture(tmp_path / f"{i}.png", i)
    (tmp_path / "bad.png").write_bytes(b"no picture")
    urls = [str(tmp_path / f"{i}.png") for i in range(6)] + [str(tmp_path / "bad.png"), None]
    return vf.from_pydict({"sku": list(range(8)), "url": urls, "price": [1.5, 2.5, None, 4.0, 5.0, 6.0, 7.0, 8.0]})


@pytest.fixture()
def pictures(products):
    return products.with_column("image", decode_image(download(col("url")), on_error="null"))


def vectors_of(table, column="embedding"):
    return np.stack(table[column].drop_null().to_numpy(zero_copy_only=False))


def test_the_documented_chain(tmp_path, photos, model):
    df = (
        vf.from_glob_path(f"{photos}/**/*.png")
        .with_column("image_bytes", col("path").download())
        .with_column("image_type", decode_image(col("image_bytes")))
        .with_column("image_resized", col("image_type").convert_image("RGB").resize(288, 288))
        .with_column("image_embeddings", embed_image(col("image_resized"), provider="transformers", model=model))
    )
    assert [(field.name, field.dtype) for field in df.schema] == [
        ("path", "String"),
        ("size", "Int64"),
        ("num_rows", "Int64"),
        ("image_bytes", "Binary"),
        ("image_type", "Image[RGB]"),
        ("image_resized", "Image[RGB; 288 x 288]"),
        ("image_embeddings", "Embedding[Float32; 24]"),
    ]
    table = df.select("path", "size", "image_embeddings").to_arrow()
    assert table.num_rows == 3
    assert table["size"].to_pylist() == [len(open(path, "rb").read()) for path in table["path"].to_pylist()]
    assert vectors_of(table, "image_embeddings").shape == (3, 24)


def test_a_chain_embeds_as_read_images_does(photos, model):
    chain = vf.from_glob_path(str(photos)).with_column(
        "embedding", embed_image(decode_image(download(col("path"))), model=model)
    )
    direct = vf.read_images(photos).with_column("embedding", embed_image(col("image"), model=model))
    assert np.array_equal(vectors_of(chain.to_arrow()), vectors_of(direct.to_arrow()))


def test_a_bad_picture_costs_one_row(pictures, model):
    df = pictures.with_column("embedding", embed_image(col("image"), model=model, error_column="error"))
    rows = df.select("sku", "embedding", "error").to_pylist()
    assert [row["embedding"] is None for row in rows] == [False] * 6 + [True, True]
    assert [row["error"] for row in rows[:6]] == [None] * 6
    assert rows[6]["error"].startswith("decode/unknown_format")
    assert rows[7]["error"] is None  # a null picture is no failure


def test_raise_names_the_file(products):
    df = products.with_column("image", decode_image(download(col("url")))).with_column("w", image_width(col("image")))
    with pytest.raises(vf.RunError, match=r"bad\.png: decode/unknown_format"):
        df.select("w").to_arrow()
    missing = vf.from_pydict({"url": ["/nowhere.png"]}).with_column("b", download(col("url")))
    with pytest.raises(vf.RunError, match="/nowhere.png: read/not_found"):
        missing.to_arrow()
    assert vf.from_pydict({"url": ["/nowhere.png"]}).with_column("b", download(col("url"), on_error="null")).to_pylist()[
        0
    ]["b"] is None


def test_two_models_in_one_plan(pictures, model):
    df = pictures.with_column("a", embed_image(col("image"), model=model)).with_column(
        "b", embed_image(col("image"), model=model, dimensions=7, normalize=True)
    )
    table = df.select("a", "b").to_arrow()
    a, b = vectors_of(table, "a"), vectors_of(table, "b")
    assert np.allclose(b, a[:, :7] / np.linalg.norm(a[:, :7], axis=1, keepdims=True), atol=1e-6)


def test_where_keeps_rows_and_comes_before_the_model(pictures, model):
    df = pictures.with_column("embedding", embed_image(col("image"), model=model))
    kept = df.where((col("sku") > 1) & (col("price") < 6) & col("url").not_null()).select("sku", "embedding")
    assert kept.to_arrow()["sku"].to_pylist() == [3, 4]
    assert df.where(col("embedding").is_null()).select("sku").to_arrow()["sku"].to_pylist() == [6, 7]
    assert df.where(~(col("sku") == 0)).count() == 7
    # A row that is left out is not decoded: its failure would end the run.
    strict = pictures.with_column("w", image_width(decode_image(download(col("url")))))
    assert strict.where(col("sku") < 6).select("w").to_arrow().num_rows == 6
    assert strict.limit(3).select("w").to_arrow().num_rows == 3


def test_expressions_of_columns(products):
    rows = products.select(
        (col("sku") + 1).alias("next"),
        (col("price") * 2).alias("double"),
        (col("sku") == 3).alias("three"),
        col("url").ends_with("bad.png").alias("bad"),
        col("sku").is_in([1, 4]).alias("some"),
        lit("x").alias("x"),
    ).to_pylist()
    assert [row["next"] for row in rows] == list(range(1, 9))
    assert rows[1]["double"] == 5.0
    assert rows[2]["double"] is None
    assert [row["three"] for row in rows] == [False] * 3 + [True] + [False] * 4
    assert [row["bad"] for row in rows] == [False] * 6 + [True, None]
    assert [i for i, row in enumerate(rows) if row["some"]] == [1, 4]
    assert {row["x"] for row in rows} == {"x"}


def test_a_where_may_look_into_pictures(pictures):
    heights = {row["sku"]: row["h"] for row in pictures.select("sku", image_height(col("image")).alias("h")).to_pylist()}
    limit = sorted(height for height in heights.values() if height)[2]
    got = pictures.where(image_height(col("image")) > limit).select("sku").to_arrow()["sku"].to_pylist()
    assert got == [sku for sku, height in heights.items() if height and height > limit]


def test_sort_sample_concat_drop_nulls(products):
    assert products.sort("price", desc=True).select("sku").to_arrow()["sku"].to_pylist() == [7, 6, 5, 4, 3, 1, 0, 2]
    assert products.sort(["price"], nulls_first=True).limit(1).select("sku").to_pylist() == [{"sku": 2}]
    assert products.concat(products).count() == 16
    assert products.concat(products).limit(9).to_arrow()["sku"].to_pylist() == [*range(8), 0]
    assert products.drop_nulls("price").count() == 7
    assert products.drop_nulls().count() == 6
    sample = products.sample(size=3, seed=5)
    assert sample.count() == 3
    assert sample.to_pylist() == sample.to_pylist()
    assert products.sample(0.0).count() == 0
    assert products.sample(1.0).count() == 8


def test_names(products):
    assert products.exclude("url", "price").schema.names == ["sku"]
    assert products.rename({"sku": "SKU"}).schema.names == ["SKU", "url", "price"]
    assert products.with_columns({"a": col("sku"), "b": col("a") + 1}).select("b").to_arrow()["b"].to_pylist() == list(
        range(1, 9)
    )
    assert products.select("price", "sku").schema.names == ["price", "sku"]
    # A column in the place of another one of its name, and the old one still used by what came before.
    df = products.with_column("x", col("sku") * 10).with_column("sku", col("price"))
    assert df.select("sku", "x").to_pylist()[3] == {"sku": 4.0, "x": 30}


def test_pictures_as_columns(pictures, tmp_path):
    df = pictures.select(
        "sku",
        "image",
        convert_image(col("image"), "L").alias("gray"),
        resize(col("image"), 8, 6).alias("small"),
        crop(col("image"), (1, 2, 5, 4)).alias("part"),
        crop(col("image"), (10_000, 0, 5, 4)).alias("outside"),
        encode_image(col("image"), "PNG").alias("png"),
        image_hash(col("image")).alias("hash"),
        image_mode(col("image")).alias("mode"),
    )
    assert [field.dtype for field in df.schema] == [
        "Int64", "Image[RGB]", "Image[L]", "Image[RGB; 6 x 8]", "Image[RGB]", "Image[RGB]", "Binary",
        "Binary[8]", "UInt32",
    ]  # fmt: skip
    df.write_parquet(tmp_path / "out.parquet")
    back = vf.read_parquet(tmp_path / "out.parquet")
    assert back.schema == df.schema
    assert back.to_arrow().equals(df.to_arrow())
    rows = back.to_pylist()
    with Image.open(io.BytesIO(rows[0]["png"])) as picture:
        original = np.asarray(picture)
    assert np.array_equal(rows[0]["image"], original)
    assert np.array_equal(rows[0]["part"], original[2:6, 1:6])
    assert np.array_equal(rows[0]["gray"][..., 0], np.asarray(Image.fromarray(original).convert("L")))
    assert rows[0]["small"].shape == (6, 8, 3)
    assert rows[0]["outside"] is None
    assert rows[6]["image"] is None
    assert rows[6]["hash"] is None
    # Readers that do not know the types see their storage.
    assert pa.types.is_struct(pq.read_schema(tmp_path / "out.parquet").field("image").type.storage_type)


def test_stored_pictures_are_embedded_as_the_files(pictures, model, tmp_path):
    pictures.select("sku", "image").write_parquet(tmp_path / "stored.parquet")
    stored = vf.read_parquet(tmp_path / "stored.parquet").with_column("embedding", embed_image(col("image"), model=model))
    direct = pictures.with_column("embedding", embed_image(col("image"), model=model))
    assert np.array_equal(vectors_of(stored.to_arrow()), vectors_of(direct.select("embedding").to_arrow()))


def test_columns_of_other_types_pass_unharmed(tmp_path):
    table = pa.table(
        {
            "when": pa.array([0, None, 86_400_000_000], pa.timestamp("us", "UTC")),
            "large": pa.array(["a", None, "ccc"], pa.large_string()),
            "view": pa.array(["a" * 40, None, "c"], pa.string_view()),
            "list": pa.array([[1, 2], [], None], pa.list_(pa.int16())),
            "decimal": pa.array([None, "1.50", "2.25"]).cast(pa.decimal128(9, 2)),
            "dict": pa.array(["x", "y", "x"]).dictionary_encode(),
        }
    )
    df = vf.from_arrow(table).with_column("n", col("large").length())
    assert df.exclude("n").to_arrow().equals(table.cast(table.schema), check_metadata=False)
    df.write_parquet(tmp_path / "t.parquet")
    assert vf.read_parquet(tmp_path / "t.parquet").to_pylist() == df.to_pylist()
    assert df.where(col("when").is_null()).to_pylist()[0]["decimal"] is not None
    assert df.sort("large", desc=True).select("n").to_pylist() == [{"n": 3}, {"n": 1}, {"n": None}]


def test_large_strings_and_views_are_paths_too(photos, model):
    paths = [str(path) for path in sorted(photos.rglob("*.png"))]
    for kind in (pa.string(), pa.large_string(), pa.string_view()):
        df = vf.from_arrow(pa.table({"url": pa.array(paths, kind)}))
        table = df.with_column("e", embed_image(decode_image(download(col("url"))), model=model)).to_arrow()
        assert table["e"].null_count == 0
    for kind in (pa.binary(), pa.large_binary(), pa.binary_view()):
        blobs = pa.array([open(path, "rb").read() for path in paths], kind)
        df = vf.from_arrow(pa.table({"blob": blobs}))
        assert df.with_column("e", embed_image(decode_image(col("blob")), model=model)).to_arrow()["e"].null_count == 0


def test_empty_tables(model):
    empty = vf.from_arrow(pa.table({"url": pa.array([], pa.string())}))
    df = empty.with_column("e", embed_image(decode_image(download(col("url"))), model=model))
    assert df.to_arrow().num_rows == 0
    assert str(df.to_arrow().schema.field("e").type.storage_type).startswith("fixed_size_list")
    assert df.count() == 0
    assert df.sort("url").where(col("url") == "x").sample(0.5).to_arrow().num_rows == 0


@pytest.mark.parametrize("threads", [1, 3])
@pytest.mark.parametrize("rows", [1, 7, 1000])
def test_morsels_and_threads_do_not_change_the_result(photos, model, threads, rows):
    paths = [str(path) for path in sorted(photos.rglob("*.png"))] * 9
    table = pa.Table.from_batches(pa.table({"url": paths, "i": range(len(paths))}).to_batches(max_chunksize=rows))
    df = vf.from_arrow(table).with_column("e", embed_image(decode_image(download(col("url"))), model=model))
    got = df.where(col("i") % 2 == 0 if hasattr(col("i"), "__mod__") else col("i") >= 0).to_arrow(threads=threads)
    assert got["i"].to_pylist() == list(range(len(paths)))
    vectors = vectors_of(got, "e")
    assert np.abs(vectors - np.tile(vectors[:3], (9, 1))).max() < 1e-5


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda df: df.where(col("sku") + 1), "where: (col(\"sku\") + 1) has type Int64, but a Boolean is needed"),
        (lambda df: df.where(col("skuu") > 1), "did you mean 'sku'?"),
        (lambda df: df.with_column("x", decode_image(col("sku"))), "has type Int64, but Binary is needed"),
        (lambda df: df.with_column("x", resize(col("url"), 3, 4)), "has type String, but an Image is needed"),
        (lambda df: df.where(col("url") > 3), "url"),
        (lambda df: df.select(col("sku") + 1), "has no name"),
        (lambda df: df.concat(df.exclude("sku")), "concat: the two dataframes have different columns"),
        (lambda df: df.sample(), "sample: give either a fraction or a number of rows"),
        (lambda df: df.sample(2.0), "fraction=2 is out of range"),
        (lambda df: df.sort("nope"), "column 'nope' does not exist"),
        (lambda df: df.rename({"nope": "x"}), "column 'nope' does not exist"),
        (lambda df: df.exclude("skuu"), "did you mean 'sku'?"),
        (lambda df: bool(col("sku") == 1), "has no truth value"),
        (lambda df: df.with_column(
            "x", decode_image(download(col("url")), on_error="ignore")), "Invalid on_error value: ignore"),
        (lambda df: df.with_column("x", convert_image(decode_image(download(col("url"))), "CMYK")), "mode 'CMYK'"),
        (lambda df: df.with_column("x", encode_image(decode_image(download(col("url"))), "jxl")), "format='jxl'"),
        (lambda df: df.with_column(
            "x", image_hash(decode_image(download(col("url"))), "whash", hash_size=6)), "power of 2"),
        (lambda df: crop(col("image"), (1, 2, 3)), "Expected `bbox` to be either a tuple of 4 ints or an Expression"),
        (lambda df: vf.from_arrow([1, 2]), "has no Arrow stream"),
        (lambda df: vf.read_parquet("/nowhere.parquet"), "/nowhere.parquet"),
        (lambda df: lit(object()), "lit: a value of type object"),
    ],
)
def test_wrong_requests_fail_as_the_plan_is_built(products, make, words):
    with pytest.raises(vf.RequestError) as caught:
        make(products)
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


def test_show_draws_every_type(pictures, capsys):
    pictures.with_column("ok", col("price") > 2).with_column("bytes", download(col("url"), on_error="null")).show()
    drawn = capsys.readouterr().out
    assert "Image[RGB]" in drawn
    assert "true" in drawn
    assert "bytes>" in drawn
    assert "?" not in drawn


def test_arrow_both_ways(products):
    assert sum(batch.num_rows for batch in products.iter_batches(3)) == 8
    assert products.collect().count() == 8
    assert pa.table(products).num_rows == 8  # the PyCapsule interface


def test_pandas_both_ways(products):
    pandas = pytest.importorskip("pandas", reason="pandas is not installed")
    assert products.to_pandas().shape == (8, 3)
    assert vf.from_pandas(pandas.DataFrame({"a": [1, 2]})).count() == 2


def test_text_columns_of_any_table(tmp_path):
    from vecframe.functions import embed_text

    folder = str(__import__("pathlib").Path(__file__).resolve().parents[1] / "golden" / "texts" / "clip_text")
    texts = ["a cat", None, "", "a dog"]
    df = vf.from_pydict({"caption": texts}).with_column("e", embed_text(col("caption"), model=folder))
    got = df.to_arrow()["e"]
    assert [value is None for value in got.to_pylist()] == [False, True, False, False]
    lines = tmp_path / "t.txt"
    lines.write_text("a cat\n\na dog\n")
    direct = vf.read_texts(lines).with_column("e", embed_text(col("text"), model=folder)).to_arrow()["e"]
    assert np.array_equal(
        np.stack(got.drop_null().to_numpy(zero_copy_only=False)), np.stack(direct.to_numpy(zero_copy_only=False))
    )
