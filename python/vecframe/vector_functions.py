"""Functions of columns of vectors, such as embeddings, and of hashes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeAlias

from vecframe import _native
from vecframe._arguments import require
from vecframe._native import Expression

__all__ = [
    "cosine_distance",
    "cosine_similarity",
    "dot_product",
    "euclidean_distance",
    "hamming_distance",
    "l2_normalize",
]

#: A column of vectors, or one vector for all rows: a list or a numpy array.
Vectors: TypeAlias = "Expression | Sequence[float] | Any"


def _measure(function: str, left: Vectors, right: Vectors) -> Expression:
    return _native.call(function, [left, right], {})


def cosine_distance(left: Vectors, right: Vectors) -> Expression:
    """1 - cosine_similarity: 0 for vectors of one direction, 2 for opposite ones; NaN where one is zero.

    Args:
        left: A column of vectors: embeddings, or fixed-size lists of float16, float32, float64 or int8.
        right: Another one of that length, or one vector for all rows.
    """
    return _measure("cosine_distance", left, right)


def cosine_similarity(left: Vectors, right: Vectors) -> Expression:
    """Cosine of the angle between the vectors, -1 to 1; NaN where one is zero. Arguments as of ``cosine_distance``."""
    return _measure("cosine_similarity", left, right)


def dot_product(left: Vectors, right: Vectors) -> Expression:
    """Sum of the products of the elements, in double precision. Arguments as of ``cosine_distance``."""
    return _measure("dot_product", left, right)


def euclidean_distance(left: Vectors, right: Vectors) -> Expression:
    """Length of the difference, in double precision. Arguments as of ``cosine_distance``."""
    return _measure("euclidean_distance", left, right)


def hamming_distance(left: Expression | bytes, right: Expression | bytes) -> Expression:
    """Number of bits that differ between two hashes of one size.

    Args:
        left: A column of fixed-size binary values, such as those of ``image_hash``.
        right: Another one, or the bytes of one hash for all rows.
    """
    sides: list[object] = [list(side) if isinstance(side, (bytes, bytearray)) else side for side in (left, right)]
    return _native.call("hamming_distance", sides, {})


def l2_normalize(vectors: Expression) -> Expression:
    """Each vector divided by its length, as an Embedding; a zero vector stays zero."""
    require("l2_normalize", vectors, Expression, 'give an expression, such as vecframe.col("embedding")')
    return _native.call("l2_normalize", [vectors], {})
