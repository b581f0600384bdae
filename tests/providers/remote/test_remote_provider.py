"""Provider "openai" from Python, end to end, against the server of embedding_server.py on the loopback interface."""

import io
import json
import logging
import pathlib
import pickle
import sys

import numpy as np
import pyarrow.parquet as pq
import pytest
import vecframe as vf
from PIL import Image
from vecframe import col
from vecframe.functions import decode_image, embed_image, embed_text

sys.path.append(str(pathlib.Path(__file__).parent))
import embedding_server  # noqa: E402

KEY = "sk-canary-5cc8a1"


class Server:
    """One name of the server: its address, its manners, and what it was asked."""

    def __init__(self, port, name):
        self.url = f"http://127.0.0.1:{port}/{name}/v1"
        self.name = name

    def behave(self, **behaviour):
        with embedding_server.LOCK:
            embedding_server.BEHAVIOURS[self.name] = behaviour

    @property
    def requests(self):
        return embedding_server.LOGS.get(self.name, [])


@pytest.fixture(scope="module")
def port():
    server = embedding_server.start()
    yield server.server_address[1]
    server.shutdown()
    server.server_close()


@pytest.fixture()
def server(port, request, monkeypatch):
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    monkeypatch.delenv("OPENAI_BASE_URL", raising=False)
    yield Server(port, request.node.name.split("[")[0])
    vf.set_provider(None)


def png(red, size=(5, 4)):
    out = io.BytesIO()
    Image.fromarray(np.full((*size[::-1], 3), red, dtype=np.uint8)).save(out, "png")
    return out.getvalue()


def pictures(reds):
    return vf.from_pydict({"red": reds, "data": [None if r is None else png(r) for r in reds]}).with_column(
        "image", decode_image(col("data"))
    )


def vectors(df, expression):
    return df.with_column("e", expression).to_arrow()["e"].to_pylist()


def test_pictures_have_their_vectors(server):
    reds = [i % 250 for i in range(100)]
    expression = embed_image(col("image"), provider="openai", base_url=server.url, model="m", dimensions=8)
    df = pictures(reds).with_column("e", expression)
    assert df.schema["e"].dtype == "Embedding[Float32; 8]"
    assert server.requests == []
    assert df.to_arrow()["e"].to_pylist() == [[r, r, r, 5, 4, 0, 0, 1] for r in reds]
    assert {r["request"]["dimensions"] for r in server.requests} == {8}
    assert max(r["items"] for r in server.requests) <= 32


def test_the_session_and_the_server_say_the_rest(server):
    server.behave(dimension=6)
    vf.set_provider("openai", base_url=server.url, model="m")
    df = pictures([1, None, 3])
    expression = embed_image(col("image"))
    assert df.with_column("e", expression).schema["e"].dtype == "Embedding[Float32; 6]"
    assert vectors(df, expression) == [[1, 1, 1, 5, 4, 1], None, [3, 3, 3, 5, 4, 1]]


def test_texts(server):
    df = vf.from_pydict({"text": ["abcd", "", None, "x" * 100]})
    expression = embed_text(col("text"), provider="openai", base_url=server.url, model="m", dimensions=8)
    assert [v and v[:3] for v in vectors(df, expression)] == [[4, 97, 98], [0, 32, 32], None, [100, 120, 120]]


def test_a_bad_picture_is_one_row(server):
    reds = list(range(64))
    for bad in (5, 40, 63):
        reds[bad] = 255
    expression = embed_image(col("image"), provider="openai", base_url=server.url, model="m", dimensions=8,
                             on_error="ignore", error_column="why", batch_size=64)
    rows = pictures(reds).with_column("e", expression).to_arrow().to_pylist()
    assert [i for i, row in enumerate(rows) if row["e"] is None] == [5, 40, 63]
    assert all("the server answers 400: cannot read the picture" in rows[i]["why"] for i in (5, 40, 63))
    assert all(row["why"] is None for row in rows if row["e"] is not None)
    assert len(server.requests) <= 37


def test_on_error_raise_names_the_row(server):
    expression = embed_image(col("image"), provider="openai", base_url=server.url, model="m", dimensions=8)
    with pytest.raises(vf.RunError, match="cannot read the picture"):
        vectors(pictures([1, 255, 3]), expression)


@pytest.mark.parametrize("image_format", ["jpeg", "webp"])
def test_other_formats_of_pictures(server, image_format):
    expression = embed_image(col("image"), provider="openai", base_url=server.url, model="m", dimensions=8,
                             image_format=image_format, quality=80)
    assert vectors(pictures([9]), expression)[0][0] == (1 if image_format == "jpeg" else 4)


@pytest.mark.parametrize("api", ["infinity", "vllm"])
def test_other_dialects(server, api):
    expression = embed_image(col("image"), provider="openai", base_url=server.url, model="m", dimensions=8, api=api)
    assert vectors(pictures([9, 10]), expression)[1][:5] == [10, 10, 10, 5, 4]


def test_wrong_requests_are_refused_before_anything_runs(server):
    def refused(**options):
        with pytest.raises(vf.RequestError) as error:
            embed_image(col("image"), provider="openai", **{"base_url": server.url, "model": "m", "dimensions": 8} | options)
        return str(error.value)

    assert "base_url" in refused(base_urll="x")  # the nearest option
    assert "model" in refused(model=None)
    assert "base_url" in refused(base_url="localhost:7997")
    assert "timeout" in refused(timeout=-1)
    assert "image_format" in refused(image_format="gif")
    message = refused(base_url="http://127.0.0.1:1/v1", dimensions=None)
    assert "127.0.0.1:1" in message and "dimensions=" in message
    assert server.requests == []


def test_refused_credentials_end_the_run(server, monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    body = {"error": {"message": f"Incorrect API key provided: {KEY}", "code": "invalid_api_key"}}
    server.behave(always=[401, {}, json.dumps(body)])
    expression = embed_image(col("image"), provider="openai", base_url=server.url, model="m", dimensions=8,
                             on_error="ignore")
    with pytest.raises(vf.RunError) as error:
        vectors(pictures(list(range(100))), expression)
    assert "OPENAI_API_KEY" in str(error.value) and "openai" in str(error.value)
    assert KEY not in str(error.value)
    assert len(server.requests) == 1
    assert server.requests[0]["authorization"] == f"Bearer {KEY}"


def test_the_key_shows_nowhere(server, tmp_path, capfd, caplog):
    """In no plan, message, log, file or pickle."""
    caplog.set_level(logging.DEBUG)
    seen = []
    vf.set_provider("openai", base_url=server.url, model="m", api_key=KEY)
    seen.append(repr(vf.current_provider()))
    for options in ({}, {"api_key": KEY, "base_url": server.url}):
        expression = embed_image(col("image"), dimensions=8, on_error="log", error_column="why", **options)
        df = pictures([1, 2, 255]).with_column("e", expression)
        plan = df.explain()
        seen += [repr(expression), repr(df), str(plan), repr(df.schema)]
        out = tmp_path / f"out{len(options)}.parquet"
        seen.append(repr(df.select("e", "why").write_parquet(str(out))))
        seen.append(repr(pq.read_schema(out).metadata))
        for value in (expression, df):
            try:
                seen.append(repr(pickle.dumps(value)))
            except (TypeError, pickle.PicklingError, vf.RequestError) as error:
                seen.append(str(error))
    for behaviour in ({"always": [401, {}, KEY]}, {"always": [400, {}, json.dumps({"error": f"key {KEY}"})]}):
        server.behave(**behaviour)
        with pytest.raises(vf.RunError) as error:
            vectors(pictures([1]), embed_image(col("image"), dimensions=8))
        seen.append(str(error.value))
    assert {request["authorization"] for request in server.requests} == {f"Bearer {KEY}"}
    captured = capfd.readouterr()
    seen += [captured.out, captured.err, caplog.text]
    seen += [path.read_bytes().decode("latin-1") for path in tmp_path.rglob("*") if path.is_file()]
    assert not [text for text in seen if KEY in text]


def test_a_limit_of_concurrency_and_retries(server):
    server.behave(delay=0.05)
    expression = embed_image(col("image"), provider="openai", base_url=server.url, model="m", dimensions=8,
                             concurrency=2, batch_size=1)
    vectors(pictures(list(range(20))), expression)
    assert max(request["in_flight"] for request in server.requests) <= 2
    server.behave(always=[500, {}, "no"])
    before = len(server.requests)
    expression = embed_image(col("image"), provider="openai", base_url=server.url, model="m", dimensions=8,
                             max_retries=0, on_error="ignore", error_column="why")
    rows = pictures([1]).with_column("e", expression).to_arrow().to_pylist()
    assert "500" in rows[0]["why"] and len(server.requests) == before + 1
