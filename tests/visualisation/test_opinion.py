"""Charts of what customers say: a picture with words, in the places that the table gives."""

import io

import pandas as pd
import pytest
from matplotlib.figure import Figure
from PIL import Image

from crmlib.visualisation import opinion

ABOUT = "n = 3 answers · as of 31 Dec 2024 · source: surveys"
NAMES = ["售后", r"$\foo$ <b>", "x" * 300]
WORDS = {"title": "What they say", "about": ABOUT, "show": lambda column, value: f"{value:g}"}


def heading(column: str) -> str:
    return {"share": "Share", "not_told": "Not told", "by_rule": "By rule", "score": "Score"}.get(
        column, column
    )


def table(labels: list[str]) -> pd.DataFrame:
    size = [float(n) for n in range(1, len(labels) + 1)]
    made = pd.DataFrame(
        {"label": labels, "share": size, "score": size[::-1], "class": "Tier", "elsewhere": 2.0}
    )
    made = made.assign(share_low=made["share"] - 0.5, share_high=made["share"] + 0.5, quadrant="Keep up")
    return made.assign(own_low=made["share"] - 1.5, against=["Above", "Not told", "By rule"][: len(made)])


def drawn(name: str, labels: list[str] | None = None):
    rows, words = table(NAMES if labels is None else labels), WORDS | {"heading": heading}
    if name == "quadrant":
        return opinion.quadrant(rows, label="label", x="score", y="share", **words)
    if name == "grouped":
        return opinion.grouped(rows, label="label", by="class", value="share", **words)
    if name == "pairs":
        return opinion.pairs(rows, label="label", value="share", other="elsewhere", **words)
    periods = pd.concat([rows.assign(period=p) for p in ("2024-Q4", "2024-Q3")], ignore_index=True)
    return opinion.course(periods, x="period", y="share", by="label", **words)


CHARTS = ["quadrant", "grouped", "pairs", "course"]


@pytest.fixture
def figure(monkeypatch):
    """The figure behind the picture that is drawn next."""
    seen = []
    save = Figure.savefig
    monkeypatch.setattr(Figure, "savefig", lambda self, *a, **k: (seen.append(self), save(self, *a, **k))[1])
    return seen


@pytest.mark.parametrize("name", CHARTS)
def test_every_chart_is_a_picture_with_words_and_carries_its_foot(figure, name):
    chart = drawn(name)
    picture = Image.open(io.BytesIO(chart.png))
    assert picture.format == "PNG" and picture.width > 600
    assert picture.convert("L").getextrema()[0] < 100
    assert chart.alt.startswith("What they say. ")
    texts = {text.get_text() for text in figure[0].findobj(match=lambda a: hasattr(a, "get_text"))}
    assert {"What they say", ABOUT} <= texts


@pytest.mark.parametrize("name", CHARTS)
def test_where_there_is_nothing_to_draw_there_is_no_chart(name):
    assert drawn(name, []) is None


@pytest.mark.parametrize("name", CHARTS)
def test_the_same_table_draws_the_same_picture(name):
    assert drawn(name).png == drawn(name).png


def test_one_point_has_no_quarter():
    assert drawn("quadrant", ["售后"]) is None


def test_lines_of_the_quadrant_stand_at_the_means_and_what_is_not_told_is_a_ring(figure):
    drawn("quadrant")
    ax = figure[0].axes[0]
    lines = [line for line in ax.lines if line.get_linestyle() == ":"]
    assert [lines[0].get_xdata()[0], lines[1].get_ydata()[0]] == [2, 2]
    points = [line for line in ax.lines if line.get_linestyle() == "None"]
    assert [(p.get_xdata()[0], p.get_ydata()[0]) for p in points] == [(3, 1), (2, 2), (1, 3)]
    # own_low is −0.5, 0.5, 1.5; shapes differ where colours do, so that grey print tells them too
    assert [p.get_markerfacecolor() for p in points] == ["none", opinion.BLUE, opinion.ORANGE]
    assert [p.get_marker() for p in points] == ["o", "o", "s"]


def test_points_are_filled_where_a_group_stands_apart_and_headings_name_the_classes(figure):
    drawn("grouped")
    ax = figure[0].axes[0]
    points = [line for line in ax.lines if line.get_marker() == "o"]
    assert [p.get_markerfacecolor() for p in points] == [opinion.BLUE, "white", "white"]
    assert [t.get_text() for t in ax.get_yticklabels()] == ["Tier", "售后", r"$\foo$ <b>", "x" * 23 + "…"]


def test_periods_run_from_the_oldest_to_the_newest_whatever_the_tables_order(figure):
    chart = drawn("course")
    assert "2024-Q3 – 2024-Q4" in chart.alt
    shown = [[t.get_text() for t in ax.get_xticklabels() if t.get_visible()] for ax in figure[0].axes[:3]]
    # three pictures in two columns: the lowest of each bears the periods
    assert shown[1:] == [["2024-Q3", "2024-Q4"]] * 2
