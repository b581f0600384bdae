"""The package under test, models that are small enough for every test, and pictures."""

import pathlib
import sys

import pytest
import vecframe
from pictures import save_picture

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.append(str(ROOT / "tests" / "providers" / "http"))  # the hub on the loopback interface
MODELS = ROOT / "tests" / "golden" / "models"


@pytest.fixture(scope="session")
def model():
    """A tiny model of random weights, as a directory of safetensors."""
    path = MODELS / "clip"
    assert (path / "config.json").exists(), "the golden models are part of the tree"
    return str(path)


@pytest.fixture(autouse=True)
def clean_session(monkeypatch, tmp_path_factory):
    """No provider, model or cache from outside, and none left behind."""
    for name in ("VECFRAME_PROVIDER", "VECFRAME_MODEL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:1")  # no test asks a real hub
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path_factory.mktemp("hub")))
    yield
    vecframe.current_session()._native.clear()


@pytest.fixture()
def photos(tmp_path):
    """Five good pictures."""
    folder = tmp_path / "photos"
    for seed, name in enumerate(["a/1.jpg", "a/3.png", "b/2.png", "c.png", "z.jpg"]):
        save_picture(folder / name, seed)
    return folder


@pytest.fixture()
def bad_photos(photos):
    """The same with a truncated and an empty file: rows 1 and 5 of 7."""
    (photos / "a" / "2.jpg").write_bytes((photos / "a" / "1.jpg").read_bytes()[:300])
    (photos / "empty.png").write_bytes(b"")
    return photos
