"""Checks the include arrows of the source tree against tools/layers.toml.

Also: public headers use only the standard library and each other, every header has #pragma once, and no
source file carries a mark of unfinished work. Prints one line a violation and exits 1 if there is any.
"""

import argparse
import pathlib
import re
import sys
import tomllib
from collections.abc import Iterator

SOURCE_SUFFIXES = {".h", ".cc", ".cpp", ".c"}
MARKED_SUFFIXES = SOURCE_SUFFIXES | {".py", ".sh", ".cmake"}
MARKED_FOLDERS = ["src", "include", "cli", "python", "tests", "fuzz", "benchmarks", "examples", "cmake", "tools"]
# The public interface is a folder of its own here: everyone may include it.
PUBLIC = "include/vecframe"
INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]')
# C++ standard headers have no suffix and no slash; C ones are spelled <cstdint>.
STANDARD = re.compile(r"^[a-z_0-9]+$")


def source_files(folder: pathlib.Path, suffixes: set[str]) -> Iterator[pathlib.Path]:
    yield from (path for path in sorted(folder.rglob("*")) if path.suffix in suffixes and path.is_file())


def includes(path: pathlib.Path) -> Iterator[tuple[int, bool, str]]:
    """(line, whether in angle brackets, name) of each #include."""
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        if match := INCLUDE.match(line):
            yield number, match[1] == "<", match[2]


class Checker:
    def __init__(self, root: pathlib.Path, table: dict) -> None:
        self.root = root
        self.folders = table["folders"]
        self.third_party = table["third_party"]
        self.marks = table["marks"]
        self.violations: list[str] = []

    def report(self, path: pathlib.Path, line: int, text: str) -> None:
        self.violations.append(f"{path.relative_to(self.root)}:{line}: {text}")

    def folder_named_by(self, name: str) -> str | None:
        """The folder whose header a quoted include names: the longest that is a prefix."""
        matching = [folder for folder in self.folders if name.startswith(folder + "/")]
        return max(matching, key=len, default=None)

    def check_table(self) -> None:
        for name, folder in self.folders.items():
            for other in folder["may_include"]:
                if other not in self.folders:
                    self.violations.append(f"tools/layers.toml: {name} may include {other}, which is no folder")
                elif self.folders[other]["layer"] > folder["layer"]:
                    self.violations.append(f"tools/layers.toml: {name} may include {other} of a higher layer")
            for library in folder["third_party"]:
                if library not in self.third_party:
                    self.violations.append(f"tools/layers.toml: {name} may use {library}, which is not listed")

    def check_folders(self) -> None:
        """Every file of src/ belongs to a folder of the table."""
        paths = [self.root / folder["path"] for folder in self.folders.values()]
        for path in source_files(self.root / "src", SOURCE_SUFFIXES):
            if not any(path.is_relative_to(folder) for folder in paths):
                self.report(path, 1, "its folder is not in tools/layers.toml")

    def check_angle(self, path: pathlib.Path, line: int, name: str, allowed: list[str]) -> None:
        if STANDARD.match(name) or name.startswith("vecframe/"):
            return
        for library, beginnings in self.third_party.items():
            if name.startswith(tuple(beginnings)):
                if library not in allowed:
                    self.report(path, line, f"<{name}> ({library}) is not for this folder")
                return
        self.report(path, line, f"<{name}> belongs to no library of tools/layers.toml")

    def check_folder(self, name: str, folder: dict) -> None:
        allowed = {name, *folder["may_include"]}
        if not folder.get("without_base"):
            allowed.add("base")
        for path in source_files(self.root / folder["path"], SOURCE_SUFFIXES):
            for line, angle, included in includes(path):
                if angle:
                    self.check_angle(path, line, included, folder["third_party"])
                    continue
                target = self.folder_named_by(included)
                if included.startswith("hwy/"):  # Highway's own headers, which its documentation quotes
                    self.check_angle(path, line, included, folder["third_party"])
                elif target is None and included.startswith("vecframe/"):
                    self.report(path, line, f'public headers are included as <{included}>')
                elif target is None and folder.get("headers_beside") and (path.parent / included).exists():
                    continue
                elif target is None and not included.endswith((".cc", ".inc")):
                    self.report(path, line, f'"{included}" does not begin with a folder of the project')
                elif target is not None and target not in allowed:
                    self.report(path, line, f'{name} may not include {target} ("{included}")')

    def check_public(self) -> None:
        for path in source_files(self.root / PUBLIC, SOURCE_SUFFIXES):
            for line, angle, included in includes(path):
                public = included.startswith("vecframe/") or STANDARD.match(included)
                if not (angle and public):
                    self.report(path, line, f"public headers include the standard library and vecframe/, not {included}")

    def check_headers(self) -> None:
        for folder in ["src", "include", "cli", "python/src", "tests", "benchmarks", "fuzz"]:
            for path in source_files(self.root / folder, {".h"}):
                text = path.read_text(encoding="utf-8")
                # Kernels compiled once an instruction set are included several times and guard themselves.
                if "#pragma once" not in text and "HWY_TARGET_TOGGLE" not in text:
                    self.report(path, 1, "no #pragma once")

    def check_marks(self) -> None:
        pattern = re.compile(r"\b(" + "|".join(map(re.escape, self.marks["forbidden"])) + r")\b")
        names = set(self.marks["forbidden_file_names"])
        for folder in MARKED_FOLDERS:
            for path in source_files(self.root / folder, MARKED_SUFFIXES):
                if names & set(path.stem.split("_")):
                    self.report(path, 1, "the file name does not say what it holds")
                for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
                    if match := pattern.search(line):
                        self.report(path, number, f"mark of unfinished work: {match[1]}")

    def run(self) -> list[str]:
        self.check_table()
        self.check_folders()
        for name, folder in self.folders.items():
            self.check_folder(name, folder)
        self.check_public()
        self.check_headers()
        self.check_marks()
        return self.violations


def main() -> int:
    default_root = pathlib.Path(__file__).resolve().parent.parent
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--root", type=pathlib.Path, default=default_root, help="source tree to check")
    parser.add_argument("--table", type=pathlib.Path, default=default_root / "tools/layers.toml")
    arguments = parser.parse_args()
    table = tomllib.loads(arguments.table.read_text(encoding="utf-8"))
    violations = Checker(arguments.root.resolve(), table).run()
    for violation in violations:
        print(violation)
    print(f"layers: {len(violations)} violations" if violations else "layers: clean")
    return 1 if violations else 0


if __name__ == "__main__":
    sys.exit(main())
