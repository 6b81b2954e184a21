"""Charts: a picture with words, whatever a customer is called."""

import io

import pandas as pd
import pytest
from matplotlib.figure import Figure
from PIL import Image

from crmlib.visualisation import charts

ABOUT = "n = 3 customers · as of 31 Dec 2024 · source: transactions"
NAMES = ["广东省", r"$\foo$ <b>", "㐀商行"]
MONTHS = [f"2024-{n:02d}" for n in range(1, 13)]


HEADINGS = {
    "size": "customers",
    "size_before": "Q3",
    "x": "share of customers",
    "y": "share of sales",
    "label": "",
}


def drawn(name: str, labels=None):
    """One of each chart over the same few values."""
    labels = NAMES if labels is None else labels
    table = pd.DataFrame({"label": labels, "size": [float(n) for n in range(len(labels), 0, -1)]})
    about = {"title": "Customers by region", "about": ABOUT, "show": lambda column, value: f"{value:g}"}
    about["heading"] = lambda column: HEADINGS.get(column, column)
    if name == "bars":
        return charts.bars(table, label="label", size="size", **about)
    if name == "lines":
        months = table.assign(label=MONTHS[: len(table)])  # the only names that stand on a time axis
        return charts.lines(months, x="label", y="size", **about)
    if name == "intervals":
        near = {"size_low": table["size"] - 0.5, "size_high": table["size"] + 0.5, "size_before": 2.0}
        return charts.intervals(table.assign(**near), label="label", value="size", **about)
    if name == "heat":
        return charts.heat(table.assign(size_before=2.0), **about)
    if name == "flows":
        bands = table.assign(now=table["label"].shift(-1).fillna(table["label"]))
        return charts.flows(bands, source="label", target="now", size="size", **about)
    shares = pd.DataFrame({"x": [0.2, 1.0], "y": [0.8, 1.0]}).head(len(table))
    return charts.curve(shares, x="x", y="y", mark=0.2, **about)


CHARTS = ["bars", "lines", "intervals", "heat", "curve", "flows"]


@pytest.mark.parametrize("name", CHARTS)
def test_every_chart_is_a_picture_with_words(name):
    chart = drawn(name)
    picture = Image.open(io.BytesIO(chart.png))
    assert picture.format == "PNG"
    assert picture.width > 600
    assert picture.height > 150
    assert picture.convert("L").getextrema()[0] < 100  # something dark was drawn
    assert chart.alt.startswith("Customers by region. ")


@pytest.mark.parametrize("name", CHARTS)
def test_where_there_is_nothing_to_draw_there_is_no_chart(name):
    assert drawn(name, labels=[]) is None


@pytest.mark.parametrize("name", CHARTS)
def test_the_same_table_draws_the_same_picture(name):
    assert drawn(name).png == drawn(name).png


@pytest.mark.parametrize("name", ["bars", "intervals", "heat"])
@pytest.mark.parametrize(
    "label",
    ["江苏省", r"$\foo$ <b>", "$x_", "㐀𠮷", "\U000f0000", "😀", "a\nb\tc", "", "x" * 300, "%s {0} \\"],
)
def test_a_customer_may_be_called_anything(name, label):
    assert drawn(name, labels=[label, "B"]).png.startswith(b"\x89PNG")


@pytest.fixture
def figure(monkeypatch):
    """The figure behind the picture that is drawn next."""
    seen = []
    save = Figure.savefig

    def kept(self, *args, **more):
        seen.append(self)
        return save(self, *args, **more)

    monkeypatch.setattr(Figure, "savefig", kept)
    return seen


def test_bars_are_as_long_as_their_values_and_in_the_tables_order(figure):
    drawn("bars")
    ax = figure[0].axes[0]
    assert [bar.get_width() for bar in ax.patches] == [3, 2, 1]
    assert [text.get_text() for text in ax.get_yticklabels()] == NAMES


def test_two_long_names_that_begin_alike_are_two_bars(figure):
    alike = "The Very Long Company Name of "
    drawn("bars", labels=[f"{alike}Ulm", f"{alike}Bonn"])
    assert [bar.get_width() for bar in figure[0].axes[0].patches] == [2, 1]


@pytest.mark.parametrize("name", CHARTS)
def test_every_chart_carries_what_a_reader_must_know(figure, name):
    # V05: title, what is on the axes, n, as-of date and source
    drawn(name)
    texts = {text.get_text() for text in figure[0].findobj(match=lambda a: hasattr(a, "get_text"))}
    assert "Customers by region" in texts
    assert ABOUT in texts
    ax = figure[0].axes[0]
    axis = {
        "bars": "customers",
        "lines": "customers",
        "intervals": "customers   ○ Q3",  # the ring is the period before
        "curve": "share of sales",
        "heat": "",
        "flows": "",  # its sides stand above: the two dates
    }
    assert axis[name] in (ax.get_xlabel(), ax.get_ylabel())


def test_the_words_say_the_values():
    assert drawn("bars").alt == ("Customers by region. customers: 广东省: 3; $\\foo$ <b>: 2; 㐀商行: 1")


def test_drawing_leaves_the_look_of_the_notebook_alone():
    import matplotlib as mpl

    before = dict(mpl.rcParams)
    drawn("bars")
    assert dict(mpl.rcParams) == before


def test_a_chart_leaves_its_table_alone():
    table = pd.DataFrame({"label": ["A", None], "size": [1.0, None]})
    before = table.copy()
    charts.bars(table, label="label", size="size", title="T", about="", heading=str, show=lambda c, v: str(v))
    pd.testing.assert_frame_equal(table, before)


def test_blocks_are_as_high_as_their_customers_on_both_sides_and_bands_name_who_moved(figure):
    # Then: high 5 + 1, low 2 + 4, new 3; now: high 5 + 2, low 1 + 4 + 3.
    rows = [("High", "High", 5), ("High", "Low", 1), ("Low", "High", 2), ("Low", "Low", 4), ("New", "Low", 3)]
    table = pd.DataFrame(rows, columns=["before", "now", "customers"])
    words = {"title": "Flow", "about": ABOUT, "heading": str, "show": lambda column, value: f"{value:g}"}
    chart = charts.flows(table, source="before", target="now", size="customers", **words)
    ax = figure[0].axes[0]
    assert [bar.get_height() for bar in ax.patches] == [6, 6, 3, 7, 8]
    texts = [text.get_text() for text in ax.texts]
    assert {"High 6", "Low 6", "New 3", "High 7", "Low 8"} <= set(texts)
    assert {"1", "2", "3"} <= set(texts)
    assert {"stayed", "rose", "fell", "one_side"} <= set(texts)
    assert chart.alt == "Flow. customers: New → Low: 3; Low → High: 2; High → Low: 1"
