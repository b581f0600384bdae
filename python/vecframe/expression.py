"""Expressions: what a column of a dataframe is computed from."""

from __future__ import annotations

from vecframe import _native
from vecframe._arguments import require
from vecframe._native import Expression


def col(name: str) -> Expression:
    """The column of that name."""
    return _native.col(require("col", name, str, "give the name of a column as str"))


def lit(value: object) -> Expression:
    """The same value in every row: None, a bool, a number, a text or a vector."""
    return _native.lit(value)


def from_json(text: str) -> Expression:
    """The expression that Expression.to_json() wrote."""
    return Expression.from_json(require("from_json", text, str, "give a text of to_json()"))
