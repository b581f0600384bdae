"""A violation of each rule is caught, and a tree without one passes."""

import pathlib
import subprocess
import sys

import pytest

PROJECT = pathlib.Path(__file__).resolve().parents[2]


def check(root: pathlib.Path) -> tuple[int, str]:
    command = [sys.executable, str(PROJECT / "tools/check_layers.py"), "--root", str(root)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout + done.stderr


def write(root: pathlib.Path, name: str, text: str) -> None:
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def test_this_project_is_clean():
    code, output = check(PROJECT)
    assert code == 0, output


def test_allowed_arrows_pass(tmp_path):
    write(tmp_path, "src/image/a.h", '#pragma once\n#include <jpeglib.h>\n#include <span>\n#include "tensor/b.h"\n')
    write(tmp_path, "src/image/a.cc", '#include "image/a.h"\n#include <vecframe/error.h>\n#include "base/c.h"\n')
    write(tmp_path, "src/providers/local/p.cc", '#include "models/m.h"\n#include "providers/local/p.h"\n')
    write(tmp_path, "include/vecframe/error.h", "#pragma once\n#include <string>\n#include <vecframe/export.h>\n")
    assert check(tmp_path) == (0, "layers: clean\n")


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("src/base/a.cc", '#include "exec/pipeline.h"\n', "base may not include exec"),
        ("src/models/a.cc", '#include "backends/cpu/cpu_backend.h"\n', "models may not include backends/cpu"),
        ("src/exec/a.cc", '#include "job/embed_job.h"\n', "exec may not include job"),
        ("cli/a.cc", '#include "base/result.h"\n', "cli may not include base"),
        ("python/src/a.cc", '#include "session/session.h"\n', "python may not include session"),
        ("src/exec/a.cc", "#include <arrow/api.h>\n", "<arrow/api.h> (arrow) is not for this folder"),
        ("src/models/a.cc", "#include <immintrin.h>\n", "(intrinsics) is not for this folder"),
        ("src/base/a.cc", "#include <boost/any.hpp>\n", "belongs to no library"),
        ("src/base/a.cc", '  #  include "result.h"\n', "does not begin with a folder"),
        ("src/base/a.cc", '#include "vecframe/error.h"\n', "included as <vecframe/error.h>"),
        ("src/unknown/a.cc", "", "not in tools/layers.toml"),
        ("src/base/a.h", "int f();\n", "no #pragma once"),
        ("include/vecframe/a.h", '#pragma once\n#include "base/result.h"\n', "public headers include"),
        ("include/vecframe/a.h", "#pragma once\n#include <fmt/core.h>\n", "public headers include"),
        ("src/base/a.cc", "int a;  // " + "TO" + "DO: later\n", "mark of unfinished work"),
        ("src/base/string_utils.cc", "", "file name does not say"),
    ],
)
def test_violation_is_caught(tmp_path, name, text, message):
    write(tmp_path, name, text)
    code, output = check(tmp_path)
    assert code == 1
    assert message in output
    assert name in output
