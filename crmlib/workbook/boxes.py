"""Every table of the page in a box of its own, so that a wide one scrolls and the page does not."""

import html
from collections.abc import Iterator

from bleach.html5lib_shim import Filter

# Nothing scrolls on paper: from so many columns on a table is printed smaller, at last across the page.
SIZES = {15: "all", 12: "dense", 10: "most", 8: "many"}


class Boxed(Filter):
    """Tables boxed: the box named as its table is, for who comes to it by keyboard and hears it read.

    The first cell of a row says what the row is about, if it is a word: it becomes the row's heading.
    """

    def __iter__(self) -> Iterator[dict]:
        held: list[dict] = []  # a table from its start, until its box is known
        deep = 0
        for token in super().__iter__():
            table = token.get("name") == "table"
            deep += table and token["type"] == "StartTag"
            if not deep:
                yield token
                continue
            held.append(token)
            deep -= table and token["type"] == "EndTag"
            if not deep:
                yield from _boxed(held)
                held = []
        yield from held


def _boxed(table: list[dict]) -> Iterator[dict]:
    space = table[0].get("namespace")
    yield {"type": "StartTag", "name": "div", "namespace": space, "data": _about(table)}
    yield from _with_row_headings(table)
    yield {"type": "EndTag", "name": "div", "namespace": space, "data": {}}


def _about(table: list[dict]) -> dict:
    """The attributes of a table's box."""
    columns = sum(token.get("name") == "th" and token["type"] == "StartTag" for token in table)
    size = next((f" {size}" for least, size in SIZES.items() if columns >= least), "")
    about = {(None, "class"): f"scroll{size}", (None, "tabindex"): "0"}
    caption = _caption(table)
    return about | ({(None, "role"): "group", (None, "aria-label"): caption} if caption else {})


def _caption(table: list[dict]) -> str:
    said, inside = "", False
    for token in table:
        if token.get("name") == "caption":
            inside = token["type"] == "StartTag"
        elif inside and token["type"] in ("Characters", "SpaceCharacters", "Entity"):
            said += token.get("data") or html.unescape(f"&{token.get('name', '')};")
    return " ".join(said.split())


def _with_row_headings(table: list[dict]) -> Iterator[dict]:
    first = heading = False
    nested = 0
    for token in table:
        name, kind = token.get("name"), token["type"]
        nested += name == "table" and (kind == "StartTag") - (kind == "EndTag")
        if nested == 1 and name == "tr":
            first = kind == "StartTag"
        elif nested == 1 and name == "td" and kind == "StartTag":
            heading = first and token["data"].get((None, "class")) == "t"
            first = False
            if heading:
                token = dict(token, name="th", data={**token["data"], (None, "scope"): "row"})
        elif nested == 1 and name == "td" and kind == "EndTag" and heading:
            token, heading = dict(token, name="th"), False
        yield token
