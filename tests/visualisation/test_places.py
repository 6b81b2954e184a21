"""Where customers are: tiles and maps, with their numbers, and what lies nowhere beside them."""

import io
from types import SimpleNamespace

import pandas as pd
import pytest
from matplotlib.figure import Figure
from matplotlib.path import Path
from PIL import Image

from crmlib.visualisation import places

ABOUT = "n = 9 customers · as of 31 Dec 2024 · source: customers"
WORDS = {
    "title": "Where they are",
    "about": ABOUT,
    "heading": lambda column: {"customers": "Customers", "not_on_map": "Elsewhere"}.get(column, column),
    "show": lambda column, value: f"{value:g}",
}
SQUARE = ((0.0, 0.0), (10.0, 0.0), (10.0, 10.0), (0.0, 10.0))
HOLE = ((4.0, 4.0), (6.0, 4.0), (6.0, 6.0), (4.0, 6.0))
TILES = SimpleNamespace(kind="tiles", tiles={"North": (0, 1), "South": (1, 0), "Sea": (1, 1)}, shapes={})
MAP = SimpleNamespace(
    kind="map",
    tiles={},
    shapes={"North": ((SQUARE, HOLE),), "South": ((((20.0, 0.0), (24.0, 0.0), (22.0, 4.0)),),)},
)


def table(*rows: tuple) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=["place", "region", "customers"])


ROWS = table(("North", "North", 6), ("South", "South", 1), (None, r"$\foo$ <b>", 1), (None, "😀", 1))


@pytest.fixture
def figure(monkeypatch):
    """The figure behind the picture that is drawn next."""
    seen = []
    save = Figure.savefig
    monkeypatch.setattr(Figure, "savefig", lambda self, *a, **k: (seen.append(self), save(self, *a, **k))[1])
    return seen


def texts(figure: list) -> list[str]:
    return [text.get_text() for text in figure[0].axes[0].texts]


@pytest.mark.parametrize("ground", [TILES, MAP], ids=["tiles", "map"])
def test_every_place_bears_its_number_and_what_lies_nowhere_is_named(figure, ground):
    chart = places.picture(ROWS, ground=ground, **WORDS)
    assert Image.open(io.BytesIO(chart.png)).width > 600
    said = texts(figure)
    assert {"Elsewhere", "$\\foo$ <b>: 1\n😀: 1"} <= set(said)
    assert sum("6" in text.split("\n") for text in said) == 1
    assert chart.alt == "Where they are. Customers: North: 6; South: 1; Elsewhere: 2"


def test_a_tile_without_customers_says_none_and_is_grey(figure):
    places.picture(ROWS, ground=TILES, **WORDS)
    ax = figure[0].axes[0]
    assert len(ax.patches) == 3
    assert texts(figure).count("0") == 1
    north, south, sea = (patch.get_facecolor() for patch in ax.patches)
    assert len({north, south, sea}) == 3
    assert sea[0] == sea[1] == sea[2]


def test_more_places_than_have_room_are_counted_together(figure):
    rows = [(None, f"x{n}", 1) for n in range(30)]
    places.picture(table(("North", "North", 6), *rows), ground=TILES, **WORDS)
    listed = next(text for text in texts(figure) if text.startswith("x0: 1"))
    assert len(listed.split("\n")) == places.BESIDE + 1
    assert listed.endswith("+ 22: 22")


def test_a_hole_in_an_area_is_left_free_whichever_way_its_points_run():
    for hole in (HOLE, HOLE[::-1]):
        for outer in (SQUARE, SQUARE[::-1]):
            path = places._outline((outer, hole))
            # Matplotlib fills by winding: the ring and its hole must turn against each other.
            signs = []
            start = 0
            for n, code in enumerate(path.codes):
                if code == Path.CLOSEPOLY:
                    signs.append(places._area(tuple(map(tuple, path.vertices[start:n]))) > 0)
                    start = n + 1
            assert signs == [True, False]


def test_a_number_stands_within_its_area_and_not_in_a_hole():
    x, y, room = places._inside(((SQUARE, HOLE),))
    assert 0 < x < 10 and 0 < y < 10 and room > 0
    assert not (4 < x < 6 and 4 < y < 6)


@pytest.mark.parametrize("rows", [table(), table((None, "Mars", 3))], ids=["nobody", "only elsewhere"])
def test_where_no_place_holds_anybody_there_is_no_picture(rows):
    assert places.picture(rows, ground=TILES, **WORDS) is None


def test_without_a_ground_there_is_no_picture():
    assert places.picture(ROWS, ground=SimpleNamespace(kind="none", tiles={}, shapes={}), **WORDS) is None


def test_one_customer_in_one_tiny_area_is_drawn():
    speck = SimpleNamespace(kind="map", tiles={}, shapes={"X": ((((1.0, 1.0), (1.0, 2.0), (1.1, 1.5)),),)})
    assert places.picture(table(("X", "X", 1)), ground=speck, **WORDS).png.startswith(b"\x89PNG")
