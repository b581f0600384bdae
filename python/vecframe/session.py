"""What this process uses when a call does not say, and which models there are."""

from __future__ import annotations

import os

from vecframe import _native
from vecframe._arguments import optional, require
from vecframe._native import ModelInfo, RequestError

_session_model: str | None = None


def set_provider(name: str | None, *, model: str | None = None) -> None:
    """Sets the provider, and the model, of later calls that name none; None clears both."""
    global _session_model
    name = optional("provider", name, str, 'give a name such as "transformers", or None')
    model = optional("model", model, str, "give a directory, builtin:NAME or a hub id as str")
    _native.set_provider(name, model=model)
    _session_model = model


def current_provider() -> str | None:
    """The provider that set_provider() chose, if any."""
    return _native.current_provider()


def list_models() -> list[ModelInfo]:
    """Built-in, cached and known models."""
    return _native.list_models()


def describe_model(
    model: str | None = None, *, provider: str | None = None, precision: str = "fp32", device: str = "auto"
) -> ModelInfo:
    """Facts of the model these words resolve to, from its config and tensor headers alone.

    Of a model of the hub that is not in the cache only these are fetched, and nothing is kept.
    """
    provider = optional("provider", provider, str, "give the provider's name as str")
    model = optional("model", model, str, "give a directory, builtin:NAME or a hub id as str")
    fetch_builtin_weights(provider, model)
    return _native.describe_model(
        model,
        provider=provider,
        precision=require("precision", precision, str, 'give "fp32", "bf16", "int8" or "auto"'),
        device=require("device", device, str, 'give "auto", "cpu" or "reference"'),
    )


def fetch_builtin_weights(provider: str | None, model: str | None) -> None:
    """If these resolve to the built-in model, puts its weights into the cache unless they are there.

    They come from an installed package; nothing is downloaded. A name that is none of the built-in ones is left to the
    resolution that follows.
    """
    name = model or _session_model or os.environ.get("VECFRAME_MODEL")
    chosen = provider or current_provider() or os.environ.get("VECFRAME_PROVIDER")
    if chosen == "builtin":
        name = f"builtin:{(name or 'efficientnet-lite0').removeprefix('builtin:')}"
    if name != "builtin:efficientnet-lite0":
        return
    cache = os.environ.get("VECFRAME_CACHE") or os.path.join(os.path.expanduser("~"), ".cache", "vecframe")
    if os.path.exists(os.path.join(cache, "builtin", "efficientnet-lite0", "model.safetensors")):
        return  # the usual case, without the import of numpy below
    from vecframe import _builtin_weights

    try:
        _builtin_weights.ensure()
    except (_builtin_weights.WeightsError, OSError) as error:
        raise RequestError(f"model: '{name}': {error}") from error
