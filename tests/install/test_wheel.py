"""The wheel, built and installed into an environment of its own as a user would. Slow: it compiles the project."""

import os
import pathlib
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

ROOT = pathlib.Path(__file__).resolve().parents[2]
MODEL = ROOT / "tests" / "golden" / "models" / "clip"

pytestmark = pytest.mark.skipif(os.environ.get("VECFRAME_SLOW_TESTS") != "1",
                                reason="compiles the whole project: set VECFRAME_SLOW_TESTS=1 or run `make test-all`")

PROGRAM = """
import sys
import pyarrow.parquet as pq
import vecframe as vf
from vecframe.functions import embed_image

photos, output, model = sys.argv[1:]
df = vf.read_images(photos).with_column("embedding", embed_image(vf.col("image"), model=model))
df.write_parquet(output)
assert pq.read_table(output).num_rows == df.to_arrow().num_rows == 1
assert vf.describe_model("builtin:efficientnet-lite0").dimension == 1280
print(vf.__file__)
"""


def run(*command, **options):
    environment = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "LD_LIBRARY_PATH")}
    environment["PATH"] = f"/usr/bin:{environment['PATH']}"
    environment.update(options.pop("environment", {}))
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True, timeout=3000, env=environment,
                          **options)
    assert done.returncode == 0, f"{command}\n{done.stdout[-4000:]}\n{done.stderr[-4000:]}"
    return done.stdout


def test_the_wheel_works_in_a_fresh_environment(tmp_path):
    run(sys.executable, "-m", "venv", tmp_path / "env")
    python = tmp_path / "env" / "bin" / "python"
    run(python, "-m", "pip", "install", "-q", "--disable-pip-version-check", ROOT, cwd=tmp_path)
    pixels = np.random.default_rng(0).integers(0, 256, (40, 60, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(tmp_path / "0.png")
    cache = {"VECFRAME_CACHE": str(tmp_path / "cache")}
    used = run(python, "-c", PROGRAM, tmp_path / "0.png", tmp_path / "out.parquet", MODEL, cwd=tmp_path,
               environment=cache)
    assert str(tmp_path / "env") in used
    program = tmp_path / "env" / "bin" / "vecframe"
    run(program, "embed", tmp_path / "0.png", "-o", tmp_path / "cli.parquet", "--model",
        "builtin:efficientnet-lite0", cwd=tmp_path, environment={"VECFRAME_CACHE": str(tmp_path / "cli-cache")})
    assert "Embedding[Float32; 1280]" in run(program, "inspect", tmp_path / "cli.parquet", cwd=tmp_path)
