"""Functions of pictures in expressions: what they compute, and the types and errors of what they take."""

import functools
import http.server
import io
import threading
import time

import numpy as np
import pyarrow as pa
import pytest
import vecframe as vf
from PIL import Image, ImageOps
from vecframe import col, lit
from vecframe.functions import (
    convert_image,
    crop,
    decode_image,
    download,
    embed_image,
    encode_image,
    image_attribute,
    image_hash,
    image_to_tensor,
    resize,
)


def noise(height, width, channels=3, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (height, width, channels), dtype=np.uint8)


def of_one(expression, pixels):
    """The value of an expression of col("image") for one picture."""
    return vf.from_pydict({"image": [pixels]}).select(expression.alias("x")).to_pydict()["x"][0]


PILLOW_FILTERS = {
    "nearest": Image.Resampling.NEAREST,
    "box": Image.Resampling.BOX,
    "bilinear": Image.Resampling.BILINEAR,
    "bicubic": Image.Resampling.BICUBIC,
    "lanczos": Image.Resampling.LANCZOS,
}


@pytest.mark.parametrize("name", PILLOW_FILTERS)
@pytest.mark.parametrize("size", [(13, 9), (120, 75)])
def test_filters_are_those_of_pillow(name, size):
    pixels = noise(40, 60)
    expected = np.asarray(Image.fromarray(pixels).resize(size, PILLOW_FILTERS[name]))
    assert np.array_equal(of_one(resize(col("image"), *size, filter=name), pixels), expected)


def test_the_default_filter_is_the_references_own():
    pixels = noise(40, 60)
    default = of_one(resize(col("image"), 13, 9), pixels)
    assert np.array_equal(default, of_one(resize(col("image"), 13, 9, filter="triangle"), pixels))
    assert not np.array_equal(default, of_one(resize(col("image"), 13, 9, filter="bilinear"), pixels))


@pytest.mark.parametrize("shape", [(40, 60, 3), (60, 40, 3), (33, 33, 3), (50, 7, 3)])
def test_fits_are_those_of_pillow(shape):
    pixels = noise(*shape)
    picture, size, method = Image.fromarray(pixels), (24, 18), Image.Resampling.BICUBIC
    fits = {
        "inside": ImageOps.contain(picture, size, method),
        "contain": ImageOps.pad(picture, size, method),
        "fill": picture.resize(size, method),
    }
    for fit, expected in fits.items():
        got = of_one(resize(col("image"), *size, filter="bicubic", fit=fit), pixels)
        assert np.array_equal(got, np.asarray(expected)), fit
    assert of_one(resize(col("image"), *size, fit="cover"), pixels).shape == (18, 24, 3)


BOX_TYPES = [
    pa.list_(pa.int64()),
    pa.list_(pa.uint8()),
    pa.large_list(pa.int32()),
    pa.list_(pa.int16(), 4),
    pa.list_(pa.uint64(), 4),
]


@pytest.mark.parametrize("kind", BOX_TYPES, ids=str)
def test_a_box_may_be_a_column(kind):
    pictures = [noise(20, 30, seed=i) for i in range(4)]
    boxes = [[1, 2, 5, 4], [0, 0, 200, 100], None, [29, 19, 9, 9]]
    # Slices, so that offsets are not zero.
    table = pa.table({"box": pa.array([[9, 9, 9, 9], *boxes], kind).slice(1), "i": range(4)})
    frame = vf.from_arrow(table.append_column("image", vf.from_pydict({"p": pictures}).to_arrow()["p"]))
    assert frame.with_column("x", col("image").crop(col("box"))).schema["x"].dtype == "Image[MIXED]"
    parts = frame.select(crop(col("image"), col("box")).alias("x")).to_pydict()["x"]
    assert np.array_equal(parts[0], pictures[0][2:6, 1:6])
    assert np.array_equal(parts[1], pictures[1])
    assert parts[2] is None
    assert np.array_equal(parts[3], pictures[3][19:, 29:])


def test_a_box_that_is_none_gives_null():
    boxes = [[1, 2, 3], [1, 2, 3, 4, 5], [0, 0, -1, 2], [0, None, 1, 1], [], [50, 0, 1, 1], [0, 0, 0, 5]]
    frame = vf.from_pydict({"image": [noise(20, 30)] * len(boxes), "box": boxes})
    assert frame.select(crop(col("image"), col("box")).alias("x")).to_pydict()["x"] == [None] * len(boxes)


def test_tensors_have_the_pixels_of_their_pictures():
    pictures = [noise(4, 5), None, noise(7, 2, 1)]
    frame = vf.from_pydict({"image": pictures})
    table = frame.with_column("t", image_to_tensor(col("image"))).select("t").to_arrow()
    assert table.schema.field("t").type.extension_name == "arrow.variable_shape_tensor"
    values = frame.select(image_to_tensor(col("image")).alias("t")).to_pydict()["t"]
    assert values[1] is None
    assert np.array_equal(values[0], pictures[0]) and np.array_equal(values[2], pictures[2])
    small = resize(convert_image(col("image"), "L"), 3, 2)
    fixed = frame.select(image_to_tensor(small).alias("t"), small.alias("s"))
    array = fixed.drop_nulls().to_arrow()["t"].combine_chunks()
    assert array.to_numpy_ndarray().shape == (2, 2, 3, 1)
    rows = fixed.to_pydict()
    assert np.array_equal(rows["t"][0], rows["s"][0]) and rows["t"][1] is None


@pytest.mark.parametrize("mode", ["LA", "RGBA"])
def test_alpha_on_white_is_that_of_pillow(mode):
    values, alphas = np.meshgrid(np.arange(256, dtype=np.uint8), np.arange(256, dtype=np.uint8))
    colours = [values] if mode == "LA" else [values, values[::-1], values.T]
    pixels = np.ascontiguousarray(np.stack([*colours, alphas], axis=-1))
    picture = Image.fromarray(pixels).convert("RGBA")
    white = Image.new("RGBA", picture.size, (255, 255, 255, 255))
    expected = np.asarray(Image.alpha_composite(white, picture).convert("RGB"))
    assert np.array_equal(of_one(convert_image(col("image"), "RGB", alpha="white"), pixels), expected)
    dropped = of_one(convert_image(col("image"), "RGB"), pixels)
    assert np.array_equal(dropped, np.asarray(picture)[..., :3])
    # A mode that keeps alpha keeps the colours too.
    kept = of_one(convert_image(col("image"), "RGBA", alpha="white"), pixels)
    assert np.array_equal(kept, np.asarray(picture))


@pytest.mark.parametrize("name", ["png", "tiff", "bmp", "gif", "webp"])
def test_lossless_formats_give_the_pixels_back(name):
    pixels = (noise(9, 11) // 64 * 64)[:, :, :]  # few colours, for GIF
    data = of_one(encode_image(col("image"), name, lossless=True), pixels)
    assert np.array_equal(np.asarray(Image.open(io.BytesIO(data)).convert("RGB")), pixels)
    assert np.array_equal(of_one(decode_image(encode_image(col("image"), name, lossless=True)), pixels), pixels)


@pytest.mark.parametrize("name", ["jpeg", "webp"])
def test_quality_costs_bytes(name):
    pixels = noise(48, 64)
    sizes = [len(of_one(encode_image(col("image"), name, quality=quality), pixels)) for quality in (10, 60, 95)]
    assert sizes == sorted(sizes) and sizes[0] < sizes[2] / 2
    assert len(of_one(encode_image(col("image"), name), pixels)) == len(
        of_one(encode_image(col("image"), name, quality=75), pixels)
    )


def test_formats_have_names_in_any_case():
    pixels = noise(8, 8)
    for word in ("JPG", "jpeg", "Jpeg", vf.ImageFormat.JPEG):
        assert of_one(encode_image(col("image"), word), pixels)[:2] == b"\xff\xd8"
    assert of_one(convert_image(col("image"), vf.ImageMode.L), pixels).shape == (8, 8, 1)
    assert of_one(convert_image(col("image"), "rgba"), pixels).shape == (8, 8, 4)


@pytest.mark.parametrize(
    ("method", "bits"),
    [("phash", 64), ("phash_simple", 64), ("dhash", 64), ("dhash_vertical", 64), ("ahash", 64), ("whash", 64),
     ("crop_resistant", 9 * 64), ("colorhash", 14 * 3)],
)  # fmt: skip
def test_hashes(method, bits):
    pixels = noise(40, 60)
    frame = vf.from_pydict({"image": [pixels, None, pixels]}).with_column("h", image_hash(col("image"), method))
    assert frame.schema["h"].dtype == f"Binary[{(bits + 7) // 8}]"
    first, second, third = frame.to_pydict()["h"]
    assert second is None and first == third and len(first) == (bits + 7) // 8


def test_attributes_of_mixed_pictures():
    frame = vf.from_pydict({"image": [noise(3, 4, 1), noise(5, 6, 2), noise(7, 8, 3), noise(9, 10, 4), None]})
    got = frame.select(*(image_attribute(col("image"), n).alias(n) for n in ("width", "height", "channel", "mode")))
    assert got.to_pydict() == {
        "width": [4, 6, 8, 10, None],
        "height": [3, 5, 7, 9, None],
        "channel": [1, 2, 3, 4, None],
        "mode": [1, 2, 3, 4, None],
    }


def test_orientation_is_applied_on_demand(tmp_path):
    picture = Image.fromarray(noise(4, 6))
    exif = Image.Exif()
    exif[274] = 6
    picture.save(tmp_path / "turned.png", exif=exif)
    frame = vf.from_pydict({"path": [str(tmp_path / "turned.png")]}).with_column("bytes", download(col("path")))
    left = frame.select(decode_image(col("bytes")).alias("x")).to_pydict()["x"][0]
    turned = frame.select(decode_image(col("bytes"), apply_orientation=True).alias("x")).to_pydict()["x"][0]
    assert np.array_equal(left, np.asarray(picture))
    assert np.array_equal(turned, np.rot90(np.asarray(picture), -1))


@pytest.mark.parametrize("mode, fits", [("RGB", True), ("L", False)])
def test_a_photograph_on_its_way_to_a_model_is_not_held_as_a_whole(tmp_path, model, mode, fits):
    rows = np.linspace(0, 255, 3000)[:, None, None] + np.linspace(0, 40, 4000)[None, :, None]
    Image.fromarray((rows * [0.8, 0.7, 0.6]).astype(np.uint8)).save(tmp_path / "large.jpg")
    Image.fromarray(noise(30, 40)).save(tmp_path / "small.jpg")
    paths = [str(tmp_path / "small.jpg"), str(tmp_path / "large.jpg")]
    # A picture of 12 megapixels takes 36 MB, and 16 bytes a pixel of the budget where it is one.
    pictures = decode_image(download(col("path")), mode=mode, on_error="null")
    frame = vf.from_pydict({"path": paths}).with_column(
        "e", embed_image(pictures, model=model, batch_size=1, on_error="ignore", error_column="error"))
    table = frame.to_arrow(memory_limit="64MiB", threads=1)
    assert [error is None for error in table["error"].to_pylist()] == [True, fits], table["error"]
    if fits:
        whole = vf.read_images(paths).with_column("e", embed_image(col("image"), model=model)).to_arrow()
        assert table["e"].to_pylist() == whole["e"].to_pylist()
    else:
        assert "over_budget" in table["error"].to_pylist()[1]


class _CountingHandler(http.server.BaseHTTPRequestHandler):
    def __init__(self, state, *arguments):
        self.state = state
        super().__init__(*arguments)

    def do_GET(self):
        with self.state["lock"]:
            self.state["now"] += 1
            self.state["most"] = max(self.state["most"], self.state["now"])
        time.sleep(0.01)  # long enough for others to come
        with self.state["lock"]:
            self.state["now"] -= 1
        self.send_response(200)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"ok")

    def log_message(self, *arguments):
        pass


def test_max_connections_is_a_limit():
    state = {"lock": threading.Lock(), "now": 0, "most": 0}
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(_CountingHandler, state))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        urls = [f"http://127.0.0.1:{server.server_port}/{i}" for i in range(24)]
        frame = vf.from_pydict({"url": urls}).with_column("x", col("url").download(max_connections=1))
        assert frame.to_arrow(threads=6)["x"].to_pylist() == [b"ok"] * 24
        assert state["most"] == 1
    finally:
        server.shutdown()
        server.server_close()


def test_a_literal_may_be_a_path(tmp_path):
    (tmp_path / "a").write_bytes(b"xyz")
    frame = vf.from_pydict({"n": [1, 2]}).with_column("x", download(lit(str(tmp_path / "a"))))
    assert frame.to_pydict()["x"] == [b"xyz", b"xyz"]


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda i: resize(i, 3.5, 4), "option 'w' is 3.5; give an integer"),
        (lambda i: resize(i, "3", 4), "option 'w' is \"3\"; give an integer"),
        (lambda i: resize(i, 3, None), "option 'h' is None"),
        (lambda i: resize(i, [3], 4), "option 'w' is of type list"),
        (lambda i: resize(i, 0, 4), "w=0 is out of range"),
        (lambda i: resize(i, 3, 4, filter="cubic"), "filter='cubic' is not known; use one of: triangle"),
        (lambda i: resize(i, 3, 4, fit="pad"), "fit='pad' is not known; use one of: fill"),
        (lambda i: crop(i, (1, 2, 3, True)), "Expected `bbox` to be either a tuple of 4 ints"),
        (lambda i: crop(i, "1234"), "Expected `bbox` to be either a tuple of 4 ints"),
        (lambda i: crop(i, (-1, 2, 3, 4)), "x=-1 is out of range"),
        (lambda i: crop(i, col("n")), "argument col(\"n\") has type Int64, but a list of 4 integers is needed"),
        (lambda i: convert_image(i, None), "option 'mode' is None"),
        (lambda i: convert_image(i, 3), "option 'mode' is 3; give a text"),
        (lambda i: convert_image(i, "RGB", alpha="black"), "alpha='black' is not known; use one of: drop, white"),
        (lambda i: encode_image(i, 3), "image_format is of type int"),
        (lambda i: encode_image(i, "png", quality=0), "quality=0 is out of range"),
        (lambda i: encode_image(i, "png", lossless=1), "option 'lossless' is 1; give True or False"),
        (lambda i: image_hash(i, "fhash"), "method='fhash' is not known"),
        (lambda i: image_to_tensor(col("n")), "has type Int64, but an Image is needed"),
        (lambda i: download(col("n")), "has type Int64, but a String is needed"),
        (lambda i: download(lit("x"), max_connections=0), "max_connections=0 is out of range"),
        (lambda i: decode_image(i), "ImageDecode can only decode BinaryArrays"),
        (lambda i: convert_image("image", "RGB"), 'give an expression, such as vecframe.col("image")'),
    ],
)
def test_wrong_arguments_are_named(make, words):
    frame = vf.from_pydict({"image": [noise(3, 3)], "n": [1]})
    with pytest.raises(vf.RequestError) as caught:
        frame.with_column("x", make(col("image")))
    assert words in str(caught.value), str(caught.value)
    assert "\n" not in str(caught.value)
