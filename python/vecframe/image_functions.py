"""Functions of columns of paths, bytes and pictures."""

from __future__ import annotations

from typing import Any

from vecframe import _native
from vecframe._arguments import one_of, require
from vecframe._native import Expression, RequestError

__all__ = [
    "convert_image",
    "crop",
    "decode_image",
    "download",
    "encode_image",
    "image_attribute",
    "image_channel",
    "image_hash",
    "image_height",
    "image_mode",
    "image_width",
    "resize",
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


def resize(image: Expression, w: int, h: int, *, filter: str = "triangle", fit: str = "fill") -> Expression:
    """Pictures of another size.

    Models resize pictures themselves; a resize before ``embed_image`` costs them detail.

    Args:
        image: The pictures.
        w: Width in pixels.
        h: Height in pixels.
        filter: "triangle" (that of the reference dataframe, the default), "nearest", "box", "bilinear", "bicubic" or
            "lanczos".
        fit: "fill" stretches to exactly that size; "contain" puts the whole picture inside, padded with black; "cover"
            cuts out the centre; "inside" keeps the aspect ratio, so that sizes differ.
    """
    return _call("resize", image, w=w, h=h, filter=filter, fit=fit)


def crop(image: Expression, bbox: tuple[int, int, int, int]) -> Expression:
    """The box (x, y, width, height) of each picture, cut off at its edges; null where it lies outside."""
    if not isinstance(bbox, (tuple, list)) or len(bbox) != 4 or not all(isinstance(side, int) for side in bbox):
        raise RequestError("Expected `bbox` to be either a tuple of 4 ints or an Expression; crop: give (x, y, w, h)")
    return _call("crop", image, x=bbox[0], y=bbox[1], w=bbox[2], h=bbox[3])


def encode_image(
    image: Expression, image_format: str = "png", *, quality: int = 75, lossless: bool = False
) -> Expression:
    """Encoded bytes: "png", "jpeg", "tiff", "gif", "bmp" or "webp".

    Args:
        image: The pictures.
        image_format: The format, in any case.
        quality: Of JPEG and WebP, 1 to 100.
        lossless: Of WebP.
    """
    word = require("image_format", image_format, str, "give a format as str").lower()
    return _call("encode_image", image, format="jpeg" if word == "jpg" else word, quality=quality, lossless=lossless)


def image_hash(
    image: Expression, method: str = "phash", *, hash_size: int = 8, binbits: int = 3, segments: int = 3
) -> Expression:
    """A perceptual hash: a few bytes by which pictures that look alike are found.

    Args:
        image: The pictures.
        method: "phash", "phash_simple", "dhash", "dhash_vertical", "ahash", "whash", "crop_resistant" or "colorhash".
        hash_size: Rows and columns of bits.
        binbits: Bits for each share of "colorhash".
        segments: Rows and columns of tiles of "crop_resistant".
    """
    return _call("image_hash", image, method=method, hash_size=hash_size, binbits=binbits, segments=segments)


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
    return _call(f"image_{one_of('name', name, _ATTRIBUTES)}", image)
