"""Functions of vectors and hashes, against numpy."""

import numpy as np
import pyarrow as pa
import pytest
import vecframe as vf
from vecframe import col
from vecframe.functions import (
    cosine_distance,
    cosine_similarity,
    decode_image,
    dot_product,
    download,
    embed_image,
    euclidean_distance,
    hamming_distance,
    image_hash,
    l2_normalize,
)

ROWS, LENGTH = 50, 37
KINDS = {"f16": pa.float16(), "f32": pa.float32(), "f64": pa.float64(), "i8": pa.int8()}


def expected(name, x, y):
    x, y = np.asarray(x, np.float64), np.asarray(y, np.float64)
    dot = (x * y).sum(-1)
    with np.errstate(invalid="ignore"):
        cosine = dot / (np.linalg.norm(x, axis=-1) * np.linalg.norm(y, axis=-1))
    return {
        "cosine_distance": 1 - cosine,
        "cosine_similarity": cosine,
        "dot_product": dot,
        "euclidean_distance": np.linalg.norm(x - y, axis=-1),
    }[name]


MEASURES = [cosine_distance, cosine_similarity, dot_product, euclidean_distance]


def vectors(seed, kind):
    values = np.random.default_rng(seed).normal(0, 3, (ROWS, LENGTH))
    return np.trunc(values * 10).astype(np.int8) if kind == "i8" else values.astype(KINDS[kind].to_pandas_dtype())


def column(values, kind, nulls=()):
    mask = pa.array([row in nulls for row in range(len(values))])
    return pa.FixedSizeListArray.from_arrays(pa.array(values.ravel(), KINDS[kind]), LENGTH, mask=mask)


@pytest.fixture()
def table():
    columns = {kind: column(vectors(seed, kind), kind, nulls=(3, 7)) for seed, kind in enumerate(KINDS)}
    columns["other"] = column(vectors(9, "f32"), "f32", nulls=(7, 11))
    return pa.table(columns)


@pytest.mark.parametrize("measure", MEASURES, ids=lambda measure: measure.__name__)
@pytest.mark.parametrize("kind", KINDS)
def test_columns_and_literals_agree_with_numpy(table, measure, kind):
    seed = list(KINDS).index(kind)
    query = vectors(20, "f32")[0]
    df = vf.from_arrow(table).select(
        measure(col(kind), col("other")).alias("both"),
        measure(col(kind), query).alias("array"),
        getattr(col(kind), measure.__name__)(query.tolist()).alias("list"),
        measure([0.1] * LENGTH, col(kind)).alias("first"),
    )
    assert {field.dtype for field in df.schema} == {"Float64"}
    got = df.to_arrow()
    x = vectors(seed, kind)
    for name, other, nulls in (
        ("both", vectors(9, "f32"), {3, 7, 11}),
        ("array", query, {3, 7}),
        ("list", query, {3, 7}),
        ("first", np.full(LENGTH, 0.1), {3, 7}),
    ):
        values = got[name].to_pylist()
        assert {row for row, value in enumerate(values) if value is None} == nulls
        want = expected(measure.__name__, x, other)
        for row, value in enumerate(values):
            if value is not None:
                assert value == pytest.approx(want[row], rel=1e-6, abs=1e-6)


def test_slices_and_nulls_inside_vectors():
    values = pa.array([[1.0, None], [3.0, 4.0], None, [0.0, 0.0]], pa.list_(pa.float32(), 2))
    table = pa.table({"v": pa.concat_arrays([values, values])}).slice(1, 6)
    got = vf.from_arrow(table).select(dot_product(col("v"), [1, 1]).alias("d")).to_arrow()["d"].to_pylist()
    assert got == [7.0, None, 0.0, None, 7.0, None]


def test_zero_vectors():
    df = vf.from_arrow(pa.table({"v": pa.array([[0.0, 0.0], [3.0, 4.0]], pa.list_(pa.float32(), 2))}))
    rows = df.select(cosine_distance(col("v"), [1, 0]).alias("d"), l2_normalize(col("v")).alias("u")).to_arrow()
    assert np.isnan(rows["d"][0].as_py())
    assert rows["d"][1].as_py() == pytest.approx(0.4)
    assert np.allclose(np.stack(rows["u"].to_numpy(zero_copy_only=False)), [[0, 0], [0.6, 0.8]])


@pytest.mark.parametrize("kind", KINDS)
def test_l2_normalize(table, kind):
    df = vf.from_arrow(table).select(l2_normalize(col(kind)).alias("u"))
    element = "Float16" if kind == "f16" else "Float32"
    assert df.schema["u"].dtype == f"Embedding[{element}; {LENGTH}]"
    x = vectors(list(KINDS).index(kind), kind).astype(np.float64)
    want = x / np.linalg.norm(x, axis=1, keepdims=True)
    got = df.to_arrow()["u"]
    assert [i for i, value in enumerate(got) if not value.is_valid] == [3, 7]
    rows = [i for i in range(ROWS) if i not in (3, 7)]
    values = np.stack(got.drop_null().to_numpy(zero_copy_only=False))
    assert np.abs(values - want[rows]).max() < (1e-3 if kind == "f16" else 1e-6)


def test_of_embeddings_in_conditions_and_order(photos, model):
    df = vf.read_images(photos).with_column("e", embed_image(col("image"), model=model))
    query = df.limit(1).select("e").to_arrow()["e"].to_numpy(zero_copy_only=False)[0]
    near = df.with_column("d", cosine_distance(col("e"), query)).sort("d").select("path", "d").to_arrow()
    assert near["path"][0].as_py().endswith("a/1.jpg")
    assert near["d"][0].as_py() == pytest.approx(0, abs=1e-6)
    assert near["d"].to_pylist() == sorted(near["d"].to_pylist())
    assert df.where(cosine_similarity(col("e"), query) > 0.999999).count() == 1
    # Also of vectors that are no column, and of functions of them.
    direct = df.select(dot_product(l2_normalize(col("e")), l2_normalize(embed_image(col("image"), model=model))).alias("x"))
    assert np.allclose(direct.to_arrow()["x"].to_numpy(), 1)


def test_two_queries_of_one_length_are_two_columns():
    values = np.eye(16, dtype=np.float32)
    df = vf.from_arrow(pa.table({"v": pa.FixedSizeListArray.from_arrays(values.ravel(), 16)}))
    rows = df.select(dot_product(col("v"), values[0]).alias("a"), dot_product(col("v"), values[1]).alias("b")).to_arrow()
    assert rows["a"].to_pylist()[:2] == [1, 0]
    assert rows["b"].to_pylist()[:2] == [0, 1]


def test_hamming_distance():
    hashes = [b"\x00" * 9, b"\xff" * 9, None, b"\x01\x02\x04" * 3]
    df = vf.from_arrow(pa.table({"h": pa.array(hashes, pa.binary(9))}))
    rows = df.select(
        hamming_distance(col("h"), b"\x00" * 9).alias("zero"),
        col("h").hamming_distance(b"\xff" * 9).alias("ones"),
        hamming_distance(col("h"), col("h")).alias("same"),
    )
    assert rows.schema["zero"].dtype == "UInt32"
    assert rows.to_arrow()["zero"].to_pylist() == [0, 72, None, 9]
    assert rows.to_arrow()["ones"].to_pylist() == [72, 0, None, 63]
    assert rows.to_arrow()["same"].to_pylist() == [0, 0, None, 0]


def test_hashes_of_pictures(photos):
    df = vf.from_glob_path(f"{photos}/**/*.png").with_column("h", image_hash(decode_image(download(col("path")))))
    first = df.limit(1).to_arrow()["h"][0].as_py()
    distances = df.select(hamming_distance(col("h"), first).alias("d")).to_arrow()["d"].to_pylist()
    assert distances[0] == 0
    assert max(distances) > 0


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: cosine_distance(col("f32"), [1, 2]), 'instead got 37 and 2'),
        (lambda: cosine_distance(col("f32"), [1, 2]), "Expected source and query to have the same size"),
        (lambda: dot_product(col("text"), col("f32")), 'argument col("text") of type String is no vector'),
        (lambda: dot_product(col("f32"), 3), "argument 3 is no vector"),
        (lambda: dot_product([1, 2], [1, 2]), "no argument is a column"),
        (lambda: l2_normalize(col("hash")), "is no vector"),
        (lambda: hamming_distance(col("hash"), b"12"), "have 4 and 2 bytes"),
        (lambda: hamming_distance(col("hash"), col("f32")), "is no hash"),
        (lambda: hamming_distance(col("hash"), [300, 1, 1, 1]), "is no hash"),
        (lambda: cosine_distance(col("othre"), [1]), "did you mean 'other'?"),
        (lambda: cosine_distance(col("f32"), "text"), "is no vector"),
    ],
)
def test_wrong_vectors_are_refused_as_the_plan_is_built(table, make, words):
    df = vf.from_arrow(table.append_column("text", pa.array(["x"] * ROWS))
                       .append_column("hash", pa.array([b"1234"] * ROWS, pa.binary(4))))
    with pytest.raises(vf.RequestError) as caught:
        df.with_column("x", make())
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)
