"""Fewer rows than cores share the cores: the vectors are those of one row on one thread."""

import pathlib

import numpy as np
import pytest
import vecframe as vf
from pictures import save_picture
from vecframe.functions import decode_image, download, embed_image, embed_text

TEXT_MODEL = str(pathlib.Path(__file__).resolve().parents[2] / "tests/golden/texts/clip_text")
COUNTS = [1, 2, 3, 7]
TEXTS = ["a shoe", "two red shoes on a table", "", "x", "a dress", "the same dress, in blue", "nothing at all"]


@pytest.fixture()
def paths(tmp_path):
    paths = [tmp_path / f"{seed}.jpg" for seed in range(max(COUNTS))]
    for seed, path in enumerate(paths):
        save_picture(path, seed)
    return [str(path) for path in paths]


def vectors_of(frame, threads):
    return np.array(frame.to_arrow(threads=threads)["embedding"].to_pylist(), np.float32)


@pytest.mark.parametrize("precision", ["fp32", "bf16", "int8"])
@pytest.mark.parametrize("threads", [1, 2, 4])
def test_pictures(paths, model, threads, precision):
    loaded = vf.load_model(model, threads=1, precision=precision)
    want = np.array([loaded.embed_image(path) for path in paths])
    for count in COUNTS:
        rows = vf.from_pydict({"path": paths[:count]})
        picture = decode_image(download(vf.col("path")))
        of_rows = rows.with_column("embedding", embed_image(picture, model=model, precision=precision))
        assert np.array_equal(vectors_of(of_rows, threads), want[:count])
        of_files = vf.read_images(paths[:count]).with_column(
            "embedding", embed_image(vf.col("image"), model=model, precision=precision)
        )
        assert np.array_equal(vectors_of(of_files, threads), want[:count])


@pytest.mark.parametrize("threads", [1, 2, 4])
def test_texts(threads):
    loaded = vf.load_model(TEXT_MODEL, threads=1)
    want = np.array([loaded.embed_text(text) for text in TEXTS])
    for count in COUNTS:
        rows = vf.from_pydict({"text": TEXTS[:count]})
        frame = rows.with_column("embedding", embed_text(vf.col("text"), model=TEXT_MODEL))
        assert np.array_equal(vectors_of(frame, threads), want[:count])
