"""The command line with a model of the hub: downloaded once, shared with other tools, refused in one line."""

import concurrent.futures
import hashlib
import json
import os
import pathlib
import pty
import shutil
import signal
import subprocess
import time

import numpy as np
import pyarrow.parquet as pq
import pytest
from hub_process import MODEL, Hub
from PIL import Image

ROOT = pathlib.Path(__file__).resolve().parents[3]
BINARY = pathlib.Path(os.environ.get("VECFRAME_CLI", ROOT / "build" / "bin" / "vecframe"))
TOKEN = "hf_TestTokenThatMustNotLeak"

pytestmark = pytest.mark.skipif(not BINARY.exists(), reason=f"{BINARY} is not built: run `make build`")


@pytest.fixture()
def hub(tmp_path):
    hub = Hub(tmp_path)
    yield hub
    hub.close()


@pytest.fixture()
def environment(hub, tmp_path):
    """An environment in which this hub is the only one."""
    clean = {k: v for k, v in os.environ.items() if not k.startswith(("HF_", "VECFRAME_MODEL", "TRANSFORMERS_", "SSL_CERT"))
             and not k.lower().endswith("_proxy")}
    return clean | {"HF_ENDPOINT": hub.url, "HF_HUB_CACHE": str(tmp_path / "cache"), "HF_TOKEN": TOKEN}


@pytest.fixture()
def embed_command(tmp_path):
    """The words of `vecframe embed` on one picture with this model."""
    picture = tmp_path / "x.png"
    Image.fromarray(np.random.default_rng(3).integers(0, 256, (40, 60, 3), dtype=np.uint8)).save(picture)

    def words(model, output="o.parquet"):
        return [str(BINARY), "embed", str(picture), "-o", str(tmp_path / output), "--model", str(model)]
    return words


@pytest.fixture()
def embed(environment, embed_command):
    """Runs it."""
    def run(model, output="o.parquet", **changes):
        return subprocess.run(embed_command(model, output), capture_output=True, text=True, timeout=120,
                              env=environment | changes)
    return run


@pytest.fixture()
def show(environment):
    """Runs `vecframe models show`."""
    def run(*words, **changes):
        return subprocess.run([str(BINARY), "models", "show", *map(str, words)], capture_output=True, text=True,
                              timeout=120, env=environment | changes)
    return run


def vectors(path):
    return np.array(pq.read_table(path)["embedding"].to_pylist(), dtype=np.float32)


def assert_refused(done, *words):
    assert done.returncode == 2, done.stderr
    assert len(done.stderr.strip().splitlines()) == 1, done.stderr
    assert TOKEN not in done.stderr and "verysecret" not in done.stderr
    for word in (*words, "builtin:efficientnet-lite0"):
        assert word in done.stderr


def test_a_model_of_the_hub_gives_the_vectors_of_its_directory(hub, embed, tmp_path):
    hub.add("owner/tiny")
    done = embed("owner/tiny")
    assert done.returncode == 0, done.stderr
    assert embed(MODEL, "local.parquet").returncode == 0
    np.testing.assert_array_equal(vectors(tmp_path / "o.parquet"), vectors(tmp_path / "local.parquet"))
    commit = hashlib.sha1(b"owner/tiny").hexdigest()
    assert pq.read_table(tmp_path / "o.parquet").schema.metadata[b"vecframe.revision"] == commit.encode()

    requests = hub.requests()
    assert all(r["authorization"] == f"Bearer {TOKEN}" for r in requests if r["role"] == "hub")
    assert [r["authorization"] for r in requests if r["role"] == "cdn"] == [None]


def test_the_cache_has_the_layout_that_other_tools_read(hub, embed, tmp_path):
    hub.add("owner/tiny")
    assert embed("owner/tiny").returncode == 0
    folder = tmp_path / "cache" / "models--owner--tiny"
    commit = (folder / "refs" / "main").read_text()
    assert len(commit) == 40
    for name in ["config.json", "model.safetensors", "preprocessor_config.json"]:
        link = folder / "snapshots" / commit / name
        blob = pathlib.Path(os.readlink(link))
        assert blob.parent == pathlib.Path("../../blobs")
        content = link.read_bytes()
        assert content == (MODEL / name).read_bytes()
        large = name.endswith(".safetensors")
        expected = hashlib.sha256(content) if large else hashlib.sha1(b"blob %d\0" % len(content) + content)
        assert blob.name == expected.hexdigest()
    assert not list((folder / "blobs").glob("*.incomplete"))


def test_huggingface_hub_reads_what_was_downloaded(hub, embed, tmp_path):
    huggingface_hub = pytest.importorskip("huggingface_hub", reason="huggingface_hub is not installed: `pip install` it to check")
    hub.add("owner/tiny")
    assert embed("owner/tiny").returncode == 0
    cache = tmp_path / "cache"
    folder = huggingface_hub.snapshot_download("owner/tiny", cache_dir=cache, local_files_only=True)
    assert (pathlib.Path(folder) / "model.safetensors").read_bytes() == (MODEL / "model.safetensors").read_bytes()
    assert huggingface_hub.try_to_load_from_cache("owner/tiny", "config.json", cache_dir=cache) == f"{folder}/config.json"
    missing = huggingface_hub.try_to_load_from_cache("owner/tiny", "merges.txt", cache_dir=cache)
    assert missing is huggingface_hub.file_download._CACHED_NO_EXIST
    assert [str(repo.repo_id) for repo in huggingface_hub.scan_cache_dir(cache).repos] == ["owner/tiny"]


def test_the_second_run_asks_nobody(hub, embed):
    hub.add("owner/tiny")
    assert embed("owner/tiny").returncode == 0
    before = len(hub.requests())
    assert embed("owner/tiny", "again.parquet").returncode == 0
    assert embed("owner/tiny", "offline.parquet", HF_HUB_OFFLINE="1").returncode == 0
    assert len(hub.requests()) == before


def test_a_broken_download_goes_on_where_it_ended(hub, embed, tmp_path):
    hub.add("owner/tiny", truncate=10_000, truncate_times=2)
    done = embed("owner/tiny")
    assert done.returncode == 0, done.stderr
    ranges = [r["range"] for r in hub.requests() if r["role"] == "cdn"]
    assert ranges == [None, "bytes=10000-", "bytes=20000-"]


@pytest.mark.parametrize("model, behaviour, words", [
    ("owner/gone", None, ["owner/gone", "no such model"]),
    ("openai/clip-vit-base-patch23", None, ["did you mean 'openai/clip-vit-base-patch32'?"]),
    ("owner/tiny@v7", {}, ["no revision 'v7'"]),
    ("owner/gated", {"gated": True}, ["HF_TOKEN", "accept them at"]),
    ("owner/corrupt", {"corrupt": ["model.safetensors"]}, ["checksum"]),
    ("owner/loop", {"api_loop": True}, ["redirects"]),
    ("owner/size", {"said_size": 10}, ["more than the 10 bytes"]),
])
def test_refusals_are_one_line_that_names_the_fix(hub, embed, tmp_path, model, behaviour, words):
    if behaviour is not None:
        hub.add(model.split("@")[0], **behaviour)
    assert_refused(embed(model), *words)
    assert not (tmp_path / "o.parquet").exists()


def test_no_network_is_said_at_once(embed):
    assert_refused(embed("owner/tiny", HF_ENDPOINT="http://127.0.0.1:1"), "http://127.0.0.1:1 cannot be reached")
    assert_refused(embed("owner/tiny", HF_HUB_OFFLINE="1"), "HF_HUB_OFFLINE")
    assert_refused(embed("owner/tiny", HF_ENDPOINT="http://no-such-host.invalid"), "no-such-host.invalid cannot be reached")


def test_a_listing_downloads_nothing(hub, embed, tmp_path):
    folder = tmp_path / "cache" / "models--owner--half"
    (folder / "snapshots" / "abc").mkdir(parents=True)
    (folder / "snapshots" / "abc" / "config.json").write_text("{}")
    (folder / "refs").mkdir()
    (folder / "refs" / "main").write_text("abc")
    done = subprocess.run([str(BINARY), "models"], capture_output=True, text=True, timeout=60,
                          env=os.environ | {"HF_ENDPOINT": hub.url, "HF_HUB_CACHE": str(tmp_path / "cache")})
    assert done.returncode == 0, done.stderr
    assert hub.requests() == []


@pytest.fixture()
def tls(hub, tmp_path):
    """The same hub with a certificate that nobody signed: (URL, certificate)."""
    if shutil.which("openssl") is None:
        pytest.skip("the openssl command, which makes a certificate for the test, is not installed")
    certificate, key = tmp_path / "certificate.pem", tmp_path / "key.pem"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
                    "-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", str(key), "-out",
                    str(certificate)], check=True, capture_output=True)
    secure = Hub(tmp_path, certificate, key)
    yield secure.url, str(certificate)
    secure.close()


def test_certificates_are_checked(hub, tls, embed):
    hub.add("owner/tiny")
    url, certificate = tls
    assert_refused(embed("owner/tiny", HF_ENDPOINT=url), "certificate")
    # Trusted, but for another name than the one that is asked for.
    assert_refused(embed("owner/tiny", HF_ENDPOINT=url.replace("127.0.0.1", "localhost"), SSL_CERT_FILE=certificate),
                   "certificate")
    done = embed("owner/tiny", HF_ENDPOINT=url, SSL_CERT_FILE=certificate)
    assert done.returncode == 0, done.stderr


def test_a_secure_hub_cannot_send_to_an_insecure_place(hub, tls, embed):
    hub.add("owner/plain", plain_location=True)
    url, certificate = tls
    assert_refused(embed("owner/plain", HF_ENDPOINT=url, SSL_CERT_FILE=certificate), "from https to http")


def test_two_runs_at_once_share_one_download(hub, embed, tmp_path):
    hub.add("owner/tiny", slow=1)
    with concurrent.futures.ThreadPoolExecutor(3) as pool:
        runs = list(pool.map(lambda i: embed("owner/tiny", f"{i}.parquet"), range(3)))
    assert [run.returncode for run in runs] == [0, 0, 0], runs
    assert len([r for r in hub.requests() if r["role"] == "cdn"]) == 1
    for i in (1, 2):
        np.testing.assert_array_equal(vectors(tmp_path / "0.parquet"), vectors(tmp_path / f"{i}.parquet"))


def test_a_model_is_described_without_its_weights(hub, show, tmp_path):
    hub.add("owner/tiny")
    done = show("owner/tiny", "--json")
    assert done.returncode == 0, done.stderr
    facts, local = json.loads(done.stdout), json.loads(show(MODEL, "--json").stdout)
    for name in ["family", "dimension", "image_height", "image_width", "processor", "parameters", "gflop_per_image"]:
        assert facts[name] == local[name], name
    assert (facts["state"], facts["directory"], local["state"]) == ("not downloaded", "", "directory")
    assert facts["revision"] == hashlib.sha1(b"owner/tiny").hexdigest()
    header = int.from_bytes((MODEL / "model.safetensors").read_bytes()[:8], "little")
    assert [r["range"] for r in hub.requests() if r["role"] == "cdn"] == ["bytes=0-7", f"bytes=8-{header + 7}"]
    assert not (tmp_path / "cache").exists()


def test_what_is_described_is_what_the_cache_then_has(hub, show, embed):
    hub.add("owner/tiny")
    before = show("owner/tiny").stdout
    assert embed("owner/tiny").returncode == 0
    asked = len(hub.requests())
    after = show("owner/tiny").stdout
    assert len(hub.requests()) == asked
    different = [(a.split()[0], b.split()[0]) for a, b in zip(before.splitlines(), after.splitlines()) if a != b]
    assert different == [("state", "state"), ("files", "files")], (before, after)


def test_a_hub_that_knows_no_ranges_is_not_listened_to_for_long(hub, show, tmp_path):
    hub.add("owner/tiny", no_ranges=True, slow=300)
    started = time.monotonic()
    assert show("owner/tiny").returncode == 0
    assert time.monotonic() - started < 100  # the server begins with a tenth of the file, which holds the header
    assert len([r for r in hub.requests() if r["role"] == "cdn"]) == 1
    assert not (tmp_path / "cache").exists()


@pytest.mark.parametrize("model, words", [
    ("owner/gone", ["owner/gone", "no such model"]),
    ("owner/tiny@v7", ["no revision 'v7'"]),
    ("./nowhere/at/all", ["neither a directory nor a hub id"]),
    ("builtin:nothing", []),
])
def test_what_cannot_be_described_is_one_line(hub, show, model, words):
    hub.add("owner/tiny")
    assert_refused(show(model), *words)


def wait_for(condition, seconds=30):
    until = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < until
        time.sleep(0.02)


def test_ctrl_c_ends_a_download_at_once_and_keeps_what_came(hub, embed, embed_command, environment, tmp_path):
    hub.add("owner/tiny", drip=600)
    process = subprocess.Popen(embed_command("owner/tiny"), stderr=subprocess.PIPE, text=True, env=environment)
    blobs = tmp_path / "cache" / "models--owner--tiny" / "blobs"
    wait_for(lambda: any(part.stat().st_size for part in blobs.glob("*.incomplete")))
    process.send_signal(signal.SIGINT)
    started = time.monotonic()
    _, stderr = process.communicate(timeout=60)
    assert process.returncode == 130, stderr
    assert time.monotonic() - started < 10  # the server would have gone on for ten minutes
    assert [part.stat().st_size for part in blobs.glob("*.incomplete")] == [1]
    assert not (tmp_path / "o.parquet").exists()

    (hub.repositories / "owner" / "tiny" / ".behaviour.json").write_text("{}")
    assert embed("owner/tiny").returncode == 0
    assert [r["range"] for r in hub.requests() if r["role"] == "cdn"] == [None, "bytes=1-"]


def test_a_terminal_shows_how_far_the_download_is(hub, embed_command, environment):
    hub.add("owner/tiny", slow=2)
    master, terminal = pty.openpty()
    process = subprocess.Popen(embed_command("owner/tiny"), stderr=terminal, env=environment)
    os.close(terminal)
    shown = b""
    while True:
        try:
            part = os.read(master, 65536)
        except OSError:  # the last writer is gone
            break
        if not part:
            break
        shown += part
    os.close(master)
    assert process.wait(timeout=60) == 0
    lines = [line for line in shown.decode().split("\r\x1b[K") if line.startswith("model.safetensors")]
    size = (MODEL / "model.safetensors").stat().st_size / 1e6
    assert len(lines) >= 5, shown
    assert f" of {size:.1f} MB" in lines[0] and " %" in lines[0], lines
    assert any("MB/s" in line and "left" in line for line in lines), lines


def test_no_terminal_is_shown_nothing(hub, embed):
    hub.add("owner/tiny")
    assert "model.safetensors" not in embed("owner/tiny").stderr
