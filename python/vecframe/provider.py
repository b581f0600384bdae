"""Providers of one's own: who makes vectors of pictures and texts, written in Python.

    class Embedder:
        def embed_image(self, images):      # a list of HxWxC uint8 arrays; or async def
            return [features(image) for image in images]

    class Descriptor:
        def get_provider(self): return "mine"
        def get_model(self): return "small"
        def get_options(self): return {"batch_size": 32}
        def get_dimensions(self): return 512
        def is_async(self): return False
        def instantiate(self): return Embedder()

    class Mine(vecframe.Provider):
        name = "mine"
        def get_image_embedder(self, model=None, **options): return Descriptor()
"""

from __future__ import annotations

from typing import Any

from vecframe._native import RequestError


class ProviderNotImplementedError(RequestError, NotImplementedError):
    """The provider does not embed what it is asked to."""


class ProviderImportError(RequestError, ImportError):
    """The provider needs a package that is not installed."""

    def __init__(self, extra: str, *, function: str | None = None) -> None:
        use = f" to use the {function} function" if function is not None else ""
        super().__init__(f"Please `pip install 'vecframe[{extra}]'`{use} with this provider.")


class RetryAfterError(Exception):
    """Raised by an embedder: the same batch may do after so many seconds."""

    def __init__(self, retry_after: float, original: BaseException | None = None) -> None:
        super().__init__(str(original) if original is not None else f"retry after {retry_after} s")
        self.retry_after = retry_after
        self.original = original


class Provider:
    """The base of providers that are written in Python. A subclass sets `name` and overrides what it can do.

    Plans keep a provider's descriptors, so both methods are called while a plan is built; embedders are made when it
    runs. An embedder's method gets a list of rows, never null, and gives as many vectors: a list of them or one
    2-D array. What it raises on a batch is put down to the rows at fault by trying smaller ones; ConnectionError,
    TimeoutError and RetryAfterError are tried again; RunError ends the run.
    """

    name: str

    def get_image_embedder(self, model: str | None = None, **options: Any) -> Any:
        """A descriptor of an embedder with ``embed_image(images)``: read-only uint8 arrays of height x width x channels."""
        raise ProviderNotImplementedError(
            f"embed_image is not currently implemented for the '{self.name}' provider"
        )

    def get_text_embedder(self, model: str | None = None, dimensions: int | None = None, **options: Any) -> Any:
        """A descriptor of an embedder with ``embed_text(texts)``."""
        raise ProviderNotImplementedError(f"embed_text is not currently implemented for the '{self.name}' provider")

    def __repr__(self) -> str:
        return f"<provider '{self.name}'>"
