"""The same names, types, pixels, errors and vectors as the reference dataframe, whose word is in goldens.json."""

import importlib
import inspect
import json
import pathlib
import sys

import numpy as np
import pytest
import vecframe as vf
import vecframe.functions
from documented import run_chain

sys.path.insert(0, str(pathlib.Path(__file__).parent))
import expressions  # noqa: E402

HERE = pathlib.Path(__file__).resolve().parent
GOLDENS = json.loads((HERE / "goldens.json").read_text())
MODEL = expressions.ROOT / "tests" / "golden" / "models" / "clip"

#: Parameters of the reference that are left out: object stores are not reached through them.
LEFT_OUT = {"io_config"}
#: Gray by Pillow's luma instead of the reference's, which rounds otherwise: up to 1 apart (tests/image/convert_test.cc).
OTHER_LUMA = {"convert_L", "convert_fixed"}
#: The bits are those of Python's imagehash (tests/image/image_hash_test.cc), of which the reference's differ in a few.
OTHER_HASHES = {"hash", "hash_16", "hash_crop", "method_hash"}
#: The reference gives the width of the type where the picture is null; here null gives null.
OTHER_NULLS = {"width_fixed"}
#: JPEG and lossy WebP by libjpeg-turbo and libwebp instead of the reference's own decoders, which upsample chroma otherwise.
LOSSY_TOLERANCE = 4


def encoded_rows():
    return [None if text is None else bytes.fromhex(text) for text in GOLDENS["rows"]]


@pytest.mark.parametrize("name", sorted(GOLDENS["signatures"]["functions"]))
def test_functions_have_the_names_and_defaults_of_the_reference(name):
    ours = inspect.signature(getattr(vecframe.functions, name)).parameters
    theirs = [p for p in GOLDENS["signatures"]["functions"][name] if p[0] not in LEFT_OUT]
    for position, (parameter, kind, default) in enumerate(theirs):
        assert parameter in ours or kind == "VAR_KEYWORD", parameter
        if kind == "VAR_KEYWORD":
            continue
        if default is not None:
            assert str(ours[parameter].default) == default, parameter
        if kind == "POSITIONAL_OR_KEYWORD":
            assert list(ours)[position] == parameter
            assert ours[parameter].kind.name == kind


@pytest.mark.parametrize("name", GOLDENS["signatures"]["methods"])
def test_what_is_a_method_there_is_one_here(name):
    assert callable(getattr(vf.Expression, name))


@pytest.fixture(scope="module")
def computed():
    return expressions.computed(vf, encoded_rows())


@pytest.mark.parametrize("name", sorted(GOLDENS["types"]))
def test_expressions_have_the_types_of_the_reference(computed, name):
    assert computed[0][name] == GOLDENS["types"][name]


@pytest.mark.parametrize("name", sorted(set(GOLDENS["values"]) - OTHER_LUMA - OTHER_HASHES - OTHER_NULLS))
def test_expressions_have_the_values_of_the_reference(computed, name):
    assert computed[1][name] == GOLDENS["values"][name]


def test_declared_differences_are_no_larger(computed):
    """So that one that goes away, or another one, is noticed."""
    for name in OTHER_HASHES | OTHER_NULLS | OTHER_LUMA:
        ours, theirs = computed[1][name], GOLDENS["values"][name]
        assert ours != theirs, name
        assert len(ours) == len(theirs)
        if name in OTHER_HASHES:
            assert [a and len(a) for a in ours] == [b and len(b) for b in theirs]
        if name in OTHER_LUMA:
            assert [a and a[0] for a in ours] == [b and b[0] for b in theirs]  # shapes
        if name in OTHER_NULLS:
            assert ours[:-1] == theirs[:-1] and ours[-1] is None


def decode(name, mode):
    data = expressions.files()[name]
    expression = vf.col("b").decode_image(on_error="null", mode=mode)
    return vf.from_pydict({"b": [data]}).select(expression.alias("x")).to_pydict()["x"][0]


#: The reference scales 16 bits to 8; here the verdict is Pillow's, which clips gray (tests/image/decode_png_test.cc).
SIXTEEN_BITS = "gray16"
#: The reference converts CMYK JPEGs by another formula than Pillow's, which is the one that models were trained with.
CMYK_JPEG = ("cmyk-17x13.jpg", "cmyk-1x1.jpg", "cmyk-3x2.jpg")


@pytest.mark.parametrize("name", sorted(GOLDENS["decoded"]))
def test_pictures_decode_as_in_the_reference(name):
    expected = GOLDENS["decoded"][name]
    pixels = decode(name, "RGB")
    assert pixels is not None  # also of those that the reference cannot decode
    if "error" in expected:
        return
    assert list(pixels.shape) == expected["shape"]
    if name.startswith(SIXTEEN_BITS) or name in CMYK_JPEG:
        return
    if "pixels" in expected:
        theirs = np.frombuffer(bytes.fromhex(expected["pixels"]), np.uint8).reshape(pixels.shape)
        exact = "lossless" in name or name.startswith("animated")
        difference = np.abs(pixels.astype(int) - theirs).max()
        assert difference <= (0 if exact else LOSSY_TOLERANCE)
    else:
        assert expressions.digest(pixels) == [expected["shape"], expected["crc32"]]


def test_error_texts_are_those_of_the_reference():
    """The sentences that a program may look for; what the reference puts around them is left out."""
    F, col = importlib.import_module("vecframe.functions"), vf.col
    df = vf.from_pydict({"b": [b"no picture"], "n": [1], "s": ["x"]})
    image = F.decode_image(col("b"))
    calls = {
        "decode": (lambda: df.select(image.alias("x")).to_arrow(), "Decoding image from bytes failed: "),
        "on_error": (
            lambda: df.select(F.decode_image(col("b"), on_error="ignore").alias("x")),
            "Invalid on_error value: ignore",
        ),
        "decode_type": (lambda: df.select(F.decode_image(col("n")).alias("x")), "ImageDecode can only decode BinaryArrays"),
        "bbox": (
            lambda: F.crop(col("i"), (1, 2, 3)),
            "Expected `bbox` to be either a tuple of 4 ints or an Expression but received: (1, 2, 3)",
        ),
        "mode": (
            lambda: df.select(F.convert_image(image, "CMYK").alias("x")),
            "Image mode CMYK is not supported; ",
        ),
        "format": (lambda: df.select(F.encode_image(image, "heic").alias("x")), "Image format HEIC is not supported; "),
        "attribute": (
            lambda: F.image_attribute(col("i"), "depth"),
            "Unsupported image property: depth, available: [height, width, channel, mode]",
        ),
        "whash": (
            lambda: df.select(F.image_hash(image, method="whash", hash_size=6).alias("x")),
            "hash_size must be a power of 2 for 'whash', but got: 6",
        ),
        "provider": (lambda: F.embed_image(image, provider="nope"), "Provider 'nope' is not yet supported."),
        "len": (
            lambda: len(df.where(col("n") > 0)),
            "Cannot call len() on an unmaterialized dataframe: either materialize your dataframe with df.collect() first "
            "before calling len(), or use `df.count_rows()` instead",
        ),
    }
    assert set(calls) == set(GOLDENS["errors"])
    for name, (call, sentence) in calls.items():
        assert sentence in GOLDENS["errors"][name], name  # it is the reference's
        with pytest.raises((vf.RequestError, vf.RunError)) as caught:
            call()
        assert sentence in str(caught.value), name
        assert "\n" not in str(caught.value), name


def test_the_documented_chain_gives_the_schema_and_the_vectors(tmp_path):
    golden = GOLDENS["chain"]
    folder = tmp_path / "pictures"
    folder.mkdir()
    for name, data in golden["pictures"].items():
        (folder / name).write_bytes(bytes.fromhex(data))
    ours = run_chain(sys.executable, "vecframe", folder, MODEL, tmp_path / "out.json")
    assert ours["schema"] == golden["schema"]
    assert sorted(ours["files"]) == sorted(golden["files"])
    # The reference lists files in the order of the directory, here they are sorted.
    theirs = dict(zip(golden["files"], golden["embeddings"], strict=True))
    sizes = dict(zip(golden["files"], golden["sizes"], strict=True))
    for name, size, vector in zip(ours["files"], ours["sizes"], ours["embeddings"], strict=True):
        assert size == sizes[name]
        a, b = np.array(vector), np.array(theirs[name])
        cosine = a @ b / np.linalg.norm(a) / np.linalg.norm(b)
        if name.endswith((".png", ".tiff")):
            np.testing.assert_allclose(a, b, atol=2e-5)  # the same pixels, the same vectors
        assert cosine > 0.999, name  # other decoders of JPEG and WebP
