"""How a run goes about its rows: so many in a stage at a time, in order or not, copies once, counters of stages."""

import pyarrow.parquet as parquet
import pytest

import vecframe as vf
from pictures import write_pictures
from vecframe import col
from vecframe.functions import decode_image, download, embed_image

STAGES = {"download": 6, "decode": 3, "embed": 1}


@pytest.fixture
def folder(tmp_path):
    return write_pictures(tmp_path / "in", 23)


def of_files(folder, model, **options):
    options = {"model": model, "on_error": "ignore", "error_column": "error"} | options
    return vf.read_images(folder).with_column("e", embed_image(col("image"), **options)).exclude("image")


def of_paths(paths, model):
    return vf.from_pydict({"path": [str(path) for path in paths]}).with_column(
        "e", embed_image(decode_image(download(col("path"))), model=model)
    )


def rows_of(table):
    rows = {row["path"]: row["e"] for row in table.select(["path", "e"]).to_pylist()}
    assert len(rows) == table.num_rows, "a path twice"
    return rows


def parts_of(directory):
    return {part.name: set(parquet.read_table(part)["path"].to_pylist()) for part in directory.glob("*.parquet")}


def test_stages_change_how_a_run_goes_and_not_what_comes_out(folder, model, tmp_path):
    usual = rows_of(of_files(folder, model).to_arrow())
    report = of_files(folder, model).write_parquet(tmp_path / "out.parquet", stages=STAGES, threads=2)
    assert rows_of(parquet.read_table(tmp_path / "out.parquet")) == usual
    assert report.as_dict()["concurrency"] == STAGES
    assert report.as_dict()["threads"] == 4
    of_steps = of_paths(sorted(folder.iterdir()), model)
    assert rows_of(of_steps.to_arrow(stages=STAGES)) == usual
    report = of_steps.write_parquet(tmp_path / "steps.parquet", stages=STAGES, threads=2)
    assert report.as_dict()["concurrency"] == STAGES
    batches = list(of_steps.iter_batches(4, stages=STAGES, ordered=False))
    assert sum(batch.num_rows for batch in batches) == 23


@pytest.mark.parametrize(
    ("stages", "message"),
    [
        ({"decod": 4}, "'decod' is not known; the stages are download, decode and embed; did you mean 'decode'"),
        ({"embed": 0}, "embed=0 is out of range; give 1 to 1024"),
        ({"embed": "one"}, "'one' is of type str"),
        ([4], "is of type list; give a dict such as"),
    ],
)
def test_wrong_stages_are_wrong_requests(folder, model, stages, message):
    with pytest.raises(vf.RequestError, match=f"^stages: .*{message}"):
        of_files(folder, model).to_arrow(stages=stages)


def test_ordered_is_true_or_false(folder, model):
    with pytest.raises(vf.RequestError, match="^ordered: 'no' is of type str; give True or False"):
        of_files(folder, model).to_arrow(ordered="no")


def test_without_order_parts_hold_the_rows_of_their_shards(folder, model, tmp_path):
    (folder / "p005.png").write_bytes(b"no picture")
    in_order, free = tmp_path / "in_order", tmp_path / "free"
    of_files(folder, model).write_parquet(in_order, resume=True, rows_per_part=4)
    of_files(folder, model).write_parquet(free, resume=True, rows_per_part=4, ordered=False, stages=STAGES)
    assert parts_of(free) == parts_of(in_order)
    assert rows_of(parquet.read_table(free)) == rows_of(parquet.read_table(in_order))

    # What is gone, changed or failed is computed again, and nothing else.
    (free / "part-00002.parquet").unlink()
    write_pictures(folder, 6)  # mends one, changes five
    report = of_files(folder, model).write_parquet(free, resume=True, rows_per_part=4, ordered=False)
    assert report.rows == 4 + 6
    assert rows_of(parquet.read_table(free)) == rows_of(of_files(folder, model).to_arrow())
    assert of_files(folder, model).write_parquet(free, resume=True, ordered=False).rows == 0


def test_without_order_shards_of_steps_are_whole_too(folder, model, tmp_path):
    df = vf.from_glob_path(str(folder / "*.png")).with_column(
        "e", embed_image(decode_image(download(col("path"))), model=model)
    )
    df.write_parquet(tmp_path / "in_order", resume=True, rows_per_part=5)
    df.write_parquet(tmp_path / "free", resume=True, rows_per_part=5, ordered=False)
    assert parts_of(tmp_path / "free") == parts_of(tmp_path / "in_order")


def test_what_needs_the_order_sees_it(folder, model):
    paths = sorted(str(path) for path in folder.iterdir())
    df = of_paths(paths, model).where(col("path") != paths[3])
    assert set(df.limit(5).to_arrow(ordered=False)["path"].to_pylist()) == set(paths[:6]) - {paths[3]}
    assert df.sort("path", desc=True).to_arrow(ordered=False)["path"].to_pylist() == paths[:3:-1] + paths[2::-1]
    sample = df.sample(0.5, seed=3)
    assert set(sample.to_arrow(ordered=False)["path"].to_pylist()) == set(sample.to_arrow()["path"].to_pylist())


@pytest.mark.filterwarnings("ignore::vecframe.PlanWarning")
def test_identical_pictures_are_embedded_once(folder, model, tmp_path):
    paths = [path for path in sorted(folder.iterdir())[:6] for _ in range(5)]
    column = vf.from_pydict({"row": list(range(30)), "bytes": [path.read_bytes() for path in paths]})
    picture = decode_image(col("bytes"))
    for name, image in {"bytes": picture, "pixels": picture.resize(30, 30)}.items():
        df = column.with_column("e", embed_image(image, model=model))
        report = df.write_parquet(tmp_path / f"{name}.parquet").as_dict()
        assert (report["counts"]["embed"], report["duplicates"]) == (6, 24), name
        vectors = parquet.read_table(tmp_path / f"{name}.parquet")["e"].to_pylist()
        assert all(vectors[i] == vectors[i - i % 5] for i in range(30))
        assert len({tuple(vector) for vector in vectors}) == 6


@pytest.mark.filterwarnings("ignore::vecframe.PlanWarning")
def test_a_cache_serves_plans_of_every_kind(folder, model, tmp_path):
    paths = sorted(folder.iterdir())
    words = {"cache": tmp_path / "cache"}
    first = of_files(folder, model).write_parquet(tmp_path / "files.parquet", **words).as_dict()
    assert (first["counts"]["embed"], first["cache_hits"]) == (23, 0)
    decoded = decode_image(download(col("path")), mode="RGB")
    as_files = decode_image(download(col("path")), mode="RGB", apply_orientation=True)
    for name, picture, known in [
        ("like files", as_files, 23),  # what the run over files left
        ("as stored", decoded, 0),
        ("pixels", decoded.resize(40, 40), 0),
    ]:
        df = vf.from_pydict({"path": [str(path) for path in paths]}).with_column("e", embed_image(picture, model=model))
        once = df.write_parquet(tmp_path / "once.parquet", "overwrite", **words).as_dict()
        again = df.write_parquet(tmp_path / "again.parquet", "overwrite", **words).as_dict()
        assert (once["counts"]["embed"], once["cache_hits"]) == (23 - known, known), name
        assert (again["counts"]["embed"], again["cache_hits"]) == (0, 23), name
        assert rows_of(parquet.read_table(tmp_path / "again.parquet")) == rows_of(df.to_arrow())


def test_a_cache_of_nothing_is_a_wrong_request(folder, tmp_path):
    df = vf.from_pydict({"path": ["a"]})
    with pytest.raises(vf.RequestError, match="^cache: .* this plan has none; leave it out"):
        df.write_parquet(tmp_path / "out.parquet", cache=tmp_path / "cache")


def test_progress_counts_the_stages_of_steps(folder, model, tmp_path):
    seen = []
    df = of_paths(sorted(folder.iterdir()), model)
    report = df.write_parquet(tmp_path / "out.parquet", progress=lambda now: seen.append(now)).as_dict()
    last = seen[-1]
    assert last.rows == 23
    assert all((now.listed, now.listing_done) == (23, True) for now in seen)  # rows in memory are counted beforehand
    seen.clear()
    source = tmp_path / "source.parquet"
    vf.from_pydict({"n": list(range(30))}).write_parquet(source)
    plan = vf.read_parquet([str(source)] * 2)
    plan.limit(50).write_parquet(tmp_path / "again.parquet", progress=seen.append)
    assert all((now.listed, now.listing_done) == (50, True) for now in seen)  # and those of files
    assert (last.read, last.prepared, last.embedded) == (23, 23, 23)
    assert last.bytes_read == sum(path.stat().st_size for path in folder.iterdir())
    assert report["counts"] == {"read": 23, "prepare": 23, "embed": 23, "write": 23}
    assert all(report["stages"][stage] > 0 for stage in ("read", "prepare", "embed", "write"))
    assert report["batches"] >= 1
    assert 0 < report["memory"]["budget_peak"] <= report["memory"]["limit"]


def test_the_report_says_which_batch_size_stayed(folder, model, tmp_path):
    fixed = of_files(folder, model, batch_size=5).write_parquet(tmp_path / "fixed.parquet").as_dict()
    assert fixed["batch_size"] == 5
    chosen = of_files(folder, model).write_parquet(tmp_path / "chosen.parquet").as_dict()
    assert chosen["batch_size"] in (1, 2, 4, 8, 16)
    assert chosen["memory_failures"] == 0
