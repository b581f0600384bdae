"""Rows of a run, batch by batch."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from vecframe._native import NativeRows

if TYPE_CHECKING:
    import pyarrow


class ArrowStream:
    """A capsule as an object of the Arrow PyCapsule interface."""

    def __init__(self, capsule: object) -> None:
        self._capsule = capsule

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        return self._capsule


class _ArrowBatch:
    """The two capsules of an array likewise."""

    def __init__(self, capsules: tuple[object, object]) -> None:
        self._capsules = capsules

    def __arrow_c_array__(self, requested_schema: object = None) -> tuple[object, object]:
        return self._capsules


def batches_of(rows: NativeRows, batch_size: int) -> Iterator[pyarrow.RecordBatch]:
    """The rest of the rows; the run ends with the iterator, however that ends."""
    import pyarrow

    from vecframe import arrow_types

    arrow_types.register()
    try:
        while (capsules := rows.next()) is not None:
            batch = pyarrow.record_batch(_ArrowBatch(capsules))
            for first in range(0, batch.num_rows, batch_size):
                yield batch.slice(first, batch_size)
    finally:
        rows.close()
