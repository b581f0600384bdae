"""Provider "openai" through sessions and dataframes, against a server on the loopback interface."""

import json
import subprocess
import sys

import pytest
import vecframe as vf
from conftest import ROOT
from PIL import Image
from vecframe.functions import embed_image, embed_text

KEY = "sk-nobody-may-see-this"


@pytest.fixture(scope="module")
def server():
    """The base URL of one that answers in 8 values."""
    program = ROOT / "tests" / "providers" / "remote" / "embedding_server.py"
    process = subprocess.Popen([sys.executable, program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    yield f"http://127.0.0.1:{json.loads(process.stdout.readline())['port']}/mine/v1"
    process.communicate()


def test_pictures_of_a_folder(server, tmp_path):
    folder = tmp_path / "photos"
    folder.mkdir()
    for i, colour in enumerate([(10, 20, 30), (255, 0, 0), (40, 50, 60)]):
        Image.new("RGB", (5, 4), colour).save(folder / f"{i}.png")
    vf.set_provider("openai", model="colours", base_url=server, api_key=KEY)
    embedding = embed_image(vf.col("image"), dimensions=8, on_error="ignore", error_column="error")
    df = vf.read_images(folder).with_column("e", embedding)
    output = tmp_path / "out.parquet"
    report = df.select("path", "e", "error").write_parquet(output)
    rows = vf.read_parquet(output).to_pylist()
    assert rows[0]["e"].tolist() == [10, 20, 30, 5, 4, 0, 0, 1]
    assert rows[2]["e"].tolist() == [40, 50, 60, 5, 4, 0, 0, 1]
    assert rows[1]["e"] is None and rows[1]["error"].startswith("embed/")
    assert report.as_dict()["model"]["provider"] == "openai"
    for text in (df.explain(), repr(embedding), repr(vf.current_provider()), report.json):
        assert KEY not in text
    assert KEY.encode() not in output.read_bytes()


def test_texts_and_the_wrong_words(server):
    with vf.session() as session:
        session.set_provider("openai", base_url=server, api_key=KEY)
        df = vf.from_pydict({"t": ["one", None, "bad"]})
        expression = embed_text(vf.col("t"), model="m", dimensions=8, on_error="ignore")
        vectors = df.with_column("e", expression).to_pylist()
        assert vectors[0]["e"][0] == 3 and vectors[1]["e"] is None and vectors[2]["e"] is None
        for words, told in [({"base_ur": "x"}, "base_url"), ({"quality": 0}, "quality"),
                            ({"pooling": "cls"}, "'transformers' has it"), ({"api": "nobody"}, "infinity")]:
            with pytest.raises(vf.RequestError) as caught:
                embed_image(vf.col("i"), model="m", dimensions=8, **words)
            assert told in str(caught.value)
