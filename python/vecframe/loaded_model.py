"""A model that stays loaded, for single pictures and texts."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from vecframe import _native
from vecframe._arguments import optional, require
from vecframe._native import NativeLoadedModel, NativeProvider, RequestError
from vecframe.progress import download_line
from vecframe.session import current_session, fetch_builtin_weights, resolve_provider

if TYPE_CHECKING:
    import numpy
    from numpy.typing import NDArray


class LoadedModel:
    """Embeds one picture or one text at a time on all cores. Made by load_model(); may be shared by threads."""

    def __init__(self, native: NativeLoadedModel) -> None:
        self._native = native

    @property
    def dimension(self) -> int:
        """Length of the vectors."""
        return self._native.dimension

    def embed_image(self, image: bytes | str | os.PathLike[str]) -> NDArray[numpy.float32]:
        """The vector of an encoded picture, or of the file of this name; it stands as its EXIF says.

        RequestError, with the cause as in an error column, if it cannot be read.
        """
        if isinstance(image, bytes):
            return self._native.embed_image(image)
        if not isinstance(image, (str, os.PathLike)):
            raise RequestError(f"image: {type(image).__name__} is no encoded picture; give its bytes or a path")
        with open(image, "rb") as file:
            return self._native.embed_image(file.read())

    def embed_text(self, text: str) -> NDArray[numpy.float32]:
        """The vector of a text, in the space of the pictures'. The text tower is read when the first one comes."""
        return self._native.embed_text(require("text", text, str, "give one text as str"))


def load_model(
    model: str | None = None,
    *,
    provider: str | None = None,
    dimensions: int | None = None,
    normalize: bool = False,
    threads: int = 0,
    **options: Any,
) -> LoadedModel:
    """Reads a model of "transformers" or "builtin" and keeps it, for queries that want their answer soon.

    A dataframe that is collected reads its model each time, and gives every core a batch of its own. Here one picture
    or text takes all cores. The vectors are the same to the bit.

    Args:
        model: As in embed_image().
        provider: As in embed_image().
        dimensions: Keep the first so many values of each vector.
        normalize: Divide each vector, or what `dimensions` keeps of it, by its L2 norm.
        threads: For one picture or text; 0: one a processor.
        options: `precision`, `device`, `pooling`, `image_size`, as in embed_image().
    """
    resolved = resolve_provider(provider)
    if not isinstance(resolved, NativeProvider):
        raise RequestError(f"provider: '{resolved.name}' has nothing to load; give \"transformers\" or \"builtin\"")
    common = _native.EmbedOptions()
    common.model = optional("model", model, str, "give a directory, builtin:NAME or a hub id as str")
    common.dimensions = optional("dimensions", dimensions, int, "give a whole number, or None for all")
    common.normalize = require("normalize", normalize, bool, "give True or False")
    threads = require("threads", threads, int, "give a whole number, or 0 for one a processor")
    fetch_builtin_weights(resolved.name, model)
    with download_line() as on_download:
        return LoadedModel(
            _native.load_model(
                current_session()._native,
                common,
                provider=resolved,
                words=options,
                threads=threads,
                on_download=on_download,
            )
        )
