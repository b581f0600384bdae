"""Values of Arrow columns as Python's and numpy's, and back."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa

from vecframe._native import RequestError
from vecframe.arrow_types import EmbeddingType, ImageType, image_array

_VARIED_TENSOR = "arrow.variable_shape_tensor"


def values_of(column: pa.ChunkedArray | pa.Array) -> list[Any]:
    """One value a row: arrays of shape (height, width, channels) for pictures and tensors, vectors for embeddings."""
    chunks = column.chunks if isinstance(column, pa.ChunkedArray) else [column]
    values: list[Any] = []
    for chunk in chunks:
        values += _values_of_chunk(chunk)
    return values


def _values_of_chunk(chunk: pa.Array) -> list[Any]:
    kind = chunk.type
    if isinstance(kind, EmbeddingType):
        vectors = chunk.to_numpy(writable=True)
        return [vector if valid else None for vector, valid in zip(vectors, _valid(chunk), strict=True)]
    if isinstance(kind, pa.FixedShapeTensorType):
        return [scalar.to_numpy() if scalar.is_valid else None for scalar in chunk]
    if getattr(kind, "extension_name", "") == _VARIED_TENSOR:
        return [_tensor(scalar.value) if scalar.is_valid else None for scalar in chunk]
    values: list[Any] = chunk.to_pylist()
    return values


def _tensor(value: pa.StructScalar) -> Any:
    return np.asarray(value["data"].values.to_numpy()).reshape(value["shape"].as_py())


def _valid(chunk: pa.Array) -> list[bool]:
    valid: list[bool] = chunk.is_valid().to_pylist()
    return valid


def rows_of(table: pa.Table | pa.RecordBatch) -> list[dict[str, Any]]:
    """One dict a row."""
    names = table.schema.names
    columns = [values_of(table.column(i)) for i in range(len(names))]
    if not columns:
        return [{} for _ in range(table.num_rows)]
    return [dict(zip(names, row, strict=True)) for row in zip(*columns, strict=True)]


def pandas_of(table: pa.Table) -> Any:
    """A pandas DataFrame; what pandas has no type for is a column of numpy arrays."""
    frame = table.to_pandas()
    for i, field in enumerate(table.schema):
        special = isinstance(field.type, (ImageType, pa.FixedShapeTensorType))
        if special or getattr(field.type, "extension_name", "") == _VARIED_TENSOR:
            values = np.empty(table.num_rows, dtype=object)
            for row, value in enumerate(values_of(table.column(i))):
                values[row] = value
            frame[field.name] = values
    return frame


def arrow_column(name: str, values: Any) -> Any:
    """`values` as pyarrow takes them, or a column of pictures if they are some."""
    if not isinstance(values, (list, tuple)):
        return values
    first = next((value for value in values if value is not None), None)
    is_array = isinstance(first, np.ndarray) and first.ndim > 1
    if not is_array and not type(first).__module__.startswith("PIL."):
        return values
    try:
        return image_array(values)
    except RequestError as error:
        raise RequestError(f"from_pydict: column '{name}', {error}") from error
