"""Plans over columns of nothing but nulls, of the same names, of no and of one row."""

import pyarrow as pa
import pytest
import vecframe as vf
from vecframe import col, lit
from vecframe.functions import decode_image, dot_product, download, image_hash, l2_normalize, resize


@pytest.fixture()
def nulls():
    """Two rows; column `a` has not even a type."""
    return vf.from_pydict({"a": [None, None], "b": [1, None]})


def values(df, name="x"):
    return df.to_arrow()[name].to_pylist()


def test_columns_of_nulls(nulls):
    assert [field.dtype for field in nulls.schema] == ["Null", "Int64"]
    assert nulls.where(col("a") == 1).count() == 0
    assert nulls.drop_nulls("a").count() == 0
    assert values(nulls.sort("a"), "b") == [1, None]
    assert values(nulls.with_column("x", col("a") + 1)) == [None, None]
    assert values(nulls.with_column("x", col("a").length())) == [None, None]
    assert values(nulls.with_column("x", lit(None))) == [None, None]
    assert vf.DataFrame.from_json(nulls.to_json()).to_arrow().equals(nulls.to_arrow())
    vectors = vf.from_arrow(pa.table({"v": pa.array([None, None], pa.list_(pa.float32(), 2))}))
    assert values(vectors.with_column("x", dot_product(col("v"), [1, 2]))) == [None, None]
    assert values(vectors.with_column("x", l2_normalize(col("v")))) == [None, None]
    urls = vf.from_arrow(pa.table({"u": pa.array([None, None], pa.string())}))
    hashes = urls.with_column("x", image_hash(resize(decode_image(download(col("u"))), 8, 8)))
    assert values(hashes) == [None, None]


@pytest.mark.parametrize("rows", [[], [7], [None]])
def test_frames_of_no_and_of_one_row(rows):
    df = vf.from_arrow(pa.table({"a": pa.array(rows, pa.int64()), "v": pa.array([[1.0]] * len(rows), pa.list_(pa.float32(), 1))}))
    changed = (
        df.with_column("x", dot_product(col("v"), [2]) + col("a"))
        .concat(df.with_column("x", lit(0.0)))
        .sort("x")
        .sample(size=9)
        .limit(5)
        .rename({"a": "b"})
    )
    assert changed.schema.names == ["b", "v", "x"]
    assert changed.count() == 2 * len(rows)
    assert len(values(changed)) == 2 * len(rows)
    assert sum(batch.num_rows for batch in changed.iter_batches()) == 2 * len(rows)


def test_a_literal_is_an_argument_like_a_column(nulls):
    assert values(nulls.with_column("x", lit("/no/such.png").download(on_error="null"))) == [None, None]
    assert nulls.select(lit(3).alias("c")).limit(1).to_arrow()["c"].to_pylist() == [3]


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda df: df.rename({"a": "b"}), "column 'b' is named twice"),
        (lambda df: df.select("a", col("b").alias("a")), "column 'a' is named twice"),
        (lambda df: vf.from_arrow(pa.table([[1], [2]], names=["x", "x"])), "two columns are named 'x'"),
        (lambda df: df.concat(df.select("b", "a")), "'a' and 'b'"),
        (lambda df: df.concat(df.select("a")), "the first has 'b' besides"),
        (lambda df: df.concat(df.with_column("b", col("b").is_null())), "'b' is Int64 and Boolean"),
        (lambda df: df.where(col("b") == "x"), "Int64 and String cannot be compared"),
        (lambda df: df.with_column("x", col("bb") + 1), "did you mean 'b'?"),
        (lambda df: df.with_column("x", decode_image(col("a"))), 'col("a") has type Null, but Binary is needed'),
        (lambda df: df.with_column("x", resize(col("b"), 1, 2)), 'col("b") has type Int64, but an Image is needed'),
        (lambda df: df.with_column("x", lit([1.0, 2.0])), "is a vector"),
    ],
)
def test_wrong_requests_name_column_and_type(nulls, make, words):
    with pytest.raises(vf.RequestError) as caught:
        make(nulls)
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


def test_two_columns_of_one_name_in_a_file(tmp_path):
    import pyarrow.parquet as pq

    pq.write_table(pa.table([[1], [2]], names=["x", "x"]), tmp_path / "twice.parquet")
    with pytest.raises(vf.RequestError, match="two columns are named 'x'"):
        vf.read_parquet(tmp_path / "twice.parquet")
