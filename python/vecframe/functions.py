"""Functions that make expressions."""

from __future__ import annotations

import os
from typing import Any

from vecframe import _native
from vecframe._arguments import integer, one_of, optional, require
from vecframe._native import EmbedOptions, Expression, NativeProvider, OnError, RequestError
from vecframe.progress import download_line
from vecframe.runners import get_or_infer_runner_type
from vecframe.vector_functions import (
    cosine_distance,
    cosine_similarity,
    dot_product,
    euclidean_distance,
    hamming_distance,
    l2_normalize,
)
from vecframe.image_functions import (
    convert_image,
    crop,
    decode_image,
    download,
    encode_image,
    image_attribute,
    image_channel,
    image_hash,
    image_height,
    image_mode,
    image_to_tensor,
    image_width,
    resize,
)
from vecframe.session import current_session, fetch_builtin_weights, resolve_provider

__all__ = [
    "convert_image",
    "cosine_distance",
    "cosine_similarity",
    "crop",
    "decode_image",
    "dot_product",
    "download",
    "embed_image",
    "embed_text",
    "encode_image",
    "euclidean_distance",
    "hamming_distance",
    "image_attribute",
    "image_channel",
    "image_hash",
    "image_height",
    "image_mode",
    "image_to_tensor",
    "image_width",
    "l2_normalize",
    "resize",
]

_ON_ERROR = {"raise": OnError.RAISE, "log": OnError.LOG, "ignore": OnError.IGNORE}


def embed_image(
    image: Expression,
    *,
    provider: Any = None,
    model: str | None = None,
    dimensions: int | None = None,
    normalize: bool = False,
    dtype: str = "float32",
    batch_size: int | None = None,
    concurrency: int | None = None,
    num_gpus: float | None = None,
    max_retries: int | None = None,
    on_error: str = "raise",
    error_column: str | None = None,
    **options: Any,
) -> Expression:
    """Embedding vectors of a column of pictures; null pictures stay null.

    Provider, model and options are resolved and checked at once; embedders are made when the plan runs. A model of the
    hub that is not in the cache is downloaded first, with a line on standard error if that is a terminal; after Ctrl-C
    the next call goes on where this one ended.

    Args:
        image: The pictures, such as ``col("image")``.
        provider: Who makes the vectors: a name, or an instance of ``vecframe.Provider``; else that of the session, else
            $VECFRAME_PROVIDER, else "transformers".
        model: A directory of safetensors, ``builtin:NAME``, a hub id, or what the provider calls its models; else that
            of ``set_provider``, else $VECFRAME_MODEL, else the provider's default.
        dimensions: Keep the first so many values of each vector.
        normalize: Divide each vector, or what `dimensions` keeps of it, by its L2 norm.
        dtype: Element type of the column, "float32" or "float16".
        batch_size: Pictures a batch; by default what the memory limit allows, or what the provider says.
        concurrency: Of providers that are called: embedders side by side, or requests in flight. On Ray, of any but an
            async one: workers.
        num_gpus: For each embedder; more than this machine has is refused at once. On Ray: for each worker, and more
            than the cluster has is refused when the plan is run.
        max_retries: How often a batch is tried again after a failure that may pass; others are final.
        on_error: What becomes of a bad row, never of its batch. "raise" stops the run, "log" keeps the row with a null
            vector and warns through the logger "vecframe", "ignore" keeps it without a word.
        error_column: Adds a second column of this name with ``stage/code: message``, null for good rows.
        options: The provider's own. Of "transformers": `precision` ("fp32", "bf16", "int8" on processors, "fp16" on GPUs, or
            "auto": bf16 where the device has it), `device` ("auto", "cpu", "cuda" for every GPU, "cuda:1", "cuda:0,2" or "reference"),
            `pooling` ("default", the vector of the reference; "cls", the class token; "mean", the mean of the patches;
            both after the final norm, without pooler and projection), `image_size` (side of the square picture that
            goes into the model, in place of its processor's; positions are interpolated).

    Raises:
        RequestError: An option, a model or a type that does not fit; it names the fix.
    """
    require("image", image, Expression, 'give an expression, such as vecframe.col("image")')
    common = _common_options(
        model=model,
        dimensions=dimensions,
        normalize=normalize,
        dtype=dtype,
        batch_size=batch_size,
        concurrency=concurrency,
        num_gpus=num_gpus,
        max_retries=max_retries,
        on_error=on_error,
        error_column=error_column,
    )
    resolved = resolve_provider(provider)
    if not isinstance(resolved, NativeProvider):
        return _native.embed_image_with(image, common, _describe(resolved, provider, "embed_image", common, options))
    fetch_builtin_weights(resolved.name, model)
    with download_line() as on_download:
        return _native.embed_image(
            current_session()._native, image, common, provider=resolved, words=options, on_download=on_download
        )


def embed_text(
    text: Expression,
    *,
    provider: Any = None,
    model: str | None = None,
    dimensions: int | None = None,
    normalize: bool = False,
    dtype: str = "float32",
    batch_size: int | None = None,
    concurrency: int | None = None,
    num_gpus: float | None = None,
    max_retries: int | None = None,
    on_error: str = "raise",
    error_column: str | None = None,
    **options: Any,
) -> Expression:
    """Embedding vectors of a column of texts, in the space of the same model's pictures.

    The text tower and its tokenizer are resolved and checked at once. Long texts are cut where the model's own
    processor cuts them. The words are those of ``embed_image``.

    Args:
        text: The texts, such as ``col("text")``.
        provider: As in ``embed_image``, like all that follow.
        model: A model with a text tower: CLIP, SigLIP, SigLIP2, AIMv2-lit; or what the provider calls its models.
        dimensions: Keep the first so many values of each vector.
        normalize: Divide each vector, or what `dimensions` keeps of it, by its L2 norm.
        dtype: Element type of the column, "float32" or "float16".
        batch_size: Texts a batch; by default what the memory limit allows, or what the provider says.
        concurrency: Of providers that are called: embedders side by side, or requests in flight.
        num_gpus: For each embedder.
        max_retries: How often a batch is tried again after a failure that may pass.
        on_error: "raise", "log" or "ignore".
        error_column: Adds a second column of this name with ``stage/code: message``, null for good rows.
        options: The provider's own. Of "transformers": `precision` and `device`.

    Raises:
        RequestError: An option, a model or a type that does not fit; it names the fix.
    """
    require("text", text, Expression, 'give an expression, such as vecframe.col("text")')
    common = _common_options(
        model=model,
        dimensions=dimensions,
        normalize=normalize,
        dtype=dtype,
        batch_size=batch_size,
        concurrency=concurrency,
        num_gpus=num_gpus,
        max_retries=max_retries,
        on_error=on_error,
        error_column=error_column,
    )
    resolved = resolve_provider(provider)
    if not isinstance(resolved, NativeProvider):
        return _native.embed_text_with(text, common, _describe(resolved, provider, "embed_text", common, options))
    with download_line() as on_download:
        return _native.embed_text(
            current_session()._native, text, common, provider=resolved, words=options, on_download=on_download
        )


def _describe(
    resolved: Any, asked: Any, function: str, common: EmbedOptions, options: dict[str, Any]
) -> _native.Description:
    """Asks a provider that is written in Python. The words of the call go to it too, if it takes them."""
    from vecframe import _calls

    session = current_session()
    model = common.model
    if model is None and (asked is None or session.current_provider() is resolved):
        model = session._native.model
    if model is None and asked is None and os.environ.get("VECFRAME_PROVIDER") == resolved.name:
        model = os.environ.get("VECFRAME_MODEL")
    words = {name: getattr(common, name) for name in _calls.CALL_WORDS if name != "on_error"}
    words = {name: value for name, value in words.items() if value is not None}
    description = _calls.describe(resolved, function, model, common.dimensions, {**options, **words})
    common.model = None
    return description


def _common_options(
    *,
    model: str | None,
    dimensions: int | None,
    normalize: bool,
    dtype: str,
    batch_size: int | None,
    concurrency: int | None,
    num_gpus: float | None,
    max_retries: int | None,
    on_error: str,
    error_column: str | None,
) -> EmbedOptions:
    common = EmbedOptions()
    common.model = optional("model", model, str, "give a directory, builtin:NAME or a hub id as str")
    if dimensions is not None:
        common.dimensions = integer("dimensions", dimensions, "give a number of values")
    common.normalize = require("normalize", normalize, bool, "give True or False")
    common.dtype = one_of("dtype", dtype, ("float32", "float16"))
    if batch_size is not None:
        common.batch_size = integer("batch_size", batch_size, "give a number of rows")
    if concurrency is not None:
        common.concurrency = integer("concurrency", concurrency, "give a number of embedders or requests")
    if max_retries is not None:
        common.max_retries = integer("max_retries", max_retries, "give a number of tries")
    if num_gpus is not None:
        if isinstance(num_gpus, bool) or not isinstance(num_gpus, (int, float)):
            raise RequestError(f"num_gpus: {num_gpus!r} is of type {type(num_gpus).__name__}; give a number of GPUs")
        common.num_gpus = float(num_gpus)
    common.on_cluster = get_or_infer_runner_type() == "ray"
    common.on_error = _ON_ERROR[one_of("on_error", on_error, _ON_ERROR)]
    common.error_column = optional("error_column", error_column, str, "give a column name as str")
    return common
