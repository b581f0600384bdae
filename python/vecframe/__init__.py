"""Image columns to embedding vectors, in a lazy dataframe.

    import vecframe as vf
    from vecframe.functions import embed_image

    df = vf.read_images("photos/**/*.jpg").with_column(
        "embedding", embed_image(vf.col("image"), model="builtin:efficientnet-lite0")
    )
    df.write_parquet("photos.parquet")
"""

from vecframe import _native
from vecframe._native import Expression, ModelInfo, Progress, RequestError, RunError, TableSummary
from vecframe.dataframe import (
    DataFrame,
    PlanWarning,
    from_arrow,
    from_glob_path,
    from_pandas,
    from_polars,
    from_pydict,
    read_images,
    read_parquet,
    read_texts,
)
from vecframe.expression import col, lit
from vecframe.inspection import inspect
from vecframe.report import RunReport, read_report
from vecframe.schema import Field, Schema
from vecframe.session import current_provider, describe_model, list_models, set_provider

__all__ = [
    "DataFrame",
    "Expression",
    "Field",
    "ModelInfo",
    "PlanWarning",
    "Progress",
    "RequestError",
    "RunError",
    "RunReport",
    "Schema",
    "TableSummary",
    "__version__",
    "col",
    "current_provider",
    "describe_model",
    "from_arrow",
    "from_glob_path",
    "from_pandas",
    "from_polars",
    "from_pydict",
    "inspect",
    "list_models",
    "lit",
    "read_images",
    "read_parquet",
    "read_report",
    "read_texts",
    "set_provider",
]

__version__ = _native.version()

# The names under which users meet the native types, in tracebacks too.
for _type in (Expression, ModelInfo, Progress, RequestError, RunError, TableSummary):
    _type.__module__ = __name__
