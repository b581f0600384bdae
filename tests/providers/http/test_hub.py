"""The command line with a model of the hub: downloaded once, shared with other tools, refused in one line."""

import concurrent.futures
import hashlib
import json
import os
import pathlib
import shutil
import subprocess
import sys
import urllib.request

import numpy as np
import pyarrow.parquet as pq
import pytest
from PIL import Image

ROOT = pathlib.Path(__file__).resolve().parents[3]
BINARY = pathlib.Path(os.environ.get("VECFRAME_CLI", ROOT / "build" / "bin" / "vecframe"))
MODEL = ROOT / "tests" / "golden" / "models" / "clip"
TOKEN = "hf_TestTokenThatMustNotLeak"

pytestmark = pytest.mark.skipif(not BINARY.exists(), reason=f"{BINARY} is not built: run `make build`")


class Hub:
    def __init__(self, folder, *certificate):
        self.repositories = folder / "repositories"
        self.repositories.mkdir(exist_ok=True)
        self.process = subprocess.Popen([sys.executable, str(pathlib.Path(__file__).with_name("hub_server.py")),
                                         str(self.repositories), *map(str, certificate)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.port = json.loads(self.process.stdout.readline())["hub"]
        self.url = f"{'https' if certificate else 'http'}://127.0.0.1:{self.port}"

    def add(self, name, **behaviour):
        shutil.copytree(MODEL, self.repositories / name, ignore=shutil.ignore_patterns("golden.json"))
        (self.repositories / name / ".behaviour.json").write_text(json.dumps(behaviour))

    def requests(self):
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        return json.loads(opener.open(self.url + "/__log").read())

    def close(self):
        self.process.stdin.close()
        self.process.wait(timeout=30)


@pytest.fixture()
def hub(tmp_path):
    hub = Hub(tmp_path)
    yield hub
    hub.close()


@pytest.fixture()
def embed(hub, tmp_path):
    """Runs `vecframe embed` on one picture with this model."""
    picture = tmp_path / "x.png"
    Image.fromarray(np.random.default_rng(3).integers(0, 256, (40, 60, 3), dtype=np.uint8)).save(picture)

    def run(model, output="o.parquet", **environment):
        clean = {k: v for k, v in os.environ.items() if not k.startswith(("HF_", "VECFRAME_MODEL", "TRANSFORMERS_", "SSL_CERT"))
                 and not k.lower().endswith("_proxy")}
        return subprocess.run([str(BINARY), "embed", str(picture), "-o", str(tmp_path / output), "--model", str(model)],
                              capture_output=True, text=True, timeout=120,
                              env=clean | {"HF_ENDPOINT": hub.url, "HF_HUB_CACHE": str(tmp_path / "cache"),
                                           "HF_TOKEN": TOKEN} | environment)
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
