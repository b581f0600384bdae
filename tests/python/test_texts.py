"""Texts as rows and embed_text, on tiny text towers whose reference vectors are known."""

import json
import os
import pathlib
import subprocess
import sys

import numpy as np
import pyarrow.parquet as pq
import pytest
import vecframe as vf
from vecframe.functions import embed_image, embed_text

TEXTS = pathlib.Path(__file__).resolve().parents[2] / "tests" / "golden" / "texts"


@pytest.fixture(scope="module", params=["clip_text", "siglip2", "aimv2"])
def golden(request):
    folder = TEXTS / request.param
    golden = json.loads((folder / "golden.json").read_text())
    one_line = [i for i, text in enumerate(golden["texts"]) if "\n" not in text and not text.endswith("\r")]
    golden["texts"] = [golden["texts"][i] for i in one_line]
    golden["embeddings"] = np.array([golden["embeddings"][i] for i in one_line], np.float32)
    assert len(one_line) > 50
    return str(folder), golden


@pytest.fixture()
def texts_file(tmp_path, golden):
    path = tmp_path / "texts.txt"
    path.write_bytes("".join(text + "\n" for text in golden[1]["texts"]).encode())
    return path


def vectors_of(table):
    return np.stack(table["embedding"].to_numpy(zero_copy_only=False))


def test_texts_get_the_vectors_of_the_reference(golden, texts_file):
    model, expected = golden
    df = vf.read_texts(texts_file).with_column("embedding", embed_text(vf.col("text"), model=model))
    assert [field.name for field in df.schema] == ["text", "embedding"]
    assert str(df.schema["embedding"].dtype) == f"Embedding[Float32; {expected['embeddings'].shape[1]}]"
    table = df.to_arrow()
    assert table["text"].to_pylist() == expected["texts"]
    assert np.abs(vectors_of(table) - expected["embeddings"]).max() < 1e-4


def test_dimensions_normalize_and_dtype(golden, texts_file):
    model, expected = golden
    call = embed_text(vf.col("text"), model=model, dimensions=8, normalize=True, dtype="float16")
    table = vf.read_texts(texts_file).with_column("embedding", call).to_arrow()
    kept = expected["embeddings"][:, :8]
    kept = kept / np.linalg.norm(kept, axis=1, keepdims=True)
    assert vectors_of(table).dtype == np.float16
    assert np.abs(vectors_of(table).astype(np.float32) - kept).max() < 1e-3


def test_bf16_points_the_same_way(golden, texts_file):
    model, expected = golden
    call = embed_text(vf.col("text"), model=model, precision="bf16", normalize=True)
    got = vectors_of(vf.read_texts(texts_file).with_column("embedding", call).to_arrow())
    unit = expected["embeddings"] / np.linalg.norm(expected["embeddings"], axis=1, keepdims=True)
    assert (got * unit).sum(1).min() > 0.99


def test_batches_and_threads_do_not_change_a_vector(golden, texts_file):
    model, _ = golden
    results = []
    for batch_size, threads in ((None, 0), (1, 1), (7, 3)):
        call = embed_text(vf.col("text"), model=model, batch_size=batch_size)
        results.append(vectors_of(vf.read_texts(texts_file).with_column("embedding", call).to_arrow(threads=threads)))
    assert np.abs(results[1] - results[0]).max() < 1e-5
    assert np.abs(results[2] - results[0]).max() < 1e-5


def test_a_line_that_is_no_text_costs_one_row(tmp_path):
    path = tmp_path / "texts.txt"
    path.write_bytes(b"\xef\xbb\xbfa cat\r\n\r\nbad \xff byte\na dog")
    call = embed_text(vf.col("text"), model=str(TEXTS / "clip_text"), on_error="ignore", error_column="error")
    table = vf.read_texts(path).with_column("embedding", call).to_arrow()
    assert table["text"].to_pylist() == ["a cat", "", "bad \ufffd byte", "a dog"]
    assert table["error"].to_pylist() == [None, None, "read/corrupt: the line is not UTF-8", None]
    assert [value is None for value in table["embedding"].to_pylist()] == [False, False, True, False]
    with pytest.raises(vf.RunError, match=r"texts.txt:3: read/corrupt: the line is not UTF-8"):
        vf.read_texts(path).with_column("e", embed_text(vf.col("text"), model=str(TEXTS / "clip_text"))).to_arrow()


def test_a_parquet_file_of_texts_tells_its_model(golden, texts_file, tmp_path):
    model, expected = golden
    df = vf.read_texts(str(texts_file)).with_column("embedding", embed_text(vf.col("text"), model=model))
    report = df.write_parquet(tmp_path / "out.parquet")
    assert report.rows == len(expected["texts"])
    metadata = pq.read_schema(tmp_path / "out.parquet").metadata
    assert metadata[b"vecframe.model"] == model.encode()
    assert b"vecframe.processor_fingerprint" in metadata
    assert b"vecframe.orientation" not in metadata
    summary = vf.inspect(str(tmp_path / "out.parquet"))
    assert summary.rows == len(expected["texts"])


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: vf.read_texts("/nowhere.txt"), "'/nowhere.txt' cannot be read"),
        (lambda: vf.read_texts("/tmp"), "is a directory"),
        (lambda: embed_text(vf.col("text"), model="builtin:efficientnet-lite0"), "embeds pictures only"),
        (lambda: embed_text(vf.col("text"), model=str(TEXTS / "clip_text"), pooling="cls"), "unknown option 'pooling'"),
        (lambda: embed_text(vf.col("text"), model=str(TEXTS / "clip_text"), dimensions=4096), "dimensions: 4096"),
        (lambda: embed_text(vf.col("text"), model=str(TEXTS / "clip_text"), dtype="float64"), "dtype: 'float64'"),
        (lambda: embed_text("text", model=str(TEXTS / "clip_text")), "give an expression"),
    ],
)
def test_wrong_requests_are_one_line(make, words):
    with pytest.raises(vf.RequestError) as caught:
        make()
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_model_of_pictures_alone_has_no_texts(model):
    folder = TEXTS.parent / "models" / "dinov2"
    with pytest.raises(vf.RequestError, match="text"):
        embed_text(vf.col("text"), model=str(folder))


def test_columns_must_fit_their_function(photos, model, tmp_path):
    texts = tmp_path / "t.txt"
    texts.write_text("a\n")
    with pytest.raises(vf.RequestError, match="type String, but an Image is needed"):
        vf.read_texts(texts).with_column("e", embed_image(vf.col("text"), model=model))
    with pytest.raises(vf.RequestError, match="but a String is needed"):
        vf.read_images(photos).with_column("e", embed_text(vf.col("image"), model=str(TEXTS / "clip_text")))


def test_standard_input_is_read_as_it_comes(tmp_path):
    program = (
        "import sys, vecframe as vf\n"
        "from vecframe.functions import embed_text\n"
        f"e = embed_text(vf.col('text'), model={str(TEXTS / 'clip_text')!r})\n"
        "print(vf.read_texts('-').with_column('e', e).to_arrow().num_rows)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], input=b"one\ntwo\n\nfour", capture_output=True, env=os.environ, timeout=120
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == b"4"
