"""Checks of arguments: what is wrong is a RequestError of one line that names argument, value and fix."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from typing import TypeVar

from vecframe._native import RequestError

T = TypeVar("T")

_BYTE_UNITS = {"": 0, "B": 0, "K": 10, "KiB": 10, "M": 20, "MiB": 20, "G": 30, "GiB": 30}


def require(argument: str, value: object, kind: type[T], fix: str) -> T:
    """`value`, if it is of this type; a bool is no number."""
    if isinstance(value, kind) and (kind is bool or not isinstance(value, bool)):
        return value
    raise RequestError(f"{argument}: {value!r} is of type {type(value).__name__}; {fix}")


def optional(argument: str, value: object, kind: type[T], fix: str) -> T | None:
    return None if value is None else require(argument, value, kind, fix)


def integer(argument: str, value: object, fix: str) -> int:
    """`value` as an int that C++ can take; numpy's integers are integers too."""
    if isinstance(value, bool) or not hasattr(value, "__index__"):
        raise RequestError(f"{argument}: {value!r} is of type {type(value).__name__}; {fix}")
    number: int = value.__index__()
    if not -(2**63) <= number < 2**63:
        raise RequestError(f"{argument}: {number} is beyond 64 bits; {fix}")
    return number


def path_text(argument: str, value: object) -> str:
    if isinstance(value, os.PathLike):
        value = os.fspath(value)
    return require(argument, value, str, "give a path as str or pathlib.Path")


def one_of(argument: str, value: object, words: Iterable[str]) -> str:
    words = list(words)
    if isinstance(value, str) and value in words:
        return value
    listed = ", ".join(f'"{word}"' for word in words)
    raise RequestError(f"{argument}: {value!r} is not known; give one of {listed}{suggestion(value, words)}")


def suggestion(value: object, words: Iterable[str]) -> str:
    """`; did you mean "..."?`, or nothing."""
    import difflib

    close = difflib.get_close_matches(str(value), list(words), n=1)
    return f'; did you mean "{close[0]}"?' if close else ""


def byte_count(argument: str, value: object) -> int:
    """Bytes, or a text such as "512MiB", "512M" or "2G": powers of two, as on the command line."""
    fix = 'give bytes, or a text such as "512MiB" or "2G"'
    if not isinstance(value, str):
        return integer(argument, value, fix)
    found = re.fullmatch(r"([0-9]+(?:\.[0-9]*)?) ?([A-Za-z]*)", value)
    if found is None or found[2] not in _BYTE_UNITS:
        raise RequestError(f"{argument}: {value!r} is no amount of memory; {fix}")
    return integer(argument, int(float(found[1]) * 2 ** _BYTE_UNITS[found[2]]), fix)


def stage_counts(stages: object) -> dict[str, int]:
    """How many rows may be in a stage at a time, by its name; which names there are, the native part knows."""
    fix = 'give a dict such as {"download": 16, "decode": 4, "embed": 1}'
    if stages is None:
        return {}
    counts: dict[str, int] = {}
    for name, count in require("stages", stages, dict, fix).items():
        counts[require("stages", name, str, fix)] = integer(f"stages: {name}", count, fix)
    return counts
