"""The package itself: what an import costs, its types, its command line."""

import difflib
import pathlib
import shlex
import subprocess
import sys

import pytest
import vecframe as vf

ROOT = pathlib.Path(__file__).resolve().parents[2]
STUBS = ROOT / "python" / "vecframe" / "_native.pyi"


def run(*arguments):
    return subprocess.run([sys.executable, *map(str, arguments)], capture_output=True, text=True, timeout=300)


def test_an_import_brings_no_other_package():
    done = run("-c", "import sys, vecframe, vecframe.functions\n"
                     "print([m for m in ('pyarrow', 'numpy', 'pandas', 'torch', 'asyncio') if m in sys.modules])")
    assert done.stdout == "[]\n", done.stderr


def test_all_names_exist():
    assert sorted(vf.__all__) == vf.__all__
    for name in vf.__all__:
        assert hasattr(vf, name), name


def test_nothing_leaks_at_exit(photos, model):
    """The binding library reports objects that outlive the interpreter on standard error."""
    done = run("-c", f"""
import vecframe as vf
from vecframe.functions import embed_image
df = vf.read_images({str(photos)!r}).with_column("e", embed_image(vf.col("image"), model={model!r}))
df.to_arrow(progress=lambda now: None)
def stop(now): raise LookupError(now)
try:
    df.to_arrow(progress=stop)
except LookupError as error:
    print(error.args[0].rows >= 0)
try:
    vf.read_images()
except vf.RequestError as error:
    kept = error
""")
    assert (done.returncode, done.stdout, done.stderr) == (0, "True\n", "")


def test_the_version_is_the_projects():
    assert f"project(vecframe VERSION {vf.__version__} " in (ROOT / "CMakeLists.txt").read_text()


def test_the_stubs_are_those_of_the_extension(tmp_path):
    pytest.importorskip("nanobind", reason="nanobind, which generates stubs, is not installed")
    fresh = tmp_path / "_native.pyi"
    folder = pathlib.Path(vf.__file__).parent  # the extension alone: the package renames its types
    command = ["-m", "nanobind.stubgen", "-q", "-i", folder, "-m", "_native", "-o"]
    done = run(*command, fresh)
    assert done.returncode == 0, done.stderr
    difference = difflib.unified_diff(STUBS.read_text().splitlines(), fresh.read_text().splitlines(),
                                      "committed", "generated", lineterm="")
    assert not list(difference), f"write them again: {shlex.join(map(str, [sys.executable, *command, STUBS]))}"


def test_the_package_and_its_use_are_typed():
    pytest.importorskip("mypy", reason="mypy is not installed")
    sample = ROOT / "tests" / "python" / "typed_use.py"
    done = run("-m", "mypy", "--strict", "--config-file", ROOT / "pyproject.toml", "--cache-dir", "/dev/null",
               ROOT / "python" / "vecframe", sample)
    assert done.returncode == 0, done.stdout


def test_the_module_runs_the_command_line():
    done = run("-m", "vecframe", "--version")
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == f"vecframe {vf.__version__}"
    assert run("-m", "vecframe", "frobnicate").returncode == 2
