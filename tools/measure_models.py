"""Measures how close every model family comes to its reference, and writes the figures into docs/models.md.

Runs the test program of tests/golden and takes the figures from its report. A table of the page whose head has the
columns `goldens`, `status`, and backends' names gets them: for each row the worst of the goldens that the row names.

    .venv/bin/python tools/measure_models.py [--program build/release/tests/golden/golden_tests] [--page docs/models.md]
"""

import argparse
import collections
import json
import pathlib
import re
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
GOLDENS = ROOT / "tests/golden"
BACKENDS = ["reference", "cpu"]
TURN = "cpu, bf16"  # one minus the smallest cosine
ALLOWED = 1e-4  # of tests/golden: the largest difference of a value

# By golden, by column: the worst figure of all its tests.
Figures = dict[str, dict[str, float]]


def goldens_on_disk() -> set[str]:
    """The models with stored vectors, of images and of texts."""
    images = {path.parent.name for path in (GOLDENS / "models").glob("*/golden.json")}
    texts = {f"texts/{path.parent.name}" for path in (GOLDENS / "texts").glob("*/golden.json")}
    return images | texts | {path.stem for path in (GOLDENS / "models").glob("*.json")}


def figures_of(report: dict) -> Figures:
    """From a report of GoogleTest in JSON."""
    figures: Figures = collections.defaultdict(dict)
    for suite in report["testsuites"]:
        for test in suite["testsuite"]:
            if "golden" not in test:
                continue
            mine = figures[test["golden"]]
            mine[test["backend"]] = max(mine.get(test["backend"], 0.0), float(test["difference"]))
            if test["backend"] == "cpu" and "turn" in test:
                mine[TURN] = max(mine.get(TURN, 0.0), float(test["turn"]))
    return figures


def cells(line: str) -> list[str]:
    """Of a row of a table; \\| is no border."""
    return [cell.strip() for cell in re.split(r"(?<!\\)\|", line.strip().strip("|"))]


def is_head(line: str) -> bool:
    return line.startswith("|") and {"goldens", "status", *BACKENDS} <= set(cells(line))


def named_goldens(page: str) -> list[str]:
    """All that the page's tables name, as often as they do."""
    names: list[str] = []
    head: list[str] = []
    for line in page.splitlines():
        if is_head(line):
            head = cells(line)
        elif not line.startswith("|"):
            head = []
        elif head and not line.startswith("| ---"):
            names += re.findall(r"`([\w/]+)`", cells(line)[head.index("goldens")])
    return names


def fill(page: str, figures: Figures) -> str:
    """The page with its figures replaced. A row whose goldens were not measured keeps what it says."""
    lines, head = [], []
    for line in page.splitlines():
        if is_head(line):
            head = cells(line)
        elif not line.startswith("|"):
            head = []
        elif head and not line.startswith("| ---"):
            row = cells(line)
            names = re.findall(r"`([\w/]+)`", row[head.index("goldens")])
            measured = [figures[name] for name in names if name in figures]
            if names and len(measured) == len(names):
                worst = {c: max(f[c] for f in measured) for c in (*BACKENDS, TURN) if c in head}
                for column, value in worst.items():
                    row[head.index(column)] = f"{value:.1e}"
                exact = all(worst[backend] <= ALLOWED for backend in BACKENDS)
                row[head.index("status")] = "exact" if exact else "differs"
            line = "| " + " | ".join(row) + " |"
        lines.append(line)
    return "\n".join(lines) + "\n"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--program", type=pathlib.Path, default=ROOT / "build/release/tests/golden/golden_tests")
    parser.add_argument("--page", type=pathlib.Path, default=ROOT / "docs/models.md")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        report = pathlib.Path(folder) / "report.json"
        done = subprocess.run([arguments.program, f"--gtest_output=json:{report}", "--gtest_brief=1"], check=False)
        if not report.exists():
            print(f"measure_models: {arguments.program} wrote no report", file=sys.stderr)
            return 1
        figures = figures_of(json.loads(report.read_text()))
    page = arguments.page.read_text()
    if missing := goldens_on_disk() - set(named_goldens(page)):
        print(f"measure_models: no row of {arguments.page} names {', '.join(sorted(missing))}", file=sys.stderr)
        return 1
    for name in sorted(set(named_goldens(page)) - set(figures)):
        print(f"measure_models: {name} was not measured (its test was skipped); its row stays as it is")
    arguments.page.write_text(fill(page, figures))
    return done.returncode


if __name__ == "__main__":
    sys.exit(main())
