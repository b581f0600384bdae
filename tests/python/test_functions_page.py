"""docs/functions.md lists what there is."""

import pathlib
import re

import vecframe.functions
from vecframe import _native

PAGE = pathlib.Path(__file__).resolve().parents[2] / "docs" / "functions.md"


def rows():
    """Cells of the tables whose first cell is one name."""
    for line in PAGE.read_text().splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if len(cells) == 4 and re.fullmatch(r"`\w+`", cells[0]):
            yield cells


def options_of(cell):
    found = {}
    for text in re.findall(r"`(\w+)`(?= required)", cell):
        found[text] = None
    for name, value in re.findall(r"`(\w+)=([^`]*)`", cell):
        found[name] = {"True": True, "False": False}.get(value, value.strip('"') if '"' in value else value)
    return {name: str(value) for name, value in found.items()}


def test_the_page_lists_every_function_and_option():
    # A function that takes other numbers of arguments has a line for each.
    listed = [(cells[0].strip("`"), len(cells[1].split(",")), options_of(cells[2])) for cells in rows()]
    known = [
        (function.name, function.arguments, {name: str(value) for name, value in function.options.items()})
        for function in _native.list_functions()
    ]
    assert sorted(listed, key=str) == sorted(known, key=str)


def test_python_has_every_function():
    for function in _native.list_functions():
        assert hasattr(vecframe.functions, function.name), function.name
