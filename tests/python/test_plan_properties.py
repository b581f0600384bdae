"""Random plans give what a plain evaluation gives, however they are run."""

import io

import numpy as np
import pyarrow as pa
import vecframe as vf
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image
from vecframe import col
from vecframe.functions import decode_image, dot_product, embed_image, image_width
from vecframe.streams import ArrowStream

# The same examples each time, and no files left behind.
PROFILE = settings(
    derandomize=True, database=None, deadline=None, suppress_health_check=list(HealthCheck), max_examples=300
)
NO_LIMIT = 512 << 20


def picture(width):
    buffer = io.BytesIO()
    Image.fromarray(np.full((3, width, 3), 7 * width, np.uint8)).save(buffer, "PNG")
    return buffer.getvalue()


PICTURES = {picture(width): width for width in (2, 5, 9)} | {b"no picture": None}
TYPES = {"a": "int", "b": "float", "s": "text", "p": "bytes", "v": "vector"}
ARROW = {
    "a": pa.int64(),
    "b": pa.float64(),
    "s": pa.string(),
    "p": pa.binary(),
    "v": pa.list_(pa.field("item", pa.float32()), 3),
}
VALUES = {
    "int": st.integers(-5, 5),
    "float": st.integers(-8, 8).map(lambda n: n / 2),
    "count": st.integers(0, 10),
    "text": st.sampled_from(["", "a", "b", "ab", "Ü"]),
    "bytes": st.sampled_from(list(PICTURES)),
    "vector": st.lists(st.integers(-4, 4).map(float), min_size=3, max_size=3),
}


def null_in(function):
    return lambda *values: None if None in values else function(*values)


def kleene_and(x, y):
    return False if x is False or y is False else None if x is None or y is None else True


def kleene_or(x, y):
    return True if x is True or y is True else None if x is None or y is None else False


COMPARISONS = {
    "==": (lambda x, y: x == y),
    "<": (lambda x, y: x < y),
    ">=": (lambda x, y: x >= y),
}


class Formula:
    """An expression, its type, and what it gives for a row that is a dict."""

    def __init__(self, expression, kind, value):
        self.expression, self.kind, self.value = expression, kind, value


@st.composite
def predicates(draw, types, depth=0):
    """A Boolean formula over columns of these types."""
    if depth < 2 and draw(st.booleans()):
        one = draw(predicates(types, depth + 1))
        word = draw(st.sampled_from(["and", "or", "not"]))
        if word == "not":
            return Formula(~one.expression, "truth", lambda row: null_in(lambda x: not x)(one.value(row)))
        two = draw(predicates(types, depth + 1))
        if word == "and":
            both = one.expression & two.expression
            return Formula(both, "truth", lambda row: kleene_and(one.value(row), two.value(row)))
        either = one.expression | two.expression
        return Formula(either, "truth", lambda row: kleene_or(one.value(row), two.value(row)))
    name = draw(st.sampled_from(sorted(types)))
    if types[name] in ("bytes", "vector", "truth") or draw(st.booleans()):
        wanted = draw(st.booleans())
        expression = col(name).is_null() if wanted else col(name).not_null()
        return Formula(expression, "truth", lambda row: (row[name] is None) == wanted)
    sign = draw(st.sampled_from(sorted(COMPARISONS)))
    constant = draw(VALUES[types[name]])
    compare = COMPARISONS[sign]
    return Formula(compare(col(name), constant), "truth", lambda row: null_in(compare)(row[name], constant))


@st.composite
def formulas(draw, types):
    """A formula of any type."""
    name = draw(st.sampled_from(sorted(types)))
    kind = types[name]
    column = col(name)
    if kind == "int":
        n = draw(st.integers(-3, 3))
        return Formula(column + n, "int", lambda row: null_in(lambda x: x + n)(row[name]))
    if kind == "float":
        return Formula(column * 2, "float", lambda row: null_in(lambda x: x * 2)(row[name]))
    if kind == "text":
        return Formula(column.length(), "int", lambda row: null_in(len)(row[name]))
    if kind == "bytes":
        width = image_width(decode_image(column, on_error="null"))
        return Formula(width, "count", lambda row: null_in(PICTURES.get)(row[name]))
    if kind == "vector":
        other = draw(VALUES["vector"])
        product = lambda x: float(np.dot(x, other))  # noqa: E731
        return Formula(dot_product(column, other), "float", lambda row: null_in(product)(row[name]))
    return draw(predicates(types))


def sorted_rows(rows, keys):
    """By the last key first: sorting keeps the order of equals. Nulls come last."""
    for name, descending in reversed(keys):
        full = [row for row in rows if row[name] is not None]
        rows = sorted(full, key=lambda row: row[name], reverse=descending) + [r for r in rows if r[name] is None]
    return rows


@st.composite
def operations(draw, types):
    """A change of a dataframe, the same of a list of rows, and the types afterwards."""
    names = sorted(types)
    word = draw(
        st.sampled_from(
            ["where", "where", "with_column", "with_column", "select", "limit", "sort", "drop_nulls", "rename", "concat"]
        )
    )
    if word == "where":
        test = draw(predicates(types))
        return lambda df: df.where(test.expression), lambda rows: [r for r in rows if test.value(r) is True], types
    if word == "with_column":
        formula = draw(formulas(types))
        name = draw(st.sampled_from([*names, "x", "y"]))
        return (
            lambda df: df.with_column(name, formula.expression),
            lambda rows: [{**row, name: formula.value(row)} for row in rows],
            {**types, name: formula.kind},
        )
    if word == "select":
        kept = draw(st.lists(st.sampled_from(names), min_size=1, unique=True))
        formula = draw(formulas(types))
        return (
            lambda df: df.select(*kept, formula.expression.alias("z")) if "z" not in kept else df.select(*kept),
            lambda rows: [
                {name: row[name] for name in kept} | ({} if "z" in kept else {"z": formula.value(row)}) for row in rows
            ],
            {name: types[name] for name in kept} | ({} if "z" in kept else {"z": formula.kind}),
        )
    if word == "limit":
        count = draw(st.integers(0, 12))
        return lambda df: df.limit(count), lambda rows: rows[:count], types
    if word == "sort":
        ordered = [name for name in names if types[name] in ("int", "float", "text", "count", "truth")]
        if not ordered:
            return lambda df: df, lambda rows: rows, types
        keys = draw(st.lists(st.tuples(st.sampled_from(ordered), st.booleans()), min_size=1, max_size=2, unique_by=lambda k: k[0]))
        return (
            lambda df: df.sort([name for name, _ in keys], desc=[descending for _, descending in keys]),
            lambda rows: sorted_rows(rows, keys),
            types,
        )
    if word == "drop_nulls":
        kept = draw(st.lists(st.sampled_from(names), min_size=1, unique=True))
        return (
            lambda df: df.drop_nulls(*kept),
            lambda rows: [row for row in rows if all(row[name] is not None for name in kept)],
            types,
        )
    if word == "rename":
        old = draw(st.sampled_from(names))
        new = "r" if "r" not in types else old
        return (
            lambda df: df.rename({old: new}),
            lambda rows: [{(new if name == old else name): value for name, value in row.items()} for row in rows],
            {(new if name == old else name): kind for name, kind in types.items()},
        )
    count = draw(st.integers(0, 5))
    return lambda df: df.concat(df.limit(count)), lambda rows: rows + rows[:count], types


@st.composite
def plans(draw):
    """A dataframe and the rows it should give."""
    count = draw(st.integers(0, 14))
    rows = [
        {name: draw(st.none() | VALUES[kind]) if draw(st.integers(0, 3)) == 0 else draw(VALUES[kind])
         for name, kind in TYPES.items()}
        for _ in range(count)
    ]
    table = pa.table({name: pa.array([row[name] for row in rows], kind) for name, kind in ARROW.items()})
    chunk = draw(st.integers(1, 15))
    df = vf.from_arrow(pa.Table.from_batches(table.to_batches(max_chunksize=chunk), table.schema))
    types = TYPES
    for _ in range(draw(st.integers(0, 6))):
        change, model, types = draw(operations(types))
        df, rows = change(df), model(rows)
    return df, rows


@st.composite
def ways(draw):
    """How a plan is run."""
    return {
        "threads": draw(st.sampled_from([1, 2, 3])),
        "morsel_rows": draw(st.sampled_from([0, 1, 2, 5, 1000])),
        "optimize": draw(st.booleans()),
    }


def run(df, way):
    stream = df._native.arrow_stream(memory_limit=NO_LIMIT, on_progress=None, on_failure=None, **way)
    return pa.table(ArrowStream(stream))


@PROFILE
@given(plans(), ways(), st.booleans())
def test_a_random_plan_gives_what_plain_python_gives(plan, way, through_json):
    df, expected = plan
    names = df.schema.names
    if through_json:
        df = vf.DataFrame.from_json(df.to_json())
    got = run(df, way)
    assert got.column_names == names
    assert got.to_pylist() == expected
    assert df.count() == len(expected)


@PROFILE
@given(plans(), ways(), ways(), st.floats(0, 1), st.integers(0, 9))
def test_a_sample_is_the_same_however_it_is_run(plan, one, other, fraction, seed):
    df, _ = plan
    for sampled in (df.sample(fraction, seed=seed), df.sample(size=seed, seed=seed)):
        assert run(sampled, one).to_pylist() == run(sampled, other).to_pylist()


@settings(PROFILE, max_examples=15)
@given(plans(), ways(), ways())
def test_embeddings_are_the_same_however_they_are_run(model, plan, one, other):
    df, _ = plan
    if "p" not in df.schema or df.schema["p"].dtype != "Binary":
        return
    df = df.with_column("image", decode_image(col("p"), on_error="null"))
    df = df.with_column("e", embed_image(col("image"), model=model, on_error="ignore", error_column="why"))
    df = df.where(col("why").is_null()).select("e", "why", "p").limit(9)
    a, b = run(df, one), run(df, other)
    assert a.drop(["e"]).equals(b.drop(["e"]))
    assert [value is None for value in a["e"].to_pylist()] == [value is None for value in b["e"].to_pylist()]
    for x, y in zip(a["e"].to_pylist(), b["e"].to_pylist(), strict=True):
        assert x is None or np.abs(np.subtract(x, y)).max() < 1e-5
