"""What notebooks and terminals show."""

import base64
import html.parser
import io
import re

import numpy as np
import pytest
import vecframe as vf
from PIL import Image
from vecframe import col
from vecframe.functions import embed_image, image_to_tensor


def noise(height, width, channels=3, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (height, width, channels), dtype=np.uint8)


class Markup(html.parser.HTMLParser):
    """Cells, pictures, and whether every element is closed."""

    def __init__(self, text):
        super().__init__()
        self.cells, self.note, self.open, self.sources, self.tags = [], "", [], [], set()
        self.feed(text)
        assert not self.open

    def handle_starttag(self, tag, attributes):
        self.tags.add(tag)
        if tag in ("td", "th"):
            self.cells.append("")
        if tag == "img":
            self.sources.append(dict(attributes)["src"])
        if tag not in ("img", "br"):
            self.open.append(tag)

    def handle_startendtag(self, tag, attributes):
        self.handle_starttag(tag, attributes)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if "td" in self.open or "th" in self.open:
            self.cells[-1] += data
        else:
            self.note += data


def pictures_of(markup):
    for source in markup.sources:
        kind, data = source.split(",", 1)
        assert kind == "data:image/png;base64"
        yield Image.open(io.BytesIO(base64.b64decode(data, validate=True)))


def test_a_plan_shows_its_columns_and_runs_nothing(tmp_path):
    frame = vf.from_pydict({"path": [str(tmp_path / "nothing")]}).with_column("b", col("path").download())
    markup = Markup(frame._repr_html_())
    assert markup.cells == ["pathString", "bBinary"] and not markup.sources
    assert "collect()" in markup.note
    assert repr(frame) == "DataFrame (lazy)\npath  String\nb     Binary"


def test_rows_in_memory_are_shown_with_thumbnails():
    pictures = [noise(300, 200), noise(3, 5, 1), noise(10, 10, 4), noise(10, 10, 2), None]
    frame = vf.from_pydict({"n": range(5), "image": pictures})
    markup = Markup(frame._repr_html_())
    shown = list(pictures_of(markup))
    assert [picture.size for picture in shown] == [(85, 128), (128, 77), (128, 128), (128, 128)]
    assert [picture.mode for picture in shown] == ["RGB", "L", "RGBA", "LA"]
    assert markup.cells[-1] == "null"
    assert "5 rows." in frame._repr_html_()
    assert len(frame._repr_html_()) < 8 * 1.4 * 128 * 128 * 4


def test_only_the_first_rows_and_so_many_pictures_are_shown():
    frame = vf.from_pydict({"n": range(100), "image": [noise(4, 4)] * 100})
    assert "The first 8 rows." in frame._repr_html_() and len(Markup(frame._repr_html_()).sources) == 8
    from vecframe.preview import _rows_html

    assert len(Markup(_rows_html(frame, 90)).sources) == 64
    wide = vf.from_pydict({f"i{i}": [noise(4, 4)] * 8 for i in range(12)})
    assert len(Markup(wide._repr_html_()).sources) == 64


def test_texts_are_escaped_and_bounded(model):
    frame = vf.from_pydict(
        {
            "<script>": ["<b>&\"'", "x" * 10_000, None],
            "bytes": [b"<i>", b"", None],
            "list": [["<u>"], [], None],
            "image": [noise(4, 5)] * 3,
        }
    )
    frame = frame.with_columns({"e": embed_image(col("image"), model=model), "t": image_to_tensor(col("image"))}).collect()
    text = frame._repr_html_()
    markup = Markup(text)
    assert markup.tags == {"div", "table", "thead", "tbody", "tr", "th", "td", "br", "small", "img"}
    assert markup.cells[0] == "<script>String"
    cells = markup.cells[6:]
    assert cells[0] == "<b>&\"'" and len(cells[6]) == 200
    assert cells[1] == "<3 bytes>" and cells[2] == "['<u>']" and cells[5] == "<4 x 5 x 3>"
    assert re.fullmatch(r"\[(-?\d+\.\d{3}, ){4}\.\.\.\]", cells[4])
    assert max(map(len, re.findall(r">([^<]*)<", text))) <= 400


def test_show_prints_in_a_terminal(capsys):
    vf.from_pydict({"a": [1, 2, 3]}).show(2)
    assert capsys.readouterr().out == "a\nInt64\n-----\n1\n2\n(2 rows)\n"


def test_a_materialized_dataframe_prints_its_rows():
    assert repr(vf.from_pydict({"a": [1]})) == "a\nInt64\n-----\n1\n(1 rows)"
    assert repr(vf.from_pydict({"a": [1]}).where(col("a") > 0)).startswith("DataFrame (lazy)")
    assert repr(vf.from_pydict({"a": [1]}).where(col("a") > 0).collect()).endswith("(1 rows)")


def test_show_and_a_last_line_give_html_to_a_notebook():
    shells = pytest.importorskip("IPython.core.interactiveshell", reason="IPython is not installed")
    from IPython.utils.capture import capture_output

    shell = shells.InteractiveShell.instance()
    try:
        with capture_output() as captured:
            vf.from_pydict({"image": [noise(4, 5)] * 20}).where(col("image").not_null()).show(3)
        (shown,) = captured.outputs
        markup = Markup(shown.data["text/html"])
        assert len(markup.sources) == 3
        assert shown.data["text/plain"] == "image  Image[MIXED]"
        formats, _ = shell.display_formatter.format(vf.from_pydict({"a": [1]}))
        assert "text/html" in formats and "1 rows" in formats["text/plain"]
        shell.display_formatter.active_types = ["text/plain"]  # as in a terminal
        with capture_output() as captured:
            vf.from_pydict({"a": [1]}).show()
        assert not captured.outputs and "1 rows" in captured.stdout
    finally:
        shells.InteractiveShell.clear_instance()
