"""The command line as a user meets it: outputs, exit codes, messages."""

import json
import os
import pathlib
import signal
import subprocess
import time

import numpy as np
import pyarrow.parquet as pq
import pytest
from PIL import Image

ROOT = pathlib.Path(__file__).resolve().parents[2]
BINARY = pathlib.Path(os.environ.get("VECFRAME_CLI", ROOT / "build" / "bin" / "vecframe"))
MODELS = ROOT / "tests" / "golden" / "models"

pytestmark = pytest.mark.skipif(not BINARY.exists(), reason=f"{BINARY} is not built: run `make build`")


@pytest.fixture(scope="module")
def model():
    directories = sorted(path.parent for path in MODELS.glob("*/config.json"))
    assert directories, "the golden models are part of the tree"
    return str(directories[0])


@pytest.fixture()
def photos(tmp_path):
    """Seven pictures in three folders, two of them bad."""
    folder = tmp_path / "photos"
    rng = np.random.default_rng(7)
    for name in ["b/2.png", "a/1.jpg", "a/3.png", "c.png", "z.jpg"]:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        pixels = rng.integers(0, 256, (40, 60, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(path)
    (folder / "a" / "2.jpg").write_bytes((folder / "a" / "1.jpg").read_bytes()[:300])
    (folder / "empty.png").write_bytes(b"")
    (folder / "notes.txt").write_text("not a picture")
    (folder / ".hidden.png").write_bytes((folder / "c.png").read_bytes())
    return folder


def run(*arguments, cwd=None, env=None):
    return subprocess.run(
        [str(BINARY), *map(str, arguments)], capture_output=True, text=True, cwd=cwd, timeout=300,
        env={**os.environ, "HF_ENDPOINT": "http://127.0.0.1:1", **(env or {})})  # no test asks a real hub


def test_a_folder_becomes_a_parquet_file(photos, tmp_path, model):
    output = tmp_path / "out.parquet"
    done = run("embed", photos, "-o", output, "--model", model, "--json")
    assert done.returncode == 0, done.stderr
    table = pq.read_table(output)
    assert table.column_names == ["path", "embedding", "error", "width", "height", "format"]
    names = [os.path.relpath(path, photos) for path in table["path"].to_pylist()]
    assert names == ["a/1.jpg", "a/2.jpg", "a/3.png", "b/2.png", "c.png", "empty.png", "z.jpg"]
    errors = table["error"].to_pylist()
    assert errors[1].startswith("decode/") and errors[5].startswith(("read/empty", "decode/empty"))
    for row, (error, vector) in enumerate(zip(errors, table["embedding"].to_pylist())):
        assert (error is None) == (vector is not None), row
    assert table["width"].to_pylist()[0] == 60 and table["height"].to_pylist()[0] == 40
    assert table["format"].to_pylist()[0] == "jpeg" and table["format"].to_pylist()[2] == "png"
    report = json.loads(done.stdout)
    assert report["rows"] == 7 and report["failed"] == 2 and sum(report["failures"].values()) == 2
    assert "warning" in done.stderr and "2 of 7" in done.stderr
    metadata = table.schema.metadata
    for key in [b"vecframe.model", b"vecframe.model_fingerprint", b"vecframe.processor_fingerprint",
                b"vecframe.precision", b"vecframe.version"]:
        assert metadata.get(key), key


def test_normalize_makes_unit_vectors_of_the_same_direction(photos, tmp_path, model):
    run("embed", photos / "c.png", "-o", tmp_path / "raw.parquet", "--model", model)
    run("embed", photos / "c.png", "-o", tmp_path / "unit.parquet", "--model", model, "--normalize")
    raw = np.array(pq.read_table(tmp_path / "raw.parquet")["embedding"].to_pylist()[0])
    unit = np.array(pq.read_table(tmp_path / "unit.parquet")["embedding"].to_pylist()[0])
    assert abs(np.linalg.norm(unit) - 1) < 1e-6
    np.testing.assert_allclose(raw / np.linalg.norm(raw), unit, atol=1e-6)


def test_raise_stops_at_the_bad_row_and_leaves_nothing(photos, tmp_path, model):
    output = tmp_path / "out.parquet"
    done = run("embed", photos, "-o", output, "--model", model, "--on-error", "raise")
    assert done.returncode == 1
    assert "2.jpg" in done.stderr or "empty.png" in done.stderr
    assert sorted(p.name for p in tmp_path.iterdir()) == ["photos"]


def test_ignore_keeps_quiet(photos, tmp_path, model):
    done = run("embed", photos, "-o", tmp_path / "out.parquet", "--model", model, "--on-error", "ignore")
    assert done.returncode == 0 and "warning" not in done.stderr
    assert pq.read_table(tmp_path / "out.parquet")["error"].null_count == 5


def test_all_rows_failed_is_still_a_finished_run(photos, tmp_path, model):
    done = run("embed", photos / "empty.png", "-o", tmp_path / "out.parquet", "--model", model)
    assert done.returncode == 0
    assert pq.read_table(tmp_path / "out.parquet").num_rows == 1


def test_an_empty_directory_is_a_file_of_no_rows(tmp_path, model):
    (tmp_path / "nothing").mkdir()
    done = run("embed", tmp_path / "nothing", "-o", tmp_path / "out.parquet", "--model", model)
    assert done.returncode == 0, done.stderr
    table = pq.read_table(tmp_path / "out.parquet")
    assert table.num_rows == 0 and "embedding" in table.column_names


def test_an_existing_file_is_only_replaced_on_request(photos, tmp_path, model):
    output = tmp_path / "out.parquet"
    assert run("embed", photos / "c.png", "-o", output, "--model", model).returncode == 0
    refused = run("embed", photos, "-o", output, "--model", model)
    assert refused.returncode == 2 and "--overwrite" in refused.stderr
    assert pq.read_table(output).num_rows == 1
    assert run("embed", photos, "-o", output, "--model", model, "--overwrite").returncode == 0
    assert pq.read_table(output).num_rows == 7


def test_a_directory_output_is_a_table_too(photos, tmp_path, model):
    output = tmp_path / "parts"
    assert run("embed", photos, "-o", f"{output}/", "--model", model).returncode == 0
    assert pq.read_table(output).num_rows == 7
    assert all(name.startswith(("part-", "_", ".")) for name in os.listdir(output))
    assert run("embed", photos, "-o", output, "--model", model).returncode == 2
    assert run("embed", photos / "c.png", "-o", output, "--model", model, "--overwrite").returncode == 0
    assert pq.read_table(output).num_rows == 1


def test_globs_limit_and_a_path_reached_twice(photos, tmp_path, model):
    output = tmp_path / "out.parquet"
    done = run("embed", "photos/**/*.png", "photos/c.png", "photos/a", "-o", output, "--model", model,
               "--limit", "4", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert pq.read_table(output)["path"].to_pylist() == [
        "photos/a/3.png", "photos/b/2.png", "photos/c.png", "photos/empty.png"]


def test_batches_and_threads_do_not_change_a_vector(photos, tmp_path, model):
    vectors = []
    for batch, threads in [(1, 1), (3, 2), (16, 1)]:
        output = tmp_path / f"{batch}-{threads}.parquet"
        run("embed", photos, "-o", output, "--model", model, "--batch-size", batch, "--threads", threads)
        vectors.append(pq.read_table(output)["embedding"].to_pylist())
    assert vectors[0] == vectors[1] == vectors[2]


@pytest.mark.parametrize("arguments, words", [
    (["embed", "photos", "-o", "o.parquet", "--normalise"], ["--normalize"]),
    (["embed", "photos"], ["-o"]),
    (["embed", "nowhere/*.jpg", "-o", "o.parquet", "--model", "MODEL"], ["nowhere/*.jpg"]),
    (["embed", "photos", "-o", "o.parquet", "--model", "no/such-model"], ["no/such-model", "builtin:efficientnet-lite0"]),
    (["embed", "photos", "-o", "o.parquet"], ["clip-vit-base-patch32", "builtin:efficientnet-lite0"]),
    (["embed", "photos", "-o", "o.parquet", "--model", "builtin:nothing"], ["builtin:efficientnet-lite0"]),
    (["embed", "photos", "-o", "o.parquet", "--model", "photos"], ["config.json"]),
    (["embed", "photos", "-o", "o.parquet", "--model", "MODEL", "--precision", "fp8"], ["fp8", "bf16"]),
    (["embed", "photos", "-o", "o.parquet", "--model", "MODEL", "--device", "tpu"], ["tpu", "cpu"]),
    (["embed", "photos", "-o", "o.parquet", "--model", "MODEL", "--device", "cuda:99"], ["cuda:99", "auto", "cpu"]),
    (["embed", "photos", "-o", "o.parquet", "--model", "MODEL", "--provider", "transfomers"], ["transformers"]),
    (["embed", "photos", "-o", "o.parquet", "--model", "MODEL", "--memory-limit", "1K"], ["memory"]),
    (["embed", "photos", "-o", "o.parquet", "--model", "MODEL", "--memory-limit", "lots"], ["lots"]),
    (["embed", "photos", "-o", "o.parquet", "--model", "MODEL", "--batch-size", "0"], ["batch-size"]),
    (["embed", "photos", "-o", "no/such/dir/o.parquet", "--model", "MODEL"], ["no/such/dir"]),
    (["inspect", "nothing.parquet"], ["nothing.parquet"]),
    (["inspect", "photos/notes.txt"], ["notes.txt"]),
    (["models", "show"], ["model"]),
    (["models", "show", "photos"], ["config.json"]),
    (["models", "show", "no/such-model"], ["no/such-model", "builtin:efficientnet-lite0"]),
    (["models", "show", "builtin:nothing"], ["builtin:efficientnet-lite0"]),
    (["frobnicate"], ["--help"]),
    ([], ["--help"]),
])
def test_a_wrong_request_is_code_2_and_one_line(arguments, words, photos, tmp_path, model):
    arguments = [model if a == "MODEL" else a for a in arguments]
    done = run(*arguments, cwd=tmp_path, env={"HF_HUB_CACHE": str(tmp_path / "hub"), "VECFRAME_MODEL": ""})
    assert done.returncode == 2, done.stderr
    assert len(done.stderr.strip().splitlines()) == 1, done.stderr
    for word in words:
        assert word in done.stderr
    assert not (tmp_path / "o.parquet").exists()


def test_interrupt_leaves_nothing(tmp_path, model):
    folder = tmp_path / "many"
    folder.mkdir()
    picture = Image.fromarray(np.random.default_rng(0).integers(0, 256, (1500, 2000, 3), dtype=np.uint8))
    picture.save(folder / "0.png", compress_level=1)
    for i in range(1, 400):
        os.link(folder / "0.png", folder / f"{i}.png")
    process = subprocess.Popen([str(BINARY), "embed", str(folder), "-o", str(tmp_path / "out.parquet"), "--model", model],
                               stderr=subprocess.PIPE, text=True)
    time.sleep(1.0)
    process.send_signal(signal.SIGINT)
    _, stderr = process.communicate(timeout=60)
    assert process.returncode == 130, stderr
    assert sorted(p.name for p in tmp_path.iterdir()) == ["many"]


def test_inspect_tells_what_is_there(photos, tmp_path, model):
    output = tmp_path / "out.parquet"
    run("embed", photos, "-o", output, "--model", model)
    text = run("inspect", output, "--queries", 2, "--neighbours", 3)
    assert text.returncode == 0, text.stderr
    for word in ["rows       7", "failed     2", "Embedding[Float32", "vecframe.model", "nearest neighbours"]:
        assert word in text.stdout
    found = json.loads(run("inspect", output, "--json", "--queries", 2, "--neighbours", 3).stdout)
    table = pq.read_table(output)
    vectors = {p: np.array(v) for p, v in zip(table["path"].to_pylist(), table["embedding"].to_pylist()) if v}
    assert len(found["neighbours"]) == 2
    for query in found["neighbours"]:
        q = vectors.pop(query["path"])
        cosine = {p: float(q @ v / np.linalg.norm(q) / np.linalg.norm(v)) for p, v in vectors.items()}
        expected = sorted(cosine, key=lambda p: -cosine[p])[:3]
        assert [n["path"] for n in query["neighbours"]] == expected
        for neighbour in query["neighbours"]:
            assert abs(neighbour["similarity"] - cosine[neighbour["path"]]) < 1e-6
        vectors[query["path"]] = q


def test_models_lists_the_built_in_one(tmp_path):
    done = run("models", "--json", env={"HF_HUB_CACHE": str(tmp_path)})
    assert done.returncode == 0, done.stderr
    models = {m["name"]: m for m in json.loads(done.stdout)}
    assert models["builtin:efficientnet-lite0"]["dimension"] == 1280
    assert models["builtin:efficientnet-lite0"]["licence"] == "Apache-2.0"
    assert models["openai/clip-vit-base-patch32"]["state"] == "known"
    assert "builtin:efficientnet-lite0" in run("models").stdout


def test_models_show_tells_what_is_known_of_one(model):
    done = run("models", "show", model)
    assert done.returncode == 0, done.stderr
    lines = dict(line.split(maxsplit=1) for line in done.stdout.splitlines())
    assert lines["model"] == lines["files"] == model and lines["state"] == "directory"
    facts = json.loads(run("models", "show", model, "--json").stdout)
    config = json.loads(pathlib.Path(model, "config.json").read_text())
    assert config["model_type"].startswith(facts["family"].split("-")[0])
    assert lines["dimension"] == str(facts["dimension"])
    assert lines["picture"] == f"{facts['image_width']}x{facts['image_height']}"
    assert lines["processor"] == facts["processor"] and "mean" in facts["processor"]
    assert (lines["texts"] == "yes") == facts["has_text_tower"]
    assert facts["parameters"] > 0 and facts["gflop_per_image"] > 0 and facts["revision"] == ""


@pytest.mark.parametrize("name, texts", [("clip", True), ("clip_vision", False), ("dinov2", False)])
def test_models_show_tells_whether_texts_can_be_embedded(name, texts):
    assert json.loads(run("models", "show", MODELS / name, "--json").stdout)["has_text_tower"] is texts


def test_a_model_in_the_hub_cache_is_found_by_its_id(photos, tmp_path, model):
    snapshot = tmp_path / "hub" / "models--me--tiny" / "snapshots" / "abc123"
    snapshot.parent.mkdir(parents=True)
    os.symlink(model, snapshot)
    (snapshot.parents[1] / "refs").mkdir()
    (snapshot.parents[1] / "refs" / "main").write_text("abc123")
    env = {"HF_HUB_CACHE": str(tmp_path / "hub")}
    output = tmp_path / "out.parquet"
    done = run("embed", photos / "c.png", "-o", output, "--model", "me/tiny", env=env)
    assert done.returncode == 0, done.stderr
    assert pq.read_table(output).schema.metadata[b"vecframe.revision"] == b"abc123"
    assert '"me/tiny"' in run("models", "--json", env=env).stdout


TEXT_MODEL = ROOT / "tests" / "golden" / "texts" / "clip_text"


def test_texts_of_a_file_become_a_parquet_file(tmp_path):
    queries = tmp_path / "queries.txt"
    queries.write_bytes(b"\xef\xbb\xbfa red bicycle\r\n\r\n\xff\nthe last one")
    output = tmp_path / "queries.parquet"
    done = run("embed", "--text", queries, "-o", output, "--model", TEXT_MODEL, "--json")
    assert done.returncode == 0, done.stderr
    table = pq.read_table(output)
    assert table.column_names == ["text", "embedding", "error"]
    assert table["text"].to_pylist() == ["a red bicycle", "", "\ufffd", "the last one"]
    assert table["error"].to_pylist() == [None, None, "read/corrupt: the line is not UTF-8", None]
    assert table["embedding"].null_count == 1
    report = json.loads(done.stdout)
    assert (report["rows"], report["failed"]) == (4, 1)
    assert report["texts_per_second"] > 0
    assert "queries.txt:3: read/corrupt" in done.stderr


def test_texts_come_from_standard_input_too(tmp_path):
    output = tmp_path / "q.parquet"
    done = subprocess.run(
        [str(BINARY), "embed", "--text", "-", "-o", str(output), "--model", str(TEXT_MODEL), "--normalize"],
        input=b"one\ntwo\n", capture_output=True, timeout=300)
    assert done.returncode == 0, done.stderr
    vectors = np.stack(pq.read_table(output)["embedding"].to_numpy(zero_copy_only=False))
    assert vectors.shape[0] == 2
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-6)


def test_interrupt_while_standard_input_waits(tmp_path):
    output = tmp_path / "q.parquet"
    command = [str(BINARY), "embed", "--text", "-", "-o", str(output), "--model", str(TEXT_MODEL)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        process.stdin.write(b"one\n")
        process.stdin.flush()
        time.sleep(1)
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=30) == 130, process.stderr.read()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--text", "{queries}", "{photos}", "--model", TEXT_MODEL), "--text: texts and images"),
        (("--text", "{queries}", "--model", MODELS / "dinov2"), "text"),
        (("--text", "{queries}", "--model", "builtin:efficientnet-lite0"), "embeds pictures only"),
        (("--text", "nowhere.txt", "--model", TEXT_MODEL), "'nowhere.txt' cannot be read"),
        (("--text", "{queries}", "--pooling", "cls", "--model", TEXT_MODEL), "about images"),
        (("--model", TEXT_MODEL), "inputs: none"),
        (("{photos}", "--image-size", "7", "--model", MODELS / "aimv2_lit"), "image_size: 7"),
        (("{photos}", "--pooling", "cls", "--model", MODELS / "siglip"), "pooling: 'cls' needs a class token"),
        (("{photos}", "--dimensions", "1000", "--model", MODELS / "clip"), "dimensions: 1000 is out of range"),
    ],
)
def test_a_wrong_request_about_texts_or_vectors_is_code_2(arguments, words, photos, tmp_path):
    queries = tmp_path / "queries.txt"
    queries.write_text("a\n")
    places = {"queries": queries, "photos": photos}
    done = run("embed", *(str(a).format(**places) for a in arguments), "-o", tmp_path / "o.parquet", cwd=tmp_path)
    assert done.returncode == 2, done.stderr
    assert words in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
    assert not (tmp_path / "o.parquet").exists()


def test_vectors_in_the_form_that_is_asked_for(photos, tmp_path):
    output = tmp_path / "o.parquet"
    done = run("embed", photos, "-o", output, "--model", MODELS / "dinov2", "--image-size", "84", "--pooling", "mean",
               "--dimensions", "16", "--normalize", "--dtype", "float16", "--on-error", "ignore", "--json")
    assert done.returncode == 0, done.stderr
    table = pq.read_table(output)
    assert table.schema.field("embedding").type.list_size == 16
    vectors = np.stack(table["embedding"].drop_null().to_numpy(zero_copy_only=False))
    assert vectors.dtype == np.float16
    assert np.allclose(np.linalg.norm(vectors.astype(np.float32), axis=1), 1, atol=2e-3)
    assert json.loads(done.stdout)["model"]["pooling"] == "mean"
    metadata = pq.read_schema(output).metadata
    assert metadata[b"vecframe.pooling"] == b"mean"
    assert metadata[b"vecframe.dimension"] == b"16"
    assert run("inspect", output).returncode == 0


def test_help_has_examples():
    done = run("embed", "--help")
    assert done.returncode == 0 and "Examples" in done.stdout and ".jpg" in done.stdout
    assert run("--version").stdout.startswith("vecframe ")


def test_stages_and_order_change_no_row(photos, tmp_path, model):
    words = ["--model", model, "--on-error", "ignore", "--json"]
    assert run("embed", photos, "-o", tmp_path / "a.parquet", *words).returncode == 0
    done = run("embed", photos, "-o", tmp_path / "b.parquet", *words, "--unordered", "--stages",
               "decode=2,embed=1,download=5")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["concurrency"] == {"download": 5, "decode": 2, "embed": 1}
    usual, free = (pq.read_table(tmp_path / f"{name}.parquet").to_pylist() for name in "ab")
    assert sorted(free, key=lambda row: row["path"]) == usual


def test_wrong_stages_are_wrong_requests(photos, tmp_path, model):
    for stages, message in {
        "decod=4": "did you mean 'decode'?",
        "embed=0": "embed=0 is out of range; give 1 to 1024",
        "embed": "'embed' is no number of a stage",
        "embed=2x": "'embed=2x' is no number of a stage",
    }.items():
        done = run("embed", photos, "-o", tmp_path / "out.parquet", "--model", model, "--stages", stages)
        assert done.returncode == 2, stages
        assert message in done.stderr and done.stderr.count("\n") == 1, done.stderr
