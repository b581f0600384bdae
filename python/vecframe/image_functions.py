"""Functions of columns of paths, bytes and pictures."""

from __future__ import annotations

from typing import Any

from vecframe import _native
from vecframe._arguments import require
from vecframe._native import Expression

__all__ = [
    "convert_image",
    "decode_image",
    "download",
    "image_attribute",
    "image_channel",
    "image_height",
    "image_mode",
    "image_width",
]

_ATTRIBUTES = ("width", "height", "channel", "mode")


def _call(function: str, argument: Expression, **options: Any) -> Expression:
    require(function, argument, Expression, 'give an expression, such as vecframe.col("image")')
    return _native.call(function, [argument], options)


def download(location: Expression, *, max_connections: int = 16, on_error: str = "raise") -> Expression:
    """The bytes of files by path, or of http and https URLs.

    Args:
        location: Paths or URLs.
        max_connections: Requests at a time, at most.
        on_error: "raise" stops the run at a row that fails; "null" gives null.
    """
    return _call("download", location, max_connections=max_connections, on_error=on_error)


def decode_image(
    image_bytes: Expression,
    *,
    on_error: str = "raise",
    mode: str | None = "RGB",
    apply_orientation: bool = False,
) -> Expression:
    """Pictures of encoded bytes: JPEG, PNG, WebP, GIF, BMP, TIFF.

    Args:
        image_bytes: Encoded pictures, such as those of ``download``.
        on_error: "raise" stops the run at a picture that cannot be decoded; "null" gives null.
        mode: "L", "LA", "RGB" or "RGBA"; None keeps the mode of each picture.
        apply_orientation: Turn pictures as their EXIF orientation says.
    """
    return _call(
        "decode_image", image_bytes, on_error=on_error, mode=mode or "", apply_orientation=apply_orientation
    )


def convert_image(image: Expression, mode: str) -> Expression:
    """Pictures in another mode: "L", "LA", "RGB" or "RGBA". Alpha is dropped, not composited."""
    return _call("convert_image", image, mode=mode)


def image_width(image: Expression) -> Expression:
    """Width in pixels."""
    return _call("image_width", image)


def image_height(image: Expression) -> Expression:
    """Height in pixels."""
    return _call("image_height", image)


def image_channel(image: Expression) -> Expression:
    """Number of channels."""
    return _call("image_channel", image)


def image_mode(image: Expression) -> Expression:
    """Mode as a number: L 1, LA 2, RGB 3, RGBA 4."""
    return _call("image_mode", image)


def image_attribute(image: Expression, name: str) -> Expression:
    """One of "width", "height", "channel", "mode"."""
    from vecframe._arguments import one_of

    return _call(f"image_{one_of('name', name, _ATTRIBUTES)}", image)
