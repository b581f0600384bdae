"""Sessions: which provider a call goes to, and what their words refuse."""

import asyncio
import threading

import pytest
import vecframe as vf
from vecframe.functions import embed_image, embed_text


class Texts(vf.Provider):
    """Vectors of (length, `mark`)."""

    def __init__(self, name="texts", mark=0):
        self.name, self.mark = name, mark

    def get_text_embedder(self, model=None, **options):
        return Descriptor(self, model)


class Descriptor:
    def __init__(self, provider, model):
        self.provider, self.model = provider, model

    def get_provider(self):
        return self.provider.name

    def get_model(self):
        return self.model or "small"

    def get_options(self):
        return {}

    def get_dimensions(self):
        return 2

    def instantiate(self):
        return self

    def embed_text(self, texts):
        return [[len(text), self.provider.mark] for text in texts]


def refused(call, *words, kind=vf.RequestError):
    with pytest.raises(kind) as caught:
        call()
    for word in words:
        assert word in str(caught.value), (word, str(caught.value))
    assert "\n" not in str(caught.value)


def mark_of(**words):
    df = vf.from_pydict({"t": ["one"]}).with_column("e", embed_text(vf.col("t"), **words))
    return df.to_pylist()[0]["e"][1]


def test_attach_get_has_detach():
    mine = Texts()
    assert not vf.has_provider("texts")
    assert vf.attach_provider(mine) is mine
    assert vf.has_provider("texts") and vf.get_provider("texts") is mine
    assert vf.current_provider() is mine, "the first one is the current one"
    other = vf.attach_provider(Texts(mark=1), alias="other")
    assert vf.get_provider("other") is other and vf.current_provider() is mine
    vf.detach_provider("texts")
    assert vf.current_provider() is None and vf.has_provider("other")


def test_names_that_are_taken_or_unknown():
    vf.attach_provider(Texts())
    refused(lambda: vf.attach_provider(Texts()), "Provider with name texts already exists!")
    refused(lambda: vf.get_provider("text"), "Provider with name text not found!", "Did you mean 'texts'?")
    refused(lambda: vf.detach_provider("nothing"), "Provider with name nothing not found!")
    refused(lambda: vf.set_provider("opnai"), "Provider 'opnai' is not yet supported.")
    refused(lambda: vf.attach_provider(5), "provider: 5 is of type int", "vecframe.Provider")
    refused(lambda: vf.attach_provider(Texts), "provider", "type")
    refused(lambda: vf.has_provider(None), "provider", "NoneType")


def test_set_provider_by_name_instance_and_none():
    mine, other = Texts(), Texts("other", 1)
    vf.attach_provider(mine)
    vf.set_provider(other)
    assert vf.current_provider() is other and vf.has_provider("other")
    assert mark_of() == 1
    vf.set_provider("texts")
    assert vf.current_provider() is mine
    refused(lambda: vf.set_provider(Texts("third"), batch_size=3), "Cannot pass")
    refused(lambda: vf.set_provider("texts", batch_size=3), "Cannot pass")
    refused(lambda: vf.set_provider(other), "already exists")
    vf.set_provider(None)
    assert vf.current_provider() is None


def test_options_of_a_known_provider_are_checked_and_kept(model):
    refused(lambda: vf.set_provider("transformers", poolin="cls"), "set_provider", "poolin", "pooling")
    refused(lambda: vf.set_provider("transformers", pooling="max"), "pooling", "max", "cls")
    vf.set_provider("transformers", model=model, pooling="cls")
    assert vf.current_provider().name == "transformers"
    assert 'pooling="cls"' in repr(embed_image(vf.col("image")))
    assert 'pooling="mean"' in repr(embed_image(vf.col("image"), pooling="mean"))


def test_explicit_before_session_before_environment_before_default(model, monkeypatch):
    vf.attach_provider(Texts("a", 1), alias="environment")
    vf.set_provider(None)
    monkeypatch.setenv("VECFRAME_PROVIDER", "environment")
    assert mark_of() == 1
    vf.set_provider(Texts("session", 2))
    assert mark_of() == 2
    assert mark_of(provider=Texts("mine", 3)) == 3
    assert mark_of(provider="environment") == 1
    vf.set_provider(None)
    monkeypatch.delenv("VECFRAME_PROVIDER")
    assert 'provider="transformers"' in repr(embed_image(vf.col("image"), model=model))


def test_the_sessions_model_is_for_its_provider(model):
    vf.attach_provider(Texts())
    vf.set_provider("texts", model="large")
    assert 'model="large"' in repr(embed_text(vf.col("t")))
    assert 'model="small"' in repr(embed_text(vf.col("t"), provider=Texts("other")))
    assert 'model="tiny"' in repr(embed_text(vf.col("t"), model="tiny"))


def test_sessions_nest_and_end():
    vf.attach_provider(Texts(mark=1))
    with vf.session() as outer:
        assert vf.current_session() is outer
        assert not vf.has_provider("texts")
        outer.attach_provider(Texts(mark=2))
        with vf.session() as inner:
            inner.set_provider(Texts("texts", 3))
            assert mark_of() == 3
        assert mark_of() == 2
        with pytest.raises(KeyError), vf.session():
            raise KeyError
        assert vf.current_session() is outer
    assert mark_of() == 1


def test_sessions_are_of_a_thread_and_of_a_task():
    seen = {}
    with vf.session() as mine:
        mine.attach_provider(Texts(mark=1))

        def look():
            seen["thread"] = vf.current_session() is mine

        thread = threading.Thread(target=look)
        thread.start()
        thread.join()
    assert seen == {"thread": False}

    async def task(mark):
        with vf.session() as own:
            own.attach_provider(Texts(mark=mark))
            await asyncio.sleep(0)
            return vf.current_session() is own and vf.current_provider().mark

    async def both():
        return await asyncio.gather(task(4), task(5))

    assert asyncio.run(both()) == [4, 5]
