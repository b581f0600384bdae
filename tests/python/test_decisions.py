"""Where this dataframe departs from the reference one on purpose, and where it keeps to it: a test for each decision.

The decisions that need more than a table of pictures are shown elsewhere: transient failures in tests/providers/http,
devices in tests/backends, error texts and the default resize in tests/compat.
"""

import functools
import http.server
import io
import json
import os
import pathlib
import shutil
import threading

import numpy as np
import pyarrow.parquet as pq
import pytest
import vecframe as vf
from PIL import Image
from vecframe import col
from vecframe.functions import convert_image, decode_image, download, embed_image

MODELS = pathlib.Path(__file__).resolve().parents[1] / "golden" / "models"


def noise(height=40, width=60, channels=3, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (height, width, channels), dtype=np.uint8)


def encoded(pixels, file_format="PNG", **options):
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, file_format, **options)
    return file.getvalue()


@pytest.fixture()
def frame():
    """Six pictures; the second is null, the fourth broken."""
    rows = [encoded(noise(seed=i)) for i in range(6)]
    rows[1], rows[3] = None, b"no picture"
    return vf.from_pydict({"i": range(6), "bytes": rows}).with_column("image", decode_image(col("bytes"), on_error="null"))


@pytest.fixture()
def folder(tmp_path):
    """Four files, the third broken."""
    (tmp_path / "photos").mkdir()
    for i in range(4):
        (tmp_path / "photos" / f"{i}.png").write_bytes(b"no picture" if i == 2 else encoded(noise(seed=i)))
    return tmp_path / "photos"


def vectors(frame, model, **options):
    return frame.with_column("e", embed_image(col("image"), model=model, **options)).to_pydict()["e"]


def test_normalisation_is_off_unless_asked_for(frame, model):
    plain, unit = vectors(frame, model, on_error="ignore"), vectors(frame, model, on_error="ignore", normalize=True)
    assert all(abs(np.linalg.norm(v) - 1) > 0.01 for v in plain if v is not None)
    for a, b in zip(plain, unit, strict=True):
        assert (a is None) == (b is None)
        if a is not None:
            np.testing.assert_allclose(a / np.linalg.norm(a), b, atol=1e-6)


def test_an_explicit_batch_size_is_in_the_plan_and_changes_no_vector(frame, model):
    assert "batch_size" not in repr(embed_image(col("image"), model=model))
    assert "batch_size=3" in repr(embed_image(col("image"), model=model, batch_size=3))
    one, many = (vectors(frame, model, on_error="ignore", batch_size=size) for size in (1, 64))
    for a, b in zip(one, many, strict=True):
        assert (a is None and b is None) or np.abs(a - b).max() < 1e-5


@pytest.mark.parametrize("on_error", ["log", "ignore"])
def test_a_failure_costs_its_row_and_its_cause_is_kept(folder, model, on_error, caplog):
    expression = embed_image(col("image"), model=model, on_error=on_error, error_column="error", batch_size=6)
    rows = vf.read_images(folder).with_column("e", expression).select("e", "error").to_pylist()
    assert [row["e"] is None for row in rows] == [False, False, True, False]
    assert rows[2]["error"].startswith("decode/unknown_format: ")
    assert [row["error"] for i, row in enumerate(rows) if i != 2] == [None] * 3
    assert ("2.png: decode/unknown_format" in caplog.text) == (on_error == "log")


def test_a_null_of_decode_image_keeps_its_cause(frame, model):
    rows = frame.with_column("e", embed_image(col("image"), model=model, error_column="error")).to_pylist()
    assert [row["e"] is None for row in rows] == [False, True, False, True, False, False]
    assert rows[3]["error"].startswith("decode/unknown_format: ") and rows[1]["error"] is None


def test_raise_stops_at_the_first_bad_row_and_names_it(folder, model):
    (folder / "0.png").write_bytes(b"bad too")
    frame = vf.read_images(folder).with_column("e", embed_image(col("image"), model=model))
    with pytest.raises(vf.RunError, match=r"0\.png: decode/unknown_format"):
        frame.to_arrow()


def test_failures_are_counted_by_cause_in_the_report(tmp_path, folder, model):
    frame = vf.read_images(folder).with_column("e", embed_image(col("image"), model=model, on_error="ignore"))
    report = frame.write_parquet(tmp_path / "out.parquet")
    assert (report.rows, report.failed, report.failures) == (4, 1, {"decode/unknown_format": 1})


class _Flaky(http.server.BaseHTTPRequestHandler):
    """Every path fails with 503 at first; /missing is always 404."""

    def __init__(self, seen, *arguments):
        self.seen = seen
        super().__init__(*arguments)

    def do_GET(self):
        self.seen.append(self.path)
        status = 404 if self.path == "/missing" else 503 if self.seen.count(self.path) == 1 else 200
        self.send_response(status)
        self.send_header("Retry-After", "0")
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"ok")

    def log_message(self, *arguments):
        pass


def test_only_transient_failures_are_tried_again():
    seen = []
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(_Flaky, seen))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        base = f"http://127.0.0.1:{server.server_port}"
        frame = vf.from_pydict({"url": [f"{base}/busy", f"{base}/missing"]})
        got = frame.select(download(col("url"), on_error="null").alias("x")).to_pydict()["x"]
    finally:
        server.shutdown()
        server.server_close()
    assert got == [b"ok", None]
    assert seen.count("/busy") == 2 and seen.count("/missing") == 1


def test_null_in_null_out(model):
    frame = vf.from_pydict({"image": [None, noise(), None]})
    expression = embed_image(col("image"), model=model, error_column="error")  # on_error="raise"
    rows = frame.with_column("e", expression).to_pylist()
    assert [row["e"] is None for row in rows] == [True, False, True]
    assert [row["error"] for row in rows] == [None] * 3  # a null is no failure


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "I;16"])
def test_all_modes_are_taken_as_pillow_converts_them(mode, model):
    pixels = noise(channels=4)
    if mode == "I;16":
        picture = Image.fromarray(pixels[..., 0].astype(np.uint16) * 5)
    else:
        picture = Image.fromarray(pixels[..., :3]).convert(mode) if mode != "RGBA" else Image.fromarray(pixels)
    if mode == "LA":
        picture.putalpha(Image.fromarray(pixels[..., 3]))
    file = io.BytesIO()
    picture.save(file, "TIFF" if mode == "CMYK" else "PNG")
    frame = vf.from_pydict({"bytes": [file.getvalue()]}).with_column("image", decode_image(col("bytes")))
    rgb = vf.from_pydict({"image": [np.asarray(picture.convert("RGB"))]})
    assert np.array_equal(vectors(frame, model)[0], vectors(rgb, model)[0])


def test_alpha_is_dropped_unless_white_is_asked_for(model):
    pixels = noise(channels=4)
    frame = vf.from_pydict({"image": [pixels]})
    dropped = vf.from_pydict({"image": [np.ascontiguousarray(pixels[..., :3])]})
    assert np.array_equal(vectors(frame, model)[0], vectors(dropped, model)[0])
    picture = Image.fromarray(pixels)
    white = Image.alpha_composite(Image.new("RGBA", picture.size, "white"), picture).convert("RGB")
    on_white = frame.with_column("image", convert_image(col("image"), "RGB", alpha="white"))
    assert np.array_equal(vectors(on_white, model)[0], vectors(vf.from_pydict({"image": [white]}), model)[0])
    assert not np.array_equal(vectors(on_white, model)[0], vectors(dropped, model)[0])


def test_orientation_is_left_alone_in_expressions_and_applied_to_folders(tmp_path, model):
    exif = Image.Exif()
    exif[274] = 8
    pixels = noise()
    (tmp_path / "turned.png").write_bytes(encoded(pixels, exif=exif))
    path = vf.from_pydict({"path": [str(tmp_path / "turned.png")]}).with_column("bytes", download(col("path")))
    kept = path.with_column("image", decode_image(col("bytes")))
    turned = path.with_column("image", decode_image(col("bytes"), apply_orientation=True))
    assert np.array_equal(kept.to_pydict()["image"][0], pixels)
    assert np.array_equal(turned.to_pydict()["image"][0], np.rot90(pixels))
    folder = vf.read_images(tmp_path)
    assert folder.select("width", "height").to_pylist() == [{"width": 40, "height": 60}]
    assert np.array_equal(vectors(folder, model)[0], vectors(turned, model)[0])
    off = vf.read_images(tmp_path, apply_orientation=False)
    assert np.array_equal(vectors(off, model)[0], vectors(kept, model)[0])


def test_pictures_decode_to_rgb_unless_mode_is_none():
    frame = vf.from_pydict({"bytes": [encoded(noise(channels=4)), encoded(noise(channels=1)[..., 0])]})
    assert frame.with_column("x", decode_image(col("bytes"))).schema["x"].dtype == "Image[RGB]"
    own = frame.with_column("x", decode_image(col("bytes"), mode=None))
    assert own.schema["x"].dtype == "Image[MIXED]"
    assert [picture.shape[2] for picture in own.to_pydict()["x"]] == [4, 1]


def test_a_resize_is_exact_and_has_filters_and_fits():
    frame = vf.from_pydict({"image": [noise()]}).with_column("image", convert_image(col("image"), "RGB"))
    resized = frame.with_column("x", col("image").resize(30, 20, filter="lanczos", fit="cover"))
    assert resized.schema["x"].dtype == "Image[RGB; 20 x 30]" and resized.to_pydict()["x"][0].shape == (20, 30, 3)


def test_an_embedding_is_named_as_there_and_a_plain_list_inside(frame, model):
    embedded = frame.with_column("e", embed_image(col("image"), model=model, on_error="ignore"))
    assert embedded.schema["e"].dtype == "Embedding[Float32; 24]"
    storage = embedded.to_arrow().schema.field("e").type.storage_type
    assert str(storage) == "fixed_size_list<item: float not null>[24]"


def test_the_provider_is_that_of_the_call_then_the_session_then_the_environment(model, monkeypatch):
    other = str(MODELS / "siglip")
    monkeypatch.setenv("VECFRAME_MODEL", model)
    assert model in repr(embed_image(col("image")))
    vf.set_provider("transformers", model=other)
    assert other in repr(embed_image(col("image")))
    assert model in repr(embed_image(col("image"), provider="transformers", model=model))
    vf.set_provider(None)
    monkeypatch.setenv("VECFRAME_PROVIDER", "nobody")
    with pytest.raises(vf.RequestError, match="Provider 'nobody' is not yet supported."):
        embed_image(col("image"))


def test_the_default_model_is_that_of_the_reference():
    with pytest.raises(vf.RequestError, match="openai/clip-vit-base-patch32"):  # which is not reachable here
        embed_image(col("image"))


@pytest.mark.parametrize("name", ["clip", "siglip", "aimv2_lit", "dinov2", "clip_vision_projection", "convnext"])
def test_the_dimension_of_the_plan_is_that_of_the_vectors(name):
    expression = embed_image(col("image"), model=str(MODELS / name))
    frame = vf.from_pydict({"image": [noise()]}).with_column("e", expression)
    (vector,) = frame.to_pydict()["e"]
    assert frame.schema["e"].dtype == f"Embedding[Float32; {len(vector)}]"


def test_no_code_of_a_model_is_run(tmp_path, model):
    """A directory with code beside its weights is read as weights; an architecture that only its code knows is refused."""
    folder = tmp_path / "model"
    shutil.copytree(model, folder)
    proof = tmp_path / "proof"
    (folder / "modeling_evil.py").write_text(f"open({str(proof)!r}, 'w')")
    config = json.loads((folder / "config.json").read_text())
    config["auto_map"] = {"AutoModel": "modeling_evil.Evil"}
    (folder / "config.json").write_text(json.dumps(config))
    vf.from_pydict({"image": [noise()]}).with_column("e", embed_image(col("image"), model=str(folder))).to_arrow()
    config["model_type"] = "evil"
    (folder / "config.json").write_text(json.dumps(config))
    with pytest.raises(vf.RequestError, match="evil"):
        embed_image(col("image"), model=str(folder))
    assert not proof.exists()


def test_an_unknown_option_names_the_nearest_one(model):
    with pytest.raises(vf.RequestError, match=r"unknown option 'batchsize'; did you mean \"batch_size\"\?"):
        embed_image(col("image"), model=model, batchsize=3)


def test_a_device_that_is_not_there_fails_as_the_plan_is_built(model):
    if os.path.exists("/dev/nvidia0"):
        pytest.skip("this machine has the device")
    with pytest.raises(vf.RequestError, match="device"):
        embed_image(col("image"), model=model, device="cuda:7")


def test_types_go_through_parquet_and_readers_that_ignore_them_see_lists(frame, model, tmp_path):
    embedded = frame.with_column("e", embed_image(col("image"), model=model, on_error="ignore"))
    embedded.write_parquet(tmp_path / "out.parquet")
    assert vf.read_parquet(tmp_path / "out.parquet").schema == embedded.schema
    stored = pq.ParquetFile(tmp_path / "out.parquet").schema_arrow.field("e").type
    assert getattr(stored, "storage_type", stored).list_size == 24
