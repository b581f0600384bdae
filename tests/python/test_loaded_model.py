"""load_model(): one picture or text at a time, with the vectors that a dataframe gives."""

import pathlib
import threading

import numpy as np
import pytest
import vecframe as vf
from vecframe.functions import embed_image, embed_text

TEXT_MODEL = str(pathlib.Path(__file__).resolve().parents[2] / "tests/golden/texts/clip_text")


def vectors_of(frame):
    return np.array(frame.to_pydict()["embedding"], np.float32)


def test_a_picture_has_the_vector_of_a_run(model, photos):
    paths = [str(photos / name) for name in ("a/1.jpg", "c.png", "z.jpg")]
    want = vectors_of(vf.read_images(paths).with_column("embedding", embed_image(vf.col("image"), model=model)))
    for threads in (1, 2):
        loaded = vf.load_model(model, threads=threads)
        assert loaded.dimension == want.shape[1]
        for path, vector in zip(paths, want, strict=True):
            got = loaded.embed_image(path)
            assert got.dtype == np.float32
            assert np.array_equal(got, vector)
            assert np.array_equal(loaded.embed_image(pathlib.Path(path).read_bytes()), vector)


def test_what_is_kept_of_a_vector(model, photos):
    path = photos / "z.jpg"
    whole = vf.load_model(model).embed_image(path)
    part = vf.load_model(model, dimensions=10, normalize=True).embed_image(path)
    assert np.allclose(part, whole[:10] / np.linalg.norm(whole[:10]), atol=1e-6)


def test_wrong_requests(model):
    loaded = vf.load_model(model)
    with pytest.raises(vf.RequestError, match="decode/"):
        loaded.embed_image(b"no picture at all")
    with pytest.raises(vf.RequestError, match="image: int"):
        loaded.embed_image(3)
    with pytest.raises(vf.RequestError, match="threads: -1 is negative"):
        vf.load_model(model, threads=-1)
    with pytest.raises(vf.RequestError, match="precision"):
        vf.load_model(model, precison="bf16")
    with pytest.raises(vf.RequestError, match="dimensions: 100000"):
        vf.load_model(model, dimensions=100000)
    with pytest.raises(vf.RequestError, match="text"):
        vf.load_model("builtin:efficientnet-lite0").embed_text("a shoe")
    with pytest.raises(vf.RequestError, match="openai"):
        vf.load_model(provider="openai")


def test_threads_share_a_model(model, photos):
    path = photos / "z.jpg"
    loaded = vf.load_model(model)
    want, got = loaded.embed_image(path), []
    threads = [threading.Thread(target=lambda: got.append(loaded.embed_image(path))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(got) == 4
    assert all(np.array_equal(vector, want) for vector in got)


def test_a_text_has_the_vector_of_a_run():
    texts = ["a red shoe", "two dogs in the snow"]
    frame = vf.from_pydict({"text": texts}).with_column("embedding", embed_text(vf.col("text"), model=TEXT_MODEL))
    loaded = vf.load_model(TEXT_MODEL)
    for text, vector in zip(texts, vectors_of(frame), strict=True):
        assert np.array_equal(loaded.embed_text(text), vector)
