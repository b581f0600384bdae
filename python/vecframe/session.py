"""What is used when a call does not say: sessions with their providers; and which models there are."""

from __future__ import annotations

import atexit
import os
from contextvars import ContextVar, Token
from types import TracebackType
from typing import Any

from vecframe import _native
from vecframe._arguments import optional, require
from vecframe._native import ModelInfo, NativeProvider, RequestError

_NAME = "give the provider's name as str"


class Session:
    """Providers by name, and the current one. Made by session(), and used with ``with``.

    While the block runs, the session is the current one of its context: of the thread, or of the asyncio task.
    """

    def __init__(self) -> None:
        self._native = _native.NativeSession()
        self._tokens: list[Token[Session | None]] = []

    def __enter__(self) -> Session:
        self._tokens.append(_current.set(self))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        _current.reset(self._tokens.pop())

    def attach_provider(self, provider: Any, alias: str | None = None) -> Any:
        """Under its own name or another; the first one becomes the current provider."""
        self._native.attach(_instance(provider), optional("alias", alias, str, "give a name as str"))
        return provider

    def detach_provider(self, name: str) -> None:
        """Forgets the provider."""
        self._native.detach(require("provider", name, str, _NAME))

    def has_provider(self, name: str) -> bool:
        """Whether a provider of that name is attached."""
        return self._native.has(require("provider", name, str, _NAME))

    def get_provider(self, name: str) -> Any:
        """The attached provider of that name."""
        return self._native.get(require("provider", name, str, _NAME))

    def current_provider(self) -> Any | None:
        """The provider of calls that name none, if it was chosen."""
        return self._native.current()

    def set_provider(self, provider: Any, *, model: str | None = None, **options: Any) -> None:
        """Makes a provider current: by name, or an instance, which is attached too; None clears.

        Args:
            provider: A name, an instance, or None.
            model: Of later calls that go to this provider and name none.
            options: Of a provider that the library knows, which is made with them.
        """
        model = optional("model", model, str, "give a directory, builtin:NAME or a hub id as str")
        if provider is None or isinstance(provider, str):
            self._native.choose(provider, options, model)
        elif options:
            raise RequestError("set_provider: Cannot pass options along with an instance; give them to the instance")
        else:
            self._native.choose_instance(_instance(provider), model)


_current: ContextVar[Session | None] = ContextVar("vecframe_session", default=None)
_process = Session.__new__(Session)
_process._native = _native.NativeSession.process()
_process._tokens = []
# Providers in Python must not outlive the interpreter.
atexit.register(_process._native.clear)


def session() -> Session:
    """A new session, for ``with vecframe.session() as s:``."""
    return Session()


def current_session() -> Session:
    """That of the innermost ``with``, else the one of the process."""
    return _current.get() or _process


def session_scope() -> _native.NativeSessionScope:
    """For ``with``: native code that runs inside finds its providers in the current session."""
    return _native.NativeSessionScope(current_session()._native)


def attach_provider(provider: Any, alias: str | None = None) -> Any:
    """Attaches a provider to the current session, under its own name or another, and returns it."""
    return current_session().attach_provider(provider, alias)


def detach_provider(name: str) -> None:
    """Makes the current session forget a provider."""
    current_session().detach_provider(name)


def get_provider(name: str) -> Any:
    """The provider of that name in the current session."""
    return current_session().get_provider(name)


def has_provider(name: str) -> bool:
    """Whether the current session has a provider of that name."""
    return current_session().has_provider(name)


def current_provider() -> Any | None:
    """The provider of calls that name none, if one was chosen."""
    return current_session().current_provider()


def set_provider(provider: Any, *, model: str | None = None, **options: Any) -> None:
    """Makes a provider current, by name or as an instance; None clears it and its model."""
    current_session().set_provider(provider, model=model, **options)


def resolve_provider(provider: Any) -> Any:
    """The one a call with this argument goes to: a name, an instance, or None for what the session says."""
    if provider is None or isinstance(provider, str):
        return current_session()._native.resolve(provider)
    return _instance(provider)


def list_models() -> list[ModelInfo]:
    """Built-in, cached and known models."""
    return _native.list_models()


def describe_model(
    model: str | None = None, *, provider: str | None = None, precision: str = "fp32", device: str = "auto"
) -> ModelInfo:
    """Facts of the model these words resolve to, from its config and tensor headers alone.

    Of a model of the hub that is not in the cache only these are fetched, and nothing is kept.
    """
    model = optional("model", model, str, "give a directory, builtin:NAME or a hub id as str")
    resolved = resolve_provider(provider)
    if not isinstance(resolved, NativeProvider):
        raise RequestError(f"provider: nothing is known of the models of '{resolved.name}'; ask the provider itself")
    fetch_builtin_weights(resolved.name, model)
    return _native.describe_model(
        current_session()._native,
        model,
        provider=resolved,
        precision=require("precision", precision, str, 'give "fp32", "bf16", "int8", "fp16" or "auto"'),
        device=require("device", device, str, 'give "auto", "cpu", "cuda" or "cuda:1"'),
    )


def fetch_builtin_weights(provider: str, model: str | None) -> None:
    """If these resolve to the built-in model, puts its weights into the cache unless they are there.

    They come from an installed package; nothing is downloaded. A name that is none of the built-in ones is left to the
    resolution that follows.
    """
    name = model or current_session()._native.model or os.environ.get("VECFRAME_MODEL")
    if provider == "builtin":
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


def _instance(provider: Any) -> Any:
    """A provider of this library, or any object with the methods of one."""
    if isinstance(provider, NativeProvider):
        return provider
    if not isinstance(provider, type) and any(
        hasattr(provider, getter) for getter in ("get_image_embedder", "get_text_embedder")
    ):
        if isinstance(getattr(provider, "name", None), str):
            return provider
        raise RequestError(f"provider: a {type(provider).__name__} without a name; set its attribute name to a str")
    raise RequestError(
        f"provider: {provider!r} is of type {type(provider).__name__}; give a name, or an instance of vecframe.Provider"
    )
