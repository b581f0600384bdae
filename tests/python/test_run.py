"""Plans that run: rows, vectors, failures, outputs."""

import json
import logging
import os

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import vecframe as vf
from PIL import Image
from pictures import BAD_ROWS, NAMES
from vecframe.functions import embed_image


def embedded(photos, model, **options):
    return vf.read_images(photos).with_column("embedding", embed_image(vf.col("image"), model=model, **options))


def relative(table, photos):
    return [os.path.relpath(path, photos) for path in table["path"].to_pylist()]


def test_a_folder_becomes_a_parquet_file(photos, model, tmp_path):
    output = tmp_path / "out.parquet"
    report = embedded(photos, model).write_parquet(output)
    table = pq.read_table(output)
    assert table.column_names == ["path", "width", "height", "format", "embedding"]
    assert relative(table, photos) == ["a/1.jpg", "a/3.png", "b/2.png", "c.png", "z.jpg"]
    assert table["embedding"].null_count == 0
    assert set(table["width"].to_pylist()) == {60} and set(table["format"].to_pylist()) == {"jpeg", "png"}
    assert table.schema.metadata[b"vecframe.version"].decode() == vf.__version__
    assert (report.rows, report.failed, report.failures) == (5, 0, {})
    assert report.seconds > 0 and report.peak_memory_bytes > 0
    assert report.as_dict()["rows"] == 5 and json.loads(report.json) == report.as_dict()
    assert "5 rows" in repr(report)


def test_the_vectors_are_those_of_the_model(photos, model, tmp_path):
    """The same vectors through memory and through a file, of the dimension that the plan promised."""
    df = embedded(photos, model)
    df.write_parquet(tmp_path / "out.parquet")
    written = np.array(pq.read_table(tmp_path / "out.parquet")["embedding"].to_pylist(), dtype=np.float32)
    collected = np.array(df.to_arrow()["embedding"].to_pylist(), dtype=np.float32)
    assert written.shape == (5, vf.describe_model(model).dimension)
    np.testing.assert_array_equal(written, collected)
    assert np.isfinite(written).all() and len(np.unique(written[:, 0])) == 5


def test_the_two_backends_agree(photos, model):
    cpu = np.array(embedded(photos, model, device="cpu").to_arrow()["embedding"].to_pylist())
    reference = np.array(embedded(photos, model, device="reference").to_arrow()["embedding"].to_pylist())
    np.testing.assert_allclose(cpu, reference, atol=1e-4)


def test_alpha_is_dropped_and_palettes_are_colours(model, tmp_path):
    """Each mode gives the vector of what Pillow's convert("RGB") makes of its pixels, with transparency or without."""
    colours = np.random.default_rng(1).integers(0, 256, (40, 60, 4), dtype=np.uint8)
    rgba = Image.fromarray(colours)
    palette = Image.fromarray(colours[..., :3]).quantize(20)
    modes = {"rgba": (rgba, {}), "la": (rgba.convert("LA"), {}), "gray": (rgba.convert("L"), {}), "bits": (rgba.convert("1"), {}),
             "palette": (palette, {}), "palette_alpha": (palette, {"transparency": bytes(range(0, 240, 12))})}
    for name, (picture, options) in modes.items():
        picture.save(tmp_path / f"{name}.png", **options)
        picture.convert("RGB").save(tmp_path / f"{name}_rgb.png")
    table = embedded(tmp_path, model).to_arrow()
    vectors = dict(zip(relative(table, tmp_path), table["embedding"].to_pylist(), strict=True))
    assert len(vectors) == 2 * len(modes)
    for name in modes:
        assert vectors[f"{name}.png"] == vectors[f"{name}_rgb.png"], name
    assert vectors["palette.png"] == vectors["palette_alpha.png"]
    assert vectors["rgba.png"] != vectors["la.png"]


def test_to_arrow_has_the_types_of_the_contract(photos, model):
    table = embedded(photos, model, error_column="error").to_arrow()
    assert isinstance(table, pa.Table)
    dimension = vf.describe_model(model).dimension
    field = table.schema.field("embedding")
    storage = field.type.storage_type
    assert pa.types.is_fixed_size_list(storage) and storage.list_size == dimension
    assert storage.value_type == pa.float32() and storage.value_field.name == "item"
    assert not storage.value_field.nullable
    assert field.type.extension_name == "vecframe.embedding" and field.type.dimension == dimension
    assert table.schema.field("path").type == pa.string()
    assert table.schema.field("width").type == pa.uint32()
    assert table.schema.field("error").type == pa.string()
    table.validate(full=True)


def test_any_reader_of_the_capsule_interface_is_served(photos, model):
    reader = pa.RecordBatchReader.from_stream(embedded(photos, model))
    assert reader.read_all().num_rows == 5


def test_an_unused_capsule_is_released(photos, model):
    capsule = embedded(photos, model).__arrow_c_stream__()
    assert "arrow_array_stream" in repr(capsule)
    del capsule


def test_memory_of_a_table_outlives_the_frame(photos, model):
    df = embedded(photos, model)
    column = df.to_arrow()["embedding"]
    expected = column.to_pylist()
    del df
    assert column.to_pylist() == expected


def test_raise_stops_names_the_first_bad_row_and_leaves_nothing(bad_photos, model, tmp_path):
    with pytest.raises(vf.RunError, match=r"a/2\.jpg"):
        embedded(bad_photos, model).write_parquet(tmp_path / "out.parquet")
    assert [path.name for path in tmp_path.iterdir()] == ["photos"]
    with pytest.raises(vf.RunError, match=r"a/2\.jpg"):
        embedded(bad_photos, model).to_arrow()


@pytest.mark.parametrize("on_error", ["log", "ignore"])
def test_a_bad_row_is_null_with_its_cause(bad_photos, model, tmp_path, on_error, caplog):
    output = tmp_path / "out.parquet"
    with caplog.at_level(logging.WARNING, logger="vecframe"):
        report = embedded(bad_photos, model, on_error=on_error, error_column="cause").write_parquet(output)
    table = pq.read_table(output)
    assert relative(table, bad_photos) == NAMES
    causes, vectors = table["cause"].to_pylist(), table["embedding"].to_pylist()
    assert [i for i, vector in enumerate(vectors) if vector is None] == BAD_ROWS
    assert [i for i, cause in enumerate(causes) if cause is not None] == BAD_ROWS
    assert all("/" in causes[i].split(":")[0] for i in BAD_ROWS)
    assert report.failed == 2 and sum(report.failures.values()) == 2
    assert set(report.failures) == {causes[i].split(":")[0] for i in BAD_ROWS}
    logged = [record.getMessage() for record in caplog.records]
    assert len(logged) == (2 if on_error == "log" else 0)
    if logged:
        assert "a/2.jpg" in logged[0] and causes[1] in logged[0]


def test_without_an_error_column_causes_are_in_the_report(bad_photos, model):
    df = embedded(bad_photos, model, on_error="ignore")
    table = df.to_arrow()
    assert "error" not in table.column_names and table["embedding"].null_count == 2


def test_good_rows_do_not_depend_on_bad_ones(bad_photos, model):
    together = embedded(bad_photos, model, on_error="ignore").to_arrow()
    for row in (0, 2, 6):
        alone = embedded(bad_photos / NAMES[row], model).to_arrow()
        assert alone["embedding"][0].as_py() == together["embedding"][row].as_py()


def test_limit_and_select(photos, model):
    table = embedded(photos, model).select("embedding", "path").limit(2).to_arrow()
    assert table.column_names == ["embedding", "path"]
    assert relative(table, photos) == ["a/1.jpg", "a/3.png"]
    assert embedded(photos, model).limit(0).to_arrow().num_rows == 0
    assert embedded(photos, model).limit(99).to_arrow().num_rows == 5


def test_inputs_keep_their_order(photos, model):
    df = vf.read_images(photos / "z.jpg", f"{photos}/**/*.png", photos / "z.jpg")
    assert relative(df.to_arrow(), photos) == ["z.jpg", "a/3.png", "b/2.png", "c.png"]


def test_normalize_batches_and_threads(photos, model):
    plain = np.array(embedded(photos, model).to_arrow()["embedding"].to_pylist())
    unit = np.array(embedded(photos, model, normalize=True).to_arrow()["embedding"].to_pylist())
    np.testing.assert_allclose(np.linalg.norm(unit, axis=1), 1, atol=1e-6)
    np.testing.assert_allclose(plain / np.linalg.norm(plain, axis=1, keepdims=True), unit, atol=1e-6)
    small = embedded(photos, model, batch_size=2).to_arrow(threads=1, memory_limit="256MiB")
    np.testing.assert_array_equal(plain, np.array(small["embedding"].to_pylist()))


def test_write_modes(photos, model, tmp_path):
    output = tmp_path / "out.parquet"
    embedded(photos, model).limit(1).write_parquet(output)
    with pytest.raises(vf.RequestError, match="overwrite"):
        embedded(photos, model).write_parquet(output)
    assert pq.read_table(output).num_rows == 1
    embedded(photos, model).write_parquet(output, write_mode="overwrite")
    assert pq.read_table(output).num_rows == 5
    embedded(photos, model).limit(2).write_parquet(output, mode="overwrite")
    assert pq.read_table(output).num_rows == 2


def test_a_directory_of_parts(photos, model, tmp_path):
    embedded(photos, model).write_parquet(tmp_path / "parts")
    assert pq.read_table(tmp_path / "parts").num_rows == 5


def test_show_prints_a_table(photos, model, capsys):
    embedded(photos, model).show(2)
    shown = capsys.readouterr().out
    assert "path" in shown and "Embedding[Float32" in shown and "(2 rows)" in shown


def test_progress_is_told(photos, model, tmp_path, capsys):
    seen = []
    embedded(photos, model).write_parquet(
        tmp_path / "a.parquet", progress=lambda now: seen.append((now.rows, now.listed, now.listing_done)))
    assert seen and seen[-1][0] == 5 and seen[-1][2]
    embedded(photos, model).write_parquet(tmp_path / "b.parquet", progress=True)
    assert "images" in capsys.readouterr().err
    embedded(photos, model).write_parquet(tmp_path / "c.parquet")
    assert capsys.readouterr().err == ""  # standard error is no terminal here


def test_what_a_callback_raises_ends_the_run(photos, model, tmp_path):
    def stop(now):
        raise LookupError("enough")

    with pytest.raises(LookupError, match="enough"):
        embedded(photos, model).write_parquet(tmp_path / "out.parquet", progress=stop)
    assert [path.name for path in tmp_path.iterdir()] == ["photos"]


def test_the_interpreter_runs_on_during_a_run(photos, model, tmp_path):
    """Two runs at a time from two threads: neither holds the lock of the interpreter while it works."""
    import threading

    results = {}

    def work(name):
        results[name] = embedded(photos, model).write_parquet(tmp_path / f"{name}.parquet", threads=1).rows

    threads = [threading.Thread(target=work, args=(name,)) for name in "ab"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=120)
    assert results == {"a": 5, "b": 5}


def test_inspect_tells_what_is_there(bad_photos, model, tmp_path):
    output = tmp_path / "out.parquet"
    embedded(bad_photos, model, on_error="ignore", error_column="error").write_parquet(output)
    summary = vf.inspect(output, queries=2, neighbours=3)
    assert (summary.rows, summary.failed, sum(summary.failures.values())) == (7, 2, 2)
    assert summary.dimension == vf.describe_model(model).dimension
    assert dict(summary.columns)["embedding"].startswith("Embedding[Float32")
    assert summary.metadata["vecframe.version"] == vf.__version__
    assert len(summary.neighbours) == 2
    for path, found in summary.neighbours:
        cosines = [cosine for _, cosine in found]
        assert len(found) == 3 and cosines == sorted(cosines, reverse=True) and path not in dict(found)
    assert "rows       7" in str(summary) and json.loads(summary.to_json())["rows"] == 7
    with pytest.raises(vf.RequestError, match="nothing.parquet"):
        vf.inspect(tmp_path / "nothing.parquet")
    with pytest.raises(vf.RequestError):
        vf.inspect(output, queries=-1)
