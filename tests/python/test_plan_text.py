"""Plans as texts: explain, JSON, pickles; what the optimiser makes of them; warnings."""

import copy
import json
import pickle
import subprocess
import sys

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import vecframe as vf
from vecframe import col, lit
from vecframe.functions import cosine_distance, decode_image, download, embed_image, embed_text, image_width, resize


@pytest.fixture()
def products(tmp_path):
    table = pa.table({"sku": [1, 2, 3, 4], "price": [1.5, None, 3.0, 4.5], "name": ["a", "b", None, "d"]})
    pq.write_table(table, tmp_path / "products.parquet")
    return vf.read_parquet(tmp_path / "products.parquet")


@pytest.fixture()
def embedded(photos, model):
    return (
        vf.from_glob_path(f"{photos}/**/*.png")
        .with_column("image", decode_image(download(col("path"))))
        .with_column("e", embed_image(col("image"), model=model, batch_size=2, on_error="log"))
    )


def section(text, title):
    return text.split(f"== {title}", 1)[1].split("\n", 1)[1].split("\n== ")[0]


def test_explain_shows_all_three_plans(embedded):
    df = embedded.where(col("size") > 10).select("path", "e").limit(2)
    assert repr(df.explain()) == df.explain()
    text = df.explain(show_all=True)
    logical, optimised = section(text, "Logical plan"), section(text, "Optimised plan")
    assert logical.index("Limit: 2") < logical.index("WithColumn: e = ") < logical.index("FromGlob")
    assert "Properties = { provider = transformers, model = " in logical
    for word in ("dimension = 24", "batch_size = 2", "concurrency = threads", "on_error = log", "async = false"):
        assert word in logical
    assert optimised.index("WithColumn: e = ") < optimised.index("Where: ") < optimised.index("FromGlob")
    physical = section(text, "Physical plan: steps")
    # From the file into the model, without a column of pictures.
    assert "e = embed_image(decode_image(download(col(\"path\")" in physical
    assert "image = " not in physical


def test_explain_as_json(embedded, photos, model):
    plan = json.loads(embedded.limit(1).explain(format="json"))
    assert [field["name"] for field in plan["schema"]] == ["path", "size", "num_rows", "image", "e"]
    assert plan["logical"][0] == {"operation": "Limit", "text": "1"}
    assert plan["logical"][1]["properties"][0]["dimension"] == 24
    assert [node["operation"] for node in plan["optimized"]] == ["WithColumn", "WithColumn", "Limit", "FromGlob"]
    assert plan["physical"]["kind"] == "steps"
    files = vf.read_images(photos).with_column("e", embed_image(col("image"), model=model))
    assert json.loads(files.explain(format="json"))["physical"]["kind"] == "file job"
    both = vf.from_pydict({"a": [1]})
    assert json.loads(both.concat(both).explain(format="json"))["logical"][0]["other"][0]["operation"] == "FromMemory"
    with pytest.raises(vf.RequestError, match="format"):
        embedded.explain(format="yaml")


def test_only_needed_columns_are_read(products):
    text = products.where(col("price") > 2).select("sku").explain(show_all=True)
    assert "2 of 3 columns: sku, price" in section(text, "Optimised plan")


def test_constants_are_folded(products):
    text = products.where((lit(1) + 1 == 2) & (col("sku") > 1)).explain(show_all=True)
    assert 'Where: (col("sku") > 1)' in section(text, "Optimised plan")
    # What only fails when it runs stays as it is.
    failing = products.with_column("x", lit(1) / lit(0))
    assert "(1 / 0)" in section(failing.explain(show_all=True), "Optimised plan")
    with pytest.raises(vf.RunError):
        failing.to_arrow()
    assert failing.select("sku").count() == 4


def test_the_same_embedding_is_computed_once(embedded, model):
    df = embedded.with_column("again", embed_image(col("image"), model=model, batch_size=2, on_error="log"))
    assert section(df.explain(show_all=True), "Physical plan: steps").count("embed_image") == 1
    table = df.select("e", "again").to_arrow()
    assert table["e"].equals(table["again"])


def test_json_comes_back(products, embedded):
    frames = [
        products.where((col("price") > 1.0) & col("name").not_null()).sort("sku", desc=True).limit(2),
        products.concat(products).sample(size=3, seed=7).drop_nulls("name").rename({"sku": "id"}),
        vf.from_pydict({"a": [1, None], "t": ["x", "ü"], "v": [[1.0, 2.0], None]}),
        embedded.select("path", cosine_distance(col("e"), [1.5] * 24).alias("d")),
    ]
    for df in frames:
        back = vf.DataFrame.from_json(df.to_json())
        assert back.to_json() == df.to_json()
        assert back.schema == df.schema
        assert back.explain() == df.explain()
        assert back.to_arrow().equals(df.to_arrow())


def test_pickles_of_frames_expressions_and_schemas(embedded):
    for df in (embedded, vf.from_pydict({"a": [1, 2]})):
        for clone in (pickle.loads(pickle.dumps(df)), copy.deepcopy(df)):
            assert clone.explain() == df.explain()
        assert pickle.loads(pickle.dumps(df.schema)) == df.schema
    for expression in (col("a") + 1, (col("a") == lit(None)).alias("x"), image_width(col("image"))):
        clone = pickle.loads(pickle.dumps(expression))
        assert (repr(clone), clone.name) == (repr(expression), expression.name)


def test_a_pickle_runs_in_another_process(embedded, tmp_path):
    (tmp_path / "plan.pickle").write_bytes(pickle.dumps(embedded.select("path", "e")))
    code = "import pickle, sys; print(pickle.load(open(sys.argv[1], 'rb')).to_arrow().num_rows)"
    done = subprocess.run([sys.executable, "-c", code, str(tmp_path / "plan.pickle")], capture_output=True, text=True)
    assert done.stdout.strip() == "3", done.stderr


def test_another_model_is_refused(embedded):
    text = embedded.to_json()
    found = json.loads(text)["plan"][-1]["expression"]["model_fingerprint"]
    other = vf.DataFrame.from_json(text.replace(found, "0" * len(found)))
    with pytest.raises(vf.RequestError, match="changed after the plan was built"):
        other.to_arrow()
    # Nor may the text lie about the length of vectors.
    longer = vf.DataFrame.from_json(text.replace('"dimension":24', '"dimension":4096'))
    with pytest.raises(vf.RequestError, match="4096"):
        longer.to_arrow()


def test_a_file_that_changed_its_types_is_refused(products, tmp_path):
    text = products.to_json()
    pq.write_table(pa.table({"sku": ["x"], "price": [1.0], "name": ["n"]}), tmp_path / "products.parquet")
    with pytest.raises(vf.RunError, match="no column 'sku' of type Int64 any more"):
        vf.DataFrame.from_json(text).to_arrow()


def test_what_cannot_be_read_is_refused():
    good = vf.from_pydict({"a": [1]}).to_json()
    for text in ("", "{}", good[:-5], good.replace('"version":1', '"version":7'), "[" * 100_000,
                 good.replace('"arrow_ipc":"', '"arrow_ipc":"AAAA')):
        with pytest.raises(vf.RequestError) as caught:
            vf.DataFrame.from_json(text)
        assert "\n" not in str(caught.value)
    with pytest.raises(vf.RequestError, match="of type int"):
        vf.DataFrame.from_json(3)
    large = vf.from_arrow(pa.table({"a": np.zeros(3_000_000)}))
    with pytest.raises(vf.RequestError, match=r"write_parquet\(\)"):
        large.to_json()


def test_a_resize_before_a_model_is_warned_of(photos, model):
    df = vf.read_images(photos).with_column("small", resize(col("image"), 64, 64))
    with pytest.warns(vf.PlanWarning, match="a resize before it only costs detail") as caught:
        df.with_column("e", embed_image(col("small"), model=model))
    assert caught[0].filename == __file__
    with pytest.warns(vf.PlanWarning):
        df.select(embed_image(resize(col("image"), 8, 8), model=model).alias("e"))


@pytest.mark.filterwarnings("error")
def test_other_plans_are_not_warned_of(photos, model):
    df = vf.read_images(photos).with_column("small", resize(col("image"), 64, 64))
    df.with_column("e", embed_image(col("image"), model=model)).select("e", "small")


class Lengths(vf.Provider):
    """Vectors of a text's length, and as many zeros as `size` leaves room for."""

    name = "lengths"

    def __init__(self, size=2):
        self.size, self.asked = size, []

    def get_text_embedder(self, model=None, **options):
        self.asked.append((model, options))
        return LengthsDescriptor(self.size, model)


class LengthsDescriptor:
    def __init__(self, size, model):
        self.size, self.model = size, model

    def get_provider(self):
        return "lengths"

    def get_model(self):
        return self.model

    def get_options(self):
        return {}

    def get_dimensions(self):
        return self.size

    def is_async(self):
        return False

    def instantiate(self):
        return self

    def embed_text(self, texts):
        return [[len(text)] + [0] * (self.size - 1) for text in texts]


@pytest.mark.parametrize("carry", [lambda df: pickle.loads(pickle.dumps(df)), lambda df: vf.DataFrame.from_json(df.to_json())])
def test_a_plan_finds_the_provider_of_its_name_again(carry):
    with vf.session() as session:
        session.attach_provider(Lengths())
        frame = vf.from_pydict({"t": ["a", "bbb", None]})
        frame = frame.with_column("e", embed_text(col("t"), provider="lengths", model="m", batch_size=2))
        frame = frame.select("e").where(col("e").not_null()).concat(frame.select("e"))
        carried = carry(frame)
    with vf.session() as session:
        with pytest.raises(vf.RequestError, match="attach a provider of that name"):
            carried.to_pylist()
        other = Lengths()
        session.attach_provider(other)
        vectors = [row["e"] if row["e"] is None else row["e"].tolist() for row in carried.to_pylist()]
        assert vectors == [[1, 0], [3, 0], [1, 0], [3, 0], None]
        assert [model for model, _ in other.asked] == ["m"]
    with vf.session() as session:
        session.attach_provider(Lengths(size=3))
        with pytest.raises(vf.RequestError, match="not the one that this plan was built for"):
            carried.to_pylist()
