"""What the acceptance tests need: the built command line, its model, and folders of photographs."""

import json
import os
import pathlib
import subprocess
import sys

import pytest

PROJECT = pathlib.Path(__file__).resolve().parents[2]
STAMPS = pathlib.Path("/usr/share/tuxpaint/stamps")
MODEL = "builtin:efficientnet-lite0"


@pytest.fixture(scope="session")
def vecframe():
    """Runs the command line with these arguments; returns the finished process."""
    program = pathlib.Path(os.environ.get("VECFRAME_PROGRAM", PROJECT / "build/bin/vecframe"))
    if not program.exists():
        pytest.skip(f"{program} is not built: run `make build`")
    models = json.loads(subprocess.run([program, "models", "--json"], capture_output=True, check=True).stdout)
    if not any(model["name"] == MODEL and model["state"] == "built-in" for model in models):
        pytest.skip(f"the weights of {MODEL} are not fetched: run `make build`")

    def run(*arguments):
        return subprocess.run([str(program), *map(str, arguments)], stdin=subprocess.DEVNULL, capture_output=True,
                              text=True, check=False)

    return run


def make_folder(name: str, *options: str) -> tuple[pathlib.Path, dict]:
    """A folder from tools/make_photo_folder.py, kept in build/ between runs, and its manifest."""
    if not STAMPS.is_dir():
        pytest.skip(f"no pictures in {STAMPS}: run `tools/setup.sh demo`")
    folder = PROJECT / "build/test-data" / name
    folder.parent.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, str(PROJECT / "tools/make_photo_folder.py"), str(folder), *options]
    subprocess.run(command, check=True, capture_output=True)
    return folder, json.loads(folder.with_name(folder.name + ".json").read_text())


@pytest.fixture(scope="session")
def thousand_jpegs():
    shared = pathlib.Path(os.environ.get("VECFRAME_SHARED", PROJECT / "../shared"))
    return make_folder("folder-1000", "--count", "1000", "--photos", str(shared / "data/clothing-test"))


@pytest.fixture(scope="session")
def large_photographs():
    count = 200 if os.environ.get("VECFRAME_SLOW_TESTS") == "1" else 24
    return make_folder(f"large-{count}", "--large", "--count", str(count))
