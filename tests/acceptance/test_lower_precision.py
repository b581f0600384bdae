"""Real weights on real photographs: a lower precision stays as near to float32 as the documentation says."""

import os
import pathlib

import numpy
import pyarrow.parquet
import pytest

SHARED = pathlib.Path(os.environ.get("VECFRAME_SHARED", pathlib.Path(__file__).resolve().parents[2] / "../shared"))
LEAST_COSINE = {"bf16": 0.999, "int8": 0.99}


@pytest.fixture(scope="module", params=["builtin:efficientnet-lite0", "vit_tiny_patch16_224"])
def model(request):
    name = request.param
    if name.startswith("builtin:"):
        return name
    if not (SHARED / "data" / name).is_dir():
        pytest.skip(f"no {name} in {SHARED / 'data'}")
    return str(SHARED / "data" / name)


@pytest.fixture(scope="module")
def vectors_at(vecframe, model, tmp_path_factory):
    """Unit vectors of the photographs at a precision."""
    photographs = SHARED / "data/clothing-test"
    if not photographs.is_dir():
        pytest.skip(f"no photographs in {photographs}")

    def vectors(precision):
        output = tmp_path_factory.mktemp("vectors") / f"{precision}.parquet"
        done = vecframe("embed", photographs, "-o", output, "--model", model, "--precision", precision)
        assert done.returncode == 0, done.stderr
        column = pyarrow.parquet.read_table(output, columns=["embedding"])["embedding"]
        assert column.null_count == 0
        values = numpy.array(column.to_pylist(), numpy.float64)
        return values / numpy.linalg.norm(values, axis=1, keepdims=True)

    return vectors


def test_every_photograph_stays_near_its_float32_vector(vectors_at):
    exact = vectors_at("fp32")
    for precision, least in LEAST_COSINE.items():
        cosines = (exact * vectors_at(precision)).sum(axis=1)
        assert cosines.min() >= least, f"{precision}: photograph {cosines.argmin()} of {len(cosines)}"
        assert cosines.min() < 1 - 1e-7, f"{precision}: float32 ran in its place"
