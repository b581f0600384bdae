"""The examples of docstrings and of the documentation, run."""

import contextlib
import doctest
import importlib
import io
import pathlib
import re

import numpy as np
import pytest
import vecframe as vf
import vecframe.functions
from PIL import Image

ROOT = pathlib.Path(__file__).resolve().parents[2]
MODEL = ROOT / "tests" / "golden" / "models" / "clip"
MODULES = ["vecframe", "vecframe.arrow_types", "vecframe.dataframe", "vecframe.functions", "vecframe.image_functions",
           "vecframe.schema"]  # fmt: skip


@pytest.mark.parametrize("name", MODULES)
def test_examples_of_docstrings(name):
    module = importlib.import_module(name)
    names = {key: getattr(vecframe.functions, key) for key in vecframe.functions.__all__}
    names |= {"vf": vf, "col": vf.col, "lit": vf.lit} | vars(module)
    results = [
        doctest.DocTestRunner(optionflags=doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE).run(test)
        for test in doctest.DocTestFinder().find(module, extraglobs=names)
        if test.examples
    ]
    assert sum(result.failed for result in results) == 0
    if name in ("vecframe.dataframe", "vecframe.image_functions", "vecframe.arrow_types"):
        assert sum(result.attempted for result in results) > 3


def test_public_names_have_docstrings():
    functions = [getattr(vecframe.functions, name) for name in vecframe.functions.__all__]
    methods = [value for name, value in vars(vf.DataFrame).items() if not name.startswith("_") and callable(value)]
    public = [getattr(vf, name) for name in vf.__all__ if name != "__version__"]
    for thing in [*functions, *methods, *public]:
        assert (thing.__doc__ or "").strip(), thing


def python_blocks(path):
    """The fenced Python of a page, each with the line it begins in."""
    text = path.read_text()
    for found in re.finditer(r"^```python\n(.*?)^```$", text, re.DOTALL | re.MULTILINE):
        yield text[: found.start()].count("\n") + 2, found.group(1)


PAGES = [page for page in (ROOT / "README.md", ROOT / "docs" / "dataframe.md") if any(python_blocks(page))]


@pytest.fixture()
def shop(tmp_path, monkeypatch):
    """A working directory with what the pages name: photos/, products/, queries.txt; a tiny model by every name."""
    rng = np.random.default_rng(0)
    for name in ("photos/a/1.jpg", "photos/2.jpg", "photos/3.png"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(rng.integers(0, 256, (300, 400, 3), dtype=np.uint8)).save(tmp_path / name)
    (tmp_path / "products").mkdir()
    (tmp_path / "queries.txt").write_text("a cat\na dog\n")
    monkeypatch.chdir(tmp_path)
    table = vf.from_pydict(
        {
            "sku": ["a", "b", "c"],
            "url": [str(tmp_path / name) for name in ("photos/2.jpg", "queries.txt", "photos/3.png")],
            "price": [5.0, 50.0, 500.0],
            "box": [[0, 0, 50, 50], [0, 0, 1, 1], [10, 10, 20, 20]],
        }
    )
    table.write_parquet("products/1.parquet")
    return tmp_path


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_examples_of_pages(page, shop):
    """One after the other, in one namespace; models that are not here are replaced by a tiny one of the tree."""
    names = {}
    for line, block in python_blocks(page):
        source = re.sub(r'"(builtin:[\w-]+|[\w-]+/[\w.-]*(?:clip|siglip|aimv2|dinov2)[\w.-]*)"', repr(str(MODEL)), block)
        try:
            with contextlib.redirect_stdout(io.StringIO()):
                exec(compile(source, f"{page.name}:{line}", "exec"), names)
        except Exception as error:
            raise AssertionError(f"{page.name}, line {line}: {type(error).__name__}: {error}") from error
