"""Dataframes as HTML, with thumbnails, for notebooks."""

from __future__ import annotations

import base64
import html
import sys
from typing import TYPE_CHECKING, Any

from vecframe import _native

if TYPE_CHECKING:
    from vecframe.dataframe import DataFrame

_ROWS = 8
_THUMBNAIL = 128  #: pixels a side, at most
_MOST_PICTURES = 64  #: in one preview; the others are only named
_MOST_CHARACTERS = 200  #: of a text in a cell
_CELL = "text-align:left; max-width:24em; overflow:hidden; text-overflow:ellipsis"


class Preview:
    """What a notebook shows in place of a value."""

    def __init__(self, markup: str, text: str) -> None:
        self._markup = markup
        self._text = text

    def _repr_html_(self) -> str:
        return self._markup

    def __repr__(self) -> str:
        return self._text


def show_rich(frame: DataFrame, count: int) -> bool:
    """Shows the rows in the notebook that this process runs in; False if it runs in none."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython is not None else None
    if shell is None or "text/html" not in shell.display_formatter.active_types:
        return False
    from IPython.display import display

    display(Preview(_rows_html(frame, count), repr(frame.schema)))
    return True


def frame_html(frame: DataFrame) -> str:
    """The columns of a plan; the first rows of a dataframe in memory."""
    if frame._materialized:
        return _rows_html(frame, _ROWS)
    return _table_html(frame, [], "Not computed yet: show() computes the first rows, collect() all of them.")


def _rows_html(frame: DataFrame, count: int) -> str:
    rows = _with_thumbnails(frame.limit(count)).to_pylist()
    note = f"The first {len(rows)} rows." if len(rows) == count else f"{len(rows)} rows."
    return _table_html(frame, rows, note)


def _is_image(dtype: str) -> bool:
    return dtype.startswith("Image[")


def _with_thumbnails(frame: DataFrame) -> DataFrame:
    """Pictures as small PNG files, made while the rows are computed: no full picture is kept."""
    for field in frame.schema:
        if _is_image(field.dtype):
            small = _native.col(field.name).resize(_THUMBNAIL, _THUMBNAIL, fit="inside")
            frame = frame.with_column(field.name, small.encode_image("png"))
    return frame


def _table_html(frame: DataFrame, rows: list[dict[str, Any]], note: str) -> str:
    fields = list(frame.schema)
    head = "".join(
        f'<th style="{_CELL}">{html.escape(field.name)}<br /><small>{html.escape(field.dtype)}</small></th>'
        for field in fields
    )
    pictures = 0
    body = ""
    for row in rows:
        cells = ""
        for field in fields:
            value = row[field.name]
            if _is_image(field.dtype) and value is not None:
                pictures += 1
                content = _picture_html(value) if pictures <= _MOST_PICTURES else html.escape("<Image>")
            else:
                content = html.escape(_text(value))
            cells += f'<td style="{_CELL}">{content}</td>'
        body += f"<tr>{cells}</tr>"
    return (
        f'<div><table class="dataframe"><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>'
        f"<small>{html.escape(note)}</small></div>"
    )


def _picture_html(png: bytes) -> str:
    return f'<img src="data:image/png;base64,{base64.b64encode(png).decode()}" />'


def _text(value: Any) -> str:
    """A value in a line; of bytes and arrays only how large they are, of a vector its first numbers."""
    if isinstance(value, bytes):
        return f"<{len(value)} bytes>"
    shape = getattr(value, "shape", None)
    if shape is not None and len(shape) == 1:
        numbers = ", ".join(f"{number:.3f}" for number in value[:4])
        return f"[{numbers}{', ...' if len(value) > 4 else ''}]"
    if shape:
        return f"<{' x '.join(map(str, shape))}>"
    text = "null" if value is None else str(value)
    return text if len(text) <= _MOST_CHARACTERS else text[: _MOST_CHARACTERS - 3] + "..."
