"""A figure that breaks a principle stops the run, whichever principle it is."""

import dataclasses

import builders
import pandas as pd
import pytest

from crmlib import exhibits, findings, principles
from crmlib.errors import FigureError
from crmlib.period import Period
from crmlib.sentences import About, Said
from crmlib.visualisation import charts, leanings
from crmlib.visualisation.charts import Chart

GOALS = """\
goals:
  keep: {name: Customers come back, kpi: retention.rate, target: 0.6, by: 2025-06-30}
  win: {name: New ones every quarter, kpi: customers.new, target: 9, by: 2025-06-30}
"""
GOOD = pd.DataFrame(
    {"region": ["North", "South", "unknown"], "customers": [5, 3, 2], "share": [0.5, 0.3, 0.2]}
)


@pytest.fixture
def book(home):
    return findings.Book(
        "04-visualisation", builders.made(home, builders.CONFIG + GOALS), Period.parse("2024-Q4")
    )


def shown(book, table=GOOD, *, n=10, draw=charts.bars, **other):
    given = {
        "title": "Customers by region",
        "serves": "customers.total",
        "label": "region",
        "size": "customers",
    }
    about = other.pop("about", book.about(n, "customers", "customers"))
    return book.exhibit("figure", table, about=about, draw=draw, **given | other)


def test_a_sound_figure_is_shown_and_its_words_are_kept_in_the_book(book):
    made = shown(book)
    assert made.chart.alt.startswith("Customers by region. Customers: North: 5")
    assert made.record()["alt"] == made.chart.alt


@pytest.mark.parametrize(
    ("change", "message"),
    [
        # 1: an aim
        ({"serves": ""}, "it serves no aim: name a measure or a goal"),
        (
            {"serves": "customers.happiness"},
            "it serves 'customers.happiness', which GLOSSARY.md does not know",
        ),
        ({"serves": "goal.grow"}, "goal.grow is no goal of client.yml (there: keep, win)"),
        # 2: whole groups
        (
            {"table": GOOD.head(2), "n": 8},
            "its parts make 80.0% of the whole; show the rest as unknown or other",
        ),
        ({"table": GOOD.assign(region=["A", "A", "B"])}, "two of its groups are called 'A'"),
        ({"table": GOOD.assign(region=["A", "B", None])}, "1 of its groups have no name; call them unknown"),
        # 3: accurate
        ({"n": 12}, "it says n = 12, and its groups count 10"),
        ({"n": 0}, "it shows something of n = 0"),
        (
            {"about": About((Said("10 customers"),))},
            "it does not say how many it shows, as of when and from where (book.about)",
        ),
        (
            {"table": GOOD.assign(share_low=0.9, share_high=0.1)},
            "an interval ends before it begins (share_low, share_high)",
        ),
        # 4: structure
        ({"title": " "}, "it has no title"),
        ({"title": "x" * 111}, "its title has 111 letters, at most 110 are read"),
        (
            {"table": GOOD.assign(customers=[3, 5, 2], region=["b", "c", "a"])},
            "its bars stand in no order, neither by customers nor by region",
        ),
        # 5: visual
        ({"draw": lambda rows, **words: Chart(b"GIF", "Customers by region. 5")}, "its picture is none"),
        (
            {"draw": lambda rows, **words: Chart(b"\x89PNG\r\n", "A chart of 5")},
            "its words do not begin with its title",
        ),
        (
            {"draw": lambda rows, **words: Chart(b"\x89PNG\r\n", "Customers by region.")},
            "its words name no value",
        ),
    ],
)
def test_a_figure_that_breaks_a_principle_stops_the_run(book, change, message):
    with pytest.raises(FigureError) as stopped:
        shown(book, **change)
    said = str(stopped.value)
    assert said.startswith("Figure figure breaks what every figure keeps: ")
    assert message in said
    assert book.exhibits == []  # and is not shown


def test_every_fault_of_a_figure_is_named_at_once(book):
    with pytest.raises(FigureError) as stopped:
        shown(book, GOOD.head(2), n=0, serves="")
    assert str(stopped.value).count(";") == 4  # an aim; parts; the rest of it; n = 0; the count


def test_parts_of_a_row_make_the_row(book):
    table = pd.DataFrame({"group": ["a"], "bad": [0.5], "fair": [0.1], "good": [0.3], "score": [1.0]})
    table = table.assign(score_low=0.0, score_high=2.0)
    drawing = {"label": "group", "parts": ("bad", "fair", "good"), "value": "score"}
    with pytest.raises(FigureError, match=r"the parts of a row make 90\.0% of it"):
        book.exhibit(
            "lean",
            table,
            title="Lean",
            about=book.about(10, "answers", "surveys"),
            serves="nps.score",
            draw=leanings.diverging,
            **drawing,
        )


@pytest.mark.parametrize(
    "table",
    [
        GOOD.iloc[[2, 0, 1]],  # the rest may stand anywhere
        GOOD.iloc[[1, 0, 2]],  # the shortest first
        GOOD.assign(region=["high", "medium", "low"], customers=[3, 5, 2]),  # an order of their own
    ],
)
def test_bars_may_stand_by_length_or_in_an_order_of_their_own(book, table):
    assert shown(book, table).chart is not None


def test_what_is_not_drawn_is_no_figure(book):
    nothing = GOOD.head(0)
    assert shown(book, nothing, n=0).chart is None
    assert book.exhibit("t", GOOD.head(1), title="T", about=About(), serves="customers.total").chart is None


def test_a_figure_serves_the_goals_that_its_measure_is_about(book):
    goals = book.client.goals
    assert principles.goals_served("retention.rate", goals) == ["keep"]
    assert principles.goals_served("change.retention.rate.rate", goals) == ["keep"]
    assert principles.goals_served("goal.win", goals) == ["win"]
    assert principles.goals_served("customers.total", goals) == []
    shown(book, serves="retention.rate")
    table = principles.served(book.exhibits, goals)
    assert table["figures"].tolist() == [1, 0]
    assert principles.unserved(table) == {"goals": 2, "names": ["New ones every quarter"], "left": 1}


def test_the_check_draws_on_the_numbers_and_not_on_the_text(book):
    about = book.about(10, "customers", "customers")
    assert (about.told(book.language), about.n, about.dated) == (
        "n = 10 customers · as of 31 Dec 2024 · source: customers",
        10,
        True,
    )
    exhibit = shown(book)
    bare = dataclasses.replace(
        exhibit, about=About((Said("n = {n:count} {of:phrase}", {"n": 10, "of": "customers"}),))
    )
    drawing = {"draw": "bars", "label": "region", "size": "customers"}
    told = principles.faults(bare, drawing, {}, period=True)
    assert told == ["it names no source", "it does not say as of when"]
    assert isinstance(bare, exhibits.Exhibit)
