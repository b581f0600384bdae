"""Functions of columns of paths, bytes and pictures. Each is a method of expressions too."""

from __future__ import annotations

from enum import Enum

from vecframe._arguments import require
from vecframe._native import Expression

__all__ = [
    "ImageFormat",
    "ImageMode",
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
    "image_to_tensor",
    "image_width",
    "resize",
]


class ImageMode(str, Enum):
    """Channel layouts that a column of pictures can hold; wherever a mode is asked for, its name will do."""

    L = "L"
    LA = "LA"
    RGB = "RGB"
    RGBA = "RGBA"


class ImageFormat(str, Enum):
    """Formats that encode_image() writes; wherever a format is asked for, its name will do."""

    PNG = "png"
    JPEG = "jpeg"
    TIFF = "tiff"
    GIF = "gif"
    BMP = "bmp"
    WEBP = "webp"


def _column(function: str, argument: Expression) -> Expression:
    return require(function, argument, Expression, 'give an expression, such as vecframe.col("image")')


def download(expr: Expression, max_connections: int = 32, on_error: str = "raise") -> Expression:
    """The bytes of files by path, or of http and https URLs.

    Args:
        expr: Paths or URLs.
        max_connections: Rows that are read at a time, at most.
        on_error: "raise" stops the run at a row that fails; "null" gives null.

    >>> import pathlib, tempfile
    >>> path = pathlib.Path(tempfile.mkdtemp()) / "a.txt"
    >>> _ = path.write_bytes(b"bytes")
    >>> df = vf.from_pydict({"path": [str(path), "/no/such/file"]})
    >>> df.select(download(col("path"), on_error="null").alias("bytes")).to_pydict()
    {'bytes': [b'bytes', None]}
    """
    return _column("download", expr).download(max_connections, on_error)


def decode_image(
    bytes: Expression,
    on_error: str = "raise",
    mode: str | None = "RGB",
    *,
    apply_orientation: bool = False,
    fast_decode: bool = False,
) -> Expression:
    """Pictures of encoded bytes: JPEG, PNG, WebP, GIF, BMP, TIFF.

    Args:
        bytes: Encoded pictures, such as those of ``download``.
        on_error: "raise" stops the run at a picture that cannot be decoded; "null" gives null.
        mode: "L", "LA", "RGB" or "RGBA"; None keeps the mode of each picture.
        apply_orientation: Turn pictures as their EXIF orientation says.
        fast_decode: Decode a JPEG at half, a quarter or an eighth of its size where that is still twice what the
            ``resize`` or the model that takes it wants. Less time and memory for large photographs, slightly other
            vectors. Pictures that are kept, or taken by anything else, are refused.

    >>> df = vf.from_pydict({"bytes": [b"no picture"]})
    >>> df = df.with_column("image", decode_image(col("bytes"), on_error="null"))
    >>> df.schema["image"].dtype, df.to_pydict()["image"]
    ('Image[RGB]', [None])
    """
    column = _column("decode_image", bytes)
    return column.decode_image(on_error, mode, apply_orientation=apply_orientation, fast_decode=fast_decode)


def convert_image(image: Expression, mode: str, *, alpha: str = "drop") -> Expression:
    """Pictures in another mode.

    Args:
        image: The pictures.
        mode: "L", "LA", "RGB" or "RGBA".
        alpha: What becomes of it in a mode without alpha. "drop" leaves the colours as they are; "white" lays the picture
            on a white ground.

    >>> import numpy as np
    >>> df = vf.from_pydict({"image": [np.full((2, 2, 3), 255, np.uint8)]})
    >>> df.select(convert_image(col("image"), "L").alias("gray")).to_pydict()["gray"][0].shape
    (2, 2, 1)
    """
    return _column("convert_image", image).convert_image(mode, alpha=alpha)


def resize(image: Expression, w: int, h: int, *, filter: str = "triangle", fit: str = "fill") -> Expression:
    """Pictures of another size.

    Models resize pictures themselves; a resize before ``embed_image`` costs them detail.

    Args:
        image: The pictures.
        w: Width in pixels.
        h: Height in pixels.
        filter: "triangle", the default, is bilinear and antialiased as in the reference dataframe; "nearest", "box",
            "bilinear", "bicubic" and "lanczos" are Pillow's.
        fit: "fill" stretches to exactly that size; "contain" puts the whole picture inside, padded with black; "cover"
            cuts out the centre; "inside" keeps the aspect ratio, so that sizes differ.

    >>> import numpy as np
    >>> df = vf.from_pydict({"image": [np.zeros((60, 90, 3), np.uint8)]})
    >>> df = df.with_column("image", convert_image(col("image"), "RGB"))
    >>> df.with_column("small", resize(col("image"), 30, 20)).schema["small"].dtype
    'Image[RGB; 20 x 30]'
    >>> df.select(resize(col("image"), 30, 30, fit="inside").alias("inside")).to_pydict()["inside"][0].shape
    (20, 30, 3)
    """
    return _column("resize", image).resize(w, h, filter=filter, fit=fit)


def crop(image: Expression, bbox: tuple[int, int, int, int] | list[int] | Expression) -> Expression:
    """The box (x, y, width, height) of each picture, cut off at its edges; null where it lies outside.

    Args:
        image: The pictures.
        bbox: Four integers for all pictures, or a column with a list of four for each; null gives null.

    >>> import numpy as np
    >>> df = vf.from_pydict({"image": [np.zeros((6, 9, 3), np.uint8)] * 2, "box": [[1, 2, 3, 4], [5, 5, 100, 100]]})
    >>> df.select(crop(col("image"), (0, 0, 4, 2)).alias("part")).to_pydict()["part"][0].shape
    (2, 4, 3)
    >>> [part.shape for part in df.select(crop(col("image"), col("box")).alias("part")).to_pydict()["part"]]
    [(4, 3, 3), (1, 4, 3)]
    """
    return _column("crop", image).crop(bbox)


def encode_image(
    image: Expression, image_format: str = "png", *, quality: int = 75, lossless: bool = False
) -> Expression:
    """Encoded bytes: "png", "jpeg", "tiff", "gif", "bmp" or "webp".

    Args:
        image: The pictures.
        image_format: The format, in any case.
        quality: Of JPEG and WebP, 1 to 100.
        lossless: Of WebP.

    >>> import numpy as np
    >>> df = vf.from_pydict({"image": [np.zeros((6, 9, 3), np.uint8)]})
    >>> df.select(encode_image(col("image"), "png").alias("png")).to_pydict()["png"][0][:4]
    b'\\x89PNG'
    """
    return _column("encode_image", image).encode_image(image_format, quality=quality, lossless=lossless)


def image_to_tensor(image: Expression) -> Expression:
    """Pixels as numbers, of shape (height, width, channels): Arrow's tensor types.

    >>> import numpy as np
    >>> df = vf.from_pydict({"image": [np.zeros((6, 9, 3), np.uint8)]})
    >>> df = df.with_column("tensor", image_to_tensor(resize(convert_image(col("image"), "RGB"), 4, 2)))
    >>> df.schema["tensor"].dtype
    'Tensor[UInt8; [2, 4, 3]]'
    """
    return _column("image_to_tensor", image).image_to_tensor()


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

    >>> import numpy as np
    >>> df = vf.from_pydict({"image": [np.zeros((6, 9, 3), np.uint8)]})
    >>> df.select(image_hash(col("image"), "ahash").alias("hash")).to_pydict()
    {'hash': [b'\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00']}
    """
    column = _column("image_hash", image)
    return column.image_hash(method, hash_size=hash_size, binbits=binbits, segments=segments)


def image_width(image: Expression) -> Expression:
    """Width in pixels.

    >>> import numpy as np
    >>> df = vf.from_pydict({"image": [np.zeros((6, 9, 3), np.uint8), None]})
    >>> df.select(image_width(col("image")).alias("w"), image_height(col("image")).alias("h")).to_pydict()
    {'w': [9, None], 'h': [6, None]}
    """
    return _column("image_width", image).image_width()


def image_height(image: Expression) -> Expression:
    """Height in pixels."""
    return _column("image_height", image).image_height()


def image_channel(image: Expression) -> Expression:
    """Number of channels."""
    return _column("image_channel", image).image_channel()


def image_mode(image: Expression) -> Expression:
    """Mode as a number: L 1, LA 2, RGB 3, RGBA 4."""
    return _column("image_mode", image).image_mode()


def image_attribute(image: Expression, name: str) -> Expression:
    """One of "width", "height", "channel", "mode".

    >>> import numpy as np
    >>> df = vf.from_pydict({"image": [np.zeros((6, 9), np.uint8)]})
    >>> df.select(image_attribute(col("image"), "channel").alias("channels")).to_pydict()
    {'channels': [1]}
    """
    return _column("image_attribute", image).image_attribute(name)
