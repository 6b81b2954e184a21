"""A waterfall of a ratio: what can be seen, and nothing that lies."""

import io

import pandas as pd
import pytest
from matplotlib.figure import Figure
from PIL import Image

from crmlib.visualisation import waterfalls

ABOUT = "n = 3 customers"


@pytest.fixture
def drawn(monkeypatch):
    """A waterfall of these rows, and the axes it was drawn on."""
    seen = []
    save = Figure.savefig
    monkeypatch.setattr(Figure, "savefig", lambda self, *a, **m: (seen.append(self), save(self, *a, **m))[1])

    def draw(rows: list[tuple], columns=("part", "moved", "so_far")):
        words = {"title": "Why", "about": ABOUT, "heading": str, "show": lambda c, v: f"{c[0]}{v:g}"}
        table = pd.DataFrame(rows, columns=list(columns))
        chart = waterfalls.waterfall(table, label="part", size="moved", level="so_far", **words)
        return chart, seen[-1].axes[0] if chart else None

    return draw


def bars(ax) -> list[tuple[float, float]]:
    spans = [sorted((bar.get_x(), bar.get_x() + bar.get_width())) for bar in ax.patches]
    return [(round(low, 9), round(high, 9)) for low, high in spans]


def test_each_part_hangs_where_the_last_one_ended_and_the_ends_stand_on_zero(drawn):
    chart, ax = drawn([("Then", None, 100), ("More", 30, 130), ("Less", -50, 80), ("Now", None, 80)])
    assert sorted(bars(ax)) == [(0, 80), (0, 100), (80, 130), (100, 130)]
    assert chart.alt == "Why. so_far: Then: s100; More: m30; Less: m-50; Now: s80"
    assert Image.open(io.BytesIO(chart.png)).width > 600


def test_where_bars_from_zero_would_hide_the_parts_the_ends_are_marks_and_no_bar_is_cut(drawn):
    _, ax = drawn(
        [("Then", None, 0.572), ("Less", -0.02, 0.552), ("More", 0.01, 0.562), ("Now", None, 0.562)]
    )
    assert bars(ax) == [(0.552, 0.572), (0.552, 0.562)]
    marks = [line for line in ax.lines if line.get_marker() == "D"]
    assert marks[0].get_xdata().tolist() == [0.572, 0.562]
    assert ax.get_xlim()[0] > 0.5


def test_a_score_below_zero_hangs_from_zero(drawn):
    _, ax = drawn([("Then", None, -20), ("More", 8, -12), ("Now", None, -12)])
    assert sorted(bars(ax)) == [(-20, -12), (-20, 0), (-12, 0)]


def test_a_part_that_has_an_interval_shows_it(drawn):
    columns = ("part", "moved", "moved_low", "moved_high", "so_far")
    _, ax = drawn(
        [("Then", None, None, None, 50), ("More", 5, -1, 11, 55), ("Now", None, None, None, 55)], columns
    )
    (line,) = ax.collections
    assert [point[0] for point in line.get_segments()[0]] == [49, 61]


def test_the_same_rows_draw_the_same_picture_and_none_draw_none(drawn):
    rows = [
        ("Then", None, 1),
        ("And a part with a name much too long for one line of it", 1, 2),
        ("Now", None, 2),
    ]
    assert drawn(rows)[0].png == drawn(rows)[0].png
    assert drawn([])[0] is None
