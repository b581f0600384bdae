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
from vecframe.image_functions import ImageFormat, ImageMode
from vecframe.inspection import inspect
from vecframe.loaded_model import LoadedModel, load_model
from vecframe.report import RunReport, read_report
from vecframe.runners import get_or_infer_runner_type, set_runner_native, set_runner_ray
from vecframe.schema import Field, Schema
from vecframe.provider import Provider, ProviderImportError, ProviderNotImplementedError, RetryAfterError
from vecframe.session import (
    Session,
    attach_provider,
    current_provider,
    current_session,
    describe_model,
    detach_provider,
    get_provider,
    has_provider,
    list_models,
    session,
    set_provider,
)

__all__ = [
    "DataFrame",
    "Expression",
    "Field",
    "ImageFormat",
    "ImageMode",
    "LoadedModel",
    "ModelInfo",
    "PlanWarning",
    "Progress",
    "Provider",
    "ProviderImportError",
    "ProviderNotImplementedError",
    "RequestError",
    "RetryAfterError",
    "RunError",
    "RunReport",
    "Schema",
    "Session",
    "TableSummary",
    "__version__",
    "attach_provider",
    "col",
    "current_provider",
    "current_session",
    "describe_model",
    "detach_provider",
    "from_arrow",
    "from_glob_path",
    "from_pandas",
    "from_polars",
    "from_pydict",
    "get_or_infer_runner_type",
    "get_provider",
    "has_provider",
    "inspect",
    "list_models",
    "lit",
    "load_model",
    "read_images",
    "read_parquet",
    "read_report",
    "read_texts",
    "session",
    "set_provider",
    "set_runner_native",
    "set_runner_ray",
]

__version__ = _native.version()

# The names under which users meet the native types, in tracebacks too.
for _type in (Expression, ModelInfo, Progress, RequestError, RunError, TableSummary):
    _type.__module__ = __name__
