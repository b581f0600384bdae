"""Functions that make expressions."""

from __future__ import annotations

from typing import Any

from vecframe import _native
from vecframe._arguments import integer, one_of, optional, require, suggestion
from vecframe._native import EmbedOptions, Expression, OnError, RequestError
from vecframe.progress import download_line
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
    image_width,
    resize,
)
from vecframe.session import fetch_builtin_weights

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
    "image_width",
    "l2_normalize",
    "resize",
]

_ON_ERROR = {"raise": OnError.RAISE, "log": OnError.LOG, "ignore": OnError.IGNORE}
_TEXT_WORDS = (
    "provider",
    "model",
    "dimensions",
    "normalize",
    "dtype",
    "precision",
    "device",
    "batch_size",
    "on_error",
    "error_column",
)
_IMAGE_WORDS = (*_TEXT_WORDS, "pooling", "image_size")


def embed_image(
    image: Expression,
    *,
    provider: str | None = None,
    model: str | None = None,
    dimensions: int | None = None,
    normalize: bool = False,
    dtype: str = "float32",
    pooling: str = "default",
    image_size: int | None = None,
    precision: str = "fp32",
    device: str = "auto",
    batch_size: int | None = None,
    on_error: str = "raise",
    error_column: str | None = None,
    **options: Any,
) -> Expression:
    """Embedding vectors of a column of pictures; null pictures stay null.

    The model is resolved and checked at once, from its config and tensor headers; weights are read when the plan runs.
    A model of the hub that is not in the cache is downloaded first, with a line on standard error if that is a
    terminal; after Ctrl-C the next call goes on where this one ended.

    Args:
        image: The pictures, such as ``col("image")``.
        provider: Who runs the model; else that of ``set_provider``, else $VECFRAME_PROVIDER, else "transformers".
        model: A directory of safetensors, ``builtin:NAME``, or a hub id; else that of ``set_provider``, else
            $VECFRAME_MODEL, else the provider's default.
        dimensions: Keep the first so many values of each vector.
        normalize: Divide each vector, or what `dimensions` keeps of it, by its L2 norm.
        dtype: Element type of the column, "float32" or "float16".
        pooling: "default", the vector of the reference; "cls", the class token; "mean", the mean of the patches; both
            after the final norm, without pooler and projection.
        image_size: Side of the square picture that goes into the model, in place of its processor's; positions are
            interpolated.
        precision: "fp32", "bf16", "int8", or "auto": bf16 where the processor has it.
        device: "auto", "cpu" or "reference".
        batch_size: Pictures a batch; by default what the memory limit allows.
        on_error: What becomes of a bad row, never of its batch. "raise" stops the run, "log" keeps the row with a null
            vector and warns through the logger "vecframe", "ignore" keeps it without a word.
        error_column: Adds a second column of this name with ``stage/code: message``, null for good rows.

    Raises:
        RequestError: An option, a model or a type that does not fit; it names the fix.
    """
    _refuse_unknown("embed_image", options, _IMAGE_WORDS)
    require("image", image, Expression, 'give an expression, such as vecframe.col("image")')
    common = _common_options(
        provider=provider,
        model=model,
        dimensions=dimensions,
        normalize=normalize,
        dtype=dtype,
        precision=precision,
        device=device,
        batch_size=batch_size,
        on_error=on_error,
        error_column=error_column,
    )
    fetch_builtin_weights(provider, model)
    with download_line() as on_download:
        return _native.embed_image(
            image,
            common,
            pooling=one_of("pooling", pooling, ("default", "cls", "mean")),
            image_size=None if image_size is None else integer("image_size", image_size, "give the side of a picture"),
            on_download=on_download,
        )


def embed_text(
    text: Expression,
    *,
    provider: str | None = None,
    model: str | None = None,
    dimensions: int | None = None,
    normalize: bool = False,
    dtype: str = "float32",
    precision: str = "fp32",
    device: str = "auto",
    batch_size: int | None = None,
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
        model: A model with a text tower: CLIP, SigLIP, SigLIP2, AIMv2-lit.
        dimensions: Keep the first so many values of each vector.
        normalize: Divide each vector, or what `dimensions` keeps of it, by its L2 norm.
        dtype: Element type of the column, "float32" or "float16".
        precision: "fp32", "bf16", "int8", or "auto".
        device: "auto", "cpu" or "reference".
        batch_size: Texts a batch; by default what the memory limit allows.
        on_error: "raise", "log" or "ignore".
        error_column: Adds a second column of this name with ``stage/code: message``, null for good rows.

    Raises:
        RequestError: An option, a model or a type that does not fit; it names the fix.
    """
    _refuse_unknown("embed_text", options, _TEXT_WORDS)
    require("text", text, Expression, 'give an expression, such as vecframe.col("text")')
    common = _common_options(
        provider=provider,
        model=model,
        dimensions=dimensions,
        normalize=normalize,
        dtype=dtype,
        precision=precision,
        device=device,
        batch_size=batch_size,
        on_error=on_error,
        error_column=error_column,
    )
    with download_line() as on_download:
        return _native.embed_text(text, common, on_download=on_download)


def _refuse_unknown(function: str, options: dict[str, Any], words: tuple[str, ...]) -> None:
    for name in options:
        near = suggestion(name, words) or f"; there are {', '.join(words)}"
        raise RequestError(f"{function}: unknown option '{name}'{near}")


def _common_options(
    *,
    provider: str | None,
    model: str | None,
    dimensions: int | None,
    normalize: bool,
    dtype: str,
    precision: str,
    device: str,
    batch_size: int | None,
    on_error: str,
    error_column: str | None,
) -> EmbedOptions:
    common = EmbedOptions()
    common.provider = optional("provider", provider, str, "give the provider's name as str")
    common.model = optional("model", model, str, "give a directory, builtin:NAME or a hub id as str")
    if dimensions is not None:
        common.dimensions = integer("dimensions", dimensions, "give a number of values")
    common.normalize = require("normalize", normalize, bool, "give True or False")
    common.dtype = one_of("dtype", dtype, ("float32", "float16"))
    common.precision = require("precision", precision, str, 'give "fp32", "bf16", "int8" or "auto"')
    common.device = require("device", device, str, 'give "auto", "cpu" or "reference"')
    if batch_size is not None:
        common.batch_size = integer("batch_size", batch_size, "give a number of rows")
    common.on_error = _ON_ERROR[one_of("on_error", on_error, _ON_ERROR)]
    common.error_column = optional("error_column", error_column, str, "give a column name as str")
    return common
