"""Providers that are written in Python."""

import asyncio
import gc
import threading

import numpy
import pyarrow as pa
import pytest
import vecframe as vf
from PIL import Image
from vecframe.functions import decode_image, embed_image, embed_text

from pictures import save_picture


class Mine(vf.Provider):
    """Calls `work` with the rows of each batch; `async_work` is awaited."""

    def __init__(self, work, *, name="mine", size=2, is_async=False, **options):
        self.name, self.work, self.size, self.is_async, self.options = name, work, size, is_async, options
        self.asked, self.batches, self.made = [], [], 0

    def get_image_embedder(self, model=None, **options):
        return self._describe(model, options)

    def get_text_embedder(self, model=None, dimensions=None, **options):
        return self._describe(model, {"dimensions": dimensions, **options})

    def _describe(self, model, options):
        self.asked.append((model, options))
        return Descriptor(self, model)


class Descriptor:
    def __init__(self, mine, model):
        self.mine, self.model = mine, model

    def get_provider(self):
        return self.mine.name

    def get_model(self):
        return self.model or "m"

    def get_options(self):
        return self.mine.options

    def get_dimensions(self):
        return self.mine.size

    def is_async(self):
        return self.mine.is_async

    def instantiate(self):
        self.mine.made += 1
        return AsyncEmbedder(self.mine) if self.mine.is_async else Embedder(self.mine)


class Embedder:
    def __init__(self, mine):
        self.mine = mine

    def embed_image(self, rows):
        self.mine.batches.append(len(rows))
        return self.mine.work(rows)

    embed_text = embed_image


class AsyncEmbedder(Embedder):
    async def embed_image(self, rows):
        self.mine.batches.append(len(rows))
        result = self.mine.work(rows)
        return await result if hasattr(result, "__await__") else result

    embed_text = embed_image


def lengths(texts):
    return [[len(text), 1] for text in texts]


def refused(call, *words, kind=vf.RequestError):
    with pytest.raises(kind) as caught:
        call()
    for word in words:
        assert word in str(caught.value), (word, str(caught.value))


def embed(texts, provider, **words):
    words = {"on_error": "ignore", "error_column": "error", **words}
    df = vf.from_pydict({"t": pa.array(texts, pa.string())})
    rows = df.with_column("e", embed_text(vf.col("t"), provider=provider, **words)).to_pylist()
    return [None if row["e"] is None else row["e"].tolist() for row in rows], [row["error"] for row in rows]


TEXTS = ["a", "bb", "ccc", "dddd", "eeeee", "ffffff"]
both = pytest.mark.parametrize("is_async", [False, True], ids=["sync", "async"])


@both
def test_vectors_go_to_their_rows(is_async):
    mine = Mine(lengths, is_async=is_async, batch_size=2)
    assert embed(TEXTS, mine) == ([[i + 1, 1] for i in range(6)], [None] * 6)
    assert mine.batches == [2, 2, 2] and mine.made == 1


@pytest.mark.parametrize("answer", [
    lambda texts: numpy.array(lengths(texts), numpy.float64),
    lambda texts: numpy.array(lengths(texts), numpy.float16)[:, ::1],
    lambda texts: numpy.asfortranarray(numpy.array(lengths(texts), numpy.float32)),
    lambda texts: [numpy.array(row, numpy.int8) for row in lengths(texts)],
    lambda texts: tuple(map(tuple, lengths(texts))),
    lambda texts: (row for row in lengths(texts)),
], ids=["float64", "float16", "fortran", "int8", "tuples", "generator"])
def test_any_form_of_vectors(answer):
    assert embed(TEXTS, Mine(answer, batch_size=4))[0] == [[i + 1, 1] for i in range(6)]


@both
def test_nulls_no_rows_one_row(is_async):
    mine = Mine(lengths, is_async=is_async, batch_size=4)
    assert embed([None, "a", None], mine) == ([None, [1, 1], None], [None] * 3)
    assert embed([None] * 5, mine) == ([None] * 5, [None] * 5)
    assert embed([], mine) == ([], [])
    assert embed(["xyz"], mine) == ([[3, 1]], [None])
    assert mine.batches == [1, 1]


@both
def test_embedders_are_made_once_for_all_parts_of_a_directory(is_async, tmp_path):
    threads = set()

    def work(texts):
        threads.add(threading.get_ident())
        return lengths(texts)

    mine = Mine(work, is_async=is_async, batch_size=4)
    sources = [str(tmp_path / f"{i}.parquet") for i in range(6)]
    for i, source in enumerate(sources):
        vf.from_pydict({"t": [f"text {10 * i + j}" for j in range(10)]}).write_parquet(source)
    df = vf.read_parquet(sources).with_column("e", embed_text(vf.col("t"), provider=mine))
    df.write_parquet(tmp_path / "out", rows_per_part=10)
    assert len(list((tmp_path / "out").glob("*.parquet"))) == 6
    assert mine.made == 1 and len(threads) == 1


@both
def test_rows_of_the_same_content_arrive_once(is_async, tmp_path):
    mine = Mine(lengths, is_async=is_async, batch_size=2)
    df = vf.from_pydict({"t": ["a", "bb", "a", None, "a", "ccc", "bb"] * 50})
    report = df.with_column("e", embed_text(vf.col("t"), provider=mine)).write_parquet(tmp_path / "out.parquet")
    assert sum(mine.batches) == 3
    counts = report.as_dict()
    assert (counts["rows"], counts["failed"], counts["duplicates"]) == (350, 0, 297)
    vectors = vf.read_parquet(str(tmp_path / "out.parquet")).to_pydict()["e"]
    assert [None if v is None else v[0] for v in vectors] == [1, 2, 1, None, 1, 3, 2] * 50

    pictures = Mine(lambda rows: [[row.shape[1], row.mean()] for row in rows], is_async=is_async, batch_size=8)
    flat = numpy.zeros((2, 6, 3), numpy.uint8)
    df = vf.from_pydict({"image": [flat, flat.reshape(6, 2, 3), flat + 1, flat, flat.copy()]})
    rows = df.with_column("e", embed_image(vf.col("image"), provider=pictures)).to_pylist()
    assert [row["e"].tolist() for row in rows] == [[6, 0], [2, 0], [6, 1], [6, 0], [6, 0]]
    assert pictures.batches == [3]


@both
def test_an_exception_costs_the_rows_at_fault(is_async):
    def work(texts):
        if "ccc" in texts:
            raise KeyError("no ccc")
        return lengths(texts)

    vectors, errors = embed(TEXTS, Mine(work, is_async=is_async, batch_size=6))
    assert vectors == [[1, 1], [2, 1], None, [4, 1], [5, 1], [6, 1]]
    assert errors[2] == "embed/embedder_failed: KeyError: 'no ccc'"
    assert errors.count(None) == 5


@both
def test_all_rows_may_be_bad(is_async):
    def work(texts):
        raise ValueError("never")

    assert embed(TEXTS, Mine(work, is_async=is_async)) == ([None] * 6, ["embed/embedder_failed: ValueError: never"] * 6)


@both
def test_raise_names_the_first_bad_row(is_async):
    def work(texts):
        raise ValueError("never")

    refused(lambda: embed(TEXTS, Mine(work, is_async=is_async), on_error="raise"), "row 0: embed/embedder_failed",
            kind=vf.RunError)


@both
def test_bad_vectors_are_errors_of_their_rows(is_async):
    def work(texts):
        rows = lengths(texts)
        for i, text in enumerate(texts):
            rows[i] = {"bb": [1.0], "ccc": [float("nan"), 1], "dddd": None, "eeeee": "text", "ffffff": [[1, 2]]}.get(
                text, rows[i])
        return rows

    vectors, errors = embed(TEXTS, Mine(work, is_async=is_async))
    assert vectors == [[1, 1]] + [None] * 5
    for error, words in zip(errors[1:], ["bad_output: the vector has 1 values; the provider promised 2",
                                         "bad_output: value 0 of the vector is NaN", "gave None", "no vector of numbers",
                                         "shape"]):
        assert words in error, error


@both
def test_a_wrong_number_of_vectors(is_async):
    vectors, errors = embed(TEXTS, Mine(lambda texts: lengths(texts)[:2], is_async=is_async, batch_size=6))
    assert vectors == [[i + 1, 1] for i in range(6)], "batches of two and one have as many as rows"
    vectors, errors = embed(TEXTS, Mine(lambda texts: [], is_async=is_async))
    assert vectors == [None] * 6 and "gave 0 vectors for one row" in errors[0]
    vectors, errors = embed(["a"], Mine(lambda texts: 5, is_async=is_async))
    assert "gave a int" in errors[0]


@both
def test_failures_that_may_pass_are_tried_again(is_async):
    for error in (ConnectionError("reset"), TimeoutError(), vf.RetryAfterError(0.001)):
        failures = iter([error, error])

        def work(texts):
            for failure in failures:
                raise failure
            return lengths(texts)

        mine = Mine(work, is_async=is_async)
        assert embed(["a"], mine)[0] == [[1, 1]]
        assert mine.batches == [1, 1, 1]


@both
def test_tries_end_and_other_failures_are_final(is_async):
    def busy(texts):
        raise vf.RetryAfterError(0.001, ValueError("busy"))

    mine = Mine(busy, is_async=is_async)
    assert embed(["a"], mine, max_retries=2)[1] == ["embed/embedder_failed: RetryAfterError: busy"]
    assert mine.batches == [1, 1, 1]

    def broken(texts):
        raise RuntimeError("broken")

    mine = Mine(broken, is_async=is_async)
    embed(["a"], mine)
    assert mine.batches == [1]


@both
def test_a_run_error_ends_the_run(is_async):
    def work(texts):
        raise vf.RunError("the key was refused")

    refused(lambda: embed(TEXTS, Mine(work, is_async=is_async)), "the key was refused", kind=vf.RunError)


def test_async_answers_may_come_in_any_order():
    waiting = []

    async def work(texts):
        # Answers when three are there, the last one first.
        event = asyncio.Event()
        waiting.append(event)
        if len(waiting) == 3:
            group = waiting[::-1]
            waiting.clear()
            for other in group:
                other.set()
                await asyncio.sleep(0)
        await event.wait()
        return lengths(texts)

    texts = ["x" * n for n in range(1, 31)]
    mine = Mine(work, is_async=True, batch_size=1, concurrency=3)
    assert embed(texts, mine)[0] == [[n, 1] for n in range(1, 31)]


def test_requests_in_flight_are_bounded():
    now, most = 0, 0

    async def work(texts):
        nonlocal now, most
        now += 1
        most = max(most, now)
        await asyncio.sleep(0.001)
        now -= 1
        return lengths(texts)

    embed(TEXTS * 10, Mine(work, is_async=True, batch_size=1), concurrency=4)
    assert most == 4


def test_sync_embedders_side_by_side():
    barrier = threading.Barrier(3, timeout=30)

    def work(texts):
        barrier.wait()
        return lengths(texts)

    mine = Mine(work, batch_size=2, concurrency=3)
    assert embed(TEXTS, mine)[0] == [[i + 1, 1] for i in range(6)]
    assert mine.made == 3


def test_words_of_the_call_come_first_and_reach_the_provider():
    mine = Mine(lengths, batch_size=5)
    embed(TEXTS, mine, batch_size=3, model="large", temperature=[1, {}])
    assert mine.batches == [3, 3]
    assert mine.asked == [("large", {"dimensions": None, "batch_size": 3, "temperature": [1, {}]})]


def test_dimensions_and_normalize():
    mine = Mine(lambda texts: [[3, 4, 5]] * len(texts), size=3)
    assert embed(["a"], mine, dimensions=2, normalize=True)[0] == [[pytest.approx(0.6), pytest.approx(0.8)]]
    refused(lambda: embed(["a"], mine, dimensions=4), "dimensions", "4", "3")


class Strict(Mine):
    def get_image_embedder(self, model=None, quality=3):
        return super().get_image_embedder(model, quality=quality)


@pytest.mark.parametrize("words, told", [
    ({"qualty": 1}, ["embed_image", "qualty", '"quality"']),
    ({"zzz": 1}, ["zzz", "'mine' has quality"]),
    ({"batch_size": 0}, ["batch_size", "0"]),
    ({"concurrency": 0}, ["concurrency", "0"]),
    ({"concurrency": "all"}, ["concurrency", "all"]),
    ({"max_retries": -1}, ["max_retries", "-1"]),
    ({"num_gpus": 1000}, ["num_gpus", "1000", "than this machine has"]),
    ({"num_gpus": 1.5}, ["num_gpus", "1.5"]),
    ({"num_gpus": "one"}, ["num_gpus", "str"]),
])
def test_wrong_words_are_refused_as_the_plan_is_built(words, told):
    refused(lambda: embed_image(vf.col("i"), provider=Strict(lengths), **words), *told)


def test_wrong_descriptors_are_refused():
    refused(lambda: embed(["a"], Mine(lengths, size="many")), "get_dimensions()", "many")
    refused(lambda: embed(["a"], Mine(lengths, size=0)), "'mine'", "0 values")
    refused(lambda: embed(["a"], Mine(lengths, batch_size=-2)), "batch_size", "-2")


def test_words_of_other_providers(model):
    refused(lambda: embed_text(vf.col("t"), model=model, pooling="cls"), "embed_text", "pooling")
    refused(lambda: embed_image(vf.col("i"), model=model, concurrency=2), "concurrency", "threads")
    refused(lambda: embed_image(vf.col("i"), model=model, num_gpus=1), "num_gpus", "no GPU was found")


def test_what_is_not_implemented():
    class Nothing(vf.Provider):
        name = "nothing"

    for call, function in ((embed_image, "embed_image"), (embed_text, "embed_text")):
        refused(lambda: call(vf.col("x"), provider=Nothing()),
                f"{function} is not currently implemented for the 'nothing' provider", kind=NotImplementedError)
    assert issubclass(vf.ProviderNotImplementedError, vf.RequestError)
    error = vf.ProviderImportError("openai", function="embed_image")
    assert isinstance(error, ImportError) and isinstance(error, vf.RequestError)
    assert str(error) == "Please `pip install 'vecframe[openai]'` to use the embed_image function with this provider."


def test_an_embedder_that_cannot_be_made():
    class Broken(Descriptor):
        def instantiate(self):
            raise OSError("no weights")

    class Provider(Mine):
        def get_text_embedder(self, model=None):
            return Broken(self, model)

    for is_async in (False, True):
        refused(lambda: embed(["a"], Provider(lengths, is_async=is_async)), "no weights", kind=vf.RunError)


def test_async_def_that_is_not_declared():
    async def work(texts):
        return lengths(texts)

    class Provider(Mine):
        def get_text_embedder(self, model=None):
            descriptor = Descriptor(self, model)
            descriptor.instantiate = lambda: AsyncEmbedder(self)
            return descriptor

    refused(lambda: embed(["a"], Provider(work)), "is_async() gives False", kind=vf.RunError)


@pytest.mark.parametrize("in_memory", [False, True])
@both
def test_pictures_are_read_only_arrays_that_may_be_kept(is_async, in_memory, tmp_path):
    for seed, mode in enumerate(["RGB", "L", "LA", "RGBA"]):
        save_picture(tmp_path / f"{seed}.png", seed, size=(5, 4))
        Image.open(tmp_path / f"{seed}.png").convert(mode).save(tmp_path / f"{seed}.png")
    kept = []

    def work(images):
        for image in images:
            assert image.dtype == numpy.uint8 and not image.flags.writeable
        kept.extend(images)
        return [[image.mean(), image.shape[2]] for image in images]

    mine = Mine(work, is_async=is_async)
    df = vf.from_pydict({"path": sorted(map(str, tmp_path.iterdir()))})
    df = df.with_column("image", decode_image(vf.col("path").download(), mode=None))
    if in_memory:
        df = df.collect()
    rows = df.with_column("e", embed_image(vf.col("image"), provider=mine)).select("path", "e").to_pylist()
    gc.collect()
    for row, array in zip(rows, kept):
        expected = numpy.asarray(Image.open(row["path"]))
        numpy.testing.assert_array_equal(array, expected.reshape(array.shape))
        assert row["e"] == pytest.approx([expected.mean(), array.shape[2]], rel=1e-5)
    assert [array.shape for array in kept] == [(4, 5, 3), (4, 5, 1), (4, 5, 2), (4, 5, 4)]


def test_bad_files_cost_their_rows(bad_photos):
    mine = Mine(lambda images: [[image.shape[0], image.shape[1]] for image in images], batch_size=3)
    df = vf.read_images(bad_photos)
    rows = df.with_column("e", embed_image(vf.col("image"), provider=mine, on_error="ignore", error_column="error"))
    rows = rows.select("path", "e", "error").to_pylist()
    assert [row["e"] is None for row in rows] == [False, True, False, False, False, True, False]
    assert rows[1]["error"].startswith("decode/") and "empty" in rows[5]["error"]
    assert mine.batches == [3, 2]


def test_two_providers_and_a_model_in_one_plan(photos, model):
    one, two = Mine(lambda images: [[1, 1]] * len(images)), Mine(lambda images: [[2, 2]] * len(images))
    df = vf.read_images(photos)
    df = df.with_column("a", embed_image(vf.col("image"), provider=one))
    df = df.with_column("m", embed_image(vf.col("image"), model=model))
    df = df.with_column("b", embed_image(vf.col("image"), provider=two)).select("a", "b", "m")
    table = df.to_arrow()
    assert table.column("a").to_pylist() == [[1, 1]] * 5 and table.column("b").to_pylist() == [[2, 2]] * 5
    assert table.column("m").null_count == 0
    assert table.schema.names == ["a", "b", "m"]


def test_python_goes_on_while_a_run_does():
    """The embedder waits for a thread that could not run if the run kept the interpreter's lock."""
    inside, answered = threading.Event(), threading.Event()

    def answer():
        assert inside.wait(30)
        answered.set()

    def work(texts):
        inside.set()
        assert answered.wait(30)
        return lengths(texts)

    thread = threading.Thread(target=answer)
    thread.start()
    assert embed(TEXTS, Mine(work))[0] == [[i + 1, 1] for i in range(6)]
    thread.join()


SECRET = "sk-very-secret"


def test_secrets_are_nowhere(tmp_path):
    mine = Mine(lengths)
    expression = embed_text(vf.col("t"), provider=mine, api_key=SECRET, headers={"token": SECRET})
    df = vf.from_pydict({"t": ["a"]}).with_column("e", expression)
    output = tmp_path / "out.parquet"
    report = df.write_parquet(output)
    for text in (repr(expression), df.explain(), repr(df), repr(report), report.json):
        assert SECRET not in text
    assert SECRET.encode() not in output.read_bytes()
    assert mine.asked[0][1]["api_key"] == SECRET


def test_the_report_names_the_provider(tmp_path):
    df = vf.from_pydict({"t": ["a"]}).with_column("e", embed_text(vf.col("t"), provider=Mine(lengths), model="large"))
    report = df.write_parquet(tmp_path / "out.parquet")
    model = report.as_dict()["model"]
    assert (model["provider"], model["name"], model["dimension"]) == ("mine", "large", 2)
