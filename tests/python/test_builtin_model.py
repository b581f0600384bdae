"""The built-in model with its real weights."""

import os
import pathlib
import shutil

import numpy as np
import pytest
import vecframe as vf
from pictures import save_picture
from vecframe import _builtin_weights
from vecframe.functions import embed_image


def weights_directory():
    converted = _builtin_weights.model_directory()
    if (converted / "model.safetensors").exists():
        return converted
    try:
        return _builtin_weights.ensure()
    except _builtin_weights.WeightsError as error:
        pytest.skip(f"the built-in weights are neither in the cache nor installed: {error}")


def test_embeds_1280_values_that_tell_pictures_apart(tmp_path):
    weights_directory()
    for seed in range(3):
        save_picture(tmp_path / f"{seed}.png", seed, size=(300, 260))
    df = vf.read_images(tmp_path).with_column(
        "embedding", embed_image(vf.col("image"), model="builtin:efficientnet-lite0"))
    assert df.schema["embedding"].dtype == "Embedding[Float32; 1280]"
    vectors = np.array(df.to_arrow()["embedding"].to_pylist())
    assert vectors.shape == (3, 1280) and np.isfinite(vectors).all()
    assert (vectors >= 0).all() and (vectors <= 6).all()  # means of values that ReLU6 has clipped
    assert np.abs(vectors[0] - vectors[1]).max() > 1e-3


def test_the_provider_builtin_has_it_by_default():
    weights_directory()
    assert vf.describe_model(provider="builtin").name == "builtin:efficientnet-lite0"
    vf.set_provider("builtin")
    assert "efficientnet-lite0" in repr(embed_image(vf.col("image")))


def test_first_use_converts_into_an_empty_cache(tmp_path, monkeypatch):
    source = weights_directory()

    def from_known_weights(cache=None):
        target = _builtin_weights.model_directory(cache)
        shutil.copytree(source, target)
        return target

    try:
        _builtin_weights.find_package()
    except _builtin_weights.WeightsError:
        # The package is not installed here: the conversion itself has its own test, this is about when it happens.
        monkeypatch.setattr(_builtin_weights, "ensure", from_known_weights)
    monkeypatch.setenv("VECFRAME_CACHE", str(tmp_path / "cache"))
    assert vf.describe_model("builtin:efficientnet-lite0").dimension == 1280
    assert pathlib.Path(os.environ["VECFRAME_CACHE"], "builtin", "efficientnet-lite0", "model.safetensors").exists()
