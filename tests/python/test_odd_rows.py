"""Odd pictures and odd tables: each costs at most its own row."""

import io

import numpy as np
import pyarrow as pa
import pytest
import vecframe as vf
from PIL import Image
from vecframe import col
from vecframe.functions import (
    convert_image,
    crop,
    decode_image,
    embed_image,
    encode_image,
    image_hash,
    image_to_tensor,
    image_width,
    resize,
)


def noise(height, width, channels=3, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (height, width, channels), dtype=np.uint8)


def encoded(picture, file_format="PNG", **options):
    file = io.BytesIO()
    picture.save(file, file_format, **options)
    return file.getvalue()


def vectors(frame, model, **options):
    """Embeddings of the column `image`, and errors."""
    expression = embed_image(col("image"), model=model, error_column="error", on_error="ignore", **options)
    table = frame.with_column("e", expression).select("e", "error").to_arrow()
    return table["e"].to_pylist(), table["error"].to_pylist()


def palette_with_alpha():
    picture = Image.fromarray(noise(20, 30)).quantize(32)
    picture.info["transparency"] = 3
    return encoded(picture, transparency=3)


ODD_FILES = {
    "L": lambda: encoded(Image.fromarray(noise(20, 30, 1)[..., 0])),
    "1 bit": lambda: encoded(Image.fromarray(noise(20, 30, 1)[..., 0]).convert("1")),
    "LA": lambda: encoded(Image.fromarray(noise(20, 30, 2))),
    "RGBA": lambda: encoded(Image.fromarray(noise(20, 30, 4))),
    "palette": lambda: encoded(Image.fromarray(noise(20, 30)).quantize(64)),
    "palette with alpha": palette_with_alpha,
    "CMYK jpeg": lambda: encoded(Image.fromarray(noise(20, 30)).convert("CMYK"), "JPEG"),
    "CMYK tiff": lambda: encoded(Image.fromarray(noise(20, 30)).convert("CMYK"), "TIFF"),
    "16-bit gray": lambda: encoded(Image.fromarray(noise(20, 30, 1)[..., 0].astype(np.uint16) * 3)),
    "gif": lambda: encoded(Image.fromarray(noise(20, 30)).quantize(64), "GIF"),
    "webp with alpha": lambda: encoded(Image.fromarray(noise(20, 30, 4)), "WEBP", lossless=True, exact=True),
    "1x1": lambda: encoded(Image.fromarray(noise(1, 1))),
    "1xN": lambda: encoded(Image.fromarray(noise(1, 300))),
    "Nx1": lambda: encoded(Image.fromarray(noise(300, 1))),
}


@pytest.mark.parametrize("name", ODD_FILES)
def test_every_mode_is_embedded_as_pillow_converts_it(name, model):
    data = ODD_FILES[name]()
    frame = vf.from_pydict({"bytes": [data]}).with_column("image", decode_image(col("bytes")))
    converted = np.asarray(Image.open(io.BytesIO(data)).convert("RGB"))
    assert np.array_equal(frame.select("image").to_pydict()["image"][0], converted)
    ours, errors = vectors(frame, model)
    theirs, _ = vectors(vf.from_pydict({"image": [converted]}), model)
    assert errors == [None] and ours == theirs


def test_pictures_of_mixed_modes_in_one_column(model):
    pictures = [noise(20, 30, 1), noise(21, 30, 2), None, noise(22, 30, 3), noise(23, 30, 4)]
    frame = vf.from_pydict({"image": pictures})
    assert frame.schema["image"].dtype == "Image[MIXED]"
    mixed, errors = vectors(frame, model)
    assert [vector is None for vector in mixed] == [False, False, True, False, False] and errors == [None] * 5
    rgb, _ = vectors(frame.with_column("image", convert_image(col("image"), "RGB")), model)
    assert mixed == rgb


def test_sixteen_bits_as_they_are_cannot_be_stored():
    data = ODD_FILES["16-bit gray"]()
    frame = vf.from_pydict({"bytes": [data, ODD_FILES["L"]()]})
    assert frame.select(decode_image(col("bytes"), on_error="null", mode=None).alias("x")).to_pydict()["x"][0] is None
    with pytest.raises(vf.RunError, match="16 bits cannot be stored"):
        frame.select(decode_image(col("bytes"), mode=None).alias("x")).to_arrow()


def empty_picture():
    """A stored picture without pixels, which no file has."""
    return np.zeros((0, 0, 3), np.uint8)


def test_a_picture_without_pixels_is_one_bad_row(model):
    frame = vf.from_pydict({"image": [noise(8, 9), empty_picture(), noise(8, 9)]})
    got, errors = vectors(frame, model)
    assert [vector is None for vector in got] == [False, True, False]
    assert errors[1].startswith("prepare/unsupported") and errors[0] is None
    rows = frame.select(
        image_width(col("image")).alias("w"),
        resize(col("image"), 4, 4).alias("resized"),
        crop(col("image"), (0, 0, 2, 2)).alias("cropped"),
        encode_image(col("image")).alias("png"),
        image_hash(col("image")).alias("hash"),
        convert_image(col("image"), "L").alias("gray"),
        image_to_tensor(col("image")).alias("tensor"),
    ).to_pylist()[1]
    assert rows["w"] == 0
    assert [rows[name] for name in ("resized", "cropped", "png", "hash")] == [None] * 4
    assert rows["gray"].shape == (0, 0, 1) and rows["tensor"].shape == (0, 0, 3)


def stored(**changes):
    """One stored picture of 2 x 3 pixels, with fields that are not what they should be."""
    fields = {"data": list(range(18)), "channel": 3, "height": 2, "width": 3, "mode": 3} | changes
    kind = vf.from_pydict({"image": [noise(2, 3)]}).to_arrow().schema.field("image").type
    storage = pa.array([fields], kind.storage_type)
    return vf.from_arrow(pa.table({"image": pa.ExtensionArray.from_storage(kind, storage)}))


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({}, None),
        ({"data": list(range(17))}, "corrupt"),
        ({"data": []}, "corrupt"),
        ({"height": 2**32 - 1, "width": 2**32 - 1}, "corrupt"),
        ({"height": 0}, "corrupt"),
        ({"mode": 4}, "corrupt"),
        ({"mode": 0}, "unsupported"),
        ({"mode": 9}, "unsupported"),
    ],
)
def test_stored_pictures_are_not_trusted(changes, code, model):
    got, errors = vectors(stored(**changes), model)
    if code is None:
        assert errors == [None] and got[0] is not None
    else:
        assert got == [None] and errors[0].startswith(f"decode/{code}"), errors
        frame = stored(**changes).select(image_width(col("image")).alias("w"), resize(col("image"), 2, 2).alias("r"))
        assert frame.to_pylist() == [{"w": None, "r": None}]


def test_a_table_without_rows(model):
    empty = vf.from_pydict({"bytes": [b"x"]}).limit(0)
    frame = empty.with_column("image", decode_image(col("bytes"))).with_column("e", embed_image(col("image"), model=model))
    assert frame.count() == 0
    assert frame.to_pylist() == [] and list(frame.iter_rows()) == []
    assert frame.to_pydict() == {"bytes": [], "image": [], "e": []}
    assert frame.to_arrow().schema.field("e").type.dimension == 24
    assert "0 rows" in frame.collect()._repr_html_()


def test_a_table_of_one_row(model):
    frame = vf.from_pydict({"image": [noise(20, 30)]})
    got, errors = vectors(frame, model)
    assert len(got) == 1 and errors == [None]


def test_a_table_of_nulls(model):
    frame = vf.from_arrow(pa.table({"bytes": pa.nulls(3, pa.binary())})).with_column("image", decode_image(col("bytes")))
    got, errors = vectors(frame, model)
    assert got == [None] * 3 and errors == [None] * 3


def test_all_rows_bad(model):
    frame = vf.from_pydict({"bytes": [b"", b"no picture", encoded(Image.fromarray(noise(20, 30)))[:60]]})
    frame = frame.with_column("image", decode_image(col("bytes"), on_error="null"))
    table = frame.with_column("e", embed_image(col("image"), model=model, error_column="error")).to_arrow()
    assert table["e"].null_count == 3
    assert [text.split(":")[0] for text in table["error"].to_pylist()] == [
        "decode/empty", "decode/unknown_format", "decode/truncated",
    ]  # fmt: skip


def test_duplicate_names_are_refused_or_replaced():
    frame = vf.from_pydict({"a": [1], "b": [2]})
    with pytest.raises(vf.RequestError, match="'a'"):
        frame.select("a", "a")
    with pytest.raises(vf.RequestError, match="'b'"):
        frame.rename({"a": "b"})
    assert frame.with_column("a", col("b")).column_names == ["a", "b"]
    two = pa.Table.from_arrays([pa.array([1]), pa.array([2])], names=["x", "x"])
    with pytest.raises(vf.RequestError, match="'x'"):
        vf.from_arrow(two)
