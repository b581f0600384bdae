"""Functions that make expressions."""

from __future__ import annotations

from typing import Any

from vecframe import _native
from vecframe._arguments import integer, one_of, optional, require, suggestion
from vecframe._native import Expression, OnError, RequestError
from vecframe.session import fetch_builtin_weights

__all__ = ["embed_image"]

_ON_ERROR = {"raise": OnError.RAISE, "log": OnError.LOG, "ignore": OnError.IGNORE}
_OPTIONS = ("provider", "model", "normalize", "precision", "device", "batch_size", "on_error", "error_column")


def embed_image(
    image: Expression,
    *,
    provider: str | None = None,
    model: str | None = None,
    normalize: bool = False,
    precision: str = "fp32",
    device: str = "auto",
    batch_size: int | None = None,
    on_error: str = "raise",
    error_column: str | None = None,
    **options: Any,
) -> Expression:
    """Embedding vectors of a column of pictures; null pictures stay null.

    The model is resolved and checked at once, from its config and tensor headers; weights are read when the plan runs.

    Args:
        image: The pictures, such as ``col("image")``.
        provider: Who runs the model; else that of ``set_provider``, else $VECFRAME_PROVIDER, else "transformers".
        model: A directory of safetensors, ``builtin:NAME``, or a hub id that is in the local cache; else that of
            ``set_provider``, else $VECFRAME_MODEL, else the provider's default.
        normalize: Divide each vector by its L2 norm.
        precision: "fp32", "bf16", or "auto": bf16 where the processor has it.
        device: "auto", "cpu" or "reference".
        batch_size: Pictures a batch; by default what the memory limit allows.
        on_error: What becomes of a bad row, never of its batch. "raise" stops the run, "log" keeps the row with a null
            vector and warns through the logger "vecframe", "ignore" keeps it without a word.
        error_column: Adds a second column of this name with ``stage/code: message``, null for good rows.

    Raises:
        RequestError: An option, a model or a type that does not fit; it names the fix.
    """
    for name in options:
        near = suggestion(name, _OPTIONS) or f"; there are {', '.join(_OPTIONS)}"
        raise RequestError(f"embed_image: unknown option '{name}'{near}")
    require("image", image, Expression, 'give an expression, such as vecframe.col("image")')
    provider = optional("provider", provider, str, "give the provider's name as str")
    model = optional("model", model, str, "give a directory, builtin:NAME or a hub id as str")
    fetch_builtin_weights(provider, model)
    return _native.embed_image(
        image,
        provider=provider,
        model=model,
        normalize=require("normalize", normalize, bool, "give True or False"),
        precision=require("precision", precision, str, 'give "fp32", "bf16" or "auto"'),
        device=require("device", device, str, 'give "auto", "cpu" or "reference"'),
        batch_size=None if batch_size is None else integer("batch_size", batch_size, "give a number of pictures"),
        on_error=_ON_ERROR[one_of("on_error", on_error, _ON_ERROR)],
        error_column=optional("error_column", error_column, str, "give a column name as str"),
    )
