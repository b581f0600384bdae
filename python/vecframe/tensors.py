"""Columns as tensors of torch."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from vecframe._native import RequestError

if TYPE_CHECKING:
    import pyarrow


def tensors_of(table: pyarrow.Table) -> dict[str, Any]:
    """A tensor for each column; it shares the memory of a column that is in one piece."""
    return {name: _tensor_of(name, table.column(i)) for i, name in enumerate(table.column_names)}


def _tensor_of(name: str, column: pyarrow.ChunkedArray) -> Any:
    import pyarrow
    import torch

    array = column.chunk(0) if column.num_chunks == 1 else column.combine_chunks()
    if isinstance(array, pyarrow.ChunkedArray):  # of no chunks, in older releases
        array = pyarrow.array([], column.type)
    if isinstance(array, pyarrow.ExtensionArray):
        array = array.storage
    if array.null_count:
        raise RequestError(
            f"to_torch: column '{name}' has {array.null_count} nulls, which a tensor cannot hold; drop them with "
            f"drop_nulls({name!r})"
        )
    width: list[int] = []
    while pyarrow.types.is_fixed_size_list(array.type):
        width.append(array.type.list_size)
        array = array.flatten()
    kind = array.type
    if pyarrow.types.is_boolean(kind):
        array = array.cast(pyarrow.uint8())  # a bit each becomes a byte
    elif not (pyarrow.types.is_integer(kind) or pyarrow.types.is_floating(kind)):
        raise RequestError(
            f"to_torch: column '{name}' of type {column.type} has no tensor; choose columns of numbers and vectors with "
            "select()"
        )
    if array.null_count:
        raise RequestError(f"to_torch: column '{name}' has nulls inside its vectors, which a tensor cannot hold")
    tensor = torch.from_dlpack(array) if len(array) else torch.empty(0, dtype=_torch_type(array.type))
    if pyarrow.types.is_boolean(kind):
        tensor = tensor.to(torch.bool)
    return tensor.reshape([-1, *width]) if len(array) else tensor.reshape([0, *width])


def _torch_type(kind: pyarrow.DataType) -> Any:
    import numpy
    import torch

    return torch.from_numpy(numpy.empty(0, kind.to_pandas_dtype())).dtype
