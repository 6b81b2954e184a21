"""Bands with limits, ordered columns, classes side by side."""

import io

import pandas as pd
import pytest
from matplotlib.figure import Figure
from PIL import Image

from crmlib.visualisation import spreads

ABOUT = "n = 3 customers · as of 31 Dec 2024 · source: transactions"
WORDS = {"title": "How they spread", "about": ABOUT, "heading": str}


def shown(column: str, value: float, unit: str = "") -> str:
    return f"{value:g}{unit}" if isinstance(value, float | int) else str(value)


BANDS = pd.DataFrame({"low": [0, 10, 30], "high": pd.array([10, 30, None], dtype="Int64"), "many": [5, 8, 2]})
DAYS = pd.DataFrame({"day": ["Mon", "$x_ <b>", "😀"], "many": [5, 8, 2], "index": [1.0, 1.6, 0.4]})
PANELS = pd.DataFrame(
    {
        "fact": ["Orders", "Orders", "Margin", "Margin"],
        "level": ["High", r"$\foo$", "High", r"$\foo$"],
        "value": [12.0, 3.0, 0.5, -0.25],
        "unit": ["", "", "%", "%"],
    }
)


def drawn(name: str, few: bool = False):
    cut = 0 if few else 99
    words = WORDS | {"show": shown}
    if name == "columns":
        marks = {"limit": 20.0}
        return spreads.columns(
            BANDS.head(cut), low="low", high="high", size="many", axis="days", marks=marks, **words
        )
    if name == "ordinal":
        return spreads.ordinal(DAYS.head(cut), label="day", size="index", level=1.0, **words)
    if name == "week":
        return spreads.week(DAYS.head(cut), label="day", size="many", **words)
    return spreads.panels(PANELS.head(cut), panel="fact", **words)


NAMES = ["columns", "ordinal", "week", "panels"]


@pytest.fixture
def figure(monkeypatch):
    """The figure behind the picture that is drawn next."""
    seen = []
    save = Figure.savefig
    monkeypatch.setattr(Figure, "savefig", lambda self, *a, **k: (seen.append(self), save(self, *a, **k))[1])
    return seen


@pytest.mark.parametrize("name", NAMES)
def test_every_chart_is_a_picture_with_words_and_carries_its_foot(figure, name):
    chart = drawn(name)
    assert Image.open(io.BytesIO(chart.png)).width > 600
    texts = {text.get_text() for text in figure[0].findobj(match=lambda a: hasattr(a, "get_text"))}
    assert {"How they spread", ABOUT} <= texts
    assert chart.alt.startswith("How they spread. ") and any(c.isdigit() for c in chart.alt)


@pytest.mark.parametrize("name", NAMES)
def test_where_there_is_nothing_to_draw_there_is_no_chart(name):
    assert drawn(name, few=True) is None


def test_a_limit_stands_among_its_bands_and_is_named(figure):
    drawn("columns")
    ax = figure[0].axes[0]
    (line,) = (line for line in ax.lines if len(set(line.get_xdata())) == 1)
    assert line.get_xdata()[0] == 1.5  # 20 is half way from 10 to 30, the second column
    assert "limit: 20" in [text.get_text() for text in ax.texts]
    assert [bar.get_height() for bar in ax.patches] == [5, 8, 2]
    assert [tick.get_text() for tick in ax.get_xticklabels()] == ["0", "10", "> 30"]


def test_columns_above_the_level_are_told_by_their_colour(figure):
    drawn("ordinal")
    tones = [bar.get_facecolor() for bar in figure[0].axes[0].patches]
    assert tones[0] == tones[1] != tones[2]


def test_a_week_with_hours_is_a_grid(figure):
    hours = DAYS.assign(h09_12=[1, 2, 3], h20_24=0)
    chart = spreads.week(hours, label="day", size="many", **WORDS | {"show": shown})
    assert "Mon × h09_12: 1" in chart.alt
    assert len(figure[0].axes[0].get_xticklabels()) == 1  # nobody bought in the other


def test_each_panel_has_its_own_scale_from_zero_and_the_unit_of_its_rows(figure):
    chart = drawn("panels")
    first, second = figure[0].axes[:2]
    assert first.get_xlim()[0] < 0 < 12 < first.get_xlim()[1]
    assert second.get_xlim()[0] < -0.25 and second.get_xlim()[1] < 2
    assert chart.alt == r"How they spread. Orders: High 12, $\foo$ 3; Margin: High 0.5%, $\foo$ -0.25%"


def test_panels_of_one_unit_share_their_scale(figure):
    shares = PANELS.drop(columns="unit")
    spreads.panels(shares, panel="fact", **WORDS | {"show": shown})
    first, second = figure[0].axes[:2]
    assert first.get_xlim() == second.get_xlim()


def test_one_class_alone_is_compared_with_nobody():
    assert spreads.panels(PANELS[PANELS["level"] == "High"], panel="fact", **WORDS | {"show": shown}) is None
