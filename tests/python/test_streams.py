"""Rows as they are computed; memory that is shared and not copied."""

import gc
import os
import threading

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import vecframe as vf
from pictures import save_picture
from vecframe import col
from vecframe.functions import decode_image, download, embed_image


def addresses(array):
    return [buffer.address for buffer in array.buffers() if buffer is not None]


def threads_now():
    return len(os.listdir("/proc/self/task"))


@pytest.fixture()
def many(tmp_path):
    """Many names of a few files, so that a run to the end would take a while."""
    for i in range(3):
        save_picture(tmp_path / f"{i}.png", i)
    return vf.from_pydict({"path": [str(tmp_path / f"{i % 3}.png") for i in range(3000)], "i": range(3000)})


def test_batches_are_of_the_size_asked_for(many):
    batches = list(many.iter_batches(700))
    assert [batch.num_rows for batch in batches] == [700, 700, 700, 700, 200]
    assert pa.Table.from_batches(batches).equals(many.to_arrow().cast(batches[0].schema))
    with pytest.raises(vf.RequestError, match="batch_size"):
        many.iter_batches(0)


def test_steps_run_as_their_rows_are_taken(many, model):
    df = many.with_column("e", embed_image(decode_image(download(col("path"))), model=model))
    broken = vf.from_pydict({"path": ["/nowhere.png"], "i": [-1]})
    # The bad row at the end is not reached, so it does not end the run.
    late = df.concat(broken.with_column("e", embed_image(decode_image(download(col("path"))), model=model)))
    batches = late.iter_batches(16, threads=2)
    first = next(batches)
    assert first.num_rows in range(1, 17)  # the first rows go to both threads
    assert first["i"].to_pylist() == list(range(first.num_rows))
    assert first["e"].null_count == 0
    batches.close()


def test_file_jobs_run_as_their_rows_are_taken(photos, model):
    df = vf.read_images(photos).with_column("e", embed_image(col("image"), model=model))
    got = list(df.iter_batches(2, threads=2))
    assert [batch.num_rows for batch in got] == [2, 2, 1]
    table = pa.Table.from_batches(got)
    assert table.equals(df.to_arrow().combine_chunks().cast(table.schema))


@pytest.mark.parametrize("how", ["close", "drop", "never begun"])
def test_an_iterator_that_is_closed_early_ends_its_run(many, photos, model, how):
    embedded = many.with_column("e", embed_image(decode_image(download(col("path"))), model=model))
    files = vf.read_images(*[photos] * 200).with_column("e", embed_image(col("image"), model=model))
    for df in (embedded, files):
        list(df.limit(2).iter_batches())  # so that pools of libraries have their threads
        before = threads_now()
        batches = df.iter_batches(1, threads=2)
        assert threads_now() > before
        if how != "never begun":
            next(batches)
        if how == "close":
            batches.close()
            assert list(batches) == []
        del batches
        gc.collect()
        assert threads_now() == before


def test_errors_of_a_run_arrive_as_such(many, bad_photos, model):
    df = many.with_column("b", download(col("path"))).concat(
        vf.from_pydict({"path": ["/nowhere.png"], "i": [0]}).with_column("b", download(col("path")))
    )
    with pytest.raises(vf.RunError, match="/nowhere.png: read/not_found"):
        list(df.iter_batches())
    strict = vf.read_images(bad_photos).with_column("e", embed_image(col("image"), model=model))
    with pytest.raises(vf.RunError, match=r"2\.jpg"):
        list(strict.iter_batches(1))
    with pytest.raises(Exception, match="/nowhere.png: read/not_found"):
        pa.table(df)


def test_failures_are_logged_as_rows_are_taken(bad_photos, model, caplog):
    df = vf.read_images(bad_photos).with_column("e", embed_image(col("image"), model=model, on_error="log"))
    list(df.iter_batches())
    assert len(caplog.records) == 2
    assert "empty.png" in caplog.records[1].getMessage()


def test_the_capsule_is_lazy_too(many, model):
    df = many.with_column("e", embed_image(decode_image(download(col("path"))), model=model))
    list(df.limit(2).iter_batches())
    before = threads_now()
    reader = pa.RecordBatchReader.from_stream(df)
    assert reader.read_next_batch().num_rows > 0
    assert threads_now() > before
    reader.close()
    del reader
    gc.collect()
    assert threads_now() == before


def test_several_threads_may_read_at_once(photos, model):
    df = vf.read_images(photos).with_column("e", embed_image(col("image"), model=model))
    expected = df.to_arrow().num_rows
    counts = []
    readers = [threading.Thread(target=lambda: counts.append(pa.table(df).num_rows)) for _ in range(3)]
    for reader in readers:
        reader.start()
    for reader in readers:
        reader.join()
    assert counts == [expected] * 3


def test_arrow_goes_in_and_out_without_a_copy():
    table = pa.table(
        {
            "i": pa.array([1, 2, None], pa.int64()),
            "s": pa.array(["a", None, "ccc"]),
            "v": pa.FixedSizeListArray.from_arrays(pa.array(np.arange(6, dtype=np.float32)), 2),
            "nested": pa.array([{"x": [1]}, None, {"x": []}]),
        }
    )
    df = vf.from_arrow(table)
    for out in (df.to_arrow(), pa.table(df), df.collect().to_arrow(), df.select("v", "i").to_arrow(), df.limit(2).to_arrow()):
        for name in out.column_names:
            assert addresses(out[name].chunk(0)) == addresses(table[name].chunk(0)), name
    batch = next(df.iter_batches())
    assert addresses(batch["v"]) == addresses(table["v"].chunk(0))
    # A filter that keeps everything keeps the memory too.
    kept = df.where(col("v").not_null()).to_arrow()
    assert addresses(kept["v"].chunk(0)) == addresses(table["v"].chunk(0))


def test_vectors_are_numpy_arrays_without_a_copy(photos, model):
    df = vf.read_images(photos).with_column("e", embed_image(col("image"), model=model)).collect()
    column = df.to_arrow()["e"].chunk(0)
    storage = column.storage if isinstance(column, pa.ExtensionArray) else column
    values = storage.flatten().to_numpy(zero_copy_only=True)
    assert values.ctypes.data == storage.flatten().buffers()[1].address


def test_tensors_share_memory(photos, model):
    torch = pytest.importorskip("torch", reason="torch is not installed")
    df = vf.read_images(photos).with_column("e", embed_image(col("image"), model=model)).select("e", "width").collect()
    table = df.to_arrow()
    tensors = df.to_torch()
    assert tensors["e"].shape == (5, 24)
    assert tensors["e"].dtype == torch.float32
    column = table["e"].chunk(0)
    storage = column.storage if isinstance(column, pa.ExtensionArray) else column
    assert tensors["e"].data_ptr() == storage.flatten().buffers()[1].address
    assert tensors["width"].tolist() == table["width"].to_pylist()
    with pytest.raises(vf.RequestError, match="path"):
        vf.read_images(photos).select("path").to_torch()
    with pytest.raises(vf.RequestError, match="1 nulls"):
        vf.from_pydict({"a": [1, None]}).to_torch()


def test_memory_does_not_grow_with_the_rows(tmp_path):
    """A hundred row groups of a megabyte, of which a few are in memory at a time."""
    path = tmp_path / "large.parquet"
    with pq.ParquetWriter(path, pa.schema([("x", pa.float64())])) as writer:
        for i in range(100):
            writer.write_table(pa.table({"x": np.random.default_rng(i).random(131072)}))
    pool = pa.system_memory_pool()
    most = rows = 0
    start = pool.bytes_allocated()
    for batch in vf.read_parquet(path).with_column("y", col("x") * 2).iter_batches(4096):
        rows += batch.num_rows
        most = max(most, pool.bytes_allocated() - start)
    assert rows == 100 * 131072
    assert most < 24 << 20


def test_the_first_rows_of_a_sort_are_held_alone():
    rng = np.random.default_rng(3)
    keys = rng.integers(0, 1000, 60_000)
    table = pa.table({"k": keys, "row": np.arange(len(keys))})
    df = vf.from_arrow(pa.Table.from_batches(table.to_batches(max_chunksize=777)))
    # Stable, also among rows that came in different batches.
    got = df.sort("k").limit(500).to_arrow()
    assert got["row"].to_pylist() == np.argsort(keys, kind="stable")[:500].tolist()
    down = df.sort("k", desc=True).limit(3).to_arrow()
    assert down["row"].to_pylist() == np.argsort(-keys, kind="stable")[:3].tolist()
    assert df.sort("k").limit(0).count() == 0
    assert "Sort: k, the first 500" in df.sort("k").limit(500).explain(show_all=True)


def test_frames_of_no_and_one_row():
    for values in ([], [1], [None]):
        df = vf.from_arrow(pa.table({"a": pa.array(values, pa.int64())}))
        assert pa.table(df).num_rows == len(values)
        assert [batch.num_rows for batch in df.iter_batches()] == ([1] if values else [])
        assert df.collect().count() == len(values)
