"""How a run shows how far it is."""

from __future__ import annotations

import sys
from collections.abc import Callable

from vecframe._native import Progress, RequestError


class ProgressLine:
    """One line on standard error that is drawn over and over, and gone at the end."""

    def __init__(self) -> None:
        self._width = 0

    def __call__(self, now: Progress) -> None:
        rate = now.rows / now.seconds if now.seconds > 0 else 0.0
        text = f"{now.rows}/{now.listed}{'' if now.listing_done else '+'} images, {rate:.1f}/s"
        if now.listing_done and rate > 0:
            minutes, seconds = divmod(round((now.listed - now.rows) / rate), 60)
            text += f", {minutes}:{seconds:02d} left"
        if now.failed:
            text += f", {now.failed} failed"
        self._draw(text)

    def clear(self) -> None:
        if self._width:
            self._draw("")
            sys.stderr.write("\r")
            sys.stderr.flush()

    def _draw(self, text: str) -> None:
        sys.stderr.write("\r" + text.ljust(self._width))
        sys.stderr.flush()
        self._width = len(text)


ProgressChoice = bool | Callable[[Progress], object] | None


def progress_callback(choice: ProgressChoice) -> Callable[[Progress], object] | None:
    """None: a line if standard error is a terminal; True or False: a line or none; else called about ten times a second."""
    if choice is None:
        choice = sys.stderr is not None and sys.stderr.isatty()
    if isinstance(choice, bool):
        return ProgressLine() if choice else None
    if callable(choice):
        return choice
    raise RequestError(f"progress: {choice!r} is of type {type(choice).__name__}; give True, False or a callable")
