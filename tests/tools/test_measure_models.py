"""Every stored reference has its row in docs/models.md, and the rows get the worst figure of their goldens."""

import importlib.util
import pathlib
import re

import pytest

PROJECT = pathlib.Path(__file__).resolve().parents[2]
spec = importlib.util.spec_from_file_location("measure_models", PROJECT / "tools/measure_models.py")
measure_models = importlib.util.module_from_spec(spec)
spec.loader.exec_module(measure_models)

PAGE = (PROJECT / "docs/models.md").read_text()


def test_every_golden_is_in_one_row_of_the_page():
    assert sorted(measure_models.named_goldens(PAGE)) == sorted(measure_models.goldens_on_disk())


def test_every_row_with_goldens_says_that_it_is_exact():
    rows, head = 0, []
    for line in PAGE.splitlines():
        if measure_models.is_head(line):
            head = measure_models.cells(line)
        elif head and line.startswith("| ") and not line.startswith("| ---"):
            row = dict(zip(head, measure_models.cells(line), strict=True))
            assert row["status"] == ("exact" if row["goldens"] else "not yet"), line
            for backend in measure_models.BACKENDS if row["goldens"] else []:
                assert float(row[backend]) <= measure_models.ALLOWED, line
            rows += 1
        elif not line.startswith("|"):
            head = []
    assert rows > 20


def report(*tests):
    return {"testsuites": [{"testsuite": [dict(zip(("golden", "backend", "difference", "turn"), t, strict=False)) for t in tests]}]}


@pytest.mark.parametrize(("difference", "status"), [("3.2e-05", "exact"), ("0.00032", "differs")])
def test_a_row_gets_the_worst_of_its_goldens(difference, status):
    page = "| name | goldens | status | reference | cpu | cpu, bf16 |\n| --- | --- | --- | --- | --- | --- |\n" \
           "| `a\\|b` | `one`, `two` |  |  |  |  |\n| `c` | `three` | exact | 1 | 2 | 3 |\n\n| other | table |\n| `one` | x |\n"
    figures = measure_models.figures_of(report(
        ("one", "reference", "1e-06"), ("one", "cpu", "2e-06", "1e-5"), ("one", "cpu", "1.5e-06"),
        ("two", "reference", "3e-07"), ("two", "cpu", difference, "2e-4")))
    filled = measure_models.fill(page, figures).splitlines()
    assert filled[2] == f"| `a\\|b` | `one`, `two` | {status} | 1.0e-06 | {float(difference):.1e} | 2.0e-04 |"
    assert re.findall(r"exact \| 1 \| 2 \| 3", filled[3]), "a row that was not measured stays"
    assert filled[4:] == ["", "| other | table |", "| `one` | x |"]
