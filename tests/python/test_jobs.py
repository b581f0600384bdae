"""Directories of parts: resumed, shared, handed out shard by shard; caches and files of failed inputs."""

import json
import os
import pathlib

import pyarrow.parquet as parquet
import pytest

import vecframe as vf
from pictures import write_pictures
from vecframe import col
from vecframe.functions import decode_image, download, embed_image, embed_text
from vecframe.jobs import PlannedRun, ShardRunner, merge_run

TEXTS = pathlib.Path(__file__).resolve().parents[1] / "golden" / "texts"


@pytest.fixture
def folder(tmp_path):
    return write_pictures(tmp_path / "in", 23)


def images(folder, model, **options):
    options = {"model": model, "on_error": "ignore", "error_column": "error"} | options
    return vf.read_images(folder).with_column("embedding", embed_image(col("image"), **options)).exclude("image")


def vectors(directory):
    table = parquet.read_table(directory)
    rows = table.select(["path", "embedding"]).to_pylist()
    assert len({row["path"] for row in rows}) == len(rows), "a path twice"
    return {row["path"]: row["embedding"] for row in rows}


def test_a_resumed_run_computes_what_is_missing(folder, model, tmp_path):
    out = tmp_path / "out"
    first = images(folder, model).write_parquet(out, resume=True, rows_per_part=5)
    assert first.rows == 23
    assert sorted(path.name for path in out.glob("*.parquet")) == [f"part-{i:05}.parquet" for i in range(5)]
    whole = vectors(out)
    before = {path: path.stat().st_mtime_ns for path in out.iterdir()}
    assert images(folder, model).write_parquet(out, resume=True, rows_per_part=5).rows == 0
    assert {path: path.stat().st_mtime_ns for path in out.iterdir()} == before

    (out / "part-00002.parquet").unlink()
    write_pictures(folder, 1, prefix="new")
    assert images(folder, model).write_parquet(out, resume=True, rows_per_part=5).rows == 6
    again = vectors(out)
    assert {path: again[path] for path in whole} == whole
    assert len(again) == 24
    assert json.loads((out / "_manifest.json").read_text())["rows"] == 24
    assert vf.read_report(out)["total"] == {"parts": 6, "rows": 24, "failed": 0}


def test_another_recipe_is_computed_again_or_refused(folder, model, tmp_path, caplog):
    out = tmp_path / "out"
    images(folder, model).write_parquet(out, resume=True, rows_per_part=10)
    with pytest.raises(vf.RequestError, match="normalize is 'false', not 'true'"):
        images(folder, model, normalize=True).write_parquet(out, "append")
    report = images(folder, model, normalize=True).write_parquet(out, resume=True, rows_per_part=10)
    assert report.rows == 23
    assert "normalize is 'false', not 'true'" in caplog.text
    assert parquet.read_metadata(out / "part-00000.parquet").metadata[b"vecframe.normalize"] == b"true"


def test_shares_fill_one_directory(folder, model, tmp_path):
    out = tmp_path / "out"
    rows = [images(folder, model).write_parquet(out, shard=(i, 3), rows_per_part=4).rows for i in (2, 1, 3)]
    assert sum(rows) == 23
    assert len(vectors(out)) == 23
    merged = merge_run(out)
    assert (merged.complete, merged.rows, merged.missing_shares) == (True, 23, 0)
    assert vf.read_report(out)["rows"] == 23


def test_shards_are_handed_out_and_committed_once(folder, model, tmp_path):
    out = tmp_path / "out"
    df = images(folder, model)
    with PlannedRun(df, out, rows_per_part=5) as run:
        runner = ShardRunner(df, out, rows_per_part=5)
        shards = list(run)
        assert len(shards) == 5
        reports = [runner.run(shard).json for shard in shards]
        runner.run(shards[3])  # by a second worker, say
        assert run.finish(reports)["rows"] == 23
    assert len(vectors(out)) == 23
    assert vf.read_report(out)["runs"] == 5
    with pytest.raises(vf.RunError, match="is over"):
        runner.run(shards[0])
    assert images(folder, model).write_parquet(out, resume=True).rows == 0


def test_a_planned_run_names_what_is_missing_and_is_resumed(folder, model, tmp_path):
    out = tmp_path / "out"
    df = images(folder, model)
    with PlannedRun(df, out, rows_per_part=5) as run:
        shards = list(run)
        ShardRunner(df, out).run(shards[1])
        with pytest.raises(vf.RunError, match="part-00000.parquet, part-00002.parquet"):
            run.finish([])
        with pytest.raises(vf.RequestError, match="another run"):
            df.write_parquet(out, resume=True)
        with pytest.raises(vf.RequestError, match="another recipe"):
            ShardRunner(images(folder, model, normalize=True), out).run(shards[0])
    with PlannedRun(df, out, resume=True, rows_per_part=5) as run:
        assert sum(json.loads(shard)["rows"] for shard in run) == 18
    assert df.write_parquet(out, resume=True).rows == 18


def test_texts_are_resumed_by_their_lines(tmp_path):
    model = str(TEXTS / "clip_text")
    lines = tmp_path / "lines.txt"
    lines.write_text("".join(f"a thing number {i}\n" for i in range(25)))
    out = tmp_path / "out"

    def run(**options):
        df = vf.read_texts(lines).with_column("embedding", embed_text(col("text"), model=model, on_error="ignore"))
        return df.write_parquet(out, resume=True, rows_per_part=10, **options)

    assert run().rows == 25
    assert run().rows == 0
    with lines.open("a") as file:
        file.write("one more\n")
    assert run().rows == 6  # the last block
    text = lines.read_text().replace("number 12\n", "that changed\n")
    lines.write_text(text)
    assert run().rows == 16  # its block, and the one that moved
    assert parquet.read_table(out)["text"].to_pylist() == text.splitlines()
    lines.write_text("".join(text.splitlines(keepends=True)[:10]))
    assert run().rows == 0
    assert parquet.read_table(out).num_rows == 10


def test_dead_letters_and_error_rate(folder, model, tmp_path):
    (folder / "bad.png").write_bytes(b"no picture")
    for name in ("dead.jsonl", "dead.parquet"):
        dead = tmp_path / name
        images(folder, model).write_parquet(tmp_path / f"{name}.out", dead_letter=dead)
        rows = [json.loads(line) for line in dead.read_text().splitlines()] if name.endswith("l") else None
        rows = rows or parquet.read_table(dead).to_pylist()
        assert [(row["input"], row["stage"], row["code"]) for row in rows] == [
            (str(folder / "bad.png"), "decode", "unknown_format")
        ]
    with pytest.raises(vf.RunError, match="1 of 24 rows failed"):
        images(folder, model).write_parquet(tmp_path / "r.parquet", max_error_rate=0.01, dead_letter=tmp_path / "d.jsonl")
    assert not (tmp_path / "r.parquet").exists()
    assert (tmp_path / "d.jsonl").read_text().count("\n") == 1
    with pytest.raises(vf.RequestError, match="max_error_rate"):
        images(folder, model, on_error="raise").write_parquet(tmp_path / "r.parquet", max_error_rate=0.5)
    with pytest.raises(vf.RequestError, match="neither .jsonl nor .parquet"):
        images(folder, model).write_parquet(tmp_path / "r.parquet", dead_letter="x.txt")


def test_the_cache_serves_the_next_run(folder, model, tmp_path):
    cache = tmp_path / "cache"
    seen = []
    first = images(folder, model).write_parquet(tmp_path / "a.parquet", cache=cache, progress=seen.append)
    assert first.as_dict()["counts"]["embed"] == 23
    assert seen[-1].embedded == 23
    again = images(folder, model, normalize=True).write_parquet(tmp_path / "b.parquet", cache=cache)
    assert again.as_dict()["cache_hits"] == 23
    assert again.as_dict()["counts"]["embed"] == 0
    plain = images(folder, model, normalize=True).write_parquet(tmp_path / "c.parquet")
    assert plain.as_dict()["cache_hits"] == 0
    assert vectors(tmp_path / "b.parquet") == vectors(tmp_path / "c.parquet")
    assert "23 from the cache" in str(again)


def test_wrong_words_are_refused(folder, model, tmp_path):
    df = images(folder, model)
    for words, message in [
        ({"write_mode": "overwrite", "resume": True}, "either gone on with"),
        ({"prune": True}, "prune"),
        ({"shard": (0, 4)}, "out of range"),
        ({"shard": 3}, "no share"),
        ({"detect": "mtime"}, '"time"'),
        ({"max_error_rate": "high"}, "max_error_rate"),
        ({"rows_per_part": 0}, "rows_per_part"),
    ]:
        with pytest.raises(vf.RequestError, match=message):
            df.write_parquet(tmp_path / "out", **words)
    with pytest.raises(vf.RequestError, match="needs a directory"):
        df.write_parquet(tmp_path / "o.parquet", resume=True)
    with pytest.raises(vf.RequestError, match="no parts|no directory"):
        merge_run(tmp_path)
    with pytest.raises(vf.RequestError, match="report"):
        vf.read_report(tmp_path)
    assert not os.path.exists(tmp_path / "out")


def products(folder, tmp_path, rows=40, groups=10):
    import pyarrow as pa

    paths = sorted(str(path) for path in folder.iterdir())
    table = pa.table({"id": range(rows), "path": [paths[i % len(paths)] for i in range(rows)]})
    tmp_path.mkdir(exist_ok=True)
    parquet.write_table(table, tmp_path / "products.parquet", row_group_size=groups)
    return tmp_path / "products.parquet"


def of_parquet(source, model, below=1000):
    picture = decode_image(download(col("path")), on_error="null")
    return (
        vf.read_parquet(source)
        .where(col("id") < below)
        .with_column("embedding", embed_image(picture, model=model, on_error="ignore"))
    )


def test_row_groups_are_resumed(folder, model, tmp_path):
    source = products(folder, tmp_path / "source")
    out = tmp_path / "out"
    first = of_parquet(source, model).write_parquet(out, resume=True, rows_per_part=10)
    assert first.rows == 40
    assert len(list(out.glob("*.parquet"))) == 4
    assert of_parquet(source, model).write_parquet(out, resume=True, rows_per_part=10).rows == 0
    (out / "part-00002.parquet").unlink()
    assert of_parquet(source, model).write_parquet(out, resume=True, rows_per_part=10).rows == 10
    assert sorted(parquet.read_table(out)["id"].to_pylist()) == list(range(40))

    products(folder, tmp_path / "source", rows=25)  # another file of that name
    assert of_parquet(source, model).write_parquet(out, resume=True, rows_per_part=10).rows == 25
    assert sorted(parquet.read_table(out)["id"].to_pylist()) == list(range(25))
    report = of_parquet(source, model, below=12).write_parquet(out, resume=True, rows_per_part=10)
    assert any("operations" in notice for notice in report.notices)
    assert sorted(parquet.read_table(out)["id"].to_pylist()) == list(range(12))


def test_a_plan_over_files_is_resumed_and_shared(folder, model, tmp_path):
    def frame():
        picture = decode_image(download(col("path")), on_error="null")
        return vf.from_glob_path(str(folder / "*")).with_column("embedding", embed_image(picture, model=model))

    out = tmp_path / "out"
    assert frame().write_parquet(out, resume=True, rows_per_part=6).rows == 23
    write_pictures(folder, 1, prefix="new")
    assert frame().write_parquet(out, resume=True, rows_per_part=6).rows == 1
    (folder / "p003.png").write_bytes((folder / "p004.png").read_bytes())
    assert frame().write_parquet(out, resume=True, rows_per_part=6).rows == 6  # its part
    rows = parquet.read_table(out).select(["path", "embedding"]).to_pylist()
    assert len({row["path"] for row in rows}) == len(rows) == 24
    by_name = {os.path.basename(row["path"]): row["embedding"] for row in rows}
    assert by_name["p003.png"] == by_name["p004.png"]

    shared = tmp_path / "shared"
    assert sum(frame().write_parquet(shared, shard=(i, 2), rows_per_part=6).rows for i in (1, 2)) == 24
    assert parquet.read_table(shared).num_rows == 24


def test_what_cannot_be_resumed_says_why(folder, model, tmp_path):
    df = vf.read_images(folder).sort("path")
    with pytest.raises(vf.RequestError, match="it sorts"):
        df.write_parquet(tmp_path / "out", resume=True)
    assert vf.from_pydict({"a": list(range(25))}).write_parquet(tmp_path / "out", rows_per_part=10).rows == 25
    assert len(list((tmp_path / "out").glob("*.parquet"))) == 3
    with pytest.raises(vf.RequestError, match="memory"):
        vf.from_pydict({"a": [1]}).write_parquet(tmp_path / "out", resume=True)
    with pytest.raises(vf.RequestError, match="cache"):
        vf.from_pydict({"a": [1]}).write_parquet(tmp_path / "o.parquet", cache=tmp_path / "cache")


def test_shards_of_any_plan_are_handed_out(folder, model, tmp_path):
    source = products(folder, tmp_path / "source")
    out = tmp_path / "out"
    df = of_parquet(source, model)
    with PlannedRun(df, out, rows_per_part=10) as run:
        runner = ShardRunner(df, out, rows_per_part=10)
        shards = list(run)
        assert len(shards) == 4
        assert run.finish([runner.run(shard).json for shard in reversed(shards)])["rows"] == 40
    assert sorted(parquet.read_table(out)["id"].to_pylist()) == list(range(40))
    with PlannedRun(df, out, resume=True, rows_per_part=10) as run:
        assert list(run) == []
    with pytest.raises(vf.RequestError, match="it sorts"):
        PlannedRun(df.sort("id"), tmp_path / "sorted")
