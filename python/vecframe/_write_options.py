"""The words of a run's output, checked."""

from __future__ import annotations

import os

from vecframe import _native
from vecframe._arguments import byte_count, integer, one_of, path_text, require, stage_counts
from vecframe._native import NativeWriteOptions, RequestError

_WRITE_MODES = ("error", "overwrite", "append")
_DETECT = ("time", "content")


def write_options(
    *,
    write_mode: str = "error",
    resume: bool = False,
    retry_failed: bool = False,
    prune: bool = False,
    detect: str = "time",
    shard: tuple[int, int] | None = None,
    rows_per_part: int = _native.DEFAULT_ROWS_PER_PART,
    bytes_per_part: int | str = _native.DEFAULT_BYTES_PER_PART,
    max_error_rate: float | None = None,
    dead_letter: str | os.PathLike[str] | None = None,
    cache: str | os.PathLike[str] | None = None,
    cache_size: int | str = _native.DEFAULT_CACHE_BYTES,
    threads: int = 0,
    memory_limit: int = _native.DEFAULT_MEMORY_LIMIT,
    stages: dict[str, int] | None = None,
    ordered: bool = True,
) -> NativeWriteOptions:
    """What DataFrame.write_parquet() takes, as the native part has it."""
    index, count = _share(shard)
    flag = "give True or False"
    return NativeWriteOptions(
        mode=one_of("write_mode", write_mode, _WRITE_MODES),
        resume=require("resume", resume, bool, flag),
        retry_failed=require("retry_failed", retry_failed, bool, flag),
        prune=require("prune", prune, bool, flag),
        detect=one_of("detect", detect, _DETECT),
        shard_index=index,
        shard_count=count,
        rows_per_part=integer("rows_per_part", rows_per_part, "give a number of rows"),
        bytes_per_part=byte_count("bytes_per_part", bytes_per_part),
        max_error_rate=_rate(max_error_rate),
        dead_letter="" if dead_letter is None else path_text("dead_letter", dead_letter),
        cache="" if cache is None else os.path.expanduser(path_text("cache", cache)),
        cache_bytes=byte_count("cache_size", cache_size),
        threads=threads,
        memory_limit=memory_limit,
        stages=stage_counts(stages),
        ordered=require("ordered", ordered, bool, flag),
    )


def _share(shard: tuple[int, int] | None) -> tuple[int, int]:
    if shard is None:
        return 0, 1
    if not isinstance(shard, (tuple, list)) or len(shard) != 2:
        raise RequestError(f"shard: {shard!r} is no share; give (i, n) with i from 1 to n, such as (3, 16)")
    index, count = (integer("shard", value, "give (i, n) with i from 1 to n") for value in shard)
    if not 1 <= index <= count:
        raise RequestError(f"shard: {shard!r} is out of range; give (i, n) with i from 1 to n")
    return index - 1, count


def _rate(rate: float | None) -> float | None:
    if rate is None:
        return None
    if isinstance(rate, bool) or not isinstance(rate, (int, float)):
        raise RequestError(f"max_error_rate: {rate!r} is of type {type(rate).__name__}; give a share from 0 to 1")
    return float(rate)
