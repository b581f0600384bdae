"""What is known after a run."""

from __future__ import annotations

import json
import os
from typing import Any

from vecframe import _native
from vecframe._arguments import path_text
from vecframe._native import NativeReport


class MergedReport:
    """The fields of a report that is the sum of others, read from its JSON."""

    def __init__(self, text: str) -> None:
        report = json.loads(text)
        self.json = text
        self.rows: int = report["rows"]
        self.failed: int = report["failed"]
        self.failures: dict[str, int] = report["failures"]
        self.seconds: float = report["seconds"]
        self.load_seconds: float = report["load_seconds"]
        self.notices: list[str] = report["notices"]
        self.peak_memory_bytes: int = report["memory"]["process_peak"]
        self.failed_inputs: list[tuple[bytes, str, str, bytes]] = []


class RunReport:
    """Counts, causes and times of a finished run."""

    def __init__(self, native: NativeReport | MergedReport) -> None:
        self._native = native

    @property
    def rows(self) -> int:
        """Rows of the output, failed ones included."""
        return self._native.rows

    @property
    def failed(self) -> int:
        """Rows without a vector."""
        return self._native.failed

    @property
    def failures(self) -> dict[str, int]:
        """Count by "stage/code"."""
        return self._native.failures

    @property
    def seconds(self) -> float:
        """Wall clock, without loading the model."""
        return self._native.seconds

    @property
    def load_seconds(self) -> float:
        return self._native.load_seconds

    @property
    def notices(self) -> list[str]:
        """What a person should know: parts put aside, a recipe that changed."""
        return self._native.notices

    @property
    def peak_memory_bytes(self) -> int:
        """Of the process, so far; of a run with workers, the largest."""
        return self._native.peak_memory_bytes

    @property
    def json(self) -> str:
        """Everything, as the command line prints it under --json."""
        return self._native.json

    def as_dict(self) -> dict[str, Any]:
        """Everything, parsed."""
        parsed: dict[str, Any] = json.loads(self._native.json)
        return parsed

    def __repr__(self) -> str:
        causes = "".join(f", {cause}: {count}" for cause, count in self.failures.items())
        return f"RunReport({self.rows} rows, {self.failed} failed{causes}, {self.seconds:.2f} s)"

    def __str__(self) -> str:
        return _native.report_text(self._native.json)


def read_report(directory: str | os.PathLike[str]) -> dict[str, Any]:
    """The report that the last run left in its output directory."""
    parsed: dict[str, Any] = json.loads(_native.read_report(path_text("read_report", directory)))
    return parsed
