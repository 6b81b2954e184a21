"""Parts around a middle: pictures with words, as long as what they show."""

import io
import itertools

import pandas as pd
import pytest
from matplotlib.figure import Figure
from PIL import Image

from crmlib.visualisation import leanings

ABOUT = "n = 3 answers · as of 31 Dec 2024 · source: surveys"
NAMES = ["售后", r"$\foo$ <b>", "😀" + "x" * 300]
WORDS = {"title": "How they lean", "about": ABOUT, "heading": str, "show": lambda column, value: f"{value:g}"}
PARTS = ("bad", "middling", "good")
TABLE = pd.DataFrame(
    {
        "label": NAMES,
        "bad": [0.5, 0.25, 0.0],
        "middling": [0.25, 0.5, 0.5],
        "good": [0.25, 0.25, 0.5],
        "score": [40.0, 50.0, 75.0],
        "score_low": [30.0, 45.0, 70.0],
        "score_high": [50.0, 55.0, 80.0],
        "score_before": [45.0, None, 70.0],
    }
)
MONTHS = pd.DataFrame({"month": ["2024-11", "2024-12"], "new": [1, 2], "old": [3, 4], "gone": [5, 6]})
AGES = pd.DataFrame({"age": ["18–29", "30–39"], "f": [3, 1], "m": [2, 5], "unknown": [0, 4]})


def drawn(name: str, few: bool = False):
    if name == "diverging":
        rows = TABLE.head(0) if few else TABLE
        return leanings.diverging(rows, label="label", parts=PARTS, value="score", **WORDS)
    if name == "mirror":
        rows = AGES.head(0) if few else AGES
        return leanings.mirror(rows, label="age", sides=("f", "m"), rest="unknown", **WORDS)
    rows = MONTHS.head(0) if few else MONTHS
    return leanings.stack(rows, x="month", above=("old", "new"), below=("gone",), **WORDS | {"show": shown})


def shown(column: str, value: object) -> str:
    return str(value)


@pytest.fixture
def figure(monkeypatch):
    """The figure behind the picture that is drawn next."""
    seen = []
    save = Figure.savefig
    monkeypatch.setattr(Figure, "savefig", lambda self, *a, **k: (seen.append(self), save(self, *a, **k))[1])
    return seen


@pytest.mark.parametrize("name", ["diverging", "mirror", "stack"])
def test_every_chart_is_a_picture_with_words_and_carries_its_foot(figure, name):
    chart = drawn(name)
    assert Image.open(io.BytesIO(chart.png)).width > 600
    texts = {text.get_text() for text in figure[0].findobj(match=lambda a: hasattr(a, "get_text"))}
    assert {"How they lean", ABOUT} <= texts
    assert chart.alt.startswith("How they lean. ")
    assert drawn(name).png == chart.png


@pytest.mark.parametrize("name", ["diverging", "mirror", "stack"])
def test_where_there_is_nothing_to_draw_there_is_no_chart(name):
    assert drawn(name, few=True) is None


def test_bars_lie_around_the_middle_of_the_neutral_part(figure):
    drawn("diverging")
    left = figure[0].axes[0]
    bars = [(round(bar.get_x(), 3), round(bar.get_width(), 3)) for bar in left.patches]
    # first row: half against, a quarter between: from −0.625 to −0.125 to 0.125 to 0.375
    assert [bars[n] for n in (0, 3, 6)] == [(-0.625, 0.5), (-0.125, 0.25), (0.125, 0.25)]
    assert all(bars[3 + row][0] == -bars[3 + row][1] / 2 for row in range(3))


def test_the_words_name_every_part_and_the_value():
    alt = drawn("diverging").alt
    assert "售后: bad 0.5, middling 0.25, good 0.25, score 40" in alt
    assert drawn("mirror").alt == "How they lean. 18–29: f 3, m 2, unknown 0; 30–39: f 1, m 5, unknown 4"
    assert drawn("stack").alt == "How they lean. 2024-12: old 4, new 2, gone 6"


def test_nobody_of_neither_side_is_left_out(figure):
    drawn("mirror")
    ax = figure[0].axes[0]
    assert [bar.get_width() for bar in ax.patches] == [-3, -1, 2, 5, 0, 4]
    assert "5 + 4" in [text.get_text() for text in ax.texts]


def test_a_stack_holds_everybody_in_every_month(figure):
    drawn("stack")
    heights = [bar.get_height() for bar in figure[0].axes[0].patches]
    assert heights == [3, 4, 1, 2, -5, -6]
    assert sum(map(abs, heights)) == MONTHS[["new", "old", "gone"]].to_numpy().sum()
    names = [text for text in figure[0].axes[0].texts if text.get_text()]
    places = [text.xy[1] for text in names]
    assert [text.get_text() for text in names] == ["new 2", "old 4", "gone 6"]
    assert places == sorted(places, reverse=True)


def test_names_at_the_end_of_thin_parts_do_not_lie_on_each_other(figure):
    thin = MONTHS.assign(old=[1000, 1000], new=[1, 1], newer=[1, 1])
    leanings.stack(thin, x="month", above=("old", "new", "newer"), below=("gone",), **WORDS | {"show": shown})
    ax = figure[0].axes[0]
    figure[0].draw_without_rendering()
    boxes = sorted((t.get_window_extent() for t in ax.texts if t.get_text()), key=lambda box: box.y0)
    assert all(lower.y1 <= upper.y0 + 2 for lower, upper in itertools.pairwise(boxes))
