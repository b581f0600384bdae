"""Pictures and embeddings as Arrow extension types: ``vecframe.image`` and ``vecframe.embedding``.

They are registered with pyarrow when a dataframe first hands out a table, or by :func:`register`. A reader that does not
know them sees their storage: a struct of pixels and sizes, or a list of fixed size.

    >>> import numpy as np, vecframe as vf
    >>> table = vf.from_pydict({"image": [np.zeros((2, 3, 3), np.uint8)]}).to_arrow()
    >>> table.schema.field("image").type
    ImageType(image[mixed])
    >>> table["image"].combine_chunks().to_numpy()[0].shape
    (2, 3, 3)
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from vecframe._native import RequestError

__all__ = ["EmbeddingArray", "EmbeddingType", "ImageArray", "ImageScalar", "ImageType", "image_array", "register"]

Pixels = npt.NDArray[np.uint8]

#: Modes by the number of their channels, less one.
_MODES = ("L", "LA", "RGB", "RGBA")
_CHANNELS = {"L": 1, "LA": 2, "RGB": 3, "RGBA": 4}


def _image_storage(mode: str | None, height: int | None, width: int | None) -> pa.DataType:
    if mode is not None and height is not None and width is not None:
        return pa.list_(pa.field("item", pa.uint8(), nullable=False), height * width * _CHANNELS[mode])
    return pa.struct(
        [
            pa.field("data", pa.large_list(pa.field("item", pa.uint8(), nullable=False)), nullable=False),
            pa.field("channel", pa.uint16(), nullable=False),
            pa.field("height", pa.uint32(), nullable=False),
            pa.field("width", pa.uint32(), nullable=False),
            pa.field("mode", pa.uint8(), nullable=False),
        ]
    )


def _facts(serialized: bytes) -> dict[str, Any]:
    """What a type says of itself; nothing, if a stranger wrote it."""
    try:
        facts = json.loads(serialized)
    except ValueError:
        return {}
    return facts if isinstance(facts, dict) else {}


class ImageType(pa.ExtensionType):
    """Pictures: of one mode, or mixed; of one size, or varied."""

    def __init__(
        self,
        mode: str | None = None,
        height: int | None = None,
        width: int | None = None,
        *,
        storage: pa.DataType | None = None,
    ) -> None:
        self.mode, self.height, self.width = mode, height, width
        super().__init__(storage or _image_storage(mode, height, width), "vecframe.image")

    def __arrow_ext_serialize__(self) -> bytes:
        facts = {"mode": self.mode, "height": self.height, "width": self.width}
        return json.dumps(facts, separators=(",", ":")).encode()

    @classmethod
    def __arrow_ext_deserialize__(cls, storage_type: pa.DataType, serialized: bytes) -> ImageType:
        facts = _facts(serialized)
        return cls(facts.get("mode"), facts.get("height"), facts.get("width"), storage=storage_type)

    def __arrow_ext_class__(self) -> type[ImageArray]:
        return ImageArray

    def __arrow_ext_scalar_class__(self) -> type[ImageScalar]:
        return ImageScalar

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.mode, self.height, self.width)

    def __str__(self) -> str:
        size = f"; {self.height} x {self.width}" if self.height is not None and self.width is not None else ""
        return f"image[{(self.mode or 'mixed')}{size}]"

    def __repr__(self) -> str:
        return f"ImageType({self})"


class ImageScalar(pa.ExtensionScalar):
    """One picture, or null."""

    def as_py(self, **options: Any) -> Pixels | None:
        """Pixels of shape (height, width, channels)."""
        value = self.value
        if value is None or not value.is_valid:
            return None
        fixed = not pa.types.is_struct(self.type.storage_type)
        if fixed:
            shape = (self.type.height, self.type.width, _CHANNELS[self.type.mode])
            pixels = value.values
        else:
            shape = tuple(value[side].as_py() for side in ("height", "width", "channel"))
            pixels = value["data"].values
        return np.asarray(pixels.to_numpy(zero_copy_only=True)).reshape(shape)


class ImageArray(pa.ExtensionArray):
    """A column of pictures."""

    def _pictures(self) -> list[Pixels | None]:
        return [scalar.as_py() for scalar in self]

    def to_numpy(self, zero_copy_only: bool = False, writable: bool = False) -> npt.NDArray[Any]:
        """Pixels: one array of shape (rows, height, width, channels) where all have one size and none is null, without a
        copy; else an array of objects, each an array of shape (height, width, channels) or None."""
        kind = self.type
        if not pa.types.is_struct(kind.storage_type) and self.null_count == 0:
            shape = (len(self), kind.height, kind.width, _CHANNELS[kind.mode])
            pixels = self.storage.flatten().to_numpy(zero_copy_only=True).reshape(shape)
            return pixels.copy() if writable else pixels
        if zero_copy_only:
            raise RequestError("to_numpy: pictures of varied sizes, or nulls, need zero_copy_only=False")
        pictures = np.empty(len(self), dtype=object)
        for row, picture in enumerate(self._pictures()):
            pictures[row] = picture.copy() if writable and picture is not None else picture
        return pictures

    def to_tensor(self) -> Pixels:
        """Pixels of shape (rows, height, width, channels). All pictures must have one size; none may be null."""
        pictures = self._pictures()
        shapes = {None if picture is None else picture.shape for picture in pictures}
        if len(shapes) > 1 or None in shapes:
            raise RequestError("to_tensor: pictures differ in size or are null; resize them, and drop nulls, first")
        if not pa.types.is_struct(self.type.storage_type):
            return self.to_numpy(zero_copy_only=True)
        return np.stack([picture for picture in pictures if picture is not None]) if pictures else np.empty(
            (0, 0, 0, 0), np.uint8
        )

    def to_pil(self) -> list[Any]:
        """One PIL.Image.Image a row, or None."""
        from PIL import Image

        return [
            None if picture is None else Image.fromarray(picture[..., 0] if picture.shape[2] == 1 else picture)
            for picture in self._pictures()
        ]


class EmbeddingType(pa.ExtensionType):
    """Vectors of one dimension: float32 or float16."""

    def __init__(self, dimension: int, dtype: str = "float32", *, storage: pa.DataType | None = None) -> None:
        self.dimension, self.dtype = dimension, dtype
        element = pa.float16() if dtype == "float16" else pa.float32()
        made = storage or pa.list_(pa.field("item", element, nullable=False), dimension)
        super().__init__(made, "vecframe.embedding")

    def __arrow_ext_serialize__(self) -> bytes:
        return json.dumps({"dtype": self.dtype, "dimension": self.dimension}, separators=(",", ":")).encode()

    @classmethod
    def __arrow_ext_deserialize__(cls, storage_type: pa.DataType, serialized: bytes) -> EmbeddingType:
        facts = _facts(serialized)
        return cls(facts.get("dimension", 0), facts.get("dtype", "float32"), storage=storage_type)

    def __arrow_ext_class__(self) -> type[EmbeddingArray]:
        return EmbeddingArray

    # What its storage would answer, so that code which knows lists of fixed size goes on.

    @property
    def list_size(self) -> int:
        return self.dimension

    @property
    def value_type(self) -> pa.DataType:
        return self.storage_type.value_type

    @property
    def value_field(self) -> pa.Field:
        return self.storage_type.value_field

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.dimension, self.dtype)

    def __str__(self) -> str:
        return f"embedding[{self.dtype}; {self.dimension}]"

    def __repr__(self) -> str:
        return f"EmbeddingType({self})"


class EmbeddingArray(pa.ExtensionArray):
    """A column of vectors."""

    def flatten(self) -> pa.Array:
        """The values of all vectors that are not null, one after the other."""
        return self.storage.flatten()

    def to_numpy(self, zero_copy_only: bool = False, writable: bool = False) -> npt.NDArray[Any]:
        """The vectors, of shape (rows, dimension): without a copy where none is null; a null is a row of NaN."""
        storage, dimension = self.storage, self.type.dimension
        if self.null_count == 0:
            vectors = storage.flatten().to_numpy(zero_copy_only=True).reshape(len(self), dimension)
            return vectors.copy() if writable else vectors
        if zero_copy_only:
            raise RequestError("to_numpy: nulls need zero_copy_only=False")
        vectors = np.full((len(self), dimension), np.nan, self.type.dtype)
        present = np.asarray(storage.is_valid().to_numpy(zero_copy_only=False), bool)
        vectors[present] = storage.drop_null().flatten().to_numpy(zero_copy_only=False).reshape(-1, dimension)
        return vectors


def image_array(pictures: Iterable[Any]) -> ImageArray:
    """A column of pictures: numpy arrays of uint8, of shape (height, width) or (height, width, channels), pictures of PIL,
    or None.

    >>> image_array([np.zeros((4, 5), np.uint8), None]).null_count
    1
    """
    pixels = [None if picture is None else _pixels_of(row, picture) for row, picture in enumerate(pictures)]
    valid = [picture for picture in pixels if picture is not None]
    data = np.concatenate([picture.ravel() for picture in valid]) if valid else np.empty(0, np.uint8)
    shapes = [(0, 0, 0) if picture is None else picture.shape for picture in pixels]
    ends = np.cumsum([0, *(height * width * channels for height, width, channels in shapes)])
    storage = _image_storage(None, None, None)
    kind = pa.large_list(pa.field("item", pa.uint8(), nullable=False))
    columns: Sequence[pa.Array] = (
        pa.LargeListArray.from_arrays(pa.array(ends, pa.int64()), pa.array(data), type=kind),
        pa.array([channels for _, _, channels in shapes], pa.uint16()),
        pa.array([height for height, _, _ in shapes], pa.uint32()),
        pa.array([width for _, width, _ in shapes], pa.uint32()),
        pa.array([max(channels, 1) for _, _, channels in shapes], pa.uint8()),
    )
    mask = pa.array([picture is None for picture in pixels], pa.bool_())
    return ImageArray.from_storage(ImageType(), pa.StructArray.from_arrays(columns, fields=list(storage), mask=mask))


def _pixels_of(row: int, picture: Any) -> Pixels:
    if not isinstance(picture, np.ndarray):
        mode = getattr(picture, "mode", None)
        if mode is None:
            raise RequestError(f"row {row}: a {type(picture).__name__} is no picture; give uint8 arrays or PIL images")
        picture = np.asarray(picture if mode in _CHANNELS else picture.convert("RGB"))
    if picture.ndim == 2:
        picture = picture[..., np.newaxis]
    if picture.dtype != np.uint8 or picture.ndim != 3 or not 1 <= picture.shape[2] <= 4:
        raise RequestError(
            f"row {row}: an array of {picture.dtype} and shape {picture.shape} is no picture; "
            "give uint8 of shape (height, width) or (height, width, 1 to 4)"
        )
    return picture


def register() -> None:
    """Makes pyarrow know the types; again and again does no harm."""
    for kind in (ImageType(), EmbeddingType(1)):
        try:
            pa.register_extension_type(kind)
        except pa.ArrowKeyError:
            pass  # it is registered
