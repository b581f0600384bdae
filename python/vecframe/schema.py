"""Columns of a dataframe: names and types."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple


class Field(NamedTuple):
    name: str
    dtype: str  #: "String", "UInt32", "Image[RGB]", "Embedding[Float32; 1280]"


class Schema:
    """An ordered set of fields. Calling it gives itself, so `df.schema` and `df.schema()` are the same."""

    def __init__(self, fields: Iterable[Field]) -> None:
        self._fields = tuple(fields)

    @property
    def names(self) -> list[str]:
        return [field.name for field in self._fields]

    def __call__(self) -> Schema:
        return self

    def __getitem__(self, name: str) -> Field:
        for field in self._fields:
            if field.name == name:
                return field
        raise KeyError(name)

    def __contains__(self, name: object) -> bool:
        return any(field.name == name for field in self._fields)

    def __iter__(self) -> Iterator[Field]:
        return iter(self._fields)

    def __len__(self) -> int:
        return len(self._fields)

    def __eq__(self, other: object) -> bool:
        return self._fields == other._fields if isinstance(other, Schema) else NotImplemented

    def __hash__(self) -> int:
        return hash(self._fields)

    def __repr__(self) -> str:
        width = max((len(field.name) for field in self._fields), default=0)
        return "\n".join(f"{field.name:<{width}}  {field.dtype}" for field in self._fields)
