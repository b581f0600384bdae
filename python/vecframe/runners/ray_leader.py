"""A run that a process of the cluster leads, for a program that is not part of it: ray://, force_client_mode."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

from vecframe import _native
from vecframe._native import EmbedderUse, Progress, RequestError, RunError
from vecframe.report import MergedReport, RunReport

_logger = logging.getLogger("vecframe")
_LOOK_S = 0.5
_MOST_FAILURES = 4096  # kept between two looks
_FIELDS = (
    "rows", "failed", "listed", "listing_done", "seconds", "read", "prepared", "embedded", "duplicates", "cache_hits",
    "retries", "bytes_read",
)  # fmt: skip

News = tuple[dict[str, Any], list[tuple[str, str]], int]


class Leader:
    """Runs in a process of its own; news() is called while lead() goes on."""

    def __init__(self) -> None:
        self._now: dict[str, Any] = {}
        self._failures: list[tuple[str, str]] = []
        self._dropped = 0

    def lead(self, plan: str, uses: list[EmbedderUse], path: str, words: dict[str, Any], backlog: int) -> str:
        """The report, as JSON."""
        import ray

        from vecframe.runners.ray_runner import lead_run

        frame = _native.for_worker(_native.NativeDataFrame.from_json(plan), uses)
        return lead_run(ray, frame, uses, path, words, backlog, self._keep, self._note).json

    def news(self) -> News:
        """Progress, and rows that failed since it was called last: some of them, and how many others."""
        failures, self._failures = self._failures, []
        dropped, self._dropped = self._dropped, 0
        return self._now, failures, dropped

    def _keep(self, now: Progress) -> None:
        self._now = {name: getattr(now, name) for name in _FIELDS}

    def _note(self, path: str, error: str) -> None:
        if len(self._failures) < _MOST_FAILURES:
            self._failures.append((path, error))
        else:
            self._dropped += 1


def lead_remotely(
    ray: Any,
    frame: _native.NativeDataFrame,
    uses: list[EmbedderUse],
    path: str,
    words: dict[str, Any],
    backlog: int,
    on_progress: Callable[[Progress], object] | None,
    on_failure: Callable[[str, str], object],
) -> RunReport:
    """Has a process of the cluster lead the run. If this one ends, so does the run."""
    # Two threads, for lead() and news(): a client of ray:// has no other way to call one beside the other.
    leader = ray.remote(max_concurrency=2, max_restarts=0, num_cpus=0)(Leader).remote()

    def look() -> None:
        now, failures, dropped = ray.get(leader.news.remote())
        for row, error in failures:
            on_failure(row, error)
        if dropped:
            _logger.warning("%d more rows failed", dropped)
        if now and on_progress is not None:
            on_progress(Progress(**now))

    try:
        report = leader.lead.remote(frame.to_json(), uses, path, words, backlog)
        while not ray.wait([report], timeout=_LOOK_S)[0]:
            look()
        text = ray.get(report)
        look()
        return RunReport(MergedReport(text))
    except ray.exceptions.RayTaskError as error:
        if isinstance(error.cause, (RequestError, RunError)):
            raise error.cause from None
        raise RunError(f"{type(error.cause).__name__}: {error.cause}") from error
    except ray.exceptions.RayActorError as error:
        raise RunError(f"the process that led the run died; resume it ({str(error).splitlines()[0]})") from error
    finally:
        ray.kill(leader)
