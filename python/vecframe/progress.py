"""How a run shows how far it is."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from vecframe._native import DownloadProgress, Progress, RequestError


class _Line:
    """One line on standard error that is drawn over and over, and gone at the end."""

    def __init__(self) -> None:
        self._width = 0

    def clear(self) -> None:
        if self._width:
            self._draw("")
            sys.stderr.write("\r")
            sys.stderr.flush()

    def _draw(self, text: str) -> None:
        sys.stderr.write("\r" + text.ljust(self._width))
        sys.stderr.flush()
        self._width = len(text)


class ProgressLine(_Line):
    """How far a run is."""

    def __call__(self, now: Progress) -> None:
        rate = now.rows / now.seconds if now.seconds > 0 else 0.0
        text = f"{now.rows}/{now.listed}{'' if now.listing_done else '+'} images, {rate:.1f}/s"
        if now.seconds > 0 and now.read > 0:  # of each stage, so that the one that holds the others up shows
            stages = {"read": now.read, "prepare": now.prepared, "embed": now.embedded}
            text += " (" + ", ".join(f"{name} {rows / now.seconds:.0f}" for name, rows in stages.items() if rows) + ")"
        if now.listing_done and rate > 0:
            text += f", {_time_text((now.listed - now.rows) / rate)} left"
        if now.duplicates + now.cache_hits:
            text += f", {now.duplicates + now.cache_hits} known"
        if now.failed:
            text += f", {now.failed} failed"
        self._draw(text)


class DownloadLine(_Line):
    """How far the download of a model is."""

    def __call__(self, now: DownloadProgress) -> None:
        text = f"{now.file} {now.bytes / 1e6:.1f}/{now.total / 1e6:.1f} MB"
        if now.seconds >= 0.5 and now.received > 0:  # the first moments say nothing of the rate
            rate = now.received / now.seconds
            text += f", {rate / 1e6:.1f} MB/s, {_time_text((now.total - now.bytes) / rate)} left"
        self._draw(text)


def _time_text(duration: float) -> str:
    minutes, seconds = divmod(round(duration), 60)
    return f"{minutes}:{seconds:02d}"


def _on_terminal() -> bool:
    return sys.stderr is not None and sys.stderr.isatty()


@contextmanager
def download_line() -> Iterator[DownloadLine | None]:
    """A line if standard error is a terminal, cleared however the download ends."""
    line = DownloadLine() if _on_terminal() else None
    try:
        yield line
    finally:
        if line is not None:
            line.clear()


ProgressChoice = bool | Callable[[Progress], object] | None


def progress_callback(choice: ProgressChoice) -> Callable[[Progress], object] | None:
    """None: a line if standard error is a terminal; True or False: a line or none; else called about ten times a second."""
    if choice is None:
        choice = _on_terminal()
    if isinstance(choice, bool):
        return ProgressLine() if choice else None
    if callable(choice):
        return choice
    raise RequestError(f"progress: {choice!r} is of type {type(choice).__name__}; give True, False or a callable")
