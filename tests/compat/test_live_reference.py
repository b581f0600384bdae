"""Against the reference dataframe itself, in an environment of its own; skipped, loudly, without it.

    tests/compat/make_environment.sh && VECFRAME_COMPAT=build/compat .venv/bin/python -m pytest tests/compat
"""

import json
import os
import pathlib
import subprocess
import sys

import numpy as np
import pytest
from documented import run_chain

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[1]
PYTHON = pathlib.Path(os.environ.get("VECFRAME_COMPAT", ROOT / "build" / "compat")) / "bin" / "python"

pytestmark = pytest.mark.skipif(
    not PYTHON.exists(), reason=f"no reference dataframe at {PYTHON}: tests/compat/make_environment.sh makes it"
)


def test_the_goldens_are_what_the_reference_makes(tmp_path):
    fresh = tmp_path / "goldens.json"
    done = subprocess.run(
        [PYTHON, ROOT / "tools" / "make_compat_goldens.py", "--out", fresh], capture_output=True, text=True, timeout=500
    )
    assert done.returncode == 0, done.stderr[-4000:]
    committed, made = json.loads((HERE / "goldens.json").read_text()), json.loads(fresh.read_text())
    for part in committed:
        if part != "chain":  # its files come in the order of the directory
            assert made[part] == committed[part], part


def test_both_run_the_documented_chain_alike(tmp_path):
    folder = tmp_path / "pictures"
    folder.mkdir()
    for name, data in json.loads((HERE / "goldens.json").read_text())["chain"]["pictures"].items():
        (folder / name).write_bytes(bytes.fromhex(data))
    model = ROOT / "tests" / "golden" / "models" / "clip"
    theirs = run_chain(PYTHON, "daft", folder, model, tmp_path / "theirs.json")
    ours = run_chain(sys.executable, "vecframe", folder, model, tmp_path / "ours.json")
    assert ours["schema"] == theirs["schema"]
    expected = dict(zip(theirs["files"], theirs["embeddings"], strict=True))
    assert sorted(ours["files"]) == sorted(expected)
    for name, vector in zip(ours["files"], ours["embeddings"], strict=True):
        a, b = np.array(vector), np.array(expected[name])
        cosine = a @ b / np.linalg.norm(a) / np.linalg.norm(b)
        print(f"{name}: largest difference {np.abs(a - b).max():.2e}, cosine {cosine:.6f}")
        if name.endswith((".png", ".tiff")):
            np.testing.assert_allclose(a, b, atol=2e-5)
        assert cosine > 0.999  # other decoders of JPEG and WebP
