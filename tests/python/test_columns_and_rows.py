"""A dataframe as Python's own containers see it."""

import numpy as np
import pytest
import vecframe as vf
from vecframe import col


@pytest.fixture()
def frame():
    return vf.from_pydict({"a": [1, 2, 3], "b": ["x", None, "z"], "c": [1.5, 2.5, None]})


def test_columns_by_name_position_and_slice(frame):
    assert frame.column_names == ["a", "b", "c"]
    assert list(map(repr, frame.columns)) == ['col("a")', 'col("b")', 'col("c")']
    assert repr(frame["a"]) == repr(frame[0]) == 'col("a")' and repr(frame[-1]) == 'col("c")'
    assert frame["c", "a"].column_names == frame[["c", "a"]].column_names == ["c", "a"]
    assert frame[[2, "a"]].column_names == ["c", "a"] and frame[1:].column_names == ["b", "c"]
    assert frame[[col("a"), (col("a") + 1).alias("d")]].column_names == ["a", "d"]
    assert frame.where(frame["a"] > 1).count() == 2
    assert "a" in frame and "z" not in frame and 3 not in frame


@pytest.mark.parametrize(
    ("key", "words"),
    [("aa", "did you mean \"a\"?"), (3, "3 is out of range"), (-4, "-4 is out of range"), (1.5, "float"), (True, "bool")],
)
def test_wrong_keys_are_refused(frame, key, words):
    with pytest.raises(vf.RequestError) as caught:
        frame[key]
    assert words in str(caught.value) and "\n" not in str(caught.value)


def test_length_is_that_of_rows_in_memory(frame):
    assert len(frame) == 3 == frame.count_rows()
    lazy = frame.where(col("a") > 1)
    with pytest.raises(vf.RequestError, match="Cannot call len"):
        len(lazy)
    with pytest.raises(TypeError):
        len(lazy)
    assert len(lazy.collect()) == 2 and len(lazy.limit(0).collect()) == 0
    assert list(lazy) == lazy.to_pylist()  # list() asks for a length first


def test_rows(frame):
    rows = [{"a": 1, "b": "x", "c": 1.5}, {"a": 2, "b": None, "c": 2.5}, {"a": 3, "b": "z", "c": None}]
    assert frame.to_pylist() == rows == list(frame.iter_rows()) == list(frame)
    assert frame.to_pydict() == {"a": [1, 2, 3], "b": ["x", None, "z"], "c": [1.5, 2.5, None]}


def test_other_names(frame):
    assert frame.with_column_renamed("a", "A").column_names == ["A", "b", "c"]
    assert frame.with_columns_renamed({"a": "A", "b": "B"}).column_names == ["A", "B", "c"]
    assert frame.drop_null("b").count() == 2
    assert frame.filter(col("a") == 1).count_rows() == 1
    assert frame.schema["a"].dtype == frame.schema()["a"].dtype == "Int64"


def test_types_are_named_as_in_the_reference():
    frame = vf.from_pydict({"l": [[1]], "n": [{"x": 1, "y": "a"}], "v": [np.zeros(3)]})
    assert [field.dtype for field in frame.schema] == ["List[Int64]", "Struct[x: Int64, y: String]", "List[Float64]"]
