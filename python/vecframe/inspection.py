"""A look into an output file."""

from __future__ import annotations

import os

from vecframe import _native
from vecframe._arguments import integer, path_text
from vecframe._native import TableSummary


def inspect(path: str | os.PathLike[str], *, queries: int = 4, neighbours: int = 3) -> TableSummary:
    """Schema, metadata, failures by cause, and for `queries` evenly spread rows their nearest neighbours.

    `path` is a Parquet file or a directory of parts. Printed, the summary is a text for people.
    """
    limit = 2**31 - 1
    return _native.inspect(
        path_text("inspect", path),
        queries=min(integer("queries", queries, "give a number of rows"), limit),
        neighbours=min(integer("neighbours", neighbours, "give a number of rows"), limit),
    )
